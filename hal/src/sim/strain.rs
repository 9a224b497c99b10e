//! What strains a cart besides the things in it: people who lean on it or reach in, rolling, slopes.

use std::time::Duration;

use super::noise::{gaussian, unit};
use crate::Moment;

/// From nothing to the whole of a lean, a roll or a slope, and back.
const RAMP: Duration = Duration::from_millis(350);
const SLOPE_RAMP: Duration = Duration::from_millis(900);
/// A leaning person sways by these shares of their weight on the rim, at these frequencies in hertz.
const SWAYS: [(f32, f32); 3] = [(0.07, 0.55), (0.04, 1.3), (0.025, 3.1)];
/// And trembles: one standard deviation in grams.
const TREMBLE_G: f32 = 4.0;
/// A rummaging hand presses and lets go so often a second.
const RUMMAGE_HZ: f32 = 2.3;
/// Of its time in the basket a hand takes this share to come, and the same to draw back.
const COMING_SHARE: f32 = 0.25;

/// Someone leans on the rim.
pub(super) struct Lean {
    pub(super) from: Moment,
    pub(super) until: Moment,
    pub(super) grams: f32,
    pub(super) seed: u64,
}

/// The cart is pushed.
pub(super) struct Roll {
    pub(super) from: Moment,
    pub(super) until: Moment,
}

/// The cart stands on a slope.
pub(super) struct Slope {
    pub(super) from: Moment,
    pub(super) until: Moment,
    pub(super) degrees: f32,
}

/// An empty hand is in the basket.
pub(super) struct Hand {
    pub(super) from: Moment,
    pub(super) until: Moment,
    pub(super) place: (f32, f32),
    pub(super) edge: (f32, f32),
    pub(super) press_g: f32,
}

/// All of them.
#[derive(Default)]
pub(super) struct Strains {
    pub(super) leans: Vec<Lean>,
    pub(super) rolls: Vec<Roll>,
    pub(super) slopes: Vec<Slope>,
    pub(super) hands: Vec<Hand>,
}

/// 0 outside, 1 inside, and between on the way in and out.
fn inside(at: Moment, from: Moment, until: Moment, ramp: Duration) -> f32 {
    if at < from || at > until {
        return 0.0;
    }
    let share = |time: Duration| (time.as_secs_f32() / ramp.as_secs_f32()).clamp(0.0, 1.0);
    let t = share(at.since(from)).min(share(until.since(at)));
    t * t * (3.0 - 2.0 * t)
}

impl Strains {
    /// The weight of hands and arms on basket and rim, in grams.
    pub(super) fn pressed_at(&self, at: Moment) -> f32 {
        let leans = self.leans.iter().map(|lean| lean.at(at));
        leans.chain(self.hands.iter().map(|hand| hand.presses(at))).sum()
    }

    /// The slope, in radians.
    pub(super) fn slope_at(&self, at: Moment) -> f32 {
        self.slopes.iter().map(|s| s.degrees.to_radians() * inside(at, s.from, s.until, SLOPE_RAMP)).sum()
    }

    /// 0 at a stand, 1 when pushed.
    pub(super) fn rolling_at(&self, at: Moment) -> f32 {
        self.rolls.iter().map(|roll| inside(at, roll.from, roll.until, RAMP)).fold(0.0, f32::max)
    }

    /// Hands in the basket: where, from which edge, and how far out (0 there, 1 out of view).
    pub(super) fn hands_at(&self, at: Moment) -> impl Iterator<Item = ((f32, f32), (f32, f32), f32)> {
        let there = self.hands.iter().filter(move |hand| hand.from <= at && at <= hand.until);
        there.map(move |hand| (hand.place_at(at), hand.edge, 1.0 - hand.in_at(at)))
    }

    pub(super) fn hand_stirred(&self, at: Moment, before: Duration) -> bool {
        let since = Moment(at.0.saturating_sub(before.as_micros() as u64));
        self.hands.iter().any(|hand| hand.from <= at && since <= hand.until)
    }
}

impl Lean {
    fn at(&self, at: Moment) -> f32 {
        let whole = inside(at, self.from, self.until, RAMP);
        if whole == 0.0 {
            return 0.0;
        }
        let t = at.since(self.from).as_secs_f32();
        let sway: f32 = (SWAYS.iter().zip(0..))
            .map(|((share, hertz), n)| share * ((t * hertz + unit(self.seed, n)) * std::f32::consts::TAU).sin())
            .sum();
        whole * (self.grams * (1.0 + sway) + TREMBLE_G * gaussian(self.seed, at.0 / 12_500))
    }
}

impl Hand {
    /// 0 out of view, 1 in the basket.
    fn in_at(&self, at: Moment) -> f32 {
        inside(at, self.from, self.until, self.until.since(self.from).mul_f32(COMING_SHARE))
    }

    fn place_at(&self, at: Moment) -> (f32, f32) {
        let t = at.since(self.from).as_secs_f32();
        (self.place.0 + 26.0 * (t * 5.1).sin(), self.place.1 + 18.0 * (t * 6.7).cos())
    }

    fn presses(&self, at: Moment) -> f32 {
        let there = self.in_at(at);
        if there < 1.0 {
            return 0.0;
        }
        let wave = (at.since(self.from).as_secs_f32() * RUMMAGE_HZ * std::f32::consts::TAU).sin();
        self.press_g * wave.max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::{SimItem, World};

    #[test]
    fn a_hand_is_seen_while_it_is_in_and_forgotten_after() {
        let world = World::new(3);
        world.reach(Moment::from_millis(1_000), Duration::from_millis(1_200));
        let check = |ms, stirred| {
            let found = world.stirred(Moment::from_millis(ms), Duration::from_millis(300));
            assert_eq!(found, stirred, "at {ms} ms");
        };
        check(900, false);
        check(1_500, true);
        check(2_450, true);
        check(2_600, false);
    }

    #[test]
    fn what_was_put_in_stirs_until_the_hand_is_gone_and_again_when_it_is_taken() {
        let world = World::new(3);
        let (thing, rests) = world.put(&SimItem::new(100.0, Vec::new()), Moment::from_millis(1_000));
        let at = |moment| world.stirred(moment, Duration::ZERO);
        assert!(at(Moment::from_millis(1_000)) && at(rests) && !at(rests + Duration::from_millis(1)));
        let gone = world.take(thing, rests + Duration::from_secs(5));
        assert!(!at(rests + Duration::from_secs(4)) && at(gone) && !at(gone + Duration::from_millis(1)));
    }
}
