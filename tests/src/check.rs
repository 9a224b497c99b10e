//! What is true after every trip, whatever happened on the way. Each checker reads the files that the
//! programs left: the cart's journal and receipts, the hub's database, the terminal's own log.

use std::path::Path;

use anyhow::{Context, ensure};
use rusqlite::{Connection, OpenFlags};
use trip::{Hash, Record, TripEvent, chain::Head};

pub mod hub_has_journal;
pub mod one_charge;
pub mod receipt_equals_journal;

use crate::place::Folders;

/// All invariants.
///
/// # Errors
/// The first that does not hold, and what was found.
pub fn all(folders: &Folders) -> anyhow::Result<()> {
    one_charge::check(folders).context("one charge a trip")?;
    receipt_equals_journal::check(folders).context("the receipt is the journal's basket")?;
    hub_has_journal::check(folders).context("the hub has the journal")
}

/// The records of the cart's journal as they are stored, oldest first, their chain checked.
///
/// # Errors
/// When the journal cannot be read or its chain does not hold.
pub fn journal(folders: &Folders) -> anyhow::Result<Vec<(Record, String)>> {
    let db = open(&folders.journal())?;
    let mut rows = db.prepare("SELECT bytes FROM record ORDER BY seq")?;
    let texts: Vec<String> = rows.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let mut head = Head { seq: 0, hash: Hash::GENESIS };
    texts
        .into_iter()
        .map(|text| {
            let (record, next) = head.follow(&text).context("the journal's chain")?;
            head = next;
            Ok((record, text))
        })
        .collect()
}

/// The events of the cart's journal.
///
/// # Errors
/// As [`journal`].
pub fn events(folders: &Folders) -> anyhow::Result<Vec<TripEvent>> {
    Ok(journal(folders)?.into_iter().map(|(record, _)| record.event).collect())
}

/// A database of a program that may be running.
fn open(path: &Path) -> anyhow::Result<Connection> {
    ensure!(path.is_file(), "{} is not there", path.display());
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).with_context(|| path.display().to_string())?;
    db.busy_timeout(std::time::Duration::from_secs(5))?;
    Ok(db)
}
