//! Who waits for a person, and what they are told.

use super::*;

#[test]
fn staff_end_a_call_for_help_once_however_often_they_tap() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    cart.unlock();
    cart.write(TripEvent::HelpCalled);
    bench.tell(cart.all());
    let tap = Input::Staff(StaffAction::HelpHasCome { cart: cart.id.clone() });
    bench.tell(tap.clone());
    assert_eq!(bench.orders(), [Order::EndHelp]);
    bench.tell(tap);
    assert_eq!(bench.orders(), []);
    let board = bench.hub.board(&jiff::tz::TimeZone::UTC);
    assert_eq!(board.carts[0].status, crate::web::board::CartStatus::Help);
}

#[test]
fn who_calls_is_told_how_many_are_before_and_that_someone_comes() {
    let mut bench = Bench::new();
    let mut one = calling(&mut bench, "cart-1");
    assert_eq!(queue(&bench.orders()), [(0, None)]);
    bench.now.0 += 1_000;
    let mut two = calling(&mut bench, "cart-2");
    assert_eq!(queue(&bench.orders()), [(1, None)]);
    bench.later(100);
    assert_eq!(queue(&bench.orders()), [], "what is known is not said again");
    let going = Input::Staff(StaffAction::OnTheWay { cart: one.id.clone() });
    bench.tell(going.clone());
    assert!(bench.orders().contains(&Order::OnTheWay));
    assert_eq!(queue(&bench.orders()), [(0, None)], "the second is next");
    let shown = |bench: &Bench| {
        let carts = bench.hub.board(&jiff::tz::TimeZone::UTC).carts;
        carts.iter().map(|card| (card.cart.to_string(), card.gone_to)).collect::<Vec<_>>()
    };
    assert_eq!(shown(&bench), [("cart-2".into(), false), ("cart-1".into(), true)]);
    one.write(TripEvent::StaffComing);
    bench.tell(one.all());
    bench.tell(going);
    assert_eq!(bench.orders(), [], "a second tap changes nothing");
    // The board says the same after a restart, by the cart's own event.
    let mut bench = bench.restart();
    assert_eq!(shown(&bench), [("cart-2".into(), false), ("cart-1".into(), true)]);
    two.write(TripEvent::HelpEnded);
    bench.tell(two.all());
    bench.tell(Input::Staff(StaffAction::OnTheWay { cart: two.id.clone() }));
    assert_eq!(bench.orders(), [], "nobody waits there any more");
}

#[test]
fn the_usual_wait_is_that_until_staff_came_not_until_a_shopper_gave_up() {
    let mut bench = Bench::new();
    let mut cart = calling(&mut bench, "cart-1");
    for (n, waited) in [(0, 40_000), (1, 60_000), (2, 80_000), (3, 100_000)] {
        bench.later(waited);
        bench.tell(Input::Staff(StaffAction::HelpHasCome { cart: cart.id.clone() }));
        cart.write(TripEvent::HelpEnded);
        bench.tell(cart.all());
        cart.write(TripEvent::HelpCalled);
        bench.tell(cart.all());
        let usual = if n < 3 { None } else { Some(80) };
        assert_eq!(queue(&bench.orders()).last().copied().unwrap_or((0, None)), (0, usual));
        // Called off at once: no wait at all.
        cart.write(TripEvent::HelpEnded);
        cart.write(TripEvent::HelpCalled);
        bench.tell(cart.all());
    }
}

#[test]
fn an_age_check_waits_in_the_same_queue() {
    let mut bench = Bench::new();
    let mut one = FakeCart::new("cart-1");
    present(&mut bench, &one);
    one.shop_and_lock();
    one.unlock();
    one.write(TripEvent::AgeCheckAsked { line: LineId(1) });
    bench.tell(one.all());
    assert_eq!(queue(&bench.orders()), [(0, None)]);
    bench.now.0 += 1_000;
    calling(&mut bench, "cart-2");
    assert_eq!(queue(&bench.orders()), [(1, None)]);
    let card = bench.hub.board(&jiff::tz::TimeZone::UTC).carts.into_iter().find(|card| card.cart == one.id);
    assert_eq!(card.map(|card| card.since_ms.is_some()), Some(true));
    one.write(TripEvent::AgeChecked { line: LineId(1), approved: true });
    bench.tell(one.all());
    assert_eq!(queue(&bench.orders()), [(0, None)]);
}
