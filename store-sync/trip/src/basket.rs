//! What is in the cart: known lines, and what is held and never charged.

use serde::{Deserialize, Serialize};

use crate::{Grams, HoldId, LineId, Quantity, Sku};

/// Why the cart believes in a line. Shown to the shopper ("seen and weighed") and kept for reports.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// A barcode was read and the weight agrees.
    Scanned,
    /// A barcode was read; the scale could not confirm it.
    ScannedOnly,
    /// Seen and weighed, sure enough without asking.
    SeenAndWeighed,
    /// The shopper chose it when asked.
    Chosen,
    /// Staff entered it.
    Staff,
}

/// One line of the basket.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineItem {
    /// Its number within the trip.
    pub line: LineId,
    /// Which product.
    pub sku: Sku,
    /// How much of it.
    pub quantity: Quantity,
    /// What the scale felt when it came in, in grams; `None` when the scale was out.
    pub weight: Option<Grams>,
    /// Why it is here.
    pub evidence: Evidence,
}

/// Why something is held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// Not sure which of a few: the shopper is asked.
    Unsure,
    /// Nothing known fits what was seen and weighed.
    #[default]
    Unknown,
    /// Two things at once, and no single combination stands out.
    Several,
    /// Scanned, but never felt by the scale.
    NeverPutIn,
    /// Weight left the cart and several lines, or none, fit.
    WhichRemoved,
    /// A hand went in, and what lies there now may be another thing than before.
    Swapped,
    /// Counted again by weight, the cart carries more or less than all that is known to be in it.
    Recount,
    /// It may not be sold to this buyer: it waits to be taken out, and is no line any more.
    Refused,
}

/// Something unresolved. It is never charged.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// Its number within the trip.
    pub hold: HoldId,
    /// What the scale felt, in grams; negative when something was lifted out.
    pub weight: Grams,
    /// Why.
    pub reason: HoldReason,
    /// What it may be, best first, at most four. For [`HoldReason::WhichRemoved`] see `lines`. For
    /// [`HoldReason::Swapped`] what may have come in, each for the line in the same place of `lines`.
    pub candidates: Vec<Sku>,
    /// The lines that a removal, or the outgoing half of a swap, may have been, best first, at most
    /// four; for a swap not fewer than `candidates`.
    pub lines: Vec<LineId>,
    /// How far the load fell below both ends of the change before it settled, in grams: so much may have
    /// gone out first. 0 when it did not.
    #[serde(default, skip_serializing_if = "Grams::is_zero")]
    pub dip: Grams,
}

/// The basket as it stands.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basket {
    /// Known lines, oldest first.
    pub lines: Vec<LineItem>,
    /// What is unresolved, oldest first.
    pub holds: Vec<Hold>,
}

impl Basket {
    /// The line of this number, if it is still there.
    pub fn line(&self, line: LineId) -> Option<&LineItem> {
        self.lines.iter().find(|l| l.line == line)
    }

    /// The hold of this number, if it is still unresolved.
    pub fn hold(&self, hold: HoldId) -> Option<&Hold> {
        self.holds.iter().find(|h| h.hold == hold)
    }

    /// True when nothing is in it, known or held.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.holds.is_empty()
    }
}
