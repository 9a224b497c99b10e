//! The description beside a model file: whose it is, what goes in, what comes out, how to believe it.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trip::Sku;

use crate::calibration::Calibration;

/// The `.json` beside an `.onnx` file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelDescription {
    /// SHA-256 of the model file, in hex.
    pub fingerprint: String,
    /// `[channels, rows, columns]` of the input, f32, RGB, -1..1.
    pub input: [u32; 3],
    /// Dimensions of the embedding.
    pub embedding: usize,
    /// The products it was taught, in the order of its logits.
    pub classes: Vec<Sku>,
    /// The family of each class, for figures about near misses.
    pub coarse: Vec<u32>,
    /// Fitted on photos it was not trained on.
    #[serde(default)]
    pub calibration: Calibration,
}

/// A model that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The file is missing or cannot be read.
    #[error("cannot read {}: {source}; `assets/models` holds the models", path.display())]
    Read {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The description is not one.
    #[error("{} is no model description: {source}", path.display())]
    Description {
        /// Which file.
        path: PathBuf,
        /// Where and why.
        source: serde_json::Error,
    },
    /// The description contradicts itself.
    #[error("{}: {what}", path.display())]
    Contradiction {
        /// Which file.
        path: PathBuf,
        /// In what.
        what: String,
    },
    /// The model file is not the one described.
    #[error("{} is not the model its description is about (fingerprint {found}, expected {expected}); put both files there again", path.display())]
    OtherModel {
        /// Which model file.
        path: PathBuf,
        /// Its own fingerprint.
        found: String,
        /// The description's.
        expected: String,
    },
}

impl ModelDescription {
    /// Reads the description at `path`.
    ///
    /// # Errors
    /// [`ModelError`] when it is missing, malformed or contradicts itself.
    pub fn load(path: &Path) -> Result<Self, ModelError> {
        let text = std::fs::read_to_string(path).map_err(|source| ModelError::Read { path: path.into(), source })?;
        let found: Self =
            serde_json::from_str(&text).map_err(|source| ModelError::Description { path: path.into(), source })?;
        let wrong = |what: String| Err(ModelError::Contradiction { path: path.into(), what });
        if found.input[0] != 3 || found.input[1] != found.input[2] || !(32..=1024).contains(&found.input[1]) {
            return wrong(format!("input must be [3, side, side] with a side of 32 to 1024, not {:?}", found.input));
        }
        if found.classes.len() != found.coarse.len() {
            return wrong(format!("{} classes but {} families", found.classes.len(), found.coarse.len()));
        }
        if found.embedding == 0 || found.embedding > 8192 {
            return wrong(format!("an embedding of {} dimensions", found.embedding));
        }
        if !found.calibration.is_sound() {
            return wrong(format!("a calibration out of range: {:?}", found.calibration));
        }
        Ok(found)
    }

    /// The family of a product it was taught.
    pub fn family(&self, sku: &Sku) -> Option<u32> {
        self.classes.iter().position(|c| c == sku).and_then(|class| self.coarse.get(class).copied())
    }

    /// One of a model with flat embeddings, for tests: its classes, each with its family.
    #[cfg(test)]
    pub(crate) fn of_classes(classes: &[(&str, u32)], calibration: Calibration) -> Self {
        Self {
            fingerprint: "m".into(),
            input: [3, 224, 224],
            embedding: 2,
            classes: classes.iter().map(|(name, _)| Sku::new(*name).expect("a valid name")).collect(),
            coarse: classes.iter().map(|(_, family)| *family).collect(),
            calibration,
        }
    }

    /// Reads a model file and the description beside it, and sees that they belong together.
    ///
    /// # Errors
    /// [`ModelError`] as for [`Self::load`], and when the model's fingerprint is another.
    pub fn load_with_model(model: &Path) -> Result<(Self, Vec<u8>), ModelError> {
        let description = Self::load(&model.with_extension("json"))?;
        let bytes = std::fs::read(model).map_err(|source| ModelError::Read { path: model.into(), source })?;
        let found = fingerprint(&bytes);
        if found != description.fingerprint {
            return Err(ModelError::OtherModel { path: model.into(), found, expected: description.fingerprint });
        }
        Ok((description, bytes))
    }
}

/// SHA-256 in hex.
pub fn fingerprint(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}
