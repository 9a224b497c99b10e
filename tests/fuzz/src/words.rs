//! The words that inputs of a target are made of, as a dictionary for libFuzzer: it then swaps whole keys and
//! values where flipping bytes would seldom make one.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::Target;

/// The longest word that is kept, in bytes.
const LONGEST: usize = 40;

/// Every word of the seeds, one a line, in the form of libFuzzer's dictionaries.
pub fn of(target: &Target) -> String {
    let mut words = BTreeSet::new();
    for (_, seed) in (target.seeds)() {
        let text = String::from_utf8_lossy(&seed).replace('\\', "");
        let parts = text.split(|c: char| !(c.is_alphanumeric() || "_-.".contains(c)));
        words.extend(parts.filter(|word| (2..=LONGEST).contains(&word.len())).map(str::to_owned));
    }
    words.extend(
        ["[", "]", "{", "}", "null", "true", "false", "-1", "4294967295", "9223372036854775807", "1e308"]
            .map(String::from),
    );
    let mut text = String::new();
    for word in words {
        let escaped: String = word.bytes().map(|b| format!("\\x{b:02X}")).collect();
        let _ = writeln!(text, "\"{escaped}\"");
    }
    text
}
