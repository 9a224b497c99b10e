//! The hub and a payment terminal as real processes, and a cart that is a bare MQTT client.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::{Signer, SigningKey};
use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use serde_json::Value;
use store_hub::config::{LaneConfig, key_text};
use store_hub::intent::{Answer, Approval, Ask, Intent, IntentState, intent_id};
use store_hub::terminal::{NexoTerminal, Terminal};
use tempfile::TempDir;
use trip::basket::Evidence;
use trip::chain::Head;
use trip::message::{BATCH_LABEL, Batch, Order, Signed};
use trip::pricing::{basket_hash, price};
use trip::topics::{self, Leaf};
use trip::{
    CartId, Catalogue, Currency, Hash, LaneId, LineId, LineItem, Money, Quantity, Record, Sku, StoreId, Totals,
    TripEvent, TripId, TripState, UnixMillis,
};

#[path = "processes/back_office.rs"]
mod back_office;
mod cluster;
mod database;

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

fn simulator(folder: &Path, more: &[&str]) -> Process {
    let log = folder.join("terminal.log");
    let fixed =
        ["--listen", "127.0.0.1:0", "--passphrase", "open sesame", "--state", log.to_str().expect("a plain path")];
    Process::start(env!("CARGO_BIN_EXE_terminal-sim"), &[&fixed[..], more].concat())
}

fn store_hub(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_store-hub")).args(args).output().expect("it runs")
}

fn store() -> StoreId {
    StoreId::new("market-street").expect("valid")
}

fn intent(n: u32) -> Intent {
    let trip = TripId::new("cart-1.7.1").expect("valid");
    let amount = Money::new(2384, Currency::GBP);
    Intent {
        id: intent_id(&store(), &trip, n, 1),
        trip,
        cart: CartId::new("cart-1").expect("valid"),
        lane: LaneId::new("lane-1").expect("valid"),
        version: n,
        attempt: 1,
        amount,
        basket: Hash::GENESIS,
        catalogue: Hash::GENESIS,
        totals: Totals { lines: vec![], savings: vec![], taxes: vec![], total: amount },
        state: IntentState::Sent,
        void: false,
        settled: false,
        sends: 1,
        approval: None,
        why: None,
        created_at: UnixMillis(0),
        not_before: UnixMillis(0),
    }
}

fn client(simulator: &Process, passphrase: &str, answer_within: Duration) -> NexoTerminal {
    let lane = LaneConfig {
        id: LaneId::new("lane-1").expect("valid"),
        terminal: simulator.address("nexo"),
        poi: "p".into(),
        passphrase: passphrase.into(),
        key_identifier: "trundle".into(),
        key_version: 1,
        answer_within,
    };
    NexoTerminal::new(&lane, &store(), 1).expect("a client")
}

async fn charged(simulator: &Process) -> Vec<(String, String)> {
    let url = format!("http://{}/transactions", simulator.address("control"));
    let list: Vec<Value> = reqwest::get(url).await.expect("an answer").json().await.expect("JSON");
    let field = |t: &Value, name: &str| t[name].as_str().unwrap_or_default().to_owned();
    list.iter().map(|t| (field(t, "id"), field(t, "progress"))).collect()
}

async fn set_script(simulator: &Process, script: &str) {
    let url = format!("http://{}/script", simulator.address("control"));
    let answer = reqwest::Client::new()
        .post(url)
        .header("content-type", "application/json")
        .body(script.to_owned())
        .send()
        .await;
    assert!(answer.expect("an answer").status().is_success());
}

#[tokio::test]
async fn a_terminal_charges_a_payment_once_and_knows_it_after_a_crash() {
    let folder = TempDir::new().expect("a folder");
    let first = simulator(folder.path(), &["--auto-tap-ms", "1"]);
    let terminal = client(&first, "open sesame", PATIENCE);
    assert_eq!(terminal.ask(Ask::Status, &intent(1)).await, Answer::NotFound);
    let Answer::Approved(approval) = terminal.ask(Ask::Pay, &intent(1)).await else { panic!("not approved") };
    assert_eq!((approval.amount.minor, approval.tender.kind.as_str()), (2384, "visa"));
    assert_eq!(
        terminal.ask(Ask::Pay, &intent(1)).await,
        Answer::Approved(approval.clone()),
        "asked again, it answers the same"
    );
    assert_eq!(terminal.ask(Ask::Status, &intent(1)).await, Answer::Approved(approval.clone()));
    assert!(matches!(client(&first, "wrong", PATIENCE).ask(Ask::Pay, &intent(9)).await, Answer::NoAnswer { .. }));

    set_script(&first, "[\"decline\", \"crash_after_approval\"]").await;
    assert!(matches!(terminal.ask(Ask::Pay, &intent(2)).await, Answer::Declined { .. }));
    assert!(
        matches!(terminal.ask(Ask::Pay, &intent(3)).await, Answer::NoAnswer { .. }),
        "it crashed before it answered"
    );
    let second = simulator(folder.path(), &[]);
    let terminal = client(&second, "open sesame", PATIENCE);
    let Answer::Approved(third) = terminal.ask(Ask::Status, &intent(3)).await else {
        panic!("it forgot that it took money")
    };
    assert_eq!(terminal.ask(Ask::Reverse, &Intent { approval: Some(third), ..intent(3) }).await, Answer::Reversed);
    assert_eq!(terminal.ask(Ask::Reverse, &intent(3)).await, Answer::Reversed, "given back once, said twice");
    let name = |n| intent(n).id.to_string();
    let mut expected =
        vec![(name(1), "approved".to_owned()), (name(2), "declined".into()), (name(3), "reversed".into())];
    expected.sort();
    assert_eq!(charged(&second).await, expected);
}

#[tokio::test]
async fn a_payment_that_waits_for_a_card_can_be_stopped_or_outwaited() {
    let folder = TempDir::new().expect("a folder");
    let simulator = simulator(folder.path(), &[]);
    let terminal = client(&simulator, "open sesame", PATIENCE);
    let asked = intent(1);
    let (paid, ()) = tokio::join!(terminal.ask(Ask::Pay, &asked), async {
        while terminal.ask(Ask::Status, &asked).await != Answer::InProgress {}
        terminal.ask(Ask::Abort, &asked).await;
    });
    assert_eq!(paid, Answer::Declined { why: "Aborted".into() });
    set_script(&simulator, "[\"lost_answer\"]").await;
    let hasty = client(&simulator, "open sesame", Duration::from_secs(1));
    let tap = async {
        let url = format!("http://{}/tap", simulator.address("control"));
        let tap = || reqwest::Client::new().post(&url).json(&serde_json::json!({ "card": "mc" })).send();
        while !tap().await.expect("an answer").status().is_success() {}
    };
    let asked = intent(2);
    let (silent, ()) = tokio::join!(hasty.ask(Ask::Pay, &asked), tap);
    assert!(matches!(silent, Answer::NoAnswer { .. }), "{silent:?}");
    let Answer::Approved(Approval { tender, .. }) = terminal.ask(Ask::Status, &intent(2)).await else {
        panic!("the money was taken")
    };
    assert_eq!(tender.kind, "mc");
}

/// A cart that is no more than a chain of records and an MQTT client.
struct BareCart {
    id: CartId,
    key: SigningKey,
    head: Head,
    state: TripState,
    texts: Vec<String>,
}

impl BareCart {
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
}

/// A store in a folder, with one lane at `simulator`, and a cart whose basket is locked there.
fn store_with_locked_cart(folder: &Path, simulator: &Process) -> BareCart {
    let mut cart = BareCart {
        id: CartId::new("cart-1").expect("valid"),
        key: SigningKey::from_bytes(&[1; 32]),
        head: Head::default(),
        state: TripState::default(),
        texts: vec![],
    };
    let config = format!(
        "store = \"market-street\"\ndata = \"hub\"\ncatalogue = \"goods.toml\"\nbus = {{ listen = \"127.0.0.1:0\" }}\nhttp = \"127.0.0.1:0\"\n\
         [[lane]]\nid = \"lane-1\"\nterminal = \"{}\"\npassphrase = \"open sesame\"\n\
         [[cart]]\nid = \"cart-1\"\npublic_key = \"{}\"\n",
        simulator.address("nexo"),
        key_text(&cart.key.verifying_key())
    );
    std::fs::write(folder.join("goods.toml"), GOODS).expect("written");
    std::fs::write(folder.join("hub.toml"), config).expect("written");
    let trip = TripId::new("cart-1.7.1").expect("valid");
    cart.write(TripEvent::TripStarted { trip, catalogue: Hash::of(GOODS.as_bytes()), baseline: trip::Grams(0) });
    let (sku, evidence) = (Sku::new("oat").expect("valid"), Evidence::Scanned);
    cart.write(TripEvent::ItemAdded {
        item: LineItem { line: LineId(1), sku, quantity: Quantity::Each(2), weight: None, evidence },
    });
    let totals = price(&cart.state.basket, &Catalogue::parse(GOODS).expect("right")).expect("priced");
    let lane = LaneId::new("lane-1").expect("valid");
    cart.write(TripEvent::BasketLocked { version: 1, lane, total: totals.total, basket: basket_hash(&totals) });
    cart
}

fn hub(folder: &Path) -> Process {
    let config = folder.join("hub.toml");
    Process::start(env!("CARGO_BIN_EXE_store-hub"), &["--config", config.to_str().expect("a plain path")])
}

/// The cart comes on the line, sends all it has, and listens until `wanted`; says what was acked by then.
async fn listen_for(hub: &Process, cart: &BareCart, wanted: impl Fn(&Order) -> bool) -> (Order, Option<Head>) {
    let mqtt = hub.address("mqtt");
    let (host, port) = mqtt.rsplit_once(':').expect("host:port");
    let mut options = MqttOptions::new("cart-1", host, port.parse().expect("a port"));
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (line, mut events) = AsyncClient::new(options, 10);
    line.subscribe(topics::cart_down(&store(), &cart.id), QoS::AtLeastOnce).await.expect("queued");
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

#[tokio::test]
async fn a_locked_basket_is_paid_and_its_receipt_verifies() {
    let folder = TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let simulator = simulator(folder.path(), &["--auto-tap-ms", "1"]);
    let cart = store_with_locked_cart(folder.path(), &simulator);
    let hub = hub(folder.path());
    let (order, acked) = listen_for(&hub, &cart, |order| matches!(order, Order::Receipt { .. })).await;
    assert_eq!(acked, Some(cart.head), "the batch was acked before the receipt");
    let Order::Receipt { cose, qr, .. } = order else { unreachable!("it was waited for") };
    let taken = charged(&simulator).await;
    assert_eq!(taken.iter().map(|(_, progress)| progress.as_str()).collect::<Vec<_>>(), ["approved"]);

    std::fs::write(path("receipt"), BASE64_URL_SAFE_NO_PAD.decode(cose).expect("base64url")).expect("written");
    std::fs::write(path("qr"), qr).expect("written");
    let key = path("hub/receipt-key.pub");
    assert_eq!(std::fs::read_to_string(&key).expect("there"), hub.address("receipt_key"));
    for file in ["receipt", "qr"] {
        let checked = store_hub(&["receipt", "verify", &path(file), "--key", &key]);
        let page = String::from_utf8_lossy(&checked.stdout).into_owned();
        assert!(checked.status.success() && page.contains("signature good") && page.contains("£3.70"), "{page}");
    }
    std::fs::write(path("bad"), b"nonsense").expect("written");
    let refused = store_hub(&["receipt", "verify", &path("bad"), "--key", &key]);
    assert_eq!((refused.status.code(), refused.stderr.is_empty()), (Some(1), false));

    let page =
        reqwest::get(format!("http://{}/", hub.address("http"))).await.expect("an answer").text().await.expect("text");
    assert!(page.contains("gate open") && page.contains("market-street-000001"), "{page}");
    let foreign = reqwest::Client::new()
        .get(format!("http://{}/", hub.address("http")))
        .header("host", "evil.example")
        .send()
        .await;
    assert_eq!(foreign.expect("an answer").status().as_u16(), 421);
}

#[tokio::test]
async fn a_hub_killed_while_a_card_is_awaited_takes_the_money_once() {
    let folder = TempDir::new().expect("a folder");
    let simulator = simulator(folder.path(), &[]);
    let cart = store_with_locked_cart(folder.path(), &simulator);
    let first = hub(folder.path());
    listen_for(&first, &cart, |order| matches!(order, Order::AwaitTap { .. })).await;
    tokio::time::timeout(PATIENCE, async { while charged(&simulator).await.is_empty() {} })
        .await
        .expect("the terminal is asked");
    drop(first);
    let tap = reqwest::Client::new()
        .post(format!("http://{}/tap", simulator.address("control")))
        .json(&serde_json::json!({ "card": "visa" }))
        .send();
    assert!(tap.await.expect("an answer").status().is_success(), "the terminal still waits for the card");
    let second = hub(folder.path());
    listen_for(&second, &cart, |order| matches!(order, Order::Receipt { .. })).await;
    let taken = charged(&simulator).await;
    assert_eq!(taken.iter().map(|(_, progress)| progress.as_str()).collect::<Vec<_>>(), ["approved"]);
}

#[tokio::test]
async fn staff_take_a_basket_to_the_till_by_their_page() {
    let folder = TempDir::new().expect("a folder");
    let simulator = simulator(folder.path(), &[]);
    let mut cart = store_with_locked_cart(folder.path(), &simulator);
    cart.write(TripEvent::BasketUnlocked { version: 1 });
    let hub = hub(folder.path());
    let (http, client) = (format!("http://{}", hub.address("http")), reqwest::Client::new());
    let get = async |path: &str| {
        let answer = client.get(format!("{http}{path}")).send().await.expect("an answer");
        (answer.status().as_u16(), answer.text().await.expect("text"))
    };
    let post = async |path: &str, form: &'static str| {
        let asked = client.post(format!("{http}{path}")).header("origin", &http).body(form);
        let answer = asked.header("content-type", "application/x-www-form-urlencoded").send().await;
        let answer = answer.expect("an answer");
        (answer.status().as_u16(), answer.url().path().to_owned(), answer.text().await.expect("text"))
    };
    let staff = async {
        // The cart is on the line, and so it is asked whether it really cannot be used.
        while !get("/till/cart-1").await.1.contains("name=\"sure\"") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        assert_eq!(post("/till/cart-1", "trip=cart-1.7.1").await.0, 409);
        post("/till/cart-1", "trip=cart-1.7.1&sure=true").await
    };
    let heard = listen_for(&hub, &cart, |order| *order == Order::Transfer);
    let ((_, acked), (status, path, page)) = tokio::join!(heard, staff);
    assert_eq!((acked, status, path.as_str()), (Some(cart.head), 200, "/taken/cart-1.7.1"));
    for part in ["Taken to the till at", "Oat drink", "2 ×", "£3.70", "compare it with the cart by eye"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(get("/taken/cart-1.7.1").await.0, 200, "it has an address of its own");
    assert!(get("/").await.1.contains("basket at the till"));
    assert_eq!((get("/till/cart-2").await.0, get("/taken/cart-1.7.2").await.0), (404, 404));
    assert!(charged(&simulator).await.is_empty());
}

#[test]
fn a_hub_that_cannot_start_says_why_and_fails() {
    let folder = TempDir::new().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("bound");
    std::fs::write(path("goods.toml"), GOODS).expect("written");
    std::fs::write(path("a-file"), "").expect("written");
    let right = "store = \"s\"\ndata = \"hub\"\ncatalogue = \"goods.toml\"\nbus = { listen = \"127.0.0.1:0\" }\nhttp = \"127.0.0.1:0\"\n";
    let check = |config: String, part: &str| {
        std::fs::write(path("hub.toml"), config).expect("written");
        let mut child = Command::new(env!("CARGO_BIN_EXE_store-hub"))
            .args(["--config", &path("hub.toml")])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("it starts");
        let mut said = String::new();
        child.stderr.take().expect("piped").read_to_string(&mut said).expect("text");
        let status = child.wait().expect("it ends");
        assert!(!status.success() && said.contains(part), "expected {part:?}: {said}");
    };
    check(format!("{right}colour = 1\n"), "hub.toml line 6");
    check(right.replace("goods.toml", "none.toml"), "none.toml");
    check(right.replace("\"hub\"", "\"a-file\""), "a-file");
    check(
        right.replace("bus = { listen = \"127.0.0.1:0\"", &format!("bus = {{ listen = \"{port}\"")),
        &port.to_string(),
    );
    check(right.replace("http = \"127.0.0.1:0\"", &format!("http = \"{port}\"")), &port.to_string());
}
