//! The simulated cameras: they look down into the basket, each from its own side.

use std::sync::Arc;
use std::time::Duration;

use image::{RgbImage, imageops};

use super::scene::{self, SensorNoise};
use super::stay::{Cover, Pose, Prepared, Sight, Stay};
use super::world::{Fault, Truth, World};
use crate::device::{Camera, Identity};
use crate::{CameraId, Clock, DeviceError, ErrorKind, Frame, Moment};

/// Pixels a row.
pub const FRAME_WIDTH_PX: u32 = 640;
/// Rows.
pub const FRAME_HEIGHT_PX: u32 = 480;
/// Frames a second.
const RATE_HZ: u64 = 15;
/// How far the hand grips from the thing's middle, in pixels; a code that is shown is held by its
/// edge.
const GRIP_PX: f32 = 140.0;
const SHOWING_GRIP_PX: f32 = 236.0;

/// One camera of a simulated cart.
pub struct SimCamera {
    world: World,
    id: CameraId,
    clock: Arc<dyn Clock>,
    next: Moment,
    empty: RgbImage,
    noise: SensorNoise,
    /// The basket with what lies in it, and which things those are.
    lying: Option<(Vec<usize>, RgbImage)>,
}

impl SimCamera {
    /// A camera that paces itself by `clock`.
    pub fn new(world: World, id: CameraId, clock: Arc<dyn Clock>) -> Self {
        let seed = world.truth().seed ^ (u64::from(id.0) << 32);
        let next = clock.now();
        let empty = scene::basket(FRAME_WIDTH_PX, FRAME_HEIGHT_PX, seed);
        Self { world, id, clock, next, empty, noise: SensorNoise::new(seed), lying: None }
    }

    /// The time between two frames.
    pub const PERIOD: Duration = Duration::from_micros(1_000_000 / RATE_HZ);

    /// The frame at `at`: the same for the same world and moment.
    pub fn render(&mut self, at: Moment) -> Frame {
        let world = self.world.clone();
        let truth = world.truth();
        let mut picture = self.base(&truth, at);
        for stay in truth.stays.iter().filter(|stay| !is_under(&truth, stay, at)) {
            match stay.sight(at) {
                Sight::Away | Sight::Lying(_, None) => {}
                Sight::Lying(pose, Some(out)) => {
                    let pose = self.seen_from_here(pose);
                    scene::hand(&mut picture, (pose.x, pose.y), self.side_of(stay.edge()), GRIP_PX, out);
                }
                Sight::Held(pose) => {
                    let pose = self.seen_from_here(pose);
                    if let Some(look) = self.look(stay, &pose) {
                        scene::lay(&mut picture, look, &pose, false);
                    }
                    let grip = if pose.side.is_some() { SHOWING_GRIP_PX } else { GRIP_PX };
                    scene::hand(&mut picture, (pose.x, pose.y), self.side_of(stay.edge()), grip, 0.0);
                }
            }
        }
        for (place, edge, out) in truth.strains.hands_at(at) {
            scene::hand(&mut picture, self.side_of(place), self.side_of(edge), GRIP_PX, out);
        }
        let covered = truth.faults.contains(&Fault::CameraCovered(self.id.0));
        drop(truth);
        let mut pixels = picture.into_raw();
        if covered {
            pixels.iter_mut().for_each(|v| *v /= 24);
        }
        self.noise.add(&mut pixels, at.0);
        let (width, height) = (FRAME_WIDTH_PX, FRAME_HEIGHT_PX);
        Frame { camera: self.id, taken: at, width, height, rgb: pixels.into() }
    }

    /// The basket with what lies in it; drawn anew only when something has come or gone.
    fn base(&mut self, truth: &Truth, at: Moment) -> RgbImage {
        let lying = |stay: &Stay| match stay.sight(at) {
            Sight::Lying(pose, _) if stay.cover != Cover::Bag && !is_under(truth, stay, at) => Some(pose),
            _ => None,
        };
        let mut there: Vec<(usize, Moment)> =
            truth.stays.iter().enumerate().filter(|(_, s)| lying(s).is_some()).map(|(n, s)| (n, s.lands_at)).collect();
        there.sort_by_key(|(n, lands)| (*lands, *n));
        let there: Vec<usize> = there.into_iter().map(|(n, _)| n).collect();
        if let Some((have, picture)) = &self.lying
            && *have == there
        {
            return picture.clone();
        }
        let mut picture = self.empty.clone();
        for stay in there.iter().map(|n| &truth.stays[*n]) {
            if let Some(pose) = lying(stay).map(|pose| self.seen_from_here(pose))
                && let Some(look) = self.look(stay, &pose)
            {
                scene::lay(&mut picture, look, &pose, true);
            }
        }
        self.lying = Some((there, picture.clone()));
        picture
    }

    fn look<'a>(&self, stay: &'a Stay, pose: &Pose) -> Option<&'a Prepared> {
        match pose.side.and_then(|side| stay.sides.get(side)) {
            Some((side, _)) => Some(side),
            None => stay.looks.get(usize::from(self.id.0) % stay.looks.len().max(1)),
        }
    }

    /// Odd cameras look from the other side: turned by half a turn.
    fn seen_from_here(&self, pose: Pose) -> Pose {
        let (x, y) = self.side_of((pose.x, pose.y));
        let turned = if self.id.0 % 2 == 1 { std::f32::consts::PI } else { 0.0 };
        // A hand holds a code so that the camera it is shown to can read it; both are above.
        let angle = if pose.side.is_some() { pose.angle } else { pose.angle + turned };
        Pose { x, y, angle, ..pose }
    }

    fn side_of(&self, (x, y): (f32, f32)) -> (f32, f32) {
        match self.id.0 % 2 {
            0 => (x, y),
            _ => (FRAME_WIDTH_PX as f32 - x, FRAME_HEIGHT_PX as f32 - y),
        }
    }
}

/// True while what a thing came in under still lies over it, or is held over it.
fn is_under(truth: &Truth, stay: &Stay, at: Moment) -> bool {
    let Cover::Under(top) = stay.cover else { return false };
    truth.stays.get(top).is_some_and(|top| top.lifted_at().is_none_or(|lifted| at < lifted))
}

/// A picture as the demo's panel shows it: at most `side` pixels.
pub fn thumbnail(picture: &RgbImage, side: u32) -> RgbImage {
    let scale = (side as f32 / picture.width().max(picture.height()).max(1) as f32).min(1.0);
    let len = |n: u32| ((n as f32 * scale) as u32).max(1);
    imageops::resize(picture, len(picture.width()), len(picture.height()), imageops::FilterType::Triangle)
}

impl Camera for SimCamera {
    fn identity(&self) -> Identity {
        Identity::new("simulated camera, 640×480", format!("sim {}", self.id.0))
    }

    fn id(&self) -> CameraId {
        self.id
    }

    fn next_frame(&mut self) -> Result<Frame, DeviceError> {
        // Frames that nobody fetched in time are skipped; the latest wins.
        let late = self.clock.now().since(self.next).as_micros() / Self::PERIOD.as_micros();
        self.next = self.next + Self::PERIOD * u32::try_from(late).unwrap_or(0);
        self.clock.sleep_until(self.next);
        let at = self.next;
        self.next = at + Self::PERIOD;
        if self.world.has(Fault::CameraDead(self.id.0)) {
            let port = format!("sim {}", self.id.0);
            return Err(DeviceError::new(
                ErrorKind::Timeout,
                "camera",
                port,
                "no frame in a second",
                "Mend the fault that was injected.",
            ));
        }
        Ok(self.render(at))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualClock;
    use crate::sim::{PackDesign, PackShape, Side, SimItem, pack_look};

    fn camera(world: &World) -> SimCamera {
        SimCamera::new(world.clone(), CameraId(0), Arc::new(ManualClock::default()))
    }

    fn tea() -> SimItem {
        let design = PackDesign { shape: PackShape::Box, base: [40, 90, 60], accent: [240, 200, 80], gtin: None };
        SimItem::new(291.0, vec![pack_look(&design, Side::Front, 1)])
    }

    fn difference(a: &Frame, b: &Frame) -> f32 {
        let sum: u64 = a.rgb.iter().zip(b.rgb.iter()).map(|(a, b)| u64::from(a.abs_diff(*b))).sum();
        sum as f32 / a.rgb.len() as f32
    }

    #[test]
    fn a_thing_is_seen_to_move_and_then_to_rest() {
        let world = World::new(8);
        let mut camera = camera(&world);
        let start = Moment::from_millis(1_000);
        let (_, rests) = world.put(&tea(), start);
        let empty = camera.render(Moment::from_millis(900));
        let moving =
            (camera.render(start + Duration::from_millis(300)), camera.render(start + Duration::from_millis(366)));
        let resting =
            (camera.render(rests + Duration::from_millis(70)), camera.render(rests + Duration::from_millis(140)));
        let noise = difference(&resting.0, &resting.1);
        assert!(noise > 0.5 && noise < 4.0, "only noise at rest: {noise}");
        assert!(difference(&moving.0, &moving.1) > 2.0 * noise);
        assert!(difference(&empty, &resting.0) > 2.0 * noise);
    }

    #[test]
    fn the_same_seed_gives_the_same_frame() {
        let frame = |seed| {
            let world = World::new(seed);
            world.put(&tea(), Moment::from_millis(100));
            camera(&world).render(Moment::from_millis(400))
        };
        assert!(frame(3) == frame(3));
        assert!(frame(3) != frame(4));
    }

    #[test]
    fn a_covered_camera_is_dark_and_a_dead_one_is_silent() {
        let world = World::new(1);
        let mut camera = camera(&world);
        world.inject(Fault::CameraCovered(0));
        assert!(camera.next_frame().is_ok_and(|f| f.rgb.iter().all(|v| *v < 30)));
        world.inject(Fault::CameraDead(0));
        assert!(camera.next_frame().is_err_and(|e| e.kind() == ErrorKind::Timeout));
    }
}
