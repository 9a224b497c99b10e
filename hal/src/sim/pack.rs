//! The demo store's own packs, drawn: a coloured front with a wordless motif, and a side with the
//! printed barcode.

use image::{GrayImage, RgbImage};

use super::label::Label;
use super::look::ProductLook;
use super::noise::{Dice, hash, rough};
use super::paint::{Area, Canvas, Colour, circle, colour, mix, part, round_rect, scaled};

/// What kind of pack it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PackShape {
    /// A tall carton.
    Carton,
    /// A box.
    Box,
    /// A tin, from its round side.
    Tin,
    /// A bottle.
    Bottle,
    /// A small cup, from above.
    Cup,
    /// A bar.
    Bar,
}

/// How a pack looks. Which product it is, it does not know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackDesign {
    /// Its kind.
    pub shape: PackShape,
    /// The colour of most of it.
    pub base: [u8; 3],
    /// The colour of its motif.
    pub accent: [u8; 3],
    /// The number printed as a barcode, 8 to 14 digits.
    pub gtin: Option<String>,
}

/// Which side is seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The front.
    Front,
    /// The side with the barcode.
    Barcode,
}

impl PackShape {
    /// Width and height of the drawing, and the longest side in a frame, in pixels.
    fn size(self) -> (usize, usize, u32) {
        match self {
            Self::Carton => (300, 520, 330),
            Self::Box => (400, 480, 300),
            Self::Tin => (340, 430, 240),
            Self::Bottle => (220, 600, 360),
            Self::Cup => (320, 320, 190),
            Self::Bar => (240, 520, 260),
        }
    }
}

/// The look of a side. `seed` chooses light and wear, never the design.
pub fn pack_look(design: &PackDesign, side: Side, seed: u64) -> ProductLook {
    let (picture, mask) = draw_pack(design, side, seed);
    let (_, _, front_px) = design.shape.size();
    // The barcode side is held near the camera: a module is then about three pixels.
    let real_size_px = if side == Side::Barcode { 420 } else { front_px };
    ProductLook { picture, mask: Some(mask), real_size_px }
}

/// Draws a side and its outline.
pub fn draw_pack(design: &PackDesign, side: Side, seed: u64) -> (RgbImage, GrayImage) {
    match side {
        Side::Front => draw_front(design, seed),
        Side::Barcode => draw_barcode_side(design, seed),
    }
}

fn outline(shape: PackShape, w: f32, h: f32) -> impl Fn(f32, f32) -> f32 + Copy {
    move |x, y| match shape {
        PackShape::Carton | PackShape::Bar => {
            round_rect(x, y, (w / 2.0, h / 2.0), (w / 2.0 - 6.0, h / 2.0 - 6.0), 10.0)
        }
        PackShape::Box => round_rect(x, y, (w / 2.0, h / 2.0), (w / 2.0 - 6.0, h / 2.0 - 6.0), 6.0),
        PackShape::Tin => round_rect(x, y, (w / 2.0, h / 2.0), (w / 2.0 - 6.0, h / 2.0 - 6.0), 26.0),
        PackShape::Cup => circle(x, y, w / 2.0, h / 2.0, w / 2.0 - 6.0),
        PackShape::Bottle => {
            let neck = round_rect(x, y, (w / 2.0, h * 0.16), (w * 0.14, h * 0.15), 12.0);
            let body = round_rect(x, y, (w / 2.0, h * 0.62), (w / 2.0 - 6.0, h * 0.37), 46.0);
            super::paint::melt(neck, body, 50.0)
        }
    }
}

fn draw_front(design: &PackDesign, seed: u64) -> (RgbImage, GrayImage) {
    let (width, height, _) = design.shape.size();
    let (w, h) = (width as f32, height as f32);
    let (base, accent) = (colour(design.base), colour(design.accent));
    let shape = outline(design.shape, w, h);
    let mut canvas = Canvas::new(width, height);
    let all = canvas.all();
    canvas.fill(all, shape, |_, y| mix(base, scaled(base, 0.82), y / h));
    motif(&mut canvas, design, accent);
    // Round packs are dark towards their sides; flat ones catch light from one side.
    let round = matches!(design.shape, PackShape::Tin | PackShape::Bottle);
    let mut dice = Dice::new(seed);
    let (light, tilt) = (dice.between(0.88, 1.1), dice.between(-0.12, 0.12));
    canvas.shade(|x, y| {
        let across = x / w * 2.0 - 1.0;
        let bow = if round { 1.08 - 0.5 * across * across } else { 1.0 };
        light * bow * (1.0 + tilt * across) * (0.97 + 0.06 * rough(seed, x / 60.0, y / 60.0))
    });
    canvas.finish()
}

/// The wordless picture on the front. It is the design's own: the same for every piece.
fn motif(canvas: &mut Canvas, design: &PackDesign, accent: Colour) {
    let (w, h) = (canvas.width as f32, canvas.height as f32);
    let id = design.base.iter().chain(&design.accent).fold(11, |id, byte| hash(id, u64::from(*byte)));
    let mut dice = Dice::new(part(id, 1));
    let paper: Colour = [0.98, 0.97, 0.93];
    let all = canvas.all();
    let band = h * dice.between(0.16, 0.26);
    canvas.print(all, move |x, y| round_rect(x, y, (w / 2.0, band), (w, h * 0.075), 0.0), paper);
    canvas.print(all, move |x, y| round_rect(x, y, (w / 2.0, band), (w * 0.30, h * 0.022), 6.0), accent);
    let middle = (w / 2.0, h * 0.58);
    match dice.pick(4) {
        0 => {
            for n in 0..7 {
                let turn = n as f32 / 7.0 * std::f32::consts::TAU;
                let (cx, cy) = (middle.0 + w * 0.22 * turn.cos(), middle.1 + w * 0.22 * turn.sin());
                canvas.print(all, move |x, y| circle(x, y, cx, cy, w * 0.12), accent);
            }
            canvas.print(all, move |x, y| circle(x, y, middle.0, middle.1, w * 0.13), paper);
        }
        1 => {
            for n in 0..5 {
                let y0 = h * (0.42 + 0.09 * n as f32);
                let wave = move |x: f32, y: f32| (y - y0 - w * 0.05 * (x / w * 9.0 + n as f32).sin()).abs() - h * 0.017;
                canvas.print(all, wave, if n % 2 == 0 { accent } else { paper });
            }
        }
        2 => {
            canvas.print(all, move |x, y| circle(x, y, middle.0, middle.1, w * 0.33), accent);
            canvas.print(all, move |x, y| circle(x, y, middle.0 + w * 0.09, middle.1 - w * 0.07, w * 0.24), paper);
        }
        _ => {
            for n in 0..4 {
                let size = w * (0.36 - 0.085 * n as f32);
                let diamond = move |x: f32, y: f32| (x - middle.0).abs() + (y - middle.1).abs() - size;
                canvas.print(all, diamond, if n % 2 == 0 { accent } else { paper });
            }
        }
    }
    canvas.print(all, move |x, y| round_rect(x, y, (w / 2.0, h * 0.91), (w * 0.22, h * 0.018), 4.0), paper);
}

fn draw_barcode_side(design: &PackDesign, seed: u64) -> (RgbImage, GrayImage) {
    const MODULE_PX: usize = 4;
    let (width, height) = (560, 420);
    let (w, h) = (width as f32, height as f32);
    let base = colour(design.base);
    let mut canvas = Canvas::new(width, height);
    let all = canvas.all();
    canvas.fill(
        all,
        move |x, y| round_rect(x, y, (w / 2.0, h / 2.0), (w / 2.0 - 6.0, h / 2.0 - 6.0), 12.0),
        |_, y| mix(base, scaled(base, 0.85), y / h),
    );
    let label = design.gtin.as_deref().and_then(|gtin| Label::ean(gtin).ok());
    if let Some(label) = &label {
        let left = (width - (label.modules() * MODULE_PX).min(width)) / 2;
        label.print(&mut canvas, (left, 130), MODULE_PX, 190);
    }
    // Small print above, as grey lines.
    let ink = scaled(base, 0.45);
    for n in 0..4 {
        let (y, half) = (38 + n * 20, if n == 3 { 120 } else { 200 });
        canvas.lay(Area(width / 2 - half, y, width / 2 + half, y + 7), |_, _| 0.7, |_, _| ink);
    }
    let mut dice = Dice::new(seed);
    let (light, tilt) = (dice.between(0.9, 1.06), dice.between(-0.1, 0.1));
    canvas.shade(|x, _| light * (1.0 + tilt * (x / w * 2.0 - 1.0)));
    canvas.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn designs_differ_and_pieces_of_one_hardly_do() {
        let look = |base, seed| {
            let design = PackDesign { shape: PackShape::Box, base, accent: [240, 210, 90], gtin: None };
            draw_pack(&design, Side::Front, seed).0
        };
        let off = |a: &RgbImage, b: &RgbImage| {
            let sum: u64 = a.as_raw().iter().zip(b.as_raw()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
            sum / a.as_raw().len() as u64
        };
        let red = look([160, 40, 40], 1);
        assert!(off(&red, &look([160, 40, 40], 2)) < 25);
        assert!(off(&red, &look([40, 60, 150], 1)) > 25);
    }
}
