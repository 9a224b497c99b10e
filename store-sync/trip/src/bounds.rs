//! How large anything on the line or in a file may be.
//!
//! A number without an end is a fault that waits: a sum overflows, a page never finishes, a disk is full. So each
//! message and each event has bounds here, far above what a shop ever needs and far below what hurts, and what is
//! beyond them is refused whole. A [`Bounded`] thing is checked where it comes in: see [`crate::message::read`]
//! and the hub's ingest.

use crate::basket::{Hold, LineItem};
use crate::{Grams, Money, Quantity, TripEvent, TripState};

/// The largest payload on the line, in bytes: a batch of a few hundred events, with room.
pub const MAX_PAYLOAD_BYTES: usize = 512 * 1024;
/// The largest encoded record, in bytes. The largest one there is, a hold with four candidates of 64 letters,
/// has about a thousand.
pub const MAX_RECORD_BYTES: usize = 4 * 1024;
/// Most records in one batch.
pub const MAX_RECORDS: usize = 64;
/// Most lines in a basket, and most things held or asked about in it. A full trolley has some 150.
pub const MAX_LINES: usize = 1_000;
/// Most pieces of a line.
pub const MAX_PIECES: u32 = 1_000;
/// Most pieces of a basket.
pub const MAX_BASKET_PIECES: u64 = 10_000;
/// The heaviest load, in grams: a tonne, ten times what a trolley carries.
pub const MAX_GRAMS: i32 = 1_000_000;
/// No price is above this, in minor units: dearer is a slip of the pen.
pub const MAX_PRICE: i64 = 100_000_000;
/// No total is above this, in minor units. Floats, in which terminals speak, are exact far beyond it.
pub const MAX_TOTAL: i64 = 10_000_000_000;
/// Longest words for people, in bytes.
pub const MAX_WORDS: usize = 500;
/// Longest name or reference that another program gives, in bytes.
pub const MAX_NAME: usize = 200;
/// Most alternatives of a hold.
pub const MAX_CHOICES: usize = 16;
/// The largest picture of a cart's screen, in bytes of PNG.
pub const MAX_LOOK_BYTES: usize = 192 * 1024;
/// The widest and the tallest picture of a cart's screen, in pixels.
pub const MAX_LOOK_WIDTH: u32 = 640;
/// See [`MAX_LOOK_WIDTH`]: a screen that stands upright is 800×1280.
pub const MAX_LOOK_HEIGHT: u32 = 1_024;
/// Most devices that a cart tells of.
pub const MAX_DEVICES: usize = 64;
/// Largest catalogue, in bytes.
pub const MAX_CATALOGUE_BYTES: usize = 64 * 1024 * 1024;
/// Most products of a catalogue.
pub const MAX_PRODUCTS: usize = 500_000;
/// Most promotions, taxes or in-store prefixes of a catalogue.
pub const MAX_RULES: usize = 10_000;

// A basket of the dearest goods stays far from overflow before it is refused.
const _: () = assert!(MAX_PRICE as i128 * MAX_BASKET_PIECES as i128 * 4 < i64::MAX as i128);
// A picture as base64, and what stands around it, still is a payload.
const _: () = assert!(MAX_LOOK_BYTES * 4 / 3 + 1024 <= MAX_PAYLOAD_BYTES);
// A batch whose every sign is escaped twice still is a payload.
const _: () = assert!(MAX_RECORD_BYTES * MAX_RECORDS * 2 <= MAX_PAYLOAD_BYTES);

/// Something is larger than it may be.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{what} is {found}, and no more than {most} is allowed")]
pub struct OutOfBounds {
    /// What.
    pub what: &'static str,
    /// How large it is.
    pub found: i128,
    /// How large it may be.
    pub most: i128,
}

/// What can be too large.
pub trait Bounded {
    /// Says what is too large, if anything is.
    ///
    /// # Errors
    /// [`OutOfBounds`] names it, and what is allowed.
    fn check(&self) -> Result<(), OutOfBounds>;
}

/// `found` is at most `most`.
///
/// # Errors
/// [`OutOfBounds`] names `what`.
pub fn at_most(what: &'static str, found: impl TryInto<i128>, most: impl TryInto<i128>) -> Result<(), OutOfBounds> {
    let (found, most) = (found.try_into().unwrap_or(i128::MAX), most.try_into().unwrap_or(i128::MAX));
    if found <= most { Ok(()) } else { Err(OutOfBounds { what, found, most }) }
}

/// A weight that a scale of ours can feel, either way.
///
/// # Errors
/// [`OutOfBounds`] names `what`.
pub fn weight(what: &'static str, grams: Grams) -> Result<(), OutOfBounds> {
    at_most(what, i64::from(grams.0).abs(), MAX_GRAMS)
}

/// An amount that is 0 or more, and no more than a till takes.
///
/// # Errors
/// [`OutOfBounds`] names `what`.
pub fn total(what: &'static str, amount: Money) -> Result<(), OutOfBounds> {
    at_most(what, amount.minor, MAX_TOTAL)?;
    if amount.minor < 0 {
        Err(OutOfBounds { what, found: amount.minor.into(), most: MAX_TOTAL.into() })
    } else {
        Ok(())
    }
}

impl Bounded for Quantity {
    fn check(&self) -> Result<(), OutOfBounds> {
        match self {
            Self::Each(pieces) => at_most("a line's pieces", *pieces, MAX_PIECES),
            Self::Weighed(net) => weight("a line's net weight in grams", *net),
            Self::Priced(minor) => at_most("a line's printed price", minor.unsigned_abs(), MAX_PRICE),
        }
    }
}

impl Bounded for LineItem {
    fn check(&self) -> Result<(), OutOfBounds> {
        self.quantity.check()?;
        self.weight.map_or(Ok(()), |grams| weight("a line's weight in grams", grams))
    }
}

impl Bounded for Hold {
    fn check(&self) -> Result<(), OutOfBounds> {
        weight("a hold's weight in grams", self.weight)?;
        weight("a hold's dip in grams", self.dip)?;
        at_most("a hold's candidates", self.candidates.len(), MAX_CHOICES)?;
        at_most("a hold's lines", self.lines.len(), MAX_CHOICES)
    }
}

impl Bounded for TripEvent {
    fn check(&self) -> Result<(), OutOfBounds> {
        match self {
            Self::TripStarted { baseline, .. } => weight("the load at the start in grams", *baseline),
            Self::OwnThing { weight: grams } => weight("an own thing's weight in grams", *grams),
            Self::ItemAdded { item } => item.check(),
            Self::ItemRemoved { pieces, weight: felt, .. } => {
                at_most("the pieces taken out", *pieces, MAX_PIECES)?;
                felt.map_or(Ok(()), |grams| weight("the weight taken out in grams", grams))
            }
            Self::ItemHeld { hold } => hold.check(),
            Self::BasketLocked { total: locked, .. } => total("the locked total", *locked),
            Self::PaymentApproved { amount, tender, .. } => {
                total("the approved amount", *amount)?;
                at_most("the tender's kind in bytes", tender.kind.len(), MAX_NAME)?;
                at_most("the tender's reference in bytes", tender.reference.len(), MAX_NAME)
            }
            Self::ReceiptStored { number, .. } => at_most("a receipt's number in bytes", number.len(), MAX_NAME),
            Self::JournalReplaced { .. }
            | Self::ShopperPaired { .. }
            | Self::HoldResolved { .. }
            | Self::HelpCalled
            | Self::HelpEnded
            | Self::ScreenShared
            | Self::ScreenUnshared
            | Self::StaffComing
            | Self::AgeCheckAsked { .. }
            | Self::AgeChecked { .. }
            | Self::BasketUnlocked { .. }
            | Self::PaymentStarted { .. }
            | Self::PaymentDeclined { .. }
            | Self::TripClosed { .. } => Ok(()),
        }
    }
}

impl Bounded for TripState {
    fn check(&self) -> Result<(), OutOfBounds> {
        at_most("the basket's lines", self.basket.lines.len(), MAX_LINES)?;
        at_most("the basket's holds", self.basket.holds.len(), MAX_LINES)?;
        at_most("the shopper's own things", self.own.len(), MAX_LINES)?;
        at_most("the open age checks", self.age_checks.len(), MAX_LINES)?;
        at_most("the approved age checks", self.age_approved.len(), MAX_LINES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basket::Evidence;
    use crate::event::Tender;
    use crate::{Currency, IntentId, LineId, Sku};

    fn line(quantity: Quantity, weight: i32) -> TripEvent {
        let sku = Sku::new("oat").expect("valid");
        let weight = Some(Grams(weight));
        TripEvent::ItemAdded { item: LineItem { line: LineId(1), sku, quantity, weight, evidence: Evidence::Scanned } }
    }

    #[test]
    fn an_event_beyond_all_shops_names_what_is_too_large() {
        let check = |event: TripEvent, expected: Option<&str>| {
            let said = event.check().err().map(|e| e.to_string());
            assert_eq!(
                said.as_deref().map(|said| expected.is_some_and(|part| said.contains(part))),
                expected.map(|_| true),
                "{event:?}: {said:?}"
            );
        };
        check(line(Quantity::Each(12), 500), None);
        check(line(Quantity::Each(MAX_PIECES), MAX_GRAMS), None);
        check(line(Quantity::Each(MAX_PIECES + 1), 1), Some("pieces is 1001"));
        check(line(Quantity::Each(u32::MAX), 1), Some("pieces"));
        check(line(Quantity::Weighed(Grams(i32::MIN)), 1), Some("net weight"));
        check(line(Quantity::Priced(i64::MIN), 1), Some("printed price"));
        check(line(Quantity::Each(1), i32::MIN), Some("weight in grams"));
        check(TripEvent::OwnThing { weight: Grams(i32::MAX) }, Some("own thing"));
        let holds = |n: usize| TripEvent::ItemHeld {
            hold: Hold { candidates: vec![Sku::new("oat").expect("valid"); n], ..Hold::default() },
        };
        check(holds(MAX_CHOICES), None);
        check(holds(MAX_CHOICES + 1), Some("candidates"));
        let paid = |minor, kind: usize| TripEvent::PaymentApproved {
            intent: IntentId::new("i-1").expect("valid"),
            amount: Money::new(minor, Currency::GBP),
            tender: Tender { kind: "x".repeat(kind), reference: "r".into() },
        };
        check(paid(MAX_TOTAL, MAX_NAME), None);
        check(paid(MAX_TOTAL + 1, 1), Some("approved amount"));
        check(paid(-1, 1), Some("approved amount"));
        check(paid(1, MAX_NAME + 1), Some("kind"));
    }
}
