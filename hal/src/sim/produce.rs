//! The demo store's own fruit and vegetables, drawn as shaded bodies, each piece a little different.

use image::{GrayImage, RgbImage};

use super::look::ProductLook;
use super::noise::{Dice, rough};
use super::paint::{Area, Canvas, Colour, circle, colour, limb, melt, mix, part, scaled, smoothstep};

/// What it looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProduceShape {
    /// Like an apple or an orange.
    Round,
    /// Like a lemon or an avocado.
    Oval,
    /// Like a banana.
    Bent,
    /// Like a carrot.
    Root,
}

/// How a kind of produce looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProduceArt {
    /// Its form.
    pub shape: ProduceShape,
    /// The colour of its skin.
    pub skin: [u8; 3],
    /// The colour that the skin turns to in places.
    pub blush: [u8; 3],
    /// How many lie together.
    pub pieces: u8,
}

const SIDE: usize = 420;

/// The look of a few pieces; `seed` chooses which.
pub fn produce_look(art: &ProduceArt, seed: u64) -> ProductLook {
    let (picture, mask) = draw_produce(art, seed);
    ProductLook { picture, mask: Some(mask), real_size_px: 320 }
}

/// Draws a few pieces and their outline.
pub fn draw_produce(art: &ProduceArt, seed: u64) -> (RgbImage, GrayImage) {
    let mut canvas = Canvas::new(SIDE, SIDE);
    let mut dice = Dice::new(seed);
    let pieces = usize::from(art.pieces.max(1));
    let middle = SIDE as f32 / 2.0;
    let spread = if pieces == 1 { 0.0 } else { 84.0 };
    let turn = dice.between(0.0, std::f32::consts::TAU);
    for n in 0..pieces {
        let around = turn + n as f32 / pieces as f32 * std::f32::consts::TAU;
        let (cx, cy) = (
            middle + spread * around.cos() + dice.between(-8.0, 8.0),
            middle + spread * around.sin() + dice.between(-8.0, 8.0),
        );
        piece(&mut canvas, art, (cx, cy), if pieces == 1 { 1.45 } else { 1.0 }, part(seed, n as u64 + 7), &mut dice);
    }
    let light = dice.between(0.88, 1.1);
    canvas.shade(|_, _| light);
    canvas.finish()
}

fn piece(canvas: &mut Canvas, art: &ProduceArt, (cx, cy): (f32, f32), size: f32, seed: u64, dice: &mut Dice) {
    let (skin, blush) = (colour(art.skin), colour(art.blush));
    let radius = size * dice.between(74.0, 88.0);
    let angle = dice.between(0.0, std::f32::consts::TAU);
    let (sin, cos) = angle.sin_cos();
    let along = |t: f32| (cx + cos * t, cy + sin * t);
    let area = Area::around(cx, cy, radius * 2.2);
    let paint = move |x: f32, y: f32| -> Colour {
        let patch = rough(seed, x / 46.0, y / 46.0);
        let fine = rough(seed ^ 9, x / 6.0, y / 6.0);
        scaled(mix(skin, blush, smoothstep(0.42, 0.74, patch)), 0.95 + 0.1 * fine)
    };
    match art.shape {
        ProduceShape::Round => {
            canvas.body(area, |x, y| circle(x, y, cx, cy, radius), radius, 0.30, paint);
            let stem = along(radius * 0.2);
            canvas.body(
                area,
                |x, y| circle(x, y, stem.0, stem.1, radius * 0.09),
                radius * 0.09,
                0.0,
                |_, _| [0.24, 0.20, 0.10],
            );
        }
        ProduceShape::Oval => {
            let (a, b) = (along(-radius * 0.36), along(radius * 0.5));
            let body = |x: f32, y: f32| limb(x, y, a, b, radius * 0.72, radius * 0.52);
            canvas.body(area, body, radius * 0.7, 0.22, paint);
        }
        ProduceShape::Bent => {
            let side = (-sin, cos);
            let bend = |t: f32, out: f32| (cx + cos * t + side.0 * out, cy + sin * t + side.1 * out);
            let (a, m, b) =
                (bend(-radius * 1.5, radius * 0.6), bend(0.0, -radius * 0.1), bend(radius * 1.5, radius * 0.6));
            let body = |x: f32, y: f32| {
                melt(
                    limb(x, y, a, m, radius * 0.16, radius * 0.36),
                    limb(x, y, m, b, radius * 0.36, radius * 0.14),
                    radius * 0.3,
                )
            };
            canvas.body(area, body, radius * 0.36, 0.18, paint);
        }
        ProduceShape::Root => {
            let (a, b) = (along(-radius * 1.5), along(radius * 1.5));
            canvas.body(area, |x, y| limb(x, y, a, b, radius * 0.34, radius * 0.08), radius * 0.3, 0.1, paint);
            let leaf = along(-radius * 1.8);
            canvas.body(
                area,
                |x, y| limb(x, y, a, leaf, radius * 0.1, radius * 0.05),
                radius * 0.1,
                0.0,
                |_, _| [0.2, 0.45, 0.16],
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_pieces_of_a_kind_are_alike_and_not_the_same() {
        let art = ProduceArt { shape: ProduceShape::Round, skin: [120, 170, 60], blush: [190, 200, 90], pieces: 3 };
        let (one, _) = draw_produce(&art, 1);
        let (two, _) = draw_produce(&art, 2);
        assert_ne!(one, two);
        assert_eq!(one, draw_produce(&art, 1).0);
    }
}
