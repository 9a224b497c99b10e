//! Opens the model, the gallery and the barcode reader: one [`Eye`] a camera.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use cart_vision::embedder::{Embedder, runtime_path};
use cart_vision::{BarcodeReader, Eye, Gallery, ReaderConfig, Recogniser};
use trip::{Catalogue, Gtin};

use crate::config::SightConfig;

/// The name of the model that is shipped.
pub const SHIPPED_MODEL: &str = "pair";
/// Its sibling by the same recipe that never saw the photos of the set's `val.txt`. The demo's goods are
/// those photos, so it looks with this one's eyes; figures on them mean something with it alone.
pub const HELD_OUT_MODEL: &str = "trainonly";

/// The model that is shipped, in the project's assets; its gallery lies beside it.
pub fn shipped_model(assets: &Path) -> PathBuf {
    model_of(assets, SHIPPED_MODEL)
}

/// A model of the project's assets by its name.
pub fn model_of(assets: &Path, name: &str) -> PathBuf {
    assets.join("models").join(format!("{name}.onnx"))
}

/// What eyes are made of; shared by all cameras of a cart.
pub struct Sight {
    config: SightConfig,
    catalogue: Arc<Catalogue>,
    /// The enrolled views, for enrolling more before the eyes are made.
    pub gallery: Gallery,
}

impl Sight {
    /// Reads the model's description and the gallery.
    ///
    /// # Errors
    /// When model, sidecar, gallery or runtime are missing, damaged or do not fit together.
    pub fn open(config: &SightConfig, catalogue: Arc<Catalogue>) -> anyhow::Result<Self> {
        let embedder = open_embedder(config)?;
        let fingerprint = &embedder.description().fingerprint;
        let gallery = Gallery::load(&config.gallery, fingerprint).context("sight: gallery of enrolled products")?;
        Ok(Self { config: config.clone(), catalogue, gallery })
    }

    /// Where model and gallery lie.
    pub fn config(&self) -> &SightConfig {
        &self.config
    }

    /// A model of its own, for enrolment or for an eye.
    ///
    /// # Errors
    /// As [`Sight::open`].
    pub fn embedder(&self) -> anyhow::Result<Embedder> {
        open_embedder(&self.config)
    }

    /// One camera's eye.
    ///
    /// # Errors
    /// As [`Sight::open`].
    pub fn eye(&self) -> anyhow::Result<Eye> {
        self.eye_with(self.gallery.clone())
    }

    /// One camera's eye that knows the products of `gallery`.
    ///
    /// # Errors
    /// As [`Sight::open`].
    pub fn eye_with(&self, gallery: Gallery) -> anyhow::Result<Eye> {
        let embedder = self.embedder()?;
        let recogniser = Recogniser::new(embedder.description().clone(), gallery).context("sight")?;
        Ok(Eye::new(Some((Box::new(embedder), recogniser)), Some(Box::new(reader(&self.catalogue)))))
    }
}

/// A barcode reader for the store's codes; it needs no model.
pub fn reader(catalogue: &Arc<Catalogue>) -> BarcodeReader {
    let catalogue = catalogue.clone();
    let config = ReaderConfig { prefixes: catalogue.prefixes.clone(), short_codes: stocks_short_codes(&catalogue) };
    BarcodeReader::new(config, Box::new(move |scanned| catalogue.by_scan(scanned).is_some()))
}

/// Opens a model by a configuration.
pub(crate) fn open_embedder(config: &SightConfig) -> anyhow::Result<Embedder> {
    let runtime = config.runtime.clone().unwrap_or_else(runtime_path);
    let model: &Path = &config.model;
    Embedder::open_with(model, &runtime).with_context(|| format!("sight: model {}", model.display()))
}

/// Short symbols are misread more easily; they are looked for only where such goods are sold.
fn stocks_short_codes(catalogue: &Catalogue) -> bool {
    let short = |gtin: &Gtin| gtin.number() < 100_000_000;
    catalogue.products().iter().any(|p| p.gtins.iter().any(short))
}
