//! A model broker: MQTT 3.1.1 as the carts and the hub use it. It keeps retained messages and
//! subscriptions, says a client's will when its connection is lost, and promises nothing: it may start again
//! with nothing in it at any time.

use std::collections::BTreeMap;

use store_sync::session::Outgoing;

use crate::fault::End;

/// One connection: a client that connects again has another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Connection {
    /// Who.
    pub end: End,
    /// Counts all connections of the run.
    pub number: u64,
}

/// A client as the broker knows it.
#[derive(Debug)]
struct Client {
    connection: Connection,
    subscriptions: Vec<String>,
    will: Outgoing,
}

/// The broker.
#[derive(Debug, Default)]
pub struct Broker {
    /// True while it runs.
    pub up: bool,
    clients: BTreeMap<End, Client>,
    retained: BTreeMap<String, Vec<u8>>,
    connections: u64,
}

/// A message on its way to a client.
#[derive(Clone, Debug)]
pub struct Delivery {
    /// To whom.
    pub to: Connection,
    /// On which topic.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
}

impl Broker {
    /// One that runs, with nothing in it.
    pub fn started() -> Self {
        Self { up: true, ..Self::default() }
    }

    /// Takes a client in; `None` while the broker is down. An older connection of the same client is over,
    /// and its will is said.
    pub fn connect(&mut self, end: End, will: Outgoing) -> Option<(Connection, Vec<Delivery>)> {
        if !self.up {
            return None;
        }
        let said = self.disconnect(end, None);
        self.connections += 1;
        let connection = Connection { end, number: self.connections };
        self.clients.insert(end, Client { connection, subscriptions: Vec::new(), will });
        Some((connection, said))
    }

    /// True while this connection stands.
    pub fn holds(&self, connection: Connection) -> bool {
        self.clients.get(&connection.end).is_some_and(|client| client.connection == connection)
    }

    /// A connection was lost without a word: its will is said. `number` names one; without it, whichever
    /// stands.
    pub fn disconnect(&mut self, end: End, number: Option<u64>) -> Vec<Delivery> {
        let stands = self.clients.get(&end).is_some_and(|c| number.is_none_or(|n| n == c.connection.number));
        match self.clients.remove(&end) {
            Some(client) if stands => self.publish(&client.will),
            Some(client) => {
                self.clients.insert(end, client);
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    /// Subscribes, and gives what is retained.
    pub fn subscribe(&mut self, connection: Connection, topic: String) -> Vec<Delivery> {
        let Some(client) = self.clients.get_mut(&connection.end).filter(|c| c.connection == connection) else {
            return Vec::new();
        };
        let kept = self.retained.iter().filter(|(kept, _)| matches(&topic, kept));
        let deliveries = kept
            .map(|(kept, payload)| Delivery { to: connection, topic: kept.clone(), payload: payload.clone() })
            .collect();
        client.subscriptions.push(topic);
        deliveries
    }

    /// Carries a message to all who want it.
    pub fn publish(&mut self, message: &Outgoing) -> Vec<Delivery> {
        if message.retain {
            self.retained.insert(message.topic.clone(), message.payload.clone());
        }
        let wanting = self.clients.values().filter(|c| c.subscriptions.iter().any(|s| matches(s, &message.topic)));
        wanting
            .map(|client| Delivery {
                to: client.connection,
                topic: message.topic.clone(),
                payload: message.payload.clone(),
            })
            .collect()
    }

    /// It stops; nothing it held is left.
    pub fn stop(&mut self) {
        self.up = false;
        self.clients.clear();
        self.retained.clear();
    }
}

/// MQTT's rule for one-level wildcards. Source: MQTT 3.1.1, 4.7.1.3.
fn matches(filter: &str, topic: &str) -> bool {
    let (mut filter, mut topic) = (filter.split('/'), topic.split('/'));
    loop {
        match (filter.next(), topic.next()) {
            (None, None) => return true,
            (Some("+"), Some(_)) => {}
            (Some(wanted), Some(level)) if wanted == level => {}
            _ => return false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(topic: &str, retain: bool) -> Outgoing {
        Outgoing { topic: topic.into(), payload: topic.as_bytes().to_vec(), retain, sure: true }
    }

    #[test]
    fn it_carries_by_topic_keeps_what_is_retained_and_says_the_will() {
        let mut broker = Broker::started();
        let (hub, _) = broker.connect(End::Hub, message("hub/gone", true)).expect("up");
        broker.subscribe(hub, "cart/+/up".into());
        let (cart, _) = broker.connect(End::Cart(0), message("cart/1/up", false)).expect("up");
        assert_eq!(broker.publish(&message("cart/1/up", false)).len(), 1);
        assert_eq!(broker.publish(&message("cart/1/down", true)).len(), 0);
        assert_eq!(broker.subscribe(cart, "cart/1/+".into()).len(), 1);
        assert_eq!(broker.disconnect(End::Cart(0), Some(cart.number)).len(), 1, "the will reaches the hub");
        assert!(!broker.holds(cart));
        let (again, _) = broker.connect(End::Cart(0), message("x", false)).expect("up");
        broker.disconnect(End::Cart(0), Some(cart.number));
        assert!(broker.holds(again), "the end of an old connection is not that of the new one");
        broker.stop();
        assert!(broker.connect(End::Hub, message("x", false)).is_none());
    }
}
