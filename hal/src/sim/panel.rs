//! The simulated cart's light and sounder: they keep what the cart said, for whoever watches.

use super::world::World;
use crate::DeviceError;
use crate::device::{Identity, IndicatorLight, LightSignal, Sounder, Tone};

/// The light on the rim.
pub struct SimLight {
    world: World,
}

impl SimLight {
    /// A light in this world.
    pub fn new(world: World) -> Self {
        Self { world }
    }
}

impl IndicatorLight for SimLight {
    fn identity(&self) -> Identity {
        Identity::new("simulated light", "sim")
    }

    fn set(&mut self, signal: LightSignal) -> Result<(), DeviceError> {
        self.world.truth().light = signal;
        Ok(())
    }
}

/// The sounder.
pub struct SimSounder {
    world: World,
}

impl SimSounder {
    /// A sounder in this world.
    pub fn new(world: World) -> Self {
        Self { world }
    }
}

impl Sounder for SimSounder {
    fn identity(&self) -> Identity {
        Identity::new("simulated sounder", "sim")
    }

    fn play(&mut self, tone: Tone) -> Result<(), DeviceError> {
        self.world.truth().tones.push(tone);
        Ok(())
    }
}
