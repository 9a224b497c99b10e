//! [`Storage`] in memory, with the same rules as the one on disk: for the simulator, where a place outlives
//! the hubs that open it, as a disk outlives processes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use trip::{CartId, IntentId, TripId, UnixMillis};

use super::{
    CartRow, CommandRow, FenceRow, GateRow, MOST_QUARANTINED, QuarantineRow, ReceiptRow, Storage, StoreError,
    StoreKind, TripRow, Write, fenced,
};
use crate::intent::{Intent, IntentState};

/// What is kept. Every opening sees the same.
#[derive(Clone, Debug, Default)]
pub struct MemoryPlace {
    /// A mutex, because [`Storage`] may move between threads.
    tables: Arc<Mutex<Tables>>,
}

#[derive(Debug, Default)]
struct Tables {
    generation: u64,
    records: BTreeMap<(CartId, u64, u64), String>,
    heads: BTreeMap<(CartId, u64), CartRow>,
    trips: BTreeMap<TripId, TripRow>,
    intents: Vec<Intent>,
    receipts: Vec<ReceiptRow>,
    commands: Vec<(CommandRow, bool)>,
    gates: Vec<GateRow>,
    quarantine: Vec<QuarantineRow>,
    fences: BTreeMap<CartId, FenceRow>,
    counters: BTreeMap<&'static str, u64>,
}

/// One hub's opening of a [`MemoryPlace`].
#[derive(Debug)]
pub struct MemoryStore {
    place: MemoryPlace,
    generation: u64,
}

impl MemoryStore {
    /// Opens `place`; whoever opened it before can write no more.
    pub fn open(place: &MemoryPlace) -> Self {
        let mut tables = place.lock();
        tables.generation += 1;
        let generation = tables.generation;
        drop(tables);
        Self { place: place.clone(), generation }
    }
}

impl MemoryPlace {
    fn lock(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Every record of a journal, oldest first.
    pub fn records(&self, cart: &CartId, epoch: u64) -> Vec<String> {
        let range = (cart.clone(), epoch, 0)..=(cart.clone(), epoch, u64::MAX);
        self.lock().records.range(range).map(|(_, text)| text.clone()).collect()
    }

    /// Every journal there is a record of.
    pub fn journals(&self) -> Vec<CartRow> {
        self.lock().heads.values().cloned().collect()
    }

    /// The newest journal of every cart, by cart.
    pub fn carts(&self) -> Vec<CartRow> {
        // By cart and then by epoch: the last of each cart is its newest.
        let mut newest: BTreeMap<CartId, CartRow> = BTreeMap::new();
        for row in self.lock().heads.values() {
            newest.insert(row.cart.clone(), row.clone());
        }
        newest.into_values().collect()
    }

    /// Every trip.
    pub fn trips(&self) -> Vec<TripRow> {
        self.lock().trips.values().cloned().collect()
    }

    /// Every attempt to be paid, oldest first.
    pub fn all_intents(&self) -> Vec<Intent> {
        self.lock().intents.clone()
    }

    /// Everything that a gate was told, oldest first.
    pub fn all_gates(&self) -> Vec<GateRow> {
        self.lock().gates.clone()
    }

    /// Every receipt, oldest first.
    pub fn all_receipts(&self) -> Vec<ReceiptRow> {
        self.lock().receipts.clone()
    }
}

fn live(intent: &Intent) -> bool {
    use IntentState as S;
    matches!(intent.state, S::Created | S::Sent | S::Unknown | S::Approved)
}

impl Tables {
    /// What in `writes` contradicts what is there, if anything does.
    fn contradiction(&self, writes: &[Write]) -> Option<String> {
        let mut records = BTreeSet::new();
        let mut intents: BTreeMap<IntentId, &Intent> = self.intents.iter().map(|i| (i.id.clone(), i)).collect();
        let mut receipts: BTreeMap<IntentId, String> =
            self.receipts.iter().map(|r| (r.intent.clone(), r.number.clone())).collect();
        let mut heads: BTreeSet<(CartId, u64)> = self.heads.keys().cloned().collect();
        let mut trips: BTreeSet<TripId> = self.trips.keys().cloned().collect();
        let mut needs_head = Vec::new();
        for write in writes {
            match write {
                Write::Record { cart, epoch, seq, .. } => {
                    let key = (cart.clone(), *epoch, *seq);
                    if self.records.contains_key(&key) || !records.insert(key) {
                        return Some(format!("record {seq} of {cart}, journal {epoch}, is there already"));
                    }
                }
                Write::Cart(row) => drop(heads.insert((row.cart.clone(), row.epoch))),
                Write::Trip(row) => {
                    if trips.insert(row.trip.clone()) {
                        needs_head.push((row.cart.clone(), row.epoch));
                    }
                }
                Write::Intent(intent) => {
                    let other = intents.values().find(|i| i.trip == intent.trip && i.id != intent.id && live(i));
                    if let Some(other) = other.filter(|_| live(intent)) {
                        return Some(format!("trip {} has the live intent {} already", intent.trip, other.id));
                    }
                    intents.insert(intent.id.clone(), intent);
                }
                Write::Receipt(row) => {
                    if receipts.insert(row.intent.clone(), row.number.clone()).is_some_and(|n| n != row.number) {
                        return Some(format!("intent {} has a receipt already", row.intent));
                    }
                }
                Write::Command(_)
                | Write::CommandDone(_)
                | Write::Gate(_)
                | Write::Quarantine(_)
                | Write::Fence(_)
                | Write::FenceLifted(_)
                | Write::Count(_) => {}
            }
        }
        let no_head = needs_head.into_iter().find(|key| !heads.contains(key));
        let no_trip = intents.values().find(|intent| !trips.contains(&intent.trip));
        let no_intent = receipts.keys().find(|id| !intents.contains_key(*id));
        no_head
            .map(|(cart, epoch)| format!("there is no journal {epoch} of {cart}"))
            .or_else(|| no_trip.map(|intent| format!("there is no trip {}", intent.trip)))
            .or_else(|| no_intent.map(|id| format!("there is no intent {id}")))
    }

    fn put(&mut self, write: &Write) {
        match write {
            Write::Record { cart, epoch, seq, text } => {
                self.records.insert((cart.clone(), *epoch, *seq), text.clone());
            }
            Write::Cart(row) => drop(self.heads.insert((row.cart.clone(), row.epoch), row.clone())),
            Write::Trip(row) => {
                let known = self.trips.entry(row.trip.clone()).or_insert_with(|| row.clone());
                (known.state, known.ending, known.at) = (row.state.clone(), row.ending, row.at);
            }
            Write::Intent(intent) => match self.intents.iter_mut().find(|i| i.id == intent.id) {
                Some(known) => *known = intent.clone(),
                None => self.intents.push(intent.clone()),
            },
            Write::Receipt(row) => match self.receipts.iter_mut().find(|r| r.number == row.number) {
                Some(known) => known.void = row.void,
                None => self.receipts.push(row.clone()),
            },
            Write::Command(row) => {
                if !self.commands.iter().any(|(known, _)| known.command.id == row.command.id) {
                    self.commands.push((row.clone(), false));
                }
            }
            Write::CommandDone(id) => {
                self.commands.iter_mut().filter(|(row, _)| row.command.id == *id).for_each(|(_, done)| *done = true);
            }
            Write::Gate(row) => self.gates.push(row.clone()),
            Write::Quarantine(row) => {
                if !self.quarantine.iter().any(|known| known.digest == row.digest) {
                    self.quarantine.push(row.clone());
                    let over = self.quarantine.len().saturating_sub(MOST_QUARANTINED);
                    self.quarantine.drain(..over);
                }
            }
            Write::Fence(row) => {
                self.fences.entry(row.cart.clone()).or_insert_with(|| row.clone());
            }
            Write::FenceLifted(cart) => drop(self.fences.remove(cart)),
            Write::Count(name) => *self.counters.entry(name).or_default() += 1,
        }
    }
}

impl Storage for MemoryStore {
    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        let mut tables = self.place.lock();
        if tables.generation != self.generation {
            return Err(fenced("in memory"));
        }
        if let Some(what) = tables.contradiction(writes) {
            return Err(StoreError { path: "in memory".into(), kind: StoreKind::Conflict, what });
        }
        writes.iter().for_each(|write| tables.put(write));
        Ok(())
    }

    fn owned(&self) -> Result<(), StoreError> {
        if self.place.lock().generation == self.generation { Ok(()) } else { Err(fenced("in memory")) }
    }

    fn carts(&self) -> Result<Vec<CartRow>, StoreError> {
        Ok(self.place.carts())
    }

    fn cart(&self, cart: &CartId, epoch: u64) -> Result<Option<CartRow>, StoreError> {
        Ok(self.place.lock().heads.get(&(cart.clone(), epoch)).cloned())
    }

    fn record(&self, cart: &CartId, epoch: u64, seq: u64) -> Result<Option<String>, StoreError> {
        Ok(self.place.lock().records.get(&(cart.clone(), epoch, seq)).cloned())
    }

    fn trip(&self, trip: &TripId) -> Result<Option<TripRow>, StoreError> {
        Ok(self.place.lock().trips.get(trip).cloned())
    }

    fn open_intents(&self) -> Result<Vec<Intent>, StoreError> {
        Ok(self.place.lock().intents.iter().filter(|i| i.open()).cloned().collect())
    }

    fn intent(&self, id: &IntentId) -> Result<Option<Intent>, StoreError> {
        Ok(self.place.lock().intents.iter().find(|i| i.id == *id).cloned())
    }

    fn intents(&self, trip: &TripId) -> Result<Vec<Intent>, StoreError> {
        Ok(self.place.lock().intents.iter().filter(|i| i.trip == *trip).cloned().collect())
    }

    fn intents_between(&self, from: UnixMillis, until: UnixMillis) -> Result<Vec<Intent>, StoreError> {
        let made = |intent: &&Intent| (from..until).contains(&intent.created_at);
        Ok(self.place.lock().intents.iter().filter(made).cloned().collect())
    }

    fn receipts(&self, limit: u32) -> Result<Vec<ReceiptRow>, StoreError> {
        Ok(self.place.lock().receipts.iter().rev().take(limit as usize).cloned().collect())
    }

    fn receipt_of(&self, intent: &IntentId) -> Result<Option<ReceiptRow>, StoreError> {
        Ok(self.place.lock().receipts.iter().find(|r| r.intent == *intent).cloned())
    }

    fn open_commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        Ok(self.place.lock().commands.iter().filter(|(_, done)| !done).map(|(row, _)| row.clone()).collect())
    }

    fn gates(&self) -> Result<Vec<GateRow>, StoreError> {
        let mut last = BTreeMap::new();
        for row in &self.place.lock().gates {
            last.insert(row.lane.clone(), row.clone());
        }
        Ok(last.into_values().collect())
    }

    fn fences(&self) -> Result<Vec<FenceRow>, StoreError> {
        Ok(self.place.lock().fences.values().cloned().collect())
    }

    fn counter(&self, name: &str) -> Result<u64, StoreError> {
        Ok(self.place.lock().counters.get(name).copied().unwrap_or(0))
    }

    fn quarantine(&self, limit: u32) -> Result<Vec<QuarantineRow>, StoreError> {
        Ok(self.place.lock().quarantine.iter().rev().take(limit as usize).cloned().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_does_what_every_store_must() {
        let place = MemoryPlace::default();
        super::super::conformance::run(&|| MemoryStore::open(&place));
    }
}
