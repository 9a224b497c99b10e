//! `cart provision`: joins this cart to its store with a one-time code.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, ensure};
use clap::Args;
use rustls::time_provider::DefaultTimeProvider;
use store_sync::provisioning::join;
use trip::provisioning::Code;

use crate::config::Config;
use crate::startup::load_key;

/// `cart provision`
#[derive(Args, Clone, Debug)]
pub struct ProvisionOptions {
    /// The cart's configuration file.
    #[arg(long, default_value = "cart.toml")]
    config: PathBuf,
    /// The hub, as `store-hub provision` shows it, such as https://hub.example:8444.
    #[arg(long)]
    hub: String,
    /// The one-time code; without it, it is read from standard input.
    #[arg(long)]
    code: Option<String>,
}

/// Makes the cart's keys, proves the code to the hub that it is of, and keeps what the hub grants.
///
/// # Errors
/// When the code is mistyped, used or late, another hub answers, or a file cannot be kept.
pub fn run(options: &ProvisionOptions) -> anyhow::Result<()> {
    let config = Config::load(&options.config)?;
    let code = match &options.code {
        Some(code) => code.clone(),
        None => {
            eprintln!("The one-time code that the hub shows, then Enter:");
            let mut code = String::new();
            std::io::stdin().read_line(&mut code).context("standard input")?;
            code
        }
    };
    let code: Code = code.parse()?;
    let key = load_key(&config.data.join("cart-key"))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().context("cannot start tasks")?;
    let joined = runtime.block_on(join(&options.hub, &code, &key, Arc::new(DefaultTimeProvider)))?;
    let (store, cart) = (&joined.granted.store, &joined.granted.cart);
    ensure!(
        (store, cart) == (&config.store, &config.cart),
        "the code was for cart \"{cart}\" of store \"{store}\", and {} says cart \"{}\" of store \"{}\"; change it, and ask for a new code",
        options.config.display(),
        config.cart,
        config.store
    );
    let identity = joined.keep(&config.data)?;
    let granted = &identity.granted;
    println!("{} has joined {}; it renews its certificate by itself.", granted.cart, granted.store);
    let host = granted.mqtt_host.as_deref().map_or_else(|| host_of(&options.hub), str::to_owned);
    if (host.as_str(), granted.mqtt_port) != (config.line.host.as_str(), config.line.port) || !config.line.is_secure() {
        println!(
            "In {}, the line is now:\n\n    [line]\n    host = \"{host}\"\n    port = {}\n    tls = true",
            options.config.display(),
            granted.mqtt_port
        );
    }
    Ok(())
}

fn host_of(url: &str) -> String {
    let rest = url.strip_prefix("https://").unwrap_or(url);
    let host = rest.split('/').next().unwrap_or(rest);
    host.rsplit_once(':').map_or(host, |(host, _)| host).to_owned()
}
