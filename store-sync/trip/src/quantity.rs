//! How much of a product: pieces, net weight, or a price printed in its barcode.

use serde::{Deserialize, Serialize};

/// Grams; negative when something is lifted out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Grams(pub i32);

impl Grams {
    /// True for no weight at all; by reference, as serde asks for it.
    pub(crate) fn is_zero(&self) -> bool {
        self.0 == 0
    }
}

/// How much of a product a line holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantity {
    /// Pieces, 1 or more.
    Each(u32),
    /// Net weight after tare, more than zero, of a product sold by weight.
    Weighed(Grams),
    /// The line's price in minor units, as an in-store barcode carried it; not negative.
    Priced(i64),
}
