//! Two hundred carts and one hub, over the real line: how many events a second the hub takes in for good, how
//! long an event waits for its ack, and how long it takes until all carts are there again when the hub was gone.
//!
//! The carts are the carts' own side of the line with a journal in memory, so that the disk is the hub's alone;
//! the hub is the program, with its own broker, in a process of its own on the disk.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::{Connection, params};
use tests::crowd::{self, Crowd, Name};
use tests::process::{Running, assets, command};
use trip::{Catalogue, StoreId};

use super::Bench;
use super::report::{Report, ms};

/// Carts of a large store.
const CARTS: usize = 200;
/// Events of each cart in the flood: a large basket.
const FLOOD: usize = 256;
/// Floods, in turns with the bare database.
const FLOODS: usize = 7;
/// For how long events come at a steady rate.
const STEADY: Duration = Duration::from_secs(10);
/// Rows in one commit of the bare database: what the hub gets in one batch at most.
const GROUP: usize = 64;
/// Nothing here takes longer.
const PATIENCE: Duration = Duration::from_secs(180);

/// The hub's files and its address, which it keeps over a restart.
struct Hub {
    config: PathBuf,
    address: SocketAddr,
    running: Option<Running>,
}

impl Hub {
    fn new(folder: &Path, carts: &[Name]) -> anyhow::Result<Self> {
        let address = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
        let quoted = |path: &Path| toml::Value::from(path.display().to_string()).to_string();
        let mut text = format!(
            "store = \"market-street\"\ndata = {}\ncatalogue = {}\nhttp = \"127.0.0.1:0\"\n\n[bus]\nlisten = \"{address}\"\n\n\
             [[lane]]\nid = \"1\"\nterminal = \"127.0.0.1:9\"\npassphrase = \"none\"\n",
            quoted(&folder.join("hub")),
            quoted(&assets().join("store/catalogue.toml")),
        );
        for Name { id, key } in carts {
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
    let names = crowd::names(CARTS)?;
    let mut hub = Hub::new(&folder, &names)?;
    hub.start()?;
    let catalogue = Catalogue::parse(&std::fs::read_to_string(assets().join("store/catalogue.toml"))?)?.version;
    let mut carts = Crowd::join(hub.address, &StoreId::new("market-street")?, catalogue, names)?;
    // Everybody is there, and has begun a trip.
    carts.all_write()?;
    carts.in_sync(PATIENCE)?;
    carts.take_waits();

    for rate in [60, 600] {
        steady(&mut carts, rate)?;
        let waited = carts.take_waits().into_iter().map(ms).collect();
        let note =
            "From the record in the cart's journal to the hub's ack at the cart; 200 carts in turn, ten seconds.";
        report.add(format!("ack at {rate} events a second"), "ms", waited, note);
    }

    flood(&folder, &mut carts, report)?;

    hub.cut()?;
    carts.all_write()?;
    std::thread::sleep(Duration::from_secs(3));
    hub.start()?;
    let began = Instant::now();
    carts.in_sync(PATIENCE)?;
    let note =
        "From the hub that is ready again after three seconds to the last of 200 carts that is back and in sync.";
    report.add("reconnect storm", "ms", vec![ms(began.elapsed())], note);
    carts.leave();
    hub.cut()
}

fn steady(carts: &mut Crowd, rate: u32) -> anyhow::Result<()> {
    let (began, mut written) = (Instant::now(), 0_u32);
    while began.elapsed() < STEADY {
        let due = (began.elapsed().as_secs_f64() * f64::from(rate)) as u32;
        while written < due {
            carts.write(written as usize % carts.len())?;
            written += 1;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    carts.in_sync(PATIENCE)
}

/// Everybody has a whole basket to tell; then a bare database takes the same rows, a batch a commit; in turns.
fn flood(folder: &Path, carts: &mut Crowd, report: &mut Report) -> anyhow::Result<()> {
    let mut db = Connection::open(folder.join("bare.sqlite"))?;
    db.pragma_update(None, "journal_mode", "WAL")?;
    db.pragma_update(None, "synchronous", "FULL")?;
    db.execute_batch("CREATE TABLE record (seq INTEGER PRIMARY KEY, bytes TEXT NOT NULL) STRICT")?;
    let events = (carts.len() * FLOOD) as f64;
    let (mut ours, mut bare, mut seq) = (Vec::new(), Vec::new(), 0);
    for _ in 0..FLOODS {
        let began = carts.all_write_at_once(FLOOD)?;
        carts.in_sync(PATIENCE)?;
        ours.push(events / began.elapsed().as_secs_f64());
        let rows = carts.newest(FLOOD);
        let began = Instant::now();
        for group in rows.iter().flat_map(|texts| texts.chunks(GROUP)) {
            let tx = db.transaction()?;
            let mut insert = tx.prepare_cached("INSERT INTO record VALUES (?1, ?2)")?;
            for text in group {
                seq += 1;
                insert.execute(params![seq, text])?;
            }
            drop(insert);
            tx.commit()?;
        }
        bare.push(events / began.elapsed().as_secs_f64());
    }
    report.ratio("ingest ÷ bare", &ours, &bare, "The two below, in turns.");
    let note =
        "200 carts send 256 events each from their journals at once; to the last ack, signed, checked and replayed.";
    report.add("  ingest", "events/s", ours, note);
    let note = "The same rows by bare SQLite with WAL and synchronous=FULL on the same disk, 64 rows a commit.";
    report.add("  bare group commit", "events/s", bare, note);
    Ok(())
}
