//! The store of the rig: its programs, its lines, its files.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cart_app::demo::cart_config;
use cart_app::startup::load_key;

use super::brokers::{Brokers, Kind};
use super::disk::SmallDisk;
use super::part::Part;
use super::plan::LANES;
use super::proxy::Proxy;
use crate::crowd::Name;
use crate::place::free_port;
use crate::process::{Running, assets, command};
use crate::remains;

/// The store's name.
pub const STORE: &str = "market-street";
const PASSPHRASE: &str = "the rig's terminals";

/// The store.
pub struct Shop {
    folder: PathBuf,
    runtime: tokio::runtime::Runtime,
    /// mosquitto, or three NATS servers.
    pub brokers: Brokers,
    /// The hub.
    pub hub: Part,
    /// A terminal a lane.
    pub terminals: Vec<Part>,
    /// Where cards are held to them.
    pub controls: Vec<SocketAddr>,
    /// The carts' lines.
    pub cart_lines: Vec<Proxy>,
    /// The crowd's.
    pub crowd_line: Proxy,
    /// The hub's to the broker.
    pub hub_line: Proxy,
    /// The hub's to the terminals.
    pub terminal_lines: Vec<Proxy>,
    /// The hub's disk, where it can be full.
    pub disk: Option<SmallDisk>,
    /// Programs that ended by themselves, by name.
    pub restarts: BTreeMap<String, u32>,
}

impl Shop {
    /// Starts everything but the carts; waits until carts may come.
    ///
    /// # Errors
    /// When a program is missing or does not start.
    pub fn open(folder: &Path, kind: &Kind, carts: usize, crowd: &[Name]) -> anyhow::Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let logs = folder.join("logs");
        std::fs::create_dir_all(&logs)?;
        let disk = SmallDisk::mount(&folder.join("disk"))?;

        let brokers = Brokers::open(kind, folder, &logs)?;
        let (mut terminals, mut controls, mut terminal_lines) = (Vec::new(), Vec::new(), Vec::new());
        for lane in 1..=LANES {
            let (nexo, control) = (free_port()?, free_port()?);
            let state = terminal_log(folder, lane);
            let name = format!("terminal-{lane}");
            let mut terminal = Part::new(&name, logs.join(format!("{name}.log")), move || {
                let mut sim = command("terminal-sim")?;
                sim.args(["--listen", &nexo.to_string(), "--control", &control.to_string()]);
                sim.args(["--passphrase", PASSPHRASE, "--card-within-ms", "10000", "--state"]).arg(&state);
                Ok(sim)
            });
            terminal.start_and_wait()?;
            terminals.push(terminal);
            controls.push(control);
            terminal_lines.push(Proxy::to_terminal(&runtime, nexo)?);
        }
        let hub_line = Proxy::to_brokers(&runtime, &brokers.mqtt)?;
        let cart_lines: Vec<Proxy> =
            (0..carts).map(|_| Proxy::to_brokers(&runtime, &brokers.mqtt)).collect::<anyhow::Result<_>>()?;
        let crowd_line = Proxy::to_brokers(&runtime, &brokers.mqtt)?;

        for (n, line) in cart_lines.iter().enumerate() {
            let config = cart_config(&assets(), &cart_folder(folder, n), line.address);
            let config = config.replace("cart = \"cart-01\"", &format!("cart = \"{}\"", cart_name(n)));
            // One camera: codes are shown to it, and there are many carts on few cores.
            let config = config.replace(", { driver = \"sim\", mounting = \"far-rim\" }", "");
            std::fs::write(folder.join(format!("{}.toml", cart_name(n))), config)?;
        }
        let config = folder.join("hub.toml");
        std::fs::write(&config, hub_config(folder, carts, crowd, hub_line.address, &terminal_lines)?)?;
        let trust = folder.join("trust");
        let mut hub = Part::new("hub", logs.join("hub.log"), move || {
            let mut hub = command("store-hub")?;
            hub.arg("--config").arg(&config).env("TRUNDLE_TRUST", &trust);
            Ok(hub)
        });
        hub.start_and_wait()?;
        Ok(Self {
            folder: folder.into(),
            runtime,
            brokers,
            hub,
            terminals,
            controls,
            cart_lines,
            crowd_line,
            hub_line,
            terminal_lines,
            disk,
            restarts: BTreeMap::new(),
        })
    }

    /// Starts again what has ended by itself.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn keep_up(&mut self, say: &mut dyn FnMut(&str)) -> anyhow::Result<()> {
        for part in [&mut self.hub].into_iter().chain(&mut self.brokers.parts).chain(&mut self.terminals) {
            if part.keep_up()? {
                say(&format!("          {} ended and is started again", part.name));
                *self.restarts.entry(part.name.clone()).or_default() += 1;
            }
        }
        Ok(())
    }

    /// Tells a terminal what to do with the next payment; one that is dead or stands still is not told.
    pub fn script(&self, lane: usize, plays: &'static str) -> bool {
        let url = format!("http://{}/script", self.controls[lane]);
        let within = std::time::Duration::from_secs(1);
        self.runtime.block_on(async {
            let client = reqwest::Client::builder().timeout(within).build();
            let Ok(client) = client else { return false };
            let told = client.post(&url).header("content-type", "application/json").body(plays).send().await;
            told.is_ok_and(|answer| answer.status().is_success())
        })
    }

    /// A cart's folder.
    pub fn cart_folder(&self, n: usize) -> PathBuf {
        cart_folder(&self.folder, n)
    }

    /// A cart's configuration.
    pub fn cart_config(&self, n: usize) -> PathBuf {
        self.folder.join(format!("{}.toml", cart_name(n)))
    }

    /// The hub's folder.
    pub fn hub_folder(&self) -> PathBuf {
        hub_folder(&self.folder)
    }

    /// The terminals' own logs.
    pub fn terminal_logs(&self) -> Vec<PathBuf> {
        (1..=LANES).map(|lane| terminal_log(&self.folder, lane)).collect()
    }

    /// All that anything was written into.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A cart that nobody pushes: it says what its journal still has to say.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn idle_cart(&self, n: usize) -> anyhow::Result<Running> {
        let mut cart = command("cart")?;
        cart.args(["run", "--headless", "--config"]).arg(self.cart_config(n));
        let log = self.folder.join("logs").join(format!("{}.log", cart_name(n)));
        Ok(Running::start_and_log(cart, &log)?.0)
    }

    /// True when the hub has all that the carts have, and no payment is under way.
    ///
    /// # Errors
    /// When a journal or the hub's database cannot be read.
    pub fn at_rest(&self) -> anyhow::Result<bool> {
        Ok(self.open_intents()? == 0 && (0..self.cart_lines.len()).all(|n| self.behind(n).is_ok_and(|n| n == 0)))
    }

    /// Why it is not at rest.
    pub fn unrest(&self) -> String {
        let carts = (0..self.cart_lines.len()).map(|n| format!("{} {:?}", cart_name(n), self.behind(n).ok()));
        format!("{:?} open payments; behind: {}", self.open_intents().ok(), carts.collect::<Vec<_>>().join(", "))
    }

    fn open_intents(&self) -> anyhow::Result<i64> {
        let db = remains::open(&self.hub_folder().join("hub.db"))?;
        Ok(db.query_row("SELECT COUNT(*) FROM intent WHERE open = 1", [], |row| row.get(0))?)
    }

    /// Records of a cart that its hub has not acked.
    fn behind(&self, n: usize) -> anyhow::Result<u64> {
        let folder = self.cart_folder(n);
        let db = remains::open(&folder.join("journal.sqlite"))?;
        let acked: String = db.query_row("SELECT value FROM meta WHERE key = 'acked'", [], |row| row.get(0))?;
        Ok(remains::cart(&folder)?.head.seq.saturating_sub(acked.parse()?))
    }

    /// Ends everything.
    pub fn close(&mut self) {
        let parts = [&mut self.hub].into_iter().chain(&mut self.brokers.parts).chain(&mut self.terminals);
        parts.for_each(Part::kill);
    }
}

/// A cart's name.
pub fn cart_name(n: usize) -> String {
    format!("cart-{:02}", n + 1)
}

fn cart_folder(folder: &Path, n: usize) -> PathBuf {
    folder.join(cart_name(n))
}

fn hub_folder(folder: &Path) -> PathBuf {
    folder.join("disk/hub")
}

fn terminal_log(folder: &Path, lane: usize) -> PathBuf {
    folder.join(format!("terminal-{lane}.json"))
}

fn hub_config(
    folder: &Path,
    carts: usize,
    crowd: &[Name],
    broker: SocketAddr,
    terminals: &[Proxy],
) -> anyhow::Result<String> {
    let quoted = |path: PathBuf| toml::Value::from(path.display().to_string()).to_string();
    let mut text = format!(
        "store = \"{STORE}\"\ndata = {}\ncatalogue = {}\ntrust_own_key = true\nhttp = \"127.0.0.1:0\"\n\n\
         [bus]\nexternal = \"{broker}\"\n",
        quoted(hub_folder(folder)),
        quoted(assets().join("store/catalogue.toml").canonicalize()?),
    );
    for (n, terminal) in terminals.iter().enumerate() {
        text += &format!(
            "\n[[lane]]\nid = \"{}\"\nterminal = \"{}\"\npassphrase = \"{PASSPHRASE}\"\nanswer_within_s = 12\n",
            n + 1,
            terminal.address
        );
    }
    let own = (0..carts).map(|n| Ok((cart_name(n), load_key(&cart_folder(folder, n).join("cart-key"))?)));
    let own = own.collect::<anyhow::Result<Vec<_>>>()?;
    let others = crowd.iter().map(|name| (name.id.to_string(), name.key.clone()));
    for (id, key) in own.into_iter().chain(others) {
        let key = BASE64_URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
        text += &format!("\n[[cart]]\nid = \"{id}\"\npublic_key = \"{key}\"\n");
    }
    Ok(text)
}
