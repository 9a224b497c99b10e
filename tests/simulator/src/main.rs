//! `simulate`: plays many seeds, and tells of the first that breaks a promise.

use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use simulator::{Counts, Plan, run, shrink};

/// Plays the whole store on seeded worlds with virtual time, where everything that can break does.
#[derive(Debug, Parser)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Prints all that happens, of a single seed.
    #[arg(long)]
    trace: bool,
    /// How many lines of the trace are shown of a seed that fails.
    #[arg(long, default_value_t = 60)]
    lines: usize,
    /// Goes on after a seed that fails, and counts.
    #[arg(long)]
    keep_going: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let began = Instant::now();
    let (mut all, mut played, mut failed, mut virtual_ms) = (Counts::default(), 0_u64, 0_u64, 0);
    for seed in args.from..args.from + args.seeds {
        let report = run(Plan::of(seed), args.trace);
        if args.trace {
            report.trace.iter().for_each(|line| println!("{line}"));
        }
        all += report.counts;
        played += 1;
        virtual_ms += report.took;
        let Some(breach) = report.breach else { continue };
        failed += 1;
        println!("seed {seed} breaks a promise: {breach}");
        if args.keep_going {
            continue;
        }
        let smallest = shrink(&Plan::of(seed), &breach.check);
        let report = run(smallest.clone(), true);
        println!("\nwith {} of its {} faults:", smallest.faults.len(), Plan::of(seed).faults.len());
        smallest.faults.iter().for_each(|fault| println!("  {fault}"));
        println!("\nthe end of what happened:");
        let skip = report.trace.len().saturating_sub(args.lines);
        report.trace.iter().skip(skip).for_each(|line| println!("  {line}"));
        println!("\nagain: ./trundle simulate --from {seed} --seeds 1   (--trace prints all of it)");
        break;
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{played} seeds in {seconds:.1} s: {:.0} seeds/s, {:.1} h of store time; {} faults, {} starts, {} messages, \
         {} acks, {} records, {} payments taken, {} baskets at tills, \
         {failed} seeds failed",
        played as f64 / seconds,
        virtual_ms as f64 / 3_600_000.0,
        all.faults,
        all.starts,
        all.messages,
        all.acks,
        all.records,
        all.taken,
        all.transfers,
    );
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
