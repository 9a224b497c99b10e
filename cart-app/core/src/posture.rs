//! How the cart stands: still or shaken, level or on a slope, by its inertial sensor.
//!
//! On a slope the cell feels only the part of the load that presses squarely on it, the cosine of the
//! slope. Gravity itself says how steep it is: the slow part of the acceleration. What is quick is
//! movement: rolling, a bump, a tilt under way.

use std::time::Duration;

use hal::{Moment, MotionReading};

/// Movement of the cart beyond this, in milli-g off the slow part, is rolling, tilting or a bump.
const MOTION_MG: f32 = 45.0;
/// After such movement the scale is not believed for this long.
const MOTION_HOLD: Duration = Duration::from_millis(250);
/// Time constant of the slow part: longer than a bump, shorter than a person's patience.
const SLOW_S: f32 = 0.25;
/// While a quicker mean, in seconds, is off the slow one by so many milli-g, the cart is tilting.
const QUICK_S: f32 = 0.08;
const TILTING_MG: f32 = 16.0;
/// Without a word for this long nothing is known of how the cart stands.
const SILENT: Duration = Duration::from_millis(500);
/// Steeper than this, in degrees, the goods press on the walls and the cosine tells too little.
const STEEPEST_DEG: f32 = 6.0;

/// How the cart stands.
#[derive(Clone, Debug, Default)]
pub(crate) struct Posture {
    /// The slow and the quicker mean of the acceleration, in milli-g, and when it was felt last.
    felt: Option<([f32; 3], [f32; 3], Moment)>,
    shaken_until: Option<Moment>,
}

impl Posture {
    /// Takes a reading; one that is no number says nothing.
    pub(crate) fn feel(&mut self, reading: MotionReading) {
        let MotionReading { at, accel_mg } = reading;
        if accel_mg.iter().any(|a| !a.is_finite()) {
            return;
        }
        let known = self.felt.filter(|(_, _, last)| at.since(*last) < SILENT);
        // The first word is judged against a level stand: a cart that is pushed when the program
        // starts is not believed to stand on a slope.
        let level = [0.0, 0.0, 1_000.0];
        let (slow, quick, last) = known.unwrap_or((level, level, at));
        let passed_s = at.since(last).as_secs_f32();
        let quick = drawn(quick, accel_mg, passed_s / QUICK_S);
        if apart(slow, accel_mg) > MOTION_MG || apart(slow, quick) > TILTING_MG {
            self.shaken_until = Some(at + MOTION_HOLD);
        }
        self.felt = Some((drawn(slow, accel_mg, passed_s / SLOW_S), quick, at));
    }

    /// True while the scale cannot be believed because the cart moves.
    pub(crate) fn shaken(&self, at: Moment) -> bool {
        self.shaken_until.is_some_and(|until| at < until)
    }

    /// The part of the load that the cell feels, above 0 and up to 1; `None` on too steep a slope.
    pub(crate) fn felt_share(&self, at: Moment) -> Option<f32> {
        let Some(([x, y, z], _, _)) = self.felt.filter(|(_, _, last)| at.since(*last) < SILENT) else {
            return Some(1.0);
        };
        let steep = x.hypot(y).atan2(z);
        (steep.to_degrees() <= STEEPEST_DEG).then(|| steep.cos())
    }
}

/// A mean that follows `to`, after `times` of its time constant.
fn drawn(mean: [f32; 3], to: [f32; 3], times: f32) -> [f32; 3] {
    let share = 1.0 - (-times).exp();
    [0, 1, 2].map(|n| mean[n] + share * (to[n] - mean[n]))
}

fn apart(a: [f32; 3], b: [f32; 3]) -> f32 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The posture after two seconds of readings at 50 Hz.
    fn after(reading: impl Fn(u64) -> [f32; 3]) -> (Posture, Moment) {
        let mut posture = Posture::default();
        let mut at = Moment(0);
        for n in 0..100 {
            at = Moment::from_millis(n * 20);
            posture.feel(MotionReading { at, accel_mg: reading(n) });
        }
        (posture, at)
    }

    fn slope(degrees: f32) -> [f32; 3] {
        [1_000.0 * degrees.to_radians().sin(), 0.0, 1_000.0 * degrees.to_radians().cos()]
    }

    #[test]
    fn a_cart_that_stands_on_a_slope_is_still_and_feels_a_share() {
        let check = |degrees: f32, expected: Option<f32>| {
            let (posture, at) = after(|_| slope(degrees));
            assert!(!posture.shaken(at), "{degrees}°");
            match (posture.felt_share(at), expected) {
                (Some(found), Some(expected)) => assert!((found - expected).abs() < 2e-4, "{degrees}°: {found}"),
                (found, expected) => assert_eq!(found, expected, "{degrees}°"),
            }
        };
        check(0.0, Some(1.0));
        check(1.0, Some(0.999_85));
        check(4.0, Some(0.997_56));
        check(-5.0, Some(0.996_19));
        check(9.0, None);
        check(180.0, None);
    }

    #[test]
    fn quick_changes_are_movement() {
        let (posture, at) = after(|n| if n % 2 == 0 { [120.0, 0.0, 1_000.0] } else { [-120.0, 0.0, 1_000.0] });
        assert!(posture.shaken(at));
        assert!(posture.felt_share(at).is_some_and(|share| share > 0.999), "and no slope");
    }

    #[test]
    fn silence_and_nonsense_say_nothing() {
        let (posture, at) = after(|_| slope(5.0));
        assert_eq!(posture.felt_share(at + SILENT), Some(1.0));
        let (posture, at) = after(|_| [f32::NAN; 3]);
        assert!(!posture.shaken(at) && posture.felt_share(at) == Some(1.0));
    }
}
