//! The whole by weight: recount, zero, own things, tares.

use super::*;

fn with_tea() -> Bench {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.9)]);
    bench.load(150.0);
    assert_eq!(bench.lines(), ["tea 250"]);
    bench
}

impl Bench {
    /// The cart rolls: the scale is not believed, and what comes in meanwhile is not felt by itself.
    fn roll(&mut self, ms: u64) {
        for n in 0..ms / 25 {
            let swing = if n % 2 == 0 { 150.0 } else { -150.0 };
            self.input(Input::Motion(MotionReading { at: self.now, accel_mg: [swing, 0.0, 1_000.0] }));
            self.wait(25);
        }
    }
}

/// Things too light to feel one by one, put in while the cart rolls and while it stands.
fn slip_in(bench: &mut Bench, grams: f32, times: u32) {
    for _ in 0..times {
        bench.load_g += grams;
        bench.wait(30_000);
    }
}

#[test]
fn what_slipped_in_unfelt_is_held_before_the_lane_and_never_charged() {
    let mut bench = with_tea();
    slip_in(&mut bench, 5.0, 6);
    assert!(bench.cart.view().holds.is_empty(), "each was below a step");
    bench.at_the_lane();
    let view = bench.cart.view();
    assert_eq!((bench.cart.state().phase, view.total.minor), (Phase::Shopping, 250));
    let ask = view.ask.expect("a question");
    assert_eq!(ask.reason, HoldReason::Recount);
    assert!((ask.weight.0 - 30).abs() <= 3, "{:?}", ask.weight);
    bench.order(Order::ReleaseHold { hold: ask.hold });
    bench.at_the_lane();
    assert_eq!(bench.cart.state().phase, Phase::Locked, "staff have looked; it does not block for ever");
}

#[test]
fn what_slipped_out_is_asked_and_the_answer_takes_the_line() {
    let mut bench = Bench::from(Vec::new(), 0.0);
    bench.tap(Intent::Start);
    for (name, grams) in [("tea", 150.0), ("milk", 1_045.0)] {
        bench.see(&[(name, 0.98)]);
        bench.load(grams);
    }
    slip_in(&mut bench, -5.0, 6);
    bench.at_the_lane();
    let ask = bench.cart.view().ask.expect("a question");
    assert_eq!((ask.reason, ask.weight.0 < 0), (HoldReason::Recount, true));
}

#[test]
fn a_long_drift_is_no_difference() {
    let mut bench = with_tea();
    for _ in 0..600 {
        bench.load_g += 0.1;
        bench.wait(1_000);
    }
    bench.at_the_lane();
    assert_eq!(bench.cart.state().phase, Phase::Locked, "{:?}", bench.cart.view().ask);
}

#[test]
fn rolling_about_is_no_difference() {
    let mut bench = with_tea();
    for n in 0..10 {
        bench.load_g += if n % 2 == 0 { 3.0 } else { -3.0 };
        bench.roll(2_000);
        bench.wait(1_000);
    }
    bench.at_the_lane();
    assert_eq!(bench.cart.state().phase, Phase::Locked, "{:?}", bench.cart.view().ask);
}

#[test]
fn an_own_thing_is_no_line_and_goes_again_without_a_question() {
    let mut bench = with_tea();
    bench.load(640.0);
    let hold = bench.cart.view().ask.expect("held").hold;
    for _ in 0..2 {
        bench.tap(Intent::OwnThing { hold });
    }
    assert_eq!((bench.lines(), bench.cart.view().holds.len()), (vec!["tea 250".to_owned()], 0));
    assert_eq!(bench.journal.iter().filter(|e| matches!(e, TripEvent::OwnThing { .. })).count(), 1, "two taps are one");
    let again = Bench::from(bench.journal.clone(), 790.0);
    assert!(again.cart.view().holds.is_empty(), "nor a surprise after a restart");
    bench.load(-640.0);
    assert!(bench.cart.view().holds.is_empty(), "{:?}", bench.cart.view().ask);
    bench.at_the_lane();
    assert_eq!(bench.cart.state().phase, Phase::Locked);
}

#[test]
fn too_heavy_or_too_many_own_things_are_for_staff() {
    let check = |weights: &[f32], help: bool| {
        let mut bench = with_tea();
        for grams in weights {
            bench.load(*grams);
            let hold = bench.cart.view().ask.expect("held").hold;
            bench.tap(Intent::OwnThing { hold });
        }
        let view = bench.cart.view();
        assert_eq!((view.help_called, view.holds.is_empty()), (help, !help), "{weights:?}");
    };
    check(&[1_900.0], false);
    check(&[2_100.0], true);
    check(&[1_200.0, 900.0], true);
    check(&[100.0, 200.0, 300.0], false);
    check(&[100.0, 200.0, 300.0, 400.0], true);
}

#[test]
fn an_own_bag_of_before_the_start_is_known_and_what_is_too_heavy_for_one_is_held() {
    let mut bench = Bench::from(Vec::new(), 900.0);
    bench.tap(Intent::Start);
    assert!(bench.cart.view().holds.is_empty());
    bench.load(-900.0);
    assert!(bench.cart.view().holds.is_empty(), "the bag is taken off: {:?}", bench.cart.view().ask);
    let mut bench = Bench::from(Vec::new(), 4_200.0);
    bench.tap(Intent::Start);
    assert_eq!(bench.cart.view().holds.iter().map(|h| h.weight).collect::<Vec<_>>(), [Grams(4_200)]);
    bench.load(-4_200.0);
    assert!(bench.cart.view().holds.is_empty());
}

#[test]
fn produce_is_paid_for_without_its_bag() {
    let mut bench = Bench::shopping();
    bench.load(212.0);
    let hold = bench.cart.view().ask.expect("held").hold;
    bench.tap(Intent::SomethingElse { hold });
    bench.tap(Intent::Choose { sku: sku("lime") });
    let weigh = |bench: &Bench| match bench.cart.view().screen {
        Screen::Weigh(weigh) => weigh,
        other => panic!("no weigh screen: {other:?}"),
    };
    let without = weigh(&bench);
    assert_eq!((without.tare, without.net, without.tares.len()), (Grams(0), Grams(212), 3));
    bench.tap(Intent::Tare { number: Some(1) });
    let with = weigh(&bench);
    assert_eq!((with.gross, with.tare, with.net), (Grams(212), Grams(14), Grams(198)));
    assert_eq!(with.price.map(|p| p.minor), Some(59), "198 g at 3.00 a kilogram");
    bench.tap(Intent::ConfirmWeigh);
    assert_eq!(bench.lines(), ["lime 59"]);
    bench.load(-212.0);
    assert!(bench.lines().is_empty(), "it leaves with its bag");
}

#[test]
fn a_tare_is_never_heavier_than_the_goods() {
    let mut bench = Bench::shopping();
    bench.load(12.0);
    let hold = bench.cart.view().ask.expect("held").hold;
    bench.tap(Intent::SomethingElse { hold });
    bench.tap(Intent::Choose { sku: sku("lime") });
    bench.tap(Intent::Tare { number: Some(2) });
    let view = bench.cart.view();
    let Screen::Weigh(weigh) = view.screen else { panic!("no weigh screen") };
    assert_eq!((weigh.tares.len(), weigh.net), (1, Grams(12)), "a tray of 22 g is none of those offered");
}
