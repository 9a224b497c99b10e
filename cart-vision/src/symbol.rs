//! From a decoded symbol to a [`Reading`], and from a reading to what it says.

use trip::Gtin;
use trip::gs1::{self, PrefixRule, Scanned};
use zxingcpp::{Barcode, BarcodeFormat, ContentType};

use crate::acceptance::Reading;
use crate::sighting::{BBox, Symbology};

/// An end of the bars so near the crop's border may have been cut by it.
const EDGE_PX: f32 = 2.0;

/// A symbol of the picture, if this store can have a use for it. `place` maps points of the decoded
/// picture to the crop, which was cut from the frame at `bbox`.
pub(crate) fn reading(code: &Barcode, bbox: BBox, place: impl Fn(f32, f32) -> [f32; 2]) -> Option<Reading> {
    if !code.is_valid() || !matches!(code.content_type(), ContentType::Text | ContentType::GS1) {
        return None;
    }
    let symbology = symbology(code)?;
    let text = text(symbology, code.text())?;
    let p = code.position();
    let corners = [p.top_left, p.top_right, p.bottom_right, p.bottom_left].map(|c| place(c.x as f32, c.y as f32));
    let length = |a: [f32; 2], b: [f32; 2]| (a[0] - b[0]).hypot(a[1] - b[1]);
    // Bars may be cut along their length without harm. Where what is left of a cut code can pass
    // for a whole one, its two ends must be inside.
    let half_way = |a: [f32; 2], b: [f32; 2]| [(a[0] + b[0]) / 2.0, (a[1] + b[1]) / 2.0];
    let ends = [half_way(corners[0], corners[3]), half_way(corners[1], corners[2])];
    let inside = |at: [f32; 2]| {
        let within = |v: f32, size: u32| v >= EDGE_PX && v <= size as f32 - 1.0 - EDGE_PX;
        within(at[0], bbox.w) && within(at[1], bbox.h)
    };
    if !symbology.holds_together() && !ends.into_iter().all(inside) {
        return None;
    }
    let middle = |axis: usize| corners.iter().map(|c| c[axis]).sum::<f32>() / 4.0;
    Some(Reading {
        symbology,
        text,
        gs1: code.content_type() == ContentType::GS1,
        lines: u32::try_from(code.line_count()).unwrap_or(0),
        middle_in_frame: [bbox.x as f32 + middle(0), bbox.y as f32 + middle(1)],
        length_px: length(corners[0], corners[1]).max(length(corners[1], corners[2])),
    })
}

fn symbology(code: &Barcode) -> Option<Symbology> {
    Some(match (code.symbology(), code.format()) {
        (BarcodeFormat::EANUPC, BarcodeFormat::EAN8) => Symbology::Ean8,
        (BarcodeFormat::EANUPC, BarcodeFormat::UPCE) => Symbology::UpcE,
        (BarcodeFormat::EANUPC, BarcodeFormat::UPCA) => Symbology::UpcA,
        (BarcodeFormat::EANUPC, _) if code.text().starts_with('0') => Symbology::UpcA,
        (BarcodeFormat::EANUPC, _) => Symbology::Ean13,
        (BarcodeFormat::ITF, _) => Symbology::Itf,
        (BarcodeFormat::Code128, _) if code.content_type() == ContentType::GS1 => Symbology::Gs1128,
        (BarcodeFormat::Code128, _) => Symbology::Code128,
        (BarcodeFormat::DataBar, BarcodeFormat::DataBarExp | BarcodeFormat::DataBarExpStk) => {
            Symbology::DataBarExpanded
        }
        (BarcodeFormat::DataBar, _) => Symbology::DataBar,
        (BarcodeFormat::DataMatrix, _) => Symbology::DataMatrix,
        (BarcodeFormat::QRCode, _) => Symbology::Qr,
        _ => return None,
    })
}

/// One spelling for one number, so that readings of it agree: 13 digits for UPC.
fn text(symbology: Symbology, text: String) -> Option<String> {
    match symbology {
        Symbology::UpcE if text.len() == 8 => Gtin::parse_upc_e(&text).ok()?.ean13(),
        Symbology::UpcE | Symbology::UpcA => Some(format!("{text:0>13}")),
        _ => Some(text),
    }
}

/// What a reading says. An element string or a link that GS1's rules refuse names no product, and
/// neither does text of somebody else's.
pub(crate) fn content(reading: &Reading, prefixes: &[PrefixRule]) -> Scanned {
    let text = reading.text.as_str();
    let refused = || Scanned::Other(text.to_owned());
    match reading.symbology {
        Symbology::Ean13 | Symbology::Ean8 | Symbology::UpcA | Symbology::UpcE => gs1::read_digits(text, prefixes),
        Symbology::Itf if text.len() == 14 => gs1::read_digits(text, prefixes),
        Symbology::Itf | Symbology::Code128 => refused(),
        Symbology::Gs1128 | Symbology::DataBar | Symbology::DataBarExpanded => {
            gs1::read_elements(text).unwrap_or_else(|_| refused())
        }
        Symbology::DataMatrix | Symbology::Qr if gs1::is_address(text) => {
            gs1::read_digital_link(text).unwrap_or_else(|_| refused())
        }
        Symbology::DataMatrix | Symbology::Qr if reading.gs1 => gs1::read_elements(text).unwrap_or_else(|_| refused()),
        Symbology::DataMatrix | Symbology::Qr => refused(),
    }
}
