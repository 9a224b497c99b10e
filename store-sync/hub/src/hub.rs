//! The hub itself: inputs in, effects out, and nothing acted upon before it is committed.
//!
//! [`Hub`] owns the database and all that is derived from it. It knows no socket and no clock: the
//! shell in [`crate::run`] brings messages from the bus, answers of terminals, staff's taps and the
//! time, and carries out the effects. So a test drives the whole hub without a network, and a hub that
//! starts again finds in the database what was to be done next.

use std::collections::{BTreeMap, BTreeSet};

use ed25519_dalek::VerifyingKey;
use trip::chain::Head;
use trip::message::{Ack, Desired, HubState, Presence, Telemetry, VERSION};
use trip::topics::{self, Leaf};
use trip::{CartId, Hash, IntentId, LaneId, StoreId, TripId, UnixMillis};

use crate::bus::{BusEvent, Outgoing};
use crate::catalogues::Catalogues;
use crate::config::key_text;
use crate::intent::{Answer, Ask, Intent};
use crate::receipt::Office;
use crate::store::{CartRow, FenceRow, GateRow, ReceiptRow, Storage, StoreError, StoreKind, TransferRow, Write};

mod back_office;
mod board;
mod commands;
mod draft;
mod fence;
mod health;
mod intake;
mod late;
mod look;
mod payments;
mod phones;
mod queue;
#[cfg(test)]
mod tests;
mod transfer;

pub use fence::Carts;
pub use health::{BackOfficeHealth, HubHealth};
pub use phones::{Pass, PhoneAnswer, PhoneAsk, PhoneTrip, Refused, Stage};
pub use transfer::{TillAnswer, TillAsk, TillLine, TillSheet, TillStage};

use back_office::BackOffice;
use commands::Outbox;
use draft::Draft;

/// What the hub is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Input {
    /// The bus.
    Bus(BusEvent),
    /// A terminal answered, or did not.
    Answer {
        /// About which attempt.
        intent: IntentId,
        /// What it was asked.
        ask: Ask,
        /// What it said.
        answer: Answer,
    },
    /// Staff tapped something.
    Staff(StaffAction),
    /// Carts have joined or were revoked: these belong to the store from now on.
    Carts(Carts),
    /// Time passes; a few times a second.
    Tick,
}

impl Input {
    /// Topic and payload, when it is a message.
    fn message(&self) -> Option<(&str, &[u8])> {
        match self {
            Self::Bus(BusEvent::Message { topic, payload }) => Some((topic, payload)),
            _ => None,
        }
    }

    /// Brings it again, where the database could not take it in and nobody else would: a cart sends again what
    /// is not acked, and time passes anyway.
    fn again(&self) -> Option<Effect> {
        match self {
            Self::Answer { .. } | Self::Staff(_) | Self::Carts(_) => Some(Effect::Again(Box::new(self.clone()))),
            Self::Bus(_) | Self::Tick => None,
        }
    }
}

/// What staff can do on the staff page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StaffAction {
    /// "Help has come."
    HelpHasCome {
        /// At which cart.
        cart: CartId,
    },
    /// "I'm going": nobody else needs to.
    OnTheWay {
        /// To which cart.
        cart: CartId,
    },
    /// The buyer's age was looked at.
    AgeChecked {
        /// At which cart.
        cart: CartId,
        /// For which line.
        line: trip::LineId,
        /// Whether it may be sold.
        approved: bool,
    },
    /// A cart whose records are not taken was looked at: they are taken again.
    LiftFence {
        /// Which.
        cart: CartId,
    },
    /// An unresolved thing was looked at and let go.
    ReleaseHold {
        /// In which cart.
        cart: CartId,
        /// Which.
        hold: trip::HoldId,
    },
    /// "Take the basket to the till": the cart can go on no more.
    TakeBasket {
        /// Of which cart.
        cart: CartId,
        /// Of which trip, as staff saw it: a late tap takes no other.
        trip: TripId,
        /// True when staff have said twice that the cart cannot be used, though all seems well with it.
        sure: bool,
    },
    /// What a cart told after its basket was taken was looked at.
    LookedAt {
        /// Of which trip.
        trip: TripId,
        /// What was shown: see [`crate::web::board::TakenCard::told`]. What has come since stays to be looked at.
        told: Hash,
    },
}

/// What the hub wants done.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Send this.
    Publish(Outgoing),
    /// Ask a lane's terminal, after a while; [`Input::Answer`] brings what it says.
    Ask {
        /// Which lane.
        lane: LaneId,
        /// What.
        ask: Ask,
        /// About this.
        intent: Box<Intent>,
        /// Not before so many milliseconds from now.
        after_ms: u64,
    },
    /// Bring this input again after a second: the database could not take it in.
    Again(Box<Input>),
}

/// What the hub is told once, at its start.
pub struct Setting {
    /// The store.
    pub store: StoreId,
    /// Its lanes.
    pub lanes: Vec<LaneId>,
    /// Its carts and their keys.
    pub carts: BTreeMap<CartId, VerifyingKey>,
    /// Milliseconds since 1970 when this run began.
    pub boot_epoch: u64,
    /// Under which address phones reach this hub, such as `https://carts.example`; `None` where they cannot.
    pub phone_url: Option<String>,
    /// After how many milliseconds staff are told that the back office has not taken something; `None` where there is
    /// no back office, and nothing is written down for it.
    pub back_office_alarm_ms: Option<i64>,
}

/// What is known of a cart beside its journal; lost at a restart, and told anew.
#[derive(Clone, Debug, Default)]
struct Seen {
    presence: Option<Presence>,
    /// Since when it is on or off the line, by the hub's clock.
    since: UnixMillis,
    telemetry: Option<Telemetry>,
    /// Since when help is called, by the hub's clock.
    help_since: Option<UnixMillis>,
    /// Since when a buyer's age is to be looked at, by the hub's clock.
    age_since: Option<UnixMillis>,
    /// What its shopper was told last of the queue: calls before, and the usual wait in seconds.
    told: Option<(u32, Option<u32>)>,
    /// What it offers phones, and which of them joins.
    phones: phones::Phones,
}

/// The hub.
pub struct Hub<S> {
    setting: Setting,
    storage: S,
    catalogues: Catalogues,
    office: Office,
    /// Carts whose word counts no more.
    revoked: BTreeSet<CartId>,
    /// Carts whose identity two writers use.
    fences: BTreeMap<CartId, FenceRow>,
    /// Baskets at a till whose cart may still go on with them, or has told something to look at.
    transfers: BTreeMap<TripId, TransferRow>,
    /// Each cart's newest journal.
    carts: BTreeMap<CartId, CartRow>,
    seen: BTreeMap<CartId, Seen>,
    /// Intents that something may still happen to.
    intents: BTreeMap<IntentId, Intent>,
    /// Intents whose terminal is being asked something, and how often in a row it was.
    asked: BTreeMap<IntentId, u32>,
    outbox: Outbox,
    gates: BTreeMap<LaneId, GateRow>,
    receipts: Vec<ReceiptRow>,
    waits: queue::Waits,
    back_office: BackOffice,
    looks: look::Looks,
    /// True while the broker is there.
    line: bool,
    /// True while it is, and has been told all it must know.
    connected: bool,
    /// True since the database could not take something in, until it answers again: it is said once.
    troubled: bool,
    refused: u64,
}

/// How many receipts the staff page shows.
const SHOWN_RECEIPTS: u32 = 8;

impl<S: Storage> Hub<S> {
    /// Takes up where the database says the last run stopped: payments that were under way are
    /// resolved by asking their terminals, before anything else.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read or written.
    pub fn start(
        setting: Setting,
        storage: S,
        catalogues: Catalogues,
        office: Office,
        now: UnixMillis,
    ) -> Result<(Self, Vec<Effect>), StoreError> {
        let mut hub = Self {
            carts: BTreeMap::new(),
            intents: BTreeMap::new(),
            outbox: Outbox::default(),
            gates: BTreeMap::new(),
            receipts: Vec::new(),
            refused: 0,
            revoked: BTreeSet::new(),
            fences: BTreeMap::new(),
            transfers: BTreeMap::new(),
            seen: BTreeMap::new(),
            asked: BTreeMap::new(),
            waits: queue::Waits::default(),
            back_office: BackOffice::default(),
            looks: look::Looks::default(),
            line: false,
            connected: false,
            troubled: false,
            setting,
            storage,
            catalogues,
            office,
        };
        hub.recall(now)?;
        let effects = hub.resume(now)?;
        Ok((hub, effects))
    }

    /// Takes into memory all that the database has of what is not over.
    fn recall(&mut self, now: UnixMillis) -> Result<(), StoreError> {
        let storage = &self.storage;
        self.carts = storage.carts()?.into_iter().map(|row| (row.cart.clone(), row)).collect();
        self.intents = storage.open_intents()?.into_iter().map(|i| (i.id.clone(), i)).collect();
        self.outbox = Outbox::new(storage.open_commands()?);
        self.gates = storage.gates()?.into_iter().map(|row| (row.lane.clone(), row)).collect();
        self.receipts = storage.receipts(SHOWN_RECEIPTS)?;
        self.refused = storage.counter("refused")?;
        self.fences = storage.fences()?.into_iter().map(|row| (row.cart.clone(), row)).collect();
        self.transfers = storage.open_transfers()?.into_iter().map(|row| (row.trip.clone(), row)).collect();
        self.back_office.recall(storage)?;
        self.asked.retain(|id, _| self.intents.contains_key(id));
        for (cart, row) in &self.carts {
            let seen = self.seen.entry(cart.clone()).or_insert_with(|| Seen { since: now, ..Seen::default() });
            let since = |waits: bool, before: Option<UnixMillis>| waits.then(|| before.unwrap_or(row.at));
            seen.help_since = since(row.state.help, seen.help_since);
            seen.age_since = since(!row.state.age_checks.is_empty(), seen.age_since);
        }
        Ok(())
    }

    /// A commit whose effects were never carried out is there after all: what followed from it is done now, as after
    /// a restart.
    fn catch_up(&mut self, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        tracing::info!("a commit that was given up is there after all; all is read anew");
        self.storage.caught_up();
        self.recall(now)?;
        let mut effects = self.resume(now)?;
        if self.connected {
            effects.extend(self.say_all(now));
        }
        Ok(effects)
    }

    /// The database cannot take something in now; said once, until it answers again. One that has more than was known
    /// is read anew.
    fn put_off(&mut self, why: &StoreError, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        if std::mem::replace(&mut self.troubled, true) {
            tracing::debug!(error = %why, "the database still cannot take anything in");
        } else {
            tracing::warn!(error = %why, "the database cannot take anything in");
        }
        if why.kind == StoreKind::Behind { self.catch_up(now) } else { Ok(Vec::new()) }
    }

    /// Takes in one input: see [`Hub::handle_all`].
    ///
    /// # Errors
    /// As [`Hub::handle_all`].
    pub fn handle(&mut self, input: Input, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        self.handle_all(vec![input], now)
    }

    /// Takes in inputs that have come, in their order; messages that have come together are written together.
    /// What it returns is to be carried out in order.
    ///
    /// # Errors
    /// [`StoreError`] when the database is broken: the process shall end, start again, and recover.
    /// A full or busy database is no error here: nothing is acked, and the input comes again where it
    /// would be lost. Nor is one that has more than was known: it is read anew.
    pub fn handle_all(&mut self, inputs: Vec<Input>, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        let mut effects = Vec::new();
        for run in inputs.chunk_by(|a, b| a.message().is_some() && b.message().is_some()) {
            let taken = match run {
                [input] => self.take(input, now),
                messages => self.hear_all(messages.iter().filter_map(Input::message), now),
            };
            match taken {
                Ok(more) => effects.extend(more),
                Err(e) if e.passes() => {
                    effects.extend(self.put_off(&e, now)?);
                    effects.extend(run.iter().filter_map(Input::again));
                }
                Err(e) => return Err(e),
            }
        }
        match self.next_payments(now) {
            Ok(more) => effects.extend(more),
            Err(e) if e.passes() => {
                tracing::warn!(error = %e, "the database cannot take a payment in");
            }
            Err(e) => return Err(e),
        }
        effects.extend(self.tell_queue(now));
        self.forget_looks();
        Ok(effects)
    }

    fn take(&mut self, input: &Input, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        match input {
            Input::Bus(BusEvent::Up) => {
                (self.line, self.connected) = (true, false);
                self.greet(now)
            }
            Input::Bus(BusEvent::Down { why }) => {
                self.line = false;
                if std::mem::take(&mut self.connected) {
                    tracing::warn!(why, "the line to the broker is lost; it is sought again");
                }
                Ok(Vec::new())
            }
            Input::Bus(BusEvent::Message { topic, payload }) => {
                self.hear_all([(topic.as_str(), payload.as_slice())], now)
            }
            Input::Answer { intent, ask, answer } => self.answered(intent, *ask, answer, now),
            Input::Staff(StaffAction::LiftFence { cart }) => self.lift_fence(cart),
            Input::Staff(StaffAction::TakeBasket { cart, trip, sure }) => self.take_basket(cart, trip, *sure, now),
            Input::Staff(StaffAction::LookedAt { trip, told }) => self.looked_at(trip, *told, now),
            Input::Staff(action) => self.staff(action, now),
            Input::Carts(carts) => self.take_carts(carts),
            Input::Tick => {
                let greeting = self.greet(now)?;
                self.look_at_back_office(now);
                // What fails after it must not take it along.
                if !greeting.is_empty() {
                    return Ok(greeting);
                }
                let mut effects = self.tick(now)?;
                effects.extend(self.ask_again(now));
                Ok(effects)
            }
        }
    }

    /// Says all to a broker that has come (back), as soon as the database can be asked whether this hub is to speak:
    /// what is said comes from memory, and another hub may know better.
    fn greet(&mut self, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        self.storage.owned()?;
        self.troubled = false;
        if !self.line || self.connected {
            return Ok(Vec::new());
        }
        self.connected = true;
        self.seen.values_mut().for_each(|seen| seen.told = None);
        Ok(self.say_all(now))
    }

    /// All that carts and staff must know after a broker has come (back) with nothing in it.
    fn say_all(&mut self, now: UnixMillis) -> Vec<Effect> {
        let store = &self.setting.store;
        let mut effects = vec![publish(topics::hub_state(store), &self.state(), true)];
        effects.extend(self.setting.carts.keys().map(|cart| self.desired(cart)));
        let taken = self.carts.values().filter(|row| self.shut_out(&row.cart).is_none());
        effects.extend(taken.map(|row| self.ack(&row.cart, row.epoch, row.head)));
        effects.extend(self.outbox.send_all(store, now));
        effects
    }

    /// What it says of itself.
    fn state(&self) -> HubState {
        HubState { v: VERSION, online: true, boot_epoch: self.setting.boot_epoch }
    }

    fn desired(&self, cart: &CartId) -> Effect {
        let receipt_key = key_text(&self.office.public_key());
        let pair_url = self.setting.phone_url.as_ref().map(|url| format!("{url}/pair/{cart}"));
        let desired = Desired { v: VERSION, catalogue: self.catalogues.current().version, receipt_key, pair_url };
        publish(topics::cart(&self.setting.store, cart, Leaf::Desired), &desired, true)
    }

    fn ack(&self, cart: &CartId, epoch: u64, head: Head) -> Effect {
        publish(topics::cart(&self.setting.store, cart, Leaf::Ack), &Ack { v: VERSION, epoch, head }, true)
    }

    fn present(&mut self, cart: &CartId, presence: Presence, now: UnixMillis) -> Vec<Effect> {
        let seen = self.seen.entry(cart.clone()).or_default();
        if seen.presence.is_some_and(|known| presence.boot_epoch < known.boot_epoch) {
            tracing::debug!(%cart, "a word of an earlier run of the cart came late");
            return Vec::new();
        }
        if seen.presence.is_none_or(|known| known.online != presence.online) {
            seen.since = now;
        }
        seen.presence = Some(presence);
        seen.told = None;
        if !presence.online {
            return Vec::new();
        }
        // Whatever became of the retained one: a cart that does not know the store's key shows no receipt.
        let mut effects = vec![self.desired(cart)];
        if self.shut_out(cart).is_none() {
            effects.extend(self.carts.get(cart).map(|row| self.ack(cart, row.epoch, row.head)));
        }
        effects.extend(self.outbox.send_to(&self.setting.store, cart, now));
        effects
    }

    /// Commits `draft`, then takes it into memory and returns its effects.
    fn commit(&mut self, mut draft: Draft, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        let words = self.write_words(&mut draft, now);
        self.storage.commit(draft.writes())?;
        self.back_office.told(words, now);
        for intent in draft.intents().cloned().collect::<Vec<_>>() {
            if intent.open() {
                self.intents.insert(intent.id.clone(), intent);
            } else {
                self.asked.remove(&intent.id);
                self.intents.remove(&intent.id);
            }
        }
        let mut effects = Vec::new();
        for write in draft.writes() {
            match write {
                Write::Gate(row) => drop(self.gates.insert(row.lane.clone(), row.clone())),
                Write::Receipt(row) => {
                    self.receipts.retain(|r| r.number != row.number);
                    self.receipts.insert(0, row.clone());
                    self.receipts.sort_by(|a, b| b.number.cmp(&a.number));
                    self.receipts.truncate(SHOWN_RECEIPTS as usize);
                }
                Write::Command(row) => effects.extend(self.outbox.add(&self.setting.store, row.clone(), now)),
                Write::CommandDone(id) => self.outbox.done(id),
                Write::Transfer(row) if row.open() => drop(self.transfers.insert(row.trip.clone(), row.clone())),
                Write::Transfer(row) => drop(self.transfers.remove(&row.trip)),
                _ => {}
            }
        }
        for (id, ask, after_ms) in draft.into_asks() {
            effects.extend(self.ask(&id, ask, after_ms));
        }
        Ok(effects)
    }

    /// Every intent that something may still happen to.
    #[cfg(test)]
    fn open_intents(&self) -> Vec<Intent> {
        self.intents.values().cloned().collect()
    }
}

/// A message of plain fields for `topic`.
fn publish(topic: String, message: &impl serde::Serialize, retain: bool) -> Effect {
    let payload = serde_json::to_vec(message).unwrap_or_else(|e| unreachable!("a message has only plain fields: {e}"));
    Effect::Publish(Outgoing { topic, payload, retain })
}
