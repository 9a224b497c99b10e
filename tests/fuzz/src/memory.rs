//! Memory that a reader may take: a multiple of what it is given, and no more.

use std::sync::{Mutex, PoisonError};

use crate::ALLOCATOR;

/// What any reader may take for an empty input: tables, regular sizes of buffers.
const BASE: usize = 4 * 1024 * 1024;
/// What it may take more for each byte. A TOML document holds some hundred bytes for each of its own.
const A_BYTE: usize = 512;

/// Runs `work`, which may take no more memory than `input` allows. Beyond it the process aborts with "memory
/// allocation of … bytes failed", which the fuzzer keeps as any other fault.
pub(crate) fn bounded<T>(input: &[u8], work: impl FnOnce() -> T) -> T {
    // One at a time: the count is the whole program's.
    static ONE: Mutex<()> = Mutex::new(());
    let _one = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let most = BASE + A_BYTE * input.len();
    limit(ALLOCATOR.allocated() + most);
    let done = work();
    limit(usize::MAX);
    done
}

fn limit(bytes: usize) {
    assert!(ALLOCATOR.set_limit(bytes).is_ok(), "more is in use already");
}
