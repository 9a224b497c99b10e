//! A store to test in: its folder, its hub, and carts with journals in memory.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ed25519_dalek::SigningKey;
use rustls::time_provider::DefaultTimeProvider;
use serde_json::Value;
use store_sync::identity::Identity;
use store_sync::provisioning::{ProvisioningError, join};
use store_sync::tls::{self, Tls};
use store_sync::{Journal, JournalError, Line, LinkConfig, LinkEvent, Told};
use tempfile::TempDir;
use tokio::sync::{mpsc, watch};
use trip::chain::Head;
use trip::message::Ack;
use trip::provisioning::Code;
use trip::{CartId, Hash, Record, StoreId, TripEvent, UnixMillis};

pub const GOODS: &str = "store = \"Market Street\"\ncurrency = \"GBP\"\n";
/// Nothing here takes this long; it is there so that a fault ends the test.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A store's folder and its hub.
pub struct Store {
    pub folder: TempDir,
    pub name: StoreId,
    bus: String,
    front: bool,
    hub: Option<Hub>,
}

struct Hub {
    child: Child,
    ready: Value,
    log: Arc<Mutex<Vec<u8>>>,
}

impl Drop for Hub {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Store {
    /// With the broker inside.
    pub fn open(name: &str) -> Self {
        Self::with_bus(name, "{ listen = \"127.0.0.1:0\" }", true)
    }

    /// With another broker.
    pub fn with_bus(name: &str, bus: &str, front: bool) -> Self {
        let store = Self {
            folder: tempfile::tempdir().expect("a folder"),
            name: StoreId::new(name).expect("valid"),
            bus: bus.to_owned(),
            front,
            hub: None,
        };
        std::fs::write(store.path("goods.toml"), GOODS).expect("written");
        store.configure();
        store
    }

    fn configure(&self) {
        let mqtt = if self.front { "mqtt = \"127.0.0.1:0\"\n" } else { "" };
        let text = format!(
            "store = \"{}\"\ndata = \"hub\"\ncatalogue = \"goods.toml\"\nbus = {}\nhttp = \"127.0.0.1:0\"\n\
             [tls]\n{mqtt}http = \"127.0.0.1:0\"\nnames = [\"localhost\"]\n",
            self.name, self.bus
        );
        std::fs::write(self.path("hub.toml"), text).expect("written");
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts the hub, or starts it again.
    pub fn start(&mut self) {
        self.hub = None;
        let mut child = Command::new(env!("CARGO_BIN_EXE_store-hub"))
            .args(["--config", self.path("hub.toml").to_str().expect("plain")])
            .env("RUST_LOG", "trace")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let log = Arc::new(Mutex::new(Vec::new()));
        let (kept, mut stderr) = (log.clone(), child.stderr.take().expect("piped"));
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = stderr.read(&mut bytes) {
                kept.lock().expect("whole").extend_from_slice(&bytes[..n]);
            }
        });
        let mut first = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut first).expect("its first line");
        let ready = serde_json::from_str(&first).unwrap_or_else(|e| {
            panic!("the hub said {first:?}: {e}\n{}", String::from_utf8_lossy(&log.lock().expect("whole")))
        });
        self.hub = Some(Hub { child, ready, log });
    }

    /// Tries to start the hub, and returns what it says when it does not.
    pub fn fails_to_start(&self) -> String {
        let config = self.path("hub.toml");
        let mut hub = Command::new(env!("CARGO_BIN_EXE_store-hub"));
        let output = hub.args(["--config", config.to_str().expect("plain")]).output().expect("it runs");
        assert!(!output.status.success(), "the hub started");
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    fn hub(&self) -> &Hub {
        self.hub.as_ref().expect("the hub runs")
    }

    fn address(&self, name: &str) -> SocketAddr {
        let text = self.hub().ready[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.hub().ready));
        text.parse().expect("an address")
    }

    /// Where carts join.
    pub fn url(&self) -> String {
        format!("https://localhost:{}", self.address("http_tls").port())
    }

    /// Where carts reach the front of the broker.
    pub fn mqtt_tls(&self) -> SocketAddr {
        self.address("mqtt_tls")
    }

    /// All that the hub has logged, at TRACE.
    pub fn log(&self) -> Vec<u8> {
        self.hub().log.lock().expect("whole").clone()
    }

    /// Runs one of the hub's commands beside it; returns what it printed.
    pub fn command(&self, args: &[&str]) -> String {
        let config = self.path("hub.toml");
        let mut hub = Command::new(env!("CARGO_BIN_EXE_store-hub"));
        let output = hub.args(args).args(["--config", config.to_str().expect("plain")]).output().expect("it runs");
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("text")
    }

    /// A one-time code for `cart`, read from what staff see.
    pub fn code(&self, cart: &str) -> Code {
        let printed = self.command(&["provision", "--cart", cart]);
        let line = printed.lines().find_map(|line| line.trim().parse().ok());
        line.unwrap_or_else(|| panic!("no code in {printed}"))
    }

    /// A cart that has joined.
    pub async fn joined(&self, cart: &str) -> Cart {
        let mut fresh = Cart::new(&self.name, cart);
        fresh.join(self, &self.code(cart)).await.expect("it joins");
        fresh
    }
}

/// A cart: its folder, its keys, its journal.
pub struct Cart {
    pub folder: TempDir,
    pub store: StoreId,
    pub id: CartId,
    pub key: SigningKey,
    pub journal: Arc<Mutex<Memory>>,
    pub identity: Option<Identity>,
    port: u16,
}

impl Cart {
    pub fn new(store: &StoreId, name: &str) -> Self {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("random bytes");
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            store: store.clone(),
            id: CartId::new(name).expect("valid"),
            key: SigningKey::from_bytes(&seed),
            journal: Arc::new(Mutex::new(Memory::default())),
            identity: None,
            port: 0,
        }
    }

    pub fn data(&self) -> &Path {
        self.folder.path()
    }

    pub async fn join(&mut self, store: &Store, code: &Code) -> Result<(), ProvisioningError> {
        let joined = join(&store.url(), code, &self.key, Arc::new(DefaultTimeProvider)).await?;
        self.port = joined.granted.mqtt_port;
        self.identity = Some(joined.keep(self.data())?);
        Ok(())
    }

    pub fn identity(&self) -> &Identity {
        self.identity.as_ref().expect("it has joined")
    }

    /// The same cart once more, with the identity of `other`: its disk was copied.
    pub fn with_identity_of(mut self, other: &Self) -> Self {
        let path = store_sync::identity::path_in(self.data());
        let from = store_sync::identity::path_in(other.data());
        identity::secret::folder(path.parent().expect("a folder")).expect("made");
        std::fs::copy(from, &path).expect("copied");
        self.identity = Some(Identity::load(self.data(), &self.store, &self.id).expect("a whole copy"));
        self.port = other.port;
        self
    }

    pub fn tls(&self) -> Tls {
        tls::client(self.identity()).expect("a good identity")
    }

    /// Writes an event into the journal.
    pub fn write(&self, event: TripEvent) -> u64 {
        let mut journal = self.journal.lock().expect("whole");
        let head = journal.head;
        let record = Record {
            v: 1,
            store: self.store.clone(),
            cart: self.id.clone(),
            epoch: 7,
            seq: head.seq + 1,
            at: UnixMillis(0),
            prev: head.hash,
            event,
        };
        let text = record.encode();
        journal.head = Head { seq: record.seq, hash: Hash::of(text.as_bytes()) };
        journal.records.push(text);
        record.seq
    }

    /// The line, running until it is dropped.
    pub fn line(&self) -> RunningLine {
        self.line_over(Some(self.tls()))
    }

    pub fn line_over(&self, tls: Option<Tls>) -> RunningLine {
        let config = LinkConfig {
            host: "localhost".into(),
            port: self.port,
            store: self.store.clone(),
            cart: self.id.clone(),
            boot_epoch: 1,
            tls: tls.map(|tls| tls.config),
        };
        let (events, heard) = mpsc::channel(256);
        let (line, event_loop) =
            Line::new(config, self.key.clone(), Shared(self.journal.clone()), events).expect("a journal");
        let (appended, seen) = watch::channel(self.journal.lock().expect("whole").head.seq);
        let (telemetry, telemetry_seen) = watch::channel(None);
        let (offers, offers_seen) = watch::channel(None);
        let (shutdown, stop) = watch::channel(false);
        let told =
            Told { appended: seen, telemetry: telemetry_seen, offers: offers_seen, looks: watch::channel(None).1 };
        let work = tokio::spawn(line.run(event_loop, told, stop));
        RunningLine { heard, appended, _kept: (telemetry, offers, shutdown), work }
    }

    /// Waits until the hub has acked up to `seq`.
    pub async fn acked(&self, seq: u64) {
        let reached = async {
            while self.journal.lock().expect("whole").acked < seq {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.expect("acked in time");
    }
}

pub struct RunningLine {
    pub heard: mpsc::Receiver<LinkEvent>,
    pub appended: watch::Sender<u64>,
    _kept: (
        watch::Sender<Option<trip::message::Telemetry>>,
        watch::Sender<Option<trip::message::Offer>>,
        watch::Sender<bool>,
    ),
    work: tokio::task::JoinHandle<()>,
}

impl Drop for RunningLine {
    fn drop(&mut self) {
        self.work.abort();
    }
}

impl RunningLine {
    /// Waits until the line says that the hub answers, or does not.
    pub async fn connected(&mut self, wanted: bool) {
        let heard = async {
            loop {
                match self.heard.recv().await {
                    Some(LinkEvent::Connected(is)) if is == wanted => return,
                    Some(_) => {}
                    None => panic!("the line ended"),
                }
            }
        };
        tokio::time::timeout(PATIENCE, heard).await.expect("heard in time");
    }
}

/// A journal in memory.
#[derive(Default)]
pub struct Memory {
    records: Vec<String>,
    pub head: Head,
    pub acked: u64,
}

struct Shared(Arc<Mutex<Memory>>);

impl Journal for Shared {
    fn epoch(&self) -> u64 {
        7
    }

    fn ends(&mut self) -> Result<(u64, u64), JournalError> {
        let journal = self.0.lock().expect("whole");
        Ok((journal.head.seq, journal.acked))
    }

    fn records(&mut self, first: u64, last: u64) -> Result<Vec<String>, JournalError> {
        let journal = self.0.lock().expect("whole");
        Ok(journal.records[first as usize - 1..last as usize].to_vec())
    }

    fn free(&mut self, ack: &Ack) -> Result<(), JournalError> {
        self.0.lock().expect("whole").acked = ack.head.seq;
        Ok(())
    }
}
