//! The line to the carts, behind one trait: [`InProcess`] is a broker inside the hub,
//! [`External`] is another one, and both speak MQTT 3.1.1 through the same client, so the carts and
//! the rest of the hub cannot tell them apart.
//!
//! A broker here only carries. It may lose everything it holds at any time: the carts' journals
//! and the hub's database are the truth, and after every [`BusEvent::Up`] both sides say again what
//! matters.

use tokio::sync::{mpsc, oneshot};

mod broker;
mod client;
#[cfg(test)]
mod conformance;

pub use broker::InProcess;
pub use client::External;
pub use trip::bounds::MAX_PAYLOAD_BYTES;

/// The bus cannot start.
#[derive(Debug, thiserror::Error)]
pub enum BusError {
    /// Another program has the port.
    #[error(
        "cannot listen on {address}: {source}; choose another port in bus = {{ listen = … }} or stop the other program"
    )]
    Listen {
        /// Where.
        address: String,
        /// Why not.
        source: std::io::Error,
    },
    /// The address is no `host:port`.
    #[error("broker \"{0}\" is not host:port")]
    Address(String),
    /// The broker does not answer.
    #[error("broker {address} does not answer: {why}")]
    Silent {
        /// Where.
        address: String,
        /// The last thing that was heard.
        why: String,
    },
}

/// A message to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Where to.
    pub topic: String,
    /// What.
    pub payload: Vec<u8>,
    /// Whether the broker keeps it for those who subscribe later.
    pub retain: bool,
}

/// What the client asks of the broker.
#[derive(Clone, Debug)]
pub struct Wishes {
    /// This client's name.
    pub client: String,
    /// Topics to subscribe to, at each connection anew.
    pub subscriptions: Vec<String>,
    /// What the broker says of this client when it is gone.
    pub will: Outgoing,
}

/// What comes from the bus.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BusEvent {
    /// Connected and subscribed: say again all that must be known.
    Up,
    /// The connection is lost; it is sought again.
    Down {
        /// What was heard.
        why: String,
    },
    /// A message.
    Message {
        /// On which topic.
        topic: String,
        /// What.
        payload: Vec<u8>,
    },
}

/// A started bus. Dropping it ends the connection without a word, so that the will is sent.
#[derive(Debug)]
pub struct Line {
    /// Where the broker is, `host:port`.
    pub address: String,
    /// To the broker. Unbounded, because the one who fills it also empties `events`: with two
    /// bounded queues they could wait for each other. What goes out answers what came in.
    pub outgoing: mpsc::UnboundedSender<Outgoing>,
    /// From the broker, bounded: when the hub is slow, the broker waits.
    pub events: mpsc::Receiver<BusEvent>,
    /// Resolves when a broker of our own has ended, which it must not; `None` for another's.
    pub carrier: Option<oneshot::Receiver<()>>,
}

/// A way to reach the carts.
pub trait Bus: Send {
    /// Connects; returns once the broker has answered.
    ///
    /// # Errors
    /// [`BusError`] when it cannot.
    fn start(self, wishes: Wishes) -> impl Future<Output = Result<Line, BusError>> + Send;
}
