//! Every record of the cart's journal is in the hub's database: the same bytes, once, in order, with
//! nothing in between.

use anyhow::{Context, ensure};
use trip::{Record, chain::Head};

use super::{journal, open};
use crate::place::Folders;

/// Checks it.
///
/// # Errors
/// The first record that is missing, there twice, changed or out of order.
pub fn check(folders: &Folders) -> anyhow::Result<()> {
    let own = journal(folders)?;
    let Some((Record { cart, epoch, .. }, _)) = own.first() else { return Ok(()) };
    let db = open(&folders.hub_database())?;
    // In the order in which they were taken in, which is that of their numbers.
    let mut rows = db.prepare("SELECT text FROM record WHERE cart = ?1 AND epoch = ?2 ORDER BY rowid")?;
    let there = rows.query_map((cart.as_str(), *epoch as i64), |row| row.get(0))?;
    let there: Vec<String> = there.collect::<Result<_, _>>()?;
    let mut head = Head::default();
    for text in &there {
        (_, head) = head.follow(text).context("the hub's copy of the chain")?;
    }
    for (n, (record, text)) in own.iter().enumerate() {
        let found = there.get(n).with_context(|| format!("the hub has not got record {}", record.seq))?;
        ensure!(found == text, "record {} is \"{text}\", and with the hub \"{found}\"", record.seq);
    }
    ensure!(there.len() == own.len(), "the hub has {} records, the cart only {}", there.len(), own.len());
    Ok(())
}
