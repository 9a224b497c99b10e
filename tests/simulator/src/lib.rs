//! The whole store on a seeded world: carts, line, hub, exit lanes and terminals with virtual time, where
//! everything that can break does.
//!
//! What runs is what ships: [`cart_core::TripLoop`], [`store_sync::Session`], [`store_hub::hub::Hub`] and the
//! journal's rules in [`trip::journal`] are pure, so here they stand on a model disk ([`disk`]), a model
//! broker ([`broker`]) and model terminals ([`terminal`]) instead of on SQLite, MQTT and a reader. Shoppers
//! ([`shopper`]) and staff act by what the screens show.
//!
//! A [`Plan`] is drawn from a seed: who shops, and which [`fault`]s strike when. [`run()`] plays it; after
//! the last fault the world heals and must come to rest. Each [`check`] holds one promise over all that was
//! seen. The same seed gives the same run, to the last message; [`shrink()`] leaves out faults until only
//! those are left that the breach needs. [`Remains`] are what the checks look at in the end; the fault rig
//! reads them from real files.
//!
//! Deliberately absent: sight and the noise of scales (they have a generator of their own in `tests`), and
//! real files, sockets and processes (they have the fault rig).

pub mod broker;
pub mod cart;
pub mod chance;
pub mod check;
pub mod disk;
pub mod fact;
pub mod fault;
pub mod goods;
pub mod hub;
pub mod plan;
pub mod remains;
pub mod run;
pub mod shopper;
pub mod shrink;
pub mod staff;
pub mod terminal;
pub mod world;

pub use fact::Fact;
pub use fault::{Fault, What};
pub use plan::Plan;
pub use remains::Remains;
pub use run::{Breach, Counts, Report, run};
pub use shrink::shrink;

/// Milliseconds of virtual time since the world began.
pub type Ms = u64;
