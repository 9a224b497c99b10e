//! How often a part that fell over is started again, and after how long. Pure.

use std::time::Duration;

/// The first wait, and the longest.
const FIRST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(8);
/// So many falls within [`WITHIN`] are a fault that starting again does not mend.
const MOST: usize = 5;
/// Falls longer ago than this are forgotten.
const WITHIN: Duration = Duration::from_secs(60);

/// What to do about a part that fell over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Start it again after so long.
    After(Duration),
    /// Stop the program: the service manager starts it again, with nothing left over from this run.
    GiveUp,
}

/// How often one part fell over of late.
#[derive(Clone, Debug, Default)]
pub struct Restarts {
    /// When, as time since the program began, oldest first; never more than [`MOST`].
    falls: Vec<Duration>,
}

impl Restarts {
    /// The part fell over at `now`, the time since the program began.
    pub fn fell(&mut self, now: Duration) -> Next {
        self.falls.retain(|at| now.saturating_sub(*at) < WITHIN);
        if self.falls.len() + 1 >= MOST {
            return Next::GiveUp;
        }
        let wait = FIRST_WAIT * 2_u32.pow(self.falls.len() as u32);
        self.falls.push(now);
        Next::After(wait.min(LONGEST_WAIT))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn a_part_is_started_again_a_few_times_and_later_each_time() {
        let mut restarts = Restarts::default();
        let next: Vec<Next> = (0..5).map(|n| restarts.fell(at(n * 1_000))).collect();
        let after = |ms| Next::After(at(ms));
        assert_eq!(next, [after(250), after(500), after(1_000), after(2_000), Next::GiveUp]);
    }

    #[test]
    fn a_fall_now_and_then_is_forgotten() {
        let mut restarts = Restarts::default();
        for week in 0..1_000 {
            let now = Duration::from_secs(week * 61);
            assert_eq!(restarts.fell(now), Next::After(FIRST_WAIT), "after {now:?}");
        }
        assert!(restarts.falls.len() <= MOST, "and what is remembered does not grow");
    }
}
