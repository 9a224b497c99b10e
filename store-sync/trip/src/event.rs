//! What happened, in the past tense. The list of these is the truth; all else is its replay.

use serde::{Deserialize, Serialize};

use crate::basket::{Hold, LineItem};
use crate::{Grams, Hash, HoldId, IntentId, LaneId, LineId, Member, Money, TripId};

/// How a hold ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It became one or more lines (their `ItemAdded` come in the same batch).
    Added,
    /// It was taken out again.
    TakenOut,
    /// A removal was matched to a line (its `ItemRemoved` comes in the same batch).
    Removed,
    /// Nothing had happened after all (the scan was dropped, the weight came back).
    Dropped,
    /// It is the shopper's own (its [`TripEvent::OwnThing`] comes in the same batch).
    Own,
    /// Staff looked at it and let it go.
    Staff,
}

/// What the terminal said of a payment, without any card data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tender {
    /// The scheme or kind, such as `visa` or `contactless`.
    pub kind: String,
    /// The terminal's own reference, for disputes.
    pub reference: String,
}

/// Why a trip ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// Paid and receipted.
    Paid,
    /// Nothing was in the basket.
    Empty,
    /// Left standing; staff put the goods back.
    Abandoned,
    /// Staff took the basket to a till, by what the hub had of it.
    Transferred,
}

/// One thing that happened on a trip.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum TripEvent {
    /// The journal before this one did not hold and was set aside: what comes next is what of its running trip
    /// was whole. Written as the first record, so that the store knows, also when no trip was running.
    JournalReplaced {
        /// Which journal was set aside.
        epoch: u64,
        /// The last of its records that held.
        kept: u64,
    },
    /// A shopper began. The catalogue is pinned: later price changes do not touch this trip.
    TripStarted {
        /// The new trip.
        trip: TripId,
        /// Version of the catalogue whose prices hold for the whole trip.
        catalogue: Hash,
        /// What the scale carried already, in grams: the shopper's own bags. After a restart the
        /// basket is recounted against it.
        baseline: Grams,
    },
    /// A shopper who is no guest joined the trip, in the batch that began it. What they mean to buy is not
    /// written down here: it is theirs, and a journal is kept.
    ShopperPaired {
        /// Their loyalty number; its check digit is right, and nobody has looked it up yet.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        member: Option<Member>,
        /// SHA-256 of the secret by which the hub knows the phone that may follow this trip.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        phone: Option<Hash>,
    },
    /// The shopper's own thing, such as a bag, was laid in during the trip, or taken out again.
    OwnThing {
        /// What the scale felt, in grams; negative when it went out.
        weight: Grams,
    },
    /// A line came in.
    ItemAdded {
        /// The whole line.
        item: LineItem,
    },
    /// A line, or some of its pieces, went out.
    ItemRemoved {
        /// Which line.
        line: LineId,
        /// Pieces taken; all of a weighed or priced line goes at once, with 1.
        pieces: u32,
        /// What the scale felt, in grams, negative; `None` when it was out.
        weight: Option<Grams>,
    },
    /// Something is unresolved: asked or held, never charged.
    ItemHeld {
        /// The whole hold.
        hold: Hold,
    },
    /// A hold ended.
    HoldResolved {
        /// Which.
        hold: HoldId,
        /// How.
        outcome: Outcome,
    },
    /// The shopper called for help.
    HelpCalled,
    /// Staff, or the shopper, ended the call.
    HelpEnded,
    /// The shopper lets staff see the cart's screen until help ends, or until they take it back.
    ScreenShared,
    /// The shopper took it back, or staff mode was opened over the screen. What ends help, or the trip, ends it too.
    ScreenUnshared,
    /// A member of staff is on the way to this cart: to help, or to look at the buyer's age.
    StaffComing,
    /// Staff must approve an age-restricted product before payment.
    AgeCheckAsked {
        /// The line that needs it.
        line: LineId,
    },
    /// Staff approved (true) or refused (false; the line is then removed, not the trip).
    AgeChecked {
        /// The line.
        line: LineId,
        /// Whether it may be sold.
        approved: bool,
    },
    /// The basket stands still at a lane; this is what will be charged, no more and no less.
    BasketLocked {
        /// Counts lockings of this trip, from 1: a later lock is another basket.
        version: u32,
        /// Where.
        lane: LaneId,
        /// The total shown, which is the total charged.
        total: Money,
        /// [`crate::pricing::basket_hash`] of the priced basket.
        basket: Hash,
    },
    /// Back to shopping: the lock, and any payment for it, is void.
    BasketUnlocked {
        /// The version that is void.
        version: u32,
    },
    /// The lane's terminal waits for a tap.
    PaymentStarted {
        /// Which attempt.
        intent: IntentId,
    },
    /// The terminal refused, or the shopper went away; nothing was charged.
    PaymentDeclined {
        /// Which attempt.
        intent: IntentId,
    },
    /// The terminal approved and the hub has committed it.
    PaymentApproved {
        /// Which attempt.
        intent: IntentId,
        /// What was charged.
        amount: Money,
        /// With what.
        tender: Tender,
    },
    /// The signed receipt is on the cart.
    ReceiptStored {
        /// The receipt's number.
        number: String,
        /// SHA-256 of its signed bytes.
        digest: Hash,
    },
    /// The trip is over; the screen forgets it.
    TripClosed {
        /// Why.
        ending: Ending,
    },
}
