//! Plays a recorded trip again and compares what comes out.
//!
//! The core is given the very inputs of the recording at their very times. With eyes, the frames are
//! looked at again, and what the eyes say now takes the place of what they said then.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use anyhow::{Context, bail};
use cart_core::{Cart, Effect, Input};
use cart_vision::Eye;
use hal::recording::{KeptFrame, Record, RecordingError, RecordingReader};
use hal::{CameraId, Moment};
use trip::{Catalogue, TripEvent};

use super::note::{Begin, Code, Look, Note, Taken};
use crate::startup;

/// Makes the eye of a camera, for the catalogue of the recording.
pub type MakeEye<'a> = dyn FnMut(CameraId, &Catalogue) -> anyhow::Result<Eye> + 'a;

/// The first place where replay and recording part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The record, from 1.
    pub record: u64,
    /// The cart's time.
    pub now: Moment,
    /// What the recording has there; empty for nothing.
    pub recorded: String,
    /// What came out now; empty for nothing.
    pub replayed: String,
}

/// What a replay came to.
#[derive(Debug, Default)]
pub struct Replayed {
    /// Records played.
    pub records: u64,
    /// Frames among them.
    pub frames: u64,
    /// Events that came out as recorded.
    pub events: u64,
    /// Looks and codes that came out as recorded, when frames were looked at again.
    pub looks: u64,
    /// Where replay and recording part, if they do.
    pub difference: Option<Difference>,
    /// Where the file is cut or damaged, if it is; what is whole before it was played.
    pub damage: Option<RecordingError>,
}

/// Plays `path`; with `eyes` its frames are looked at again.
///
/// # Errors
/// When the file is no recording, or does not begin as one: nothing was played. Damage further on is
/// in [`Replayed::damage`].
pub fn replay(path: &Path, eyes: Option<&mut MakeEye<'_>>) -> anyhow::Result<Replayed> {
    let mut reader = RecordingReader::open(path)?;
    let Some(Record::Note(first)) = reader.next().transpose()? else {
        bail!("recording {} does not begin with how the cart began", path.display());
    };
    let begun = serde_json::from_slice(&first).ok();
    let Some(Note::Begin(begin)) = begun else {
        bail!("recording {} begins in a way that this program does not know", path.display());
    };
    let mut player = Player::new(*begin, eyes).with_context(|| format!("recording {}", path.display()))?;
    player.done.records = 1;
    for record in &mut reader {
        match record {
            Ok(record) => {
                player.done.records += 1;
                player.play(record).with_context(|| format!("recording {}", path.display()))?;
                if player.done.difference.is_some() {
                    return Ok(player.done);
                }
            }
            // The events of the last record may be what was cut off.
            Err(damage) => {
                player.done.damage = Some(damage);
                return Ok(player.done);
            }
        }
    }
    player.nothing_left_over();
    Ok(player.done)
}

struct Player<'a, 'b> {
    cart: Cart,
    catalogue: Catalogue,
    make_eye: Option<&'a mut MakeEye<'b>>,
    eyes: BTreeMap<CameraId, Eye>,
    looks: BTreeMap<CameraId, VecDeque<Look>>,
    codes: BTreeMap<CameraId, VecDeque<Code>>,
    /// Events of the last input that the recording has not told yet.
    came: VecDeque<TripEvent>,
    now: Moment,
    done: Replayed,
}

impl<'a, 'b> Player<'a, 'b> {
    fn new(begin: Begin, make_eye: Option<&'a mut MakeEye<'b>>) -> anyhow::Result<Self> {
        let pinned = Catalogue::parse(&begin.catalogue).context("its catalogue")?;
        let newest = Catalogue::parse(&begin.newest).context("its newest catalogue")?;
        let mut cart = Cart::new(startup::setup(begin.facts), pinned, begin.state);
        cart.offer_catalogue(newest.clone());
        let mut player = Self {
            cart,
            catalogue: newest,
            make_eye,
            eyes: BTreeMap::new(),
            looks: BTreeMap::new(),
            codes: BTreeMap::new(),
            came: VecDeque::new(),
            now: Moment::default(),
            done: Replayed::default(),
        };
        player.drain();
        Ok(player)
    }

    fn play(&mut self, record: Record) -> anyhow::Result<()> {
        match record {
            Record::Frame(frame) => self.look(&frame)?,
            Record::Weight { reading, taken } => self.take(Input::Weight(reading), taken),
            Record::Motion { reading, taken } => self.take(Input::Motion(reading), taken),
            Record::Note(bytes) => match serde_json::from_slice(&bytes).context("a note that is not known")? {
                Note::Took { now, input } => {
                    let input = self.seen_again(input, now);
                    self.take(input, now);
                }
                Note::Due { now } => {
                    self.step(now);
                    self.cart.handle_timeout(now);
                    self.drain();
                }
                Note::Events(events) => self.compare(events),
                Note::Truth { .. } => {}
                Note::Begin(_) => bail!("the cart begins twice"),
            },
        }
        Ok(())
    }

    fn take(&mut self, input: Input, now: Moment) {
        self.step(now);
        self.cart.handle_input(input, now);
        self.drain();
    }

    /// The next input: whatever the last one brought must have been told by now.
    fn step(&mut self, now: Moment) {
        self.nothing_left_over();
        self.now = now;
    }

    fn nothing_left_over(&mut self) {
        if let Some(event) = self.came.pop_front() {
            self.differ(String::new(), format!("{event:?}"));
        }
    }

    fn differ(&mut self, recorded: String, replayed: String) {
        let difference = Difference { record: self.done.records, now: self.now, recorded, replayed };
        self.done.difference.get_or_insert(difference);
    }

    fn drain(&mut self) {
        while let Some(effect) = self.cart.poll_effect() {
            if let Effect::Journal(events) = effect {
                self.came.extend(events);
            }
        }
    }

    fn compare(&mut self, recorded: Vec<TripEvent>) {
        for event in recorded {
            let came = self.came.pop_front();
            if came.as_ref() == Some(&event) {
                self.done.events += 1;
            } else {
                self.differ(format!("{event:?}"), came.map(|event| format!("{event:?}")).unwrap_or_default());
            }
        }
    }

    /// Looks at a frame again.
    fn look(&mut self, kept: &KeptFrame) -> anyhow::Result<()> {
        self.done.frames += 1;
        let Some(make) = self.make_eye.as_mut() else { return Ok(()) };
        let frame = kept.frame()?;
        let eye = match self.eyes.entry(frame.camera) {
            std::collections::btree_map::Entry::Occupied(there) => there.into_mut(),
            std::collections::btree_map::Entry::Vacant(place) => place.insert(make(frame.camera, &self.catalogue)?),
        };
        // A frame that cannot be judged was skipped then, too.
        let Ok(seen) = eye.look(&frame) else { return Ok(()) };
        self.looks.entry(frame.camera).or_default().extend(seen.sightings.iter().map(Look::from));
        self.codes.entry(frame.camera).or_default().extend(seen.scans.iter().map(Code::from));
        Ok(())
    }

    /// What the eyes say now, in place of what they said then.
    fn seen_again(&mut self, taken: Taken, now: Moment) -> Input {
        if self.make_eye.is_none() {
            return taken.into();
        }
        self.now = now;
        match taken {
            Taken::Look(then) => {
                let again = self.looks.entry(then.camera).or_default().pop_front();
                self.same(&then, again.as_ref());
                Taken::Look(again.unwrap_or(then)).into()
            }
            Taken::Code(then) => {
                let again = self.codes.entry(then.camera).or_default().pop_front();
                self.same(&then, again.as_ref());
                Taken::Code(again.unwrap_or(then)).into()
            }
            other => other.into(),
        }
    }

    fn same<T: PartialEq + std::fmt::Debug>(&mut self, then: &T, again: Option<&T>) {
        if again == Some(then) {
            self.done.looks += 1;
        } else {
            self.differ(format!("{then:?}"), again.map(|again| format!("{again:?}")).unwrap_or_default());
        }
    }
}
