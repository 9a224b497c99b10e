//! A V4L2 camera by nokhwa.
//!
//! nokhwa opens the camera and hands over its buffers; the pixels are turned into RGB here
//! ([`super::pixels`]), and a thread of its own ([`super::capture`]) keeps its waits, which know no
//! end, from the cart.
//!
//! Only uncompressed formats are taken: a JPEG decoder costs a frame's time on a small board, and
//! every camera that a cart needs (640 by 480) gives YUYV as well. Rows with gaps between them cannot
//! be told by nokhwa and are not handled; cameras at these widths have none.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nokhwa::NokhwaError;
use nokhwa::utils::{CameraFormat, CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType};

use super::capture::{Capture, Patience, Picture, Source};
use super::pixels::{Layout, to_rgb};
use crate::board::CameraBoard;
use crate::device::Identity;
use crate::{Camera, CameraId, Clock, DeviceError, ErrorKind, Frame};

/// The formats that [`super::pixels`] knows, the one that costs least first.
const KNOWN: [FrameFormat; 5] =
    [FrameFormat::RAWRGB, FrameFormat::YUYV, FrameFormat::NV12, FrameFormat::RAWBGR, FrameFormat::GRAY];

/// USB cameras take up to two seconds from opening to their first frame while they find their
/// exposure; a try every eight seconds finds a camera that was plugged in again soon enough.
const PATIENCE: Patience = Patience {
    watchdog: Duration::from_secs(3),
    first_retry: Duration::from_millis(250),
    longest_retry: Duration::from_secs(8),
};

/// A V4L2 camera.
pub struct NokhwaCamera {
    id: CameraId,
    port: String,
    capture: Capture,
}

impl NokhwaCamera {
    /// Opens the camera and starts capturing.
    ///
    /// # Errors
    /// `Absent` when there is no such camera, `Timeout` when another program holds it, `Unsupported`
    /// when it gives no format that can be turned into RGB.
    pub fn start(id: CameraId, board: &CameraBoard, clock: Arc<dyn Clock>) -> Result<Self, DeviceError> {
        let node = Node { path: PathBuf::from(format!("/dev/video{}", board.index)), board: board.clone() };
        let port = node.port();
        let capture = Capture::start(id, port.clone(), PATIENCE, clock, move || node.open())?;
        Ok(Self { id, port, capture })
    }
}

impl Camera for NokhwaCamera {
    fn identity(&self) -> Identity {
        Identity::new(self.capture.model().unwrap_or_else(|| "V4L2 camera".into()), self.port.clone())
    }

    fn id(&self) -> CameraId {
        self.id
    }

    fn next_frame(&mut self) -> Result<Frame, DeviceError> {
        self.capture.next_frame()
    }
}

/// A video node and what is asked of the camera behind it.
struct Node {
    path: PathBuf,
    board: CameraBoard,
}

impl Node {
    fn port(&self) -> String {
        self.path.display().to_string()
    }

    fn open(&self) -> Result<Stream, DeviceError> {
        if !self.path.exists() {
            return Err(self.error(ErrorKind::Absent, "there is no such video node", PLUG_IN));
        }
        // The first format it has that is known; the nearest to what is asked is chosen from its list.
        let mut camera = self.connect(&KNOWN).map_err(|error| self.refused(error))?;
        let offered = camera.compatible_camera_formats().map_err(|error| self.refused(error))?;
        if let Some(best) = nearest(&offered, &self.board)
            && best != camera.camera_format()
            && let Err(error) = camera.set_camera_requset(exactly(best, &[best.format()]))
        {
            // Some drivers round the frame rate and are then called wrong; what they chose will do.
            tracing::debug!(port = self.port(), %best, %error, "the camera chose a format of its own");
            camera.refresh_camera_format().map_err(|error| self.refused(error))?;
        }
        let format = camera.camera_format();
        let Some(layout) = layout(format.format()) else { return Err(self.unsupported(format.format())) };
        camera.open_stream().map_err(|error| self.refused(error))?;
        tracing::info!(port = self.port(), %format, "camera open");
        Ok(Stream { model: camera.info().human_name(), port: self.port(), camera, format, layout })
    }

    fn connect(&self, formats: &[FrameFormat]) -> Result<nokhwa::Camera, NokhwaError> {
        let any = RequestedFormat::with_formats(RequestedFormatType::None, formats);
        nokhwa::Camera::new(CameraIndex::Index(self.board.index), any)
    }

    /// Why it could not be opened.
    fn refused(&self, error: NokhwaError) -> DeviceError {
        match &error {
            // nokhwa's word for: none of the camera's formats is among those wanted.
            NokhwaError::GetPropertyError { property, .. } if property == "CameraFormat" => {
                if self.connect(&[FrameFormat::MJPEG]).is_ok() {
                    return self.unsupported(FrameFormat::MJPEG);
                }
                let what = "it offers no pixel format that is known (YUYV, NV12, RGB, BGR)";
                self.error(ErrorKind::Unsupported, what, ANOTHER_NODE)
            }
            NokhwaError::GetPropertyError { property, .. } if property == "V4L2 FrameRate" => {
                let remedy = "Set a whole number of frames a second: v4l2-ctl --set-parm=15.";
                self.error(ErrorKind::Unsupported, "its frame rate cannot be told", remedy).because(error)
            }
            NokhwaError::GetPropertyError { .. } => {
                self.error(ErrorKind::Unsupported, "it does not say what it can do", ANOTHER_NODE).because(error)
            }
            NokhwaError::SetPropertyError { .. } | NokhwaError::OpenStreamError(_) => {
                let remedy = "End other programs that use the camera.";
                self.error(ErrorKind::Timeout, "it does not start", remedy).because(error)
            }
            _ => {
                let remedy = "Give the cart's user the group \"video\", or plug the camera in again.";
                self.error(ErrorKind::Absent, "it cannot be opened", remedy).because(error)
            }
        }
    }

    fn unsupported(&self, format: FrameFormat) -> DeviceError {
        let what = format!("it gives only {format}, which this build does not decode");
        let remedy = "Use a camera that gives YUYV at this size; v4l2-ctl --list-formats-ext shows what it has.";
        self.error(ErrorKind::Unsupported, &what, remedy)
    }

    fn error(&self, kind: ErrorKind, what: &str, remedy: &str) -> DeviceError {
        DeviceError::new(kind, "camera", self.port(), what, remedy)
    }
}

const PLUG_IN: &str =
    "Plug the camera in, or correct its index in the board file; trundle devices lists what is there.";

const ANOTHER_NODE: &str =
    "A camera often has a second node for its data, not its pictures: try the other index in the board file.";

/// nokhwa's request for just this format.
fn exactly(format: CameraFormat, pixels: &[FrameFormat]) -> RequestedFormat<'_> {
    RequestedFormat::with_formats(RequestedFormatType::Exact(format), pixels)
}

/// How a format lies in memory; `None` for those that are compressed.
fn layout(format: FrameFormat) -> Option<Layout> {
    match format {
        FrameFormat::YUYV => Some(Layout::Yuyv),
        FrameFormat::NV12 => Some(Layout::Nv12),
        FrameFormat::GRAY => Some(Layout::Gray),
        FrameFormat::RAWRGB => Some(Layout::Rgb),
        FrameFormat::RAWBGR => Some(Layout::Bgr),
        FrameFormat::MJPEG => None,
    }
}

/// The offered format nearest to what the board asks: size first, then at least as many frames a
/// second, then colour before grey and the cheaper conversion.
fn nearest(offered: &[CameraFormat], board: &CameraBoard) -> Option<CameraFormat> {
    let cost = |format: &CameraFormat| {
        let off_px = format.width().abs_diff(board.width_px) + format.height().abs_diff(board.height_px);
        let missing_fps = board.fps.saturating_sub(format.frame_rate());
        let spare_fps = format.frame_rate().saturating_sub(board.fps);
        let rank = KNOWN.iter().position(|known| *known == format.format());
        (format.format() == FrameFormat::GRAY, off_px, missing_fps, spare_fps, rank)
    };
    offered.iter().filter(|format| KNOWN.contains(&format.format())).min_by_key(|format| cost(format)).copied()
}

/// An open camera.
struct Stream {
    camera: nokhwa::Camera,
    model: String,
    port: String,
    format: CameraFormat,
    layout: Layout,
}

impl Source for Stream {
    fn model(&self) -> String {
        self.model.clone()
    }

    fn grab(&mut self) -> Result<Picture, DeviceError> {
        let error = |kind, what: &str, remedy: &str| DeviceError::new(kind, "camera", self.port.clone(), what, remedy);
        let raw = self.camera.frame_raw().map_err(|why| {
            // A camera that was pulled out leaves its node for a moment; either way it is opened anew.
            let gone = !Path::new(&self.port).exists();
            let what = if gone { "it was pulled out" } else { "it broke off" };
            error(ErrorKind::Absent, what, PLUG_IN).because(why)
        })?;
        let (width, height) = (self.format.width(), self.format.height());
        let rgb = to_rgb(self.layout, width, height, &raw).map_err(|why| {
            let remedy = "Use a shorter or better cable, or a port of its own on the hub.";
            error(ErrorKind::Corrupt, "a frame was spoilt on its way", remedy).because(why)
        })?;
        Ok(Picture { width, height, rgb: rgb.into() })
    }
}

#[cfg(test)]
mod tests {
    use nokhwa::utils::Resolution;

    use super::*;
    use crate::ManualClock;
    use crate::board::{Driver, Mounting};

    fn board() -> CameraBoard {
        let mounting = Mounting::default();
        CameraBoard { driver: Driver::Nokhwa, index: 63, width_px: 640, height_px: 480, fps: 15, mounting }
    }

    fn check(offered: &[(u32, u32, FrameFormat, u32)], expected: Option<usize>) {
        let offered: Vec<CameraFormat> =
            offered.iter().map(|&(w, h, format, fps)| CameraFormat::new(Resolution::new(w, h), format, fps)).collect();
        assert_eq!(nearest(&offered, &board()), expected.map(|i| offered[i]), "{offered:?}");
    }

    #[test]
    fn the_nearest_format_is_chosen_by_size_then_rate_then_cost() {
        use FrameFormat::{GRAY, MJPEG, NV12, YUYV};
        check(&[(1920, 1080, YUYV, 15), (640, 360, YUYV, 30), (320, 240, YUYV, 15)], Some(1));
        check(&[(640, 480, YUYV, 10), (640, 480, YUYV, 30), (640, 480, YUYV, 20)], Some(2));
        check(&[(640, 480, NV12, 15), (640, 480, YUYV, 15)], Some(1));
        check(&[(640, 480, GRAY, 15), (1280, 720, YUYV, 15)], Some(1));
        check(&[(640, 480, MJPEG, 15)], None);
    }

    #[test]
    fn a_camera_that_is_not_there_is_absent_by_its_node() {
        let refused = NokhwaCamera::start(CameraId(0), &board(), Arc::new(ManualClock::default()));
        let error = refused.err().expect("no machine has so many cameras");
        assert_eq!((error.kind(), error.port.as_str()), (ErrorKind::Absent, "/dev/video63"));
    }
}
