//! A screen that somebody looks at and touches: an X display's or a browser's.

use image::RgbImage;

/// What the demo's window is looked at through and touched by.
pub trait Glass {
    /// What is to be seen of the window now, pixel by pixel.
    ///
    /// # Errors
    /// When there is nothing to be seen.
    fn picture(&self) -> anyhow::Result<RgbImage>;

    /// A finger or a mouse button down and up at a place of that picture; then it is gone.
    ///
    /// # Errors
    /// When the place cannot be touched.
    fn tap(&self, x: f32, y: f32) -> anyhow::Result<()>;
}
