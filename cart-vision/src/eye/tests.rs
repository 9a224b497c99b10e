use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use hal::CameraId;
use trip::Sku;

use super::*;
use crate::calibration::Calibration;
use crate::embedding::Embedding;
use crate::gallery::Gallery;
use crate::model_description::ModelDescription;

/// Knows red from green by the middle pixel, and counts how often it was asked.
struct ColourModel(Arc<AtomicU32>);

fn place(red: bool) -> Embedding {
    Embedding::new(if red { vec![1.0, 0.0] } else { vec![0.0, 1.0] }).expect("unit")
}

impl Embed for ColourModel {
    fn embed(&mut self, picture: &RgbImage, _: View) -> Result<Features, Trouble> {
        self.0.fetch_add(1, Ordering::Relaxed);
        let middle = picture.get_pixel(picture.width() / 2, picture.height() / 2);
        Ok(Features { embedding: place(middle[0] > middle[1]), logits: Vec::new() })
    }
}

struct BrokenModel;

impl Embed for BrokenModel {
    fn embed(&mut self, _: &RgbImage, _: View) -> Result<Features, Trouble> {
        Err("out of memory".into())
    }
}

fn recogniser() -> Recogniser {
    let description = ModelDescription::of_classes(&[], Calibration::default());
    let mut gallery = Gallery::new("m", 2);
    for (name, red) in [("tomato", true), ("lime", false)] {
        gallery.enrol(Sku::new(name).expect("valid"), &[place(red)]).expect("enrolled");
    }
    Recogniser::new(description, gallery).expect("one model")
}

fn eye(asked: &Arc<AtomicU32>) -> Eye {
    Eye::new(Some((Box::new(ColourModel(asked.clone())), recogniser())), None)
}

/// A 96-pixel square of `colour` at `x` on a grey floor.
fn frame(number: u64, x: Option<i32>, colour: [u8; 3]) -> Frame {
    let mut rgb = vec![110u8; 320 * 240 * 3];
    for (py, row) in rgb.chunks_exact_mut(320 * 3).enumerate() {
        for (px, pixel) in row.chunks_exact_mut(3).enumerate() {
            if x.is_some_and(|x| (x..x + 96).contains(&(px as i32)) && (64..160).contains(&py)) {
                pixel.copy_from_slice(&colour);
            }
        }
    }
    Frame::new(CameraId(3), Moment::from_millis(number * 66), 320, 240, rgb.into()).expect("sizes agree")
}

fn run(eye: &mut Eye, places: impl IntoIterator<Item = Option<i32>>, colour: [u8; 3], from: u64) -> Vec<Sighting> {
    let look = |(i, x)| eye.look(&frame(from + i as u64, x, colour)).expect("a good frame").sightings;
    places.into_iter().enumerate().flat_map(look).collect()
}

fn path_in() -> impl Iterator<Item = Option<i32>> {
    [None; 3].into_iter().chain((-96..=100).step_by(28).map(Some)).chain([Some(100); 12])
}

#[test]
fn a_thing_put_in_is_named_with_its_picture_under_one_track() {
    let asked = Arc::default();
    let seen = run(&mut eye(&asked), path_in(), [40, 190, 60], 0);
    let last = seen.last().expect("it was seen");
    assert_eq!(last.candidates[0].sku.as_str(), "lime");
    assert!(last.candidates[0].probability > 0.8, "{:?}", last.candidates);
    assert!(seen.iter().all(|s| s.track == last.track && s.camera == CameraId(3)));
    assert!(last.thumbnail.as_ref().is_some_and(|t| t.width <= 208 && t.height <= 208));
}

#[test]
fn the_model_is_not_asked_while_nothing_moves() {
    let asked = Arc::default();
    let mut eye = eye(&asked);
    run(&mut eye, [None; 30], [0; 3], 0);
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    run(&mut eye, path_in(), [40, 190, 60], 30);
    let after_rest = asked.load(Ordering::Relaxed);
    assert!((1..=FLYING_LOOKS + RESTING_LOOKS).contains(&after_rest), "{after_rest}");
    run(&mut eye, [Some(100); 30], [40, 190, 60], 60);
    assert_eq!(asked.load(Ordering::Relaxed), after_rest);
}

#[test]
fn what_was_taken_out_is_named_by_how_it_lay_there() {
    let asked = Arc::default();
    let mut eye = eye(&asked);
    run(&mut eye, path_in(), [200, 50, 40], 0);
    let out = (-96..=100).rev().step_by(28).map(Some).chain([None; 10]);
    let seen = run(&mut eye, out, [200, 50, 40], 40);
    assert_eq!(seen.last().map(|s| s.candidates[0].sku.as_str()), Some("tomato"));
}

#[test]
fn the_scene_after_a_hand_is_told_from_the_scene_before_it() {
    let asked = Arc::default();
    let mut eye = eye(&asked);
    run(&mut eye, path_in(), [200, 50, 40], 0);
    // One movement: the red thing goes, and a green one is laid where it lay.
    let (red, green) = ([200, 50, 40], [40, 190, 60]);
    let out = (-96..=100).rev().step_by(28).map(|x| (Some(x), red));
    let back = (-96..=100).step_by(28).chain([100; 12]).map(|x| (Some(x), green));
    let frames: Vec<_> = out.chain(back).collect();
    let look = |(n, (x, colour)): (usize, (Option<i32>, [u8; 3]))| {
        eye.look(&frame(60 + n as u64, x, colour)).expect("a good frame").sightings
    };
    let seen: Vec<Sighting> = frames.into_iter().enumerate().flat_map(look).collect();
    let change = seen.last().and_then(|s| s.change.clone()).expect("something changed");
    let best = |opinion: Option<Opinion>| opinion.map(|o| o.candidates[0].sku.to_string());
    assert_ne!(change.direction, Direction::Out);
    assert_eq!((best(change.now).as_deref(), best(change.before).as_deref()), (Some("lime"), Some("tomato")));
}

#[test]
fn what_moves_has_changed_nothing_yet() {
    let asked = Arc::default();
    let seen = run(&mut eye(&asked), path_in(), [40, 190, 60], 0);
    let moving: Vec<_> = seen.iter().take_while(|s| s.change.is_none()).collect();
    assert!(!moving.is_empty() && moving.len() < seen.len());
    let change = seen.last().and_then(|s| s.change.as_ref()).expect("it rests");
    assert_eq!((change.direction, &change.before), (Direction::In, &None), "it lies on the bare floor");
}

#[test]
fn a_garbage_frame_or_a_failing_model_is_an_error_and_the_eye_goes_on() {
    let asked = Arc::default();
    let mut eye = eye(&asked);
    let dot = Frame { camera: CameraId(0), taken: Moment(0), width: 1, height: 1, rgb: Arc::from([0u8; 3]) };
    assert!(matches!(eye.look(&dot), Err(EyeError::Frame(MotionError::TooSmall { .. }))));
    assert!(!run(&mut eye, path_in(), [40, 190, 60], 0).is_empty());
    let mut broken = Eye::new(Some((Box::new(BrokenModel), recogniser())), None);
    let results: Vec<_> = path_in().enumerate().map(|(i, x)| broken.look(&frame(i as u64, x, [40, 190, 60]))).collect();
    assert!(results.iter().any(|r| matches!(r, Err(EyeError::Embed { camera: 3, .. }))));
    assert!(results.last().is_some_and(|r| r.is_ok()));
}
