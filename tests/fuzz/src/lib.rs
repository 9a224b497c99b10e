//! What every reader of foreign bytes must hold, whatever the bytes.
//!
//! In: bytes that somebody else chose: a code on a pack, a payload on the line, a file, a terminal's answer. Each
//! [`Target`] reads them with the code that the cart and the hub read them with, and asserts more than that
//! nothing panics: what was read and written again is the same, what is refused is refused whole and with a
//! reason, nothing overflows, and no input makes the reader take memory beyond a small multiple of its length.
//!
//! The same checks run in two ways. `cargo test` runs them once on every file of `corpora/`. `./trundle fuzz`
//! runs them under libFuzzer, which makes new inputs from those files and keeps what reaches new code.
//!
//! libFuzzer and not cargo-fuzz: that command asks for the nightly compiler, because it adds the address
//! sanitizer, and Trundle's own code has no `unsafe` for that one to watch. The coverage counters alone are plain
//! flags of the stable compiler (`-Cpasses=sancov-module`), so the fuzzer is built by the compiler that builds the
//! cart. AFL runs on stable too, but starts a process for each few thousand inputs and wants its own runtime.
//!
//! Deliberately absent: anything that reads a picture or a device; those have their own damage tests.

use std::alloc::System;

use cap::Cap;

mod catalogue;
mod code;
mod config;
mod down;
mod memory;
mod nexo;
mod record;
mod sample;
mod up;
pub mod words;

/// Counts what is allocated, so that [`memory`] can bound it.
#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

/// One reader, and what must hold of it.
pub struct Target {
    /// Its name, and its folder in `corpora/`.
    pub name: &'static str,
    /// Asserts what must hold for these bytes.
    pub check: fn(&[u8]),
    /// Inputs to begin with, by name: whole and right ones, made from the real types.
    pub seeds: fn() -> Vec<(&'static str, Vec<u8>)>,
    /// Inputs are no longer than this, in bytes.
    pub longest: usize,
}

/// All of them.
pub const TARGETS: [Target; 7] = [
    Target { name: "code", check: code::check, seeds: code::seeds, longest: 512 },
    Target { name: "up", check: up::check, seeds: up::seeds, longest: 8_192 },
    Target { name: "down", check: down::check, seeds: down::seeds, longest: 4_096 },
    Target { name: "record", check: record::check, seeds: record::seeds, longest: 8_192 },
    Target { name: "config", check: config::check, seeds: config::seeds, longest: 4_096 },
    Target { name: "catalogue", check: catalogue::check, seeds: catalogue::seeds, longest: 8_192 },
    Target { name: "nexo", check: nexo::check, seeds: nexo::seeds, longest: 4_096 },
];

/// The target of this name.
pub fn target(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}
