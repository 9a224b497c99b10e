//! The time of day: asked for whenever it is shown, and not shown while it is not known.

use std::rc::Rc;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use trip::UnixMillis;

/// A board without a battery for its clock starts in 1970 or at the day its system was made; no cart of
/// this program ran before 2024. In seconds since 1970: 2024-01-01, UTC.
const EARLIEST_S: i64 = 1_704_067_200;

/// A clock on the wall of a place.
#[derive(Clone)]
pub struct Clock {
    now: Rc<dyn Fn() -> Timestamp>,
    zone: TimeZone,
}

impl Clock {
    /// The machine's, in the machine's time zone.
    pub fn system() -> Self {
        Self { now: Rc::new(Timestamp::now), zone: TimeZone::system() }
    }

    /// One that says what it is told, in UTC: for pictures and tests.
    pub fn told(now: impl Fn() -> Timestamp + 'static) -> Self {
        Self { now: Rc::new(now), zone: TimeZone::UTC }
    }

    /// What it shows; `None` while it is not set.
    pub(super) fn now(&self) -> Option<Zoned> {
        self.there((self.now)())
    }

    /// What it showed at `at`, which another's clock told; `None` when that one was not set.
    pub(super) fn at(&self, at: UnixMillis) -> Option<Zoned> {
        self.there(Timestamp::from_millisecond(at.0).ok()?)
    }

    fn there(&self, at: Timestamp) -> Option<Zoned> {
        (at.as_second() >= EARLIEST_S).then(|| at.to_zoned(self.zone.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_not_set_shows_nothing() {
        for (second, shown) in [(0, false), (EARLIEST_S - 1, false), (EARLIEST_S, true), (1_795_615_500, true)] {
            let at = Timestamp::from_second(second).expect("in range");
            let clock = Clock::told(move || at);
            assert_eq!(clock.now().is_some(), shown, "{at}");
            assert_eq!(clock.at(UnixMillis(second * 1_000)).is_some(), shown, "{at}");
        }
        assert!(Clock::system().at(UnixMillis(i64::MAX)).is_none(), "a nonsense time is no time");
    }
}
