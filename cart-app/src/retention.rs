//! What an ended trip leaves on the cart, and for how long: until the next trip begins or ten minutes have passed,
//! whichever comes first, and never before the hub has it all. Then records, receipt and list are wiped, not only
//! unlinked: the journal overwrites what it deletes and empties its log.
//!
//! Frames are not among it: they are on no disk, but where staff record a trip by hand. A journal that was
//! set aside because it was damaged is kept for staff for a week ([`forget_damaged`]).

use std::io::Write;
use std::path::Path;
use std::time::{Duration, SystemTime};

use hal::Moment;

use crate::journal::DAMAGED;

/// Long enough for a shopper to come back to the receipt on the screen.
pub const KEEP: Duration = Duration::from_secs(10 * 60);
/// Long enough for staff to look at a cart that found its journal damaged.
const KEEP_DAMAGED: Duration = Duration::from_secs(7 * 24 * 60 * 60);
/// While the hub does not have all of it, it is looked at again after this.
const AGAIN: Duration = Duration::from_secs(30);

/// When the next wipe is due.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Retention {
    /// A trip is on, or nothing has been looked at yet.
    #[default]
    InTrip,
    /// No trip is on; what the last one left is to go then.
    Until(Moment),
    /// Nothing is left.
    Clean,
}

impl Retention {
    /// True when what the last trip left is to be wiped now. `in_trip` says whether one is on.
    pub fn due(&mut self, in_trip: bool, now: Moment) -> bool {
        match *self {
            _ if in_trip => {
                *self = Self::InTrip;
                false
            }
            Self::InTrip => {
                *self = Self::Until(now + KEEP);
                false
            }
            Self::Until(moment) => now >= moment,
            Self::Clean => false,
        }
    }

    /// It was wiped, or (`false`) the hub does not have all of it yet.
    pub fn wiped(&mut self, done: bool, now: Moment) {
        *self = if done { Self::Clean } else { Self::Until(now + AGAIN) };
    }
}

/// Removes the receipts in `folder`.
///
/// # Errors
/// The first that cannot be removed.
pub fn remove_receipts(folder: &Path) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|e| e == "cose" || e == "partial") {
            std::fs::remove_file(path)?;
        }
    }
    std::fs::File::open(folder)?.sync_all()
}

/// Overwrites and removes the journals in `folder` that were set aside as damaged a week before `now`.
///
/// # Errors
/// The first that cannot be removed.
pub fn forget_damaged(folder: &Path, now: SystemTime) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let (entry, meta) = entry.and_then(|entry| entry.metadata().map(|meta| (entry, meta)))?;
        let damaged = entry.file_name().to_string_lossy().starts_with(DAMAGED);
        // One from the future stays: the clock is wrong, or was.
        let old = now.duration_since(meta.modified()?).is_ok_and(|age| age > KEEP_DAMAGED);
        if damaged && old {
            let mut file = std::fs::File::options().write(true).open(entry.path())?;
            let zeros = [0; 16 * 1024];
            let mut left = meta.len();
            while left > 0 {
                let piece = left.min(zeros.len() as u64);
                file.write_all(&zeros[..piece as usize])?;
                left -= piece;
            }
            file.sync_all()?;
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_journal_is_kept_for_a_week_and_then_gone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        for name in ["journal-damaged-7.sqlite", "journal-damaged-7.sqlite-wal", "journal.sqlite"] {
            std::fs::write(path(name), "a trip").expect("written");
        }
        let after = |days: u64| SystemTime::now() + Duration::from_secs(days * 24 * 60 * 60);
        forget_damaged(folder.path(), after(6)).expect("nothing to do");
        assert!(path("journal-damaged-7.sqlite").exists());
        forget_damaged(folder.path(), after(8)).expect("removed");
        assert!(!path("journal-damaged-7.sqlite").exists() && !path("journal-damaged-7.sqlite-wal").exists());
        assert!(path("journal.sqlite").exists(), "the cart's own journal has its own time");
    }

    #[test]
    fn what_a_trip_left_goes_after_a_while_and_not_while_one_is_on() {
        let at = |s: u64| Moment::from_millis(s * 1_000);
        let mut retention = Retention::default();
        assert!(!retention.due(true, at(0)));
        assert!(!retention.due(false, at(100)), "the trip has just ended");
        assert!(!retention.due(false, at(699)));
        assert!(retention.due(false, at(700)));
        retention.wiped(false, at(700));
        assert!(!retention.due(false, at(729)) && retention.due(false, at(730)), "the hub has it now");
        retention.wiped(true, at(730));
        assert!(!retention.due(false, at(9_000)), "once is enough");
        assert!(!retention.due(true, at(9_001)) && !retention.due(false, at(9_100)));
        assert!(retention.due(false, at(9_700)), "and again after the next trip");
    }
}
