//! Time that people read: whole seconds or minutes since something began, told once each.

use std::time::Duration;

use hal::Moment;

/// A wait that is told in steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stopwatch {
    since: Moment,
    step_s: u32,
    /// Whole steps that the screen shows.
    told: u32,
}

impl Stopwatch {
    /// One whose seconds are told.
    pub(super) fn of_seconds(since: Moment) -> Self {
        Self { since, step_s: 1, told: 0 }
    }

    /// One whose minutes are told.
    pub(super) fn of_minutes(since: Moment) -> Self {
        Self { since, step_s: 60, told: 0 }
    }

    /// Since when it runs.
    pub(super) fn since(&self) -> Moment {
        self.since
    }

    /// Whole seconds, or minutes, that are told now.
    pub(super) fn told(&self) -> u32 {
        self.told
    }

    /// When there is more to tell.
    pub(super) fn due(&self) -> Moment {
        self.since + Duration::from_secs(u64::from(self.step_s) * (u64::from(self.told) + 1))
    }

    /// True when there is more to tell than before.
    pub(super) fn tick(&mut self, now: Moment) -> bool {
        let steps = now.since(self.since).as_secs() / u64::from(self.step_s);
        let steps = u32::try_from(steps).unwrap_or(u32::MAX);
        steps != std::mem::replace(&mut self.told, steps)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_whole_step_is_told_once() {
        let at = |ms: u64| Moment::from_millis(10_000 + ms);
        let mut watch = Stopwatch::of_seconds(at(0));
        for (ms, more, told) in [(0, false, 0), (999, false, 0), (1_000, true, 1), (1_001, false, 1), (7_500, true, 7)]
        {
            assert_eq!((watch.tick(at(ms)), watch.told()), (more, told), "{ms}");
        }
        assert_eq!(watch.due(), at(8_000));
        let mut watch = Stopwatch::of_minutes(at(0));
        assert!(!watch.tick(at(59_999)) && watch.tick(at(60_000)));
        assert_eq!(watch.due(), at(120_000));
    }
}
