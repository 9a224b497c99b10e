//! `./trundle eval`: what sight, barcodes, weight and all of them together are worth, on labelled data.
//!
//! Each part writes one JSON object. Thresholds and calibration are the shipped ones, never taken
//! from the files that are measured. [`photos`] judges single photos, [`enrol`] products known from a
//! few pictures, [`barcodes`] folders of codes, [`trips`] whole generated trips.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use clap::{Parser, Subcommand};
use serde::Serialize;

mod barcodes;
mod enrol;
mod photos;
mod trips;

use cart_app::sight::SHIPPED_MODEL as SHIPPED;

/// Measures recognition on labelled data.
#[derive(Parser, Debug)]
#[command(name = "eval")]
struct Options {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand, Debug)]
enum What {
    /// One photo at a time.
    Photos(photos::Options),
    /// Products that are known only from a few enrolled pictures.
    Enrol(enrol::Options),
    /// Folders of barcode pictures.
    Barcodes(barcodes::Options),
    /// Generated trips through the whole cart.
    Trips(trips::Options),
}

fn main() -> ExitCode {
    let done = match Options::parse().what {
        What::Photos(options) => photos::run(&options),
        What::Enrol(options) => enrol::run(&options),
        What::Barcodes(options) => barcodes::run(&options),
        What::Trips(options) => trips::run(&options),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("eval: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Writes the figures and prints them.
fn report(json: &Path, figures: &impl Serialize) -> anyhow::Result<()> {
    let text = serde_json::to_string_pretty(figures).context("figures")? + "\n";
    std::fs::write(json, &text).with_context(|| format!("figures {}", json.display()))?;
    print!("{text}");
    Ok(())
}

/// Median and 95th percentile of times in milliseconds; zero for none.
fn median_and_p95(mut times_ms: Vec<f32>) -> (f32, f32) {
    times_ms.sort_by(f32::total_cmp);
    let at = |share: usize| times_ms.get((times_ms.len() * share / 100).min(times_ms.len().saturating_sub(1)));
    (at(50).copied().unwrap_or(0.0), at(95).copied().unwrap_or(0.0))
}
