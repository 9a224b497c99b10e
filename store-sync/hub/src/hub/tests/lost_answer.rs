//! The database goes away with a commit on its way: the hub is told that it failed, and later that it is there.

use std::sync::{Arc, Mutex};

use super::*;
use crate::store::{Guard, Guarded, StoreKind};

/// What becomes of the next commits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Database {
    Works,
    /// The next commit is written, and its answer lost.
    LosesAnswer,
    Away,
    /// It is back, and has what it was not known to have.
    Knows,
}

type Shared = Arc<Mutex<Database>>;

impl Guard for Shared {
    fn commit(&mut self, store: &mut impl Storage, writes: &[Write]) -> Result<(), StoreError> {
        let mut database = self.lock().expect("one thread");
        let fails = |kind| Err(StoreError { path: "of the test".into(), kind, what: "away".into() });
        match *database {
            Database::Works => store.commit(writes),
            Database::LosesAnswer => {
                store.commit(writes)?;
                *database = Database::Away;
                fails(StoreKind::Busy)
            }
            Database::Away => fails(StoreKind::Busy),
            Database::Knows => {
                *database = Database::Works;
                fails(StoreKind::Behind)
            }
        }
    }
}

/// A hub whose database does as it is told.
struct Lossy {
    _folder: TempDir,
    database: Shared,
    hub: Hub<Guarded<SqliteStore, Shared>>,
    now: UnixMillis,
}

impl Lossy {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("goods.toml"), GOODS).expect("written");
        let database: Shared = Arc::new(Mutex::new(Database::Works));
        let store = SqliteStore::open(&folder.path().join("hub.db")).expect("a store");
        let now = UnixMillis(1_000);
        let (hub, _) = Bench::start(folder.path(), Guarded::new(store, database.clone()), now);
        let mut lossy = Self { _folder: folder, database, hub, now };
        lossy.tell(Input::Bus(BusEvent::Up));
        lossy
    }

    fn set(&self, database: Database) {
        *self.database.lock().expect("one thread") = database;
    }

    fn tell(&mut self, input: Input) -> Vec<Effect> {
        self.hub.handle(input, self.now).expect("the hub goes on")
    }
}

fn acked(effects: &[Effect]) -> Vec<u64> {
    let ack = |effect: &Effect| match effect {
        Effect::Publish(m) if m.topic.ends_with("/down/ack") => {
            Some(serde_json::from_slice::<Ack>(&m.payload).expect("readable").head.seq)
        }
        _ => None,
    };
    effects.iter().filter_map(ack).collect()
}

fn asks(effects: &[Effect]) -> Vec<Ask> {
    let ask = |effect: &Effect| match effect {
        Effect::Ask { ask, .. } => Some(*ask),
        _ => None,
    };
    effects.iter().filter_map(ask).collect()
}

#[test]
fn records_whose_commit_was_given_up_and_is_there_are_acked_and_no_fork() {
    let (mut lossy, mut cart) = (Lossy::new(), FakeCart::new("cart-1"));
    cart.write(TripEvent::TripStarted {
        trip: TripId::new("cart-1.7.1").expect("valid"),
        catalogue: Hash::of(GOODS.as_bytes()),
        baseline: trip::Grams(0),
    });
    assert_eq!(acked(&lossy.tell(cart.all())), [1]);
    cart.write(TripEvent::HelpCalled);
    lossy.set(Database::LosesAnswer);
    assert_eq!(lossy.tell(cart.all()), [], "nothing is acked whose commit is not known to be there");
    assert_eq!(lossy.tell(cart.all()), []);
    lossy.set(Database::Knows);
    cart.write(TripEvent::HelpEnded);
    let effects = lossy.tell(cart.all());
    assert_eq!(acked(&effects), [2], "it says what it has");
    assert_eq!(acked(&lossy.tell(cart.all())), [3], "and takes in what is new");
    assert_eq!(lossy.hub.storage.quarantine(9).expect("read"), []);
    assert_eq!(lossy.hub.storage.fences().expect("read"), []);
}

#[test]
fn a_terminals_word_whose_commit_was_given_up_and_is_there_makes_one_receipt() {
    let (mut lossy, mut cart) = (Lossy::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    lossy.tell(cart.all());
    let intent = lossy.hub.open_intents().first().cloned().expect("an attempt");
    assert_eq!(intent.state, IntentState::Sent);
    lossy.set(Database::LosesAnswer);
    let approval = Input::Answer { intent: intent.id.clone(), ask: Ask::Pay, answer: approved() };
    let effects = lossy.tell(approval.clone());
    assert_eq!(effects, [Effect::Again(Box::new(approval.clone()))], "neither receipt nor gate is told of");
    lossy.set(Database::Knows);
    let effects = lossy.tell(approval.clone());
    let orders = |effects: &[Effect]| {
        let order = |e: &&Effect| matches!(e, Effect::Publish(m) if m.topic.ends_with("/down/command"));
        effects.iter().filter(order).count()
    };
    assert_eq!((orders(&effects), asks(&effects)), (2, vec![]), "the payment and its receipt");
    lossy.tell(approval);
    assert_eq!(lossy.hub.storage.counter("receipt").expect("read"), 1);
    assert_eq!(lossy.hub.open_intents()[0].state, IntentState::Approved);
}

#[test]
fn a_payment_whose_sending_was_given_up_and_is_there_is_asked_about_before_it_is_sent() {
    let (mut lossy, mut cart) = (Lossy::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    let last = cart.texts.len() - 1;
    lossy.tell(cart.batch(0, last));
    // The records are in, and the attempt; that it is sent is a commit of its own.
    lossy.set(Database::Away);
    lossy.tell(cart.batch(last, last + 1));
    lossy.set(Database::Works);
    lossy.tell(cart.batch(last, last + 1));
    let intent = lossy.hub.open_intents().first().cloned().expect("an attempt");
    assert_eq!(intent.state, IntentState::Sent);
    // As if that commit had been given up: the hub knows of no question to the terminal.
    lossy.hub.asked.clear();
    lossy.set(Database::Knows);
    cart.write(TripEvent::HelpCalled);
    let effects = lossy.tell(cart.all());
    assert_eq!(asks(&effects), [Ask::Status], "the terminal may have heard of it");
}
