//! A cart that starts again goes on exactly where its disk was; of a damaged journal what is whole is served.

use super::{Check, Truth};
use crate::fact::Fact;

/// See the module.
pub struct Kept;

impl Check for Kept {
    fn name(&self) -> &'static str {
        "a power cut loses no line"
    }

    fn see(&mut self, fact: &Fact<'_>, _: &Truth<'_>) -> Result<(), String> {
        let Fact::Started { cart, before, state, damaged } = fact else { return Ok(()) };
        if !damaged && before != state {
            return Err(format!("cart {}: before the cut {before:?}, after it {state:?}", cart + 1));
        }
        Ok(())
    }
}
