//! A store of real processes in a folder, and a cart that is a bare MQTT client.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::Value;
use store_hub::config::{LaneConfig, key_text};
use store_hub::terminal::NexoTerminal;
use trip::basket::Evidence;
use trip::chain::Head;
use trip::message::{BATCH_LABEL, Batch, Order, Signed};
use trip::pricing::{basket_hash, price};
use trip::topics::{self, Leaf};
use trip::{
    CartId, Catalogue, Hash, LaneId, LineId, LineItem, Quantity, Record, Sku, StoreId, TripEvent, TripId, TripState,
    UnixMillis,
};

pub const GOODS: &str = "store = \"Market Street\"\ncurrency = \"GBP\"\n[[tax]]\nname = \"zero\"\nletter = \"Z\"\nbasis_points = 0\n[[product]]\nsku = \"oat\"\nname = \"Oat drink\"\ntax = \"zero\"\nsale = { each = { price = 185 } }\n";

/// A hub without lanes and carts.
pub const BARE: &str = "store = \"market-street\"\ndata = \"hub\"\ncatalogue = \"goods.toml\"\nbus = { listen = \"127.0.0.1:0\" }\nhttp = \"127.0.0.1:0\"\n";

/// Nothing here takes this long; it is there so that a fault ends the test.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A process that ends with the test, and its first line.
pub struct Process {
    pub child: Child,
    ready: Value,
}

impl Process {
    pub fn start(program: &str, args: &[&str]) -> Self {
        let mut child = Command::new(program)
            .args(args)
            .env("RUST_LOG", "warn")
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the program starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("its first line");
        let ready = serde_json::from_str(&line).unwrap_or_else(|e| panic!("{program} said {line:?}: {e}"));
        Self { child, ready }
    }

    pub fn address(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.ready)).to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn store() -> StoreId {
    StoreId::new("market-street").expect("valid")
}

pub fn lane() -> LaneId {
    LaneId::new("lane-1").expect("valid")
}

/// The files of a hub in `folder`: with a lane at `terminal`, if one is given, and with `carts`.
pub fn set_up<'a>(folder: &Path, terminal: Option<&str>, carts: impl IntoIterator<Item = &'a BareCart>) {
    let mut config = BARE.to_owned();
    if let Some(terminal) = terminal {
        config += &format!("[[lane]]\nid = \"lane-1\"\nterminal = \"{terminal}\"\npassphrase = \"open sesame\"\n");
    }
    for cart in carts {
        let key = key_text(&cart.key.verifying_key());
        config += &format!("[[cart]]\nid = \"{}\"\npublic_key = \"{key}\"\n", cart.id);
    }
    std::fs::write(folder.join("goods.toml"), GOODS).expect("written");
    std::fs::write(folder.join("hub.toml"), config).expect("written");
}

/// A store in a folder, with one lane at `simulator`, and a cart whose basket is locked there.
pub fn store_with_locked_cart(folder: &Path, simulator: &Process) -> BareCart {
    let cart = BareCart::locked("cart-1", 2);
    set_up(folder, Some(&simulator.address("nexo")), [&cart]);
    cart
}

pub fn hub(folder: &Path) -> Process {
    let config = folder.join("hub.toml");
    Process::start(env!("CARGO_BIN_EXE_store-hub"), &["--config", config.to_str().expect("a plain path")])
}

pub fn store_hub(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_store-hub")).args(args).output().expect("it runs")
}

pub fn simulator(folder: &Path, more: &[&str]) -> Process {
    simulator_at(folder, "127.0.0.1:0", more)
}

pub fn simulator_at(folder: &Path, listen: &str, more: &[&str]) -> Process {
    let log = folder.join("terminal.log");
    let fixed = ["--listen", listen, "--passphrase", "open sesame", "--state", log.to_str().expect("a plain path")];
    Process::start(env!("CARGO_BIN_EXE_terminal-sim"), &[&fixed[..], more].concat())
}

/// What asks the `terminal` for the store `sale`.
pub fn client(terminal: &str, sale: &StoreId, passphrase: &str, answer_within: Duration) -> NexoTerminal {
    let lane = LaneConfig {
        id: lane(),
        terminal: terminal.to_owned(),
        poi: "p".into(),
        passphrase: passphrase.into(),
        key_identifier: "trundle".into(),
        key_version: 1,
        answer_within,
    };
    NexoTerminal::new(&lane, sale, 1).expect("a client")
}

pub async fn charged(simulator: &Process) -> Vec<(String, String)> {
    let url = format!("http://{}/transactions", simulator.address("control"));
    let list: Vec<Value> = reqwest::get(url).await.expect("an answer").json().await.expect("JSON");
    let field = |t: &Value, name: &str| t[name].as_str().unwrap_or_default().to_owned();
    list.iter().map(|t| (field(t, "id"), field(t, "progress"))).collect()
}

pub async fn set_script(simulator: &Process, script: &str) {
    let url = format!("http://{}/script", simulator.address("control"));
    let answer = reqwest::Client::new()
        .post(url)
        .header("content-type", "application/json")
        .body(script.to_owned())
        .send()
        .await;
    assert!(answer.expect("an answer").status().is_success());
}

/// Holds a card to the terminal; true when it waited for one.
pub async fn tap(simulator: &Process, card: &str) -> bool {
    let url = format!("http://{}/tap", simulator.address("control"));
    let tapped = reqwest::Client::new().post(url).json(&serde_json::json!({ "card": card })).send().await;
    tapped.expect("an answer").status().is_success()
}

/// A cart that is no more than a chain of records and an MQTT client.
pub struct BareCart {
    pub id: CartId,
    pub key: SigningKey,
    pub head: Head,
    pub state: TripState,
    pub texts: Vec<String>,
}

impl BareCart {
    pub fn new(name: &str) -> Self {
        Self {
            id: CartId::new(name).expect("valid"),
            key: SigningKey::from_bytes(&Hash::of(name.as_bytes()).0),
            head: Head::default(),
            state: TripState::default(),
            texts: vec![],
        }
    }

    /// One whose basket of so many pieces is locked at the lane.
    pub fn locked(name: &str, pieces: u32) -> Self {
        let mut cart = Self::new(name);
        cart.begin(1, pieces);
        cart.lock();
        cart
    }

    /// The name of its trip number `n`.
    pub fn trip(&self, n: u32) -> TripId {
        TripId::new(format!("{}.7.{n}", self.id)).expect("valid")
    }

    /// Begins its trip number `n`.
    pub fn start(&mut self, n: u32) {
        let (trip, catalogue) = (self.trip(n), Hash::of(GOODS.as_bytes()));
        self.write(TripEvent::TripStarted { trip, catalogue, baseline: trip::Grams(0) });
    }

    /// Begins its trip number `n` with so many pieces.
    pub fn begin(&mut self, n: u32, pieces: u32) {
        self.start(n);
        let (sku, evidence) = (Sku::new("oat").expect("valid"), Evidence::Scanned);
        let quantity = Quantity::Each(pieces);
        self.write(TripEvent::ItemAdded { item: LineItem { line: LineId(1), sku, quantity, weight: None, evidence } });
    }

    pub fn lock(&mut self) {
        let totals = price(&self.state.basket, &Catalogue::parse(GOODS).expect("right")).expect("priced");
        let (version, total, basket) = (self.state.locks + 1, totals.total, basket_hash(&totals));
        self.write(TripEvent::BasketLocked { version, lane: lane(), total, basket });
    }

    pub fn write(&mut self, event: TripEvent) {
        self.state.apply(&event);
        let record = Record {
            v: 1,
            store: store(),
            cart: self.id.clone(),
            epoch: 7,
            seq: self.head.seq + 1,
            at: UnixMillis(0),
            prev: self.head.hash,
            event,
        };
        let text = record.encode();
        self.head = Head { seq: record.seq, hash: Hash::of(text.as_bytes()) };
        self.texts.push(text);
    }

    /// All that it has written.
    pub fn signed(&self) -> Vec<u8> {
        self.signed_from(0)
    }

    /// What it has written after so many.
    pub fn signed_from(&self, seq: u64) -> Vec<u8> {
        let records = self.texts[usize::try_from(seq).expect("few")..].to_vec();
        let batch = Batch { v: 1, cart: self.id.clone(), epoch: 7, records };
        let body = serde_json::to_string(&batch).expect("plain fields");
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.key.sign(&Signed::message(BATCH_LABEL, &body)).to_bytes());
        serde_json::to_vec(&Signed { v: 1, body, signature }).expect("plain fields")
    }

    /// Its connection to the hub's broker, subscribed to what the hub tells it.
    pub async fn connect(&self, mqtt: &str) -> (AsyncClient, rumqttc::EventLoop) {
        let (host, port) = mqtt.rsplit_once(':').expect("host:port");
        let mut options = MqttOptions::new(self.id.as_str(), host, port.parse().expect("a port"));
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (line, events) = AsyncClient::new(options, 10);
        line.subscribe(topics::cart_down(&store(), &self.id), QoS::AtLeastOnce).await.expect("queued");
        (line, events)
    }
}

/// The cart comes on the line, sends all it has, and listens until `wanted`; says what was acked by then.
pub async fn listen_for(hub: &Process, cart: &BareCart, wanted: impl Fn(&Order) -> bool) -> (Order, Option<Head>) {
    let (line, mut events) = cart.connect(&hub.address("mqtt")).await;
    line.publish(topics::cart(&store(), &cart.id, Leaf::Event), QoS::AtLeastOnce, false, cart.signed())
        .await
        .expect("queued");
    let presence = br#"{"v":1,"online":true,"boot_epoch":1}"#;
    line.publish(topics::cart(&store(), &cart.id, Leaf::Presence), QoS::AtLeastOnce, true, &presence[..])
        .await
        .expect("queued");
    let hear = async {
        let mut acked = None;
        loop {
            let Event::Incoming(Packet::Publish(message)) = events.poll().await.expect("the line holds") else {
                continue;
            };
            match topics::parse(&store(), &message.topic) {
                Some((_, Leaf::Ack)) => {
                    let ack: trip::message::Ack = serde_json::from_slice(&message.payload).expect("an ack");
                    acked = Some(ack.head);
                }
                Some((_, Leaf::Command)) => {
                    let command: trip::message::Command = serde_json::from_slice(&message.payload).expect("a command");
                    if wanted(&command.order) {
                        return (command.order, acked);
                    }
                }
                _ => {}
            }
        }
    };
    tokio::time::timeout(PATIENCE, hear).await.expect("the hub says it")
}
