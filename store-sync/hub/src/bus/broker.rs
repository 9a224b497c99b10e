//! A broker inside the hub: rumqttd, set up in code, keeping nothing on disk.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpListener};

use rumqttd::{Broker, Config, ConnectionSettings, RouterConfig, ServerSettings};

use tokio::sync::oneshot;

use super::{Bus, BusError, Line, MAX_PAYLOAD_BYTES, Wishes, client};

/// More carts than a store has, with phones of staff and tools beside them.
const MAX_CONNECTIONS: usize = 2_000;

/// A broker of the hub's own.
#[derive(Clone, Copy, Debug)]
pub struct InProcess {
    /// Where it listens; port 0 for any free one.
    pub listen: SocketAddr,
}

impl Bus for InProcess {
    async fn start(self, wishes: Wishes) -> Result<Line, BusError> {
        let fail = |source| BusError::Listen { address: self.listen.to_string(), source };
        // rumqttd binds in a thread of its own and only logs a failure, so the port is tried first.
        let listen = TcpListener::bind(self.listen).and_then(|socket| socket.local_addr()).map_err(fail)?;
        let mut broker = Broker::new(config(listen));
        let (lives, carrier) = oneshot::channel();
        std::thread::Builder::new()
            .name("broker".into())
            .spawn(move || {
                // Dropped however the broker ends, also by a panic.
                let _lives: oneshot::Sender<()> = lives;
                if let Err(e) = broker.start() {
                    tracing::error!(error = %e, "the broker stopped");
                }
            })
            .map_err(fail)?;
        let line = client::connect(&listen.ip().to_string(), listen.port(), wishes, None).await?;
        Ok(Line { carrier: Some(carrier), ..line })
    }
}

fn config(listen: SocketAddr) -> Config {
    let connections = ConnectionSettings {
        connection_timeout_ms: 5_000,
        max_payload_size: MAX_PAYLOAD_BYTES,
        max_inflight_count: 200,
        auth: None,
        external_auth: None,
        dynamic_filters: true,
    };
    let server = ServerSettings { name: "carts".into(), listen, tls: None, next_connection_delay_ms: 1, connections };
    let router = RouterConfig {
        max_connections: MAX_CONNECTIONS,
        max_outgoing_packet_count: 200,
        max_segment_size: 4 * 1024 * 1024,
        max_segment_count: 4,
        ..RouterConfig::default()
    };
    Config { id: 0, router, v4: Some(HashMap::from([("carts".to_owned(), server)])), ..Config::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bus::{BusEvent, External, Outgoing, conformance};

    fn any_port() -> InProcess {
        InProcess { listen: SocketAddr::from(([127, 0, 0, 1], 0)) }
    }

    fn wishes() -> Wishes {
        let will = Outgoing { topic: "host/state".into(), payload: b"gone".to_vec(), retain: true };
        Wishes { client: "host".into(), subscriptions: vec![], will }
    }

    #[tokio::test]
    async fn the_broker_inside_carries_as_every_bus_must() {
        conformance::run(any_port()).await;
    }

    #[tokio::test]
    async fn another_broker_carries_as_every_bus_must() {
        let other = any_port().start(wishes()).await.expect("a broker");
        conformance::run(External { address: other.address.clone(), tls: None }).await;
    }

    /// A broker that is there, away, and there again: one that answers by hand.
    #[tokio::test]
    async fn who_has_much_to_say_when_the_broker_comes_back_is_subscribed_all_the_same() {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let broker = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = broker.local_addr().expect("bound").to_string();
        let hub = tokio::spawn(async move {
            let wishes = Wishes { subscriptions: vec!["t/+".into()], ..wishes() };
            External { address, tls: None }.start(wishes).await.expect("it answers")
        });
        let (mut first, _) = broker.accept().await.expect("the hub comes");
        let connack = [0x20, 2, 0, 0];
        first.write_all(&connack).await.expect("answered");
        let mut line = hub.await.expect("it is up");
        drop(first);
        while !matches!(line.events.recv().await.expect("the line lives"), BusEvent::Down { .. }) {}
        // More than its queue holds, while nobody takes anything.
        for n in 0..2_000 {
            let said = Outgoing { topic: "t/said".into(), payload: vec![n as u8], retain: false };
            line.outgoing.send(said).expect("the line lives");
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        let (mut second, _) = broker.accept().await.expect("it comes again");
        second.write_all(&connack).await.expect("answered");
        // Each of its first packets is acked, so that it goes on.
        let subscribed = async {
            let mut bytes = vec![0; 64 * 1024];
            let mut came = Vec::new();
            loop {
                let count = second.read(&mut bytes).await.expect("it speaks");
                assert!(count > 0, "it hung up");
                came.extend_from_slice(&bytes[..count]);
                while came.len() >= 2 && came.len() >= 2 + usize::from(came[1]) {
                    let packet: Vec<u8> = came.drain(..2 + usize::from(came[1])).collect();
                    match packet[0] {
                        0x82 => return,
                        // A message with its packet's number behind the topic.
                        0x32 | 0x3a => {
                            let at = 4 + usize::from(packet[3]);
                            second.write_all(&[0x40, 2, packet[at], packet[at + 1]]).await.expect("acked");
                        }
                        _ => {}
                    }
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), subscribed).await.expect("it subscribes");
    }

    #[tokio::test]
    async fn a_port_in_use_is_named() {
        let other = TcpListener::bind("127.0.0.1:0").expect("a port");
        let listen = other.local_addr().expect("bound");
        let error = InProcess { listen }.start(wishes()).await.expect_err("in use").to_string();
        assert!(error.contains(&listen.to_string()), "{error}");
    }
}
