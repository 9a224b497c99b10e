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
    use crate::bus::{External, Outgoing, conformance};

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

    #[tokio::test]
    async fn a_port_in_use_is_named() {
        let other = TcpListener::bind("127.0.0.1:0").expect("a port");
        let listen = other.local_addr().expect("bound");
        let error = InProcess { listen }.start(wishes()).await.expect_err("in use").to_string();
        assert!(error.contains(&listen.to_string()), "{error}");
    }
}
