//! Every catalogue this hub has ever used, by version, so that a trip which pinned an older one can
//! still be priced.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use service::file::read_text;
use trip::bounds::MAX_CATALOGUE_BYTES;
use trip::{Catalogue, Hash};

/// A catalogue cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CataloguesError {
    /// The file cannot be read, or the copy not be written.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// It is read, but wrong.
    #[error("{}: {source}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Line and fault.
        source: trip::catalogue::CatalogueError,
    },
}

/// The catalogue of new trips and all older ones.
#[derive(Debug)]
pub struct Catalogues {
    current: Hash,
    by_version: HashMap<Hash, Catalogue>,
}

impl Catalogues {
    /// Reads the store's catalogue at `path`, keeps a copy by version in `folder`, and reads those
    /// kept before. A kept copy that no longer fits its name is passed over with a warning.
    ///
    /// # Errors
    /// [`CataloguesError`] when `path` is missing or wrong, or `folder` cannot be written.
    pub fn open(path: &Path, folder: &Path) -> Result<Self, CataloguesError> {
        let fail = |what, path: &Path| {
            let path = path.to_owned();
            move |source| CataloguesError::File { what, path, source }
        };
        let text = read_text(path, MAX_CATALOGUE_BYTES).map_err(fail("cannot read catalogue", path))?;
        let catalogue =
            Catalogue::parse(&text).map_err(|source| CataloguesError::Wrong { path: path.to_owned(), source })?;
        let current = catalogue.version;
        std::fs::create_dir_all(folder).map_err(fail("cannot make folder", folder))?;
        let copy = folder.join(format!("{current}.toml"));
        if !copy.exists() {
            let half = folder.join(format!("{current}.half"));
            std::fs::write(&half, &text).map_err(fail("cannot write", &half))?;
            std::fs::rename(&half, &copy).map_err(fail("cannot write", &copy))?;
        }
        let mut by_version = HashMap::from([(current, catalogue)]);
        for entry in std::fs::read_dir(folder).map_err(fail("cannot read folder", folder))?.flatten() {
            let path = entry.path();
            let version = path.file_stem().and_then(|s| s.to_str()).and_then(|s| Hash::try_from(s.to_owned()).ok());
            let (Some(version), Some("toml")) = (version, path.extension().and_then(|e| e.to_str())) else { continue };
            if by_version.contains_key(&version) {
                continue;
            }
            let kept = read_text(&path, MAX_CATALOGUE_BYTES).ok().and_then(|text| Catalogue::parse(&text).ok());
            match kept.filter(|c| c.version == version) {
                Some(kept) => drop(by_version.insert(version, kept)),
                None => {
                    tracing::warn!(path = %path.display(), "a kept catalogue does not fit its name; trips that pinned it cannot be paid")
                }
            }
        }
        Ok(Self { current, by_version })
    }

    /// The catalogue `current` of new trips and `older` ones, where there is no folder.
    pub fn of(current: Catalogue, older: Vec<Catalogue>) -> Self {
        let version = current.version;
        let by_version = older.into_iter().chain([current]).map(|c| (c.version, c)).collect();
        Self { current: version, by_version }
    }

    /// The catalogue of new trips.
    pub fn current(&self) -> &Catalogue {
        &self.by_version[&self.current]
    }

    /// The catalogue of this version.
    pub fn get(&self, version: &Hash) -> Option<&Catalogue> {
        self.by_version.get(version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(name: &str) -> String {
        format!("store = \"{name}\"\ncurrency = \"GBP\"\n")
    }

    #[test]
    fn an_older_version_is_still_there_after_a_change_of_prices() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, kept) = (folder.path().join("goods.toml"), folder.path().join("kept"));
        std::fs::write(&path, text("one")).expect("written");
        let old = Catalogues::open(&path, &kept).expect("right").current().version;
        std::fs::write(&path, text("two")).expect("written");
        let catalogues = Catalogues::open(&path, &kept).expect("right");
        assert_eq!(catalogues.current().store_name, "two");
        assert_eq!(catalogues.get(&old).map(|c| c.store_name.as_str()), Some("one"));
        std::fs::write(kept.join(format!("{old}.toml")), text("forged")).expect("written");
        assert!(Catalogues::open(&path, &kept).expect("right").get(&old).is_none(), "a forged copy was used");
    }

    #[test]
    fn a_missing_catalogue_is_named() {
        let error = Catalogues::open(Path::new("/nowhere/goods.toml"), Path::new("/nowhere")).expect_err("none");
        assert!(error.to_string().contains("/nowhere/goods.toml"), "{error}");
    }
}
