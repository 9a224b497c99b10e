//! The simulator's periods: from one closing to the next, by the order of its log. What is closed never changes, so it
//! can be asked about again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trip::{Currency, Money};

use super::log::{Progress, Transaction};
use crate::terminal::nexo::{PaymentTotals, TransactionTotals, TransactionType, major};

/// A period was closed, as it stands in the log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Closing {
    /// Which period.
    pub closed: u64,
    /// The hub that asked for it (SaleID).
    pub sale_id: String,
    /// The exchange it was asked in (ServiceID).
    pub service_id: String,
}

/// Which periods there are, and what is in which.
#[derive(Debug)]
pub struct Periods {
    running: u64,
    closings: Vec<Closing>,
    taken: BTreeMap<String, u64>,
    given_back: BTreeMap<String, u64>,
}

/// Hub, scheme and currency.
type Group<'a> = (&'a str, &'a str, Currency);

/// How many, and how much in minor units, of each kind.
type Sums = BTreeMap<TransactionType, (u64, i64)>;

impl Default for Periods {
    fn default() -> Self {
        Self { running: 1, closings: Vec::new(), taken: BTreeMap::new(), given_back: BTreeMap::new() }
    }
}

impl Periods {
    /// The number of the one that runs, from 1.
    pub fn running(&self) -> u64 {
        self.running
    }

    /// In which period the money of a payment was taken, by the hub's name of it.
    pub fn taken_in(&self, id: &str) -> Option<u64> {
        self.taken.get(id).copied()
    }

    /// The period that was closed in this exchange, if one was.
    pub fn closed_in(&self, sale_id: &str, service_id: &str) -> Option<u64> {
        self.closings.iter().find(|c| c.sale_id == sale_id && c.service_id == service_id).map(|c| c.closed)
    }

    pub(super) fn close(&mut self, closing: Closing) {
        self.running = closing.closed + 1;
        self.closings.push(closing);
    }

    /// A transaction is new or has changed: where its money moves for the first time, it moves in the period that runs.
    pub(super) fn note(&mut self, transaction: &Transaction) {
        if matches!(transaction.progress, Progress::Approved | Progress::Reversed) {
            self.taken.entry(transaction.id.clone()).or_insert(self.running);
        }
        if transaction.progress == Progress::Reversed {
            self.given_back.entry(transaction.id.clone()).or_insert(self.running);
        }
    }

    /// What was counted in `period`, by hub and scheme.
    pub fn totals<'a>(&self, period: u64, all: impl Iterator<Item = &'a Transaction>) -> Vec<TransactionTotals> {
        let mut sums: BTreeMap<Group<'_>, Sums> = BTreeMap::new();
        for transaction in all {
            let group = (transaction.sale_id.as_str(), transaction.brand.as_str(), transaction.amount.currency);
            let moved = [(TransactionType::Debit, &self.taken), (TransactionType::ReverseDebit, &self.given_back)];
            for (kind, _) in moved.into_iter().filter(|(_, when)| when.get(&transaction.id) == Some(&period)) {
                let (count, minor) = sums.entry(group).or_default().entry(kind).or_default();
                *count += 1;
                *minor += transaction.amount.minor;
            }
        }
        let group = |((sale_id, brand, currency), kinds): (Group<'_>, Sums)| {
            let totals = kinds.into_iter().map(|(transaction_type, (transaction_count, minor))| PaymentTotals {
                transaction_type,
                transaction_count,
                transaction_amount: major(Money::new(minor, currency)),
            });
            TransactionTotals {
                payment_instrument_type: "Card".into(),
                card_brand: Some(brand.to_owned()),
                sale_id: Some(sale_id.to_owned()),
                payment_currency: Some(currency),
                payment_totals: totals.collect(),
            }
        };
        sums.into_iter().map(group).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::log::Log;
    use super::*;

    fn put(log: &mut Log, id: &str, minor: i64, progress: Progress) {
        let transaction = Transaction {
            id: id.into(),
            sale_id: "hub".into(),
            service_id: id.into(),
            amount: Money::new(minor, Currency::GBP),
            progress,
            brand: "visa".into(),
            reference: String::new(),
            why: String::new(),
            at: String::new(),
        };
        log.put(transaction).expect("written");
    }

    fn counted(log: &Log, period: u64) -> Vec<(TransactionType, u64, f64)> {
        let totals = log.periods().totals(period, log.all());
        let all = totals.iter().flat_map(|t| &t.payment_totals);
        all.map(|t| (t.transaction_type, t.transaction_count, t.transaction_amount)).collect()
    }

    #[test]
    fn a_closed_period_is_the_same_each_time_and_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log");
        let open = |path: &Path| Log::open(path).expect("the log");
        let mut log = open(&path);
        put(&mut log, "a", 370, Progress::Waiting);
        put(&mut log, "a", 370, Progress::Approved);
        put(&mut log, "b", 185, Progress::Approved);
        put(&mut log, "c", 999, Progress::Declined);
        assert_eq!(log.close("hub", "1").expect("closed"), 1);
        assert_eq!(log.close("hub", "1").expect("closed"), 1, "asked again, it closes nothing more");
        put(&mut log, "b", 185, Progress::Reversed);
        put(&mut log, "d", 555, Progress::Approved);
        let first = vec![(TransactionType::Debit, 2, 5.55)];
        let second = vec![(TransactionType::Debit, 1, 5.55), (TransactionType::ReverseDebit, 1, 1.85)];
        assert_eq!((counted(&log, 1), counted(&log, 2)), (first.clone(), second.clone()));
        drop(log);
        let mut log = open(&path);
        assert_eq!((counted(&log, 1), counted(&log, 2)), (first, second));
        assert_eq!((log.periods().taken_in("b"), log.periods().taken_in("c")), (Some(1), None));
        assert_eq!(log.close("hub", "1").expect("closed"), 1);
        assert_eq!(log.close("hub", "2").expect("closed"), 2);
        assert_eq!(log.periods().running(), 3);
    }
}
