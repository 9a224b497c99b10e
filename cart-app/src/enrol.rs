//! `./trundle enrol`: a product from a few pictures, in seconds, without training and without a network.
//!
//! The same [`cart_vision::enrol`] serves hub and staff mode; here are only files and words.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, bail, ensure};
use cart_vision::embedder::{Embedder, runtime_path};
use cart_vision::{Enrolled, Gallery, enrol, photos};
use clap::Args;
use image::RgbImage;
use trip::{Catalogue, Gtin, Product};

use crate::config::Config;

/// Pictures that show a product from all its sides.
const ENOUGH: usize = 5;

/// What to enrol, and where.
#[derive(Args, Debug)]
pub struct EnrolOptions {
    /// The product's number: 8, 12, 13 or 14 digits with a right check digit.
    #[arg(long)]
    gtin: String,
    /// The folder with its pictures: about five, from different sides, filled by the thing.
    #[arg(long)]
    photos: PathBuf,
    /// The cart whose catalogue, model and gallery are meant; without it, those of the project's assets.
    #[arg(long)]
    config: Option<PathBuf>,
    /// The project's assets: catalogue and models.
    #[arg(long, default_value = "assets")]
    assets: PathBuf,
    /// The gallery to write; made from the shipped one when it is missing. Else the cart's own, or
    /// `store.gallery` in the folder for this user's data.
    #[arg(long)]
    gallery: Option<PathBuf>,
    /// Take the new pictures in place of those that the product has.
    #[arg(long)]
    replace: bool,
}

/// Which files belong together.
struct Files {
    catalogue: PathBuf,
    model: PathBuf,
    runtime: PathBuf,
    gallery: PathBuf,
}

/// Enrols the product and says what it looks like.
///
/// # Errors
/// When number, pictures, model or gallery cannot be used; nothing is changed then.
pub fn run(options: &EnrolOptions) -> anyhow::Result<()> {
    let files = files(options)?;
    let gtin = Gtin::parse(&options.gtin)?;
    let text = std::fs::read_to_string(&files.catalogue)
        .with_context(|| format!("catalogue {}", files.catalogue.display()))?;
    let catalogue = Catalogue::parse(&text).with_context(|| format!("catalogue {}", files.catalogue.display()))?;
    let product = catalogue.by_gtin(gtin).with_context(|| {
        format!("{gtin} is not in {}: add the product there first, with name and price", files.catalogue.display())
    })?;
    let pictures = pictures(&options.photos)?;
    let mut model = Embedder::open_with(&files.model, &files.runtime)?;
    let mut gallery = open_gallery(&files, &model.description().fingerprint)?;
    if gallery.contains(&product.sku) && !options.replace {
        bail!(
            "{} ({gtin}) is enrolled already in {}; give --replace to take these pictures instead",
            product.name,
            files.gallery.display()
        );
    }
    let start = Instant::now();
    let count = pictures.len();
    let enrolled = enrol(&mut model, &mut gallery, product.sku.clone(), pictures)?;
    if let Some(folder) = files.gallery.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("folder {}", folder.display()))?;
    }
    gallery.save(&files.gallery)?;
    println!(
        "{} ({gtin}): {} views of {count} pictures, in {:.1} s; {} products in {}",
        product.name,
        enrolled.views,
        start.elapsed().as_secs_f32(),
        gallery.skus().len(),
        files.gallery.display()
    );
    tell(&enrolled, product, &catalogue);
    if count < ENOUGH {
        println!("{count} pictures are few: {ENOUGH} from different sides are known more surely.");
    }
    Ok(())
}

fn tell(enrolled: &Enrolled, product: &Product, catalogue: &Catalogue) {
    for near in &enrolled.look_alikes {
        let name = catalogue.get(&near.sku).map_or_else(|| near.sku.to_string(), |p| p.name.clone());
        let advice = if product.barcode_required { "it needs its code already" } else { "mark it as barcode_required" };
        println!("Too near to {name} ({:.2}): {advice}.", near.similarity);
    }
    if enrolled.repeated > 0 {
        println!("A picture is there twice: {} of the views add nothing.", enrolled.repeated);
    }
}

fn files(options: &EnrolOptions) -> anyhow::Result<Files> {
    if let Some(config) = &options.config {
        let config = Config::load(config)?;
        return Ok(Files {
            catalogue: config.catalogue,
            model: config.sight.model,
            runtime: config.sight.runtime.unwrap_or_else(runtime_path),
            gallery: options.gallery.clone().unwrap_or(config.sight.gallery),
        });
    }
    let catalogue = options.assets.join("store/catalogue.toml");
    ensure!(
        catalogue.is_file(),
        "{} is not the project's assets folder; give it with --assets, or a cart's file with --config",
        options.assets.display()
    );
    let gallery = match &options.gallery {
        Some(gallery) => gallery.clone(),
        None => data_folder().context("neither XDG_DATA_HOME nor HOME is set; give --gallery")?.join("store.gallery"),
    };
    Ok(Files { catalogue, model: crate::sight::shipped_model(&options.assets), runtime: runtime_path(), gallery })
}

fn data_folder() -> Option<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let home = || set("HOME").map(|home| home.join(".local/share"));
    set("XDG_DATA_HOME").or_else(home).map(|folder| folder.join("trundle"))
}

/// The gallery to add to; a missing one begins as the one beside the model.
fn open_gallery(files: &Files, fingerprint: &str) -> anyhow::Result<Gallery> {
    let from = if files.gallery.exists() { files.gallery.clone() } else { files.model.with_extension("gallery") };
    Ok(Gallery::load(&from, fingerprint)?)
}

/// All pictures of a folder, by name.
fn pictures(folder: &Path) -> anyhow::Result<Vec<RgbImage>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("pictures {}", folder.display()))?;
    let mut paths: Vec<PathBuf> =
        entries.filter_map(Result::ok).map(|e| e.path()).filter(|path| photos::is_picture(path)).collect();
    paths.sort();
    ensure!(!paths.is_empty(), "{} holds no picture (png, jpg or webp)", folder.display());
    Ok(paths.iter().map(|path| photos::open(path)).collect::<Result<_, _>>()?)
}
