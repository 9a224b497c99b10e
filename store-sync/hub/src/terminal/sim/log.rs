//! The simulator's own memory: one JSON line for each change of a transaction, and one for each closing of a period,
//! synced; the last line of a transaction counts. A line cut by a crash is passed over.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};
use trip::Money;

use super::SimError;
use super::periods::{Closing, Periods};

/// How far a transaction is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Progress {
    /// Waiting for a card.
    Waiting,
    /// The money is taken.
    Approved,
    /// Nothing is taken.
    Declined,
    /// The money was taken and given back.
    Reversed,
}

/// A payment as the terminal knows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Transaction {
    /// The hub's name of it (SaleTransactionID).
    pub id: String,
    /// The hub (SaleID).
    pub sale_id: String,
    /// The exchange it was asked in (ServiceID).
    pub service_id: String,
    /// How much.
    pub amount: Money,
    /// How far it is.
    pub progress: Progress,
    /// The scheme, once approved.
    pub brand: String,
    /// The terminal's reference.
    pub reference: String,
    /// Why it was declined.
    pub why: String,
    /// When it was asked, ISO 8601.
    pub at: String,
}

/// All transactions, by the hub's name of them.
#[derive(Debug)]
pub struct Log {
    file: File,
    by_id: BTreeMap<String, Transaction>,
    periods: Periods,
}

impl Log {
    /// Opens the log at `path`, and makes it when it is not there. What was waiting for a card when
    /// the program ended is declined: nobody waits any more.
    ///
    /// # Errors
    /// [`SimError::Log`] when it cannot be read or written.
    pub fn open(path: &Path) -> Result<Self, SimError> {
        let fail = |source| SimError::Log { path: path.to_owned(), source };
        let text = match std::fs::read(path) {
            Ok(bytes) => String::from_utf8_lossy(&bytes).into_owned(),
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(e) => return Err(fail(e)),
        };
        let file = File::options().create(true).append(true).open(path).map_err(fail)?;
        let mut log = Self { file, by_id: BTreeMap::new(), periods: Periods::default() };
        for line in text.lines() {
            if let Ok(transaction) = serde_json::from_str::<Transaction>(line) {
                log.keep(transaction);
            } else if let Ok(closing) = serde_json::from_str::<Closing>(line) {
                log.periods.close(closing);
            }
        }
        if !text.is_empty() && !text.ends_with('\n') {
            log.file.write_all(b"\n").map_err(fail)?;
        }
        let waiting: Vec<Transaction> =
            log.by_id.values().filter(|t| t.progress == Progress::Waiting).cloned().collect();
        for mut transaction in waiting {
            transaction.progress = Progress::Declined;
            transaction.why = "the terminal was switched off".into();
            log.put(transaction).map_err(fail)?;
        }
        Ok(log)
    }

    /// Writes a new or changed transaction; it is on disk when this returns.
    ///
    /// # Errors
    /// What the file system says.
    pub fn put(&mut self, transaction: Transaction) -> std::io::Result<()> {
        self.write(&transaction)?;
        self.keep(transaction);
        Ok(())
    }

    /// Closes the period that runs, and returns its number; it is on disk when this returns. Asked again in the same
    /// exchange, it closes nothing more.
    ///
    /// # Errors
    /// What the file system says.
    pub fn close(&mut self, sale_id: &str, service_id: &str) -> std::io::Result<u64> {
        if let Some(closed) = self.periods.closed_in(sale_id, service_id) {
            return Ok(closed);
        }
        let closing =
            Closing { closed: self.periods.running(), sale_id: sale_id.into(), service_id: service_id.into() };
        self.write(&closing)?;
        let closed = closing.closed;
        self.periods.close(closing);
        Ok(closed)
    }

    /// Which periods there are, and what is in which.
    pub fn periods(&self) -> &Periods {
        &self.periods
    }

    fn write(&mut self, entry: &impl Serialize) -> std::io::Result<()> {
        let mut line = serde_json::to_vec(entry)?;
        line.push(b'\n');
        self.file.write_all(&line)?;
        self.file.sync_data()
    }

    fn keep(&mut self, transaction: Transaction) {
        self.periods.note(&transaction);
        self.by_id.insert(transaction.id.clone(), transaction);
    }

    /// A transaction, by the hub's name of it.
    pub fn get(&self, id: &str) -> Option<&Transaction> {
        self.by_id.get(id)
    }

    /// A transaction, by the exchange it was asked in.
    pub fn by_exchange(&self, sale_id: &str, service_id: &str) -> Option<&Transaction> {
        self.by_id.values().find(|t| t.sale_id == sale_id && t.service_id == service_id)
    }

    /// All transactions.
    pub fn all(&self) -> impl Iterator<Item = &Transaction> {
        self.by_id.values()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trip::Currency;

    #[test]
    fn what_was_approved_is_known_after_a_crash_and_what_waited_is_declined() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let put = |log: &mut Log, id: &str, progress| {
            let transaction = Transaction {
                id: id.into(),
                sale_id: "s".into(),
                service_id: id.into(),
                amount: Money::new(1, Currency::GBP),
                progress,
                brand: String::new(),
                reference: String::new(),
                why: String::new(),
                at: String::new(),
            };
            log.put(transaction).expect("written");
        };
        let mut log = Log::open(&path).expect("a new log");
        put(&mut log, "a", Progress::Waiting);
        put(&mut log, "a", Progress::Approved);
        put(&mut log, "b", Progress::Waiting);
        drop(log);
        File::options().append(true).open(&path).and_then(|mut f| f.write_all(b"{\"id\":\"a\",\"prog")).expect("cut");
        for _ in 0..2 {
            let log = Log::open(&path).expect("the log");
            assert_eq!(log.get("a").map(|t| t.progress), Some(Progress::Approved));
            assert_eq!(log.by_exchange("s", "b").map(|t| t.progress), Some(Progress::Declined));
        }
    }
}
