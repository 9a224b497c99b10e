//! The basket is at a till: what the cart does once it hears of it.

use trip::event::Ending;

use super::*;

fn closed(bench: &Bench) -> usize {
    let closed = TripEvent::TripClosed { ending: Ending::Transferred };
    bench.journal.iter().filter(|event| **event == closed).count()
}

fn with_tea() -> Bench {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.9)]);
    bench.load(150.0);
    bench
}

/// The hub sends it until it sees the cart's answer.
fn told_again(bench: &mut Bench, trip: trip::TripId) {
    let order = Order::Transfer;
    let command = Command { v: VERSION, id: "c".into(), expires_at: UnixMillis(0), trip, lock: None, order };
    bench.input(Input::Command(command));
}

#[test]
fn a_basket_at_a_till_ends_the_trip_once_and_leaves_nothing_on_the_screen() {
    let mut bench = with_tea();
    bench.tap(Intent::CallHelp);
    let trip = bench.cart.state().trip.clone().expect("a trip");
    bench.order(Order::Transfer);
    told_again(&mut bench, trip.clone());
    assert_eq!(closed(&bench), 1);
    let view = bench.cart.view();
    assert_eq!((view.screen, view.total.minor, view.help_called), (Screen::Welcome, 0, false));
    assert!(view.lines.is_empty() && view.holds.is_empty() && view.joined == Default::default());
    assert_eq!(bench.cart.state().ended, Some(Ending::Transferred));
    let again = Bench::from(bench.journal.clone(), 150.0);
    assert_eq!(again.cart.view().screen, Screen::Welcome, "also after a restart");
    bench.tap(Intent::Start);
    told_again(&mut bench, trip);
    assert_eq!((closed(&bench), bench.cart.state().phase), (1, Phase::Shopping), "the next trip is not meant");
}

#[test]
fn a_basket_at_a_till_is_locked_and_paid_no_more() {
    let mut bench = with_tea();
    bench.at_the_lane();
    let trip = bench.cart.state().trip.clone().expect("a trip");
    bench.order(Order::AwaitTap { intent: intent() });
    assert_eq!(bench.cart.state().phase, Phase::Paying);
    bench.order(Order::Transfer);
    assert_eq!((closed(&bench), bench.cart.state().phase), (1, Phase::Idle));
    bench.tap(Intent::GoToLane);
    let command = Command { v: VERSION, id: "p".into(), expires_at: UnixMillis(0), trip, lock: None, order: paid(250) };
    bench.input(Input::Command(command));
    assert!(bench.cart.state().payment.is_none());
    assert_eq!(bench.cart.state().phase, Phase::Idle);
}

#[test]
fn what_is_paid_is_not_taken_to_a_till() {
    let mut bench = with_tea();
    bench.at_the_lane();
    bench.order(Order::AwaitTap { intent: intent() });
    bench.order(paid(250));
    bench.order(Order::Transfer);
    assert_eq!((closed(&bench), bench.cart.state().phase), (0, Phase::Paid));
}
