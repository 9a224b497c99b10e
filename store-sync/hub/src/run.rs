//! The shell: opens files and sockets, gives the hub its inputs and the time, and carries out its
//! effects. One thread owns the hub; tasks bring it what the bus, terminals and staff say.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use jiff::tz::TimeZone;
use serde::Serialize;
use service::{HealthFile, Reserve, Watch};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use trip::message::{HubState, VERSION};
use trip::{LaneId, StoreId, UnixMillis, topics};

use crate::back_office::{Courier, OfficeCall, Post, PostError, Signer};
use crate::bus::{Bus, BusError, BusEvent, External, InProcess, Line, Outgoing, Wishes};
use crate::catalogues::{Catalogues, CataloguesError};
use crate::config::{BusConfig, Config, key_text};
use crate::hub::{Carts, Effect, Hub, Input, Setting};
use crate::identity;
use crate::identity::entrance::{Entrance, EntranceError};
use crate::identity::registry::{Registry, RegistryError};
use crate::identity::roster::{self, Roster};
use crate::intent::Answer;
use crate::keys::{KeyError, trust_folder};
use crate::receipt::Office;
use crate::store::{Guarded, PostgresStore, Reserved, SqliteStore, Storage, StoreError};
use crate::terminal::{NexoTerminal, Terminal};
use crate::web::{self, PhoneCall, TillCall, WebError, board::Board};

/// How often the hub looks at the time.
const TICK: Duration = Duration::from_millis(250);

/// How long an input waits that the database could not take in.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Inputs that may wait; then whoever brings the next one waits.
const INPUT_QUEUE: usize = 256;

/// Inputs that are taken in, and written down, at once at most: a payment behind them waits no longer than for these.
const AT_ONCE: usize = 64;

/// For what carts tell the staff page is made anew so often at most; what came since is on it with the next tick.
const BOARD_EVERY: Duration = Duration::from_millis(100);

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

enum Told {
    Input(Input),
    Phone(PhoneCall),
    BackOffice(OfficeCall),
    Till(TillCall),
    /// Wakes the hub's thread, so that it sees that it shall stop.
    Stop,
}

impl From<OfficeCall> for Told {
    fn from(call: OfficeCall) -> Self {
        Self::BackOffice(call)
    }
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
    let (taps, mut tapped) = mpsc::channel(INPUT_QUEUE);
    let (phones, mut called) = mpsc::channel(INPUT_QUEUE);
    let (tills, mut asked) = mpsc::channel(INPUT_QUEUE);
    let (http, phone_url, serving) =
        web::serve(config.http, watched, taps, phones, tills, config.phone_url.clone()).await?;

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
    let staff = tell.clone();
    parts.spawn(async move {
        while let Some(action) = tapped.recv().await {
            let _ = staff.send(Told::Input(Input::Staff(action))).await;
        }
        "what staff tap"
    });
    let phones = tell.clone();
    parts.spawn(async move {
        while let Some(call) = called.recv().await {
            let _ = phones.send(Told::Phone(call)).await;
        }
        "what phones ask"
    });
    let tills = tell.clone();
    parts.spawn(async move {
        while let Some(call) = asked.recv().await {
            let _ = tills.send(Told::Till(call)).await;
        }
        "what is asked about tills"
    });
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
            if !is_loopback(address) {
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

fn is_loopback(address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// What the hub's thread carries effects out with.
struct Shell {
    outgoing: mpsc::UnboundedSender<Outgoing>,
    terminals: HashMap<LaneId, Arc<NexoTerminal>>,
    tell: mpsc::Sender<Told>,
    tasks: Handle,
    board: watch::Sender<Arc<Board>>,
    zone: TimeZone,
}

/// The hub's thread: inputs one by one, until it is told to stop or the database breaks.
fn own(
    mut hub: Hub<impl Storage>,
    first: Vec<Effect>,
    mut told: mpsc::Receiver<Told>,
    shell: &Shell,
    stops: &AtomicBool,
    mut health: HealthFile,
) -> Result<(), StoreError> {
    let began = Instant::now();
    let mut watch = Watch::from_environment();
    let (mut next, mut shown_at) = (None, None::<Instant>);
    first.into_iter().for_each(|effect| shell.carry_out(effect));
    while let Some(this) = next.take().or_else(|| told.blocking_recv()) {
        if stops.load(Ordering::SeqCst) {
            break;
        }
        watch.alive(began.elapsed());
        // Who has tapped or asked looks at the page in the next moment; what two hundred carts tell can wait a little.
        let mut shown = shown_at.is_some_and(|at| at.elapsed() < BOARD_EVERY);
        let effects = match this {
            Told::Stop => break,
            Told::Input(input) => {
                let inputs;
                (inputs, next) = with_what_waits(input, &mut told);
                if inputs.contains(&Input::Tick)
                    && let Err(why) = health.tell(&hub.health(), began.elapsed())
                {
                    tracing::debug!(%why, "the health file cannot be written");
                }
                shown &= inputs.iter().all(|input| matches!(input, Input::Bus(BusEvent::Message { .. }) | Input::Tick));
                hub.handle_all(inputs, now())?
            }
            Told::Phone((ask, reply)) => hand_on(hub.phone(ask, now()), reply)?,
            Told::Till((ask, reply)) => {
                shown = false;
                hand_on(hub.till(ask, &shell.zone, now()), reply)?
            }
            Told::BackOffice((ask, reply)) => {
                match hub.back_office(ask) {
                    // A courier that has fallen over asks anew.
                    Ok(words) => drop(reply.send(words)),
                    Err(e) if e.passes() => {
                        // The full disk itself is said elsewhere.
                        tracing::debug!(error = %e, "the back office's courier got no answer");
                    }
                    Err(e) => return Err(e),
                }
                Vec::new()
            }
        };
        effects.into_iter().for_each(|effect| shell.carry_out(effect));
        if !shown {
            shown_at = Some(Instant::now());
            let board = hub.board(&shell.zone);
            shell.board.send_if_modified(|shown| {
                let changed = **shown != board;
                if changed {
                    *shown = Arc::new(board);
                }
                changed
            });
        }
    }
    Ok(())
}

/// `first` and the inputs that have come since, and what came behind them and is no input.
fn with_what_waits(first: Input, told: &mut mpsc::Receiver<Told>) -> (Vec<Input>, Option<Told>) {
    let mut inputs = vec![first];
    while inputs.len() < AT_ONCE {
        match told.try_recv() {
            Ok(Told::Input(input)) => inputs.push(input),
            Ok(other) => return (inputs, Some(other)),
            Err(_) => break,
        }
    }
    (inputs, None)
}

/// Gives an answer to the page that asked; a disk that is full answers nobody.
fn hand_on<A>(
    answered: Result<(A, Vec<Effect>), StoreError>,
    reply: oneshot::Sender<A>,
) -> Result<Vec<Effect>, StoreError> {
    match answered {
        Ok((answer, effects)) => {
            // Who has gone away needs no answer.
            let _ = reply.send(answer);
            Ok(effects)
        }
        Err(e) if e.passes() => {
            tracing::warn!(error = %e, "a page got no answer");
            Ok(Vec::new())
        }
        Err(e) => Err(e),
    }
}

impl Shell {
    fn carry_out(&self, effect: Effect) {
        match effect {
            // An error means that the line has ended, and with it the hub.
            Effect::Publish(message) => drop(self.outgoing.send(message)),
            Effect::Ask { lane, ask, intent, after_ms } => {
                let (terminal, tell) = (self.terminals.get(&lane).cloned(), self.tell.clone());
                self.tasks.spawn(async move {
                    tokio::time::sleep(Duration::from_millis(after_ms)).await;
                    let id = intent.id.clone();
                    let answer = match terminal {
                        // Whatever befalls the asking, the payment must hear that it got no answer.
                        Some(terminal) => tokio::spawn(async move { terminal.ask(ask, &intent).await })
                            .await
                            .unwrap_or_else(|broken| Answer::NoAnswer { why: format!("asking fell over: {broken}") }),
                        None => Answer::NoAnswer {
                            why: format!("lane {lane} is not set up any more; add it again to settle its payment"),
                        },
                    };
                    let _ = tell.send(Told::Input(Input::Answer { intent: id, ask, answer })).await;
                });
            }
            Effect::Again(input) => {
                let tell = self.tell.clone();
                self.tasks.spawn(async move {
                    tokio::time::sleep(AGAIN_AFTER).await;
                    let _ = tell.send(Told::Input(*input)).await;
                });
            }
        }
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
