//! What an ended trip leaves on the cart, and for how long: until the next trip begins or ten minutes have passed,
//! whichever comes first, and never before the hub has it all. Then records, receipt and list are wiped, not only
//! unlinked: the journal overwrites what it deletes and empties its log.
//!
//! Frames are not among it: they are on no disk, but where staff record a trip by hand. A journal that was
//! set aside because it was damaged is kept for staff.

use std::path::Path;
use std::time::Duration;

use hal::Moment;

/// Long enough for a shopper to come back to the receipt on the screen.
pub const KEEP: Duration = Duration::from_secs(10 * 60);
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

#[cfg(test)]
mod tests {
    use super::*;

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
