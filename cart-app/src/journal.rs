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
use trip::journal::{Replay, Writer, floor_after};
use trip::message::Ack;
use trip::{CartId, Hash, StoreId, TripEvent, TripState, UnixMillis};

const SCHEMA: &str = "
    CREATE TABLE IF NOT EXISTS record (seq INTEGER PRIMARY KEY, bytes TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
    CREATE TABLE IF NOT EXISTS catalogue (version TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT;
";

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
        let aside = folder.join(format!("journal-damaged-{}.sqlite", journal.epoch));
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
        let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
        self.db.execute(sql, [key, value]).map_err(|e| self.fail(e)).map(drop)
    }

    /// A value set before.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    pub fn get(&self, key: &str) -> Result<Option<String>, JournalError> {
        let sql = "SELECT value FROM meta WHERE key = ?1";
        self.db.query_row(sql, [key], |row| row.get(0)).optional().map_err(|e| self.fail(e))
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
        let trips = self.number("trips")?;
        let tx = self.db.transaction().map_err(fail)?;
        let like = "%\"event\":{\"what\":\"trip_started\"%";
        let sql = "SELECT COUNT(*) FROM record WHERE bytes LIKE ?1";
        let gone: i64 = tx.query_row(sql, [like], |row| row.get(0)).map_err(fail)?;
        let set = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
        let marks = [
            ("floor_seq", head.seq.to_string()),
            ("floor_hash", head.hash.to_string()),
            ("trips", (trips + gone.unsigned_abs()).to_string()),
        ];
        for (key, value) in marks {
            tx.execute(set, [key, &value]).map_err(fail)?;
        }
        tx.execute("DELETE FROM record", []).map_err(fail)?;
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
        Ok(self.get(key)?.and_then(|text| text.parse().ok()).unwrap_or(0))
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

/// The journal as the line sees it: reads what is to be sent, notes what the hub has.
#[derive(Debug)]
pub struct LineJournal {
    db: Connection,
    epoch: u64,
}

impl LineJournal {
    /// Drops what the hub has committed of trips that are over. The floor keeps the chain whole.
    fn compact(&mut self, acked: u64) -> rusqlite::Result<()> {
        let tx = self.db.transaction()?;
        let like = "%\"event\":{\"what\":\"trip_started\"%";
        let sql = "SELECT COALESCE(MAX(seq), 0) FROM record WHERE bytes LIKE ?1";
        let started: i64 = tx.query_row(sql, [like], |row| row.get(0))?;
        let floor = floor_after(acked, started as u64) as i64;
        let sql = "SELECT bytes FROM record WHERE seq = ?1";
        let last: Option<String> = tx.query_row(sql, [floor], |row| row.get(0)).optional()?;
        if let Some(bytes) = last {
            let gone: i64 = tx.query_row(
                "SELECT COUNT(*) FROM record WHERE seq <= ?1 AND bytes LIKE ?2",
                params![floor, like],
                |row| row.get(0),
            )?;
            let trips: Option<String> =
                tx.query_row("SELECT value FROM meta WHERE key = 'trips'", [], |row| row.get(0)).optional()?;
            let trips = trips.and_then(|t| t.parse::<i64>().ok()).unwrap_or(0) + gone;
            let sql = "INSERT INTO meta (key, value) VALUES (?1, ?2) ON CONFLICT (key) DO UPDATE SET value = ?2";
            tx.execute(sql, ["floor_seq", &floor.to_string()])?;
            tx.execute(sql, ["floor_hash", &Hash::of(bytes.as_bytes()).to_string()])?;
            tx.execute(sql, ["trips", &trips.to_string()])?;
            tx.execute("DELETE FROM record WHERE seq <= ?1", [floor])?;
        }
        tx.commit()
    }
}

fn line_error(e: rusqlite::Error) -> store_sync::JournalError {
    store_sync::JournalError(e.to_string())
}

impl store_sync::Journal for LineJournal {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn ends(&mut self) -> Result<(u64, u64), store_sync::JournalError> {
        let number = |key: &str| -> rusqlite::Result<u64> {
            let value: Option<String> =
                self.db.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()?;
            Ok(value.and_then(|text| text.parse().ok()).unwrap_or(0))
        };
        let last: i64 =
            self.db.query_row("SELECT COALESCE(MAX(seq), 0) FROM record", [], |row| row.get(0)).map_err(line_error)?;
        let floor = number("floor_seq").map_err(line_error)?;
        let acked = number("acked").map_err(line_error)?;
        Ok(((last as u64).max(floor), acked))
    }

    fn records(&mut self, first: u64, last: u64) -> Result<Vec<String>, store_sync::JournalError> {
        let mut rows =
            self.db.prepare("SELECT bytes FROM record WHERE seq BETWEEN ?1 AND ?2 ORDER BY seq").map_err(line_error)?;
        let rows = rows.query_map([first as i64, last as i64], |row| row.get(0)).map_err(line_error)?;
        rows.collect::<rusqlite::Result<_>>().map_err(line_error)
    }

    fn free(&mut self, ack: &Ack) -> Result<(), store_sync::JournalError> {
        let sql = "INSERT INTO meta (key, value) VALUES ('acked', ?1) ON CONFLICT (key) DO UPDATE SET value = ?1";
        self.db.execute(sql, [ack.head.seq.to_string()]).map_err(line_error)?;
        self.compact(ack.head.seq).map_err(line_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use store_sync::Journal as _;
    use trip::basket::Evidence;
    use trip::event::Ending;
    use trip::{Grams, LineId, LineItem, Quantity, Sku, TripId};

    fn names() -> (StoreId, CartId) {
        (StoreId::new("market-street").expect("valid"), CartId::new("cart-01").expect("valid"))
    }

    fn open(folder: &Path) -> Opened {
        let (store, cart) = names();
        Journal::open(folder, &store, &cart).expect("opens")
    }

    fn started(n: u32) -> TripEvent {
        TripEvent::TripStarted {
            trip: TripId::new(format!("cart-01.1.{n}")).expect("valid"),
            catalogue: Hash::GENESIS,
            baseline: Grams(0),
        }
    }

    fn added(line: u32) -> TripEvent {
        let item = LineItem {
            line: LineId(line),
            sku: Sku::new("tea").expect("valid"),
            quantity: Quantity::Each(1),
            weight: Some(Grams(150)),
            evidence: Evidence::Scanned,
        };
        TripEvent::ItemAdded { item }
    }

    #[test]
    fn the_basket_is_back_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut first = open(folder.path());
        first.journal.append(&[started(1), added(1)]).expect("written");
        first.journal.append(&[added(2)]).expect("written");
        let head = first.journal.head();
        drop(first);
        let again = open(folder.path());
        assert_eq!((again.journal.head(), again.trips, again.state.basket.lines.len()), (head, 1, 2));
        assert!(again.damage.is_none());
    }

    #[test]
    fn a_changed_record_is_found_and_what_is_whole_is_served() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut first = open(folder.path());
        first.journal.append(&[started(1), added(1), added(2)]).expect("written");
        let (epoch, path) = (first.journal.epoch(), first.journal.path().to_owned());
        drop(first);
        let db = Connection::open(path).expect("opens");
        // With its name: the digits alone stand in some clock readings and hashes too.
        let sql = r#"UPDATE record SET bytes = replace(bytes, '"weight":150', '"weight":151')
                     WHERE seq = 2 AND instr(bytes, '"weight":150')"#;
        assert_eq!(db.execute(sql, []).expect("changed"), 1);
        drop(db);
        let again = open(folder.path());
        assert!(again.damage.as_deref().is_some_and(|d| d.contains("chain")), "{:?}", again.damage);
        assert!(again.journal.epoch() > epoch);
        assert_eq!(
            again.state.basket.lines.len(),
            1,
            "the record before the change holds; the changed one is the last that chains"
        );
        assert!(folder.path().join(format!("journal-damaged-{epoch}.sqlite")).exists());
    }

    #[test]
    fn only_acked_records_of_trips_that_are_over_are_dropped() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut opened = open(folder.path());
        let mut line = opened.journal.for_line().expect("opens");
        opened
            .journal
            .append(&[started(1), added(1), TripEvent::TripClosed { ending: Ending::Paid }])
            .expect("written");
        opened.journal.append(&[started(2), added(1)]).expect("written");
        let ack = |seq| Ack { v: 1, epoch: opened.journal.epoch(), head: Head { seq, hash: Hash::GENESIS } };
        line.free(&ack(2)).expect("noted");
        assert_eq!(line.records(1, 9).expect("read").len(), 3);
        line.free(&ack(5)).expect("noted");
        assert_eq!(line.records(1, 9).expect("read").len(), 2, "the running trip stays");
        drop((opened, line));
        let again = open(folder.path());
        assert_eq!((again.trips, again.state.basket.lines.len(), again.journal.head().seq), (2, 1, 5));
    }

    /// Which of `words` stand anywhere in the files of `folder`.
    fn found_in(folder: &Path, words: &[&'static str]) -> Vec<&'static str> {
        let files: Vec<Vec<u8>> = std::fs::read_dir(folder)
            .expect("there")
            .flatten()
            .filter(|entry| entry.path().is_file())
            .map(|entry| std::fs::read(entry.path()).expect("read"))
            .collect();
        let stands = |word: &&str| files.iter().any(|f| f.windows(word.len()).any(|w| w == word.as_bytes()));
        words.iter().copied().filter(|word| stands(word)).collect()
    }

    #[test]
    fn nothing_of_an_ended_trip_is_left_on_the_disk() {
        const WORDS: [&str; 4] = ["zanzibar-tea", "9081726359", "quinoa flour", "RECEIPT-QR-5512"];
        let folder = tempfile::tempdir().expect("a folder");
        let mut opened = open(folder.path());
        let mut line = opened.journal.for_line().expect("opens");
        let member = trip::Member::parse("9081726359").expect("a number");
        let tea = LineItem {
            line: LineId(1),
            sku: Sku::new("zanzibar-tea").expect("valid"),
            quantity: Quantity::Each(1),
            weight: Some(Grams(150)),
            evidence: Evidence::Scanned,
        };
        let paired = TripEvent::ShopperPaired { member: Some(member), phone: None };
        let closed = TripEvent::TripClosed { ending: Ending::Paid };
        opened.journal.append(&[started(1), paired, TripEvent::ItemAdded { item: tea }]).expect("written");
        opened.journal.set(LIST_KEY, "[\"quinoa flour\"]").expect("kept");
        opened.journal.set("receipt_qr", "RECEIPT-QR-5512").expect("kept");
        let head = opened.journal.append(&[closed]).expect("written");
        assert_eq!(found_in(folder.path(), &WORDS), WORDS, "the test looks in the wrong place");

        let epoch = opened.journal.epoch();
        let ack = |seq| Ack { v: 1, epoch, head: Head { seq, hash: Hash::GENESIS } };
        line.free(&ack(head.seq - 1)).expect("noted");
        assert!(!opened.journal.wipe_ended().expect("looked"), "the hub does not have the end yet");
        line.free(&ack(head.seq)).expect("noted");
        assert!(opened.journal.wipe_ended().expect("wiped"));
        assert_eq!(found_in(folder.path(), &WORDS), Vec::<&str>::new());

        // And the chain goes on where it was, also after a restart.
        let next = opened.journal.append(&[started(2)]).expect("written");
        assert_eq!(next.seq, head.seq + 1);
        drop((opened, line));
        let again = open(folder.path());
        assert_eq!((again.journal.head(), again.trips, again.damage), (next, 2, None));
    }

    #[test]
    fn another_carts_journal_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        drop(open(folder.path()));
        let (store, _) = names();
        let error = Journal::open(folder.path(), &store, &CartId::new("cart-02").expect("valid")).expect_err("refused");
        assert!(error.to_string().contains("cart-01"), "{error}");
    }

    #[test]
    fn a_week_of_trips_leaves_a_journal_of_one_day() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut journal = open(folder.path()).journal;
        let mut line = journal.for_line().expect("opens");
        let mut outbox = store_sync::Outbox::new(journal.epoch(), 0, 0);
        outbox.connected();
        let catalogues = |day: u8| Hash::of(&[day]);
        let rows = |journal: &Journal| -> i64 {
            journal.db.query_row("SELECT COUNT(*) FROM record", [], |row| row.get(0)).expect("counted")
        };
        let pages = |journal: &Journal| -> i64 {
            journal.db.query_row("SELECT page_count FROM pragma_page_count()", [], |row| row.get(0)).expect("counted")
        };
        let mut now = std::time::Duration::ZERO;
        let (mut most_rows, mut pages_of_a_day) = (0, 0);
        for day in 0..7 {
            journal.keep_catalogue(catalogues(day), &"x".repeat(50_000)).expect("kept");
            journal.keep_only(&[catalogues(day), catalogues(day.saturating_sub(1))]).expect("kept");
            for trip in 0..30 {
                let mut events = vec![started(u32::from(day) * 30 + trip)];
                events.extend((1..=12).map(added));
                events.push(TripEvent::TripClosed { ending: Ending::Paid });
                let head = journal.append(&events).expect("written");
                outbox.appended(head.seq);
                // On the third day the line is down from morning to night.
                if day == 2 {
                    continue;
                }
                while let Some((_, last)) = outbox.poll_send(now) {
                    let record = line.records(last, last).expect("read");
                    let head = Head { seq: last, hash: Hash::of(record[0].as_bytes()) };
                    let ack = Ack { v: 1, epoch: journal.epoch(), head };
                    assert_eq!(outbox.acked(&ack, now), store_sync::outbox::Acked::Freed(last));
                    line.free(&ack).expect("noted");
                }
                now += std::time::Duration::from_secs(600);
                most_rows = most_rows.max(rows(&journal));
            }
            assert_eq!(journal.catalogues().expect("read").len(), if day == 0 { 1 } else { 2 });
            pages_of_a_day = if day == 3 { pages(&journal) } else { pages_of_a_day };
        }
        assert_eq!(outbox.unsynced(), 0);
        assert!(most_rows <= 2 * 14, "{most_rows} records lay in it though the hub had them");
        assert!(pages(&journal) <= pages_of_a_day, "the file of the worst day is used again, and does not grow");
    }
}
