//! A small painter: shapes as signed distances (negative inside, in pixels), so that every edge is
//! smooth and every body can be shaded as if it were round.

use image::{GrayImage, Luma, Rgb, RgbImage};

use super::noise::hash;

/// Red, green, blue, 0 to 1.
pub(super) type Colour = [f32; 3];

/// From bytes to a colour.
pub(super) fn colour(rgb: [u8; 3]) -> Colour {
    rgb.map(|v| f32::from(v) / 255.0)
}

/// `a` at 0, `b` at 1.
pub(super) fn mix(a: Colour, b: Colour, t: f32) -> Colour {
    let t = t.clamp(0.0, 1.0);
    std::array::from_fn(|i| a[i] + (b[i] - a[i]) * t)
}

/// A colour made lighter or darker.
pub(super) fn scaled(a: Colour, by: f32) -> Colour {
    a.map(|v| (v * by).clamp(0.0, 1.0))
}

/// 0 below `low`, 1 above `high`, smooth between.
pub(super) fn smoothstep(low: f32, high: f32, x: f32) -> f32 {
    let t = ((x - low) / (high - low)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Distance to a circle.
pub(super) fn circle(x: f32, y: f32, cx: f32, cy: f32, radius: f32) -> f32 {
    (x - cx).hypot(y - cy) - radius
}

/// Distance to a rectangle with round corners; `hw`, `hh` are half its width and height.
pub(super) fn round_rect(x: f32, y: f32, (cx, cy): (f32, f32), (hw, hh): (f32, f32), radius: f32) -> f32 {
    let (dx, dy) = ((x - cx).abs() - hw + radius, (y - cy).abs() - hh + radius);
    dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - radius
}

/// Distance to a thick line whose radius goes from `ra` at `a` to `rb` at `b`.
pub(super) fn limb(x: f32, y: f32, a: (f32, f32), b: (f32, f32), ra: f32, rb: f32) -> f32 {
    let (px, py, bx, by) = (x - a.0, y - a.1, b.0 - a.0, b.1 - a.1);
    let t = ((px * bx + py * by) / (bx * bx + by * by).max(1e-6)).clamp(0.0, 1.0);
    (px - bx * t).hypot(py - by * t) - (ra + (rb - ra) * t)
}

/// Two shapes melted together over about `k` pixels.
pub(super) fn melt(a: f32, b: f32, k: f32) -> f32 {
    let h = (k - (a - b).abs()).max(0.0) / k;
    a.min(b) - h * h * k * 0.25
}

/// Pixels that a shape may touch: left, top, right, bottom; half open.
#[derive(Clone, Copy)]
pub(super) struct Area(pub usize, pub usize, pub usize, pub usize);

impl Area {
    /// All pixels within `reach` of a point.
    pub(super) fn around(x: f32, y: f32, reach: f32) -> Self {
        let at_least_zero = |v: f32| v.max(0.0) as usize;
        Self(
            at_least_zero(x - reach),
            at_least_zero(y - reach),
            at_least_zero(x + reach + 1.0),
            at_least_zero(y + reach + 1.0),
        )
    }
}

/// Premultiplied pixels, transparent at first.
pub(super) struct Canvas {
    pub(super) width: usize,
    pub(super) height: usize,
    px: Vec<[f32; 4]>,
}

impl Canvas {
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, px: vec![[0.0; 4]; width * height] }
    }

    fn each(&mut self, area: Area, mut f: impl FnMut(f32, f32, &mut [f32; 4])) {
        for row in area.1..area.3.min(self.height) {
            for column in area.0..area.2.min(self.width) {
                f(column as f32 + 0.5, row as f32 + 0.5, &mut self.px[row * self.width + column]);
            }
        }
    }

    /// The whole canvas.
    pub(super) fn all(&self) -> Area {
        Area(0, 0, self.width, self.height)
    }

    /// Lays a shape over what is there; `cover` is 0 to 1.
    pub(super) fn lay(&mut self, area: Area, cover: impl Fn(f32, f32) -> f32, paint: impl Fn(f32, f32) -> Colour) {
        self.each(area, |x, y, px| over(px, cover(x, y), || paint(x, y)));
    }

    /// Fills a shape given by its distance.
    pub(super) fn fill(&mut self, area: Area, distance: impl Fn(f32, f32) -> f32, paint: impl Fn(f32, f32) -> Colour) {
        self.lay(area, |x, y| (0.5 - distance(x, y)).clamp(0.0, 1.0), paint);
    }

    /// Fills a shape, only where something is already painted.
    pub(super) fn print(&mut self, area: Area, distance: impl Fn(f32, f32) -> f32, ink: Colour) {
        self.each(area, |x, y, px| {
            let cover = (0.5 - distance(x, y)).clamp(0.0, 1.0);
            let opaque = px[3];
            for (v, ink) in px[..3].iter_mut().zip(ink) {
                *v += (ink * opaque - *v) * cover;
            }
        });
    }

    /// Makes what is painted lighter or darker.
    pub(super) fn shade(&mut self, by: impl Fn(f32, f32) -> f32) {
        let all = self.all();
        self.each(all, |x, y, px| {
            if px[3] > 0.0 {
                let (by, opaque) = (by(x, y), px[3]);
                px[..3].iter_mut().for_each(|v| *v = (*v * by).min(opaque));
            }
        });
    }

    /// Fills a shape and shades it as a round body of `radius`, lit from the upper left.
    pub(super) fn body(
        &mut self,
        area: Area,
        distance: impl Fn(f32, f32) -> f32,
        radius: f32,
        gloss: f32,
        skin: impl Fn(f32, f32) -> Colour,
    ) {
        const LIGHT: [f32; 3] = [-0.42, -0.56, 0.714];
        self.each(area, |x, y, px| {
            let d = distance(x, y);
            let cover = (0.5 - d).clamp(0.0, 1.0);
            if cover <= 0.0 {
                return;
            }
            let (gx, gy) = (distance(x + 1.0, y) - distance(x - 1.0, y), distance(x, y + 1.0) - distance(x, y - 1.0));
            let length = gx.hypot(gy).max(1e-4);
            let out = (1.0 + d / radius).clamp(0.0, 1.0);
            let up = (1.0 - out * out).sqrt();
            let normal = [gx / length * out, gy / length * out, up];
            let facing: f32 = (0..3).map(|i| normal[i] * LIGHT[i]).sum();
            let shine = (facing.max(0.0).powi(24)) * gloss;
            let lit = 0.42 + 0.66 * facing.max(0.0) + 0.06 * up;
            over(px, cover, || skin(x, y).map(|v| (v * lit + shine).clamp(0.0, 1.0)));
        });
    }

    /// The picture without its transparency, and the transparency as a mask.
    pub(super) fn finish(&self) -> (RgbImage, GrayImage) {
        let mut picture = RgbImage::new(self.width as u32, self.height as u32);
        let mut mask = GrayImage::new(self.width as u32, self.height as u32);
        for ((px, out), alpha) in self.px.iter().zip(picture.pixels_mut()).zip(mask.pixels_mut()) {
            let opaque = px[3].max(1e-4);
            *out = Rgb(std::array::from_fn(|i| byte(px[i] / opaque)));
            *alpha = Luma([byte(px[3])]);
        }
        (picture, mask)
    }
}

fn over(px: &mut [f32; 4], cover: f32, paint: impl FnOnce() -> Colour) {
    if cover <= 0.0 {
        return;
    }
    let ink = paint();
    for (v, ink) in px.iter_mut().zip([ink[0], ink[1], ink[2], 1.0]) {
        *v += (ink - *v) * cover;
    }
}

fn byte(v: f32) -> u8 {
    (v * 255.0 + 0.5).clamp(0.0, 255.0) as u8
}

/// A seed for the `n`th part of a thing.
pub(super) fn part(seed: u64, n: u64) -> u64 {
    hash(seed, n ^ 0x9A57)
}
