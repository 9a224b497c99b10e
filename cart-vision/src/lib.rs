//! Sight: frames in, sightings and scans out.
//!
//! A [`Frame`](hal::Frame) comes in. Motion finds the region that moves and then rests; the
//! embedder (`ort`) turns its crop into a vector; the gallery of enrolled views answers with
//! candidates and calibrated probabilities ([`Sighting`]). The reader looks for barcodes on the
//! same crop and reports only what the acceptance rule lets through ([`Scan`]).
//!
//! Deliberately absent: weight, prices, decisions. Frames go no further than this crate.

pub mod sighting;

pub use sighting::{BBox, Candidate, Scan, Sighting, Symbology, Thumbnail};
