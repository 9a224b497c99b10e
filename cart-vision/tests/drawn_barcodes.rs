//! Barcodes drawn, turned and read again under the acceptance rule.
#![cfg(feature = "barcode")]

use cart_vision::barcode::{BarcodeReader, ReaderConfig};
use cart_vision::rotate::rotated;
use cart_vision::{BBox, Scan, Symbology};
use hal::{CameraId, Moment};
use image::{GrayImage, imageops};
use trip::gs1::Scanned;
use zxingcpp::BarcodeFormat;

/// A label of the symbol on a grey crop of 420 × 420, turned.
fn label(format: BarcodeFormat, text: &str, degrees: f32) -> GrayImage {
    let symbol = zxingcpp::create(format).from_str(text).expect("a symbol");
    let image = symbol.to_image_with(&zxingcpp::write().scale(3).add_quiet_zones(true)).expect("an image");
    let drawn = GrayImage::from_raw(image.width() as u32, image.height() as u32, image.data()).expect("pixels");
    let drawn = if drawn.height() < 90 {
        imageops::resize(&drawn, drawn.width(), 120, imageops::FilterType::Nearest)
    } else {
        drawn
    };
    let turned = rotated(&drawn, degrees);
    let mut crop = GrayImage::from_pixel(520, 520, image::Luma([225]));
    let (x, y) = ((520 - i64::from(turned.width())) / 2, (520 - i64::from(turned.height())) / 2);
    imageops::overlay(&mut crop, &turned, x, y);
    crop
}

fn read(crop: &GrayImage, frames: u64, known: bool) -> Vec<Scan> {
    let mut reader = BarcodeReader::new(ReaderConfig::default(), Box::new(move |_| known));
    let bbox = BBox { x: 0, y: 0, w: crop.width(), h: crop.height() };
    let look = |n| reader.read(crop, bbox, Moment::from_millis(n * 66), CameraId(0)).expect("read");
    (0..frames).flat_map(look).collect()
}

fn says(scan: &Scan, gtin: &str) -> bool {
    matches!(&scan.content, Scanned::Item(item) if item.gtin.ean13().as_deref() == Some(gtin))
}

#[test]
fn an_ean_is_read_at_every_angle_within_eight_frames() {
    for degrees in (0..180).step_by(15) {
        let scans = read(&label(BarcodeFormat::EAN13, "4006381333931", degrees as f32), 8, false);
        assert_eq!(scans.len(), 1, "at {degrees}°: {scans:?}");
        assert!(says(&scans[0], "4006381333931") && scans[0].symbology == Symbology::Ean13, "at {degrees}°");
        assert!(scans[0].frames >= 2);
    }
}

#[test]
fn one_frame_is_never_enough() {
    assert_eq!(read(&label(BarcodeFormat::EAN13, "4006381333931", 0.0), 1, true), []);
}

#[test]
fn a_symbol_cut_by_the_crop_is_left_alone() {
    let whole = label(BarcodeFormat::EAN13, "4006381333931", 0.0);
    let cut = imageops::crop_imm(&whole, 0, 0, 300, 520).to_image();
    assert_eq!(read(&cut, 8, true), []);
}

#[test]
fn empty_and_tiny_crops_give_nothing() {
    for (width, height) in [(1, 1), (3, 200), (200, 200)] {
        assert_eq!(read(&GrayImage::new(width, height), 8, true), []);
    }
}
