//! Barcodes on the moving crop, by zxing-cpp.
//!
//! A tilted EAN cannot be read along rows or columns, and reading many rotated copies of every
//! frame costs too much. So each frame is searched for [bars](crate::bars), and where they are
//! found they are laid straight and decoded as a thin [strip](crate::strip): one look at the right
//! angle. Beside it each frame has one look at the crop as it lies, for matrix codes and for codes
//! that lie straight. What changes from frame to frame is the [look](crate::look).
//!
//! Of 205 pictures with a code and 22 without (zxing-cpp's samples), each shown once in every way,
//! 192 are read upright and 162 to 187 at 15° to 90°, none wrongly, at about a millisecond a frame;
//! the library alone with all it can do reads 186 upright, and one wrongly.
//!
//! In: grey crops. Out: [`Scan`]s that the [acceptance rule](crate::acceptance) let through. A
//! linear code that the crop's border may have cut is left alone.

use hal::{CameraId, Moment};
use image::GrayImage;
use trip::gs1::{PrefixRule, Scanned};
use zxingcpp::{Barcode, BarcodeFormat, ImageFormat, ImageView};

use crate::acceptance::{Acceptance, Reading};
use crate::bars::{self, Bars};
use crate::eye::ReadCodes;
use crate::look::{LOOKS, Look, Scale, Upright};
use crate::pyramid::{enlarged, halved};
use crate::sighting::{BBox, Scan};
use crate::strip::Strip;
use crate::symbol::{content, reading};

/// Crops of more pixels are halved until they have fewer: a code that needs all of them would be
/// too small to be held to a camera.
const MOST_PX: u32 = 1_000_000;
/// Crops of more pixels have a look's strip and its crop in two frames, so that no frame takes long.
const LARGE_PX: u32 = 160_000;
/// Matrix codes in crops of fewer pixels are looked for at a larger size, in others at a smaller.
const SMALL_PX: u32 = 50_000;
/// A patch of bars weaker than this share of the strongest is not worth a look of its own.
const WEAK_PATCH: f32 = 0.05;

/// What this store's codes look like.
#[derive(Clone, Debug, Default)]
pub struct ReaderConfig {
    /// In-store prefixes.
    pub prefixes: Vec<PrefixRule>,
    /// True where products with EAN-8, UPC-E or ITF are stocked: short codes are misread more
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
    linear: Vec<BarcodeFormat>,
    matrix: Vec<BarcodeFormat>,
    prefixes: Vec<PrefixRule>,
    in_catalogue: InCatalogue,
    acceptance: Acceptance,
    turn: usize,
}

/// How the library is asked.
#[derive(Clone, Copy, Debug, Default)]
struct Ask {
    columns_too: bool,
    light_on_dark_too: bool,
    smaller_too: bool,
    in_a_hurry: bool,
}

impl BarcodeReader {
    /// A reader for one store.
    pub fn new(config: ReaderConfig, in_catalogue: InCatalogue) -> Self {
        let mut linear = vec![
            BarcodeFormat::EAN13,
            BarcodeFormat::UPCA,
            BarcodeFormat::Code128,
            BarcodeFormat::DataBar,
            BarcodeFormat::DataBarLtd,
            BarcodeFormat::DataBarExp,
        ];
        if config.short_codes {
            linear.extend([BarcodeFormat::EAN8, BarcodeFormat::UPCE, BarcodeFormat::ITF]);
        }
        Self {
            linear,
            matrix: vec![BarcodeFormat::DataMatrix, BarcodeFormat::QRCodeModel2],
            prefixes: config.prefixes,
            in_catalogue,
            acceptance: Acceptance::default(),
            turn: 0,
        }
    }

    /// Frames in which a crop of this size has been looked at in every way. A still picture shown
    /// so often has given all it has.
    pub fn frames_a_round(width: u32, height: u32) -> u32 {
        LOOKS.len() as u32 * if is_large(width, height) { 2 } else { 1 }
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
        let bbox = BBox { w: crop.width(), h: crop.height(), ..bbox };
        let turn = self.turn;
        self.turn = self.turn.wrapping_add(1);
        let readings = if is_large(crop.width(), crop.height()) {
            let look = &LOOKS[turn / 2 % LOOKS.len()];
            let (small, times) = shrunk(crop);
            let small = small.as_ref().unwrap_or(crop);
            if turn.is_multiple_of(2) {
                self.strip(look, small, bbox, times)?
            } else {
                self.upright(look, small, bbox, times)?
            }
        } else {
            let look = &LOOKS[turn % LOOKS.len()];
            let mut readings = self.strip(look, crop, bbox, 1.0)?;
            readings.extend(self.upright(look, crop, bbox, 1.0)?);
            readings
        };
        let Self { acceptance, prefixes, in_catalogue, .. } = self;
        let believed = acceptance.take(&readings, at, &|reading| in_catalogue(&content(reading, prefixes)));
        let scan = |(reading, frames): (Reading, u8)| {
            let content = content(&reading, prefixes);
            Scan { at, camera, symbology: reading.symbology, content, frames }
        };
        Ok(believed.into_iter().map(scan).collect())
    }

    /// What the library reads in the picture at once with everything it can do, rows, columns,
    /// light on dark and smaller, without strips and without the acceptance rule: to compare with.
    ///
    /// # Errors
    /// [`BarcodeError`] when the library refuses the picture.
    pub fn read_plainly(&self, picture: &GrayImage) -> Result<Vec<Scanned>, BarcodeError> {
        // A border of its own, so that the picture's edge refuses nothing.
        let bbox = BBox { x: 0, y: 0, w: picture.width() + 8, h: picture.height() + 8 };
        let formats = [self.linear.as_slice(), self.matrix.as_slice()].concat();
        let found = decode(
            picture,
            &formats,
            Ask { columns_too: true, light_on_dark_too: true, smaller_too: true, in_a_hurry: false },
        )?;
        let readings = found.iter().filter_map(|code| reading(code, bbox, |x, y| [x + 4.0, y + 4.0]));
        Ok(readings.map(|reading| content(&reading, &self.prefixes)).collect())
    }

    /// The look's strip. `picture` is a `times` smaller copy of the crop.
    fn strip(&self, look: &Look, picture: &GrayImage, bbox: BBox, times: f32) -> Result<Vec<Reading>, BarcodeError> {
        let Some(bars) = patch(look, picture) else { return Ok(Vec::new()) };
        let strip = Strip::cut(picture, &bars, &look.cut);
        let found = decode(strip.pixels(), &self.linear, Ask::default())?;
        let place = |x: f32, y: f32| strip.origin_of(x, y).map(|v| v * times);
        Ok(found.iter().filter_map(|code| reading(code, bbox, place)).collect())
    }

    /// The look at the crop as it lies. `picture` is a `times` smaller copy of it.
    fn upright(&self, look: &Look, picture: &GrayImage, bbox: BBox, times: f32) -> Result<Vec<Reading>, BarcodeError> {
        let all = |found: Vec<Barcode>, times: f32| {
            Ok(found.iter().filter_map(|code| reading(code, bbox, |x, y| [x * times, y * times])).collect())
        };
        let columns = Ask { columns_too: true, ..Ask::default() };
        let both_ways = Ask { light_on_dark_too: true, ..columns };
        // In a crop full of things, looking hard for matrix codes takes several times as long.
        let large = is_large(picture.width(), picture.height());
        let quick = Ask { in_a_hurry: true, ..columns };
        match look.upright {
            Upright::Rows => all(decode(picture, &self.linear, columns)?, times),
            Upright::ThinRows(cut) => {
                let strip = Strip::cut(picture, &Bars::upright(picture), &cut);
                let found = decode(strip.pixels(), &self.linear, Ask::default())?;
                let place = |x: f32, y: f32| strip.origin_of(x, y).map(|v| v * times);
                Ok(found.iter().filter_map(|code| reading(code, bbox, place)).collect())
            }
            Upright::Matrix | Upright::MatrixBothWays if large => all(decode(picture, &self.matrix, quick)?, times),
            Upright::Matrix => all(decode(picture, &self.matrix, columns)?, times),
            Upright::MatrixBothWays => all(decode(picture, &self.matrix, both_ways)?, times),
            Upright::MatrixResized if picture.width() * picture.height() < SMALL_PX => {
                all(decode(&enlarged(picture), &self.matrix, columns)?, times / 1.5)
            }
            Upright::MatrixResized => all(decode(&halved(picture), &self.matrix, both_ways)?, times * 2.0),
        }
    }
}

fn is_large(width: u32, height: u32) -> bool {
    u64::from(width) * u64::from(height) > u64::from(LARGE_PX)
}

/// The crop halved until it has few enough pixels, unless it has; and how often it was halved, as
/// a factor.
fn shrunk(crop: &GrayImage) -> (Option<GrayImage>, f32) {
    let (mut small, mut times) = (None, 1.0);
    while small.as_ref().unwrap_or(crop).len() > MOST_PX as usize {
        small = Some(halved(small.as_ref().unwrap_or(crop)));
        times *= 2.0;
    }
    (small, times)
}

/// The patch of bars that the look is for; the strongest where there is no other.
fn patch(look: &Look, picture: &GrayImage) -> Option<Bars> {
    let found = match look.scale {
        Scale::Full => bars::find(picture, look.patch + 1),
        Scale::Half => bars::find(&halved(picture), look.patch + 1),
        Scale::Quarter => bars::find(&halved(&halved(picture)), look.patch + 1),
    };
    let times = match look.scale {
        Scale::Full => 1.0,
        Scale::Half => 2.0,
        Scale::Quarter => 4.0,
    };
    let strongest = found.first()?;
    let chosen = found.get(look.patch).filter(|b| b.strength >= strongest.strength * WEAK_PATCH).unwrap_or(strongest);
    Some(chosen.enlarged(times))
}

fn decode(picture: &GrayImage, formats: &[BarcodeFormat], ask: Ask) -> Result<Vec<Barcode>, BarcodeError> {
    let (width, height) = picture.dimensions();
    if width == 0 || height == 0 {
        return Ok(Vec::new());
    }
    let refused = |e: zxingcpp::Error| BarcodeError { width, height, reason: e.to_string() };
    let view = ImageView::from_slice(picture.as_raw(), width, height, ImageFormat::Lum).map_err(refused)?;
    // The library's option object is bound to its thread, so it is made anew; it is a few words.
    let reader = zxingcpp::read()
        .formats(formats)
        .try_harder(!ask.in_a_hurry)
        .try_rotate(ask.columns_too)
        .try_invert(ask.light_on_dark_too)
        .try_downscale(ask.smaller_too)
        .text_mode(zxingcpp::TextMode::Plain);
    reader.from(view).map_err(refused)
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
