//! The shipped model through ONNX Runtime. Needs the runtime library; says so when it is not there.
#![cfg(feature = "onnx")]

use std::path::{Path, PathBuf};

use cart_vision::embedder::{EmbedError, runtime_path};
use cart_vision::evaluation::{Labelled, answers, figures};
use cart_vision::photos::{PhotoFolder, open};
use cart_vision::{Embedder, Gallery, ModelError, Recogniser, enrol};
use image::RgbImage;
use trip::Sku;

/// The sibling of the shipped model that has not seen the photos below.
fn model() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models/trainonly.onnx")
}

/// True when the runtime is there; else says that the test was skipped.
fn runtime_is_there(test: &str) -> bool {
    let there = runtime_path().is_file();
    if !there {
        eprintln!("SKIPPED {test}: no ONNX Runtime at {}", runtime_path().display());
    }
    there
}

fn photos() -> Option<PathBuf> {
    let data = std::env::var_os("TRUNDLE_DATA").map(PathBuf::from);
    let data = data.unwrap_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"));
    let root = data.join("grocery");
    root.join("classes.csv").is_file().then_some(root)
}

fn recogniser(embedder: &Embedder) -> Recogniser {
    let description = embedder.description().clone();
    let gallery = Gallery::load(&model().with_extension("gallery"), &description.fingerprint).expect("its gallery");
    Recogniser::new(description, gallery).expect("one model")
}

/// A folder with a copy of the model in which `change` has been made to the bytes of the model or
/// the text of its description.
fn spoilt(name: &str, change: impl Fn(&mut Vec<u8>, &mut String)) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("trundle-model-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a temporary folder");
    let mut bytes = std::fs::read(model()).expect("the model");
    let mut text = std::fs::read_to_string(model().with_extension("json")).expect("its description");
    change(&mut bytes, &mut text);
    std::fs::write(folder.join("m.onnx"), bytes).expect("written");
    std::fs::write(folder.join("m.json"), text).expect("written");
    folder
}

#[test]
fn damaged_missing_or_wrong_models_are_clear_errors() {
    if !runtime_is_there("damaged_missing_or_wrong_models_are_clear_errors") {
        return;
    }
    let check = |name: &str, change: &dyn Fn(&mut Vec<u8>, &mut String), fits: &dyn Fn(&EmbedError) -> bool| {
        let folder = spoilt(name, change);
        let error = Embedder::open(&folder.join("m.onnx")).err().unwrap_or_else(|| panic!("{name} was opened"));
        assert!(fits(&error), "{name}: {error:?}");
        assert!(error.to_string().contains("m."), "{name} names its file: {error}");
        std::fs::remove_dir_all(&folder).expect("removed");
    };
    let refit = |bytes: &[u8], text: &mut String| {
        let old = text.split('"').nth(3).expect("the fingerprint").to_owned();
        *text = text.replace(&old, &cart_vision::model_description::fingerprint(bytes));
    };
    check("cut", &|bytes, _| bytes.truncate(bytes.len() / 2), &|e| {
        matches!(e, EmbedError::Model(ModelError::OtherModel { .. }))
    });
    let rubbish = |bytes: &mut Vec<u8>, text: &mut String| {
        *bytes = b"no model at all".to_vec();
        refit(bytes, text);
    };
    check("rubbish", &rubbish, &|e| matches!(e, EmbedError::Open { .. }));
    let half = |bytes: &mut Vec<u8>, text: &mut String| {
        bytes.truncate(bytes.len() / 2);
        refit(bytes, text);
    };
    check("half", &half, &|e| matches!(e, EmbedError::Open { .. }));
    check("dimension", &|_, text| *text = text.replace("\"embedding\": 80", "\"embedding\": 64"), &|e| {
        matches!(e, EmbedError::Shape { .. })
    });
    check("json", &|_, text| text.truncate(40), &|e| matches!(e, EmbedError::Model(ModelError::Description { .. })));
    let missing = Embedder::open(Path::new("nowhere/m.onnx"));
    assert!(matches!(missing, Err(EmbedError::Model(ModelError::Read { .. }))));
}

#[test]
fn a_picture_that_is_none_is_refused_and_an_odd_one_is_looked_at() {
    if !runtime_is_there("a_picture_that_is_none_is_refused_and_an_odd_one_is_looked_at") {
        return;
    }
    let mut embedder = Embedder::open(&model()).expect("the shipped model");
    for (width, height) in [(0, 0), (1, 1), (7, 500)] {
        assert!(matches!(embedder.look(&RgbImage::new(width, height)), Err(EmbedError::Picture { .. })));
    }
    for (width, height) in [(8, 8), (1000, 9), (224, 224)] {
        let features = embedder.look(&RgbImage::new(width, height)).expect("a look");
        assert_eq!(features.logits.len(), embedder.description().classes.len());
    }
    assert!(embedder.run(&[0.0; 5]).is_err());
}

#[test]
fn a_bare_floor_is_no_product() {
    if !runtime_is_there("a_bare_floor_is_no_product") {
        return;
    }
    let mut embedder = Embedder::open(&model()).expect("the shipped model");
    let recogniser = recogniser(&embedder);
    let floor = RgbImage::from_pixel(300, 300, image::Rgb([120, 122, 118]));
    let judgement = recogniser.judge(&embedder.look(&floor).expect("a look"));
    assert!(judgement.unknown > 0.5, "{} and {:?}", judgement.unknown, judgement.best(1));
}

/// Figures of the model card, with room for the few photos looked at here.
#[test]
fn real_photos_are_named() {
    let Some(root) = photos() else {
        eprintln!("SKIPPED real_photos_are_named: no photos; name their folder in TRUNDLE_DATA");
        return;
    };
    if !runtime_is_there("real_photos_are_named") {
        return;
    }
    let mut embedder = Embedder::open(&model()).expect("the shipped model's sibling");
    let recogniser = recogniser(&embedder);
    let folder = PhotoFolder::open(&root).expect("the photos");
    let list = folder.list(&root.join("val.txt")).expect("the list");
    let looks: Vec<Labelled> = (list.iter().step_by(3))
        .map(|photo| Labelled {
            looks: vec![embedder.look(&open(&photo.path).expect("a photo")).expect("a look")],
            truth: folder.classes[photo.class].clone(),
            coarse: photo.coarse,
        })
        .collect();
    let figures = figures(recogniser.description(), &answers(&recogniser, &looks));
    assert!(figures.top1 > 0.75 && figures.top3 > 0.9 && figures.ece < 0.15, "{figures:?}");
}

#[test]
fn the_model_that_is_shipped_opens_with_its_own_gallery() {
    if !runtime_is_there("the_model_that_is_shipped_opens_with_its_own_gallery") {
        return;
    }
    let path = model().with_file_name("pair.onnx");
    let embedder = Embedder::open(&path).expect("the shipped model");
    let gallery = Gallery::load(&path.with_extension("gallery"), &embedder.description().fingerprint).expect("its own");
    assert!(Recogniser::new(embedder.description().clone(), gallery).is_ok());
}

#[test]
fn a_new_product_is_enrolled_and_found_again() {
    if !runtime_is_there("a_new_product_is_enrolled_and_found_again") {
        return;
    }
    let mut embedder = Embedder::open(&model()).expect("the shipped model");
    let mut recogniser = recogniser(&embedder);
    // A drawn pack: bands and a disc, under five lights.
    let pack = |light: f32, shift: u32| {
        RgbImage::from_fn(300, 300, |x, y| {
            let disc = (x as i32 - 150).pow(2) + (y as i32 - 120).pow(2) < 70 * 70;
            let band = ((x + y + shift) / 24).is_multiple_of(2);
            let colour: [f32; 3] = match (disc, band) {
                (true, _) => [250.0, 210.0, 30.0],
                (false, true) => [90.0, 20.0, 160.0],
                (false, false) => [20.0, 160.0, 170.0],
            };
            image::Rgb(colour.map(|v| (v * light).min(255.0) as u8))
        })
    };
    let sku = Sku::new("violet-wafers").expect("valid");
    let pictures = (0..5).map(|i| pack(0.7 + 0.12 * i as f32, i * 3));
    let enrolled = enrol(&mut embedder, recogniser.gallery_mut(), sku.clone(), pictures).expect("enrolled");
    assert!(enrolled.views >= 5);
    let judgement = recogniser.judge(&embedder.look(&pack(0.82, 7)).expect("a look"));
    assert_eq!(judgement.best(1)[0].0, &sku, "{:?} unknown {}", judgement.best(3), judgement.unknown);
}
