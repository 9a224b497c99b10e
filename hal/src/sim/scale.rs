//! The simulated scale: a load cell under the basket.
//!
//! A load that lands or leaves swings and dies away; the cart's bumps and its rolling shake it; on a
//! slope it feels only what gravity leaves across it; who leans on the rim is felt too. The cell
//! itself creeps under a load, comes back a little high when a load leaves, drifts slowly, is noisy,
//! and shows whole grams.

use std::sync::Arc;
use std::time::Duration;

use super::noise::{gaussian, unit};
use super::world::{Fault, Truth, World};
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
/// Creep: under a load the reading grows by this share of it, in this time (one e-fold), in seconds.
/// Source: OIML R 60, 5.5: 0.7 of the error allowed in 30 minutes, 0.035 % for class C3.
const CREEP_SHARE: f32 = 0.000_3;
const CREEP_S: f32 = 150.0;
/// Hysteresis: half-way down from its highest load the cell reads high by this share of that load.
/// Source: data sheets of class C3 single-point cells, 0.02 % of the load.
const HYSTERESIS_SHARE: f32 = 0.000_2;
/// Rattling of the load while the cart is pushed, one standard deviation: grams, and a share of it.
const RATTLE_G: f32 = 5.0;
const RATTLE_SHARE: f32 = 0.002;

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
    let mut cell = 0.0;
    for stay in &truth.stays {
        load += stay.mass_g * swing(at, stay.lands_at);
        cell += stay.mass_g * crept(at, stay.lands_at);
        if let Some(lifted) = stay.lifted_at() {
            load -= stay.mass_g * swing(at, lifted);
            cell -= stay.mass_g * crept(at, lifted);
        }
    }
    cell += hysteresis(&truth, at);
    load = (load + truth.strains.pressed_at(at)) * truth.strains.slope_at(at).cos();
    for bump in truth.bumps.iter().filter(|bump| **bump <= at) {
        let t = at.since(*bump).as_secs_f32();
        load += (180.0 + 0.05 * load) * (-t / 0.16).exp() * (t * 9.0 * std::f32::consts::TAU).sin();
    }
    let seconds = at.0 as f32 / 1e6;
    let drift = DRIFT_G * (seconds / DRIFT_WAVE_S * std::f32::consts::TAU + unit(truth.seed, 3)).sin();
    let index = at.0 / (1_000_000 / RATE_HZ);
    let jump = if truth.faults.contains(&Fault::ScaleJumps) { 400.0 * unit(truth.seed ^ 0x71, index) } else { 0.0 };
    let rattle = truth.strains.rolling_at(at) * (RATTLE_G + RATTLE_SHARE * load);
    let noise = NOISE_G.hypot(rattle) * gaussian(truth.seed ^ 0x5CA1E, index);
    WeightReading { at, gross_g: (load + cell + drift + noise + jump).round() }
}

/// How much of its creep a load shows that came at `landed`, as a share of the load.
fn crept(at: Moment, landed: Moment) -> f32 {
    if at < landed { 0.0 } else { CREEP_SHARE * (1.0 - (-at.since(landed).as_secs_f32() / CREEP_S).exp()) }
}

/// What the cell reads too much because it has carried more before, in grams.
fn hysteresis(truth: &Truth, at: Moment) -> f32 {
    let came = truth.stays.iter().map(|stay| (stay.lands_at, stay.mass_g));
    let went = truth.stays.iter().filter_map(|stay| Some((stay.lifted_at()?, -stay.mass_g)));
    let mut changes: Vec<(Moment, f32)> = came.chain(went).filter(|(when, _)| *when <= at).collect();
    changes.sort_by_key(|(when, _)| *when);
    let (mut load, mut most) = (0.0f32, 0.0f32);
    for (_, change) in changes {
        load += change;
        most = most.max(load);
    }
    if most <= 0.0 { 0.0 } else { HYSTERESIS_SHARE * 4.0 * load.max(0.0) * (most - load) / most }
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
    fn a_slope_takes_its_share_and_a_lean_never_rests() {
        let world = World::new(4);
        let (_, rests) = world.put(&SimItem::new(8_000.0, Vec::new()), Moment::from_millis(500));
        let from = rests + Duration::from_secs(1);
        world.stand_on_slope(from, Duration::from_secs(20), 4.0);
        let felt = settled(&world, from + Duration::from_secs(3));
        assert!((felt - 8_000.0 * 4f32.to_radians().cos()).abs() < 6.0, "{felt}");
        let after = from + Duration::from_secs(25);
        world.lean(after, Duration::from_secs(5), 3_000.0);
        let scale = SimScale::new(world, Arc::new(ManualClock::default()));
        let samples: Vec<f32> =
            (80..320).map(|n| scale.sample(after + SimScale::PERIOD * n).gross_g - 8_000.0).collect();
        let quietest = samples.windows(20).map(|w| {
            let mean = w.iter().sum::<f32>() / 20.0;
            (w.iter().map(|g| (g - mean) * (g - mean)).sum::<f32>() / 20.0).sqrt()
        });
        assert!(samples.iter().all(|g| (1_500.0..4_500.0).contains(g)));
        assert!(quietest.fold(f32::MAX, f32::min) > 4.0, "a lean that rests looks like a thing");
    }

    #[test]
    fn the_cell_creeps_under_a_load_and_comes_back_high() {
        let world = World::new(4);
        let (heavy, rests) = world.put(&SimItem::new(12_000.0, Vec::new()), Moment::from_millis(500));
        let (_, _) = world.put(&SimItem::new(6_000.0, Vec::new()), Moment::from_millis(500));
        let soon = settled(&world, rests + Duration::from_secs(1));
        let late = settled(&world, rests + Duration::from_secs(420));
        assert!((2.0..9.0).contains(&(late - soon)), "crept from {soon} to {late}");
        let gone = world.take(heavy, rests + Duration::from_secs(421));
        let left = settled(&world, gone + Duration::from_secs(2));
        assert!((6_006.6..6_011.0).contains(&left), "creep and hysteresis together, not one alone: {left}");
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
