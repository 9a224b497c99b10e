//! Two hundred carts and one hub, over the real line: how many events a second the hub takes in for good, how
//! long an event waits for its ack, and how long it takes until all carts are there again when the hub was gone.
//!
//! The carts are the carts' own side of the line with a journal in memory, so that the disk is the hub's alone;
//! the hub is the program, with its own broker, in a process of its own on the disk.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use rusqlite::{Connection, params};
use store_sync::{Journal, JournalError, Line, LinkConfig, Told};
use tests::process::{Running, assets, command, wait_for};
use tokio::sync::{mpsc, watch};
use trip::basket::Evidence;
use trip::chain::Head;
use trip::journal::Writer;
use trip::message::Ack;
use trip::{CartId, Catalogue, Grams, Hash, LineId, LineItem, Quantity, Sku, StoreId, TripEvent, TripId, UnixMillis};

use super::Bench;
use super::report::{Report, ms};

/// Carts of a large store.
const CARTS: usize = 200;
/// Events of each cart in the flood.
const FLOOD: usize = 60;
/// For how long events come at a steady rate.
const STEADY: Duration = Duration::from_secs(10);
/// Rows in one commit of the bare database: what the hub gets in one batch at most.
const GROUP: usize = 64;
/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(180);

/// A journal in memory, and when each record came and was freed.
#[derive(Debug, Default)]
struct Kept {
    records: Vec<String>,
    head: Head,
    acked: u64,
    came: BTreeMap<u64, Instant>,
    waited_ms: Vec<f64>,
}

#[derive(Clone, Debug)]
struct Memory {
    epoch: u64,
    kept: Arc<Mutex<Kept>>,
}

impl Memory {
    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Journal for Memory {
    fn epoch(&self) -> u64 {
        self.epoch
    }

    fn ends(&mut self) -> Result<(u64, u64), JournalError> {
        let kept = self.kept();
        Ok((kept.records.len() as u64, kept.acked))
    }

    fn records(&mut self, first: u64, last: u64) -> Result<Vec<String>, JournalError> {
        let kept = self.kept();
        let range = kept.records.get(first as usize - 1..last as usize);
        range.map(<[String]>::to_vec).ok_or_else(|| JournalError(format!("no records {first} to {last}")))
    }

    fn free(&mut self, ack: &Ack) -> Result<(), JournalError> {
        let now = Instant::now();
        let mut kept = self.kept();
        kept.acked = ack.head.seq;
        let later = kept.came.split_off(&(ack.head.seq + 1));
        let freed = std::mem::replace(&mut kept.came, later);
        kept.waited_ms.extend(freed.into_values().map(|came| ms(now - came)));
        Ok(())
    }
}

/// One cart.
struct Cart {
    id: CartId,
    journal: Memory,
    writer: Writer,
    catalogue: Hash,
    lines: u32,
    appended: watch::Sender<u64>,
}

impl Cart {
    /// Writes the next event of its trip.
    fn write(&mut self) -> anyhow::Result<()> {
        let event = if self.lines == 0 {
            let trip = TripId::new(format!("{}.{}.1", self.id, self.journal.epoch))?;
            TripEvent::TripStarted { trip, catalogue: self.catalogue, baseline: Grams(0) }
        } else {
            // In and out again: a basket that stays as small as a shopper's.
            let line = LineId(self.lines.div_ceil(2));
            if self.lines % 2 == 1 {
                let sku = Sku::new("chopped-tomatoes-400")?;
                let (quantity, weight, evidence) = (Quantity::Each(1), Some(Grams(455)), Evidence::SeenAndWeighed);
                TripEvent::ItemAdded { item: LineItem { line, sku, quantity, weight, evidence } }
            } else {
                TripEvent::ItemRemoved { line, pieces: 1, weight: Some(Grams(-455)) }
            }
        };
        self.lines += 1;
        let mut kept = self.journal.kept();
        let (records, head) = self.writer.continue_from(kept.head, &[event], UnixMillis(0));
        kept.head = head;
        for (seq, text) in records {
            kept.records.push(text);
            kept.came.insert(seq, Instant::now());
        }
        drop(kept);
        self.appended.send_replace(head.seq);
        Ok(())
    }
}

/// The hub's files and its address, which it keeps over a restart.
struct Hub {
    config: PathBuf,
    address: SocketAddr,
    running: Option<Running>,
}

impl Hub {
    fn new(folder: &Path, carts: &[(CartId, SigningKey)]) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let quoted = |path: &Path| toml::Value::from(path.display().to_string()).to_string();
        let mut text = format!(
            "store = \"market-street\"\ndata = {}\ncatalogue = {}\nhttp = \"127.0.0.1:0\"\n\n[bus]\nlisten = \"{address}\"\n\n\
             [[lane]]\nid = \"1\"\nterminal = \"127.0.0.1:9\"\npassphrase = \"none\"\n",
            quoted(&folder.join("hub")),
            quoted(&assets().join("store/catalogue.toml")),
        );
        for (id, key) in carts {
            let key = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
            text.push_str(&format!("\n[[cart]]\nid = \"{id}\"\npublic_key = \"{key}\"\n"));
        }
        let config = folder.join("hub.toml");
        std::fs::write(&config, text).with_context(|| config.display().to_string())?;
        Ok(Self { config, address, running: None })
    }

    fn start(&mut self) -> anyhow::Result<()> {
        let mut hub = command("store-hub")?;
        hub.arg("--config").arg(&self.config).env("RUST_LOG", "error");
        let (running, lines) = Running::start_and_listen(hub)?;
        if lines.recv_timeout(Duration::from_secs(60)).is_err() {
            bail!("the hub did not start: {}", running.ended()?.stderr);
        }
        self.running = Some(running);
        Ok(())
    }

    fn cut(&mut self) -> anyhow::Result<()> {
        self.running.take().map_or(Ok(()), Running::cut)
    }
}

/// All of it.
pub fn all(bench: &Bench, report: &mut Report) -> anyhow::Result<()> {
    let folder = bench.folder.join("sync");
    std::fs::create_dir_all(&folder)?;
    let names: Vec<(CartId, SigningKey)> = (0..CARTS)
        .map(|n| {
            let name = format!("cart-{n:03}");
            Ok((CartId::new(name.clone())?, SigningKey::from_bytes(&Hash::of(name.as_bytes()).0)))
        })
        .collect::<anyhow::Result<_>>()?;
    let mut hub = Hub::new(&folder, &names)?;
    hub.start()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let (stop, stopped) = watch::channel(false);
    let catalogue = Catalogue::parse(&std::fs::read_to_string(assets().join("store/catalogue.toml"))?)?.version;
    let mut carts = Vec::new();
    for (id, key) in names {
        carts.push(join(&runtime, &hub, id, key, catalogue, &stopped)?);
    }
    // Everybody is there, and has begun a trip.
    carts.iter_mut().try_for_each(Cart::write)?;
    all_acked(&carts)?;
    forget(&carts);

    for rate in [60, 600] {
        steady(&mut carts, rate)?;
        let waited = forget(&carts);
        let note =
            "From the record in the cart's journal to the hub's ack at the cart; 200 carts in turn, ten seconds.";
        report.add(format!("ack at {rate} events a second"), "ms", waited, note);
    }

    flood(&folder, &mut carts, report)?;
    forget(&carts);

    hub.cut()?;
    carts.iter_mut().try_for_each(Cart::write)?;
    std::thread::sleep(Duration::from_secs(3));
    hub.start()?;
    let began = Instant::now();
    all_acked(&carts)?;
    let note =
        "From the hub that is ready again after three seconds to the last of 200 carts that is back and in sync.";
    report.add("reconnect storm", "ms", vec![ms(began.elapsed())], note);
    stop.send_replace(true);
    runtime.shutdown_timeout(Duration::from_secs(2));
    hub.cut()
}

fn join(
    runtime: &tokio::runtime::Runtime,
    hub: &Hub,
    id: CartId,
    key: SigningKey,
    catalogue: Hash,
    stopped: &watch::Receiver<bool>,
) -> anyhow::Result<Cart> {
    let store = StoreId::new("market-street")?;
    let epoch = 1;
    let journal = Memory { epoch, kept: Arc::default() };
    let config = LinkConfig {
        host: hub.address.ip().to_string(),
        port: hub.address.port(),
        store: store.clone(),
        cart: id.clone(),
        boot_epoch: 1,
        tls: None,
    };
    let (events, mut heard) = mpsc::channel(256);
    let _inside = runtime.enter();
    let (line, event_loop) = Line::new(config, key, journal.clone(), events)?;
    let (appended, appended_seen) = watch::channel(0);
    let told = Told { appended: appended_seen, telemetry: watch::channel(None).1, offers: watch::channel(None).1 };
    runtime.spawn(line.run(event_loop, told, stopped.clone()));
    runtime.spawn(async move { while heard.recv().await.is_some() {} });
    Ok(Cart { writer: Writer { store, cart: id.clone(), epoch }, id, journal, catalogue, lines: 0, appended })
}

fn all_acked(carts: &[Cart]) -> anyhow::Result<()> {
    let began = Instant::now();
    wait_for("all carts in sync", || {
        if began.elapsed() > PATIENCE {
            bail!("some carts are still behind");
        }
        let behind = carts.iter().any(|cart| {
            let kept = cart.journal.kept();
            kept.acked < kept.records.len() as u64
        });
        Ok((!behind).then_some(()))
    })
}

/// What was waited up to now, and no more of it.
fn forget(carts: &[Cart]) -> Vec<f64> {
    carts.iter().flat_map(|cart| std::mem::take(&mut cart.journal.kept().waited_ms)).collect()
}

fn steady(carts: &mut [Cart], rate: u32) -> anyhow::Result<()> {
    let (began, mut written) = (Instant::now(), 0_u32);
    while began.elapsed() < STEADY {
        let due = (began.elapsed().as_secs_f64() * f64::from(rate)) as u32;
        while written < due {
            let cart = written as usize % carts.len();
            carts[cart].write()?;
            written += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    all_acked(carts)
}

/// Everybody writes as fast as the hub takes it in; then a bare database the same rows, a batch a commit.
fn flood(folder: &Path, carts: &mut [Cart], report: &mut Report) -> anyhow::Result<()> {
    let began = Instant::now();
    for _ in 0..FLOOD {
        carts.iter_mut().try_for_each(Cart::write)?;
    }
    all_acked(carts)?;
    let events = (carts.len() * FLOOD) as f64;
    let ours = events / began.elapsed().as_secs_f64();
    let db = Connection::open(folder.join("bare.sqlite"))?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.execute_batch("CREATE TABLE record (seq INTEGER PRIMARY KEY, bytes TEXT NOT NULL) STRICT")?;
    let mut db = db;
    let began = Instant::now();
    let mut seq = 0;
    for cart in carts.iter() {
        let texts: Vec<String> = cart.journal.kept().records.iter().rev().take(FLOOD).cloned().collect();
        for group in texts.chunks(GROUP) {
            let tx = db.transaction()?;
            for text in group {
                seq += 1;
                tx.execute("INSERT INTO record VALUES (?1, ?2)", params![seq, text])?;
            }
            tx.commit()?;
        }
    }
    let bare = events / began.elapsed().as_secs_f64();
    let note = "200 carts write 60 events each at once; from the first to the last ack, signed, checked and replayed.";
    report.add("ingest", "events/s", vec![ours], note);
    let note = "The same rows by bare SQLite with WAL and synchronous=FULL on the same disk, 60 rows a commit.";
    report.add("bare group commit", "events/s", vec![bare], note);
    report.add("ingest ÷ bare", "×", vec![ours / bare], "The two above.");
    Ok(())
}
