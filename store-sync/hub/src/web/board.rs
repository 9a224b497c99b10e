//! What the staff page shows, as plain values: whoever makes a board knows no HTML, and whoever
//! draws it knows no database.

use std::collections::BTreeMap;
use std::sync::Arc;

use trip::{CartId, Hash, HoldId, LaneId, LineId, TripId};

/// The carts whose shopper waits for help, and what staff may see of their screens.
pub type Screens = BTreeMap<CartId, Shown>;

/// What staff may see of a cart's screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nothing: the shopper does not let them, or has taken it back.
    ToNobody,
    /// The shopper lets them; no picture has come yet.
    Soon,
    /// The screen as it was.
    Picture(Picture),
}

/// A picture of a cart's screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Another for each picture of this run of the hub.
    pub number: u64,
    /// When it came, by the hub's clock in milliseconds since 1970. It waited nowhere on its way.
    pub at_ms: i64,
    /// The bytes of the PNG.
    pub png: Arc<[u8]>,
}

/// All of the page.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Board {
    /// The store's name.
    pub store: String,
    /// True while the broker answers.
    pub connected: bool,
    /// Payloads that were refused.
    pub refused: u64,
    /// What is wrong with the back office, if anything is.
    pub back_office: Option<OfficeAlarm>,
    /// Carts, those that need someone first.
    pub carts: Vec<CartCard>,
    /// Lanes, in the order of the configuration.
    pub lanes: Vec<LaneCard>,
    /// The last receipts, newest first.
    pub receipts: Vec<ReceiptLine>,
}

/// The back office does not take what it is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OfficeAlarm {
    /// What is wrong.
    pub trouble: OfficeTrouble,
    /// Since when the oldest message waits, by the store's clock.
    pub since: String,
    /// How many messages wait.
    pub waiting: u64,
}

/// What is wrong with the back office; its words are those that staff read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfficeTrouble {
    /// It does not answer.
    Unreachable,
    /// It answers, but takes nothing.
    Refuses {
        /// The status it answers with.
        status: u16,
    },
    /// It takes what it is told, and has not caught up.
    Behind,
}

impl std::fmt::Display for OfficeTrouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unreachable => f.write_str("back office unreachable"),
            Self::Refuses { status } => write!(f, "back office refuses what it is sent ({status})"),
            Self::Behind => f.write_str("back office behind"),
        }
    }
}

/// How a cart is, in one word; the order is the order of the board.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CartStatus {
    /// Two writers use its identity: nothing is taken from it until staff have looked.
    Fenced,
    /// Someone is waiting for help.
    Help,
    /// Someone is waiting for an age check.
    AgeCheck,
    /// It told of more after its basket was taken to a till.
    ToldMore,
    /// A device is out.
    Fault,
    /// In a trip with a battery below the reserve.
    BatteryLow,
    /// Goods have stood in it for a while, and nobody was there.
    LeftStanding,
    /// Off the line in the middle of a trip.
    LostInTrip,
    /// At the exit.
    AtExit,
    /// In a trip.
    Shopping,
    /// Paid; on its way out.
    Paid,
    /// Its basket is at a till; it has not ended its trip yet.
    AtTill,
    /// Charging.
    Charging,
    /// Nobody shops with it.
    Idle,
    /// Off the line.
    Offline,
    /// Shut out.
    Revoked,
}

impl CartStatus {
    /// True when nothing of it hinders its shopper: they go on by themselves, or wait for an age check.
    pub fn is_well(self) -> bool {
        matches!(self, Self::AgeCheck | Self::AtExit | Self::Shopping | Self::Paid)
    }
}

/// One cart.
#[derive(Clone, Debug, PartialEq)]
pub struct CartCard {
    /// Its name.
    pub cart: CartId,
    /// In one word.
    pub status: CartStatus,
    /// Why nothing is taken from it, if nothing is.
    pub alarm: Option<String>,
    /// Since when that matters (help, age check, offline), as a clock time in milliseconds since 1970.
    pub since_ms: Option<i64>,
    /// True once a member of staff goes there.
    pub gone_to: bool,
    /// True while its shopper lets staff see its screen.
    pub shared: bool,
    /// Charge in percent, when known.
    pub battery_percent: Option<u8>,
    /// For how many minutes that lasts, when known and not charging.
    pub battery_minutes: Option<u32>,
    /// For how many minutes goods have stood in it with nobody there.
    pub left_minutes: Option<u32>,
    /// Events that the hub does not have yet, when known.
    pub unsynced: u64,
    /// Devices that are out.
    pub faults: Vec<String>,
    /// Its basket, while it is in a trip.
    pub basket: Option<BasketCard>,
    /// Baskets of it that are at a till, while there is more to come or to look at.
    pub taken: Vec<TakenCard>,
}

/// A basket that was taken to a till.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenCard {
    /// Of which trip.
    pub trip: TripId,
    /// What the cart told of it afterwards and nobody has looked at, in words.
    pub late: Vec<String>,
    /// Names what it told, for who has looked at it.
    pub told: Hash,
}

/// One basket.
#[derive(Clone, Debug, PartialEq)]
pub struct BasketCard {
    /// The total, or that it cannot be told.
    pub total: String,
    /// Pieces and weighed things.
    pub items: u32,
    /// Each line: name, how much, price.
    pub lines: Vec<(String, String, String)>,
    /// Savings: label, amount.
    pub savings: Vec<(String, String)>,
    /// Lines that wait for an age check, with their names.
    pub age_checks: Vec<(LineId, String)>,
    /// What is unresolved, in words.
    pub holds: Vec<(HoldId, String)>,
}

/// One lane.
#[derive(Clone, Debug, PartialEq)]
pub struct LaneCard {
    /// Its name.
    pub lane: LaneId,
    /// True while the gate is open.
    pub gate_open: bool,
    /// The attempt it is busy with, or the last one.
    pub payment: Option<PaymentCard>,
    /// Carts that wait behind it.
    pub queue: Vec<CartId>,
}

/// One attempt.
#[derive(Clone, Debug, PartialEq)]
pub struct PaymentCard {
    /// Whose.
    pub cart: CartId,
    /// How much.
    pub amount: String,
    /// How far it is.
    pub state: crate::intent::IntentState,
}

/// One receipt.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiptLine {
    /// Its number.
    pub number: String,
    /// When, by the store's clock.
    pub at: String,
    /// How much.
    pub amount: String,
    /// With what.
    pub tender: String,
    /// Where.
    pub lane: String,
    /// True when the money was given back.
    pub void: bool,
}
