//! Opens the hub to the store's network: files first, so that a fault in one shows before anything
//! listens; then the front of the broker and the carts' HTTP.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use tokio::net::TcpListener;
use tokio::sync::watch;
use trip::{StoreId, UnixMillis};

use super::authority::{Authority, AuthorityError, SERVER_LIFE_S};
use super::broker_files::{self, BrokerFilesError, hub_name};
use super::door::Door;
use super::front::Front;
use super::registrar::{Registrar, Terms};
use super::registry::{Registry, RegistryError};
use super::roster::{self, Roster, Watcher};
use super::tls::{self, Entry, Keeper, TlsError};
use super::{folder, now_s};
use crate::config::{BusConfig, Config, TlsConfig, broker_port, key_text};
use crate::keys::{KeyError, own_key};
use crate::releases::{RELEASE_KEY, Releases, ReleasesError};

/// How often the hub looks whether its own certificates are to be made anew.
const LOOK_EVERY: Duration = Duration::from_secs(60 * 60);
const DAY_S: u64 = 24 * 60 * 60;

/// The hub cannot be opened to the network.
#[derive(Debug, thiserror::Error)]
pub enum EntranceError {
    /// The authority.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// The registry.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// A release.
    #[error(transparent)]
    Releases(#[from] ReleasesError),
    /// The release key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// TLS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The files of a broker of its own.
    #[error(transparent)]
    Broker(#[from] BrokerFilesError),
    /// A port in use.
    #[error("cannot listen on {address}: {source}; choose another address in [tls] {key} or stop the other program")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Which key of the configuration.
        key: &'static str,
        /// Why not.
        source: std::io::Error,
    },
}

/// Files and keys of the entrance, read and checked.
pub struct Entrance {
    store: StoreId,
    config: TlsConfig,
    secured: Option<String>,
    authority: Arc<Authority>,
    registry: Registry,
    roster: watch::Receiver<Arc<Roster>>,
    watcher: Watcher,
    releases: Arc<Releases>,
    release_keys: Vec<String>,
    server: Arc<Keeper>,
    client: Arc<Keeper>,
    folder: PathBuf,
    vendor_folder: PathBuf,
}

/// Where carts reach the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Doors {
    /// The front of the broker; `None` with a broker of its own.
    pub mqtt: Option<SocketAddr>,
    /// The carts' HTTP.
    pub http: SocketAddr,
}

impl Entrance {
    /// Reads and checks all files, and makes those that are missing. `None` for a hub without `[tls]`.
    ///
    /// # Errors
    /// [`EntranceError`] names the file and what to do.
    pub fn open(config: &Config) -> Result<Option<Self>, EntranceError> {
        let Some(tls) = config.tls.clone() else { return Ok(None) };
        let (folder, now_s) = (folder(&config.data), now_s());
        let authority = Arc::new(Authority::open(&folder, &config.store, now_s)?);
        let mut registry = Registry::open(&folder)?;
        let key = own_key(&folder.join("release.key"), RELEASE_KEY)?;
        let mut shelf = Releases::default();
        let at = UnixMillis(i64::try_from(now_s).unwrap_or_default() * 1_000);
        shelf.release_catalogue(&config.catalogue, &config.store, &key, &mut registry, at)?;
        let vendor_folder = config.data.join("releases");
        for why in shelf.take_in(&vendor_folder, &config.store, &tls.vendor_keys) {
            tracing::warn!(why, "a release is refused and carts do not get it");
        }
        let release_keys = std::iter::once(&key.verifying_key()).chain(&tls.vendor_keys).map(key_text).collect();
        let (roster, watcher) = roster::follow(Registry::open(&folder)?)?;
        let names = names(&tls);
        let server = Keeper::new(&authority.server(&names, now_s)?)?;
        let client = Keeper::new(&authority.client(&hub_name(&config.store), now_s)?)?;
        let secured = match &config.bus {
            BusConfig::Secured(address) => Some(address.clone()),
            BusConfig::Listen(_) | BusConfig::External(_) => None,
        };
        let entrance = Self {
            store: config.store.clone(),
            config: tls,
            secured,
            authority,
            registry,
            roster,
            watcher,
            releases: Arc::new(shelf),
            release_keys,
            server,
            client,
            folder,
            vendor_folder,
        };
        entrance.write_broker_files()?;
        Ok(Some(entrance))
    }

    /// Who is let in.
    pub fn roster(&self) -> watch::Receiver<Arc<Roster>> {
        self.roster.clone()
    }

    /// Where vendors' releases lie.
    pub fn vendor_folder(&self) -> &std::path::Path {
        &self.vendor_folder
    }

    /// TLS for the hub itself as a client of a broker of its own.
    ///
    /// # Errors
    /// [`EntranceError`] when the authority cannot be used.
    pub fn as_client(&self) -> Result<Arc<ClientConfig>, EntranceError> {
        Ok(tls::client(&self.authority, self.client.clone())?)
    }

    fn write_broker_files(&self) -> Result<(), EntranceError> {
        let Some(port) = self.secured.as_deref().and_then(broker_port) else { return Ok(()) };
        let folder = self.folder.join("broker");
        broker_files::write_server(&folder, &self.authority, &names(&self.config), port, now_s())?;
        self.write_members()
    }

    fn write_members(&self) -> Result<(), EntranceError> {
        if self.secured.is_some() {
            let (folder, roster) = (self.folder.join("broker"), self.roster.borrow().clone());
            broker_files::write_members(&folder, &self.authority, &self.registry, &self.store, &roster, now_s())?;
        }
        Ok(())
    }

    /// Opens the doors; `broker` is the plain one inside, on loopback, if there is one.
    ///
    /// # Errors
    /// [`EntranceError`] when a port is in use.
    pub async fn serve(self, broker: Option<SocketAddr>) -> Result<Doors, EntranceError> {
        let listen = async |address: SocketAddr, key: &'static str| {
            let fail = |source| EntranceError::Listen { address, key, source };
            let listener = TcpListener::bind(address).await.map_err(fail)?;
            let bound = listener.local_addr().map_err(fail)?;
            Ok::<_, EntranceError>((listener, bound))
        };
        let server = |entry| tls::server(&self.authority, self.server.clone(), self.roster.clone(), entry);
        let (door, http) = listen(self.config.http, "http").await?;
        let mut mqtt = None;
        if let (Some(address), Some(broker)) = (self.config.mqtt, broker) {
            let (listener, bound) = listen(address, "mqtt").await?;
            mqtt = Some(bound);
            let front = Front {
                tls: server(Entry::Certificate)?,
                broker,
                store: self.store.clone(),
                roster: self.roster.clone(),
            };
            tokio::spawn(front.serve(listener));
        }
        let own = self.secured.as_deref().and_then(|address| address.rsplit_once(':'));
        let terms = Terms {
            cart_life_s: u64::from(self.config.cart_days) * DAY_S,
            mqtt_host: own.map(|(host, _)| host.to_owned()),
            mqtt_port: own.and_then(|(_, port)| port.parse().ok()).or(mqtt.map(|m| m.port())).unwrap_or_default(),
            release_keys: self.release_keys.clone(),
        };
        let registrar = Registrar::new(
            self.store.clone(),
            self.authority.clone(),
            Registry::open(&self.folder)?,
            terms,
            Some(self.watcher.clone()),
        );
        let serving = Door::new(registrar, self.releases.clone());
        tokio::spawn(serving.serve(door, server(Entry::CertificateOrNone)?, self.roster.clone()));
        tokio::spawn(self.look_after());
        Ok(Doors { mqtt, http })
    }

    /// Makes the hub's own certificates anew in time, and keeps the broker's files as the roster is.
    async fn look_after(self) {
        let mut roster = self.roster.clone();
        let mut made_s = now_s();
        loop {
            tokio::select! {
                () = tokio::time::sleep(LOOK_EVERY) => {
                    if now_s() < made_s + SERVER_LIFE_S * 2 / 3 {
                        continue;
                    }
                    match self.renew_own() {
                        Ok(()) => made_s = now_s(),
                        Err(why) => tracing::error!(%why, "the hub's own certificates could not be renewed"),
                    }
                }
                changed = roster.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    match self.write_members() {
                        Ok(()) if self.secured.is_some() => {
                            tracing::warn!("the broker's access list has changed; have the broker read it again (SIGHUP)");
                        }
                        Ok(()) => {}
                        Err(why) => tracing::error!(%why, "the broker's access list could not be written"),
                    }
                }
            }
        }
    }

    fn renew_own(&self) -> Result<(), EntranceError> {
        let now_s = now_s();
        self.server.show(&self.authority.server(&names(&self.config), now_s)?)?;
        self.client.show(&self.authority.client(&hub_name(&self.store), now_s)?)?;
        self.write_broker_files()
    }
}

/// Under which names carts reach the hub: those of the configuration, and this machine's own.
fn names(config: &TlsConfig) -> Vec<String> {
    let mut names = config.names.clone();
    for own in ["localhost", "127.0.0.1"] {
        if !names.iter().any(|name| name == own) {
            names.push(own.to_owned());
        }
    }
    names
}
