//! Trips for tests: short ones, of packs whose codes are shown, so that their price is known to the
//! penny and sight has no say in them.

use std::fmt::Write;

/// Packs of the demo store, in the order they are put in, with two of one promotion.
pub const PACKS: [&str; 6] = [
    "oat-drink-1l",
    "dark-chocolate-100",
    "chopped-tomatoes-400",
    "sparkling-water-1l",
    "spaghetti-500",
    "chopped-tomatoes-400",
];

/// What [`PACKS`] cost together, in pence: 185 + 145 + 150 for the two tins + 115 with its deposit + 115.
pub const PACKS_COST: i64 = 710;

/// Start, put in [`PACKS`], pay at the lane, finish.
pub fn packs() -> String {
    some_packs(7, &PACKS, "1")
}

/// Start, put in these, pay at this lane, finish. The seed chooses looks, places and noise.
pub fn some_packs(seed: u32, packs: &[&str], lane: &str) -> String {
    let mut text = format!("seed = {seed}\n[[step]]\ndo = \"start\"\n");
    for sku in packs {
        // Writing to memory does not fail.
        let _ = write!(text, "[[step]]\ndo = \"put\"\nsku = \"{sku}\"\nshow_code = true\n");
    }
    let _ = write!(text, "[[step]]\ndo = \"go_to_lane\"\nlane = \"{lane}\"\n");
    text + "[[step]]\ndo = \"tap_card\"\n[[step]]\ndo = \"finish\"\n"
}
