//! The device program.
//!
//! [`config`] is read once; [`startup`] opens the journal and replays it; devices, [`sight`], the
//! [`line`] and the screen each get a thread or task of their own ([`wiring`]) and talk over bounded
//! channels to the one owner of the trip, a [`cart_core::TripLoop`] on a [`trip_disk`]. The rules are in `cart-core`;
//! here are only files, sockets and pixels. [`signs`] are what it gives to whoever keeps it running. [`speech`] says aloud what the screen shows. [`recording`] keeps a trip to the
//! bit and plays it again. [`web_screen`] shows the screen in a browser. What a trip leaves is wiped: [`retention`].
//! [`looks`] are what staff see of the screen while the shopper lets them. [`staff`] mode lies behind a PIN. [`provision`] joins the cart to its store, and [`upkeep`] renews and fetches what
//! the store grants; [`released`] is what it granted, a model and pictures among it. [`demo`] puts a store and a shopper around it.

pub mod config;
pub mod demo;
pub mod devices;
pub mod durable;
pub mod enrol;
pub mod journal;
pub mod line;
pub mod looks;
pub mod provision;
pub mod recording;
pub mod released;
pub mod retention;
pub mod run;
pub mod sight;
pub mod signal;
pub mod signs;
pub mod speech;
pub mod staff;
pub mod startup;
pub mod trip_disk;
pub mod ui;
pub mod upkeep;
pub mod web_screen;
pub mod wiring;
