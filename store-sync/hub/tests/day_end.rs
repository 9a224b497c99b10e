//! A day's end with real processes: a hub that runs, a payment terminal with books of its own, and carts that are bare
//! MQTT clients.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::Value;
use store_hub::config::{LaneConfig, key_text};
use store_hub::day_end::{DayEnd, What};
use store_hub::intent::{Answer, Ask, Intent, IntentState, intent_id};
use store_hub::store::{SqliteStore, Storage};
use store_hub::terminal::{NexoTerminal, Period, Terminal};
use tempfile::TempDir;
use trip::basket::Evidence;
use trip::chain::Head;
use trip::message::{BATCH_LABEL, Batch, Order, Signed};
use trip::pricing::{basket_hash, price};
use trip::topics::{self, Leaf};
use trip::{
    CartId, Catalogue, Hash, IntentId, LaneId, LineId, LineItem, Quantity, Record, Sku, StoreId, TripEvent, TripId,
    TripState, UnixMillis,
};

const GOODS: &str = "store = \"Market Street\"\ncurrency = \"GBP\"\n[[tax]]\nname = \"zero\"\nletter = \"Z\"\nbasis_points = 0\n[[product]]\nsku = \"oat\"\nname = \"Oat drink\"\ntax = \"zero\"\nsale = { each = { price = 185 } }\n";

/// Nothing here takes this long; it is there so that a fault ends the test.
const PATIENCE: Duration = Duration::from_secs(30);

/// A process that ends with the test, and its first line.
struct Process {
    child: Child,
    ready: Value,
}

impl Process {
    fn start(program: &str, args: &[&str]) -> Self {
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

    fn address(&self, name: &str) -> String {
        self.ready[name].as_str().unwrap_or_else(|| panic!("no {name} in {}", self.ready)).to_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn store() -> StoreId {
    StoreId::new("market-street").expect("valid")
}

fn lane() -> LaneId {
    LaneId::new("lane-1").expect("valid")
}

/// A store in a folder: a lane, and as many carts as are asked for.
struct Shop {
    folder: TempDir,
    terminal: String,
    date: String,
}

impl Shop {
    fn open(carts: &[&BareCart]) -> Self {
        let folder = TempDir::new().expect("a folder");
        // The terminal is started again at the same address.
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound");
        let terminal = free.to_string();
        let mut config = format!(
            "store = \"market-street\"\ndata = \"hub\"\ncatalogue = \"goods.toml\"\nbus = {{ listen = \"127.0.0.1:0\" }}\nhttp = \"127.0.0.1:0\"\n\
             [[lane]]\nid = \"lane-1\"\nterminal = \"{terminal}\"\npassphrase = \"open sesame\"\n"
        );
        for cart in carts {
            let key = key_text(&cart.key.verifying_key());
            config += &format!("[[cart]]\nid = \"{}\"\npublic_key = \"{key}\"\n", cart.id);
        }
        std::fs::write(folder.path().join("goods.toml"), GOODS).expect("written");
        std::fs::write(folder.path().join("hub.toml"), config).expect("written");
        let date = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
        Self { folder, terminal, date }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn config(&self) -> String {
        self.at("hub.toml").display().to_string()
    }

    fn simulator(&self, more: &[&str]) -> Process {
        let log = self.at("terminal.log").display().to_string();
        let fixed = ["--listen", &self.terminal, "--passphrase", "open sesame", "--state", &log];
        Process::start(env!("CARGO_BIN_EXE_terminal-sim"), &[&fixed[..], more].concat())
    }

    fn hub(&self) -> Process {
        Process::start(env!("CARGO_BIN_EXE_store-hub"), &["--config", &self.config()])
    }

    /// Ends the day on which the test began.
    fn day_end(&self) -> Output {
        self.store_hub(&["day-end", "--config", &self.config(), "--date", &self.date])
    }

    fn store_hub(&self, args: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_store-hub")).args(args).output().expect("it runs")
    }

    fn report(&self, ending: &str) -> DayEnd {
        let file = std::fs::read(self.at("hub/day-end").join(format!("{}{ending}.json", self.date))).expect("kept");
        serde_json::from_slice(&file).expect("a report")
    }

    fn client(&self, sale: &StoreId) -> NexoTerminal {
        let lane = LaneConfig {
            id: lane(),
            terminal: self.terminal.clone(),
            poi: "p".into(),
            passphrase: "open sesame".into(),
            key_identifier: "trundle".into(),
            key_version: 1,
            answer_within: PATIENCE,
        };
        NexoTerminal::new(&lane, sale, 1).expect("a client")
    }

    /// All that the ledger says of payments, and which opening of it is the newest.
    fn ledger(&self) -> Vec<String> {
        let store = SqliteStore::read(&self.at("hub/hub.db")).expect("read");
        let intents = store.intents_between(UnixMillis(0), UnixMillis(i64::MAX)).expect("read");
        let receipts = store.receipts(100).expect("read");
        let generation = store.counter("generation").expect("read");
        let rows = intents.iter().map(|row| format!("{row:?}")).chain(receipts.iter().map(|row| format!("{row:?}")));
        rows.chain([generation.to_string()]).collect()
    }

    async fn wait_for(&self, id: &IntentId, state: IntentState) {
        let store = SqliteStore::read(&self.at("hub/hub.db")).expect("read");
        let is = || store.intent(id).expect("read").is_some_and(|intent| intent.state == state);
        let wait = async {
            while !is() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("{id} becomes {state:?}"));
    }
}

fn page(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

fn last_line(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).lines().last().unwrap_or_default().to_owned()
}

/// A cart that is no more than a chain of records.
struct BareCart {
    id: CartId,
    key: SigningKey,
    head: Head,
    state: TripState,
    texts: Vec<String>,
}

impl BareCart {
    /// A cart whose basket of so many pieces is locked at the lane.
    fn locked(name: &str, pieces: u32) -> Self {
        let mut cart = Self {
            id: CartId::new(name).expect("valid"),
            key: SigningKey::from_bytes(&Hash::of(name.as_bytes()).0),
            head: Head::default(),
            state: TripState::default(),
            texts: vec![],
        };
        let catalogue = Hash::of(GOODS.as_bytes());
        cart.write(TripEvent::TripStarted { trip: cart.trip(), catalogue, baseline: trip::Grams(0) });
        let (sku, evidence) = (Sku::new("oat").expect("valid"), Evidence::Scanned);
        let item = LineItem { line: LineId(1), sku, quantity: Quantity::Each(pieces), weight: None, evidence };
        cart.write(TripEvent::ItemAdded { item });
        let totals = price(&cart.state.basket, &Catalogue::parse(GOODS).expect("right")).expect("priced");
        let (total, basket) = (totals.total, basket_hash(&totals));
        cart.write(TripEvent::BasketLocked { version: 1, lane: lane(), total, basket });
        cart
    }

    fn trip(&self) -> TripId {
        TripId::new(format!("{}.7.1", self.id)).expect("valid")
    }

    fn attempt(&self) -> IntentId {
        intent_id(&store(), &self.trip(), 1, 1)
    }

    fn write(&mut self, event: TripEvent) {
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

    fn signed(&self) -> Vec<u8> {
        let batch = Batch { v: 1, cart: self.id.clone(), epoch: 7, records: self.texts.clone() };
        let body = serde_json::to_string(&batch).expect("plain fields");
        let signature = BASE64_URL_SAFE_NO_PAD.encode(self.key.sign(&Signed::message(BATCH_LABEL, &body)).to_bytes());
        serde_json::to_vec(&Signed { v: 1, body, signature }).expect("plain fields")
    }

    /// Comes on the line, sends all it has, and listens until `wanted`.
    async fn listen_for(&self, hub: &Process, wanted: impl Fn(&Order) -> bool) {
        let mqtt = hub.address("mqtt");
        let (host, port) = mqtt.rsplit_once(':').expect("host:port");
        let mut options = MqttOptions::new(self.id.as_str(), host, port.parse().expect("a port"));
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (line, mut events) = AsyncClient::new(options, 10);
        let say = |leaf, retain, bytes: Vec<u8>| {
            line.publish(topics::cart(&store(), &self.id, leaf), QoS::AtLeastOnce, retain, bytes)
        };
        line.subscribe(topics::cart_down(&store(), &self.id), QoS::AtLeastOnce).await.expect("queued");
        say(Leaf::Event, false, self.signed()).await.expect("queued");
        say(Leaf::Presence, true, br#"{"v":1,"online":true,"boot_epoch":1}"#.to_vec()).await.expect("queued");
        let hear = async {
            loop {
                let Event::Incoming(Packet::Publish(message)) = events.poll().await.expect("the line holds") else {
                    continue;
                };
                if let Some((_, Leaf::Command)) = topics::parse(&store(), &message.topic) {
                    let command: trip::message::Command = serde_json::from_slice(&message.payload).expect("a command");
                    if wanted(&command.order) {
                        return;
                    }
                }
            }
        };
        tokio::time::timeout(PATIENCE, hear).await.expect("the hub says it");
    }

    /// Sends all it has.
    async fn send(&self, hub: &Process, shop: &Shop, attempt: &IntentId, until: IntentState) {
        // Nothing that it hears is of interest; the line only has to be kept alive.
        tokio::select! {
            () = self.listen_for(hub, |_| false) => {}
            () = shop.wait_for(attempt, until) => {}
        }
    }
}

fn receipt(order: &Order) -> bool {
    matches!(order, Order::Receipt { .. })
}

async fn set_script(simulator: &Process, script: &str) {
    let url = format!("http://{}/script", simulator.address("control"));
    let body = script.to_owned();
    let request = reqwest::Client::new().post(url).header("content-type", "application/json").body(body);
    assert!(request.send().await.expect("an answer").status().is_success());
}

async fn is_well(hub: &mut Process) {
    assert_eq!(hub.child.try_wait().expect("its status"), None, "the hub has ended");
    let answer = reqwest::get(format!("http://{}/", hub.address("http"))).await;
    assert!(answer.expect("the hub answers").status().is_success());
}

/// Puts what nobody paid into the terminal's own log, while it is off: `id` costs ten times as much.
fn falsify(log: &Path, id: &IntentId) {
    let text = std::fs::read_to_string(log).expect("its log");
    let dearer =
        |line: &str| if line.contains(id.as_str()) { line.replace(":370,", ":3700,") } else { line.to_owned() };
    let mut lines: Vec<String> = text.lines().map(dearer).collect();
    assert!(lines.iter().any(|line| line.contains(":3700,")), "{text}");
    lines.push(
        r#"{"id":"i-nobody","sale_id":"trundle-market-street","service_id":"9","amount":{"minor":99,"currency":"GBP"},"progress":"approved","brand":"mc","reference":"r","why":"","at":"t"}"#
            .into(),
    );
    std::fs::write(log, lines.join("\n") + "\n").expect("written");
}

#[tokio::test]
async fn what_only_the_terminal_knows_is_listed_and_the_ledger_is_left_alone() {
    let paid = BareCart::locked("cart-1", 2);
    let refused = BareCart::locked("cart-2", 1);
    let mut given_back = BareCart::locked("cart-3", 3);
    let shop = Shop::open(&[&paid, &refused, &given_back]);
    let simulator = shop.simulator(&["--auto-tap-ms", "1"]);
    let mut hub = shop.hub();
    set_script(&simulator, "[\"approve\", \"decline\", \"approve\"]").await;
    paid.listen_for(&hub, receipt).await;
    refused.listen_for(&hub, |order| matches!(order, Order::Declined { .. })).await;
    given_back.listen_for(&hub, receipt).await;
    given_back.write(TripEvent::BasketUnlocked { version: 1 });
    given_back.send(&hub, &shop, &given_back.attempt(), IntentState::Reversed).await;

    let before = shop.ledger();
    let json = shop.at("out.json").display().to_string();
    let agreed = shop.store_hub(&["day-end", "--config", &shop.config(), "--date", &shop.date, "--json", &json]);
    let said = page(&agreed);
    assert_eq!(agreed.status.code(), Some(0), "{said}");
    assert_eq!(last_line(&agreed), "The terminals and the ledger agree.");
    assert_eq!(said.matches("2 × £9.25").count(), 2, "{said}");
    assert_eq!(said.matches("1 × £5.55").count(), 2, "{said}");
    assert!(shop.report("").agrees());
    let copy: DayEnd = serde_json::from_slice(&std::fs::read(json).expect("written")).expect("a report");
    assert_eq!(copy, shop.report(""));
    is_well(&mut hub).await;

    let foreign = StoreId::new("till-9").expect("valid");
    let sale = Intent { id: IntentId::new("i-till").expect("valid"), ..shop_intent(&shop, &paid) };
    let answer = shop.client(&foreign).ask(Ask::Pay, &sale).await;
    assert!(matches!(answer, Answer::Approved(_)), "{answer:?}");
    drop(simulator);
    falsify(&shop.at("terminal.log"), &paid.attempt());
    let _simulator = shop.simulator(&[]);
    let first = shop.report("");
    let differs = shop.day_end();
    let said = page(&differs);
    assert_eq!(differs.status.code(), Some(1), "{said}");
    assert_eq!(last_line(&differs), "3 differences. Nothing was changed.");
    for words in [
        format!("{}: £3.70 in the ledger, £37.00 at the terminal (cart-1)", paid.attempt()).as_str(),
        "1 paid, £3.70, visa, asked for by \"trundle-till-9\"",
        "1 paid, £0.99, which no attempt of this hub accounts for",
    ] {
        assert!(said.contains(words), "{words}: {said}");
    }
    assert_eq!(shop.report(""), first, "the first report is left as it was");
    let second = shop.report("-2");
    assert_eq!(second.lanes[0].periods, Some((1, 2)), "the day goes on until it was ended last");
    let kinds: Vec<_> = second.lanes[0].differences.iter().map(|difference| difference.what).collect();
    assert_eq!(kinds, [What::OtherAmount, What::OnlyAtTerminal, What::OnlyAtTerminal]);

    assert_eq!(shop.ledger(), before, "the ledger is as it was, and nobody else has opened it");
    is_well(&mut hub).await;
}

fn shop_intent(shop: &Shop, cart: &BareCart) -> Intent {
    let store = SqliteStore::read(&shop.at("hub/hub.db")).expect("read");
    store.intent(&cart.attempt()).expect("read").expect("it is there")
}

#[tokio::test]
async fn a_payment_under_way_is_not_disturbed_and_a_lost_answer_loses_nothing() {
    let cart = BareCart::locked("cart-1", 2);
    let shop = Shop::open(&[&cart]);
    let simulator = shop.simulator(&[]);
    let hub = shop.hub();
    cart.listen_for(&hub, |order| matches!(order, Order::AwaitTap { .. })).await;
    let waits =
        async { while shop.client(&store()).look_up(&shop_intent(&shop, &cart)).await.answer != Answer::InProgress {} };
    tokio::time::timeout(PATIENCE, waits).await.expect("the terminal waits for a card");
    let busy = shop.day_end();
    let said = page(&busy);
    assert_eq!(busy.status.code(), Some(1), "{said}");
    assert!(said.contains("busy with a payment") && said.contains("the terminal waits for a card"), "{said}");
    let tap = format!("http://{}/tap", simulator.address("control"));
    let tapped = reqwest::Client::new().post(tap).json(&serde_json::json!({ "card": "visa" })).send().await;
    assert!(tapped.expect("an answer").status().is_success(), "the card is still waited for");
    cart.listen_for(&hub, receipt).await;

    // A closing whose answer nobody heard.
    assert_eq!(shop.client(&store()).totals(Period::Running).await.expect("closed").period, 1);
    drop(simulator);
    let silent = shop.day_end();
    assert_eq!(silent.status.code(), Some(1), "{}", page(&silent));
    assert!(page(&silent).contains("the terminal does not answer"), "{}", page(&silent));
    let _simulator = shop.simulator(&[]);
    let agreed = shop.day_end();
    let said = page(&agreed);
    assert_eq!(agreed.status.code(), Some(0), "{said}");
    assert_eq!(said.matches("1 × £3.70").count(), 2, "{said}");
    assert_eq!(shop.report("-3").lanes[0].periods, Some((1, 2)));
}

#[test]
fn a_day_that_cannot_be_ended_says_why() {
    let shop = Shop::open(&[]);
    let check = |args: &[&str], words: &str| {
        let config = shop.config();
        let output = shop.store_hub(&[&["day-end", "--config", &config], args].concat());
        assert_eq!(output.status.code(), Some(1), "{}", page(&output));
        assert!(page(&output).contains(words), "{words}: {}", page(&output));
    };
    check(&[], "hub.db");
    assert!(!shop.at("hub").exists(), "nothing was made");
    check(&["--date", "9999-01-01"], "has not begun yet");
}
