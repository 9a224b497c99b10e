//! What the cart says on the line and what it makes of the answers: pure, with time as an argument.
//!
//! The shell ([`crate::link`]) tells it that a connection came or went, what was heard and how far the
//! journal has grown; [`Session::poll_output`] gives what is to be subscribed, published and told to the
//! cart. So the same session runs over MQTT and in the simulator.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use tracing::{debug, warn};
use trip::message::{Ack, Batch, Command, Desired, HubState, Look, Offer, Pairing, Presence, Telemetry, VERSION};
use trip::topics::{self, Leaf};
use trip::{CartId, Hash, StoreId};

use crate::looks::Looks;
use crate::outbox::{Acked, Outbox};
use crate::sign;

/// Room for the largest payload and what MQTT puts around it, in bytes.
pub const LARGEST_PACKET: usize = trip::bounds::MAX_PAYLOAD_BYTES + 1024;

/// A broker that takes everything while the hub acks nothing for so long drops it on the way: its rights
/// are wrong, or the hub does not hear. Staff must know, for nothing on the cart shows it.
const SILENCE: Duration = Duration::from_secs(60);

/// Who speaks.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The store.
    pub store: StoreId,
    /// This cart.
    pub cart: CartId,
    /// Milliseconds since 1970 when this run began.
    pub boot_epoch: u64,
}

/// What the journal could not do.
#[derive(Debug, thiserror::Error)]
#[error("journal: {0}")]
pub struct JournalError(pub String);

/// The journal as the line needs it.
pub trait Journal {
    /// Which journal.
    fn epoch(&self) -> u64;
    /// Sequence number of the last record and of the last freed one.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be read.
    fn ends(&mut self) -> Result<(u64, u64), JournalError>;
    /// The records from `first` to `last`, both included, as they are encoded.
    ///
    /// # Errors
    /// [`JournalError`] when they cannot be read.
    fn records(&mut self, first: u64, last: u64) -> Result<Vec<String>, JournalError>;
    /// The hub has committed up to `ack`: remember it, and drop what nobody needs any more.
    ///
    /// # Errors
    /// [`JournalError`] when it cannot be written; the records are then sent again later.
    fn free(&mut self, ack: &Ack) -> Result<(), JournalError>;
}

/// What the line tells the cart.
#[derive(Clone, Debug, PartialEq)]
pub enum LinkEvent {
    /// The hub answers, or does not.
    Connected(bool),
    /// The hub asks something.
    Command(Command),
    /// What the hub wants this cart to be.
    Desired(Desired),
    /// So many records are not committed yet.
    Unsynced(u64),
    /// Staff should know: a fork of the journal, a stranger's ack, a line that swallows everything.
    Alarm(String),
}

/// A message to publish.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// Whether the broker keeps it for those who subscribe later.
    pub retain: bool,
    /// False where it may be lost: QoS 0 instead of 1.
    pub sure: bool,
}

/// What the session wants done, in order.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Subscribe to this topic.
    Subscribe(String),
    /// Send this.
    Publish(Outgoing),
    /// Tell the cart.
    Tell(LinkEvent),
    /// End this connection and begin a new one, which is told by [`Session::lost`] and [`Session::connected`].
    HangUp,
}

/// The session of one run of the cart.
#[derive(Debug)]
pub struct Session<J> {
    who: Identity,
    key: SigningKey,
    journal: J,
    outbox: Outbox,
    broker_up: bool,
    /// What the hub last said of itself, or showed by an ack, on this connection.
    hub_up: Option<bool>,
    told: Option<bool>,
    /// Since when something waits and nothing is acked; `None` while nothing waits.
    silent_since: Option<Duration>,
    alarmed: bool,
    offer: Option<Offer>,
    looks: Looks,
    outputs: VecDeque<Output>,
}

impl<J: Journal> Session<J> {
    /// Takes up the journal where it stands.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read.
    pub fn new(who: Identity, key: SigningKey, mut journal: J) -> Result<Self, JournalError> {
        let (last, acked) = journal.ends()?;
        let outbox = Outbox::new(journal.epoch(), last, acked);
        Ok(Self {
            who,
            key,
            journal,
            outbox,
            broker_up: false,
            hub_up: None,
            told: None,
            silent_since: None,
            alarmed: false,
            offer: None,
            looks: Looks::default(),
            outputs: VecDeque::new(),
        })
    }

    /// Who speaks.
    pub fn who(&self) -> &Identity {
        &self.who
    }

    /// What the broker says of this cart when it is gone.
    pub fn will(&self) -> Outgoing {
        self.presence(false)
    }

    /// True while a connection to the broker stands.
    pub fn has_broker(&self) -> bool {
        self.broker_up
    }

    /// Records that the hub has not committed.
    pub fn unsynced(&self) -> u64 {
        self.outbox.unsynced()
    }

    /// A connection stands. A restarted broker remembers nothing: subscribe again, say that we live, and
    /// send all that is not acked.
    pub fn connected(&mut self, now: Duration) {
        self.broker_up = true;
        self.hub_up = None;
        let (down, state) = (topics::cart_down(&self.who.store, &self.who.cart), topics::hub_state(&self.who.store));
        self.outputs.extend([Output::Subscribe(down), Output::Subscribe(state)]);
        let birth = self.presence(true);
        self.outputs.push_back(Output::Publish(birth));
        self.say_offer();
        self.outbox.connected();
        self.silent_since = None;
        self.send(now);
    }

    /// The connection is gone.
    pub fn lost(&mut self) {
        self.broker_up = false;
        self.hub_up = None;
        self.silent_since = None;
        self.outbox.disconnected();
        self.tell_connected();
    }

    /// The journal has grown to `last`.
    pub fn appended(&mut self, last: u64, now: Duration) {
        self.outbox.appended(last);
        self.send(now);
    }

    /// So a phone may join now. Retained, so that a hub that starts later knows; without a connection it is
    /// said on the next.
    pub fn offer(&mut self, offer: Option<Offer>) {
        self.offer = offer;
        if self.broker_up {
            self.say_offer();
        }
    }

    /// So the cart is. It may be shed; events never are.
    pub fn telemetry(&mut self, mut telemetry: Telemetry) {
        if self.broker_up {
            telemetry.unsynced = self.outbox.unsynced();
            self.publish(Leaf::Telemetry, &telemetry, false, false);
        }
    }

    /// So the screen is, for staff whom the shopper lets see it; `None` for nobody. It is sent to a hub that hears and
    /// has every record, and shed otherwise.
    pub fn look(&mut self, look: Option<Arc<Look>>) {
        self.looks.set(look);
        self.say_look();
    }

    /// All that may be lost has left this machine: there is room for more of it.
    pub fn room(&mut self) {
        self.looks.left();
        self.say_look();
    }

    /// The last words of an orderly end.
    pub fn farewell(&mut self) {
        if self.broker_up {
            let death = self.presence(false);
            self.outputs.push_back(Output::Publish(death));
        }
    }

    /// A message came.
    pub fn heard(&mut self, topic: &str, payload: &[u8], now: Duration) {
        if topic == topics::hub_state(&self.who.store) {
            if let Some(state) = parse::<HubState>(topic, payload) {
                self.hub_up = Some(state.online);
                self.tell_connected();
                self.say_look();
            }
            return;
        }
        match topics::parse(&self.who.store, topic) {
            Some((cart, Leaf::Ack)) if cart == self.who.cart => {
                if let Some(ack) = parse::<Ack>(topic, payload) {
                    self.on_ack(&ack, now);
                }
            }
            Some((cart, Leaf::Command)) if cart == self.who.cart => {
                if let Some(command) = parse::<Command>(topic, payload) {
                    self.tell(LinkEvent::Command(command));
                }
            }
            Some((cart, Leaf::Desired)) if cart == self.who.cart => {
                if let Some(desired) = parse::<Desired>(topic, payload) {
                    self.tell(LinkEvent::Desired(desired));
                }
            }
            _ => debug!(topic, "not for this cart"),
        }
        self.send(now);
    }

    /// Does what is due.
    pub fn handle_timeout(&mut self, now: Duration) {
        self.outbox.handle_timeout(now);
        if self.silence_due().is_some_and(|due| due <= now) {
            // A hub that says that it is down is no secret.
            if !self.alarmed && self.hub_up != Some(false) {
                self.alarmed = true;
                let why = format!(
                    "the broker takes this cart's records, but for {} s the hub has acked none of {}; \
                     look at the cart's rights at the broker",
                    SILENCE.as_secs(),
                    self.outbox.unsynced()
                );
                self.tell(LinkEvent::Alarm(why));
            }
            // It may be this connection alone: of several brokers one can have lost what was subscribed, or keep
            // an old word of the hub.
            self.outputs.push_back(Output::HangUp);
            self.silent_since = None;
        }
        self.send(now);
    }

    /// When [`Session::handle_timeout`] is due, since the start.
    pub fn poll_timeout(&self) -> Option<Duration> {
        [self.outbox.poll_timeout(), self.silence_due()].into_iter().flatten().min()
    }

    /// What is to be done next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    fn silence_due(&self) -> Option<Duration> {
        self.silent_since.filter(|_| self.broker_up).map(|since| since + SILENCE)
    }

    fn tell(&mut self, event: LinkEvent) {
        self.outputs.push_back(Output::Tell(event));
    }

    fn tell_connected(&mut self) {
        let connected = self.broker_up && self.hub_up == Some(true);
        if self.told != Some(connected) {
            self.told = Some(connected);
            self.looks.begin_again();
            self.tell(LinkEvent::Connected(connected));
        }
    }

    fn on_ack(&mut self, ack: &Ack, now: Duration) {
        // An ack is the best sign of life.
        self.hub_up = Some(true);
        self.tell_connected();
        if self.is_foreign(ack) {
            let why =
                format!("the hub has another record {} than this journal: the cart's key is used twice", ack.head.seq);
            return self.tell(LinkEvent::Alarm(why));
        }
        match self.outbox.acked(ack, now) {
            Acked::Freed(_) => {
                self.alarmed = false;
                self.silent_since = (self.outbox.unsynced() > 0).then_some(now);
                if let Err(why) = self.journal.free(ack) {
                    warn!(%why, "the ack could not be noted; the records will be sent again");
                }
                self.tell(LinkEvent::Unsynced(self.outbox.unsynced()));
            }
            Acked::Nothing => {}
            Acked::Ahead => {
                let why = format!("the hub has record {} of this journal, which ends before it", ack.head.seq);
                self.tell(LinkEvent::Alarm(why));
            }
        }
    }

    /// True when the acked record is not the one that lies in this journal.
    fn is_foreign(&mut self, ack: &Ack) -> bool {
        let seq = ack.head.seq;
        let ours = if ack.epoch == self.journal.epoch() { self.journal.records(seq, seq) } else { return false };
        ours.is_ok_and(|records| records.first().is_some_and(|bytes| Hash::of(bytes.as_bytes()) != ack.head.hash))
    }

    /// Sends all that is due.
    fn send(&mut self, now: Duration) {
        while let Some((first, last)) = self.outbox.poll_send(now) {
            self.silent_since.get_or_insert(now);
            let records = match self.journal.records(first, last) {
                Ok(records) => records,
                Err(why) => {
                    warn!(%why, first, last, "records cannot be read; tried again later");
                    return;
                }
            };
            let batch = Batch { v: VERSION, cart: self.who.cart.clone(), epoch: self.journal.epoch(), records };
            let signed = sign::seal(&batch, &self.key);
            self.publish(Leaf::Event, &signed, false, true);
        }
        self.say_look();
    }

    /// Nothing before its records: the hub hears that the shopper agreed before it sees anything, and a line that is slow
    /// carries what counts.
    fn say_look(&mut self) {
        if !self.broker_up || self.hub_up != Some(true) || self.outbox.unsynced() > 0 {
            return;
        }
        if let Some(look) = self.looks.take() {
            self.publish(Leaf::Look, &*look, false, false);
        }
    }

    fn say_offer(&mut self) {
        let pairing = Pairing { v: VERSION, boot_epoch: self.who.boot_epoch, offer: self.offer.clone() };
        self.publish(Leaf::Pairing, &pairing, true, true);
    }

    fn presence(&self, online: bool) -> Outgoing {
        let presence = Presence { v: VERSION, online, boot_epoch: self.who.boot_epoch };
        let topic = topics::cart(&self.who.store, &self.who.cart, Leaf::Presence);
        Outgoing { topic, payload: json(&presence), retain: true, sure: true }
    }

    fn publish(&mut self, leaf: Leaf, message: &impl serde::Serialize, retain: bool, sure: bool) {
        let topic = topics::cart(&self.who.store, &self.who.cart, leaf);
        self.outputs.push_back(Output::Publish(Outgoing { topic, payload: json(message), retain, sure }));
    }
}

fn json(message: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(message).unwrap_or_else(|e| unreachable!("a message has only plain fields: {e}"))
}

fn parse<T: trip::message::Message>(topic: &str, payload: &[u8]) -> Option<T> {
    match trip::message::read(payload) {
        Ok(message) => Some(message),
        Err(why) => {
            warn!(topic, %why, "not readable; ignored");
            None
        }
    }
}

#[cfg(test)]
mod tests;
