//! What sight says: plain values, no pixels but a small thumbnail for the shopper.

use std::sync::Arc;

use hal::{CameraId, Moment};
use serde::{Deserialize, Serialize};
use trip::{Sku, gs1::Scanned};

use crate::motion::Direction;

/// A rectangle in a frame's own pixels: left, top, width, height.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BBox {
    /// Left edge, in pixels from the frame's left.
    pub x: u32,
    /// Top edge, in pixels from the frame's top.
    pub y: u32,
    /// Width in pixels.
    pub w: u32,
    /// Height in pixels.
    pub h: u32,
}

/// A product that a look may show.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Candidate {
    /// The enrolled product.
    pub sku: Sku,
    /// Calibrated probability, 0 to 1. All candidates and [`Sighting::unknown`] sum to at most 1.
    pub probability: f32,
}

/// The small picture shown on the ask tile ("what the cart saw"). RGB8, packed.
#[derive(Clone, PartialEq)]
pub struct Thumbnail {
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// `width * height * 3` bytes.
    pub rgb: Arc<[u8]>,
}

impl std::fmt::Debug for Thumbnail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Thumbnail({}x{})", self.width, self.height)
    }
}

/// What looks at one place say.
#[derive(Clone, Debug, PartialEq)]
pub struct Opinion {
    /// Best first, at most eight.
    pub candidates: Vec<Candidate>,
    /// Probability that it is no enrolled product, 0 to 1.
    pub unknown: f32,
}

/// The scene after a hand against the scene before it, where the two differ.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Which way things went.
    pub direction: Direction,
    /// What lies there now, by the looks at rest alone: in flight it may have been another thing that
    /// the same hand took out. `None` before the first look, and for [`Direction::Out`].
    pub now: Option<Opinion>,
    /// What lay there before. `None` where nothing lay, and until it was looked at.
    pub before: Option<Opinion>,
    /// Where what came lies in two places apart: what lies in each, largest first, as far as looked at. It
    /// may be two things, or two pieces of one. Empty otherwise.
    pub apart: Vec<Opinion>,
}

/// One look at one moving thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Sighting {
    /// When its frame was taken.
    pub at: Moment,
    /// Which camera saw it.
    pub camera: CameraId,
    /// Counts moving things per camera since start; looks at one thing share it.
    pub track: u32,
    /// Where, in the frame's pixels.
    pub bbox_in_frame: BBox,
    /// Most hands that were seen at work at once, so far; 0 where none reached in over the frame's border.
    pub hands: u32,
    /// Best first, at most eight.
    pub candidates: Vec<Candidate>,
    /// Probability that it is no enrolled product (a hand, a toy, an empty frame), 0 to 1.
    pub unknown: f32,
    /// What changed, once it has come to rest; `None` while it moves.
    pub change: Option<Change>,
    /// What the cart saw, at most 208 × 208.
    pub thumbnail: Option<Thumbnail>,
}

/// The kind of symbol that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the names are the standard's own")]
pub enum Symbology {
    Ean13,
    Ean8,
    UpcA,
    UpcE,
    /// Interleaved 2 of 5; a GTIN when it has 14 digits.
    Itf,
    Gs1128,
    /// Code 128 without GS1 content.
    Code128,
    DataBar,
    DataBarExpanded,
    DataMatrix,
    Qr,
}

/// An accepted barcode: the acceptance rule held. A misread is worse than a miss.
#[derive(Clone, Debug, PartialEq)]
pub struct Scan {
    /// When the last agreeing frame was taken.
    pub at: Moment,
    /// Which camera read it.
    pub camera: CameraId,
    /// The kind of symbol.
    pub symbology: Symbology,
    /// What it says, parsed by the GS1 rules.
    pub content: Scanned,
    /// Frames that agreed.
    pub frames: u8,
}
