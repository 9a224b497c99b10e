//! Hub and cart as services: what they tell the service manager, how they end when they are asked to, what
//! they leave behind, and a disk that is full.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use anyhow::Context;
use ed25519_dalek::SigningKey;
use rumqttc::{Client, Event, MqttOptions, Packet, QoS};
use rusqlite::{Connection, OpenFlags};
use store_sync::sign::seal;
use tempfile::TempDir;
use tests::process::{Running, assets, command, wait_for};
use tests::rig::disk::unshare;
use trip::chain::Head;
use trip::message::{Ack, Batch, VERSION};
use trip::topics::{Leaf, cart as topic, cart_down};
use trip::{CartId, Hash, Record, StoreId, TripEvent, UnixMillis};

/// The service manager, as far as a service sees it.
struct Manager {
    socket: UnixDatagram,
    path: PathBuf,
}

impl Manager {
    fn new(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("notify");
        let socket = UnixDatagram::bind(&path)?;
        socket.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self { socket, path })
    }

    /// Has `program` notify it, with a sign of life within so long.
    fn watch(&self, program: &mut Command, within: Duration) {
        program.env("NOTIFY_SOCKET", &self.path).env("WATCHDOG_USEC", within.as_micros().to_string());
    }

    /// Waits for `word`; how many others came before it.
    fn wait(&self, word: &str) -> anyhow::Result<usize> {
        let mut others = 0;
        let mut bytes = [0; 4096];
        loop {
            let length = self.socket.recv(&mut bytes).with_context(|| format!("waiting for {word}"))?;
            let told = String::from_utf8_lossy(&bytes[..length]).into_owned();
            if told.lines().any(|line| line == word) {
                return Ok(others);
            }
            others += 1;
        }
    }
}

const STORE: &str = "market-street";
const CART: &str = "cart-01";

/// A hub without lanes, and the one cart that it knows.
struct Place {
    folder: TempDir,
    key: SigningKey,
}

impl Place {
    fn new() -> anyhow::Result<Self> {
        Self::with_hub_in("hub")
    }

    fn with_hub_in(data: &str) -> anyhow::Result<Self> {
        use base64::Engine;
        let (folder, key) = (TempDir::new()?, SigningKey::from_bytes(&[5; 32]));
        let public = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(key.verifying_key().to_bytes());
        let catalogue = assets().join("store/catalogue.toml");
        let catalogue = catalogue.canonicalize()?;
        let config = format!(
            "store = \"{STORE}\"\ndata = \"{data}\"\ncatalogue = \"{}\"\nbus = {{ listen = \"127.0.0.1:0\" }}\n\
             http = \"127.0.0.1:0\"\n[[cart]]\nid = \"{CART}\"\npublic_key = \"{public}\"\n",
            catalogue.display()
        );
        std::fs::write(folder.path().join("hub.toml"), config)?;
        Ok(Self { folder, key })
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn hub(&self) -> anyhow::Result<Command> {
        let mut hub = command("store-hub")?;
        hub.arg("--config").arg(self.at("hub.toml")).env("TRUNDLE_TRUST", self.at("trust"));
        Ok(hub)
    }

    /// Starts it and waits until carts may come; where its broker is.
    fn start_hub(&self, hub: Command) -> anyhow::Result<(Running, String)> {
        let (running, ready) = self.start_ready(hub)?;
        Ok((running, ready["mqtt"].as_str().context("an address")?.to_owned()))
    }

    /// The same, with all that it says when it is ready.
    fn start_ready(&self, hub: Command) -> anyhow::Result<(Running, serde_json::Value)> {
        let (running, lines) = Running::start_and_listen(hub)?;
        let line = lines.recv_timeout(Duration::from_secs(120)).context("the hub's first line")?;
        Ok((running, serde_json::from_str(&line)?))
    }

    /// Records from the first to the `last` in the hub's database: how many, and the highest number.
    fn stored(&self) -> anyhow::Result<(u64, u64)> {
        let db = Connection::open_with_flags(self.at("hub/hub.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
        let sql = "SELECT COUNT(*), COALESCE(MAX(seq), 0) FROM record";
        Ok(db.query_row(sql, [], |row| Ok((row.get::<_, i64>(0)? as u64, row.get::<_, i64>(1)? as u64)))?)
    }
}

fn health(folder: &Path) -> Option<serde_json::Value> {
    // It is renewed by renaming, so what is there is whole.
    std::fs::read(folder.join("health.json")).ok().map(|text| serde_json::from_slice(&text).expect("whole JSON"))
}

/// A cart's line, held by hand.
struct Wire {
    client: Client,
    acks: Receiver<Ack>,
}

impl Wire {
    fn open(mqtt: &str) -> anyhow::Result<Self> {
        let (store, cart) = (StoreId::new(STORE)?, CartId::new(CART)?);
        let (host, port) = mqtt.rsplit_once(':').context("host:port")?;
        let (client, mut connection) = Client::new(MqttOptions::new("wire", host, port.parse()?), 512);
        client.subscribe(cart_down(&store, &cart), QoS::AtLeastOnce)?;
        let (heard, acks) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            // Until the hub is gone.
            for event in connection.iter().map_while(Result::ok) {
                if let Event::Incoming(Packet::Publish(publish)) = event
                    && publish.topic.ends_with("/down/ack")
                    && let Ok(ack) = serde_json::from_slice(&publish.payload)
                {
                    let _ = heard.send(ack);
                }
            }
        });
        Ok(Self { client, acks })
    }

    fn send(&self, payload: &[u8]) -> anyhow::Result<()> {
        let (store, cart) = (StoreId::new(STORE)?, CartId::new(CART)?);
        Ok(self.client.publish(topic(&store, &cart, Leaf::Event), QoS::AtLeastOnce, false, payload)?)
    }

    /// Waits until the hub has acked up to `seq`; the last ack.
    fn acked(&self, seq: u64) -> anyhow::Result<u64> {
        loop {
            let ack = self.acks.recv_timeout(Duration::from_secs(60)).context("an ack")?;
            if ack.head.seq >= seq {
                return Ok(ack.head.seq);
            }
        }
    }

    /// The last ack of those that have come.
    fn last(&self) -> Option<u64> {
        self.acks.try_iter().map(|ack| ack.head.seq).max()
    }
}

/// `count` batches of eight records each, as that cart signs them.
fn batches(key: &SigningKey, count: usize) -> anyhow::Result<Vec<Vec<u8>>> {
    let (store, cart) = (StoreId::new(STORE)?, CartId::new(CART)?);
    let mut head = Head::default();
    let mut texts = Vec::new();
    for n in 0..count * 8 {
        let record = Record {
            v: 1,
            store: store.clone(),
            cart: cart.clone(),
            epoch: 7,
            seq: head.seq + 1,
            at: UnixMillis(0),
            prev: head.hash,
            event: if n % 2 == 0 { TripEvent::HelpCalled } else { TripEvent::HelpEnded },
        };
        let text = record.encode();
        head = Head { seq: record.seq, hash: Hash::of(text.as_bytes()) };
        texts.push(text);
    }
    let signed = |records: &[String]| {
        let batch = Batch { v: VERSION, cart: cart.clone(), epoch: 7, records: records.to_vec() };
        Ok(serde_json::to_vec(&seal(&batch, key))?)
    };
    texts.chunks(8).map(signed).collect()
}

#[test]
fn a_hub_tells_its_service_manager_that_it_is_ready_alive_and_stopping() -> anyhow::Result<()> {
    let place = Place::new()?;
    let manager = Manager::new(place.folder.path())?;
    let mut hub = place.hub()?;
    manager.watch(&mut hub, Duration::from_secs(3));
    hub.arg("--log").arg(place.at("log/hub.log"));
    let (hub, _) = place.start_hub(hub)?;
    manager.wait("READY=1")?;
    for _ in 0..3 {
        manager.wait("WATCHDOG=1")?;
    }
    let health = wait_for("its health file", || Ok(health(&place.at("hub")).filter(|h| h["connected"] == true)))?;
    assert_eq!((&health["program"], &health["disk_has_room"]), (&"store-hub".into(), &true.into()), "{health}");
    assert_eq!(health["pid"], hub.id());
    hub.terminate()?;
    manager.wait("STOPPING=1")?;
    let ended = hub.ended()?;
    assert_eq!((ended.code(), ended.stderr.as_str()), (0, ""), "all it had to say is in its log");
    assert!(place.at("log/hub.log").is_file());
    Ok(())
}

#[test]
fn a_cart_tells_its_service_manager_that_it_is_ready_alive_and_stopping() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let manager = Manager::new(folder.path())?;
    let config = folder.path().join("cart.toml");
    let data = folder.path().join("cart");
    std::fs::write(&config, cart_app::demo::cart_config(&assets(), &data, ([127, 0, 0, 1], 9).into()))?;
    let mut cart = command("cart")?;
    cart.args(["run", "--headless", "--config"]).arg(&config);
    manager.watch(&mut cart, Duration::from_secs(3));
    let cart = Running::start(cart)?;
    manager.wait("READY=1")?;
    for _ in 0..3 {
        manager.wait("WATCHDOG=1")?;
    }
    let health = wait_for("its health file", || Ok(health(&data)))?;
    assert_eq!((&health["program"], &health["phase"]), (&"cart".into(), &"idle".into()), "{health}");
    assert_eq!(health["connected"], false, "there is no hub");
    cart.terminate()?;
    manager.wait("STOPPING=1")?;
    assert_eq!(cart.ended()?.code(), 0);
    Ok(())
}

#[test]
fn a_hub_that_is_asked_to_end_while_records_pour_in_loses_none_that_it_acked() -> anyhow::Result<()> {
    let place = Place::new()?;
    let batches = batches(&place.key, 400)?;
    let (hub, mqtt) = place.start_hub(place.hub()?)?;
    let wire = Wire::open(&mqtt)?;
    batches.iter().try_for_each(|batch| wire.send(batch))?;
    let acked = wire.acked(80)?;
    hub.terminate()?;
    let ended = hub.ended()?;
    assert_eq!(ended.code(), 0, "{}", ended.stderr);

    let acked = wire.last().unwrap_or(acked).max(acked);
    let (count, highest) = place.stored()?;
    assert_eq!(count, highest, "no gap");
    assert!(highest >= acked, "{acked} were acked, {highest} are stored");
    assert!(highest < 3_200, "it ended while they poured in, and did not wait for the last");

    // All of it comes again, as a cart sends again what is not acked.
    let (hub, mqtt) = place.start_hub(place.hub()?)?;
    let wire = Wire::open(&mqtt)?;
    batches.iter().try_for_each(|batch| wire.send(batch))?;
    wire.acked(3_200)?;
    drop(hub);
    assert_eq!(place.stored()?, (3_200, 3_200));
    Ok(())
}

#[test]
fn dashboards_that_read_nothing_hold_nobody_up() -> anyhow::Result<()> {
    let place = Place::new()?;
    let (_hub, ready) = place.start_ready(place.hub()?)?;
    let address = |name: &str| ready[name].as_str().context("an address");
    let http = address("http")?;
    let ask = format!("GET /live HTTP/1.1\r\nHost: {http}\r\n\r\n");
    let mut boards = Vec::new();
    for _ in 0..20 {
        let mut board = TcpStream::connect(http)?;
        board.write_all(ask.as_bytes())?;
        boards.push(board);
    }
    // Each batch changes the board, which is drawn anew for all who look.
    let batches = batches(&place.key, 400)?;
    let wire = Wire::open(address("mqtt")?)?;
    batches.iter().try_for_each(|batch| wire.send(batch))?;
    wire.acked(3_200)?;
    // Who reads at last is told how things are.
    let mut board = BufReader::new(boards.pop().context("a board")?);
    let told = board.by_ref().lines().map_while(Result::ok).any(|line| line == "event: board");
    assert!(told);
    Ok(())
}

/// The hub in a mount namespace of its own, with its data on a small disk; `None` where that cannot be had.
fn on_a_small_disk(place: &Place) -> anyhow::Result<Option<Command>> {
    let shell = || {
        let mut shell = unshare();
        shell.args(["sh", "-c"]);
        shell
    };
    let disk = place.at("disk");
    std::fs::create_dir(&disk)?;
    let mount = format!("mount -t tmpfs -o size=24m none '{}'", disk.display());
    if !shell().arg(&mount).output().is_ok_and(|tried| tried.status.success()) {
        return Ok(None);
    }
    let hub = place.hub()?;
    let mut small = shell();
    small.arg(format!("{mount} && exec \"$0\" \"$@\"")).arg(hub.get_program()).args(hub.get_args());
    for (name, value) in hub.get_envs() {
        if let Some(value) = value {
            small.env(name, value);
        }
    }
    Ok(Some(small))
}

#[test]
fn a_hub_whose_disk_is_full_acks_nothing_and_takes_all_in_once_there_is_room() -> anyhow::Result<()> {
    let place = Place::with_hub_in("disk/hub")?;
    let Some(hub) = on_a_small_disk(&place)? else {
        eprintln!("skipped: this system gives no mount namespace");
        return Ok(());
    };
    let (mut hub, mqtt) = place.start_hub(hub)?;
    // The same disk, seen from outside.
    let disk = PathBuf::from(format!("/proc/{}/root", hub.id())).join(place.at("disk").strip_prefix("/")?);
    assert_eq!(std::fs::metadata(disk.join("hub/reserve"))?.len(), 8 * 1024 * 1024, "space for payments is kept");
    let batches = batches(&place.key, 200)?;
    let wire = Wire::open(&mqtt)?;
    wire.send(&batches[0])?;
    wire.acked(8)?;

    let filler = disk.join("filler");
    let full = std::fs::write(&filler, vec![0; 32 * 1024 * 1024]).expect_err("the disk is small");
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull, "{full}");
    batches[1..].iter().try_for_each(|batch| wire.send(batch))?;
    // What the database's own file has still room for may be taken in; then nothing more.
    let mut before = 8;
    while let Ok(ack) = wire.acks.recv_timeout(Duration::from_secs(5)) {
        before = ack.head.seq;
    }
    assert!(before < 1_600, "something must be left for the test to show");
    assert!(hub.runs()?, "a full disk stops nobody");

    std::fs::remove_file(&filler)?;
    batches.iter().try_for_each(|batch| wire.send(batch))?;
    wire.acked(1_600)?;
    assert!(disk.join("hub/reserve").exists(), "what is taken in costs no reserve");
    hub.terminate()?;
    let ended = hub.ended()?;
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(ended.stderr.contains("cannot take anything in"), "it was said");
    Ok(())
}
