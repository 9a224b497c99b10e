//! A QR code as a picture: a pixel a module, with its quiet zone. The screen shows each as whole pixels.

use qrcode::{Color, EcLevel, QrCode};
use slint::{Image, Rgb8Pixel, SharedPixelBuffer};

/// Modules of white around the symbol. Source: ISO/IEC 18004:2015, 5.3.8 (quiet zone of 4X).
const QUIET: usize = 4;

/// Draws `text`; the picture and its side in modules. `None` when the text is too long for any symbol.
pub(super) fn draw(text: &str) -> Option<(Image, u32)> {
    let code = QrCode::with_error_correction_level(text, EcLevel::M)
        .or_else(|_| QrCode::with_error_correction_level(text, EcLevel::L))
        .ok()?;
    let side = code.width() + 2 * QUIET;
    let modules = u32::try_from(side).ok()?;
    let colors = code.to_colors();
    let mut pixels = SharedPixelBuffer::<Rgb8Pixel>::new(modules, modules);
    for (i, pixel) in pixels.make_mut_slice().iter_mut().enumerate() {
        let (x, y) = (i % side, i / side);
        let inside = |v: usize| v.checked_sub(QUIET).filter(|v| *v < code.width());
        let dark = match (inside(x), inside(y)) {
            (Some(x), Some(y)) => colors[y * code.width() + x] == Color::Dark,
            _ => false,
        };
        *pixel = if dark { Rgb8Pixel::new(0x14, 0x21, 0x1B) } else { Rgb8Pixel::new(255, 255, 255) };
    }
    Some((Image::from_rgb8(pixels), modules))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_quiet_zone() {
        let (image, side) = draw("HTTPS://EXAMPLE.ORG/R/1").expect("it fits");
        let pixels = image.to_rgb8().expect("an RGB picture");
        assert_eq!(side as usize, 25 + 2 * QUIET, "version 2 has 25 modules");
        let at = |x: usize, y: usize| pixels.as_slice()[y * side as usize + x].r;
        assert_eq!(at(QUIET - 1, QUIET), 255);
        assert_eq!(at(QUIET, QUIET), 0x14, "the finder's corner");
    }

    #[test]
    fn what_cannot_be_drawn_is_not_drawn() {
        assert!(draw(&"x".repeat(4000)).is_none());
    }
}
