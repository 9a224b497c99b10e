//! One thing's stay in the basket: when it is held up, lands, is lifted and gone, and where it is.

use std::time::Duration;

use image::{GrayImage, RgbImage, imageops};

use super::look::{ProductLook, SimItem};
use super::noise::Dice;
use crate::Moment;

/// From the edge to where it is held up, from one side to the next, and down to its place.
const COMING: Duration = Duration::from_millis(500);
const TURNING: Duration = Duration::from_millis(260);
const LOWERING: Duration = Duration::from_millis(620);
/// The hand comes for it, then takes it out.
const REACHING: Duration = Duration::from_millis(420);
const LEAVING: Duration = Duration::from_millis(620);
/// An empty hand draws back.
const DRAWING_BACK: Duration = Duration::from_millis(380);
/// Edges of a photo fade over this many pixels.
const SOFT_EDGE_PX: f32 = 12.0;

/// A look at the size it has in a frame.
pub(super) struct Prepared {
    pub(super) picture: RgbImage,
    pub(super) mask: GrayImage,
}

impl Prepared {
    pub(super) fn new(look: &ProductLook) -> Self {
        let (width, height) = look.picture.dimensions();
        let scale = look.real_size_px.max(8) as f32 / width.max(height).max(1) as f32;
        let side = |len: u32| ((len as f32 * scale) as u32).max(4);
        let (w, h) = (side(width), side(height));
        let filter = imageops::FilterType::Triangle;
        let picture = imageops::resize(&look.picture, w, h, filter);
        let mask = match &look.mask {
            Some(mask) if mask.dimensions() == look.picture.dimensions() => imageops::resize(mask, w, h, filter),
            _ => GrayImage::from_fn(w, h, |x, y| {
                let edge = x.min(w - 1 - x).min(y.min(h - 1 - y)) as f32;
                image::Luma([(edge / SOFT_EDGE_PX * 255.0).min(255.0) as u8])
            }),
        };
        Self { picture, mask }
    }
}

/// Where a thing is in a frame, and which of its pictures is seen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pose {
    /// Centre, in pixels of camera 0's frame.
    pub(super) x: f32,
    pub(super) y: f32,
    /// Turned by, in radians.
    pub(super) angle: f32,
    /// Nearer to the camera is larger; 1 on the floor.
    pub(super) scale: f32,
    /// The presented side, or `None` for the look it has in the basket.
    pub(super) side: Option<usize>,
}

/// What a moment shows of a stay.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Sight {
    /// Not there.
    Away,
    /// Moving in a hand.
    Held(Pose),
    /// Lying there; a hand may still draw back or reach for it (0: at it, 1: out of view).
    Lying(Pose, Option<f32>),
}

/// What keeps a thing from being seen where it lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Cover {
    /// Nothing: it lies open.
    #[default]
    Open,
    /// The walls of a bag, from when it is in.
    Bag,
    /// Another thing (its number), which it came in under, until that one is lifted.
    Under(usize),
}

pub(super) struct Stay {
    pub(super) mass_g: f32,
    pub(super) cover: Cover,
    pub(super) sides: Vec<(Prepared, Duration)>,
    pub(super) looks: Vec<Prepared>,
    put_at: Moment,
    pub(super) lands_at: Moment,
    pub(super) taken_at: Option<Moment>,
    edge: (f32, f32),
    place: (f32, f32),
    held_up: (f32, f32),
    angle: f32,
    wobble: f32,
}

fn eased(t: f32) -> f32 {
    let t = t.clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

fn between(a: (f32, f32), b: (f32, f32), t: f32) -> (f32, f32) {
    (a.0 + (b.0 - a.0) * t, a.1 + (b.1 - a.1) * t)
}

fn share(at: Moment, from: Moment, over: Duration) -> f32 {
    at.since(from).as_secs_f32() / over.as_secs_f32()
}

impl Stay {
    pub(super) fn new(item: &SimItem, put_at: Moment, seed: u64, width: f32, height: f32) -> Self {
        let mut dice = Dice::new(seed);
        let sides: Vec<_> =
            item.presented.iter().map(|p| (Prepared::new(&p.look), Duration::from_millis(u64::from(p.ms)))).collect();
        let looks: Vec<_> = item.looks.iter().map(Prepared::new).collect();
        let shown: Duration = sides.iter().map(|(_, ms)| *ms + TURNING).sum();
        let coming = if sides.is_empty() { Duration::ZERO } else { COMING };
        let place = (width * dice.between(0.36, 0.64), height * dice.between(0.40, 0.60));
        // Shoppers reach in over the handle or from a side, never through the far rim.
        let edge = match dice.pick(3) {
            0 => (width * dice.between(0.3, 0.7), height + 190.0),
            1 => (-210.0, height * dice.between(0.45, 0.9)),
            _ => (width + 210.0, height * dice.between(0.45, 0.9)),
        };
        Self {
            mass_g: item.mass_g,
            cover: Cover::Open,
            sides,
            looks,
            put_at,
            lands_at: put_at + coming + shown + LOWERING,
            taken_at: None,
            edge,
            place,
            held_up: (width * 0.5, height * 0.52),
            angle: dice.between(-0.22, 0.22),
            wobble: dice.between(0.0, std::f32::consts::TAU),
        }
    }

    /// As if it had lain there since before time.
    pub(super) fn settled(mut self) -> Self {
        self.put_at = Moment(0);
        self.lands_at = Moment(0);
        self
    }

    /// Lands at this moment, as another thing in the other hand does.
    pub(super) fn land_at(&mut self, at: Moment) {
        let later = at.since(self.lands_at);
        self.lands_at = at;
        self.put_at = self.put_at + later;
    }

    /// Comes in as the other does and lies where it lies.
    pub(super) fn along(&mut self, other: &Stay) {
        self.put_at = other.put_at;
        self.lands_at = other.lands_at;
        self.lie_like(other);
        self.edge = other.edge;
    }

    /// Lies where the other lies.
    pub(super) fn lie_like(&mut self, other: &Stay) {
        self.place = other.place;
    }

    /// A hand reaches for it so that it is lifted at this moment.
    pub(super) fn lift_at(&mut self, at: Moment) {
        let reach = REACHING.as_micros() as u64;
        self.taken_at = Some(Moment(at.0.saturating_sub(reach)));
    }

    /// How long a hand takes to reach for it, from the moment it begins.
    pub(super) const REACHING: Duration = REACHING;

    /// True when something of it moved at `at`, or no longer than `before` earlier.
    pub(super) fn stirred(&self, at: Moment, before: Duration) -> bool {
        let since = Moment(at.0.saturating_sub(before.as_micros() as u64));
        let came = self.lands_at > Moment(0) && self.put_at <= at && since <= self.lands_at + DRAWING_BACK;
        let went = self.taken_at.is_some_and(|taken| taken <= at && since <= taken + REACHING + LEAVING);
        came || went
    }

    /// When its weight leaves the scale, if it is taken.
    pub(super) fn lifted_at(&self) -> Option<Moment> {
        self.taken_at.map(|at| at + REACHING)
    }

    /// When nothing of it moves any more.
    pub(super) fn quiet_at(&self) -> Moment {
        self.lifted_at().map_or(self.lands_at + DRAWING_BACK, |at| at + LEAVING)
    }

    pub(super) fn edge(&self) -> (f32, f32) {
        self.edge
    }

    pub(super) fn sight(&self, at: Moment) -> Sight {
        let (x, y) = self.place;
        let rest = Pose { x, y, angle: self.angle, scale: 1.0, side: None };
        if let Some(lifted) = self.lifted_at()
            && at >= lifted
        {
            let t = share(at, lifted, LEAVING);
            let (x, y) = between(self.place, self.edge, eased(t));
            return if t >= 1.0 {
                Sight::Away
            } else {
                Sight::Held(Pose { x, y, scale: 1.0 + 0.12 * eased(t), ..rest })
            };
        }
        if at < self.put_at {
            return Sight::Away;
        }
        if at >= self.lands_at {
            let reaching =
                self.taken_at.filter(|taken| at >= *taken).map(|taken| 1.0 - eased(share(at, taken, REACHING)));
            let back = share(at, self.lands_at, DRAWING_BACK);
            let hand = reaching.or((back < 1.0 && self.lands_at > Moment(0)).then(|| eased(back)));
            return Sight::Lying(rest, hand);
        }
        Sight::Held(self.coming(at, rest))
    }

    fn coming(&self, at: Moment, rest: Pose) -> Pose {
        let first = Some(0);
        if self.sides.is_empty() {
            let t = eased(share(at, self.put_at, LOWERING));
            let (x, y) = between(self.edge, self.place, t);
            return Pose { x, y, scale: 1.12 - 0.12 * t, ..rest };
        }
        let mut begins = self.put_at + COMING;
        if at < begins {
            let (x, y) = between(self.edge, self.held_up, eased(share(at, self.put_at, COMING)));
            return Pose { x, y, side: first, ..rest };
        }
        for (n, (_, shown)) in self.sides.iter().enumerate() {
            let ends = begins + *shown + TURNING;
            if at < ends {
                // Nobody holds quite still.
                let t = at.as_millis() as f32 / 1_000.0;
                let (dx, dy) = (4.0 * (t * 7.0 + self.wobble).sin(), 3.0 * (t * 5.3 + self.wobble).cos());
                let angle = self.angle * 0.5 + 0.06 * (t * 2.1 + self.wobble).sin();
                let (x, y) = self.held_up;
                return Pose { x: x + dx, y: y + dy, angle, scale: 1.0, side: Some(n) };
            }
            begins = ends;
        }
        let t = eased(share(at, begins, LOWERING));
        let (x, y) = between(self.held_up, self.place, t);
        Pose { x, y, scale: 1.12 - 0.12 * t, ..rest }
    }
}
