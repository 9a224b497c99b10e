//! What one commit will write, and what is to be asked of terminals once it is written.

use std::collections::BTreeMap;

use trip::IntentId;

use crate::back_office::What;
use crate::intent::{Ask, Intent};
use crate::store::Write;

/// A commit in the making.
#[derive(Debug, Default)]
pub(super) struct Draft {
    writes: Vec<Write>,
    intents: BTreeMap<IntentId, Intent>,
    asks: Vec<(IntentId, Ask, u64)>,
    told: Vec<What>,
}

impl Draft {
    /// Adds a write.
    pub(super) fn write(&mut self, write: Write) {
        if let Write::Intent(intent) = &write {
            self.intents.insert(intent.id.clone(), intent.clone());
        }
        self.writes.push(write);
    }

    /// Adds all of another, behind.
    pub(super) fn join(&mut self, mut other: Self) {
        self.writes.append(&mut other.writes);
        self.intents.append(&mut other.intents);
        self.asks.append(&mut other.asks);
        self.told.append(&mut other.told);
    }

    /// Asks a terminal, once the draft is committed.
    pub(super) fn ask(&mut self, intent: &IntentId, ask: Ask, after_ms: u64) {
        self.asks.push((intent.clone(), ask, after_ms));
    }

    /// Tells the back office; the commit numbers it.
    pub(super) fn tell(&mut self, what: What) {
        self.told.push(what);
    }

    pub(super) fn take_told(&mut self) -> Vec<What> {
        std::mem::take(&mut self.told)
    }

    /// An intent as this draft has changed it.
    pub(super) fn intent(&self, id: &IntentId) -> Option<&Intent> {
        self.intents.get(id)
    }

    pub(super) fn intents(&self) -> impl Iterator<Item = &Intent> {
        self.intents.values()
    }

    pub(super) fn writes(&self) -> &[Write] {
        &self.writes
    }

    pub(super) fn is_empty(&self) -> bool {
        self.writes.is_empty()
    }

    pub(super) fn into_asks(self) -> Vec<(IntentId, Ask, u64)> {
        self.asks
    }
}
