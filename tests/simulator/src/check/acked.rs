//! What the hub acks it has: each record once, in order, byte for byte as the cart wrote it.

use trip::Hash;
use trip::chain::Head;

use super::{Check, Truth};
use crate::fact::Fact;
use crate::remains::{Copied, Remains};

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

    fn end(&self, remains: &Remains) -> Result<(), String> {
        for Copied { row, records } in &remains.journals {
            let Some(cart) = remains.carts.iter().find(|cart| cart.id == row.cart) else { continue };
            let mut head = Head::default();
            for (seq, text) in (1..).zip(records) {
                (_, head) =
                    head.follow(text).map_err(|why| format!("the hub's record {seq} of {}: {why}", row.cart))?;
                let wiped = row.epoch == cart.epoch && seq <= cart.wiped;
                let written = cart.written.get(&(row.epoch, seq));
                if written.map_or(!wiped, |written| written != text) {
                    return Err(format!("{}: record {seq} of journal {} is not as it was written", cart.id, row.epoch));
                }
            }
            if head != row.head {
                return Err(format!(
                    "{}: the hub acks {}, and its records end at {}",
                    row.cart, row.head.seq, head.seq
                ));
            }
        }
        Ok(())
    }
}
