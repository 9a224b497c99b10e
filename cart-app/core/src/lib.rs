//! What the cart decides. Pure: time is an argument, there is no file, socket, runtime or toolkit.
//!
//! In: [`Input`] (weight samples, motion, sightings, scans, touches, words of the hub, the state of
//! devices). Decided: which weight steps are real, what a step is ([`fusion`], [`removal`], [`swap`]), what
//! to do about it ([`decision`], with its [`account`]), where the trip stands ([`Cart`]). Out: [`Effect`] (events to put on disk, lights,
//! tones) and [`View`], all that the screen shows. [`TripLoop`] carries the effects out on whatever disk and
//! outputs it is given.
//!
//! The order is fixed: an effect that shows something comes after the effect that records it.

pub mod account;
pub mod cart;
pub mod decision;
pub mod effect;
pub mod evidence;
pub mod fold;
pub mod fusion;
pub mod input;
pub mod removal;
pub mod swap;
pub mod trip_loop;
pub mod view;
pub mod weight_step;

mod drift;
mod posture;

pub use cart::{Cart, Health, OwnLimits, Setup, Tare};
pub use effect::Effect;
pub use input::{Device, Input, Intent};
pub use trip_loop::{Disk, Outputs, TripLoop};
pub use view::View;
