//! Swaps: caught when they happen, and a hand that only reaches in is left alone.

use super::*;

/// Tea and a litre of milk in the basket, both known.
fn shopping() -> Bench {
    let mut bench = Bench::shopping();
    for (name, grams) in [("tea", 150.0), ("milk", 1_045.0)] {
        bench.see(&[(name, 0.98)]);
        bench.load(grams);
    }
    assert_eq!(bench.lines(), ["milk 120", "tea 250"]);
    bench
}

/// One unsettled stretch: `out` leaves, and 400 ms later `in` is there.
fn swap_in_one_go(bench: &mut Bench, out: f32, into: f32) {
    bench.wait(500);
    bench.load_g -= out;
    bench.stir(400);
    bench.load_g += into;
    bench.wait(100);
}

#[test]
fn a_swap_for_a_thing_of_like_weight_is_made_when_sight_is_sure() {
    let mut bench = shopping();
    swap_in_one_go(&mut bench, 1_045.0, 1_041.0);
    bench.see_change(&[("oat", 0.985)]);
    bench.wait(2_500);
    assert_eq!(bench.lines(), ["oat 185", "tea 250"]);
    assert_eq!(bench.cart.view().taken_out.map(|t| t.price.minor), Some(120));
    bench.at_the_lane();
    assert_eq!(bench.cart.state().phase, Phase::Locked, "and the whole weighs what it should");
}

#[test]
fn a_swap_that_is_not_sure_is_one_question_and_shuts_the_way_to_pay() {
    let mut bench = shopping();
    swap_in_one_go(&mut bench, 1_045.0, 1_041.0);
    bench.see_change(&[("oat", 0.7), ("lime", 0.1)]);
    bench.wait(2_500);
    let view = bench.cart.view();
    let ask = view.ask.expect("a question");
    assert_eq!((ask.reason, view.pay_blocked), (HoldReason::Swapped, Some(PayBlocked::Unresolved)));
    assert_eq!(view.total.minor, 370, "nothing is charged for it");
    assert_eq!(ask.tiles[0].instead_of.as_deref(), Some("Milk"));
    let line = ask.tiles[0].line.expect("its line");
    for _ in 0..2 {
        bench.tap(Intent::AnswerSwap { hold: ask.hold, line, sku: sku("oat") });
    }
    assert_eq!(bench.lines(), ["oat 185", "tea 250"]);
    assert!(bench.cart.view().holds.is_empty());
}

#[test]
fn two_hands_and_something_lifted_are_asked_about_on_less_than_one_hand() {
    let check = |hands: u32, asked: bool| {
        let mut bench = shopping();
        swap_in_one_go(&mut bench, 1_045.0, 1_041.0);
        bench.see_change_by(hands, &[("oat", 0.15)]);
        bench.wait(2_500);
        assert_eq!(bench.cart.view().ask.is_some(), asked, "{hands} hands");
    };
    check(1, false);
    check(2, true);
}

#[test]
fn a_swap_that_is_undone_by_taking_out_what_came_leaves_no_question() {
    let mut bench = shopping();
    swap_in_one_go(&mut bench, 150.0, 158.0);
    bench.wait(2_500);
    let hold = bench.cart.view().ask.expect("what came in?").hold;
    bench.tap(Intent::TakeOut { hold });
    bench.load(-155.0);
    assert_eq!(bench.lines(), ["milk 120"]);
    assert!(bench.cart.view().holds.is_empty(), "{:?}", bench.cart.view().holds);
}

#[test]
fn a_plain_answer_to_a_swap_will_do_as_well() {
    let mut bench = shopping();
    swap_in_one_go(&mut bench, 1_045.0, 1_041.0);
    bench.see_change(&[("oat", 0.7), ("lime", 0.1)]);
    bench.wait(2_500);
    let hold = bench.cart.view().ask.expect("a question").hold;
    bench.tap(Intent::Answer { hold, sku: sku("oat") });
    assert_eq!(bench.lines(), ["oat 185", "tea 250"]);
}

#[test]
fn nothing_was_changed_is_believed_where_the_scale_agrees() {
    let mut bench = shopping();
    swap_in_one_go(&mut bench, 1_045.0, 1_045.0);
    bench.see_change(&[("oat", 0.7), ("lime", 0.1)]);
    bench.wait(2_500);
    let hold = bench.cart.view().ask.expect("a question").hold;
    bench.tap(Intent::NothingChanged { hold });
    assert_eq!(bench.lines(), ["milk 120", "tea 250"]);
    assert!(bench.cart.view().holds.is_empty() && !bench.cart.view().help_called);
}

#[test]
fn a_swap_that_leaves_a_small_step_is_no_small_thing() {
    // 150 g of tea for 212 g of limes: 62 g, about one lime by weight.
    let mut bench = shopping();
    swap_in_one_go(&mut bench, 150.0, 212.0);
    bench.see_change(&[("lime", 0.98)]);
    bench.wait(2_500);
    assert_eq!(bench.lines(), ["milk 120", "tea 250"], "no lime is added");
    assert_eq!(bench.cart.view().pay_blocked, Some(PayBlocked::Unresolved));
}

#[test]
fn a_swap_that_changes_the_load_is_made_when_sight_and_weight_agree() {
    let mut bench = Bench::shopping();
    for (name, grams) in [("tea", 150.0), ("lime", 833.0)] {
        bench.see(&[(name, 0.98)]);
        bench.load(grams);
    }
    swap_in_one_go(&mut bench, 833.0, 1_041.0);
    bench.see_change(&[("oat", 0.97)]);
    bench.wait(2_500);
    assert_eq!(bench.lines(), ["oat 185", "tea 250"], "{:?}", bench.cart.view().ask);
}

#[test]
fn a_lighter_thing_for_a_heavier_one_takes_no_third_line_off() {
    let mut bench = Bench::shopping();
    for (name, grams) in [("tea", 150.0), ("milk", 1_045.0), ("lime", 833.0)] {
        bench.see(&[(name, 0.98)]);
        bench.load(grams);
    }
    // Milk for limes of 212 g: 833 g less, as the limes weigh that are in the basket.
    swap_in_one_go(&mut bench, 1_045.0, 212.0);
    bench.see_change(&[("oat", 0.5), ("tea", 0.3)]);
    bench.wait(2_500);
    assert_eq!(bench.lines().len(), 3, "the limes are still there");
    assert_eq!(bench.cart.view().pay_blocked, Some(PayBlocked::Unresolved));
}

#[test]
fn out_and_then_in_are_two_ordinary_steps() {
    let mut bench = shopping();
    bench.load(-1_045.0);
    bench.see(&[("oat", 0.98)]);
    bench.load(1_041.0);
    assert_eq!(bench.lines(), ["oat 185", "tea 250"]);
}

#[test]
fn of_an_out_that_is_not_sure_and_an_in_at_once_both_are_settled() {
    let mut bench = Bench::shopping();
    for name in ["oat", "milk"] {
        bench.see(&[(name, 0.98)]);
        bench.load(1_043.0);
    }
    bench.load_g -= 1_043.0;
    bench.wait(600);
    bench.see(&[("tea", 0.98)]);
    bench.load(150.0);
    let reasons: Vec<HoldReason> = bench.cart.view().holds.iter().map(|h| h.reason).collect();
    assert_eq!(reasons, [HoldReason::WhichRemoved], "{:?}", bench.lines());
    assert_eq!(bench.lines().len(), 3, "the tea is in, and which went is asked");
}

/// Tea is swapped for limes in one go, and the cart sees nothing worth a guess: what the shopper searches
/// for is true, and yet the limes do not weigh what the load has changed by.
fn limes_for_tea_by_name() -> (Bench, HoldId) {
    let mut bench = shopping();
    swap_in_one_go(&mut bench, 150.0, 500.0);
    bench.see_change(&[]);
    bench.wait(2_500);
    let hold = bench.cart.view().ask.expect("a question").hold;
    bench.tap(Intent::SomethingElse { hold });
    bench.tap(Intent::Choose { sku: sku("lime") });
    bench.tap(Intent::ConfirmWeigh);
    let ask = bench.cart.view().ask.expect("another question");
    assert_eq!(ask.reason, HoldReason::Swapped, "{:?}", bench.lines());
    assert_eq!(bench.lines(), ["milk 120", "tea 250"]);
    assert_eq!(bench.cart.view().holds.len(), 1, "in place of the first");
    assert_eq!(ask.tiles[0].instead_of.as_deref(), Some("Tea"), "by how deep the load dipped");
    (bench, ask.hold)
}

#[test]
fn a_true_answer_after_something_went_out_is_not_weighed_by_the_difference() {
    let (mut bench, hold) = limes_for_tea_by_name();
    let line = bench.cart.view().ask.and_then(|ask| ask.tiles[0].line).expect("its line");
    bench.tap(Intent::AnswerSwap { hold, line, sku: sku("lime") });
    assert_eq!(bench.lines(), ["lime 150", "milk 120"], "half a kilogram of limes");
}

#[test]
fn nothing_went_out_adds_what_was_named() {
    let (mut bench, hold) = limes_for_tea_by_name();
    bench.tap(Intent::NothingChanged { hold });
    assert_eq!(bench.lines(), ["lime 105", "milk 120", "tea 250"], "350 g of limes");
    assert!(bench.cart.view().holds.is_empty());
}

#[test]
fn what_lay_below_what_was_seen_to_go_is_offered_too() {
    let mut bench = Bench::shopping();
    for name in ["tea", "milk", "oat"] {
        bench.see(&[(name, 0.98)]);
        bench.load(if name == "tea" { 150.0 } else { 1_043.0 });
    }
    // Limes for the milk; the cameras saw the oat drink, which lay on it, move.
    swap_in_one_go(&mut bench, 1_043.0, 300.0);
    bench.see_change(&[("lime", 0.8)]);
    bench.wait(2_500);
    let ask = bench.cart.view().ask.expect("a question");
    let instead: Vec<_> = ask.tiles.iter().filter_map(|tile| tile.instead_of.clone()).collect();
    assert!(["Milk", "Oat drink"].iter().all(|name| instead.contains(&(*name).into())), "{instead:?}");
}

#[test]
fn something_else_by_name_is_never_the_pair_that_was_offered() {
    // So many packs of milk, in lines 1 to that; then the oat drink.
    let check = |packs: u32, offered: &[u32]| {
        let mut bench = Bench::shopping();
        for name in (0..packs).map(|_| "milk").chain(["oat"]) {
            bench.see(&[(name, 0.98)]);
            bench.load(1_043.0);
        }
        let hold = HoldId(1);
        let asked = trip::basket::Hold {
            hold,
            weight: Grams(-743),
            reason: HoldReason::Swapped,
            candidates: vec![sku("lime"); offered.len()],
            lines: offered.iter().map(|line| LineId(*line)).collect(),
            ..Default::default()
        };
        let journal = [bench.journal.clone(), vec![TripEvent::ItemHeld { hold: asked }]].concat();
        let mut bench = Bench::from(journal, 1_043.0 * (packs + 1) as f32 - 743.0);
        bench.tap(Intent::AskAbout { hold });
        bench.tap(Intent::SomethingElse { hold });
        bench.tap(Intent::Choose { sku: sku("lime") });
        bench
    };
    assert_eq!(check(1, &[2]).lines(), ["lime 90", "oat 185"], "the milk went, which was not offered");
    let bench = check(1, &[1, 2]);
    assert_eq!((bench.lines().len(), bench.cart.view().help_called), (2, true), "a person looks");
    let bench = check(5, &[6, 5, 4, 3]);
    let lines: Vec<_> =
        bench.cart.view().ask.map(|ask| ask.tiles.iter().filter_map(|t| t.line).collect()).unwrap_or_default();
    assert_eq!(lines, [LineId(2), LineId(1)], "the others, and there were more than are offered at once");
}

#[test]
fn what_only_weighs_like_an_open_removal_is_not_that_thing_back_again() {
    let check = |seen: &str| {
        let mut bench = Bench::shopping();
        for name in ["oat", "milk"] {
            bench.see(&[(name, 0.98)]);
            bench.load(1_043.0);
        }
        bench.load(-1_043.0);
        assert_eq!(bench.cart.view().ask.map(|ask| ask.reason), Some(HoldReason::WhichRemoved));
        bench.see(&[(seen, 0.985)]);
        bench.load(1_042.0);
        bench.cart.view().holds.len()
    };
    assert_eq!(check("milk"), 0, "it was put back");
    assert!(check("lime") > 0, "limes came, and what went is still asked");
}

#[test]
fn two_hands_at_once_leave_the_scale_calm_and_are_seen() {
    let mut bench = shopping();
    bench.wait(1_000);
    bench.see_change(&[("oat", 0.96)]);
    bench.wait(3_000);
    assert_eq!(bench.cart.view().ask.map(|a| a.reason), Some(HoldReason::Swapped));
}

#[test]
fn a_swap_at_the_lane_opens_the_basket_again() {
    let mut bench = shopping();
    bench.at_the_lane();
    swap_in_one_go(&mut bench, 1_045.0, 1_044.0);
    bench.see_change(&[("oat", 0.9)]);
    bench.wait(2_500);
    assert_eq!(bench.cart.state().phase, Phase::Shopping);
    assert_eq!(bench.cart.view().pay_blocked, Some(PayBlocked::Unresolved));
}

#[test]
fn a_swap_undone_by_hand_is_settled_by_that() {
    let mut bench = shopping();
    swap_in_one_go(&mut bench, 1_045.0, 1_041.0);
    bench.see_change(&[("oat", 0.7), ("lime", 0.1)]);
    bench.wait(2_500);
    bench.load(-1_041.0);
    bench.see(&[("milk", 0.98)]);
    bench.load(1_045.0);
    assert_eq!(bench.lines(), ["milk 120", "tea 250"]);
    assert!(bench.cart.view().holds.is_empty(), "{:?}", bench.cart.view().holds);
}

#[test]
fn what_needs_its_code_is_never_swapped_in_by_sight() {
    let mut bench = shopping();
    bench.see(&[("oat", 0.98)]);
    bench.load(1_041.0);
    let before = bench.lines();
    swap_in_one_go(&mut bench, 1_045.0, 1_250.0);
    bench.see_change(&[("wine", 0.99)]);
    bench.wait(2_500);
    assert_eq!(bench.lines(), before);
    let ask = bench.cart.view().ask.expect("a question");
    let line = ask.tiles[0].line.expect("its line");
    bench.tap(Intent::AnswerSwap { hold: ask.hold, line, sku: sku("wine") });
    assert_eq!(bench.lines(), before, "nor by a tap");
}

/// A hand that reaches in is asked about hardly ever: no look, the same thing put back, another of the
/// basket's things moved, a poor look, a hand that presses.
#[test]
fn a_hand_that_only_reaches_in_is_no_question() {
    type Looks = &'static [(&'static str, f32)];
    let looks: [Looks; 6] = [
        &[],
        &[("milk", 0.9), ("oat", 0.05)],
        &[("milk", 0.5), ("oat", 0.35)],
        &[("tea", 0.95)],
        &[("lime", 0.2), ("oat", 0.15), ("milk", 0.1)],
        &[("wine", 0.3), ("milk", 0.3)],
    ];
    for named in looks {
        for lifted in [0.0, 1_045.0, -300.0] {
            let mut bench = shopping();
            swap_in_one_go(&mut bench, lifted, lifted);
            if !named.is_empty() {
                bench.see_change(named);
            }
            bench.wait(4_000);
            let asked = bench.cart.view().ask;
            assert!(asked.is_none(), "{lifted} g lifted, seen {named:?}: {asked:?}");
            assert_eq!(bench.lines(), ["milk 120", "tea 250"]);
        }
    }
}
