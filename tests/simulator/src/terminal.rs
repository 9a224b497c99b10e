//! A model terminal: takes the money of a payment once, however often it is asked; remembers on its own
//! disk what it took; may crash before it has told anybody. The rules are those of the simulator that
//! speaks nexo on the wire.

use std::collections::BTreeMap;

use store_hub::intent::{Answer, Approval, Ask, Intent};
use trip::event::Tender;
use trip::{IntentId, Money, TripId};

/// How far a payment is at the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// A card is waited for.
    Waiting,
    /// The money is taken.
    Approved,
    /// Nothing was taken.
    Declined,
    /// It was given back.
    Reversed,
}

/// A payment, on the terminal's own disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payment {
    /// The trip that pays: the terminal does not know it; the checks do.
    pub trip: TripId,
    /// How much.
    pub amount: Money,
    /// How far it is.
    pub progress: Progress,
    /// Why nothing was taken.
    why: &'static str,
}

/// What a question leads to.
#[derive(Clone, Debug, PartialEq)]
pub enum Said {
    /// This answer, at once.
    Answer(Answer),
    /// A card is waited for; the answer comes with it.
    Waits,
}

/// What a held card led to.
#[derive(Clone, Debug, PartialEq)]
pub enum Held {
    /// This answer.
    Answer(Answer),
    /// The money is taken, and the terminal is dead.
    Crashed,
    /// No payment waits.
    Nothing,
}

/// The terminal of one lane.
#[derive(Debug, Default)]
pub struct Terminal {
    payments: BTreeMap<IntentId, Payment>,
    waiting: Option<IntentId>,
    /// The next approval kills it.
    pub crash_next: bool,
    /// The next card is refused.
    pub refuse_next: bool,
}

impl Terminal {
    /// Everything it ever was asked.
    pub fn payments(&self) -> impl Iterator<Item = (&IntentId, &Payment)> {
        self.payments.iter()
    }

    /// Which payment waits for a card.
    pub fn waiting(&self) -> Option<&IntentId> {
        self.waiting.as_ref()
    }

    /// The hub asks.
    pub fn ask(&mut self, ask: Ask, intent: &Intent) -> Said {
        match ask {
            Ask::Pay => self.pay(intent),
            Ask::Status => {
                Said::Answer(self.payments.get(&intent.id).map_or(Answer::NotFound, |p| answer(&intent.id, p)))
            }
            Ask::Reverse => Said::Answer(match self.payments.get_mut(&intent.id) {
                Some(payment) if matches!(payment.progress, Progress::Approved | Progress::Reversed) => {
                    payment.progress = Progress::Reversed;
                    Answer::Reversed
                }
                _ => Answer::NoAnswer { why: "the reversal was refused: no money was taken".into() },
            }),
            Ask::Abort => {
                if self.waiting.as_ref() == Some(&intent.id) {
                    self.decline("aborted");
                }
                Said::Answer(Answer::InProgress)
            }
        }
    }

    fn pay(&mut self, intent: &Intent) -> Said {
        match self.payments.get(&intent.id) {
            Some(known) if known.progress != Progress::Waiting => return Said::Answer(answer(&intent.id, known)),
            Some(_) => return Said::Answer(Answer::InProgress),
            None if self.waiting.is_some() => return Said::Answer(Answer::InProgress),
            None => {}
        }
        let payment =
            Payment { trip: intent.trip.clone(), amount: intent.amount, progress: Progress::Waiting, why: "" };
        self.payments.insert(intent.id.clone(), payment);
        self.waiting = Some(intent.id.clone());
        Said::Waits
    }

    /// A card is held to the reader.
    pub fn card(&mut self) -> Held {
        let Some(id) = self.waiting.take() else { return Held::Nothing };
        if std::mem::take(&mut self.refuse_next) {
            self.waiting = Some(id.clone());
            self.decline("the card was refused");
            return Held::Answer(answer(&id, &self.payments[&id]));
        }
        let Some(payment) = self.payments.get_mut(&id) else { return Held::Nothing };
        payment.progress = Progress::Approved;
        if std::mem::take(&mut self.crash_next) {
            return Held::Crashed;
        }
        Held::Answer(answer(&id, payment))
    }

    /// Nobody waits any more for the payment that waited.
    pub fn decline(&mut self, why: &'static str) {
        if let Some(payment) = self.waiting.take().and_then(|id| self.payments.get_mut(&id)) {
            (payment.progress, payment.why) = (Progress::Declined, why);
        }
    }

    /// What became of a payment.
    pub fn status(&self, id: &IntentId) -> Option<Answer> {
        self.payments.get(id).map(|payment| answer(id, payment))
    }
}

fn answer(id: &IntentId, payment: &Payment) -> Answer {
    match payment.progress {
        Progress::Waiting => Answer::InProgress,
        Progress::Declined => Answer::Declined { why: payment.why.into() },
        Progress::Reversed => Answer::Declined { why: "the money was given back".into() },
        Progress::Approved => Answer::Approved(Approval {
            amount: payment.amount,
            tender: Tender { kind: "visa".into(), reference: format!("sim.{id}") },
            time_stamp: "2026-11-22T10:00:00Z".into(),
        }),
    }
}
