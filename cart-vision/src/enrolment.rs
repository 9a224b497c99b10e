//! Enrolment: a product's pictures become views in the gallery. Seconds, no training, no network.

use image::{RgbImage, imageops};
use trip::Sku;

use crate::embedding::Embedding;
use crate::eye::Embed;
use crate::gallery::{Enrolled, Gallery, GalleryError};
use crate::picture::View;

/// A picture is seen whole and, for how near it may be held, once more by this share of its sides.
const NEARER: f32 = 0.8;

/// A product that could not be enrolled; the gallery is as before.
#[derive(Debug, thiserror::Error)]
pub enum EnrolError {
    /// The model failed on a picture.
    #[error("{sku}: picture {number} cannot be used: {source}")]
    Picture {
        /// Which product.
        sku: Sku,
        /// Which of its pictures, from 1.
        number: usize,
        /// The model's words.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The gallery refused it.
    #[error(transparent)]
    Gallery(#[from] GalleryError),
}

/// Enrols a product from its pictures, each filled by the thing; five from different sides do.
///
/// # Errors
/// [`EnrolError`] names the picture that cannot be used.
pub fn enrol(
    model: &mut dyn Embed,
    gallery: &mut Gallery,
    sku: Sku,
    pictures: impl IntoIterator<Item = RgbImage>,
) -> Result<Enrolled, EnrolError> {
    let mut views: Vec<Embedding> = Vec::new();
    for (number, picture) in pictures.into_iter().enumerate() {
        for look in [&picture, &nearer(&picture)] {
            let features = model.embed(look, View::Plain);
            let failed = |source| EnrolError::Picture { sku: sku.clone(), number: number + 1, source };
            views.push(features.map_err(failed)?.embedding);
        }
    }
    Ok(gallery.enrol(sku, &views)?)
}

fn nearer(picture: &RgbImage) -> RgbImage {
    let share = |len: u32| ((len as f32 * NEARER) as u32).max(1);
    let (width, height) = (share(picture.width()), share(picture.height()));
    let (x, y) = ((picture.width().saturating_sub(width)) / 2, (picture.height().saturating_sub(height)) / 2);
    imageops::crop_imm(picture, x, y, width, height).to_image()
}
