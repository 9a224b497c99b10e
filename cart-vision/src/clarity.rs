//! Whether a camera's picture shows anything at all.
//!
//! A covered lens is dark, or glows evenly; a smeared one shows light and shade without an edge. All three
//! lack the same thing: places that differ from those beside them. What that means is not judged here: a
//! bare floor under no light shows nothing either, and its camera is well.

use hal::Frame;

/// Cells a row: coarse enough that sensor noise averages out, fine enough that a mesh or a print shows.
const CELLS_A_ROW: u32 = 80;
/// Samples along each side of a cell.
const SAMPLES: usize = 4;
/// Mean difference of neighbouring cells, in grey levels of 255. Noise of 3 levels makes 0.9; a mesh under
/// weak light makes 2.
const BLANK: f32 = 1.1;
/// A picture that was blank must show so much to be clear again: at the border it does not flicker.
const CLEAR: f32 = 1.5;
/// So many pictures in a row must agree.
const AGREEING: u32 = 5;

const _: () = assert!(BLANK < CLEAR);

/// One camera's pictures, one after the other.
#[derive(Clone, Debug)]
pub struct Clarity {
    clear: bool,
    /// Pictures in a row that speak against `clear`.
    against: u32,
}

impl Default for Clarity {
    /// A camera is believed to see until its pictures say otherwise.
    fn default() -> Self {
        Self { clear: true, against: 0 }
    }
}

impl Clarity {
    /// True while the pictures show something. A frame whose bytes do not match its size says nothing.
    pub fn look(&mut self, frame: &Frame) -> bool {
        let Some(detail) = detail(frame) else { return self.clear };
        let speaks_against = if self.clear { detail < BLANK } else { detail > CLEAR };
        self.against = if speaks_against { self.against + 1 } else { 0 };
        if self.against >= AGREEING {
            self.clear = !self.clear;
            self.against = 0;
        }
        self.clear
    }
}

/// Mean difference in brightness between cells side by side and one above the other, in grey levels.
fn detail(frame: &Frame) -> Option<f32> {
    let (width, height) = (frame.width as usize, frame.height as usize);
    if frame.rgb.len() != width.checked_mul(height)?.checked_mul(3)? {
        return None;
    }
    let side = (frame.width / CELLS_A_ROW).max(4) as usize;
    let step = (side / SAMPLES).max(1);
    let (columns, rows) = (width / side, height / side);
    if columns < 2 || rows < 2 {
        return None;
    }
    let mean = |row: usize, column: usize| {
        let (mut sum, mut count) = (0u32, 0u32);
        for y in (row * side..(row + 1) * side).step_by(step) {
            for x in (column * side..(column + 1) * side).step_by(step) {
                let pixel = &frame.rgb[(y * width + x) * 3..][..3];
                sum += u32::from(pixel[0]) + 2 * u32::from(pixel[1]) + u32::from(pixel[2]);
                count += 4;
            }
        }
        sum as f32 / count as f32
    };
    let mut above: Vec<f32> = Vec::with_capacity(columns);
    let mut sum = 0.0;
    for row in 0..rows {
        let cells: Vec<f32> = (0..columns).map(|column| mean(row, column)).collect();
        sum += cells.windows(2).map(|pair| (pair[0] - pair[1]).abs()).sum::<f32>();
        sum += above.iter().zip(&cells).map(|(a, b)| (a - b).abs()).sum::<f32>();
        above = cells;
    }
    Some(sum / (rows * (columns - 1) + (rows - 1) * columns) as f32)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hal::sim::{Fault, SimCamera, World};
    use hal::{CameraId, ManualClock, Moment};
    use image::RgbImage;

    use super::*;

    fn drawn(world: &World, n: u64) -> RgbImage {
        let mut camera = SimCamera::new(world.clone(), CameraId(0), Arc::new(ManualClock::default()));
        let frame = camera.render(Moment::from_millis(1_000 + 67 * n));
        RgbImage::from_raw(frame.width, frame.height, frame.rgb.to_vec()).expect("pixels")
    }

    fn frame(picture: &RgbImage) -> Frame {
        let (width, height) = picture.dimensions();
        Frame::new(CameraId(0), Moment(0), width, height, picture.as_raw().as_slice().into()).expect("a frame")
    }

    /// What is said after `n` such pictures.
    fn after(clarity: &mut Clarity, n: usize, picture: &RgbImage) -> bool {
        (0..n).map(|_| clarity.look(&frame(picture))).last().unwrap_or(true)
    }

    #[test]
    fn dark_flat_and_smeared_pictures_show_nothing_and_a_bare_basket_does() {
        let world = World::new(3);
        let basket = drawn(&world, 0);
        world.inject(Fault::CameraCovered(0));
        let covered = drawn(&world, 1);
        let mut noise = 1u32;
        let glow = RgbImage::from_fn(640, 480, |x, y| {
            noise = noise.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let grain = (noise >> 29) as i32 - 4;
            let falloff = (x.abs_diff(300) + y.abs_diff(200)) as i32 / 9;
            image::Rgb([170 - falloff + grain, 60 - falloff / 3 + grain, 50 - falloff / 3 + grain].map(|v| v as u8))
        });
        let smeared = image::imageops::blur(&basket, 24.0);
        let table = [
            ("black", RgbImage::new(640, 480), false),
            ("white", RgbImage::from_pixel(640, 480, image::Rgb([255; 3])), false),
            ("covered, with the sensor's noise", covered, false),
            ("a finger on the lens", glow, false),
            ("smeared", smeared, false),
            ("the bare basket", basket, true),
        ];
        for (what, picture, clear) in table {
            assert_eq!(after(&mut Clarity::default(), 10, &picture), clear, "{what}: {:?}", detail(&frame(&picture)));
        }
    }

    #[test]
    fn one_odd_picture_says_nothing_and_what_was_covered_is_seen_to_clear() {
        let basket = drawn(&World::new(3), 0);
        let black = RgbImage::new(640, 480);
        let mut clarity = Clarity::default();
        assert!(after(&mut clarity, 4, &black) && after(&mut clarity, 1, &basket) && after(&mut clarity, 4, &black));
        assert!(!after(&mut clarity, 1, &black));
        assert!(!after(&mut clarity, 4, &basket) && after(&mut clarity, 1, &basket));
    }

    #[test]
    fn a_frame_that_is_none_changes_nothing() {
        let broken = Frame { width: 9_999, ..frame(&RgbImage::new(640, 480)) };
        let tiny = frame(&RgbImage::new(3, 3));
        let mut clarity = Clarity::default();
        assert!((0..20).all(|_| clarity.look(&broken) && clarity.look(&tiny)));
    }
}
