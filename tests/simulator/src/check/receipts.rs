//! Who has paid has the receipt on the cart; it verifies, and says what was charged.

use store_hub::intent::IntentState;
use trip::Record;
use trip::TripEvent;
use trip::receipt::{Verified, verify};

use super::{Check, Truth};
use crate::fact::Fact;
use crate::hub::receipt_key;

/// See the module.
pub struct Receipts;

impl Check for Receipts {
    fn name(&self) -> &'static str {
        "a receipt verifies"
    }

    fn see(&mut self, _: &Fact<'_>, _: &Truth<'_>) -> Result<(), String> {
        Ok(())
    }

    fn end(&mut self, truth: &Truth<'_>) -> Result<(), String> {
        let key = receipt_key().verifying_key();
        let intents = truth.place.all_intents();
        for row in truth.place.all_receipts() {
            let intent = intents.iter().find(|intent| intent.id == row.intent);
            let stands = intent.is_some_and(|intent| intent.state == IntentState::Approved);
            if stands == row.void {
                return Err(format!(
                    "receipt {} is void: {}, though its payment stands: {stands}",
                    row.number, row.void
                ));
            }
        }
        for cart in truth.carts {
            let kept = cart.disk.receipts();
            for text in cart.disk.history().values() {
                let Ok(record) = serde_json::from_str::<Record>(text) else { continue };
                let TripEvent::ReceiptStored { number, .. } = record.event else { continue };
                let Some(cose) = kept.get(&number) else {
                    return Err(format!("{} says it has receipt {number}, and it has not", cart.id));
                };
                match verify(cose, &[key]) {
                    Ok(Verified::Receipt(receipt)) if receipt.charged == receipt.totals.total => {}
                    Ok(_) => return Err(format!("receipt {number} charges another total than it shows")),
                    Err(why) => return Err(format!("receipt {number} of {}: {why}", cart.id)),
                }
            }
        }
        Ok(())
    }
}
