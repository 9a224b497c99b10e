//! What the store gives this cart to run by, kept on disk: the last good release of each kind, and the
//! version below which nothing is taken.
//!
//! A release is fetched over the cart's own TLS line, checked by [`trip::release`], and only then put in
//! place of the one before: its file first, under its digest; then the signed manifest, which is the
//! switch; then the floor; then the old file goes. A power cut at any moment leaves one whole release.
//! Whatever is refused is told by name and changes nothing.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use ed25519_dalek::VerifyingKey;
use identity::{SecretError, secret};
use rustls::ClientConfig;
use trip::StoreId;
use trip::message::Signed;
use trip::release::{Floor, Kind, LARGEST_BYTES, Manifest, ReleaseError, check_file, open};

use crate::https::{HttpsError, Hub};
use crate::tls;

/// A signed manifest is some hundred bytes.
const MOST_MANIFEST_BYTES: usize = 16 * 1024;

/// A release is not taken, and the last good one stays.
#[derive(Debug, thiserror::Error)]
pub enum RefusedRelease {
    /// It cannot be fetched now.
    #[error("the {kind} cannot be fetched: {source}")]
    Fetch {
        /// Which.
        kind: Kind,
        /// Why.
        source: HttpsError,
    },
    /// It is forged, another store's, or goes back.
    #[error("a release of the {kind} was refused: {source}; the last good one stays")]
    Refused {
        /// Which.
        kind: Kind,
        /// Why.
        source: ReleaseError,
    },
    /// The disk.
    #[error(transparent)]
    Disk(#[from] SecretError),
}

impl RefusedRelease {
    /// True when staff should know: somebody gave this cart what it must not take.
    pub fn is_an_alarm(&self) -> bool {
        matches!(self, Self::Refused { .. })
    }
}

/// The releases of one cart.
#[derive(Clone, Debug)]
pub struct Shelf {
    folder: PathBuf,
    store: StoreId,
    keys: Vec<VerifyingKey>,
}

impl Shelf {
    /// The shelf in the cart's folder `data`, for what `keys` have signed.
    pub fn new(data: &Path, store: StoreId, keys: Vec<VerifyingKey>) -> Self {
        Self { folder: data.join("releases"), store, keys }
    }

    fn path(&self, kind: Kind, what: &str) -> PathBuf {
        self.folder.join(format!("{kind}.{what}"))
    }

    fn file(&self, manifest: &Manifest) -> PathBuf {
        self.path(manifest.kind, &format!("{}.file", manifest.digest))
    }

    /// The version below which nothing is taken.
    ///
    /// # Errors
    /// [`RefusedRelease::Disk`] when it cannot be read; a floor that is there but broken is an error too, for
    /// without it anything would be taken.
    pub fn floor(&self, kind: Kind) -> Result<Floor, RefusedRelease> {
        let path = self.path(kind, "floor");
        let failed = |source| SecretError::File { what: "cannot read", path: path.clone(), source };
        let floor: Floor = match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text)
                .map_err(|e| failed(std::io::Error::new(std::io::ErrorKind::InvalidData, e)))?,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => Floor::default(),
            Err(e) => return Err(failed(e).into()),
        };
        // A power cut may have come between the switch and the floor.
        let here = self.manifest(kind).filter(|manifest| manifest.version > floor.version);
        Ok(here.map_or(floor, |manifest| Floor::raised(&manifest)))
    }

    fn manifest(&self, kind: Kind) -> Option<Manifest> {
        let signed: Signed = serde_json::from_slice(&std::fs::read(self.path(kind, "release")).ok()?).ok()?;
        open(&signed, &self.keys).ok().filter(|manifest| manifest.kind == kind)
    }

    /// The last good release, checked anew: what was changed on the disk, or set back, is not used.
    pub fn current(&self, kind: Kind) -> Option<(Manifest, Vec<u8>)> {
        let manifest = self.manifest(kind)?;
        let file = std::fs::read(self.file(&manifest)).ok()?;
        let good = manifest.version >= self.floor(kind).ok()?.version && check_file(&manifest, &file).is_ok();
        good.then_some((manifest, file))
    }

    /// Judges a signed manifest: `None` when its file is here already.
    ///
    /// # Errors
    /// [`RefusedRelease`] when it is not to be taken.
    pub fn judge(&self, kind: Kind, signed: &Signed) -> Result<Option<Manifest>, RefusedRelease> {
        let refused = |source| RefusedRelease::Refused { kind, source };
        let manifest = open(signed, &self.keys).map_err(refused)?;
        let newer = self.floor(kind)?.judge(&manifest, kind, &self.store).map_err(refused)?;
        let here = !newer && self.current(kind).is_some_and(|(current, _)| current.digest == manifest.digest);
        Ok((!here).then_some(manifest))
    }

    /// Puts a release in place of the one before.
    ///
    /// # Errors
    /// [`RefusedRelease`] when it is not to be taken, or cannot be written.
    pub fn take(&self, kind: Kind, signed: &Signed, file: &[u8]) -> Result<(), RefusedRelease> {
        let Some(manifest) = self.judge(kind, signed)? else { return Ok(()) };
        check_file(&manifest, file).map_err(|source| RefusedRelease::Refused { kind, source })?;
        secret::folder(&self.folder)?;
        let json = |value: Result<Vec<u8>, serde_json::Error>| {
            value.unwrap_or_else(|e| unreachable!("it has only plain fields: {e}"))
        };
        secret::write(&self.file(&manifest), file)?;
        secret::write(&self.path(kind, "release"), &json(serde_json::to_vec(signed)))?;
        secret::write(&self.path(kind, "floor"), &json(serde_json::to_vec(&Floor::raised(&manifest))))?;
        self.clear(&manifest);
        Ok(())
    }

    /// Removes files of earlier releases; one that cannot be removed does no harm.
    fn clear(&self, current: &Manifest) {
        let own = self.file(current);
        let begins = format!("{}.", current.kind);
        for entry in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let (path, name) = (entry.path(), entry.file_name());
            let name = name.to_string_lossy();
            if name.starts_with(&begins) && name.ends_with(".file") && path != own {
                drop(std::fs::remove_file(path));
            }
        }
    }

    /// Fetches the release of `kind` from the hub at `url`, if it is newer than the one here. Returns what
    /// was taken.
    ///
    /// # Errors
    /// [`RefusedRelease`]; the last good one stays.
    pub async fn fetch(
        &self,
        kind: Kind,
        url: &str,
        tls: Arc<ClientConfig>,
    ) -> Result<Option<(Manifest, Vec<u8>)>, RefusedRelease> {
        let fetch = |source| RefusedRelease::Fetch { kind, source };
        let hub = Hub::new(url, tls).map_err(fetch)?;
        let text = match hub.ask(&format!("/v1/releases/{kind}"), None, MOST_MANIFEST_BYTES, tls::now()).await {
            Ok(text) => text,
            Err(HttpsError::Refused { status: 404, .. }) => return Ok(None),
            Err(why) => return Err(fetch(why)),
        };
        let form = |e: serde_json::Error| RefusedRelease::Refused { kind, source: ReleaseError::Form(e.to_string()) };
        let signed: Signed = serde_json::from_slice(&text).map_err(form)?;
        let Some(manifest) = self.judge(kind, &signed)? else { return Ok(None) };
        let path = format!("/v1/releases/{kind}/{}", manifest.digest);
        let most = usize::try_from(manifest.bytes.min(LARGEST_BYTES)).unwrap_or(usize::MAX);
        let file = hub.ask(&path, None, most, tls::now()).await.map_err(fetch)?;
        self.take(kind, &signed, &file)?;
        Ok(Some((manifest, file.to_vec())))
    }
}

#[cfg(test)]
mod tests {
    use ed25519_dalek::SigningKey;
    use trip::release::seal;
    use trip::{Hash, UnixMillis};

    use super::*;

    fn key(n: u8) -> SigningKey {
        SigningKey::from_bytes(&[n; 32])
    }

    fn store() -> StoreId {
        StoreId::new("market-street").expect("valid")
    }

    fn release(version: u64, file: &[u8], signer: u8) -> Signed {
        let (digest, bytes) = (Hash::of(file), file.len() as u64);
        let manifest =
            Manifest { v: 1, kind: Kind::Catalogue, store: Some(store()), version, digest, bytes, at: UnixMillis(0) };
        seal(&manifest, &key(signer))
    }

    fn shelf() -> (tempfile::TempDir, Shelf) {
        let place = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::new(place.path(), store(), vec![key(1).verifying_key()]);
        (place, shelf)
    }

    fn shown(shelf: &Shelf) -> Option<(u64, Vec<u8>)> {
        shelf.current(Kind::Catalogue).map(|(manifest, file)| (manifest.version, file))
    }

    #[test]
    fn a_newer_release_is_taken_and_kept_over_a_restart() {
        let (place, shelf) = shelf();
        shelf.take(Kind::Catalogue, &release(1, b"one", 1), b"one").expect("taken");
        shelf.take(Kind::Catalogue, &release(4, b"two", 1), b"two").expect("taken");
        let again = Shelf::new(place.path(), store(), vec![key(1).verifying_key()]);
        assert_eq!(shown(&again), Some((4, b"two".to_vec())));
        assert!(again.judge(Kind::Catalogue, &release(4, b"two", 1)).expect("known").is_none(), "it is here already");
    }

    #[test]
    fn a_forged_a_rolled_back_and_a_changed_release_leave_the_last_good_one() {
        let (_place, shelf) = shelf();
        shelf.take(Kind::Catalogue, &release(4, b"good", 1), b"good").expect("taken");
        let refused = |signed: &Signed, file: &[u8]| {
            let why = shelf.take(Kind::Catalogue, signed, file).expect_err("refused");
            assert!(why.is_an_alarm(), "{why}");
            assert_eq!(shown(&shelf), Some((4, b"good".to_vec())));
        };
        refused(&release(9, b"evil", 2), b"evil");
        refused(&release(3, b"old", 1), b"old");
        refused(&release(4, b"twin", 1), b"twin");
        refused(&release(5, b"good", 1), b"g00d");
        shelf.take(Kind::Catalogue, &release(5, b"next", 1), b"next").expect("taken");
    }

    /// The files of the shelf, as they lie on the disk.
    fn files(place: &Path) -> Vec<(PathBuf, Vec<u8>)> {
        let entries = std::fs::read_dir(place.join("releases")).expect("there").flatten().map(|entry| entry.path());
        entries.map(|path| (path.clone(), std::fs::read(&path).expect("read"))).collect()
    }

    #[test]
    fn an_older_release_put_back_on_the_disk_is_not_used() {
        let (place, shelf) = shelf();
        shelf.take(Kind::Catalogue, &release(1, b"one", 1), b"one").expect("taken");
        let old = files(place.path());
        shelf.take(Kind::Catalogue, &release(2, b"two", 1), b"two").expect("taken");
        assert_eq!(files(place.path()).len(), 3, "the old file is gone");
        for (path, bytes) in old.iter().filter(|(path, _)| !path.ends_with("catalogue.floor")) {
            std::fs::write(path, bytes).expect("written");
        }
        assert_eq!(shown(&shelf), None);
        assert!(shelf.take(Kind::Catalogue, &release(1, b"one", 1), b"one").is_err());
        std::fs::write(place.path().join("releases/catalogue.floor"), "{").expect("written");
        assert!(shelf.take(Kind::Catalogue, &release(3, b"x", 1), b"x").is_err(), "a broken floor lets nothing in");
    }

    #[test]
    fn a_power_cut_before_the_floor_is_raised_brings_nothing_back() {
        let (place, shelf) = shelf();
        shelf.take(Kind::Catalogue, &release(1, b"one", 1), b"one").expect("taken");
        let floor = place.path().join("releases/catalogue.floor");
        let before = std::fs::read(&floor).expect("there");
        shelf.take(Kind::Catalogue, &release(3, b"three", 1), b"three").expect("taken");
        std::fs::write(&floor, before).expect("as before the cut");
        assert_eq!(shown(&shelf), Some((3, b"three".to_vec())));
        assert!(shelf.take(Kind::Catalogue, &release(2, b"two", 1), b"two").is_err());
    }

    #[test]
    fn a_file_that_was_changed_on_the_disk_is_not_used_and_is_fetched_again() {
        let (place, shelf) = shelf();
        shelf.take(Kind::Catalogue, &release(1, b"one", 1), b"one").expect("taken");
        let all = files(place.path());
        let (path, _) = all.iter().find(|(path, _)| path.extension().is_some_and(|e| e == "file")).expect("there");
        std::fs::write(path, b"0ne").expect("written");
        assert_eq!(shown(&shelf), None);
        assert!(shelf.judge(Kind::Catalogue, &release(1, b"one", 1)).expect("known").is_some());
        shelf.take(Kind::Catalogue, &release(1, b"one", 1), b"one").expect("taken");
        assert_eq!(shown(&shelf), Some((1, b"one".to_vec())));
    }
}
