//! To be written.

use std::path::PathBuf;

use clap::Args;

#[derive(Args, Debug)]
pub struct Options {
    /// Write the figures as JSON here.
    #[arg(long)]
    pub json: PathBuf,
}

pub fn run(options: &Options) -> anyhow::Result<()> {
    super::report(&options.json, &0)
}
