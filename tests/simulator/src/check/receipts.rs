//! Who has paid has the receipt on the cart; it verifies, and says what the journal says.

use store_hub::intent::IntentState;
use trip::pricing::{basket_hash, price};
use trip::receipt::{Receipt, Verified, verify};
use trip::{Hash, Record, TripEvent, TripState};

use super::Check;
use crate::remains::{CartRemains, Remains};

/// See the module.
pub struct Receipts;

impl Check for Receipts {
    fn name(&self) -> &'static str {
        "a receipt verifies"
    }

    fn end(&self, remains: &Remains) -> Result<(), String> {
        for row in &remains.receipts {
            let intent = remains.intents.iter().find(|intent| intent.id == row.intent);
            let stands = intent.is_some_and(|intent| intent.state == IntentState::Approved);
            if stands == row.void {
                return Err(format!(
                    "receipt {} is void: {}, though its payment stands: {stands}",
                    row.number, row.void
                ));
            }
            signed(remains, &row.cose).map_err(|why| format!("the hub's receipt {}: {why}", row.number))?;
        }
        remains.carts.iter().try_for_each(|cart| of_cart(remains, cart))
    }
}

/// Each receipt that a trip of the cart ended with.
fn of_cart(remains: &Remains, cart: &CartRemains) -> Result<(), String> {
    let mut state = TripState::default();
    for text in remains.story(cart) {
        let Ok(record) = serde_json::from_str::<Record>(text) else { continue };
        state.apply(&record.event);
        let TripEvent::ReceiptStored { number, digest } = &record.event else { continue };
        let wrong = |why: String| format!("receipt {number} of {}: {why}", cart.id);
        let wiped = record.epoch == cart.epoch && record.seq <= cart.wiped;
        let hubs = remains.receipts.iter().find(|row| row.number == *number).map(|row| &row.cose);
        let cose = match cart.receipts.get(number) {
            Some(cose) => cose,
            None if wiped => hubs.ok_or_else(|| wrong("it is wiped, and the hub has not got it".into()))?,
            None => return Err(wrong("the cart says that it has it, and it has not".into())),
        };
        if Hash::of(cose) != *digest {
            return Err(wrong("the journal names other bytes".into()));
        }
        signed(remains, cose).and_then(|receipt| compare(remains, &receipt, &state)).map_err(wrong)?;
    }
    Ok(())
}

fn signed(remains: &Remains, cose: &[u8]) -> Result<Receipt, String> {
    match verify(cose, &[remains.receipt_key]) {
        Ok(Verified::Receipt(receipt)) => Ok(*receipt),
        Ok(Verified::Summary(_)) => Err("it is the text of a QR".into()),
        Err(why) => Err(why.to_string()),
    }
}

/// `state` is the trip at the moment at which it was given the receipt.
fn compare(remains: &Remains, receipt: &Receipt, state: &TripState) -> Result<(), String> {
    let catalogue = remains.catalogues.iter().find(|known| Some(known.version) == state.catalogue);
    let catalogue = catalogue.ok_or("its trip has pinned a catalogue that there never was")?;
    let totals = price(&state.basket, catalogue).map_err(|why| why.to_string())?;
    let (Some(lock), Some(payment)) = (&state.lock, &state.payment) else {
        return Err("it came before the payment".into());
    };
    let same = [
        ("trip", state.trip.as_ref() == Some(&receipt.trip)),
        ("basket without anything held", state.basket.holds.is_empty()),
        ("lines and sums", receipt.totals == totals),
        ("locked basket", lock.basket == basket_hash(&totals)),
        ("locked total", lock.total == totals.total),
        ("payment", payment.amount == totals.total),
        ("charge", receipt.charged == totals.total),
    ];
    match same.iter().find(|(_, same)| !same) {
        Some((what, _)) => {
            Err(format!("it has another {what} than the journal: {receipt:?}; the journal says {totals:?}"))
        }
        None => Ok(()),
    }
}
