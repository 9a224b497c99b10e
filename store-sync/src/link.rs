//! The MQTT link: one task that connects, carries out what the [`Session`] wants, and hands on what the
//! hub says. It never gives up; it waits longer each time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use rumqttc::{
    AsyncClient, ConnectReturnCode, Event, EventLoop, LastWill, MqttOptions, Packet, QoS, Request, TlsConfiguration,
    Transport,
};
use rustls::ClientConfig;
use tokio::sync::{mpsc, watch};
use tracing::{debug, info, warn};
use trip::message::{Look, Offer, Telemetry};
use trip::{CartId, StoreId};

use crate::patience;
use crate::session::{Identity, Journal, JournalError, LARGEST_PACKET, LinkEvent, Outgoing, Output, Session};
use crate::tls;

/// Telemetry goes out this often.
const TELEMETRY_EVERY: Duration = Duration::from_secs(5);
/// How long the last words may take.
const FAREWELL: Duration = Duration::from_millis(500);
/// What is heard is confirmed by what comes of it: a command by an event, an event by the hub's ack; what shows no
/// effect is said again. A broker's own confirmations would add nothing, and NATS keeps a replicated consumer for
/// each such subscription, which it does not always clear away: after some kills it takes no more of them.
const HEARD_AT: QoS = QoS::AtMostOnce;

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
    /// TLS with the cart's certificate; `None` for a plain line on one machine.
    pub tls: Option<Arc<ClientConfig>>,
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
    /// What staff may see of the screen now; `None` for nothing.
    pub looks: watch::Receiver<Option<Arc<Look>>>,
}

/// The line.
pub struct Line<J> {
    broker: String,
    session: Session<J>,
    client: AsyncClient,
    started: Instant,
    events: mpsc::Sender<LinkEvent>,
    /// Not subscribed to yet: the queue was full of what was to be said before.
    wanted: Vec<String>,
    /// Messages that may be lost, and have not left this machine yet.
    unsure: u32,
}

impl<J: Journal + Send> Line<J> {
    /// Prepares the line; [`Line::run`] does the work.
    ///
    /// # Errors
    /// [`JournalError`] when the journal cannot be read.
    pub fn new(
        config: LinkConfig,
        key: SigningKey,
        journal: J,
        events: mpsc::Sender<LinkEvent>,
    ) -> Result<(Self, EventLoop), JournalError> {
        let who = Identity { store: config.store.clone(), cart: config.cart.clone(), boot_epoch: config.boot_epoch };
        let session = Session::new(who, key, journal)?;
        let (client, mut event_loop) = AsyncClient::new(options(&config, session.will()), 64);
        // A record is small and wanted now: it does not wait for the broker to acknowledge the one before.
        event_loop.network_options.set_tcp_nodelay(true);
        let broker = format!("{}:{}", config.host, config.port);
        Ok((
            Self { broker, session, client, started: Instant::now(), events, wanted: Vec::new(), unsure: 0 },
            event_loop,
        ))
    }

    /// Works until `shutdown` turns true.
    pub async fn run(mut self, mut event_loop: EventLoop, told: Told, mut shutdown: watch::Receiver<bool>) {
        let Told { mut appended, telemetry, mut offers, mut looks } = told;
        let mut patience = patience::of_the_line();
        let mut telemetry_due = tokio::time::interval(TELEMETRY_EVERY);
        self.session.offer(offers.borrow_and_update().clone());
        self.session.look(looks.borrow_and_update().clone());
        loop {
            if *shutdown.borrow() {
                return self.farewell(&mut event_loop).await;
            }
            if self.carry_out().await {
                // The next poll connects anew.
                event_loop.clean();
                self.shed(&mut event_loop);
                self.session.lost();
                self.carry_out().await;
            }
            let until_timeout = self.session.poll_timeout().map(|due| due.saturating_sub(self.started.elapsed()));
            tokio::select! {
                polled = event_loop.poll() => match polled {
                    Ok(event) => {
                        if self.on_event(event) {
                            patience.restored();
                        }
                    }
                    Err(why) => {
                        match tls::complaint(&why, tls::now()) {
                            Some(why) => warn!(why, broker = self.broker, "no line to the broker"),
                            None => debug!(%why, broker = self.broker, "no line to the broker"),
                        }
                        self.shed(&mut event_loop);
                        self.session.lost();
                        self.carry_out().await;
                        tokio::select! {
                            () = tokio::time::sleep(patience.wait(chance(self.session.who().cart.as_str()))) => {}
                            _ = shutdown.changed() => {}
                        }
                    }
                },
                _ = appended.changed() => {
                    let last = *appended.borrow_and_update();
                    self.session.appended(last, self.started.elapsed());
                }
                Ok(()) = offers.changed() => {
                    let offer = offers.borrow_and_update().clone();
                    self.session.offer(offer);
                }
                Ok(()) = looks.changed() => {
                    let look = looks.borrow_and_update().clone();
                    self.session.look(look);
                }
                () = tokio::time::sleep(until_timeout.unwrap_or(Duration::from_secs(3_600))) => {
                    self.session.handle_timeout(self.started.elapsed());
                }
                _ = telemetry_due.tick() => {
                    if let Some(latest) = telemetry.borrow().clone() {
                        self.session.telemetry(latest);
                    }
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

    /// Hands an event to the session; true when it was a new connection.
    fn on_event(&mut self, event: Event) -> bool {
        let now = self.started.elapsed();
        match event {
            Event::Incoming(Packet::ConnAck(ack)) if ack.code == ConnectReturnCode::Success => {
                info!(broker = self.broker, "line to the broker stands");
                self.session.connected(now);
                return true;
            }
            Event::Incoming(Packet::ConnAck(ack)) => warn!(code = ?ack.code, "the broker refuses this cart"),
            Event::Incoming(Packet::Publish(publish)) => self.session.heard(&publish.topic, &publish.payload, now),
            Event::Incoming(Packet::Disconnect) => self.session.lost(),
            // Only what may be lost has no number.
            Event::Outgoing(rumqttc::Outgoing::Publish(0)) => {
                self.unsure = self.unsure.saturating_sub(1);
                if self.unsure == 0 {
                    self.session.room();
                }
            }
            _ => {}
        }
        false
    }

    /// What may be lost goes down with its connection: on the next it would be old, and a screen is perhaps shown to nobody
    /// any more.
    fn shed(&mut self, event_loop: &mut EventLoop) {
        let sure = |request: &Request| !matches!(request, Request::Publish(message) if message.qos == QoS::AtMostOnce);
        event_loop.pending.retain(sure);
        self.unsure = 0;
    }

    /// Asks for what is wanted, as far as there is room; the rest after the next event.
    fn subscribe(&mut self) {
        while let Some(topic) = self.wanted.last()
            && self.client.try_subscribe(topic, HEARD_AT).is_ok()
        {
            self.wanted.pop();
        }
    }

    /// Does what the session wants; true when it wants another connection.
    async fn carry_out(&mut self) -> bool {
        self.subscribe();
        let mut hang_up = false;
        while let Some(output) = self.session.poll_output() {
            match output {
                Output::Subscribe(topic) => {
                    self.wanted.retain(|wanted| *wanted != topic);
                    self.wanted.push(topic);
                    self.subscribe();
                }
                Output::Publish(message) => self.publish(message),
                Output::HangUp => hang_up = true,
                Output::Tell(event) => {
                    if let LinkEvent::Alarm(why) = &event {
                        warn!(why, "the line");
                    }
                    if self.events.send(event).await.is_err() {
                        debug!("the cart has stopped listening to the line");
                    }
                }
            }
        }
        hang_up
    }

    fn publish(&mut self, message: Outgoing) {
        let Outgoing { topic, payload, retain, sure } = message;
        let qos = if sure { QoS::AtLeastOnce } else { QoS::AtMostOnce };
        let sent = self.client.try_publish(topic, qos, retain, payload);
        if sure {
            self.try_to("publish", sent);
        } else if sent.is_ok() {
            self.unsure += 1;
        } else if self.unsure == 0 {
            self.session.room();
        }
    }

    fn try_to(&self, what: &str, result: Result<(), rumqttc::ClientError>) {
        if let Err(why) = result {
            warn!(%why, what, "the line's queue is full; it is done again later");
        }
    }

    /// Says goodbye in an orderly way.
    async fn farewell(&mut self, event_loop: &mut EventLoop) {
        if !self.session.has_broker() {
            return;
        }
        self.session.farewell();
        self.carry_out().await;
        self.try_to("disconnect", self.client.try_disconnect());
        let drain = async { while event_loop.poll().await.is_ok() {} };
        drop(tokio::time::timeout(FAREWELL, drain).await);
    }
}

fn options(config: &LinkConfig, will: Outgoing) -> MqttOptions {
    let LinkConfig { host, port, store, cart, tls, .. } = config;
    let mut options = MqttOptions::new(format!("{store}-{cart}"), host, *port);
    options
        .set_keep_alive(Duration::from_secs(5))
        .set_clean_session(true)
        .set_inflight(32)
        .set_max_packet_size(LARGEST_PACKET, LARGEST_PACKET)
        .set_last_will(LastWill::new(will.topic, will.payload, QoS::AtLeastOnce, will.retain));
    if let Some(tls) = tls {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls.clone())));
    }
    options
}

/// A number, 0..1, different for each cart and each attempt.
fn chance(cart: &str) -> f64 {
    use std::hash::{BuildHasher, Hasher, RandomState};
    let mut hasher = RandomState::new().build_hasher();
    hasher.write(cart.as_bytes());
    (hasher.finish() % 1_000) as f64 / 1_000.0
}
