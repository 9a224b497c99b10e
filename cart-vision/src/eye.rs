//! One camera's whole sight: frames in, sightings and scans out.
//!
//! Motion finds the thing. While it moves, every second frame is looked at, until a few looks agree;
//! when it has come to rest it is looked at again, quietly and whole. What was taken out is looked
//! at in the last frame in which it still lay there, and so is what the new thing lies upon or has
//! taken the place of: the scene before the hand and after it, told apart. Barcodes are read in every frame of a track and
//! in some after it. Between things nothing but motion runs.
//!
//! Each [`Sighting`] carries the vote of all looks at its track so far: the last one says the most.
//!
//! Model and reader are behind two small traits, so that this file knows neither.

use hal::{CameraId, Frame, Moment};
use image::{GrayImage, RgbImage};

use crate::clarity::Clarity;
use crate::embedding::Features;
use crate::motion::{Direction, MotionError, MotionFinder, Phase, Thing};
use crate::picture::{View, crop, grey, thumbnail};
use crate::recogniser::{Judgement, Recogniser};
use crate::sighting::{BBox, Candidate, Change, Opinion, Scan, Sighting};
use crate::vote::Vote;

type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// A model that looks at a picture.
pub trait Embed: Send {
    /// What it sees in the picture's centred square, from this side.
    ///
    /// # Errors
    /// Whatever the model has to say.
    fn embed(&mut self, picture: &RgbImage, view: View) -> Result<Features, Trouble>;
}

/// A barcode reader.
pub trait ReadCodes: Send {
    /// Reads one crop; gives only what is believed by now.
    ///
    /// # Errors
    /// Whatever the reader has to say.
    fn read_codes(
        &mut self,
        crop: &GrayImage,
        bbox_in_frame: BBox,
        at: Moment,
        camera: CameraId,
    ) -> Result<Vec<Scan>, Trouble>;

    /// Another thing is before the camera.
    fn forget(&mut self);
}

/// Looks at one thing while it moves.
const FLYING_LOOKS: u32 = 5;
/// Looks after it has come to rest, one a frame: sensor noise differs, the rest does not.
const RESTING_LOOKS: u32 = 2;
/// Frames after rest in which barcodes are still read: all angles twice.
const RESTING_READS: u32 = 6;
/// How much a look at rest counts in the vote.
const RESTING_WEIGHT: f32 = 1.0;
/// Candidates named in a sighting.
const CANDIDATES: usize = 8;
/// A candidate below this is noise.
const LEAST_PROBABILITY: f32 = 0.001;

/// What one frame gave.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Seen {
    /// Looks at the moving thing.
    pub sightings: Vec<Sighting>,
    /// Codes believed with this frame.
    pub scans: Vec<Scan>,
    /// True while something moves in the frame.
    pub moving: bool,
    /// True while the pictures show nothing at all: see [`crate::clarity`].
    pub blank: bool,
    /// What motion said.
    pub thing: Option<Thing>,
}

/// A frame that could not be judged, or a part that failed; the next frame may be better.
#[derive(Debug, thiserror::Error)]
pub enum EyeError {
    /// The frame.
    #[error(transparent)]
    Frame(#[from] MotionError),
    /// The model.
    #[error("camera {camera}: recognition failed: {source}")]
    Embed {
        /// Which camera.
        camera: u8,
        /// The model's words.
        source: Trouble,
    },
    /// The reader.
    #[error("camera {camera}: barcode reading failed: {source}")]
    Read {
        /// Which camera.
        camera: u8,
        /// The reader's words.
        source: Trouble,
    },
}

struct Following {
    track: u32,
    /// All looks at the thing.
    vote: Vote,
    /// Those at rest alone.
    rest: Vote,
    frames: u32,
    bbox_in_frame: BBox,
    /// Most hands at work at once.
    hands: u32,
    direction: Option<Direction>,
    /// Where something lay before, until it has been looked at.
    before_in_frame: Option<BBox>,
    /// The scene before the thing moved.
    was: Option<Frame>,
    before: Option<Opinion>,
    /// Places apart that have not been looked at yet, last first.
    apart_in_frame: Vec<BBox>,
    apart: Vec<Opinion>,
    resting_looks: u32,
    resting_reads: u32,
}

/// What a frame's look is for.
#[derive(Clone, Copy)]
enum Look {
    /// The moving thing.
    Flying,
    /// What lies there now, from this side.
    Resting(View),
    /// What lies in one of two places.
    Apart(BBox),
    /// What lay there, in the calm frame before the movement.
    Gone(BBox),
}

/// One camera's sight. Without a recogniser it reads barcodes only, without a reader it names only.
pub struct Eye {
    motion: MotionFinder,
    sight: Option<(Box<dyn Embed>, Recogniser)>,
    reader: Option<Box<dyn ReadCodes>>,
    following: Option<Following>,
    /// The last frame in which nothing moved.
    calm: Option<Frame>,
    clarity: Clarity,
}

impl Eye {
    /// Sight of one camera.
    pub fn new(sight: Option<(Box<dyn Embed>, Recogniser)>, reader: Option<Box<dyn ReadCodes>>) -> Self {
        Self { motion: MotionFinder::new(), sight, reader, following: None, calm: None, clarity: Clarity::default() }
    }

    /// The recogniser, for enrolling while in use.
    pub fn recogniser_mut(&mut self) -> Option<&mut Recogniser> {
        self.sight.as_mut().map(|(_, recogniser)| recogniser)
    }

    /// Looks at the next frame.
    ///
    /// # Errors
    /// [`EyeError`] when the frame is garbage or a part failed. The eye goes on with the next frame.
    pub fn look(&mut self, frame: &Frame) -> Result<Seen, EyeError> {
        let thing = self.motion.look(frame)?;
        let moving = matches!(thing, Some(Thing { phase: Phase::Moving, .. }));
        let mut seen = Seen { thing, moving, blank: !self.clarity.look(frame), ..Seen::default() };
        let look = match thing {
            Some(thing) => self.follow(thing),
            None => self.rest(),
        };
        if let Some(look) = look {
            self.take_look(frame, look, &mut seen)?;
        }
        self.read(frame, &mut seen)?;
        if thing.is_none() {
            self.calm = Some(frame.clone());
        }
        Ok(seen)
    }

    /// The look that the moving thing is worth, if any.
    fn follow(&mut self, thing: Thing) -> Option<Look> {
        if self.following.as_ref().is_none_or(|f| f.track != thing.track) {
            if let Some(reader) = self.reader.as_mut() {
                reader.forget();
            }
            self.following = Some(Following {
                track: thing.track,
                vote: Vote::default(),
                rest: Vote::default(),
                frames: 0,
                bbox_in_frame: thing.bbox_in_frame,
                hands: 0,
                direction: None,
                before_in_frame: None,
                was: None,
                before: None,
                apart_in_frame: Vec::new(),
                apart: Vec::new(),
                resting_looks: 0,
                resting_reads: 0,
            });
        }
        let sure_at = self.sight.as_ref().map_or(1.0, |(_, r)| r.description().calibration.sure.at_99);
        let following = self.following.as_mut()?;
        following.frames += 1;
        following.bbox_in_frame = thing.bbox_in_frame;
        following.hands = following.hands.max(thing.hands);
        match thing.phase {
            Phase::Moving => {
                let wanted = following.vote.looks() < FLYING_LOOKS && !following.vote.is_sure(sure_at);
                (wanted && following.frames.is_multiple_of(2)).then_some(Look::Flying)
            }
            Phase::Rested(direction) => {
                following.direction = Some(direction);
                following.resting_reads = RESTING_READS;
                following.was = self.calm.clone();
                if direction == Direction::Out {
                    return Some(Look::Gone(thing.bbox_in_frame));
                }
                if direction == Direction::Both {
                    // In flight it was now the one thing and now the other.
                    following.vote = Vote::default();
                }
                following.before_in_frame = thing.before_in_frame;
                following.resting_looks = RESTING_LOOKS - 1;
                if let Some([first, second]) = thing.apart_in_frame {
                    following.apart_in_frame = vec![second, first];
                    following.resting_looks = 0;
                }
                Some(Look::Resting(View::Plain))
            }
            Phase::Left => None,
        }
    }

    /// The look that what has just come to rest is worth, if any more.
    fn rest(&mut self) -> Option<Look> {
        let following = self.following.as_mut()?;
        if following.resting_looks > 0 {
            following.resting_looks -= 1;
            // The same pixels again would say the same again.
            return Some(Look::Resting(View::Mirrored));
        }
        if let Some(place) = following.apart_in_frame.pop() {
            return Some(Look::Apart(place));
        }
        // What it may have taken the place of comes last: naming the thing itself cannot wait.
        following.before_in_frame.take().map(Look::Gone)
    }

    fn take_look(&mut self, frame: &Frame, look: Look, seen: &mut Seen) -> Result<(), EyeError> {
        let (Some(following), Some((model, recogniser))) = (self.following.as_mut(), self.sight.as_mut()) else {
            return Ok(());
        };
        let (shown, bbox) = match look {
            Look::Flying | Look::Resting(_) => (frame, following.bbox_in_frame),
            Look::Apart(bbox) => (frame, bbox),
            Look::Gone(bbox) => (following.was.as_ref().unwrap_or(frame), bbox),
        };
        let Some(picture) = crop(shown, bbox.squared(shown.width, shown.height)) else { return Ok(()) };
        let camera = frame.camera.0;
        let view = if let Look::Resting(view) = look { view } else { View::Plain };
        let features = model.embed(&picture, view).map_err(|source| EyeError::Embed { camera, source })?;
        let judgement = recogniser.judge(&features);
        let gone = matches!(look, Look::Gone(_)) && following.direction != Some(Direction::Out);
        match look {
            Look::Flying => following.vote.glimpse(&judgement),
            Look::Apart(_) => following.apart.push(opinion(&judgement)),
            Look::Gone(_) if gone => following.before = Some(opinion(&judgement)),
            Look::Gone(_) => following.vote.add(&judgement, RESTING_WEIGHT),
            Look::Resting(_) => {
                following.vote.add(&judgement, RESTING_WEIGHT);
                following.rest.add(&judgement, RESTING_WEIGHT);
            }
        }
        let Opinion { candidates, unknown } = opinion(&following.vote.judgement());
        let change = following.direction.map(|direction| Change {
            direction,
            now: (following.rest.looks() > 0).then(|| opinion(&following.rest.judgement())),
            before: following.before.clone(),
            apart: following.apart.clone(),
        });
        seen.sightings.push(Sighting {
            at: frame.taken,
            camera: frame.camera,
            track: following.track,
            bbox_in_frame: following.bbox_in_frame,
            hands: following.hands,
            candidates,
            unknown,
            change,
            // What is gone, or only a part, is no picture of what lies there.
            thumbnail: if gone || matches!(look, Look::Apart(_)) { None } else { thumbnail(&picture) },
        });
        Ok(())
    }

    fn read(&mut self, frame: &Frame, seen: &mut Seen) -> Result<(), EyeError> {
        let (Some(following), Some(reader)) = (self.following.as_mut(), self.reader.as_mut()) else { return Ok(()) };
        if !seen.moving {
            if following.resting_reads == 0 {
                return Ok(());
            }
            following.resting_reads -= 1;
        }
        let Some(picture) = crop(frame, following.bbox_in_frame) else { return Ok(()) };
        let read = reader.read_codes(&grey(&picture), following.bbox_in_frame, frame.taken, frame.camera);
        seen.scans = read.map_err(|source| EyeError::Read { camera: frame.camera.0, source })?;
        Ok(())
    }
}

fn opinion(judgement: &Judgement) -> Opinion {
    let named = judgement.best(CANDIDATES).into_iter().filter(|(_, p)| *p >= LEAST_PROBABILITY);
    let candidates = named.map(|(sku, probability)| Candidate { sku: sku.clone(), probability }).collect();
    Opinion { candidates, unknown: judgement.unknown }
}

#[cfg(test)]
mod tests;
