//! `terminal-sim`: a payment terminal that is a program, for the demo and for tests. When it is
//! ready it prints one line of JSON with its addresses; it runs until it is stopped.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;
use clap::Parser;
use store_hub::terminal::seal::SharedKey;
use store_hub::terminal::sim::{Play, Setup, serve};

/// A payment terminal that is a program.
#[derive(Parser)]
struct Options {
    /// Where hubs ask; port 0 for any free one.
    #[arg(long, default_value = "127.0.0.1:8443")]
    listen: SocketAddr,
    /// Where cards are held to it; port 0 for any free one.
    #[arg(long, default_value = "127.0.0.1:0")]
    control: SocketAddr,
    /// The passphrase it shares with the hub.
    #[arg(long, conflicts_with = "key_file", required_unless_present = "key_file")]
    passphrase: Option<String>,
    /// A file with that passphrase.
    #[arg(long)]
    key_file: Option<PathBuf>,
    /// The shared key's identifier.
    #[arg(long, default_value = "trundle")]
    key_identifier: String,
    /// The shared key's version.
    #[arg(long, default_value_t = 1)]
    key_version: u32,
    /// Its log of transactions.
    #[arg(long)]
    state: PathBuf,
    /// Hold a card to itself after this many milliseconds.
    #[arg(long)]
    auto_tap_ms: Option<u64>,
    /// Give up waiting for a card after this many milliseconds.
    #[arg(long, default_value_t = 60_000)]
    card_within_ms: u64,
    /// A JSON list of what happens to the next payments: "approve", "decline", "timeout",
    /// "lost_answer", "crash_after_approval", {"slow": 500}.
    #[arg(long)]
    script: Option<PathBuf>,
}

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("terminal-sim: {}", store_hub::run::explain(e.as_ref()));
            ExitCode::FAILURE
        }
    }
}

fn run() -> anyhow::Result<()> {
    let options = Options::parse();
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_env_filter(tracing_subscriber::EnvFilter::from_default_env())
        .init();
    let passphrase = match (options.passphrase, options.key_file) {
        (Some(passphrase), _) => passphrase,
        (None, Some(file)) => std::fs::read_to_string(&file)
            .with_context(|| format!("cannot read key file {}", file.display()))?
            .trim()
            .to_owned(),
        (None, None) => anyhow::bail!("give --passphrase or --key-file"),
    };
    let script: Vec<Play> = match options.script {
        None => Vec::new(),
        Some(file) => {
            let text =
                std::fs::read_to_string(&file).with_context(|| format!("cannot read script {}", file.display()))?;
            serde_json::from_str(&text)
                .with_context(|| format!("script {} is no JSON list of plays", file.display()))?
        }
    };
    let setup = Setup {
        listen: options.listen,
        control: options.control,
        key: SharedKey::derive(&passphrase, &options.key_identifier, options.key_version),
        state: options.state,
        auto_tap: options.auto_tap_ms.map(Duration::from_millis),
        card_within: Duration::from_millis(options.card_within_ms),
        script,
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start tasks")?;
    runtime.block_on(async {
        let running = serve(setup).await?;
        println!("{}", serde_json::json!({ "nexo": running.nexo, "control": running.control }));
        store_hub::run::stop_signal().await.context("cannot wait for a signal")?;
        anyhow::Ok(())
    })
}
