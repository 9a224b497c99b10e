//! At most one payment of a trip is approved and not given back, and every approved payment in the
//! terminal's own log is one that the hub asked for, of the same amount.

use std::collections::BTreeMap;

use anyhow::{Context, ensure};
use serde::Deserialize;
use trip::Money;

use super::open;
use crate::place::Folders;

/// A transaction in the terminal's log; the last line of a transaction counts.
#[derive(Clone, Debug, Deserialize)]
pub struct Transaction {
    /// The hub's name of it.
    pub id: String,
    /// How much.
    pub amount: Money,
    /// `waiting`, `approved`, `declined` or `reversed`.
    pub progress: String,
}

#[derive(Deserialize)]
struct Intent {
    trip: String,
    amount: Money,
}

/// Checks it.
///
/// # Errors
/// What was charged that must not have been.
pub fn check(folders: &Folders) -> anyhow::Result<()> {
    let intents = intents(folders)?;
    let mut charged: BTreeMap<&str, Vec<String>> = BTreeMap::new();
    for transaction in terminal_log(folders)?.into_iter().filter(|t| t.progress == "approved") {
        let intent = intents.get(&transaction.id);
        let intent = intent.with_context(|| format!("the hub does not know of payment {}", transaction.id))?;
        ensure!(
            intent.amount == transaction.amount,
            "payment {} took {}, asked for was {}",
            transaction.id,
            transaction.amount,
            intent.amount
        );
        charged.entry(&intent.trip).or_default().push(transaction.id);
    }
    for (trip, payments) in charged {
        ensure!(payments.len() == 1, "trip {trip} was charged {} times: {}", payments.len(), payments.join(", "));
    }
    Ok(())
}

/// The transactions in the terminal's log as they stand.
///
/// # Errors
/// When it cannot be read.
pub fn terminal_log(folders: &Folders) -> anyhow::Result<Vec<Transaction>> {
    let path = folders.data.join("terminal.json");
    let text = std::fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let mut latest = BTreeMap::new();
    for line in text.lines() {
        let transaction: Transaction = serde_json::from_str(line).with_context(|| format!("terminal's log: {line}"))?;
        latest.insert(transaction.id.clone(), transaction);
    }
    Ok(latest.into_values().collect())
}

fn intents(folders: &Folders) -> anyhow::Result<BTreeMap<String, Intent>> {
    let db = open(&folders.hub_database())?;
    let mut rows = db.prepare("SELECT id, body FROM intent")?;
    let rows: Vec<(String, String)> =
        rows.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<Result<_, _>>()?;
    rows.into_iter().map(|(id, body)| Ok((id, serde_json::from_str(&body).context("an intent")?))).collect()
}
