//! `store-hub`: runs a store's hub, ends its days, and checks receipts.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use clap::{Parser, Subcommand};
use service::LogFile;
use store_hub::config::Config;
use store_hub::identity::command;
use store_hub::{day_end, keys, receipt, releases, run};
use tracing_subscriber::EnvFilter;

/// A store's hub. When it is ready it prints one line of JSON with its addresses; logs go to stderr.
#[derive(Parser)]
#[command(args_conflicts_with_subcommands = true)]
struct Options {
    /// The hub's configuration file.
    #[arg(long, default_value = "hub.toml")]
    config: PathBuf,
    /// Log into this file, and not to stderr; it is kept within 32 MiB with those before it.
    #[arg(long)]
    log: Option<PathBuf>,
    #[command(subcommand)]
    other: Option<Other>,
}

#[derive(Subcommand)]
enum Other {
    /// Receipts.
    Receipt {
        #[command(subcommand)]
        what: ReceiptCommand,
    },
    /// Shows a one-time code with which a cart joins the store.
    Provision {
        /// The hub's configuration file.
        #[arg(long, default_value = "hub.toml")]
        config: PathBuf,
        /// The name that the cart is to have.
        #[arg(long)]
        cart: String,
    },
    /// Shuts a cart out: its certificates and its key count no more.
    Revoke {
        /// The hub's configuration file.
        #[arg(long, default_value = "hub.toml")]
        config: PathBuf,
        /// The cart.
        #[arg(long)]
        cart: String,
    },
    /// Lists the carts of the store and their certificates.
    Carts {
        /// The hub's configuration file.
        #[arg(long, default_value = "hub.toml")]
        config: PathBuf,
    },
    /// Compares what the terminals counted with the ledger, and lists what differs; changes nothing in it. Ends with
    /// status 0 when all agrees.
    DayEnd(day_end::command::DayEndOptions),
    /// Signs a model or a configuration for carts, as a vendor; writes FILE.release beside it.
    Release(releases::ReleaseOptions),
}

#[derive(Subcommand)]
enum ReceiptCommand {
    /// Checks a receipt, without a network.
    Verify {
        /// The signed receipt, or a file with the text of its QR.
        file: PathBuf,
        /// A store's public key; without one, those in this machine's trust folder count.
        #[arg(long)]
        key: Vec<PathBuf>,
    },
}

fn main() -> ExitCode {
    let options = Options::parse();
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,rumqttd=error,rumqttc=warn"));
    let log = tracing_subscriber::fmt().with_env_filter(filter);
    match options.log.as_deref().map(|path| (path, LogFile::open(path, LogFile::USUAL))) {
        None => log.with_writer(std::io::stderr).init(),
        Some((_, Ok(file))) => {
            let file = Arc::new(file);
            log.with_ansi(false).with_writer(move || file.begin()).init();
        }
        Some((path, Err(e))) => {
            eprintln!("store-hub: cannot log into {}: {e}", path.display());
            return ExitCode::FAILURE;
        }
    }
    let result = match options.other {
        None => serve(&options.config),
        Some(Other::Provision { config, cart }) => command::provision(&config, &cart),
        Some(Other::Revoke { config, cart }) => command::revoke(&config, &cart),
        Some(Other::Carts { config }) => command::list(&config),
        Some(Other::DayEnd(options)) => match day_end::command::command(&options) {
            Ok(false) => return ExitCode::FAILURE,
            done => done.map(drop),
        },
        Some(Other::Release(options)) => releases::command(&options),
        Some(Other::Receipt { what: ReceiptCommand::Verify { file, key } }) => verify(&file, &key),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("store-hub: {}", run::explain(e.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn serve(config: &std::path::Path) -> anyhow::Result<()> {
    let config = Config::read(config)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start tasks")?;
    runtime.block_on(async {
        let ready = |ready| println!("{}", serde_json::json!(ready));
        let stop = async {
            if let Err(e) = run::stop_signal().await {
                tracing::error!(error = %e, "signals cannot be watched");
                std::future::pending::<()>().await;
            }
        };
        run::run(config, ready, stop).await.map_err(anyhow::Error::from)
    })
}

fn verify(file: &std::path::Path, keys: &[PathBuf]) -> anyhow::Result<()> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read receipt {}", file.display()))?;
    let keys = if keys.is_empty() {
        let folder = keys::trust_folder().context("no home folder to look for trusted keys in; give --key")?;
        let keys = keys::trusted_keys(&folder)?;
        anyhow::ensure!(
            !keys.is_empty(),
            "no trusted key in {}; give the store's public key with --key",
            folder.display()
        );
        keys
    } else {
        keys::read_keys(keys)?
    };
    print!("{}", receipt::check(&bytes, &keys)?);
    Ok(())
}
