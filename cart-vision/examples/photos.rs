//! Measures the shipped model on the photos of a list, one look a photo, or makes what stands beside it.
//!
//! ```text
//! photos --root DIR --list FILE [--model FILE]              prints top-1, top-3, families, calibration
//! photos --root DIR --list FILE [--model FILE] --enrol      writes the gallery beside the model from the list's photos
//! photos --root DIR --list FILE [--model FILE] --calibrate  fits the calibration to the list and writes it into the description
//! ```

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use cart_vision::embedder::Embedder;
use cart_vision::evaluation::{Labelled, figures, fit};
use cart_vision::photos::{Photo, PhotoFolder, open};
use cart_vision::{Features, Gallery, ModelDescription, Recogniser, enrol};
use image::RgbImage;

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("photos: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Outcome<()> {
    let mut options: BTreeMap<String, String> = BTreeMap::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(name) = arguments.next() {
        let flag = matches!(name.as_str(), "--enrol" | "--calibrate");
        let value = if flag { Some(String::new()) } else { arguments.next() };
        options.insert(name.clone(), value.ok_or(format!("{name} needs a value"))?);
    }
    let path = |name: &str| options.get(name).map(PathBuf::from);
    let root = path("--root").ok_or("--root DIR is needed: the folder with classes.csv")?;
    let list = path("--list").ok_or("--list FILE is needed: lines `path, fine id, coarse id`")?;
    let shipped = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/models/lite0.onnx");
    let model = path("--model").unwrap_or_else(shipped);
    let mut embedder = Embedder::open(&model)?;
    let folder = PhotoFolder::open(&root)?;
    let photos = folder.list(&list)?;
    let gallery_path = model.with_extension("gallery");
    if options.contains_key("--enrol") {
        return enrol_all(&mut embedder, &folder, &photos, &gallery_path);
    }
    let gallery = Gallery::load(&gallery_path, &embedder.description().fingerprint)?;
    let recogniser = Recogniser::new(embedder.description().clone(), gallery)?;
    let looks = look_at(&mut embedder, &folder, &photos)?;
    if options.contains_key("--calibrate") {
        return calibrate(&mut embedder, &recogniser, &looks, &model);
    }
    println!("{:#?}", figures(&recogniser, &looks));
    Ok(())
}

fn look_at(embedder: &mut Embedder, folder: &PhotoFolder, photos: &[Photo]) -> Outcome<Vec<Labelled>> {
    let mut looks = Vec::new();
    let mut times_ms = Vec::new();
    for photo in photos {
        let picture = open(&photo.path)?;
        let start = Instant::now();
        let features = embedder.look(&picture)?;
        times_ms.push(start.elapsed().as_secs_f32() * 1000.0);
        looks.push(Labelled { features, truth: folder.classes[photo.class].clone(), coarse: photo.coarse });
    }
    times_ms.sort_by(f32::total_cmp);
    if let Some(median) = times_ms.get(times_ms.len() / 2) {
        println!("{} photos, {median:.1} ms a look (median, scaling included)", photos.len());
    }
    Ok(looks)
}

fn enrol_all(embedder: &mut Embedder, folder: &PhotoFolder, photos: &[Photo], path: &Path) -> Outcome<()> {
    let description = embedder.description();
    let mut gallery = Gallery::new(description.fingerprint.clone(), description.embedding);
    for (class, sku) in folder.classes.iter().enumerate() {
        let own: Result<Vec<RgbImage>, _> = photos.iter().filter(|p| p.class == class).map(|p| open(&p.path)).collect();
        let own = own?;
        if own.is_empty() {
            println!("{sku}: no photo in the list, not enrolled");
            continue;
        }
        let enrolled = enrol(embedder, &mut gallery, sku.clone(), own)?;
        for near in enrolled.look_alikes {
            println!("{sku}: looks like {} ({:.2})", near.sku, near.similarity);
        }
    }
    gallery.save(path)?;
    println!("{} products enrolled in {}", gallery.skus().len(), path.display());
    Ok(())
}

fn calibrate(embedder: &mut Embedder, recogniser: &Recogniser, looks: &[Labelled], model: &Path) -> Outcome<()> {
    let nothing = floors(embedder)?;
    // Fitted on one half and measured on the other, both ways: what the fit is worth.
    let half = |odd: usize| -> Vec<Labelled> {
        looks.iter().enumerate().filter(|(i, _)| i % 2 == odd).map(|(_, l)| l.clone()).collect()
    };
    for odd in [0, 1] {
        let fitted = with(recogniser, fit(recogniser, &half(odd), &nothing))?;
        println!("fitted on one half, measured on the other: {:?}", figures(&fitted, &half(1 - odd)));
    }
    let calibration = fit(recogniser, looks, &nothing);
    println!("{calibration:?}");
    let fitted = with(recogniser, calibration)?;
    let unknown: f32 = nothing.iter().map(|f| fitted.judge(f).unknown).sum::<f32>() / nothing.len().max(1) as f32;
    println!("empty floors are unknown with {unknown:.2} on average; on all: {:?}", figures(&fitted, looks));
    let text = serde_json::to_string_pretty(fitted.description())? + "\n";
    std::fs::write(model.with_extension("json"), text)?;
    Ok(())
}

fn with(recogniser: &Recogniser, calibration: cart_vision::Calibration) -> Outcome<Recogniser> {
    let description = ModelDescription { calibration, ..recogniser.description().clone() };
    Ok(Recogniser::new(description, recogniser.gallery().clone())?)
}

/// Looks at bare floors of several tones, with and without wires: no product.
fn floors(embedder: &mut Embedder) -> Outcome<Vec<Features>> {
    let mut looks = Vec::new();
    for tone in (30..=230).step_by(20) {
        for pitch in [0u32, 14, 40] {
            let floor = RgbImage::from_fn(240, 240, |x, y| {
                let wire = pitch > 0 && (x % pitch < 4 || y % pitch < 4);
                let shade = (x + y) as i32 / 24 + (x * 7919 + y * 104_729) as i32 % 7;
                let value = (tone + shade + if wire { 35 } else { 0 }).clamp(0, 255) as u8;
                image::Rgb([value, value, value.saturating_sub(4)])
            });
            looks.push(embedder.look(&floor)?);
        }
    }
    Ok(looks)
}
