//! The receipt: what was bought and paid, signed by the store, checkable by anyone without a network.
//!
//! The document is CBOR inside a COSE_Sign1 with ed25519 (`EdDSA`), the key's identifier in the
//! protected header. The QR holds a second, smaller COSE_Sign1 over the [`Summary`], in base45 after
//! the letters `TR1:`, which any phone reads as text and `trundle receipt verify` checks.
//!
//! Source: RFC 9052 (COSE_Sign1), RFC 9053 section 2.2 (EdDSA), RFC 9285 (base45).

use coset::{CborSerializable, CoseSign1, CoseSign1Builder, HeaderBuilder, TaggedCborSerializable, iana};
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::event::Tender;
use crate::{Hash, LaneId, Money, StoreId, Totals, TripId, UnixMillis};

mod base45;
mod text;

pub use text::render;

/// What the QR's text begins with.
pub const QR_PREFIX: &str = "TR1:";

/// What a receipt says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// Version of this form; 1.
    pub v: u8,
    /// Its number, unique in the store.
    pub number: String,
    /// The store.
    pub store: StoreId,
    /// The store's name, as shoppers know it.
    pub store_name: String,
    /// The trip.
    pub trip: TripId,
    /// Where it was paid.
    pub lane: LaneId,
    /// When it was approved, by the hub's clock.
    pub at: UnixMillis,
    /// The catalogue whose prices held.
    pub catalogue: Hash,
    /// Lines, savings, taxes, total.
    pub totals: Totals,
    /// What was charged; equals the total.
    pub charged: Money,
    /// With what.
    pub tender: Tender,
    /// The last digits of the shopper's loyalty number: see [`crate::Member::masked`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub member: Option<String>,
}

/// What the QR says: enough to check a printed or photographed receipt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Version of this form; 1.
    pub v: u8,
    /// The receipt's number.
    pub number: String,
    /// The store.
    pub store: StoreId,
    /// When.
    pub at: UnixMillis,
    /// What was charged.
    pub charged: Money,
    /// SHA-256 of the whole signed receipt.
    pub receipt: Hash,
}

/// A signed receipt as it is stored, sent and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sealed {
    /// COSE_Sign1 (tagged), over the [`Receipt`].
    pub cose: Vec<u8>,
    /// SHA-256 of `cose`.
    pub digest: Hash,
    /// The QR's text.
    pub qr: String,
}

/// What [`verify`] found in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verified {
    /// A whole receipt.
    Receipt(Box<Receipt>),
    /// The summary of a QR.
    Summary(Summary),
}

/// Why a receipt is not accepted.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReceiptError {
    /// Neither COSE nor the text of a QR.
    #[error("this is no Trundle receipt: {0}")]
    Form(String),
    /// Signed by a key that is not trusted here.
    #[error("signed with key {found}, which is not trusted here; give the store's public key with --key")]
    UnknownKey {
        /// The key's identifier, hexadecimal.
        found: String,
    },
    /// The signature does not fit: the receipt was changed, or the key is another's.
    #[error("the signature does not fit: the receipt was changed after it was signed")]
    Signature,
    /// It is signed, but does not add up.
    #[error("the receipt is signed, but does not add up: {0}")]
    Sum(String),
}

/// The identifier of a key: the first eight bytes of its SHA-256.
pub fn key_id(key: &VerifyingKey) -> [u8; 8] {
    let mut id = [0; 8];
    id.copy_from_slice(&Hash::of(key.as_bytes()).0[..8]);
    id
}

/// Signs a receipt, and its summary for the QR.
pub fn seal(receipt: &Receipt, key: &SigningKey) -> Sealed {
    let cose = sign(receipt, key);
    let digest = Hash::of(&cose);
    let summary = Summary {
        v: 1,
        number: receipt.number.clone(),
        store: receipt.store.clone(),
        at: receipt.at,
        charged: receipt.charged,
        receipt: digest,
    };
    let qr = format!("{QR_PREFIX}{}", base45::encode(&sign(&summary, key)));
    Sealed { cose, digest, qr }
}

fn sign(document: &impl Serialize, key: &SigningKey) -> Vec<u8> {
    let mut payload = Vec::new();
    ciborium::into_writer(document, &mut payload).unwrap_or_else(|e| unreachable!("writing to memory: {e}"));
    let protected =
        HeaderBuilder::new().algorithm(iana::Algorithm::EdDSA).key_id(key_id(&key.verifying_key()).to_vec()).build();
    CoseSign1Builder::new()
        .protected(protected)
        .payload(payload)
        .create_signature(b"", |message| key.sign(message).to_bytes().to_vec())
        .build()
        .to_tagged_vec()
        .unwrap_or_else(|e| unreachable!("a built COSE_Sign1 encodes: {e:?}"))
}

/// Checks a receipt file (COSE bytes, or the text of a QR) against the `trusted` keys.
///
/// # Errors
/// [`ReceiptError`] says whether it is no receipt, signed by a stranger, changed, or wrong in its sums.
pub fn verify(file: &[u8], trusted: &[VerifyingKey]) -> Result<Verified, ReceiptError> {
    let text = std::str::from_utf8(file).unwrap_or("").trim();
    if let Some(encoded) = text.strip_prefix(QR_PREFIX) {
        let cose =
            base45::decode(encoded).ok_or_else(|| ReceiptError::Form("the QR's text is cut or changed".into()))?;
        return open(&cose, trusted).map(Verified::Summary);
    }
    let receipt: Receipt = open(file, trusted)?;
    check_sums(&receipt)?;
    Ok(Verified::Receipt(Box::new(receipt)))
}

fn open<T: serde::de::DeserializeOwned>(cose: &[u8], trusted: &[VerifyingKey]) -> Result<T, ReceiptError> {
    let form = |e: coset::CoseError| ReceiptError::Form(e.to_string());
    let sign1 = CoseSign1::from_tagged_slice(cose).or_else(|_| CoseSign1::from_slice(cose)).map_err(form)?;
    let id = &sign1.protected.header.key_id;
    let key = trusted
        .iter()
        .find(|k| key_id(k).as_slice() == id.as_slice())
        .ok_or_else(|| ReceiptError::UnknownKey { found: id.iter().map(|b| format!("{b:02x}")).collect() })?;
    sign1.verify_signature(b"", |signature, message| {
        let signature = Signature::from_slice(signature).map_err(|_| ReceiptError::Signature)?;
        key.verify(message, &signature).map_err(|_| ReceiptError::Signature)
    })?;
    let payload = sign1.payload.as_deref().unwrap_or_default();
    ciborium::from_reader(payload).map_err(|e| ReceiptError::Form(e.to_string()))
}

fn check_sums(receipt: &Receipt) -> Result<(), ReceiptError> {
    let totals = &receipt.totals;
    let gross: i64 = totals.lines.iter().map(|l| l.price + l.deposit).sum();
    let saved: i64 = totals.savings.iter().map(|s| s.minor).sum();
    if gross - saved != totals.total.minor {
        return Err(ReceiptError::Sum(format!(
            "its lines make {}, its total is {}",
            gross - saved,
            totals.total.minor
        )));
    }
    if receipt.charged != totals.total {
        return Err(ReceiptError::Sum(format!("the total is {}, charged was {}", totals.total, receipt.charged)));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Currency;
    use crate::pricing::PricedLine;
    use crate::{LineId, Quantity};

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    fn receipt() -> Receipt {
        let line = PricedLine {
            line: LineId(1),
            name: "Tea".into(),
            quantity: Quantity::Each(2),
            unit: Some(250),
            price: 500,
            deposit: 0,
            tax: 'Z',
        };
        let totals =
            Totals { lines: vec![line], savings: vec![], taxes: vec![], total: Money::new(500, Currency::GBP) };
        Receipt {
            v: 1,
            number: "MS-1".into(),
            store: StoreId::new("market-street").expect("valid"),
            store_name: "Market Street".into(),
            trip: TripId::new("cart-01.1.1").expect("valid"),
            lane: LaneId::new("lane-1").expect("valid"),
            at: UnixMillis(1_800_000_000_000),
            catalogue: Hash::GENESIS,
            charged: totals.total,
            totals,
            tender: Tender { kind: "visa".into(), reference: "ref".into() },
            member: None,
        }
    }

    #[test]
    fn a_receipt_and_its_qr_are_accepted_with_the_stores_key() {
        let sealed = seal(&receipt(), &key(1));
        let trusted = [key(2).verifying_key(), key(1).verifying_key()];
        assert_eq!(verify(&sealed.cose, &trusted), Ok(Verified::Receipt(Box::new(receipt()))));
        let Ok(Verified::Summary(summary)) = verify(sealed.qr.as_bytes(), &trusted) else {
            panic!("the QR is not accepted")
        };
        assert_eq!((summary.receipt, summary.charged.minor), (sealed.digest, 500));
    }

    #[test]
    fn a_changed_byte_a_strangers_key_and_garbage_are_refused() {
        let sealed = seal(&receipt(), &key(1));
        let trusted = [key(1).verifying_key()];
        assert!(matches!(verify(&sealed.cose, &[key(2).verifying_key()]), Err(ReceiptError::UnknownKey { .. })));
        for n in 0..sealed.cose.len() {
            let mut changed = sealed.cose.clone();
            changed[n] ^= 1;
            assert!(verify(&changed, &trusted).is_err(), "byte {n} changed, and accepted");
        }
        for garbage in [&b""[..], b"TR1:", b"TR1:%%%", b"hello", &[0xff; 300]] {
            assert!(verify(garbage, &trusted).is_err());
        }
    }

    #[test]
    fn a_signed_receipt_that_does_not_add_up_is_refused() {
        let mut wrong = receipt();
        wrong.charged.minor = 501;
        assert!(matches!(verify(&seal(&wrong, &key(1)).cose, &[key(1).verifying_key()]), Err(ReceiptError::Sum(_))));
        let mut wrong = receipt();
        wrong.totals.lines[0].price = 400;
        assert!(matches!(verify(&seal(&wrong, &key(1)).cose, &[key(1).verifying_key()]), Err(ReceiptError::Sum(_))));
    }

    #[test]
    fn the_text_fits_the_paper() {
        let text = render(&receipt());
        assert!(text.contains("Tea") && text.contains("2 × £2.50") && text.contains("£5.00"), "{text}");
        assert!(text.lines().all(|line| line.chars().count() <= 42), "{text}");
    }
}
