//! The hub's one configuration file.
//!
//! TOML, read once, checked whole. A wrong key or value names the file, the line and what was
//! expected. Relative paths in it are relative to the file's own folder, so that a store's folder
//! can be moved.
//!
//! ```toml
//! store = "market-street"
//! data = "hub"                              # database, receipt key, catalogues seen
//! catalogue = "catalogue.toml"
//! timezone = "Europe/London"                # for the staff page; UTC without it
//! trust_own_key = true                      # this machine verifies this hub's receipts
//! bus = { listen = "127.0.0.1:1883" }       # or { external = "broker:1883" }, or { secured = "broker:8883" }
//! http = "127.0.0.1:8080"
//! phone_url = "https://carts.example"       # where a TLS proxy passes /pair/ and /trip on to http
//!
//! [database]                                # without it, a file of SQLite in the data folder
//! postgres = "postgresql:///trundle?host=/run/postgresql"   # this machine's, or a tunnel's end on it
//! password_file = "database.password"       # mode 0600; not where the server lets this user in without one
//!
//! [tls]                                     # carts on the store's network; without it only this machine's
//! mqtt = "0.0.0.0:8883"                     # not with bus = { secured = "broker:8883" }
//! http = "0.0.0.0:8444"                     # where carts join, renew and fetch releases
//! names = ["hub.market-street.example"]     # under which carts reach the hub; the first is shown to staff
//! cart_days = 90                            # how long a cart's certificate counts; it renews at two thirds
//! vendor_keys = ["…"]                       # who may sign models and configurations
//!
//! [back_office]                             # without it nobody is told, and nothing is kept for it
//! url = "https://office.example/trundle"    # http:// on this machine alone
//! authority = "office-ca.pem"               # who vouches for it; without it those that this machine knows
//! answer_within_s = 30                      # 1 to 300
//! alarm_after_s = 3600                      # staff are told when a message waits for so long; 1 to 604800, a week
//!
//! [[lane]]
//! id = "lane-1"
//! terminal = "127.0.0.1:8443"
//! passphrase = "the one set in the terminal"
//!
//! [[cart]]
//! id = "cart-01"
//! public_key = "…43 letters of base64url…"
//! ```

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use jiff::tz::TimeZone;
use serde::Deserialize;
use toml::Spanned;
use trip::{CartId, LaneId, StoreId};

mod back_office;
mod database;

pub use back_office::BackOfficeConfig;
pub use database::DatabaseConfig;

/// Everything that differs by store.
#[derive(Clone, Debug)]
pub struct Config {
    /// The store, as in the topic tree.
    pub store: StoreId,
    /// Folder of the database, the receipt key and the catalogues seen.
    pub data: PathBuf,
    /// Where the database is instead of a file of SQLite in that folder.
    pub database: Option<DatabaseConfig>,
    /// The catalogue that new trips shall pin.
    pub catalogue: PathBuf,
    /// In which the staff page tells the time.
    pub timezone: TimeZone,
    /// True to trust this hub's own receipts on this machine (`{store}-{key}.pub` in the trust folder).
    pub trust_own_key: bool,
    /// Where the MQTT broker is.
    pub bus: BusConfig,
    /// Where the staff page listens; a loopback address, port 0 for any free port.
    pub http: SocketAddr,
    /// Under which address shoppers' phones reach the hub, such as `https://carts.example`; without it only this
    /// machine can. It has no path and no `/` at its end.
    pub phone_url: Option<String>,
    /// The exit lanes.
    pub lanes: Vec<LaneConfig>,
    /// The carts that belong to the store without having joined it: their keys were copied by hand.
    pub carts: Vec<CartConfig>,
    /// How carts on the store's network are let in; `None` where all carts run on this machine.
    pub tls: Option<TlsConfig>,
    /// Who is told of trips, payments and receipts; `None` where nobody is.
    pub back_office: Option<BackOfficeConfig>,
}

/// How carts on the store's network are let in.
#[derive(Clone, Debug)]
pub struct TlsConfig {
    /// Where the front of the broker inside listens; `None` with a broker that is secured itself.
    pub mqtt: Option<SocketAddr>,
    /// Where carts join, renew and fetch releases.
    pub http: SocketAddr,
    /// Host names and addresses under which carts reach the hub; the certificate is for these and for
    /// this machine's own.
    pub names: Vec<String>,
    /// How long a cart's certificate counts, in days.
    pub cart_days: u32,
    /// Who may sign models and configurations.
    pub vendor_keys: Vec<VerifyingKey>,
}

/// Which broker the hub uses.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum BusConfig {
    /// A broker inside the hub, listening here; a loopback address, port 0 for any free port.
    Listen(SocketAddr),
    /// Another broker, such as mosquitto, at `host:port`, without TLS.
    External(String),
    /// Another broker, such as mosquitto, at `host:port`, with TLS by this store's authority, client
    /// certificates and the access list that the hub writes.
    Secured(String),
}

/// One exit lane and its payment terminal.
#[derive(Clone, Debug)]
pub struct LaneConfig {
    /// Its name.
    pub id: LaneId,
    /// The terminal, `host:port`.
    pub terminal: String,
    /// The terminal's name (nexo POIID).
    pub poi: String,
    /// What both ends derive the message keys from.
    pub passphrase: String,
    /// Which shared key this is.
    pub key_identifier: String,
    /// Which version of it.
    pub key_version: u32,
    /// How long a payment may wait for its answer, tap included, before the terminal is asked.
    pub answer_within: Duration,
}

/// One cart and the key that its batches are signed with.
#[derive(Clone, Debug)]
pub struct CartConfig {
    /// Its name.
    pub id: CartId,
    /// Its ed25519 key.
    pub public_key: VerifyingKey,
}

/// What is wrong with a configuration file.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read configuration {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is there, but wrong.
    #[error("{} line {line}: {what}", path.display())]
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong, and what was expected.
        what: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    store: StoreId,
    data: PathBuf,
    catalogue: PathBuf,
    timezone: Option<Spanned<String>>,
    #[serde(default)]
    trust_own_key: bool,
    bus: Spanned<BusConfig>,
    http: Spanned<SocketAddr>,
    phone_url: Option<Spanned<String>>,
    #[serde(default)]
    lane: Vec<Spanned<LaneFile>>,
    #[serde(default)]
    cart: Vec<Spanned<CartFile>>,
    tls: Option<Spanned<TlsFile>>,
    database: Option<Spanned<database::DatabaseFile>>,
    back_office: Option<Spanned<back_office::BackOfficeFile>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsFile {
    mqtt: Option<SocketAddr>,
    http: SocketAddr,
    names: Vec<String>,
    #[serde(default = "cart_days")]
    cart_days: u32,
    #[serde(default)]
    vendor_keys: Vec<String>,
}

/// A cart that stood in a shed for a season has to be provisioned anew.
fn cart_days() -> u32 {
    90
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LaneFile {
    id: LaneId,
    terminal: String,
    poi: Option<String>,
    passphrase: String,
    #[serde(default = "key_identifier")]
    key_identifier: String,
    #[serde(default = "key_version")]
    key_version: u32,
    #[serde(default = "answer_within_s")]
    answer_within_s: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CartFile {
    id: CartId,
    public_key: Spanned<String>,
}

fn key_identifier() -> String {
    "trundle".into()
}

fn key_version() -> u32 {
    1
}

/// Longer than a terminal waits for a card, so that the terminal gives up first.
fn answer_within_s() -> u32 {
    120
}

impl Config {
    /// Reads and checks `path`.
    ///
    /// # Errors
    /// [`ConfigError`] names the file, the line and what was expected.
    pub fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = service::file::read_text(path, service::file::MOST_CONFIG_BYTES)
            .map_err(|source| ConfigError::Read { path: path.to_owned(), source })?;
        Self::parse(path, &text)
    }

    /// Checks the `text` of the file `path`.
    ///
    /// # Errors
    /// As [`Config::read`].
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let wrong = |offset: usize, what: String| {
            let line = text.as_bytes()[..offset.min(text.len())].iter().filter(|b| **b == b'\n').count() + 1;
            ConfigError::Wrong { path: path.to_owned(), line, what }
        };
        let file: File =
            toml::from_str(text).map_err(|e| wrong(e.span().map_or(0, |s| s.start), e.message().to_owned()))?;
        if let BusConfig::Listen(address) = file.bus.get_ref()
            && !address.ip().is_loopback()
        {
            return Err(wrong(
                file.bus.span().start,
                format!(
                    "bus listens on {address}; the built-in broker has no TLS of its own, so expected a loopback address such as 127.0.0.1:1883; carts reach it over [tls] mqtt"
                ),
            ));
        }
        if !file.http.get_ref().ip().is_loopback() {
            return Err(wrong(
                file.http.span().start,
                format!(
                    "http is {}; the staff page is for this machine only, so expected a loopback address such as 127.0.0.1:8080",
                    file.http.get_ref()
                ),
            ));
        }
        if let Some(url) = &file.phone_url
            && !is_origin(url.get_ref())
        {
            return Err(wrong(
                url.span().start,
                format!(
                    "phone_url is \"{}\"; expected an address without a path, such as \"https://carts.example\"",
                    url.get_ref()
                ),
            ));
        }
        let timezone = match &file.timezone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name.get_ref()).map_err(|_| {
                wrong(
                    name.span().start,
                    format!("timezone \"{}\" is not known; expected a name such as \"Europe/London\"", name.get_ref()),
                )
            })?,
        };
        let mut lanes: Vec<LaneConfig> = Vec::new();
        for entry in file.lane {
            let start = entry.span().start;
            let lane = lane(entry.into_inner()).map_err(|what| wrong(start, what))?;
            if lanes.iter().any(|l| l.id == lane.id) {
                return Err(wrong(start, format!("lane \"{}\" is there twice", lane.id)));
            }
            lanes.push(lane);
        }
        let mut carts: Vec<CartConfig> = Vec::new();
        for entry in file.cart {
            let start = entry.span().start;
            let cart = entry.into_inner();
            if carts.iter().any(|c| c.id == cart.id) {
                return Err(wrong(start, format!("cart \"{}\" is there twice", cart.id)));
            }
            let public_key = public_key(cart.public_key.get_ref()).ok_or_else(|| {
                wrong(
                    cart.public_key.span().start,
                    format!("public_key of cart \"{}\" is no ed25519 key; expected 43 letters of base64url", cart.id),
                )
            })?;
            carts.push(CartConfig { id: cart.id, public_key });
        }
        let tls = match file.tls {
            None => None,
            Some(entry) => {
                let start = entry.span().start;
                Some(tls(entry.into_inner(), file.bus.get_ref()).map_err(|what| wrong(start, what))?)
            }
        };
        if let BusConfig::Secured(address) = file.bus.get_ref()
            && (tls.is_none() || broker_port(address).is_none())
        {
            let what = format!("bus is secured at \"{address}\"; expected host:port, and a [tls] section beside it");
            return Err(wrong(file.bus.span().start, what));
        }
        let folder = path.parent().unwrap_or(Path::new(""));
        let back_office = match file.back_office {
            None => None,
            Some(entry) => {
                let start = entry.span().start;
                Some(back_office::check(entry.into_inner(), folder).map_err(|what| wrong(start, what))?)
            }
        };
        let database = match file.database {
            None => None,
            Some(entry) => {
                let start = entry.span().start;
                Some(database::check(entry.into_inner(), &file.store, folder).map_err(|what| wrong(start, what))?)
            }
        };
        Ok(Self {
            store: file.store,
            data: folder.join(file.data),
            database,
            catalogue: folder.join(file.catalogue),
            timezone,
            trust_own_key: file.trust_own_key,
            bus: file.bus.into_inner(),
            http: file.http.into_inner(),
            phone_url: file.phone_url.map(Spanned::into_inner),
            lanes,
            carts,
            tls,
            back_office,
        })
    }
}

/// The port of `host:port`.
pub fn broker_port(address: &str) -> Option<u16> {
    let (host, port) = address.rsplit_once(':')?;
    port.parse().ok().filter(|port| !host.is_empty() && *port > 0)
}

fn tls(file: TlsFile, bus: &BusConfig) -> Result<TlsConfig, String> {
    match (file.mqtt, bus) {
        (None, BusConfig::Listen(_)) => {
            return Err(
                "[tls] has no mqtt; expected where carts reach the broker inside, such as \"0.0.0.0:8883\"".into()
            );
        }
        (Some(_), BusConfig::External(_) | BusConfig::Secured(_)) => {
            return Err(
                "[tls] mqtt is for the broker inside; leave it out, and use bus = { secured = \"host:port\" }".into()
            );
        }
        _ => {}
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-.:".contains(c);
    if let Some(name) = file.names.iter().find(|name| name.is_empty() || !name.chars().all(allowed)) {
        return Err(format!("\"{name}\" in [tls] names is no host name and no address"));
    }
    if file.names.is_empty() {
        return Err("[tls] names is empty; expected the host names or addresses under which carts reach the hub".into());
    }
    if !(1..=825).contains(&file.cart_days) {
        return Err(format!("[tls] cart_days is {}; expected 1 to 825", file.cart_days));
    }
    let keys = file.vendor_keys.iter().map(|text| {
        public_key(text)
            .ok_or_else(|| "a key of [tls] vendor_keys is no ed25519 key; expected 43 letters of base64url".to_owned())
    });
    let vendor_keys = keys.collect::<Result<_, _>>()?;
    Ok(TlsConfig { mqtt: file.mqtt, http: file.http, names: file.names, cart_days: file.cart_days, vendor_keys })
}

/// True for `http://` or `https://`, a host and perhaps a port, and nothing else.
fn is_origin(url: &str) -> bool {
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "-.:[]".contains(c);
    host.is_some_and(|host| !host.is_empty() && host.chars().all(allowed))
}

fn lane(file: LaneFile) -> Result<LaneConfig, String> {
    let port = file.terminal.rsplit_once(':').and_then(|(host, port)| Some((host, port.parse::<u16>().ok()?)));
    if !port.is_some_and(|(host, port)| !host.is_empty() && port > 0) {
        return Err(format!("terminal of lane \"{}\" is \"{}\"; expected host:port", file.id, file.terminal));
    }
    if file.passphrase.is_empty() {
        return Err(format!("passphrase of lane \"{}\" is empty; expected the one set in the terminal", file.id));
    }
    if file.answer_within_s == 0 {
        return Err(format!("answer_within_s of lane \"{}\" is 0; expected seconds, such as 120", file.id));
    }
    Ok(LaneConfig {
        poi: file.poi.unwrap_or_else(|| format!("terminal-{}", file.id)),
        id: file.id,
        terminal: file.terminal,
        passphrase: file.passphrase,
        key_identifier: file.key_identifier,
        key_version: file.key_version,
        answer_within: Duration::from_secs(file.answer_within_s.into()),
    })
}

/// Reads an ed25519 public key as it is written in files: unpadded base64url.
pub fn public_key(text: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = BASE64_URL_SAFE_NO_PAD.decode(text.trim()).ok()?.try_into().ok()?;
    VerifyingKey::from_bytes(&bytes).ok()
}

/// Writes an ed25519 public key as [`public_key`] reads it.
pub fn key_text(key: &VerifyingKey) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(key.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const RIGHT: &str = "store = \"market-street\"\ndata = \"hub\"\ncatalogue = \"goods.toml\"\nbus = { listen = \"127.0.0.1:0\" }\nhttp = \"127.0.0.1:0\"\n";
    const LANE: &str = "[[lane]]\nid = \"lane-1\"\nterminal = \"127.0.0.1:8443\"\npassphrase = \"open sesame\"\n";

    #[test]
    fn a_right_file_is_read_and_its_paths_are_relative_to_it() {
        let config =
            Config::parse(Path::new("/etc/trundle/hub.toml"), &format!("{RIGHT}{LANE}")).expect("a right file");
        assert_eq!(config.data, Path::new("/etc/trundle/hub"));
        assert_eq!(config.lanes[0].key_version, 1);
        assert_eq!(config.phone_url, None);
        let text = format!("{RIGHT}phone_url = \"https://carts.example:8443\"\n");
        let config = Config::parse(Path::new("hub.toml"), &text).expect("a right file");
        assert_eq!(config.phone_url.as_deref(), Some("https://carts.example:8443"));
        let external = RIGHT.replace("listen = \"127.0.0.1:0\"", "external = \"broker:1883\"");
        let config = Config::parse(Path::new("hub.toml"), &external).expect("a right file");
        assert_eq!(config.bus, BusConfig::External("broker:1883".into()));
    }

    #[test]
    fn a_wrong_file_names_file_line_and_what_was_expected() {
        let check = |text: String, line: usize, part: &str| {
            let error = Config::parse(Path::new("hub.toml"), &text).expect_err(part).to_string();
            assert!(error.starts_with(&format!("hub.toml line {line}: ")), "{error}");
            assert!(error.contains(part), "{error}");
        };
        check(format!("{RIGHT}colour = 1\n"), 6, "expected one of");
        check(RIGHT.replace("127.0.0.1:0\" }", "0.0.0.0:1883\" }"), 4, "loopback");
        check(RIGHT.replace("http = \"127.0.0.1:0\"", "http = \"0.0.0.0:80\""), 5, "loopback");
        for bad in
            ["carts.example", "https://", "https://carts.example/", "https://carts.example/x", "ftp://carts.example"]
        {
            check(format!("{RIGHT}phone_url = \"{bad}\"\n"), 6, "expected an address");
        }
        check(RIGHT.replace("market-street", "Market Street"), 1, "a-z");
        check(RIGHT.replace("catalogue = \"goods.toml\"\n", ""), 1, "catalogue");
        check(format!("timezone = \"Mars/Base\"\n{RIGHT}"), 1, "Europe/London");
        check(format!("{RIGHT}{LANE}{LANE}"), 10, "twice");
        check(format!("{RIGHT}{}", LANE.replace(":8443", "")), 6, "host:port");
        const TLS: &str = "[tls]\nmqtt = \"0.0.0.0:8883\"\nhttp = \"0.0.0.0:8444\"\nnames = [\"hub.example\"]\n";
        check(format!("{RIGHT}{}", TLS.replace("mqtt = \"0.0.0.0:8883\"\n", "")), 6, "where carts reach the broker");
        check(format!("{RIGHT}{}", TLS.replace("hub.example", "hub example")), 6, "no host name");
        check(format!("{RIGHT}{}", TLS.replace("\"hub.example\"", "")), 6, "names is empty");
        check(format!("{RIGHT}{TLS}cart_days = 0\n"), 6, "1 to 825");
        check(format!("{RIGHT}{TLS}vendor_keys = [\"abc\"]\n"), 6, "43 letters");
        let secured = RIGHT.replace("listen = \"127.0.0.1:0\"", "secured = \"broker:8883\"");
        check(secured.clone(), 4, "[tls]");
        check(format!("{secured}{TLS}"), 6, "for the broker inside");
        let quiet = format!("{secured}{}", TLS.replace("mqtt = \"0.0.0.0:8883\"\n", ""));
        let config = Config::parse(Path::new("hub.toml"), &quiet).expect("a right file");
        assert_eq!(config.tls.map(|tls| (tls.mqtt, tls.cart_days)), Some((None, 90)));
        const OFFICE: &str = "[back_office]\nurl = \"https://office.example/trundle\"\nauthority = \"ca.pem\"\n";
        check(format!("{RIGHT}{}", OFFICE.replace("https", "http")), 6, "[back_office] url");
        check(format!("{RIGHT}[back_office]\n"), 6, "url");
        check(format!("{RIGHT}{OFFICE}answer_within_s = 0\n"), 6, "1 to 300");
        check(format!("{RIGHT}{OFFICE}alarm_after_s = 604801\n"), 6, "1 to 604800");
        check(format!("{RIGHT}{OFFICE}secret = \"x\"\n"), 9, "expected one of");
        let config = Config::parse(Path::new("/etc/hub.toml"), &format!("{RIGHT}{OFFICE}")).expect("a right file");
        let office = config.back_office.expect("there");
        assert_eq!((office.alarm_after_s, office.answer_within.as_secs()), (3_600, 30));
        assert_eq!(office.authority.as_deref(), Some(Path::new("/etc/ca.pem")));
        check(format!("{RIGHT}[[cart]]\nid = \"cart-1\"\npublic_key = \"abc\"\n"), 8, "43 letters");
    }

    #[test]
    fn a_database_is_reached_on_this_machine_alone_and_its_password_is_said_nowhere() {
        let parse = |keys: &str| Config::parse(Path::new("/etc/hub.toml"), &format!("{RIGHT}[database]\n{keys}\n"));
        for right in [
            "postgresql:///trundle?host=/run/postgresql",
            "postgresql://hub@127.0.0.1:5433/trundle",
            "postgres://hub@[::1],localhost/trundle?sslmode=disable",
        ] {
            let keys = format!("postgres = \"{right}\"\npassword_file = \"word\"");
            let database = parse(&keys).expect(right).database.expect("named");
            assert_eq!(database.password_file.as_deref(), Some(Path::new("/etc/word")));
            assert!(database.place().contains("database trundle"), "{}", database.place());
        }
        assert!(Config::parse(Path::new("hub.toml"), RIGHT).expect("a right file").database.is_none());
        let check = |url: &str, part: &str| {
            let error = parse(&format!("postgres = \"{url}\"")).expect_err(part).to_string();
            assert!(error.starts_with("/etc/hub.toml line 6: ") && error.contains(part), "{error}");
            assert!(!error.contains("sesame"), "{error}");
        };
        check("host=/run/postgresql password=sesame", "no address");
        check("postgresql://hub:sesame@localhost:port/trundle", "no address");
        check("postgresql://hub:sesame@localhost/trundle", "password_file");
        check("postgresql:///trundle?host=/run/postgresql&password=sesame", "password_file");
        check("postgresql://localhost", "names no database");
        check("postgresql:///trundle", "names no server");
        check("postgresql://db.example/trundle", "tunnel");
        check("postgresql://127.0.0.1,db.example/trundle", "tunnel");
        check("postgresql://localhost/trundle?hostaddr=192.0.2.1", "tunnel");
        check("postgresql://localhost/trundle?sslmode=require", "sslmode");
        let long = RIGHT.replace("market-street", &"m".repeat(56));
        let text = format!("{long}[database]\npostgres = \"postgresql:///trundle?host=/run/postgresql\"\n");
        let error = Config::parse(Path::new("hub.toml"), &text).expect_err("too long").to_string();
        assert!(error.contains("at most 55"), "{error}");
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = Config::read(Path::new("/nowhere/hub.toml")).expect_err("there is none").to_string();
        assert!(error.contains("/nowhere/hub.toml"), "{error}");
    }
}
