//! What the scale drifts by while nothing happens, apart from what slips in.
//!
//! Drift is what changes slowly within a rest. What changes between two rests is something that was
//! laid in or taken out, however little. A rest that is only broken by noise goes on.

use std::collections::VecDeque;
use std::time::Duration;

use hal::Moment;

/// Faster than this, in grams a second, is no drift: something is poured in.
pub(crate) const DRIFT_G_PER_S: f32 = 0.3;
/// The level of a rest is taken this far from its ends: near them it is half of something else.
const INSIDE: Duration = Duration::from_millis(300);
/// A rest goes on when the level after a break differs by no more than this, in grams.
const SAME_LEVEL_G: f32 = 2.2;

/// Drift since a trip began.
#[derive(Clone, Debug, Default)]
pub(crate) struct Drift {
    /// Of the rests that are over, in grams.
    past_g: f32,
    rest: Option<Rest>,
    broken: bool,
}

#[derive(Clone, Debug)]
struct Rest {
    since: Moment,
    /// The level once the rest had lasted a little.
    from: Option<f32>,
    /// The levels of the last moments, oldest first.
    trail: VecDeque<(Moment, f32)>,
}

impl Rest {
    fn drift(&self) -> f32 {
        let (Some(from), Some((last, to))) = (self.from, self.trail.front()) else { return 0.0 };
        let most = DRIFT_G_PER_S * last.since(self.since).as_secs_f32();
        (to - from).clamp(-most, most)
    }
}

impl Drift {
    /// The scale is at rest at this level. `rolled`: the cart moved since the last rest, and what differs
    /// is the floor's.
    pub(crate) fn at_rest(&mut self, at: Moment, level: f32, rolled: bool) {
        let before = self.rest.as_ref().and_then(|rest| rest.trail.back()).map(|(_, level)| *level);
        let moved = before.map_or(0.0, |before| level - before);
        if std::mem::take(&mut self.broken) && (rolled || moved.abs() > SAME_LEVEL_G) {
            self.past_g = self.total() + if rolled { moved } else { 0.0 };
            self.rest = None;
        }
        let rest = self.rest.get_or_insert_with(|| Rest { since: at, from: None, trail: VecDeque::new() });
        rest.trail.push_back((at, level));
        while rest.trail.get(1).is_some_and(|(second, _)| at.since(*second) >= INSIDE) {
            rest.trail.pop_front();
        }
        if rest.from.is_none() && at.since(rest.since) >= INSIDE {
            rest.from = Some(level);
        }
    }

    /// The rest is broken, perhaps by noise alone.
    pub(crate) fn broken(&mut self) {
        self.broken = true;
    }

    /// So many grams are settled by a person, or were there after a restart.
    pub(crate) fn excuse(&mut self, grams: f32) {
        self.past_g += grams;
    }

    /// A trip begins.
    pub(crate) fn restart(&mut self) {
        *self = Self::default();
    }

    /// In grams.
    pub(crate) fn total(&self) -> f32 {
        self.past_g + self.rest.as_ref().map_or(0.0, Rest::drift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A second at rest at each level, broken between them.
    fn after(levels: &[f32], rolled: bool) -> f32 {
        let mut drift = Drift::default();
        let mut at = Moment(0);
        for level in levels {
            for _ in 0..80 {
                at = at + Duration::from_micros(12_500);
                drift.at_rest(at, *level, rolled);
            }
            drift.broken();
        }
        drift.total()
    }

    #[test]
    fn what_changes_between_rests_is_no_drift_unless_the_cart_rolled() {
        assert_eq!(after(&[100.0, 105.0, 110.0], false), 0.0);
        assert_eq!(after(&[100.0, 105.0, 110.0], true), 10.0);
    }

    #[test]
    fn what_changes_slowly_within_a_rest_is_even_if_noise_breaks_it() {
        let levels: Vec<f32> = (0..200).map(|n| 0.1 * n as f32).collect();
        assert!((after(&levels, false) - 19.9).abs() < 0.2);
    }

    #[test]
    fn what_is_poured_in_is_drift_only_as_fast_as_drift_is() {
        let levels: Vec<f32> = (0..100).map(|n| n as f32).collect();
        assert!(after(&levels, false) <= 30.0);
    }
}
