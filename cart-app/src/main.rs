//! `cart`: the device program, and the demo around it.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use cart_app::{demo, devices, enrol, provision, recording, run, staff, ui};
use clap::{Parser, Subcommand};
use service::LogFile;
use tracing_subscriber::filter::{EnvFilter, LevelFilter};
use tracing_subscriber::layer::{Layer, SubscriberExt};
use tracing_subscriber::util::SubscriberInitExt;

/// The program of a smart shopping cart.
#[derive(Parser)]
#[command(name = "cart")]
struct Options {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a cart with the devices of its configuration.
    Run {
        /// The cart's configuration file.
        #[arg(long, default_value = "cart.toml")]
        config: PathBuf,
        /// No window: the screen is not shown.
        #[arg(long)]
        headless: bool,
        /// For staff: keep everything the cart sees, weighs and is told in this file. Frames show
        /// people; delete it when it has served.
        #[arg(long)]
        record: Option<PathBuf>,
        /// Log into this file, and not to stderr; it is kept within 32 MiB with those before it.
        #[arg(long)]
        log: Option<PathBuf>,
    },
    /// Plays a recorded trip again; fails where other events come out.
    Replay(recording::command::ReplayOptions),
    /// A whole shopping trip with hub, terminal and a simulated cart.
    Demo(demo::DemoOptions),
    /// Plays a scripted trip on a simulated cart, against a store that runs already.
    Play(demo::PlayOptions),
    /// Enrols a product from its pictures.
    Enrol(enrol::EnrolOptions),
    /// Joins this cart to its store with a one-time code from `store-hub provision`.
    Provision(provision::ProvisionOptions),
    /// Sets the PIN of staff mode, read from standard input.
    StaffPin(staff::set_pin::PinOptions),
    /// Lists the devices of this machine.
    Devices,
    /// Writes every screen as a picture.
    Screens {
        /// The folder.
        #[arg(long)]
        out: PathBuf,
        /// Only those with each of these words in their name, such as `basket large ar`; several separated by
        /// commas; `=pay-tap-small` for that one alone.
        #[arg(long, default_value = "")]
        only: String,
    },
}

fn main() -> ExitCode {
    let options = Options::parse();
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
    let log = match &options.command {
        Command::Run { log: Some(path), .. } => match LogFile::open(path, LogFile::USUAL) {
            Ok(file) => Some(Arc::new(file)),
            Err(why) => {
                eprintln!("cart: cannot log into {}: {why}", path.display());
                return ExitCode::FAILURE;
            }
        },
        _ => None,
    };
    let printed = match log {
        Some(file) => tracing_subscriber::fmt::layer().with_ansi(false).with_writer(move || file.begin()).boxed(),
        None => tracing_subscriber::fmt::layer().with_writer(std::io::stderr).boxed(),
    };
    let printed = printed.with_filter(filter);
    let kept = staff::log::RingLayer.with_filter(LevelFilter::INFO);
    tracing_subscriber::registry().with(printed).with(kept).init();
    let result = match options.command {
        Command::Run { config, headless, record, log: _ } => run::run(&config, headless, record.as_deref()),
        Command::Replay(options) => recording::command::run(&options),
        Command::Demo(options) => demo::demo(&options),
        Command::Play(options) => demo::play(&options),
        Command::Enrol(options) => enrol::run(&options),
        Command::Provision(options) => provision::run(&options),
        Command::StaffPin(options) => staff::set_pin::run(&options),
        Command::Devices => {
            devices::list();
            Ok(())
        }
        Command::Screens { out, only } => {
            ui::gallery::write_some(&out, &|name| ui::gallery::named(name, &only)).map_err(Into::into).map(|files| {
                println!("{} screens are in {}", files.len(), out.display());
            })
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("cart: {why:#}");
            ExitCode::FAILURE
        }
    }
}
