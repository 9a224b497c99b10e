//! A [`Storage`] on a disk that may be full: payments are finished, nothing new begins.
//!
//! While the disk has room, a reserve of it is kept. When it is full, records of carts are refused (they stay in
//! the carts' journals, for nothing is acked), and what a payment under way still has to write is written in the
//! reserve's place. Once there is room again the reserve is filled first.

use trip::{CartId, IntentId, TripId};

use super::{
    CartRow, CommandRow, FenceRow, GateRow, QuarantineRow, ReceiptRow, Storage, StoreError, StoreKind, TripRow, Write,
};
use crate::intent::Intent;

/// Space that is kept on the disk: see [`service::Reserve`].
pub trait Space: Send {
    /// True while it is kept.
    fn held(&self) -> bool;
    /// Gives it up; true if there was any.
    fn give_up(&mut self) -> bool;
    /// Keeps it again, if there is room.
    fn take_back(&mut self);
}

impl Space for service::Reserve {
    fn held(&self) -> bool {
        self.held()
    }

    fn give_up(&mut self) -> bool {
        self.give_up()
    }

    fn take_back(&mut self) {
        self.take_back();
    }
}

/// A store with a reserve.
#[derive(Debug)]
pub struct Reserved<S, R> {
    store: S,
    space: R,
}

/// What a commit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// It takes in what a cart tells, or keeps what was refused: that can wait, or be left out.
    TakeIn,
    /// It goes on with a payment, or tells a cart something: that must be.
    GoOn,
}

fn purpose(writes: &[Write]) -> Purpose {
    let counts = |name: &str| name == "refused";
    let takes_in = |write: &Write| match write {
        Write::Record { .. } | Write::Quarantine(_) => true,
        Write::Count(name) => counts(name),
        _ => false,
    };
    if writes.iter().any(takes_in) { Purpose::TakeIn } else { Purpose::GoOn }
}

impl<S: Storage, R: Space> Reserved<S, R> {
    /// `store`, whose disk has `space` kept.
    pub fn new(store: S, space: R) -> Self {
        Self { store, space }
    }

    /// Why nothing is taken in now.
    fn full() -> StoreError {
        let what =
            "the disk is full but for what payments need; nothing is taken in until there is room: free some space";
        StoreError { path: "of the hub".into(), kind: StoreKind::Full, what: what.into() }
    }
}

impl<S: Storage, R: Space> Storage for Reserved<S, R> {
    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        self.space.take_back();
        if purpose(writes) == Purpose::TakeIn && !self.space.held() {
            return Err(Self::full());
        }
        match self.store.commit(writes) {
            Err(full) if full.kind == StoreKind::Full && purpose(writes) == Purpose::GoOn && self.space.give_up() => {
                tracing::error!(
                    "the disk is full; payments are finished from the reserve, and nothing new is taken in"
                );
                self.store.commit(writes)
            }
            done => done,
        }
    }

    fn has_room(&self) -> bool {
        self.space.held()
    }

    fn owned(&self) -> Result<(), StoreError> {
        self.store.owned()
    }

    fn fences(&self) -> Result<Vec<FenceRow>, StoreError> {
        self.store.fences()
    }

    fn carts(&self) -> Result<Vec<CartRow>, StoreError> {
        self.store.carts()
    }

    fn cart(&self, cart: &CartId, epoch: u64) -> Result<Option<CartRow>, StoreError> {
        self.store.cart(cart, epoch)
    }

    fn record(&self, cart: &CartId, epoch: u64, seq: u64) -> Result<Option<String>, StoreError> {
        self.store.record(cart, epoch, seq)
    }

    fn trip(&self, trip: &TripId) -> Result<Option<TripRow>, StoreError> {
        self.store.trip(trip)
    }

    fn open_intents(&self) -> Result<Vec<Intent>, StoreError> {
        self.store.open_intents()
    }

    fn intent(&self, id: &IntentId) -> Result<Option<Intent>, StoreError> {
        self.store.intent(id)
    }

    fn intents(&self, trip: &TripId) -> Result<Vec<Intent>, StoreError> {
        self.store.intents(trip)
    }

    fn receipts(&self, limit: u32) -> Result<Vec<ReceiptRow>, StoreError> {
        self.store.receipts(limit)
    }

    fn receipt_of(&self, intent: &IntentId) -> Result<Option<ReceiptRow>, StoreError> {
        self.store.receipt_of(intent)
    }

    fn open_commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        self.store.open_commands()
    }

    fn gates(&self) -> Result<Vec<GateRow>, StoreError> {
        self.store.gates()
    }

    fn counter(&self, name: &str) -> Result<u64, StoreError> {
        self.store.counter(name)
    }

    fn quarantine(&self, limit: u32) -> Result<Vec<QuarantineRow>, StoreError> {
        self.store.quarantine(limit)
    }
}
