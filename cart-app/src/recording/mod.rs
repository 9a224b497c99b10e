//! A recorded trip: everything that reached the cart's program, and what it made of it.
//!
//! The file's form is `hal`'s ([`hal::recording`]): frames, weights and motion to the bit. In its notes
//! ([`note`]) lie how the cart began, everything else the trip's thread took (looks, codes, touches,
//! the hub's words) in its order and with its times, the events that came of it, and, when a trip is
//! generated, the truth. A [`Recorder`] writes it; [`replay`] plays it again and compares the events.
//!
//! **Frames show people's hands and what they buy: they are personal data.** A cart records only when
//! staff start it, with `cart run --record FILE` or in staff mode ([`tape`]), and the file is for its owner's eyes only. Nothing
//! else writes one, nothing sends it anywhere, and whoever asked for it must delete it.

pub mod command;
pub mod note;
pub mod quota;
pub mod recorder;
pub mod replay;
pub mod rewind;
pub mod tape;

pub use note::{Begin, Note, Taken};
pub use recorder::Recorder;
pub use replay::{Difference, Replayed, replay};
pub use rewind::{Standing, rewind};
