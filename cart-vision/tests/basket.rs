//! The whole eye on real photos slid into a drawn basket one after the other.
#![cfg(all(feature = "onnx", feature = "barcode"))]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cart_vision::embedder::runtime_path;
use cart_vision::motion::{Direction, Phase};
use cart_vision::photos::{PhotoFolder, open};
use cart_vision::{BarcodeReader, Eye, ReaderConfig, Seen, open_sight};
use hal::{CameraId, Frame, Moment};
use image::{RgbImage, imageops};

const WIDTH: u32 = 640;
const HEIGHT: u32 = 480;
const PATCH: u32 = 300;

fn photos() -> Option<PathBuf> {
    let data = std::env::var_os("TRUNDLE_DATA").map(PathBuf::from);
    let data = data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"));
    let root = data.join("grocery");
    root.join("classes.csv").is_file().then_some(root)
}

fn eye() -> Eye {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models/trainonly.onnx");
    let sight = open_sight(&model, None).expect("the shipped model and its gallery");
    let reader = BarcodeReader::new(ReaderConfig::default(), Box::new(|_| false));
    Eye::new(Some(sight), Some(Box::new(reader)))
}

fn floor() -> RgbImage {
    RgbImage::from_fn(WIDTH, HEIGHT, |x, y| {
        let wire = x % 46 < 5 || y % 46 < 5;
        let value = if wire { 168 } else { 84 + (x / 16) as u8 };
        image::Rgb([value, value, value - 6])
    })
}

struct Basket {
    resting: RgbImage,
    number: u64,
    seed: u32,
}

impl Basket {
    /// The basket with `patch` at (x, y), as a noisy camera sees it.
    fn frame(&mut self, patch: Option<(&RgbImage, i64, i64)>) -> Frame {
        let mut picture = self.resting.clone();
        if let Some((patch, x, y)) = patch {
            imageops::overlay(&mut picture, patch, x, y);
        }
        for value in picture.iter_mut() {
            self.seed = self.seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *value = value.saturating_add((self.seed >> 29) as u8).saturating_sub(3);
        }
        self.number += 1;
        let taken = Moment::from_millis(self.number * 66);
        Frame::new(CameraId(0), taken, WIDTH, HEIGHT, picture.into_raw().into()).expect("sizes agree")
    }

    /// Slides `patch` in from the left and leaves it there.
    fn put_in(&mut self, eye: &mut Eye, patch: &RgbImage, x: i64, y: i64) -> (Vec<Seen>, Duration) {
        let mut seen = Vec::new();
        let mut slowest = Duration::ZERO;
        for step in 0..16i64 {
            let at = -i64::from(PATCH) + (x + i64::from(PATCH)) * step.min(8) / 8;
            let frame = self.frame(Some((patch, at, y)));
            let start = Instant::now();
            seen.push(eye.look(&frame).expect("a good frame"));
            slowest = slowest.max(start.elapsed());
        }
        imageops::overlay(&mut self.resting, patch, x, y);
        (seen, slowest)
    }
}

#[test]
fn photos_slid_into_a_basket_one_on_the_other_are_found_and_named() {
    let Some(root) = photos().filter(|_| runtime_path().is_file()) else {
        eprintln!("SKIPPED: needs photos (TRUNDLE_DATA) and ONNX Runtime ({})", runtime_path().display());
        return;
    };
    let folder = PhotoFolder::open(&root).expect("the photos");
    let every: usize = std::env::var("EVERY").ok().and_then(|v| v.parse().ok()).unwrap_or(12);
    let list: Vec<_> = folder.list(&root.join("val.txt")).expect("the list").into_iter().step_by(every).collect();
    let mut basket = Basket { resting: floor(), number: 0, seed: 9 };
    let mut eye = eye();
    for _ in 0..5 {
        eye.look(&basket.frame(None)).expect("a good frame");
    }
    let (mut rested, mut inward, mut right, mut in_three, mut slowest) = (0, 0, 0, 0, Duration::ZERO);
    for (i, photo) in list.iter().enumerate() {
        let picture = open(&photo.path).expect("a photo");
        let patch = imageops::resize(&picture, PATCH, PATCH, imageops::FilterType::Triangle);
        let (x, y) = (20 + (i as i64 * 97) % 300, 10 + (i as i64 * 61) % 160);
        let (seen, took) = basket.put_in(&mut eye, &patch, x, y);
        slowest = slowest.max(took);
        let rest = seen.iter().filter_map(|s| s.thing).find(|t| matches!(t.phase, Phase::Rested(_)));
        rested += usize::from(rest.is_some());
        inward += usize::from(rest.is_some_and(|t| t.phase != Phase::Rested(Direction::Out)));
        let Some(last) = seen.iter().flat_map(|s| &s.sightings).last() else { continue };
        let truth = &folder.classes[photo.class];
        right += usize::from(last.candidates.first().is_some_and(|c| c.sku == *truth));
        in_three += usize::from(last.candidates.iter().take(3).any(|c| c.sku == *truth));
        assert!(seen.iter().all(|s| s.scans.is_empty()), "no barcode is on these photos");
    }
    let n = list.len();
    println!(
        "{n} photos: rested {rested}, not out {inward}, named {right}, in three {in_three}, slowest frame {slowest:?}"
    );
    assert_eq!(rested, n, "every thing comes to rest");
    assert!(inward * 10 >= n * 9, "{inward} of {n}");
    assert!(right * 100 >= n * 65 && in_three * 100 >= n * 80, "{right} and {in_three} of {n}");
}
