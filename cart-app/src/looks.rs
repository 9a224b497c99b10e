//! Pictures of the screen for staff, while the shopper lets them see it: made small on a thread of their own, and left
//! for the line, which sends the newest when it has nothing better to do.
//!
//! ```text
//! UI thread                    thread "looks"                          line
//!   Screen::glimpse ─► offer ─► smaller, another than before? ─► PNG ─► watch: the newest, or none
//! ```
//!
//! The screen waits for none of it but for being drawn once more, at most twice a second and never for more than a
//! twentieth of its time. Nothing here is kept: not on disk, and in memory only the last picture.

use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::Context;
use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use cart_core::View;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageError, RgbImage, imageops};
use tokio::sync::watch;
use tracing::debug;
use trip::bounds::{MAX_LOOK_BYTES, MAX_LOOK_HEIGHT, MAX_LOOK_WIDTH};
use trip::message::{Look, VERSION};

use crate::ui::{CartWindow, Glimpse, Screen};

/// The screen is drawn for staff so often at most.
const EVERY: Duration = Duration::from_millis(500);
/// Drawing it for staff takes one part in so many of the screen's time, or less.
const SHARE: u32 = 20;
/// A picture that is too large in bytes is made narrower, in these steps, in pixels.
const WIDTHS: [u32; 4] = [MAX_LOOK_WIDTH, 480, 320, 160];

/// Where the screen leaves its pictures.
#[derive(Clone)]
pub struct Looks {
    glimpses: SyncSender<Glimpse>,
}

impl Looks {
    /// Starts the thread that makes them small. What may be sent stands in `line`: it is `None` as soon as `views` says
    /// that nobody may see the screen. It ends with the cart.
    ///
    /// # Errors
    /// When the thread cannot be started.
    pub fn start(line: watch::Sender<Option<Arc<Look>>>, views: watch::Receiver<Arc<View>>) -> anyhow::Result<Self> {
        let (glimpses, taken) = sync_channel(1);
        let work = move || work(&taken, &line, &views);
        std::thread::Builder::new().name("looks".into()).spawn(work).context("the thread of pictures for staff")?;
        Ok(Self { glimpses })
    }

    /// Leaves one; while the thread is busy with those before, it is dropped, and the next is as good.
    pub fn offer(&self, glimpse: Glimpse) {
        drop(self.glimpses.try_send(glimpse));
    }

    /// Has `screen` drawn for staff for as long as the timer that it returns is kept.
    #[must_use = "dropping it ends the pictures"]
    pub fn follow<W: CartWindow>(self, screen: Rc<Screen<W>>) -> slint::Timer {
        let timer = slint::Timer::default();
        let mut due = Instant::now();
        timer.start(slint::TimerMode::Repeated, EVERY, move || {
            let began = Instant::now();
            if began < due {
                return;
            }
            if let Some(glimpse) = screen.glimpse() {
                self.offer(glimpse);
            }
            due = began + began.elapsed() * SHARE;
        });
        timer
    }
}

fn work(glimpses: &Receiver<Glimpse>, line: &watch::Sender<Option<Arc<Look>>>, views: &watch::Receiver<Arc<View>>) {
    let mut last = None;
    while views.has_changed().is_ok() {
        let glimpse = match glimpses.recv_timeout(EVERY) {
            Ok(glimpse) => Some(glimpse),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let Some(small) =
            glimpse.filter(|_| views.borrow().shared).map(|glimpse| fitted(&glimpse.picture(), MAX_LOOK_WIDTH))
        else {
            if !views.borrow().shared {
                last = None;
                line.send_if_modified(|look| look.take().is_some());
            }
            continue;
        };
        if last.as_ref() == Some(&small) {
            continue;
        }
        match encode(&small) {
            // It may have been taken back meanwhile.
            Ok(Some(look)) if views.borrow().shared => drop(line.send_replace(Some(Arc::new(look)))),
            Ok(_) => {}
            Err(why) => debug!(%why, "a picture for staff"),
        }
        last = Some(small);
    }
}

/// At most `width` pixels wide, and as tall as that makes it.
fn fitted(whole: &RgbImage, width: u32) -> RgbImage {
    let (from, to) = (whole.width().max(1), whole.height().max(1));
    let by_height = u64::from(MAX_LOOK_HEIGHT) * u64::from(from) / u64::from(to);
    let width = u64::from(width.min(from)).min(by_height).max(1);
    let height = (width * u64::from(to) / u64::from(from)).max(1);
    if width == u64::from(from) {
        return whole.clone();
    }
    imageops::thumbnail(whole, width as u32, height as u32)
}

/// As it goes over the line. A picture is made narrower until it is small enough; `None` where even that does not help.
fn encode(small: &RgbImage) -> Result<Option<Look>, ImageError> {
    let mut png = Vec::new();
    for width in WIDTHS {
        let picture = fitted(small, width);
        png.clear();
        let encoder = PngEncoder::new_with_quality(&mut png, CompressionType::Default, FilterType::Adaptive);
        encoder.write_image(&picture, picture.width(), picture.height(), ExtendedColorType::Rgb8)?;
        if png.len() <= MAX_LOOK_BYTES {
            return Ok(Some(Look { v: VERSION, png: BASE64_URL_SAFE_NO_PAD.encode(&png) }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use slint::{Rgba8Pixel, SharedPixelBuffer};
    use trip::bounds::Bounded;

    use super::*;
    use crate::ui::sample;

    fn glimpse(window: (u32, u32), screen: (u32, u32), shade: impl Fn(u32, u32) -> u8) -> Glimpse {
        let mut pixels = SharedPixelBuffer::<Rgba8Pixel>::new(window.0, window.1);
        for (n, pixel) in pixels.make_mut_slice().iter_mut().enumerate() {
            let shade = shade(n as u32 % window.0, n as u32 / window.0);
            *pixel = Rgba8Pixel::new(shade, shade.wrapping_mul(7), shade.wrapping_mul(31), 255);
        }
        Glimpse { window: pixels, width: screen.0, height: screen.1 }
    }

    fn png(look: &Look) -> RgbImage {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(&look.png).expect("base64url");
        assert!(bytes.len() <= MAX_LOOK_BYTES, "{}", bytes.len());
        image::load_from_memory_with_format(&bytes, image::ImageFormat::Png).expect("a PNG").to_rgb8()
    }

    #[test]
    fn every_screen_fits_and_only_the_cart_s_own_part_of_a_window_is_on_it() {
        for (window, screen, expected) in [
            ((1_280, 800), (1_280, 800), (640, 400)),
            ((800, 480), (800, 480), (640, 384)),
            ((800, 1_280), (800, 1_280), (640, 1_024)),
            ((480, 640), (480, 640), (480, 640)),
            ((400, 4_000), (400, 4_000), (102, 1_020)),
            ((1_600, 800), (1_280, 800), (640, 400)),
        ] {
            let small =
                fitted(&glimpse(window, screen, |x, _| if x < screen.0 { 10 } else { 200 }).picture(), MAX_LOOK_WIDTH);
            assert_eq!(small.dimensions(), expected, "{window:?}");
            assert!(small.pixels().all(|pixel| pixel.0[0] == 10), "{window:?}: what lies beside the screen is on it");
        }
    }

    #[test]
    fn a_picture_that_will_not_shrink_is_made_narrower_until_it_is_small_enough() {
        let calm = fitted(&glimpse((1_280, 800), (1_280, 800), |_, y| y as u8).picture(), MAX_LOOK_WIDTH);
        let calm = encode(&calm).expect("a PNG").expect("small");
        assert_eq!(png(&calm).dimensions(), (640, 400));
        let noise =
            |x: u32, y: u32| (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503).rotate_left(7)).to_be_bytes()[1];
        let wild = encode(&glimpse((640, 1_024), (640, 1_024), noise).picture()).expect("a PNG").expect("small");
        assert!(png(&wild).width() < 640 && wild.check().is_ok(), "{:?}", png(&wild).dimensions());
    }

    #[test]
    fn only_what_changed_is_left_for_the_line_and_nothing_once_it_is_taken_back() {
        let view = |shared| Arc::new(View { shared, ..sample::basket() });
        let (shown, views) = watch::channel(view(true));
        let (line, mut due) = watch::channel(None);
        let looks = Looks::start(line, views).expect("a thread");
        let offer = |shade: u8| looks.offer(glimpse((1_280, 800), (1_280, 800), move |_, _| shade));
        let wait = |due: &mut watch::Receiver<Option<Arc<Look>>>| {
            for _ in 0..100 {
                if due.has_changed().expect("the thread lives") {
                    return due.borrow_and_update().clone();
                }
                std::thread::sleep(Duration::from_millis(20));
            }
            panic!("nothing came");
        };
        offer(10);
        let first = wait(&mut due).expect("a picture");
        assert_eq!(png(&first).get_pixel(0, 0).0[0], 10);
        offer(10);
        std::thread::sleep(Duration::from_millis(300));
        assert!(!due.has_changed().expect("it lives"), "the same once more");
        offer(20);
        assert_eq!(wait(&mut due).map(|look| png(&look).get_pixel(0, 0).0[0]), Some(20));
        shown.send_replace(view(false));
        assert_eq!(wait(&mut due), None);
        offer(30);
        std::thread::sleep(Duration::from_millis(300));
        assert!(due.borrow().is_none(), "a picture of before is not left after it was taken back");
    }
}
