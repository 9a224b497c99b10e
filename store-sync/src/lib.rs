//! The cart's side of the line.
//!
//! In: records from the journal, and what the network does. Out: signed batches over MQTT, and the
//! hub's acks, commands and wishes as [`LinkEvent`]s. The [`outbox`] decides what is sent when; it
//! is pure. [`link`] does the sending.
//!
//! A broker's PUBACK proves nothing: only the hub's own ack, sent after its commit, frees a record.
//! Deliberately absent: what a record means, and where the journal lies.

pub mod link;
pub mod outbox;
pub mod sign;

pub use link::{Journal, JournalError, Line, LinkConfig, LinkEvent, Told};
pub use outbox::Outbox;
