//! What a recording holds besides the devices' readings.

use cart_core::{Device, Input, Intent};
use cart_vision::{BBox, Candidate, Change, Direction, Opinion, Scan, Sighting, Symbology};
use hal::{BatteryReading, CameraId, Moment};
use serde::{Deserialize, Serialize};
use trip::gs1::Scanned;
use trip::message::{Command, Desired};
use trip::{LaneId, Sku, TripEvent, TripState};

use crate::startup::SetupFacts;

/// One note, kept as JSON.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Note {
    /// How the cart began; the first record of every recording.
    Begin(Box<Begin>),
    /// The trip's thread took an input that is no weight and no motion.
    Took {
        /// When.
        now: Moment,
        /// What.
        input: Taken,
    },
    /// The trip's thread did what was due.
    Due {
        /// When.
        now: Moment,
    },
    /// These went into the journal, because of the record before.
    Events(Vec<TripEvent>),
    /// What really happened, where somebody knows it. Nothing on the cart reads this.
    Truth {
        /// When.
        at: Moment,
        /// In words.
        words: String,
    },
}

/// How the cart began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Begin {
    /// Version of the program that recorded.
    pub program: String,
    /// What its configuration and journal said.
    pub facts: SetupFacts,
    /// The text of the catalogue that the running trip had pinned, or else of the newest.
    pub catalogue: String,
    /// The text of the newest catalogue.
    pub newest: String,
    /// The trip as the journal left it.
    pub state: TripState,
}

/// An input of the trip's thread that is no weight and no motion.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Taken {
    /// As [`Input::Movement`].
    Movement {
        /// Which; the first, where an older recording does not say.
        #[serde(default = "first_camera")]
        camera: CameraId,
        /// True while something moves.
        moving: bool,
    },
    /// As [`Input::Sight`].
    Sight {
        /// Which.
        camera: CameraId,
        /// True while it shows something.
        clear: bool,
    },
    /// As [`Input::Sighting`], without its thumbnail, which decides nothing.
    Look(Look),
    /// As [`Input::Scan`].
    Code(Code),
    /// As [`Input::Battery`].
    Battery(BatteryReading),
    /// As [`Input::Lane`].
    Lane(Option<LaneId>),
    /// As [`Input::Intent`].
    Touch(Intent),
    /// As [`Input::Command`].
    Command(Command),
    /// As [`Input::Desired`].
    Desired(Desired),
    /// As [`Input::Link`].
    Link {
        /// True while the hub answers.
        connected: bool,
    },
    /// As [`Input::Device`].
    Device {
        /// Which.
        device: Device,
        /// What is wrong with it.
        fault: Option<String>,
    },
}

fn first_camera() -> CameraId {
    CameraId(0)
}

/// A [`Sighting`], but for its thumbnail, with the very bits of its probabilities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields of a sighting")]
pub struct Look {
    pub at: Moment,
    pub camera: CameraId,
    pub track: u32,
    pub bbox_in_frame: BBox,
    #[serde(default)]
    pub hands: u32,
    pub seen: Odds,
    pub change: Option<Changed>,
}

/// What may be seen, with the bits of the probabilities.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Odds {
    /// Each probability as the bits of an `f32`.
    candidates: Vec<(Sku, u32)>,
    /// The same.
    unknown: u32,
}

/// A [`Change`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    direction: Side,
    now: Option<Odds>,
    before: Option<Odds>,
    #[serde(default)]
    apart: Vec<Odds>,
}

/// A [`Direction`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Side {
    In,
    Out,
    Both,
    Unclear,
}

impl From<Direction> for Side {
    fn from(direction: Direction) -> Self {
        match direction {
            Direction::In => Self::In,
            Direction::Out => Self::Out,
            Direction::Both => Self::Both,
            Direction::Unclear => Self::Unclear,
        }
    }
}

impl From<Side> for Direction {
    fn from(side: Side) -> Self {
        match side {
            Side::In => Self::In,
            Side::Out => Self::Out,
            Side::Both => Self::Both,
            Side::Unclear => Self::Unclear,
        }
    }
}

/// A [`Scan`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the fields of a scan")]
pub struct Code {
    pub at: Moment,
    pub camera: CameraId,
    pub symbology: Symbology,
    pub content: Scanned,
    pub frames: u8,
}

impl Odds {
    fn of(candidates: &[Candidate], unknown: f32) -> Self {
        let bits = |c: &Candidate| (c.sku.clone(), c.probability.to_bits());
        Self { candidates: candidates.iter().map(bits).collect(), unknown: unknown.to_bits() }
    }

    fn opinion(self) -> Opinion {
        let candidate = |(sku, bits)| Candidate { sku, probability: f32::from_bits(bits) };
        Opinion {
            candidates: self.candidates.into_iter().map(candidate).collect(),
            unknown: f32::from_bits(self.unknown),
        }
    }
}

impl From<&Sighting> for Look {
    fn from(sighting: &Sighting) -> Self {
        let Sighting { at, camera, track, bbox_in_frame, hands, candidates, unknown, change, thumbnail: _ } = sighting;
        let odds = |opinion: &Opinion| Odds::of(&opinion.candidates, opinion.unknown);
        let changed = |change: &Change| Changed {
            direction: change.direction.into(),
            now: change.now.as_ref().map(odds),
            before: change.before.as_ref().map(odds),
            apart: change.apart.iter().map(odds).collect(),
        };
        Self {
            at: *at,
            camera: *camera,
            track: *track,
            bbox_in_frame: *bbox_in_frame,
            hands: *hands,
            seen: Odds::of(candidates, *unknown),
            change: change.as_ref().map(changed),
        }
    }
}

impl From<Look> for Sighting {
    fn from(look: Look) -> Self {
        let Opinion { candidates, unknown } = look.seen.opinion();
        let change = |changed: Changed| Change {
            direction: changed.direction.into(),
            now: changed.now.map(Odds::opinion),
            before: changed.before.map(Odds::opinion),
            apart: changed.apart.into_iter().map(Odds::opinion).collect(),
        };
        Self {
            at: look.at,
            camera: look.camera,
            track: look.track,
            bbox_in_frame: look.bbox_in_frame,
            hands: look.hands,
            candidates,
            unknown,
            change: look.change.map(change),
            thumbnail: None,
        }
    }
}

impl From<&Scan> for Code {
    fn from(scan: &Scan) -> Self {
        let Scan { at, camera, symbology, content, frames } = scan.clone();
        Self { at, camera, symbology, content, frames }
    }
}

impl From<Code> for Scan {
    fn from(code: Code) -> Self {
        let Code { at, camera, symbology, content, frames } = code;
        Self { at, camera, symbology, content, frames }
    }
}

impl Taken {
    /// What is kept of an input as a note; `None` for weights and motion, which have records of their
    /// own.
    pub fn of(input: &Input) -> Option<Self> {
        Some(match input {
            Input::Weight(_) | Input::Motion(_) => return None,
            Input::Movement { camera, moving } => Self::Movement { camera: *camera, moving: *moving },
            Input::Sight { camera, clear } => Self::Sight { camera: *camera, clear: *clear },
            Input::Sighting(sighting) => Self::Look(sighting.into()),
            Input::Scan(scan) => Self::Code(scan.into()),
            Input::Battery(reading) => Self::Battery(*reading),
            Input::Lane(lane) => Self::Lane(lane.clone()),
            Input::Intent(intent) => Self::Touch(intent.clone()),
            Input::Command(command) => Self::Command(command.clone()),
            Input::Desired(desired) => Self::Desired(desired.clone()),
            Input::Link { connected } => Self::Link { connected: *connected },
            Input::Device { device, fault } => Self::Device { device: *device, fault: fault.clone() },
        })
    }
}

impl From<Taken> for Input {
    fn from(taken: Taken) -> Self {
        match taken {
            Taken::Movement { camera, moving } => Self::Movement { camera, moving },
            Taken::Sight { camera, clear } => Self::Sight { camera, clear },
            Taken::Look(look) => Self::Sighting(look.into()),
            Taken::Code(code) => Self::Scan(code.into()),
            Taken::Battery(reading) => Self::Battery(reading),
            Taken::Lane(lane) => Self::Lane(lane),
            Taken::Touch(intent) => Self::Intent(intent),
            Taken::Command(command) => Self::Command(command),
            Taken::Desired(desired) => Self::Desired(desired),
            Taken::Link { connected } => Self::Link { connected },
            Taken::Device { device, fault } => Self::Device { device, fault },
        }
    }
}
