//! Against a real server, and a line to it that is cut where it hurts.

use std::io::{Read, Write as _};
use std::net::Shutdown;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::cluster::Cluster;
use super::*;

/// A schema of `market-street` on the server of `url`.
fn open(url: &str) -> Result<PostgresStore, StoreError> {
    open_as(url, "market-street", None)
}

fn open_as(url: &str, store: &str, password_file: Option<&Path>) -> Result<PostgresStore, StoreError> {
    let connection = url.parse().expect("an address");
    let config = DatabaseConfig { connection, password_file: password_file.map(Path::to_owned) };
    PostgresStore::open(&config, &StoreId::new(store).expect("valid"))
}

fn record(seq: u64) -> Write {
    Write::Record { cart: CartId::new("cart-1").expect("valid"), epoch: 7, seq, text: format!("record {seq}") }
}

fn records(store: &PostgresStore) -> Vec<u64> {
    let cart = CartId::new("cart-1").expect("valid");
    (1..=9).filter(|seq| store.record(&cart, 7, *seq).expect("read").is_some()).collect()
}

/// Until the server has let the hub in again.
fn patiently<T>(mut call: impl FnMut() -> Result<T, StoreError>) -> T {
    for _ in 0..600 {
        match call() {
            Err(e) if e.kind == StoreKind::Busy => std::thread::sleep(Duration::from_millis(50)),
            done => return done.expect("nothing worse than away"),
        }
    }
    panic!("it stays away");
}

#[test]
fn postgresql_does_what_every_store_must() {
    let Some(cluster) = Cluster::start() else { return };
    crate::store::conformance::run(&|| open(&cluster.url()).expect("a store"));
    // A refused payload takes a number each time it comes again, and still nothing but the oldest is forgotten.
    let mut store = open_as(&cluster.url(), "other", None).expect("a store");
    let odd = |n: u8| {
        let (cart, digest) = (CartId::new("cart-1").expect("valid"), Hash::of(&[n]));
        Write::Quarantine(QuarantineRow { cart, digest, reason: "a\0b".into(), payload: vec![n, 0], at: UnixMillis(1) })
    };
    for _ in 0..MOST_QUARANTINED {
        store.commit(&[odd(1)]).expect("committed");
    }
    store.commit(&[odd(2)]).expect("committed");
    assert_eq!(store.quarantine(9).expect("read").len(), 2);
    assert_eq!(store.quarantine(9).expect("read")[0].reason, "a\u{fffd}b");
}

#[test]
fn stores_of_one_server_know_nothing_of_each_other() {
    let Some(cluster) = Cluster::start() else { return };
    let mut one = open_as(&cluster.url(), "market-street", None).expect("a store");
    let mut other = open_as(&cluster.url(), "market.street_2", None).expect("a store");
    one.commit(&[record(1)]).expect("committed");
    other.commit(&[record(1), record(2)]).expect("committed");
    assert_eq!((records(&one), records(&other)), (vec![1], vec![1, 2]));
    one.owned().expect("the other took nothing over");
}

#[test]
fn a_server_that_must_not_be_used_is_refused_and_says_why() {
    let Some(cluster) = Cluster::start() else { return };
    let refused = |url: &str, file: Option<&Path>, kind: StoreKind, part: &str| {
        let error = open_as(url, "market-street", file).err().expect(part);
        let said = error.to_string();
        assert!(error.kind == kind && said.contains(part), "{:?}: {said}", error.kind);
        assert!(said.starts_with("database trundle_market-street in database ") && !said.contains("sesame"), "{said}");
    };
    let url = cluster.url();
    let none = url.replace("/trundle?", "/none?");
    refused(&none, None, StoreKind::Broken, "\"none\" does not exist");
    refused(&url.replace("host=", "host=/nowhere"), None, StoreKind::Busy, "/nowhere");

    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("word");
    refused(&url, Some(&file), StoreKind::Broken, "is not there");
    std::fs::write(&file, "open sesame\n").expect("written");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).expect("set");
    refused(&url, Some(&file), StoreKind::Broken, "chmod 600");
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("set");
    drop(open_as(&url, "market-street", Some(&file)).expect("private now"));

    cluster.ask("UPDATE \"trundle_market-street\".form SET version = version + 1");
    refused(&url, None, StoreKind::Broken, "use a newer store-hub");
    cluster.ask("ALTER SYSTEM SET fsync = off");
    cluster.ask("SELECT pg_reload_conf()");
    while cluster.ask("SHOW fsync") == "on" {}
    refused(&url, None, StoreKind::Broken, "fsync = off");
}

#[test]
fn a_password_opens_the_door_and_a_wrong_one_does_not() {
    let Some(cluster) = Cluster::start() else { return };
    cluster.ask("CREATE USER hub PASSWORD 'open sesame'");
    cluster.ask("GRANT CREATE ON DATABASE trundle TO hub");
    let rules = cluster.socket().join("data/pg_hba.conf");
    std::fs::write(rules, "local all trundle trust\nlocal all hub scram-sha-256\n").expect("written");
    cluster.ask("SELECT pg_reload_conf()");
    let url = cluster.url().replace("trundle@", "hub@");
    let folder = TempDir::new().expect("a folder");
    let file = folder.path().join("word");
    let write = |word: &str| {
        std::fs::write(&file, word).expect("written");
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).expect("set");
    };
    write("close sesame");
    // The rules are read in a moment.
    while open_as(&url, "market-street", Some(&file)).is_ok() {}
    let error = open_as(&url, "market-street", Some(&file)).err().expect("the wrong word");
    assert_eq!(error.kind, StoreKind::Broken, "{error}");
    assert!(error.to_string().contains("password authentication failed") && !error.to_string().contains("sesame"));
    write("open sesame\n");
    open_as(&url, "market-street", Some(&file)).expect("the right word").commit(&[record(1)]).expect("committed");
}

#[test]
fn a_server_that_is_killed_is_awaited_and_the_store_stays_the_same_hubs() {
    let Some(mut cluster) = Cluster::start() else { return };
    let mut store = open(&cluster.url()).expect("a store");
    store.commit(&[record(1)]).expect("committed");
    cluster.kill();
    for _ in 0..3 {
        assert_eq!(store.commit(&[record(2)]).map_err(|e| e.kind), Err(StoreKind::Busy));
        assert_eq!(store.owned().map_err(|e| e.kind), Err(StoreKind::Busy));
    }
    cluster.resume();
    patiently(|| store.owned());
    store.commit(&[record(2)]).expect("committed");
    assert_eq!(records(&store), [1, 2]);

    // The line alone is cut: nobody notices.
    cluster.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'store-hub'");
    store.commit(&[record(3)]).expect("committed");
    cluster.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'store-hub'");
    assert_eq!(records(&store), [1, 2, 3]);

    // Another hub has taken over meanwhile.
    cluster.kill();
    assert_eq!(store.owned().map_err(|e| e.kind), Err(StoreKind::Busy));
    cluster.resume();
    open(&cluster.url()).expect("another").commit(&[record(4)]).expect("committed");
    std::thread::sleep(Duration::from_millis(600));
    assert_eq!(store.commit(&[record(5)]).map_err(|e| e.kind), Err(StoreKind::Fenced));
}

#[test]
fn a_server_that_hangs_is_given_up_in_time_for_the_watchdog() {
    let Some(cluster) = Cluster::start() else { return };
    let mut store = open(&cluster.url()).expect("a store");
    store.commit(&[record(1)]).expect("committed");
    cluster.signal("-STOP");
    let began = Instant::now();
    assert_eq!(store.commit(&[record(2)]).map_err(|e| e.kind), Err(StoreKind::Busy));
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    let began = Instant::now();
    assert_eq!(store.owned().map_err(|e| e.kind), Err(StoreKind::Busy));
    assert!(began.elapsed() < Duration::from_millis(100), "it is left alone for a moment");
    cluster.signal("-CONT");
    patiently(|| store.commit(&[record(2)]));
    assert_eq!(records(&store), [1, 2]);
}

#[test]
fn an_older_copy_of_the_database_is_noticed() {
    let Some(cluster) = Cluster::start() else { return };
    let mut store = open(&cluster.url()).expect("a store");
    for seq in 1..=3 {
        store.commit(&[record(seq)]).expect("committed");
    }
    // As after a failover to a server that had not heard of the third yet.
    cluster.ask("UPDATE \"trundle_market-street\".owner SET last = 2; DELETE FROM \"trundle_market-street\".record WHERE seq = 3");
    cluster.ask("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'store-hub'");
    let error = store.commit(&[record(4)]).expect_err("one is missing");
    assert!(error.kind == StoreKind::Broken && error.to_string().contains("older copy"), "{error}");
    assert_eq!(cluster.ask("SELECT count(*) FROM \"trundle_market-street\".record"), "2");
}

/// What the door of a [`Gate`] does.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    /// Lets all through.
    Open,
    /// Cuts the line before the next COMMIT gets to the server; then it is open.
    CutsCommit,
    /// Lets the next COMMIT through, and cuts the line when its answer is there; then it is as the other says.
    CutsAnswer { shuts: bool },
    /// Lets nobody in.
    Shut,
}

/// A door before the server, in a folder of its own.
struct Gate {
    folder: TempDir,
    door: Arc<Mutex<Door>>,
}

impl Gate {
    fn before(cluster: &Cluster) -> Self {
        let folder = TempDir::new().expect("a folder");
        let listener = UnixListener::bind(folder.path().join(".s.PGSQL.5432")).expect("a socket");
        let (door, server) = (Arc::new(Mutex::new(Door::Open)), cluster.socket().join(".s.PGSQL.5432"));
        let gate = Self { folder, door: door.clone() };
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if *door.lock().expect("whole") != Door::Shut {
                    pass(&client, &UnixStream::connect(&server).expect("the server is there"), &door);
                }
            }
        });
        gate
    }

    fn set(&self, door: Door) {
        *self.door.lock().expect("whole") = door;
    }

    fn url(&self) -> String {
        format!("postgresql://trundle@/trundle?host={}", self.folder.path().display())
    }
}

/// Carries bytes to and fro. What the client says comes whole, for it waits for each answer.
fn pass(client: &UnixStream, server: &UnixStream, door: &Arc<Mutex<Door>>) {
    let (door, cuts) = (door.clone(), Arc::new(AtomicBool::new(false)));
    let cuts_answer = cuts.clone();
    carry(client, server, move |said| {
        let mut door = door.lock().expect("whole");
        match *door {
            Door::CutsCommit if commits(said) => {
                *door = Door::Open;
                return false;
            }
            Door::CutsAnswer { shuts } if commits(said) => {
                *door = if shuts { Door::Shut } else { Door::Open };
                cuts_answer.store(true, Ordering::SeqCst);
            }
            _ => {}
        }
        true
    });
    carry(server, client, move |_| !cuts.load(Ordering::SeqCst));
}

fn commits(said: &[u8]) -> bool {
    said.windows(7).any(|word| word == b"COMMIT\0")
}

/// Carries bytes one way while `lets` lets them, then hangs up both ends.
fn carry(from: &UnixStream, to: &UnixStream, mut lets: impl FnMut(&[u8]) -> bool + Send + 'static) {
    let (mut from, mut to) = (from.try_clone().expect("cloned"), to.try_clone().expect("cloned"));
    std::thread::spawn(move || {
        let mut bytes = [0; 65_536];
        while let Ok(n @ 1..) = from.read(&mut bytes) {
            if !lets(&bytes[..n]) || to.write_all(&bytes[..n]).is_err() {
                break;
            }
        }
        let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
    });
}

#[test]
fn a_commit_that_never_got_there_is_written_once() {
    let Some(cluster) = Cluster::start() else { return };
    let gate = Gate::before(&cluster);
    let mut store = open(&gate.url()).expect("a store");
    store.commit(&[record(1)]).expect("committed");
    gate.set(Door::CutsCommit);
    store.commit(&[record(2), Write::Count("refused")]).expect("tried once more");
    assert_eq!((records(&store), store.counter("refused").expect("read")), (vec![1, 2], 1));
}

#[test]
fn a_commit_whose_answer_was_lost_is_written_once() {
    let Some(cluster) = Cluster::start() else { return };
    let gate = Gate::before(&cluster);
    let mut store = open(&gate.url()).expect("a store");
    store.commit(&[record(1)]).expect("committed");
    gate.set(Door::CutsAnswer { shuts: false });
    store.commit(&[record(2), Write::Count("refused")]).expect("it is found to be there");
    store.commit(&[record(3)]).expect("committed");
    assert_eq!((records(&store), store.counter("refused").expect("read")), (vec![1, 2, 3], 1));
}

#[test]
fn a_commit_found_after_it_was_given_up_is_told_before_anything_else() {
    let Some(cluster) = Cluster::start() else { return };
    let gate = Gate::before(&cluster);
    let mut store = open(&gate.url()).expect("a store");
    store.commit(&[record(1)]).expect("committed");
    gate.set(Door::CutsAnswer { shuts: true });
    assert_eq!(store.commit(&[record(2)]).map_err(|e| e.kind), Err(StoreKind::Busy));
    assert_eq!(store.owned().map_err(|e| e.kind), Err(StoreKind::Busy));
    gate.set(Door::Open);
    std::thread::sleep(Duration::from_millis(600));
    for _ in 0..2 {
        assert_eq!(store.owned().map_err(|e| e.kind), Err(StoreKind::Behind));
        assert_eq!(store.commit(&[record(2)]).map_err(|e| e.kind), Err(StoreKind::Behind));
    }
    store.caught_up();
    assert_eq!(records(&store), [1, 2]);
    store.commit(&[record(3)]).expect("committed");
}
