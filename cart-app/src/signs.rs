//! The running cart's signs of life: to the service manager, and in its health file. Also where a part that
//! cannot go on ends the trip's thread, and with it the program.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::bail;
use cart_core::Cart;
use serde::Serialize;
use service::{Failure, HealthFile, Watch, room};
use tracing::{debug, warn};
use trip::Phase;

use crate::wiring::Health;

/// Below this the disk is too full to shop for long: staff are told.
const LEAST_FREE_BYTES: u64 = 64 * 1024 * 1024;
/// The disk is asked this often.
const ASK_DISK_EVERY: Duration = Duration::from_secs(30);
/// Under this name staff see it among the devices that are out.
const DISK: &str = "disk nearly full";

/// What the trip's thread gives of itself.
#[derive(Debug)]
pub struct Signs {
    began: Instant,
    watch: Watch,
    file: HealthFile,
    failure: Failure,
    data: PathBuf,
    asked: Option<Duration>,
    /// True while the disk has room.
    pub roomy: bool,
}

/// The health file's words. Nothing about a shopper.
#[derive(Serialize)]
struct Page<'a> {
    phase: Phase,
    connected: bool,
    /// Records that the hub has not committed.
    unsynced: u64,
    battery_percent: Option<u8>,
    charging: bool,
    /// What is out.
    faults: &'a [String],
}

impl Signs {
    /// For a cart whose files lie in `data`; `failure` says when the program must stop.
    pub fn new(data: &Path, failure: Failure) -> Self {
        let file = HealthFile::new(data, "cart", env!("CARGO_PKG_VERSION"));
        let watch = Watch::from_environment();
        Self { began: Instant::now(), watch, file, failure, data: data.into(), asked: None, roomy: true }
    }

    /// Gives them, now. True when the disk became full, or has room again.
    ///
    /// # Errors
    /// Why the program must stop, when a part of it fell over too often.
    pub fn give(&mut self, cart: &Cart, health: &mut Health, unsynced: u64) -> anyhow::Result<bool> {
        if let Some(why) = self.failure.why() {
            bail!("{why}");
        }
        let now = self.began.elapsed();
        self.watch.alive(now);
        let news = self.ask_disk(now);
        health.disk = (!self.roomy).then_some(DISK);
        let told = health.telemetry();
        let page = Page {
            phase: cart.state().phase,
            connected: health.connected,
            unsynced,
            battery_percent: told.battery_percent,
            charging: told.charging,
            faults: &told.faults,
        };
        if let Err(why) = self.file.tell(&page, now) {
            debug!(%why, "the health file cannot be written");
        }
        Ok(news)
    }

    fn ask_disk(&mut self, now: Duration) -> bool {
        if self.asked.is_some_and(|asked| now < asked + ASK_DISK_EVERY) {
            return false;
        }
        self.asked = Some(now);
        let was = self.roomy;
        // A disk that cannot be asked stops nobody: what cannot be written stops the cart.
        self.roomy = room::free(&self.data).map_or(true, |free| free >= LEAST_FREE_BYTES);
        if was && !self.roomy {
            warn!(folder = %self.data.display(), "the disk is nearly full; staff must make room");
        }
        was != self.roomy
    }
}
