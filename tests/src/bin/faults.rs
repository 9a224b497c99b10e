//! `./trundle faults`: the fault rig for so many minutes, and what was done and seen.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::Parser;
use tests::rig::{Counts, Setup, brokers, disk, run};

/// A whole store of real processes, blows against all of them, and its databases checked afterwards.
#[derive(Parser, Debug)]
#[command(name = "faults")]
struct Options {
    /// For how many minutes blows fall; fractions are allowed.
    #[arg(long, default_value_t = 10.0)]
    minutes: f64,
    /// Draws the blows; without it the time of day does.
    #[arg(long)]
    seed: Option<u64>,
    /// Carts that shop and pay.
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u8).range(1..=16))]
    carts: u8,
    /// Carts that only talk.
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u16).range(0..=999))]
    crowd: u16,
    /// Three NATS servers with JetStream instead of mosquitto: the program that TRUNDLE_NATS names, or `nats-server`.
    #[arg(long)]
    nats: bool,
    /// Keep all logs and databases in this folder, which must not be there yet.
    #[arg(long)]
    keep: Option<PathBuf>,
}

fn main() -> ExitCode {
    let options = Options::parse();
    match disk::inside() {
        Ok(Some(code)) => return ExitCode::from(u8::try_from(code).unwrap_or(1)),
        Ok(None) => {}
        Err(why) => {
            eprintln!("faults: {why:#}");
            return ExitCode::FAILURE;
        }
    }
    match strike(&options) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("faults: {why:#}");
            ExitCode::FAILURE
        }
    }
}

fn strike(options: &Options) -> anyhow::Result<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let seed = options.seed.unwrap_or(now.as_secs() % 1_000_000);
    let folder = tempfile::Builder::new().prefix("trundle-faults-").tempdir()?;
    let setup = Setup {
        time: Duration::try_from_secs_f64(options.minutes * 60.0).context("--minutes")?,
        seed,
        brokers: if options.nats { brokers::Kind::Nats(nats_server()) } else { brokers::Kind::Mosquitto },
        carts: options.carts.into(),
        crowd: options.crowd.into(),
        folder: folder.path().into(),
    };
    println!("seed {seed}: {} carts that shop, {} that talk, {} minutes", setup.carts, setup.crowd, options.minutes);
    let counts = run(&setup, &mut |what| println!("{what}"));
    let keep = match (&options.keep, &counts) {
        (Some(keep), _) => Some(keep.clone()),
        // Nothing that explains a breach is thrown away.
        (None, Err(_)) => Some(std::env::temp_dir().join(format!("trundle-faults-of-seed-{seed}"))),
        (None, Ok(_)) => None,
    };
    if let Some(keep) = keep {
        // A copy: the hub's disk ends with this process.
        let copied = std::process::Command::new("cp").arg("-r").arg(folder.path()).arg(&keep).status()?;
        let word = if copied.success() { "are in" } else { "could not all be copied to" };
        println!("all logs and databases {word} {}", keep.display());
    }
    tell(&counts.with_context(|| format!("seed {seed}"))?);
    Ok(())
}

fn nats_server() -> PathBuf {
    std::env::var_os("TRUNDLE_NATS").map_or_else(|| "nats-server".into(), PathBuf::from)
}

fn tell(counts: &Counts) {
    println!("\nblows");
    counts.blows.iter().for_each(|(kind, count)| println!("  {count:>5}  {kind}"));
    counts.replaced.iter().for_each(|(word, count)| println!("a hub that another had replaced {word}: {count}"));
    println!("programs that ended by themselves and were started again");
    counts.restarts.iter().for_each(|(name, count)| println!("  {count:>5}  {name}"));
    counts.left_out.iter().for_each(|what| println!("left out: {what}"));
    let blows: u32 = counts.blows.values().sum();
    println!(
        "\n{blows} blows; {} events in the hub's database, {} of them the crowd's, each once and in order;\n\
         {} trips paid and ended, {} starts in mid-trip, {} shown lines found on the disk;\n\
         {} attempts to be paid, {} payments that stay taken, {}.{:02} in all, one a trip. All promises hold.",
        counts.events,
        counts.crowd_events,
        counts.trips,
        counts.resumed,
        counts.lines_kept,
        counts.intents,
        counts.paid,
        counts.taken_minor / 100,
        counts.taken_minor % 100,
    );
}
