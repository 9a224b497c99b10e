//! A V4L2 camera, by nokhwa.
//!
//! nokhwa waits for a frame for ever, so a thread of its own does the waiting and hands on only
//! the newest frame; the cart waits with a watchdog. The thread opens the camera again, more and
//! more slowly, when it went away. A thread that hangs in the kernel is left behind with its
//! camera; when the kernel lets it go it goes on by itself.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use nokhwa::utils::{CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType, Resolution};

use super::pixels::{Layout, to_rgb};
use crate::board::CameraBoard;
use crate::device::Identity;
use crate::{Camera, CameraId, Clock, DeviceError, ErrorKind, Frame};

/// No frame for this long is a dead camera: thirty frames at the usual rate.
const WATCHDOG: Duration = Duration::from_secs(2);
/// The first and the longest wait before the camera is opened again.
const FIRST_BACK_OFF: Duration = Duration::from_millis(250);
const LONGEST_BACK_OFF: Duration = Duration::from_secs(8);

/// What can be turned into RGB without a decoder, best first.
const FORMATS: [FrameFormat; 4] = [FrameFormat::YUYV, FrameFormat::NV12, FrameFormat::RAWRGB, FrameFormat::RAWBGR];

const REMEDY: &str = "Check the camera's cable and that this program may read its video node (group video).";

#[derive(Default)]
struct Slot {
    frame: Option<Frame>,
    trouble: Option<DeviceError>,
    model: Option<String>,
}

#[derive(Default)]
struct Shared {
    // A mutex, because the capture thread replaces the newest frame while the cart takes it.
    slot: Mutex<Slot>,
    changed: Condvar,
}

impl Shared {
    fn slot(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Slot)) {
        change(&mut self.slot());
        self.changed.notify_all();
    }
}

/// A camera behind `/dev/videoN`.
pub struct NokhwaCamera {
    id: CameraId,
    port: String,
    shared: Arc<Shared>,
}

impl NokhwaCamera {
    /// Starts the capture thread. A camera that is not there yet is no error here: it is opened
    /// when it comes, and [`Camera::next_frame`] says meanwhile that it is absent.
    ///
    /// # Errors
    /// `Absent` when no thread can be started.
    pub fn start(id: CameraId, board: &CameraBoard, clock: Arc<dyn Clock>) -> Result<Self, DeviceError> {
        let port = format!("/dev/video{}", board.index);
        let shared = Arc::new(Shared::default());
        let capture = Capture { id, port: port.clone(), board: board.clone(), clock, shared: Arc::downgrade(&shared) };
        thread::Builder::new().name(format!("camera-{}", id.0)).spawn(move || capture.run()).map_err(|error| {
            DeviceError::new(ErrorKind::Absent, "camera", port.clone(), "its thread cannot be started", "Free some memory.").because(error)
        })?;
        Ok(Self { id, port, shared })
    }
}

impl Camera for NokhwaCamera {
    fn identity(&self) -> Identity {
        Identity::new(self.shared.slot().model.clone().unwrap_or_else(|| "V4L2 camera".into()), self.port.clone())
    }

    fn id(&self) -> CameraId {
        self.id
    }

    fn next_frame(&mut self) -> Result<Frame, DeviceError> {
        let until = Instant::now() + WATCHDOG;
        let mut slot = self.shared.slot();
        loop {
            if let Some(frame) = slot.frame.take() {
                return Ok(frame);
            }
            if let Some(trouble) = slot.trouble.take() {
                return Err(trouble);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                let what = format!("no frame within {} s", WATCHDOG.as_secs());
                return Err(DeviceError::new(ErrorKind::Timeout, "camera", self.port.clone(), what, REMEDY));
            }
            slot = self.shared.changed.wait_timeout(slot, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// What the thread owns. It ends when the camera it serves is dropped.
struct Capture {
    id: CameraId,
    port: String,
    board: CameraBoard,
    clock: Arc<dyn Clock>,
    shared: Weak<Shared>,
}

impl Capture {
    fn run(self) {
        let mut back_off = FIRST_BACK_OFF;
        loop {
            let started = Instant::now();
            let Some(trouble) = self.stream() else { return };
            if started.elapsed() > LONGEST_BACK_OFF {
                back_off = FIRST_BACK_OFF;
            }
            tracing::debug!(%trouble, ?back_off, "camera will be opened again");
            let Some(shared) = self.shared.upgrade() else { return };
            shared.change(|slot| slot.trouble = Some(trouble));
            drop(shared);
            thread::sleep(back_off);
            back_off = (back_off * 2).min(LONGEST_BACK_OFF);
        }
    }

    /// Opens the camera and hands on frames until something fails; `None` when nobody wants them.
    fn stream(&self) -> Option<DeviceError> {
        let mut camera = match self.open() {
            Ok(camera) => camera,
            Err(error) => return self.shared.upgrade().map(|_| error),
        };
        let model = camera.info().human_name();
        self.shared.upgrade()?.change(|slot| slot.model = Some(model));
        loop {
            let buffer = match camera.frame() {
                Ok(buffer) => buffer,
                Err(error) => return Some(self.failed(ErrorKind::Absent, "the stream broke off").because(error)),
            };
            let taken = self.clock.now();
            let (width, height) = (buffer.resolution().width(), buffer.resolution().height());
            let Some(layout) = layout(buffer.source_frame_format()) else {
                return Some(self.unsupported(buffer.source_frame_format()));
            };
            let frame = to_rgb(layout, width, height, buffer.buffer())
                .and_then(|rgb| Frame::new(self.id, taken, width, height, rgb.into()));
            let shared = self.shared.upgrade()?;
            match frame {
                Some(frame) => shared.change(|slot| (slot.frame, slot.trouble) = (Some(frame), None)),
                None => {
                    let what = format!("a frame of {} bytes for {width} × {height} pixels", buffer.buffer().len());
                    shared.change(|slot| slot.trouble = Some(self.failed(ErrorKind::Corrupt, &what)));
                }
            }
        }
    }

    fn open(&self) -> Result<nokhwa::Camera, DeviceError> {
        let resolution = Resolution::new(self.board.width_px, self.board.height_px);
        let mut failed = None;
        for format in FORMATS {
            let wanted = CameraFormat::new(resolution, format, self.board.fps);
            let only = [format];
            let request = RequestedFormat::with_formats(RequestedFormatType::Closest(wanted), &only);
            match nokhwa::Camera::new(CameraIndex::Index(self.board.index), request) {
                Ok(mut camera) => {
                    return match camera.open_stream() {
                        Ok(()) => Ok(camera),
                        Err(error) => Err(self.failed(ErrorKind::Absent, "its stream cannot be opened").because(error)),
                    };
                }
                Err(error) => failed = Some(error),
            }
        }
        let there = std::path::Path::new(&self.port).exists();
        let (kind, what) = if there {
            (ErrorKind::Unsupported, "it offers no YUYV, NV12 or RGB (MJPEG alone cannot be used), or it is in use")
        } else {
            (ErrorKind::Absent, "there is no such camera")
        };
        let error = self.failed(kind, what);
        Err(match failed {
            Some(cause) => error.because(cause),
            None => error,
        })
    }

    fn unsupported(&self, format: FrameFormat) -> DeviceError {
        self.failed(ErrorKind::Unsupported, &format!("its frames are {format}, which cannot be turned into RGB"))
    }

    fn failed(&self, kind: ErrorKind, what: &str) -> DeviceError {
        DeviceError::new(kind, "camera", self.port.clone(), what, REMEDY)
    }
}

fn layout(format: FrameFormat) -> Option<Layout> {
    match format {
        FrameFormat::YUYV => Some(Layout::Yuyv),
        FrameFormat::NV12 => Some(Layout::Nv12),
        FrameFormat::RAWRGB => Some(Layout::Rgb),
        FrameFormat::RAWBGR => Some(Layout::Bgr),
        FrameFormat::GRAY => Some(Layout::Grey),
        FrameFormat::MJPEG => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;
    use crate::board::BoardConfig;

    #[test]
    fn a_camera_that_is_not_there_says_so_and_does_not_block() {
        let mut board = BoardConfig::simulated(1).cameras.remove(0);
        board.index = 250;
        let mut camera = NokhwaCamera::start(CameraId(0), &board, Arc::new(ManualClock::default())).expect("a thread");
        assert_eq!(camera.next_frame().expect_err("there is none").kind(), ErrorKind::Absent);
    }
}
