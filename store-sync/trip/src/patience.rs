//! How long to wait before the next attempt: twice as long each time, with jitter, so that two hundred carts, or all
//! the stores of a chain, do not come back in one second.

use std::time::Duration;

/// The wait between attempts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    least: Duration,
    longest: Duration,
    next: Duration,
}

impl Patience {
    /// Waits `least` at first and `longest` at last.
    pub const fn between(least: Duration, longest: Duration) -> Self {
        Self { least, longest, next: least }
    }

    /// It worked: the next failure waits the least again.
    pub fn restored(&mut self) {
        self.next = self.least;
    }

    /// It failed: how long to wait now. `chance` is a random number, 0..1, of the caller's; the wait is half
    /// to all of what is due.
    pub fn wait(&mut self, chance: f64) -> Duration {
        let due = self.next;
        self.next = (due * 2).min(self.longest);
        due.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0))
    }
}
