//! What cart and hub say to each other: JSON, with the version in every payload.

use serde::{Deserialize, Serialize};

use crate::chain::Head;
use crate::event::Tender;
use crate::{CartId, Hash, IntentId, LineId, Member, Money, TripId, UnixMillis};

/// The version of these forms.
pub const VERSION: u8 = 1;

/// A batch of chained records, oldest first, as they lie in the cart's journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// [`VERSION`].
    pub v: u8,
    /// Whose.
    pub cart: CartId,
    /// Which journal.
    pub epoch: u64,
    /// [`crate::Record::encode`]d records, without gaps.
    pub records: Vec<String>,
}

/// A payload and the ed25519 signature over its very bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// [`VERSION`].
    pub v: u8,
    /// The payload's JSON text, such as a [`Batch`].
    pub body: String,
    /// ed25519 over [`Signed::message`], 64 bytes as unpadded base64url.
    pub signature: String,
}

impl Signed {
    /// The bytes that are signed: a label, so that a signature for one use never serves another,
    /// and the body.
    pub fn message(label: &str, body: &str) -> Vec<u8> {
        [label.as_bytes(), b"\n", body.as_bytes()].concat()
    }
}

/// The label of a signed [`Batch`].
pub const BATCH_LABEL: &str = "trundle-batch-1";

/// "All up to here is committed." Only this frees a journal entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ack {
    /// [`VERSION`].
    pub v: u8,
    /// Which journal.
    pub epoch: u64,
    /// The last committed record.
    pub head: Head,
}

/// Whether the cart's program is on the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Presence {
    /// [`VERSION`].
    pub v: u8,
    /// True at birth, false in the last will.
    pub online: bool,
    /// Milliseconds since 1970 when this run began; a death of an older run is ignored.
    pub boot_epoch: u64,
}

/// How the cart is. Never about the shopper.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Telemetry {
    /// [`VERSION`].
    pub v: u8,
    /// The cart's wall clock.
    pub at: UnixMillis,
    /// State of charge, percent; `None` when it cannot be read.
    pub battery_percent: Option<u8>,
    /// True at a charging contact.
    pub charging: bool,
    /// Records not yet acked.
    pub unsynced: u64,
    /// Devices that are out, by name, such as `camera 0` or `scale`.
    pub faults: Vec<String>,
    /// The program's version.
    pub version: String,
    /// For how many minutes the charge lasts at the present rate; `None` while that is not known, and
    /// while charging.
    #[serde(default)]
    pub battery_minutes: Option<u32>,
    /// True while a trip is below the reserve: the shopper was told to finish, or to change carts.
    #[serde(default)]
    pub battery_low: bool,
    /// For how many whole minutes nobody has touched a cart with a trip; `None` while somebody shops.
    #[serde(default)]
    pub left_minutes: Option<u32>,
}

/// Something the hub wants of a cart. Sent again after each birth until the cart's own events show
/// that it was carried out; carrying one out twice has one effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Command {
    /// [`VERSION`].
    pub v: u8,
    /// Unique; a repeated id is the same command.
    pub id: String,
    /// After this the hub sends it no more. The cart does not judge it, for its clock may be wrong; trip
    /// and lock say there what is void.
    pub expires_at: UnixMillis,
    /// The trip it is for; ignored on another. For [`Order::Pair`] the trip that is to begin.
    pub trip: TripId,
    /// The lock that it is about, for a command about a payment; ignored at another lock.
    #[serde(default)]
    pub lock: Option<u32>,
    /// What to do.
    pub order: Order,
}

/// What a [`Command`] asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "snake_case")]
pub enum Order {
    /// The terminal waits for a tap.
    AwaitTap {
        /// Which attempt.
        intent: IntentId,
    },
    /// The lane could not take the lock (its total differs, the lane is busy, no catalogue).
    RefuseLock {
        /// The lock's version.
        version: u32,
        /// Why, in words for staff.
        why: String,
    },
    /// The terminal refused; the basket is kept.
    Declined {
        /// Which attempt.
        intent: IntentId,
        /// In neutral words.
        why: String,
    },
    /// The answer is not known yet; the hub asks the terminal for its status.
    Checking {
        /// Which attempt.
        intent: IntentId,
    },
    /// Approved and committed.
    Paid {
        /// Which attempt.
        intent: IntentId,
        /// What was charged.
        amount: Money,
        /// With what.
        tender: Tender,
    },
    /// The signed receipt.
    Receipt {
        /// Its number.
        number: String,
        /// SHA-256 of the signed bytes.
        digest: Hash,
        /// The COSE_Sign1 bytes, base64url without padding.
        cose: String,
        /// What the QR holds: see [`crate::receipt`].
        qr: String,
    },
    /// Staff have come.
    EndHelp,
    /// A member of staff is on the way.
    OnTheWay,
    /// How long it may take until someone comes. It is the hub's word of the moment and not stored: the next
    /// replaces it, and one that is lost is missed by nobody.
    Queue {
        /// Calls that came before this cart's and that nobody has gone to yet.
        before: u32,
        /// The median of the last waits, in seconds, from the call to staff at the cart; `None` while too
        /// few were counted to say.
        usual_s: Option<u32>,
    },
    /// Staff have looked at the buyer's age.
    AgeChecked {
        /// The line.
        line: LineId,
        /// Whether it may be sold.
        approved: bool,
    },
    /// A phone joins: the trip begins. Never stored, for it carries what a shopper means to buy.
    Pair {
        /// The token that the cart shows.
        token: String,
        /// SHA-256 of the secret that the hub has given the phone.
        phone: Hash,
        /// The shopper's loyalty number, if they gave one.
        #[serde(default)]
        member: Option<Member>,
        /// Their shopping list; empty for none. See [`crate::list`].
        #[serde(default)]
        list: Vec<String>,
    },
    /// The shopping list, as the shopper's phone has it now. As [`Order::Pair`], never stored.
    List {
        /// Its entries; empty for none.
        entries: Vec<String>,
    },
    /// Staff looked into the cart and let an unresolved thing go.
    ReleaseHold {
        /// Which.
        hold: crate::HoldId,
    },
}

/// What the hub wants the cart to be; retained.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Desired {
    /// [`VERSION`].
    pub v: u8,
    /// The catalogue new trips shall pin.
    pub catalogue: Hash,
    /// The receipt key, base64url of 32 bytes, so that the cart checks what it shows.
    pub receipt_key: String,
    /// Where a phone joins this cart, such as `https://carts.example/pair/cart-07`; `None` where phones cannot.
    #[serde(default)]
    pub pair_url: Option<String>,
}

/// How a phone may join this cart now; retained. Not about the shopper: there is none yet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pairing {
    /// [`VERSION`].
    pub v: u8,
    /// Milliseconds since 1970 when this run of the cart began; what an older run offered is void.
    pub boot_epoch: u64,
    /// What it offers; `None` while a trip runs, and where nobody has asked for it.
    pub offer: Option<Offer>,
}

/// The trip that a phone may begin, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Offer {
    /// The trip that would begin.
    pub trip: TripId,
    /// Digests of the tokens that are good, newest first: see [`crate::pairing::Token::digest`].
    pub tokens: Vec<Hash>,
}

/// The hub's birth and last will; retained.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HubState {
    /// [`VERSION`].
    pub v: u8,
    /// True at birth.
    pub online: bool,
    /// Milliseconds since 1970 when this run began.
    pub boot_epoch: u64,
}
