//! An update: the changed parts of the screen as one binary message, so that none is shown without the others.
//!
//! ```text
//! number u32 │ count u8 │ count × ( x u16 │ y u16 │ width u16 │ height u16 │ length u32 │ PNG )
//! ```
//!
//! All numbers little-endian, places in pixels of the screen. PNG, because every browser decodes it and
//! text and prices come out as they were drawn; Slint's pixels are sRGB without alpha, which is what a PNG of
//! three channels is taken for.

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageError};

use super::dirty::MOST;
use super::frames::Patch;

const _: () = assert!(MOST <= u8::MAX as usize, "the count is one byte");
const _: () = assert!(super::LONGEST_SIDE <= u16::MAX as u32, "places are two bytes");

/// The message.
///
/// # Errors
/// When a part cannot be written as PNG.
pub fn encode(number: u32, patches: &[Patch]) -> Result<Vec<u8>, ImageError> {
    let mut message = number.to_le_bytes().to_vec();
    message.push(patches.len() as u8);
    for (rect, pixels) in patches {
        for value in [rect.x, rect.y, rect.width, rect.height] {
            message.extend_from_slice(&(value as u16).to_le_bytes());
        }
        let length_at = message.len();
        message.extend_from_slice(&[0; 4]);
        // Fast: a loopback or a tunnel has the bytes to spare, the cart's processor has not. Most of a
        // screen is the row above once more.
        let encoder = PngEncoder::new_with_quality(&mut message, CompressionType::Fast, FilterType::Up);
        encoder.write_image(pixels.as_bytes(), rect.width, rect.height, ExtendedColorType::Rgb8)?;
        let length = (message.len() - length_at - 4) as u32;
        message[length_at..length_at + 4].copy_from_slice(&length.to_le_bytes());
    }
    Ok(message)
}

#[cfg(test)]
mod tests {
    use slint::{Rgb8Pixel, SharedPixelBuffer};

    use super::super::dirty::Rect;
    use super::*;

    #[test]
    fn an_update_holds_each_part_at_its_place_pixel_by_pixel() {
        let part = |rect: Rect, shade: u8| {
            let mut pixels = SharedPixelBuffer::<Rgb8Pixel>::new(rect.width, rect.height);
            pixels.make_mut_slice().fill(Rgb8Pixel::new(shade, 2, 3));
            pixels.make_mut_slice()[1] = Rgb8Pixel::new(9, 8, 7);
            (rect, pixels)
        };
        let rects = [Rect { x: 1_500, y: 799, width: 5, height: 1 }, Rect { x: 0, y: 300, width: 70, height: 40 }];
        let message = encode(0x0102_0304, &[part(rects[0], 10), part(rects[1], 20)]).expect("a message");
        assert_eq!(message[..5], [4, 3, 2, 1, 2]);
        let mut rest = &message[5..];
        for (rect, shade) in rects.iter().zip([10, 20]) {
            let u16_at = |at: usize| u32::from(u16::from_le_bytes([rest[at], rest[at + 1]]));
            assert_eq!([u16_at(0), u16_at(2), u16_at(4), u16_at(6)], [rect.x, rect.y, rect.width, rect.height]);
            let length = u32::from_le_bytes([rest[8], rest[9], rest[10], rest[11]]) as usize;
            let picture = image::load_from_memory(&rest[12..12 + length]).expect("a PNG").into_rgb8();
            assert_eq!(picture.dimensions(), (rect.width, rect.height));
            assert_eq!(picture.get_pixel(0, 0).0, [shade, 2, 3]);
            assert_eq!(picture.get_pixel(1, 0).0, [9, 8, 7]);
            assert_eq!(picture.get_pixel(rect.width - 1, rect.height - 1).0, [shade, 2, 3]);
            rest = &rest[12 + length..];
        }
        assert!(rest.is_empty());
    }
}
