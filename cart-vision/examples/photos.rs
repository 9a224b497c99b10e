//! Makes what stands beside a model: its gallery, and the calibration in its description.
//!
//! ```text
//! photos --model FILE --root DIR --list FILE[,FILE] --enrol       writes the gallery from the photos of the lists
//! photos --model FILE --root DIR --list FILE[,FILE] --calibrate   fits the calibration to photos it was not trained on
//! photos --model FILE --take FILE                                 takes the calibration of a sibling's description
//! ```
//!
//! A model that is trained on every photo there is has nothing left to be calibrated on: it takes the
//! numbers of its sibling, made by the same recipe from a part of the photos.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cart_vision::embedder::Embedder;
use cart_vision::evaluation::{Labelled, answers, coverage, figures};
use cart_vision::fitting::{fit, fit_thresholds};
use cart_vision::photos::{Photo, PhotoFolder, open};
use cart_vision::{Calibration, Features, Gallery, ModelDescription, Recogniser, View, enrol};
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
    let model = path("--model").ok_or("--model FILE is needed: the .onnx file")?;
    if let Some(sibling) = path("--take") {
        let mut description = ModelDescription::load(&model.with_extension("json"))?;
        description.calibration = ModelDescription::load(&sibling)?.calibration;
        return write(&model, &description);
    }
    let root = path("--root").ok_or("--root DIR is needed: the folder with classes.csv")?;
    let lists = options.get("--list").ok_or("--list FILE is needed: lines `path, fine id, coarse id`")?;
    let folder = PhotoFolder::open(&root)?;
    let mut photos = Vec::new();
    for list in lists.split(',') {
        photos.extend(folder.list(Path::new(list))?);
    }
    let mut embedder = Embedder::open(&model)?;
    let gallery_path = model.with_extension("gallery");
    if options.contains_key("--enrol") {
        return enrol_all(&mut embedder, &folder, &photos, &gallery_path);
    }
    let gallery = Gallery::load(&gallery_path, &embedder.description().fingerprint)?;
    let recogniser = Recogniser::new(embedder.description().clone(), gallery)?;
    let things = look_at(&mut embedder, &folder, &photos)?;
    if options.contains_key("--calibrate") {
        let nothing = floors(&mut embedder)?;
        return calibrate(&recogniser, &things, &nothing, &model);
    }
    Err("one of --enrol, --calibrate or --take is needed; `./trundle eval photos` measures".into())
}

fn look_at(embedder: &mut Embedder, folder: &PhotoFolder, photos: &[Photo]) -> Outcome<Vec<Labelled>> {
    let mut things = Vec::new();
    for photo in photos {
        let picture = open(&photo.path)?;
        let looks = [View::Plain, View::Mirrored].map(|view| embedder.look_from(&picture, view));
        let looks = looks.into_iter().collect::<Result<_, _>>()?;
        things.push(Labelled { looks, truth: folder.classes[photo.class].clone(), coarse: photo.coarse });
    }
    Ok(things)
}

fn enrol_all(embedder: &mut Embedder, folder: &PhotoFolder, photos: &[Photo], path: &Path) -> Outcome<()> {
    let description = embedder.description();
    let mut gallery = Gallery::new(description.fingerprint.clone(), description.embedding);
    let taught = description.classes.clone();
    for (class, sku) in folder.classes.iter().enumerate() {
        let own: Result<Vec<RgbImage>, _> = photos.iter().filter(|p| p.class == class).map(|p| open(&p.path)).collect();
        let own = own?;
        if own.is_empty() || !taught.contains(sku) {
            println!("{sku}: not taught, or no photo in the list; not enrolled");
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

fn calibrate(recogniser: &Recogniser, things: &[Labelled], nothing: &[Features], model: &Path) -> Outcome<()> {
    // Fitted on one half and measured on the other, both ways: what the fit is worth.
    let half = |odd: usize| -> Vec<Labelled> { things.iter().skip(odd).step_by(2).cloned().collect() };
    for odd in [0, 1] {
        let fitted = with(recogniser, fit_all(recogniser, &half(odd), nothing)?)?;
        tell("fitted on one half, measured on the other", &fitted, &half(1 - odd));
    }
    let fitted = with(recogniser, fit_all(recogniser, things, nothing)?)?;
    tell("fitted and measured on all", &fitted, things);
    let unknown: f32 = nothing.iter().map(|f| fitted.judge(f).unknown).sum::<f32>() / nothing.len().max(1) as f32;
    println!("empty floors are unknown with {unknown:.2} on average");
    println!("{:?}", fitted.description().calibration);
    write(model, fitted.description())
}

fn fit_all(recogniser: &Recogniser, things: &[Labelled], nothing: &[Features]) -> Outcome<Calibration> {
    let calibration = fit(recogniser, things, nothing);
    let (sure, families) = fit_thresholds(&answers(&with(recogniser, calibration.clone())?, things));
    Ok(Calibration { sure, families, ..calibration })
}

fn tell(what: &str, recogniser: &Recogniser, things: &[Labelled]) {
    let answers = answers(recogniser, things);
    let description = recogniser.description();
    println!("{what}: {:?}", figures(description, &answers));
    println!("  99 %: {:?}", coverage(description, &answers, |sure| sure.at_99));
    println!("  99.5 %: {:?}", coverage(description, &answers, |sure| sure.at_995));
}

fn with(recogniser: &Recogniser, calibration: Calibration) -> Outcome<Recogniser> {
    let description = ModelDescription { calibration, ..recogniser.description().clone() };
    Ok(Recogniser::new(description, recogniser.gallery().clone())?)
}

fn write(model: &Path, description: &ModelDescription) -> Outcome<()> {
    std::fs::write(model.with_extension("json"), serde_json::to_string_pretty(description)? + "\n")?;
    Ok(())
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
