//! What a cart may send to the broker: packet by packet, pure.
//!
//! A cart speaks under its own topics and listens to its own and to the hub's state. Whatever else it sends
//! ends its connection: a broker that silently drops what is forbidden (mosquitto under MQTT 3.1.1
//! does) leaves a cart talking to nobody, and a cart that asks for another's topics is broken or stolen.

use rumqttc::Packet;
use rumqttc::QoS;
use trip::topics::{self, Leaf};
use trip::{CartId, StoreId};

/// Something that a cart may not do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// The first packet is no CONNECT, or a later one is.
    #[error("a CONNECT must come first, and once")]
    Order,
    /// It calls itself by another name.
    #[error("it connects as \"{0}\"")]
    Name(String),
    /// Its last will is for another's topic.
    #[error("its last will is for {0}")]
    Will(String),
    /// It publishes where it may not.
    #[error("it publishes on {0}")]
    Publish(String),
    /// It lets the broker keep what is not to be kept.
    #[error("it has {0} retained")]
    Retain(String),
    /// It wants to hear what is not its own.
    #[error("it subscribes to {0}")]
    Subscribe(String),
    /// A packet that no cart sends.
    #[error("it sends a packet that no cart sends")]
    Packet,
}

/// By this name a cart's program connects.
pub fn client_name(store: &StoreId, cart: &CartId) -> String {
    format!("{store}-{cart}")
}

/// The rights of one cart on one connection.
#[derive(Clone, Debug)]
pub struct Rights {
    store: StoreId,
    cart: CartId,
    connected: bool,
}

impl Rights {
    /// Of `cart`, on a new connection.
    pub fn new(store: StoreId, cart: CartId) -> Self {
        Self { store, cart, connected: false }
    }

    /// Judges the next packet of the connection.
    ///
    /// # Errors
    /// [`Breach`] says what it may not do; the connection is to be closed.
    pub fn judge(&mut self, packet: &Packet) -> Result<(), Breach> {
        let first = !std::mem::replace(&mut self.connected, true);
        if first != matches!(packet, Packet::Connect(_)) {
            return Err(Breach::Order);
        }
        match packet {
            Packet::Connect(connect) => {
                if connect.client_id != client_name(&self.store, &self.cart) {
                    return Err(Breach::Name(connect.client_id.clone()));
                }
                match &connect.last_will {
                    Some(will) if self.own(&will.topic) != Some(Leaf::Presence) => {
                        Err(Breach::Will(will.topic.clone()))
                    }
                    _ => Ok(()),
                }
            }
            Packet::Publish(publish) => {
                if publish.qos == QoS::ExactlyOnce {
                    return Err(Breach::Packet);
                }
                match self.own(&publish.topic) {
                    Some(Leaf::Presence | Leaf::Pairing) => Ok(()),
                    Some(Leaf::Event | Leaf::Telemetry | Leaf::Look) if !publish.retain => Ok(()),
                    Some(Leaf::Event | Leaf::Telemetry | Leaf::Look) => Err(Breach::Retain(publish.topic.clone())),
                    Some(Leaf::Ack | Leaf::Command | Leaf::Desired) | None => {
                        Err(Breach::Publish(publish.topic.clone()))
                    }
                }
            }
            Packet::Subscribe(subscribe) => {
                let foreign = subscribe.filters.iter().find(|filter| !self.may_hear(&filter.path));
                foreign.map_or(Ok(()), |filter| Err(Breach::Subscribe(filter.path.clone())))
            }
            Packet::PubAck(_) | Packet::Unsubscribe(_) | Packet::PingReq | Packet::Disconnect => Ok(()),
            _ => Err(Breach::Packet),
        }
    }

    fn own(&self, topic: &str) -> Option<Leaf> {
        topics::parse(&self.store, topic).filter(|(cart, _)| *cart == self.cart).map(|(_, leaf)| leaf)
    }

    fn may_hear(&self, filter: &str) -> bool {
        filter == topics::cart_down(&self.store, &self.cart)
            || filter == topics::hub_state(&self.store)
            || matches!(self.own(filter), Some(Leaf::Ack | Leaf::Command | Leaf::Desired))
    }
}

#[cfg(test)]
mod tests {
    use rumqttc::mqttbytes::v4::{Connect, PubRec, Publish, Subscribe};
    use rumqttc::{ConnAck, ConnectReturnCode, LastWill};

    use super::*;

    fn rights() -> Rights {
        let store = StoreId::new("s").expect("valid");
        let mut rights = Rights::new(store, CartId::new("cart-1").expect("valid"));
        rights.judge(&Packet::Connect(Connect::new("s-cart-1"))).expect("its own name");
        rights
    }

    fn publish(topic: &str, qos: QoS, retain: bool) -> Packet {
        let mut publish = Publish::new(topic, qos, "x");
        publish.retain = retain;
        Packet::Publish(publish)
    }

    #[test]
    fn a_cart_may_do_what_carts_do() {
        let mut rights = rights();
        let mut subscribe = Subscribe::new("tr1/s/cart/cart-1/down/+", QoS::AtLeastOnce);
        subscribe.add("tr1/s/hub/state".into(), QoS::AtLeastOnce);
        for packet in [
            Packet::Subscribe(subscribe),
            publish("tr1/s/cart/cart-1/up/event", QoS::AtLeastOnce, false),
            publish("tr1/s/cart/cart-1/up/telemetry", QoS::AtMostOnce, false),
            publish("tr1/s/cart/cart-1/up/look", QoS::AtMostOnce, false),
            publish("tr1/s/cart/cart-1/up/presence", QoS::AtLeastOnce, true),
            publish("tr1/s/cart/cart-1/up/pairing", QoS::AtLeastOnce, true),
            Packet::PingReq,
            Packet::Disconnect,
        ] {
            assert_eq!(rights.judge(&packet), Ok(()), "{packet:?}");
        }
    }

    #[test]
    fn a_cart_may_not_speak_as_another_or_as_the_hub() {
        for topic in [
            "tr1/s/cart/cart-2/up/event",
            "tr1/s/cart/cart-2/up/look",
            "tr1/s/cart/cart-1/down/ack",
            "tr1/s/cart/cart-1/down/command",
            "tr1/s/hub/state",
            "tr1/t/cart/cart-1/up/event",
            "tr1/s/cart/cart-1/up/event/x",
            "tr1/s/cart/+/up/event",
            "$SYS/x",
            "",
        ] {
            let judged = rights().judge(&publish(topic, QoS::AtLeastOnce, false));
            assert_eq!(judged, Err(Breach::Publish(topic.into())));
        }
        for kept in ["tr1/s/cart/cart-1/up/event", "tr1/s/cart/cart-1/up/look"] {
            assert_eq!(rights().judge(&publish(kept, QoS::AtLeastOnce, true)), Err(Breach::Retain(kept.into())));
        }
        let twice = publish("tr1/s/cart/cart-1/up/event", QoS::ExactlyOnce, false);
        assert_eq!(rights().judge(&twice), Err(Breach::Packet));
    }

    #[test]
    fn a_cart_hears_nothing_of_others() {
        for filter in [
            "#",
            "+/#",
            "tr1/s/#",
            "tr1/s/cart/+/down/+",
            "tr1/s/cart/cart-2/down/ack",
            "tr1/s/cart/cart-1/#",
            "tr1/s/cart/+/up/look",
        ] {
            let judged = rights().judge(&Packet::Subscribe(Subscribe::new(filter, QoS::AtMostOnce)));
            assert_eq!(judged, Err(Breach::Subscribe(filter.into())));
        }
        let mut hidden = Subscribe::new("tr1/s/hub/state", QoS::AtMostOnce);
        hidden.add("#".into(), QoS::AtMostOnce);
        assert_eq!(rights().judge(&Packet::Subscribe(hidden)), Err(Breach::Subscribe("#".into())));
    }

    #[test]
    fn a_connection_begins_once_and_under_its_own_name() {
        let fresh = || Rights::new(StoreId::new("s").expect("valid"), CartId::new("cart-1").expect("valid"));
        let name = |name: &str| fresh().judge(&Packet::Connect(Connect::new(name)));
        assert_eq!(name("s-cart-1"), Ok(()));
        for bad in ["s-cart-2", "hub-s", ""] {
            assert_eq!(name(bad), Err(Breach::Name(bad.into())));
        }
        assert_eq!(fresh().judge(&Packet::PingReq), Err(Breach::Order));
        assert_eq!(rights().judge(&Packet::Connect(Connect::new("s-cart-1"))), Err(Breach::Order));
        let mut connect = Connect::new("s-cart-1");
        let will = |topic: &str| Some(LastWill::new(topic, "x", QoS::AtLeastOnce, true));
        connect.last_will = will("tr1/s/cart/cart-2/up/presence");
        assert!(matches!(fresh().judge(&Packet::Connect(connect.clone())), Err(Breach::Will(_))));
        connect.last_will = will("tr1/s/cart/cart-1/up/presence");
        assert_eq!(fresh().judge(&Packet::Connect(connect)), Ok(()));
    }

    #[test]
    fn packets_that_no_cart_sends_end_the_connection() {
        let answer = ConnAck { session_present: false, code: ConnectReturnCode::Success };
        for packet in [Packet::ConnAck(answer), Packet::PubRec(PubRec { pkid: 1 }), Packet::PingResp] {
            assert_eq!(rights().judge(&packet), Err(Breach::Packet));
        }
    }
}
