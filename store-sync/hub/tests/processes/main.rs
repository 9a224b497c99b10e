//! The hub and a payment terminal as real processes.

mod back_office;
#[path = "../cluster/mod.rs"]
mod cluster;
mod database;
mod day_end;
mod harness;
mod paying;
mod start;
mod terminal;
mod till;
