//! What the demo's products look like and weigh: real photos where they are at hand, else drawn.
//!
//! The photos of a thing in the basket come from a list that no model was taught with and no gallery
//! was enrolled from; drawn things are enrolled from other drawings than those put in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use cart_vision::photos::PhotoFolder;
use hal::sim::{PackDesign, PackShape, ProduceArt, ProduceShape, ProductLook, Side, SimItem, pack_look, produce_look};
use image::{Rgb, RgbImage};
use serde::Deserialize;
use trip::{Catalogue, Product, Sale, Sku};

/// Pictures that enrol a drawn product.
const ENROLLED_VIEWS: u64 = 6;
/// A code is held to the camera for so long, in milliseconds.
const SHOWN_MS: u32 = 1_100;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DrawnFile {
    pack: BTreeMap<Sku, DrawnPack>,
    produce: BTreeMap<Sku, DrawnProduce>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DrawnPack {
    shape: Shape,
    base: [u8; 3],
    accent: [u8; 3],
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct DrawnProduce {
    shape: Form,
    skin: [u8; 3],
    blush: [u8; 3],
    pieces: u8,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Shape {
    Carton,
    Box,
    Tin,
    Bottle,
    Cup,
    Bar,
}

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Form {
    Round,
    Oval,
    Bent,
    Root,
}

/// The demo's goods.
pub struct Goods {
    drawn: DrawnFile,
    photos: Option<PhotoIndex>,
    seed: u64,
}

struct PhotoIndex {
    folder: PathBuf,
    by_sku: BTreeMap<Sku, Vec<PathBuf>>,
}

impl Goods {
    /// Reads how the goods are drawn, and which photos there are.
    ///
    /// # Errors
    /// When a file is missing or wrong: it is named.
    pub fn open(pictures: &Path, photos: Option<&Path>, seed: u64) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(pictures).with_context(|| format!("{}", pictures.display()))?;
        let drawn = toml::from_str(&text).with_context(|| format!("{}", pictures.display()))?;
        let photos = photos.map(PhotoIndex::open).transpose()?;
        Ok(Self { drawn, photos, seed })
    }

    /// The same with the photos of one list file of the folder.
    ///
    /// # Errors
    /// When a file is missing or wrong: it is named.
    pub fn with_list(pictures: &Path, folder: &Path, list: &Path, seed: u64) -> anyhow::Result<Self> {
        let mut goods = Self::open(pictures, None, seed)?;
        goods.photos = Some(PhotoIndex::of_list(folder, list)?);
        Ok(goods)
    }

    /// True when things look like real photos.
    pub fn has_photos(&self) -> bool {
        self.photos.is_some()
    }

    /// Products that can be put in, in the order of the catalogue.
    pub fn shelf(&self, catalogue: &Catalogue) -> Vec<Sku> {
        let there = |p: &&Product| {
            let photo = self.photos.as_ref().is_some_and(|photos| photos.by_sku.contains_key(&p.sku));
            let drawn = self.drawn.pack.contains_key(&p.sku)
                || (self.photos.is_none() && self.drawn.produce.contains_key(&p.sku));
            photo || drawn
        };
        catalogue.products().iter().filter(there).map(|p| p.sku.clone()).collect()
    }

    /// True when it has a picture here: a photo, or else a drawing.
    pub fn shows(&self, sku: &Sku) -> bool {
        match &self.photos {
            Some(photos) => photos.by_sku.contains_key(sku) || self.drawn.pack.contains_key(sku),
            None => self.drawn.pack.contains_key(sku) || self.drawn.produce.contains_key(sku),
        }
    }

    /// The `n`th thing of the trip: a piece of `product`, weighing `grams` or, without, a piece's
    /// weight and a little off.
    ///
    /// # Errors
    /// When there is no picture of it, or its photo cannot be read.
    pub fn thing(&self, product: &Product, grams: Option<f32>, show_code: bool, n: u64) -> anyhow::Result<SimItem> {
        let seed = self.seed.wrapping_mul(31).wrapping_add(n);
        let mass_g = grams.unwrap_or_else(|| usual_mass(product, seed));
        let looks = self.looks(product, seed)?;
        let mut item = SimItem::new(mass_g, looks);
        if show_code {
            let design = self.design(product);
            item = item.presenting(pack_look(&design, Side::Barcode, seed), SHOWN_MS);
        }
        Ok(item)
    }

    fn looks(&self, product: &Product, seed: u64) -> anyhow::Result<Vec<ProductLook>> {
        let sku = &product.sku;
        if let Some(photos) = self.photos.as_ref().and_then(|p| p.by_sku.get(sku)) {
            // Two cameras look from two sides: two photos of the product, as far as there are.
            let first = (seed as usize).wrapping_mul(7) % photos.len();
            let wanted = [first, (first + 1) % photos.len()];
            return wanted.into_iter().map(|at| Ok(ProductLook::photo(read_photo(&photos[at])?))).collect();
        }
        if self.drawn.pack.contains_key(sku) {
            let design = self.design(product);
            return Ok(vec![
                pack_look(&design, Side::Front, seed + 1_000),
                pack_look(&design, Side::Front, seed + 2_000),
            ]);
        }
        let art = self
            .drawn
            .produce
            .get(sku)
            .map(DrawnProduce::art)
            .with_context(|| format!("there is no picture of \"{sku}\""))?;
        Ok(vec![produce_look(&art, seed + 1_000), produce_look(&art, seed + 2_000)])
    }

    /// How a pack is drawn, with its barcode; a plain carton when nothing says how.
    fn design(&self, product: &Product) -> PackDesign {
        let gtin = product.gtins.first().map(ToString::to_string);
        match self.drawn.pack.get(&product.sku) {
            Some(pack) => PackDesign { shape: pack.shape.into(), base: pack.base, accent: pack.accent, gtin },
            None => PackDesign { shape: PackShape::Carton, base: [206, 200, 188], accent: [90, 90, 90], gtin },
        }
    }

    /// Pictures to enrol the drawn goods from, each as it lies on the basket's grey.
    pub fn enrolment(&self) -> Vec<(Sku, Vec<RgbImage>)> {
        let mut all = Vec::new();
        for (sku, pack) in &self.drawn.pack {
            let design = PackDesign { shape: pack.shape.into(), base: pack.base, accent: pack.accent, gtin: None };
            let views = (0..ENROLLED_VIEWS).map(|n| on_grey(&pack_look(&design, Side::Front, 90_000 + n), n)).collect();
            all.push((sku.clone(), views));
        }
        if self.photos.is_none() {
            for (sku, produce) in &self.drawn.produce {
                let art = produce.art();
                let views = (0..2 * ENROLLED_VIEWS).map(|n| on_grey(&produce_look(&art, 90_000 + n), n)).collect();
                all.push((sku.clone(), views));
            }
        }
        all
    }

    /// A picture for the screen: the first photo or a drawing.
    pub fn portrait(&self, product: &Product) -> Option<RgbImage> {
        let look = self.looks(product, 3).ok()?.into_iter().next()?;
        Some(if look.mask.is_some() { on_paper(&look) } else { look.picture })
    }
}

impl DrawnProduce {
    fn art(&self) -> ProduceArt {
        let shape = match self.shape {
            Form::Round => ProduceShape::Round,
            Form::Oval => ProduceShape::Oval,
            Form::Bent => ProduceShape::Bent,
            Form::Root => ProduceShape::Root,
        };
        ProduceArt { shape, skin: self.skin, blush: self.blush, pieces: self.pieces }
    }
}

impl From<Shape> for PackShape {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Carton => Self::Carton,
            Shape::Box => Self::Box,
            Shape::Tin => Self::Tin,
            Shape::Bottle => Self::Bottle,
            Shape::Cup => Self::Cup,
            Shape::Bar => Self::Bar,
        }
    }
}

impl PhotoIndex {
    /// Takes the list that models are not taught with: `val.txt`, else any other list there is.
    fn open(folder: &Path) -> anyhow::Result<Self> {
        let lists = ["val.txt", "test.txt", "train.txt"].map(|name| folder.join(name));
        let list = lists.iter().find(|list| list.is_file());
        let list =
            list.with_context(|| format!("photos: {} has no val.txt, test.txt or train.txt", folder.display()))?;
        Self::of_list(folder, list)
    }

    fn of_list(folder: &Path, list: &Path) -> anyhow::Result<Self> {
        let photos = PhotoFolder::open(folder).context("photos")?;
        let mut by_sku: BTreeMap<Sku, Vec<PathBuf>> = BTreeMap::new();
        for photo in photos.list(list).context("photos")? {
            if let Some(sku) = photos.classes.get(photo.class) {
                by_sku.entry(sku.clone()).or_default().push(photo.path);
            }
        }
        Ok(Self { folder: folder.into(), by_sku })
    }
}

impl std::fmt::Debug for Goods {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Goods(photos: {:?})", self.photos.as_ref().map(|p| &p.folder))
    }
}

fn read_photo(path: &Path) -> anyhow::Result<RgbImage> {
    Ok(image::open(path).with_context(|| format!("photo {}", path.display()))?.to_rgb8())
}

/// A piece weighs what the catalogue says, within its spread.
fn usual_mass(product: &Product, seed: u64) -> f32 {
    let weight = product.weight.map_or(300.0, |w| w.0 as f32);
    let spread = match product.sale {
        Sale::Each { .. } => product.weight_sigma.map_or(3.0, |s| s.0 as f32),
        Sale::Weight { .. } => 0.0,
    };
    // Six even throws make a fair bell: within ±2 of their deviation.
    let throw =
        |n: u64| (seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(n as u32 * 9) % 1_000) as f32 / 1_000.0 - 0.5;
    let bell: f32 = (0..6).map(throw).sum::<f32>() / 0.707;
    (weight + spread * bell.clamp(-2.0, 2.0)).max(5.0)
}

/// A drawing as a camera crops it: on the basket's grey, a little larger or smaller each time.
fn on_grey(look: &ProductLook, n: u64) -> RgbImage {
    let grey = 104 + (n % 4) as u8 * 8;
    laid_on(look, Rgb([grey; 3]), 1.06 + 0.05 * (n % 3) as f32)
}

/// A drawing on the screen's paper.
fn on_paper(look: &ProductLook) -> RgbImage {
    laid_on(look, Rgb([251, 250, 247]), 1.12)
}

fn laid_on(look: &ProductLook, ground: Rgb<u8>, margin: f32) -> RgbImage {
    let (w, h) = look.picture.dimensions();
    let side = (w.max(h) as f32 * margin) as u32;
    let (left, top) = ((side - w) / 2, (side - h) / 2);
    RgbImage::from_fn(side, side, |x, y| {
        let inside = x >= left && y >= top && x - left < w && y - top < h;
        let Some(mask) = look.mask.as_ref().filter(|_| inside) else { return ground };
        let cover = f32::from(mask.get_pixel(x - left, y - top).0[0]) / 255.0;
        let ink = look.picture.get_pixel(x - left, y - top);
        let mix = |n: usize| (f32::from(ground.0[n]) * (1.0 - cover) + f32::from(ink.0[n]) * cover) as u8;
        Rgb([mix(0), mix(1), mix(2)])
    })
}
