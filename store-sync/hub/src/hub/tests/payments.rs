//! From a locked basket to the gate, and every way that can go wrong.

use super::*;

#[test]
fn a_trip_is_paid_once_receipted_and_let_out() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.all());
    assert_eq!(bench.asks(), [Ask::Pay]);
    let [Order::AwaitTap { intent }] = &bench.orders()[..] else { panic!("{:?}", bench.orders()) };
    let intent = intent.clone();
    cart.write(TripEvent::PaymentStarted { intent: intent.clone() });
    bench.tell(cart.all());
    assert_eq!(bench.asks(), [], "the terminal is asked once");
    assert!(!bench.gate_is_open());

    bench.answer(Ask::Pay, approved());
    assert!(bench.gate_is_open());
    let [Order::Paid { amount, tender, .. }, Order::Receipt { number, cose, digest, qr }] = &bench.orders()[..] else {
        panic!("{:?}", bench.orders())
    };
    assert_eq!((amount.minor, number.as_str()), (370, "market-street-000001"));
    let cose = base64::Engine::decode(&base64::prelude::BASE64_URL_SAFE_NO_PAD, cose).expect("base64url");
    let key = [bench.hub.office.public_key()];
    assert!(crate::receipt::check(&cose, &key).expect("a good receipt").contains("Oat drink"));
    assert!(crate::receipt::check(qr.as_bytes(), &key).is_ok());

    let (number, digest) = (number.clone(), *digest);
    bench.later(6_000);
    assert_eq!(bench.orders().len(), 0, "a cart that is not there is not called");
    let birth = serde_json::to_vec(&Presence { v: 1, online: true, boot_epoch: 5 }).expect("plain");
    bench.tell(message(&cart.id, Leaf::Presence, birth));
    assert_eq!(bench.orders().len(), 2, "after its birth it hears all again");
    cart.write(TripEvent::PaymentApproved {
        intent,
        amount: Money::new(370, trip::Currency::GBP),
        tender: tender.clone(),
    });
    cart.write(TripEvent::ReceiptStored { number, digest });
    cart.write(TripEvent::TripClosed { ending: Ending::Paid });
    bench.tell(cart.all());
    bench.later(6_000);
    assert_eq!((bench.orders().len(), bench.asks().len(), bench.state()), (0, 0, None), "all is carried out");
    assert!(bench.gate_is_open());
    bench.later(60_000);
    assert!(!bench.gate_is_open(), "it does not stand open for the next");
}

#[test]
fn a_lock_that_does_not_agree_is_refused_and_never_sent() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    cart.unlock();
    cart.write(TripEvent::BasketLocked {
        version: 2,
        lane: lane(),
        total: Money::new(1, trip::Currency::GBP),
        basket: Hash::GENESIS,
    });
    bench.tell(cart.all());
    assert!(matches!(&bench.orders()[..], [Order::RefuseLock { version: 2, .. }]), "{:?}", bench.orders());
    assert_eq!((bench.asks(), bench.state()), (vec![], None));
    bench.later(100);
    assert_eq!(bench.orders(), [], "it is refused once");
}

#[test]
fn no_answer_leads_to_status_until_it_is_definite() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.all());
    bench.answer(Ask::Pay, silence());
    assert_eq!((bench.asks(), bench.state()), (vec![Ask::Status], Some(IntentState::Unknown)));
    for answer in [silence(), Answer::InProgress, Answer::NeverSent { why: "unplugged".into() }] {
        bench.answer(Ask::Status, answer);
        assert_eq!((bench.asks(), bench.state()), (vec![Ask::Status], Some(IntentState::Unknown)));
    }
    bench.answer(Ask::Status, approved());
    assert_eq!((bench.asks(), bench.gate_is_open()), (vec![], true));
}

#[test]
fn a_hub_that_was_killed_asks_for_the_status_first_and_never_pays_again() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.all());
    let mut bench = bench.restart();
    assert_eq!((bench.asks(), bench.state()), (vec![Ask::Status], Some(IntentState::Unknown)));
    bench.tell(cart.all());
    assert_eq!(bench.asks(), []);
    bench.answer(Ask::Status, approved());
    let mut bench = bench.restart();
    assert_eq!((bench.asks(), bench.state(), bench.gate_is_open()), (vec![], Some(IntentState::Approved), true));
    bench.tell(Input::Bus(BusEvent::Up));
    assert_eq!(bench.orders().len(), 2, "the cart still hears that it is paid");
    bench.tell(cart.all());
    assert_eq!(bench.asks(), []);
}

#[test]
fn money_for_a_basket_that_was_unlocked_is_given_back() {
    let check = |unlock_first: bool| {
        let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
        cart.shop_and_lock();
        bench.tell(cart.all());
        if unlock_first {
            cart.unlock();
            bench.tell(cart.all());
            assert_eq!(bench.asks(), [Ask::Abort]);
            bench.answer(Ask::Pay, approved());
        } else {
            bench.answer(Ask::Pay, approved());
            assert!(bench.gate_is_open());
            cart.unlock();
            bench.tell(cart.all());
        }
        assert_eq!((bench.asks(), bench.state()), (vec![Ask::Reverse], Some(IntentState::Reversing)));
        assert!(!bench.gate_is_open());
        cart.lock();
        bench.tell(cart.all());
        assert_eq!(bench.asks(), [], "nothing new while the old money is not back");
        let mut bench = bench.restart();
        assert_eq!(bench.asks(), [Ask::Reverse]);
        bench.answer(Ask::Reverse, silence());
        assert_eq!(bench.asks(), [Ask::Reverse]);
        bench.answer(Ask::Reverse, Answer::Reversed);
        assert_eq!(bench.asks(), [Ask::Pay], "the new lock is paid");
        assert!(bench.hub.storage.receipts(9).expect("read").iter().all(|r| r.void));
    };
    check(true);
    check(false);
}

#[test]
fn a_late_approval_of_what_was_given_up_is_given_back() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.all());
    let intent: IntentId = bench.hub.open_intents()[0].id.clone();
    bench.answer(Ask::Pay, Answer::Declined { why: "Refusal".into() });
    assert!(matches!(&bench.orders()[..], [Order::Declined { .. }]));
    bench.tell(Input::Answer { intent, ask: Ask::Pay, answer: approved() });
    assert_eq!((bench.asks(), bench.gate_is_open()), (vec![Ask::Reverse], false));
}

#[test]
fn after_a_refused_card_another_may_be_held_when_the_shopper_has_read_it() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.all());
    let first = bench.hub.open_intents()[0].id.clone();
    bench.answer(Ask::Pay, Answer::Declined { why: "Refusal".into() });
    cart.write(TripEvent::PaymentDeclined { intent: first.clone() });
    bench.tell(cart.all());
    assert_eq!((bench.asks(), bench.state()), (vec![], Some(IntentState::Created)));
    bench.later(5_000);
    assert_eq!(bench.asks(), [Ask::Pay]);
    assert_ne!(bench.hub.open_intents()[0].id, first);
}

#[test]
fn a_second_cart_waits_until_the_lane_is_free() {
    let mut bench = Bench::new();
    let (mut one, mut two) = (FakeCart::new("cart-1"), FakeCart::new("cart-2"));
    one.shop_and_lock();
    two.shop_and_lock();
    bench.tell(one.all());
    bench.now.0 += 1;
    bench.tell(two.all());
    assert_eq!((bench.asks(), bench.acked()), (vec![], vec![3]));
    let first = bench.hub.open_intents().into_iter().find(|i| i.cart == one.id).expect("there").id;
    bench.tell(Input::Answer { intent: first, ask: Ask::Pay, answer: approved() });
    assert_eq!(bench.asks(), [Ask::Pay], "now the second");
}

#[test]
fn a_cart_that_has_forgotten_that_it_went_back_to_shopping_is_let_go_when_its_payment_is_over() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.all());
    let intent = bench.hub.open_intents().first().map(|i| i.id.clone()).expect("an attempt");
    cart.write(TripEvent::PaymentStarted { intent: intent.clone() });
    let waits = cart.texts.len();
    cart.unlock();
    bench.tell(cart.batch(3, 5));
    bench.answer(Ask::Pay, approved());
    bench.answer(Ask::Reverse, Answer::Reversed);
    assert_eq!(bench.hub.open_intents(), []);

    let mut again = FakeCart { epoch: 8, ..FakeCart::new("cart-1") };
    again.write(TripEvent::JournalReplaced { epoch: 7, kept: waits as u64 });
    for text in &cart.texts[..waits] {
        again.write(serde_json::from_str::<Record>(text).expect("a record").event);
    }
    bench.tell(again.all());
    let told: Vec<Order> = bench.orders();
    assert!(matches!(&told[..], [Order::Declined { intent: over, .. }] if *over == intent), "{told:?}");
    bench.later(100);
    assert_eq!(bench.orders(), [], "it is said once, and again only when it is late");
}
