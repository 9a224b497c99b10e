//! The same screen without a display: drawn in memory, touched by coordinates, its clock turned by
//! hand. For the demo on machines without a display, for pictures, and for tests.
//!
//! One thread has one Slint platform. A thread that draws headless cannot also open a window.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use cart_core::{Intent, View};
use image::RgbImage;
use jiff::Timestamp;
use slint::platform::software_renderer::{MinimalSoftwareWindow, RepaintBufferType};
use slint::platform::{
    Platform, PlatformError, PointerEventButton, WindowAdapter, WindowEvent, update_timers_and_animations,
};
use slint::{LogicalPosition, PhysicalSize, Rgb8Pixel, SharedPixelBuffer};

use super::{CartWindow, Clock, DemoWindow, Pictures, Screen};
use cart_ui::App;

/// One step of the turned clock: a frame at 60 Hz.
const FRAME: Duration = Duration::from_millis(16);
/// Longer than any entrance, and shorter than the flash of a fresh line.
const ENTRANCE: Duration = Duration::from_millis(640);

/// When it is in pictures, in seconds since 1970: 14:05 UTC on 25 November 2026.
const PICTURED_S: i64 = 1_795_615_500;

/// Why a headless screen cannot be.
#[derive(Debug, thiserror::Error)]
pub enum HeadlessError {
    /// This thread already shows a window.
    #[error("this thread already has a window system; draw headless on a thread of its own")]
    PlatformTaken,
    /// Slint would not make the window.
    #[error("the window cannot be made")]
    Window(#[from] PlatformError),
    /// Slint made a window of another kind.
    #[error("the window is not drawn in memory; another window system was set up on this thread")]
    NotInMemory,
    /// The picture cannot be written.
    #[error("{} cannot be written: is the folder there and writable?", path.display())]
    Write {
        /// Where.
        path: PathBuf,
        /// Why.
        source: image::ImageError,
    },
    /// The folder cannot be made.
    #[error("the folder {} cannot be made", path.display())]
    Folder {
        /// Where.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
}

thread_local! {
    /// This thread's clock, turned by [`HeadlessScreen::advance`].
    static CLOCK: Cell<Duration> = const { Cell::new(Duration::ZERO) };
    /// The window made last, to be taken by the screen that asked for it.
    static MADE: RefCell<Option<Rc<MinimalSoftwareWindow>>> = const { RefCell::new(None) };
    /// True once this thread's platform is ours.
    static OURS: Cell<bool> = const { Cell::new(false) };
}

struct InMemory;

impl Platform for InMemory {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        let window = MinimalSoftwareWindow::new(RepaintBufferType::ReusedBuffer);
        MADE.set(Some(window.clone()));
        Ok(window)
    }

    fn duration_since_start(&self) -> Duration {
        CLOCK.get()
    }
}

/// A cart's screen in memory.
pub struct HeadlessScreen<W: CartWindow = App> {
    screen: Screen<W>,
    memory: Rc<MinimalSoftwareWindow>,
    size: PhysicalSize,
}

impl HeadlessScreen<App> {
    /// The cart's screen, `width` × `height` pixels, with drawn pictures.
    ///
    /// # Errors
    /// When this thread already has another window system, or the window cannot be made.
    pub fn new(width: u32, height: u32) -> Result<Self, HeadlessError> {
        Self::with_pictures(width, height, Rc::new(Pictures::drawn()))
    }

    /// The same with the given pictures.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_pictures(width: u32, height: u32, pictures: Rc<Pictures>) -> Result<Self, HeadlessError> {
        take_platform()?;
        Self::around(App::new()?, width, height, pictures)
    }
}

impl HeadlessScreen<DemoWindow> {
    /// The demo's window, with the shop around the cart.
    ///
    /// # Errors
    /// As [`HeadlessScreen::new`].
    pub fn demo(pictures: Rc<Pictures>) -> Result<Self, HeadlessError> {
        take_platform()?;
        Self::around(DemoWindow::new()?, 1600, 800, pictures)
    }
}

impl<W: CartWindow> HeadlessScreen<W> {
    fn around(window: W, width: u32, height: u32, pictures: Rc<Pictures>) -> Result<Self, HeadlessError> {
        let memory = MADE.take().ok_or(HeadlessError::NotInMemory)?;
        let size = PhysicalSize::new(width, height);
        memory.set_size(size);
        window.show()?;
        let screen = Screen::new(window, pictures);
        // Pictures are the same whenever they are made.
        screen.set_clock(Clock::told(|| Timestamp::from_second(PICTURED_S).unwrap_or_default()));
        Ok(Self { screen, memory, size })
    }

    /// The adapter, for what this type does not pass on.
    pub fn screen(&self) -> &Screen<W> {
        &self.screen
    }

    /// Shows a view.
    pub fn apply(&self, view: &View) {
        self.screen.apply(view);
        update_timers_and_animations();
    }

    /// Sends touches' meanings to `take`.
    pub fn on_intent(&self, take: impl Fn(Intent) + 'static) {
        self.screen.on_intent(take);
    }

    /// A touch at a place in pixels, down and up.
    pub fn tap(&self, x: f32, y: f32) {
        let position = LogicalPosition::new(x, y);
        let button = PointerEventButton::Left;
        let window = self.screen.window().window();
        // A window that has gone takes no touches; there is nothing to tell anyone.
        window.dispatch_event(WindowEvent::PointerMoved { position });
        window.dispatch_event(WindowEvent::PointerPressed { position, button });
        // Lists wait a moment to see whether a touch is a scroll.
        self.advance(150);
        window.dispatch_event(WindowEvent::PointerReleased { position, button });
        window.dispatch_event(WindowEvent::PointerExited);
        update_timers_and_animations();
    }

    /// A key, down and up.
    pub fn key(&self, text: &str) {
        let window = self.screen.window().window();
        window.dispatch_event(WindowEvent::KeyPressed { text: text.into() });
        window.dispatch_event(WindowEvent::KeyReleased { text: text.into() });
        update_timers_and_animations();
    }

    /// Turns the clock on by `ms`, frame by frame: animations and timers follow.
    pub fn advance(&self, ms: u64) {
        let mut left = Duration::from_millis(ms);
        while left > Duration::ZERO {
            let step = left.min(FRAME);
            CLOCK.set(CLOCK.get() + step);
            update_timers_and_animations();
            left -= step;
        }
    }

    /// Lets what comes in come to rest, as a person would see it a moment later.
    pub fn settle(&self) {
        // Drawing makes the elements; only then do their entrances begin.
        self.draw();
        for _ in 0..2 {
            self.advance(u64::try_from(ENTRANCE.as_millis() / 2).unwrap_or(320));
            self.draw();
        }
    }

    /// What the screen shows now.
    pub fn screenshot(&self) -> RgbImage {
        let pixels = self.draw();
        let bytes = pixels.as_slice().iter().flat_map(|p| [p.r, p.g, p.b]).collect();
        RgbImage::from_raw(self.size.width, self.size.height, bytes)
            .unwrap_or_else(|| RgbImage::new(self.size.width, self.size.height))
    }

    /// Writes what the screen shows as a PNG.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save_png(&self, path: &Path) -> Result<(), HeadlessError> {
        self.screenshot().save(path).map_err(|source| HeadlessError::Write { path: path.to_owned(), source })
    }

    /// Draws into `canvas` what has changed since the last time, as a display does: only the regions that
    /// are dirty. How many pixels those are; `None` when nothing has changed. `canvas` is the same each time,
    /// of the screen's size.
    pub fn draw_changes(&self, canvas: &mut [Rgb8Pixel]) -> Option<u64> {
        update_timers_and_animations();
        let mut pixels = None;
        self.memory.draw_if_needed(|renderer| {
            let region = renderer.render(canvas, self.size.width as usize);
            pixels = Some(region.iter().map(|(_, size)| u64::from(size.width) * u64::from(size.height)).sum());
        });
        pixels
    }

    fn draw(&self) -> SharedPixelBuffer<Rgb8Pixel> {
        update_timers_and_animations();
        let mut pixels = SharedPixelBuffer::<Rgb8Pixel>::new(self.size.width, self.size.height);
        match self.screen.window().window().take_snapshot() {
            Ok(snapshot) => {
                for (to, from) in pixels.make_mut_slice().iter_mut().zip(snapshot.as_slice()) {
                    *to = Rgb8Pixel::new(from.r, from.g, from.b);
                }
            }
            Err(error) => tracing::warn!(%error, "the screen could not be drawn"),
        }
        pixels
    }
}

impl<W: CartWindow> Drop for HeadlessScreen<W> {
    fn drop(&mut self) {
        // A window that is shown keeps itself, and every later turn of the clock would go through it too.
        if let Err(error) = self.screen.window().hide() {
            tracing::warn!(%error, "the window stays");
        }
    }
}

fn take_platform() -> Result<(), HeadlessError> {
    if OURS.get() {
        return Ok(());
    }
    slint::platform::set_platform(Box::new(InMemory)).map_err(|_| HeadlessError::PlatformTaken)?;
    OURS.set(true);
    Ok(())
}
