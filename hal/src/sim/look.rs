//! What a simulated thing is: grams and pictures, nothing else. It has no name.

use image::{GrayImage, RgbImage};

/// The longest side of a photo laid into the basket, in frame pixels.
const PHOTO_SIZE_PX: u32 = 326;

/// The longest side of a photographed barcode held to the camera, in frame pixels: wide enough
/// that a module of an EAN-13 (113 with its quiet zones) is about four pixels.
const BARCODE_PHOTO_SIZE_PX: u32 = 460;

/// One picture of a thing, from above.
#[derive(Clone, Debug)]
pub struct ProductLook {
    /// The picture, any size.
    pub picture: RgbImage,
    /// Where the picture shows the thing (255) and where what lies under it (0). Without a mask the
    /// whole picture is laid in with soft edges. Used only when as large as the picture.
    pub mask: Option<GrayImage>,
    /// The longest side in frame pixels when the thing lies on the basket's floor.
    pub real_size_px: u32,
}

impl ProductLook {
    /// A photo that the thing fills.
    pub fn photo(picture: RgbImage) -> Self {
        Self { picture, mask: None, real_size_px: PHOTO_SIZE_PX }
    }

    /// A photo of a barcode, of any size, to be held to the camera.
    pub fn barcode_photo(picture: RgbImage) -> Self {
        Self { picture, mask: None, real_size_px: BARCODE_PHOTO_SIZE_PX }
    }
}

/// A side of a thing that is held still before the camera.
#[derive(Clone, Debug)]
pub struct Phase {
    /// What is shown.
    pub look: ProductLook,
    /// For how long, in milliseconds.
    pub ms: u32,
}

/// A thing that can be put into the basket.
#[derive(Clone, Debug)]
pub struct SimItem {
    /// Its true mass in grams. Only the load of the scale depends on it.
    pub mass_g: f32,
    /// Sides shown to the cameras, one after the other, before it is let go.
    pub presented: Vec<Phase>,
    /// How it looks while it goes in and rests: one a camera; fewer are used in turn.
    pub looks: Vec<ProductLook>,
}

impl SimItem {
    /// A thing that is put in without showing it first.
    pub fn new(mass_g: f32, looks: Vec<ProductLook>) -> Self {
        Self { mass_g, presented: Vec::new(), looks }
    }

    /// The same thing, with `look` held to the camera for `ms` first.
    #[must_use]
    pub fn presenting(mut self, look: ProductLook, ms: u32) -> Self {
        self.presented.push(Phase { look, ms });
        self
    }
}
