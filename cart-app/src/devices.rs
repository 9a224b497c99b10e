//! `cart devices`: what this machine has, and plainly what is missing.

use hal::{Roots, inventory};

/// Prints the list, a line a device or missing kind.
pub fn list() {
    inventory(&Roots::default()).iter().for_each(|found| println!("{found}"));
}
