//! When the world rests, the hub has all that the carts have, and stands where they stand.

use trip::Phase;

use super::Check;
use crate::remains::Remains;

/// See the module.
pub struct Synced;

impl Check for Synced {
    fn name(&self) -> &'static str {
        "the hub converges"
    }

    fn end(&self, remains: &Remains) -> Result<(), String> {
        for cart in &remains.carts {
            let mut rows = remains.journals.iter().map(|copied| &copied.row);
            let row = rows.find(|row| row.cart == cart.id && row.epoch == cart.epoch);
            let (at, state) = row.map(|row| (row.head, row.state.clone())).unwrap_or_default();
            if at != cart.head {
                return Err(format!("{}: the cart is at {}, the hub at {}", cart.id, cart.head.seq, at.seq));
            }
            // Of an ended trip that is wiped the cart knows nothing any more.
            let wiped = cart.wiped == cart.head.seq && state.phase == Phase::Idle;
            if cart.head.seq > 0 && !wiped && state != cart.state {
                return Err(format!("{}: the hub replays to another trip than the cart", cart.id));
            }
        }
        Ok(())
    }
}
