//! Many carts at once, as far as the hub can tell: the carts' own side of the line, each with a key, a chain and
//! a journal of its own. The journal is in memory, so that the disk is the hub's alone.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::bail;
use ed25519_dalek::SigningKey;
use simulator::remains::CartRemains;
use store_sync::{Journal, JournalError, Line, LinkConfig, Told};
use tokio::runtime::Runtime;
use tokio::sync::{mpsc, watch};
use trip::basket::Evidence;
use trip::chain::Head;
use trip::journal::Writer;
use trip::message::Ack;
use trip::{
    CartId, Grams, Hash, LineId, LineItem, Quantity, Record, Sku, StoreId, TripEvent, TripId, TripState, UnixMillis,
};

/// A journal in memory, and when each record came and was freed.
#[derive(Debug, Default)]
struct Kept {
    records: Vec<String>,
    head: Head,
    acked: u64,
    came: BTreeMap<u64, Instant>,
    waited: Vec<Duration>,
}

#[derive(Clone, Debug)]
struct Memory {
    epoch: u64,
    kept: Arc<Mutex<Kept>>,
}

impl Memory {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for Memory {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn ends(&mut self) -> Result<(u64, u64), JournalError> {
        let kept = self.kept();
        Ok((kept.records.len() as u64, kept.acked))
    }

    fn records(&mut self, first: u64, last: u64) -> Result<Vec<String>, JournalError> {
        let kept = self.kept();
        // Numbers begin at 1; what is not there is left out, as a database does.
        let (from, to) = (first.max(1) - 1, last.min(kept.records.len() as u64));
        Ok(kept.records.get(from as usize..to as usize).map(<[String]>::to_vec).unwrap_or_default())
    }

    fn free(&mut self, ack: &Ack) -> Result<(), JournalError> {
        let now = Instant::now();
        let mut kept = self.kept();
        kept.acked = ack.head.seq;
        let later = kept.came.split_off(&(ack.head.seq + 1));
        let freed = std::mem::replace(&mut kept.came, later);
        kept.waited.extend(freed.into_values().map(|came| now - came));
        Ok(())
    }
}

/// A cart's name and key.
#[derive(Clone, Debug)]
pub struct Name {
    /// Its name.
    pub id: CartId,
    /// What it signs with.
    pub key: SigningKey,
}

/// So many names, always the same.
///
/// # Errors
/// None: the names are valid.
pub fn names(count: usize) -> anyhow::Result<Vec<Name>> {
    let named = |n| {
        let name = format!("crowd-{n:03}");
        Ok(Name { key: SigningKey::from_bytes(&Hash::of(name.as_bytes()).0), id: CartId::new(name)? })
    };
    (0..count).map(named).collect()
}

struct Member {
    id: CartId,
    journal: Memory,
    writer: Writer,
    lines: u32,
    appended: watch::Sender<u64>,
}

/// The carts, each in the middle of a trip.
pub struct Crowd {
    members: Vec<Member>,
    catalogue: Hash,
    stop: watch::Sender<bool>,
    runtime: Runtime,
}

impl Crowd {
    /// Has each of `names` come to the `broker` of `store`. They shop by the catalogue of this version.
    ///
    /// # Errors
    /// When a line cannot be set up.
    pub fn join(broker: SocketAddr, store: &StoreId, catalogue: Hash, names: Vec<Name>) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let (stop, stopped) = watch::channel(false);
        let inside = runtime.enter();
        let mut members = Vec::new();
        for Name { id, key } in names {
            let journal = Memory { epoch: 1, kept: Arc::default() };
            let config = LinkConfig {
                host: broker.ip().to_string(),
                port: broker.port(),
                store: store.clone(),
                cart: id.clone(),
                boot_epoch: 1,
                tls: None,
            };
            let (events, mut heard) = mpsc::channel(256);
            let (line, event_loop) = Line::new(config, key, journal.clone(), events)?;
            let (appended, appended_seen) = watch::channel(0);
            let told = Told {
                appended: appended_seen,
                telemetry: watch::channel(None).1,
                offers: watch::channel(None).1,
                looks: watch::channel(None).1,
            };
            runtime.spawn(line.run(event_loop, told, stopped.clone()));
            runtime.spawn(async move { while heard.recv().await.is_some() {} });
            let writer = Writer { store: store.clone(), cart: id.clone(), epoch: journal.epoch };
            members.push(Member { id, journal, writer, lines: 0, appended });
        }
        drop(inside);
        Ok(Self { members, catalogue, stop, runtime })
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// True when there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// One cart, by its number from 0, writes the next event of its trip.
    ///
    /// # Errors
    /// None: what it writes is valid.
    pub fn write(&mut self, cart: usize) -> anyhow::Result<()> {
        self.record(cart)?;
        self.tell(cart);
        Ok(())
    }

    /// Puts the next event of a cart's trip into its journal.
    fn record(&mut self, cart: usize) -> anyhow::Result<()> {
        let catalogue = self.catalogue;
        let member = &mut self.members[cart];
        let event = if member.lines == 0 {
            let trip = TripId::new(format!("{}.{}.1", member.id, member.journal.epoch))?;
            TripEvent::TripStarted { trip, catalogue, baseline: Grams(0) }
        } else {
            // In and out again: a basket that stays as small as a shopper's.
            let line = LineId(member.lines.div_ceil(2));
            if member.lines % 2 == 1 {
                let sku = Sku::new("chopped-tomatoes-400")?;
                let (quantity, weight, evidence) = (Quantity::Each(1), Some(Grams(455)), Evidence::SeenAndWeighed);
                TripEvent::ItemAdded { item: LineItem { line, sku, quantity, weight, evidence } }
            } else {
                TripEvent::ItemRemoved { line, pieces: 1, weight: Some(Grams(-455)) }
            }
        };
        member.lines += 1;
        let mut kept = member.journal.kept();
        let (records, head) = member.writer.continue_from(kept.head, &[event], UnixMillis(0));
        kept.head = head;
        for (seq, text) in records {
            kept.records.push(text);
            kept.came.insert(seq, Instant::now());
        }
        Ok(())
    }

    /// Tells a cart's line what is in its journal.
    fn tell(&self, cart: usize) {
        let Member { journal, appended, .. } = &self.members[cart];
        let last = journal.kept().head.seq;
        appended.send_replace(last);
    }

    /// Each writes one event.
    ///
    /// # Errors
    /// As [`Crowd::write`].
    pub fn all_write(&mut self) -> anyhow::Result<()> {
        (0..self.len()).try_for_each(|cart| self.write(cart))
    }

    /// Each writes so many events, and they are sent when the last is written: what carts have to say that were
    /// out of reach. Returns when the first was sent.
    ///
    /// # Errors
    /// As [`Crowd::write`].
    pub fn all_write_at_once(&mut self, events: usize) -> anyhow::Result<Instant> {
        for cart in 0..self.len() {
            (0..events).try_for_each(|_| self.record(cart))?;
        }
        let began = Instant::now();
        (0..self.len()).for_each(|cart| self.tell(cart));
        Ok(began)
    }

    /// Events that are written and not acked.
    pub fn behind(&self) -> u64 {
        let behind = |member: &Member| {
            let kept = member.journal.kept();
            kept.records.len() as u64 - kept.acked
        };
        self.members.iter().map(behind).sum()
    }

    /// Waits until all that was written is acked.
    ///
    /// # Errors
    /// When it is not within `patience`.
    pub fn in_sync(&self, patience: Duration) -> anyhow::Result<()> {
        let began = Instant::now();
        while self.behind() > 0 {
            if began.elapsed() > patience {
                bail!("{} events of the crowd are not acked", self.behind());
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(())
    }

    /// From the record in the journal to the hub's ack, of all that were acked since this was asked last.
    pub fn take_waits(&self) -> Vec<Duration> {
        self.members.iter().flat_map(|member| std::mem::take(&mut member.journal.kept().waited)).collect()
    }

    /// The last so many records of each cart, as they are sent.
    pub fn newest(&self, count: usize) -> Vec<Vec<String>> {
        let newest = |member: &Member| {
            let kept = member.journal.kept();
            kept.records[kept.records.len().saturating_sub(count)..].to_vec()
        };
        self.members.iter().map(newest).collect()
    }

    /// What their journals say, for the checks.
    pub fn remains(&self) -> Vec<CartRemains> {
        let left = |member: &Member| {
            let kept = member.journal.kept();
            let events = kept.records.iter().filter_map(|text| serde_json::from_str::<Record>(text).ok());
            let events: Vec<TripEvent> = events.map(|record| record.event).collect();
            let epoch = member.journal.epoch;
            CartRemains {
                id: member.id.clone(),
                epoch,
                head: kept.head,
                state: TripState::replay(&events),
                written: (1..).zip(&kept.records).map(|(seq, text)| ((epoch, seq), text.clone())).collect(),
                wiped: 0,
                receipts: BTreeMap::new(),
                rotted: false,
            }
        };
        self.members.iter().map(left).collect()
    }

    /// Ends all lines.
    pub fn leave(self) {
        self.stop.send_replace(true);
        self.runtime.shutdown_timeout(Duration::from_secs(2));
    }
}
