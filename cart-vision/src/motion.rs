//! Motion: where something moves, and where it came to rest.
//!
//! In: frames of one fixed camera over the basket. Out, a frame: the box of the thing that moves,
//! under a track number that stays with it; one last word when it has come to rest (put in, taken
//! out) or has gone without a trace. What rests becomes background, so that the next thing is seen
//! alone.
//!
//! The frame is judged in cells, about 80 a row, each the mean colour of 16 samples: noise averages
//! out, and a frame costs well under a millisecond. A change of light multiplies all cells alike
//! and is divided out by the median gain. Cells that show again what was seen there *before* the
//! last thing came to rest are uncovered, not covered: that tells a removal from a putting-in. Where
//! change reaches the frame's border a hand reaches in, and two places well apart are two hands: they
//! may bring two things, or take one and lay down another.
//!
//! Deliberately absent: what the thing is.

use hal::Frame;

use crate::sighting::BBox;

mod grid;

use grid::{Grid, Mask};

/// Fewer changed cells than this are noise, a fly, a reflection: about 2 × 2 cm on the basket floor.
const MIN_CELLS: usize = 8;
/// So many cells must change between two frames for the scene to be in movement.
const MIN_MOVING: usize = 5;
/// A cell has changed when its three channels together differ by so much (of 765): light falling
/// off around a moving arm stays below, a white thing on a pale floor above.
const CHANGED: f32 = 26.0;
/// Frames without movement until a thing rests. Three at 15 fps are 0.2 s, less than a scale needs.
const REST_FRAMES: u32 = 3;
/// The same for a thing that reaches the frame's border: most likely it is still held in a hand.
const HELD_REST_FRAMES: u32 = 9;
/// When so much of the scene has changed at once with nothing moving before, the light was switched
/// or the camera was moved: the background is taken anew.
const RELIT_SHARE: f32 = 0.9;
/// The still background follows slow changes of light by this share a frame.
const FOLLOW: f32 = 0.06;
/// A change that never moved enough to be a thing is background after so many still frames.
const ABSORB_FRAMES: u32 = 45;
/// Of what came and what went the smaller is at least this part of the greater; less is a shadow.
const BOTH_PART: usize = 4;
/// In so many frames two hands must be seen to be believed: a shadow or a sleeve's fold lasts for less.
const TWO_HANDS_FRAMES: u32 = 2;
/// A thing lies on others when so many hundredths of its cells had already been covered.
const PILED_PERCENT: usize = 40;

const _: () = assert!(MIN_MOVING <= MIN_CELLS);

/// Which way a thing went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// It lies in the basket now.
    In,
    /// What lay there is gone.
    Out,
    /// Something lies there now, and what lay in another place is gone.
    Both,
    /// Something changed, and the picture does not say which way.
    Unclear,
}

/// What a thing does in this frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It moves, or has only just stopped.
    Moving,
    /// It came to rest with this frame; the track ends.
    Rested(Direction),
    /// It left and nothing changed, like a hand; the track ends.
    Left,
}

/// The moving thing of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thing {
    /// Counts moving things since start, from 1.
    pub track: u32,
    /// Around the thing, with a cell's margin.
    pub bbox_in_frame: BBox,
    /// Where something lay before that is gone or covered now; only at rest.
    pub before_in_frame: Option<BBox>,
    /// What came lies in places apart: around the two largest; only at rest. It may be two things.
    pub apart_in_frame: Option<[BBox; 2]>,
    /// Most hands that worked at once, so far: each reaches in over the frame's border at a place of its own.
    pub hands: u32,
    /// What it does.
    pub phase: Phase,
}

/// A frame that cannot be judged.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MotionError {
    /// Too few pixels to see anything.
    #[error("camera {camera}: a frame of {width}×{height} pixels is too small; at least 64×48 are needed")]
    TooSmall {
        /// Which camera.
        camera: u8,
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The bytes do not match the size.
    #[error("camera {camera}: a frame of {width}×{height} pixels came with {bytes} bytes")]
    Torn {
        /// Which camera.
        camera: u8,
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
        /// Bytes there were.
        bytes: usize,
    },
}

/// A frame against what is known of the scene.
struct Scene<'a> {
    now: &'a Grid,
    /// The background under the frame's light.
    lit: &'a Grid,
    /// Cells that differ from the background.
    changed: &'a Mask,
    /// Those of them that look as they did before the thing that lay there.
    uncovered: &'a Mask,
}

#[derive(Clone, Copy, Debug)]
struct Track {
    number: u32,
    quiet_frames: u32,
    last_box: BBox,
    hands: Hands,
}

/// Counts hands, and believes what several frames say.
#[derive(Clone, Copy, Debug, Default)]
struct Hands {
    /// In how many frames there were two or more.
    two: u32,
    any: bool,
}

impl Hands {
    fn look(&mut self, at_work: usize) {
        self.two += u32::from(at_work > 1);
        self.any |= at_work > 0;
    }

    fn most(self) -> u32 {
        if self.two >= TWO_HANDS_FRAMES { 2 } else { u32::from(self.any) }
    }
}

/// Follows one camera.
#[derive(Debug, Default)]
pub struct MotionFinder {
    background: Option<Grid>,
    /// What was seen at a cell before the thing that now rests there; black-and-negative where nothing was.
    under: Option<Grid>,
    previous: Option<Grid>,
    track: Option<Track>,
    tracks: u32,
    still_changed_frames: u32,
}

impl MotionFinder {
    /// A finder that takes the first frame as its background.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes the next frame; `None` while nothing moves.
    ///
    /// # Errors
    /// [`MotionError`] for a frame too small or torn; the state is as before.
    pub fn look(&mut self, frame: &Frame) -> Result<Option<Thing>, MotionError> {
        let (camera, width, height) = (frame.camera.0, frame.width, frame.height);
        if width < 64 || height < 48 {
            return Err(MotionError::TooSmall { camera, width, height });
        }
        let Some(now) = Grid::of(frame) else {
            return Err(MotionError::Torn { camera, width, height, bytes: frame.rgb.len() });
        };
        let same_size = |grid: &Grid| grid.same_shape(&now);
        let (Some(background), Some(previous)) =
            (self.background.take().filter(same_size), self.previous.take().filter(same_size))
        else {
            // The first frame, or the camera was set to another size.
            self.under = None;
            self.track = None;
            self.background = Some(now.clone());
            self.previous = Some(now);
            return Ok(None);
        };
        let lit = background.lit_like(&now);
        let moving = previous.lit_like(&now).changed(&now, CHANGED);
        let changed = lit.changed(&now, CHANGED);
        let uncovered = self.under.as_ref().map(|under| under.lit_like(&now).matching(&now, &changed, CHANGED));
        let uncovered = uncovered.unwrap_or_else(|| changed.none());
        let scene = Scene { now: &now, lit: &lit, changed: &changed, uncovered: &uncovered };
        let thing = self.judge(frame, &scene, moving.count() >= MIN_MOVING);
        self.background = Some(self.next_background(&now, lit, &changed, &uncovered, thing));
        self.previous = Some(now);
        Ok(thing)
    }

    fn judge(&mut self, frame: &Frame, scene: &Scene, moves: bool) -> Option<Thing> {
        let size = (frame.width, frame.height);
        let covered = scene.changed.without(scene.uncovered);
        // What is new in the scene; where only old floor came to light, that.
        let largest = covered.largest(MIN_CELLS).or_else(|| scene.changed.largest(MIN_CELLS));
        let mut track = match (self.track, &largest) {
            (Some(track), _) => track,
            (None, Some(part)) if moves => {
                if scene.changed.count() as f32 > RELIT_SHARE * scene.changed.len() as f32 {
                    return None;
                }
                self.tracks += 1;
                Track { number: self.tracks, quiet_frames: 0, last_box: part.bbox(size), hands: Hands::default() }
            }
            _ => return None,
        };
        track.quiet_frames = if moves { 0 } else { track.quiet_frames + 1 };
        track.hands.look(scene.changed.reaching_in());
        if let Some(part) = &largest {
            track.last_box = part.bbox(size);
        }
        let thing = |phase| {
            Some(Thing {
                track: track.number,
                bbox_in_frame: track.last_box,
                before_in_frame: None,
                apart_in_frame: None,
                hands: track.hands.most(),
                phase,
            })
        };
        let held = largest.as_ref().is_some_and(|part| part.touches_edge());
        let needed = if held { HELD_REST_FRAMES } else { REST_FRAMES };
        if track.quiet_frames < needed {
            self.track = Some(track);
            return thing(Phase::Moving);
        }
        self.track = None;
        let Some(part) = largest else { return thing(Phase::Left) };
        let (part, before, direction) = self.what_changed(scene, &covered, part);
        Some(Thing {
            track: track.number,
            bbox_in_frame: part.bbox(size),
            before_in_frame: before.map(|mask| mask.bbox(size)),
            apart_in_frame: match covered.parts(MIN_CELLS).as_slice() {
                [first, second, ..] if direction != Direction::Out => Some([first.bbox(size), second.bbox(size)]),
                _ => None,
            },
            hands: track.hands.most(),
            phase: Phase::Rested(direction),
        })
    }

    /// What came, what it took the place of or what else went, and which way that was.
    fn what_changed(&self, scene: &Scene, covered: &Mask, part: Mask) -> (Mask, Option<Mask>, Direction) {
        if let Some(bare) = scene.uncovered.largest(MIN_CELLS) {
            let (came, went) = (covered.largest(MIN_CELLS).map_or(0, |mask| mask.count()), bare.count());
            if came * BOTH_PART >= went && went * BOTH_PART >= came {
                return (part, Some(bare), Direction::Both);
            }
            if scene.uncovered.count() * 2 > scene.changed.count() {
                return (bare, None, Direction::Out);
            }
        }
        let direction = direction_by_outline(scene.lit, scene.now, &part);
        let piled = self.under.as_ref().is_some_and(|under| under.known(&part) * 100 >= part.count() * PILED_PERCENT);
        let before = (direction == Direction::Unclear || (piled && direction == Direction::In)).then(|| part.clone());
        (part, before, direction)
    }

    fn next_background(
        &mut self,
        now: &Grid,
        lit: Grid,
        changed: &Mask,
        uncovered: &Mask,
        thing: Option<Thing>,
    ) -> Grid {
        match thing.map(|t| t.phase) {
            Some(Phase::Rested(direction)) => {
                let under = self.under.get_or_insert_with(|| now.nowhere());
                match direction {
                    Direction::Out => under.forget(changed),
                    Direction::Both => {
                        under.replace(&lit, &changed.without(uncovered));
                        under.forget(uncovered);
                    }
                    Direction::In | Direction::Unclear => under.replace(&lit, changed),
                }
                self.still_changed_frames = 0;
                now.clone()
            }
            Some(Phase::Moving) => lit,
            Some(Phase::Left) => now.clone(),
            None => {
                let share = changed.count() as f32 / changed.len() as f32;
                self.still_changed_frames =
                    if changed.count() >= MIN_CELLS { self.still_changed_frames + 1 } else { 0 };
                if share > RELIT_SHARE || self.still_changed_frames > ABSORB_FRAMES {
                    self.still_changed_frames = 0;
                    return now.clone();
                }
                lit.followed(now, changed, FOLLOW)
            }
        }
    }
}

/// A thing stands out from what is around it; a bare floor does not. Whichever picture has the
/// stronger outline along the changed part shows the thing.
fn direction_by_outline(before: &Grid, now: &Grid, part: &Mask) -> Direction {
    let (was, is) = (before.outline(part), now.outline(part));
    if is > was * 1.25 {
        Direction::In
    } else if was > is * 1.25 {
        Direction::Out
    } else {
        Direction::Unclear
    }
}

#[cfg(test)]
mod tests;
