//! Writes a recording while the cart runs. What cannot be written ends the recording, not the trip.

use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cart_core::Input;
use hal::recording::{KeptFrame, Record, RecordingError, RecordingWriter};
use hal::{Frame, Moment};
use tracing::{debug, warn};
use trip::TripEvent;

use super::note::{Begin, Note, Taken};
use super::quota::Quota;

/// Writes a recording. Clones write the same one.
#[derive(Clone, Debug)]
pub struct Recorder {
    // A mutex, because camera threads and the trip's thread write the same file; it is held while
    // bytes go into a buffer, never while a frame is coded.
    inner: Arc<Mutex<Inner>>,
    path: Arc<Path>,
}

#[derive(Debug)]
struct Inner {
    writer: Option<RecordingWriter>,
    quota: Quota,
    trouble: Option<RecordingError>,
}

impl Recorder {
    /// Begins a file; one that is there already is left alone.
    ///
    /// # Errors
    /// When it is there, or cannot be made.
    pub fn create(path: &Path, begin: Begin) -> Result<Self, RecordingError> {
        let writer = RecordingWriter::create(path)?;
        let inner = Arc::new(Mutex::new(Inner { writer: Some(writer), quota: Quota::default(), trouble: None }));
        let recorder = Self { inner, path: path.into() };
        recorder.note(&Note::Begin(Box::new(begin)));
        Ok(recorder)
    }

    /// A camera's frame, before anything looks at it.
    pub fn frame(&self, frame: &Frame) {
        match KeptFrame::new(frame) {
            Ok(frame) => self.record(&Record::Frame(frame)),
            // Nothing could have looked at it either.
            Err(why) => debug!(%why, "a frame is not recorded"),
        }
    }

    /// An input, before the cart takes it.
    pub fn heard(&self, input: &Input, now: Moment) {
        match input {
            Input::Weight(reading) => self.record(&Record::Weight { reading: *reading, taken: now }),
            Input::Motion(reading) => self.record(&Record::Motion { reading: *reading, taken: now }),
            other => {
                if let Some(input) = Taken::of(other) {
                    self.note(&Note::Took { now, input });
                }
            }
        }
    }

    /// The cart is about to do what is due.
    pub fn due(&self, now: Moment) {
        self.note(&Note::Due { now });
    }

    /// Events that are in the journal.
    pub fn events(&self, events: &[TripEvent]) {
        self.note(&Note::Events(events.to_vec()));
    }

    /// What really happened, in words.
    pub fn truth(&self, at: Moment, words: impl Into<String>) {
        self.note(&Note::Truth { at, words: words.into() });
    }

    fn note(&self, note: &Note) {
        match serde_json::to_vec(note) {
            Ok(bytes) => self.record(&Record::Note(bytes)),
            Err(why) => {
                let source = std::io::Error::other(why);
                self.with(|_| Err(RecordingError::File { path: self.path.to_path_buf(), source }));
            }
        }
    }

    fn record(&self, record: &Record) {
        self.with(|writer| writer.write(record));
    }

    fn with(&self, write: impl FnOnce(&mut RecordingWriter) -> Result<(), RecordingError>) {
        let mut inner = self.lock();
        let Inner { writer: Some(writer), quota, .. } = &mut *inner else { return };
        let full = |why| RecordingError::File { path: self.path.to_path_buf(), source: std::io::Error::other(why) };
        let written = match write(writer) {
            Ok(()) => quota.check(writer.bytes(), || self.free()).map_err(full),
            broken => broken,
        };
        let Err(why) = written else { return };
        warn!(%why, "the recording ends here; the cart goes on");
        inner.trouble = Some(why);
        // Whole up to here, if the disk takes the last record.
        if let Some(Err(why)) = inner.writer.take().map(RecordingWriter::finish) {
            debug!(%why, "the recording is cut");
        }
    }

    fn free(&self) -> Option<u64> {
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        service::room::free(folder).ok()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Whoever panicked while holding it left a recording that is cut, which reading it says.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes the last record and brings the file to the disk. What comes later is not recorded.
    ///
    /// # Errors
    /// What went wrong first, now or earlier.
    pub fn finish(&self) -> Result<(), RecordingError> {
        let mut inner = self.lock();
        match (inner.trouble.take(), inner.writer.take()) {
            (Some(why), _) => Err(why),
            (None, Some(writer)) => writer.finish(),
            (None, None) => Ok(()),
        }
    }
}
