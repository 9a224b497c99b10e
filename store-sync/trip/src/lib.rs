//! What a trip is. Pure; the cart and the hub share it, so they cannot disagree about a price.
//!
//! One trip is one append-only, hash-chained list of [`TripEvent`]s. [`TripState`] is their replay:
//! the phase, the basket, what is held and not charged. [`pricing::price`] turns a basket and a
//! [`Catalogue`] into totals; [`receipt`] turns them into a signed document anyone can check. [`floor`] says where
//! things stand.
//! [`pairing`] joins a shopper to a cart, [`list`] reads what they mean to buy. [`journal`]
//! writes events as chained records and reads them again. [`provisioning`] joins a cart to a store, [`release`] says
//! which catalogue it may take. [`topics`] and [`message`] are the words cart and hub use on the line.
//! [`bounds`] says how large any of it may be, [`patience`] how long either side waits to try again.
//!
//! Deliberately absent: clocks, files, sockets, devices. Time comes in as [`UnixMillis`].

pub mod basket;
pub mod bounds;
pub mod catalogue;
pub mod chain;
pub mod detail;
pub mod event;
pub mod floor;
pub mod gs1;
pub mod gtin;
pub mod id;
pub mod journal;
pub mod list;
pub mod message;
pub mod money;
pub mod pairing;
pub mod patience;
pub mod pricing;
pub mod provisioning;
pub mod quantity;
pub mod receipt;
pub mod release;
pub mod state;
pub mod topics;

pub use basket::{Basket, Hold, LineItem};
pub use catalogue::{Catalogue, Product, Sale};
pub use chain::{Hash, Record};
pub use detail::{Allergen, Detail};
pub use event::TripEvent;
pub use floor::Floor;
pub use gtin::{Gtin, Plu};
pub use id::{CartId, HoldId, IntentId, LaneId, LineId, Sku, StoreId, TripId, UnixMillis};
pub use money::{Currency, Money};
pub use pairing::Member;
pub use pricing::Totals;
pub use quantity::{Grams, Quantity};
pub use state::{Phase, TripState};
