//! Measures the reader on folders of pictures with the true text beside each as `.txt`; a picture
//! without one holds nothing that may be read.
//!
//! ```text
//! barcodes --root DIR [--angle DEG] [--video N] [--once]
//! ```
//!
//! `--video N` shows each picture in N slightly moved frames under the acceptance rule (6 unless
//! told); `--once` counts plain decodes of one frame instead.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use cart_vision::barcode::{BarcodeReader, ReaderConfig};
use cart_vision::picture::grey;
use cart_vision::rotate::Rotated;
use cart_vision::{BBox, photos};
use hal::{CameraId, Moment};
use image::{GrayImage, imageops};
use trip::gs1::{self, Scanned};

#[derive(Default)]
struct Figures {
    images: u32,
    read: u32,
    misread: u32,
    false_positive: u32,
    frame_ms: Vec<f32>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("barcodes: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str| arguments.iter().position(|a| a == name).and_then(|i| arguments.get(i + 1));
    let root = PathBuf::from(value("--root").ok_or("--root DIR is needed")?);
    let angle: f32 = value("--angle").map_or(Ok(0.0), |v| v.parse())?;
    let frames: u32 = value("--video").map_or(Ok(6), |v| v.parse())?;
    let once = arguments.iter().any(|a| a == "--once");
    let mut all: BTreeMap<String, Figures> = BTreeMap::new();
    for folder in std::fs::read_dir(&root)? {
        let folder = folder?.path();
        if !folder.is_dir() {
            continue;
        }
        for file in std::fs::read_dir(&folder)? {
            let file = file?.path();
            let picture = file.extension().is_some_and(|e| ["png", "jpg", "webp"].iter().any(|k| e == *k));
            if picture && let Ok(picture) = photos::open(&file) {
                let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
                let truth = std::fs::read_to_string(file.with_extension("txt")).ok();
                measure(&grey(&picture), truth.as_deref(), &file, (angle, frames, once), all.entry(name).or_default())?;
            }
        }
    }
    println!("{:24} images read misread false ms-median", "");
    for (name, figures) in &mut all {
        figures.frame_ms.sort_by(f32::total_cmp);
        let median = figures.frame_ms.get(figures.frame_ms.len() / 2).copied().unwrap_or(0.0);
        let Figures { images, read, misread, false_positive, .. } = figures;
        println!("{name:24} {images:6} {read:4} {misread:7} {false_positive:5} {median:9.1}");
    }
    Ok(())
}

fn measure(
    picture: &GrayImage,
    truth: Option<&str>,
    file: &Path,
    (angle, frames, once): (f32, u32, bool),
    figures: &mut Figures,
) -> Result<(), Box<dyn std::error::Error>> {
    let turned = if angle == 0.0 { picture.clone() } else { Rotated::by(picture, angle).pixels().clone() };
    let config = ReaderConfig { prefixes: Vec::new(), short_codes: true };
    let mut reader = BarcodeReader::new(config, Box::new(|_| false));
    let mut said: Vec<String> = Vec::new();
    for n in 0..if once { 1 } else { frames } {
        // A hand is never quite still.
        let (dx, dy) = ((n * 7) % 5, (n * 3) % 4);
        let (w, h) = (turned.width().saturating_sub(5).max(1), turned.height().saturating_sub(5).max(1));
        let frame = imageops::crop_imm(&turned, dx, dy, w, h).to_image();
        let start = Instant::now();
        if once {
            said.extend(reader.decode_once(&frame)?.into_iter().map(|r| r.text));
        } else {
            let bbox = BBox { x: dx, y: dy, w, h };
            let scans = reader.read(&frame, bbox, Moment::from_millis(u64::from(n) * 66), CameraId(0))?;
            said.extend(scans.into_iter().map(|s| plain(&s.content)));
        }
        figures.frame_ms.push(start.elapsed().as_secs_f32() * 1000.0);
    }
    figures.images += 1;
    match truth.map(|t| t.trim().trim_end_matches('\n')) {
        None => figures.false_positive += u32::from(!said.is_empty()),
        Some(truth) => {
            let right = |text: &String| text == truth || expected(truth).as_ref() == Some(text);
            figures.read += u32::from(said.iter().any(right));
            if let Some(wrong) = said.iter().find(|t| !right(t)) {
                println!("{}: said {wrong:?}, holds {truth:?}", file.display());
                figures.misread += 1;
            }
        }
    }
    Ok(())
}

/// The product number, for comparing what was said with the truth's own text.
fn plain(content: &Scanned) -> String {
    match content {
        Scanned::Item(item) => format!("{:014}", item.gtin.number()),
        Scanned::Other(text) => text.clone(),
        Scanned::InStore(code) => format!("{code:?}"),
    }
}

fn expected(truth: &str) -> Option<String> {
    let digits = gs1::read_digits(truth, &[]);
    let content = match digits {
        Scanned::Item(_) => digits,
        _ => gs1::read_elements(&truth.replace(['(', ')'], "")).or_else(|_| gs1::read_elements(truth)).ok()?,
    };
    Some(plain(&content))
}
