//! The screen as staff may see it, while the shopper lets them.
//!
//! It is drawn anew for them, so that what the cameras saw is left out where it would stand: for this one drawing
//! `for-staff` is set. Nothing is taken while staff mode, with its PIN, lies over the screen, nor on the screens that
//! come before a trip, where a loyalty number is typed.

use cart_ui::{ScreenKind, StaffPage};
use image::{Rgb, RgbImage};
use slint::{Rgba8Pixel, SharedPixelBuffer};
use tracing::debug;

use super::{CartWindow, Screen};

/// The cart's screen, as it was drawn for staff.
#[derive(Clone)]
pub struct Glimpse {
    /// The whole window; the cart's screen begins at its top left.
    pub(crate) window: SharedPixelBuffer<Rgba8Pixel>,
    /// How much of it is the cart's screen, in pixels to the right.
    pub(crate) width: u32,
    /// And downwards.
    pub(crate) height: u32,
}

impl Glimpse {
    /// The cart's screen alone.
    pub fn picture(&self) -> RgbImage {
        let row = self.window.width() as usize;
        let pixels = self.window.as_slice();
        RgbImage::from_fn(self.width, self.height, |x, y| {
            let pixel = pixels[y as usize * row + x as usize];
            Rgb([pixel.r, pixel.g, pixel.b])
        })
    }
}

impl<W: CartWindow> Screen<W> {
    /// What staff may see now; `None` where that is nothing, or where no line would bring it to them. It takes as long as drawing the whole screen does.
    pub fn glimpse(&self) -> Option<Glimpse> {
        let (window, state) = (self.window(), self.window().state());
        let before_a_trip = matches!(state.get_screen(), ScreenKind::Welcome | ScreenKind::Start | ScreenKind::Goodbye);
        if !state.get_shared()
            || !state.get_connected()
            || before_a_trip
            || window.staff().get_page() != StaffPage::Closed
        {
            return None;
        }
        state.set_for_staff(true);
        let drawn = window.window().take_snapshot();
        state.set_for_staff(false);
        let drawn = drawn.inspect_err(|why| debug!(%why, "the screen could not be drawn for staff")).ok()?;
        // Beside the cart's screen the demo's window has the shop, which no cart has.
        let factor = window.window().scale_factor();
        let side = |room: f32, whole: u32| ((room * factor).round() as u32).min(whole);
        let (width, height) = (window.theme().get_room_width(), window.theme().get_room_height());
        Some(Glimpse { width: side(width, drawn.width()), height: side(height, drawn.height()), window: drawn })
    }
}
