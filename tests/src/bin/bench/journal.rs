//! The journal against a bare SQLite commit of the same bytes on the same disk.

use std::time::Instant;

use anyhow::Context;
use cart_app::config::Config;
use cart_app::journal::{Journal, wall_clock};
use rusqlite::{Connection, params};
use trip::basket::Evidence;
use trip::{Grams, LineId, LineItem, Quantity, Record, Sku, TripEvent};

use super::Bench;
use super::report::{Report, ms};

/// Commits of each kind.
const ROUNDS: u32 = 300;

/// Appends in turns: the journal, then bare SQLite, and the other way round.
pub fn appends(bench: &Bench, config: &Config, report: &mut Report) -> anyhow::Result<()> {
    let folder = bench.folder.join("appends");
    let mut journal = Journal::open(&folder, &config.store, &config.cart)?.journal;
    let mut bare = Connection::open(folder.join("bare.sqlite")).context("bare database")?;
    bare.pragma_update(None, "journal_mode", "WAL")?;
    bare.pragma_update(None, "synchronous", "FULL")?;
    bare.execute_batch("CREATE TABLE record (seq INTEGER PRIMARY KEY, bytes TEXT NOT NULL) STRICT")?;
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
            store: config.store.clone(),
            cart: config.cart.clone(),
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
        let mut insert = || -> anyhow::Result<f64> {
            let began = Instant::now();
            let tx = bare.transaction()?;
            tx.execute("INSERT INTO record (seq, bytes) VALUES (?1, ?2)", params![i64::from(n), bytes])?;
            tx.commit()?;
            Ok(ms(began.elapsed()))
        };
        if n % 2 == 0 {
            ours.push(append()?);
            theirs.push(insert()?);
        } else {
            theirs.push(insert()?);
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
