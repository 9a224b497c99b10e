//! What is the shopper's own, and what goods lie in: weights that are not paid for.

use trip::basket::HoldReason;
use trip::event::Outcome;
use trip::{Grams, Hold, HoldId, Phase, TripEvent};

use super::Cart;
use crate::effect::Signal;
use crate::view::TareView;

/// What a shopper may lay in of their own on their word; above it a member of staff looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OwnLimits {
    /// All own things of a trip together, in grams, with what lay there at the start.
    pub most_g: i32,
    /// How many.
    pub most_things: usize,
}

impl Default for OwnLimits {
    /// A bag with a coat in it, and two small things.
    fn default() -> Self {
        Self { most_g: 2_000, most_things: 3 }
    }
}

/// A bag or tray that produce may lie in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tare {
    /// What people call it.
    pub name: String,
    /// What it weighs, in grams, above 0.
    pub weight: Grams,
}

impl Tare {
    /// What most produce departments have.
    pub fn usual() -> Vec<Tare> {
        [("Paper bag", 6), ("Net bag", 14), ("Tray", 22)]
            .map(|(name, grams)| Tare { name: name.into(), weight: Grams(grams) })
            .into()
    }
}

impl Cart {
    /// What the cart carries while nothing but the shopper's own can be in it.
    pub(super) fn empty_load(&self) -> Option<Grams> {
        let quiet = self.pending.is_none() && self.evidence.scans().is_empty();
        match self.state.phase {
            Phase::Idle => Some(Grams(0)),
            Phase::Shopping if quiet && self.state.basket.is_empty() => Some(self.state.baseline),
            _ => None,
        }
    }

    /// True when the shopper may say that a held thing is their own.
    pub(super) fn may_be_own(&self, hold: &Hold) -> bool {
        let unknown =
            matches!(hold.reason, HoldReason::Unknown | HoldReason::Unsure | HoldReason::Several | HoldReason::Recount);
        unknown && hold.weight.0 > 0
    }

    /// "It's my own": taken at the shopper's word within the limits, else a person looks.
    pub(super) fn own_thing(&mut self, hold: HoldId) {
        let Some(held) = self.state.basket.hold(hold).filter(|held| self.may_be_own(held)) else { return };
        let weight = held.weight;
        let all = self.state.own.iter().fold(weight.0, |sum, own| sum.saturating_add(own.0));
        if all > self.setup.own.most_g || self.state.own.len() >= self.setup.own.most_things {
            return self.call_help();
        }
        self.record(vec![TripEvent::OwnThing { weight }, TripEvent::HoldResolved { hold, outcome: Outcome::Own }]);
        self.close_panel(hold);
        self.signal(Signal::Idle);
    }

    /// The shopper took their own thing out again.
    pub(super) fn own_gone(&mut self, weight: Grams) {
        self.record(vec![TripEvent::OwnThing { weight }]);
        self.settle_looks();
        self.signal(Signal::Idle);
    }

    /// A bag or tray of those offered, or none.
    pub(super) fn choose_tare(&mut self, number: Option<usize>) {
        let held = self.panel.ask.and_then(|(hold, _)| self.state.basket.hold(hold));
        let offered = held.map(|held| self.tares_for(held.weight)).unwrap_or_default();
        if number.is_none_or(|number| offered.iter().any(|tare| tare.number == number)) {
            self.panel.tare = number;
        }
    }

    /// What is taken off on the weigh screen; nothing while no bag or tray is chosen.
    pub(super) fn tare(&self) -> Tare {
        let chosen = self.panel.tare.and_then(|number| self.setup.tares.get(number)).cloned();
        chosen.unwrap_or(Tare { name: String::new(), weight: Grams(0) })
    }

    /// The bags and trays that goods of this gross weight may lie in.
    pub(super) fn tares_for(&self, gross: Grams) -> Vec<TareView> {
        let lighter = self.setup.tares.iter().enumerate().filter(|(_, tare)| tare.weight < gross);
        let view = |(number, tare): (usize, &Tare)| TareView {
            number,
            name: tare.name.clone(),
            weight: tare.weight,
            chosen: self.panel.tare == Some(number),
        };
        lighter.map(view).collect()
    }
}
