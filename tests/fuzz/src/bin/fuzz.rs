//! The fuzzer: the target that `TRUNDLE_FUZZ` names, under libFuzzer, whose options are its own.
#![no_main]

use std::sync::LazyLock;

use fuzz::Target;

static TARGET: LazyLock<&'static Target> = LazyLock::new(|| {
    let name = std::env::var("TRUNDLE_FUZZ").unwrap_or_default();
    fuzz::target(&name).unwrap_or_else(|| {
        eprintln!("TRUNDLE_FUZZ names no target: \"{name}\"; ./trundle fuzz runs all of them");
        std::process::exit(2)
    })
});

libfuzzer_sys::fuzz_target!(|data: &[u8]| (TARGET.check)(data));
