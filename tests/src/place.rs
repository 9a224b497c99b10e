//! One store with one cart, in a folder of its own.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU16, Ordering};

use anyhow::Context;
use cart_app::demo::servers::{Fixed, Store, StoreSetup};
use cart_app::demo::summary::Summary;
use cart_app::demo::{cart_config, script::Script};
use tempfile::TempDir;
use trip::TripEvent;

use crate::check;
use crate::process::{Running, assets, command, programs};

/// Where the programs leave their files.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The store's.
    pub data: PathBuf,
    /// The cart's.
    pub cart: PathBuf,
    /// The catalogue.
    pub catalogue: PathBuf,
}

impl Folders {
    /// As the demo lays them out in `data`.
    pub fn in_data(data: &Path) -> Self {
        Self { data: data.into(), cart: data.join("cart-01"), catalogue: assets().join("store/catalogue.toml") }
    }

    /// The cart's journal.
    pub fn journal(&self) -> PathBuf {
        self.cart.join("journal.sqlite")
    }

    /// The hub's database.
    pub fn hub_database(&self) -> PathBuf {
        self.data.join("hub/hub.db")
    }

    /// The terminal's own log.
    pub fn terminal_log(&self) -> PathBuf {
        self.data.join("terminal.json")
    }

    /// The store's public receipt key.
    pub fn receipt_key(&self) -> PathBuf {
        self.data.join("hub/receipt-key.pub")
    }

    /// Steps of the script whose end the shopper has seen.
    ///
    /// # Errors
    /// When the file is there and cannot be understood.
    pub fn steps_done(&self) -> anyhow::Result<usize> {
        Ok(cart_app::demo::stage::Stage::remembered(&self.cart.join("simulated-basket.json"))?.done)
    }
}

/// A store that runs, and the files of a cart that may be started in it.
pub struct Place {
    /// The files.
    pub folders: Folders,
    /// The running store.
    pub store: Store,
    script: PathBuf,
    config: PathBuf,
    folder: TempDir,
}

impl Place {
    /// Starts a store, and writes down the trip that is to be made.
    ///
    /// # Errors
    /// When a part does not start.
    pub fn new(trip: &str) -> anyhow::Result<Self> {
        let folder = TempDir::new().context("a folder")?;
        let folders = Folders::in_data(folder.path());
        let setup = StoreSetup {
            programs: programs()?,
            data: folders.data.clone(),
            catalogue: folders.catalogue.clone(),
            cart: "cart-01".into(),
            cart_key: folders.cart.join("cart-key"),
            terminal_args: Vec::new(),
        };
        let store = Store::start_with(&setup, Fixed { mqtt: free_port()?, trust: Some(folder.path().join("trust")) })?;
        let config = folder.path().join("cart.toml");
        std::fs::write(&config, cart_config(&assets(), &folders.cart, store.addresses.mqtt))?;
        let script = folder.path().join("trip.toml");
        std::fs::write(&script, trip)?;
        Script::load(&script)?;
        Ok(Self { folders, store, script, config, folder })
    }

    /// The cart's configuration file.
    pub fn config(&self) -> &Path {
        &self.config
    }

    /// Starts the cart on its trip, or on the rest of it.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn play(&self, resume: bool) -> anyhow::Result<Running> {
        let mut cart = command("cart")?;
        cart.args(["play", "--headless", "--config"]).arg(&self.config).arg("--trip").arg(&self.script);
        cart.arg("--terminal-control").arg(self.store.addresses.terminal_control.to_string());
        cart.arg("--receipt-key").arg(self.folders.receipt_key());
        cart.arg("--pictures").arg(assets().join("store/pictures.toml"));
        cart.arg("--out").arg(self.folder.path().join("out")).arg("--summary").arg(self.summary_file());
        Running::start(if resume { with(cart, "--resume") } else { cart })
    }

    fn summary_file(&self) -> PathBuf {
        self.folder.path().join("summary.json")
    }

    /// What the last run of the cart counted.
    ///
    /// # Errors
    /// When it wrote nothing.
    pub fn summary(&self) -> anyhow::Result<Summary> {
        read_summary(&self.summary_file())
    }

    /// How many lines have come into the cart's journal.
    ///
    /// # Errors
    /// When the journal cannot be read.
    pub fn lines_added(&self) -> anyhow::Result<usize> {
        // In the cart's first moments the database is being made, and must be left alone.
        if !self.folders.steps_done().is_ok_and(|done| done > 0) {
            return Ok(0);
        }
        Ok(check::events(&self.folders)?.iter().filter(|e| matches!(e, TripEvent::ItemAdded { .. })).count())
    }
}

/// Reads the count of a trip.
///
/// # Errors
/// When it is not there, or is none.
pub fn read_summary(path: &Path) -> anyhow::Result<Summary> {
    let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
    serde_json::from_str(&text).with_context(|| path.display().to_string())
}

fn with(mut command: std::process::Command, arg: &str) -> std::process::Command {
    command.arg(arg);
    command
}

/// A port that a program can have again after a restart: below those that the system gives to outgoing
/// connections, which would else take it while the program is away.
///
/// # Errors
/// When there is none.
pub fn free_port() -> anyhow::Result<SocketAddr> {
    static TAKEN: AtomicU16 = AtomicU16::new(0);
    let first = 20_000 + (std::process::id() % 8_000) as u16 + TAKEN.fetch_add(8, Ordering::Relaxed);
    let free = (first..first + 2_000).find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    Ok(SocketAddr::from(([127, 0, 0, 1], free.context("no free port")?)))
}
