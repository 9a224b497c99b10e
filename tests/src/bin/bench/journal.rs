//! The journal against a bare SQLite commit of the same bytes on the same disk.

use std::path::Path;
use std::time::Instant;

use anyhow::Context;
use cart_app::journal::{Journal, wall_clock};
use rusqlite::{Connection, params};
use trip::basket::Evidence;
use trip::{CartId, Grams, LineId, LineItem, Quantity, Record, Sku, StoreId, TripEvent};

use super::Bench;
use super::report::{Report, ms};

/// Commits of each kind.
const ROUNDS: u32 = 300;

/// A database without a journal in it: what the disk and SQLite cost anybody.
pub struct Bare {
    db: Connection,
    rows: i64,
}

impl Bare {
    /// A new one in `folder`, with the journal's pragmas.
    pub fn open(folder: &Path) -> anyhow::Result<Self> {
        let db = Connection::open(folder.join("bare.sqlite")).context("bare database")?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "FULL")?;
        db.execute_batch("CREATE TABLE record (seq INTEGER PRIMARY KEY, bytes TEXT NOT NULL) STRICT")?;
        Ok(Self { db, rows: 0 })
    }

    /// Commits one row; the milliseconds it took.
    pub fn commit(&mut self, bytes: &str) -> anyhow::Result<f64> {
        self.rows += 1;
        let began = Instant::now();
        let tx = self.db.transaction()?;
        tx.execute("INSERT INTO record (seq, bytes) VALUES (?1, ?2)", params![self.rows, bytes])?;
        tx.commit()?;
        Ok(ms(began.elapsed()))
    }
}

/// Appends in turns: the journal, then bare SQLite, and the other way round.
pub fn appends(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let (store, cart) = (StoreId::new("market-street")?, CartId::new("cart-01")?);
    let folder = bench.folder.join("appends");
    let mut journal = Journal::open(&folder, &store, &cart)?.journal;
    let mut bare = Bare::open(&folder)?;
    let sku = Sku::new("chopped-tomatoes-400").context("a name")?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for n in 1..=ROUNDS {
        let quantity = Quantity::Each(1);
        let weight = Some(Grams(455));
        let item = LineItem { line: LineId(n), sku: sku.clone(), quantity, weight, evidence: Evidence::SeenAndWeighed };
        let event = TripEvent::ItemAdded { item };
        let head = journal.head();
        let record = Record {
            v: 1,
            store: store.clone(),
            cart: cart.clone(),
            epoch: journal.epoch(),
            seq: head.seq + 1,
            at: wall_clock(),
            prev: head.hash,
            event: event.clone(),
        };
        let bytes = record.encode();
        let mut append = || -> anyhow::Result<f64> {
            let began = Instant::now();
            journal.append(std::slice::from_ref(&event))?;
            Ok(ms(began.elapsed()))
        };
        if n % 2 == 0 {
            ours.push(append()?);
            theirs.push(bare.commit(&bytes)?);
        } else {
            theirs.push(bare.commit(&bytes)?);
            ours.push(append()?);
        }
    }
    report.ratio(
        "journal append ÷ bare SQLite",
        &ours,
        &theirs,
        "Journal::append (encode, chain, hash, commit) over the same bytes inserted by bare SQLite with the same pragmas, in turns.",
    );
    report.add(
        "  journal append",
        "ms",
        ours,
        "One event, write-ahead log, synchronous = FULL: flushed when it returns.",
    );
    report.add("  bare SQLite commit", "ms", theirs, "The same bytes, another file in the same folder.");
    Ok(())
}
