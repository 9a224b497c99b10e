//! Baskets that staff take to a till.

use jiff::tz::TimeZone;

use super::*;
use crate::hub::{TillAnswer, TillAsk, TillSheet, TillStage};
use crate::web::board::{CartCard, CartStatus};

fn trip_id() -> TripId {
    TripId::new("cart-1.7.1").expect("valid")
}

/// A cart with two oat drinks whose hub has heard all of it, and that is off the line.
fn dead_cart() -> (Bench, FakeCart) {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    cart.unlock();
    bench.tell(cart.all());
    (bench, cart)
}

fn take(bench: &mut Bench, sure: bool) {
    let cart = CartId::new("cart-1").expect("valid");
    bench.tell(Input::Staff(StaffAction::TakeBasket { cart, trip: trip_id(), sure }));
}

fn is_taken(bench: &Bench) -> bool {
    bench.hub.storage.transfer(&trip_id()).expect("read").is_some()
}

fn ask(bench: &mut Bench, ask: TillAsk) -> TillAnswer {
    let (answer, effects) = bench.hub.till(ask, &TimeZone::UTC, bench.now).expect("answered");
    bench.effects = effects;
    answer
}

fn sheet(bench: &mut Bench, about: TillAsk) -> TillSheet {
    match ask(bench, about) {
        TillAnswer::Sheet(sheet) => *sheet,
        TillAnswer::Nothing(why) => panic!("no basket: {why}"),
    }
}

/// Why the basket cannot be taken now.
fn hindrance(bench: &mut Bench) -> Option<String> {
    match sheet(bench, TillAsk::Look(CartId::new("cart-1").expect("valid"))).stage {
        TillStage::Refused(why) => Some(why),
        _ => None,
    }
}

fn card(bench: &Bench) -> CartCard {
    let board = bench.hub.board(&TimeZone::UTC);
    board.carts.into_iter().find(|card| card.cart.as_str() == "cart-1").expect("shown")
}

fn put_in(cart: &mut FakeCart, line: u32) {
    let (sku, evidence) = (Sku::new("oat").expect("valid"), Evidence::Scanned);
    cart.write(TripEvent::ItemAdded {
        item: LineItem { line: LineId(line), sku, quantity: Quantity::Each(1), weight: None, evidence },
    });
}

fn looked_at(bench: &mut Bench) {
    for taken in card(bench).taken {
        bench.tell(Input::Staff(StaffAction::LookedAt { trip: taken.trip, told: taken.told }));
    }
}

#[test]
fn a_basket_at_a_till_is_paid_at_no_lane_whatever_its_cart_does() {
    let (mut bench, mut cart) = dead_cart();
    take(&mut bench, false);
    assert_eq!(bench.orders(), [Order::Transfer]);
    for restarted in [false, true] {
        if restarted {
            bench = bench.restart();
        }
        cart.lock();
        bench.tell(cart.all());
        let refused =
            |order: &Order| matches!(order, Order::RefuseLock { why, .. } if why.contains("taken to the till"));
        assert!(bench.orders().iter().any(refused), "{:?}", bench.orders());
        bench.later(5_000);
        assert_eq!((bench.asks(), bench.state()), (vec![], None), "no attempt, also not later");
        cart.unlock();
        bench.tell(cart.all());
    }
    assert_eq!(bench.hub.storage.intents(&trip_id()).expect("read"), []);
    assert_eq!(bench.hub.storage.trip(&trip_id()).expect("read").and_then(|row| row.ending), Some(Ending::Transferred));
}

#[test]
fn a_lock_that_was_there_before_is_refused_in_the_same_breath() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.all());
    bench.answer(Ask::Pay, Answer::Declined { why: "Refusal".into() });
    // The cart dies before it has told that it knows of the refusal; with that word the next attempt would begin.
    take(&mut bench, false);
    assert!(is_taken(&bench));
    let intent = bench.hub.storage.intents(&trip_id()).expect("read")[0].id.clone();
    cart.write(TripEvent::PaymentDeclined { intent });
    bench.tell(cart.all());
    assert_eq!((bench.asks(), bench.state()), (vec![], None));
    assert!(bench.orders().iter().any(|order| matches!(order, Order::RefuseLock { version: 1, .. })));
}

#[test]
fn an_attempt_to_pay_comes_to_its_end_before_a_basket_is_taken() {
    let under_way = || {
        let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
        cart.shop_and_lock();
        bench.tell(cart.all());
        take(&mut bench, true);
        assert!(!is_taken(&bench));
        assert!(hindrance(&mut bench).is_some_and(|why| why.contains("a payment of £3.70 is under way at lane-1")));
        (bench, cart)
    };
    let (mut bench, _) = under_way();
    bench.answer(Ask::Pay, silence());
    take(&mut bench, true);
    assert!(!is_taken(&bench), "what became of the money is not known");
    bench.answer(Ask::Status, Answer::Declined { why: "timed out".into() });
    take(&mut bench, true);
    assert!(is_taken(&bench));

    let (mut bench, mut cart) = under_way();
    bench.answer(Ask::Pay, approved());
    for _ in 0..2 {
        take(&mut bench, true);
        assert!(!is_taken(&bench));
        assert!(hindrance(&mut bench).is_some_and(|why| why.contains("£3.70 are paid already, at lane-1")));
        bench = bench.restart();
    }
    // The basket is unlocked after all: the money goes back first.
    cart.unlock();
    bench.tell(cart.all());
    assert!(hindrance(&mut bench).is_some_and(|why| why.contains("being given back")));
    bench.answer(Ask::Reverse, Answer::Reversed);
    take(&mut bench, true);
    assert!(is_taken(&bench));
}

#[test]
fn a_cart_that_is_well_is_asked_about_twice_and_an_idle_one_has_nothing_to_take() {
    let (mut bench, cart) = dead_cart();
    present(&mut bench, &cart);
    assert_eq!(card(&bench).status, CartStatus::Shopping);
    take(&mut bench, false);
    assert!(!is_taken(&bench));
    let stage = sheet(&mut bench, TillAsk::Look(cart.id.clone())).stage;
    assert_eq!(stage, TillStage::Free, "the page asks, and says how the cart is");
    take(&mut bench, true);
    assert!(is_taken(&bench));
    take(&mut bench, true);
    assert_eq!(bench.orders(), [], "ten taps are one");

    let idle = CartId::new("cart-2").expect("valid");
    let answer = ask(&mut bench, TillAsk::Look(idle.clone()));
    assert!(matches!(answer, TillAnswer::Nothing(why) if why.contains("no basket to take")));
    bench.tell(Input::Staff(StaffAction::TakeBasket { cart: idle, trip: trip_id(), sure: true }));
    assert_eq!(bench.orders(), [], "nor is another cart's basket taken by its name");
}

#[test]
fn the_list_for_the_till_is_what_the_last_ack_had() {
    let (mut bench, mut cart) = dead_cart();
    let hold = trip::Hold { hold: trip::HoldId(1), weight: trip::Grams(415), ..trip::Hold::default() };
    cart.write(TripEvent::ItemHeld { hold });
    cart.write(TripEvent::AgeCheckAsked { line: LineId(1) });
    bench.now = UnixMillis(61_000);
    bench.tell(cart.all());
    // This is on the cart only.
    put_in(&mut cart, 2);
    bench.now = UnixMillis(121_000);
    let shown = sheet(&mut bench, TillAsk::Take { cart: cart.id.clone(), trip: trip_id(), sure: false });
    let TillStage::Taken { at, late, over } = &shown.stage else { panic!("{:?}", shown.stage) };
    assert_eq!((at.as_str(), late.len(), over), ("1970-01-01 00:02:01", 0, &false));
    assert_eq!((shown.heard.as_str(), shown.total.as_str()), ("1970-01-01 00:01:01", "£3.70"));
    let lines: Vec<_> = shown.lines.iter().map(|line| (line.name.as_str(), line.how_much.as_str())).collect();
    assert_eq!(lines, [("Oat drink", "2 ×")]);
    assert_eq!(shown.look, ["not on the list: not known, 415 g", "Oat drink: the buyer's age"]);
    assert_eq!(card(&bench).status, CartStatus::AtTill);
    let mut bench = bench.restart();
    assert_eq!(sheet(&mut bench, TillAsk::Taken(trip_id())), shown, "also after a restart");
    assert_eq!(bench.hub.health().trips, 0);
}

#[test]
fn what_a_cart_tells_afterwards_is_taken_in_and_staff_are_told_until_they_have_looked() {
    let (mut bench, mut cart) = dead_cart();
    take(&mut bench, false);
    put_in(&mut cart, 2);
    cart.write(TripEvent::ItemRemoved { line: LineId(1), pieces: 1, weight: None });
    bench.tell(cart.all());
    assert_eq!(bench.acked(), [cart.head.seq], "they are the truth of what happened");
    let row = bench.hub.storage.cart(&cart.id, 7).expect("read").expect("there");
    assert_eq!(row.state, cart.state);
    let late = |bench: &Bench| card(bench).taken.first().map(|taken| taken.late.clone()).unwrap_or_default();
    let expected = ["− Oat drink, 1 ×, £1.85", "+ Oat drink, 1 ×, £1.85"];
    assert_eq!((late(&bench), card(&bench).status), (expected.map(String::from).to_vec(), CartStatus::ToldMore));

    // Staff look while one more comes: that one is not tapped away.
    let told = card(&bench).taken[0].told;
    put_in(&mut cart, 3);
    bench.tell(cart.all());
    bench.tell(Input::Staff(StaffAction::LookedAt { trip: trip_id(), told }));
    assert_eq!(late(&bench).len(), 3);
    let mut bench = bench.restart();
    assert_eq!(late(&bench).len(), 3, "also after a restart");
    looked_at(&mut bench);
    assert_eq!((late(&bench).len(), card(&bench).status), (0, CartStatus::AtTill));

    present(&mut bench, &cart);
    assert!(bench.orders().contains(&Order::Transfer), "it is told as soon as it is there");
    cart.write(TripEvent::TripClosed { ending: Ending::Transferred });
    bench.tell(cart.all());
    bench.later(6_000);
    assert_eq!((bench.orders(), card(&bench).taken.len()), (vec![], 0), "all is told and looked at");
    assert_eq!(bench.hub.transfers.len(), 0, "nothing is left in memory");
    let ended = bench.hub.storage.trip(&trip_id()).expect("read").expect("there");
    assert_eq!((ended.ending, ended.state.basket.lines.len()), (Some(Ending::Transferred), 3));
    let stage = sheet(&mut bench, TillAsk::Taken(trip_id())).stage;
    assert!(matches!(stage, TillStage::Taken { late, over: true, .. } if late.len() == 3), "the list stays");
}

#[test]
fn what_came_late_is_told_though_the_cart_serves_the_next_already() {
    let (mut bench, mut cart) = dead_cart();
    take(&mut bench, false);
    put_in(&mut cart, 2);
    cart.write(TripEvent::TripClosed { ending: Ending::Transferred });
    cart.write(TripEvent::TripStarted {
        trip: TripId::new("cart-1.7.2").expect("valid"),
        catalogue: Hash::of(GOODS.as_bytes()),
        baseline: trip::Grams(0),
    });
    put_in(&mut cart, 1);
    bench.tell(cart.all());
    let shown = card(&bench);
    assert_eq!((shown.taken[0].late.len(), shown.basket.is_some()), (1, true), "the next basket is another matter");
    cart.lock();
    bench.tell(cart.all());
    assert_eq!(bench.asks(), [Ask::Pay], "and is paid as ever");
    looked_at(&mut bench);
    assert_eq!(card(&bench).taken, []);
}

#[test]
fn a_damaged_journal_that_tells_the_trip_once_more_brings_it_back_to_no_lane() {
    let (mut bench, mut cart) = dead_cart();
    take(&mut bench, false);
    cart.write(TripEvent::TripClosed { ending: Ending::Transferred });
    bench.tell(cart.all());
    assert_eq!(bench.hub.transfers.len(), 0);
    let mut bench = bench.restart();
    bench.tell(Input::Bus(BusEvent::Up));
    // The end of the journal was lost, and with it that the trip is over.
    let mut again = FakeCart { epoch: 8, ..FakeCart::new("cart-1") };
    again.write(TripEvent::JournalReplaced { epoch: 7, kept: 3 });
    again.shop_and_lock();
    bench.tell(again.all());
    assert_eq!((bench.asks(), bench.state()), (vec![], None));
    assert!(bench.orders().contains(&Order::Transfer), "it is told once more");
    let ending = bench.hub.storage.trip(&trip_id()).expect("read").and_then(|row| row.ending);
    assert_eq!((ending, card(&bench).taken.len()), (Some(Ending::Transferred), 1));
}

#[test]
fn a_phone_that_follows_the_trip_is_sent_to_the_till() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.write(TripEvent::TripStarted {
        trip: trip_id(),
        catalogue: Hash::of(GOODS.as_bytes()),
        baseline: trip::Grams(0),
    });
    cart.write(TripEvent::ShopperPaired { member: None, phone: Some(Hash::of(b"secret")) });
    bench.tell(cart.all());
    let stage = |bench: &mut Bench| {
        let pass = Pass { trip: trip_id(), secret: "secret".into() };
        match bench.hub.phone(PhoneAsk::Look(pass), bench.now).expect("answered").0 {
            PhoneAnswer::Trip(trip) => trip.stage,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(stage(&mut bench), Stage::Shopping);
    take(&mut bench, false);
    assert_eq!(stage(&mut bench), Stage::AtTill, "also before the cart has heard");
    cart.write(TripEvent::TripClosed { ending: Ending::Transferred });
    bench.tell(cart.all());
    assert_eq!(stage(&mut bench), Stage::AtTill);
}

#[test]
fn nobody_waits_for_help_at_a_cart_whose_basket_is_at_the_till() {
    let mut bench = Bench::new();
    let one = calling(&mut bench, "cart-1");
    bench.now.0 += 1_000;
    calling(&mut bench, "cart-2");
    assert_eq!(queue(&bench.orders()), [(1, None)]);
    bench.tell(Input::Staff(StaffAction::TakeBasket { cart: one.id.clone(), trip: trip_id(), sure: false }));
    assert_eq!(queue(&bench.orders()), [(0, None)]);
}
