//! From noisy samples to weight steps between stable plateaus.
//!
//! A window of samples is *settled* when it is quiet and level. The first settled window is the
//! first plateau; a later one that lies further off than noise and drift explain is a step. While
//! the cart is pushed, tilted or leaned on, nothing settles. Non-numbers and an overloaded scale
//! yield no step and are said.

use std::collections::VecDeque;
use std::time::Duration;

use hal::{Moment, MotionReading, WeightReading};
use trip::Grams;

/// What differs by scale.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScaleTuning {
    /// How long a window must be quiet, in milliseconds.
    pub settle_ms: u64,
    /// Largest standard deviation of a quiet window, in grams.
    pub quiet_g: f32,
    /// Smallest step that is a thing and not drift, in grams.
    pub min_step_g: f32,
    /// Above this the scale's word is not taken, in grams.
    pub capacity_g: f32,
}

impl Default for ScaleTuning {
    /// For a 30 kg basket cell with 1 g resolution and 1.5 g of noise at 80 Hz.
    fn default() -> Self {
        Self { settle_ms: 250, quiet_g: 2.6, min_step_g: 7.0, capacity_g: 30_000.0 }
    }
}

/// The halves of a settled window may differ by this much: more is still creeping.
const LEVEL_G: f32 = 2.0;
/// A window has at least this many samples, whatever the rate.
const LEAST_SAMPLES: usize = 8;
/// How far a settled weight may pull the plateau along in the time of a window, as a share: drift is
/// grams a minute, a thing is grams at once.
const DRIFT_SHARE: f32 = 0.15;
/// After a restart the first rest may differ by this from what the journal says, by drift alone.
const DRIFT_WHILE_AWAY_G: f32 = 20.0;
/// Movement of the cart beyond this, in milli-g from rest, is rolling, tilting or a bump.
const MOTION_MG: f32 = 45.0;
/// After such movement the scale is not believed for this long.
const MOTION_HOLD: Duration = Duration::from_millis(250);
/// So many samples in a row without a number are a fault of the scale.
const DEAF_SAMPLES: u32 = 40;
/// So long without rest is told to the shopper.
const UNSTEADY_AFTER: Duration = Duration::from_secs(2);

/// A change of the load, from rest to rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightStep {
    /// When the scale had settled.
    pub at: Moment,
    /// The change: positive when something came in.
    pub delta: Grams,
    /// Standard deviation of `delta`, in grams.
    pub sigma_g: f32,
}

/// How the scale is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// No plateau yet.
    #[default]
    Starting,
    /// At rest.
    Settled,
    /// Moving, for less than two seconds.
    Moving,
    /// Moving for longer.
    Unsteady,
    /// Above its capacity.
    Overloaded,
    /// Its samples are no numbers.
    Deaf,
}

/// Finds steps.
#[derive(Clone, Debug)]
pub struct WeightSteps {
    tuning: ScaleTuning,
    window: VecDeque<(Moment, f32)>,
    plateau: Option<f32>,
    level: Option<f32>,
    condition: Condition,
    last_settled: Option<Moment>,
    shaken_until: Option<Moment>,
    deaf: u32,
    /// True until the first rest after a restart.
    resumed: bool,
}

impl WeightSteps {
    /// Starts without a plateau, or, after a restart, from what the basket should weigh: what
    /// changed while the program was away is then a step like any other.
    pub fn new(tuning: ScaleTuning, expected: Option<Grams>) -> Self {
        Self {
            tuning,
            window: VecDeque::new(),
            plateau: expected.map(|g| g.0 as f32),
            level: None,
            condition: Condition::Starting,
            last_settled: None,
            shaken_until: None,
            deaf: 0,
            resumed: expected.is_some(),
        }
    }

    /// How the scale is.
    pub fn condition(&self) -> Condition {
        self.condition
    }

    /// The gross load at rest, in grams; `None` until it has settled once.
    pub fn gross(&self) -> Option<Grams> {
        self.level.map(|g| Grams(g.round() as i32))
    }

    /// Takes what lies on the scale now as the start of a trip.
    pub fn rebase(&mut self) {
        self.plateau = self.level;
    }

    /// Forgets what the load was: the next rest is the new plateau, and no step.
    pub fn forget(&mut self) {
        self.plateau = None;
    }

    /// Movement of the cart: beyond a limit the scale is not believed for a moment.
    pub fn motion(&mut self, reading: MotionReading) {
        let [x, y, z] = reading.accel_mg;
        let off = (x * x + y * y + (z - 1_000.0) * (z - 1_000.0)).sqrt();
        // A sensor that says NaN says nothing about movement.
        if off > MOTION_MG {
            self.shaken_until = Some(reading.at + MOTION_HOLD);
        }
    }

    /// Takes one sample; a step when one is complete.
    pub fn sample(&mut self, reading: WeightReading) -> Option<WeightStep> {
        let WeightReading { at, gross_g } = reading;
        // Far below zero is no load either: such a scale is out of order.
        if !gross_g.is_finite() || gross_g < -self.tuning.capacity_g {
            self.deaf += 1;
            self.window.clear();
            if self.deaf >= DEAF_SAMPLES {
                self.condition = Condition::Deaf;
            }
            return None;
        }
        self.deaf = 0;
        if gross_g > self.tuning.capacity_g {
            self.window.clear();
            self.condition = Condition::Overloaded;
            return None;
        }
        if self.shaken_until.is_some_and(|until| at < until) {
            self.window.clear();
        }
        self.window.push_back((at, gross_g));
        let span = Duration::from_millis(self.tuning.settle_ms);
        while self.window.len() > LEAST_SAMPLES
            && self.window.get(1).is_some_and(|(second, _)| at.since(*second) >= span)
        {
            self.window.pop_front();
        }
        match self.settled_level(at, span) {
            Some(level) => self.settle(at, level),
            None => {
                let since = *self.last_settled.get_or_insert(at);
                self.condition = if at.since(since) > UNSTEADY_AFTER { Condition::Unsteady } else { Condition::Moving };
                None
            }
        }
    }

    /// The mean of the window, if it is long, quiet and level.
    fn settled_level(&self, now: Moment, span: Duration) -> Option<f32> {
        let (oldest, _) = self.window.front()?;
        let count = self.window.len();
        if now.since(*oldest) < span || count < LEAST_SAMPLES {
            return None;
        }
        let mean = |skip: usize, take: usize| {
            self.window.iter().skip(skip).take(take).map(|(_, g)| g).sum::<f32>() / take as f32
        };
        let all = mean(0, count);
        let variance = self.window.iter().map(|(_, g)| (g - all) * (g - all)).sum::<f32>() / count as f32;
        let level = (mean(0, count / 2) - mean(count - count / 2, count / 2)).abs() < LEVEL_G;
        (level && variance.sqrt() < self.tuning.quiet_g).then_some(all)
    }

    fn settle(&mut self, at: Moment, level: f32) -> Option<WeightStep> {
        self.condition = Condition::Settled;
        self.last_settled = Some(at);
        self.level = Some(level);
        let Some(plateau) = self.plateau else {
            self.plateau = Some(level);
            return None;
        };
        let delta = level - plateau;
        if std::mem::take(&mut self.resumed) && delta.abs() < DRIFT_WHILE_AWAY_G {
            self.plateau = Some(level);
            return None;
        }
        if delta.abs() < self.tuning.min_step_g {
            // A share a window, however many samples it has.
            self.plateau = Some(plateau + DRIFT_SHARE / self.window.len().max(1) as f32 * delta);
            return None;
        }
        self.plateau = Some(level);
        let noise = self.tuning.quiet_g / (self.window.len() as f32).sqrt();
        Some(WeightStep { at, delta: Grams(delta.round() as i32), sigma_g: (2.0 * noise * noise + 1.0).sqrt() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deterministic noise of about 1.5 g: the sum of two incommensurate waves.
    fn noise(n: u64) -> f32 {
        let n = n as f32;
        1.3 * (n * 1.7).sin() + 1.3 * (n * 2.9 + 1.0).cos()
    }

    struct Bench {
        steps: WeightSteps,
        found: Vec<i32>,
        n: u64,
    }

    impl Bench {
        fn new(expected: Option<Grams>) -> Self {
            Self { steps: WeightSteps::new(ScaleTuning::default(), expected), found: Vec::new(), n: 0 }
        }

        fn run(&mut self, ms: u64, load: impl Fn(f32) -> f32) {
            for i in 0..ms * 80 / 1_000 {
                self.n += 1;
                let t = i as f32 / 80.0;
                let reading = WeightReading { at: Moment(self.n * 12_500), gross_g: (load(t) + noise(self.n)).round() };
                self.found.extend(self.steps.sample(reading).map(|s| s.delta.0));
            }
        }

        fn check(&self, expected: &[i32]) {
            assert_eq!(self.found.len(), expected.len(), "{:?} for {expected:?}", self.found);
            for (found, expected) in self.found.iter().zip(expected) {
                assert!((found - expected).abs() <= 2, "{:?} for {expected}", self.found);
            }
        }
    }

    #[test]
    fn a_thing_put_in_is_one_step_of_its_weight() {
        let mut bench = Bench::new(None);
        bench.run(1_000, |_| 0.0);
        bench.run(2_000, |t| 500.0 + 200.0 * (-t * 9.0).exp() * (t * 40.0).cos());
        bench.run(1_500, |t| 500.0 - 330.0 * (1.0 - (-t * 12.0).exp()));
        bench.check(&[500, -330]);
    }

    #[test]
    fn drift_noise_and_a_bump_are_no_step() {
        let mut bench = Bench::new(None);
        bench.run(60_000, |t| 800.0 + t * 0.2);
        bench.run(1_000, |t| 812.0 + 400.0 * (t * 60.0).sin() * (-t * 8.0).exp());
        bench.run(1_000, |_| 812.0);
        bench.check(&[]);
    }

    #[test]
    fn a_shaken_cart_settles_only_at_rest() {
        let mut bench = Bench::new(None);
        bench.run(1_000, |_| 0.0);
        for _ in 0..10 {
            bench.steps.motion(MotionReading { at: Moment(bench.n * 12_500), accel_mg: [200.0, 0.0, 1_000.0] });
            bench.run(200, |_| 300.0);
        }
        bench.check(&[]);
        bench.run(1_000, |_| 300.0);
        bench.check(&[300]);
    }

    #[test]
    fn nonsense_is_said_and_makes_no_step() {
        let mut bench = Bench::new(None);
        bench.run(1_000, |_| 100.0);
        bench.run(1_000, |_| f32::NAN);
        assert_eq!(bench.steps.condition(), Condition::Deaf);
        bench.run(1_000, |_| 60_000.0);
        assert_eq!(bench.steps.condition(), Condition::Overloaded);
        bench.run(3_000, |t| if ((t * 80.0) as u64).is_multiple_of(2) { 0.0 } else { 900.0 });
        assert_eq!(bench.steps.condition(), Condition::Unsteady);
        bench.run(1_000, |_| 100.0);
        bench.check(&[]);
    }

    #[test]
    fn what_changed_while_the_program_was_away_is_a_step() {
        let mut bench = Bench::new(Some(Grams(1_000)));
        bench.run(1_000, |_| 1_250.0);
        bench.check(&[250]);
    }
}
