//! A patch of bars laid straight and thinned along the bars.
//!
//! Each line of a strip is the mean of several lines of the picture, taken in the bars' own
//! direction. Noise goes, edges stay, and far fewer lines have to be decoded. Lines share no
//! pixels, so lines that agree are as many witnesses.

use image::GrayImage;

use crate::bars::Bars;

/// Contrast below this share of the median stretch's is paper's.
const PAPER_SHARE: f32 = 0.5;
/// Contrast below this is noise.
const LEAST_RANGE: f32 = 16.0;

/// Picture pixels that one line is the mean of.
const THICKNESS_PX: f32 = 4.0;
/// The most lines; a higher patch has gaps between them.
const MOST_LINES: f32 = 24.0;
/// Lines that a low patch is cut into, if they are a pixel each at least.
const ENOUGH_LINES: f32 = 8.0;
/// A strip is not made wider than this: codes of so many pixels need no more of them.
const WIDE_PX: f32 = 900.0;
/// Added to either end of a patch for the quiet zones: a share of half its length, and pixels.
const QUIET_SHARE: f32 = 0.12;
const QUIET_PX: f32 = 14.0;
/// Stretches of the line, in picture pixels, in which contrast is made even.
const EVEN_PX: f32 = 32.0;

/// How a strip is cut.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cut {
    /// Strip pixels for each picture pixel, across the bars.
    pub scale: f32,
    /// How much an unsharp mask adds; zero for none.
    pub sharpen: f32,
    /// Its radius, in picture pixels.
    pub radius: f32,
    /// Whether contrast is made even along the line.
    pub even: bool,
}

/// A straightened patch.
#[derive(Debug)]
pub struct Strip {
    pixels: GrayImage,
    origin: [f32; 2],
    across: [f32; 2],
    along: [f32; 2],
}

impl Strip {
    /// Cuts `bars` out of the picture, with a margin for the quiet zones.
    pub fn cut(picture: &GrayImage, bars: &Bars, cut: &Cut) -> Self {
        let (sin, cos) = bars.across_deg.to_radians().sin_cos();
        let half_across = bars.half_across * (1.0 + QUIET_SHARE) + QUIET_PX;
        let half_along = bars.half_along;
        let scale = cut.scale.min(WIDE_PX / (half_across * 2.0)).max(1.0);
        let width = (half_across * 2.0 * scale).ceil().max(1.0) as u32;
        let thickness = (half_along * 2.0 / ENOUGH_LINES).clamp(1.0, THICKNESS_PX);
        let lines = (half_along * 2.0 / thickness).ceil().clamp(1.0, MOST_LINES);
        let pitch = half_along * 2.0 / lines;
        let samples = pitch.min(thickness).round().max(1.0) as u32;
        let origin = [
            bars.middle[0] - cos * half_across + sin * half_along,
            bars.middle[1] - sin * half_across - cos * half_along,
        ];
        let across = [cos / scale, sin / scale];
        let along = [-sin * pitch, cos * pitch];
        let mut pixels = Vec::with_capacity(width as usize * lines as usize);
        let mut line = vec![0.0; width as usize];
        let mut scratch = Vec::new();
        for number in 0..lines as u32 {
            line.fill(0.0);
            for sample in 0..samples {
                // Spread evenly about the line's middle, one picture pixel apart.
                let v = (number as f32 + 0.5) * pitch + (sample as f32 - (samples - 1) as f32 / 2.0);
                let start = [origin[0] - sin * v, origin[1] + cos * v];
                add_line(picture, start, across, &mut line);
            }
            for value in &mut line {
                *value /= samples as f32;
            }
            let margin = ((half_across - bars.half_across) * scale) as usize;
            clamp(&mut line, margin);
            if cut.even {
                even(&mut line, (EVEN_PX * scale) as usize, &mut scratch);
            }
            if cut.sharpen > 0.0 {
                sharpen(&mut line, cut.sharpen, ((cut.radius * scale).round() as usize).max(1), &mut scratch);
            }
            pixels.extend(line.iter().map(|v| v.round().clamp(0.0, 255.0) as u8));
        }
        let pixels = GrayImage::from_raw(width, lines as u32, pixels).unwrap_or_default();
        Self { pixels, origin, across, along }
    }

    /// The strip itself.
    pub fn pixels(&self) -> &GrayImage {
        &self.pixels
    }

    /// Where a point of the strip lies in the picture.
    pub fn origin_of(&self, x: f32, y: f32) -> [f32; 2] {
        [0, 1].map(|axis| self.origin[axis] + self.across[axis] * x + self.along[axis] * (y + 0.5))
    }
}

/// Adds the picture's brightness along a straight line, bilinear. Beyond the border its last pixel
/// goes on: white would give a cut code a quiet zone.
fn add_line(picture: &GrayImage, start: [f32; 2], step: [f32; 2], line: &mut [f32]) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if width == 0 || height == 0 {
        return;
    }
    let raw = picture.as_raw();
    // Bilinear needs a neighbour to the right and below.
    let inside = inside(start, step, [width as f32 - 1.01, height as f32 - 1.01], line.len());
    let border = |number: usize| {
        let [x, y] = [0, 1].map(|axis| start[axis] + step[axis] * number as f32);
        let (x, y) = (x.round().clamp(0.0, (width - 1) as f32), y.round().clamp(0.0, (height - 1) as f32));
        f32::from(raw[y as usize * width + x as usize])
    };
    for number in (0..inside.start).chain(inside.end..line.len()) {
        line[number] += border(number);
    }
    // 16.16 fixed point: whole numbers are quicker than floats, and lines are far shorter than 32,768.
    let fixed = |v: f32| (v * 65_536.0) as i64;
    let [mut x, mut y] = [0, 1].map(|axis| fixed(start[axis] + step[axis] * inside.start as f32));
    let [step_x, step_y] = step.map(fixed);
    for value in &mut line[inside] {
        let at = (y >> 16) as usize * width + (x >> 16) as usize;
        let ([a, b], [c, d]) = match (raw.get(at..at + 2), raw.get(at + width..at + width + 2)) {
            (Some(upper), Some(lower)) => ([upper[0], upper[1]], [lower[0], lower[1]]),
            _ => break,
        };
        let (wx, wy) = ((x & 0xffff) as i32 >> 8, (y & 0xffff) as i32 >> 8);
        let [a, b, c, d] = [a, b, c, d].map(i32::from);
        let upper = (a << 8).wrapping_add(b.wrapping_sub(a).wrapping_mul(wx));
        let lower = (c << 8).wrapping_add(d.wrapping_sub(c).wrapping_mul(wx));
        let both = (upper << 8).wrapping_add(lower.wrapping_sub(upper).wrapping_mul(wy));
        *value += both as f32 * (1.0 / 65_536.0);
        x = x.wrapping_add(step_x);
        y = y.wrapping_add(step_y);
    }
}

/// The samples of a line whose points lie within 0 and `most` on both axes.
fn inside(start: [f32; 2], step: [f32; 2], most: [f32; 2], samples: usize) -> std::ops::Range<usize> {
    let (mut from, mut to) = (0.0_f32, samples as f32);
    for axis in 0..2 {
        let (first, speed) = (start[axis], step[axis]);
        if speed.abs() < 1e-6 {
            if first < 0.0 || first > most[axis] {
                return 0..0;
            }
            continue;
        }
        let ends = [-first / speed, (most[axis] - first) / speed];
        from = from.max(ends[0].min(ends[1]).ceil());
        to = to.min(ends[0].max(ends[1]).floor());
    }
    let from = (from.max(0.0) as usize).min(samples);
    from..(to.max(0.0) as usize).clamp(from, samples)
}

/// Nothing in the margins may be brighter or darker than the bars are.
fn clamp(line: &mut [f32], margin: usize) {
    let Some(bars) = line.get(margin..line.len().saturating_sub(margin)).filter(|bars| !bars.is_empty()) else {
        return;
    };
    let [dark, bright] = bars.iter().fold([f32::MAX, f32::MIN], |e, v| [e[0].min(*v), e[1].max(*v)]);
    line.iter_mut().for_each(|value| *value = value.clamp(dark, bright));
}

/// Makes contrast even along the line: each stretch runs from its own darkest to its own brightest.
/// A stretch with far less contrast than most is paper, and becomes white.
fn even(line: &mut [f32], block: usize, scratch: &mut Vec<f32>) {
    let block = block.max(4);
    let extremes: Vec<[f32; 2]> =
        line.chunks(block).map(|c| c.iter().fold([f32::MAX, f32::MIN], |e, v| [e[0].min(*v), e[1].max(*v)])).collect();
    let around = |i: usize| {
        let near = &extremes[i.saturating_sub(1)..(i + 2).min(extremes.len())];
        near.iter().fold([f32::MAX, f32::MIN], |e, n| [e[0].min(n[0]), e[1].max(n[1])])
    };
    let wide: Vec<[f32; 2]> = (0..extremes.len()).map(around).collect();
    scratch.clear();
    scratch.extend(wide.iter().map(|[dark, bright]| bright - dark));
    scratch.sort_by(f32::total_cmp);
    let least = (scratch.get(scratch.len() / 2).copied().unwrap_or(0.0) * PAPER_SHARE).max(LEAST_RANGE);
    for (i, value) in line.iter_mut().enumerate() {
        let at = (i as f32 / block as f32 - 0.5).max(0.0);
        let (left, part) = (at as usize, at.fract());
        let (a, b) = (wide[left.min(wide.len() - 1)], wide[(left + 1).min(wide.len() - 1)]);
        let [dark, bright] = [0, 1].map(|k| a[k] + (b[k] - a[k]) * part);
        let range = (bright - dark).max(least);
        *value = 255.0 - (bright - *value) / range * 255.0;
    }
}

/// Unsharp mask along the line, with a box of `2 * radius + 1`.
fn sharpen(line: &mut [f32], amount: f32, radius: usize, scratch: &mut Vec<f32>) {
    scratch.clear();
    let mut sum = 0.0;
    scratch.push(0.0);
    for value in line.iter() {
        sum += value;
        scratch.push(sum);
    }
    let length = line.len();
    for (i, value) in line.iter_mut().enumerate() {
        let (from, to) = (i.saturating_sub(radius), (i + radius + 1).min(length));
        let mean = (scratch[to] - scratch[from]) / (to - from) as f32;
        *value += (*value - mean) * amount;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: Cut = Cut { scale: 1.0, sharpen: 0.0, radius: 0.0, even: false };

    fn upright(picture: &GrayImage) -> Bars {
        Bars::upright(picture)
    }

    #[test]
    fn a_line_is_the_mean_of_its_own_lines_only() {
        let picture = GrayImage::from_fn(80, 64, |x, y| image::Luma([if y < 32 { 40 } else { 200 } + (x % 2) as u8]));
        let strip = Strip::cut(&picture, &upright(&picture), &PLAIN);
        let height = strip.pixels().height();
        assert_eq!(height, 16);
        for y in 0..height {
            let expected = if y < height / 2 { 40 } else { 200 };
            assert!(strip.pixels().get_pixel(50, y)[0].abs_diff(expected) <= 1, "line {y}");
        }
    }

    #[test]
    fn beyond_the_border_its_last_pixel_goes_on() {
        let picture = GrayImage::from_fn(80, 40, |x, _| image::Luma([if x < 4 { 10 } else { 200 }]));
        let strip = Strip::cut(&picture, &upright(&picture), &PLAIN);
        assert_eq!(strip.pixels().get_pixel(0, 5)[0], 10);
    }

    #[test]
    fn points_are_found_again_in_the_picture() {
        let picture = GrayImage::from_pixel(200, 160, image::Luma([128]));
        let bars = Bars { across_deg: 30.0, middle: [100.0, 80.0], half_across: 50.0, half_along: 20.0, strength: 1.0 };
        let strip = Strip::cut(&picture, &bars, &Cut { scale: 2.0, ..PLAIN });
        let (width, height) = strip.pixels().dimensions();
        let [x, y] = strip.origin_of(width as f32 / 2.0, height as f32 / 2.0 - 0.5);
        assert!((x - 100.0).abs() < 1.0 && (y - 80.0).abs() < 1.0, "{x} {y}");
    }

    #[test]
    fn tiny_pictures_and_patches_are_cut_without_trouble() {
        for (width, height) in [(0, 0), (1, 1), (1, 40), (40, 1)] {
            let picture = GrayImage::new(width, height);
            Strip::cut(&picture, &upright(&picture), &Cut { scale: 3.0, sharpen: 2.0, radius: 4.0, even: true });
        }
    }
}
