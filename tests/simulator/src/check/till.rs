//! A basket that staff took to a till is paid at no lane: no attempt stands when it is taken, and none begins after.

use std::collections::BTreeSet;

use store_hub::intent::IntentState;
use store_hub::store::Write;
use trip::TripId;

use super::{Check, Truth};
use crate::fact::Fact;
use crate::remains::Remains;

/// See the module.
#[derive(Default)]
pub struct Till {
    /// Trips whose basket was taken, by the hub's commits in their order.
    taken: BTreeSet<TripId>,
}

impl Check for Till {
    fn name(&self) -> &'static str {
        "nobody pays at a lane and at a till"
    }

    fn see(&mut self, fact: &Fact<'_>, truth: &Truth<'_>) -> Result<(), String> {
        let Fact::Committed { writes } = fact else { return Ok(()) };
        for write in *writes {
            match write {
                Write::Transfer(row) if self.taken.insert(row.trip.clone()) => {
                    let live = |state| !matches!(state, IntentState::Declined | IntentState::Reversed);
                    let intents = truth.place.all_intents();
                    if let Some(intent) = intents.iter().find(|intent| intent.trip == row.trip && live(intent.state)) {
                        let how = intent.state.word();
                        return Err(format!("trip {} was taken to a till, and {} is {how}", row.trip, intent.id));
                    }
                }
                Write::Intent(intent) if intent.state == IntentState::Created && self.taken.contains(&intent.trip) => {
                    return Err(format!("{} begins, and trip {} is at a till", intent.id, intent.trip));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn end(&self, remains: &Remains) -> Result<(), String> {
        let charged = |id| remains.trip_of(id).filter(|trip| self.taken.contains(*trip));
        match remains.taken().find_map(|payment| charged(&payment.intent).map(|trip| (trip, payment))) {
            Some((trip, payment)) => Err(format!("{} stay charged for {trip}, which is at a till", payment.amount)),
            None => Ok(()),
        }
    }
}
