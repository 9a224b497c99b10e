//! The calibration that staff made: a straight line between the converter's counts and grams, kept in
//! `scale-calibration.toml` in the cart's data folder, and laid over what the scale's driver says.
//!
//! A driver gives grams by its board file's zero and slope. Those are as good as counts: the line made here is
//! in counts, so it holds whatever the board file says, and for the simulated scale the same way. It belongs to
//! one scale, by model and port; another one's is not used.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use hal::board::ScaleBoard;
use hal::{DeviceError, Identity, Scale, WeightReading};
use serde::{Deserialize, Serialize};
use tracing::warn;

use crate::durable;

/// From the driver's grams to grams.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Line {
    /// The driver's own: what its grams are made of.
    board_zero: f64,
    board_slope: f64,
    /// The count of the empty basket.
    pub zero_counts: f64,
    /// Counts a gram; never zero.
    pub counts_per_g: f64,
}

impl Default for Line {
    fn default() -> Self {
        Self::of(&ScaleBoard::default())
    }
}

impl Line {
    /// The board file's own line: grams stay what they are.
    pub fn of(board: &ScaleBoard) -> Self {
        let (zero, slope) = (f64::from(board.zero_counts), f64::from(board.counts_per_g));
        Self { board_zero: zero, board_slope: slope, zero_counts: zero, counts_per_g: slope }
    }

    /// The same board with another calibration.
    #[must_use]
    pub fn with(self, zero_counts: f64, counts_per_g: f64) -> Self {
        Self { zero_counts, counts_per_g, ..self }
    }

    /// Grams by this line, of what the driver says.
    pub fn grams(&self, driver_g: f32) -> f32 {
        let counts = self.board_zero + f64::from(driver_g) * self.board_slope;
        ((counts - self.zero_counts) / self.counts_per_g) as f32
    }

    /// The counts behind grams that this line gave.
    pub fn counts(&self, grams: f32) -> f64 {
        self.zero_counts + f64::from(grams) * self.counts_per_g
    }

    /// In words.
    pub fn words(&self) -> String {
        format!("zero at {:.0} counts, {:.3} counts a gram", self.zero_counts, self.counts_per_g)
    }
}

/// What the file holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// Model and port of the scale.
    pub scale: String,
    /// The count of the empty basket.
    pub zero_counts: f64,
    /// Counts a gram.
    pub counts_per_g: f64,
    /// The mass it was made with, in grams.
    pub mass_g: u32,
    /// How far the check was off, in grams.
    pub check_error_g: f32,
}

/// The name of a scale in the file.
pub fn name_of(identity: &Identity) -> String {
    format!("{} at {}", identity.model, identity.port)
}

/// The file, in the cart's data folder.
pub fn file_in(data: &Path) -> PathBuf {
    data.join("scale-calibration.toml")
}

/// Writes it, whole or not at all.
///
/// # Errors
/// When it cannot be written; the old one is there still.
pub fn save(data: &Path, kept: &Kept) -> std::io::Result<()> {
    let head = "# Made in staff mode on the cart's screen. It is used in place of the board file's zero and slope.\n";
    let text = toml::to_string(kept).map_err(std::io::Error::other)?;
    durable::write(&file_in(data), format!("{head}{text}").as_bytes(), 0o644)
}

/// The calibration of this scale, where staff made one. One that is damaged or another scale's is said in the
/// log, and the board file's stands.
pub fn load(data: &Path, scale: &str) -> Option<Kept> {
    let path = file_in(data);
    let text = match std::fs::read_to_string(&path) {
        Ok(text) => text,
        Err(why) => {
            if why.kind() != std::io::ErrorKind::NotFound {
                warn!(path = %path.display(), %why, "the scale's calibration cannot be read");
            }
            return None;
        }
    };
    let sound = |kept: &Kept| kept.zero_counts.is_finite() && kept.counts_per_g.is_normal();
    match toml::from_str::<Kept>(&text) {
        Ok(kept) if !sound(&kept) => {
            warn!(path = %path.display(), "the scale's calibration is not used: its numbers cannot be");
            None
        }
        Ok(kept) if kept.scale != scale => {
            warn!(path = %path.display(), of = kept.scale, scale, "the calibration is another scale's; calibrate again");
            None
        }
        Ok(kept) => Some(kept),
        Err(why) => {
            warn!(path = %path.display(), %why, "the scale's calibration is damaged; calibrate again");
            None
        }
    }
}

/// A scale with the calibration that is in force laid over it.
pub struct Calibrated {
    inner: Box<dyn Scale>,
    // A mutex, because staff change it while the scale's thread weighs; held for two numbers.
    line: Arc<Mutex<Line>>,
}

impl Calibrated {
    /// Lays `line` over `inner`.
    pub fn new(inner: Box<dyn Scale>, line: Arc<Mutex<Line>>) -> Self {
        Self { inner, line }
    }
}

impl Scale for Calibrated {
    fn identity(&self) -> Identity {
        self.inner.identity()
    }

    fn read(&mut self) -> Result<WeightReading, DeviceError> {
        let reading = self.inner.read()?;
        let line = *self.line.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(WeightReading { gross_g: line.grams(reading.gross_g), ..reading })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept() -> Kept {
        Kept { scale: "cell at sim".into(), zero_counts: 812.5, counts_per_g: 98.5, mass_g: 5_000, check_error_g: 0.4 }
    }

    #[test]
    fn the_line_gives_grams_whatever_the_board_file_says() {
        let board = ScaleBoard { zero_counts: 1_000, counts_per_g: -50.0, ..ScaleBoard::default() };
        let line = Line::of(&board);
        assert_eq!(line.grams(123.0), 123.0);
        assert_eq!(line.counts(2.0), 900.0);
        let better = line.with(950.0, -49.0);
        // 10 g by the board file are 500 counts.
        assert_eq!(better.grams(10.0), (450.0 / 49.0) as f32);
        assert!((better.counts(better.grams(10.0)) - 500.0).abs() < 1e-3);
    }

    #[test]
    fn a_calibration_is_found_again_and_one_that_cannot_be_used_is_not() {
        let folder = tempfile::tempdir().expect("a folder");
        assert_eq!(load(folder.path(), "cell at sim"), None);
        save(folder.path(), &kept()).expect("written");
        assert_eq!(load(folder.path(), "cell at sim"), Some(kept()));
        assert_eq!(load(folder.path(), "another at gpio 5/6"), None);
        save(folder.path(), &Kept { counts_per_g: 0.0, ..kept() }).expect("written");
        assert_eq!(load(folder.path(), "cell at sim"), None);
        std::fs::write(file_in(folder.path()), "zero_counts = \"").expect("written");
        assert_eq!(load(folder.path(), "cell at sim"), None);
    }
}
