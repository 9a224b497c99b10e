//! What a store gives its carts to run by: catalogue, configuration, model, pictures. Each is released with a
//! version and a signature, and a cart takes none that is forged, of another store, or older than
//! one it has had.
//!
//! The form is minisign's idea (one ed25519 signature over a small manifest that names the file's
//! digest) with a version that only grows. The Update Framework was weighed and left: its
//! timestamp and snapshot roles defend against a mirror that holds old files back, and here there is
//! no mirror: the hub tells over its own TLS line which version it wants (`down/desired`), and a
//! cart shows staff the one it has. Its root role changes keys by a quorum; here the keys come with the
//! cart's certificate, anew at every renewal, from the same authority.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Signer, SigningKey, Verifier, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::message::Signed;
use crate::{Hash, StoreId, UnixMillis};

/// The version of these forms.
pub const VERSION: u8 = 1;
/// The label of a signed [`Manifest`], so that no other signature of the key serves as one.
pub const RELEASE_LABEL: &str = "trundle-release-1";
/// Larger than any model that a cart's board can run.
pub const LARGEST_BYTES: u64 = 256 * 1024 * 1024;

/// What is released.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Goods and prices.
    Catalogue,
    /// What differs by store.
    Configuration,
    /// What recognises goods.
    Model,
    /// What goods look like on the screen.
    Pictures,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Catalogue, Self::Configuration, Self::Model, Self::Pictures];

    /// As it is written in addresses and folders.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Catalogue => "catalogue",
            Self::Configuration => "configuration",
            Self::Model => "model",
            Self::Pictures => "pictures",
        }
    }

    /// Reads what [`Kind::as_str`] writes.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What one release says of itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`VERSION`].
    pub v: u8,
    /// What it is.
    pub kind: Kind,
    /// For which store; `None` for one that is for all (a model).
    pub store: Option<StoreId>,
    /// Counts the releases of this kind, from 1; only grows.
    pub version: u64,
    /// SHA-256 of the file.
    pub digest: Hash,
    /// The file's length in bytes.
    pub bytes: u64,
    /// When it was signed, for people alone: a cart's clock may be wrong.
    pub at: UnixMillis,
}

/// Why a release is not taken.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReleaseError {
    /// No signed manifest.
    #[error("it is no release: {0}")]
    Form(String),
    /// No trusted key has signed it.
    #[error("its signature fits no key that this cart trusts")]
    Signature,
    /// Something else than was asked for.
    #[error("it is a {found}, not a {expected}")]
    Kind {
        /// What it is.
        found: Kind,
        /// What was asked for.
        expected: Kind,
    },
    /// Another store's.
    #[error("it is of store \"{0}\"")]
    Store(StoreId),
    /// An older one than was had already.
    #[error("it has version {found}, and version {had} was here already: releases never go back")]
    RolledBack {
        /// Its version.
        found: u64,
        /// The highest that was accepted.
        had: u64,
    },
    /// The same version as another file.
    #[error("version {0} was here already with another content: two releases were signed under one version")]
    Twin(u64),
    /// The file is not the one that was signed.
    #[error("the file is not the one that was signed: {0}")]
    File(String),
}

/// Signs `manifest`.
pub fn seal(manifest: &Manifest, key: &SigningKey) -> Signed {
    let body = serde_json::to_string(manifest).unwrap_or_else(|e| unreachable!("it has only plain fields: {e}"));
    let signature = key.sign(&Signed::message(RELEASE_LABEL, &body));
    Signed { v: crate::message::VERSION, signature: BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes()), body }
}

/// Reads a release that one of `keys` has signed.
///
/// # Errors
/// [`ReleaseError`]; the body is not looked at before its signature fits.
pub fn open(signed: &Signed, keys: &[VerifyingKey]) -> Result<Manifest, ReleaseError> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(&signed.signature).ok();
    let signature = bytes.and_then(|b| Signature::from_slice(&b).ok()).ok_or(ReleaseError::Signature)?;
    let message = Signed::message(RELEASE_LABEL, &signed.body);
    if !keys.iter().any(|key| key.verify(&message, &signature).is_ok()) {
        return Err(ReleaseError::Signature);
    }
    let manifest: Manifest = serde_json::from_str(&signed.body).map_err(|e| ReleaseError::Form(e.to_string()))?;
    if manifest.v != VERSION {
        return Err(ReleaseError::Form(format!("version {}, this program knows {VERSION}", manifest.v)));
    }
    if manifest.version == 0 || manifest.bytes > LARGEST_BYTES {
        return Err(ReleaseError::Form("its version is 0, or its file is too large".into()));
    }
    Ok(manifest)
}

/// The highest release of one kind that was accepted: below it nothing is taken, whatever becomes
/// of the file itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Floor {
    /// Its version; 0 when there was none.
    pub version: u64,
    /// Its digest.
    pub digest: Option<Hash>,
}

impl Floor {
    /// Judges a release that [`open`] has read; `true` when it is newer than the floor, `false` when it is
    /// the very one.
    ///
    /// # Errors
    /// [`ReleaseError`] when it is of another kind or store, older, or a twin.
    pub fn judge(&self, manifest: &Manifest, expected: Kind, store: &StoreId) -> Result<bool, ReleaseError> {
        if manifest.kind != expected {
            return Err(ReleaseError::Kind { found: manifest.kind, expected });
        }
        match &manifest.store {
            Some(found) if found != store => return Err(ReleaseError::Store(found.clone())),
            None if expected != Kind::Model => return Err(ReleaseError::Form("it names no store".into())),
            _ => {}
        }
        if manifest.version < self.version {
            return Err(ReleaseError::RolledBack { found: manifest.version, had: self.version });
        }
        if manifest.version > self.version {
            return Ok(true);
        }
        if self.digest == Some(manifest.digest) { Ok(false) } else { Err(ReleaseError::Twin(manifest.version)) }
    }

    /// The floor once `manifest` is accepted.
    pub fn raised(manifest: &Manifest) -> Self {
        Self { version: manifest.version, digest: Some(manifest.digest) }
    }
}

/// Checks that `file` is the one that `manifest` names.
///
/// # Errors
/// [`ReleaseError::File`].
pub fn check_file(manifest: &Manifest, file: &[u8]) -> Result<(), ReleaseError> {
    if file.len() as u64 != manifest.bytes {
        return Err(ReleaseError::File(format!("it has {} bytes, {} were signed", file.len(), manifest.bytes)));
    }
    if Hash::of(file) != manifest.digest {
        return Err(ReleaseError::File("its digest is another".into()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32])
    }

    fn store() -> StoreId {
        StoreId::new("market-street").expect("valid")
    }

    fn manifest(version: u64, file: &[u8]) -> Manifest {
        Manifest {
            v: 1,
            kind: Kind::Catalogue,
            store: Some(store()),
            version,
            digest: Hash::of(file),
            bytes: file.len() as u64,
            at: UnixMillis(5),
        }
    }

    #[test]
    fn a_release_is_opened_by_its_signers_key_alone() {
        let signed = seal(&manifest(3, b"goods"), &key(1));
        let open = |signed: &Signed, n| super::open(signed, &[key(n).verifying_key()]);
        assert_eq!(open(&signed, 1), Ok(manifest(3, b"goods")));
        assert_eq!(super::open(&signed, &[key(2).verifying_key(), key(1).verifying_key()]).map(|m| m.version), Ok(3));
        assert_eq!(open(&signed, 2), Err(ReleaseError::Signature));
        assert_eq!(super::open(&signed, &[]), Err(ReleaseError::Signature));
        let forged = Signed { body: signed.body.replace("\"version\":3", "\"version\":9"), ..signed.clone() };
        assert_eq!(open(&forged, 1), Err(ReleaseError::Signature));
        let cut = Signed { signature: signed.signature[..20].into(), ..signed.clone() };
        assert_eq!(open(&cut, 1), Err(ReleaseError::Signature));
        // A signature for another use does not serve.
        let batch = key(1).sign(&Signed::message(crate::message::BATCH_LABEL, &signed.body));
        let other = Signed { signature: BASE64_URL_SAFE_NO_PAD.encode(batch.to_bytes()), ..signed };
        assert_eq!(open(&other, 1), Err(ReleaseError::Signature));
    }

    #[test]
    fn releases_never_go_back() {
        let floor = Floor::raised(&manifest(5, b"goods"));
        let judge = |floor: Floor, m: &Manifest| floor.judge(m, Kind::Catalogue, &store());
        assert_eq!(judge(Floor::default(), &manifest(1, b"goods")), Ok(true));
        assert_eq!(judge(floor, &manifest(6, b"new")), Ok(true));
        assert_eq!(judge(floor, &manifest(5, b"goods")), Ok(false));
        assert_eq!(judge(floor, &manifest(4, b"goods")), Err(ReleaseError::RolledBack { found: 4, had: 5 }));
        assert_eq!(judge(floor, &manifest(5, b"twin")), Err(ReleaseError::Twin(5)));
    }

    #[test]
    fn a_release_of_another_store_or_kind_is_not_taken() {
        let floor = Floor::default();
        let other = StoreId::new("other").expect("valid");
        assert_eq!(floor.judge(&manifest(1, b"x"), Kind::Catalogue, &other), Err(ReleaseError::Store(store())),);
        assert_eq!(
            floor.judge(&manifest(1, b"x"), Kind::Model, &store()),
            Err(ReleaseError::Kind { found: Kind::Catalogue, expected: Kind::Model }),
        );
        let everyones = Manifest { store: None, ..manifest(1, b"x") };
        assert!(floor.judge(&everyones, Kind::Catalogue, &store()).is_err());
        let model = Manifest { kind: Kind::Model, ..everyones };
        assert_eq!(floor.judge(&model, Kind::Model, &store()), Ok(true));
    }

    #[test]
    fn another_file_than_the_signed_one_is_found() {
        let manifest = manifest(1, b"goods");
        assert_eq!(check_file(&manifest, b"goods"), Ok(()));
        assert!(check_file(&manifest, b"g00ds").is_err());
        assert!(check_file(&manifest, b"goods!").is_err());
    }
}
