//! What carts are given to run by: the store's catalogue, signed here, and what a vendor has signed.
//!
//! The catalogue of the configuration is released by the hub itself: with the store's release key, made
//! at the first start, and with the next version whenever the file has changed. Other releases lie in
//! the folder `releases` of the hub's data, each as `NAME` and `NAME.release`, signed elsewhere with
//! `store-hub release`; the hub passes on those that a key of `[tls] vendor_keys` has signed and names
//! the others in its log. A cart checks all of them once more: see [`trip::release`].

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use ed25519_dalek::{SigningKey, VerifyingKey};
use identity::{SecretError, secret};
use trip::message::Signed;
use trip::release::{Kind, Manifest, VERSION, check_file, open, seal};
use trip::{Hash, StoreId, UnixMillis};

use crate::config::key_text;
use crate::identity::registry::{Registry, RegistryError};
use crate::keys::{failed, own_key};

/// What a release is signed with.
pub const RELEASE_KEY: &str = "release key of 32 bytes";

/// Releases cannot be made or read.
#[derive(Debug, thiserror::Error)]
pub enum ReleasesError {
    /// A file.
    #[error(transparent)]
    File(#[from] SecretError),
    /// What was released before cannot be told.
    #[error(transparent)]
    Registry(#[from] RegistryError),
}

/// The releases that carts may fetch.
#[derive(Debug, Default)]
pub struct Releases {
    shelf: BTreeMap<Kind, (Manifest, Signed, PathBuf)>,
}

/// Signs `file` as release `version` of `kind`; `store` is `None` for one that is for all stores.
pub fn sign(kind: Kind, store: Option<StoreId>, version: u64, file: &[u8], key: &SigningKey, at: UnixMillis) -> Signed {
    let (digest, bytes) = (Hash::of(file), file.len() as u64);
    seal(&Manifest { v: VERSION, kind, store, version, digest, bytes, at }, key)
}

/// What `store-hub release` is told.
#[derive(Debug, clap::Args)]
pub struct ReleaseOptions {
    /// `model`, `configuration` or `pictures`.
    #[arg(long)]
    kind: String,
    /// Counts the releases of this kind; carts take none that is lower than one they had.
    #[arg(long)]
    version: u64,
    /// For one store alone; a model may be for all.
    #[arg(long)]
    store: Option<String>,
    /// The vendor's private key; made when it is not there.
    #[arg(long)]
    key: PathBuf,
    /// The file.
    file: PathBuf,
}

/// Signs a file as `options` say, and prints the public key for `[tls] vendor_keys`.
///
/// # Errors
/// When a file cannot be read or written, or an option is wrong.
pub fn command(options: &ReleaseOptions) -> anyhow::Result<()> {
    let kind = Kind::parse(&options.kind).filter(|kind| *kind != Kind::Catalogue);
    let kind = kind.with_context(|| format!("\"{}\" is none of: model, configuration, pictures", options.kind))?;
    let store = options.store.clone().map(StoreId::new).transpose()?;
    anyhow::ensure!(kind == Kind::Model || store.is_some(), "{kind} is of one store; name it with --store");
    anyhow::ensure!(options.version > 0, "versions count from 1");
    let key = own_key(&options.key, RELEASE_KEY)?;
    let file = std::fs::read(&options.file).with_context(|| format!("cannot read {}", options.file.display()))?;
    let at = UnixMillis(i64::try_from(crate::identity::now_s()).unwrap_or_default() * 1_000);
    let signed = sign(kind, store, options.version, &file, &key, at);
    let path = PathBuf::from(format!("{}.release", options.file.display()));
    secret::write_public(&path, serde_json::to_string(&signed)?.as_bytes())?;
    println!("{} is signed; its key, for [tls] vendor_keys: {}", path.display(), key_text(&key.verifying_key()));
    Ok(())
}

impl Releases {
    /// Releases the catalogue at `catalogue`: with the version it has had, or the next one where the file
    /// has changed since.
    ///
    /// # Errors
    /// [`ReleasesError`] when it cannot be read or noted.
    pub fn release_catalogue(
        &mut self,
        catalogue: &Path,
        store: &StoreId,
        key: &SigningKey,
        registry: &mut Registry,
        at: UnixMillis,
    ) -> Result<(), ReleasesError> {
        let file = std::fs::read(catalogue).map_err(failed("cannot read", catalogue))?;
        let last = registry.release(Kind::Catalogue)?;
        let digest = Hash::of(&file);
        let version = if last.digest == Some(digest) { last.version } else { last.version + 1 };
        // Noted before it is given out: a version is never given to two files.
        registry.note_release(Kind::Catalogue, version, digest)?;
        let signed = sign(Kind::Catalogue, Some(store.clone()), version, &file, key, at);
        let Ok(manifest) = open(&signed, &[key.verifying_key()]) else { return Ok(()) };
        self.shelf.insert(Kind::Catalogue, (manifest, signed, catalogue.to_owned()));
        Ok(())
    }

    /// Takes in what lies in `folder` and one of `keys` has signed; the highest version of each kind. Returns
    /// what was refused, and why.
    pub fn take_in(&mut self, folder: &Path, store: &StoreId, keys: &[VerifyingKey]) -> Vec<String> {
        let mut refused = Vec::new();
        let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
        let mut paths: Vec<PathBuf> =
            entries.map(|e| e.path()).filter(|p| p.extension().is_some_and(|e| e == "release")).collect();
        paths.sort();
        for path in paths {
            match read(&path, keys) {
                Ok((manifest, ..)) if manifest.kind == Kind::Catalogue => {
                    refused.push(format!("{}: the catalogue is the configuration's to say", path.display()));
                }
                Ok((manifest, ..)) if manifest.store.as_ref().is_some_and(|of| of != store) => {
                    refused.push(format!("{}: it is of another store", path.display()));
                }
                Ok(release) => {
                    let newer = |(there, ..): &(Manifest, Signed, PathBuf)| there.version < release.0.version;
                    if self.shelf.get(&release.0.kind).is_none_or(newer) {
                        self.shelf.insert(release.0.kind, release);
                    }
                }
                Err(why) => refused.push(format!("{}: {why}", path.display())),
            }
        }
        refused
    }

    /// The signed manifest of the release of this kind.
    pub fn signed(&self, kind: Kind) -> Option<Signed> {
        self.shelf.get(&kind).map(|(_, signed, _)| signed.clone())
    }

    /// Where the file of that release lies, if it has this digest.
    pub fn file(&self, kind: Kind, digest: &Hash) -> Option<PathBuf> {
        let (manifest, _, path) = self.shelf.get(&kind)?;
        (manifest.digest == *digest).then(|| path.clone())
    }
}

fn read(path: &Path, keys: &[VerifyingKey]) -> Result<(Manifest, Signed, PathBuf), String> {
    let text = std::fs::read(path).map_err(|e| e.to_string())?;
    let signed: Signed = serde_json::from_slice(&text).map_err(|e| format!("it is no release: {e}"))?;
    let manifest = open(&signed, keys).map_err(|e| e.to_string())?;
    let file = path.with_extension("");
    let bytes = std::fs::read(&file).map_err(|e| format!("{}: {e}", file.display()))?;
    check_file(&manifest, &bytes).map_err(|e| e.to_string())?;
    Ok((manifest, signed, file))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> StoreId {
        StoreId::new("market-street").expect("valid")
    }

    #[test]
    fn a_changed_catalogue_has_the_next_version_and_an_unchanged_one_its_own() {
        let place = tempfile::tempdir().expect("a folder");
        let mut registry = Registry::open(&place.path().join("identity")).expect("made");
        let key = own_key(&place.path().join("identity/release.key"), RELEASE_KEY).expect("made");
        let path = place.path().join("goods.toml");
        let mut released = |text: &str| {
            std::fs::write(&path, text).expect("written");
            let mut releases = Releases::default();
            releases.release_catalogue(&path, &store(), &key, &mut registry, UnixMillis(5)).expect("released");
            let signed = releases.signed(Kind::Catalogue).expect("there");
            let manifest = open(&signed, &[key.verifying_key()]).expect("signed");
            assert_eq!(releases.file(Kind::Catalogue, &Hash::of(text.as_bytes())), Some(path.clone()));
            assert_eq!(releases.file(Kind::Catalogue, &Hash::GENESIS), None);
            manifest.version
        };
        assert_eq!((released("one"), released("one"), released("two"), released("one")), (1, 1, 2, 3));
    }

    #[test]
    fn what_the_vendor_has_not_signed_is_refused_by_name() {
        let place = tempfile::tempdir().expect("a folder");
        let (vendor, other) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let put = |name: &str, file: &[u8], signed: &Signed| {
            std::fs::write(place.path().join(name), file).expect("written");
            let text = serde_json::to_string(signed).expect("plain");
            std::fs::write(place.path().join(format!("{name}.release")), text).expect("written");
        };
        let model = |version, key: &SigningKey| sign(Kind::Model, None, version, b"net", key, UnixMillis(0));
        put("old.onnx", b"net", &model(1, &vendor));
        put("new.onnx", b"net", &model(2, &vendor));
        put("forged.onnx", b"net", &model(9, &other));
        put("changed.onnx", b"not", &model(8, &vendor));
        put("prices.toml", b"x", &sign(Kind::Catalogue, Some(store()), 7, b"x", &vendor, UnixMillis(0)));
        std::fs::write(place.path().join("cut.release"), "{\"v\":1").expect("written");
        let mut releases = Releases::default();
        let refused = releases.take_in(place.path(), &store(), &[vendor.verifying_key()]);
        let names: Vec<bool> = ["changed.onnx", "cut", "forged.onnx", "prices.toml"]
            .iter()
            .map(|name| refused.iter().any(|line| line.contains(name)))
            .collect();
        assert_eq!((refused.len(), names), (4, vec![true; 4]), "{refused:?}");
        let signed = releases.signed(Kind::Model).expect("there");
        assert_eq!(open(&signed, &[vendor.verifying_key()]).expect("signed").version, 2);
    }
}
