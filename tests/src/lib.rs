//! What whole-system tests share: the built programs, a store of their own each, and the checkers.
//!
//! The tests start the real programs as processes and meet them as the world does: by their command
//! lines, their files, their sockets. A [`place::Place`] is one store with one cart in a folder of
//! its own; [`check`] asks the promises of the simulator, which are true after every trip whatever happened on the way,
//! of the files that are left ([`remains`]). [`crowd`] is two hundred carts as the hub sees them; [`rig`] breaks real
//! processes. [`generate`] makes trips of its own from a seed and counts what the cart made of them.

pub mod browser;
pub mod check;
pub mod crowd;
pub mod display;
pub mod generate;
pub mod glass;
pub mod place;
pub mod process;
pub mod remains;
pub mod rig;
pub mod script;
pub mod tampered;
