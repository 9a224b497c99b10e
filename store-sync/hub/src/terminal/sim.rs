//! A payment terminal that is a program: the same messages on the wire as a real one, with scripted
//! refusals, silences and crashes.
//!
//! It keeps a log of its own ([`log`]), so that a repeated payment is answered with the first answer
//! and charged once, and a status is known after a crash. It counts what it took by periods, as the log has it, and
//! closes one when it is asked to. It has two addresses: one where hubs ask
//! (`POST /nexo`), and one where a person or a test holds a card to it (`POST /tap`), gives it a
//! script (`POST /script`) and looks at what it charged (`GET /transactions`).

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::seal::SharedKey;

pub mod log;
mod periods;
mod reader;
mod serve;

pub use serve::{Running, serve};

/// How the simulator is set up.
#[derive(Clone)]
pub struct Setup {
    /// Where hubs ask; port 0 for any free one.
    pub listen: SocketAddr,
    /// Where cards are held to it; port 0 for any free one.
    pub control: SocketAddr,
    /// The key it shares with the hub.
    pub key: SharedKey,
    /// Its log.
    pub state: PathBuf,
    /// Holds a card to itself after this long, if set.
    pub auto_tap: Option<Duration>,
    /// Gives up waiting for a card after this long.
    pub card_within: Duration,
    /// What happens to the next payments, in order; then they are approved.
    pub script: Vec<Play>,
}

/// What happens when a card is held to the simulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Play {
    /// The money is taken.
    Approve,
    /// The card is refused.
    Decline,
    /// Nothing is taken, and no answer is given.
    Timeout,
    /// The money is taken, and no answer is given.
    LostAnswer,
    /// The money is taken, and the program ends before it answers.
    CrashAfterApproval,
    /// The money is taken after this many milliseconds.
    Slow(u64),
}

/// The simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum SimError {
    /// Another program has the port.
    #[error("terminal simulator cannot listen on {address}: {source}; choose another port")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// Its log cannot be read or written.
    #[error("terminal simulator's log {}: {source}", path.display())]
    Log {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}
