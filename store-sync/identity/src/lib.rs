//! Who a machine of a store is, as cart and hub both need it.
//!
//! [`secret`] reads and writes files that are for their owner alone, and refuses one that others may
//! read. [`pem`] reads certificates and keys, and says which file is cut short. [`request`] makes a key
//! pair and asks for a certificate over it: a private key is made where it is used and never travels.
//! [`pin`] trusts a store at the first contact by the fingerprint in its one-time code, and
//! [`trust`] by its authority's certificate from then on.
//!
//! Deliberately absent: sockets, clocks of its own, and who may do what.

pub mod pem;
pub mod pin;
pub mod request;
pub mod secret;
pub mod trust;

pub use secret::SecretError;
