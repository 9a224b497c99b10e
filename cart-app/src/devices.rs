//! `cart devices`: what this machine has, and plainly what is missing.

use hal::{Presence, Roots, inventory};

/// Prints the list.
pub fn list() {
    for found in inventory(&Roots::machine()) {
        match &found.presence {
            Presence::There(what) => println!("✓ {:<14} {:<28} {what}", found.device, found.port),
            Presence::Missing(remedy) => println!("– {:<14} {:<28} not there. {remedy}", found.device, found.port),
        }
    }
}
