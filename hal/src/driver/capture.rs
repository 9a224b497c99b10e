//! Capture in a thread of its own: the latest frame wins, a watchdog ends every wait, and a camera
//! that breaks off is opened again after a while.
//!
//! Camera libraries may block for as long as a camera is silent, and may even panic when one is
//! pulled out; both stay in the thread. Pace and waits here are the machine's time, not the cart's
//! clock, for a camera is as slow as it is; only the frames are stamped by the clock.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::{CameraId, Clock, DeviceError, ErrorKind, Frame};

/// Spoilt frames in a row after which the camera is opened anew: about two seconds of them.
const SPOILT_IN_A_ROW: u32 = 30;

/// A picture: packed RGB8.
pub(crate) struct Picture {
    pub(crate) width: u32,
    pub(crate) height: u32,
    pub(crate) rgb: Arc<[u8]>,
}

/// An open camera, used by the capture thread alone.
pub(crate) trait Source {
    /// Maker's name and model.
    fn model(&self) -> String;

    /// Blocks until the next picture. After `Corrupt` it is asked again; after any other error it is
    /// dropped and opened anew.
    fn grab(&mut self) -> Result<Picture, DeviceError>;
}

/// How long to wait for what.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Patience {
    /// For a frame, and for the camera to open.
    pub(crate) watchdog: Duration,
    /// Before a camera that broke off is opened again; doubled each time up to `longest_retry`.
    pub(crate) first_retry: Duration,
    /// The longest wait between two tries.
    pub(crate) longest_retry: Duration,
}

/// What the capture thread and the reader share.
#[derive(Default)]
struct Slot {
    frame: Option<Frame>,
    /// Trouble that the reader has not heard of.
    trouble: Option<DeviceError>,
    /// Why the camera is away, while it is.
    away: Option<DeviceError>,
    model: Option<String>,
    stop: bool,
}

/// A slot and the news that it changed. A mutex, for the two threads meet nowhere else, and neither
/// holds it while it waits for the camera.
#[derive(Default)]
struct Shared {
    slot: Mutex<Slot>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn change(&self, change: impl FnOnce(&mut Slot)) {
        change(&mut self.lock());
        self.changed.notify_all();
    }

    /// Waits until `ready` or until `patience` is at an end.
    fn wait(&self, patience: Duration, ready: impl Fn(&Slot) -> bool) -> MutexGuard<'_, Slot> {
        let deadline = Instant::now() + patience;
        let mut slot = self.lock();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || ready(&slot) {
                return slot;
            }
            slot = self.changed.wait_timeout(slot, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// The reader's end.
pub(crate) struct Capture {
    shared: Arc<Shared>,
    port: String,
    watchdog: Duration,
}

impl Capture {
    /// Starts the thread and waits for the camera's first opening.
    ///
    /// # Errors
    /// What `open` says the first time; then no thread is left behind. A camera that is merely slow
    /// to open is no error: its first frame is waited for.
    pub(crate) fn start<S: Source>(
        id: CameraId,
        port: String,
        patience: Patience,
        clock: Arc<dyn Clock>,
        open: impl FnMut() -> Result<S, DeviceError> + Send + 'static,
    ) -> Result<Self, DeviceError> {
        let shared = Arc::new(Shared::default());
        let worker = Worker { shared: Arc::clone(&shared), id, port: port.clone(), patience, clock, open };
        thread::Builder::new().name(format!("camera-{}", id.0)).spawn(move || worker.run()).map_err(|error| {
            let remedy = "Free memory or allow the cart more threads.";
            DeviceError::new(ErrorKind::Absent, "camera", port.clone(), "no thread for it", remedy).because(error)
        })?;
        let capture = Self { shared, port, watchdog: patience.watchdog };
        let decided = |slot: &Slot| slot.model.is_some() || slot.trouble.is_some();
        let refused = {
            let mut slot = capture.shared.wait(patience.watchdog, decided);
            if slot.model.is_none() { slot.trouble.take() } else { None }
        };
        match refused {
            Some(error) => Err(error),
            None => Ok(capture),
        }
    }

    /// The camera's model, once it has been opened.
    pub(crate) fn model(&self) -> Option<String> {
        self.shared.lock().model.clone()
    }

    /// The next frame that has not been handed out.
    pub(crate) fn next_frame(&mut self) -> Result<Frame, DeviceError> {
        let news = |slot: &Slot| slot.frame.is_some() || slot.trouble.is_some();
        let mut slot = self.shared.wait(self.watchdog, news);
        if let Some(frame) = slot.frame.take() {
            return Ok(frame);
        }
        if let Some(error) = slot.trouble.take() {
            return Err(error);
        }
        if let Some(away) = &slot.away {
            return Err(again(away));
        }
        Err(DeviceError::new(
            ErrorKind::Timeout,
            "camera",
            self.port.clone(),
            format!("no frame in {} ms", self.watchdog.as_millis()),
            "Check its cable; if it stays silent, unplug it and plug it in again.",
        ))
    }
}

impl Drop for Capture {
    /// The thread ends after its present wait; it is not joined, for a silent camera may hold it.
    fn drop(&mut self) {
        self.shared.change(|slot| slot.stop = true);
    }
}

/// The same error for a caller who asks again.
fn again(error: &DeviceError) -> DeviceError {
    DeviceError::new(error.kind(), error.device, error.port.clone(), error.what.clone(), error.remedy.clone())
}

/// The capture thread.
struct Worker<O> {
    shared: Arc<Shared>,
    id: CameraId,
    port: String,
    patience: Patience,
    clock: Arc<dyn Clock>,
    open: O,
}

impl<S: Source, O: FnMut() -> Result<S, DeviceError>> Worker<O> {
    fn run(mut self) {
        let mut retry = self.patience.first_retry;
        loop {
            let mut frames = 0;
            let ended = catch_unwind(AssertUnwindSafe(|| self.session(&mut frames)));
            let error = match ended {
                Ok(Ok(())) => return,
                Ok(Err(error)) => error,
                Err(_) => self.error(ErrorKind::Absent, "the camera's library broke off"),
            };
            if frames > 0 {
                retry = self.patience.first_retry;
            }
            self.shared.change(|slot| {
                slot.away = Some(again(&error));
                slot.trouble = Some(error);
            });
            if self.shared.wait(retry, |slot| slot.stop).stop {
                return;
            }
            retry = (retry * 2).min(self.patience.longest_retry);
        }
    }

    /// From opening to breaking off; `Ok` when nobody wants frames any more.
    fn session(&mut self, frames: &mut u64) -> Result<(), DeviceError> {
        let mut source = (self.open)()?;
        let model = source.model();
        self.shared.change(|slot| slot.model = Some(model));
        let mut spoilt = 0;
        while !self.shared.lock().stop {
            let grabbed = source.grab().and_then(|picture| {
                let taken = self.clock.now();
                Frame::new(self.id, taken, picture.width, picture.height, picture.rgb)
                    .ok_or_else(|| self.error(ErrorKind::Corrupt, "a picture with too few or too many pixels"))
            });
            match grabbed {
                Ok(frame) => {
                    *frames += 1;
                    spoilt = 0;
                    self.shared.change(|slot| {
                        slot.frame = Some(frame);
                        // What is over need not be heard of.
                        if slot.away.take().is_some() {
                            slot.trouble = None;
                        }
                    });
                }
                Err(error) if error.kind() == ErrorKind::Corrupt && spoilt < SPOILT_IN_A_ROW => {
                    spoilt += 1;
                    self.shared.change(|slot| slot.trouble = Some(error));
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    fn error(&self, kind: ErrorKind, what: &str) -> DeviceError {
        let remedy = "It is opened again by itself; if it stays so, unplug it and plug it in again.";
        DeviceError::new(kind, "camera", self.port.clone(), what, remedy)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;
    use crate::ManualClock;

    /// What the made-up camera does next.
    enum Act {
        /// Gives a picture of this grey.
        Show(u8),
        /// Gives a picture with bytes missing.
        Spoil,
        /// Fails as if it were pulled out.
        Break,
        /// Panics, as a library might.
        Panic,
    }

    struct Fake(Arc<Mutex<Receiver<Act>>>);

    impl Source for Fake {
        fn model(&self) -> String {
            "made-up".into()
        }

        fn grab(&mut self) -> Result<Picture, DeviceError> {
            let act = self.0.lock().unwrap_or_else(PoisonError::into_inner).recv();
            match act {
                Ok(Act::Show(grey)) => Ok(Picture { width: 1, height: 1, rgb: [grey; 3].into() }),
                Ok(Act::Spoil) => Ok(Picture { width: 1, height: 1, rgb: [0; 2].into() }),
                Ok(Act::Break) | Err(_) => Err(trouble(ErrorKind::Absent)),
                Ok(Act::Panic) => panic!("the made-up library breaks off, as this test wants"),
            }
        }
    }

    fn trouble(kind: ErrorKind) -> DeviceError {
        DeviceError::new(kind, "camera", "nowhere", "made up", "Nothing to do.")
    }

    const PATIENCE: Patience = Patience {
        watchdog: Duration::from_secs(10),
        first_retry: Duration::from_millis(1),
        longest_retry: Duration::from_millis(2),
    };

    fn start(patience: Patience) -> (Capture, Sender<Act>) {
        let (acts, camera) = channel();
        let camera = Arc::new(Mutex::new(camera));
        let open = move || Ok(Fake(Arc::clone(&camera)));
        let clock = Arc::new(ManualClock::default());
        (Capture::start(CameraId(3), "nowhere".into(), patience, clock, open).expect("it opens"), acts)
    }

    fn grey(capture: &mut Capture) -> Result<u8, ErrorKind> {
        capture.next_frame().map(|frame| frame.rgb[0]).map_err(|error| error.kind())
    }

    #[test]
    fn frames_in_between_are_skipped_for_the_latest() {
        let (mut capture, acts) = start(PATIENCE);
        for shade in 1..=9 {
            acts.send(Act::Show(shade)).expect("it listens");
        }
        let mut seen = Vec::new();
        while seen.last() != Some(&9) {
            seen.push(grey(&mut capture).expect("a frame"));
        }
        assert!(seen.is_sorted_by(|a, b| a < b), "no frame twice, none out of order: {seen:?}");
        assert_eq!(capture.model().as_deref(), Some("made-up"));
    }

    #[test]
    fn a_camera_that_breaks_off_or_panics_is_opened_again_by_itself() {
        for act in [Act::Break, Act::Panic] {
            let (mut capture, acts) = start(PATIENCE);
            acts.send(act).expect("it listens");
            assert_eq!(grey(&mut capture), Err(ErrorKind::Absent));
            acts.send(Act::Show(7)).expect("it listens");
            assert_eq!(grey(&mut capture), Ok(7));
        }
    }

    #[test]
    fn a_spoilt_frame_is_an_error_and_the_next_one_is_seen() {
        let (mut capture, acts) = start(PATIENCE);
        acts.send(Act::Spoil).expect("it listens");
        assert_eq!(grey(&mut capture), Err(ErrorKind::Corrupt));
        acts.send(Act::Show(5)).expect("it listens");
        assert_eq!(grey(&mut capture), Ok(5));
    }

    #[test]
    fn a_silent_camera_ends_in_a_timeout_not_a_hang() {
        let (mut capture, _acts) = start(Patience { watchdog: Duration::from_millis(30), ..PATIENCE });
        assert_eq!(grey(&mut capture), Err(ErrorKind::Timeout));
    }

    #[test]
    fn while_a_camera_is_away_every_question_is_told_so() {
        let long = Duration::from_secs(60);
        let patience = Patience { watchdog: Duration::from_millis(30), first_retry: long, longest_retry: long };
        let (mut capture, acts) = start(patience);
        acts.send(Act::Break).expect("it listens");
        // On a busy machine the first words may be time-outs; from then on it is away.
        let first = (0..1_000).map(|_| grey(&mut capture)).find(|said| *said != Err(ErrorKind::Timeout));
        assert_eq!(first, Some(Err(ErrorKind::Absent)));
        for _ in 0..2 {
            assert_eq!(grey(&mut capture), Err(ErrorKind::Absent));
        }
    }

    #[test]
    fn a_camera_that_cannot_be_opened_is_told_at_once() {
        let open = || Err::<Fake, _>(trouble(ErrorKind::Unsupported));
        let clock = Arc::new(ManualClock::default());
        let refused = Capture::start(CameraId(0), "nowhere".into(), PATIENCE, clock, open);
        assert_eq!(refused.err().map(|error| error.kind()), Some(ErrorKind::Unsupported));
    }
}
