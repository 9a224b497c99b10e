//! The journal as the line sees it.

use rusqlite::Connection;
use store_sync::JournalError;
use trip::Hash;
use trip::chain::Head;
use trip::journal::floor_after;
use trip::message::Ack;

use super::{floor, meta};

/// Reads what is to be sent, notes what the hub has.
#[derive(Debug)]
pub struct LineJournal {
    pub(super) db: Connection,
    pub(super) epoch: u64,
}

impl LineJournal {
    /// Drops what the hub has committed of trips that are over.
    fn compact(&mut self, acked: u64) -> rusqlite::Result<()> {
        let tx = self.db.transaction()?;
        let seq = floor_after(acked, floor::newest_trip(&tx)?);
        if let Some(bytes) = floor::record(&tx, seq)? {
            floor::raise(&tx, Head { seq, hash: Hash::of(bytes.as_bytes()) })?;
        }
        tx.commit()
    }
}

fn line_error(e: rusqlite::Error) -> JournalError {
    JournalError(e.to_string())
}

impl store_sync::Journal for LineJournal {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn ends(&mut self) -> Result<(u64, u64), JournalError> {
        let last: i64 =
            self.db.query_row("SELECT COALESCE(MAX(seq), 0) FROM record", [], |row| row.get(0)).map_err(line_error)?;
        let floor = meta::number(&self.db, "floor_seq").map_err(line_error)?;
        let acked = meta::number(&self.db, "acked").map_err(line_error)?;
        Ok(((last as u64).max(floor), acked))
    }

    fn records(&mut self, first: u64, last: u64) -> Result<Vec<String>, JournalError> {
        let mut rows =
            self.db.prepare("SELECT bytes FROM record WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq").map_err(line_error)?;
        let rows = rows.query_map([first as i64, last as i64], |row| row.get(0)).map_err(line_error)?;
        rows.collect::<rusqlite::Result<_>>().map_err(line_error)
    }

    fn free(&mut self, ack: &Ack) -> Result<(), JournalError> {
        meta::set(&self.db, "acked", &ack.head.seq.to_string()).map_err(line_error)?;
        self.compact(ack.head.seq).map_err(line_error)
    }
}
