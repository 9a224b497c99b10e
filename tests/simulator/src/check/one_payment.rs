//! At most one payment of a trip stays taken; what was taken beside it is given back.

use std::collections::BTreeMap;

use super::Check;
use crate::remains::Remains;

/// See the module.
pub struct OnePayment;

impl Check for OnePayment {
    fn name(&self) -> &'static str {
        "nobody is charged twice"
    }

    fn end(&self, remains: &Remains) -> Result<(), String> {
        let mut taken = BTreeMap::new();
        for payment in remains.taken() {
            taken.entry(remains.trip_of(&payment.intent)).or_insert_with(Vec::new).push(&payment.intent);
        }
        match taken.into_iter().find(|(_, intents)| intents.len() > 1) {
            Some((Some(trip), intents)) => Err(format!("trip {trip} is charged {} times: {intents:?}", intents.len())),
            Some((None, intents)) => Err(format!("nobody knows what was paid with {intents:?}")),
            None => Ok(()),
        }
    }
}
