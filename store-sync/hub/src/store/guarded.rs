//! A [`Storage`] whose commits pass a [`Guard`]: what is read is read as ever.

use trip::{CartId, IntentId, TripId, UnixMillis};

use super::{
    CartRow, CommandRow, FenceRow, GateRow, QuarantineRow, ReceiptRow, Storage, StoreError, TransferRow, TripRow,
    WordRow, Write,
};
use crate::intent::Intent;

/// Stands before a store: it lets a commit through, refuses it, or does something beside it.
pub trait Guard: Send {
    /// Commits `writes` to `store`, or does not.
    ///
    /// # Errors
    /// As [`Storage::commit`].
    fn commit(&mut self, store: &mut impl Storage, writes: &[Write]) -> Result<(), StoreError>;

    /// As [`Storage::has_room`].
    fn has_room(&self) -> bool {
        true
    }
}

/// A store behind a guard.
#[derive(Debug)]
pub struct Guarded<S, G> {
    store: S,
    guard: G,
}

impl<S: Storage, G: Guard> Guarded<S, G> {
    /// `store`, behind `guard`.
    pub fn new(store: S, guard: G) -> Self {
        Self { store, guard }
    }
}

impl<S: Storage, G: Guard> Storage for Guarded<S, G> {
    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        self.guard.commit(&mut self.store, writes)
    }

    fn has_room(&self) -> bool {
        self.guard.has_room()
    }

    fn owned(&self) -> Result<(), StoreError> {
        self.store.owned()
    }

    fn caught_up(&mut self) {
        self.store.caught_up();
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

    fn intents_between(&self, from: UnixMillis, until: UnixMillis) -> Result<Vec<Intent>, StoreError> {
        self.store.intents_between(from, until)
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

    fn words(&self, limit: u32) -> Result<Vec<WordRow>, StoreError> {
        self.store.words(limit)
    }

    fn transfer(&self, trip: &TripId) -> Result<Option<TransferRow>, StoreError> {
        self.store.transfer(trip)
    }

    fn open_transfers(&self) -> Result<Vec<TransferRow>, StoreError> {
        self.store.open_transfers()
    }

    fn counter(&self, name: &str) -> Result<u64, StoreError> {
        self.store.counter(name)
    }

    fn quarantine(&self, limit: u32) -> Result<Vec<QuarantineRow>, StoreError> {
        self.store.quarantine(limit)
    }
}
