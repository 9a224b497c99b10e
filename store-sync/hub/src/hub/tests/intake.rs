//! What is taken in, what is not, and what becomes of that.

use super::*;

#[test]
fn what_comes_twice_is_stored_once_and_acked_again() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.batch(0, 2));
    assert_eq!(bench.acked(), [2]);
    bench.tell(cart.batch(0, 2));
    assert_eq!(bench.acked(), [2]);
    bench.tell(cart.all());
    assert_eq!(bench.acked(), [3]);
    let row = bench.hub.storage.cart(&cart.id, 7).expect("read").expect("there");
    assert_eq!((row.head, row.state), (cart.head, cart.state));
}

#[test]
fn a_gap_is_not_stored_and_the_ack_repeats_what_is_had() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.batch(0, 1));
    bench.tell(cart.batch(2, 3));
    assert_eq!(bench.acked(), [1]);
    assert_eq!(bench.hub.storage.record(&cart.id, 7, 3).expect("read"), None);
}

#[test]
fn a_fork_a_forgery_and_garbage_are_kept_out_without_an_ack() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.all());
    let mut fork = FakeCart::new("cart-1");
    fork.write(TripEvent::HelpCalled);
    bench.tell(fork.all());
    assert_eq!((bench.acked(), bench.hub.storage.quarantine(9).expect("read").len()), (vec![], 1));
    let forged = FakeCart { key: SigningKey::from_bytes(&[3; 32]), ..FakeCart::new("cart-1") };
    bench.tell(forged.all());
    assert_eq!((bench.acked(), bench.hub.storage.quarantine(9).expect("read").len()), (vec![], 2));
    bench.tell(message(&cart.id, Leaf::Event, b"\xfe garbage".to_vec()));
    bench.tell(Input::Bus(BusEvent::Message {
        topic: "tr1/market-street/cart/nobody/up/event".into(),
        payload: vec![],
    }));
    assert_eq!((bench.acked(), bench.hub.storage.counter("refused").expect("read")), (vec![], 4));
    assert_eq!(
        bench.hub.storage.cart(&cart.id, 7).expect("read").map(|row| row.head),
        Some(cart.head),
        "nothing is lost"
    );
}

#[test]
fn a_cart_that_begins_another_carts_trip_is_refused() {
    let mut bench = Bench::new();
    let mut honest = FakeCart::new("cart-1");
    honest.shop_and_lock();
    bench.tell(honest.all());
    let theirs = TripId::new("cart-1.7.1").expect("valid");
    let before = bench.hub.storage.trip(&theirs).expect("read");
    assert!(before.is_some());

    let mut thief = FakeCart::new("cart-2");
    thief.write(TripEvent::HelpCalled);
    thief.write(TripEvent::TripStarted {
        trip: theirs.clone(),
        catalogue: Hash::of(b"cheap"),
        baseline: trip::Grams(0),
    });
    thief.write(TripEvent::TripClosed { ending: Ending::Empty });
    bench.tell(thief.all());
    assert_eq!(bench.acked(), [1], "what came before it is taken, and no more");
    assert_eq!(bench.hub.storage.trip(&theirs).expect("read"), before, "the trip is still the first cart's");
    let kept = bench.hub.storage.quarantine(9).expect("read");
    assert!(kept.len() == 1 && kept[0].reason.contains("begins trip cart-1.7.1, which is cart cart-1's"), "{kept:?}");

    // The same cart may begin it again, as after a damaged journal.
    let mut again = FakeCart { epoch: 8, ..FakeCart::new("cart-1") };
    again.shop_and_lock();
    bench.tell(again.all());
    assert_eq!(bench.acked(), [3]);
}

#[test]
fn a_record_beyond_all_shops_is_kept_for_inspection_and_never_counted() {
    let mut bench = Bench::new();
    let mut cart = FakeCart::new("cart-1");
    cart.shop_and_lock();
    cart.unlock();
    let (sku, evidence) = (Sku::new("oat").expect("valid"), Evidence::Scanned);
    cart.write(TripEvent::ItemAdded {
        item: LineItem { line: LineId(2), sku, quantity: Quantity::Each(u32::MAX), weight: None, evidence },
    });
    bench.tell(cart.all());
    assert_eq!(bench.acked(), [4], "all before it");
    assert!(bench.hub.storage.quarantine(9).expect("read")[0].reason.contains("pieces"), "it is named");
}

#[test]
fn a_basket_that_never_ends_is_refused() {
    let mut bench = Bench::new();
    let mut cart = FakeCart::new("cart-1");
    cart.shop_and_lock();
    cart.unlock();
    let most = trip::bounds::MAX_LINES as u32;
    for line in 2..=most + 70 {
        let (sku, evidence) = (Sku::new("oat").expect("valid"), Evidence::Scanned);
        let item = LineItem { line: LineId(line), sku, quantity: Quantity::Each(1), weight: None, evidence };
        cart.write(TripEvent::ItemAdded { item });
    }
    for from in (0..cart.texts.len()).step_by(64) {
        bench.tell(cart.batch(from, cart.texts.len().min(from + 64)));
    }
    let lines = bench.hub.carts[&cart.id].state.basket.lines.len();
    assert!(lines <= most as usize && lines + 64 > most as usize, "{lines} lines are in");
    assert!(!bench.hub.storage.quarantine(9).expect("read").is_empty());
}
