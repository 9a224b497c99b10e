//! Folders of barcode pictures: how many are read, misread, or read where nothing is.
//!
//! Beside each picture (`png`, `jpg`, `jpeg`, `webp`) a `.txt` of the same name holds what it says;
//! where there is none, nothing may be read. A picture is *read* when the reader said what it says,
//! and *misread* when the reader said anything else, both perhaps. Nothing is in the catalogue, so
//! only the strong side of the acceptance rule can be met; all kinds of symbols are stocked.
//!
//! A photo is shown to the reader as often as it takes to look at it in every way once. With
//! `--video N` it is shown in N frames, each moved by a few pixels. Timed is each call of the
//! reader, from the grey crop to the scans; decoding the file, turning and moving are not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use cart_vision::picture::grey;
use cart_vision::rotate::{rotated, surroundings};
use cart_vision::{BBox, BarcodeReader, ReaderConfig, photos};
use clap::Args;
use hal::{CameraId, Moment};
use image::{GrayImage, imageops};
use serde::Serialize;
use trip::Gtin;
use trip::gs1::{self, Scanned};

/// Time between two frames of 15 a second.
const FRAME_MS: u64 = 66;
/// How far a frame is moved at most, in pixels.
const HAND_PX: u32 = 5;

#[derive(Args, Debug)]
pub struct Options {
    /// Folders of pictures, each with a .txt of the same name that holds what it says.
    #[arg(long)]
    pub root: PathBuf,
    /// Turn each picture by this many degrees.
    #[arg(long, default_value_t = 0.0, allow_negative_numbers = true)]
    pub angle: f32,
    /// Show each picture in this many frames, each moved by a few pixels.
    #[arg(long)]
    pub video: Option<u32>,
    /// Shrink pictures whose longer side is above this many pixels.
    #[arg(long)]
    pub longest: Option<u32>,
    /// Count as well what zxing-cpp reads in the untouched picture in one go with everything on.
    #[arg(long)]
    pub reference: bool,
    /// Write the figures as JSON here.
    #[arg(long)]
    pub json: PathBuf,
}

#[derive(Serialize)]
struct Report {
    total: Figures,
    folders: BTreeMap<String, Figures>,
}

#[derive(Default, Serialize)]
struct Figures {
    images: u32,
    read: u32,
    misread: u32,
    false_positive: u32,
    ms_median: f32,
    ms_p95: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<Reference>,
    #[serde(skip)]
    call_ms: Vec<f32>,
}

#[derive(Clone, Copy, Default, Serialize)]
struct Reference {
    read: u32,
    misread: u32,
    false_positive: u32,
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    ensure!(options.video != Some(0), "--video needs at least one frame");
    ensure!(options.angle.is_finite(), "--angle needs a number of degrees");
    let mut files = Vec::new();
    walk(&options.root, &mut files)?;
    ensure!(!files.is_empty(), "there are no pictures under {}", options.root.display());
    let mut folders: BTreeMap<String, Figures> = BTreeMap::new();
    for file in &files {
        measure(file, options, folders.entry(folder(&options.root, file)).or_default());
    }
    let mut total = Figures::default();
    for figures in folders.values_mut() {
        total.add(figures);
        figures.time();
    }
    total.time();
    super::report(&options.json, &Report { total, folders })
}

/// All pictures under a folder, in order.
fn walk(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let cannot = || format!("cannot read {}", folder.display());
    let entries: Result<Vec<_>, _> = std::fs::read_dir(folder).with_context(cannot)?.collect();
    let mut paths: Vec<PathBuf> = entries.with_context(cannot)?.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() && !path.is_symlink() {
            walk(&path, files)?;
        } else if photos::is_picture(&path) {
            files.push(path);
        }
    }
    Ok(())
}

/// The folder's name below the root; the root's own is `.`.
fn folder(root: &Path, file: &Path) -> String {
    let below = file.parent().and_then(|parent| parent.strip_prefix(root).ok()).unwrap_or(Path::new(""));
    if below.as_os_str().is_empty() { ".".to_owned() } else { below.to_string_lossy().into_owned() }
}

/// A picture or reader that fails is named and counts as not read.
fn measure(file: &Path, options: &Options, figures: &mut Figures) {
    figures.images += 1;
    let truth = match std::fs::read(file.with_extension("txt")) {
        Ok(bytes) => Some(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        // Not to be taken for a picture in which nothing may be read.
        Err(error) => return eprintln!("eval: the truth of {} cannot be read: {error}", file.display()),
    };
    let picture = match photos::open(file) {
        Ok(picture) => grey(&picture),
        Err(error) => return eprintln!("eval: {error}"),
    };
    let picture = options.longest.map_or_else(|| picture.clone(), |longest| at_most(&picture, longest));
    let judge = |said: &[Scanned]| Verdict::of(said, truth.as_deref());
    if options.reference {
        let reference = figures.reference.get_or_insert_default();
        match reader().read_plainly(&picture) {
            Ok(said) => reference.count(judge(&said)),
            Err(error) => eprintln!("eval: {}: {error}", file.display()),
        }
    }
    let picture = if options.angle == 0.0 { picture } else { rotated(&picture, options.angle) };
    match look(&picture, options.video, &mut figures.call_ms) {
        Ok(said) => {
            let verdict = judge(&said);
            if let Some(wrong) = &verdict.wrong {
                eprintln!("eval: {}: said {wrong:?}, holds {truth:?}", file.display());
            }
            figures.count(verdict);
        }
        Err(error) => eprintln!("eval: {}: {error}", file.display()),
    }
}

fn at_most(picture: &GrayImage, longest: u32) -> GrayImage {
    let (width, height) = picture.dimensions();
    if width.max(height) <= longest {
        return picture.clone();
    }
    let share = f64::from(longest) / f64::from(width.max(height));
    let side = |side: u32| ((f64::from(side) * share) as u32).max(1);
    imageops::resize(picture, side(width), side(height), imageops::FilterType::Triangle)
}

/// A reader for a store that stocks every kind of symbol and whose catalogue knows nothing.
fn reader() -> BarcodeReader {
    BarcodeReader::new(ReaderConfig { prefixes: Vec::new(), short_codes: true }, Box::new(|_| false))
}

/// What a fresh reader says to the picture's frames.
fn look(picture: &GrayImage, video: Option<u32>, call_ms: &mut Vec<f32>) -> anyhow::Result<Vec<Scanned>> {
    let (width, height) = picture.dimensions();
    let mut reader = reader();
    let mut said = Vec::new();
    for number in 0..video.unwrap_or_else(|| BarcodeReader::frames_a_round(width, height)) {
        let (frame, [x, y]) = if video.is_some() { moved(picture, number) } else { (picture.clone(), [0, 0]) };
        let bbox = BBox { x, y, w: frame.width(), h: frame.height() };
        let at = Moment::from_millis(u64::from(number) * FRAME_MS);
        let start = Instant::now();
        let scans = reader.read(&frame, bbox, at, CameraId(0))?;
        call_ms.push(start.elapsed().as_secs_f32() * 1_000.0);
        said.extend(scans.into_iter().map(|scan| scan.content));
    }
    Ok(said)
}

/// A hand is never quite still: the picture a few pixels aside, and by how many.
fn moved(picture: &GrayImage, number: u32) -> (GrayImage, [u32; 2]) {
    let [x, y] = [number * 7 % HAND_PX, number * 3 % HAND_PX];
    let (width, height) = (picture.width() + HAND_PX, picture.height() + HAND_PX);
    let mut frame = GrayImage::from_pixel(width, height, image::Luma([surroundings(picture)]));
    imageops::replace(&mut frame, picture, i64::from(x), i64::from(y));
    (frame, [x, y])
}

/// What the reader's words are worth.
struct Verdict {
    /// A truth was there.
    held: bool,
    right: bool,
    wrong: Option<String>,
}

impl Verdict {
    fn of(said: &[Scanned], truth: Option<&str>) -> Self {
        let right = |content: &&Scanned| truth.is_some_and(|truth| says(content, truth));
        Self {
            held: truth.is_some(),
            right: said.iter().any(|content| right(&content)),
            wrong: said.iter().find(|content| !right(content)).map(|content| format!("{content:?}")),
        }
    }
}

impl Figures {
    fn count(&mut self, verdict: Verdict) {
        self.read += u32::from(verdict.right);
        self.misread += u32::from(verdict.held && verdict.wrong.is_some());
        self.false_positive += u32::from(!verdict.held && verdict.wrong.is_some());
    }

    fn add(&mut self, other: &Self) {
        self.images += other.images;
        self.read += other.read;
        self.misread += other.misread;
        self.false_positive += other.false_positive;
        self.call_ms.extend(&other.call_ms);
        if let Some(other) = other.reference {
            let own = self.reference.get_or_insert_default();
            own.read += other.read;
            own.misread += other.misread;
            own.false_positive += other.false_positive;
        }
    }

    fn time(&mut self) {
        (self.ms_median, self.ms_p95) = super::median_and_p95(std::mem::take(&mut self.call_ms));
    }
}

impl Reference {
    fn count(&mut self, verdict: Verdict) {
        self.read += u32::from(verdict.right);
        self.misread += u32::from(verdict.held && verdict.wrong.is_some());
        self.false_positive += u32::from(!verdict.held && verdict.wrong.is_some());
    }
}

/// True when the truth, in whatever spelling, says the same.
///
/// A truth may be a number of 8, 12, 13 or 14 digits (a UPC-E also by its own eight), an element
/// string with or without brackets and separators, or plain text.
fn says(content: &Scanned, truth: &str) -> bool {
    let truth = truth.trim();
    match content {
        Scanned::Other(text) => bare(text) == bare(truth) || same_number(text, truth),
        Scanned::InStore(_) => false,
        Scanned::Item(item) => {
            let number = [Gtin::parse(truth).ok(), Gtin::parse_upc_e(truth).ok()];
            // An item that carries more than its number has to carry the same.
            let plain = item.net_weight.is_none() && item.price.is_none() && item.batch.is_none();
            let plain = plain && item.expiry.is_none() && item.serial.is_none();
            if plain && number.contains(&Some(item.gtin)) {
                return true;
            }
            let bracketed = truth.replace('(', "\u{1d}").replace(')', "");
            let same = |text: &str| matches!(gs1::read_elements(text), Ok(Scanned::Item(other)) if other == *item);
            same(truth) || same(&bracketed) || gs1::read_digital_link(truth).is_ok_and(|link| link == *content)
        }
    }
}

/// Text without what only sets elements apart, and with one kind of line end.
fn bare(text: &str) -> String {
    text.trim()
        .replace("\r\n", "\n")
        .replace("<GS>", "")
        .chars()
        .filter(|c| !matches!(c, '(' | ')' | '\u{1d}'))
        .collect()
}

/// The same GTIN-like number, with other zeros before it.
fn same_number(a: &str, b: &str) -> bool {
    let number = |text: &str| {
        let digits = matches!(text.len(), 12..=14) && text.bytes().all(|b| b.is_ascii_digit());
        digits.then(|| text.trim_start_matches('0').to_owned())
    };
    number(a).is_some() && number(a) == number(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_symbol_read_right_counts_in_every_spelling() {
        let check = |content: Scanned, truth: &str, expected: bool| {
            assert_eq!(says(&content, truth), expected, "{content:?} and {truth:?}");
        };
        let digits = |text| gs1::read_digits(text, &[]);
        let elements = |text| gs1::read_elements(text).expect("a right element string");
        check(digits("0049000006582"), "0049000006582\n", true);
        check(digits("0049000006582"), "049000006582", true);
        check(digits("0012345000065"), "01234565", true);
        check(digits("0049000006582"), "0049000006589", false);
        check(digits("2012345678900"), "2012345678900", true);
        check(digits("0212345678909"), "212345678909", true);
        check(elements("0109506000134352"), "(01)09506000134352", true);
        check(elements("010950600013435210ABC\u{1d}17270131"), "(01)09506000134352(17)270131(10)ABC", true);
        check(elements("010950600013435210ABC\u{1d}17270131"), "010950600013435210ABC\u{1d}17270131", true);
        check(elements("010950600013435210ABC"), "09506000134352", false);
        check(elements("10ABC\u{1d}17270131"), "10ABC\u{1d}17270131", true);
        check(elements("10ABC\u{1d}17270131"), "10ABC<GS>17270131", true);
        check(Scanned::Other("Sean\r\nOwen".into()), "Sean\nOwen\n", true);
        check(Scanned::Other("00123456".into()), "123456", false);
        check(Scanned::Other("abc".into()), "ABC", false);
    }

    #[test]
    fn what_may_not_be_read_is_a_false_positive_and_the_rest_a_misread() {
        let check = |said: &[&str], truth: Option<&str>, expected: (u32, u32, u32)| {
            let said: Vec<Scanned> = said.iter().map(|text| Scanned::Other((*text).to_owned())).collect();
            let mut figures = Figures::default();
            figures.count(Verdict::of(&said, truth));
            assert_eq!((figures.read, figures.misread, figures.false_positive), expected, "{said:?} and {truth:?}");
        };
        check(&[], Some("a"), (0, 0, 0));
        check(&["a"], Some("a"), (1, 0, 0));
        check(&["b"], Some("a"), (0, 1, 0));
        check(&["a", "b"], Some("a"), (1, 1, 0));
        check(&["a"], None, (0, 0, 1));
        check(&[], None, (0, 0, 0));
    }
}
