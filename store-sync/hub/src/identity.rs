//! Who may talk to this hub: the store's authority, its carts and their certificates.
//!
//! At its first start the hub makes an [`authority`] of its own. Staff ask for a one-time code for a
//! cart; the cart makes its keys itself and asks with the code for a certificate over them, and the
//! [`registrar`] grants it once. The [`registry`] remembers who joined, with which keys, and who was
//! revoked; `store-hub provision` and `store-hub revoke` write it beside the running hub, which
//! [`roster`] watches. [`tls`] lets in only certificates that the registry knows; the MQTT [`front`]
//! asks [`rights`] about each packet and passes on what a cart may send; [`door`] is the carts' HTTP.
//! For a broker of its own, such as mosquitto, [`broker_files`] writes the same rights down.
//!
//! All of it lies in the folder `identity` of the hub's data, mode 0700, keys with mode 0600; a key that
//! others may read stops the hub with a word of what to do.
//!
//! The built-in broker (rumqttd 0.20) can ask for client certificates, but knows neither topic rights nor
//! revocation. So it listens on loopback alone, and carts reach it through the front.

pub mod authority;
pub mod broker_files;
pub mod command;
pub mod door;
pub mod entrance;
pub mod front;
pub mod registrar;
pub mod registry;
pub mod rights;
pub mod roster;
pub mod tls;

use std::path::{Path, PathBuf};

/// Where it lies in the hub's data folder.
pub fn folder(data: &Path) -> PathBuf {
    data.join("identity")
}

/// The time in seconds since 1970, by this machine's clock.
pub fn now_s() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
