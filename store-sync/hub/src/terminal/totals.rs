//! What a terminal counted by itself. It counts by periods, each from one closing to the next, and numbers them.

use serde::{Deserialize, Serialize};
use trip::Money;

use crate::intent::Answer;

/// What became of money.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// It was taken.
    Paid,
    /// It was taken and given back, or refunded.
    GivenBack,
    /// Something that the hub never asks for, such as a reservation.
    Other,
}

/// One count and sum of a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    /// Who asked for it (nexo SaleID); `None` where the terminal does not tell askers apart.
    pub sale: Option<String>,
    /// The scheme, such as `visa`; `None` where the terminal does not tell schemes apart.
    pub brand: Option<String>,
    /// What became of the money.
    pub kind: Kind,
    /// How often.
    pub count: u64,
    /// The sum; 0 or more.
    pub sum: Money,
}

/// What a terminal counted in one period. A payment that was given back is in it twice: as paid, and as given back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Totals {
    /// Which period, by the terminal's own number.
    pub period: u64,
    /// All counts; what was declined is in none.
    pub counted: Vec<Counted>,
}

/// Which period a terminal is asked about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// The one that runs: it is closed, and the next begins. When the answer is lost, the number of the next one
    /// that is closed tells that there was one before, and [`Period::Closed`] asks for it again.
    Running,
    /// One that is closed: nothing changes, and the answer is the same each time.
    Closed(u64),
}

/// A terminal tells no totals.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTotals {
    /// It waits for a card.
    #[error("it is busy with a payment; ask again when nobody pays there")]
    Busy,
    /// It refuses, cannot, or tells what cannot be believed.
    #[error("{0}")]
    Refused(String),
    /// It does not answer, or not so that it could be understood.
    #[error("{0}")]
    Silent(String),
}

/// What a terminal says of one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// What became of it.
    pub answer: Answer,
    /// In which period its money was taken; `None` when none was, or the terminal does not tell.
    pub period: Option<u64>,
}
