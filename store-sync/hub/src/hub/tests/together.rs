//! What has come together is written together, and each cart has its own ack.

use std::sync::{Arc, Mutex};

use super::*;
use crate::store::{Guard, Guarded, StoreKind};

/// Counts commits of records, and refuses the next when it is told to.
#[derive(Clone, Debug, Default)]
struct Watched(Arc<Mutex<(usize, Option<StoreKind>)>>);

impl Watched {
    fn records(&self) -> usize {
        self.0.lock().expect("one thread").0
    }

    fn refuse_next(&self, kind: StoreKind) {
        self.0.lock().expect("one thread").1 = Some(kind);
    }
}

impl Guard for Watched {
    fn commit(&mut self, store: &mut impl Storage, writes: &[Write]) -> Result<(), StoreError> {
        let mut watched = self.0.lock().expect("one thread");
        if writes.iter().any(|write| matches!(write, Write::Record { .. })) {
            watched.0 += 1;
            if let Some(kind) = watched.1.take() {
                return Err(StoreError { path: "hub.db".into(), kind, what: "as the test wants it".into() });
            }
        }
        store.commit(writes)
    }
}

struct Place {
    hub: Hub<Guarded<SqliteStore, Watched>>,
    watched: Watched,
    _folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("goods.toml"), GOODS).expect("written");
        let watched = Watched::default();
        let store = SqliteStore::open(&folder.path().join("hub.db")).expect("a store");
        let (mut hub, _) = Bench::start(folder.path(), Guarded::new(store, watched.clone()), UnixMillis(1_000));
        hub.handle(Input::Bus(BusEvent::Up), UnixMillis(1_000)).expect("up");
        Self { hub, watched, _folder: folder }
    }

    /// Which cart was acked up to where.
    fn tell(&mut self, inputs: Vec<Input>) -> Vec<(String, u64)> {
        let effects = self.hub.handle_all(inputs, UnixMillis(1_000)).expect("the store works");
        let ack = |effect: &Effect| match effect {
            Effect::Publish(message) => {
                let (cart, leaf) = topics::parse(&store_id(), &message.topic)?;
                let ack: Ack = serde_json::from_slice(&message.payload).ok().filter(|_| leaf == Leaf::Ack)?;
                Some((cart.to_string(), ack.head.seq))
            }
            _ => None,
        };
        effects.iter().filter_map(ack).collect()
    }
}

fn two_carts() -> [FakeCart; 2] {
    ["cart-1", "cart-2"].map(|name| {
        let mut cart = FakeCart::new(name);
        cart.shop_and_lock();
        cart
    })
}

fn acks(acks: &[(&str, u64)]) -> Vec<(String, u64)> {
    acks.iter().map(|(cart, seq)| ((*cart).to_owned(), *seq)).collect()
}

#[test]
fn batches_of_different_carts_are_one_commit() {
    let (mut place, [one, two]) = (Place::new(), two_carts());
    assert_eq!(place.tell(vec![one.all(), two.all()]), acks(&[("cart-1", 3), ("cart-2", 3)]));
    assert_eq!(place.watched.records(), 1);
    assert_eq!(place.hub.open_intents().len(), 2, "both pay");
}

#[test]
fn batches_of_one_cart_follow_one_another() {
    let (mut place, [one, two]) = (Place::new(), two_carts());
    let told = place.tell(vec![one.batch(0, 1), two.batch(0, 2), one.batch(1, 3), two.batch(2, 3)]);
    assert_eq!(told, acks(&[("cart-1", 1), ("cart-2", 2), ("cart-1", 3), ("cart-2", 3)]));
    assert_eq!(place.watched.records(), 2);
}

#[test]
fn what_is_refused_holds_nobody_up() {
    let (mut place, [one, two]) = (Place::new(), two_carts());
    let foreign = FakeCart { key: SigningKey::from_bytes(&[3; 32]), ..FakeCart::new("cart-1") };
    let forged = Batch { v: 1, cart: one.id.clone(), epoch: 7, records: one.texts.clone() };
    let forged = message(&one.id, Leaf::Event, sign(&forged, &foreign.key));
    let garbage = message(&one.id, Leaf::Event, b"garbage".to_vec());
    assert_eq!(place.tell(vec![forged, garbage, two.all()]), acks(&[("cart-2", 3)]));
    assert_eq!(place.hub.storage.quarantine(9).expect("read").len(), 1);
    assert_eq!(place.tell(vec![one.all()]), acks(&[("cart-1", 3)]));
}

#[test]
fn one_trip_is_of_one_cart_also_when_two_begin_it_at_once() {
    let (mut place, [one, mut two]) = (Place::new(), two_carts());
    two.texts.clear();
    two.head = Head::default();
    let start = TripEvent::TripStarted {
        trip: one.state.trip.clone().expect("shopping"),
        catalogue: Hash::of(GOODS.as_bytes()),
        baseline: trip::Grams(0),
    };
    two.write(start);
    assert_eq!(place.tell(vec![one.all(), two.all()]), acks(&[("cart-1", 3)]));
    assert!(place.hub.storage.quarantine(9).expect("read")[0].reason.contains("cart-1's"));
}

#[test]
fn what_could_not_be_written_is_not_acked_and_taken_when_it_comes_again() {
    for kind in [StoreKind::Full, StoreKind::Busy] {
        let (mut place, [one, two]) = (Place::new(), two_carts());
        place.watched.refuse_next(kind);
        assert_eq!(place.tell(vec![one.all(), two.all()]), acks(&[]));
        assert_eq!(place.hub.storage.carts().expect("read"), []);
        assert_eq!(place.hub.open_intents(), [], "nothing of it is in memory");
        assert_eq!(place.tell(vec![two.all(), one.all()]), acks(&[("cart-2", 3), ("cart-1", 3)]));
    }
}

#[test]
fn one_that_contradicts_the_database_is_found_and_the_others_are_taken() {
    let (mut place, [one, two]) = (Place::new(), two_carts());
    place.watched.refuse_next(StoreKind::Conflict);
    assert_eq!(place.tell(vec![one.all(), two.all()]), acks(&[("cart-1", 3), ("cart-2", 3)]));
    assert_eq!(place.watched.records(), 3, "together, then each alone");
}
