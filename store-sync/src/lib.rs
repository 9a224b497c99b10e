//! The cart's side of the line.
//!
//! In: records from the journal, and what the network does. Out: signed batches over MQTT, and the
//! hub's acks, commands and wishes as [`LinkEvent`]s. The [`outbox`] decides what is sent when, the
//! [`session`] what is said and what an answer means; both are pure. [`link`] does the sending over MQTT.
//!
//! A cart joins its store by [`provisioning`]: it makes its keys, and a one-time code brings it a certificate,
//! which is its [`identity`]. From then on the line is [`tls`] in both directions, for MQTT and for the few
//! requests over [`https`]: renewing the certificate, and fetching [`releases`]. Pictures of the screen, while the shopper lets
//! staff see it, go beside the records and never before them ([`Session::look`]).
//!
//! A broker's PUBACK proves nothing: only the hub's own ack, sent after its commit, frees a record.
//! Deliberately absent: what a record means, and where the journal lies.

pub mod https;
pub mod identity;
pub mod link;
mod looks;
pub mod outbox;
pub mod patience;
pub mod provisioning;
pub mod releases;
pub mod session;
pub mod sign;
pub mod tls;

pub use link::{Line, LinkConfig, Told};
pub use outbox::Outbox;
pub use session::{Journal, JournalError, LinkEvent, Session};
