//! The back office is down, refuses, answers late, loses its answers, and the hub is killed meanwhile: at the end
//! everything is with it, in order, once its ids are looked at, and nothing that it refused was counted as taken.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use rumqttc::{Event, Packet, QoS};
use serde::Deserialize;
use serde_json::Value;
use store_hub::back_office::{
    ID, PaymentOutcome, SIGNATURE, Signed as Delivery, TIMESTAMP, What, Word, public_key, verify,
};
use store_hub::intent::{IntentState, intent_id};
use store_hub::store::{SqliteStore, Storage};
use tempfile::TempDir;
use tokio::net::TcpSocket;
use trip::chain::Head;
use trip::event::{Ending, Tender};
use trip::message::Order;
use trip::topics::{self, Leaf};
use trip::{Hash, LineId, Money, TripEvent, TripId, TripState};

use super::harness::*;

/// What the back office does with what comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    /// Takes it in and says so.
    Good,
    /// Refuses it for good, as it says.
    Refuses,
    /// Refuses it for now.
    Busy,
    /// Takes it in, and says so when nobody listens any more.
    Late,
    /// Takes it in, and the line is cut before it says so.
    LosesAnswer,
}

/// A batch that the back office took in.
#[derive(Debug)]
struct Taken {
    mood: Mood,
    name: String,
    words: Vec<(Word, Value)>,
}

#[derive(Debug)]
struct Office {
    mood: Mutex<Mood>,
    /// Deliveries of any mood, by their mood.
    heard: Mutex<Vec<Mood>>,
    taken: Mutex<Vec<Taken>>,
    /// What was wrong with a delivery.
    wrong: Mutex<Vec<String>>,
    key: String,
}

impl Office {
    fn is(&self, mood: Mood) {
        *self.mood.lock().expect("whole") = mood;
    }

    /// Waits until so many more deliveries have come in this mood.
    async fn hears(&self, mood: Mood, times: usize) {
        let count = || self.heard.lock().expect("whole").iter().filter(|heard| **heard == mood).count();
        let before = count();
        until("a delivery", async || count() >= before + times).await;
    }
}

async fn until(what: &str, mut there: impl AsyncFnMut() -> bool) {
    let wait = async {
        while !there().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.unwrap_or_else(|_| panic!("there was never {what}"));
}

async fn deliver(State(office): State<Arc<Office>>, headers: HeaderMap, body: String) -> Response {
    let mood = *office.mood.lock().expect("whole");
    let taken = read(&office.key, &headers, &body, mood);
    match (taken, mood) {
        (Err(why), _) => office.wrong.lock().expect("whole").push(why),
        (Ok(_), Mood::Refuses | Mood::Busy) => {}
        (Ok(taken), _) => office.taken.lock().expect("whole").push(taken),
    }
    office.heard.lock().expect("whole").push(mood);
    match mood {
        Mood::Good => StatusCode::NO_CONTENT.into_response(),
        Mood::Refuses => (StatusCode::UNPROCESSABLE_ENTITY, "no such store").into_response(),
        Mood::Busy => StatusCode::SERVICE_UNAVAILABLE.into_response(),
        Mood::Late => {
            tokio::time::sleep(Duration::from_secs(6)).await;
            StatusCode::OK.into_response()
        }
        // The server's task ends, and its connection with it, without a word on stderr.
        Mood::LosesAnswer => std::panic::resume_unwind(Box::new("the line is cut")),
    }
}

/// As an integrator would: the signature over the bytes as they came, then JSON.
fn read(key: &str, headers: &HeaderMap, body: &str, mood: Mood) -> Result<Taken, String> {
    let header = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).ok_or(format!("no {name}"));
    let (id, timestamp, signature) = (header(ID)?, header(TIMESTAMP)?, header(SIGNATURE)?);
    let trusted = public_key(key).ok_or("no key")?;
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|e| e.to_string())?.as_secs();
    let delivery = Delivery { id, timestamp, signature, body: body.as_bytes() };
    verify(&delivery, &[trusted], now_s).map_err(|e| e.to_string())?;
    let page: Value = serde_json::from_str(body).map_err(|e| e.to_string())?;
    let messages = page["messages"].as_array().ok_or("no messages")?;
    if page["v"] != 1 || messages.is_empty() || messages.len() > 100 {
        return Err(format!("an odd batch: {body}"));
    }
    let word = |value: &Value| Ok((Word::deserialize(value).map_err(|e| format!("{e}: {value}"))?, value.clone()));
    Ok(Taken { mood, name: id.to_owned(), words: messages.iter().map(word).collect::<Result<_, String>>()? })
}

/// The back office begins to listen.
fn opens(office: &Arc<Office>, door: TcpSocket) {
    let router = Router::new().route("/trundle", post(deliver)).with_state(office.clone());
    let listener = door.listen(64).expect("it is bound");
    tokio::spawn(async move { axum::serve(listener, router).await });
}

/// The cart comes on the line, sends what is not acked, and stays until all of it is.
async fn send_all(hub: &Process, cart: &mut BareCart) {
    let (line, mut events) = cart.connect(&hub.address("mqtt")).await;
    let topic = topics::cart(&store(), &cart.id, Leaf::Event);
    line.publish(topic, QoS::AtLeastOnce, false, cart.signed()).await.expect("queued");
    let hear = async {
        loop {
            let Event::Incoming(Packet::Publish(message)) = events.poll().await.expect("the line holds") else {
                continue;
            };
            if !matches!(topics::parse(&store(), &message.topic), Some((_, Leaf::Ack))) {
                continue;
            }
            let ack: trip::message::Ack = serde_json::from_slice(&message.payload).expect("an ack");
            if ack.head == cart.head {
                return;
            }
        }
    };
    tokio::time::timeout(PATIENCE, hear).await.expect("the hub acks");
    cart.texts.clear();
}

/// What a cart is told when it has paid.
struct Paid {
    intent: trip::IntentId,
    amount: Money,
    tender: Tender,
    number: String,
    digest: Hash,
}

/// The basket that is locked is paid; what the cart hears of it.
async fn is_paid(hub: &Process, cart: &BareCart) -> Paid {
    let payment = RefCell::new(None);
    let trip = cart.state.trip.clone().expect("a trip");
    let this = intent_id(&store(), &trip, cart.state.locks, 1);
    let (receipt, _) = listen_for(hub, cart, |order| match order {
        // Of an earlier lock that was void, a word may still be under way.
        Order::Paid { intent, amount, tender } if *intent == this => {
            *payment.borrow_mut() = Some((intent.clone(), *amount, tender.clone()));
            false
        }
        Order::Receipt { .. } => payment.borrow().is_some(),
        _ => false,
    })
    .await;
    let Order::Receipt { number, digest, .. } = receipt else { unreachable!("it was waited for") };
    let (intent, amount, tender) = payment.into_inner().expect("paid before the receipt");
    Paid { intent, amount, tender, number, digest }
}

/// A trip from its begin to its end.
async fn shop(hub: &Process, cart: &mut BareCart, n: u32) {
    cart.begin(n, n);
    cart.lock();
    let Paid { intent, amount, tender, number, digest } = is_paid(hub, cart).await;
    cart.write(TripEvent::PaymentApproved { intent, amount, tender });
    cart.write(TripEvent::ReceiptStored { number, digest });
    cart.write(TripEvent::TripClosed { ending: Ending::Paid });
    send_all(hub, cart).await;
}

/// The hub's health file, as it says it of the back office: how many messages wait, and the alarm.
fn health(folder: &Path) -> (u64, Option<String>) {
    let text = std::fs::read(folder.join("hub/health.json")).unwrap_or_default();
    let page: Value = serde_json::from_slice(&text).unwrap_or_default();
    let office = &page["back_office"];
    (office["waiting"].as_u64().unwrap_or(u64::MAX), office["alarm"].as_str().map(str::to_owned))
}

async fn staff_page(hub: &Process) -> String {
    let page = reqwest::get(format!("http://{}/", hub.address("http"))).await.expect("an answer");
    page.text().await.expect("text")
}

#[tokio::test]
async fn a_back_office_that_was_down_refused_or_lost_its_answers_has_everything_once_at_the_end() {
    let folder = TempDir::new().expect("a folder");
    let simulator = simulator(folder.path(), &["--auto-tap-ms", "1"]);
    let mut cart = store_with_locked_cart(folder.path(), &simulator);
    (cart.texts, cart.head, cart.state) = (Vec::new(), Head::default(), TripState::default());
    // Bound, so that the port is nobody else's, and not listening: who connects is refused.
    let door = TcpSocket::new_v4().expect("a socket");
    door.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = door.local_addr().expect("bound");
    let path = folder.path().join("hub.toml");
    let config = std::fs::read_to_string(&path).expect("there");
    let told =
        format!("{config}[back_office]\nurl = \"http://{address}/trundle\"\nanswer_within_s = 3\nalarm_after_s = 1\n");
    std::fs::write(&path, told).expect("written");

    // Down: trips are paid all the same, and staff are told.
    let first = hub(folder.path());
    let office = Arc::new(Office {
        mood: Mutex::new(Mood::Refuses),
        heard: Mutex::default(),
        taken: Mutex::default(),
        wrong: Mutex::default(),
        key: first.address("back_office_key"),
    });
    for n in 1..=2 {
        shop(&first, &mut cart, n).await;
    }
    until("an alarm", async || health(folder.path()).1.as_deref() == Some("back office unreachable")).await;
    until("the words for staff", async || {
        let page = staff_page(&first).await;
        page.contains("back office unreachable since ") && page.contains(", 6 messages wait")
    })
    .await;

    // It refuses: nothing is skipped. The hub is killed, and all of it still waits.
    opens(&office, door);
    office.hears(Mood::Refuses, 1).await;
    until("an alarm", async || health(folder.path()).1.is_some_and(|alarm| alarm.ends_with("(422)"))).await;
    shop(&first, &mut cart, 3).await;
    drop(first);
    let second = hub(folder.path());
    assert_eq!(second.address("back_office_key"), office.key, "the key outlives the hub");
    office.is(Mood::Busy);
    office.hears(Mood::Busy, 1).await;
    until("all that waits", async || staff_page(&second).await.contains(", 9 messages wait")).await;

    // It takes the batch and says so too late, while a trip is paid; the hub is killed before it can hear it.
    office.is(Mood::Late);
    office.hears(Mood::Late, 1).await;
    shop(&second, &mut cart, 4).await;
    drop(second);
    let third = hub(folder.path());
    office.hears(Mood::Late, 1).await;

    // It takes the batch and the line is cut. Meanwhile: a refused card, money given back, an empty trip.
    office.is(Mood::LosesAnswer);
    set_script(&simulator, "[\"decline\"]").await;
    cart.begin(5, 5);
    cart.lock();
    listen_for(&third, &cart, |order| matches!(order, Order::Declined { .. })).await;
    cart.write(TripEvent::BasketUnlocked { version: 1 });
    cart.lock();
    is_paid(&third, &cart).await;
    cart.write(TripEvent::BasketUnlocked { version: 2 });
    cart.lock();
    let Paid { intent, amount, tender, number, digest } = is_paid(&third, &cart).await;
    cart.write(TripEvent::PaymentApproved { intent, amount, tender });
    cart.write(TripEvent::ReceiptStored { number, digest });
    cart.write(TripEvent::TripClosed { ending: Ending::Paid });
    cart.begin(6, 1);
    cart.write(TripEvent::ItemRemoved { line: LineId(1), pieces: 1, weight: None });
    cart.write(TripEvent::TripClosed { ending: Ending::Empty });
    send_all(&third, &mut cart).await;
    office.hears(Mood::LosesAnswer, 1).await;

    // It is well again, and has everything; a last trip goes straight through.
    office.is(Mood::Good);
    until("an empty outbox", async || health(folder.path()) == (0, None)).await;
    until("no word for staff", async || !staff_page(&third).await.contains("back office")).await;
    shop(&third, &mut cart, 7).await;
    until("the last receipt", async || {
        let taken = office.taken.lock().expect("whole");
        taken.iter().flat_map(|batch| &batch.words).any(|(word, _)| word.id.ends_with("/trip/cart-1.7.7"))
    })
    .await;
    until("an empty outbox", async || health(folder.path()) == (0, None)).await;
    drop(third);
    check(&office, folder.path());
}

/// The promises, of what the back office took in and what the hub's database says.
fn check(office: &Office, folder: &Path) {
    assert_eq!(*office.wrong.lock().expect("whole"), Vec::<String>::new(), "every signature is good");
    let taken = office.taken.lock().expect("whole");
    // Deduplicated by id, in the order in which they came first.
    let mut seen: BTreeMap<&str, &Value> = BTreeMap::new();
    let mut kept: Vec<&Word> = Vec::new();
    for (word, value) in taken.iter().flat_map(|batch| &batch.words) {
        match seen.insert(&word.id, value) {
            Some(before) => assert_eq!(before, value, "one id is one message"),
            None => kept.push(word),
        }
    }
    let twice = taken.iter().map(|batch| batch.words.len()).sum::<usize>() - kept.len();
    assert!(twice > 0, "lost and late answers were told again");
    assert_eq!(kept.iter().map(|word| word.seq).collect::<Vec<_>>(), (1..=kept.len() as u64).collect::<Vec<_>>());

    // What it has said it took is never sent again; what is sent again as it was has its name again.
    let good: Vec<&str> = taken
        .iter()
        .filter(|batch| batch.mood == Mood::Good)
        .flat_map(|batch| batch.words.iter().map(|(word, _)| word.id.as_str()))
        .collect();
    assert_eq!(good.len(), good.iter().collect::<BTreeSet<_>>().len(), "a 2xx was followed by the same again");
    let mut names: BTreeMap<Vec<u64>, &str> = BTreeMap::new();
    for batch in taken.iter() {
        let seqs = batch.words.iter().map(|(word, _)| word.seq).collect();
        assert_eq!(*names.entry(seqs).or_insert(&batch.name), batch.name, "one delivery has one name");
    }

    let (mut trips, mut payments, mut void) = (Vec::new(), Vec::new(), 0);
    for word in &kept {
        match &word.what {
            What::Trip(trip) => trips.push(trip.trip.as_str()),
            What::Payment(payment) => payments.push(payment),
            What::Receipt(receipt) => void += usize::from(receipt.void),
        }
    }
    assert_eq!(trips, (1..=7).map(|n| format!("cart-1.7.{n}")).collect::<Vec<_>>(), "each closed trip once");
    let count = |outcome| payments.iter().filter(|end| end.outcome == outcome).count();
    use PaymentOutcome as O;
    assert_eq!((count(O::Approved), count(O::Declined), count(O::GivenBack)), (7, 1, 1));
    assert_eq!((kept.len(), void), (7 + 9 + 8, 1), "trips, payments, receipts and nothing else");

    let store = SqliteStore::open(&folder.join("hub/hub.db")).expect("the hub's database");
    assert_eq!(store.words(1).expect("read"), []);
    let intents = |trip: &&str| store.intents(&TripId::new(*trip).expect("valid")).expect("read");
    let had: i64 = trips
        .iter()
        .flat_map(intents)
        .filter(|intent| intent.state == IntentState::Approved)
        .filter_map(|intent| intent.approval.map(|approval| approval.amount.minor))
        .sum();
    assert_eq!(payments.iter().map(|end| end.taken.minor).sum::<i64>(), had, "the sums agree");
    assert_eq!(had, 185 * (1 + 2 + 3 + 4 + 5 + 7));
}
