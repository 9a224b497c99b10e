//! Sight: frames in, sightings and scans out.
//!
//! A [`Frame`](hal::Frame) comes in. [`motion`] finds the region that moves and then rests; the
//! `embedder` (ONNX Runtime, feature `onnx`) turns its crop into a vector and the logits of the
//! classes it was taught; the [`gallery`] of enrolled views and the [`calibration`] make of these
//! probabilities over the store's products ([`recogniser`]); several looks at one thing
//! [`vote`], those in flight with little weight. [`enrolment`] adds a product from a few pictures. The
//! `barcode` reader (feature `barcode`) looks at the same crop and reports only what the [`acceptance`]
//! rule lets through. [`Eye`] is one camera's whole pipeline: [`Sighting`]s and [`Scan`]s come out.
//!
//! Without features the crate is types and pure logic. Deliberately absent: weight, prices,
//! decisions. Frames go no further than this crate.

pub mod acceptance;
#[cfg(feature = "barcode")]
pub mod barcode;
pub mod bars;
pub mod calibration;
pub mod clarity;
#[cfg(feature = "onnx")]
pub mod embedder;
pub mod embedding;
pub mod enrolment;
pub mod evaluation;
pub mod eye;
pub mod fitting;
pub mod gallery;
#[cfg(feature = "barcode")]
pub mod look;
pub mod model_description;
pub mod motion;
pub mod photos;
pub mod picture;
pub mod pyramid;
pub mod recogniser;
pub mod rotate;
pub mod sighting;
pub mod strip;
#[cfg(feature = "barcode")]
mod symbol;
pub mod vote;

#[cfg(feature = "barcode")]
pub use barcode::{BarcodeReader, InCatalogue, ReaderConfig};
pub use calibration::{Assent, Calibration, Sure};
#[cfg(feature = "onnx")]
pub use embedder::{EmbedError, Embedder, open_sight};
pub use embedding::{Embedding, Features};
pub use enrolment::{EnrolError, enrol};
pub use eye::{Embed, Eye, EyeError, ReadCodes, Seen};
pub use gallery::{Enrolled, Gallery, GalleryError, LookAlike};
pub use model_description::{ModelDescription, ModelError};
pub use motion::Direction;
pub use picture::View;
pub use recogniser::{Judgement, Recogniser};
pub use sighting::{BBox, Candidate, Change, Opinion, Scan, Sighting, Symbology, Thumbnail};
pub use vote::Vote;
