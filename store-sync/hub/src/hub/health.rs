//! How the hub is, for its health file. Nothing about a shopper.

use serde::Serialize;
use trip::Phase;

use super::Hub;
use crate::store::Storage;

/// How the hub is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HubHealth {
    /// The store.
    pub store: String,
    /// True while the line to the broker stands.
    pub connected: bool,
    /// False when the disk is so full that nothing is taken in.
    pub disk_has_room: bool,
    /// Carts of the store, and how many of them are on the line.
    pub carts: usize,
    /// Carts that are on the line.
    pub carts_online: usize,
    /// Trips that run.
    pub trips: usize,
    /// Payments that are not settled.
    pub open_payments: usize,
    /// Commands that no cart has carried out yet.
    pub open_commands: usize,
    /// Payloads that were refused since the database was made.
    pub refused: u64,
}

impl<S: Storage> Hub<S> {
    /// How it is now.
    pub fn health(&self) -> HubHealth {
        let online = |seen: &&super::Seen| seen.presence.is_some_and(|presence| presence.online);
        HubHealth {
            store: self.setting.store.to_string(),
            connected: self.line,
            disk_has_room: self.storage.has_room(),
            carts: self.setting.carts.len(),
            carts_online: self.seen.values().filter(online).count(),
            trips: self.carts.values().filter(|row| row.state.trip.is_some() && row.state.phase != Phase::Idle).count(),
            open_payments: self.intents.len(),
            open_commands: self.outbox.rows().count(),
            refused: self.refused,
        }
    }
}
