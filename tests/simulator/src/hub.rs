//! The hub: the program as it ships on a model database, which can be full, fail, or be cut.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ed25519_dalek::{SigningKey, VerifyingKey};
use store_hub::catalogues::Catalogues;
use store_hub::hub::{Effect, Hub, Input, Setting};
use store_hub::receipt::Office;
use store_hub::store::{Guard, Guarded, MemoryPlace, MemoryStore, Storage, StoreError, StoreKind, Write};
use store_sync::patience;
use trip::patience::Patience;
use trip::{CartId, UnixMillis};

use crate::Ms;
use crate::broker::Connection;
use crate::goods;

/// What is wrong with the hub's disk.
#[derive(Debug, Default)]
pub struct Trouble {
    /// It takes nothing.
    pub full: bool,
    /// Its next flush fails.
    pub flush_fails: bool,
    /// A flush has failed: what the system holds of it counts as written, and whoever goes on without starting again
    /// builds on what is nowhere. <https://lwn.net/Articles/752063/>
    lies: bool,
    /// The power goes in the next commit: after it was flushed, or before.
    pub cut_next: Option<bool>,
    /// Commits up to now.
    pub commits: u64,
    committed: Vec<Vec<Write>>,
}

/// The hub's disk.
#[derive(Clone, Debug, Default)]
pub struct HubDisk {
    /// What lies on it.
    pub place: MemoryPlace,
    trouble: Arc<Mutex<Trouble>>,
}

impl HubDisk {
    /// What is wrong with it.
    pub fn trouble(&self) -> MutexGuard<'_, Trouble> {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was committed since this was last asked.
    pub fn committed(&self) -> Vec<Vec<Write>> {
        std::mem::take(&mut self.trouble().committed)
    }
}

/// The store's receipt key.
pub fn receipt_key() -> SigningKey {
    SigningKey::from_bytes(&[42; 32])
}

/// A run of the hub.
pub struct SimHub {
    /// Counts the runs: what was meant for an earlier one is void.
    pub run: u64,
    /// Its connection to the broker.
    pub connection: Option<Connection>,
    /// Its wait between attempts to connect.
    pub patience: Patience,
    /// Until when it stands still.
    pub still_until: Ms,
    /// What waits for it while it stands still.
    pub waiting: Vec<Input>,
    /// It dies when it has carried out so many effects of its next commit.
    pub dies_after: Option<usize>,
    hub: Hub<Guarded<MemoryStore, HubDisk>>,
}

impl SimHub {
    /// Starts a hub on `disk`; whoever ran there before is fenced.
    ///
    /// # Errors
    /// [`StoreError`] when the disk fails at once.
    pub fn start(
        run: u64,
        disk: &HubDisk,
        carts: BTreeMap<CartId, VerifyingKey>,
        lanes: usize,
        dearer: u32,
        now: UnixMillis,
    ) -> Result<(Self, Vec<Effect>), StoreError> {
        let setting = Setting {
            store: goods::store(),
            lanes: (0..lanes).map(goods::lane).collect(),
            carts,
            boot_epoch: now.0.max(0) as u64,
            phone_url: None,
            back_office_alarm_ms: None,
        };
        let (current, other) = (goods::catalogue(dearer), goods::catalogue(goods::DEARER - dearer));
        let office = Office::with_key(goods::store(), &current.store_name, receipt_key());
        disk.trouble().lies = false;
        let storage = Guarded::new(MemoryStore::open(&disk.place), disk.clone());
        let (hub, effects) = Hub::start(setting, storage, Catalogues::of(current, vec![other]), office, now)?;
        let this = Self {
            run,
            connection: None,
            patience: patience::of_the_line(),
            still_until: 0,
            waiting: Vec::new(),
            dies_after: None,
            hub,
        };
        Ok((this, effects))
    }

    /// Takes inputs that have come together.
    ///
    /// # Errors
    /// [`StoreError`] when the hub must end.
    pub fn handle(&mut self, inputs: Vec<Input>, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        self.hub.handle_all(inputs, now)
    }
}

impl Guard for HubDisk {
    fn commit(&mut self, store: &mut impl Storage, writes: &[Write]) -> Result<(), StoreError> {
        let mut trouble = self.trouble();
        let fail = |kind, what: &str| Err(StoreError { path: "the hub's disk".into(), kind, what: what.into() });
        if trouble.full {
            return fail(StoreKind::Full, "no space");
        }
        if trouble.lies {
            return store.owned();
        }
        if std::mem::take(&mut trouble.flush_fails) {
            trouble.lies = true;
            return fail(StoreKind::Broken, "the flush failed");
        }
        if trouble.cut_next == Some(false) {
            trouble.cut_next = None;
            return fail(StoreKind::Broken, "the power is gone");
        }
        store.commit(writes)?;
        trouble.commits += 1;
        trouble.committed.push(writes.to_vec());
        if trouble.cut_next.take().is_some() {
            return fail(StoreKind::Broken, "the power is gone");
        }
        Ok(())
    }
}
