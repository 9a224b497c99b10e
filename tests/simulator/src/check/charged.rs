//! What is charged is what was shown and locked; and all that stays charged are the trips that ended paid.

use std::collections::BTreeMap;

use trip::event::Ending;
use trip::{Money, Record, TripEvent, TripId};

use super::{Check, Truth};
use crate::cart::SimCart;
use crate::fact::Fact;
use crate::remains::Remains;

/// See the module.
pub struct Charged;

/// What a cart's journals say of a trip.
#[derive(Debug, Default)]
struct Account {
    locks: Vec<Money>,
    paid: Option<Money>,
    ending: Option<Ending>,
}

fn accounts<'a>(story: impl IntoIterator<Item = &'a String>) -> BTreeMap<TripId, Account> {
    let mut accounts: BTreeMap<TripId, Account> = BTreeMap::new();
    let mut running = None;
    for text in story {
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
        let known = |cart: &SimCart| accounts(cart.disk.history().values()).remove(trip);
        let locks: Vec<Money> = truth.carts.iter().filter_map(known).flat_map(|account| account.locks).collect();
        if locks.contains(amount) {
            Ok(())
        } else {
            Err(format!("{intent} took {amount}, and trip {trip} locked {locks:?}"))
        }
    }

    fn end(&self, remains: &Remains) -> Result<(), String> {
        let mut taken: BTreeMap<&TripId, i64> = BTreeMap::new();
        for payment in remains.taken() {
            let Some(intent) = remains.intents.iter().find(|intent| intent.id == payment.intent) else {
                return Err(format!(
                    "{} was paid {}, and the hub asked for no such thing",
                    payment.intent, payment.amount
                ));
            };
            if intent.amount != payment.amount {
                return Err(format!("{} took {}, asked for was {}", intent.id, payment.amount, intent.amount));
            }
            *taken.entry(&intent.trip).or_default() += payment.amount.minor;
        }
        for cart in &remains.carts {
            for (trip, account) in accounts(remains.story(cart)) {
                let (taken, paid) = (taken.remove(&trip).unwrap_or(0), account.paid.map_or(0, |paid| paid.minor));
                if account.ending == Some(Ending::Paid) && taken != paid {
                    return Err(format!("trip {trip} ended paid with {paid}, and {taken} stay charged"));
                }
                // A journal that lost its end cannot say what the hub has seen: staff look at such a cart.
                if account.ending != Some(Ending::Paid) && taken != 0 && !cart.rotted {
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
