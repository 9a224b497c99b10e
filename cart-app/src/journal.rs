//! The journal: the cart's truth, on disk before anything is shown.
//!
//! SQLite with a write-ahead log and `synchronous = FULL`: a commit that returned has been flushed,
//! so a power cut loses no line that was shown. Each row is one encoded [`Record`], chained to the
//! one before. A row is dropped only when the hub has committed it and its trip is over.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use rusqlite::{Connection, OptionalExtension, params};
use trip::chain::Head;
use trip::journal::{Replay, Writer};
use trip::{CartId, Hash, StoreId, TripEvent, TripState, UnixMillis};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS record (seq INTEGER PRIMARY KEY, bytes TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS catalogue (version TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
";

mod floor;
mod line;
mod meta;

pub use line::LineJournal;

/// What the name of a journal begins with that was set aside.
pub const DAMAGED: &str = "journal-damaged-";

/// Where the shopping list of the running trip is kept: see [`Journal::set`].
pub const LIST_KEY: &str = "shopping_list";

/// What the journal could not do. Each names the file.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The database refused.
    #[error("journal {}: {source}; is the folder writable, and is there space?", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
    /// The folder cannot be used.
    #[error("data folder {}: {source}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It belongs to another cart.
    #[error("journal {} belongs to {found}, not to {expected}; give this cart its own data folder", path.display())]
    Stranger {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        found: String,
        /// Who opens it.
        expected: String,
    },
}

/// What was found when the journal was opened.
#[derive(Debug)]
pub struct Opened {
    /// The journal, ready to append.
    pub journal: Journal,
    /// The trip as it stands.
    pub state: TripState,
    /// How many trips this cart's journals have begun.
    pub trips: u64,
    /// What was wrong with the old journal, and where it lies now.
    pub damage: Option<String>,
}

/// The journal. Only the trip's own thread appends to it.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    db: Connection,
    store: StoreId,
    cart: CartId,
    epoch: u64,
    head: Head,
    trips: u64,
}

/// The wall clock, for people and for new epochs.
pub fn wall_clock() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A new epoch, above every one this process has given, also when the clock is behind.
fn new_epoch(at_least: u64) -> u64 {
    static LAST: AtomicU64 = AtomicU64::new(0);
    let now = wall_clock().0.max(0) as u64;
    let least = now.max(at_least);
    LAST.fetch_max(least, Ordering::Relaxed).max(least)
}

impl Journal {
    /// Opens the journal in `folder`, or begins a new one. A journal whose chain does not hold is
    /// set aside untouched; the trip goes on in a new epoch from the last record that holds.
    ///
    /// # Errors
    /// [`JournalError`] when the folder or file cannot be used, or is another cart's.
    pub fn open(folder: &Path, store: &StoreId, cart: &CartId) -> Result<Opened, JournalError> {
        std::fs::create_dir_all(folder).map_err(|source| JournalError::Folder { path: folder.into(), source })?;
        let path = folder.join("journal.sqlite");
        let mut journal = Self::begin(&path, store, cart)?;
        let replay = journal.replay()?;
        let (state, trips) = (replay.state(), replay.trips);
        let Some(why) = &replay.broken else {
            journal.trips = trips;
            return Ok(Opened { state, trips, journal, damage: None });
        };
        let aside = folder.join(format!("{DAMAGED}{}.sqlite", journal.epoch));
        let old_epoch = journal.epoch;
        let catalogues = journal.catalogues()?;
        drop(journal);
        for ending in ["", "-wal", "-shm"] {
            let from = folder.join(format!("journal.sqlite{ending}"));
            if from.exists() {
                let to = PathBuf::from(format!("{}{ending}", aside.display()));
                std::fs::rename(&from, &to).map_err(|source| JournalError::Folder { path: folder.into(), source })?;
            }
        }
        let mut journal = Self::begin_after(&path, store, cart, old_epoch + 1)?;
        journal.trips = trips;
        journal.set("trips", &trips.to_string())?;
        for (version, text) in catalogues {
            journal.keep_catalogue(version, &text)?;
        }
        let carried = replay.carried_over(old_epoch);
        journal.append(&carried)?;
        let state = TripState::replay(&carried);
        let damage = format!("{why}; the old journal is kept as {}", aside.display());
        Ok(Opened { state, trips, journal, damage: Some(damage) })
    }

    fn begin(path: &Path, store: &StoreId, cart: &CartId) -> Result<Self, JournalError> {
        Self::begin_after(path, store, cart, 0)
    }

    fn begin_after(path: &Path, store: &StoreId, cart: &CartId, least_epoch: u64) -> Result<Self, JournalError> {
        let db = open_database(path)?;
        let mut journal = Self {
            path: path.into(),
            db,
            store: store.clone(),
            cart: cart.clone(),
            epoch: 0,
            head: Head::default(),
            trips: 0,
        };
        journal.db.execute_batch(SCHEMA).map_err(|e| journal.fail(e))?;
        let owner = format!("{store}/{cart}");
        match journal.get("owner")? {
            Some(found) if found != owner => {
                return Err(JournalError::Stranger { path: path.into(), found, expected: owner });
            }
            Some(_) => {}
            None => journal.set("owner", &owner)?,
        }
        match journal.get("epoch")?.and_then(|text| text.parse().ok()) {
            Some(epoch) => journal.epoch = epoch,
            None => {
                journal.epoch = new_epoch(least_epoch);
                journal.set("epoch", &journal.epoch.to_string())?;
            }
        }
        Ok(journal)
    }

    /// Reads all records and checks the chain.
    fn replay(&mut self) -> Result<Replay, JournalError> {
        let floor = Head { seq: self.number("floor_seq")?, hash: self.hash("floor_hash")? };
        let mut replay = Replay::from(floor, self.number("trips")?);
        let mut rows = self.db.prepare("SELECT bytes FROM record ORDER BY seq").map_err(|e| self.fail(e))?;
        let mut rows = rows.query([]).map_err(|e| self.fail(e))?;
        while let Some(row) = rows.next().map_err(|e| self.fail(e))? {
            // A record that is no text is as broken as one that does not chain.
            let bytes = row.get_ref(0).map_err(|e| self.fail(e))?.as_str().unwrap_or_default();
            if !replay.take(bytes) {
                break;
            }
        }
        drop(rows);
        self.head = replay.head;
        Ok(replay)
    }

    /// Which journal this is.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The last record.
    pub fn head(&self) -> Head {
        self.head
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes `events` in one transaction and returns when they are on the disk.
    ///
    /// # Errors
    /// [`JournalError`] when they are not; nothing of them is then in the journal.
    pub fn append(&mut self, events: &[TripEvent]) -> Result<Head, JournalError> {
        let writer = Writer { store: self.store.clone(), cart: self.cart.clone(), epoch: self.epoch };
        let (records, head) = writer.continue_from(self.head, events, wall_clock());
        let path = &self.path;
        let fail = |source| JournalError::Database { path: path.clone(), source };
        let tx = self.db.transaction().map_err(fail)?;
        for (seq, bytes) in &records {
            tx.execute("INSERT INTO record (seq, bytes) VALUES (?1, ?2)", params![*seq as i64, bytes]).map_err(fail)?;
        }
        tx.commit().map_err(fail)?;
        self.head = head;
        Ok(head)
    }

    /// Keeps a catalogue's text, so that a running trip can always be priced as it began.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be written.
    pub fn keep_catalogue(&self, version: Hash, text: &str) -> Result<(), JournalError> {
        self.db
            .execute(
                "INSERT OR IGNORE INTO catalogue (version, text) VALUES (?1, ?2)",
                params![version.to_string(), text],
            )
            .map_err(|e| self.fail(e))
            .map(drop)
    }

    /// All catalogues that were kept and can be read.
    fn catalogues(&self) -> Result<Vec<(Hash, String)>, JournalError> {
        let mut rows = self.db.prepare("SELECT version, text FROM catalogue").map_err(|e| self.fail(e))?;
        let rows = rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)));
        let readable = rows.map_err(|e| self.fail(e))?.filter_map(Result::ok);
        Ok(readable.filter_map(|(version, text)| Some((Hash::try_from(version).ok()?, text))).collect())
    }

    /// The text of a catalogue that was kept.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    pub fn catalogue(&self, version: Hash) -> Result<Option<String>, JournalError> {
        let sql = "SELECT text FROM catalogue WHERE version = ?1";
        self.db.query_row(sql, [version.to_string()], |row| row.get(0)).optional().map_err(|e| self.fail(e))
    }

    /// A value that is no event, such as the QR on the screen; overwritten.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be written.
    pub fn set(&self, key: &str, value: &str) -> Result<(), JournalError> {
        meta::set(&self.db, key, value).map_err(|e| self.fail(e))
    }

    /// A value set before.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    pub fn get(&self, key: &str) -> Result<Option<String>, JournalError> {
        meta::get(&self.db, key).map_err(|e| self.fail(e))
    }

    /// The number of this run: the wall clock, but always above the last run's, so that the hub never
    /// takes a birth for an old one when the clock was set back.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be written.
    pub fn next_boot_epoch(&self) -> Result<u64, JournalError> {
        let next = (wall_clock().0.max(0) as u64).max(self.number("boot_epoch")? + 1);
        self.set("boot_epoch", &next.to_string())?;
        Ok(next)
    }

    /// Wipes all records, and what else the last trip left, once the hub has all of them; `false` when it does
    /// not yet. Only to be called while no trip is on. The floor keeps the chain whole.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be written; nothing is then gone.
    pub fn wipe_ended(&mut self) -> Result<bool, JournalError> {
        if self.number("acked")? < self.head.seq {
            return Ok(false);
        }
        let (head, path) = (self.head, self.path.clone());
        let fail = |source| JournalError::Database { path: path.clone(), source };
        let tx = self.db.transaction().map_err(fail)?;
        floor::raise(&tx, head).map_err(fail)?;
        tx.execute("DELETE FROM meta WHERE key IN ('receipt_qr', ?1)", [LIST_KEY]).map_err(fail)?;
        tx.commit().map_err(fail)?;
        // The log still has what was written; the line may be reading, and then it is emptied the next time.
        let busy: i64 =
            self.db.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).map_err(|e| self.fail(e))?;
        Ok(busy == 0)
    }

    /// A second connection, for the line.
    ///
    /// # Errors
    /// [`JournalError`] when the file cannot be opened again.
    pub fn for_line(&self) -> Result<LineJournal, JournalError> {
        self.line_opener()()
    }

    /// Opens such a connection whenever it is called, on any thread: a line that fell over needs a new one.
    pub fn line_opener(&self) -> impl Fn() -> Result<LineJournal, JournalError> + Send + 'static {
        let (path, epoch) = (self.path.clone(), self.epoch);
        move || Ok(LineJournal { db: open_database(&path)?, epoch })
    }

    /// Forgets every catalogue but these: the newest, and the one that the running trip is priced by.
    ///
    /// # Errors
    /// [`JournalError`] when they cannot be removed.
    pub fn keep_only(&self, catalogues: &[Hash]) -> Result<(), JournalError> {
        for (version, _) in self.catalogues()?.into_iter().filter(|(version, _)| !catalogues.contains(version)) {
            let sql = "DELETE FROM catalogue WHERE version = ?1";
            self.db.execute(sql, [version.to_string()]).map_err(|e| self.fail(e))?;
        }
        Ok(())
    }

    fn number(&self, key: &str) -> Result<u64, JournalError> {
        meta::number(&self.db, key).map_err(|e| self.fail(e))
    }

    fn hash(&self, key: &str) -> Result<Hash, JournalError> {
        Ok(self.get(key)?.and_then(|text| Hash::try_from(text).ok()).unwrap_or(Hash::GENESIS))
    }

    fn fail(&self, source: rusqlite::Error) -> JournalError {
        JournalError::Database { path: self.path.clone(), source }
    }
}

fn open_database(path: &Path) -> Result<Connection, JournalError> {
    let fail = |source| JournalError::Database { path: path.into(), source };
    let db = Connection::open(path).map_err(fail)?;
    db.busy_timeout(std::time::Duration::from_secs(5)).map_err(fail)?;
    db.pragma_update(None, "journal_mode", "WAL").map_err(fail)?;
    db.pragma_update(None, "synchronous", "FULL").map_err(fail)?;
    // What is deleted is overwritten: a shopper's trip is not to be found on a stolen cart.
    db.pragma_update(None, "secure_delete", true).map_err(fail)?;
    Ok(db)
}

#[cfg(test)]
mod tests;
