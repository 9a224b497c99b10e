//! The simulated cart's other senses: movement, battery, lane.

use std::sync::Arc;
use std::time::Duration;

use super::noise::gaussian;
use super::world::World;
use crate::device::{Battery, Identity, LaneBeacon, Motion};
use crate::{BatteryReading, Clock, DeviceError, Moment, MotionReading};

/// Noise of a sample, one standard deviation in milli-g.
const NOISE_MG: f32 = 5.0;
/// Rattling of a cart that is pushed over tiles, one standard deviation in milli-g.
const RATTLE_MG: f32 = 70.0;

/// The inertial sensor: 50 samples a second.
pub struct SimMotion {
    world: World,
    clock: Arc<dyn Clock>,
    next: Moment,
}

impl SimMotion {
    /// A sensor that paces itself by `clock`.
    pub fn new(world: World, clock: Arc<dyn Clock>) -> Self {
        let next = clock.now();
        Self { world, clock, next }
    }

    /// The time between two samples.
    pub const PERIOD: Duration = Duration::from_millis(20);

    /// The sample at `at`.
    pub fn sample(&self, at: Moment) -> MotionReading {
        let truth = self.world.truth();
        let mut accel_mg = [0, 1, 2].map(|axis| NOISE_MG * gaussian(truth.seed ^ (0x3170 + axis), at.0 / 20_000));
        let slope = truth.strains.slope_at(at);
        accel_mg[0] += 1_000.0 * slope.sin();
        accel_mg[2] += 1_000.0 * slope.cos();
        let rattle = truth.strains.rolling_at(at) * RATTLE_MG;
        for (axis, a) in accel_mg.iter_mut().enumerate() {
            *a += rattle * gaussian(truth.seed ^ (0x2077 + axis as u64), at.0 / 20_000);
        }
        for bump in truth.bumps.iter().filter(|bump| **bump <= at) {
            let t = at.since(*bump).as_secs_f32();
            let shake = 320.0 * (-t / 0.18).exp();
            accel_mg[0] += shake * (t * 11.0 * std::f32::consts::TAU).cos();
            accel_mg[2] += 0.6 * shake * (t * 17.0 * std::f32::consts::TAU).sin();
        }
        MotionReading { at, accel_mg }
    }
}

impl Motion for SimMotion {
    fn identity(&self) -> Identity {
        Identity::new("simulated accelerometer", "sim")
    }

    fn read(&mut self) -> Result<MotionReading, DeviceError> {
        self.clock.sleep_until(self.next);
        let at = self.next;
        self.next = (at + Self::PERIOD).max(Moment(self.clock.now().0.saturating_sub(50_000)));
        Ok(self.sample(at))
    }
}

/// The battery gauge.
pub struct SimBattery {
    world: World,
    clock: Arc<dyn Clock>,
}

impl SimBattery {
    /// A gauge that stamps by `clock`.
    pub fn new(world: World, clock: Arc<dyn Clock>) -> Self {
        Self { world, clock }
    }
}

impl Battery for SimBattery {
    fn identity(&self) -> Identity {
        Identity::new("simulated battery", "sim")
    }

    fn read(&mut self) -> Result<BatteryReading, DeviceError> {
        let (percent, charging) = self.world.truth().battery;
        Ok(BatteryReading { at: self.clock.now(), percent, charging })
    }
}

/// The receiver that knows the exit lane.
pub struct SimLaneBeacon {
    world: World,
}

impl SimLaneBeacon {
    /// A receiver in this world.
    pub fn new(world: World) -> Self {
        Self { world }
    }
}

impl LaneBeacon for SimLaneBeacon {
    fn identity(&self) -> Identity {
        Identity::new("simulated lane beacon", "sim")
    }

    fn lane(&mut self) -> Result<Option<String>, DeviceError> {
        Ok(self.world.truth().lane.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    #[test]
    fn a_bump_is_felt_and_dies_away() {
        let world = World::new(2);
        world.bump(Moment::from_millis(1_000));
        let motion = SimMotion::new(world, Arc::new(ManualClock::default()));
        let off = |ms| {
            let [x, y, z] = motion.sample(Moment::from_millis(ms)).accel_mg;
            x.hypot(y).hypot(z - 1_000.0)
        };
        assert!(off(900) < 40.0 && off(1_010) > 100.0 && off(2_500) < 40.0);
    }

    #[test]
    fn a_slope_turns_gravity_and_leaves_its_length() {
        let world = World::new(2);
        world.stand_on_slope(Moment::from_millis(1_000), Duration::from_secs(9), 4.0);
        let motion = SimMotion::new(world, Arc::new(ManualClock::default()));
        let [x, _, z] = motion.sample(Moment::from_millis(5_000)).accel_mg;
        assert!((x - 69.8).abs() < 25.0 && (x.hypot(z) - 1_000.0).abs() < 25.0, "{x} {z}");
    }
}
