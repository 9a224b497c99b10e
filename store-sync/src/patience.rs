//! How long to wait before the next attempt to connect: twice as long each time, with jitter, so that two
//! hundred carts do not come back in one second.

use std::time::Duration;

/// The least and the longest wait between two attempts.
const LEAST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);

/// The wait between attempts.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    next: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { next: LEAST }
    }
}

impl Patience {
    /// It worked: the next failure waits the least again.
    pub fn restored(&mut self) {
        self.next = LEAST;
    }

    /// It failed: how long to wait now. `chance` is a random number, 0..1, of the caller's; the wait is half
    /// to all of what is due.
    pub fn wait(&mut self, chance: f64) -> Duration {
        let due = self.next;
        self.next = (due * 2).min(LONGEST);
        due.mul_f64(0.5 + 0.5 * chance.clamp(0.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_longer_each_time_up_to_a_bound_and_starts_over_when_it_worked() {
        let mut patience = Patience::default();
        let waits: Vec<u64> = (0..9).map(|_| patience.wait(1.0).as_millis() as u64).collect();
        assert_eq!(waits, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
        patience.restored();
        assert_eq!(patience.wait(0.0), LEAST / 2);
    }

    #[test]
    fn carts_that_failed_together_come_back_apart() {
        let waits: std::collections::BTreeSet<Duration> =
            (0..200).map(|cart| Patience::default().wait(f64::from(cart) / 200.0)).collect();
        assert_eq!(waits.len(), 200);
    }
}
