//! Where a [`Moment`] comes from.
//!
//! Devices stamp and pace by a clock that is given to them, so that a demonstration can run faster
//! than life and a test needs no sleep.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::Moment;

/// A monotonic time that can be waited for.
pub trait Clock: Send + Sync {
    /// The present moment.
    fn now(&self) -> Moment;

    /// Returns at `moment`, or at once when it has passed.
    fn sleep_until(&self, moment: Moment);
}

/// The machine's monotonic time since the program's zero, `speed` times as fast.
#[derive(Debug)]
pub struct RealClock {
    zero: Instant,
    speed: f64,
}

impl RealClock {
    /// A clock that starts at zero now and runs at the pace of life.
    pub fn new() -> Self {
        Self::with_speed(1.0)
    }

    /// A clock that starts at zero now and runs `speed` times as fast (at least once as fast).
    pub fn with_speed(speed: f64) -> Self {
        let speed = if speed.is_finite() { speed.max(1.0) } else { 1.0 };
        Self { zero: Instant::now(), speed }
    }

    /// How much faster than life it runs.
    pub fn speed(&self) -> f64 {
        self.speed
    }
}

impl Default for RealClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for RealClock {
    fn now(&self) -> Moment {
        Moment((self.zero.elapsed().as_micros() as f64 * self.speed) as u64)
    }

    fn sleep_until(&self, moment: Moment) {
        let wait = moment.since(self.now());
        if wait > Duration::ZERO {
            std::thread::sleep(wait.div_f64(self.speed));
        }
    }
}

/// A clock that stands still until somebody waits: waiting moves it. For tests and replays.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicU64);

impl ManualClock {
    /// A clock that stands at `moment`.
    pub fn at(moment: Moment) -> Self {
        Self(AtomicU64::new(moment.0))
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Moment {
        Moment(self.0.load(Ordering::SeqCst))
    }

    fn sleep_until(&self, moment: Moment) {
        self.0.fetch_max(moment.0, Ordering::SeqCst);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_moves_a_manual_clock_forward_and_never_back() {
        let clock = ManualClock::at(Moment(50));
        clock.sleep_until(Moment(20));
        assert_eq!(clock.now(), Moment(50));
        clock.sleep_until(Moment(70));
        assert_eq!(clock.now(), Moment(70));
    }

    #[test]
    fn a_fast_clock_has_slept_until_the_moment_it_was_asked_for() {
        let clock = RealClock::with_speed(1_000.0);
        clock.sleep_until(Moment::from_millis(2_000));
        assert!(clock.now() >= Moment::from_millis(2_000));
        assert_eq!(RealClock::with_speed(f64::NAN).speed(), 1.0);
    }
}
