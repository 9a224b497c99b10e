//! What is charged is what was shown and locked; and all that stays charged are the trips that ended paid.

use std::collections::BTreeMap;

use trip::event::Ending;
use trip::{Money, Record, TripEvent, TripId};

use super::{Check, Truth};
use crate::fact::Fact;
use crate::terminal::Progress;

/// See the module.
pub struct Charged;

/// What a cart's journals say of a trip.
#[derive(Debug, Default)]
struct Account {
    locks: Vec<Money>,
    paid: Option<Money>,
    ending: Option<Ending>,
}

fn accounts(truth: &Truth<'_>, cart: usize) -> BTreeMap<TripId, Account> {
    let mut accounts: BTreeMap<TripId, Account> = BTreeMap::new();
    let mut running = None;
    for text in truth.carts[cart].disk.history().values() {
        let Ok(record) = serde_json::from_str::<Record>(text) else { continue };
        if let TripEvent::TripStarted { trip, .. } = &record.event {
            running = Some(trip.clone());
        }
        let Some(trip) = running.clone() else { continue };
        let account = accounts.entry(trip).or_default();
        match record.event {
            TripEvent::BasketLocked { total, .. } => account.locks.push(total),
            TripEvent::PaymentApproved { amount, .. } => account.paid = Some(amount),
            TripEvent::TripClosed { ending } => account.ending = Some(ending),
            _ => {}
        }
    }
    accounts
}

impl Check for Charged {
    fn name(&self) -> &'static str {
        "what is charged is what was shown"
    }

    fn see(&mut self, fact: &Fact<'_>, truth: &Truth<'_>) -> Result<(), String> {
        let Fact::Taken { intent, trip, amount } = fact else { return Ok(()) };
        let locks: Vec<Money> =
            (0..truth.carts.len()).flat_map(|cart| accounts(truth, cart).remove(trip)).flat_map(|a| a.locks).collect();
        if locks.contains(amount) {
            Ok(())
        } else {
            Err(format!("{intent} took {amount}, and trip {trip} locked {locks:?}"))
        }
    }

    fn end(&mut self, truth: &Truth<'_>) -> Result<(), String> {
        let mut taken: BTreeMap<TripId, i64> = BTreeMap::new();
        for (_, payment) in truth.terminals.iter().flat_map(|terminal| terminal.payments()) {
            if payment.progress == Progress::Approved {
                *taken.entry(payment.trip.clone()).or_default() += payment.amount.minor;
            }
        }
        for cart in 0..truth.carts.len() {
            for (trip, account) in accounts(truth, cart) {
                let (taken, paid) = (taken.remove(&trip).unwrap_or(0), account.paid.map_or(0, |paid| paid.minor));
                if account.ending == Some(Ending::Paid) && taken != paid {
                    return Err(format!("trip {trip} ended paid with {paid}, and {taken} stay charged"));
                }
                // A journal that lost its end cannot say what the hub has seen: staff look at such a cart.
                if account.ending != Some(Ending::Paid) && taken != 0 && !truth.rotted.contains(&cart) {
                    return Err(format!("trip {trip} ended {:?}, and {taken} stay charged", account.ending));
                }
            }
        }
        match taken.into_iter().find(|(_, minor)| *minor != 0) {
            Some((trip, minor)) => Err(format!("{minor} stay charged for {trip}, of which no cart knows")),
            None => Ok(()),
        }
    }
}
