//! What the hub remembers, behind one trait.
//!
//! All that must be true together is written together: [`Storage::commit`] takes a list of
//! [`Write`]s and does all or none. What it returned `Ok` for has survived a power cut.

use trip::chain::Head;
use trip::event::Ending;
use trip::message::Command;
use trip::{CartId, Hash, IntentId, LaneId, TripId, TripState, UnixMillis};

use crate::intent::Intent;

#[cfg(test)]
mod conformance;
mod guarded;
mod memory;
mod postgres;
mod reserved;
mod sqlite;
mod transfer;

pub use guarded::{Guard, Guarded};
pub use memory::{MemoryPlace, MemoryStore};
pub use postgres::PostgresStore;
pub use reserved::{Reserved, Space};
pub use sqlite::SqliteStore;
pub use transfer::TransferRow;

/// So many refused payloads are kept: with the largest of them a quarter of what a small disk can spare. Who
/// sends garbage for days fills no disk; the newest are the ones to look at.
const MOST_QUARANTINED: usize = 256;

/// The end of one journal of one cart, and its replay.
#[derive(Clone, Debug, PartialEq)]
pub struct CartRow {
    /// The cart.
    pub cart: CartId,
    /// Which journal.
    pub epoch: u64,
    /// Its last committed record.
    pub head: Head,
    /// The replay up to there.
    pub state: TripState,
    /// When the last record was committed, by the hub's clock.
    pub at: UnixMillis,
}

/// One trip, as it stands or as it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct TripRow {
    /// The trip.
    pub trip: TripId,
    /// Its cart.
    pub cart: CartId,
    /// Which journal it is in.
    pub epoch: u64,
    /// Its replay; the last before it closed.
    pub state: TripState,
    /// How it ended, once it has.
    pub ending: Option<Ending>,
    /// When it last changed, by the hub's clock.
    pub at: UnixMillis,
}

/// A receipt as it was signed.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiptRow {
    /// Its number, unique in the store.
    pub number: String,
    /// The trip.
    pub trip: TripId,
    /// The attempt that paid.
    pub intent: IntentId,
    /// When it was approved, by the hub's clock.
    pub at: UnixMillis,
    /// The signed bytes.
    pub cose: Vec<u8>,
    /// Their digest.
    pub digest: Hash,
    /// The QR's text.
    pub qr: String,
    /// True when the money was given back.
    pub void: bool,
}

/// Something the hub wants of a cart, until the cart's own events show that it was carried out.
#[derive(Clone, Debug, PartialEq)]
pub struct CommandRow {
    /// For which cart.
    pub cart: CartId,
    /// What.
    pub command: Command,
}

/// The gate of a lane opened or shut.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GateRow {
    /// Which lane.
    pub lane: LaneId,
    /// For which attempt.
    pub intent: IntentId,
    /// True when it opened.
    pub open: bool,
    /// When, by the hub's clock.
    pub at: UnixMillis,
}

/// Something that was refused and is kept for inspection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuarantineRow {
    /// Whose topic it came on.
    pub cart: CartId,
    /// Digest of the payload; the same payload is kept once.
    pub digest: Hash,
    /// Why it was refused.
    pub reason: String,
    /// The payload as it came.
    pub payload: Vec<u8>,
    /// When it first came, by the hub's clock.
    pub at: UnixMillis,
}

/// A cart from which nothing is taken until staff have looked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FenceRow {
    /// Which.
    pub cart: CartId,
    /// What was seen.
    pub reason: String,
    /// When, by the hub's clock.
    pub at: UnixMillis,
}

/// What the back office is to be told, until it has taken it: see [`crate::back_office`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordRow {
    /// Counts the store's words from 1, without a gap.
    pub seq: u64,
    /// When it became true, by the hub's clock.
    pub at: UnixMillis,
    /// The message as it is sent, JSON.
    pub body: String,
}

/// One of the things that a commit writes.
#[derive(Clone, Debug, PartialEq)]
pub enum Write {
    /// A record; a second one of the same cart, epoch and number is a conflict.
    Record {
        /// The cart.
        cart: CartId,
        /// Its journal.
        epoch: u64,
        /// Its number.
        seq: u64,
        /// Its encoding, byte for byte.
        text: String,
    },
    /// A cart's head and replay, new or changed.
    Cart(CartRow),
    /// A trip, new or changed.
    Trip(TripRow),
    /// An intent, new or changed; a second live one of a trip is a conflict.
    Intent(Intent),
    /// A receipt, new or changed.
    Receipt(ReceiptRow),
    /// A command, new; one of the same id is left as it is.
    Command(CommandRow),
    /// A command was carried out, or is no longer wanted.
    CommandDone(String),
    /// A gate opened or shut.
    Gate(GateRow),
    /// Something was refused.
    Quarantine(QuarantineRow),
    /// Nothing is taken from a cart any more; a fence that stands already is left as it is.
    Fence(FenceRow),
    /// Staff have looked.
    FenceLifted(CartId),
    /// A word for the back office; a second one of the same number is a conflict.
    Word(WordRow),
    /// The back office has taken all words up to this one: they are forgotten.
    WordsTaken {
        /// The last of them.
        up_to: u64,
    },
    /// A basket was taken to a till, new or changed.
    Transfer(TransferRow),
    /// A counter goes up by one.
    Count(&'static str),
}

/// What kind of trouble a store has; the hub's answer depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoreKind {
    /// No space left, or the folder became read-only: refuse, acknowledge nothing, go on.
    Full,
    /// Locked by another program, or out of reach: try again.
    Busy,
    /// A commit that was said to have failed is there after all, so what the hub has in memory is older than the
    /// store: read everything anew, beginning with [`Storage::caught_up`].
    Behind,
    /// What was to be written contradicts what is there.
    Conflict,
    /// Another hub has opened the same store since: this one must act no more.
    Fenced,
    /// Anything else: stop, start again, recover.
    Broken,
}

/// A store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[error("database {path}: {what}")]
pub struct StoreError {
    /// Where it is.
    pub path: String,
    /// What kind of trouble.
    pub kind: StoreKind,
    /// What happened, and what to do.
    pub what: String,
}

impl StoreError {
    /// True when the hub goes on: what could not be taken in now can be later.
    pub fn passes(&self) -> bool {
        matches!(self.kind, StoreKind::Full | StoreKind::Busy | StoreKind::Behind)
    }
}

/// Another hub has taken over the store at `path`.
fn fenced(path: &str) -> StoreError {
    let what = "another hub has opened it since; this one stops, so that a lane has one payer".to_owned();
    StoreError { path: path.to_owned(), kind: StoreKind::Fenced, what }
}

/// The hub's memory. Each opening fences those before it: two hubs that both believe a lane is theirs
/// cannot both write, and nothing is sent to a terminal before it is written.
pub trait Storage: Send {
    /// Writes all of `writes`, durably, or none.
    ///
    /// # Errors
    /// [`StoreError`]; nothing was written then, or [`StoreKind::Behind`] follows.
    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError>;

    /// Whether this opening is still the newest: asked before anything is said again from memory.
    ///
    /// # Errors
    /// [`StoreKind::Fenced`] when another hub has opened the store since, or why it cannot be read.
    fn owned(&self) -> Result<(), StoreError>;

    /// After [`StoreKind::Behind`], before everything is read anew: the store answers again.
    fn caught_up(&mut self) {}

    /// False when the disk is so full that no trip shall begin.
    fn has_room(&self) -> bool {
        true
    }

    /// The newest journal of every cart, by cart.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn carts(&self) -> Result<Vec<CartRow>, StoreError>;

    /// One journal of one cart.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn cart(&self, cart: &CartId, epoch: u64) -> Result<Option<CartRow>, StoreError>;

    /// A record, byte for byte.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn record(&self, cart: &CartId, epoch: u64, seq: u64) -> Result<Option<String>, StoreError>;

    /// A trip.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn trip(&self, trip: &TripId) -> Result<Option<TripRow>, StoreError>;

    /// All intents that something may still happen to, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn open_intents(&self) -> Result<Vec<Intent>, StoreError>;

    /// One intent.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn intent(&self, id: &IntentId) -> Result<Option<Intent>, StoreError>;

    /// All intents of a trip, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn intents(&self, trip: &TripId) -> Result<Vec<Intent>, StoreError>;

    /// All intents made from `from` on and before `until`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn intents_between(&self, from: UnixMillis, until: UnixMillis) -> Result<Vec<Intent>, StoreError>;

    /// The last `limit` receipts, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn receipts(&self, limit: u32) -> Result<Vec<ReceiptRow>, StoreError>;

    /// The receipt of an attempt.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn receipt_of(&self, intent: &IntentId) -> Result<Option<ReceiptRow>, StoreError>;

    /// Commands not yet carried out, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn open_commands(&self) -> Result<Vec<CommandRow>, StoreError>;

    /// The last thing every gate did.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn gates(&self) -> Result<Vec<GateRow>, StoreError>;

    /// The carts from which nothing is taken, by cart.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn fences(&self) -> Result<Vec<FenceRow>, StoreError>;

    /// The first `limit` words that the back office has not taken, oldest first.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn words(&self, limit: u32) -> Result<Vec<WordRow>, StoreError>;

    /// The basket of a trip that was taken to a till, if it was.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn transfer(&self, trip: &TripId) -> Result<Option<TransferRow>, StoreError>;

    /// The baskets at a till that are [`TransferRow::open`], by trip.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn open_transfers(&self) -> Result<Vec<TransferRow>, StoreError>;

    /// A counter; 0 when it never went up.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn counter(&self, name: &str) -> Result<u64, StoreError>;

    /// What was refused and kept, newest first, at most `limit`.
    ///
    /// # Errors
    /// [`StoreError`] when the store cannot be read.
    fn quarantine(&self, limit: u32) -> Result<Vec<QuarantineRow>, StoreError>;
}
