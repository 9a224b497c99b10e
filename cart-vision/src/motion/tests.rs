use std::sync::Arc;

use hal::{CameraId, Moment};

use super::*;

/// A drawn scene: a floor, squares on it, light and noise.
struct Scene {
    squares: Vec<(i32, i32, i32, [u8; 3])>,
    light: f32,
    noise: u32,
    frames: u64,
}

impl Scene {
    fn new() -> Self {
        Self { squares: Vec::new(), light: 1.0, noise: 0, frames: 0 }
    }

    fn frame(&mut self) -> Frame {
        self.frames += 1;
        let (width, height) = (320i32, 240i32);
        let mut rgb = Vec::with_capacity((width * height * 3) as usize);
        let mut seed = self.frames as u32 ^ 0x9e37_79b9;
        for y in 0..height {
            for x in 0..width {
                let wire = if x % 40 < 6 || y % 40 < 6 { 150 } else { 95 };
                let on = |s: &&(i32, i32, i32, [u8; 3])| (s.0..s.0 + s.2).contains(&x) && (s.1..s.1 + s.2).contains(&y);
                let colour = self.squares.iter().rev().find(on).map_or([wire; 3], |s| s.3);
                for value in colour {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let noise = (seed >> 16) as i32 % (2 * self.noise as i32 + 1) - self.noise as i32;
                    rgb.push((f32::from(value) * self.light + noise as f32).clamp(0.0, 255.0) as u8);
                }
            }
        }
        let taken = Moment::from_millis(self.frames * 66);
        Frame::new(CameraId(0), taken, width as u32, height as u32, rgb.into()).expect("sizes agree")
    }

    /// Moves the last square from outside to (x, y) in eight frames, then lets it rest for fifteen.
    fn put_in(&mut self, finder: &mut MotionFinder, x: i32, y: i32, colour: [u8; 3]) -> Vec<Thing> {
        self.squares.push((-80, y, 80, colour));
        self.slide(finder, -80, x)
    }

    fn slide(&mut self, finder: &mut MotionFinder, from: i32, to: i32) -> Vec<Thing> {
        let mut seen = Vec::new();
        for step in 0..23 {
            let last = self.squares.last_mut().expect("a square");
            last.0 = from + (to - from) * step.min(8) / 8;
            seen.extend(finder.look(&self.frame()).expect("a good frame"));
        }
        seen
    }
}

fn still(scene: &mut Scene, finder: &mut MotionFinder, frames: usize) -> Vec<Thing> {
    (0..frames).filter_map(|_| finder.look(&scene.frame()).expect("a good frame")).collect()
}

#[test]
fn a_thing_put_in_is_one_track_that_ends_at_rest_around_it() {
    let (mut scene, mut finder) = (Scene::new(), MotionFinder::new());
    scene.noise = 6;
    assert_eq!(still(&mut scene, &mut finder, 10), []);
    let seen = scene.put_in(&mut finder, 120, 80, [200, 40, 40]);
    assert!(seen.iter().all(|t| t.track == 1), "one track");
    let last = seen.last().expect("it was seen");
    assert_eq!(last.phase, Phase::Rested(Direction::In));
    let b = last.bbox_in_frame;
    assert!((104..=120).contains(&b.x) && (64..=80).contains(&b.y), "{b:?}");
    assert!((80..=112).contains(&b.w) && (80..=112).contains(&b.h), "{b:?}");
    assert_eq!(still(&mut scene, &mut finder, 10), [], "what rests is background");
}

#[test]
fn a_second_thing_is_seen_alone() {
    let (mut scene, mut finder) = (Scene::new(), MotionFinder::new());
    still(&mut scene, &mut finder, 3);
    scene.put_in(&mut finder, 20, 20, [200, 40, 40]);
    let seen = scene.put_in(&mut finder, 180, 140, [40, 180, 60]);
    let last = seen.last().expect("it was seen");
    assert_eq!((last.track, last.phase), (2, Phase::Rested(Direction::In)));
    assert!(last.bbox_in_frame.x > 150 && last.bbox_in_frame.y > 110, "{:?}", last.bbox_in_frame);
}

#[test]
fn taking_it_out_again_is_told_from_putting_in() {
    let (mut scene, mut finder) = (Scene::new(), MotionFinder::new());
    still(&mut scene, &mut finder, 3);
    scene.put_in(&mut finder, 120, 80, [200, 40, 40]);
    let seen = scene.slide(&mut finder, 120, -80);
    let last = seen.last().expect("it was seen");
    assert_eq!(last.phase, Phase::Rested(Direction::Out));
    assert!((100..=130).contains(&last.bbox_in_frame.x), "where it lay: {:?}", last.bbox_in_frame);
}

#[test]
fn a_thing_there_from_the_start_is_seen_to_go_by_its_outline() {
    let (mut scene, mut finder) = (Scene::new(), MotionFinder::new());
    scene.squares.push((120, 80, 80, [200, 40, 40]));
    still(&mut scene, &mut finder, 3);
    let seen = scene.slide(&mut finder, 120, -80);
    assert_eq!(seen.last().map(|t| t.phase), Some(Phase::Rested(Direction::Out)));
}

#[test]
fn one_thing_in_and_another_out_in_one_go_is_both() {
    let (mut scene, mut finder) = (Scene::new(), MotionFinder::new());
    still(&mut scene, &mut finder, 3);
    scene.put_in(&mut finder, 20, 20, [200, 40, 40]);
    scene.squares.push((400, 140, 80, [40, 180, 60]));
    let mut seen = Vec::new();
    for step in 0..23 {
        let gone = step.min(8) * 20;
        scene.squares[0].0 = 20 - gone;
        scene.squares[1].0 = 360 - gone;
        seen.extend(finder.look(&scene.frame()).expect("a good frame"));
    }
    let last = seen.last().expect("it was seen");
    assert_eq!(last.phase, Phase::Rested(Direction::Both));
    assert!(last.bbox_in_frame.x > 150, "what came: {:?}", last.bbox_in_frame);
    assert!(last.before_in_frame.is_some_and(|b| b.x < 40 && b.y < 40), "what went: {:?}", last.before_in_frame);
}

#[test]
fn what_is_laid_upon_another_thing_has_a_place_that_was_covered_before() {
    let (mut scene, mut finder) = (Scene::new(), MotionFinder::new());
    still(&mut scene, &mut finder, 3);
    let first = scene.put_in(&mut finder, 120, 80, [200, 40, 40]);
    let second = scene.put_in(&mut finder, 128, 88, [40, 180, 60]);
    assert_eq!(first.last().map(|t| t.before_in_frame), Some(None));
    assert!(second.last().is_some_and(|t| t.before_in_frame.is_some()), "{:?}", second.last());
}

#[test]
fn a_hand_that_comes_and_goes_leaves_nothing() {
    let (mut scene, mut finder) = (Scene::new(), MotionFinder::new());
    still(&mut scene, &mut finder, 3);
    scene.squares.push((-80, 80, 80, [220, 170, 150]));
    let mut seen = Vec::new();
    for x in (-80..80).step_by(20).chain((-80..80).rev().step_by(20)).chain([-80; 12]) {
        scene.squares[0].0 = x;
        seen.extend(finder.look(&scene.frame()).expect("a good frame"));
    }
    assert_eq!(seen.last().map(|t| t.phase), Some(Phase::Left));
}

#[test]
fn light_noise_and_a_switched_lamp_are_no_thing() {
    let check = |noise: u32, lights: &[f32]| {
        let (mut scene, mut finder) = (Scene::new(), MotionFinder::new());
        scene.noise = noise;
        for light in lights {
            scene.light = *light;
            assert_eq!(still(&mut scene, &mut finder, 4), [], "noise {noise}, light {light}");
        }
    };
    check(20, &[1.0]);
    check(4, &[1.0, 1.05, 1.1, 1.2, 0.9, 0.75]);
    check(0, &[1.0, 0.25, 1.6, 0.02, 1.0]);
}

#[test]
fn garbage_frames_are_errors_and_change_nothing() {
    let (mut scene, mut finder) = (Scene::new(), MotionFinder::new());
    still(&mut scene, &mut finder, 3);
    let tiny = Frame { camera: CameraId(2), taken: Moment(0), width: 1, height: 1, rgb: Arc::from([0u8; 3]) };
    assert_eq!(finder.look(&tiny), Err(MotionError::TooSmall { camera: 2, width: 1, height: 1 }));
    let torn = Frame { camera: CameraId(2), taken: Moment(0), width: 320, height: 240, rgb: Arc::from([0u8; 3]) };
    assert_eq!(finder.look(&torn), Err(MotionError::Torn { camera: 2, width: 320, height: 240, bytes: 3 }));
    assert_eq!(still(&mut scene, &mut finder, 3), []);
}

#[test]
fn two_things_that_land_together_lie_apart_and_one_does_not() {
    let mut scene = Scene::new();
    let mut finder = MotionFinder::new();
    still(&mut scene, &mut finder, 3);
    let one = scene.put_in(&mut finder, 20, 20, [200, 40, 30]);
    assert_eq!(one.last().map(|t| t.apart_in_frame), Some(None));
    scene.squares.push((220, -80, 60, [30, 160, 60]));
    scene.squares.push((120, -80, 70, [40, 60, 190]));
    let mut seen = Vec::new();
    for step in 0..23 {
        let first = scene.squares.len() - 2;
        scene.squares[first].1 = -80 + 100 * step.min(8) / 8;
        scene.squares[first + 1].1 = -80 + 200 * step.min(8) / 8;
        seen.extend(finder.look(&scene.frame()).expect("a good frame"));
    }
    let [larger, smaller] = seen.last().and_then(|t| t.apart_in_frame).expect("two places");
    assert!(larger.x < 130 && larger.y > 90, "the larger first: {larger:?}");
    assert!(smaller.x > 190 && smaller.y < 40, "{smaller:?}");
}

#[test]
fn hands_are_counted_where_they_reach_in() {
    let check = |arms: &[(i32, i32)], hands: u32| {
        let (mut scene, mut finder) = (Scene::new(), MotionFinder::new());
        still(&mut scene, &mut finder, 3);
        scene.squares.extend(arms.iter().map(|(x, y)| (*x, *y, 80, [190, 150, 130])));
        let mut seen = Vec::new();
        for step in 0..4 {
            // Towards the middle, from the side they come from.
            scene.squares.iter_mut().for_each(|arm| arm.0 += if arm.0 < 120 { 4 * step } else { -4 * step });
            seen.extend(finder.look(&scene.frame()).expect("a good frame"));
        }
        assert_eq!(seen.last().map(|thing| thing.hands), Some(hands), "{arms:?}");
    };
    check(&[(100, 80)], 0);
    check(&[(-60, 80)], 1);
    // Round a corner it is still one.
    check(&[(-60, 200)], 1);
    check(&[(-60, 80), (300, 80)], 2);
    check(&[(-60, 10), (-60, 150)], 2);
}
