//! Barcodes on the moving crop, by zxing-cpp.
//!
//! A tilted EAN cannot be read along rows or columns, and reading many rotated copies of every
//! frame costs too much. So each frame is read upright and in one rotated copy, whose angle goes on
//! with every frame; where something was read, that angle is kept for the next frames, so that the
//! [acceptance rule](crate::acceptance) is met soon.
//!
//! In: grey crops. Out: [`Scan`]s. A symbol cut by the crop's border or smaller than a camera can
//! resolve is left alone.

use hal::{CameraId, Moment};
use image::GrayImage;
use trip::Gtin;
use trip::gs1::{self, Item, PrefixRule, Scanned};
use zxingcpp::{Barcode, BarcodeFormat, ContentType, ImageFormat, ImageView};

use crate::acceptance::{Acceptance, Reading};
use crate::eye::ReadCodes;
use crate::rotate::Rotated;
use crate::sighting::{BBox, Scan, Symbology};

/// Rotated copies, one a frame; rows and columns of each cover the quarter turn between them.
const ANGLES_DEG: [f32; 3] = [45.0, 22.5, 67.5];
/// An EAN-13 of 95 modules needs about 1.2 pixels a module.
const MIN_LINEAR_PX: f32 = 90.0;
/// A short linear symbol (EAN-8, UPC-E) has 51 to 67 modules.
const MIN_SHORT_PX: f32 = 60.0;
const MIN_MATRIX_PX: f32 = 20.0;
/// A symbol so near the crop's border may have been cut by it.
const EDGE_PX: f32 = 2.0;
/// Frames for which an angle that read something is kept.
const KEEP_ANGLE_FRAMES: u8 = 4;
/// Crops above this size are halved first: a symbol held to the camera is large then.
const LARGE_PX: u32 = 1_000;

/// What this store's codes look like.
#[derive(Clone, Debug, Default)]
pub struct ReaderConfig {
    /// In-store prefixes.
    pub prefixes: Vec<PrefixRule>,
    /// True where products with EAN-8, UPC-E or ITF-14 are stocked: short codes are misread more
    /// easily, so they are looked for only then.
    pub short_codes: bool,
}

/// A reader that could not be asked.
#[derive(Debug, thiserror::Error)]
#[error("the barcode reader refused a crop of {width}×{height} pixels: {reason}")]
pub struct BarcodeError {
    width: u32,
    height: u32,
    reason: String,
}

/// Asks the catalogue whether it knows what a code says.
pub type InCatalogue = Box<dyn Fn(&Scanned) -> bool + Send>;

/// Reads one camera's crops.
pub struct BarcodeReader {
    formats: Vec<BarcodeFormat>,
    prefixes: Vec<PrefixRule>,
    in_catalogue: InCatalogue,
    acceptance: Acceptance,
    turn: usize,
    kept: Option<(usize, u8)>,
}

impl BarcodeReader {
    /// A reader for one store.
    pub fn new(config: ReaderConfig, in_catalogue: InCatalogue) -> Self {
        let mut formats = vec![
            BarcodeFormat::EAN13,
            BarcodeFormat::UPCA,
            BarcodeFormat::Code128,
            BarcodeFormat::DataBar,
            BarcodeFormat::DataBarLtd,
            BarcodeFormat::DataBarExp,
            BarcodeFormat::DataMatrix,
            BarcodeFormat::QRCode,
        ];
        if config.short_codes {
            formats.extend([BarcodeFormat::EAN8, BarcodeFormat::UPCE, BarcodeFormat::ITF]);
        }
        Self {
            formats,
            prefixes: config.prefixes,
            in_catalogue,
            acceptance: Acceptance::default(),
            turn: 0,
            kept: None,
        }
    }

    /// Reads the next crop, cut from the frame at `bbox`.
    ///
    /// # Errors
    /// [`BarcodeError`] when the library refuses the picture.
    pub fn read(
        &mut self,
        crop: &GrayImage,
        bbox: BBox,
        at: Moment,
        camera: CameraId,
    ) -> Result<Vec<Scan>, BarcodeError> {
        let angle = match self.kept.take() {
            Some((angle, frames)) if frames > 0 => {
                self.kept = Some((angle, frames - 1));
                angle
            }
            _ => {
                self.turn = (self.turn + 1) % ANGLES_DEG.len();
                self.turn
            }
        };
        let halved = (crop.width().max(crop.height()) > LARGE_PX)
            .then(|| image::imageops::thumbnail(crop, crop.width() / 2, crop.height() / 2));
        let (small, scale) = halved.as_ref().map_or((crop, 1.0), |h| (h, 2.0));
        let mut readings = self.decode(&Rotated::upright(small), bbox, scale)?;
        let turned = self.decode(&Rotated::by(small, ANGLES_DEG[angle]), bbox, scale)?;
        if !turned.is_empty() {
            self.kept = Some((angle, KEEP_ANGLE_FRAMES));
        }
        readings.extend(turned);
        let Self { acceptance, prefixes, in_catalogue, .. } = self;
        let known = |reading: &Reading| content(reading, prefixes).is_some_and(|c| in_catalogue(&c));
        let believed = acceptance.take(&readings, at, &known);
        let scan = |(reading, frames): (Reading, u8)| {
            let content = content(&reading, prefixes)?;
            Some(Scan { at, camera, symbology: reading.symbology, content, frames })
        };
        Ok(believed.into_iter().filter_map(scan).collect())
    }

    /// Every symbol of one picture, without the acceptance rule: for measuring.
    ///
    /// # Errors
    /// [`BarcodeError`] when the library refuses the picture.
    pub fn decode_once(&self, crop: &GrayImage) -> Result<Vec<Reading>, BarcodeError> {
        self.decode(&Rotated::upright(crop), BBox { x: 0, y: 0, w: crop.width(), h: crop.height() }, 1.0)
    }

    fn decode(&self, picture: &Rotated, bbox: BBox, scale: f32) -> Result<Vec<Reading>, BarcodeError> {
        let pixels = picture.pixels();
        let (width, height) = pixels.dimensions();
        if width == 0 || height == 0 {
            return Ok(Vec::new());
        }
        let refused = |e: zxingcpp::Error| BarcodeError { width, height, reason: e.to_string() };
        let view = ImageView::from_slice(pixels.as_raw(), width, height, ImageFormat::Lum).map_err(refused)?;
        // The library's option object is bound to its thread, so it is made anew; it is a few words.
        let reader = zxingcpp::read()
            .formats(&self.formats)
            .try_harder(true)
            .try_rotate(true)
            .try_invert(false)
            .try_downscale(true)
            .text_mode(zxingcpp::TextMode::Plain);
        let found = reader.from(view).map_err(refused)?;
        Ok(found.iter().filter_map(|code| reading(code, picture, bbox, scale)).collect())
    }
}

fn reading(code: &Barcode, picture: &Rotated, bbox: BBox, scale: f32) -> Option<Reading> {
    if !code.is_valid() {
        return None;
    }
    let text = code.text();
    let symbology = symbology(code, &text)?;
    let p = code.position();
    let corners =
        [p.top_left, p.top_right, p.bottom_right, p.bottom_left].map(|c| picture.origin_of(c.x as f32, c.y as f32));
    let (width, height) = picture.origin_size();
    let inside = |c: &[f32; 2]| {
        let within = |v: f32, limit: u32| v >= EDGE_PX && v <= limit as f32 - 1.0 - EDGE_PX;
        within(c[0], width) && within(c[1], height)
    };
    let length = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
    let longest = length(corners[0], corners[1]).max(length(corners[1], corners[2])) * scale;
    let smallest = match symbology {
        Symbology::DataMatrix | Symbology::Qr => MIN_MATRIX_PX,
        Symbology::Ean8 | Symbology::UpcE | Symbology::DataBar => MIN_SHORT_PX,
        _ => MIN_LINEAR_PX,
    };
    // Bars may be cut along their length without harm; a linear symbol's two ends may not.
    let half_way = |a: [f32; 2], b: [f32; 2]| [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
    let ends = [half_way(corners[0], corners[3]), half_way(corners[1], corners[2])];
    let whole = if symbology.is_linear() { ends.iter().all(inside) } else { corners.iter().all(inside) };
    if !whole || longest < smallest {
        return None;
    }
    let middle = |axis: usize| corners.iter().map(|c| c[axis]).sum::<f32>() / 4.0 * scale;
    Some(Reading {
        symbology,
        text,
        lines: code.line_count().max(0) as u32,
        middle_in_frame: [bbox.x as f32 + middle(0), bbox.y as f32 + middle(1)],
    })
}

/// The kind of symbol, if this store can have a use for it. A Code 128, DataMatrix or QR code
/// without GS1 content (or an address) is somebody else's.
fn symbology(code: &Barcode, text: &str) -> Option<Symbology> {
    let gs1 = code.content_type() == ContentType::GS1;
    Some(match code.symbology() {
        BarcodeFormat::EANUPC => match code.format() {
            BarcodeFormat::EAN8 => Symbology::Ean8,
            BarcodeFormat::UPCE => Symbology::UpcE,
            BarcodeFormat::UPCA => Symbology::UpcA,
            _ if text.len() == 13 && text.starts_with('0') => Symbology::UpcA,
            _ if text.len() == 13 => Symbology::Ean13,
            _ => return None,
        },
        BarcodeFormat::ITF if text.len() == 14 => Symbology::Itf14,
        BarcodeFormat::Code128 if gs1 => Symbology::Gs1128,
        BarcodeFormat::DataBar => match code.format() {
            BarcodeFormat::DataBarExp | BarcodeFormat::DataBarExpStk => Symbology::DataBarExpanded,
            _ => Symbology::DataBar,
        },
        BarcodeFormat::DataMatrix if gs1 || is_address(text) => Symbology::DataMatrix,
        BarcodeFormat::QRCode if gs1 || is_address(text) => Symbology::Qr,
        _ => return None,
    })
}

fn is_address(text: &str) -> bool {
    let start = text.get(..8).unwrap_or_default().to_ascii_lowercase();
    start.starts_with("https://") || start.starts_with("http://")
}

/// What a reading says; `None` when its GS1 form is broken, or an address names no product.
fn content(reading: &Reading, prefixes: &[PrefixRule]) -> Option<Scanned> {
    let text = reading.text.as_str();
    match reading.symbology {
        Symbology::Ean13 | Symbology::Ean8 | Symbology::UpcA | Symbology::Itf14 => {
            Some(gs1::read_digits(text, prefixes))
        }
        Symbology::UpcE if text.len() == 8 => Gtin::parse_upc_e(text).ok().map(plain),
        Symbology::UpcE => Some(gs1::read_digits(text, prefixes)),
        Symbology::DataMatrix | Symbology::Qr if is_address(text) => {
            gs1::read_digital_link(text).ok().filter(|c| !matches!(c, Scanned::Other(_)))
        }
        Symbology::Gs1128 | Symbology::DataBar | Symbology::DataBarExpanded | Symbology::DataMatrix | Symbology::Qr => {
            gs1::read_elements(text).ok()
        }
    }
}

fn plain(gtin: Gtin) -> Scanned {
    Scanned::Item(Item { gtin, net_weight: None, price: None, batch: None, expiry: None, serial: None })
}

impl ReadCodes for BarcodeReader {
    fn read_codes(
        &mut self,
        crop: &GrayImage,
        bbox_in_frame: BBox,
        at: Moment,
        camera: CameraId,
    ) -> Result<Vec<Scan>, Box<dyn std::error::Error + Send + Sync>> {
        self.read(crop, bbox_in_frame, at, camera).map_err(Into::into)
    }

    fn forget(&mut self) {
        self.acceptance.forget();
    }
}
