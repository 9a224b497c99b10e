//! What a shopper sees who waits for a person.

use trip::{LineId, Sku};

/// How long the shopper waits, and what is known of how long it may yet be.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Seconds since help was called, by the cart's clock; `None` while it is not called, and after a
    /// restart.
    pub help_s: Option<u32>,
    /// Lines whose buyer's age is to be looked at, oldest first.
    pub age: Vec<AgeWait>,
    /// Seconds since the first of them came in; `None` as for `help_s`.
    pub age_s: Option<u32>,
    /// Calls before this one that nobody has gone to yet; `None` while the hub has not said.
    pub before: Option<u32>,
    /// The median of the store's last waits, in seconds; `None` while it is not known.
    pub usual_s: Option<u32>,
    /// True once a member of staff is on the way.
    pub coming: bool,
}

/// A line that waits for an age check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgeWait {
    /// The line.
    pub line: LineId,
    /// Its product.
    pub sku: Sku,
    /// What people call it.
    pub name: String,
    /// How many, 1 or more.
    pub pieces: u32,
    /// Least age of the buyer in years; 0 when the catalogue no longer says.
    pub min_age: u8,
}
