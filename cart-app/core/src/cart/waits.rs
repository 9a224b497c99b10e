//! How long the shopper waits for a person, by the cart's own clock, and what the hub says of it.
//!
//! After a restart the cart does not know since when; then it says only that help is called.

use hal::Moment;
use trip::{Quantity, TripEvent, TripState};

use super::Cart;
use super::stopwatch::Stopwatch;
use crate::view::{AgeWait, Waiting};

/// The waits of this trip.
#[derive(Clone, Debug, Default)]
pub(super) struct Waits {
    help: Option<Stopwatch>,
    age: Option<Stopwatch>,
    /// Calls before this one, and the median of the last waits in seconds, as the hub said last.
    word: Option<(u32, Option<u32>)>,
}

impl Waits {
    /// Takes note of an event that `state` has taken in.
    pub(super) fn follow(&mut self, event: &TripEvent, state: &TripState, now: Moment) {
        match event {
            TripEvent::HelpCalled => self.help = Some(Stopwatch::of_seconds(now)),
            TripEvent::AgeCheckAsked { .. } => {
                self.age.get_or_insert_with(|| Stopwatch::of_seconds(now));
            }
            _ => {}
        }
        self.help = self.help.filter(|_| state.help);
        self.age = self.age.filter(|_| !state.age_checks.is_empty());
        self.word = self.word.filter(|_| state.waits_for_staff() && !state.staff_coming);
    }

    /// The hub's word of the moment; of no use to who waits for nobody.
    pub(super) fn hear(&mut self, state: &TripState, before: u32, usual_s: Option<u32>) {
        self.word = Some((before, usual_s)).filter(|_| state.waits_for_staff() && !state.staff_coming);
    }

    /// When there is more to tell.
    pub(super) fn due(&self) -> Option<Moment> {
        self.help.into_iter().chain(self.age).map(|watch| watch.due()).min()
    }

    /// True when there is more to tell than before.
    pub(super) fn tick(&mut self, now: Moment) -> bool {
        let mut more = false;
        // Each is told the time, also after one that had more to tell.
        for watch in self.help.iter_mut().chain(&mut self.age) {
            more |= watch.tick(now);
        }
        more
    }
}

impl Cart {
    /// What the screen says of the waiting.
    pub(super) fn waiting(&self) -> Waiting {
        let age = self.state.age_checks.iter().filter_map(|line| self.state.basket.line(*line)).map(|item| {
            let product = self.catalogue.get(&item.sku);
            AgeWait {
                line: item.line,
                sku: item.sku.clone(),
                name: product.map_or_else(|| item.sku.to_string(), |p| p.name.clone()),
                pieces: if let Quantity::Each(pieces) = item.quantity { pieces } else { 1 },
                min_age: product.map_or(0, |p| p.min_age),
            }
        });
        Waiting {
            help_s: self.waits.help.map(|watch| watch.told()),
            age: age.collect(),
            age_s: self.waits.age.map(|watch| watch.told()),
            before: self.waits.word.map(|(before, _)| before),
            usual_s: self.waits.word.and_then(|(_, usual)| usual),
            coming: self.state.staff_coming,
        }
    }
}
