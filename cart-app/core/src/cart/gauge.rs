//! The battery: how full, and at the present rate for how long.
//!
//! A gauge tells whole percents, so the rate is measured between the moments at which they change; the
//! first reading is no such moment. A change against the direction (a load that ended, a gauge that
//! corrects itself) begins anew: no rate is better than a wrong one.

use std::collections::VecDeque;

use hal::{BatteryReading, Moment};

/// The rate is that of the last so many percents: a trip changes what the cart draws.
const STEPS: usize = 6;
/// Longer than this is no forecast, in minutes.
const LONGEST_MIN: f64 = 24.0 * 60.0;

/// What was read.
#[derive(Clone, Debug, Default)]
pub(super) struct Gauge {
    last: Option<BatteryReading>,
    /// When each percent was reached.
    steps: VecDeque<(Moment, u8)>,
}

impl Gauge {
    /// Takes a reading; true when charge or charging changed.
    pub(super) fn read(&mut self, reading: BatteryReading) -> bool {
        let Some(last) = self.last.replace(reading) else { return true };
        if reading.charging != last.charging {
            self.steps.clear();
            return true;
        }
        if reading.percent == last.percent {
            return false;
        }
        if (reading.percent > last.percent) != reading.charging {
            self.steps.clear();
            return true;
        }
        self.steps.push_back((reading.at, reading.percent));
        while self.steps.len() > STEPS {
            self.steps.pop_front();
        }
        true
    }

    /// State of charge in percent, and whether it charges.
    pub(super) fn charge(&self) -> Option<(u8, bool)> {
        self.last.map(|reading| (reading.percent, reading.charging))
    }

    /// Whole minutes until the charge is at `goal` percent; `None` while the rate is not known, when it
    /// goes the other way, or when it would take longer than a day.
    pub(super) fn minutes_to(&self, goal: u8) -> Option<u32> {
        let (first, last) = (self.steps.front()?, self.steps.back()?);
        let percents = f64::from(last.1) - f64::from(first.1);
        let minutes = last.0.since(first.0).as_secs_f64() / 60.0;
        let way = f64::from(goal) - f64::from(last.1);
        if percents == 0.0 || way * percents < 0.0 {
            return None;
        }
        let left = way / percents * minutes;
        (left <= LONGEST_MIN).then_some(left as u32)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gauge(readings: &[(u64, u8, bool)]) -> Gauge {
        let mut gauge = Gauge::default();
        for (s, percent, charging) in readings {
            gauge.read(BatteryReading { at: Moment::from_millis(s * 1_000), percent: *percent, charging: *charging });
        }
        gauge
    }

    #[test]
    fn the_time_left_follows_from_the_percents_that_went() {
        let check = |readings: &[(u64, u8, bool)], goal: u8, expected: Option<u32>| {
            assert_eq!(gauge(readings).minutes_to(goal), expected, "{readings:?}");
        };
        check(&[], 0, None);
        check(&[(0, 20, false)], 0, None);
        check(&[(0, 20, false), (30, 19, false)], 0, None);
        check(&[(0, 20, false), (30, 19, false), (150, 18, false)], 0, Some(36));
        check(&[(0, 20, false), (30, 19, false), (150, 18, false), (200, 18, false)], 0, Some(36));
        check(&[(0, 20, false), (30, 19, false), (150, 18, false), (160, 19, false)], 0, None);
        check(&[(0, 20, false), (30, 19, false), (150, 18, true)], 0, None);
        check(&[(0, 20, true), (30, 21, true), (90, 22, true)], 100, Some(78));
        check(&[(0, 20, true), (30, 21, true), (90, 22, true)], 15, None);
        check(&[(0, 20, true), (30, 21, true), (90_000, 22, true)], 100, None);
    }

    #[test]
    fn only_the_last_percents_count() {
        let mut readings: Vec<_> = (0..10u64).map(|n| (n * 600, 90 - n as u8, false)).collect();
        readings.extend((1..=8u64).map(|n| (5_400 + n * 60, 81 - n as u8, false)));
        assert_eq!(gauge(&readings).minutes_to(0), Some(73));
    }
}
