//! The whole once more: what the cart carries against all that is known to be in it.
//!
//! Every step is felt by itself; what slips through (a step while the cart rolled, many things too small
//! to feel) shows only in the sum. A difference is held and asked about, never charged.

use trip::basket::{Hold, HoldReason};
use trip::{Grams, LineId};

use super::Cart;
use crate::evidence::SightOf;
use crate::removal::{self, Removal};
use crate::weight_step::WeightStep;

/// A difference below this is no thing, in grams: rest of drift and creep.
const LEAST_G: f32 = 15.0;
/// Each step is felt with an error of so many grams; they add up by the root of their number.
const A_STEP_G: f32 = 1.5;
/// A loaded cell creeps, and no floor is quite level: so much of the load.
const LOAD_SHARE: f32 = 0.001;

impl Cart {
    /// Counts again by weight. True when there is a difference, which is now held. Without a working
    /// scale at rest, or with a line that it never felt, nothing can be counted.
    pub(super) fn recount(&mut self) -> bool {
        if !self.scale_works() || !self.steady() || !self.state.basket.holds.is_empty() {
            return false;
        }
        let Some(expected) = self.state.expected_gross() else { return false };
        let Some(off) = self.steps.unexplained(expected) else { return false };
        let steps = (self.state.last_line.0 + self.state.last_hold.0) as f32;
        let tolerance = LEAST_G + A_STEP_G * steps.sqrt() + LOAD_SHARE * expected.0.abs() as f32;
        if (off.0.abs() as f32) <= tolerance {
            return false;
        }
        let lines = if off.0 < 0 { self.lines_of(off) } else { Vec::new() };
        self.hold(Hold { weight: off, reason: HoldReason::Recount, lines, ..Hold::default() }, None);
        true
    }

    /// The lines that a missing weight may have been, best first.
    fn lines_of(&self, missing: Grams) -> Vec<LineId> {
        let step = WeightStep { delta: missing, sigma_g: 3.0, ..WeightStep::default() };
        match removal::explain(&step, &SightOf::nothing(), &[], &self.state, &self.catalogue) {
            Removal::Line { line, .. } => vec![line],
            Removal::Ask(lines) => lines,
            Removal::Hold(_) | Removal::Own(_) | Removal::Swap(_) | Removal::AskSwap(_) => Vec::new(),
        }
    }
}
