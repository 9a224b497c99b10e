//! The disk under the trip: journal, shopping list and receipts, and word to the line of what grew.

use std::path::PathBuf;

use anyhow::Context;
use cart_core::Disk;
use tokio::sync::watch;
use trip::TripEvent;
use trip::chain::Head;
use trip::list::Noted;

use crate::journal::{Journal, LIST_KEY};
use crate::retention::remove_receipts;
use crate::upkeep::NewCatalogue;

/// The journal and the folder of receipts.
pub struct TripDisk {
    journal: Journal,
    receipts: PathBuf,
    appended: watch::Sender<u64>,
}

impl TripDisk {
    /// Receipts are kept in the folder `receipts`; `appended` tells the line how far the journal has grown.
    ///
    /// # Errors
    /// When the folder of receipts cannot be made.
    pub fn new(journal: Journal, receipts: PathBuf, appended: watch::Sender<u64>) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&receipts).with_context(|| format!("folder of receipts {}", receipts.display()))?;
        Ok(Self { journal, receipts, appended })
    }

    /// Keeps a catalogue that the store has just released, before a trip pins it.
    ///
    /// # Errors
    /// When the journal cannot keep it: a trip that pinned it could not be priced after a restart.
    pub fn keep_catalogue(&self, new: &NewCatalogue) -> anyhow::Result<()> {
        self.journal.keep_catalogue(new.catalogue.version, &new.text).context("the released catalogue")
    }

    /// Wipes what the last trip left; `false` while the hub does not have all of it. Only while no trip is on.
    ///
    /// # Errors
    /// When something cannot be removed.
    pub fn wipe_ended(&mut self) -> anyhow::Result<bool> {
        let done = self.journal.wipe_ended()?;
        if done {
            remove_receipts(&self.receipts).with_context(|| format!("receipts in {}", self.receipts.display()))?;
        }
        Ok(done)
    }
}

impl Disk for TripDisk {
    type Error = anyhow::Error;

    fn append(&mut self, events: &[TripEvent]) -> anyhow::Result<Head> {
        let head = self.journal.append(events).context("nothing is shown that is not on disk; this cart must stop")?;
        self.appended.send_replace(head.seq);
        Ok(head)
    }

    fn keep_list(&mut self, list: &[Noted]) -> anyhow::Result<()> {
        let text =
            if list.is_empty() { String::new() } else { serde_json::to_string(list).context("shopping list")? };
        self.journal.set(LIST_KEY, &text).context("the shopping list cannot be kept; this cart must stop")
    }

    fn keep_receipt(&mut self, number: &str, cose: &[u8], qr: &str) -> anyhow::Result<()> {
        let name: String =
            number.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
        let path = self.receipts.join(format!("{name}.cose"));
        let partial = self.receipts.join(format!("{name}.partial"));
        let context = || format!("receipt {}", path.display());
        let file = std::fs::File::create(&partial).with_context(context)?;
        std::io::Write::write_all(&mut &file, cose).with_context(context)?;
        file.sync_all().with_context(context)?;
        std::fs::rename(&partial, &path).with_context(context)?;
        // The name, too, must be on the disk.
        std::fs::File::open(&self.receipts).and_then(|folder| folder.sync_all()).with_context(context)?;
        self.journal.set("receipt_qr", qr).context("nothing is shown that is not on disk; this cart must stop")
    }
}
