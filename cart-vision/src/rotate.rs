//! A grey picture turned by an angle, and the way back for points found in it.

use std::borrow::Cow;

use image::GrayImage;

/// What lies outside the picture: white, as a label's quiet zone.
const OUTSIDE: u8 = 255;

/// A picture and the turn that made it.
pub struct Rotated<'a> {
    pixels: Cow<'a, GrayImage>,
    origin: (u32, u32),
    cos: f32,
    sin: f32,
}

impl<'a> Rotated<'a> {
    /// The picture as it is.
    pub fn upright(picture: &'a GrayImage) -> Self {
        Self { origin: picture.dimensions(), pixels: Cow::Borrowed(picture), cos: 1.0, sin: 0.0 }
    }

    /// The picture turned by `degrees`, on a canvas that holds all of it.
    pub fn by(picture: &GrayImage, degrees: f32) -> Rotated<'static> {
        let (sin, cos) = degrees.to_radians().sin_cos();
        let (width, height) = picture.dimensions();
        let across = |a: f32, b: f32| (width as f32 * a.abs() + height as f32 * b.abs()).ceil().max(1.0) as u32;
        let (out_width, out_height) = (across(cos, sin), across(sin, cos));
        let mut pixels = Vec::with_capacity(out_width as usize * out_height as usize);
        let (cx, cy) = (width as f32 / 2.0 - 0.5, height as f32 / 2.0 - 0.5);
        let (ox, oy) = (out_width as f32 / 2.0 - 0.5, out_height as f32 / 2.0 - 0.5);
        let raw = picture.as_raw();
        // Sixteenths of a pixel are fine enough, and whole numbers are quicker than floats.
        let (step_x, step_y) = ((cos * 65536.0) as i64, (-sin * 65536.0) as i64);
        for y in 0..out_height {
            let dy = y as f32 - oy;
            let mut fx = ((cx + sin * dy - cos * ox) * 65536.0) as i64;
            let mut fy = ((cy + cos * dy + sin * ox) * 65536.0) as i64;
            for _ in 0..out_width {
                pixels.push(sample(raw, width, height, fx, fy));
                fx += step_x;
                fy += step_y;
            }
        }
        let pixels = GrayImage::from_raw(out_width, out_height, pixels).unwrap_or_default();
        Rotated { pixels: Cow::Owned(pixels), origin: (width, height), cos, sin }
    }

    /// The turned pixels.
    pub fn pixels(&self) -> &GrayImage {
        &self.pixels
    }

    /// Width and height before the turn.
    pub fn origin_size(&self) -> (u32, u32) {
        self.origin
    }

    /// Where a point of the turned picture lies in the original.
    pub fn origin_of(&self, x: f32, y: f32) -> [f32; 2] {
        let (width, height) = self.pixels.dimensions();
        let (dx, dy) = (x - width as f32 / 2.0 + 0.5, y - height as f32 / 2.0 + 0.5);
        [
            self.origin.0 as f32 / 2.0 - 0.5 + self.cos * dx + self.sin * dy,
            self.origin.1 as f32 / 2.0 - 0.5 - self.sin * dx + self.cos * dy,
        ]
    }
}

/// Bilinear, in 16.16 fixed point.
fn sample(raw: &[u8], width: u32, height: u32, fx: i64, fy: i64) -> u8 {
    let (x, y) = (fx >> 16, fy >> 16);
    if x < 0 || y < 0 || x + 1 >= i64::from(width) || y + 1 >= i64::from(height) {
        return OUTSIDE;
    }
    let at = y as usize * width as usize + x as usize;
    let (wx, wy) = (((fx >> 12) & 15) as u32, ((fy >> 12) & 15) as u32);
    let below = at + width as usize;
    let top = u32::from(raw[at]) * (16 - wx) + u32::from(raw[at + 1]) * wx;
    let bottom = u32::from(raw[below]) * (16 - wx) + u32::from(raw[below + 1]) * wx;
    ((top * (16 - wy) + bottom * wy + 128) >> 8) as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_is_found_again_at_every_angle() {
        let check = |degrees: f32, x: u32, y: u32| {
            let picture = GrayImage::from_fn(60, 40, |px, py| {
                image::Luma([if px.abs_diff(x) <= 1 && py.abs_diff(y) <= 1 { 0 } else { 255 }])
            });
            let turned = Rotated::by(&picture, degrees);
            let dark = turned.pixels().enumerate_pixels().min_by_key(|(_, _, p)| p[0]).expect("pixels");
            let back = turned.origin_of(dark.0 as f32, dark.1 as f32);
            assert!((back[0] - x as f32).abs() < 2.0 && (back[1] - y as f32).abs() < 2.0, "{degrees}: {back:?}");
        };
        for degrees in [0.0, 22.5, 45.0, 67.5, 90.0, 180.0, 271.0] {
            check(degrees, 12, 30);
            check(degrees, 50, 8);
        }
    }

    #[test]
    fn tiny_pictures_turn_without_trouble() {
        for (width, height) in [(0, 0), (1, 1), (1, 50), (2, 2)] {
            Rotated::by(&GrayImage::new(width, height), 45.0);
        }
    }
}
