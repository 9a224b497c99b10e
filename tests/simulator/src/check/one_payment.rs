//! At most one payment of a trip stays taken; what was taken beside it is given back.

use std::collections::BTreeMap;

use super::{Check, Truth};
use crate::fact::Fact;
use crate::terminal::Progress;

/// See the module.
pub struct OnePayment;

impl Check for OnePayment {
    fn name(&self) -> &'static str {
        "nobody is charged twice"
    }

    fn see(&mut self, _: &Fact<'_>, _: &Truth<'_>) -> Result<(), String> {
        Ok(())
    }

    fn end(&mut self, truth: &Truth<'_>) -> Result<(), String> {
        let mut taken = BTreeMap::new();
        for (id, payment) in truth.terminals.iter().flat_map(|terminal| terminal.payments()) {
            if payment.progress == Progress::Approved {
                taken.entry(&payment.trip).or_insert_with(Vec::new).push(id);
            }
        }
        match taken.into_iter().find(|(_, ids)| ids.len() > 1) {
            Some((trip, ids)) => Err(format!("trip {trip} is charged {} times: {ids:?}", ids.len())),
            None => Ok(()),
        }
    }
}
