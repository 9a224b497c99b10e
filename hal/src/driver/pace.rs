//! A steady beat on the cart's clock, for devices that answer whenever they are asked.

use std::sync::Arc;
use std::time::Duration;

use crate::{Clock, Moment};

/// Lets one through a period, and after a pause goes on from there: it never makes up in a burst for
/// what was missed, since readings taken at one moment say nothing about settling.
pub(crate) struct Pace {
    clock: Arc<dyn Clock>,
    period: Duration,
    next: Moment,
}

impl Pace {
    pub(crate) fn new(clock: Arc<dyn Clock>, period: Duration) -> Self {
        let next = clock.now();
        Self { clock, period, next }
    }

    /// Waits for the next beat.
    pub(crate) fn wait(&mut self) {
        self.clock.sleep_until(self.next);
        let now = self.clock.now();
        let late = now.since(self.next) > self.period;
        self.next = if late { now } else { self.next } + self.period;
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;

    #[test]
    fn beats_are_a_period_apart_and_missed_ones_are_not_made_up_for() {
        let clock = Arc::new(ManualClock::default());
        let mut pace = Pace::new(Arc::clone(&clock) as Arc<dyn Clock>, Duration::from_millis(10));
        let mut beat = || {
            pace.wait();
            pace.now().as_millis()
        };
        assert_eq!([beat(), beat(), beat()], [0, 10, 20]);
        clock.sleep_until(Moment::from_millis(500));
        assert_eq!([beat(), beat(), beat()], [500, 510, 520]);
    }
}
