//! Draws what a camera sees: the basket, what lies in it, what moves, light and sensor noise.

use image::{Rgb, RgbImage};

use super::noise::{gaussian, rough};
use super::paint::{Colour, limb, smoothstep};
use super::stay::{Pose, Prepared};

/// Brightness noise of the sensor, one standard deviation in grey levels.
const SENSOR_NOISE: f32 = 2.2;
/// Entries of the noise table; a power of two.
const NOISE_TABLE: usize = 1 << 16;
/// Bytes that are made noisy from one place of the table.
const NOISE_RUN: usize = 4_096;

/// The empty basket: a grey liner in soft light under a wire mesh.
pub(super) fn basket(width: u32, height: u32, seed: u64) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let (fx, fy) = (x as f32, y as f32);
        let cloth = 0.46 + 0.05 * rough(seed, fx / 90.0, fy / 90.0) + 0.012 * rough(seed ^ 5, fx / 4.0, fy / 4.0);
        let wire = |v: f32, pitch: f32| {
            let off = (v.rem_euclid(pitch) - pitch / 2.0).abs();
            1.0 - smoothstep(1.6, 3.4, off)
        };
        let mesh = wire(fx + 0.06 * fy, 46.0).max(wire(fy - 0.03 * fx, 46.0));
        let shine = 0.12 * wire(fx + 0.06 * fy - 1.2, 46.0);
        let (dx, dy) = (fx / width as f32 - 0.5, fy / height as f32 - 0.5);
        let vignette = 1.06 - 0.55 * (dx * dx + dy * dy);
        let grey = (cloth * (1.0 - 0.30 * mesh) + shine * mesh) * vignette;
        let tint: Colour = [0.985, 1.0, 0.99];
        Rgb(tint.map(|t| (grey * t * 255.0).clamp(0.0, 255.0) as u8))
    })
}

/// Lays a thing into the frame.
pub(super) fn lay(frame: &mut RgbImage, thing: &Prepared, pose: &Pose, shadow: bool) {
    let (w, h) = (thing.picture.width() as f32, thing.picture.height() as f32);
    let reach = 0.5 * w.hypot(h) * pose.scale + 8.0;
    let (sin, cos) = pose.angle.sin_cos();
    let clamp = |v: f32, most: u32| v.clamp(0.0, most as f32) as u32;
    let (x0, x1) = (clamp(pose.x - reach, frame.width()), clamp(pose.x + reach, frame.width()));
    let (y0, y1) = (clamp(pose.y - reach, frame.height()), clamp(pose.y + reach, frame.height()));
    for y in y0..y1 {
        for x in x0..x1 {
            let (dx, dy) = (x as f32 + 0.5 - pose.x, y as f32 + 0.5 - pose.y);
            // A little perspective: what is lower in the frame is nearer.
            let depth = pose.scale * (1.0 + 0.00022 * dy);
            let u = (dx * cos + dy * sin) / depth + w * 0.5;
            let v = (-dx * sin + dy * cos) / depth + h * 0.5;
            if shadow {
                darken(frame, x, y, thing, u - 9.0, v - 11.0);
            }
            if u < 0.5 || v < 0.5 || u >= w - 1.5 || v >= h - 1.5 {
                continue;
            }
            blend(frame, x, y, thing, u - 0.5, v - 0.5);
        }
    }
}

/// The soft shadow beside a thing that lies.
fn darken(frame: &mut RgbImage, x: u32, y: u32, thing: &Prepared, u: f32, v: f32) {
    let (w, h) = (thing.mask.width() as f32, thing.mask.height() as f32);
    if u < 0.0 || v < 0.0 || u >= w || v >= h {
        return;
    }
    let cover = f32::from(thing.mask.get_pixel(u as u32, v as u32).0[0]) / 255.0;
    let edge = (u.min(w - u).min(v).min(h - v) / 22.0).clamp(0.0, 1.0);
    let by = 1.0 - 0.34 * cover * edge;
    let pixel = frame.get_pixel_mut(x, y);
    pixel.0 = pixel.0.map(|c| (f32::from(c) * by) as u8);
}

fn blend(frame: &mut RgbImage, x: u32, y: u32, thing: &Prepared, u: f32, v: f32) {
    let (iu, iv) = (u as u32, v as u32);
    let (fu, fv) = (u - iu as f32, v - iv as f32);
    let weights = [(1.0 - fu) * (1.0 - fv), fu * (1.0 - fv), (1.0 - fu) * fv, fu * fv];
    let corners = [(iu, iv), (iu + 1, iv), (iu, iv + 1), (iu + 1, iv + 1)];
    let mut ink = [0.0; 3];
    let mut cover = 0.0;
    for (weight, (cx, cy)) in weights.iter().zip(corners) {
        let mask = weight * f32::from(thing.mask.get_pixel(cx, cy).0[0]) / 255.0;
        cover += mask;
        for (sum, c) in ink.iter_mut().zip(thing.picture.get_pixel(cx, cy).0) {
            *sum += mask * f32::from(c);
        }
    }
    if cover <= 0.003 {
        return;
    }
    let pixel = frame.get_pixel_mut(x, y);
    for (to, ink) in pixel.0.iter_mut().zip(ink) {
        *to = (f32::from(*to) * (1.0 - cover) + ink).min(255.0) as u8;
    }
}

/// An arm from the edge to a hand beside the thing. `out` is 0 at the thing, 1 out of view.
pub(super) fn hand(frame: &mut RgbImage, at: (f32, f32), edge: (f32, f32), grip_px: f32, out: f32) {
    let away = (edge.0 - at.0, edge.1 - at.1);
    let length = away.0.hypot(away.1).max(1.0);
    let (ux, uy) = (away.0 / length, away.1 / length);
    let start = grip_px + out * (length + 120.0);
    let wrist = (at.0 + ux * start, at.1 + uy * start);
    let elbow = (at.0 + ux * (start + 520.0), at.1 + uy * (start + 520.0));
    let palm = (at.0 + ux * (start - 26.0), at.1 + uy * (start - 26.0));
    let sleeve = (at.0 + ux * (start + 92.0), at.1 + uy * (start + 92.0));
    let (fw, fh) = (frame.width() as f32, frame.height() as f32);
    let low = |a: f32, b: f32, most: f32| (a.min(b) - 60.0).clamp(0.0, most) as u32;
    let high = |a: f32, b: f32, most: f32| (a.max(b) + 60.0).clamp(0.0, most) as u32;
    for y in low(palm.1, elbow.1, fh)..high(palm.1, elbow.1, fh) {
        for x in low(palm.0, elbow.0, fw)..high(palm.0, elbow.0, fw) {
            let (fx, fy) = (x as f32, y as f32);
            let skin = limb(fx, fy, palm, wrist, 36.0, 27.0).min(limb(fx, fy, wrist, sleeve, 27.0, 30.0));
            let cloth = limb(fx, fy, sleeve, elbow, 40.0, 52.0);
            let (distance, colour): (f32, Colour) =
                if cloth < skin { (cloth, [58.0, 74.0, 96.0]) } else { (skin, [203.0, 158.0, 130.0]) };
            let cover = (0.5 - distance / 1.5).clamp(0.0, 1.0);
            if cover > 0.0 {
                let round = 1.0 - 0.35 * (1.0 + distance / 34.0).clamp(0.0, 1.0);
                let pixel = frame.get_pixel_mut(x, y);
                for (to, c) in pixel.0.iter_mut().zip(colour) {
                    *to = (f32::from(*to) * (1.0 - cover) + c * round * cover) as u8;
                }
            }
        }
    }
}

/// The sensor's noise, from a table that is read from another place in every frame.
pub(super) struct SensorNoise(Vec<i8>);

impl SensorNoise {
    pub(super) fn new(seed: u64) -> Self {
        let noise = |n: u64| (SENSOR_NOISE * gaussian(seed, n)).round().clamp(-9.0, 9.0) as i8;
        let mut table: Vec<i8> = (0..NOISE_TABLE as u64).map(noise).collect();
        // The beginning once more, so that a run never wraps.
        table.extend_from_within(..NOISE_RUN);
        Self(table)
    }

    pub(super) fn add(&self, pixels: &mut [u8], frame: u64) {
        let mut at = (frame.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20) as usize;
        for (row, chunk) in pixels.chunks_mut(NOISE_RUN).enumerate() {
            at = at.wrapping_add(row.wrapping_mul(7_919));
            let run = &self.0[at & (NOISE_TABLE - 1)..];
            chunk.iter_mut().zip(run).for_each(|(v, noise)| *v = v.saturating_add_signed(*noise));
        }
    }
}
