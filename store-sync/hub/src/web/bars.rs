//! A trade item number as bars that a till's scanner reads from paper or from a screen.

use barcoders::sym::{ean8::EAN8, ean13::EAN13};
use maud::{Markup, html};
use trip::Gtin;

/// Below this a number is that of an EAN-8.
const EAN_8_BELOW: u64 = 100_000_000;
/// The width of a module at full size, in hundredths of a millimetre.
/// Source: GS1 General Specifications 24, section 5.2 (X-dimension of EAN/UPC).
const MODULE_MM_100: usize = 33;
/// The height of the bars: lower than the standard's, as on many packs, so that a page holds more lines.
const HEIGHT_MM: u32 = 14;

/// An EAN-8 or EAN-13; a UPC-A is the EAN-13 with a leading 0.
#[derive(Debug, PartialEq, Eq)]
struct Bars {
    digits: String,
    /// 1 for a bar, 0 for a gap, without the quiet zones.
    modules: Vec<u8>,
    /// Quiet zones in modules, left and right.
    /// Source: GS1 General Specifications 24, section 5.2.3.
    quiet: (usize, usize),
}

/// `None` for a GTIN-14 with an indicator digit, as cases have: no till scans one.
fn of(gtin: Gtin) -> Option<Bars> {
    if gtin.number() < EAN_8_BELOW {
        let digits = format!("{:08}", gtin.number());
        let modules = EAN8::new(&digits).ok()?.encode();
        return Some(Bars { digits, modules, quiet: (7, 7) });
    }
    let digits = gtin.ean13()?;
    let modules = EAN13::new(&digits).ok()?.encode();
    Some(Bars { digits, modules, quiet: (11, 7) })
}

/// Draws it, with its digits for who cannot see it; nothing where there is no such symbol.
pub(super) fn svg(gtin: Gtin) -> Markup {
    let Some(bars) = of(gtin) else { return html! {} };
    let width = bars.quiet.0 + bars.modules.len() + bars.quiet.1;
    let places = bars.modules.iter().enumerate().filter(|(_, module)| **module == 1);
    let path: String = places.map(|(place, _)| format!("M{} 0h1v1h-1z", bars.quiet.0 + place)).collect();
    let (whole, part) = (width * MODULE_MM_100 / 100, width * MODULE_MM_100 % 100);
    html! {
        svg.bars xmlns="http://www.w3.org/2000/svg" role="img" aria-label={ "barcode " (bars.digits) }
            viewBox={ "0 0 " (width) " 1" } width={ (whole) "." (format!("{part:02}")) "mm" } height={ (HEIGHT_MM) "mm" }
            preserveAspectRatio="none" shape-rendering="crispEdges" {
            rect width=(width) height="1" fill="#fff" {}
            path d=(path) fill="#000" {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_number_is_the_symbol_that_is_on_its_pack() {
        let check = |text: &str, expected: Option<(&str, usize)>| {
            let bars = of(Gtin::parse(text).expect("a GTIN"));
            assert_eq!(bars.as_ref().map(|bars| (bars.digits.as_str(), bars.modules.len())), expected, "{text}");
        };
        check("96385074", Some(("96385074", 67)));
        check("4006381333931", Some(("4006381333931", 95)));
        check("012345678905", Some(("0012345678905", 95)));
        check("10012345678902", None);
    }

    #[test]
    fn the_bars_are_those_of_the_standard() {
        // Left guard, the left half's digits of sets A and B, centre, the right half's of set C, right guard.
        let bars = of(Gtin::parse("4006381333931").expect("a GTIN")).expect("an EAN-13");
        let text: String = bars.modules.iter().map(ToString::to_string).collect();
        let left = "101000110101001110101111011110100010010110011";
        assert_eq!(&text[..45], left);
        assert_eq!((&text[45..50], &text[92..]), ("01010", "101"));
        let drawn = svg(Gtin::parse("4006381333931").expect("a GTIN")).into_string();
        assert!(drawn.contains("viewBox=\"0 0 113 1\"") && drawn.contains("M11 0h1v1h-1z"), "{drawn}");
        assert!(svg(Gtin::parse("10012345678902").expect("a GTIN")).into_string().is_empty());
    }
}
