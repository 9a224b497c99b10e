//! Generated trips through the whole cart: `tests::generate`, its figures and its tables.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use tests::generate::figures::Count;
use tests::generate::{Dice, Plan, Store};

/// So many trips that went wrong are kept: each is some hundred megabytes.
const MOST_KEPT: u64 = 5;

#[derive(Args, Debug)]
pub struct Options {
    /// A folder of photos with its `classes.csv`; without it all goods are drawn.
    #[arg(long, requires = "list")]
    root: Option<PathBuf>,
    /// Its photos to use: lines `path, fine, coarse`.
    #[arg(long, requires = "root")]
    list: Option<PathBuf>,
    /// How many trips, of 6 to 14 things each.
    #[arg(long, default_value_t = 20)]
    trips: u64,
    /// The same seed gives the same trips.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this trip of the row, from 1, told deed by deed.
    #[arg(long)]
    only: Option<u64>,
    /// The model, by its name in assets/models.
    #[arg(long, default_value = super::SHIPPED)]
    model: String,
    /// The project's assets.
    #[arg(long, default_value = "assets")]
    assets: PathBuf,
    /// Record the first few trips that go wrong into this folder, for `cart replay`.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Write what the cart said first of each thing, and what that rested on, into this file: one JSON a line.
    #[arg(long)]
    said: Option<PathBuf>,
    /// Trips played at once; more than one makes the times worse.
    #[arg(long, default_value_t = 1)]
    jobs: usize,
    /// Write the figures as JSON here.
    #[arg(long)]
    pub json: PathBuf,
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    let assets = std::path::absolute(&options.assets).context("assets")?;
    let photos = options.root.as_deref().zip(options.list.as_deref());
    eprintln!("opening the store…");
    let store = Store::open(&assets, photos, Some(&options.model), options.seed)?;
    let numbers: Vec<u64> = match options.only {
        Some(only) => vec![only],
        None => (1..=options.trips).collect(),
    };
    let most = std::thread::available_parallelism().map_or(1, usize::from);
    let (began, next) = (Instant::now(), AtomicU64::new(0));
    let counts: Mutex<Vec<(u64, Count)>> = Mutex::new(Vec::new());
    let work = || -> anyhow::Result<()> {
        loop {
            let Some(number) = numbers.get(next.fetch_add(1, Ordering::Relaxed) as usize) else { return Ok(()) };
            let count = store.play(&plan(options.seed, *number, &store), None)?;
            let mut counts = counts.lock().map_err(|_| anyhow::anyhow!("another trip broke off"))?;
            tell(*number, &count);
            counts.push((*number, count));
            let items: u64 = counts.iter().map(|(_, c)| c.figures.items).sum();
            eprintln!(
                "{}/{} trips, {items} things, {:.0} s",
                counts.len(),
                numbers.len(),
                began.elapsed().as_secs_f32()
            );
        }
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..options.jobs.clamp(1, most)).map(|_| scope.spawn(work)).collect();
        let join = |worker: std::thread::ScopedJoinHandle<'_, anyhow::Result<()>>| {
            worker.join().unwrap_or_else(|_| Err(anyhow::anyhow!("a trip broke off")))
        };
        workers.into_iter().try_for_each(join)
    })?;
    let mut counts = counts.into_inner().map_err(|_| anyhow::anyhow!("a trip broke off"))?;
    counts.sort_by_key(|(number, _)| *number);
    keep(options, &store, &counts)?;
    let mut all = Count::default();
    counts.into_iter().for_each(|(_, count)| all.add(count));
    if options.only.is_some() {
        all.story.iter().for_each(|(ms, words)| eprintln!("{ms:>7} ms {words}"));
    }
    eprintln!("\n{}", all.tables());
    if let Some(path) = &options.said {
        let lines: Vec<String> = all.said.iter().map(serde_json::to_string).collect::<Result<_, _>>()?;
        std::fs::write(path, lines.join("\n") + "\n").with_context(|| path.display().to_string())?;
    }
    super::report(&options.json, &all.figures())
}

fn plan(seed: u64, number: u64, store: &Store) -> Plan {
    let mut dice = Dice::new(seed);
    let seed = (0..number).map(|_| dice.throw()).last().unwrap_or(seed);
    Plan::new(seed, &store.shelf)
}

fn tell(number: u64, count: &Count) {
    for mishap in &count.mishaps {
        let really = mishap.really.as_ref().map_or("-", |sku| sku.as_str());
        eprintln!("trip {number}: {} ({}): {really}: {}", mishap.what, mishap.during, mishap.words);
    }
}

/// Plays what went wrong once more, this time recording: the same seed gives the same trip.
fn keep(options: &Options, store: &Store, counts: &[(u64, Count)]) -> anyhow::Result<()> {
    let Some(folder) = &options.keep else { return Ok(()) };
    let config = store.keep(folder)?;
    for (number, _) in counts.iter().filter(|(_, count)| count.went_wrong()).take(MOST_KEPT as usize) {
        let path = folder.join(format!("seed-{}-trip-{number}.recording", options.seed));
        store.play(&plan(options.seed, *number, store), Some(&path))?;
        eprintln!(
            "kept {}; play it with: cart replay {} --config {}",
            path.display(),
            path.display(),
            config.display()
        );
    }
    Ok(())
}
