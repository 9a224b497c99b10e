//! `cart replay FILE`.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::bail;
use clap::Args;

use super::replay::{MakeEye, Replayed, replay};
use crate::config::Config;
use crate::sight::Sight;

/// `cart replay`
#[derive(Args, Clone, Debug)]
pub struct ReplayOptions {
    /// The recording.
    pub file: PathBuf,
    /// Look at the frames again, with the model and gallery of this cart's configuration; without it,
    /// the looks of the recording are taken.
    #[arg(long)]
    pub config: Option<PathBuf>,
}

/// Plays the file and says what came out.
///
/// # Errors
/// When the file is no recording, is cut or damaged, or other events come out than were recorded.
pub fn run(options: &ReplayOptions) -> anyhow::Result<()> {
    let file = options.file.display();
    let Replayed { records, frames, events, looks, difference, damage } = match &options.config {
        None => replay(&options.file, None)?,
        Some(path) => {
            let config = Config::load(path)?;
            let mut sight: Option<Sight> = None;
            let make: &mut MakeEye<'_> = &mut |_, catalogue| match &sight {
                Some(sight) => sight.eye(),
                None => sight.insert(Sight::open(&config.sight, Arc::new(catalogue.clone()))?).eye(),
            };
            replay(&options.file, Some(make))?
        }
    };
    println!("{file}: {records} records, {frames} frames; as recorded: {events} events, {looks} looks taken again");
    if let Some(difference) = difference {
        let or_nothing = |text: &str| if text.is_empty() { "nothing".to_owned() } else { text.to_owned() };
        bail!(
            "{file} parts from the recording at record {}, {} ms\n  recorded: {}\n  replayed: {}",
            difference.record,
            difference.now.as_millis(),
            or_nothing(&difference.recorded),
            or_nothing(&difference.replayed),
        );
    }
    damage.map_or(Ok(()), |damage| Err(damage.into()))
}
