//! Staff mode: behind a PIN, on the cart's own screen.
//!
//! ```text
//! devices' threads ─► Instruments ─┐
//! trip's thread ─► View, Tape ─────┤► Desk (a thread of its own) ─► StaffView ─► screen
//!                  screen ── Ask ──┘
//! ```
//!
//! The [`desk`] is the one owner of what staff do: it takes an [`Ask`] at a time, does what takes long (a hash,
//! a file, a model) on its own thread, and hands out whole [`StaffView`]s. The screen draws and asks, and never
//! waits. What can be decided without a device or a file is in plain types: [`calibrate`], [`pin`],
//! [`instruments::rest_at`], [`diagnose`].
//!
//! **The trip goes on underneath.** The core hears every weight, look and code while staff look, and decides as
//! always: what staff put in while a shopper's trip is on is asked about and held, and never charged. So that
//! no basket weighs otherwise than before, the scale is calibrated, products are enrolled and recordings begun
//! only while no trip is on. Staff mode does not open while a payment is under way, and closes when one begins.
//!
//! Frames are kept only while staff mode is open, one a camera, in memory. A recording keeps them, is begun by
//! staff alone, and is deleted by them.

pub mod calibrate;
pub mod calibration;
pub mod desk;
pub mod diagnose;
pub mod enrolling;
pub mod instruments;
pub mod log;
pub mod pin;
pub mod place;
pub mod recordings;
pub mod set_pin;
pub mod view;

pub use desk::{Desk, DeskHandle, trip_runs};
pub use place::{Facts, Place};
pub use view::{Ask, PageKind, StaffView};
