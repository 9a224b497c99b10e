//! A gate opens only with the commit that says Paid, and that has the receipt.

use store_hub::intent::IntentState;
use store_hub::store::Write;

use super::{Check, Truth};
use crate::fact::Fact;
use crate::remains::Remains;

/// See the module.
pub struct Gate;

impl Check for Gate {
    fn name(&self) -> &'static str {
        "the gate opens only after Paid"
    }

    fn see(&mut self, fact: &Fact<'_>, truth: &Truth<'_>) -> Result<(), String> {
        let Fact::Committed { writes } = fact else { return Ok(()) };
        for gate in writes.iter().filter_map(|write| if let Write::Gate(row) = write { Some(row) } else { None }) {
            if !gate.open {
                continue;
            }
            let paid = writes.iter().any(|write| {
                matches!(write, Write::Intent(intent) if intent.id == gate.intent && intent.state == IntentState::Approved)
            });
            let receipt = writes.iter().any(|write| matches!(write, Write::Receipt(row) if row.intent == gate.intent));
            let money = truth.terminals.iter().flat_map(|t| t.payments()).any(|(id, _)| *id == gate.intent);
            if !(paid && receipt && money) {
                return Err(format!(
                    "{} opened for {}: paid {paid}, receipt {receipt}, money {money}",
                    gate.lane, gate.intent
                ));
            }
        }
        Ok(())
    }

    fn end(&self, remains: &Remains) -> Result<(), String> {
        for gate in remains.gates.iter().filter(|gate| gate.open) {
            let receipt = remains.receipts.iter().any(|row| row.intent == gate.intent);
            // Given back later, perhaps; but it was asked for.
            let money = remains.payments.iter().any(|payment| payment.intent == gate.intent);
            if !(receipt && money) {
                return Err(format!("{} opened for {}: receipt {receipt}, money {money}", gate.lane, gate.intent));
            }
        }
        Ok(())
    }
}
