//! The pictures of products that this cart has: those that the store has released, then those of its own
//! configuration.
//!
//! A release of kind `pictures` holds files of goods, each named by its sku: `oat-drink.png`. What has no picture
//! is drawn.

use std::path::{Path, PathBuf};

use anyhow::ensure;
use tracing::{info, warn};
use trip::Sku;
use trip::release::Kind;

use super::{Contents, current};
use crate::config::Config;
use crate::ui::KINDS_OF_PICTURE;

const PICTURES: Contents<'_> = Contents {
    what: "a store's pictures; it holds files such as SKU.png, SKU.jpg or SKU.webp alone",
    part: &of_a_product,
    whole: &|names| {
        ensure!(!names.is_empty(), "it holds no picture");
        Ok(())
    },
};

/// The folders to look in, the first first. Takes a release out of its archive when it is new: seconds, for some
/// hundreds of goods.
pub fn folders(config: &Config) -> Vec<PathBuf> {
    let mut folders = Vec::new();
    if let Some((manifest, file)) = current(config, Kind::Pictures) {
        match PICTURES.taken_out(&manifest, &file, &config.data.join("pictures")) {
            Ok(folder) => {
                info!(version = manifest.version, "the released pictures are shown");
                folders.push(folder);
            }
            Err(why) => warn!(version = manifest.version, "the released pictures are left out: {why:#}"),
        }
    }
    folders.extend(config.pictures.clone().filter(|folder| folder.is_dir()));
    folders
}

fn of_a_product(name: &Path) -> bool {
    let sku = name.file_stem().and_then(|stem| stem.to_str()).is_some_and(|stem| Sku::new(stem).is_ok());
    sku && KINDS_OF_PICTURE.iter().any(|kind| name.extension().is_some_and(|e| e == *kind))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{archive, manifest, refuses};
    use super::*;

    #[test]
    fn released_pictures_are_taken_out_and_what_is_none_is_refused() {
        let place = tempfile::tempdir().expect("a folder");
        let folder = place.path().join("pictures");
        let good = archive(&[("oat-drink.png", b"one"), ("bread.jpg", b"two")]);
        let taken = PICTURES.taken_out(&manifest(Kind::Pictures, &good), &good, &folder).expect("good");
        assert_eq!(std::fs::read(taken.join("bread.jpg")).expect("there"), b"two");
        let cases = [
            (archive(&[]), "no picture"),
            (archive(&[("oat-drink.svg", b"x")]), "oat-drink.svg is no part"),
            (archive(&[("Oat Drink.png", b"x")]), "no part"),
            (archive(&[("../oat-drink.png", b"x")]), "no part"),
        ];
        refuses(&PICTURES, &cases);
    }
}
