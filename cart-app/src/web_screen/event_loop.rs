//! Slint's platform without a display: real time, a window in memory, and a loop that runs timers,
//! animations, gestures and what other threads ask for, and draws when something has changed and
//! somebody looks.
//!
//! A process has one: Slint keeps one way into its event loop for all threads.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use slint::platform::software_renderer::{MinimalSoftwareWindow, RepaintBufferType};
use slint::platform::{
    EventLoopProxy, Platform, PlatformError, WindowAdapter, WindowEvent, duration_until_next_timer_update,
    update_timers_and_animations,
};
use slint::{EventLoopError, PhysicalSize, Rgb8Pixel};
use tokio::sync::mpsc as gesture_line;

use super::dirty::Rect;
use super::frames::{Frames, ViewerId};
use super::hand::Hand;
use super::protocol::Gesture;

/// Drawn at most this often: 60 Hz, as a display would.
const FRAME: Duration = Duration::from_millis(16);
/// So many gestures wait for the loop; who has more is not read from until it has taken some.
const GESTURES: usize = 64;
/// So many calls of other threads are answered in one turn before the screen is seen to.
const CALLS_A_TURN: usize = 256;

/// What wakes the loop.
enum Call {
    /// Something is there to be looked at: a gesture, or a viewer.
    Wake,
    /// Another thread wants this done here.
    Invoke(Box<dyn FnOnce() + Send>),
    /// The end.
    Quit,
}

/// The way of gestures to the loop.
#[derive(Clone)]
pub struct Gestures {
    line: gesture_line::Sender<(ViewerId, Gesture)>,
    calls: mpsc::Sender<Call>,
}

impl Gestures {
    /// Hands one over; waits while too many lie there already.
    pub async fn send(&self, viewer: ViewerId, gesture: Gesture) {
        // A loop that has ended takes none, and needs none.
        if self.line.send((viewer, gesture)).await.is_ok() {
            self.wake();
        }
    }

    /// Lets the loop see who has come.
    pub fn wake(&self) {
        drop(self.calls.send(Call::Wake));
    }
}

/// The platform.
pub struct InBrowser {
    size: PhysicalSize,
    frames: Arc<Frames>,
    window: RefCell<Option<Rc<MinimalSoftwareWindow>>>,
    calls: mpsc::Sender<Call>,
    inbox: RefCell<Inbox>,
}

struct Inbox {
    calls: mpsc::Receiver<Call>,
    gestures: gesture_line::Receiver<(ViewerId, Gesture)>,
}

impl InBrowser {
    /// A platform for one window, and the way of gestures to it.
    pub fn new(size: PhysicalSize, frames: Arc<Frames>) -> (Self, Gestures) {
        let (calls, called) = mpsc::channel();
        let (line, gestures) = gesture_line::channel(GESTURES);
        let inbox = RefCell::new(Inbox { calls: called, gestures });
        let platform = Self { size, frames, window: RefCell::default(), calls: calls.clone(), inbox };
        (platform, Gestures { line, calls })
    }
}

impl Platform for InBrowser {
    fn create_window_adapter(&self) -> Result<Rc<dyn WindowAdapter>, PlatformError> {
        let mut made = self.window.borrow_mut();
        if made.is_some() {
            return Err(PlatformError::Other("the browser shows one window".into()));
        }
        let window = MinimalSoftwareWindow::new(RepaintBufferType::ReusedBuffer);
        *made = Some(window.clone());
        Ok(window)
    }

    fn run_event_loop(&self) -> Result<(), PlatformError> {
        let busy = |_| PlatformError::Other("the event loop runs already".into());
        let inbox = &mut *self.inbox.try_borrow_mut().map_err(busy)?;
        let window = self.window.borrow().clone();
        let window = window.ok_or_else(|| PlatformError::Other("there is no window to show".into()))?;
        Turning::new(window, self.size, &self.frames).run(inbox)
    }

    fn new_event_loop_proxy(&self) -> Option<Box<dyn EventLoopProxy>> {
        Some(Box::new(Proxy(self.calls.clone())))
    }
}

struct Proxy(mpsc::Sender<Call>);

impl EventLoopProxy for Proxy {
    fn quit_event_loop(&self) -> Result<(), EventLoopError> {
        self.0.send(Call::Quit).map_err(|_| EventLoopError::EventLoopTerminated)
    }

    fn invoke_from_event_loop(&self, event: Box<dyn FnOnce() + Send>) -> Result<(), EventLoopError> {
        self.0.send(Call::Invoke(event)).map_err(|_| EventLoopError::EventLoopTerminated)
    }
}

/// The loop while it turns.
struct Turning<'a> {
    window: Rc<MinimalSoftwareWindow>,
    size: PhysicalSize,
    frames: &'a Frames,
    canvas: Vec<Rgb8Pixel>,
    hand: Hand,
    next_frame: Instant,
}

impl<'a> Turning<'a> {
    fn new(window: Rc<MinimalSoftwareWindow>, size: PhysicalSize, frames: &'a Frames) -> Self {
        let canvas = vec![Rgb8Pixel::new(0, 0, 0); size.width as usize * size.height as usize];
        Self { window, size, frames, canvas, hand: Hand::default(), next_frame: Instant::now() }
    }

    fn run(mut self, inbox: &mut Inbox) -> Result<(), PlatformError> {
        self.window.set_size(self.size);
        self.window.dispatch_event_with_result(WindowEvent::WindowActiveChanged(true))?;
        let mut woken_by = None;
        loop {
            update_timers_and_animations();
            for call in woken_by.into_iter().chain(inbox.calls.try_iter()).take(CALLS_A_TURN) {
                match call {
                    Call::Wake => {}
                    Call::Invoke(what) => what(),
                    Call::Quit => return Ok(()),
                }
            }
            for _ in 0..GESTURES {
                let Ok((viewer, gesture)) = inbox.gestures.try_recv() else { break };
                for event in self.hand.events(viewer, gesture) {
                    self.window.dispatch_event_with_result(event)?;
                }
            }
            woken_by = match self.draw_and_rest() {
                None => inbox.calls.recv().ok(),
                Some(rest) => inbox.calls.recv_timeout(rest).ok(),
            };
        }
    }

    /// Draws when it is time to; returns for how long there is nothing to do, when that is known.
    fn draw_and_rest(&mut self) -> Option<Duration> {
        if !self.frames.watched() {
            return duration_until_next_timer_update();
        }
        let now = Instant::now();
        if now >= self.next_frame {
            let drawn = self.draw();
            self.frames.publish(&self.canvas, &drawn);
            if drawn.is_empty() && !self.window.has_active_animations() {
                return duration_until_next_timer_update();
            }
            self.next_frame = now + FRAME;
        }
        // Zero where drawing itself took longer than a frame: an animation goes on all the same.
        let frame = Some(self.next_frame.saturating_duration_since(Instant::now()));
        duration_until_next_timer_update().into_iter().chain(frame).min()
    }

    fn draw(&mut self) -> Vec<Rect> {
        let mut drawn = Vec::new();
        self.window.draw_if_needed(|renderer| {
            let region = renderer.render(&mut self.canvas, self.size.width as usize);
            drawn.extend(region.iter().filter_map(|(at, extent)| Rect::on_screen((at.x, at.y), extent, self.size)));
        });
        drawn
    }
}
