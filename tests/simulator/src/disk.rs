//! A cart's model disk: what returned is there after a power cut, what failed is not, and a write may be cut
//! before or after it is flushed. Records are written and read again by the cart's own rules
//! ([`trip::journal`]).

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use store_sync::JournalError;
use trip::chain::Head;
use trip::journal::{Replay, Writer, floor_after};
use trip::list::Noted;
use trip::message::Ack;
use trip::{CartId, TripEvent, TripState, UnixMillis};

use crate::goods;

/// The cart's power is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PowerGone;

/// What lies on it.
#[derive(Debug)]
struct Contents {
    writer: Writer,
    head: Head,
    rows: BTreeMap<u64, String>,
    floor: Head,
    /// Trips begun in records that were dropped.
    trips_below: u64,
    acked: u64,
    boot_epoch: u64,
    list: Vec<Noted>,
    receipts: BTreeMap<String, Vec<u8>>,
    receipt_qr: String,
    /// Where a record cannot be read any more.
    rotten: BTreeSet<u64>,
    /// The power goes in the next write.
    cut_next: Option<bool>,
    /// The wall clock, as the cart has it.
    wall: UnixMillis,
    /// Writes up to now.
    writes: u64,
    /// Every record that was ever on the disk, by journal and number: for the checks.
    history: BTreeMap<(u64, u64), String>,
    /// Journals that were set aside as damaged.
    aside: Vec<u64>,
    /// The replay of what is on the disk.
    state: TripState,
}

/// The disk; copies are the same disk.
#[derive(Clone, Debug)]
pub struct Disk {
    contents: Arc<Mutex<Contents>>,
}

/// What a start finds.
#[derive(Debug)]
pub struct Found {
    /// Which journal.
    pub epoch: u64,
    /// The trip as it stands.
    pub state: TripState,
    /// Trips begun.
    pub trips: u64,
    /// The number of this run.
    pub boot_epoch: u64,
    /// The running trip's shopping list.
    pub list: Vec<Noted>,
    /// The QR of the last receipt.
    pub receipt_qr: String,
    /// True when the old journal did not hold and was set aside.
    pub damaged: bool,
}

impl Disk {
    /// A new disk for `cart`.
    pub fn new(cart: CartId, wall: UnixMillis) -> Self {
        let writer = Writer { store: goods::store(), cart, epoch: wall.0.max(0) as u64 };
        let contents = Contents {
            writer,
            head: Head::default(),
            rows: BTreeMap::new(),
            floor: Head::default(),
            trips_below: 0,
            acked: 0,
            boot_epoch: 0,
            list: Vec::new(),
            receipts: BTreeMap::new(),
            receipt_qr: String::new(),
            rotten: BTreeSet::new(),
            cut_next: None,
            wall,
            writes: 0,
            history: BTreeMap::new(),
            aside: Vec::new(),
            state: TripState::default(),
        };
        Self { contents: Arc::new(Mutex::new(contents)) }
    }

    fn lock(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A start of the program.
    ///
    /// # Errors
    /// [`PowerGone`] when the power goes in one of its writes.
    pub fn open(&self) -> Result<Found, PowerGone> {
        let mut disk = self.lock();
        let mut replay = Replay::from(disk.floor, disk.trips_below);
        for (seq, text) in &disk.rows {
            let text = if disk.rotten.contains(seq) { "" } else { text };
            if !replay.take(text) {
                break;
            }
        }
        let damaged = replay.broken.is_some();
        if damaged {
            let old = disk.writer.epoch;
            let carried = replay.carried_over(old);
            // Setting aside and beginning anew is one rename at the end: cut before it, the next start does it again.
            disk.written()?;
            disk.aside.push(old);
            disk.writer.epoch = (disk.wall.0.max(0) as u64).max(old + 1);
            disk.rows.clear();
            disk.rotten.clear();
            (disk.head, disk.floor, disk.acked) = (Head::default(), Head::default(), 0);
            disk.trips_below = replay.trips;
            disk.state = TripState::default();
            disk.append(&carried);
        } else {
            disk.head = replay.head;
            disk.state = replay.state();
        }
        disk.written()?;
        disk.boot_epoch = (disk.wall.0.max(0) as u64).max(disk.boot_epoch + 1);
        Ok(Found {
            epoch: disk.writer.epoch,
            state: disk.state.clone(),
            trips: replay.trips,
            boot_epoch: disk.boot_epoch,
            list: disk.list.clone(),
            receipt_qr: disk.receipt_qr.clone(),
            damaged,
        })
    }

    /// The trip as it is on the disk.
    pub fn state(&self) -> TripState {
        self.lock().state.clone()
    }

    /// Every record that was ever on the disk, by journal and number.
    pub fn history(&self) -> BTreeMap<(u64, u64), String> {
        self.lock().history.clone()
    }

    /// The journal's number and end.
    pub fn end(&self) -> (u64, Head) {
        let disk = self.lock();
        (disk.writer.epoch, disk.head)
    }

    /// The receipts in the cart's folder, by number.
    pub fn receipts(&self) -> BTreeMap<String, Vec<u8>> {
        self.lock().receipts.clone()
    }

    /// Journals that were set aside.
    pub fn aside(&self) -> Vec<u64> {
        self.lock().aside.clone()
    }

    /// Writes up to now.
    pub fn writes(&self) -> u64 {
        self.lock().writes
    }

    /// The power goes in the next write, after it is flushed or before.
    pub fn cut_next(&self, written: bool) {
        self.lock().cut_next = Some(written);
    }

    /// No write is cut any more.
    pub fn heal(&self) {
        self.lock().cut_next = None;
    }

    /// One of the last records cannot be read any more.
    pub fn rot(&self, back: u64) {
        let mut disk = self.lock();
        if let Some(seq) = disk.rows.keys().rev().nth(back as usize % 4).copied() {
            disk.rotten.insert(seq);
        }
    }

    /// The cart's wall clock.
    pub fn set_wall(&self, wall: UnixMillis) {
        self.lock().wall = wall;
    }
}

impl Contents {
    /// A write is about to reach the disk: `Ok` when it does and the cart lives on.
    ///
    /// # Errors
    /// When the power goes before it is flushed. One that goes afterwards is said by the next write or by
    /// [`Contents::after`].
    fn written(&mut self) -> Result<(), PowerGone> {
        self.writes += 1;
        match self.cut_next {
            Some(false) => {
                self.cut_next = None;
                Err(PowerGone)
            }
            _ => Ok(()),
        }
    }

    fn after(&mut self) -> Result<(), PowerGone> {
        match self.cut_next.take() {
            Some(true) => Err(PowerGone),
            other => {
                self.cut_next = other;
                Ok(())
            }
        }
    }

    fn append(&mut self, events: &[TripEvent]) {
        let (records, head) = self.writer.continue_from(self.head, events, self.wall);
        events.iter().for_each(|event| self.state.apply(event));
        for (seq, text) in records {
            self.history.insert((self.writer.epoch, seq), text.clone());
            self.rows.insert(seq, text);
        }
        self.head = head;
    }
}

impl cart_core::Disk for Disk {
    type Error = PowerGone;

    fn append(&mut self, events: &[TripEvent]) -> Result<Head, PowerGone> {
        let mut disk = self.lock();
        disk.written()?;
        disk.append(events);
        disk.after()?;
        Ok(disk.head)
    }

    fn keep_list(&mut self, list: &[Noted]) -> Result<(), PowerGone> {
        let mut disk = self.lock();
        disk.written()?;
        disk.list = list.to_vec();
        disk.after()
    }

    fn keep_receipt(&mut self, number: &str, cose: &[u8], qr: &str) -> Result<(), PowerGone> {
        let mut disk = self.lock();
        disk.written()?;
        disk.receipts.insert(number.to_owned(), cose.to_vec());
        disk.receipt_qr = qr.to_owned();
        disk.after()
    }
}

impl store_sync::Journal for Disk {
    fn epoch(&self) -> u64 {
        self.lock().writer.epoch
    }

    fn ends(&mut self) -> Result<(u64, u64), JournalError> {
        let disk = self.lock();
        Ok((disk.head.seq, disk.acked))
    }

    fn records(&mut self, first: u64, last: u64) -> Result<Vec<String>, JournalError> {
        let disk = self.lock();
        let rows = disk.rows.range(first..=last);
        rows.map(|(seq, text)| {
            let readable = (!disk.rotten.contains(seq)).then(|| text.clone());
            readable.ok_or_else(|| JournalError(format!("record {seq} cannot be read")))
        })
        .collect()
    }

    fn free(&mut self, ack: &Ack) -> Result<(), JournalError> {
        let mut disk = self.lock();
        disk.writes += 1;
        disk.acked = ack.head.seq;
        let begins = |text: &String| text.contains("\"event\":{\"what\":\"trip_started\"");
        let started = disk.rows.iter().rev().find(|(_, text)| begins(text)).map_or(0, |(seq, _)| *seq);
        let floor = floor_after(ack.head.seq, started);
        if let Some(last) = disk.rows.get(&floor).cloned() {
            disk.trips_below += disk.rows.range(..=floor).filter(|(_, text)| begins(text)).count() as u64;
            disk.floor = Head { seq: floor, hash: trip::Hash::of(last.as_bytes()) };
            disk.rows = disk.rows.split_off(&(floor + 1));
        }
        Ok(())
    }
}
