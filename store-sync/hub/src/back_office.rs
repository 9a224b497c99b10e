//! What the store's back office is told: every trip that closed, every payment that came to an end, every receipt.
//!
//! A [`Word`] is written in the same commit that makes it true, and waits in the database until the back office has
//! taken it: for days, if need be. The [`Courier`] sends what waits, in order, as a webhook that is signed by
//! [`Signer`]; nothing but a 2xx frees it. So the back office hears everything at least once, and deduplicates by
//! the word's id. For integrators: `store-sync/hub/README.md`.
//!
//! Deliberately absent: who shopped. No loyalty number, no phone, and nothing of a card but the terminal's reference.

mod batch;
mod courier;
mod post;
mod signature;
mod word;

pub use batch::{Batch, MOST_WORDS};
pub use courier::{Courier, NotTaken, OfficeAsk, OfficeCall};
pub use post::{Address, Post, PostError};
pub use signature::{ID, SIGNATURE, SignatureError, Signed, Signer, TIMESTAMP, public_key, verify};
pub use word::{ClosedTrip, LinePrice, PaymentEnd, PaymentOutcome, ReceiptNote, SoldLine, VERSION, What, Word};
