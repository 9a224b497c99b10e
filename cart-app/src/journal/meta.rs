//! Values beside the records, by key; overwritten.

use rusqlite::{Connection, OptionalExtension};

pub(super) fn get(db: &Connection, key: &str) -> rusqlite::Result<Option<String>> {
    db.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()
}

pub(super) fn set(db: &Connection, key: &str, value: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
    db.execute(sql, [key, value]).map(drop)
}

/// A number; 0 when it was never set, or is none.
pub(super) fn number(db: &Connection, key: &str) -> rusqlite::Result<u64> {
    Ok(get(db, key)?.and_then(|text| text.parse().ok()).unwrap_or(0))
}
