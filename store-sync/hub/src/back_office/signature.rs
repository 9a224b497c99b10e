//! The signature of a delivery, by which the back office knows that it is the hub's, whole and fresh.
//!
//! Source: Standard Webhooks 1.0.0, sections "Signature scheme" and "Webhook headers": the text
//! `{webhook-id}.{webhook-timestamp}.{body}`, signed with ed25519, as `v1a,` and base64. It is the asymmetric one of
//! the two schemes there, so that the back office holds nothing that could sign.

use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use ed25519_dalek::{Signature, Signer as _, SigningKey, Verifier, VerifyingKey};
use identity::secret;

use crate::keys::{KeyError, own_key};

/// The header with the delivery's name.
pub const ID: &str = "webhook-id";
/// The header with the time of the attempt, in seconds since 1970.
pub const TIMESTAMP: &str = "webhook-timestamp";
/// The header with one signature or more, between spaces.
pub const SIGNATURE: &str = "webhook-signature";

/// What a public key begins with.
const PUBLIC: &str = "whpk_";
/// What a signature of ours begins with.
const SCHEME: &str = "v1a,";
/// How far a delivery's time may lie from that of who reads it, in seconds.
const TOLERANCE_S: u64 = 300;

/// Signs deliveries.
pub struct Signer {
    key: SigningKey,
}

impl Signer {
    /// Signs with the key in `data`, made there at the first start (`back-office.key`, for the owner's eyes only,
    /// with `back-office-key.pub` beside it).
    ///
    /// # Errors
    /// [`KeyError`] when the key cannot be read, made or written, or others may read it.
    pub fn open(data: &Path) -> Result<Self, KeyError> {
        let signer = Self { key: own_key(&data.join("back-office.key"), "back office key of 32 bytes")? };
        let public = data.join("back-office-key.pub");
        let text = signer.public();
        if std::fs::read_to_string(&public).ok().as_deref() != Some(text.as_str()) {
            secret::write_public(&public, text.as_bytes())?;
        }
        Ok(signer)
    }

    /// The public key as integrators are given it: `whpk_` and base64.
    pub fn public(&self) -> String {
        format!("{PUBLIC}{}", BASE64_STANDARD.encode(self.key.verifying_key().as_bytes()))
    }

    /// The signature header of the delivery `id` of `body`, sent at `at_s` seconds since 1970.
    pub fn sign(&self, id: &str, at_s: u64, body: &[u8]) -> String {
        let signature = self.key.sign(&text(id, &at_s.to_string(), body));
        format!("{SCHEME}{}", BASE64_STANDARD.encode(signature.to_bytes()))
    }
}

/// A delivery as it came: the three headers and the body, byte for byte.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The header [`ID`].
    pub id: &'a str,
    /// The header [`TIMESTAMP`].
    pub timestamp: &'a str,
    /// The header [`SIGNATURE`].
    pub signature: &'a str,
    /// The body, before anything has read it as JSON.
    pub body: &'a [u8],
}

/// Why a delivery is not to be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The time of the attempt is no number, or too far from now.
    #[error(
        "the delivery's time is no number, or more than {TOLERANCE_S} s from now: it may be an old one, played again"
    )]
    Time,
    /// No signature in it is of a trusted key over these bytes.
    #[error("no signature of the delivery is of a trusted key and these bytes")]
    Signature,
}

/// Checks `delivery` against the keys that the receiver trusts, at `now_s` seconds since 1970.
///
/// # Errors
/// [`SignatureError`] when it is not to be believed.
pub fn verify(delivery: &Signed<'_>, trusted: &[VerifyingKey], now_s: u64) -> Result<(), SignatureError> {
    let at_s: u64 = delivery.timestamp.parse().map_err(|_| SignatureError::Time)?;
    if at_s.abs_diff(now_s) > TOLERANCE_S {
        return Err(SignatureError::Time);
    }
    let text = text(delivery.id, delivery.timestamp, delivery.body);
    let good = |signature: &Signature| trusted.iter().any(|key| key.verify(&text, signature).is_ok());
    let ours = delivery.signature.split(' ').filter_map(|one| one.strip_prefix(SCHEME));
    let mut signatures = ours.filter_map(|one| Signature::from_slice(&BASE64_STANDARD.decode(one).ok()?).ok());
    if signatures.any(|signature| good(&signature)) { Ok(()) } else { Err(SignatureError::Signature) }
}

/// Reads a public key as [`Signer::public`] writes it.
pub fn public_key(text: &str) -> Option<VerifyingKey> {
    let bytes = BASE64_STANDARD.decode(text.trim().strip_prefix(PUBLIC)?).ok()?;
    VerifyingKey::from_bytes(&bytes.try_into().ok()?).ok()
}

/// What is signed.
fn text(id: &str, timestamp: &str, body: &[u8]) -> Vec<u8> {
    [id.as_bytes(), b".", timestamp.as_bytes(), b".", body].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signer() -> Signer {
        Signer { key: SigningKey::from_bytes(&[7; 32]) }
    }

    #[test]
    fn a_signature_has_the_bytes_that_an_independent_reckoning_gives() {
        // Reckoned with Python's cryptography 48.0.0, as in the README.
        let signed = signer().sign("batch-1", 1_764_441_000, br#"{"v":1,"messages":[]}"#);
        assert_eq!(
            signed,
            "v1a,/UQ3MyboC9Xgxs4uh3or18pPfXIM9g8xXSn+SmAbzFzFH32rufjpengduvHQhMONrufstehEBgwlpnScoblsDg=="
        );
        assert_eq!(signer().public(), "whpk_6kpsY+KcUgq+9VB7Ey7F+ZVHdq6+vnuSQh7qaRRG0iw=");
    }

    #[test]
    fn what_was_changed_is_late_or_of_a_stranger_is_not_believed() {
        let (at_s, body) = (1_764_441_000, br#"{"v":1}"#);
        let signature = signer().sign("batch-1", at_s, body);
        let timestamp = at_s.to_string();
        let right = Signed { id: "batch-1", timestamp: &timestamp, signature: &signature, body };
        let key = public_key(&signer().public()).expect("a key");
        let check = |delivery: Signed<'_>, now_s: u64, expected: Result<(), SignatureError>| {
            assert_eq!(verify(&delivery, &[key], now_s), expected, "{delivery:?} at {now_s}");
        };
        check(right, at_s, Ok(()));
        check(right, at_s + 300, Ok(()));
        check(right, at_s + 301, Err(SignatureError::Time));
        check(right, at_s - 301, Err(SignatureError::Time));
        check(Signed { timestamp: "yesterday", ..right }, at_s, Err(SignatureError::Time));
        check(Signed { timestamp: "1764441001", ..right }, at_s, Err(SignatureError::Signature));
        check(Signed { id: "batch-2", ..right }, at_s, Err(SignatureError::Signature));
        check(Signed { body: br#"{"v":2}"#, ..right }, at_s, Err(SignatureError::Signature));
        for signature in ["", "v1a,", "v1a", &signature.replace("v1a,", "v1,")] {
            check(Signed { signature, ..right }, at_s, Err(SignatureError::Signature));
        }
        let two = format!("v1a,AAAA v1,AAAA {signature}");
        check(Signed { signature: &two, ..right }, at_s, Ok(()));
        let stranger = SigningKey::from_bytes(&[8; 32]).verifying_key();
        assert_eq!(verify(&right, &[stranger], at_s), Err(SignatureError::Signature));
        assert_eq!(verify(&right, &[stranger, key], at_s), Ok(()), "one of two keys, while they are changed");
    }

    #[test]
    fn the_key_is_made_once_with_its_public_half_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let made = Signer::open(folder.path()).expect("a new key");
        let text = std::fs::read_to_string(folder.path().join("back-office-key.pub")).expect("there");
        assert_eq!((text.as_str(), public_key(&text)), (made.public().as_str(), Some(made.key.verifying_key())));
        assert_eq!(Signer::open(folder.path()).expect("the same").public(), made.public());
        assert_eq!(public_key("whsec_AAAA"), None);
    }
}
