//! What the real programs left, read from their files: journals, receipts, the hub's database, terminals' logs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, ensure};
use rusqlite::{Connection, OpenFlags, OptionalExtension, Row};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use simulator::remains::{CartRemains, Copied, Payment, Remains};
use store_hub::keys::read_keys;
use store_hub::store::{CartRow, GateRow, ReceiptRow};
use trip::chain::Head;
use trip::journal::Replay;
use trip::{CartId, Catalogue, Hash, IntentId, LaneId, Money, TripId, UnixMillis};

/// A transaction in a terminal's log; the last line of a transaction counts.
#[derive(Clone, Debug, Deserialize)]
pub struct Transaction {
    /// The hub's name of it.
    pub id: IntentId,
    /// How much.
    pub amount: Money,
    /// `waiting`, `approved`, `declined` or `reversed`.
    pub progress: String,
}

/// All of it: the hub's folder, the terminals' logs and the carts that were read already.
///
/// # Errors
/// When a file is missing or cannot be read.
pub fn read(hub: &Path, terminals: &[PathBuf], carts: Vec<CartRemains>, catalogue: &Path) -> anyhow::Result<Remains> {
    let db = open(&hub.join("hub.db"))?;
    let mut payments = Vec::new();
    for log in terminals {
        payments.extend(terminal_log(log)?.into_iter().map(|t| Payment {
            intent: t.id,
            amount: t.amount,
            taken: t.progress == "approved",
        }));
    }
    Ok(Remains {
        carts,
        journals: journals(&db)?,
        intents: rows(&db, "SELECT body FROM intent ORDER BY n", |row| json(&row.get::<_, String>(0)?))?,
        receipts: receipts(&db)?,
        gates: gates(&db)?,
        payments,
        catalogues: vec![Catalogue::parse(&std::fs::read_to_string(catalogue)?)?],
        receipt_key: read_keys(&[hub.join("receipt-key.pub")])?.into_iter().next().context("a receipt key")?,
    })
}

/// A cart's folder.
///
/// # Errors
/// When the journal or a receipt cannot be read, or the journal's chain does not hold.
pub fn cart(folder: &Path) -> anyhow::Result<CartRemains> {
    let path = folder.join("journal.sqlite");
    let db = open(&path)?;
    let meta = |key: &str| -> anyhow::Result<Option<String>> {
        Ok(db.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()?)
    };
    let number = |key: &str| Ok::<u64, anyhow::Error>(meta(key)?.and_then(|text| text.parse().ok()).unwrap_or(0));
    let owner = meta("owner")?.context("the journal has no owner")?;
    let (_, id) = owner.split_once('/').context("the journal's owner")?;
    let epoch = number("epoch")?;
    let hash = meta("floor_hash")?.map(Hash::try_from).transpose()?.unwrap_or(Hash::GENESIS);
    let floor = Head { seq: number("floor_seq")?, hash };
    let mut replay = Replay::from(floor, number("trips")?);
    let mut written = BTreeMap::new();
    let texts: Vec<String> = rows(&db, "SELECT bytes FROM record ORDER BY seq", |row| Ok(row.get(0)?))?;
    for (seq, text) in (floor.seq + 1..).zip(texts) {
        ensure!(replay.take(&text), "{}: record {seq}: {:?}", path.display(), replay.broken);
        written.insert((epoch, seq), text);
    }
    Ok(CartRemains {
        id: CartId::new(id)?,
        epoch,
        head: replay.head,
        state: replay.state(),
        written,
        wiped: floor.seq,
        receipts: kept_receipts(&folder.join("receipts"))?,
        rotted: false,
    })
}

fn kept_receipts(folder: &Path) -> anyhow::Result<BTreeMap<String, Vec<u8>>> {
    let mut kept = BTreeMap::new();
    if !folder.exists() {
        return Ok(kept);
    }
    for entry in std::fs::read_dir(folder).with_context(|| folder.display().to_string())? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "cose") {
            let number = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            kept.insert(number, std::fs::read(&path).with_context(|| path.display().to_string())?);
        }
    }
    Ok(kept)
}

/// The transactions in a terminal's log as they stand.
///
/// # Errors
/// When it cannot be read. A last line that was cut off counts as not written.
pub fn terminal_log(path: &Path) -> anyhow::Result<Vec<Transaction>> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    let mut latest = BTreeMap::new();
    // A closing of a period is no transaction.
    let told = |line: &&str| line.ends_with('\n') && !line.trim().is_empty() && !line.starts_with("{\"closed\":");
    for line in text.split_inclusive('\n').filter(told) {
        let transaction: Transaction = serde_json::from_str(line).with_context(|| format!("terminal's log: {line}"))?;
        latest.insert(transaction.id.clone(), transaction);
    }
    Ok(latest.into_values().collect())
}

fn journals(db: &Connection) -> anyhow::Result<Vec<Copied>> {
    let heads = rows(db, "SELECT cart, epoch, seq, hash, state, at FROM head ORDER BY cart, epoch", |row| {
        Ok(CartRow {
            cart: CartId::new(row.get::<_, String>(0)?)?,
            epoch: row.get::<_, i64>(1)? as u64,
            head: Head { seq: row.get::<_, i64>(2)? as u64, hash: Hash::try_from(row.get::<_, String>(3)?)? },
            state: json(&row.get::<_, String>(4)?)?,
            at: UnixMillis(row.get(5)?),
        })
    })?;
    // In the order in which they were taken in, which must be that of their numbers.
    let mut records = db.prepare("SELECT text FROM record WHERE cart = ?1 AND epoch = ?2 ORDER BY rowid")?;
    heads
        .into_iter()
        .map(|row| {
            let texts = records.query_map((row.cart.as_str(), row.epoch as i64), |record| record.get(0))?;
            Ok(Copied { records: texts.collect::<Result<_, _>>()?, row })
        })
        .collect()
}

fn receipts(db: &Connection) -> anyhow::Result<Vec<ReceiptRow>> {
    rows(db, "SELECT number, trip, intent, at, cose, digest, qr, void FROM receipt ORDER BY n", |row| {
        Ok(ReceiptRow {
            number: row.get(0)?,
            trip: TripId::new(row.get::<_, String>(1)?)?,
            intent: IntentId::new(row.get::<_, String>(2)?)?,
            at: UnixMillis(row.get(3)?),
            cose: row.get(4)?,
            digest: Hash::try_from(row.get::<_, String>(5)?)?,
            qr: row.get(6)?,
            void: row.get(7)?,
        })
    })
}

fn gates(db: &Connection) -> anyhow::Result<Vec<GateRow>> {
    rows(db, "SELECT lane, intent, open, at FROM gate ORDER BY n", |row| {
        Ok(GateRow {
            lane: LaneId::new(row.get::<_, String>(0)?)?,
            intent: IntentId::new(row.get::<_, String>(1)?)?,
            open: row.get(2)?,
            at: UnixMillis(row.get(3)?),
        })
    })
}

fn rows<T>(db: &Connection, sql: &str, read: impl Fn(&Row<'_>) -> anyhow::Result<T>) -> anyhow::Result<Vec<T>> {
    let mut rows = db.prepare(sql)?;
    let mut rows = rows.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn json<T: DeserializeOwned>(text: &str) -> anyhow::Result<T> {
    serde_json::from_str(text).with_context(|| text.to_owned())
}

/// A database of a program that may be running.
///
/// # Errors
/// When it is not there, or is none.
pub(crate) fn open(path: &Path) -> anyhow::Result<Connection> {
    ensure!(path.is_file(), "{} is not there", path.display());
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).with_context(|| path.display().to_string())?;
    db.busy_timeout(Duration::from_secs(5))?;
    Ok(db)
}
