//! `store-hub provision`, `store-hub revoke` and `store-hub carts`, beside a hub that runs or does not.

use std::path::Path;

use anyhow::Context;
use jiff::Timestamp;
use trip::CartId;

use super::authority::Authority;
use super::registrar::{CODE_LIFE_S, new_code};
use super::registry::Registry;
use super::{folder, now_s};
use crate::config::Config;

/// Shows a one-time code for `cart`, and what to type at the cart.
///
/// # Errors
/// When the hub has no `[tls]`, or a file of its identity cannot be used.
pub fn provision(config: &Path, cart: &str) -> anyhow::Result<()> {
    let path = config;
    let config = Config::read(path)?;
    let cart = CartId::new(cart)?;
    let tls = config.tls.as_ref().with_context(|| {
        format!("{} has no [tls]; carts join over TLS, so add it: see store-sync/hub/README.md", path.display())
    })?;
    let folder = folder(&config.data);
    let authority = Authority::open(&folder, &config.store, now_s())?;
    let mut registry = Registry::open(&folder)?;
    let code = new_code(&authority, &mut registry, &cart, now_s())?;
    let host = tls.names.first().map_or("HUB", String::as_str);
    println!("One-time code for {cart}, good once and for {} minutes:\n\n    {code}\n", CODE_LIFE_S / 60);
    println!("At the cart:\n\n    cart provision --hub https://{host}:{} --code {code}\n", tls.http.port());
    Ok(())
}

/// Revokes `cart`: the hub, when it runs, ends its connection within a second.
///
/// # Errors
/// When a file of the hub's identity cannot be used.
pub fn revoke(config: &Path, cart: &str) -> anyhow::Result<()> {
    let config = Config::read(config)?;
    let cart = CartId::new(cart)?;
    let mut registry = Registry::open(&folder(&config.data))?;
    let roster = registry.roster()?;
    let known = roster.members.contains_key(&cart) || config.carts.iter().any(|c| c.id == cart);
    registry.revoke(&cart, now_s())?;
    println!("{cart} is revoked{}", if known { "" } else { " (this store has no cart of that name, though)" });
    println!("To take it back: store-hub provision --cart {cart}");
    Ok(())
}

/// Lists the carts that have joined.
///
/// # Errors
/// When a file of the hub's identity cannot be used.
pub fn list(config: &Path) -> anyhow::Result<()> {
    let config = Config::read(config)?;
    let roster = Registry::open(&folder(&config.data))?.roster()?;
    let day = |seconds: u64| {
        let at = i64::try_from(seconds).ok().and_then(|s| Timestamp::from_second(s).ok());
        at.map(|t| t.to_zoned(config.timezone.clone()).strftime("%Y-%m-%d").to_string()).unwrap_or_default()
    };
    for cart in roster.members.keys() {
        let until = roster.certificates.values().filter(|(holder, _)| holder == cart).map(|(_, until)| *until).max();
        let state = match until {
            _ if roster.revoked.contains(cart) => "revoked".to_owned(),
            Some(until) if until < now_s() => format!("certificate expired {}", day(until)),
            Some(until) => format!("certificate until {}", day(until)),
            None => "no certificate".to_owned(),
        };
        println!("{cart}  {state}");
    }
    let bare = config.carts.iter().filter(|cart| !roster.members.contains_key(&cart.id));
    for cart in bare {
        let state = if roster.revoked.contains(&cart.id) { "revoked" } else { "key in the configuration file" };
        println!("{}  {state}", cart.id);
    }
    Ok(())
}
