//! From raw readings to what a person can judge: a curve with its rests, and pictures of a size.

use std::time::Duration;

use hal::{Frame, Moment};

use super::instruments::{KEPT, rest_at};
use super::view::{Curve, Picture};

/// Points of a curve: more than that no screen shows.
const POINTS: u64 = 200;
/// The curve shows at least this range, so that noise looks like noise; in grams.
const LEAST_RANGE_G: f32 = 40.0;
/// Two rests nearer than this are the same one.
const SAME_G: f32 = 3.0;
/// Pictures on the screen are at most so wide.
const WIDEST: u32 = 320;

/// The curve of the [`KEPT`] before `now`.
pub fn curve(samples: &[(Moment, f32)], now: Moment) -> Curve {
    let begin = Moment(now.0.saturating_sub(KEPT.as_micros() as u64));
    let slot = Duration::from_micros(KEPT.as_micros() as u64 / POINTS);
    let mut points = Vec::new();
    let mut rests: Vec<(f32, f32, f32)> = Vec::new();
    let mut open = false;
    for n in 0..POINTS {
        let from = begin + slot * n as u32;
        let until = from + slot;
        let first = samples.partition_point(|(at, _)| *at < from);
        let end = samples.partition_point(|(at, _)| *at < until);
        let sound: Vec<f32> = samples[first..end].iter().map(|(_, g)| *g).filter(|g| g.is_finite()).collect();
        let x = (n + 1) as f32 / POINTS as f32;
        if !sound.is_empty() {
            points.push((x, sound.iter().sum::<f32>() / sound.len() as f32));
        }
        match rest_at(samples, until) {
            Ok(rest) => {
                match rests.last_mut().filter(|last| open && (last.2 - rest.grams).abs() < SAME_G) {
                    Some(last) => last.1 = x,
                    None => rests.push((x, x, rest.grams)),
                }
                open = true;
            }
            Err(_) => open = false,
        }
    }
    let lowest = points.iter().map(|(_, g)| *g).fold(f32::INFINITY, f32::min);
    let highest = points.iter().map(|(_, g)| *g).fold(f32::NEG_INFINITY, f32::max);
    if points.is_empty() {
        return Curve { highest_g: LEAST_RANGE_G, ..Curve::default() };
    }
    let room = ((highest - lowest) * 0.1).max((LEAST_RANGE_G - (highest - lowest)) / 2.0);
    Curve { points, lowest_g: lowest - room, highest_g: highest + room, rests }
}

/// A frame for the screen: every n-th pixel.
pub fn picture(frame: &Frame) -> Picture {
    small(frame.camera.0, frame.width, frame.height, &frame.rgb)
}

/// The same for pixels that are no frame any more; `rgb` holds `width * height` RGB pixels.
pub fn small(camera: u8, width: u32, height: u32, rgb: &[u8]) -> Picture {
    let step = width.div_ceil(WIDEST).max(1);
    let (wide, tall) = (width / step, height / step);
    let mut pixels = Vec::with_capacity((wide * tall * 3) as usize);
    for y in 0..tall {
        for x in 0..wide {
            let at = ((y * step * width + x * step) * 3) as usize;
            pixels.extend_from_slice(rgb.get(at..at + 3).unwrap_or(&[0; 3]));
        }
    }
    Picture { camera, width: wide, height: tall, rgb: pixels.into() }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use hal::CameraId;

    use super::*;

    #[test]
    fn a_curve_shows_two_rests_and_the_step_between() {
        let samples: Vec<(Moment, f32)> =
            (0..1_600u64).map(|n| (Moment(n * 12_500), if n < 800 { 0.0 } else { 742.0 } + (n % 2) as f32)).collect();
        let curve = curve(&samples, Moment::from_millis(20_000));
        let grams: Vec<i32> = curve.rests.iter().map(|rest| rest.2.round() as i32).collect();
        assert!(matches!(grams.as_slice(), [0 | 1, 742 | 743]), "{:?}", curve.rests);
        assert!(curve.rests[0].1 <= 0.52 && curve.rests[1].0 >= 0.53, "{:?}", curve.rests);
        assert!(curve.lowest_g < 0.0 && curve.highest_g > 743.0);
        assert_eq!(curve.points.len() as u64, POINTS);
    }

    #[test]
    fn what_is_no_number_is_a_gap_and_silence_is_an_empty_curve() {
        let samples: Vec<(Moment, f32)> =
            (0..1_600u64).map(|n| (Moment(n * 12_500), if n < 800 { f32::NAN } else { 1.0 })).collect();
        assert_eq!(curve(&samples, Moment::from_millis(20_000)).points.len(), 100);
        let silent = curve(&[], Moment::from_millis(20_000));
        assert!(silent.points.is_empty() && silent.highest_g > silent.lowest_g);
    }

    #[test]
    fn a_picture_is_small_enough_and_whole() {
        let frame = Frame::new(CameraId(1), Moment(1), 640, 480, Arc::from(vec![7; 640 * 480 * 3])).expect("a frame");
        let picture = picture(&frame);
        assert_eq!((picture.camera, picture.width, picture.height), (1, 320, 240));
        assert_eq!(picture.rgb.len(), 320 * 240 * 3);
    }
}
