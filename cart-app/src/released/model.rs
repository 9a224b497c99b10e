//! The model that the store has released to this cart, and which one is looked with.
//!
//! A release of kind `model` holds the three files of one model, of one name, as `assets/models` has them:
//! `NAME.onnx`, `NAME.json` and `NAME.gallery`. Where it does not open there is the model of the cart's own
//! configuration.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, ensure};
use tracing::{info, warn};
use trip::Catalogue;
use trip::release::{Kind, Manifest};

use super::{Contents, current};
use crate::config::{Config, SightConfig};
use crate::sight::Sight;

/// What belongs to a model.
const PARTS: [&str; 3] = ["onnx", "json", "gallery"];

const MODEL: Contents<'_> = Contents {
    what: "a model; it holds NAME.onnx, NAME.json and NAME.gallery alone",
    part: &|name| PARTS.iter().any(|part| name.extension().is_some_and(|e| e == *part)),
    whole: &whole,
};

/// Opens the model that the store has released to this cart, and else the one of its own configuration.
///
/// # Errors
/// When there is none released that can be used, and the cart's own cannot be used either.
pub fn open_newest(config: &Config, catalogue: &Arc<Catalogue>) -> anyhow::Result<Sight> {
    if let Some((manifest, file)) = current(config, Kind::Model) {
        let opened = taken(&manifest, &file, &config.data.join("models"), &config.sight)
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

/// `own` with the released model in place of its own, which is taken out of `archive` into `folder`.
fn taken(manifest: &Manifest, archive: &[u8], folder: &Path, own: &SightConfig) -> anyhow::Result<SightConfig> {
    let place = MODEL.taken_out(manifest, archive, folder)?;
    let mut paths = std::fs::read_dir(&place)?.flatten().map(|entry| entry.path());
    let model = paths.find(|path| path.extension().is_some_and(|e| e == "onnx"));
    let model = model.with_context(|| format!("no model lies in {}", place.display()))?;
    Ok(SightConfig { gallery: model.with_extension("gallery"), model, ..own.clone() })
}

fn whole(names: &[PathBuf]) -> anyhow::Result<()> {
    for part in PARTS {
        let of_it = names.iter().filter(|name| name.extension().is_some_and(|e| e == part)).count();
        ensure!(of_it > 0, "it holds no file that ends in .{part}");
        ensure!(of_it == 1, "it holds two files that end in .{part}");
    }
    ensure!(names.iter().all(|name| name.file_stem() == names[0].file_stem()), "its files are of several models");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::{archive, manifest, refuses};
    use super::*;

    #[test]
    fn a_released_model_is_taken_out_once_and_replaces_the_one_before() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("models");
        let own = SightConfig { model: "m.onnx".into(), gallery: "g.bin".into(), runtime: None, add_threshold: 0.9 };
        let take = |archive: &[u8]| taken(&manifest(Kind::Model, archive), archive, &folder, &own);
        let first = archive(&[("a.json", b"{}"), ("a.gallery", b"g"), ("a.onnx", b"net")]);
        let one = take(&first).expect("good");
        assert_eq!(std::fs::read(&one.model).expect("there"), b"net");
        assert_eq!(std::fs::read(&one.gallery).expect("there"), b"g");
        assert_eq!(one.add_threshold, own.add_threshold, "all else is the cart's own");
        assert_eq!(take(&first).expect("again").model, one.model);
        let second = take(&archive(&[("b.onnx", b"new"), ("b.json", b"{}"), ("b.gallery", b"g")])).expect("good");
        assert_eq!(std::fs::read(&second.model).expect("there"), b"new");
        assert!(!one.model.exists(), "the earlier one goes");
    }

    #[test]
    fn what_is_no_model_is_refused_and_writes_nowhere_else() {
        let good: [(&str, &[u8]); 3] = [("a.onnx", b"net"), ("a.json", b"{}"), ("a.gallery", b"g")];
        let cases = [
            (b"this is a letter".repeat(40), "tar archive"),
            (archive(&good)[..700].to_vec(), "cut"),
            (archive(&good[..2]), ".gallery"),
            (archive(&[good[0], good[1], good[2], ("b.onnx", b"net")]), "two files"),
            (archive(&[good[0], good[1], ("b.gallery", b"g")]), "several models"),
            (archive(&[good[0], ("../a.json", b"{}"), good[2]]), "no part of a model"),
            (archive(&[good[0], ("/tmp/a.json", b"{}"), good[2]]), "no part of a model"),
            (archive(&[good[0], ("a.sh", b"rm"), good[2]]), "no part of a model"),
        ];
        refuses(&MODEL, &cases);
    }
}
