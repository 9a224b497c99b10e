//! All that the screen shows, as one value. The screen has no rules of its own.
//!
//! Money and grams are exact values; the screen writes them by its language.

use cart_vision::Thumbnail;
use trip::basket::{Evidence, HoldReason};
use trip::{Allergen, Detail, Grams, HoldId, LineId, Money, Quantity, Sku, UnixMillis};

use crate::input::Device;

mod find;
mod start;
mod waiting;

pub use find::{MapView, OfferView, OffersView, ProductView, UnitPrice};
pub use start::{EntryView, Joined, ListView, StartView};
pub use waiting::{AgeWait, Waiting};

/// The whole picture.
#[derive(Clone, Debug, PartialEq)]
pub struct View {
    /// The store's name.
    pub store_name: String,
    /// Which screen.
    pub screen: Screen,
    /// The slim bar under the header, most urgent first; at most one is shown.
    pub banner: Option<Banner>,
    /// All that is not as usual, most urgent first; the banner is the first of them.
    pub notices: Vec<Banner>,
    /// True while the hub answers.
    pub connected: bool,
    /// For how many whole minutes it has not; `None` while it answers.
    pub offline_minutes: Option<u32>,
    /// State of charge in percent and whether it charges; `None` when it cannot be read.
    pub battery: Option<(u8, bool)>,
    /// Minutes until it is empty; while charging until the cart may be taken, and then until it is full.
    /// `None` while the rate is not known.
    pub battery_minutes: Option<u32>,
    /// True while the charge is enough for a new trip, or not known.
    pub battery_ready: bool,
    /// The running total: what would be charged now.
    pub total: Money,
    /// Pieces and weighed things in the basket, without what is held.
    pub items: u32,
    /// What promotions save.
    pub saved: Money,
    /// Known lines, newest first.
    pub lines: Vec<LineView>,
    /// What is held, newest first; shown above the lines, never charged.
    pub holds: Vec<HoldView>,
    /// The question on the sheet, if one is open.
    pub ask: Option<AskView>,
    /// The chip after a removal, for six seconds.
    pub taken_out: Option<TakenOut>,
    /// The lane the cart stands at; the pay button needs one.
    pub lane: Option<String>,
    /// Why the way to payment is shut; `None` when it is open.
    pub pay_blocked: Option<PayBlocked>,
    /// True while help is called.
    pub help_called: bool,
    /// True while staff may see this screen.
    pub shared: bool,
    /// How long a person is waited for.
    pub waiting: Waiting,
    /// Seconds left to say that somebody is there, while "Still shopping?" is asked.
    pub still_there: Option<u32>,
    /// What the shopper wants to spend at most.
    pub budget: Option<Money>,
    /// What the shopper wants to be told of, in the order of the annex.
    pub watched: Vec<Allergen>,
    /// Who shops, as far as they said.
    pub joined: Joined,
    /// Entries of the shopping list that are ticked, and all; `None` without a list.
    pub list: Option<(u32, u32)>,
    /// How many offers the store has that save something; they are shown when asked for.
    pub offers: u32,
}

/// Which screen, and what only that screen needs.
#[derive(Clone, Debug, PartialEq)]
pub enum Screen {
    /// Nobody shops yet.
    Welcome,
    /// How to begin: by phone, by loyalty number, as a guest.
    Start(StartView),
    /// Lines, total, and the ask sheet when a question is open.
    Basket,
    /// Find a product by name or number, for the open question or for its own sake.
    Search(SearchView),
    /// A weighed product before it is added.
    Weigh(WeighView),
    /// The shopping list.
    List(ListView),
    /// What is known of a line.
    Item(Box<ItemView>),
    /// A product of the catalogue, and where it stands.
    Product(Box<ProductView>),
    /// What is on offer.
    Offers(OffersView),
    /// At the lane.
    Pay(PayView),
    /// Paid; the receipt.
    Receipt(Box<ReceiptView>),
    /// The trip is over and forgotten; for a moment, before the next.
    Goodbye,
    /// On a charger, with no trip.
    Charging,
    /// Below the reserve, off the charger, with no trip: please take another.
    LowBattery,
}

/// A short line that something is not as usual.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Banner {
    /// "Working offline. Your basket is safe."
    Offline,
    /// A device is out: what still works is said in words.
    DeviceOut(Device),
    /// This camera gives pictures that show nothing.
    CameraCovered(u8),
    /// The scale moves: "Hold still for a moment."
    Unsteady,
    /// The cart stands on too steep a slope to weigh.
    Tilted,
    /// The load is above what the scale can weigh.
    Overloaded,
    /// Below the reserve: finish, or hand over.
    BatteryLow(u8),
    /// The shopper's budget is reached. Nothing stops.
    BudgetReached,
    /// The exit lane could not take the basket; staff are told.
    LaneRefused,
    /// Help is called: for how long is in [`Waiting`].
    HelpCalled,
    /// A member of staff will look at the buyer's age before payment.
    AgeCheck,
}

/// One known line.
#[derive(Clone, Debug, PartialEq)]
pub struct LineView {
    /// Its number; stable while it is there.
    pub line: LineId,
    /// Its product.
    pub sku: Sku,
    /// What people call it.
    pub name: String,
    /// How much.
    pub quantity: Quantity,
    /// Price of a piece or a kilogram; `None` for a priced code.
    pub unit: Option<Money>,
    /// Price of the line, with deposit.
    pub price: Money,
    /// The deposit in it.
    pub deposit: Money,
    /// Why it is here.
    pub evidence: Evidence,
    /// True while an age check is open for it.
    pub age_check: bool,
    /// True for the line that came in last, for its flash.
    pub fresh: bool,
    /// What the shopper watches for and is, or may be, in it.
    pub warned: Vec<Allergen>,
}

/// A line, and what is known of its product.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemView {
    /// The line as in the basket.
    pub line: LineView,
    /// What the scale felt; `None` when it was out.
    pub weight: Option<Grams>,
    /// Where it stands, such as `A3`.
    pub aisle: Option<String>,
    /// Least age of the buyer in years; 0 for everyone.
    pub min_age: u8,
    /// What is in it; `None` where the store does not know.
    pub detail: Option<Detail>,
}

/// One held thing.
#[derive(Clone, Debug, PartialEq)]
pub struct HoldView {
    /// Its number.
    pub hold: HoldId,
    /// What the scale felt.
    pub weight: Grams,
    /// Why.
    pub reason: HoldReason,
    /// What the cart saw.
    pub thumbnail: Option<Thumbnail>,
}

/// A question.
#[derive(Clone, Debug, PartialEq)]
pub struct AskView {
    /// The hold it is about.
    pub hold: HoldId,
    /// Why it is asked.
    pub reason: HoldReason,
    /// What the scale felt; negative for a removal.
    pub weight: Grams,
    /// What the cart saw.
    pub thumbnail: Option<Thumbnail>,
    /// At most four tiles, best first.
    pub tiles: Vec<Tile>,
    /// What the question waits for, once the shopper has said so.
    pub waits_for: WaitsFor,
    /// True when "it's my own" may be an answer.
    pub may_be_own: bool,
}

/// What an open question waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// A tap.
    Answer,
    /// A barcode: "Show its code to the camera".
    Code,
    /// The weight to leave: "Take it out now".
    Removal,
}

/// One answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Tile {
    /// The product.
    pub sku: Sku,
    /// What people call it.
    pub name: String,
    /// What it would cost by the weight felt, or a piece; for a removal, what comes off.
    pub price: Money,
    /// The line, when the question is which was taken out, or for which this came in.
    pub line: Option<LineId>,
    /// What it came in for, when the question is about a swap.
    pub instead_of: Option<String>,
    /// True when the price is that of a kilogram.
    pub per_kg: bool,
}

/// The search.
#[derive(Clone, Debug, PartialEq)]
pub struct SearchView {
    /// What has been typed.
    pub text: String,
    /// True when what is chosen answers a question; else it is only shown.
    pub asked: bool,
    /// What fits, best first, at most twelve.
    pub found: Vec<Tile>,
}

/// A weighed product before it is added. No price is shown from an unsteady weight.
#[derive(Clone, Debug, PartialEq)]
pub struct WeighView {
    /// The product.
    pub sku: Sku,
    /// What people call it.
    pub name: String,
    /// Gross weight.
    pub gross: Grams,
    /// Tare.
    pub tare: Grams,
    /// The bags and trays to choose from; all lighter than the goods.
    pub tares: Vec<TareView>,
    /// Net weight: gross less tare.
    pub net: Grams,
    /// Price of a kilogram.
    pub per_kg: Money,
    /// What it costs; `None` while unsteady.
    pub price: Option<Money>,
}

/// A bag or tray on the weigh screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TareView {
    /// Its place among the setup's tares, from 0.
    pub number: usize,
    /// What people call it.
    pub name: String,
    /// What it weighs.
    pub weight: Grams,
    /// True for the one taken off.
    pub chosen: bool,
}

/// At the lane.
#[derive(Clone, Debug, PartialEq)]
pub struct PayView {
    /// What will be charged.
    pub amount: Money,
    /// Where.
    pub lane: String,
    /// How far it is.
    pub step: PayStep,
    /// True while the hub does not answer: the payment goes on when it does, and never twice.
    pub offline: bool,
}

/// How far a payment is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayStep {
    /// The lane is told; a moment.
    Preparing,
    /// "Hold your card or phone to the lane's reader."
    Tap,
    /// The terminal has not answered; it is asked. Nothing is charged twice.
    Checking,
    /// "That didn't go through. Nothing was charged."
    Declined,
    /// Approved; the receipt is on its way.
    Approved,
}

/// The receipt.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiptView {
    /// Its number.
    pub number: String,
    /// What was charged.
    pub charged: Money,
    /// Its lines: name, how much, price.
    pub lines: Vec<LineView>,
    /// What promotions saved: label and amount.
    pub savings: Vec<(String, Money)>,
    /// Taxes contained: letter, rate in hundredths of a percent, tax.
    pub taxes: Vec<(char, u32, Money)>,
    /// With what it was paid.
    pub tender: String,
    /// The QR's text; `None` until the hub has sent it.
    pub qr: Option<String>,
    /// When it was paid, by the hub's clock; `None` until its signed word is there.
    pub at: Option<UnixMillis>,
}

/// A removal, told for six seconds.
#[derive(Clone, Debug, PartialEq)]
pub struct TakenOut {
    /// What went.
    pub name: String,
    /// What came off the total.
    pub price: Money,
}

/// Why payment is shut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PayBlocked {
    /// Nothing is in the basket.
    Empty,
    /// Something is unresolved: it is settled before the lane.
    Unresolved,
    /// Staff must look at the buyer's age.
    AgeCheck,
    /// No lane is near.
    NoLane,
    /// The hub does not answer, and payment needs it.
    Offline,
    /// The scale has not come to rest.
    Unsteady,
}
