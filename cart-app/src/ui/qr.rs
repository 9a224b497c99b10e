//! A QR code as a picture: whole pixels a module, with its quiet zone.

use qrcode::{Color, EcLevel, QrCode};
use slint::{Image, Rgb8Pixel, SharedPixelBuffer};

/// Modules of white around the symbol. Source: ISO/IEC 18004:2015, 5.3.8 (quiet zone of 4X).
const QUIET: usize = 4;

/// Draws `text` with one pixel a module, for markup that makes it as large as its place. `None` when the text
/// is too long for any symbol.
pub(super) fn modules(text: &str) -> Option<Image> {
    let code = encode(text)?;
    draw_scaled(&code, 1).map(|(image, _)| image)
}

/// Draws `text` at most `room_px` wide; the picture and its side in pixels. `None` when the text
/// is too long for any symbol, or the symbol for the room.
pub(super) fn draw(text: &str, room_px: usize) -> Option<(Image, u32)> {
    let code = encode(text)?;
    match room_px / (code.width() + 2 * QUIET) {
        0 => None,
        scale => draw_scaled(&code, scale),
    }
}

fn encode(text: &str) -> Option<QrCode> {
    let medium = QrCode::with_error_correction_level(text, EcLevel::M);
    medium.or_else(|_| QrCode::with_error_correction_level(text, EcLevel::L)).ok()
}

/// `scale` pixels a module; the picture and its side in pixels.
fn draw_scaled(code: &QrCode, scale: usize) -> Option<(Image, u32)> {
    let side = (code.width() + 2 * QUIET) * scale;
    let side_px = u32::try_from(side).ok()?;
    let colors = code.to_colors();
    let mut pixels = SharedPixelBuffer::<Rgb8Pixel>::new(side_px, side_px);
    for (i, pixel) in pixels.make_mut_slice().iter_mut().enumerate() {
        let (x, y) = ((i % side) / scale, (i / side) / scale);
        let inside = |v: usize| v.checked_sub(QUIET).filter(|v| *v < code.width());
        let dark = match (inside(x), inside(y)) {
            (Some(x), Some(y)) => colors[y * code.width() + x] == Color::Dark,
            _ => false,
        };
        *pixel = if dark { Rgb8Pixel::new(0x14, 0x21, 0x1B) } else { Rgb8Pixel::new(255, 255, 255) };
    }
    Some((Image::from_rgb8(pixels), side_px))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_quiet_zone_and_whole_modules() {
        let (image, side) = draw("HTTPS://EXAMPLE.ORG/R/1", 340).expect("it fits");
        let pixels = image.to_rgb8().expect("an RGB picture");
        let scale = side as usize / (25 + 2 * QUIET);
        assert_eq!(side as usize, scale * (25 + 2 * QUIET), "version 2 has 25 modules");
        let at = |x: usize, y: usize| pixels.as_slice()[y * side as usize + x].r;
        assert_eq!(at(QUIET * scale - 1, QUIET * scale), 255);
        assert_eq!(at(QUIET * scale, QUIET * scale), 0x14, "the finder's corner");
    }

    #[test]
    fn what_cannot_be_drawn_is_not_drawn() {
        assert!(draw(&"x".repeat(4000), 340).is_none());
        assert!(draw("x", 10).is_none());
    }
}
