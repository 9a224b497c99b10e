//! The receipt office: the store's key, sealing a paid intent, and checking a receipt file.

use std::path::Path;

use ed25519_dalek::{SigningKey, VerifyingKey};
use identity::secret;
use trip::receipt::{Receipt, ReceiptError, Sealed, Verified, key_id, render, seal, verify};
use trip::{StoreId, UnixMillis};

use crate::config::key_text;
use crate::intent::Intent;
use crate::keys::{self, KeyError};

/// Signs receipts.
pub struct Office {
    store: StoreId,
    store_name: String,
    key: SigningKey,
}

impl Office {
    /// Opens the office of `store`; the key is read from `data`, and made there at the first start
    /// (`receipt.key`, for the owner's eyes only, with `receipt-key.pub` beside it).
    ///
    /// # Errors
    /// [`KeyError`] when the key cannot be read, made or written, or others may read it.
    pub fn open(store: StoreId, store_name: String, data: &Path) -> Result<Self, KeyError> {
        let key = keys::own_key(&data.join("receipt.key"), "receipt key of 32 bytes")?;
        let public = data.join("receipt-key.pub");
        let text = key_text(&key.verifying_key());
        if std::fs::read_to_string(&public).ok().as_deref() != Some(text.as_str()) {
            secret::write_public(&public, text.as_bytes())?;
        }
        Ok(Self { store, store_name, key })
    }

    /// An office whose key lies elsewhere.
    pub fn with_key(store: StoreId, store_name: &str, key: SigningKey) -> Self {
        Self { store, store_name: store_name.into(), key }
    }

    /// The key that checks this office's receipts.
    pub fn public_key(&self) -> VerifyingKey {
        self.key.verifying_key()
    }

    /// Puts the public key into this machine's trust folder.
    ///
    /// # Errors
    /// [`KeyError`] when the folder cannot be written.
    pub fn trust_here(&self, folder: &Path) -> Result<(), KeyError> {
        // By its identifier, so that a second store of this name on the machine takes nothing away.
        let id: String = trip::receipt::key_id(&self.public_key()).iter().map(|b| format!("{b:02x}")).collect();
        let path = folder.join(format!("{}-{id}.pub", self.store));
        std::fs::create_dir_all(folder).map_err(keys::failed("cannot make folder", folder))?;
        Ok(secret::write_public(&path, key_text(&self.public_key()).as_bytes())?)
    }

    /// The number of the store's `n`th receipt.
    pub fn number(&self, n: u64) -> String {
        format!("{}-{n:06}", self.store)
    }

    /// Makes and signs the receipt of an approved intent; `None` when it is not approved. `member` are the last
    /// digits of the shopper's loyalty number.
    pub fn receipt(&self, intent: &Intent, number: String, member: Option<String>, at: UnixMillis) -> Option<Sealed> {
        let approval = intent.approval.as_ref()?;
        let receipt = Receipt {
            v: 1,
            number,
            store: self.store.clone(),
            store_name: self.store_name.clone(),
            trip: intent.trip.clone(),
            lane: intent.lane.clone(),
            at,
            catalogue: intent.catalogue,
            totals: intent.totals.clone(),
            charged: approval.amount,
            tender: approval.tender.clone(),
            member,
        };
        Some(seal(&receipt, &self.key))
    }
}

/// Checks a receipt file against `keys` and says what it holds, for people.
///
/// # Errors
/// [`ReceiptError`] says why it is not accepted.
pub fn check(file: &[u8], keys: &[VerifyingKey]) -> Result<String, ReceiptError> {
    let page = match verify(file, keys)? {
        Verified::Receipt(receipt) => format!("{}Approved {}\n", render(&receipt), in_utc(receipt.at)),
        Verified::Summary(summary) => {
            format!(
                "Receipt {} of {}\nApproved {}\nCharged {}\nDigest of the whole receipt {}\n",
                summary.number,
                summary.store,
                in_utc(summary.at),
                summary.charged,
                summary.receipt
            )
        }
    };
    let signer = keys.iter().find(|key| verify(file, std::slice::from_ref(*key)).is_ok());
    let name = signer.map(|key| key_id(key).iter().map(|b| format!("{b:02x}")).collect::<String>()).unwrap_or_default();
    Ok(format!("{page}\nsignature good, key {name}\n"))
}

/// A time as people read it, to the second; the number itself when it is no date.
fn in_utc(at: UnixMillis) -> String {
    let time = jiff::Timestamp::from_millisecond(at.0);
    time.map_or_else(|_| at.0.to_string(), |t| t.strftime("%Y-%m-%d %H:%M:%S UTC").to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::IntentState;
    use crate::intent::tests::{approval, intent};
    use crate::keys::trusted_keys;
    use trip::pricing::PricedLine;
    use trip::{LineId, Quantity};

    fn paid() -> Intent {
        let mut intent = intent(IntentState::Approved);
        let line = PricedLine {
            line: LineId(1),
            name: "Oat drink".into(),
            quantity: Quantity::Each(1),
            unit: Some(2384),
            price: 2384,
            deposit: 0,
            tax: 'Z',
        };
        intent.totals.lines.push(line);
        intent.approval = Some(approval(2384));
        intent
    }

    #[test]
    fn a_receipt_is_accepted_with_the_stores_key_and_no_other() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = StoreId::new("market-street").expect("valid");
        let office = Office::open(store.clone(), "Market Street".into(), folder.path()).expect("a new key");
        let sealed = office.receipt(&paid(), office.number(7), None, UnixMillis(0)).expect("it is approved");
        let again = Office::open(store, "Market Street".into(), folder.path()).expect("the same key");
        let page = check(&sealed.cose, &[again.public_key()]).expect("a good receipt");
        assert!(
            page.contains("Oat drink")
                && page.contains("market-street-000007")
                && page.contains("signature good, key "),
            "{page}"
        );
        assert!(page.contains(" UTC"), "{page}");
        assert!(check(sealed.qr.as_bytes(), &[again.public_key()]).expect("a good QR").contains("£23.84"));
        let stranger = SigningKey::from_bytes(&[9; 32]).verifying_key();
        assert!(matches!(check(&sealed.cose, &[stranger]), Err(ReceiptError::UnknownKey { .. })));
        let mut changed = sealed.cose.clone();
        let at = changed.windows(3).position(|w| w == b"Oat").expect("its name is in it");
        changed[at] = b'G';
        assert_eq!(check(&changed, &[again.public_key()]), Err(ReceiptError::Signature));
        assert!(check(b"not a receipt", &[again.public_key()]).is_err());
    }

    #[test]
    fn the_keys_public_half_can_be_trusted() {
        let folder = tempfile::tempdir().expect("a folder");
        let office = Office::open(StoreId::new("s").expect("valid"), "S".into(), folder.path()).expect("a new key");
        let trust = folder.path().join("trust");
        assert_eq!(trusted_keys(&trust).expect("a missing folder has none"), vec![]);
        office.trust_here(&trust).expect("written");
        assert_eq!(trusted_keys(&trust).expect("one key"), vec![office.public_key()]);
        std::fs::write(trust.join("bad.pub"), "nonsense").expect("written");
        assert!(trusted_keys(&trust).expect_err("a bad key").to_string().contains("bad.pub"));
    }
}
