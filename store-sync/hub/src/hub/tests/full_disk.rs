//! The hub's disk is full: nothing is taken in, payments are finished, and all is well again once there is room.

use std::sync::{Arc, Mutex};

use super::*;
use crate::back_office::OfficeAsk;
use crate::store::{Guard, Guarded, Reserved, Space, StoreKind};

/// How many commits the disk has room for, and how many the reserve keeps.
#[derive(Debug, Default)]
struct Disk {
    free: u32,
    kept: u32,
}

type Shared = Arc<Mutex<Disk>>;

/// What the reserve of these tests keeps.
const KEPT: u32 = 20;

impl Space for Shared {
    fn held(&self) -> bool {
        self.lock().expect("one thread").kept > 0
    }

    fn give_up(&mut self) -> bool {
        let mut disk = self.lock().expect("one thread");
        let kept = std::mem::take(&mut disk.kept);
        disk.free += kept;
        kept > 0
    }

    fn take_back(&mut self) {
        let mut disk = self.lock().expect("one thread");
        if disk.kept == 0 && disk.free >= 2 * KEPT {
            disk.free -= KEPT;
            disk.kept = KEPT;
        }
    }
}

/// What the disk has no room for is refused as SQLite refuses it.
impl Guard for Shared {
    fn commit(&mut self, store: &mut impl Storage, writes: &[Write]) -> Result<(), StoreError> {
        let mut disk = self.lock().expect("one thread");
        match disk.free.checked_sub(1) {
            Some(left) => disk.free = left,
            None => {
                let (path, what) = ("hub.db".into(), "database or disk is full".into());
                return Err(StoreError { path, kind: StoreKind::Full, what });
            }
        }
        store.commit(writes)
    }
}

fn acks(effects: &[Effect]) -> usize {
    let ack = |e: &&Effect| matches!(e, Effect::Publish(message) if message.topic.ends_with("/down/ack"));
    effects.iter().filter(ack).count()
}

#[test]
fn on_a_full_disk_payments_are_finished_and_nothing_new_begins() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("goods.toml"), GOODS).expect("written");
    let disk: Shared = Arc::new(Mutex::new(Disk { free: 1_000, kept: 0 }));
    let store = SqliteStore::open(&folder.path().join("hub.db")).expect("a store");
    let storage = Guarded::new(Guarded::new(store, disk.clone()), Reserved(disk.clone()));
    let now = UnixMillis(1_000);
    let (mut hub, _) = Bench::start(folder.path(), storage, now);
    let tell = |hub: &mut Hub<_>, input: Input| hub.handle(input, now).expect("a full disk stops nothing");
    tell(&mut hub, Input::Bus(BusEvent::Up));
    let (mut paying, mut shopping) = (FakeCart::new("cart-1"), FakeCart::new("cart-2"));
    paying.shop_and_lock();
    tell(&mut hub, paying.all());
    let intent = hub.open_intents().first().map(|i| i.id.clone()).expect("an intent is sent");

    disk.lock().expect("one thread").free = 0;
    shopping.shop_and_lock();
    assert_eq!(acks(&tell(&mut hub, shopping.all())), 0, "what is not on the disk is not acked");
    assert!(disk.lock().expect("one thread").kept > 0, "and does not cost the reserve");
    let garbage = message(&shopping.id, Leaf::Event, b"garbage".to_vec());
    assert_eq!(tell(&mut hub, garbage), [], "nor does garbage");

    tell(&mut hub, Input::Answer { intent: intent.clone(), ask: Ask::Pay, answer: approved() });
    assert_eq!(hub.storage.receipt_of(&intent).expect("read").map(|r| r.void), Some(false), "the receipt is signed");
    assert!(hub.storage.gates().expect("read").iter().any(|gate| gate.open), "the gate opens");
    assert_eq!(hub.open_intents()[0].state, IntentState::Approved);

    let told = hub.back_office(OfficeAsk::Next).expect("read").len();
    assert_eq!(told, 2, "payment and receipt wait for the back office, on the disk");

    // The reserve is spent, the disk still full: nothing is taken in, no phone begins a trip.
    assert!(!hub.storage.has_room());
    let kept = hub.back_office(OfficeAsk::Taken { up_to: 2 }).expect_err("what is told may wait");
    assert_eq!((kept.kind, hub.back_office(OfficeAsk::Next).expect("read").len()), (StoreKind::Full, 2));
    assert_eq!(acks(&tell(&mut hub, shopping.all())), 0);
    let token = trip::pairing::Token::derive(&Hash::of(b"seed"), 1);
    let join = PhoneAsk::Join {
        cart: shopping.id.clone(),
        token: token.as_str().into(),
        phone: Hash::of(b"phone"),
        member: None,
        list: Vec::new(),
    };
    let (answer, effects) = hub.phone(join, now).expect("answered");
    assert_eq!((answer, effects), (PhoneAnswer::Refused(Refused::Unreachable), Vec::new()));

    disk.lock().expect("one thread").free = 1_000;
    assert_eq!(acks(&tell(&mut hub, shopping.all())), 1, "with room again all is taken in");
    assert!(hub.storage.has_room(), "and the reserve is filled");
    assert_eq!(hub.open_intents().len(), 2, "and its payment begins");
    hub.back_office(OfficeAsk::Taken { up_to: 2 }).expect("there is room");
    assert_eq!(hub.back_office(OfficeAsk::Next).expect("read"), []);
}
