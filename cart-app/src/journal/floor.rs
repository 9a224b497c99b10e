//! The floor: the last record that was dropped. Its number and digest stay, so that the chain stays whole.

use rusqlite::{Connection, OptionalExtension, params};
use trip::chain::Head;

use super::meta;

/// How an encoded record begins a trip.
const BEGINS: &str = "%\"event\":{\"what\":\"trip_started\"%";

/// The record that began the newest trip; 0 when there is none.
pub(super) fn newest_trip(db: &Connection) -> rusqlite::Result<u64> {
    let sql = "SELECT COALESCE(MAX(seq), 0) FROM record WHERE bytes LIKE ?1";
    db.query_row(sql, [BEGINS], |row| row.get::<_, i64>(0)).map(|seq| seq as u64)
}

/// A record, as it is encoded.
pub(super) fn record(db: &Connection, seq: u64) -> rusqlite::Result<Option<String>> {
    db.query_row("SELECT bytes FROM record WHERE seq = ?1", [seq as i64], |row| row.get(0)).optional()
}

/// Drops all records up to `floor`, in the caller's transaction. The trips that were begun in them still count.
pub(super) fn raise(db: &Connection, floor: Head) -> rusqlite::Result<()> {
    let sql = "SELECT COUNT(*) FROM record WHERE seq <= ?1 AND bytes LIKE ?2";
    let gone: i64 = db.query_row(sql, params![floor.seq as i64, BEGINS], |row| row.get(0))?;
    let trips = meta::number(db, "trips")? + gone as u64;
    meta::set(db, "floor_seq", &floor.seq.to_string())?;
    meta::set(db, "floor_hash", &floor.hash.to_string())?;
    meta::set(db, "trips", &trips.to_string())?;
    db.execute("DELETE FROM record WHERE seq <= ?1", [floor.seq as i64]).map(drop)
}
