//! The hub on a PostgreSQL that is killed under it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rumqttc::{Event, Packet, QoS};
use tempfile::TempDir;
use trip::TripEvent;
use trip::message::Order;
use trip::topics::{self, Leaf};

use super::cluster::Cluster;
use super::harness::*;

/// Where the store's tables are.
const SCHEMA: &str = "\"trundle_market-street\"";

/// How often the database is killed.
const KILLS: u32 = 8;

/// The hub's configuration says that its database is at `url`.
fn keep_in(url: &str, folder: &Path) {
    let path = folder.join("hub.toml");
    let config = std::fs::read_to_string(&path).expect("a configuration");
    std::fs::write(path, format!("{config}[database]\npostgres = \"{url}\"\n")).expect("written");
}

fn goes_on(hub: &mut Process) -> bool {
    matches!(hub.child.try_wait(), Ok(None))
}

/// Writes event after event, sends what is not acked, and sends it again, until `over` and all is acked.
async fn shop(mqtt: String, mut cart: BareCart, over: Arc<AtomicBool>) -> BareCart {
    let (line, mut events) = cart.connect(&mqtt).await;
    cart.start(1);
    let mut acked = 0;
    while !over.load(Ordering::SeqCst) || acked < cart.head.seq {
        if !over.load(Ordering::SeqCst) && cart.head.seq < acked + 8 {
            cart.write(if cart.state.help { TripEvent::HelpEnded } else { TripEvent::HelpCalled });
        }
        let topic = topics::cart(&store(), &cart.id, Leaf::Event);
        line.publish(topic, QoS::AtLeastOnce, false, cart.signed_from(acked)).await.expect("queued");
        let hear = async {
            loop {
                let Event::Incoming(Packet::Publish(message)) = events.poll().await.expect("the line holds") else {
                    continue;
                };
                if matches!(topics::parse(&store(), &message.topic), Some((_, Leaf::Ack))) {
                    let ack: trip::message::Ack = serde_json::from_slice(&message.payload).expect("an ack");
                    assert!(ack.head.seq >= acked, "{} acked {acked}, and now {}", cart.id, ack.head.seq);
                    if ack.head.seq > acked {
                        return ack.head.seq;
                    }
                }
            }
        };
        acked = tokio::time::timeout(Duration::from_millis(300), hear).await.unwrap_or(acked);
    }
    cart
}

/// Carts that shop at a hub until they are told that it is over.
struct Crowd {
    hub: Process,
    over: Arc<AtomicBool>,
    carts: Vec<tokio::task::JoinHandle<BareCart>>,
}

impl Crowd {
    /// A hub in `folder` with its database at `url`, and four carts.
    fn start(folder: &Path, url: &str) -> Self {
        let carts: Vec<BareCart> = (1..=4).map(|n| BareCart::new(&format!("cart-{n}"))).collect();
        set_up(folder, None, &carts);
        keep_in(url, folder);
        let (hub, over) = (hub(folder), Arc::new(AtomicBool::new(false)));
        let shop = |cart| tokio::spawn(shop(hub.address("mqtt"), cart, over.clone()));
        let carts = carts.into_iter().map(shop).collect();
        Self { hub, over, carts }
    }

    /// All comes to rest; then `cluster` has what the carts have, once and in order, and the hub was never started again.
    async fn came_through(mut self, cluster: &Cluster) {
        self.over.store(true, Ordering::SeqCst);
        let mut all = 0;
        for cart in self.carts {
            let cart =
                tokio::time::timeout(PATIENCE, cart).await.expect("all is acked in the end").expect("it shopped");
            let kept =
                cluster.ask(&format!("SELECT text FROM {SCHEMA}.record WHERE cart = '{}' ORDER BY seq", cart.id));
            assert_eq!(kept.lines().collect::<Vec<_>>(), cart.texts, "{}", cart.id);
            let head = cluster.ask(&format!("SELECT seq FROM {SCHEMA}.head WHERE cart = '{}'", cart.id));
            assert_eq!(head, cart.head.seq.to_string());
            all += cart.texts.len();
        }
        assert!(all > 100, "only {all} records were sent");
        assert_eq!(cluster.ask(&format!("SELECT count(*) FROM {SCHEMA}.record")), all.to_string());
        let odd = format!("SELECT reason FROM {SCHEMA}.quarantine UNION SELECT reason FROM {SCHEMA}.fence");
        assert_eq!(cluster.ask(&odd), "", "nothing looked like a fork");
        assert!(goes_on(&mut self.hub), "the hub has ended");
        assert_eq!(cluster.ask(&format!("SELECT generation FROM {SCHEMA}.owner")), "1", "no other hub was started");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_is_killed_again_and_again_loses_nothing_acked_and_the_hub_goes_on() {
    let Some(mut cluster) = Cluster::start() else { return };
    let folder = TempDir::new().expect("a folder");
    let crowd = Crowd::start(folder.path(), &cluster.url());
    let cluster = tokio::task::spawn_blocking(move || {
        for kill in 0..KILLS {
            std::thread::sleep(Duration::from_millis(300 + 37 * u64::from(kill)));
            cluster.kill();
            // At times it is there again within a commit's patience, at times long after it.
            std::thread::sleep(Duration::from_millis(if kill % 4 == 3 { 1_500 } else { 0 }));
            cluster.resume();
        }
        cluster
    });
    crowd.came_through(&cluster.await.expect("killed and started")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_standby_that_takes_the_databases_place_has_all_that_was_acked() {
    let Some(mut first) = Cluster::start() else { return };
    let second = first.standby();
    let folder = TempDir::new().expect("a folder");
    let url = format!("{}&host={}", first.url(), second.socket().display());
    let crowd = Crowd::start(folder.path(), &url);
    let second = tokio::task::spawn_blocking(move || {
        std::thread::sleep(Duration::from_secs(2));
        first.kill();
        std::thread::sleep(Duration::from_secs(1));
        second.ask("SELECT pg_promote()");
        std::thread::sleep(Duration::from_secs(2));
        second
    });
    crowd.came_through(&second.await.expect("it took its place")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_ends_while_the_database_is_gone_is_charged_once_and_has_its_receipt() {
    let Some(mut cluster) = Cluster::start() else { return };
    let folder = TempDir::new().expect("a folder");
    let simulator = simulator(folder.path(), &[]);
    let cart = store_with_locked_cart(folder.path(), &simulator);
    keep_in(&cluster.url(), folder.path());
    let mut hub = hub(folder.path());
    listen_for(&hub, &cart, |order| matches!(order, Order::AwaitTap { .. })).await;
    tokio::time::timeout(PATIENCE, async { while charged(&simulator).await.is_empty() {} })
        .await
        .expect("the terminal is asked");
    cluster.kill();
    assert!(tap(&simulator, "visa").await);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert!(goes_on(&mut hub), "the hub waits for its database");
    let cluster = tokio::task::spawn_blocking(move || {
        cluster.resume();
        cluster
    });
    let cluster = cluster.await.expect("started");
    listen_for(&hub, &cart, |order| matches!(order, Order::Receipt { .. })).await;
    let taken = charged(&simulator).await;
    assert_eq!(taken.iter().map(|(_, progress)| progress.as_str()).collect::<Vec<_>>(), ["approved"]);
    assert_eq!(cluster.ask(&format!("SELECT count(*) FROM {SCHEMA}.receipt WHERE NOT void")), "1");
    assert!(goes_on(&mut hub));
}

#[test]
fn a_second_hub_takes_the_store_over_and_the_first_ends() {
    let Some(cluster) = Cluster::start() else { return };
    let folder = TempDir::new().expect("a folder");
    set_up(folder.path(), None, []);
    keep_in(&cluster.url(), folder.path());
    let mut first = hub(folder.path());
    let mut second = hub(folder.path());
    let ended = (0..300).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        !goes_on(&mut first)
    });
    assert!(ended && goes_on(&mut second));
    assert!(!folder.path().join("hub/hub.db").exists(), "nothing is kept in a file beside it");
}
