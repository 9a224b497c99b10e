//! The store around the demo's cart: a payment terminal and a hub, each a process of its own.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::startup::load_key;

/// So long may a server take to be ready on a slow machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// What terminal and hub of the demo share. They meet on loopback only.
const PASSPHRASE: &str = "demo terminal of Market Street";

/// A child process that ends with its owner.
struct Server {
    name: &'static str,
    child: Child,
}

impl Drop for Server {
    fn drop(&mut self) {
        // The hub closes its database on SIGTERM; what it had committed is safe in any case.
        if let Err(why) = self.child.kill().and_then(|()| self.child.wait().map(drop)) {
            tracing::warn!(%why, name = self.name, "did not end");
        }
    }
}

/// Where the running store can be reached.
#[derive(Clone, Debug)]
pub struct Addresses {
    /// The hub's MQTT broker.
    pub mqtt: SocketAddr,
    /// The staff page.
    pub http: SocketAddr,
    /// Where a card is held to the terminal.
    pub terminal_control: SocketAddr,
}

/// The running store.
pub struct Store {
    /// Where it can be reached.
    pub addresses: Addresses,
    hub: Option<Server>,
    hub_command: Vec<OsString>,
    fixed: Fixed,
    logs: PathBuf,
    _terminal: Server,
}

/// What a store may be told besides its setup.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// Where the broker listens; port 0 for any free port.
    pub mqtt: SocketAddr,
    /// The folder of trusted keys, instead of this user's.
    pub trust: Option<PathBuf>,
}

impl Default for Fixed {
    fn default() -> Self {
        Self { mqtt: SocketAddr::from(([127, 0, 0, 1], 0)), trust: None }
    }
}

/// What the store is made of.
#[derive(Clone, Debug)]
pub struct StoreSetup {
    /// The folder of the programs `store-hub` and `terminal-sim`.
    pub programs: PathBuf,
    /// The folder of the demo's data.
    pub data: PathBuf,
    /// The catalogue.
    pub catalogue: PathBuf,
    /// The cart that belongs to the store.
    pub cart: String,
    /// The file with the cart's key; made when it is missing.
    pub cart_key: PathBuf,
    /// Arguments for the terminal besides the usual, such as a script.
    pub terminal_args: Vec<String>,
}

#[derive(Deserialize)]
struct TerminalReady {
    nexo: SocketAddr,
    control: SocketAddr,
}

#[derive(Deserialize)]
struct HubReady {
    mqtt: SocketAddr,
    http: SocketAddr,
}

impl Store {
    /// Starts the terminal, then the hub.
    ///
    /// # Errors
    /// When a program is missing, or is not ready in time; its own words are in its log file.
    pub fn start(setup: &StoreSetup) -> anyhow::Result<Self> {
        Self::start_with(setup, Fixed::default())
    }

    /// As [`Store::start`], with a broker address that holds over restarts of the hub.
    ///
    /// # Errors
    /// As [`Store::start`].
    pub fn start_with(setup: &StoreSetup, fixed: Fixed) -> anyhow::Result<Self> {
        let logs = setup.data.join("logs");
        std::fs::create_dir_all(&logs).with_context(|| format!("folder {}", logs.display()))?;
        let mut terminal = Command::new(setup.programs.join("terminal-sim"));
        terminal.args(["--listen", "127.0.0.1:0", "--control", "127.0.0.1:0", "--passphrase", PASSPHRASE]);
        terminal.arg("--state").arg(setup.data.join("terminal.json")).args(&setup.terminal_args);
        let (terminal, at): (_, TerminalReady) = spawn("terminal-sim", terminal, &logs)?;
        let config = setup.data.join("hub.toml");
        let text = hub_config(setup, at.nexo, fixed.mqtt)?;
        std::fs::write(&config, text).with_context(|| format!("{}", config.display()))?;
        let hub_command = vec![setup.programs.join("store-hub").into(), "--config".into(), config.into()];
        let addresses = Addresses { mqtt: fixed.mqtt, http: fixed.mqtt, terminal_control: at.control };
        let mut store = Self { addresses, hub: None, hub_command, fixed, logs, _terminal: terminal };
        store.start_hub()?;
        Ok(store)
    }

    /// Starts the hub, after [`Store::cut_hub`].
    ///
    /// # Errors
    /// As [`Store::start`].
    pub fn start_hub(&mut self) -> anyhow::Result<()> {
        let mut hub = Command::new(&self.hub_command[0]);
        hub.args(&self.hub_command[1..]);
        if let Some(trust) = &self.fixed.trust {
            hub.env("TRUNDLE_TRUST", trust);
        }
        let (hub, ready): (_, HubReady) = spawn("store-hub", hub, &self.logs)?;
        self.hub = Some(hub);
        self.addresses = Addresses { mqtt: ready.mqtt, http: ready.http, ..self.addresses.clone() };
        Ok(())
    }

    /// Ends the hub at once, as a power cut would.
    pub fn cut_hub(&mut self) {
        self.hub = None;
    }

    /// True while the hub's process runs.
    pub fn hub_runs(&mut self) -> bool {
        self.hub.as_mut().is_some_and(|hub| matches!(hub.child.try_wait(), Ok(None)))
    }
}

fn hub_config(setup: &StoreSetup, terminal: SocketAddr, mqtt: SocketAddr) -> anyhow::Result<String> {
    let key = URL_SAFE_NO_PAD.encode(load_key(&setup.cart_key)?.verifying_key().as_bytes());
    let absolute = |path: &Path| std::path::absolute(path).with_context(|| format!("{}", path.display()));
    let text = |path: PathBuf| toml::Value::from(path.display().to_string()).to_string();
    Ok(format!(
        "store = \"market-street\"\ndata = {}\ncatalogue = {}\ntrust_own_key = true\nhttp = \"127.0.0.1:0\"\n\n\
         [bus]\nlisten = \"{mqtt}\"\n\n\
         [[lane]]\nid = \"1\"\nterminal = \"{terminal}\"\npassphrase = \"{PASSPHRASE}\"\n\n\
         [[cart]]\nid = \"{}\"\npublic_key = \"{key}\"\n",
        text(absolute(&setup.data.join("hub"))?),
        text(absolute(&setup.catalogue)?),
        setup.cart,
    ))
}

/// Starts a program and waits for its one line of JSON.
fn spawn<T: DeserializeOwned>(name: &'static str, mut command: Command, logs: &Path) -> anyhow::Result<(Server, T)> {
    let log_path = logs.join(format!("{name}.log"));
    let log = std::fs::File::create(&log_path).with_context(|| format!("log {}", log_path.display()))?;
    let program = command.get_program().to_owned();
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().with_context(|| {
        format!("{} cannot be started; build it with ./trundle demo", Path::new(&program).display())
    })?;
    let stdout = child.stdout.take();
    let server = Server { name, child };
    let Some(stdout) = stdout else { bail!("{name} has no output") };
    let (first, line) = mpsc::channel();
    std::thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines();
        if let Some(Ok(line)) = lines.next()
            && first.send(line).is_err()
        {
            return;
        }
        // Keep reading, so that the program never blocks on a full pipe.
        lines.for_each(drop);
    });
    let last_words = || {
        let log = std::fs::read_to_string(&log_path).unwrap_or_default();
        log.lines().rev().find(|l| !l.trim().is_empty()).unwrap_or("it said nothing").to_owned()
    };
    match line.recv_timeout(READY_WITHIN) {
        Ok(line) => {
            let ready = serde_json::from_str(&line).with_context(|| format!("{name} said \"{line}\""))?;
            Ok((server, ready))
        }
        Err(_) => bail!("{name} did not start: {}; its log is {}", last_words(), log_path.display()),
    }
}

/// Holds a card to the terminal.
///
/// # Errors
/// When the terminal does not answer.
pub fn tap_card(control: SocketAddr) -> anyhow::Result<()> {
    let url = format!("http://{control}/tap");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("runtime")?;
    runtime.block_on(async {
        let answer = reqwest::Client::new().post(&url).json(&serde_json::json!({ "card": "visa" })).send().await;
        answer.and_then(reqwest::Response::error_for_status).map(drop).with_context(|| format!("card at {url}"))
    })
}

/// What the terminal has charged and not given back since its log began, in minor units.
///
/// # Errors
/// When the terminal does not answer.
pub fn charged(control: SocketAddr) -> anyhow::Result<i64> {
    let url = format!("http://{control}/transactions");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("runtime")?;
    let transactions: Vec<Transaction> = runtime.block_on(async {
        let answer = reqwest::get(&url).await.and_then(reqwest::Response::error_for_status);
        answer.with_context(|| url.clone())?.json().await.with_context(|| url.clone())
    })?;
    Ok(transactions.iter().filter(|t| t.progress == "approved").map(|t| t.amount.minor).sum())
}

/// A transaction in the terminal's own log.
#[derive(Clone, Debug, Deserialize)]
struct Transaction {
    amount: trip::Money,
    progress: String,
}
