//! The model that the store has released to this cart, and which one is looked with.
//!
//! A release of kind `model` is a tar archive of the three files of one model, beside each other and of one name,
//! as `assets/models` has them: `NAME.onnx`, `NAME.json` and `NAME.gallery`. It is taken out of its release into
//! `models/DIGEST` under the cart's data at the start of the program. Where it does not open there is the model of
//! the cart's own configuration.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, bail, ensure};
use store_sync::identity::Identity;
use tracing::{info, warn};
use trip::Catalogue;
use trip::release::{Kind, Manifest};

use crate::config::{Config, SightConfig};
use crate::sight::Sight;

/// What belongs to a model.
const PARTS: [&str; 3] = ["onnx", "json", "gallery"];

/// Opens the model that the store has released to this cart, and else the one of its own configuration.
///
/// # Errors
/// When there is none released that can be used, and the cart's own cannot be used either.
pub fn open_newest(config: &Config, catalogue: &Arc<Catalogue>) -> anyhow::Result<Sight> {
    if let Some((manifest, file)) = released(config) {
        let opened = unpacked(&manifest, &file, &config.data.join("models"), &config.sight)
            .and_then(|released| Sight::open(&released, catalogue.clone()));
        match opened {
            Ok(sight) => {
                info!(version = manifest.version, "the released model looks");
                return Ok(sight);
            }
            Err(why) => warn!(version = manifest.version, "the released model is left out: {why:#}"),
        }
    }
    Sight::open(&config.sight, catalogue.clone())
}

fn released(config: &Config) -> Option<(Manifest, Vec<u8>)> {
    if !config.line.is_secure() {
        return None;
    }
    // What is wrong with an identity is said when the line uses it.
    let identity = Identity::load(&config.data, &config.store, &config.cart).ok()?;
    identity.shelf(&config.data).current(Kind::Model)
}

/// `own` with the released model in place of its own, which is taken out of `archive` into `folder`.
fn unpacked(manifest: &Manifest, archive: &[u8], folder: &Path, own: &SightConfig) -> anyhow::Result<SightConfig> {
    let place = folder.join(manifest.digest.to_string());
    let model = match unpacked_before(&place) {
        Some(model) => model,
        None => {
            // Those of earlier releases, and one that a power cut has left half done.
            if folder.exists() {
                std::fs::remove_dir_all(folder).with_context(|| format!("cannot clear {}", folder.display()))?;
            }
            let partial = folder.join("partial");
            std::fs::create_dir_all(&partial).with_context(|| format!("cannot make {}", partial.display()))?;
            let name = unpack(archive, &partial)?;
            std::fs::rename(&partial, &place).with_context(|| format!("cannot make {}", place.display()))?;
            place.join(format!("{name}.onnx"))
        }
    };
    Ok(SightConfig { gallery: model.with_extension("gallery"), model, ..own.clone() })
}

fn unpacked_before(place: &Path) -> Option<PathBuf> {
    let paths = std::fs::read_dir(place).ok()?.flatten().map(|entry| entry.path());
    let mut models = paths.filter(|path| path.extension().is_some_and(|e| e == "onnx"));
    models.next()
}

/// Takes the three files into `folder`; their name without its ending. Nothing else is written, whatever the archive
/// holds.
fn unpack(archive: &[u8], folder: &Path) -> anyhow::Result<String> {
    let mut parts: Vec<(String, &str)> = Vec::new();
    for entry in tar::Archive::new(archive).entries().context("it is no tar archive")? {
        let mut entry = entry.context("it is no tar archive, or was cut")?;
        let path = entry.path().context("a name in it is none")?.into_owned();
        let plain = path.file_name().map(Path::new) == Some(&path) && entry.header().entry_type().is_file();
        let name = path.file_stem().and_then(|stem| stem.to_str()).filter(|_| plain);
        let part = PARTS.into_iter().find(|part| path.extension().is_some_and(|e| e == *part));
        let (Some(name), Some(part)) = (name, part) else {
            bail!("{} is no part of a model; it holds NAME.onnx, NAME.json and NAME.gallery alone", path.display());
        };
        ensure!(parts.iter().all(|(_, there)| *there != part), "it holds two files that end in .{part}");
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).with_context(|| format!("{} is cut", path.display()))?;
        let to = folder.join(&path);
        let written = std::fs::write(&to, bytes).and_then(|()| std::fs::File::open(&to)?.sync_all());
        written.with_context(|| format!("cannot write {}", to.display()))?;
        parts.push((name.to_owned(), part));
    }
    let missing = PARTS.into_iter().find(|part| parts.iter().all(|(_, there)| there != part));
    ensure!(missing.is_none(), "it holds no file that ends in .{}", missing.unwrap_or_default());
    let (name, _) = parts.swap_remove(0);
    ensure!(parts.iter().all(|(other, _)| *other == name), "its files are of several models");
    Ok(name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use trip::release::VERSION;
    use trip::{Hash, UnixMillis};

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
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

    fn release(archive: &[u8]) -> Manifest {
        let (digest, bytes) = (Hash::of(archive), archive.len() as u64);
        Manifest { v: VERSION, kind: Kind::Model, store: None, version: 3, digest, bytes, at: UnixMillis(0) }
    }

    #[test]
    fn a_released_model_is_taken_out_once_and_replaces_the_one_before() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("models");
        let own = SightConfig { model: "m.onnx".into(), gallery: "g.bin".into(), runtime: None, add_threshold: 0.9 };
        let take = |archive: &[u8]| unpacked(&release(archive), archive, &folder, &own);
        let first = archive(&[("a.json", b"{}"), ("a.gallery", b"g"), ("a.onnx", b"net")]);
        let taken = take(&first).expect("good");
        assert_eq!(std::fs::read(&taken.model).expect("there"), b"net");
        assert_eq!(std::fs::read(&taken.gallery).expect("there"), b"g");
        assert_eq!(taken.add_threshold, own.add_threshold, "all else is the cart's own");
        assert_eq!(take(&first).expect("again").model, taken.model);
        let second = take(&archive(&[("b.onnx", b"new"), ("b.json", b"{}"), ("b.gallery", b"g")])).expect("good");
        assert_eq!(std::fs::read(&second.model).expect("there"), b"new");
        assert!(!taken.model.exists(), "the earlier one goes");
    }

    #[test]
    fn what_is_no_model_is_refused_and_writes_nowhere_else() {
        let place = tempfile::tempdir().expect("a folder");
        let good: [(&str, &[u8]); 3] = [("a.onnx", b"net"), ("a.json", b"{}"), ("a.gallery", b"g")];
        let cut = archive(&good)[..700].to_vec();
        for (archive, what) in [
            (b"this is a letter".repeat(40), "tar archive"),
            (cut, "cut"),
            (archive(&good[..2]), ".gallery"),
            (archive(&[good[0], good[1], good[2], ("b.onnx", b"net")]), "two files"),
            (archive(&[good[0], good[1], ("b.gallery", b"g")]), "several models"),
            (archive(&[good[0], ("../a.json", b"{}"), good[2]]), "no part of a model"),
            (archive(&[good[0], ("/tmp/a.json", b"{}"), good[2]]), "no part of a model"),
            (archive(&[good[0], ("a.sh", b"rm"), good[2]]), "no part of a model"),
        ] {
            let folder = place.path().join("partial");
            std::fs::create_dir_all(&folder).expect("made");
            let why = format!("{:#}", unpack(&archive, &folder).expect_err(what));
            assert!(why.contains(what), "{what}: {why}");
            std::fs::remove_dir_all(&folder).expect("there");
            assert_eq!(std::fs::read_dir(place.path()).expect("there").count(), 0, "{what}");
        }
    }
}
