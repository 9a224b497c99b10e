//! Cutting and scaling: how a piece of a frame becomes the model's input.
//!
//! The training project does the same with Pillow: the centred square, a triangle filter down to
//! the input size, `value / 127.5 - 1`. Both must stay the same, or accuracy is lost silently.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};
use hal::Frame;
use image::{GrayImage, RgbImage, imageops};

use crate::sighting::{BBox, Thumbnail};

/// The longest side of a [`Thumbnail`], in pixels: an ask tile's picture.
const THUMBNAIL_PX: u32 = 208;

/// Photos above this many pixels are refused: a camera of a cart has far fewer.
pub const MAX_PIXELS: u64 = 64_000_000;

impl BBox {
    /// True when the box lies inside a frame of this size and holds at least one pixel.
    pub fn fits(&self, width: u32, height: u32) -> bool {
        let within = |start: u32, len: u32, limit: u32| len > 0 && start.checked_add(len).is_some_and(|e| e <= limit);
        within(self.x, self.w, width) && within(self.y, self.h, height)
    }

    /// The smallest square around the box, moved inside the frame; cut only where the frame is
    /// narrower than the box is long.
    pub fn squared(&self, width: u32, height: u32) -> BBox {
        let side = self.w.max(self.h);
        let (w, h) = (side.min(width), side.min(height));
        let centre = |start: u32, len: u32, want: u32, limit: u32| {
            (start + len / 2).saturating_sub(want / 2).min(limit.saturating_sub(want))
        };
        BBox { x: centre(self.x, self.w, w, width), y: centre(self.y, self.h, h, height), w, h }
    }
}

/// The pixels of `bbox`; `None` when it does not lie inside the frame.
pub fn crop(frame: &Frame, bbox: BBox) -> Option<RgbImage> {
    if !bbox.fits(frame.width, frame.height) {
        return None;
    }
    let row_bytes = frame.width as usize * 3;
    let mut pixels = Vec::with_capacity(bbox.w as usize * bbox.h as usize * 3);
    for y in bbox.y..bbox.y + bbox.h {
        let start = y as usize * row_bytes + bbox.x as usize * 3;
        pixels.extend_from_slice(frame.rgb.get(start..start + bbox.w as usize * 3)?);
    }
    RgbImage::from_raw(bbox.w, bbox.h, pixels)
}

/// The brightness of a crop, by the weights of ITU-R BT.601.
pub fn grey(crop: &RgbImage) -> GrayImage {
    let luma = |p: &[u8]| ((u32::from(p[0]) * 77 + u32::from(p[1]) * 150 + u32::from(p[2]) * 29) >> 8) as u8;
    let pixels = crop.as_raw().chunks_exact(3).map(luma).collect();
    GrayImage::from_raw(crop.width(), crop.height(), pixels).unwrap_or_default()
}

/// From which side a picture is shown to the model.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// As it is.
    Plain,
    /// Left and right exchanged: a second opinion of a thing that holds still.
    Mirrored,
}

/// The centred square of a picture, as `[3, side, side]` f32, RGB, -1..1. `None` for an empty picture.
pub fn as_input(picture: &RgbImage, side: u32, view: View) -> Option<Vec<f32>> {
    let (width, height) = picture.dimensions();
    let edge = width.min(height);
    if edge == 0 {
        return None;
    }
    let source = ImageRef::new(width, height, picture.as_raw(), PixelType::U8x3).ok()?;
    let mut small = Image::new(side, side, PixelType::U8x3);
    let square = ResizeOptions::new()
        .crop(f64::from((width - edge) / 2), f64::from((height - edge) / 2), f64::from(edge), f64::from(edge))
        .resize_alg(ResizeAlg::Convolution(FilterType::Bilinear));
    Resizer::new().resize(&source, &mut small, &square).ok()?;
    let side = side as usize;
    let mut input = vec![0.0; side * side * 3];
    for (channel, plane) in input.chunks_exact_mut(side * side).enumerate() {
        for (row, line) in plane.chunks_exact_mut(side).zip(small.buffer().chunks_exact(side * 3)) {
            let values = line.iter().skip(channel).step_by(3).map(|v| f32::from(*v) / 127.5 - 1.0);
            match view {
                View::Plain => row.iter_mut().zip(values).for_each(|(to, v)| *to = v),
                View::Mirrored => row.iter_mut().rev().zip(values).for_each(|(to, v)| *to = v),
            }
        }
    }
    Some(input)
}

/// The small picture for the ask tile.
pub fn thumbnail(crop: &RgbImage) -> Option<Thumbnail> {
    let longest = crop.width().max(crop.height());
    if longest == 0 {
        return None;
    }
    let scaled = |len: u32| (u64::from(len) * u64::from(THUMBNAIL_PX) / u64::from(longest)).max(1) as u32;
    let small = if longest <= THUMBNAIL_PX {
        crop.clone()
    } else {
        imageops::thumbnail(crop, scaled(crop.width()), scaled(crop.height()))
    };
    Some(Thumbnail { width: small.width(), height: small.height(), rgb: small.into_raw().into() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use hal::{CameraId, Moment};

    #[test]
    fn a_square_stays_inside_the_frame_and_covers_the_box() {
        let check = |bbox: (u32, u32, u32, u32), expected: (u32, u32, u32, u32)| {
            let (x, y, w, h) = bbox;
            let got = BBox { x, y, w, h }.squared(640, 480);
            assert_eq!((got.x, got.y, got.w, got.h), expected, "for {bbox:?}");
            assert!(got.fits(640, 480));
        };
        check((100, 100, 40, 20), (100, 90, 40, 40));
        check((0, 0, 10, 100), (0, 0, 100, 100));
        check((600, 440, 40, 20), (600, 430, 40, 40));
        check((0, 0, 640, 480), (0, 0, 640, 480));
    }

    #[test]
    fn a_box_outside_the_frame_gives_no_crop() {
        let frame = Frame::new(CameraId(0), Moment(0), 4, 2, vec![7; 24].into()).expect("24 bytes");
        assert!(crop(&frame, BBox { x: 3, y: 0, w: 2, h: 1 }).is_none());
        assert!(crop(&frame, BBox { x: u32::MAX, y: 0, w: 2, h: 1 }).is_none());
        assert!(crop(&frame, BBox { x: 0, y: 0, w: 0, h: 0 }).is_none());
        assert_eq!(crop(&frame, BBox { x: 3, y: 1, w: 1, h: 1 }).map(|c| c.into_raw()), Some(vec![7; 3]));
    }

    #[test]
    fn input_is_planar_and_runs_from_minus_one_to_one() {
        let picture = RgbImage::from_fn(6, 4, |_, _| image::Rgb([255, 0, 51]));
        let input = as_input(&picture, 2, View::Plain).expect("an input");
        assert_eq!(input.len(), 12);
        assert_eq!(&input[0..4], &[1.0; 4]);
        assert_eq!(&input[4..8], &[-1.0; 4]);
        assert!((input[8] + 0.6).abs() < 1e-6);
    }

    #[test]
    fn a_mirrored_view_is_the_plain_one_turned_over_and_nothing_has_no_view() {
        let picture = RgbImage::from_fn(8, 8, |x, y| image::Rgb([(x * 30) as u8, (y * 30) as u8, 9]));
        let plain = as_input(&picture, 4, View::Plain).expect("an input");
        let mirrored = as_input(&picture, 4, View::Mirrored).expect("an input");
        let turned: Vec<f32> = plain.chunks_exact(4).flat_map(|row| row.iter().rev().copied()).collect();
        let apart = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        // A pixel value may be rounded the other way.
        assert!(apart(&mirrored, &turned) < 0.01 && apart(&mirrored, &plain) > 0.5);
        assert!(as_input(&RgbImage::new(0, 0), 4, View::Plain).is_none());
    }

    #[test]
    fn thumbnails_are_at_most_208_pixels_long() {
        let small = thumbnail(&RgbImage::new(640, 320)).expect("a picture");
        assert_eq!((small.width, small.height, small.rgb.len()), (208, 104, 208 * 104 * 3));
    }
}
