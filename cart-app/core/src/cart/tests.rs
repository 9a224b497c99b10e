//! The cart as a shopper meets it: whole little trips through inputs and views.

use std::time::Duration;

use cart_vision::{Candidate, Change, Direction, Opinion, Scan, Sighting, Symbology};
use hal::{CameraId, Moment, MotionReading, WeightReading};
use trip::basket::HoldReason;
use trip::event::Tender;
use trip::message::{Command, Offer, Order, VERSION};
use trip::{Grams, Gtin, IntentId, LaneId, Money, Phase, TripEvent, TripState, UnixMillis};

use super::*;
use crate::fusion::tests::{catalogue, sku};
use crate::input::Intent;
use crate::view::{PayBlocked, PayStep, Screen};

mod crossings;
mod find;
mod pairing;
mod receipt;
mod sharing;
mod states;
mod swaps;
mod transfer;
mod whole;
mod wishes;

/// A cart on a quiet bench: the load is set by hand, samples come at 80 Hz.
struct Bench {
    cart: Cart,
    now: Moment,
    load_g: f32,
    track: u32,
    journal: Vec<TripEvent>,
    signals: Vec<Signal>,
    /// What phones were offered last.
    offer: Option<Offer>,
    /// The list as it was kept last.
    kept: Vec<Noted>,
}

impl Bench {
    fn new() -> Self {
        Self::from(Vec::new(), 0.0)
    }

    /// Starts with a journal, as after a restart.
    fn from(journal: Vec<TripEvent>, load_g: f32) -> Self {
        Self::in_store(catalogue(), journal, load_g)
    }

    /// The same in another store.
    fn in_store(catalogue: Catalogue, journal: Vec<TripEvent>, load_g: f32) -> Self {
        let setup = Setup {
            trip_base: "cart-01.1".into(),
            trips: 0,
            thresholds: Thresholds::default(),
            scale: ScaleTuning::default(),
            battery_reserve: 15,
            receipt_qr: None,
            own: OwnLimits::default(),
            tares: Tare::usual(),
            pairing_seed: Hash::of(b"a boot"),
            list: Vec::new(),
        };
        let cart = Cart::new(setup, catalogue, TripState::replay(&journal));
        let mut bench = Self {
            cart,
            now: Moment::from_millis(20_000),
            load_g,
            track: 0,
            journal,
            signals: Vec::new(),
            offer: None,
            kept: Vec::new(),
        };
        bench.input(Input::Link { connected: true });
        bench.wait(1_000);
        bench
    }

    fn shopping() -> Self {
        let mut bench = Self::new();
        bench.tap(Intent::Start);
        bench
    }

    fn input(&mut self, input: Input) {
        self.cart.handle_input(input, self.now);
        self.drain();
    }

    /// What is shown after each input is the replay of what was recorded.
    fn drain(&mut self) {
        while let Some(effect) = self.cart.poll_effect() {
            match effect {
                Effect::Journal(events) => self.journal.extend(events),
                Effect::Tone(signal) => self.signals.push(signal),
                Effect::Offer(offer) => self.offer = offer,
                Effect::KeepList(list) => self.kept = list,
                _ => {}
            }
        }
        assert_eq!(TripState::replay(&self.journal), *self.cart.state(), "shown, but not recorded");
    }

    fn wait(&mut self, ms: u64) {
        for n in 0..ms * 80 / 1_000 {
            self.now = self.now + Duration::from_micros(12_500);
            let gross_g = self.load_g + if n % 2 == 0 { 0.6 } else { -0.6 };
            self.input(Input::Weight(WeightReading { at: self.now, gross_g }));
            if self.cart.poll_timeout().is_some_and(|due| due <= self.now) {
                self.cart.handle_timeout(self.now);
                self.drain();
            }
        }
    }

    fn load(&mut self, grams: f32) {
        self.load_g += grams;
        self.wait(2_200);
    }

    fn see(&mut self, named: &[(&str, f32)]) {
        self.track += 1;
        let candidates = named.iter().map(|(name, p)| Candidate { sku: sku(name), probability: *p }).collect();
        let sighting = Sighting {
            at: self.now,
            camera: CameraId(0),
            track: self.track,
            bbox_in_frame: Default::default(),
            hands: 1,
            candidates,
            unknown: 0.01,
            change: None,
            thumbnail: None,
        };
        self.input(Input::Sighting(sighting));
    }

    /// Something lies there now that the cameras did not see come in by itself.
    fn see_change(&mut self, named: &[(&str, f32)]) {
        self.see_change_by(1, named);
    }

    fn see_change_by(&mut self, hands: u32, named: &[(&str, f32)]) {
        self.track += 1;
        let candidates: Vec<_> = named.iter().map(|(name, p)| Candidate { sku: sku(name), probability: *p }).collect();
        let unknown = (1.0 - named.iter().map(|(_, p)| p).sum::<f32>()) / 3.0;
        let now = Some(Opinion { candidates: candidates.clone(), unknown });
        let sighting = Sighting {
            at: self.now,
            camera: CameraId(0),
            track: self.track,
            bbox_in_frame: Default::default(),
            hands,
            candidates,
            unknown,
            change: Some(Change { direction: Direction::Unclear, now, before: None, apart: Vec::new() }),
            thumbnail: None,
        };
        self.input(Input::Sighting(sighting));
    }

    /// A hand at work: nothing settles.
    fn stir(&mut self, ms: u64) {
        let calm = self.load_g;
        for n in 0..ms * 80 / 1_000 {
            self.load_g = calm + if n % 4 < 2 { 14.0 } else { -14.0 };
            self.wait(13);
        }
        self.load_g = calm;
    }

    fn scan(&mut self) {
        self.scan_code("96385074");
    }

    fn scan_code(&mut self, code: &str) {
        let gtin = Gtin::parse(code).expect("valid");
        let item = trip::gs1::Item { gtin, net_weight: None, price: None, batch: None, expiry: None, serial: None };
        let content = Scanned::Item(item);
        self.input(Input::Scan(Scan {
            at: self.now,
            camera: CameraId(0),
            symbology: Symbology::Ean8,
            content,
            frames: 3,
        }));
    }

    fn tap(&mut self, intent: Intent) {
        self.input(Input::Intent(intent));
    }

    fn order(&mut self, order: Order) {
        let trip = self.cart.state().trip.clone().expect("a trip");
        let command = Command { v: VERSION, id: "c".into(), expires_at: UnixMillis(i64::MAX), trip, lock: None, order };
        self.input(Input::Command(command));
    }

    fn lines(&self) -> Vec<String> {
        self.cart.view().lines.iter().map(|l| format!("{} {}", l.sku, l.price.minor)).collect()
    }

    fn at_the_lane(&mut self) {
        self.input(Input::Lane(Some(LaneId::new("lane-1").expect("valid"))));
        self.tap(Intent::GoToLane);
    }
}

fn intent() -> IntentId {
    IntentId::new("i-1").expect("valid")
}

fn paid(minor: i64) -> Order {
    let tender = Tender { kind: "visa".into(), reference: "r".into() };
    Order::Paid { intent: intent(), amount: Money::new(minor, trip::Currency::GBP), tender }
}

#[test]
fn a_seen_and_weighed_thing_is_a_line_at_once() {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.9)]);
    bench.load(150.0);
    assert_eq!(bench.lines(), ["tea 250"]);
    assert_eq!(bench.cart.view().total.minor, 250);
    assert_eq!(bench.signals.last(), Some(&Signal::Added));
}

#[test]
fn an_unsure_thing_is_asked_and_one_tap_settles_it() {
    let mut bench = Bench::shopping();
    bench.see(&[("milk", 0.5), ("oat", 0.45)]);
    bench.load(1_042.0);
    let ask = bench.cart.view().ask.expect("a question");
    assert_eq!((ask.reason, bench.cart.view().total.minor), (HoldReason::Unsure, 0), "not charged while unsure");
    bench.tap(Intent::Answer { hold: ask.hold, sku: sku("milk") });
    bench.tap(Intent::Answer { hold: ask.hold, sku: sku("milk") });
    assert_eq!(bench.lines(), ["milk 120"], "two taps are one");
    assert!(bench.cart.view().ask.is_none());
}

#[test]
fn an_unknown_thing_is_held_and_gone_when_it_is_taken_out() {
    let mut bench = Bench::shopping();
    bench.load(415.0);
    assert_eq!(bench.cart.view().holds.len(), 1);
    assert_eq!(bench.cart.view().pay_blocked, Some(PayBlocked::Unresolved));
    bench.load(-415.0);
    assert!(bench.cart.view().holds.is_empty());
}

#[test]
fn a_lean_that_comes_back_is_nothing() {
    let mut bench = Bench::shopping();
    bench.load_g += 900.0;
    bench.wait(600);
    bench.load_g -= 900.0;
    bench.wait(2_000);
    assert!(bench.cart.view().holds.is_empty() && bench.lines().is_empty(), "{:?}", bench.journal);
}

#[test]
fn a_removal_takes_the_line_and_says_so() {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.95)]);
    bench.load(150.0);
    bench.load(-151.0);
    assert!(bench.lines().is_empty());
    let chip = bench.cart.view().taken_out.expect("told");
    assert_eq!((chip.name.as_str(), chip.price.minor), ("Tea", 250));
}

#[test]
fn a_code_needs_its_weight_and_is_asked_about_without_it() {
    let mut bench = Bench::shopping();
    bench.scan();
    bench.wait(1_000);
    assert!(bench.lines().is_empty());
    bench.wait(13_000);
    assert_eq!(bench.cart.view().ask.map(|a| a.reason), Some(HoldReason::NeverPutIn));
    bench.load(1_041.0);
    assert_eq!(bench.lines(), ["oat 185"], "put in late, it is added and the question is gone");
    assert!(bench.cart.view().ask.is_none());
}

#[test]
fn a_box_still_in_view_is_not_scanned_twice() {
    let mut bench = Bench::shopping();
    bench.scan();
    bench.load_g += 1_041.0;
    bench.wait(800);
    assert_eq!(bench.lines(), ["oat 185"]);
    bench.scan();
    bench.wait(14_000);
    assert!(bench.cart.view().holds.is_empty(), "{:?}", bench.cart.view().holds);
}

#[test]
fn an_age_restricted_product_waits_for_staff() {
    let mut bench = Bench::shopping();
    bench.load(1_250.0);
    let hold = bench.cart.view().ask.expect("held").hold;
    bench.tap(Intent::Answer { hold, sku: sku("wine") });
    assert!(bench.lines().is_empty(), "a product that needs its code is not added by a tap");
}

#[test]
fn one_tap_pays_and_a_second_word_of_it_changes_nothing() {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.9)]);
    bench.load(150.0);
    bench.at_the_lane();
    assert_eq!(bench.cart.state().phase, Phase::Locked);
    bench.order(Order::AwaitTap { intent: intent() });
    assert!(matches!(bench.cart.view().screen, Screen::Pay(ref pay) if pay.step == PayStep::Tap));
    bench.order(paid(250));
    bench.order(paid(250));
    let approved = bench.journal.iter().filter(|e| matches!(e, TripEvent::PaymentApproved { .. })).count();
    assert_eq!((approved, bench.cart.state().phase), (1, Phase::Paid));
}

#[test]
fn a_payment_of_another_amount_is_not_taken() {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.9)]);
    bench.load(150.0);
    bench.at_the_lane();
    bench.order(Order::AwaitTap { intent: intent() });
    bench.order(paid(999));
    assert_eq!(bench.cart.state().phase, Phase::Paying);
}

#[test]
fn a_thing_put_in_at_the_lane_unlocks_the_basket() {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.9)]);
    bench.load(150.0);
    bench.at_the_lane();
    bench.order(Order::AwaitTap { intent: intent() });
    bench.see(&[("tea", 0.9)]);
    bench.load(150.0);
    assert_eq!((bench.cart.state().phase, bench.cart.view().total.minor), (Phase::Shopping, 500));
    bench.order(paid(250));
    assert_eq!(bench.cart.state().phase, Phase::Shopping, "a payment for the old basket is not taken");
}

#[test]
fn a_declined_payment_keeps_the_basket_and_may_be_tried_again() {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.9)]);
    bench.load(150.0);
    bench.at_the_lane();
    bench.order(Order::AwaitTap { intent: intent() });
    bench.order(Order::Declined { intent: intent(), why: "refused".into() });
    assert!(matches!(bench.cart.view().screen, Screen::Pay(ref pay) if pay.step == PayStep::Declined));
    bench.tap(Intent::GoToLane);
    assert_eq!(bench.cart.state().lock.as_ref().map(|l| l.version), Some(2));
}

#[test]
fn after_a_restart_the_basket_is_back_and_recounted() {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.9)]);
    bench.load(150.0);
    let again = Bench::from(bench.journal.clone(), 150.0);
    assert_eq!(again.lines(), ["tea 250"]);
    assert!(again.cart.view().holds.is_empty());
    let mut more = Bench::from(bench.journal.clone(), 565.0);
    more.wait(2_000);
    assert_eq!(
        more.cart.view().holds.iter().map(|h| h.weight).collect::<Vec<_>>(),
        [Grams(415)],
        "what came in meanwhile is asked about"
    );
}

#[test]
fn without_a_scale_a_code_and_a_tap_add_and_the_scale_may_come_back() {
    let mut bench = Bench::shopping();
    bench.input(Input::Device { device: Device::Scale, fault: Some("no answer".into()) });
    bench.scan();
    bench.scan();
    assert!(bench.lines().is_empty(), "a code alone is not a thing in the cart");
    let ask = bench.cart.view().ask.expect("a question");
    bench.tap(Intent::Answer { hold: ask.hold, sku: sku("oat") });
    assert_eq!(bench.lines(), ["oat 185"]);
    bench.load_g += 1_041.0;
    bench.input(Input::Device { device: Device::Scale, fault: None });
    bench.wait(3_000);
    assert_eq!(bench.lines(), ["oat 185"]);
    assert!(bench.cart.view().holds.is_empty(), "what was added without the scale is no surprise to it");
}

#[test]
fn a_late_touch_undoes_no_payment() {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.9)]);
    bench.load(150.0);
    bench.at_the_lane();
    bench.order(Order::AwaitTap { intent: intent() });
    bench.order(paid(250));
    bench.tap(Intent::BackToShopping);
    assert_eq!(bench.cart.state().phase, Phase::Paid);
    assert!(!bench.journal.iter().any(|event| matches!(event, TripEvent::BasketUnlocked { .. })));
}

#[test]
fn a_refusal_whose_call_for_a_tap_was_lost_is_still_told() {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.9)]);
    bench.load(150.0);
    bench.at_the_lane();
    for _ in 0..2 {
        bench.order(Order::Declined { intent: intent(), why: "refused".into() });
    }
    assert_eq!(bench.cart.state().declines, 1);
}

#[test]
fn a_payment_for_another_lock_is_not_taken() {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.9)]);
    bench.load(150.0);
    bench.at_the_lane();
    bench.tap(Intent::BackToShopping);
    bench.tap(Intent::GoToLane);
    let trip = bench.cart.state().trip.clone().expect("a trip");
    let command =
        Command { v: VERSION, id: "c".into(), expires_at: UnixMillis(0), trip, lock: Some(1), order: paid(250) };
    bench.input(Input::Command(command));
    assert_eq!(bench.cart.state().phase, Phase::Locked, "lock 2 stands; the payment was for lock 1");
}

#[test]
fn of_two_things_that_weigh_the_same_both_are_asked_about() {
    let mut bench = Bench::shopping();
    bench.see(&[("milk", 0.5), ("oat", 0.45)]);
    bench.see(&[("oat", 0.5), ("milk", 0.45)]);
    bench.load(2_085.0);
    let ask = bench.cart.view().ask.expect("a question");
    assert_eq!(ask.reason, HoldReason::Several);
    bench.tap(Intent::Answer { hold: ask.hold, sku: sku("milk") });
    let next = bench.cart.view().ask.expect("the other thing");
    bench.tap(Intent::Answer { hold: next.hold, sku: sku("oat") });
    assert_eq!(bench.lines(), ["oat 185", "milk 120"]);
}

#[test]
fn an_answer_heavier_than_what_was_lifted_is_not_taken() {
    let mut bench = Bench::shopping();
    for (name, grams) in [("tea", 150.0), ("milk", 1_045.0)] {
        bench.see(&[(name, 0.97)]);
        bench.load(grams);
    }
    bench.load(-600.0);
    let ask = bench.cart.view().ask.expect("which was taken out?");
    let milk = ask.tiles.iter().find(|t| t.sku == sku("milk")).and_then(|t| t.line).expect("a tile");
    bench.tap(Intent::AnswerLine { hold: ask.hold, line: milk });
    assert_eq!(bench.cart.view().total.minor, 370, "nothing leaves the bill that cannot have left the cart");
    assert!(bench.cart.view().help_called);
}

#[test]
fn a_heavier_answer_is_taken_where_something_was_seen_to_come_and_the_rest_is_asked_about() {
    let mut bench = Bench::shopping();
    for (name, grams) in [("tea", 150.0), ("milk", 1_045.0)] {
        bench.see(&[(name, 0.97)]);
        bench.load(grams);
    }
    bench.see_change(&[("lime", 0.3)]);
    bench.load(-600.0);
    let ask = bench.cart.view().ask.expect("which was taken out?");
    assert_eq!(ask.reason, HoldReason::WhichRemoved);
    let milk = ask.tiles.iter().find(|t| t.sku == sku("milk")).and_then(|t| t.line).expect("a tile");
    bench.tap(Intent::AnswerLine { hold: ask.hold, line: milk });
    let ask = bench.cart.view().ask.expect("what came in");
    assert_eq!((ask.weight, ask.tiles[0].sku.clone()), (Grams(445), sku("lime")));
    assert_eq!(bench.lines(), ["tea 250"], "and is not charged before it is known");
}

#[test]
fn what_was_to_be_taken_out_is_believed_to_have_gone_before_a_line_that_weighs_the_same() {
    let mut bench = Bench::shopping();
    bench.see(&[("milk", 0.97)]);
    bench.load(1_045.0);
    bench.see(&[("tea", 0.4), ("lime", 0.3)]);
    bench.load(1_046.0);
    let ask = bench.cart.view().ask.expect("what is it?");
    bench.tap(Intent::TakeOut { hold: ask.hold });
    bench.load(-1_046.0);
    assert!(bench.cart.view().ask.is_none(), "{:?}", bench.cart.view().ask);
    assert_eq!(bench.lines(), ["milk 120"]);
}

#[test]
fn what_staff_let_go_is_no_surprise_after_a_restart() {
    let mut bench = Bench::shopping();
    bench.load(415.0);
    let hold = bench.cart.view().holds[0].hold;
    bench.order(Order::ReleaseHold { hold });
    let again = Bench::from(bench.journal.clone(), 415.0);
    assert!(again.cart.view().holds.is_empty());
}

#[test]
fn a_scale_that_jumps_to_absurd_weights_stops_nothing() {
    let mut bench = Bench::shopping();
    for grams in [-1e30, 1e30, f32::NEG_INFINITY, 0.0] {
        bench.load_g = grams;
        bench.wait(1_500);
    }
    assert!(bench.cart.view().holds.is_empty());
}
