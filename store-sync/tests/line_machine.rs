//! The cart's side of the line as a state machine: whatever the line loses, doubles, delays and reorders, and
//! however often the program starts again, all arrives once and in order, nothing is freed that the hub has not
//! committed, and what is on its way is bounded.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use proptest::prelude::*;
use proptest_state_machine::{ReferenceStateMachine, StateMachineTest, prop_state_machine};
use store_sync::session::{Identity, Output};
use store_sync::{Journal, JournalError, LinkEvent, Session};
use trip::chain::Head;
use trip::message::{Ack, Batch, Signed};
use trip::topics::{self, Leaf};
use trip::{CartId, Hash, StoreId};

/// The most records that one step may put on their way: a window of the outbox, and its last batch.
const MOST_AT_ONCE: u64 = 256 + 64;

#[derive(Clone, Debug)]
enum Step {
    /// The trip writes so many records.
    Append(u64),
    Connect,
    Disconnect,
    /// The program starts again from its journal.
    Restart,
    /// A batch reaches the hub; which one, of those on their way.
    Arrives(usize),
    /// A batch reaches the hub and comes once more later.
    Doubled(usize),
    /// A batch is lost.
    Lost(usize),
    /// An ack reaches the cart.
    AckArrives(usize),
    /// An ack is lost.
    AckLost(usize),
    /// Time passes, in seconds.
    Wait(u64),
}

/// What must be true of the whole, whatever happened on the way.
#[derive(Clone, Debug, Default)]
struct Line {
    written: u64,
}

impl ReferenceStateMachine for Line {
    type State = Self;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self> {
        Just(Self::default()).boxed()
    }

    fn transitions(_: &Self) -> BoxedStrategy<Step> {
        prop_oneof![
            4 => (1u64..90).prop_map(Step::Append),
            2 => Just(Step::Connect),
            1 => Just(Step::Disconnect),
            1 => Just(Step::Restart),
            5 => any::<usize>().prop_map(Step::Arrives),
            1 => any::<usize>().prop_map(Step::Doubled),
            1 => any::<usize>().prop_map(Step::Lost),
            4 => any::<usize>().prop_map(Step::AckArrives),
            1 => any::<usize>().prop_map(Step::AckLost),
            2 => (0u64..9).prop_map(Step::Wait),
        ]
        .boxed()
    }

    fn apply(mut state: Self, step: &Step) -> Self {
        if let Step::Append(records) = step {
            state.written += records;
        }
        state
    }
}

/// The journal on disk, as its last and its last freed number: it outlives the session.
#[derive(Clone, Default)]
struct Disk(Arc<Mutex<(u64, u64)>>);

impl Disk {
    fn numbers(&self) -> (u64, u64) {
        *self.0.lock().expect("one thread")
    }
}

impl Journal for Disk {
    fn epoch(&self) -> u64 {
        7
    }

    fn ends(&mut self) -> Result<(u64, u64), JournalError> {
        Ok(self.numbers())
    }

    fn records(&mut self, first: u64, last: u64) -> Result<Vec<String>, JournalError> {
        Ok((first..=last).map(|seq| seq.to_string()).collect())
    }

    fn free(&mut self, ack: &Ack) -> Result<(), JournalError> {
        self.0.lock().expect("one thread").1 = ack.head.seq;
        Ok(())
    }
}

struct System {
    disk: Disk,
    session: Session<Disk>,
    now: Duration,
    /// Batches on their way to the hub: their record numbers.
    batches: Vec<Vec<u64>>,
    acks: Vec<u64>,
    /// What the hub has committed: it takes each record once, in order.
    hub: u64,
}

fn begin(disk: &Disk) -> Session<Disk> {
    let who = Identity {
        store: StoreId::new("s").expect("valid"),
        cart: CartId::new("cart-1").expect("valid"),
        boot_epoch: 1,
    };
    Session::new(who, SigningKey::from_bytes(&[3; 32]), disk.clone()).expect("readable")
}

impl System {
    fn new() -> Self {
        let disk = Disk::default();
        let session = begin(&disk);
        Self { disk, session, now: Duration::ZERO, batches: Vec::new(), acks: Vec::new(), hub: 0 }
    }

    /// Puts on its way what the session sends; how many records.
    fn drain(&mut self) -> u64 {
        let mut sent = 0;
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Publish(message) if message.topic.ends_with("up/event") => {
                    let signed: Signed = serde_json::from_slice(&message.payload).expect("signed");
                    let batch: Batch = serde_json::from_str(&signed.body).expect("a batch");
                    sent += batch.records.len() as u64;
                    self.batches.push(batch.records.iter().map(|text| text.parse().expect("a number")).collect());
                }
                Output::Tell(LinkEvent::Alarm(why)) => {
                    assert!(why.contains("acked none"), "a line that only loses is no fork: {why}");
                }
                _ => {}
            }
        }
        sent
    }

    /// The hub takes what continues, and says up to where it has all.
    fn commit(&mut self, batch: &[u64]) {
        for seq in batch {
            if *seq == self.hub + 1 {
                self.hub = *seq;
            }
        }
        self.acks.push(self.hub);
    }

    fn hear(&mut self, seq: u64) {
        let head = Head { seq, hash: Hash::of(seq.to_string().as_bytes()) };
        let ack = serde_json::to_vec(&Ack { v: 1, epoch: 7, head }).expect("plain");
        let who = self.session.who().clone();
        self.session.heard(&topics::cart(&who.store, &who.cart, Leaf::Ack), &ack, self.now);
    }

    fn step(&mut self, step: Step) {
        let pick = |list: usize, n: usize| (list > 0).then(|| n % list);
        match step {
            Step::Append(records) => {
                self.disk.0.lock().expect("one thread").0 += records;
                let (last, _) = self.disk.numbers();
                self.session.appended(last, self.now);
            }
            Step::Connect => self.session.connected(self.now),
            Step::Disconnect => self.session.lost(),
            Step::Restart => self.session = begin(&self.disk),
            Step::Arrives(n) => {
                if let Some(n) = pick(self.batches.len(), n) {
                    let batch = self.batches.swap_remove(n);
                    self.commit(&batch);
                }
            }
            Step::Doubled(n) => {
                if let Some(n) = pick(self.batches.len(), n) {
                    let batch = self.batches[n].clone();
                    self.commit(&batch);
                }
            }
            Step::Lost(n) => drop(pick(self.batches.len(), n).map(|n| self.batches.swap_remove(n))),
            Step::AckArrives(n) => {
                if let Some(n) = pick(self.acks.len(), n) {
                    let seq = self.acks.swap_remove(n);
                    self.hear(seq);
                }
            }
            Step::AckLost(n) => drop(pick(self.acks.len(), n).map(|n| self.acks.swap_remove(n))),
            Step::Wait(seconds) => {
                self.now += Duration::from_secs(seconds);
                self.session.handle_timeout(self.now);
            }
        }
        let sent = self.drain();
        assert!(sent <= MOST_AT_ONCE, "{sent} records at once");
    }
}

struct Test;

impl StateMachineTest for Test {
    type SystemUnderTest = System;
    type Reference = Line;

    fn init_test(_: &Line) -> System {
        System::new()
    }

    fn apply(mut system: System, _: &Line, step: Step) -> System {
        system.step(step);
        system
    }

    fn check_invariants(system: &System, line: &Line) {
        let (last, acked) = system.disk.numbers();
        assert_eq!(last, line.written);
        assert!(acked <= system.hub, "freed {acked}, and the hub has {}", system.hub);
        assert!(system.hub <= last);
        assert_eq!(system.session.unsynced(), last - acked);
    }

    fn teardown(mut system: System, line: Line) {
        // The line holds at last: all arrives, and nothing stays behind.
        system.step(Step::Connect);
        for _ in 0..40 + line.written / 64 {
            while !system.batches.is_empty() {
                system.step(Step::Arrives(0));
            }
            while !system.acks.is_empty() {
                system.step(Step::AckArrives(0));
            }
            system.step(Step::Wait(6));
        }
        assert_eq!((system.hub, system.session.unsynced()), (line.written, 0));
    }
}

prop_state_machine! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn all_arrives_once_and_in_order(sequential 1..120 => Test);
}
