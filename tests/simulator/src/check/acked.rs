//! What the hub acks it has: each record once, in order, byte for byte as the cart wrote it.

use trip::Hash;

use super::{Check, Truth};
use crate::fact::Fact;

/// See the module.
pub struct Acked;

impl Check for Acked {
    fn name(&self) -> &'static str {
        "what is acked is committed"
    }

    fn see(&mut self, fact: &Fact<'_>, truth: &Truth<'_>) -> Result<(), String> {
        let Fact::Acked { cart, epoch, head } = fact else { return Ok(()) };
        let stored = truth.place.records(cart, *epoch);
        if (stored.len() as u64) < head.seq {
            return Err(format!("{cart}: acked up to {}, and {} are stored", head.seq, stored.len()));
        }
        let last = head.seq.checked_sub(1).and_then(|n| stored.get(n as usize));
        let hash = last.map_or(Hash::GENESIS, |text| Hash::of(text.as_bytes()));
        if hash != head.hash {
            return Err(format!("{cart}: record {} is acked by another digest than it has", head.seq));
        }
        Ok(())
    }

    fn end(&mut self, truth: &Truth<'_>) -> Result<(), String> {
        for cart in truth.carts {
            let written = cart.disk.history();
            for row in truth.place.journals().into_iter().filter(|row| row.cart == cart.id) {
                for (n, text) in truth.place.records(&cart.id, row.epoch).into_iter().enumerate() {
                    let seq = n as u64 + 1;
                    if written.get(&(row.epoch, seq)) != Some(&text) {
                        return Err(format!(
                            "{}: record {seq} of journal {} is not as it was written",
                            cart.id, row.epoch
                        ));
                    }
                }
            }
        }
        Ok(())
    }
}
