//! A stranger on the bus: garbage on every topic, before and during a trip.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rumqttc::{Client, Event, MqttOptions, Outgoing, QoS};
use tests::check;
use tests::place::Place;
use tests::process::wait_for;
use tests::script::{PACKS, PACKS_COST, packs};
use trip::message::{BATCH_LABEL, Command, Order, Signed, VERSION};
use trip::topics::{Leaf, cart, cart_down};
use trip::{CartId, Currency, IntentId, Money, StoreId, TripId, UnixMillis, event::Tender};

/// What comes, and how often so far.
struct Stranger {
    sent: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    work: Option<JoinHandle<()>>,
}

impl Stranger {
    fn begin(place: &Place) -> anyhow::Result<Self> {
        let at = place.store.addresses.mqtt;
        let mut options = MqttOptions::new("stranger", at.ip().to_string(), at.port());
        options.set_max_packet_size(1 << 20, 1 << 20);
        let (client, mut connection) = Client::new(options, 64);
        let (sent, stop) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
        let (counter, stopped) = (sent.clone(), stop.clone());
        std::thread::spawn(move || {
            for event in connection.iter() {
                match event {
                    Ok(Event::Outgoing(Outgoing::Publish(_))) => drop(counter.fetch_add(1, Ordering::Relaxed)),
                    Ok(_) => {}
                    // A broker may throw a stranger out; it comes again.
                    Err(_) if stopped.load(Ordering::Relaxed) => return,
                    Err(_) => std::thread::sleep(Duration::from_millis(100)),
                }
            }
        });
        let (topics, payloads, stopped) = (topics()?, payloads()?, stop.clone());
        let work = std::thread::spawn(move || {
            for (topic, payload) in payloads.iter().flat_map(|p| topics.iter().map(move |t| (t, p))).cycle() {
                if stopped.load(Ordering::Relaxed) {
                    return;
                }
                if client.publish(topic, QoS::AtLeastOnce, false, payload.clone()).is_err() {
                    return;
                }
                std::thread::sleep(Duration::from_millis(4));
            }
        });
        Ok(Self { sent, stop, work: Some(work) })
    }

    fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }
}

impl Drop for Stranger {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        drop(self.work.take().map(JoinHandle::join));
    }
}

fn topics() -> anyhow::Result<Vec<String>> {
    let store = StoreId::new("market-street")?;
    let mut all = Vec::new();
    for name in ["cart-01", "cart-99"] {
        let name = CartId::new(name)?;
        let leaves =
            [Leaf::Event, Leaf::Presence, Leaf::Telemetry, Leaf::Look, Leaf::Command, Leaf::Desired, Leaf::Ack];
        all.extend(leaves.map(|leaf| cart(&store, &name, leaf)));
        all.push(cart_down(&store, &name).replace('+', "nonsense"));
    }
    all.push("tr1/market-street/cart/UPPER CASE/up/event".into());
    all.push("tr0/market-street/cart/cart-01/up/event".into());
    Ok(all)
}

fn payloads() -> anyhow::Result<Vec<Vec<u8>>> {
    let body = r#"{"v":1,"cart":"cart-01","epoch":1,"records":[]}"#.to_owned();
    let unsigned = Signed { v: VERSION, body: body.clone(), signature: String::new() };
    let signature = "A".repeat(86);
    let forged = Signed { v: VERSION, body, signature };
    // The label is part of what is signed, so that a batch is never taken for something else.
    assert!(!Signed::message(BATCH_LABEL, &forged.body).is_empty());
    let paid = Command {
        v: VERSION,
        id: "forged".into(),
        expires_at: UnixMillis(i64::MAX),
        trip: TripId::new("cart-01.1.1")?,
        lock: Some(1),
        order: Order::Paid {
            intent: IntentId::new("i-forged")?,
            amount: Money::new(1, Currency::GBP),
            tender: Tender { kind: "visa".into(), reference: "forged".into() },
        },
    };
    Ok(vec![
        Vec::new(),
        b"\0\xff\xfe garbage \xc3\x28".to_vec(),
        b"{".to_vec(),
        b"null".to_vec(),
        b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]".to_vec(),
        "[".repeat(100_000).into_bytes(),
        br#"{"v":1,"online":"perhaps"}"#.to_vec(),
        br#"{"v":255,"body":"{}","signature":""}"#.to_vec(),
        br#"{"v":1,"id":1e999,"order":"format_disk"}"#.to_vec(),
        br#"{"v":1,"at":-9223372036854775808,"battery_percent":400}"#.to_vec(),
        serde_json::to_vec(&unsigned)?,
        serde_json::to_vec(&forged)?,
        serde_json::to_vec(&paid)?,
        vec![b'x'; 200_000],
    ])
}

#[test]
fn garbage_on_the_bus_stops_neither_the_hub_nor_a_trip() -> anyhow::Result<()> {
    let mut place = Place::new(&packs())?;
    let stranger = Stranger::begin(&place)?;
    // Each payload on each topic once, before anybody shops.
    let round = (topics()?.len() * payloads()?.len()) as u64;
    wait_for("a round of garbage", || Ok((stranger.sent() > round).then_some(())))?;
    assert!(place.store.hub_runs());

    let ended = place.play(false)?.ended()?;
    assert!(place.store.hub_runs());
    let last_words = ended.stderr.lines().rfind(|line| !line.contains("not readable")).unwrap_or_default();
    assert_eq!(ended.code(), 0, "{last_words}");
    let count = place.summary()?;
    assert_eq!((count.added_right as usize, count.missed), (PACKS.len(), 0), "{count:?}");
    assert_eq!((count.total_minor, count.charged_minor), (PACKS_COST, PACKS_COST));
    assert!(count.receipt_verified);
    assert!(stranger.sent() > round + 100, "garbage came during the trip too");
    check::all(&place.folders)
}
