//! Whether a name or number of a machine is this machine: then what is said stays on it, and needs no TLS.

use std::net::IpAddr;

/// True for `localhost` and the loopback addresses; `host` is without a port, a number of IPv6 with or without brackets.
pub(crate) fn is_here(host: &str) -> bool {
    let host = host.trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
