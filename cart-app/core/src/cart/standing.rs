//! A cart that nobody touches. With nothing in it the trip is asked about and closed; with goods in it
//! staff are told, and nothing else happens: they may be somebody's who talks to a neighbour.

use std::time::Duration;

use hal::Moment;
use trip::Phase;
use trip::event::Ending;

use super::Cart;
use super::stopwatch::Stopwatch;
use crate::effect::{Effect, Signal};

/// Nothing in the cart, and nobody there for so long: "Still shopping?"
const ASK_AFTER: Duration = Duration::from_secs(180);
/// So many seconds there are to answer.
const ANSWER_WITHIN_S: u32 = 60;
/// Goods in the cart, and nobody there for so long: staff may look.
const LEFT_AFTER: Duration = Duration::from_secs(600);

/// Since when nobody was there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    /// The last sign of somebody, told in minutes.
    quiet: Stopwatch,
    /// Since when it is asked whether somebody is there.
    asked: Option<Stopwatch>,
}

impl Default for Standing {
    fn default() -> Self {
        Self { quiet: Stopwatch::of_minutes(Moment(0)), asked: None }
    }
}

impl Cart {
    /// A sign of somebody: a touch, a step of the scale, movement, a code, a push of the cart.
    pub(super) fn somebody(&mut self, now: Moment) {
        let asked = self.standing.asked.take().is_some();
        let left = self.left_minutes().is_some();
        self.standing.quiet = Stopwatch::of_minutes(now);
        if asked || left {
            self.effects.push_back(Effect::Show);
        }
    }

    /// True while a trip may be closed for want of a shopper: no goods, nothing open, no bag of theirs.
    fn nothing_at_stake(&self) -> bool {
        let state = &self.state;
        let waits = self.pending.is_some() || self.unfelt.is_some() || !self.evidence.scans().is_empty();
        state.phase == Phase::Shopping
            && state.basket.is_empty()
            && state.own.is_empty()
            && !state.waits_for_staff()
            && !waits
    }

    /// When there is something to do or to tell about it.
    pub(super) fn standing_due(&self) -> Option<Moment> {
        let Standing { quiet, asked } = &self.standing;
        match asked {
            Some(asked) => Some(asked.due()),
            None if self.nothing_at_stake() => Some(quiet.since() + ASK_AFTER),
            None if self.state.phase == Phase::Shopping => Some(quiet.due().max(quiet.since() + LEFT_AFTER)),
            None => None,
        }
    }

    /// Asks, closes, or tells, as is due.
    pub(super) fn standing_tick(&mut self, now: Moment) {
        if self.state.phase != Phase::Shopping {
            self.standing.asked = None;
            return;
        }
        let before = self.left_minutes();
        self.standing.quiet.tick(now);
        if before != self.left_minutes() {
            if before.is_none() {
                self.effects.push_back(Effect::Warn("left standing with goods in it".into()));
            }
            self.effects.push_back(Effect::Show);
        }
        if !self.nothing_at_stake() {
            if self.standing.asked.take().is_some() {
                self.effects.push_back(Effect::Show);
            }
            return;
        }
        match &mut self.standing.asked {
            None if now.since(self.standing.quiet.since()) >= ASK_AFTER => {
                self.standing.asked = Some(Stopwatch::of_seconds(now));
                self.signal(Signal::Ask);
            }
            None => {}
            Some(asked) => {
                if asked.tick(now) {
                    self.effects.push_back(Effect::Show);
                }
                if asked.told() >= ANSWER_WITHIN_S {
                    self.end(Ending::Empty);
                }
            }
        }
    }

    /// Seconds left to say that somebody is there, while it is asked.
    pub(super) fn still_there(&self) -> Option<u32> {
        self.standing.asked.map(|asked| ANSWER_WITHIN_S.saturating_sub(asked.told()))
    }

    /// For how many whole minutes goods have stood here with nobody; `None` while somebody shops.
    pub(super) fn left_minutes(&self) -> Option<u32> {
        let minutes = self.standing.quiet.told();
        let left = self.state.phase == Phase::Shopping && !self.nothing_at_stake();
        (left && u64::from(minutes) * 60 >= LEFT_AFTER.as_secs()).then_some(minutes)
    }

    /// "I don't need it": a trip with nothing in it ends at once.
    pub(super) fn end_empty(&mut self) {
        if self.nothing_at_stake() {
            self.end(Ending::Empty);
        }
    }
}
