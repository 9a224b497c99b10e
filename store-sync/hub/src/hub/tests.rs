//! The whole hub without a network: a cart's batches in, commands, acks and terminal questions out.

use std::collections::BTreeMap;
use std::path::Path;

use ed25519_dalek::SigningKey;
use tempfile::TempDir;
use trip::basket::Evidence;
use trip::chain::Head;
use trip::event::{Ending, Tender};
use trip::message::{Ack, Batch, Command, Order};
use trip::pricing::{basket_hash, price};
use trip::topics::Leaf;
use trip::{
    CartId, Catalogue, Hash, IntentId, LaneId, LineId, LineItem, Money, Quantity, Record, Sku, StoreId, TripEvent,
    TripId, TripState, UnixMillis, topics,
};

use super::*;

mod full_disk;
mod lost_answer;
mod together;
use crate::ingest::tests::sign;
use crate::intent::{Approval, IntentState};
use crate::store::{SqliteStore, Storage};

mod back_office;
mod fence;
mod transfer;

const GOODS: &str = "store = \"Market Street\"\ncurrency = \"GBP\"\n[[tax]]\nname = \"zero\"\nletter = \"Z\"\nbasis_points = 0\n[[product]]\nsku = \"oat\"\nname = \"Oat drink\"\ntax = \"zero\"\nsale = { each = { price = 185 } }\n";

fn store_id() -> StoreId {
    StoreId::new("market-street").expect("valid")
}

fn lane() -> LaneId {
    LaneId::new("lane-1").expect("valid")
}

/// A cart that writes its journal and hears what the hub says.
struct FakeCart {
    id: CartId,
    epoch: u64,
    key: SigningKey,
    head: Head,
    state: TripState,
    texts: Vec<String>,
}

impl FakeCart {
    fn new(name: &str) -> Self {
        let id = CartId::new(name).expect("valid");
        let key = SigningKey::from_bytes(&Hash::of(name.as_bytes()).0);
        Self { id, epoch: 7, key, head: Head::default(), state: TripState::default(), texts: vec![] }
    }

    fn write(&mut self, event: TripEvent) {
        self.state.apply(&event);
        let record = Record {
            v: 1,
            store: store_id(),
            cart: self.id.clone(),
            epoch: self.epoch,
            seq: self.head.seq + 1,
            at: UnixMillis(0),
            prev: self.head.hash,
            event,
        };
        let text = record.encode();
        self.head = Head { seq: record.seq, hash: Hash::of(text.as_bytes()) };
        self.texts.push(text);
    }

    /// Two oat drinks, locked at the lane.
    fn shop_and_lock(&mut self) {
        self.write(TripEvent::TripStarted {
            trip: TripId::new(format!("{}.7.1", self.id)).expect("valid"),
            catalogue: Hash::of(GOODS.as_bytes()),
            baseline: trip::Grams(0),
        });
        let (sku, evidence) = (Sku::new("oat").expect("valid"), Evidence::Scanned);
        self.write(TripEvent::ItemAdded {
            item: LineItem { line: LineId(1), sku, quantity: Quantity::Each(2), weight: None, evidence },
        });
        self.lock();
    }

    fn lock(&mut self) {
        let totals = price(&self.state.basket, &Catalogue::parse(GOODS).expect("right")).expect("priced");
        self.write(TripEvent::BasketLocked {
            version: self.state.locks + 1,
            lane: lane(),
            total: totals.total,
            basket: basket_hash(&totals),
        });
    }

    fn unlock(&mut self) {
        self.write(TripEvent::BasketUnlocked { version: self.state.locks });
    }

    fn batch(&self, from: usize, to: usize) -> Input {
        let batch = Batch { v: 1, cart: self.id.clone(), epoch: self.epoch, records: self.texts[from..to].to_vec() };
        message(&self.id, Leaf::Event, sign(&batch, &self.key))
    }

    fn all(&self) -> Input {
        self.batch(0, self.texts.len())
    }
}

fn message(cart: &CartId, leaf: Leaf, payload: Vec<u8>) -> Input {
    Input::Bus(BusEvent::Message { topic: topics::cart(&store_id(), cart, leaf), payload })
}

/// A hub in a folder of its own, and the time.
struct Bench {
    folder: TempDir,
    hub: Hub<SqliteStore>,
    now: UnixMillis,
    /// What the last call wanted.
    effects: Vec<Effect>,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("goods.toml"), GOODS).expect("written");
        let (hub, effects) = Self::open(folder.path(), UnixMillis(1_000));
        let mut bench = Self { folder, hub, now: UnixMillis(1_000), effects };
        bench.tell(Input::Bus(BusEvent::Up));
        bench
    }

    fn open(folder: &Path, now: UnixMillis) -> (Hub<SqliteStore>, Vec<Effect>) {
        let storage = SqliteStore::open(&folder.join("hub.db")).expect("a store");
        Self::start(folder, storage, now)
    }

    fn start<S: Storage>(folder: &Path, storage: S, now: UnixMillis) -> (Hub<S>, Vec<Effect>) {
        let carts = ["cart-1", "cart-2"]
            .map(|name| (CartId::new(name).expect("valid"), FakeCart::new(name).key.verifying_key()));
        let setting = Setting {
            store: store_id(),
            lanes: vec![lane()],
            carts: BTreeMap::from(carts),
            boot_epoch: 1,
            phone_url: Some("https://carts.example".into()),
            back_office_alarm_ms: Some(3_600_000),
        };
        let catalogues = Catalogues::open(&folder.join("goods.toml"), &folder.join("kept")).expect("right");
        let office = Office::with_key(store_id(), "Market Street", SigningKey::from_bytes(&[9; 32]));
        Hub::start(setting, storage, catalogues, office, now).expect("it starts")
    }

    /// The hub is killed and started again.
    fn restart(mut self) -> Self {
        drop(self.hub);
        let (hub, effects) = Self::open(self.folder.path(), self.now);
        self.hub = hub;
        self.effects = effects;
        self
    }

    fn tell(&mut self, input: Input) {
        self.effects = self.hub.handle(input, self.now).expect("the store works");
    }

    fn answer(&mut self, ask: Ask, answer: Answer) {
        let intent = self.hub.open_intents().first().map(|i| i.id.clone()).expect("an open intent");
        self.tell(Input::Answer { intent, ask, answer });
    }

    fn later(&mut self, ms: i64) {
        self.now.0 += ms;
        self.tell(Input::Tick);
    }

    fn asks(&self) -> Vec<Ask> {
        let ask = |effect: &Effect| match effect {
            Effect::Ask { ask, .. } => Some(*ask),
            _ => None,
        };
        self.effects.iter().filter_map(ask).collect()
    }

    fn published<T: serde::de::DeserializeOwned>(&self, leaf: Leaf) -> Vec<T> {
        let end = topics::cart(&store_id(), &CartId::new("x").expect("valid"), leaf);
        let end = end.rsplit_once("/x/").expect("a cart's topic").1.to_owned();
        let read = |effect: &Effect| match effect {
            Effect::Publish(m) if m.topic.ends_with(&end) => {
                Some(serde_json::from_slice(&m.payload).expect("readable"))
            }
            _ => None,
        };
        self.effects.iter().filter_map(read).collect()
    }

    fn acked(&self) -> Vec<u64> {
        self.published::<Ack>(Leaf::Ack).iter().map(|a| a.head.seq).collect()
    }

    fn orders(&self) -> Vec<Order> {
        self.published::<Command>(Leaf::Command).into_iter().map(|c| c.order).collect()
    }

    fn state(&self) -> Option<IntentState> {
        self.hub.open_intents().first().map(|i| i.state)
    }

    fn gate_is_open(&self) -> bool {
        self.hub.storage.gates().expect("read").iter().any(|g| g.open)
    }
}

fn approved() -> Answer {
    Answer::Approved(Approval {
        amount: Money::new(370, trip::Currency::GBP),
        tender: Tender { kind: "visa".into(), reference: "t1".into() },
        time_stamp: "2026-11-22T10:00:00Z".into(),
    })
}

fn silence() -> Answer {
    Answer::NoAnswer { why: "time-out".into() }
}

#[test]
fn a_last_will_that_comes_after_the_birth_is_put_right() {
    let mut bench = Bench::new();
    let topic = topics::hub_state(&store_id());
    let mut says = |online, boot_epoch| {
        let payload = serde_json::to_vec(&HubState { v: 1, online, boot_epoch }).expect("plain");
        bench.tell(Input::Bus(BusEvent::Message { topic: topic.clone(), payload }));
        bench.effects.clone()
    };
    let birth = publish(topics::hub_state(&store_id()), &HubState { v: 1, online: true, boot_epoch: 1 }, true);
    assert_eq!(says(true, 1), [], "its own birth");
    assert_eq!(says(false, 1), std::slice::from_ref(&birth), "of the connection before");
    assert_eq!(says(false, 0), [birth], "of the run before");
    bench.tell(Input::Bus(BusEvent::Down { why: "gone".into() }));
    let payload = serde_json::to_vec(&HubState { v: 1, online: false, boot_epoch: 1 }).expect("plain");
    bench.tell(Input::Bus(BusEvent::Message { topic, payload }));
    assert_eq!(bench.effects, [], "the next connection says it anyway");
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
fn a_new_broker_is_told_everything_again() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.all());
    bench.tell(Input::Bus(BusEvent::Down { why: "gone".into() }));
    bench.tell(Input::Bus(BusEvent::Up));
    assert_eq!((bench.acked(), bench.orders().len(), bench.published::<Desired>(Leaf::Desired).len()), (vec![3], 1, 2));
}

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

fn present(bench: &mut Bench, cart: &FakeCart) {
    let birth = serde_json::to_vec(&Presence { v: 1, online: true, boot_epoch: 5 }).expect("plain");
    bench.tell(message(&cart.id, Leaf::Presence, birth));
}

fn calling(bench: &mut Bench, name: &str) -> FakeCart {
    let mut cart = FakeCart::new(name);
    present(bench, &cart);
    cart.shop_and_lock();
    cart.unlock();
    cart.write(TripEvent::HelpCalled);
    bench.tell(cart.all());
    cart
}

fn queue(orders: &[Order]) -> Vec<(u32, Option<u32>)> {
    let word = |order: &Order| match order {
        Order::Queue { before, usual_s } => Some((*before, *usual_s)),
        _ => None,
    };
    orders.iter().filter_map(word).collect()
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

#[test]
fn a_low_battery_and_a_cart_left_standing_are_seen_on_the_board() {
    use crate::web::board::CartStatus;
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    present(&mut bench, &cart);
    cart.shop_and_lock();
    cart.unlock();
    bench.tell(cart.all());
    let mut telemetry = Telemetry {
        v: 1,
        at: UnixMillis(0),
        battery_percent: Some(12),
        charging: false,
        unsynced: 0,
        faults: vec![],
        version: "0".into(),
        battery_minutes: Some(9),
        battery_low: true,
        left_minutes: Some(11),
    };
    let mut status = |telemetry: &Telemetry| {
        bench.tell(message(&cart.id, Leaf::Telemetry, serde_json::to_vec(telemetry).expect("plain")));
        bench.hub.board(&jiff::tz::TimeZone::UTC).carts[0].status
    };
    assert_eq!(status(&telemetry), CartStatus::BatteryLow);
    telemetry.battery_low = false;
    assert_eq!(status(&telemetry), CartStatus::LeftStanding);
    telemetry.left_minutes = None;
    assert_eq!(status(&telemetry), CartStatus::Shopping);
    let old = r#"{"v":1,"at":0,"battery_percent":50,"charging":false,"unsynced":0,"faults":[],"version":"0"}"#;
    assert!(serde_json::from_str::<Telemetry>(old).is_ok(), "a cart of before is understood");
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

#[test]
fn a_week_of_trips_leaves_nothing_behind_in_memory() {
    let mut bench = Bench::new();
    let mut cart = FakeCart::new("cart-1");
    for trip in 1..=7 * 20 {
        let from = cart.texts.len();
        cart.write(TripEvent::TripStarted {
            trip: TripId::new(format!("cart-1.7.{trip}")).expect("valid"),
            catalogue: Hash::of(GOODS.as_bytes()),
            baseline: trip::Grams(0),
        });
        let (sku, evidence) = (Sku::new("oat").expect("valid"), Evidence::Scanned);
        let item = LineItem { line: LineId(1), sku, quantity: Quantity::Each(2), weight: None, evidence };
        cart.write(TripEvent::ItemAdded { item });
        cart.write(TripEvent::HelpCalled);
        bench.tell(cart.batch(from, cart.texts.len()));
        bench.tell(Input::Staff(StaffAction::HelpHasCome { cart: cart.id.clone() }));
        let from = cart.texts.len();
        cart.write(TripEvent::HelpEnded);
        cart.lock();
        bench.tell(cart.batch(from, cart.texts.len()));
        let intent = bench.hub.open_intents()[0].id.clone();
        bench.answer(Ask::Pay, approved());
        let from = cart.texts.len();
        let tender = Tender { kind: "visa".into(), reference: "t1".into() };
        cart.write(TripEvent::PaymentStarted { intent: intent.clone() });
        cart.write(TripEvent::PaymentApproved { intent, amount: Money::new(370, trip::Currency::GBP), tender });
        let number = bench.hub.receipts[0].number.clone();
        cart.write(TripEvent::ReceiptStored { number, digest: bench.hub.receipts[0].digest });
        cart.write(TripEvent::TripClosed { ending: Ending::Paid });
        bench.tell(cart.batch(from, cart.texts.len()));
        bench.later(70_000);
    }
    let hub = &bench.hub;
    assert_eq!(hub.outbox.rows().count(), 0, "commands that were carried out");
    assert_eq!((hub.intents.len(), hub.asked.len()), (0, 0), "payments that are settled");
    assert!(hub.receipts.len() <= SHOWN_RECEIPTS as usize);
    assert!(hub.carts.len() <= 2 && hub.seen.len() <= 2 && hub.gates.len() <= 1);
    assert_eq!(hub.storage.counter("receipt").expect("read"), 140, "all were paid");
}
