//! Each receipt that a trip ended with is signed by the store, and its lines, sums and charge are
//! those of the basket that the cart's journal tells of.

use anyhow::{Context, bail, ensure};
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use trip::pricing::{basket_hash, price};
use trip::receipt::{Receipt, Verified, verify};
use trip::{Catalogue, Hash, TripEvent, TripState};

use super::events;
use crate::place::Folders;

/// Checks it.
///
/// # Errors
/// What differs between a receipt and the journal.
pub fn check(folders: &Folders) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&folders.catalogue)?;
    let catalogue = Catalogue::parse(&text)?;
    let mut state = TripState::default();
    for event in events(folders)? {
        state.apply(&event);
        if let TripEvent::ReceiptStored { number, digest } = &event {
            let receipt = signed(folders, number, *digest).with_context(|| format!("receipt {number}"))?;
            compare(&receipt, &state, &catalogue).with_context(|| format!("receipt {number}"))?;
        }
    }
    Ok(())
}

fn compare(receipt: &Receipt, state: &TripState, catalogue: &Catalogue) -> anyhow::Result<()> {
    let totals = price(&state.basket, catalogue)?;
    let (Some(lock), Some(payment)) = (&state.lock, &state.payment) else { bail!("it came before the payment") };
    ensure!(state.basket.holds.is_empty(), "things were still held: {:?}", state.basket.holds);
    ensure!(receipt.trip == state.trip.clone().context("no trip")?, "it is of trip {}", receipt.trip);
    ensure!(receipt.totals == totals, "it says {:?}, the journal {totals:?}", receipt.totals);
    ensure!(basket_hash(&totals) == lock.basket, "the basket that was locked is another");
    ensure!(lock.total == totals.total, "{} was locked, the basket is {}", lock.total, totals.total);
    ensure!(payment.amount == totals.total, "{} was paid, the basket is {}", payment.amount, totals.total);
    ensure!(receipt.charged == totals.total, "it says {} was charged, not {}", receipt.charged, totals.total);
    Ok(())
}

fn signed(folders: &Folders, number: &str, digest: Hash) -> anyhow::Result<Receipt> {
    let path = folders.cart.join("receipts").join(format!("{number}.cose"));
    let bytes = std::fs::read(&path).with_context(|| path.display().to_string())?;
    ensure!(Hash::of(&bytes) == digest, "the journal names other bytes");
    let key = std::fs::read_to_string(folders.receipt_key())?;
    let key: [u8; 32] = BASE64_URL_SAFE_NO_PAD.decode(key.trim())?.as_slice().try_into()?;
    match verify(&bytes, &[VerifyingKey::from_bytes(&key)?])? {
        Verified::Receipt(receipt) => Ok(*receipt),
        Verified::Summary(_) => bail!("it is a QR's text"),
    }
}
