//! How the hub is, for its health file. Nothing about a shopper.

use serde::Serialize;
use trip::Phase;

use super::Hub;
use crate::store::{CartRow, Storage};

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
    /// Pictures of screens that came though no shopper had let staff see them, since the start.
    pub looks_unasked: u64,
    /// How it goes with the back office; `None` where there is none.
    pub back_office: Option<BackOfficeHealth>,
}

/// How it goes with the back office.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct BackOfficeHealth {
    /// Messages that it has not taken yet.
    pub waiting: u64,
    /// Since when the oldest of them waits, in milliseconds since 1970 by the hub's clock.
    pub since: Option<i64>,
    /// What staff are told, if anything is wrong.
    pub alarm: Option<String>,
}

impl<S: Storage> Hub<S> {
    /// How it is now.
    pub fn health(&self) -> HubHealth {
        let online = |seen: &&super::Seen| seen.presence.is_some_and(|presence| presence.online);
        let runs = |row: &&CartRow| {
            row.state.trip.is_some() && row.state.phase != Phase::Idle && !self.is_at_a_till(&row.state)
        };
        HubHealth {
            store: self.setting.store.to_string(),
            connected: self.line,
            disk_has_room: self.storage.has_room(),
            carts: self.setting.carts.len(),
            carts_online: self.seen.values().filter(online).count(),
            trips: self.carts.values().filter(runs).count(),
            open_payments: self.intents.len(),
            open_commands: self.outbox.rows().count(),
            refused: self.refused,
            looks_unasked: self.looks_unasked(),
            back_office: self.setting.back_office_alarm_ms.map(|_| BackOfficeHealth {
                waiting: self.back_office.waiting(),
                since: self.back_office.since().map(|at| at.0),
                alarm: self.back_office.alarm().map(|trouble| trouble.to_string()),
            }),
        }
    }
}
