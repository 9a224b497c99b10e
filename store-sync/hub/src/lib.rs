//! The store's hub: what carts tell comes in, what was paid goes out.
//!
//! A cart sends signed batches of chained events over the [`bus`]. [`ingest`] checks signature and
//! chain, [`ledger`] replays them with the cart's own crate, and [`hub`] writes events, replay and
//! what follows from them in one transaction of the [`store`]; only then is the batch acked. A
//! locked basket becomes one [`intent`] to be paid, judged by the [`lane`], brought to a definite end
//! at a [`terminal`], and answered with a signed [`receipt`]. The [`web`] page shows all of it to
//! staff, and the [`back_office`] hears of it. At a [`day_end`] the terminals' own books are compared with the ledger.
//! [`identity`] says who is let in, and [`releases`] what carts run by. [`run`] is the shell: it alone knows sockets, threads and the clock.
//!
//! Deliberately absent: any code of a cart, any frame or picture, any card data.

pub mod back_office;
pub mod bus;
pub mod catalogues;
pub mod config;
pub mod day_end;
mod here;
pub mod hub;
pub mod identity;
pub mod ingest;
pub mod intent;
pub mod keys;
pub mod lane;
pub mod ledger;
pub mod receipt;
pub mod releases;
pub mod run;
pub mod store;
pub mod terminal;
pub mod web;
