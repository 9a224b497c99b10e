//! Leaves out faults that a breach does not need.

use crate::plan::Plan;
use crate::run::run;

/// The smallest plan found that breaks the same promise: halves, quarters and single faults are left out
/// while it still does.
pub fn shrink(plan: &Plan, check: &str) -> Plan {
    let mut smallest = plan.clone();
    let mut part = smallest.faults.len();
    while part > 0 {
        let mut from = 0;
        while from < smallest.faults.len() {
            let mut fewer = smallest.clone();
            let to = (from + part).min(fewer.faults.len());
            fewer.faults.drain(from..to);
            if run(fewer.clone(), false).breach.is_some_and(|breach| breach.check == check) {
                smallest = fewer;
            } else {
                from += part;
            }
        }
        part /= 2;
    }
    smallest
}
