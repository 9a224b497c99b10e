//! Where the hub's database is, when it is not the file in its data folder.

use std::net::IpAddr;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use tokio_postgres::config::{Host, SslMode};
use trip::StoreId;

use crate::here::is_here;

/// A database of PostgreSQL. Nothing of it that is shown or logged is a password.
#[derive(Clone, Debug)]
pub struct DatabaseConfig {
    /// Where it is, and as whom the hub uses it; without a password.
    pub connection: tokio_postgres::Config,
    /// A private file with the password; `None` where the server lets this user in without one.
    pub password_file: Option<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct DatabaseFile {
    postgres: String,
    password_file: Option<PathBuf>,
}

/// What a right address looks like.
const EXPECTED: &str = "expected such as \"postgresql:///trundle?host=/run/postgresql\"";

/// A schema is named after its store, and PostgreSQL cuts longer names off (63 bytes).
const LONGEST_STORE: usize = 55;

impl DatabaseConfig {
    /// Which database on which servers, in words.
    pub fn place(&self) -> String {
        let host = |host: &Host| match host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(folder) => folder.display().to_string(),
        };
        let named = self.connection.get_hosts().iter().map(host);
        let hosts: Vec<String> = named.chain(self.connection.get_hostaddrs().iter().map(IpAddr::to_string)).collect();
        format!("database {} of PostgreSQL at {}", self.connection.get_dbname().unwrap_or_default(), hosts.join(", "))
    }
}

/// Checks the section. No answer repeats the address, for a password may stand in it.
pub(super) fn check(file: DatabaseFile, store: &StoreId, folder: &Path) -> Result<DatabaseConfig, String> {
    let url = Some(&file.postgres).filter(|url| url.starts_with("postgresql://") || url.starts_with("postgres://"));
    let connection: tokio_postgres::Config = url
        .and_then(|url| url.parse().ok())
        .ok_or_else(|| format!("[database] postgres is no address of a database; {EXPECTED}"))?;
    if connection.get_password().is_some() {
        let what = "[database] postgres has a password in it; put that into a file of mode 0600, and the file's name into password_file";
        return Err(what.into());
    }
    if connection.get_dbname().is_none_or(str::is_empty) {
        return Err(format!("[database] postgres names no database; {EXPECTED}"));
    }
    if connection.get_hosts().is_empty() && connection.get_hostaddrs().is_empty() {
        return Err(format!("[database] postgres names no server; {EXPECTED}"));
    }
    let far = |host: &Host| match host {
        Host::Tcp(name) => !is_here(name),
        Host::Unix(_) => false,
    };
    if connection.get_hosts().iter().any(far) || connection.get_hostaddrs().iter().any(|ip| !ip.is_loopback()) {
        let what = "[database] postgres is another machine, and the hub speaks no TLS to a database; expected the folder of a socket or a loopback address, with a tunnel (stunnel, ssh -L) behind it where the server is elsewhere";
        return Err(what.into());
    }
    if !matches!(connection.get_ssl_mode(), SslMode::Disable | SslMode::Prefer) {
        return Err(
            "[database] postgres asks for TLS, which the hub does not speak to a database; leave sslmode out".into()
        );
    }
    if store.as_str().len() > LONGEST_STORE {
        let what = format!(
            "[database] names a schema after the store, so expected a store of at most {LONGEST_STORE} characters"
        );
        return Err(what);
    }
    Ok(DatabaseConfig { connection, password_file: file.password_file.map(|path| folder.join(path)) })
}
