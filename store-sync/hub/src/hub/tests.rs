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
use crate::ingest::tests::sign;
use crate::intent::{Approval, IntentState};
use crate::store::{SqliteStore, Storage};

mod back_office;
mod fence;
mod full_disk;
mod intake;
mod look;
mod lost_answer;
mod payments;
mod queue;
mod together;
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
fn a_new_broker_is_told_everything_again() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.all());
    bench.tell(Input::Bus(BusEvent::Down { why: "gone".into() }));
    bench.tell(Input::Bus(BusEvent::Up));
    assert_eq!((bench.acked(), bench.orders().len(), bench.published::<Desired>(Leaf::Desired).len()), (vec![3], 1, 2));
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
