//! `./trundle bench`: how fast, how much memory, as ratios taken in one run on one machine.
//!
//! Nothing here passes or fails by time. Each measure that has a plain counterpart (the bare ONNX
//! Runtime, a bare SQLite commit, a bare process with the model loaded) is taken in turns with it,
//! so that a busy machine slows both; the table gives medians, tails and spread, and says what is
//! and what is not in each number. A machine that does other work gives numbers that are too large,
//! never too small.
//!
//! [`frames`] scrolls and touches the screen; [`trip`] shops 500 things; [`sight`] looks at frames and runs the model; [`sync`] has two hundred carts on the line; [`journal`] writes to the
//! disk; [`start`] starts processes and weighs them; [`report`] prints and writes JSON.

use std::path::PathBuf;

use anyhow::Context;
use cart_app::config::Config;
use cart_app::demo::{cart_config, servers};
use clap::Parser;

use report::Report;

mod frames;
mod journal;
mod report;
mod sight;
mod start;
mod sync;
mod trip;

/// Speed and memory, as ratios in one run.
#[derive(Parser, Debug)]
#[command(name = "bench")]
struct Options {
    /// The project's assets: models, catalogue.
    #[arg(long, default_value = "assets")]
    assets: PathBuf,
    /// Write the numbers as JSON here; else beside the built programs.
    #[arg(long)]
    json: Option<PathBuf>,
    /// Things put in on the generated trip.
    #[arg(long, default_value_t = 500)]
    items: u32,
    /// Only this part.
    only: Option<Part>,
    /// The seed of the trip and the world.
    #[arg(long, default_value_t = 20)]
    seed: u64,
    /// What this process is when the bench has started it.
    #[arg(long, hide = true, requires = "file")]
    child: Option<start::Child>,
    /// The child's configuration or model.
    #[arg(long, hide = true)]
    file: Option<PathBuf>,
}

/// A part that can be run alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// The frames of the cart's screen. Needs no store and no model.
    Frames,
    /// A cart's journal, and the line between two hundred carts and a hub. Needs no model.
    Sync,
}

/// What all parts of the bench share.
struct Bench {
    assets: PathBuf,
    /// This run's own folder, on the disk the programs are on; it goes when the run ends.
    folder: PathBuf,
    items: u32,
    seed: u64,
}

fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if let (Some(child), Some(file)) = (options.child, &options.file) {
        return start::be(child, file);
    }
    let program = std::env::current_exe().context("this program's own path")?;
    let programs = program.parent().context("this program's folder")?.to_owned();
    let target = programs.parent().unwrap_or(&programs).to_owned();
    // Not the system's folder for temporary files: that is often memory, and a flush would cost nothing.
    let folder = tempfile::tempdir_in(&target).with_context(|| format!("a folder in {}", target.display()))?;
    let assets = std::path::absolute(&options.assets).context("assets")?;
    let bench = Bench { assets, folder: folder.path().to_owned(), items: options.items, seed: options.seed };
    let mut report = Report::new(options.seed);
    if options.only == Some(Part::Sync) {
        journal::appends(&bench, &mut report)?;
        sync::all(&bench, &mut report)?;
        return finish(&report, &options.json.unwrap_or_else(|| target.join("bench-sync.json")));
    }
    // First, while this process holds nothing else: its memory is a number of that part.
    eprintln!("scrolling and touching the screen");
    frames::all(&mut report)?;
    if options.only == Some(Part::Frames) {
        return finish(&report, &options.json.unwrap_or_else(|| target.join("bench-frames.json")));
    }

    // What was built a moment ago goes to the disk first: flushes behind it would wait for seconds.
    if let Err(why) = std::process::Command::new("sync").status() {
        eprintln!("sync: {why}; the journal's times may hold the disk's other work");
    }
    eprintln!("starting the store");
    let data = folder.path().join("store");
    let cart_data = folder.path().join("cart");
    let setup = servers::StoreSetup {
        programs,
        data: data.clone(),
        catalogue: bench.assets.join("store/catalogue.toml"),
        cart: "cart-01".into(),
        cart_key: cart_data.join("cart-key"),
        terminal_args: Vec::new(),
    };
    let store = servers::Store::start(&setup)?;
    start::hub_memory("hub, idle", &mut report)?;
    let config_path = folder.path().join("cart.toml");
    let text = cart_config(&bench.assets, &cart_data, store.addresses.mqtt);
    // Half a thousand things weigh more than a basket carries; the scale is told to take them.
    let text = text.replace("scale = { driver = \"sim\" }", "scale = { driver = \"sim\", capacity_g = 300000 }");
    std::fs::write(&config_path, text).with_context(|| format!("{}", config_path.display()))?;
    let config = Config::load(&config_path)?;

    eprintln!("starting the cart again and again");
    start::cold("cold start, empty basket", &config_path, &config, &mut report)?;
    start::memory_at_work(&config_path, &mut report)?;
    eprintln!("looking at frames");
    sight::frames(&bench, &config, &mut report)?;
    eprintln!("writing to the disk");
    journal::appends(&bench, &mut report)?;
    eprintln!("shopping {} things", bench.items);
    trip::shop(&bench, &config, &mut report)?;
    start::hub_memory("hub, after the trip", &mut report)?;
    eprintln!("two hundred carts on the line");
    sync::all(&bench, &mut report)?;
    eprintln!("starting the cart with a full basket");
    start::cold("cold start, full basket", &config_path, &config, &mut report)?;
    drop(store);

    finish(&report, &options.json.unwrap_or_else(|| target.join("bench.json")))
}

fn finish(report: &Report, json: &std::path::Path) -> anyhow::Result<()> {
    report.print();
    report.write(json)?;
    println!("\nWritten to {}", json.display());
    Ok(())
}
