//! The simulated scale: a load cell under the basket.
//!
//! A load that lands or leaves swings and dies away; the cart's bumps shake it; it drifts slowly,
//! is noisy, and shows whole grams.

use std::sync::Arc;
use std::time::Duration;

use super::noise::{gaussian, unit};
use super::world::{Fault, World};
use crate::device::{Identity, Scale};
use crate::{Clock, DeviceError, ErrorKind, Moment, WeightReading};

/// Samples a second, as an HX711 in its fast mode. Source: HX711 data sheet, RATE pin.
const RATE_HZ: u64 = 80;
/// How the basket swings on its cell: frequency, and how fast it dies away.
const SWING_HZ: f32 = 6.5;
const SWING_DIES_S: f32 = 0.085;
/// Noise of a sample, one standard deviation in grams.
const NOISE_G: f32 = 1.5;
/// The slow wandering of zero: grams, and the time of one wave in seconds.
const DRIFT_G: f32 = 1.2;
const DRIFT_WAVE_S: f32 = 420.0;

/// The scale of a simulated cart.
pub struct SimScale {
    world: World,
    clock: Arc<dyn Clock>,
    next: Moment,
}

impl SimScale {
    /// A scale that paces itself by `clock`.
    pub fn new(world: World, clock: Arc<dyn Clock>) -> Self {
        let next = clock.now();
        Self { world, clock, next }
    }

    /// The time between two samples.
    pub const PERIOD: Duration = Duration::from_micros(1_000_000 / RATE_HZ);

    /// The sample at `at`: the same for the same world and moment.
    pub fn sample(&self, at: Moment) -> WeightReading {
        sample(&self.world, at)
    }
}

fn sample(world: &World, at: Moment) -> WeightReading {
    let truth = world.truth();
    if truth.faults.contains(&Fault::ScaleNotANumber) {
        return WeightReading { at, gross_g: f32::NAN };
    }
    let mut load = 0.0;
    for stay in &truth.stays {
        load += stay.mass_g * swing(at, stay.lands_at);
        if let Some(lifted) = stay.lifted_at() {
            load -= stay.mass_g * swing(at, lifted);
        }
    }
    for bump in truth.bumps.iter().filter(|bump| **bump <= at) {
        let t = at.since(*bump).as_secs_f32();
        load += (180.0 + 0.05 * load) * (-t / 0.16).exp() * (t * 9.0 * std::f32::consts::TAU).sin();
    }
    let seconds = at.0 as f32 / 1e6;
    let drift = DRIFT_G * (seconds / DRIFT_WAVE_S * std::f32::consts::TAU + unit(truth.seed, 3)).sin();
    let index = at.0 / (1_000_000 / RATE_HZ);
    let jump = if truth.faults.contains(&Fault::ScaleJumps) { 400.0 * unit(truth.seed ^ 0x71, index) } else { 0.0 };
    let noise = NOISE_G * gaussian(truth.seed ^ 0x5CA1E, index);
    WeightReading { at, gross_g: (load + drift + noise + jump).round() }
}

/// How much of a load is felt after it landed at `landed`: 0 before, swings about 1, settles at 1.
fn swing(at: Moment, landed: Moment) -> f32 {
    if at < landed {
        return 0.0;
    }
    if landed == Moment(0) {
        return 1.0;
    }
    let t = at.since(landed).as_secs_f32();
    1.0 - (-t / SWING_DIES_S).exp() * (t * SWING_HZ * std::f32::consts::TAU).cos()
}

impl Scale for SimScale {
    fn identity(&self) -> Identity {
        Identity::new("simulated load cell", "sim").calibrated("1 g a count, zero at the empty basket")
    }

    fn read(&mut self) -> Result<WeightReading, DeviceError> {
        self.clock.sleep_until(self.next);
        let at = self.next;
        // A reader that fell behind goes on from now.
        self.next = (at + Self::PERIOD).max(Moment(self.clock.now().0.saturating_sub(50_000)));
        if self.world.has(Fault::ScaleDead) {
            return Err(DeviceError::new(
                ErrorKind::Timeout,
                "scale",
                "sim",
                "no sample in 100 ms",
                "Mend the fault that was injected.",
            ));
        }
        Ok(self.sample(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;
    use crate::sim::SimItem;

    fn settled(world: &World, from: Moment) -> f32 {
        let scale = SimScale::new(world.clone(), Arc::new(ManualClock::default()));
        let samples = (0..80).map(|n| scale.sample(from + SimScale::PERIOD * n).gross_g);
        samples.sum::<f32>() / 80.0
    }

    #[test]
    fn it_settles_at_what_lies_in_the_basket() {
        let world = World::new(4);
        let (tea, rests) = world.put(&SimItem::new(291.0, Vec::new()), Moment::from_millis(500));
        assert!((settled(&world, rests + Duration::from_secs(1)) - 291.0).abs() < 2.0);
        let gone = world.take(tea, rests + Duration::from_secs(3));
        assert!(settled(&world, gone + Duration::from_secs(1)).abs() < 2.0);
    }

    #[test]
    fn the_same_seed_gives_the_same_samples() {
        let sample = |seed, ms| {
            let world = World::new(seed);
            world.put(&SimItem::new(500.0, Vec::new()), Moment::from_millis(100));
            SimScale::new(world, Arc::new(ManualClock::default())).sample(Moment::from_millis(ms)).gross_g
        };
        let row = |seed| (0..200).map(|n| sample(seed, n * 13)).collect::<Vec<_>>();
        assert_eq!(row(1), row(1));
        assert_ne!(row(1), row(2));
    }

    #[test]
    fn a_dead_scale_and_one_without_numbers_say_so() {
        let world = World::new(1);
        let mut scale = SimScale::new(world.clone(), Arc::new(ManualClock::default()));
        world.inject(Fault::ScaleNotANumber);
        assert!(scale.read().is_ok_and(|r| r.gross_g.is_nan()));
        world.inject(Fault::ScaleDead);
        assert!(scale.read().is_err_and(|e| e.kind() == ErrorKind::Timeout));
        world.mend(Fault::ScaleDead);
        world.mend(Fault::ScaleNotANumber);
        assert!(scale.read().is_ok_and(|r| r.gross_g.abs() < 12.0));
    }
}
