//! A scripted trip: what the shopper does, in the words of a TOML file.

use std::path::{Path, PathBuf};

use serde::Deserialize;
use trip::Sku;

/// A trip.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Chooses photos, places and noise.
    pub seed: u64,
    /// What happens, in order.
    pub step: Vec<Step>,
}

/// One action of the shopper.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(tag = "do", rename_all = "snake_case", deny_unknown_fields)]
pub enum Step {
    /// Touch "Start shopping".
    Start,
    /// Put something in.
    Put {
        /// The product it really is.
        sku: Sku,
        /// What it really weighs, in grams; for a pack, what the catalogue says, and a little off.
        #[serde(default)]
        grams: Option<f32>,
        /// True to hold its barcode to the camera first.
        #[serde(default)]
        show_code: bool,
    },
    /// Put two things in at once.
    PutTwo {
        /// The products.
        skus: [Sku; 2],
        /// True to hold both barcodes to the camera first.
        #[serde(default)]
        show_code: bool,
    },
    /// Take out the newest thing of this product.
    Take {
        /// The product.
        sku: Sku,
    },
    /// Knock the cart.
    Bump,
    /// Roll up to the exit lane and touch "Go to the exit lane".
    GoToLane {
        /// The lane.
        lane: String,
    },
    /// Tap a card on the lane's reader, and wait for the receipt.
    TapCard,
    /// Touch "Done" on the receipt.
    Finish,
    /// Just walk, in milliseconds.
    Walk {
        /// For how long.
        ms: u64,
    },
}

/// What is wrong with a script.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    /// The file cannot be read.
    #[error("demo trip {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no script.
    #[error("demo trip {}: {source}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// Line and what was expected.
        source: Box<toml::de::Error>,
    },
}

impl Script {
    /// Reads a script.
    ///
    /// # Errors
    /// [`ScriptError`] names the file and the line.
    pub fn load(path: &Path) -> Result<Self, ScriptError> {
        let text = std::fs::read_to_string(path).map_err(|source| ScriptError::Read { path: path.into(), source })?;
        toml::from_str(&text).map_err(|source| ScriptError::Form { path: path.into(), source: Box::new(source) })
    }
}
