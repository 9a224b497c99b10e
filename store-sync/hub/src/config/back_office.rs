//! Who is told of trips, payments and receipts.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::back_office::Address;

/// Who is told of trips, payments and receipts.
#[derive(Clone, Debug)]
pub struct BackOfficeConfig {
    /// Where it listens.
    pub address: Address,
    /// The certificates of its authority, PEM; `None` for those that this machine knows.
    pub authority: Option<PathBuf>,
    /// How long an answer may take, connecting and sending included.
    pub answer_within: Duration,
    /// How old a message may grow, in seconds, before staff are told.
    pub alarm_after_s: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct BackOfficeFile {
    url: String,
    authority: Option<PathBuf>,
    #[serde(default = "office_answers_within_s")]
    answer_within_s: u32,
    #[serde(default = "alarm_after_s")]
    alarm_after_s: u32,
}

/// Who takes a batch in writes it down first, which may take a while; longer would be slower than to send it again.
fn office_answers_within_s() -> u32 {
    30
}

/// Shorter than a day's end is late, longer than a restart takes.
fn alarm_after_s() -> u32 {
    60 * 60
}

/// Checks the section.
pub(super) fn check(file: BackOfficeFile, folder: &Path) -> Result<BackOfficeConfig, String> {
    let address = Address::parse(&file.url).ok_or_else(|| {
        format!("[back_office] url is \"{}\"; expected https://host/path, or http:// with a loopback address", file.url)
    })?;
    if !(1..=300).contains(&file.answer_within_s) {
        return Err(format!("[back_office] answer_within_s is {}; expected 1 to 300", file.answer_within_s));
    }
    if !(1..=604_800).contains(&file.alarm_after_s) {
        return Err(format!("[back_office] alarm_after_s is {}; expected 1 to 604800", file.alarm_after_s));
    }
    Ok(BackOfficeConfig {
        address,
        authority: file.authority.map(|path| folder.join(path)),
        answer_within: Duration::from_secs(file.answer_within_s.into()),
        alarm_after_s: file.alarm_after_s,
    })
}
