//! What the trip came to: the shopper's own count, against what the cart showed and charged.

use serde::{Deserialize, Serialize};

/// Every thing put in is counted once: `items_in = added_right + added_wrong + asked + held + missed`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Things put in.
    pub items_in: u32,
    /// Added without a question, as what they are.
    pub added_right: u32,
    /// Added without a question, as something else.
    pub added_wrong: u32,
    /// Asked with tiles to choose from.
    pub asked: u32,
    /// Of those asked, how often the right product was among the tiles.
    pub asked_right_in_tiles: u32,
    /// Held without a good guess, and settled by search, code or taking out.
    pub held: u32,
    /// Not noticed at all.
    pub missed: u32,
    /// Removals that took the right line.
    pub removed_right: u32,
    /// Removals that took another line.
    pub removed_wrong: u32,
    /// The total on the screen when the basket was locked, in minor units.
    pub total_minor: i64,
    /// What the shopper should have been charged by the catalogue, in minor units, when it can be
    /// said from what was really put in.
    pub fair_minor: i64,
    /// What the terminal charged, less what it gave back, in minor units.
    pub charged_minor: i64,
    /// True when the receipt is signed by the store and adds up.
    pub receipt_verified: bool,
}
