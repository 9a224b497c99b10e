//! The cart's identity: what the store granted it and the key it made for that, in one private file.
//!
//! One file, so that key and certificate are of one piece whatever moment the power goes: a renewal
//! replaces both or neither. The key that batches are signed with lies beside it in a file of its own
//! (`cart-key`), for it stays the same over renewals.

use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use identity::{SecretError, pem, secret};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use serde::{Deserialize, Serialize};
use trip::provisioning::Granted;
use trip::{CartId, StoreId};

use crate::releases::Shelf;

/// The identity cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Its file or folder.
    #[error(transparent)]
    File(#[from] SecretError),
    /// There is none.
    #[error("{} is not there: this cart has not joined its store; get a code with `store-hub provision --cart {cart}`, then `cart provision`", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
        /// The cart.
        cart: CartId,
    },
    /// It is no identity.
    #[error("{} is no identity of a cart: it may have been cut short; provision the cart anew", .0.display())]
    Form(PathBuf),
    /// A certificate or key in it.
    #[error(transparent)]
    Pem(#[from] pem::PemError),
    /// It is another cart's.
    #[error("{} is of {found}, and the configuration says {expected}", path.display())]
    Stranger {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Whose it should be.
        expected: String,
    },
}

/// The file's form.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    granted: Granted,
    key: String,
    hub: String,
}

/// Who a cart is to its store.
pub struct Identity {
    path: PathBuf,
    /// What the store granted.
    pub granted: Granted,
    /// The TLS key in PEM.
    key: zeroize::Zeroizing<String>,
    /// The hub's address, such as `https://hub.example:8444`.
    pub hub: String,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Identity({}/{}, ..)", self.granted.store, self.granted.cart)
    }
}

/// Where it lies in a cart's data folder.
pub fn path_in(data: &Path) -> PathBuf {
    data.join("identity").join("identity.json")
}

impl Identity {
    /// Writes what was granted over `key` (PEM) into the cart's folder `data`. A running trip's journal is
    /// not touched.
    ///
    /// # Errors
    /// [`IdentityError`] when the folder is open to others or cannot be written.
    pub fn keep(data: &Path, granted: Granted, key: &str, hub: &str) -> Result<Self, IdentityError> {
        let path = path_in(data);
        secret::folder(path.parent().unwrap_or(data))?;
        let kept = Kept { granted, key: key.to_owned(), hub: hub.to_owned() };
        let text = serde_json::to_vec(&kept).unwrap_or_else(|e| unreachable!("it has only plain fields: {e}"));
        let text = zeroize::Zeroizing::new(text);
        secret::write(&path, &text)?;
        let Kept { granted, key, hub } = kept;
        let identity = Self { path, granted, key: key.into(), hub };
        identity.chain()?;
        identity.private_key()?;
        Ok(identity)
    }

    /// Reads the identity of `cart` of `store` from the cart's folder `data`.
    ///
    /// # Errors
    /// [`IdentityError`] when there is none, it is open to others, broken, or another cart's.
    pub fn load(data: &Path, store: &StoreId, cart: &CartId) -> Result<Self, IdentityError> {
        let path = path_in(data);
        if !path.exists() {
            return Err(IdentityError::Missing { path, cart: cart.clone() });
        }
        secret::folder(path.parent().unwrap_or(data))?;
        let text =
            secret::read(&path)?.ok_or_else(|| IdentityError::Missing { path: path.clone(), cart: cart.clone() })?;
        // Not the parser's words: they might show the key.
        let kept: Kept = serde_json::from_slice(&text).map_err(|_| IdentityError::Form(path.clone()))?;
        let Kept { granted, key, hub } = kept;
        let identity = Self { path, granted, key: key.into(), hub };
        let name = |store: &StoreId, cart: &CartId| format!("cart \"{cart}\" of store \"{store}\"");
        let (found, expected) = (name(&identity.granted.store, &identity.granted.cart), name(store, cart));
        if found != expected {
            return Err(IdentityError::Stranger { path: identity.path, found, expected });
        }
        identity.chain()?;
        identity.private_key()?;
        identity.authority()?;
        Ok(identity)
    }

    fn origin(&self) -> String {
        self.path.display().to_string()
    }

    /// The cart's certificate.
    ///
    /// # Errors
    /// [`IdentityError`] when it is broken.
    pub fn chain(&self) -> Result<Vec<CertificateDer<'static>>, IdentityError> {
        Ok(pem::certificates(self.granted.certificate.as_bytes(), &self.origin())?)
    }

    /// The key of that certificate.
    ///
    /// # Errors
    /// As [`Identity::chain`].
    pub fn private_key(&self) -> Result<PrivateKeyDer<'static>, IdentityError> {
        Ok(pem::private_key(self.key.as_bytes(), &self.origin())?)
    }

    /// The certificate of the store's authority.
    ///
    /// # Errors
    /// As [`Identity::chain`].
    pub fn authority(&self) -> Result<CertificateDer<'static>, IdentityError> {
        Ok(pem::certificates(self.granted.authority.as_bytes(), &self.origin())?.remove(0))
    }

    /// The keys that sign releases.
    pub fn release_keys(&self) -> Vec<VerifyingKey> {
        let read = |text: &String| {
            let bytes: [u8; 32] = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
            VerifyingKey::from_bytes(&bytes).ok()
        };
        self.granted.release_keys.iter().filter_map(read).collect()
    }

    /// Where the releases that the store has signed for this cart lie, under its data folder.
    pub fn shelf(&self, data: &Path) -> Shelf {
        Shelf::new(data, self.granted.store.clone(), self.release_keys())
    }

    /// When the certificate is to be renewed, in seconds since 1970: at two thirds of its life.
    pub fn renewal_due_s(&self) -> u64 {
        let Granted { not_before_s, not_after_s, .. } = &self.granted;
        not_before_s + not_after_s.saturating_sub(*not_before_s) / 3 * 2
    }
}
