//! Generated trips: seeded shoppers who shop as people do, and the count of what the cart made of it.
//!
//! A [`Plan`] is made from a seed: things put in alone, by two, one under another or into a bag of the
//! shopper's own, with or without their codes; taken out, swapped, rummaged among; and people who
//! lean on the cart, push it over bumps and stop on slopes meanwhile. An [`outing`] plays it in the
//! simulated world with the real cart program in virtual time: frames are rendered and really
//! recognised, the scale is a load cell with its failings. What is really in the basket never reaches
//! the cart: a [`shopper`] touches only what the screen offers, truthfully. A [`ledger`] holds truth and
//! journal side by side; its [`Figures`] are the confusion of the whole.
//!
//! What a thing weighs: a pack, what the catalogue says, and off by its filling's tolerance; loose
//! produce, as many pieces as people take, each drawn from the range of its kind ([`mass`]), which is
//! not what the catalogue believes.

pub mod dice;
pub mod figures;
pub mod ledger;
pub mod mass;
pub mod outing;
pub mod plan;
pub mod shelf;
pub mod shopper;

pub use dice::Dice;
pub use figures::Figures;
pub use outing::{Outing, Store};
pub use plan::Plan;
pub use shelf::Shelf;
