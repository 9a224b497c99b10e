//! Copies of files with a fault in them.

use std::path::Path;

use anyhow::Context;

/// Writes the first `share` of `from` to `to`.
///
/// # Errors
/// When a file cannot be read or written.
pub fn cut_short(from: &Path, to: &Path, share: f64) -> anyhow::Result<()> {
    let bytes = read(from)?;
    write(to, &bytes[..(bytes.len() as f64 * share) as usize])
}

/// Writes `from` to `to` with the byte at `at` changed in one bit.
///
/// # Errors
/// As [`cut_short`].
pub fn one_bit_off(from: &Path, to: &Path, at: usize) -> anyhow::Result<()> {
    let mut bytes = read(from)?;
    let byte = bytes.get_mut(at).with_context(|| format!("{} is shorter than {at}", from.display()))?;
    *byte ^= 1;
    write(to, &bytes)
}

fn read(path: &Path) -> anyhow::Result<Vec<u8>> {
    std::fs::read(path).with_context(|| path.display().to_string())
}

fn write(path: &Path, bytes: &[u8]) -> anyhow::Result<()> {
    std::fs::write(path, bytes).with_context(|| path.display().to_string())
}
