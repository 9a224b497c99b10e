//! Enrolling a product on the cart: it is found, five pictures are taken of it, and its views lie in the
//! cart's own gallery, over the shipped one. The running eyes know it at once.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use cart_core::fold::fold;
use cart_vision::{Gallery, LookAlike, enrol};
use hal::Frame;
use image::{RgbImage, imageops};
use tokio::sync::watch;
use trip::gs1::Scanned;
use trip::{Catalogue, Product, Sku};

use super::view::Picture;
use crate::config::SightConfig;
use crate::sight::open_embedder;

/// Pictures that show a product from all its sides.
pub const PICTURES: usize = 5;
/// Products that a search offers.
const MOST_FOUND: usize = 8;
/// The middle of the frame that the thing is to fill, as a share of its lower side.
const FILLED: f32 = 0.8;

/// A product that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its name in the store.
    pub sku: Sku,
    /// What people call it.
    pub name: String,
    /// It has views already; new ones take their place.
    pub enrolled: bool,
}

/// What enrolling came to.
#[derive(Clone, Debug, PartialEq)]
pub enum EnrolResult {
    /// Nothing yet.
    None,
    /// Its views are made, and nothing is kept yet: so many, and what it looks too much like, by name.
    Ready {
        /// Views kept.
        views: usize,
        /// Names of products it is too near to: it should be marked as barcode-required.
        too_near: Vec<String>,
        /// It is marked so already.
        barcode_required: bool,
    },
    /// Kept: the running eyes know it.
    Done,
    /// It could not be done; why.
    Failed(String),
}

/// The page.
#[derive(Clone, Debug, PartialEq)]
pub struct EnrolView {
    /// What is typed.
    pub text: String,
    /// What fits.
    pub found: Vec<Found>,
    /// A code that was shown and that no product has.
    pub unknown_code: Option<String>,
    /// The product that is enrolled.
    pub product: Option<Found>,
    /// What the camera would take now.
    pub live: Option<Picture>,
    /// The pictures taken.
    pub taken: Vec<Picture>,
    /// What came of it.
    pub result: EnrolResult,
    /// False without a model: nothing can be enrolled.
    pub sight: bool,
}

/// The cart's sight, as far as enrolling needs it.
pub struct Views {
    /// Model and runtime.
    pub config: SightConfig,
    /// All that the eyes know, shipped and own.
    pub gallery: watch::Sender<Arc<Gallery>>,
    /// The file of the cart's own.
    pub own: PathBuf,
}

/// Where the cart keeps what was enrolled on it.
pub fn own_file(data: &Path) -> PathBuf {
    data.join("enrolled.gallery")
}

/// The galleries with the new product in, until it is kept.
struct Prepared {
    own: Gallery,
    whole: Gallery,
}

/// An enrolment under way.
#[derive(Default)]
pub struct Enrolling {
    text: String,
    unknown_code: Option<String>,
    prepared: Option<Box<Prepared>>,
    product: Option<Sku>,
    taken: Vec<RgbImage>,
    result: Option<EnrolResult>,
}

impl Enrolling {
    /// What is typed: a name, or a GTIN or PLU by its first digits.
    pub fn search(&mut self, text: String) {
        *self = Self { text, ..Self::default() };
    }

    /// The product.
    pub fn choose(&mut self, sku: Sku) {
        *self = Self { text: std::mem::take(&mut self.text), product: Some(sku), ..Self::default() };
    }

    /// A code was shown: its product, where one has it and none was chosen yet.
    pub fn scanned(&mut self, scanned: &Scanned, catalogue: &Catalogue) {
        if self.product.is_some() {
            return;
        }
        match catalogue.by_scan(scanned) {
            Some(product) => self.choose(product.sku.clone()),
            None => self.unknown_code = Some(words(scanned)),
        }
    }

    /// Takes a picture, until there are enough.
    pub fn snap(&mut self, frames: &[Frame]) {
        if let Some(picture) = best(frames).filter(|_| self.product.is_some() && self.taken.len() < PICTURES) {
            self.taken.push(picture);
            self.begin_anew();
        }
    }

    /// Throws the last picture away.
    pub fn unsnap(&mut self) {
        self.taken.pop();
        self.begin_anew();
    }

    fn begin_anew(&mut self) {
        self.prepared = None;
        self.result = None;
    }

    /// Makes views of the pictures, and says what they look like; takes seconds. Nothing is changed yet.
    pub fn enrol(&mut self, catalogue: &Catalogue, views: Option<&Views>) {
        let (Some(sku), Some(views)) = (&self.product, views) else { return };
        if self.taken.len() < PICTURES {
            return;
        }
        self.result = Some(match prepare(sku, self.taken.clone(), catalogue, views) {
            Ok((prepared, result)) => {
                self.prepared = Some(Box::new(prepared));
                result
            }
            Err(why) => EnrolResult::Failed(format!("{why:#}")),
        });
    }

    /// Keeps what was made; from then on the eyes know it. Nothing is changed where it fails.
    pub fn keep(&mut self, views: Option<&Views>) {
        let (Some(prepared), Some(views)) = (self.prepared.take(), views) else { return };
        self.result = Some(match prepared.own.save(&views.own) {
            Ok(()) => {
                views.gallery.send_replace(Arc::new(prepared.whole));
                self.taken.clear();
                EnrolResult::Done
            }
            Err(why) => EnrolResult::Failed(why.to_string()),
        });
    }

    /// The page.
    pub fn view(&self, frames: &[Frame], catalogue: &Catalogue, views: Option<&Views>) -> EnrolView {
        let known = views.map(|views| views.gallery.borrow().clone());
        let found = |product: &Product| Found {
            sku: product.sku.clone(),
            name: product.name.clone(),
            enrolled: known.as_ref().is_some_and(|gallery| gallery.contains(&product.sku)),
        };
        let fits = |product: &&Product| {
            let number = |text: String| text.trim_start_matches('0').starts_with(self.text.trim_start_matches('0'));
            let digits = !self.text.is_empty() && self.text.bytes().all(|b| b.is_ascii_digit());
            let gtin = product.gtins.iter().any(|gtin| number(gtin.to_string()));
            let plu = product.plu.is_some_and(|plu| number(u32::from(plu).to_string()));
            if digits { gtin || plu } else { fold(&product.name).contains(&fold(&self.text)) }
        };
        EnrolView {
            text: self.text.clone(),
            unknown_code: self.unknown_code.clone(),
            found: catalogue.products().iter().filter(fits).take(MOST_FOUND).map(found).collect(),
            product: self.product.as_ref().and_then(|sku| catalogue.get(sku)).map(found),
            live: best(frames).map(|picture| shown(&picture, 0)),
            taken: self.taken.iter().zip(0..).map(|(picture, n)| shown(picture, n)).collect(),
            result: self.result.clone().unwrap_or(EnrolResult::None),
            sight: views.is_some(),
        }
    }
}

fn prepare(
    sku: &Sku,
    pictures: Vec<RgbImage>,
    catalogue: &Catalogue,
    views: &Views,
) -> anyhow::Result<(Prepared, EnrolResult)> {
    let mut model = open_embedder(&views.config)?;
    let whole = views.gallery.borrow().clone();
    let mut own = if views.own.exists() {
        Gallery::load(&views.own, whole.model())?
    } else {
        Gallery::new(whole.model(), whole.dim())
    };
    enrol(&mut model, &mut own, sku.clone(), pictures)?;
    let mut whole = Gallery::clone(&whole);
    anyhow::ensure!(whole.lay_over(&own), "the cart's own gallery is another model's");
    let too_near = whole.look_alikes(sku);
    let name = |near: &LookAlike| catalogue.get(&near.sku).map_or_else(|| near.sku.to_string(), |p| p.name.clone());
    let result = EnrolResult::Ready {
        views: own.views(sku),
        too_near: too_near.iter().map(name).collect(),
        barcode_required: catalogue.get(sku).is_some_and(|product| product.barcode_required),
    };
    Ok((Prepared { own, whole }, result))
}

/// What a code says, to be read.
fn words(scanned: &Scanned) -> String {
    match scanned {
        Scanned::Item(item) => item.gtin.to_string(),
        Scanned::InStore(item) => u32::from(item.plu).to_string(),
        Scanned::Other(text) => text.clone(),
    }
}

/// The middle of the first camera's frame, which the thing is to fill.
fn best(frames: &[Frame]) -> Option<RgbImage> {
    let frame = frames.first()?;
    let whole = RgbImage::from_raw(frame.width, frame.height, frame.rgb.to_vec())?;
    let side = ((frame.width.min(frame.height) as f32 * FILLED) as u32).max(1);
    let (x, y) = ((frame.width - side.min(frame.width)) / 2, (frame.height - side.min(frame.height)) / 2);
    Some(imageops::crop_imm(&whole, x, y, side, side).to_image())
}

/// A picture for the screen.
fn shown(picture: &RgbImage, camera: u8) -> Picture {
    let (width, height) = picture.dimensions();
    super::diagnose::small(camera, width, height, picture.as_raw())
}
