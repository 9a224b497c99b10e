//! What the store has released to this cart. A release of kind [`model`] or [`pictures`] is a tar archive; it is
//! taken out of its release once, into a folder of its digest under the cart's data.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};
use store_sync::identity::Identity;
use trip::release::{Kind, Manifest};

use crate::config::Config;

pub mod model;
pub mod pictures;

/// The last good release of `kind`, and its file; `None` where there is none, and on a line without identities.
pub(crate) fn current(config: &Config, kind: Kind) -> Option<(Manifest, Vec<u8>)> {
    if !config.line.is_secure() {
        return None;
    }
    // A cart that has not joined yet has no releases; what is wrong with an identity is said when the line uses it.
    let identity = Identity::load(&config.data, &config.store, &config.cart).ok()?;
    identity.shelf(&config.data).current(kind)
}

/// What an archive of one kind may hold.
struct Contents<'a> {
    /// In words, for errors: "a model; it holds NAME.onnx, NAME.json and NAME.gallery alone".
    what: &'a str,
    /// Whether a plain file of this name belongs to it.
    part: &'a dyn Fn(&Path) -> bool,
    /// What is wrong with all of them together.
    whole: &'a dyn Fn(&[PathBuf]) -> anyhow::Result<()>,
}

impl Contents<'_> {
    /// The folder, below `folder`, with the files of `archive`; what earlier releases left there goes.
    fn taken_out(&self, manifest: &Manifest, archive: &[u8], folder: &Path) -> anyhow::Result<PathBuf> {
        let place = folder.join(manifest.digest.to_string());
        if place.is_dir() {
            return Ok(place);
        }
        // Those of earlier releases, and one that a power cut has left half done.
        if folder.exists() {
            std::fs::remove_dir_all(folder).with_context(|| format!("cannot clear {}", folder.display()))?;
        }
        let partial = folder.join("partial");
        std::fs::create_dir_all(&partial).with_context(|| format!("cannot make {}", partial.display()))?;
        self.take_out(archive, &partial)?;
        std::fs::rename(&partial, &place).with_context(|| format!("cannot make {}", place.display()))?;
        Ok(place)
    }

    /// Takes the files into `folder`. Nothing else is written, whatever the archive holds.
    fn take_out(&self, archive: &[u8], folder: &Path) -> anyhow::Result<()> {
        let mut names = Vec::new();
        for entry in tar::Archive::new(archive).entries().context("it is no tar archive")? {
            let mut entry = entry.context("it is no tar archive, or was cut")?;
            let name = entry.path().context("a name in it is none")?.into_owned();
            let plain = name.file_name().map(Path::new) == Some(&name) && entry.header().entry_type().is_file();
            ensure!(plain && (self.part)(&name), "{} is no part of {}", name.display(), self.what);
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).with_context(|| format!("{} is cut", name.display()))?;
            let to = folder.join(&name);
            let written = std::fs::write(&to, bytes).and_then(|()| std::fs::File::open(&to)?.sync_all());
            written.with_context(|| format!("cannot write {}", to.display()))?;
            names.push(name);
        }
        (self.whole)(&names)
    }
}

#[cfg(test)]
mod tests {
    use trip::release::VERSION;
    use trip::{Hash, UnixMillis};

    use super::*;

    /// A tar archive of `files`, by name, with whatever names.
    pub(super) fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, bytes) in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            // As a hostile program would: the library's own way refuses such names.
            header.as_gnu_mut().expect("gnu").name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            tar.append(&header, *bytes).expect("in memory");
        }
        tar.into_inner().expect("in memory")
    }

    /// What is said of a release of `archive`.
    pub(super) fn manifest(kind: Kind, archive: &[u8]) -> Manifest {
        let (digest, bytes) = (Hash::of(archive), archive.len() as u64);
        Manifest { v: VERSION, kind, store: None, version: 3, digest, bytes, at: UnixMillis(0) }
    }

    /// `contents` refuses each archive, saying so, and writes nothing outside its folder.
    pub(super) fn refuses(contents: &Contents, archives: &[(Vec<u8>, &str)]) {
        let place = tempfile::tempdir().expect("a folder");
        for (archive, what) in archives {
            let folder = place.path().join("partial");
            std::fs::create_dir_all(&folder).expect("made");
            let why = format!("{:#}", contents.take_out(archive, &folder).expect_err(what));
            assert!(why.contains(what), "{what}: {why}");
            std::fs::remove_dir_all(&folder).expect("there");
            assert_eq!(std::fs::read_dir(place.path()).expect("there").count(), 0, "{what}");
        }
    }
}
