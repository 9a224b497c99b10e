//! A day's end: what the terminals counted against what the ledger has, listed, and nothing mended.
//!
//! In come, lane by lane, the attempts of the ledger, what the terminal says of each, and the totals that it counted
//! by itself. Out comes a [`LaneDay`]: counts and sums at both sides, and every [`Difference`] in words. The totals
//! tell *that* something differs, also what no attempt of this hub can account for; the terminal's word on each
//! attempt tells *which*. What is to be done about it, a person decides: nothing here writes the ledger.
//!
//! A terminal counts by periods of its own. A day-end closes the one that runs, so a store's day is what lies between
//! two day-ends, and which attempts are in it the terminal itself tells with each of them. [`kept`] keeps the reports,
//! and says from them where a day begins; [`page`] shows them to people; [`command`] asks the terminals.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trip::{Currency, IntentId, LaneId, Money, StoreId, UnixMillis};

use crate::intent::{Answer, Intent, IntentState};
use crate::terminal::{Counted, Kind, NoTotals, Seen, Totals};

pub mod command;
pub mod kept;
mod page;
#[cfg(test)]
mod tests;

/// The form of a report's file.
pub const VERSION: u32 = 1;

/// A store's day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DayEnd {
    /// [`VERSION`].
    pub v: u32,
    /// The store.
    pub store: StoreId,
    /// The day, such as `2026-11-29`, by the store's own clock.
    pub date: String,
    /// When it was made, by the hub's clock.
    pub made_at: UnixMillis,
    /// Every lane.
    pub lanes: Vec<LaneDay>,
}

impl DayEnd {
    /// True when terminals and ledger agree in everything.
    pub fn agrees(&self) -> bool {
        self.lanes.iter().all(|lane| lane.differences.is_empty())
    }
}

/// A lane's day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaneDay {
    /// Which lane.
    pub lane: LaneId,
    /// Attempts made from here on are in it.
    pub from: UnixMillis,
    /// Attempts made before this are in it.
    pub until: UnixMillis,
    /// The terminal's periods that are in it, the first and the last; `None` when it told no totals.
    pub periods: Option<(u64, u64)>,
    /// Counts and sums at both sides.
    pub rows: Vec<Row>,
    /// What does not agree.
    pub differences: Vec<Difference>,
}

/// One count and sum at both sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    /// What became of the money.
    pub kind: Kind,
    /// Of the sums.
    pub currency: Currency,
    /// By the ledger.
    pub ledger: Sum,
    /// By the terminal, whoever asked it; `None` when it told no totals.
    pub terminal: Option<Sum>,
}

/// A count and a sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sum {
    /// How many.
    pub count: i64,
    /// Minor units.
    pub minor: i64,
}

impl Sum {
    /// True for what one side has and the other has not at all.
    fn is_more(self) -> bool {
        self.count > 0 && self.minor >= 0
    }
}

/// Something that does not agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Difference {
    /// What kind.
    pub what: What,
    /// About which attempt, where it is about one.
    pub attempt: Option<IntentId>,
    /// When that was made, by the hub's clock.
    pub at: Option<UnixMillis>,
    /// In words.
    pub words: String,
}

/// A kind of difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// Money moved at the terminal, and not in the ledger.
    OnlyAtTerminal,
    /// Money moved in the ledger, and not at the terminal.
    OnlyInLedger,
    /// It moved at both, and not as much.
    OtherAmount,
    /// It was given back at one side alone.
    GivenBackAtOneSide,
    /// The ledger does not know yet.
    StillOpen,
    /// The terminal cannot be asked, or not about everything.
    NoAnswer,
    /// The terminal tells no totals: what it took without the hub cannot be seen.
    NoTotals,
}

/// What is known of a lane's day.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    /// Which lane.
    pub lane: &'a LaneId,
    /// The hub's name towards terminals.
    pub sale: &'a str,
    /// Attempts made from here on are in it.
    pub from: UnixMillis,
    /// Attempts made before this are in it.
    pub until: UnixMillis,
    /// The lane's attempts of that time and some before it, and what its terminal says of each; `None` where it was
    /// not asked: a payment that never went to it needs no word.
    pub attempts: &'a [(Intent, Option<Seen>)],
    /// What the terminal counted, one for each of its periods, in order.
    pub totals: &'a Result<Vec<Totals>, NoTotals>,
}

/// Counts and sums, by currency and kind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Book(BTreeMap<(Currency, Kind), Sum>);

impl Book {
    fn add(&mut self, kind: Kind, count: i64, sum: Money) {
        let entry = self.0.entry((sum.currency, kind)).or_default();
        entry.count += count;
        entry.minor += sum.minor;
    }

    /// What is here and not in `other`; negative where there is more in the other.
    fn less(mut self, other: &Self) -> Self {
        for (key, sum) in &other.0 {
            let entry = self.0.entry(*key).or_default();
            entry.count -= sum.count;
            entry.minor -= sum.minor;
        }
        self.0.retain(|_, sum| *sum != Sum::default());
        self
    }
}

/// Compares a lane's day.
pub fn compare(evidence: &Evidence<'_>) -> LaneDay {
    let totals = evidence.totals.as_deref().ok();
    let periods = totals.and_then(|all| Some((all.first()?.period, all.last()?.period)));
    let mut cases = Cases::default();
    for (intent, seen) in evidence.attempts {
        cases.take(intent, seen.as_ref(), is_within(intent, seen.as_ref(), evidence, periods));
    }
    let told: Option<Vec<&Counted>> = totals.map(|all| all.iter().flat_map(|t| &t.counted).collect());
    let rows = rows(&cases.ledger, told.as_deref());
    match told {
        Some(told) => cases.account_for(&told, evidence.sale),
        // Without totals nobody can say that these were given back.
        None => cases.not_given_back(),
    }
    cases.differences.extend(not_told(evidence.totals, &cases.unanswered, cases.answered));
    LaneDay {
        lane: evidence.lane.clone(),
        from: evidence.from,
        until: evidence.until,
        periods,
        rows,
        differences: cases.differences,
    }
}

/// True when money of `intent` is of this day: the terminal says in which period it took it; else the clock must do.
fn is_within(intent: &Intent, seen: Option<&Seen>, evidence: &Evidence<'_>, periods: Option<(u64, u64)>) -> bool {
    match (seen.and_then(|seen| seen.period), periods) {
        (Some(period), Some((first, last))) => (first..=last).contains(&period),
        _ => (evidence.from..evidence.until).contains(&intent.created_at),
    }
}

fn rows(ledger: &Book, told: Option<&[&Counted]>) -> Vec<Row> {
    let mut terminal = Book::default();
    told.unwrap_or_default().iter().for_each(|one| terminal.add(one.kind, count(one), one.sum));
    let mut keys: Vec<(Currency, Kind)> = ledger.0.keys().chain(terminal.0.keys()).copied().collect();
    keys.sort_unstable();
    keys.dedup();
    let sum = |book: &Book, key: (Currency, Kind)| book.0.get(&key).copied().unwrap_or_default();
    let row = |key: (Currency, Kind)| Row {
        kind: key.1,
        currency: key.0,
        ledger: sum(ledger, key),
        terminal: told.map(|_| sum(&terminal, key)),
    };
    keys.into_iter().map(row).collect()
}

fn count(one: &Counted) -> i64 {
    i64::try_from(one.count).unwrap_or(i64::MAX)
}

/// What must be said of the asking itself.
fn not_told(totals: &Result<Vec<Totals>, NoTotals>, unanswered: &Unanswered, answered: usize) -> Vec<Difference> {
    let mut all = Vec::new();
    match totals {
        Ok(_) => {}
        Err(NoTotals::Silent(why)) if answered == 0 => {
            return vec![about_lane(What::NoAnswer, format!("the terminal does not answer: {why}"))];
        }
        Err(why) => {
            let words = format!("the terminal tells no totals: {why}. What it took without this hub cannot be seen");
            all.push(about_lane(What::NoTotals, words));
        }
    }
    if let Some(why) = &unanswered.why {
        let (count, of) = (unanswered.count, unanswered.count + answered);
        let words = format!("the terminal gave no answer about {count} of {of} attempts: {why}");
        all.push(about_lane(What::NoAnswer, words));
    }
    all
}

fn about_lane(what: What, words: String) -> Difference {
    Difference { what, attempt: None, at: None, words }
}

/// The attempts that got no word.
#[derive(Debug, Default)]
struct Unanswered {
    count: usize,
    why: Option<String>,
}

/// Attempts as they are gone through.
#[derive(Debug, Default)]
struct Cases {
    differences: Vec<Difference>,
    /// What the ledger has.
    ledger: Book,
    /// What the terminal says it took and gave back, attempt by attempt.
    accounted: Book,
    /// Paid in the ledger, and the terminal keeps nothing: it never took it, or gave it back.
    gone: Book,
    /// Given back in the ledger. The terminal says that it took it, which some also say of what they gave back since.
    doubtful: Vec<(Difference, Money)>,
    unanswered: Unanswered,
    /// How many attempts got a word.
    answered: usize,
}

impl Cases {
    fn take(&mut self, intent: &Intent, seen: Option<&Seen>, within: bool) {
        let open = matches!(
            intent.state,
            IntentState::Created | IntentState::Sent | IntentState::Unknown | IntentState::Reversing
        );
        if open {
            // Whenever it was made: it stays on the list until it is settled.
            self.differ(intent, What::StillOpen, still_open(intent, seen));
        }
        // Whichever day it is of, for that only the terminal could tell.
        if let Some(Answer::NeverSent { why } | Answer::NoAnswer { why }) = seen.map(|seen| &seen.answer) {
            self.unanswered.count += 1;
            self.unanswered.why.get_or_insert_with(|| why.clone());
        } else {
            self.answered += usize::from(seen.is_some());
        }
        if !within {
            return;
        }
        let held = intent.approval.as_ref().filter(|_| intent.state != IntentState::Declined).map(|a| a.amount);
        if let Some(amount) = held {
            self.ledger.add(Kind::Paid, 1, amount);
            if intent.state == IntentState::Reversed {
                self.ledger.add(Kind::GivenBack, 1, amount);
            }
        }
        let Some(seen) = seen else { return };
        if let Answer::Approved(approval) = &seen.answer {
            self.accounted.add(Kind::Paid, 1, approval.amount);
        }
        match (intent.state, held) {
            _ if matches!(seen.answer, Answer::NeverSent { .. } | Answer::NoAnswer { .. }) => {}
            (IntentState::Approved, Some(amount)) => self.paid(intent, amount, &seen.answer),
            (IntentState::Reversed, Some(amount)) => self.given_back(intent, amount, &seen.answer),
            (IntentState::Reversing, Some(amount)) => {
                // Given back, and the hub has not heard of it yet.
                if matches!(seen.answer, Answer::Declined { .. } | Answer::Reversed) {
                    self.accounted.add(Kind::Paid, 1, amount);
                    self.accounted.add(Kind::GivenBack, 1, amount);
                }
            }
            (IntentState::Declined, _) => {
                if let Answer::Approved(approval) = &seen.answer {
                    let why = intent.why.as_deref().unwrap_or("no reason given");
                    let words =
                        format!("{} was taken at the terminal; the ledger has it as declined ({why})", approval.amount);
                    self.differ(intent, What::OnlyAtTerminal, words);
                }
            }
            _ => {}
        }
    }

    fn paid(&mut self, intent: &Intent, amount: Money, answer: &Answer) {
        match answer {
            Answer::Approved(told) if told.amount == amount => {}
            Answer::Approved(told) => self.other_amount(intent, amount, told.amount),
            Answer::Reversed => {
                self.accounted.add(Kind::Paid, 1, amount);
                self.accounted.add(Kind::GivenBack, 1, amount);
                let words = format!("{amount} was given back at the terminal; the ledger has it as paid");
                self.differ(intent, What::GivenBackAtOneSide, words);
            }
            Answer::Declined { why } => {
                self.gone.add(Kind::Paid, 1, amount);
                self.gone.add(Kind::GivenBack, 1, amount);
                let words =
                    format!("{amount} is paid in the ledger; the terminal took nothing, or gave it back ({why})");
                self.differ(intent, What::OnlyInLedger, words);
            }
            _ => {
                let words = format!("{amount} is paid in the ledger; the terminal {}", says(answer));
                self.differ(intent, What::OnlyInLedger, words);
            }
        }
    }

    fn given_back(&mut self, intent: &Intent, amount: Money, answer: &Answer) {
        match answer {
            Answer::Approved(told) => {
                self.accounted.add(Kind::GivenBack, 1, told.amount);
                if told.amount == amount {
                    let words = format!("{amount} was given back in the ledger; the terminal still has it");
                    self.doubtful.push((difference(intent, What::GivenBackAtOneSide, words), amount));
                } else {
                    self.other_amount(intent, amount, told.amount);
                }
            }
            Answer::Declined { .. } | Answer::Reversed => {
                self.accounted.add(Kind::Paid, 1, amount);
                self.accounted.add(Kind::GivenBack, 1, amount);
            }
            _ => {
                let words = format!("{amount} was taken and given back in the ledger; the terminal {}", says(answer));
                self.differ(intent, What::OnlyInLedger, words);
            }
        }
    }

    fn other_amount(&mut self, intent: &Intent, ledger: Money, terminal: Money) {
        self.differ(intent, What::OtherAmount, format!("{ledger} in the ledger, {terminal} at the terminal"));
    }

    fn differ(&mut self, intent: &Intent, what: What, words: String) {
        self.differences.push(difference(intent, what, words));
    }

    fn not_given_back(&mut self) {
        self.differences.extend(self.doubtful.drain(..).map(|(difference, _)| difference));
    }

    /// Compares what the terminal counted for this hub with what it said attempt by attempt: the rest, no attempt
    /// accounts for.
    fn account_for(&mut self, told: &[&Counted], sale: &str) {
        let mut own = Book::default();
        for one in told {
            match &one.sale {
                Some(other) if other != sale => {
                    let brand = one.brand.as_deref().map(|brand| format!(", {brand}")).unwrap_or_default();
                    let words = format!(
                        "{}{brand}, asked for by \"{other}\"",
                        at_terminal_alone(one.kind, count(one), one.sum)
                    );
                    self.differences.push(about_lane(What::OnlyAtTerminal, words));
                }
                _ => own.add(one.kind, count(one), one.sum),
            }
        }
        // The rest is what nobody was heard about, and not what nobody knows of.
        if self.unanswered.count > 0 {
            self.not_given_back();
            return;
        }
        let mut rest = own.less(&self.accounted);
        if rest == self.gone {
            rest = Book::default();
        }
        let mut missing = Book::default();
        for (_, amount) in &self.doubtful {
            missing.add(Kind::GivenBack, -1, Money::new(-amount.minor, amount.currency));
        }
        // Where more was given back than is known of, all that is known of was.
        let short = |((_, kind), sum): (&(Currency, Kind), &Sum)| *kind == Kind::GivenBack && !sum.is_more();
        if rest.0.iter().any(short) {
            self.not_given_back();
        }
        if rest == missing {
            return;
        }
        for ((currency, kind), sum) in rest.0 {
            self.differences.push(unaccounted(kind, sum, currency));
        }
    }
}

fn unaccounted(kind: Kind, sum: Sum, currency: Currency) -> Difference {
    let money = Money::new(sum.minor.abs(), currency);
    if sum.is_more() {
        let words = format!("{}, which no attempt of this hub accounts for", at_terminal_alone(kind, sum.count, money));
        return about_lane(What::OnlyAtTerminal, words);
    }
    let (what, words) = match sum.count {
        0 => (What::OtherAmount, format!("its totals of what was {} differ by {money}", word(kind))),
        n if n < 0 => (What::OnlyInLedger, format!("its totals of what was {} have {} fewer, {money}", word(kind), -n)),
        n => (What::OtherAmount, format!("its totals of what was {} have {n} more, and {money} less", word(kind))),
    };
    about_lane(what, format!("the terminal contradicts itself: {words}, than it says attempt by attempt"))
}

/// "at the terminal and not in the ledger: 2 paid, £3.70".
fn at_terminal_alone(kind: Kind, count: i64, sum: Money) -> String {
    format!("at the terminal and not in the ledger: {count} {}, {sum}", word(kind))
}

/// The word for `kind`.
fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Paid => "paid",
        Kind::GivenBack => "given back",
        Kind::Other => "of a kind that this hub never asks for",
    }
}

fn difference(intent: &Intent, what: What, words: String) -> Difference {
    let words = format!("{words} ({})", intent.cart);
    Difference { what, attempt: Some(intent.id.clone()), at: Some(intent.created_at), words }
}

fn still_open(intent: &Intent, seen: Option<&Seen>) -> String {
    let ledger = match intent.state {
        IntentState::Created => "waits for the lane",
        IntentState::Reversing => "is being given back",
        _ => "is not settled in the ledger",
    };
    let terminal = seen.map(|seen| format!("; the terminal {}", says(&seen.answer))).unwrap_or_default();
    format!("{} {ledger}{terminal}", intent.amount)
}

/// What the terminal says, after "the terminal".
fn says(answer: &Answer) -> String {
    match answer {
        Answer::Approved(approval) => format!("has taken {}", approval.amount),
        Answer::Declined { why } => format!("keeps nothing ({why})"),
        Answer::NotFound => "knows no such payment".into(),
        Answer::InProgress => "waits for a card".into(),
        Answer::Reversed => "gave it back".into(),
        Answer::NeverSent { why } | Answer::NoAnswer { why } => format!("gives no answer ({why})"),
    }
}
