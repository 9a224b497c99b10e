//! What cart and hub say to each other: JSON, with the version in every payload.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::bounds::{
    Bounded, MAX_DEVICES, MAX_LOOK_BYTES, MAX_NAME, MAX_PAYLOAD_BYTES, MAX_RECORD_BYTES, MAX_RECORDS, MAX_WORDS,
    OutOfBounds, at_most, total,
};
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

/// A picture of the cart's screen, for staff whom its shopper lets see it. It is sent only then, is kept by nobody, and
/// one that is lost is missed by nobody. What the cameras see is not on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Look {
    /// [`VERSION`].
    pub v: u8,
    /// A PNG of at most [`crate::bounds::MAX_LOOK_WIDTH`] × [`crate::bounds::MAX_LOOK_HEIGHT`] pixels, as unpadded base64url.
    pub png: String,
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
    /// Staff took the basket to a till: the trip is over here, and nothing of it is paid at a lane.
    Transfer,
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

/// Why a payload is not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not the JSON of the message that belongs on its topic.
    #[error("the payload cannot be read: {0}")]
    Form(#[from] serde_json::Error),
    /// A later form.
    #[error("the payload has version {0}, and this program knows {VERSION}")]
    Version(u8),
    /// Larger than it may be.
    #[error(transparent)]
    Bounds(#[from] OutOfBounds),
}

/// A message as it lies in a payload of its own.
pub trait Message: DeserializeOwned + Bounded {
    /// Its version.
    fn version(&self) -> u8;
}

/// Reads a payload: whole, of this version and within [`crate::bounds`], or not at all.
///
/// # Errors
/// [`ReadError`] says what is wrong with it.
pub fn read<M: Message>(payload: &[u8]) -> Result<M, ReadError> {
    at_most("the payload in bytes", payload.len(), MAX_PAYLOAD_BYTES)?;
    let message: M = serde_json::from_slice(payload)?;
    if message.version() != VERSION {
        return Err(ReadError::Version(message.version()));
    }
    message.check()?;
    Ok(message)
}

macro_rules! message {
    ($($name:ident: $check:expr;)*) => {
        $(
            impl Message for $name {
                fn version(&self) -> u8 {
                    self.v
                }
            }

            impl Bounded for $name {
                fn check(&self) -> Result<(), OutOfBounds> {
                    let check: fn(&$name) -> Result<(), OutOfBounds> = $check;
                    check(self)
                }
            }
        )*
    };
}

/// Most tokens that a cart offers at once.
const MAX_TOKENS: usize = 16;
/// The longest signed receipt, in bytes of base64url, and the longest text of its QR.
const MAX_RECEIPT: usize = 256 * 1024;
const MAX_QR: usize = 8 * 1024;

message! {
    Batch: |batch| {
        at_most("a batch's records", batch.records.len(), MAX_RECORDS)?;
        batch.records.iter().try_for_each(|text| at_most("a record in bytes", text.len(), MAX_RECORD_BYTES))
    };
    Signed: |signed| at_most("a signature in bytes", signed.signature.len(), MAX_NAME);
    Ack: |_| Ok(());
    Presence: |_| Ok(());
    Look: |look| at_most("a picture of a screen in bytes of base64", look.png.len(), MAX_LOOK_BYTES.div_ceil(3) * 4);
    HubState: |_| Ok(());
    Telemetry: |telemetry| {
        at_most("the devices that are out", telemetry.faults.len(), MAX_DEVICES)?;
        telemetry.faults.iter().try_for_each(|fault| at_most("a device's name in bytes", fault.len(), MAX_NAME))?;
        at_most("the program's version in bytes", telemetry.version.len(), MAX_NAME)?;
        at_most("the battery in percent", telemetry.battery_percent.unwrap_or(0), 100)
    };
    Desired: |desired| {
        at_most("the receipt key in bytes", desired.receipt_key.len(), MAX_NAME)?;
        at_most("the address for phones in bytes", desired.pair_url.as_ref().map_or(0, String::len), MAX_WORDS)
    };
    Pairing: |pairing| at_most("the offered tokens", pairing.offer.as_ref().map_or(0, |o| o.tokens.len()), MAX_TOKENS);
    Command: |command| {
        at_most("a command's name in bytes", command.id.len(), MAX_NAME)?;
        order_bounds(&command.order)
    };
}

fn order_bounds(order: &Order) -> Result<(), OutOfBounds> {
    let words = |text: &str| at_most("the words in bytes", text.len(), MAX_WORDS);
    let entries = |list: &[String]| {
        at_most("the shopping list's entries", list.len(), crate::list::MOST_ENTRIES)?;
        list.iter().try_for_each(|entry| at_most("an entry in bytes", entry.len(), 4 * crate::list::LONGEST_ENTRY))
    };
    match order {
        Order::RefuseLock { why, .. } | Order::Declined { why, .. } => words(why),
        Order::Paid { amount, tender, .. } => {
            total("the amount paid", *amount)?;
            at_most("the tender's kind in bytes", tender.kind.len(), MAX_NAME)?;
            at_most("the tender's reference in bytes", tender.reference.len(), MAX_NAME)
        }
        Order::Receipt { number, cose, qr, .. } => {
            at_most("a receipt's number in bytes", number.len(), MAX_NAME)?;
            at_most("a receipt in bytes", cose.len(), MAX_RECEIPT)?;
            at_most("a receipt's QR in bytes", qr.len(), MAX_QR)
        }
        Order::Pair { token, list, .. } => {
            at_most("a token in bytes", token.len(), MAX_NAME)?;
            entries(list)
        }
        Order::List { entries: list } => entries(list),
        Order::AwaitTap { .. }
        | Order::Checking { .. }
        | Order::EndHelp
        | Order::OnTheWay
        | Order::Queue { .. }
        | Order::AgeChecked { .. }
        | Order::ReleaseHold { .. }
        | Order::Transfer => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn telemetry(faults: usize, percent: u8) -> Telemetry {
        Telemetry {
            v: VERSION,
            at: UnixMillis(0),
            battery_percent: Some(percent),
            charging: false,
            unsynced: 0,
            faults: vec!["camera 0".into(); faults],
            version: "0.1.0".into(),
            battery_minutes: None,
            battery_low: false,
            left_minutes: None,
        }
    }

    fn said<M: Message>(payload: &[u8]) -> String {
        read::<M>(payload).err().map(|e| e.to_string()).unwrap_or_default()
    }

    #[test]
    fn a_payload_is_taken_whole_or_refused_by_name() {
        let check = |message: &Telemetry, expected: &str| {
            let said = said::<Telemetry>(&serde_json::to_vec(message).expect("plain fields"));
            assert!(said.contains(expected) && said.is_empty() == expected.is_empty(), "{said}");
        };
        check(&telemetry(2, 100), "");
        check(&telemetry(MAX_DEVICES + 1, 5), "the devices that are out is 65");
        check(&telemetry(1, 101), "battery in percent");
        check(&Telemetry { v: 2, ..telemetry(1, 1) }, "version 2");
        check(&Telemetry { version: "9".repeat(MAX_NAME + 1), ..telemetry(1, 1) }, "version in bytes");
    }

    #[test]
    fn a_large_or_deep_payload_is_refused_before_it_costs_anything() {
        let large = vec![b' '; MAX_PAYLOAD_BYTES + 1];
        assert!(said::<HubState>(&large).contains("payload in bytes"), "{}", said::<HubState>(&large));
        let deep = [br#"{"v":1,"online":"#.to_vec(), b"[".repeat(200_000)].concat();
        assert!(!said::<HubState>(&deep).is_empty());
        // A key nobody knows is passed over, however deep its value is, and costs no stack.
        let deep = [
            &br#"{"v":1,"online":true,"boot_epoch":1,"later":"#[..],
            &b"[".repeat(100_000),
            &b"]".repeat(100_000),
            b"}",
        ];
        assert_eq!(said::<HubState>(&deep.concat()), "");
    }

    #[test]
    fn a_batch_has_no_more_records_than_a_cart_sends() {
        let batch =
            |records: Vec<String>| Batch { v: VERSION, cart: CartId::new("c").expect("valid"), epoch: 1, records };
        assert!(batch(vec![String::new(); MAX_RECORDS]).check().is_ok());
        assert!(batch(vec![String::new(); MAX_RECORDS + 1]).check().is_err());
        assert!(batch(vec!["x".repeat(MAX_RECORD_BYTES + 1)]).check().is_err());
    }
}
