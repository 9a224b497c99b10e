//! When the world rests, the hub has all that the carts have, and stands where they stand.

use super::{Check, Truth};
use crate::fact::Fact;

/// See the module.
pub struct Synced;

impl Check for Synced {
    fn name(&self) -> &'static str {
        "the hub converges"
    }

    fn see(&mut self, _: &Fact<'_>, _: &Truth<'_>) -> Result<(), String> {
        Ok(())
    }

    fn end(&mut self, truth: &Truth<'_>) -> Result<(), String> {
        for cart in truth.carts {
            let (epoch, head) = cart.disk.end();
            let row = truth.place.journals().into_iter().find(|row| row.cart == cart.id && row.epoch == epoch);
            let (at, state) = row.map(|row| (row.head, row.state)).unwrap_or_default();
            if at != head {
                return Err(format!("{}: the cart is at {}, the hub at {}", cart.id, head.seq, at.seq));
            }
            if head.seq > 0 && state != cart.disk.state() {
                return Err(format!("{}: the hub replays to another trip than the cart", cart.id));
            }
        }
        Ok(())
    }
}
