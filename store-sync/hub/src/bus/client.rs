//! The client both buses share, and [`External`], which is nothing more.

use std::sync::Arc;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, LastWill, MqttOptions, Packet, QoS, TlsConfiguration, Transport};
use tokio::sync::mpsc;

use super::{Bus, BusError, BusEvent, Line, MAX_PAYLOAD_BYTES, Outgoing, Wishes};

/// A cart or hub that is gone is noticed after one and a half of these.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

/// How long to wait after a lost connection before the next try.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// How long a broker may take to answer at the start.
const FIRST_ANSWER: Duration = Duration::from_secs(10);

/// What a cart sends is confirmed by the hub's ack alone, and sent again without it. A broker's own confirmations
/// would add nothing, and NATS keeps a replicated consumer for each such subscription, which it does not always
/// clear away: after some kills it takes no more of them.
const HEARD_AT: QoS = QoS::AtMostOnce;

/// Events that may wait for the hub before the broker must wait.
const EVENT_QUEUE: usize = 256;

/// Another program's broker, such as mosquitto.
#[derive(Clone, Debug)]
pub struct External {
    /// `host:port`.
    pub address: String,
    /// With TLS and the hub's own certificate; `None` for a plain line.
    pub tls: Option<Arc<rustls::ClientConfig>>,
}

impl Bus for External {
    async fn start(self, wishes: Wishes) -> Result<Line, BusError> {
        let wrong = || BusError::Address(self.address.clone());
        let (host, port) = self.address.rsplit_once(':').ok_or_else(wrong)?;
        let port: u16 = port.parse().map_err(|_| wrong())?;
        connect(host, port, wishes, self.tls).await
    }
}

/// Connects to the broker at `host` and `port` and waits for its first answer.
pub(super) async fn connect(
    host: &str,
    port: u16,
    wishes: Wishes,
    tls: Option<Arc<rustls::ClientConfig>>,
) -> Result<Line, BusError> {
    let address = format!("{host}:{port}");
    let mut options = MqttOptions::new(&wishes.client, host, port);
    options.set_keep_alive(KEEP_ALIVE);
    if let Some(tls) = tls {
        options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
    }
    // The broker's memory of this client is worth nothing: all is said again at each connection.
    options.set_clean_session(true);
    options.set_max_packet_size(MAX_PAYLOAD_BYTES + 1024, MAX_PAYLOAD_BYTES + 1024);
    let will = &wishes.will;
    options.set_last_will(LastWill::new(&will.topic, will.payload.clone(), QoS::AtLeastOnce, will.retain));
    let (client, mut events) = AsyncClient::new(options, EVENT_QUEUE);
    // An ack is small and waited for: it goes at once.
    events.network_options.set_tcp_nodelay(true);
    let (outgoing, queue) = mpsc::unbounded_channel();
    let (heard, hear) = mpsc::channel(EVENT_QUEUE);

    first_answer(&mut events).await.map_err(|why| BusError::Silent { address: address.clone(), why })?;
    tokio::spawn(publish(client.clone(), queue));
    tokio::spawn(listen(client, events, wishes.subscriptions, heard));
    Ok(Line { address, outgoing, events: hear, carrier: None })
}

async fn first_answer(events: &mut EventLoop) -> Result<(), String> {
    let mut why = "no answer".to_owned();
    let answered = tokio::time::timeout(FIRST_ANSWER, async {
        loop {
            match events.poll().await {
                Ok(Event::Incoming(Packet::ConnAck(_))) => return,
                Ok(_) => {}
                Err(e) => {
                    why = e.to_string();
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    });
    answered.await.map_err(|_| why)
}

async fn publish(client: AsyncClient, mut queue: mpsc::UnboundedReceiver<Outgoing>) {
    while let Some(message) = queue.recv().await {
        if client.publish(message.topic, QoS::AtLeastOnce, message.retain, message.payload).await.is_err() {
            return;
        }
    }
    // The hub has dropped its end after its last word: say goodbye, so that no will is sent.
    let _ = client.disconnect().await;
}

async fn listen(client: AsyncClient, mut events: EventLoop, subscriptions: Vec<String>, heard: mpsc::Sender<BusEvent>) {
    // The first of them last, where it is taken from.
    let all = || subscriptions.iter().rev().cloned().collect::<Vec<_>>();
    let mut wanted = all();
    let mut due = subscriptions.len();
    loop {
        // try_: this task alone empties that queue, so waiting on it would be for ever. Where it is full of what was
        // to be said before, there is room after the next event.
        while let Some(topic) = wanted.last()
            && client.try_subscribe(topic, HEARD_AT).is_ok()
        {
            wanted.pop();
        }
        let event = match events.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                wanted = all();
                due = subscriptions.len();
                None
            }
            Ok(Event::Incoming(Packet::SubAck(_))) if due > 0 => {
                due -= 1;
                (due == 0).then_some(BusEvent::Up)
            }
            Ok(Event::Incoming(Packet::Publish(p))) => {
                Some(BusEvent::Message { topic: p.topic, payload: p.payload.to_vec() })
            }
            Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect)) => return,
            Ok(_) => None,
            Err(e) => {
                tokio::time::sleep(RETRY_AFTER).await;
                Some(BusEvent::Down { why: e.to_string() })
            }
        };
        if let Some(event) = event
            && heard.send(event).await.is_err()
        {
            // Nobody listens; keep the connection alive until the last words are out.
            while !matches!(events.poll().await, Err(_) | Ok(Event::Outgoing(rumqttc::Outgoing::Disconnect))) {}
            return;
        }
    }
}
