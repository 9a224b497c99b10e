//! The shell: opens files and sockets, gives the hub its inputs and the time, and carries out its
//! effects. One [`thread`] owns the hub; tasks bring it what the bus, terminals and staff say.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Serialize;
use service::{HealthFile, Reserve, Watch};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use trip::message::{HubState, VERSION};
use trip::{LaneId, StoreId, UnixMillis, topics};

use crate::back_office::{Courier, Post, PostError, Signer};
use crate::bus::{Bus, BusError, BusEvent, External, InProcess, Line, Outgoing, Wishes};
use crate::catalogues::{Catalogues, CataloguesError};
use crate::config::{BusConfig, Config, key_text};
use crate::here::is_here;
use crate::hub::{Carts, Hub, Input, Setting};
use crate::identity;
use crate::identity::entrance::{Entrance, EntranceError};
use crate::identity::registry::{Registry, RegistryError};
use crate::identity::roster::{self, Roster};
use crate::keys::{KeyError, trust_folder};
use crate::receipt::Office;
use crate::store::{Guarded, PostgresStore, Reserved, SqliteStore, Storage, StoreError};
use crate::terminal::NexoTerminal;
use crate::web::board::{Board, Screens};
use crate::web::{self, WebError};

mod thread;

use thread::{Shell, Told, own};

/// How often the hub looks at the time.
const TICK: Duration = Duration::from_millis(250);

/// Inputs that may wait; then whoever brings the next one waits.
const INPUT_QUEUE: usize = 256;

/// Disk space kept for payments that are under way when the disk is full: some thousands of commits.
const RESERVE_BYTES: u64 = 8 * 1024 * 1024;

/// How long the broker may take to subscribe the hub to what carts say; then the hub is ready without, and tries on.
const SUBSCRIBED: Duration = Duration::from_secs(5);

/// How long the last words may take.
const FAREWELL: Duration = Duration::from_secs(1);

/// The hub cannot start, or had to stop.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The data folder cannot be made.
    #[error("cannot make data folder {}: {source}; make it, or let this user write there", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The catalogue cannot be used.
    #[error(transparent)]
    Catalogue(#[from] CataloguesError),
    /// The receipt key cannot be used.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database cannot be used. Start again: nothing that was acked is lost.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The bus does not start.
    #[error(transparent)]
    Bus(#[from] BusError),
    /// The staff page does not start.
    #[error(transparent)]
    Web(#[from] WebError),
    /// The hub cannot be opened to the store's network.
    #[error(transparent)]
    Entrance(#[from] EntranceError),
    /// Who was let in and who was revoked cannot be told.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The back office cannot be told anything.
    #[error(transparent)]
    BackOffice(#[from] PostError),
    /// A terminal's client cannot be made.
    #[error("{0}")]
    Terminal(String),
    /// A part ended that must not.
    #[error("{0}; the hub stops, and takes up again where it was when it is started")]
    Part(String),
}

/// What a started hub says of itself.
#[derive(Clone, Debug, Serialize)]
pub struct Ready {
    /// Where its broker is.
    pub mqtt: String,
    /// Where its staff page is.
    pub http: SocketAddr,
    /// The key that checks its receipts, base64url.
    pub receipt_key: String,
    /// Where carts on the store's network reach the broker, if they do.
    pub mqtt_tls: Option<SocketAddr>,
    /// Where they join, renew and fetch releases.
    pub http_tls: Option<SocketAddr>,
    /// The key that checks what the back office is sent, `whpk_` and base64, if there is one.
    pub back_office_key: Option<String>,
}

/// Runs a hub until `stop`. Calls `ready` once carts may connect.
///
/// # Errors
/// [`RunError`] names the file, folder, port or part, and what to do.
pub async fn run(config: Config, ready: impl FnOnce(Ready), stop: impl Future<Output = ()>) -> Result<(), RunError> {
    let catalogues_folder = config.data.join("catalogues");
    std::fs::create_dir_all(&config.data).map_err(|source| RunError::Folder { path: config.data.clone(), source })?;
    let catalogues = Catalogues::open(&config.catalogue, &catalogues_folder)?;
    let office = Office::open(config.store.clone(), catalogues.current().store_name.clone(), &config.data)?;
    if config.trust_own_key {
        match trust_folder() {
            Some(folder) => office.trust_here(&folder)?,
            None => tracing::warn!("trust_own_key is set, but this user has no home folder; set TRUNDLE_TRUST"),
        }
    }
    match config.database.clone() {
        None => {
            let storage = on_disk(&config.data)?;
            serve(config, storage, catalogues, office, ready, stop).await
        }
        // Its disk is the server's, so that nothing can be kept of it here for when it is full.
        Some(database) => {
            let store = config.store.clone();
            let storage = blocking(move || PostgresStore::open(&database, &store)).await??;
            serve(config, storage, catalogues, office, ready, stop).await
        }
    }
}

/// The database in a file, and space on its disk for payments that are under way when it is full.
fn on_disk(data: &Path) -> Result<Guarded<SqliteStore, Reserved<Reserve>>, StoreError> {
    let storage = SqliteStore::open(&data.join("hub.db"))?;
    let reserve = Reserve::keep(data.join("reserve"), RESERVE_BYTES);
    if !reserve.held() {
        tracing::error!(folder = %data.display(), "the disk is full: nothing is taken in until there is room; free some space");
    }
    Ok(Guarded::new(storage, Reserved(reserve)))
}

/// Does `work` where it may block: a database that is no file is waited for.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, RunError> {
    tokio::task::spawn_blocking(work).await.map_err(|e| RunError::Part(format!("a part of the start fell over ({e})")))
}

async fn serve<S: Storage + 'static>(
    config: Config,
    storage: S,
    catalogues: Catalogues,
    office: Office,
    ready: impl FnOnce(Ready),
    stop: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let receipt_key = key_text(&office.public_key());
    let boot_epoch = now().0.unsigned_abs();
    let terminals = terminals(&config, boot_epoch)?;
    let courier = courier(&config)?;
    let entrance = Entrance::open(&config)?;
    let roster = roster_of(&config, entrance.as_ref())?;
    let client = entrance.as_ref().map(Entrance::as_client).transpose()?;
    let mut line = start_bus(&config, boot_epoch, client).await?;

    let (board, watched) = watch::channel(Arc::new(Board::default()));
    let (screens, seen) = watch::channel(Arc::new(Screens::default()));
    let (taps, tapped) = mpsc::channel(INPUT_QUEUE);
    let (phones, called) = mpsc::channel(INPUT_QUEUE);
    let (tills, asked) = mpsc::channel(INPUT_QUEUE);
    let (http, phone_url, serving) =
        web::serve(config.http, watched, seen, taps, phones, tills, config.phone_url.clone()).await?;

    let carts = carts_of(&config, &roster.as_ref().map(|r| r.borrow().clone()).unwrap_or_default());
    let setting = Setting {
        store: config.store.clone(),
        lanes: config.lanes.iter().map(|lane| lane.id.clone()).collect(),
        carts: carts.keys.clone(),
        boot_epoch,
        phone_url: Some(phone_url.to_string()),
        back_office_alarm_ms: config.back_office.as_ref().map(|office| i64::from(office.alarm_after_s) * 1_000),
    };
    let (hub, first) = blocking(move || Hub::start(setting, storage, catalogues, office, now())).await??;
    let (tell, told) = mpsc::channel(INPUT_QUEUE);
    // Before any message of theirs: who was revoked stays revoked.
    let _ = tell.send(Told::Input(Input::Carts(carts))).await;
    let shell = Shell {
        outgoing: line.outgoing.clone(),
        terminals,
        tell: tell.clone(),
        tasks: Handle::current(),
        board,
        screens,
        zone: config.timezone.clone(),
    };
    let (ended, mut end) = oneshot::channel();
    let stopping = Arc::new(AtomicBool::new(false));
    let stops = stopping.clone();
    let health = HealthFile::new(&config.data, "store-hub", env!("CARGO_PKG_VERSION"));
    std::thread::Builder::new()
        .name("hub".into())
        .spawn(move || drop(ended.send(own(hub, first, told, &shell, &stops, health))))
        .map_err(|e| RunError::Part(format!("no thread for the hub: {e}")))?;

    let address = line.address.clone();
    let (up, subscribed) = oneshot::channel();
    let mut events = tokio::spawn({
        let tell = tell.clone();
        let mut up = Some(up);
        async move {
            // Until the line itself ends: at the end it must be emptied for its last words to go out.
            while let Some(event) = line.events.recv().await {
                if event == BusEvent::Up {
                    let _ = up.take().map(|up| up.send(()));
                }
                let _ = tell.send(Told::Input(Input::Bus(event))).await;
            }
        }
    });
    // What brings the hub its inputs. When one of them ends, the hub would be deaf on that ear and seem well.
    let mut parts = JoinSet::new();
    pass_on(&mut parts, "what staff tap", tapped, &tell, |action| Told::Input(Input::Staff(action)));
    pass_on(&mut parts, "what phones ask", called, &tell, Told::Phone);
    pass_on(&mut parts, "what is asked about tills", asked, &tell, Told::Till);
    if let Some(mut roster) = roster {
        let (tell, config) = (tell.clone(), config.clone());
        tokio::spawn(async move {
            while roster.changed().await.is_ok() {
                let carts = carts_of(&config, &roster.borrow_and_update().clone());
                let _ = tell.send(Told::Input(Input::Carts(carts))).await;
            }
        });
    }
    let back_office_key = courier.as_ref().map(Courier::public_key);
    // Of no part: a hub whose courier has fallen over goes on.
    if let Some(courier) = courier {
        tokio::spawn(courier.work(tell.clone()));
    }
    let clock = tell.clone();
    parts.spawn(async move {
        while clock.send(Told::Input(Input::Tick)).await.is_ok() {
            tokio::time::sleep(TICK).await;
        }
        "the clock"
    });
    let doors = match entrance {
        Some(entrance) => Some(entrance.serve(address.parse().ok()).await?),
        None => None,
    };
    // What carts say before it is lost, and comes again only seconds later.
    let _ = tokio::time::timeout(SUBSCRIBED, subscribed).await;
    let (mqtt_tls, http_tls) = (doors.and_then(|doors| doors.mqtt), doors.map(|doors| doors.http));
    ready(Ready { mqtt: address, http, receipt_key, mqtt_tls, http_tls, back_office_key });
    let watch = Watch::from_environment();
    watch.ready();

    let part = |name: &str| Err(RunError::Part(format!("{name} ended")));
    let outcome = tokio::select! {
        outcome = &mut end => outcome,
        result = serving => return Err(RunError::Part(format!("the staff page ended: {result:?}"))),
        _ = &mut events => return part("the line to the broker"),
        () = line.outgoing.closed() => return part("the line to the broker"),
        () = gone(line.carrier.take()) => return part("the broker inside the hub"),
        broken = parts.join_next() => match tokio::time::timeout(FAREWELL, &mut end).await {
            // The parts end with the hub's thread, whose own reason is the better one.
            Ok(outcome) => outcome,
            Err(_) => return match broken {
                Some(Err(broken)) => part(&format!("a part of the hub fell over ({broken}) and")),
                Some(Ok(name)) => part(name),
                None => part("a part of the hub"),
            },
        },
        () = stop => {
            watch.stopping();
            // Not behind what waits in the queue: nothing of that is acked, and it comes again.
            stopping.store(true, Ordering::SeqCst);
            let _ = tell.try_send(Told::Stop);
            end.await
        }
    };
    let farewell = Outgoing { retain: true, ..state(&config.store, false, boot_epoch) };
    let _ = line.outgoing.send(farewell);
    drop(line.outgoing);
    let _ = tokio::time::timeout(FAREWELL, events).await;
    match outcome {
        Ok(result) => Ok(result?),
        Err(_) => Err(RunError::Part("the hub's thread ended".into())),
    }
}

/// Brings the hub what comes `from` a page, each as `told`, for as long as the page may ask. It is one of the `parts`.
fn pass_on<T: Send + 'static>(
    parts: &mut JoinSet<&'static str>,
    name: &'static str,
    mut from: mpsc::Receiver<T>,
    tell: &mpsc::Sender<Told>,
    told: impl Fn(T) -> Told + Send + 'static,
) {
    let tell = tell.clone();
    parts.spawn(async move {
        while let Some(asked) = from.recv().await {
            let _ = tell.send(told(asked)).await;
        }
        name
    });
}

/// Resolves when what `carrier` stands for has ended; never, where there is nothing.
async fn gone(carrier: Option<oneshot::Receiver<()>>) {
    match carrier {
        Some(carrier) => drop(carrier.await),
        None => std::future::pending().await,
    }
}

fn terminals(config: &Config, run: u64) -> Result<HashMap<LaneId, Arc<NexoTerminal>>, RunError> {
    let one = |lane: &crate::config::LaneConfig| {
        let terminal = NexoTerminal::new(lane, &config.store, run).map_err(|e| RunError::Terminal(e.to_string()))?;
        Ok((lane.id.clone(), Arc::new(terminal)))
    };
    config.lanes.iter().map(one).collect()
}

/// Who brings the back office what it is told, where there is one.
fn courier(config: &Config) -> Result<Option<Courier>, RunError> {
    let Some(office) = &config.back_office else { return Ok(None) };
    let post = Post::new(office.address.clone(), office.authority.as_deref(), office.answer_within)?;
    Ok(Some(Courier::new(post, Signer::open(&config.data)?)))
}

fn state(store: &StoreId, online: bool, boot_epoch: u64) -> Outgoing {
    let state = HubState { v: VERSION, online, boot_epoch };
    let payload = serde_json::to_vec(&state).unwrap_or_else(|e| unreachable!("it has only plain fields: {e}"));
    Outgoing { topic: topics::hub_state(store), payload, retain: true }
}

/// Who was let in and who was revoked, where there is a registry to ask: also a hub that has no `[tls]` any
/// more keeps the revoked out.
fn roster_of(
    config: &Config,
    entrance: Option<&Entrance>,
) -> Result<Option<watch::Receiver<Arc<Roster>>>, RegistryError> {
    let folder = identity::folder(&config.data);
    match entrance {
        Some(entrance) => Ok(Some(entrance.roster())),
        None if folder.join("registry.db").exists() => {
            roster::follow(Registry::open(&folder)?).map(|(roster, _)| Some(roster))
        }
        None => Ok(None),
    }
}

/// The carts of the configuration and those that have joined; a key that a cart has joined with counts
/// before one that was copied by hand.
fn carts_of(config: &Config, roster: &Roster) -> Carts {
    let copied = config.carts.iter().map(|cart| (cart.id.clone(), cart.public_key));
    let joined = roster.members.iter().map(|(cart, member)| (cart.clone(), member.key));
    Carts { keys: copied.chain(joined).collect(), revoked: roster.revoked.clone() }
}

async fn start_bus(
    config: &Config,
    boot_epoch: u64,
    client: Option<Arc<rustls::ClientConfig>>,
) -> Result<Line, BusError> {
    let wishes = Wishes {
        client: format!("hub-{}", config.store),
        subscriptions: vec![topics::carts_up(&config.store), topics::hub_state(&config.store)],
        will: state(&config.store, false, boot_epoch),
    };
    match &config.bus {
        BusConfig::Listen(listen) => InProcess { listen: *listen }.start(wishes).await,
        BusConfig::External(address) => {
            if !is_here(address.rsplit_once(':').map_or(address.as_str(), |(host, _)| host)) {
                tracing::warn!(
                    address,
                    "the line to the broker is plain: whoever is on the network can read and change it; use bus = {{ secured = … }}"
                );
            }
            External { address: address.clone(), tls: None }.start(wishes).await
        }
        BusConfig::Secured(address) => External { address: address.clone(), tls: client }.start(wishes).await,
    }
}

/// An error and its causes in one line, each said once: many messages name their cause already.
pub fn explain(error: &(dyn std::error::Error + 'static)) -> String {
    let causes = std::iter::successors(error.source(), |e| e.source());
    causes
        .map(ToString::to_string)
        .fold(error.to_string(), |said, cause| if said.contains(&cause) { said } else { format!("{said}: {cause}") })
}

/// Waits for Ctrl-C or SIGTERM.
///
/// # Errors
/// What the system says when signals cannot be watched.
pub async fn stop_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        let mut term = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            result = tokio::signal::ctrl_c() => result,
            _ = term.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_said_once() {
        let source = || std::io::Error::from_raw_os_error(30);
        let folder = RunError::Folder { path: "x".into(), source: source() };
        assert_eq!(explain(&folder).matches("os error 30").count(), 1);
        let bare = anyhow::Error::from(source()).context("cannot read x");
        assert!(explain(bare.as_ref()).starts_with("cannot read x: "));
    }
}
