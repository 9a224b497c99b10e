//! A small shop for the targets: its names, goods, keys and one trip.

use std::sync::LazyLock;

use ed25519_dalek::SigningKey;
use trip::basket::{Evidence, Hold, HoldReason};
use trip::chain::Head;
use trip::event::{Ending, Outcome, Tender};
use trip::{
    CartId, Catalogue, Currency, Grams, Hash, HoldId, IntentId, LaneId, LineId, LineItem, Member, Money, Quantity,
    Record, Sku, StoreId, TripEvent, TripId, UnixMillis,
};

pub(crate) const GOODS: &str = include_str!("sample/goods.toml");

pub(crate) static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(|| right(Catalogue::parse(GOODS)));
pub(crate) static KEY: LazyLock<SigningKey> = LazyLock::new(|| SigningKey::from_bytes(&[7; 32]));

pub(crate) const EPOCH: u64 = 1_800_000_000_000;

/// The samples are right; a wrong one is a fault of this crate.
pub(crate) fn right<T, E: std::fmt::Display>(made: Result<T, E>) -> T {
    made.unwrap_or_else(|why| panic!("the sample is wrong: {why}"))
}

pub(crate) fn store() -> StoreId {
    right(StoreId::new("market-street"))
}

pub(crate) fn cart() -> CartId {
    right(CartId::new("cart-01"))
}

pub(crate) fn trip() -> TripId {
    right(TripId::new("cart-01.1800000000000.1"))
}

pub(crate) fn lane() -> LaneId {
    right(LaneId::new("lane-1"))
}

pub(crate) fn intent() -> IntentId {
    right(IntentId::new("i-0123456789abcdef01234567"))
}

pub(crate) fn sku(name: &str) -> Sku {
    right(Sku::new(name))
}

pub(crate) fn tender() -> Tender {
    Tender { kind: "visa".into(), reference: "B1.X".into() }
}

pub(crate) fn pounds(minor: i64) -> Money {
    Money::new(minor, Currency::GBP)
}

fn line(line: u32, name: &str, quantity: Quantity, grams: Option<i32>) -> TripEvent {
    let weight = grams.map(Grams);
    let item = LineItem { line: LineId(line), sku: sku(name), quantity, weight, evidence: Evidence::Scanned };
    TripEvent::ItemAdded { item }
}

/// A trip with one event of every kind.
pub(crate) fn trip_events() -> Vec<TripEvent> {
    let hold = |n: u32, reason| Hold {
        hold: HoldId(n),
        weight: Grams(250),
        reason,
        candidates: vec![sku("oat"), sku("apples")],
        lines: vec![LineId(1)],
        dip: Grams(12),
    };
    let basket = Hash::of(b"basket");
    vec![
        TripEvent::TripStarted { trip: trip(), catalogue: CATALOGUE.version, baseline: Grams(120) },
        TripEvent::ShopperPaired { member: Member::parse("96385074").ok(), phone: Some(Hash::of(b"phone")) },
        line(1, "oat", Quantity::Each(3), Some(3_090)),
        line(2, "apples", Quantity::Weighed(Grams(742)), Some(742)),
        line(3, "cheese", Quantity::Priced(499), None),
        TripEvent::OwnThing { weight: Grams(300) },
        TripEvent::ItemHeld { hold: hold(1, HoldReason::Unsure) },
        TripEvent::HoldResolved { hold: HoldId(1), outcome: Outcome::Added },
        TripEvent::ItemHeld { hold: hold(2, HoldReason::Swapped) },
        TripEvent::HoldResolved { hold: HoldId(2), outcome: Outcome::Staff },
        TripEvent::ItemRemoved { line: LineId(1), pieces: 1, weight: Some(Grams(-1_030)) },
        TripEvent::HelpCalled,
        TripEvent::ScreenShared,
        TripEvent::ScreenUnshared,
        TripEvent::StaffComing,
        TripEvent::HelpEnded,
        TripEvent::AgeCheckAsked { line: LineId(3) },
        TripEvent::AgeChecked { line: LineId(3), approved: true },
        TripEvent::BasketLocked { version: 1, lane: lane(), total: pounds(1_032), basket },
        TripEvent::PaymentStarted { intent: intent() },
        TripEvent::PaymentDeclined { intent: intent() },
        TripEvent::BasketUnlocked { version: 1 },
        TripEvent::BasketLocked { version: 2, lane: lane(), total: pounds(1_032), basket },
        TripEvent::PaymentStarted { intent: intent() },
        TripEvent::PaymentApproved { intent: intent(), amount: pounds(1_032), tender: tender() },
        TripEvent::ReceiptStored { number: "market-street-1".into(), digest: Hash::of(b"receipt") },
        TripEvent::TripClosed { ending: Ending::Paid },
    ]
}

/// `events` as a journal has them, and its end.
pub(crate) fn chained(events: &[TripEvent]) -> (Vec<String>, Head) {
    let mut head = Head::default();
    let mut texts = Vec::new();
    for event in events {
        let record = Record {
            v: 1,
            store: store(),
            cart: cart(),
            epoch: EPOCH,
            seq: head.seq + 1,
            at: UnixMillis(1_800_000_000_000),
            prev: head.hash,
            event: event.clone(),
        };
        let text = record.encode();
        head = Head { seq: record.seq, hash: Hash::of(text.as_bytes()) };
        texts.push(text);
    }
    (texts, head)
}

/// As it goes over the line or into a file.
pub(crate) fn json(message: &impl serde::Serialize) -> Vec<u8> {
    right(serde_json::to_vec(message))
}
