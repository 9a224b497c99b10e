//! The gallery: enrolled views of every product, and how like them a new look is.
//!
//! Views are embeddings of one model and mean nothing to another, so a gallery carries that model's
//! fingerprint and is refused by any other. Enrolling is adding views: no training, no network.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use trip::Sku;

use crate::embedding::{Embedding, typical};
use crate::model_description::fingerprint;

/// Views kept a product: enough for its sides, few enough that the whole gallery is searched at once.
pub const VIEWS: usize = 8;
/// Two products whose mean views are nearer than this look alike to the model.
const ALIKE: f32 = 0.75;
/// Two views nearer than this are the same picture.
const SAME: f32 = 0.9999;
const MAGIC: &[u8; 8] = b"TRGALL1\n";
const DIGEST: usize = 64;

/// Enrolled products.
#[derive(Clone, Debug, PartialEq)]
pub struct Gallery {
    model: String,
    dim: usize,
    products: BTreeMap<Sku, Vec<Embedding>>,
}

/// Another product that looks much like one.
#[derive(Clone, Debug, PartialEq)]
pub struct LookAlike {
    /// The other one.
    pub sku: Sku,
    /// Cosine of their mean views.
    pub similarity: f32,
}

/// What enrolling gave.
#[derive(Clone, Debug, PartialEq)]
pub struct Enrolled {
    /// Views kept.
    pub views: usize,
    /// Views that showed what an earlier one had shown, because a picture was there twice.
    pub repeated: usize,
    /// Products too near to be told apart by sight alone, nearest first: mark as barcode-required.
    pub look_alikes: Vec<LookAlike>,
}

/// A gallery that cannot be used, or an enrolment that cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum GalleryError {
    /// A file operation failed.
    #[error("cannot {what} gallery {}: {source}", path.display())]
    File {
        /// Read or write.
        what: &'static str,
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The bytes are no gallery, or were cut or changed.
    #[error("gallery {} is damaged: {what}; enrol again or put a good copy there", path.display())]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// Its views belong to another model.
    #[error("gallery {} was made with model {found}, but model {expected} is in use; enrol again", path.display())]
    OtherModel {
        /// Which file.
        path: PathBuf,
        /// The gallery's.
        found: String,
        /// The one in use.
        expected: String,
    },
    /// No usable view.
    #[error("{sku} cannot be enrolled without a picture")]
    NoViews {
        /// Which product.
        sku: Sku,
    },
    /// A view of another length.
    #[error("{sku}: a view of {found} dimensions does not fit a gallery of {expected}")]
    WrongDimension {
        /// Which product.
        sku: Sku,
        /// The view's.
        found: usize,
        /// The gallery's.
        expected: usize,
    },
}

#[derive(Serialize, Deserialize)]
struct Header {
    model: String,
    dim: usize,
    products: Vec<(Sku, usize)>,
}

impl Gallery {
    /// An empty gallery for the model with this fingerprint.
    pub fn new(model: impl Into<String>, dim: usize) -> Self {
        Self { model: model.into(), dim, products: BTreeMap::new() }
    }

    /// The fingerprint of its model.
    pub fn model(&self) -> &str {
        &self.model
    }

    /// Enrolled products in order.
    pub fn skus(&self) -> impl ExactSizeIterator<Item = &Sku> {
        self.products.keys()
    }

    /// True when the product has views here.
    pub fn contains(&self, sku: &Sku) -> bool {
        self.products.contains_key(sku)
    }

    /// Takes the views of a product, in place of any it had, and says what it looks like.
    ///
    /// # Errors
    /// [`GalleryError`] when there is no view, or one of another model.
    pub fn enrol(&mut self, sku: Sku, views: &[Embedding]) -> Result<Enrolled, GalleryError> {
        if views.is_empty() {
            return Err(GalleryError::NoViews { sku });
        }
        if let Some(wrong) = views.iter().find(|v| v.dim() != self.dim) {
            return Err(GalleryError::WrongDimension { sku, found: wrong.dim(), expected: self.dim });
        }
        let mut fresh: Vec<Embedding> = Vec::with_capacity(views.len());
        for view in views {
            if fresh.iter().all(|earlier| earlier.similarity(view) < SAME) {
                fresh.push(view.clone());
            }
        }
        let kept = typical(&fresh, VIEWS);
        let (repeated, views) = (views.len() - fresh.len(), kept.len());
        self.products.insert(sku.clone(), kept);
        Ok(Enrolled { views, repeated, look_alikes: self.look_alikes(&sku) })
    }

    /// How many numbers a view has.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// How many views of a product are kept.
    pub fn views(&self, sku: &Sku) -> usize {
        self.products.get(sku).map_or(0, Vec::len)
    }

    /// Takes the products of another gallery of the same model, in place of those of the same name here; false,
    /// and nothing is taken, when it is another model's.
    pub fn lay_over(&mut self, other: &Gallery) -> bool {
        let same = self.model == other.model && self.dim == other.dim;
        if same {
            self.products.extend(other.products.iter().map(|(sku, views)| (sku.clone(), views.clone())));
        }
        same
    }

    /// Forgets a product; false when it was not enrolled.
    pub fn forget(&mut self, sku: &Sku) -> bool {
        self.products.remove(sku).is_some()
    }

    /// Products whose mean view is too near to this one's, nearest first.
    pub fn look_alikes(&self, sku: &Sku) -> Vec<LookAlike> {
        let mean_of = |views: &[Embedding]| typical(views, 1).into_iter().next();
        let mean = |sku: &Sku| self.products.get(sku).and_then(|views| mean_of(views));
        let Some(own) = mean(sku) else { return Vec::new() };
        let mut found: Vec<LookAlike> = (self.products.keys().filter(|other| *other != sku))
            .filter_map(|other| Some(LookAlike { sku: other.clone(), similarity: mean(other)?.similarity(&own) }))
            .filter(|other| other.similarity > ALIKE)
            .collect();
        found.sort_by(|a, b| b.similarity.total_cmp(&a.similarity));
        found
    }

    /// The best similarity to each product's views, in the order of [`Self::skus`], -1 to 1.
    pub fn similarities(&self, look: &Embedding) -> Vec<f32> {
        let best = |views: &Vec<Embedding>| views.iter().map(|v| v.similarity(look)).fold(-1.0, f32::max);
        self.products.values().map(best).collect()
    }

    /// The gallery as bytes: magic, header length, header, views as little-endian f32, digest.
    pub fn to_bytes(&self) -> Vec<u8> {
        let products = self.products.iter().map(|(sku, views)| (sku.clone(), views.len())).collect();
        let header = Header { model: self.model.clone(), dim: self.dim, products };
        // A struct of strings and numbers always has a JSON form.
        let header = serde_json::to_vec(&header).unwrap_or_default();
        let mut bytes = MAGIC.to_vec();
        bytes.extend((header.len() as u32).to_le_bytes());
        bytes.extend(header);
        let values = self.products.values().flatten().flat_map(|v| v.as_slice());
        bytes.extend(values.flat_map(|v| v.to_le_bytes()));
        let digest = fingerprint(&bytes);
        bytes.extend(digest.as_bytes());
        bytes
    }

    /// Writes the gallery beside `path` and then puts it in its place, so that a power cut leaves
    /// the old one or the new one.
    ///
    /// # Errors
    /// [`GalleryError::File`] when the folder cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), GalleryError> {
        let next = path.with_extension("next");
        let write = || -> std::io::Result<()> {
            std::fs::write(&next, self.to_bytes())?;
            std::fs::File::open(&next)?.sync_all()?;
            std::fs::rename(&next, path)
        };
        write().map_err(|source| GalleryError::File { what: "write", path: path.into(), source })
    }

    /// Reads a gallery of the model with fingerprint `model`.
    ///
    /// # Errors
    /// [`GalleryError`] when it is missing, damaged or of another model.
    pub fn load(path: &Path, model: &str) -> Result<Self, GalleryError> {
        let bytes =
            std::fs::read(path).map_err(|source| GalleryError::File { what: "read", path: path.into(), source })?;
        let gallery = parse(&bytes).map_err(|what| GalleryError::Damaged { path: path.into(), what })?;
        if gallery.model != model {
            return Err(GalleryError::OtherModel { path: path.into(), found: gallery.model, expected: model.into() });
        }
        Ok(gallery)
    }
}

fn parse(bytes: &[u8]) -> Result<Gallery, String> {
    let body = bytes.strip_prefix(MAGIC).ok_or("it does not begin as a gallery does")?;
    let signed = bytes.len().checked_sub(DIGEST).ok_or("it is cut short")?;
    if fingerprint(&bytes[..signed]).as_bytes() != &bytes[signed..] {
        return Err("its digest does not match: cut short or changed".into());
    }
    let body = body.get(..body.len().saturating_sub(DIGEST)).ok_or("it is cut short")?;
    let (length, rest) = body.split_first_chunk::<4>().ok_or("it is cut short")?;
    let length = u32::from_le_bytes(*length) as usize;
    let (header, data) = rest.split_at_checked(length).ok_or("it is cut short")?;
    let header: Header = serde_json::from_slice(header).map_err(|e| format!("its header: {e}"))?;
    let views: usize = header.products.iter().map(|(_, n)| *n).fold(0, usize::saturating_add);
    if views.saturating_mul(header.dim).saturating_mul(4) != data.len() || header.dim == 0 {
        return Err(format!("{views} views of {} dimensions do not fill {} bytes", header.dim, data.len()));
    }
    let mut values = data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let mut gallery = Gallery::new(header.model, header.dim);
    for (sku, count) in header.products {
        let mut kept = Vec::with_capacity(count);
        for _ in 0..count {
            let view = values.by_ref().take(header.dim).collect();
            kept.push(Embedding::new(view).ok_or_else(|| format!("{sku} has a view without direction"))?);
        }
        if kept.is_empty() || gallery.products.insert(sku.clone(), kept).is_some() {
            return Err(format!("{sku} has no views, or is there twice"));
        }
    }
    Ok(gallery)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sku(name: &str) -> Sku {
        Sku::new(name).expect("a valid name")
    }

    fn at(degrees: f32) -> Embedding {
        Embedding::new(vec![degrees.to_radians().cos(), degrees.to_radians().sin(), 0.0]).expect("unit")
    }

    fn filled() -> Gallery {
        let mut gallery = Gallery::new("m1", 3);
        gallery.enrol(sku("lime"), &[at(0.0), at(10.0)]).expect("enrolled");
        gallery.enrol(sku("milk"), &[at(90.0)]).expect("enrolled");
        gallery
    }

    #[test]
    fn a_look_is_nearest_to_its_own_product() {
        let gallery = filled();
        let scores = gallery.similarities(&at(8.0));
        let names: Vec<_> = gallery.skus().map(Sku::as_str).collect();
        assert_eq!(names, ["lime", "milk"]);
        assert!(scores[0] > 0.99 && scores[1] < 0.2, "{scores:?}");
    }

    #[test]
    fn a_look_alike_is_reported_at_enrolment() {
        let mut gallery = filled();
        let near = gallery.enrol(sku("lemon"), &[at(12.0)]).expect("enrolled");
        assert_eq!(near.look_alikes.first().map(|l| l.sku.as_str()), Some("lime"));
        let far = gallery.enrol(sku("soap"), &[at(200.0)]).expect("enrolled");
        assert_eq!(far.look_alikes, []);
    }

    #[test]
    fn enrolling_nothing_or_another_models_view_is_refused() {
        let mut gallery = filled();
        assert!(matches!(gallery.enrol(sku("x"), &[]), Err(GalleryError::NoViews { .. })));
        let long = Embedding::new(vec![1.0; 4]).expect("unit");
        assert!(matches!(gallery.enrol(sku("x"), &[long]), Err(GalleryError::WrongDimension { found: 4, .. })));
        assert!(!gallery.contains(&sku("x")), "nothing half enrolled");
    }

    #[test]
    fn the_same_picture_twice_counts_once() {
        let enrolled = filled().enrol(sku("soap"), &[at(200.0), at(210.0), at(200.0)]).expect("enrolled");
        assert_eq!((enrolled.views, enrolled.repeated), (2, 1));
    }

    #[test]
    fn a_saved_gallery_comes_back_and_another_models_is_refused() {
        let folder = std::env::temp_dir().join(format!("trundle-gallery-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a temporary folder");
        let path = folder.join("g.gallery");
        let gallery = filled();
        gallery.save(&path).expect("saved");
        let again = Gallery::load(&path, "m1").expect("loaded");
        assert_eq!(again.skus().collect::<Vec<_>>(), gallery.skus().collect::<Vec<_>>());
        assert!(again.similarities(&at(90.0))[1] > 0.9999);
        assert!(matches!(Gallery::load(&path, "m2"), Err(GalleryError::OtherModel { .. })));
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn every_cut_and_every_changed_byte_is_noticed() {
        let bytes = filled().to_bytes();
        assert!(parse(&bytes).is_ok());
        for length in 0..bytes.len() {
            assert!(parse(&bytes[..length]).is_err(), "cut at {length}");
        }
        for i in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[i] ^= 1;
            assert!(parse(&changed).is_err(), "changed at {i}");
        }
    }
}
