//! A small painter for drawn pictures: shapes as signed distances, edges smoothed by coverage.
//!
//! Coordinates are 0 to 100 in both directions, whatever the size in pixels; y grows downwards.

use slint::{Image, Rgba8Pixel, SharedPixelBuffer};

/// Distance in units to an edge at (x, y): negative inside.
pub(super) type Shape<'a> = &'a dyn Fn(f32, f32) -> f32;

/// Straight colour, each part 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Ink {
    pub r: f32,
    pub g: f32,
    pub b: f32,
    pub a: f32,
}

impl Ink {
    pub(super) const WHITE: Self = Self { r: 1.0, g: 1.0, b: 1.0, a: 1.0 };

    /// Hue in degrees, saturation and lightness 0 to 1.
    pub(super) fn hsl(hue: f32, saturation: f32, lightness: f32) -> Self {
        let chroma = (1.0 - (2.0 * lightness - 1.0).abs()) * saturation;
        let sector = hue.rem_euclid(360.0) / 60.0;
        let second = chroma * (1.0 - (sector % 2.0 - 1.0).abs());
        let (r, g, b) = match sector as u8 {
            0 => (chroma, second, 0.0),
            1 => (second, chroma, 0.0),
            2 => (0.0, chroma, second),
            3 => (0.0, second, chroma),
            4 => (second, 0.0, chroma),
            _ => (chroma, 0.0, second),
        };
        let least = lightness - chroma / 2.0;
        Self { r: r + least, g: g + least, b: b + least, a: 1.0 }
    }

    pub(super) fn alpha(self, a: f32) -> Self {
        Self { a, ..self }
    }
}

/// A square picture with an alpha channel, premultiplied.
pub(super) struct Canvas {
    side: u32,
    pixels: Vec<[f32; 4]>,
}

impl Canvas {
    /// A clear picture of `side` × `side` pixels.
    pub(super) fn new(side: u32) -> Self {
        Self { side, pixels: vec![[0.0; 4]; (side * side) as usize] }
    }

    /// Paints the inside of `shape`.
    pub(super) fn fill(&mut self, shape: Shape<'_>, ink: Ink) {
        self.fill_by(shape, &|_, _| ink);
    }

    /// Paints the inside of `shape`, `top` above and `bottom` below.
    pub(super) fn fill_down(&mut self, shape: Shape<'_>, top: Ink, bottom: Ink) {
        self.fill_by(shape, &|_, y| mix(top, bottom, y / 100.0));
    }

    /// Paints the inside of `shape` by a colour at each place.
    pub(super) fn fill_by(&mut self, shape: Shape<'_>, ink: &dyn Fn(f32, f32) -> Ink) {
        let unit = 100.0 / self.side as f32;
        for (i, pixel) in self.pixels.iter_mut().enumerate() {
            let (column, line) = (i as u32 % self.side, i as u32 / self.side);
            let (x, y) = ((column as f32 + 0.5) * unit, (line as f32 + 0.5) * unit);
            let coverage = (0.5 - shape(x, y) / unit).clamp(0.0, 1.0);
            if coverage > 0.0 {
                let ink = ink(x, y);
                let a = ink.a * coverage;
                let keep = 1.0 - a;
                *pixel = [
                    ink.r * a + pixel[0] * keep,
                    ink.g * a + pixel[1] * keep,
                    ink.b * a + pixel[2] * keep,
                    a + pixel[3] * keep,
                ];
            }
        }
    }

    /// The picture for the screen.
    pub(super) fn into_image(self) -> Image {
        let mut buffer = SharedPixelBuffer::<Rgba8Pixel>::new(self.side, self.side);
        for (to, from) in buffer.make_mut_slice().iter_mut().zip(&self.pixels) {
            let byte = |v: f32| (v * 255.0 + 0.5) as u8;
            *to = Rgba8Pixel { r: byte(from[0]), g: byte(from[1]), b: byte(from[2]), a: byte(from[3]) };
        }
        Image::from_rgba8_premultiplied(buffer)
    }
}

pub(super) fn mix(a: Ink, b: Ink, t: f32) -> Ink {
    let t = t.clamp(0.0, 1.0);
    let part = |a: f32, b: f32| a + (b - a) * t;
    Ink { r: part(a.r, b.r), g: part(a.g, b.g), b: part(a.b, b.b), a: part(a.a, b.a) }
}

pub(super) fn circle(cx: f32, cy: f32, radius: f32) -> impl Fn(f32, f32) -> f32 {
    move |x, y| (x - cx).hypot(y - cy) - radius
}

/// An ellipse, near enough for round fruit: exact at its axes.
pub(super) fn ellipse(cx: f32, cy: f32, rx: f32, ry: f32) -> impl Fn(f32, f32) -> f32 {
    move |x, y| (((x - cx) / rx).hypot((y - cy) / ry) - 1.0) * rx.min(ry)
}

/// A box by its edges with round corners.
pub(super) fn rounded(left: f32, top: f32, right: f32, bottom: f32, corner: f32) -> impl Fn(f32, f32) -> f32 {
    let (cx, cy) = ((left + right) / 2.0, (top + bottom) / 2.0);
    let (hx, hy) = ((right - left) / 2.0 - corner, (bottom - top) / 2.0 - corner);
    move |x, y| {
        let (dx, dy) = ((x - cx).abs() - hx, (y - cy).abs() - hy);
        dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - corner
    }
}

/// A stroke with round ends.
pub(super) fn stroke(ax: f32, ay: f32, bx: f32, by: f32, half_width: f32) -> impl Fn(f32, f32) -> f32 {
    move |x, y| {
        let (px, py, dx, dy) = (x - ax, y - ay, bx - ax, by - ay);
        let along = ((px * dx + py * dy) / (dx * dx + dy * dy).max(1e-6)).clamp(0.0, 1.0);
        (px - dx * along).hypot(py - dy * along) - half_width
    }
}

/// A four-sided shape that narrows upwards: half-widths at its top and bottom.
pub(super) fn trapezium(
    cx: f32,
    top: f32,
    bottom: f32,
    half_top: f32,
    half_bottom: f32,
    corner: f32,
) -> impl Fn(f32, f32) -> f32 {
    let slope = (half_bottom - half_top) / (bottom - top);
    let lean = (1.0 + slope * slope).sqrt();
    move |x, y| {
        let half = half_top + (y - top) * slope - corner;
        let (dx, dy) = (((x - cx).abs() - half) / lean, (top + corner - y).max(y - bottom + corner));
        dx.max(0.0).hypot(dy.max(0.0)) + dx.max(dy).min(0.0) - corner
    }
}

/// A bow: the part of a ring below its centre, from one angle to the other, thinner at its ends.
pub(super) fn bow(cx: f32, cy: f32, radius: f32, half_width: f32) -> impl Fn(f32, f32) -> f32 {
    move |x, y| {
        let angle = (y - cy).atan2(x - cx);
        let middle = std::f32::consts::FRAC_PI_2;
        let off = (angle - middle).abs() / 1.25;
        let width = half_width * (1.0 - 0.75 * off * off).max(0.0);
        if off > 1.15 { 10.0 } else { ((x - cx).hypot(y - cy) - radius).abs() - width }
    }
}

/// What is in both.
pub(super) fn both(a: impl Fn(f32, f32) -> f32, b: impl Fn(f32, f32) -> f32) -> impl Fn(f32, f32) -> f32 {
    move |x, y| a(x, y).max(b(x, y))
}

/// What is in either.
pub(super) fn either(a: impl Fn(f32, f32) -> f32, b: impl Fn(f32, f32) -> f32) -> impl Fn(f32, f32) -> f32 {
    move |x, y| a(x, y).min(b(x, y))
}
