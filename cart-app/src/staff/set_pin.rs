//! `cart staff-pin`: sets the PIN of staff mode.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::pin::Pins;
use crate::config::Config;

/// `cart staff-pin`
#[derive(Args, Clone, Debug)]
pub struct PinOptions {
    /// The cart's configuration file.
    #[arg(long, default_value = "cart.toml")]
    config: PathBuf,
}

/// Reads the PIN from standard input, so that no list of processes and no shell's history shows it.
///
/// # Errors
/// When it is weak, or cannot be kept.
pub fn run(options: &PinOptions) -> anyhow::Result<()> {
    let config = Config::load(&options.config)?;
    eprintln!("The PIN of staff mode (it is shown while you type), then Enter:");
    let mut pin = String::new();
    std::io::stdin().read_line(&mut pin).context("standard input")?;
    Pins::set(&config.data, pin.trim())?;
    println!("Staff mode of {} opens with this PIN from now on.", config.cart);
    Ok(())
}
