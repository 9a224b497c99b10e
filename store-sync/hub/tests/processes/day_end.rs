//! A day's end with real processes: a hub that runs, a payment terminal with books of its own, and carts that are bare
//! MQTT clients.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use store_hub::day_end::{DayEnd, What};
use store_hub::intent::{Answer, Ask, Intent, IntentState, intent_id};
use store_hub::store::{SqliteStore, Storage};
use store_hub::terminal::{NexoTerminal, Period, Terminal};
use tempfile::TempDir;
use trip::message::Order;
use trip::{IntentId, StoreId, TripEvent, UnixMillis};

use super::harness::*;

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
        set_up(folder.path(), Some(&terminal), carts.iter().copied());
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
        simulator_at(self.folder.path(), &self.terminal, more)
    }

    fn hub(&self) -> Process {
        hub(self.folder.path())
    }

    /// Ends the day on which the test began.
    fn day_end(&self) -> Output {
        store_hub(&["day-end", "--config", &self.config(), "--date", &self.date])
    }

    fn report(&self, ending: &str) -> DayEnd {
        let file = std::fs::read(self.at("hub/day-end").join(format!("{}{ending}.json", self.date))).expect("kept");
        serde_json::from_slice(&file).expect("a report")
    }

    fn client(&self, sale: &StoreId) -> NexoTerminal {
        client(&self.terminal, sale, "open sesame", PATIENCE)
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

/// The first attempt of a cart's first trip.
fn attempt(cart: &BareCart) -> IntentId {
    intent_id(&store(), &cart.trip(1), 1, 1)
}

/// The cart sends all it has.
async fn send(hub: &Process, cart: &BareCart, shop: &Shop, until: IntentState) {
    let attempt = attempt(cart);
    // Nothing that it hears is of interest; the line only has to be kept alive.
    tokio::select! {
        _ = listen_for(hub, cart, |_| false) => {}
        () = shop.wait_for(&attempt, until) => {}
    }
}

fn receipt(order: &Order) -> bool {
    matches!(order, Order::Receipt { .. })
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
    listen_for(&hub, &paid, receipt).await;
    listen_for(&hub, &refused, |order| matches!(order, Order::Declined { .. })).await;
    listen_for(&hub, &given_back, receipt).await;
    given_back.write(TripEvent::BasketUnlocked { version: 1 });
    send(&hub, &given_back, &shop, IntentState::Reversed).await;

    let before = shop.ledger();
    let json = shop.at("out.json").display().to_string();
    let agreed = store_hub(&["day-end", "--config", &shop.config(), "--date", &shop.date, "--json", &json]);
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
    falsify(&shop.at("terminal.log"), &attempt(&paid));
    let _simulator = shop.simulator(&[]);
    let first = shop.report("");
    let differs = shop.day_end();
    let said = page(&differs);
    assert_eq!(differs.status.code(), Some(1), "{said}");
    assert_eq!(last_line(&differs), "3 differences. Nothing was changed.");
    for words in [
        format!("{}: £3.70 in the ledger, £37.00 at the terminal (cart-1)", attempt(&paid)).as_str(),
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
    store.intent(&attempt(cart)).expect("read").expect("it is there")
}

#[tokio::test]
async fn a_payment_under_way_is_not_disturbed_and_a_lost_answer_loses_nothing() {
    let cart = BareCart::locked("cart-1", 2);
    let shop = Shop::open(&[&cart]);
    let simulator = shop.simulator(&[]);
    let hub = shop.hub();
    listen_for(&hub, &cart, |order| matches!(order, Order::AwaitTap { .. })).await;
    let waits =
        async { while shop.client(&store()).look_up(&shop_intent(&shop, &cart)).await.answer != Answer::InProgress {} };
    tokio::time::timeout(PATIENCE, waits).await.expect("the terminal waits for a card");
    let busy = shop.day_end();
    let said = page(&busy);
    assert_eq!(busy.status.code(), Some(1), "{said}");
    assert!(said.contains("busy with a payment") && said.contains("the terminal waits for a card"), "{said}");
    assert!(tap(&simulator, "visa").await, "the card is still waited for");
    listen_for(&hub, &cart, receipt).await;

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
        let output = store_hub(&[&["day-end", "--config", &config], args].concat());
        assert_eq!(output.status.code(), Some(1), "{}", page(&output));
        assert!(page(&output).contains(words), "{words}: {}", page(&output));
    };
    check(&[], "hub.db");
    assert!(!shop.at("hub").exists(), "nothing was made");
    check(&["--date", "9999-01-01"], "has not begun yet");
}
