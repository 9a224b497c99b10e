//! Barcodes drawn, turned and read again under the acceptance rule.
#![cfg(feature = "barcode")]

use cart_vision::barcode::{BarcodeReader, ReaderConfig};
use cart_vision::rotate::rotated;
use cart_vision::{BBox, Scan, Symbology};
use hal::{CameraId, Moment};
use image::{GrayImage, imageops};
use trip::gs1::Scanned;
use zxingcpp::BarcodeFormat;

/// A label of the symbol on a grey crop of 520 × 520, turned.
fn label(format: BarcodeFormat, text: &str, degrees: f32) -> GrayImage {
    label_in(520, format, text, degrees)
}

fn label_in(side: u32, format: BarcodeFormat, text: &str, degrees: f32) -> GrayImage {
    let symbol = zxingcpp::create(format).from_str(text).expect("a symbol");
    let image = symbol.to_image_with(&zxingcpp::write().scale(3).add_quiet_zones(true)).expect("an image");
    let drawn = GrayImage::from_raw(image.width() as u32, image.height() as u32, image.data()).expect("pixels");
    let drawn = if drawn.height() < 90 {
        imageops::resize(&drawn, drawn.width(), 120, imageops::FilterType::Nearest)
    } else {
        drawn
    };
    let turned = rotated(&drawn, degrees);
    let mut crop = GrayImage::from_pixel(side, side, image::Luma([225]));
    let (x, y) =
        ((i64::from(side) - i64::from(turned.width())) / 2, (i64::from(side) - i64::from(turned.height())) / 2);
    imageops::overlay(&mut crop, &turned, x, y);
    crop
}

fn read(crop: &GrayImage, frames: u64, known: bool) -> Vec<Scan> {
    read_by(ReaderConfig::default(), crop, frames, known)
}

fn read_by(config: ReaderConfig, crop: &GrayImage, frames: u64, known: bool) -> Vec<Scan> {
    let mut reader = BarcodeReader::new(config, Box::new(move |_| known));
    let bbox = BBox { x: 0, y: 0, w: crop.width(), h: crop.height() };
    let look = |n| reader.read(crop, bbox, Moment::from_millis(n * 66), CameraId(0)).expect("read");
    (0..frames).flat_map(look).collect()
}

fn says(scan: &Scan, gtin: &str) -> bool {
    matches!(&scan.content, Scanned::Item(item) if item.gtin.ean13().as_deref() == Some(gtin))
}

/// The larger crop is one whose strips and crop are looked at in turn.
#[test]
fn an_ean_is_read_at_every_angle_within_eight_frames() {
    for (side, degrees) in [400, 520].into_iter().flat_map(|side| (0..180).step_by(15).map(move |d| (side, d))) {
        let scans = read(&label_in(side, BarcodeFormat::EAN13, "4006381333931", degrees as f32), 8, false);
        assert_eq!(scans.len(), 1, "{side} pixels, {degrees}°: {scans:?}");
        assert!(says(&scans[0], "4006381333931") && scans[0].symbology == Symbology::Ean13, "at {degrees}°");
        assert!(scans[0].frames >= 2);
    }
}

#[test]
fn one_frame_is_never_enough() {
    assert_eq!(read(&label(BarcodeFormat::EAN13, "4006381333931", 0.0), 1, true), []);
}

#[test]
fn short_codes_are_read_only_where_they_are_stocked() {
    for (format, text) in [(BarcodeFormat::EAN8, "96385074"), (BarcodeFormat::ITF, "30712345000010")] {
        let crop = label(format, text, 20.0);
        assert_eq!(read(&crop, 8, true), [], "{text}");
        let config = ReaderConfig { short_codes: true, ..ReaderConfig::default() };
        let scans = read_by(config, &crop, 8, false);
        assert!(matches!(&scans[..], [Scan { content: Scanned::Item(_), .. }]), "{text}: {scans:?}");
    }
}

#[test]
fn other_people_s_codes_name_no_product() {
    for (format, text) in [(BarcodeFormat::Code128, "PARCEL 12"), (BarcodeFormat::QRCode, "https://example.org/win")] {
        let scans = read(&label(format, text, 0.0), 8, true);
        assert!(matches!(&scans[..], [Scan { content: Scanned::Other(said), .. }] if said == text), "{scans:?}");
    }
}

/// At the picture's border a code needs no quiet zone to be decoded, and may be a part of one.
#[test]
fn a_linear_code_that_touches_the_border_is_left_alone() {
    let code = zxingcpp::create(BarcodeFormat::Code128).from_str("PARCEL 12").expect("a symbol");
    let image = code.to_image_with(&zxingcpp::write().scale(3).add_quiet_zones(false)).expect("an image");
    let (width, height) = (image.width() as u32, image.height() as u32);
    let bars = GrayImage::from_raw(width, height, image.data()).expect("pixels");
    let with_margin = |margin: u32| {
        let mut crop = GrayImage::from_pixel(width + 2 * margin, height, image::Luma([255]));
        imageops::overlay(&mut crop, &bars, i64::from(margin), 0);
        crop
    };
    assert_eq!(read(&with_margin(0), 8, true), []);
    assert_eq!(read(&with_margin(40), 8, true).len(), 1);
}

#[test]
fn empty_and_tiny_crops_give_nothing() {
    for (width, height) in [(1, 1), (3, 200), (200, 200)] {
        assert_eq!(read(&GrayImage::new(width, height), 8, true), []);
    }
}
