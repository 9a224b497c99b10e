//! The MQTT link: one task that connects, subscribes, sends what the outbox gives and hands on what
//! the hub says. It never gives up; it waits longer each time, with jitter, so that two hundred
//! carts do not come back in one second.

use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use rumqttc::{AsyncClient, ConnectReturnCode, Event, EventLoop, LastWill, MqttOptions, Packet, Publish, QoS};
use tokio::sync::{mpsc, watch};
use tracing::{debug, info, warn};
use trip::message::{Ack, Batch, Command, Desired, HubState, Offer, Pairing, Presence, Telemetry, VERSION};
use trip::topics::{self, Leaf};
use trip::{CartId, Hash, StoreId};

use crate::outbox::{Acked, Outbox};
use crate::sign;

/// The least and the longest wait between two attempts to connect.
const LEAST_WAIT: Duration = Duration::from_millis(250);
const LONGEST_WAIT: Duration = Duration::from_secs(15);
/// Telemetry goes out this often.
const TELEMETRY_EVERY: Duration = Duration::from_secs(5);
/// Payloads above this are no message of ours.
const LARGEST_PAYLOAD: usize = 1024 * 1024;

/// Where the hub's broker is and who we are.
#[derive(Clone, Debug)]
pub struct LinkConfig {
    /// Broker host.
    pub host: String,
    /// Broker port.
    pub port: u16,
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
pub trait Journal: Send {
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
#[derive(Clone, Debug)]
pub enum LinkEvent {
    /// The hub answers, or does not.
    Connected(bool),
    /// The hub asks something.
    Command(Command),
    /// What the hub wants this cart to be.
    Desired(Desired),
    /// So many records are not committed yet.
    Unsynced(u64),
    /// Staff should know: a fork of the journal, a stranger's ack.
    Alarm(String),
}

/// What the cart tells the line: each holds the latest.
#[derive(Clone, Debug)]
pub struct Told {
    /// How far the journal has grown.
    pub appended: watch::Receiver<u64>,
    /// How the cart is.
    pub telemetry: watch::Receiver<Option<Telemetry>>,
    /// How a phone may join now.
    pub offers: watch::Receiver<Option<Offer>>,
}

/// The line's inner state.
pub struct Line<J> {
    config: LinkConfig,
    key: SigningKey,
    journal: J,
    outbox: Outbox,
    client: AsyncClient,
    started: Instant,
    broker_up: bool,
    hub_up: bool,
    told: Option<bool>,
    events: mpsc::Sender<LinkEvent>,
}

impl<J: Journal> Line<J> {
    /// Prepares the line; [`Line::run`] does the work.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read.
    pub fn new(
        config: LinkConfig,
        key: SigningKey,
        mut journal: J,
        events: mpsc::Sender<LinkEvent>,
    ) -> Result<(Self, EventLoop), JournalError> {
        let (last, acked) = journal.ends()?;
        let outbox = Outbox::new(journal.epoch(), last, acked);
        let (client, event_loop) = AsyncClient::new(options(&config), 64);
        let line = Self {
            config,
            key,
            journal,
            outbox,
            client,
            started: Instant::now(),
            broker_up: false,
            hub_up: false,
            told: None,
            events,
        };
        Ok((line, event_loop))
    }

    /// Works until `shutdown` turns true.
    pub async fn run(mut self, mut event_loop: EventLoop, told: Told, mut shutdown: watch::Receiver<bool>) {
        let Told { mut appended, telemetry, mut offers } = told;
        let mut wait = LEAST_WAIT;
        let mut telemetry_due = tokio::time::interval(TELEMETRY_EVERY);
        loop {
            if *shutdown.borrow() {
                return self.farewell(&mut event_loop).await;
            }
            self.send().await;
            let until_timeout = self.outbox.poll_timeout().map(|due| due.saturating_sub(self.started.elapsed()));
            tokio::select! {
                polled = event_loop.poll() => match polled {
                    Ok(event) => {
                        if matches!(event, Event::Incoming(Packet::ConnAck(_))) {
                            wait = LEAST_WAIT;
                        }
                        let connected = matches!(event, Event::Incoming(Packet::ConnAck(_)));
                        self.on_event(event).await;
                        if connected {
                            let offer = offers.borrow_and_update().clone();
                            self.send_offer(offer);
                        }
                    }
                    Err(why) => {
                        debug!(%why, host = %self.config.host, port = self.config.port, "no line to the broker");
                        self.lost().await;
                        tokio::select! {
                            () = tokio::time::sleep(jittered(wait, self.config.cart.as_str())) => {}
                            _ = shutdown.changed() => {}
                        }
                        wait = (wait * 2).min(LONGEST_WAIT);
                    }
                },
                _ = appended.changed() => {
                    let last = *appended.borrow_and_update();
                    self.outbox.appended(last);
                }
                Ok(()) = offers.changed() => {
                    let offer = offers.borrow_and_update().clone();
                    self.send_offer(offer);
                }
                () = tokio::time::sleep(until_timeout.unwrap_or(Duration::from_secs(3_600))) => {
                    self.outbox.handle_timeout(self.started.elapsed());
                }
                _ = telemetry_due.tick() => {
                    let latest = telemetry.borrow().clone();
                    self.send_telemetry(latest).await;
                }
                changed = shutdown.changed() => {
                    if changed.is_err() || *shutdown.borrow() {
                        self.farewell(&mut event_loop).await;
                        return;
                    }
                }
            }
        }
    }

    async fn on_event(&mut self, event: Event) {
        match event {
            Event::Incoming(Packet::ConnAck(ack)) if ack.code == ConnectReturnCode::Success => self.connected().await,
            Event::Incoming(Packet::ConnAck(ack)) => warn!(code = ?ack.code, "the broker refuses this cart"),
            Event::Incoming(Packet::Publish(publish)) => self.on_publish(&publish).await,
            Event::Incoming(Packet::Disconnect) => self.lost().await,
            _ => {}
        }
    }

    /// A new connection: subscribe again (a restarted broker remembers nothing), say that we live.
    async fn connected(&mut self) {
        info!(host = %self.config.host, "line to the broker stands");
        self.broker_up = true;
        let LinkConfig { store, cart, boot_epoch, .. } = &self.config;
        let down = topics::cart_down(store, cart);
        let state = topics::hub_state(store);
        let birth = Presence { v: VERSION, online: true, boot_epoch: *boot_epoch };
        let topic = topics::cart(store, cart, Leaf::Presence);
        self.try_to("subscribe", self.client.try_subscribe(down, QoS::AtLeastOnce));
        self.try_to("subscribe", self.client.try_subscribe(state, QoS::AtLeastOnce));
        self.try_to("announce", self.client.try_publish(topic, QoS::AtLeastOnce, true, json(&birth)));
        self.outbox.connected();
    }

    fn try_to(&self, what: &str, result: Result<(), rumqttc::ClientError>) {
        if let Err(why) = result {
            warn!(%why, what, "the line's queue is full; it will be done on the next connection");
        }
    }

    async fn lost(&mut self) {
        self.broker_up = false;
        self.hub_up = false;
        self.outbox.disconnected();
        self.tell_connected().await;
    }

    async fn tell_connected(&mut self) {
        let connected = self.broker_up && self.hub_up;
        if self.told != Some(connected) {
            self.told = Some(connected);
            self.tell(LinkEvent::Connected(connected)).await;
        }
    }

    // `&mut`, though it only sends: a future that holds `&self` would ask the journal to be `Sync`.
    async fn tell(&mut self, event: LinkEvent) {
        if self.events.send(event).await.is_err() {
            debug!("the cart has stopped listening to the line");
        }
    }

    async fn on_publish(&mut self, publish: &Publish) {
        let topic = publish.topic.as_str();
        if publish.payload.len() > LARGEST_PAYLOAD {
            warn!(topic, bytes = publish.payload.len(), "payload is too large; ignored");
            return;
        }
        if topic == topics::hub_state(&self.config.store) {
            if let Some(state) = parse::<HubState>(publish) {
                self.hub_up = state.online;
                self.tell_connected().await;
            }
            return;
        }
        match topics::parse(&self.config.store, topic) {
            Some((cart, Leaf::Ack)) if cart == self.config.cart => {
                if let Some(ack) = parse::<Ack>(publish) {
                    self.on_ack(&ack).await;
                }
            }
            Some((cart, Leaf::Command)) if cart == self.config.cart => {
                if let Some(command) = parse::<Command>(publish) {
                    self.tell(LinkEvent::Command(command)).await;
                }
            }
            Some((cart, Leaf::Desired)) if cart == self.config.cart => {
                if let Some(desired) = parse::<Desired>(publish) {
                    self.tell(LinkEvent::Desired(desired)).await;
                }
            }
            _ => debug!(topic, "not for this cart"),
        }
    }

    async fn on_ack(&mut self, ack: &Ack) {
        // An ack is the best sign of life.
        self.hub_up = true;
        self.tell_connected().await;
        if self.is_foreign(ack) {
            let why =
                format!("the hub has another record {} than this journal: the cart's key is used twice", ack.head.seq);
            warn!(why, "fork");
            return self.tell(LinkEvent::Alarm(why)).await;
        }
        match self.outbox.acked(ack, self.started.elapsed()) {
            Acked::Freed(_) => {
                if let Err(why) = self.journal.free(ack) {
                    warn!(%why, "the ack could not be noted; the records will be sent again");
                }
                self.tell(LinkEvent::Unsynced(self.outbox.unsynced())).await;
            }
            Acked::Nothing => {}
            Acked::Ahead => {
                let why = format!("the hub has record {} of this journal, which ends before it", ack.head.seq);
                warn!(why, "fork");
                self.tell(LinkEvent::Alarm(why)).await;
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
    async fn send(&mut self) {
        while let Some((first, last)) = self.outbox.poll_send(self.started.elapsed()) {
            let records = match self.journal.records(first, last) {
                Ok(records) => records,
                Err(why) => {
                    warn!(%why, first, last, "records cannot be read; tried again on the next connection");
                    return;
                }
            };
            let LinkConfig { store, cart, .. } = &self.config;
            let batch = Batch { v: VERSION, cart: cart.clone(), epoch: self.journal.epoch(), records };
            let payload = json(&sign::seal(&batch, &self.key));
            let topic = topics::cart(store, cart, Leaf::Event);
            self.try_to("send records", self.client.try_publish(topic, QoS::AtLeastOnce, false, payload));
        }
    }

    async fn send_telemetry(&mut self, latest: Option<Telemetry>) {
        let Some(mut telemetry) = latest.filter(|_| self.broker_up) else { return };
        telemetry.unsynced = self.outbox.unsynced();
        let topic = topics::cart(&self.config.store, &self.config.cart, Leaf::Telemetry);
        // Telemetry may be shed; events never.
        drop(self.client.try_publish(topic, QoS::AtMostOnce, false, json(&telemetry)));
    }

    /// Says how a phone may join now; retained, so that a hub that starts later knows. Without a line it is said
    /// on the next connection.
    fn send_offer(&self, offer: Option<Offer>) {
        let LinkConfig { store, cart, boot_epoch, .. } = &self.config;
        if self.broker_up {
            let pairing = Pairing { v: VERSION, boot_epoch: *boot_epoch, offer };
            let topic = topics::cart(store, cart, Leaf::Pairing);
            self.try_to("offer", self.client.try_publish(topic, QoS::AtLeastOnce, true, json(&pairing)));
        }
    }

    /// Says goodbye in an orderly way, for at most half a second.
    async fn farewell(&mut self, event_loop: &mut EventLoop) {
        let LinkConfig { store, cart, boot_epoch, .. } = &self.config;
        let death = Presence { v: VERSION, online: false, boot_epoch: *boot_epoch };
        let topic = topics::cart(store, cart, Leaf::Presence);
        if self.broker_up {
            self.try_to("say goodbye", self.client.try_publish(topic, QoS::AtLeastOnce, true, json(&death)));
            self.try_to("disconnect", self.client.try_disconnect());
            let drain = async { while event_loop.poll().await.is_ok() {} };
            drop(tokio::time::timeout(Duration::from_millis(500), drain).await);
        }
    }
}

fn options(config: &LinkConfig) -> MqttOptions {
    let LinkConfig { host, port, store, cart, boot_epoch } = config;
    let mut options = MqttOptions::new(format!("{store}-{cart}"), host, *port);
    let death = Presence { v: VERSION, online: false, boot_epoch: *boot_epoch };
    let topic = topics::cart(store, cart, Leaf::Presence);
    options
        .set_keep_alive(Duration::from_secs(5))
        .set_clean_session(true)
        .set_inflight(32)
        .set_max_packet_size(LARGEST_PAYLOAD, LARGEST_PAYLOAD)
        .set_last_will(LastWill::new(topic, json(&death), QoS::AtLeastOnce, true));
    options
}

fn json(message: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec(message).unwrap_or_else(|e| unreachable!("a message has only plain fields: {e}"))
}

fn parse<T: serde::de::DeserializeOwned>(publish: &Publish) -> Option<T> {
    match serde_json::from_slice(&publish.payload) {
        Ok(message) => Some(message),
        Err(why) => {
            warn!(topic = publish.topic, %why, "not readable; ignored");
            None
        }
    }
}

/// Half to all of `wait`, different for each cart and each attempt.
fn jittered(wait: Duration, cart: &str) -> Duration {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let mut hasher = RandomState::new().build_hasher();
    hasher.write(cart.as_bytes());
    wait.mul_f64(0.5 + 0.5 * (hasher.finish() % 1_000) as f64 / 1_000.0)
}
