//! The recorder's place in a running cart: empty, or with a recording under way that staff started.
//!
//! Whoever sees or hears something gives it to the tape; only while a recorder is in is it written.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Recorder;

/// What staff want of the tape, and the trip's thread does: it alone knows where a trip stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// Begin this file.
    Begin(PathBuf),
    /// End what is under way.
    End,
}

#[derive(Debug, Default)]
struct Slot {
    recorder: Option<(Recorder, PathBuf)>,
    wanted: Option<Wanted>,
    trouble: Option<String>,
}

/// The tape. Clones are the same one.
#[derive(Clone, Debug, Default)]
pub struct Tape {
    // A mutex, because cameras, trip and staff share it; held for a look into the slot, never while a frame
    // is coded.
    slot: Arc<Mutex<Slot>>,
}

impl Tape {
    /// A tape with a recorder in, or none.
    pub fn new(recorder: Option<(Recorder, PathBuf)>) -> Self {
        let tape = Self::default();
        tape.lock().recorder = recorder;
        tape
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        self.slot.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives something to the recorder, if one is in.
    pub fn record(&self, write: impl FnOnce(&Recorder)) {
        let recorder = self.lock().recorder.as_ref().map(|(recorder, _)| recorder.clone());
        if let Some(recorder) = recorder {
            write(&recorder);
        }
    }

    /// The file under way.
    pub fn under_way(&self) -> Option<PathBuf> {
        self.lock().recorder.as_ref().map(|(_, path)| path.clone())
    }

    /// Says what is wanted; the trip's thread does it within a moment.
    pub fn want(&self, wanted: Wanted) {
        let mut slot = self.lock();
        slot.trouble = None;
        slot.wanted = Some(wanted);
    }

    /// True until what was wanted is done or refused.
    pub fn busy(&self) -> bool {
        self.lock().wanted.is_some()
    }

    /// What is wanted, for the trip's thread; it says [`Tape::done`] afterwards.
    pub fn wanted(&self) -> Option<Wanted> {
        self.lock().wanted.clone()
    }

    /// What was wanted is done, or why it is not.
    pub fn done(&self, result: Result<(), String>) {
        let mut slot = self.lock();
        slot.wanted = None;
        slot.trouble = result.err();
    }

    /// Puts a recorder in.
    pub fn insert(&self, recorder: Recorder, path: &Path) {
        self.lock().recorder = Some((recorder, path.to_owned()));
    }

    /// Takes the recorder out and brings its file to the disk.
    ///
    /// # Errors
    /// What went wrong first, now or while it recorded.
    pub fn finish(&self) -> Result<(), hal::recording::RecordingError> {
        let taken = self.lock().recorder.take();
        taken.map_or(Ok(()), |(recorder, _)| recorder.finish())
    }

    /// Why the last wish could not be done.
    pub fn trouble(&self) -> Option<String> {
        self.lock().trouble.clone()
    }
}
