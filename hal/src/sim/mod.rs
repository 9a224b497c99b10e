//! The simulated cart: one physical truth, seen only through its devices.
//!
//! [`World`] holds what is really there: things with a mass and a look, hands, bumps, faults. It is
//! a function of time: ask its [`SimScale`] or [`SimCamera`] for any [`crate::Moment`] and the
//! answer is the same for the same seed. What leans on the cart, shakes or tilts it is in [`strain`];
//! the load cell's own failings are in [`scale`]. What the world knows never leaves through a device: a
//! thing has no name here, only grams and pictures, and the cart must find out by looking.
//!
//! In: a script or a person who puts things in and takes them out. Out: frames, weights, movement,
//! battery, lane; and what the cart answered with its light and its sounder. The project's own
//! demo goods are drawn by [`pack`] and [`produce`]; photos may stand in for them.

pub mod camera;
pub mod label;
pub mod look;
pub mod pack;
pub mod panel;
pub mod produce;
pub mod scale;
pub mod senses;
pub mod strain;
pub mod world;

mod noise;
mod paint;
mod scene;
mod stay;

pub use camera::{FRAME_HEIGHT_PX, FRAME_WIDTH_PX, SimCamera};
pub use label::{Label, LabelError};
pub use look::{Phase, ProductLook, SimItem};
pub use pack::{PackDesign, PackShape, Side, pack_look};
pub use panel::{SimLight, SimSounder};
pub use produce::{ProduceArt, ProduceShape, produce_look};
pub use scale::SimScale;
pub use senses::{SimBattery, SimLaneBeacon, SimMotion};
pub use world::{Fault, ItemHandle, World};
