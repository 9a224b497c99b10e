//! [`Storage`] in one SQLite file: WAL and `synchronous=FULL`, because a commit that was acked must
//! survive a power cut (measured: FULL kept 300 of 300, NORMAL none).

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, ToSql, Transaction, params};
use serde::Serialize;
use serde::de::DeserializeOwned;
use trip::chain::Head;
use trip::{CartId, Hash, IntentId, TripId, UnixMillis};

use super::{
    CartRow, CommandRow, FenceRow, GateRow, MOST_QUARANTINED, QuarantineRow, ReceiptRow, Storage, StoreError,
    StoreKind, TransferRow, TripRow, WordRow, Write, fenced,
};
use crate::intent::Intent;

/// What each form of the database adds to the one before; a file says how many of them it has. A step that has
/// been in a release is not changed: the next is put behind it.
const FORMS: [&str; 4] = [TABLES, FENCES, WORDS, TRANSFERS];

/// The unique index on live intents is the last guard of "one charge at most".
const TABLES: &str = "
CREATE TABLE record (
    cart TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, text TEXT NOT NULL,
    UNIQUE (cart, epoch, seq)
) STRICT;
CREATE TABLE head (
    cart TEXT NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL, hash TEXT NOT NULL,
    state TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (cart, epoch)
) STRICT;
CREATE TABLE trip (
    trip TEXT PRIMARY KEY, cart TEXT NOT NULL, epoch INTEGER NOT NULL, state TEXT NOT NULL,
    ending TEXT, at INTEGER NOT NULL,
    FOREIGN KEY (cart, epoch) REFERENCES head (cart, epoch) DEFERRABLE INITIALLY DEFERRED
) STRICT;
CREATE TABLE intent (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    trip TEXT NOT NULL REFERENCES trip (trip) DEFERRABLE INITIALLY DEFERRED,
    state TEXT NOT NULL, open INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX one_live_intent_a_trip ON intent (trip)
    WHERE state IN ('created', 'sent', 'unknown', 'approved');
CREATE INDEX open_intent ON intent (n) WHERE open = 1;
CREATE INDEX intent_by_trip ON intent (trip, n);
CREATE TABLE receipt (
    n INTEGER PRIMARY KEY, number TEXT NOT NULL UNIQUE, trip TEXT NOT NULL,
    intent TEXT NOT NULL UNIQUE REFERENCES intent (id) DEFERRABLE INITIALLY DEFERRED,
    at INTEGER NOT NULL, cose BLOB NOT NULL, digest TEXT NOT NULL, qr TEXT NOT NULL, void INTEGER NOT NULL
) STRICT;
CREATE TABLE command (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, cart TEXT NOT NULL, body TEXT NOT NULL, done INTEGER NOT NULL
) STRICT;
CREATE INDEX open_command ON command (n) WHERE done = 0;
CREATE TABLE gate (
    n INTEGER PRIMARY KEY, lane TEXT NOT NULL, intent TEXT NOT NULL, open INTEGER NOT NULL, at INTEGER NOT NULL
) STRICT;
CREATE TABLE quarantine (
    n INTEGER PRIMARY KEY, cart TEXT NOT NULL, digest TEXT NOT NULL UNIQUE, reason TEXT NOT NULL,
    payload BLOB NOT NULL, at INTEGER NOT NULL, times INTEGER NOT NULL
) STRICT;
CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;
";

const FENCES: &str = "CREATE TABLE fence (cart TEXT PRIMARY KEY, reason TEXT NOT NULL, at INTEGER NOT NULL) STRICT;";

const WORDS: &str = "CREATE TABLE word (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, body TEXT NOT NULL) STRICT;";

const TRANSFERS: &str = "
CREATE TABLE transfer (
    trip TEXT PRIMARY KEY REFERENCES trip (trip) DEFERRABLE INITIALLY DEFERRED, open INTEGER NOT NULL, body TEXT NOT NULL
) STRICT;
CREATE INDEX open_transfer ON transfer (trip) WHERE open = 1;
";

/// The hub's memory in one file.
#[derive(Debug)]
pub struct SqliteStore {
    path: String,
    db: Connection,
    /// Which opening this is; a later one fences it.
    generation: i64,
}

impl SqliteStore {
    /// Opens `path`, and makes it when it is not there.
    ///
    /// # Errors
    /// [`StoreError`] when the folder is missing, read-only or full, the file is no database, or
    /// it was made by a later program.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let name = path.display().to_string();
        let fail = |e: rusqlite::Error| error(&name, &e);
        let mut db = Connection::open(path).map_err(fail)?;
        db.busy_timeout(Duration::from_secs(5)).map_err(fail)?;
        db.pragma_update(None, "journal_mode", "WAL").map_err(fail)?;
        db.pragma_update(None, "synchronous", "FULL").map_err(fail)?;
        db.pragma_update(None, "foreign_keys", true).map_err(fail)?;
        let tx = db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate).map_err(fail)?;
        let version: i64 = tx.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(fail)?;
        let missing = missing(&name, version)?;
        missing.iter().try_for_each(|form| tx.execute_batch(form)).map_err(fail)?;
        tx.pragma_update(None, "user_version", FORMS.len() as i64).map_err(fail)?;
        put(&tx, &Write::Count(GENERATION)).map_err(fail)?;
        let generation = generation(&tx).map_err(fail)?;
        tx.commit().map_err(fail)?;
        Ok(Self { path: name, db, generation })
    }

    /// Opens `path` to be read beside the hub that has it: nothing is changed, no hub is fenced, and a commit is
    /// refused.
    ///
    /// # Errors
    /// [`StoreError`] when there is no such file, it is no hub's database, or it was made by a later program.
    pub fn read(path: &Path) -> Result<Self, StoreError> {
        let name = path.display().to_string();
        let fail = |e: rusqlite::Error| error(&name, &e);
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags).map_err(fail)?;
        db.busy_timeout(Duration::from_secs(5)).map_err(fail)?;
        let version: i64 = db.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(fail)?;
        if missing(&name, version)?.len() == FORMS.len() {
            let what = "is no hub's database; name the folder of a hub that has run".to_owned();
            return Err(StoreError { path: name, kind: StoreKind::Broken, what });
        }
        // Openings count from 1, so that this one is never the newest.
        Ok(Self { path: name, db, generation: 0 })
    }

    fn fail(&self, e: &rusqlite::Error) -> StoreError {
        error(&self.path, e)
    }

    fn all<T>(
        &self,
        sql: &str,
        args: &[&dyn ToSql],
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = || {
            let mut statement = self.db.prepare_cached(sql)?;
            statement.query_map(args, read)?.collect::<rusqlite::Result<Vec<T>>>()
        };
        rows().map_err(|e| self.fail(&e))
    }

    fn one<T>(
        &self,
        sql: &str,
        args: &[&dyn ToSql],
        read: impl FnMut(&Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.all(sql, args, read)?.into_iter().next())
    }
}

/// What a database of form `version` lacks.
fn missing(path: &str, version: i64) -> Result<&'static [&'static str], StoreError> {
    let forms: &'static [&'static str] = &FORMS;
    usize::try_from(version).ok().and_then(|version| forms.get(version..)).ok_or_else(|| {
        let known = forms.len();
        let what = format!("has form {version}, this program knows up to {known}; use a newer store-hub");
        StoreError { path: path.to_owned(), kind: StoreKind::Broken, what }
    })
}

fn error(path: &str, e: &rusqlite::Error) -> StoreError {
    let kind = match e.sqlite_error_code() {
        Some(ErrorCode::DiskFull | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => StoreKind::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => StoreKind::Busy,
        Some(ErrorCode::ConstraintViolation) => StoreKind::Conflict,
        _ => StoreKind::Broken,
    };
    let hint = match kind {
        StoreKind::Full => "; free some space, or make the folder writable",
        StoreKind::Busy => "; another program holds it",
        StoreKind::Behind | StoreKind::Conflict | StoreKind::Fenced | StoreKind::Broken => "",
    };
    StoreError { path: path.to_owned(), kind, what: format!("{e}{hint}") }
}

impl Storage for SqliteStore {
    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        let path = self.path.clone();
        let mut all = || {
            let tx = self.db.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
            if generation(&tx)? != self.generation {
                return Ok(false);
            }
            writes.iter().try_for_each(|write| put(&tx, write))?;
            tx.commit().map(|()| true)
        };
        match all() {
            Ok(true) => Ok(()),
            Ok(false) => Err(fenced(&path)),
            Err(e) => Err(error(&path, &e)),
        }
    }

    fn owned(&self) -> Result<(), StoreError> {
        if self.counter(GENERATION)? == self.generation as u64 { Ok(()) } else { Err(fenced(&self.path)) }
    }

    fn carts(&self) -> Result<Vec<CartRow>, StoreError> {
        let sql = "SELECT cart, epoch, seq, hash, state, at FROM head h
                   WHERE epoch = (SELECT max(epoch) FROM head WHERE cart = h.cart) ORDER BY cart";
        self.all(sql, &[], cart_row)
    }

    fn cart(&self, cart: &CartId, epoch: u64) -> Result<Option<CartRow>, StoreError> {
        let sql = "SELECT cart, epoch, seq, hash, state, at FROM head WHERE cart = ?1 AND epoch = ?2";
        self.one(sql, &[&cart.as_str(), &(epoch as i64)], cart_row)
    }

    fn record(&self, cart: &CartId, epoch: u64, seq: u64) -> Result<Option<String>, StoreError> {
        let sql = "SELECT text FROM record WHERE cart = ?1 AND epoch = ?2 AND seq = ?3";
        self.one(sql, &[&cart.as_str(), &(epoch as i64), &(seq as i64)], |row| row.get(0))
    }

    fn trip(&self, trip: &TripId) -> Result<Option<TripRow>, StoreError> {
        let sql = "SELECT trip, cart, epoch, state, ending, at FROM trip WHERE trip = ?1";
        self.one(sql, &[&trip.as_str()], |row| {
            let ending: Option<String> = row.get(4)?;
            Ok(TripRow {
                trip: name(row, 0)?,
                cart: name(row, 1)?,
                epoch: row.get::<_, i64>(2)? as u64,
                state: json(row, 3)?,
                ending: ending.map(|text| from_json(4, &text)).transpose()?,
                at: UnixMillis(row.get(5)?),
            })
        })
    }

    fn open_intents(&self) -> Result<Vec<Intent>, StoreError> {
        self.all("SELECT body FROM intent WHERE open = 1 ORDER BY n", &[], |row| json(row, 0))
    }

    fn intent(&self, id: &IntentId) -> Result<Option<Intent>, StoreError> {
        self.one("SELECT body FROM intent WHERE id = ?1", &[&id.as_str()], |row| json(row, 0))
    }

    fn intents(&self, trip: &TripId) -> Result<Vec<Intent>, StoreError> {
        self.all("SELECT body FROM intent WHERE trip = ?1 ORDER BY n", &[&trip.as_str()], |row| json(row, 0))
    }

    fn intents_between(&self, from: UnixMillis, until: UnixMillis) -> Result<Vec<Intent>, StoreError> {
        // Once a day, so without an index that every payment would have to keep.
        let sql = "SELECT body FROM intent
                   WHERE json_extract(body, '$.created_at') >= ?1 AND json_extract(body, '$.created_at') < ?2 ORDER BY n";
        self.all(sql, &[&from.0, &until.0], |row| json(row, 0))
    }

    fn receipts(&self, limit: u32) -> Result<Vec<ReceiptRow>, StoreError> {
        let sql = "SELECT number, trip, intent, at, cose, digest, qr, void FROM receipt ORDER BY n DESC LIMIT ?1";
        self.all(sql, &[&limit], receipt_row)
    }

    fn receipt_of(&self, intent: &IntentId) -> Result<Option<ReceiptRow>, StoreError> {
        let sql = "SELECT number, trip, intent, at, cose, digest, qr, void FROM receipt WHERE intent = ?1";
        self.one(sql, &[&intent.as_str()], receipt_row)
    }

    fn open_commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        self.all("SELECT cart, body FROM command WHERE done = 0 ORDER BY n", &[], |row| {
            Ok(CommandRow { cart: name(row, 0)?, command: json(row, 1)? })
        })
    }

    fn gates(&self) -> Result<Vec<GateRow>, StoreError> {
        let sql =
            "SELECT lane, intent, open, at FROM gate WHERE n IN (SELECT max(n) FROM gate GROUP BY lane) ORDER BY lane";
        self.all(sql, &[], |row| {
            Ok(GateRow { lane: name(row, 0)?, intent: name(row, 1)?, open: row.get(2)?, at: UnixMillis(row.get(3)?) })
        })
    }

    fn fences(&self) -> Result<Vec<FenceRow>, StoreError> {
        self.all("SELECT cart, reason, at FROM fence ORDER BY cart", &[], |row| {
            Ok(FenceRow { cart: name(row, 0)?, reason: row.get(1)?, at: UnixMillis(row.get(2)?) })
        })
    }

    fn words(&self, limit: u32) -> Result<Vec<WordRow>, StoreError> {
        self.all("SELECT seq, at, body FROM word ORDER BY seq LIMIT ?1", &[&limit], |row| {
            Ok(WordRow { seq: row.get::<_, i64>(0)? as u64, at: UnixMillis(row.get(1)?), body: row.get(2)? })
        })
    }

    fn transfer(&self, trip: &TripId) -> Result<Option<TransferRow>, StoreError> {
        self.one("SELECT body FROM transfer WHERE trip = ?1", &[&trip.as_str()], |row| json(row, 0))
    }

    fn open_transfers(&self) -> Result<Vec<TransferRow>, StoreError> {
        self.all("SELECT body FROM transfer WHERE open = 1 ORDER BY trip", &[], |row| json(row, 0))
    }

    fn counter(&self, name: &str) -> Result<u64, StoreError> {
        let value: Option<i64> = self
            .db
            .query_row("SELECT value FROM counter WHERE name = ?1", [name], |row| row.get(0))
            .optional()
            .map_err(|e| self.fail(&e))?;
        Ok(value.unwrap_or(0) as u64)
    }

    fn quarantine(&self, limit: u32) -> Result<Vec<QuarantineRow>, StoreError> {
        let sql = "SELECT cart, digest, reason, payload, at FROM quarantine ORDER BY n DESC LIMIT ?1";
        self.all(sql, &[&limit], |row| {
            Ok(QuarantineRow {
                cart: name(row, 0)?,
                digest: name(row, 1)?,
                reason: row.get(2)?,
                payload: row.get(3)?,
                at: UnixMillis(row.get(4)?),
            })
        })
    }
}

/// The counter of openings.
const GENERATION: &str = "generation";

fn generation(tx: &Transaction<'_>) -> rusqlite::Result<i64> {
    tx.query_row("SELECT value FROM counter WHERE name = ?1", [GENERATION], |row| row.get(0))
}

fn put(tx: &Transaction<'_>, write: &Write) -> rusqlite::Result<()> {
    match write {
        Write::Record { cart, epoch, seq, text } => tx
            .prepare_cached("INSERT INTO record VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![cart.as_str(), *epoch as i64, *seq as i64, text]),
        Write::Cart(row) => tx
            .prepare_cached(
                "INSERT INTO head VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (cart, epoch)
                 DO UPDATE SET seq = excluded.seq, hash = excluded.hash, state = excluded.state, at = excluded.at",
            )?
            .execute(params![row.cart.as_str(), row.epoch as i64, row.head.seq as i64, row.head.hash.to_string(), to_json(&row.state)?, row.at.0]),
        Write::Trip(row) => tx
            .prepare_cached(
                "INSERT INTO trip VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (trip)
                 DO UPDATE SET state = excluded.state, ending = excluded.ending, at = excluded.at",
            )?
            .execute(params![row.trip.as_str(), row.cart.as_str(), row.epoch as i64, to_json(&row.state)?, row.ending.map(|e| to_json(&e)).transpose()?, row.at.0]),
        Write::Intent(intent) => tx
            .prepare_cached(
                "INSERT INTO intent (id, trip, state, open, body) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id)
                 DO UPDATE SET state = excluded.state, open = excluded.open, body = excluded.body",
            )?
            .execute(params![intent.id.as_str(), intent.trip.as_str(), intent.state.word(), intent.open(), to_json(intent)?]),
        Write::Receipt(row) => tx
            .prepare_cached(
                "INSERT INTO receipt (number, trip, intent, at, cose, digest, qr, void) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
                 ON CONFLICT (number) DO UPDATE SET void = excluded.void",
            )?
            .execute(params![row.number, row.trip.as_str(), row.intent.as_str(), row.at.0, row.cose, row.digest.to_string(), row.qr, row.void]),
        Write::Command(row) => tx
            .prepare_cached("INSERT INTO command (id, cart, body, done) VALUES (?1, ?2, ?3, 0) ON CONFLICT (id) DO NOTHING")?
            .execute(params![row.command.id, row.cart.as_str(), to_json(&row.command)?]),
        Write::CommandDone(id) => tx.prepare_cached("UPDATE command SET done = 1 WHERE id = ?1")?.execute([id]),
        Write::Gate(row) => tx
            .prepare_cached("INSERT INTO gate (lane, intent, open, at) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![row.lane.as_str(), row.intent.as_str(), row.open, row.at.0]),
        Write::Quarantine(row) => {
            tx.prepare_cached(
                "INSERT INTO quarantine (cart, digest, reason, payload, at, times) VALUES (?1, ?2, ?3, ?4, ?5, 1)
                 ON CONFLICT (digest) DO UPDATE SET times = times + 1",
            )?
            .execute(params![row.cart.as_str(), row.digest.to_string(), row.reason, row.payload, row.at.0])?;
            tx.execute("DELETE FROM quarantine WHERE n <= (SELECT max(n) FROM quarantine) - ?1", [MOST_QUARANTINED as i64])
        }
        Write::Fence(row) => tx
            .prepare_cached("INSERT INTO fence VALUES (?1, ?2, ?3) ON CONFLICT (cart) DO NOTHING")?
            .execute(params![row.cart.as_str(), row.reason, row.at.0]),
        Write::FenceLifted(cart) => tx.prepare_cached("DELETE FROM fence WHERE cart = ?1")?.execute([cart.as_str()]),
        Write::Word(row) => tx
            .prepare_cached("INSERT INTO word (seq, at, body) VALUES (?1, ?2, ?3)")?
            .execute(params![row.seq as i64, row.at.0, row.body]),
        Write::WordsTaken { up_to } => {
            tx.prepare_cached("DELETE FROM word WHERE seq <= ?1")?.execute([*up_to as i64])
        }
        Write::Transfer(row) => tx
            .prepare_cached(
                "INSERT INTO transfer VALUES (?1, ?2, ?3) ON CONFLICT (trip)
                 DO UPDATE SET open = excluded.open, body = excluded.body",
            )?
            .execute(params![row.trip.as_str(), row.open(), to_json(row)?]),
        Write::Count(name) => tx
            .prepare_cached("INSERT INTO counter VALUES (?1, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1")?
            .execute([name]),
    }?;
    Ok(())
}

fn cart_row(row: &Row<'_>) -> rusqlite::Result<CartRow> {
    let hash: Hash = name(row, 3)?;
    Ok(CartRow {
        cart: name(row, 0)?,
        epoch: row.get::<_, i64>(1)? as u64,
        head: Head { seq: row.get::<_, i64>(2)? as u64, hash },
        state: json(row, 4)?,
        at: UnixMillis(row.get(5)?),
    })
}

fn receipt_row(row: &Row<'_>) -> rusqlite::Result<ReceiptRow> {
    Ok(ReceiptRow {
        number: row.get(0)?,
        trip: name(row, 1)?,
        intent: name(row, 2)?,
        at: UnixMillis(row.get(3)?),
        cose: row.get(4)?,
        digest: name(row, 5)?,
        qr: row.get(6)?,
        void: row.get(7)?,
    })
}

fn to_json(value: &impl Serialize) -> rusqlite::Result<String> {
    serde_json::to_string(value).map_err(|e| rusqlite::Error::ToSqlConversionFailure(Box::new(e)))
}

fn from_json<T: DeserializeOwned>(column: usize, text: &str) -> rusqlite::Result<T> {
    serde_json::from_str(text).map_err(|e| unreadable(column, e))
}

fn json<T: DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    from_json(column, &row.get::<_, String>(column)?)
}

/// A name or digest: checked again, because the file may have been changed by hand.
fn name<T: TryFrom<String, Error: std::error::Error + Send + Sync + 'static>>(
    row: &Row<'_>,
    column: usize,
) -> rusqlite::Result<T> {
    T::try_from(row.get::<_, String>(column)?).map_err(|e| unreadable(column, e))
}

fn unreadable(column: usize, e: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Text, Box::new(e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sqlite_does_what_every_store_must() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hub.db");
        super::super::conformance::run(&|| SqliteStore::open(&path).expect("a store"));
    }

    #[test]
    fn a_database_of_the_form_before_is_taken_on() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hub.db");
        let db = Connection::open(&path).expect("made");
        db.execute_batch(TABLES).expect("form 1");
        db.pragma_update(None, "user_version", 1).expect("form 1");
        drop(db);
        for _ in 0..2 {
            assert_eq!(SqliteStore::open(&path).expect("taken on").fences().expect("read"), []);
        }
    }

    #[test]
    fn a_database_of_a_later_program_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hub.db");
        drop(SqliteStore::open(&path).expect("made"));
        let db = Connection::open(&path).expect("opened");
        db.pragma_update(None, "user_version", FORMS.len() as i64 + 1).expect("later");
        let error = SqliteStore::open(&path).expect_err("a later form").to_string();
        assert!(error.contains("use a newer store-hub"), "{error}");
    }

    #[test]
    fn a_reader_fences_nobody_and_changes_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hub.db");
        let mut hub = SqliteStore::open(&path).expect("made");
        let mut reader = SqliteStore::read(&path).expect("read");
        hub.commit(&[Write::Count("refused")]).expect("the hub goes on");
        assert_eq!(reader.counter("refused").expect("read"), 1, "it sees what the hub wrote since");
        reader.commit(&[Write::Count("refused")]).expect_err("it only reads");
        drop(reader);
        hub.owned().expect("the hub is still the newest");
        drop(hub);
        let before = std::fs::read(&path).expect("read");
        for _ in 0..2 {
            let reader = SqliteStore::read(&path).expect("without a hub");
            assert_eq!(reader.counter("refused").expect("read"), 1);
        }
        assert_eq!(std::fs::read(&path).expect("read"), before);
    }

    #[test]
    fn a_reader_makes_no_database_and_takes_no_other_for_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("hub.db");
        let error = SqliteStore::read(&path).expect_err("there is none").to_string();
        assert!(error.contains("hub.db") && !path.exists(), "{error}");
        std::fs::write(&path, b"").expect("written");
        let error = SqliteStore::read(&path).expect_err("an empty one").to_string();
        assert!(error.contains("no hub's database"), "{error}");
    }

    #[test]
    fn a_missing_folder_and_a_file_that_is_no_database_are_named() {
        let error = SqliteStore::open(Path::new("/nowhere/hub.db")).expect_err("no folder").to_string();
        assert!(error.contains("/nowhere/hub.db"), "{error}");
        let file = tempfile::NamedTempFile::new().expect("a file");
        std::fs::write(file.path(), "this is a letter, not a database, and it is long enough to tell".repeat(20))
            .expect("written");
        assert_eq!(SqliteStore::open(file.path()).expect_err("a letter").kind, StoreKind::Broken);
    }
}
