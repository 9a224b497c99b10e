//! The simulator's reader: one payment at a time waits for a card.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::log::{Log, Progress, Transaction};
use super::{Play, Setup};
use crate::terminal::nexo::TransactionTotals;

/// What ends the wait for a card.
#[derive(Debug)]
pub(super) enum Touch {
    /// A card of this scheme was held to the reader.
    Card(String),
    /// The hub wants the payment stopped.
    Abort,
}

/// The payment that waits for a card, if any.
struct Waiting {
    id: String,
    touch: oneshot::Sender<Touch>,
}

/// What all connections share.
struct Shared {
    log: Log,
    script: VecDeque<Play>,
    waiting: Option<Waiting>,
}

/// The reader.
#[derive(Clone)]
pub(super) struct Reader {
    /// A mutex, because each connection is a task of its own; never held over an await.
    shared: Arc<Mutex<Shared>>,
    auto_tap: Option<Duration>,
    card_within: Duration,
}

/// What a payment request leads to.
pub(super) enum Paid {
    /// This is the answer.
    Answer(Transaction),
    /// The same payment is waiting for a card, or another one is.
    Busy,
    /// No answer is given.
    Silence,
}

impl Reader {
    pub(super) fn new(setup: &Setup, log: Log) -> Self {
        let shared = Shared { log, script: setup.script.iter().copied().collect(), waiting: None };
        Self { shared: Arc::new(Mutex::new(shared)), auto_tap: setup.auto_tap, card_within: setup.card_within }
    }

    fn shared(&self) -> MutexGuard<'_, Shared> {
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the money for `asked`, once, however often it is asked.
    pub(super) async fn pay(&self, asked: Transaction) -> std::io::Result<Paid> {
        let (touch, touched) = oneshot::channel();
        {
            let mut shared = self.shared();
            match shared.log.get(&asked.id) {
                Some(known) if known.progress != Progress::Waiting => return Ok(Paid::Answer(known.clone())),
                Some(_) => return Ok(Paid::Busy),
                None if shared.waiting.is_some() => return Ok(Paid::Busy),
                None => {}
            }
            shared.log.put(asked.clone())?;
            shared.waiting = Some(Waiting { id: asked.id.clone(), touch });
        }
        let auto_tap = async {
            match self.auto_tap {
                Some(after) => tokio::time::sleep(after).await,
                None => std::future::pending().await,
            }
        };
        let touch = tokio::select! {
            touch = touched => touch.ok(),
            () = auto_tap => Some(Touch::Card("visa".into())),
            () = tokio::time::sleep(self.card_within) => None,
        };
        self.shared().waiting = None;
        match touch {
            Some(Touch::Card(brand)) => self.play(asked, brand).await,
            Some(Touch::Abort) => self.decline(asked, "Aborted").map(Paid::Answer),
            None => self.decline(asked, "no card was held to the reader").map(Paid::Answer),
        }
    }

    async fn play(&self, mut asked: Transaction, brand: String) -> std::io::Result<Paid> {
        let play = self.shared().script.pop_front().unwrap_or(Play::Approve);
        match play {
            Play::Decline => return self.decline(asked, "the card was refused").map(Paid::Answer),
            Play::Timeout => return self.decline(asked, "timed out").map(|_| Paid::Silence),
            Play::Slow(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
            Play::Approve | Play::LostAnswer | Play::CrashAfterApproval => {}
        }
        asked.progress = Progress::Approved;
        asked.brand = brand;
        self.shared().log.put(asked.clone())?;
        match play {
            // What it is for: the money is taken, and nobody was told.
            Play::CrashAfterApproval => std::process::exit(70),
            Play::LostAnswer => Ok(Paid::Silence),
            _ => Ok(Paid::Answer(asked)),
        }
    }

    fn decline(&self, mut asked: Transaction, why: &str) -> std::io::Result<Transaction> {
        asked.progress = Progress::Declined;
        asked.why = why.to_owned();
        self.shared().log.put(asked.clone())?;
        Ok(asked)
    }

    /// Gives the money of a payment back, once; `None` when no money was taken.
    pub(super) fn reverse(&self, id: &str) -> std::io::Result<Option<Transaction>> {
        let mut shared = self.shared();
        let Some(mut transaction) = shared.log.get(id).cloned() else { return Ok(None) };
        match transaction.progress {
            Progress::Waiting | Progress::Declined => return Ok(None),
            Progress::Reversed => {}
            Progress::Approved => {
                transaction.progress = Progress::Reversed;
                shared.log.put(transaction.clone())?;
            }
        }
        Ok(Some(transaction))
    }

    /// Closes the period that runs, or looks at `closed`; which one it is, and what was counted in it. `None` while a
    /// card is waited for, or when there is no such closed period.
    pub(super) fn reconcile(
        &self,
        closed: Option<u64>,
        sale_id: &str,
        service_id: &str,
    ) -> std::io::Result<Option<(u64, Vec<TransactionTotals>)>> {
        let mut shared = self.shared();
        let period = match closed {
            Some(closed) if closed < shared.log.periods().running() => closed,
            Some(_) => return Ok(None),
            None if shared.log.all().any(|t| t.progress == Progress::Waiting) => return Ok(None),
            None => shared.log.close(sale_id, service_id)?,
        };
        Ok(Some((period, shared.log.periods().totals(period, shared.log.all()))))
    }

    /// In which period the money of a payment was taken.
    pub(super) fn taken_in(&self, id: &str) -> Option<u64> {
        self.shared().log.periods().taken_in(id)
    }

    /// Stops the wait of the payment that was asked in this exchange.
    pub(super) fn abort(&self, sale_id: &str, service_id: &str) {
        let mut shared = self.shared();
        let id = shared.log.by_exchange(sale_id, service_id).map(|t| t.id.clone());
        if let Some(waiting) = shared.waiting.take_if(|w| Some(&w.id) == id.as_ref()) {
            let _ = waiting.touch.send(Touch::Abort);
        }
    }

    /// Holds a card to the reader; false when no payment waits.
    pub(super) fn tap(&self, brand: &str) -> bool {
        let waiting = self.shared().waiting.take();
        waiting.is_some_and(|w| w.touch.send(Touch::Card(brand.to_owned())).is_ok())
    }

    pub(super) fn set_script(&self, script: Vec<Play>) {
        self.shared().script = script.into();
    }

    pub(super) fn by_exchange(&self, sale_id: &str, service_id: &str) -> Option<Transaction> {
        self.shared().log.by_exchange(sale_id, service_id).cloned()
    }

    pub(super) fn all(&self) -> Vec<Transaction> {
        self.shared().log.all().cloned().collect()
    }
}
