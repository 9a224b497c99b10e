//! The queue of those who wait for a person: who since when, whom somebody goes to, and how long it
//! usually takes. Carts are told what it means for their shopper.
//!
//! Waits are counted while the hub runs and not stored: after a restart it says nothing of them until it
//! has counted a few again.

use std::collections::VecDeque;

use trip::message::{Command, Order, VERSION};
use trip::topics::{self, Leaf};
use trip::{CartId, TripEvent, TripState, UnixMillis};

use super::{Effect, Hub, Seen, publish};
use crate::store::Storage;

/// The median is that of the last so many waits…
const COUNTED: usize = 15;
/// …and is not told before so many were counted: of two it is no more than a guess.
const LEAST: usize = 4;
/// A word of the moment is of no use later.
const WORD_LASTS_MS: i64 = 60_000;

/// The last waits, from the call to staff at the cart.
#[derive(Clone, Debug, Default)]
pub(super) struct Waits {
    last_ms: VecDeque<i64>,
}

impl Waits {
    fn count(&mut self, ms: i64) {
        self.last_ms.push_back(ms.max(0));
        while self.last_ms.len() > COUNTED {
            self.last_ms.pop_front();
        }
    }

    /// The median in whole seconds; of an even number the longer of the middle two, for a shopper would
    /// rather be surprised by haste.
    fn usual_s(&self) -> Option<u32> {
        let mut sorted: Vec<i64> = self.last_ms.iter().copied().collect();
        sorted.sort_unstable();
        let median = sorted.get(sorted.len() / 2).filter(|_| sorted.len() >= LEAST)?;
        u32::try_from(median / 1_000).ok()
    }
}

impl<S: Storage> Hub<S> {
    /// Takes note of what `events` of `cart` say about waiting. `state` is the cart's after them, `orders`
    /// what it was told to do before them.
    pub(super) fn follow_waits(
        &mut self,
        cart: &CartId,
        state: &TripState,
        events: &[&TripEvent],
        orders: &[Order],
        now: UnixMillis,
    ) {
        // A shopper who ends the call themselves waited for nobody that came.
        let called_off = !orders.contains(&Order::EndHelp);
        let seen = self.seen.entry(cart.clone()).or_insert_with(|| Seen { since: now, ..Seen::default() });
        for event in events {
            let over = match event {
                TripEvent::HelpEnded => seen.help_since.take().filter(|_| !called_off),
                TripEvent::AgeChecked { .. } => seen.age_since.take(),
                TripEvent::HelpCalled | TripEvent::AgeCheckAsked { .. } => {
                    // A new call knows nothing of what the last was told.
                    seen.told = None;
                    None
                }
                _ => None,
            };
            if let Some(since) = over {
                self.waits.count(now.0 - since.0);
            }
        }
        let waits = !state.age_checks.is_empty();
        seen.help_since = if state.help { seen.help_since.or(Some(now)) } else { None };
        seen.age_since = if waits { seen.age_since.or(Some(now)) } else { None };
    }

    /// True when somebody goes to `cart`, or has just said so.
    pub(super) fn gone_to(&self, cart: &CartId, state: &TripState) -> bool {
        state.waits_for_staff()
            && (state.staff_coming || self.is_ordered(cart, |order| matches!(order, Order::OnTheWay)))
    }

    fn is_ordered(&self, cart: &CartId, which: impl Fn(&Order) -> bool) -> bool {
        self.outbox.rows().any(|row| row.cart == *cart && which(&row.command.order))
    }

    /// Tells carts whose shopper waits how many calls are before theirs, where that has changed. It is not
    /// stored: a word that is lost is followed by the next.
    pub(super) fn tell_queue(&mut self, now: UnixMillis) -> Vec<Effect> {
        if !self.connected {
            return Vec::new();
        }
        let mut waiting: Vec<(UnixMillis, CartId)> = Vec::new();
        for (cart, row) in &self.carts {
            let since = self.seen.get(cart).and_then(Seen::waits_since);
            if let Some(since) = since.filter(|_| !self.gone_to(cart, &row.state) && !self.is_at_a_till(&row.state)) {
                waiting.push((since, cart.clone()));
            }
        }
        waiting.sort();
        let usual_s = self.waits.usual_s();
        let mut effects = Vec::new();
        for (place, (_, cart)) in waiting.into_iter().enumerate() {
            let before = u32::try_from(place).unwrap_or(u32::MAX);
            let trip = self.carts.get(&cart).and_then(|row| row.state.trip.clone());
            let (Some(seen), Some(trip)) = (self.seen.get_mut(&cart), trip) else { continue };
            let word = Some((before, usual_s));
            if !seen.presence.is_some_and(|p| p.online) || seen.told == word {
                continue;
            }
            seen.told = word;
            let command = Command {
                v: VERSION,
                id: format!("queue-{trip}-{}", now.0),
                expires_at: UnixMillis(now.0.saturating_add(WORD_LASTS_MS)),
                trip,
                lock: None,
                order: Order::Queue { before, usual_s },
            };
            effects.push(publish(topics::cart(&self.setting.store, &cart, Leaf::Command), &command, false));
        }
        effects
    }
}

impl Seen {
    /// Since when its shopper waits for a person.
    pub(super) fn waits_since(&self) -> Option<UnixMillis> {
        self.help_since.into_iter().chain(self.age_since).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_usual_is_said_only_when_enough_was_counted() {
        let usual = |waits: &[i64]| {
            let mut all = Waits::default();
            waits.iter().for_each(|s| all.count(s * 1_000));
            all.usual_s()
        };
        assert_eq!(usual(&[]), None);
        assert_eq!(usual(&[10, 20, 30]), None);
        assert_eq!(usual(&[10, 900, 30, 20]), Some(30));
        assert_eq!(usual(&[40, 10, 30, 20, 50]), Some(30));
        let old = std::iter::repeat_n(600, 40).chain(std::iter::repeat_n(60, 15)).collect::<Vec<_>>();
        assert_eq!(usual(&old), Some(60), "only the last ones count");
        assert_eq!(usual(&[-5, -5, -5, -5]), Some(0), "a clock that was set back");
    }
}
