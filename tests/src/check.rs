//! What is true after every trip, whatever happened on the way: the simulator's own promises, asked of the files
//! that the real programs left.

use anyhow::{Context, anyhow};
use simulator::check::one_payment::OnePayment;
use simulator::check::receipts::Receipts;
use simulator::check::{self, Check};
use simulator::remains::{CartRemains, Remains};
use trip::{Record, TripEvent};

use crate::place::Folders;
use crate::remains;

pub use crate::remains::Transaction;

/// All of them.
///
/// # Errors
/// The first that does not hold, and what was found.
pub fn all(folders: &Folders) -> anyhow::Result<()> {
    check::remains(&read(folders)?).map_err(|why| anyhow!(why))
}

/// Those about money alone: they hold at any moment, also in the middle of a trip.
///
/// # Errors
/// As [`all`].
pub fn money(folders: &Folders) -> anyhow::Result<()> {
    let remains = read(folders)?;
    OnePayment.end(&remains).and_then(|()| Receipts.end(&remains)).map_err(|why| anyhow!(why))
}

fn read(folders: &Folders) -> anyhow::Result<Remains> {
    let cart = remains::cart(&folders.cart)?;
    remains::read(&folders.data.join("hub"), &[folders.terminal_log()], vec![cart], &folders.catalogue)
}

/// The records of the cart's journal as they are stored, oldest first, their chain checked.
///
/// # Errors
/// When the journal cannot be read or its chain does not hold.
pub fn journal(folders: &Folders) -> anyhow::Result<Vec<(Record, String)>> {
    let CartRemains { written, .. } = remains::cart(&folders.cart)?;
    let records = written.into_values();
    records.map(|text| Ok((serde_json::from_str(&text).context("a record")?, text))).collect()
}

/// The events of the cart's journal.
///
/// # Errors
/// As [`journal`].
pub fn events(folders: &Folders) -> anyhow::Result<Vec<TripEvent>> {
    Ok(journal(folders)?.into_iter().map(|(record, _)| record.event).collect())
}

/// The transactions in the terminal's log as they stand.
///
/// # Errors
/// When it cannot be read.
pub fn terminal_log(folders: &Folders) -> anyhow::Result<Vec<Transaction>> {
    remains::terminal_log(&folders.terminal_log())
}
