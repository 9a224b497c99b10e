//! Makes what stands beside a model: its gallery, and the calibration in its description.
//!
//! ```text
//! photos --model FILE --root DIR --list FILE[,FILE] --enrol       writes the gallery from the photos of the lists
//! photos --model FILE --root DIR --list FILE[,FILE] --calibrate   fits the calibration to photos it was not trained on
//! photos --model FILE --root DIR --list FILE[,FILE] --weigh FILE      weighs taught classes against enrolled products: the
//!                                                                 list after it names pictures of products it was never taught
//! photos --model FILE --root DIR --list FILE[,FILE] --strangers   measures what becomes of things that are not enrolled
//! photos --model FILE --take FILE                                 takes the calibration of a sibling's description
//! ```
//!
//! A model that is trained on every photo there is has nothing left to be calibrated on: it takes the
//! numbers of its sibling, made by the same recipe from a part of the photos.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use cart_vision::embedder::Embedder;
use cart_vision::evaluation::{Answer, Labelled, answers, coverage, figures, told_apart};
use cart_vision::fitting::{Trial, fit, fit_assent, fit_thresholds};
use cart_vision::photos::{Photo, PhotoFolder, open};
use cart_vision::{Calibration, Features, Gallery, ModelDescription, Recogniser, View, enrol};
use image::RgbImage;

/// Parts of the photos, each measured with what was fitted to the others.
const FOLDS: usize = 8;

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
        let flag = matches!(name.as_str(), "--enrol" | "--calibrate" | "--strangers");
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
    if let Some(list) = path("--weigh") {
        let untaught = folder.list(&list)?;
        return weigh(&mut embedder, recogniser, &folder, &photos, &untaught, &model);
    }
    let things = look_at(&mut embedder, &folder, &photos)?;
    if options.contains_key("--calibrate") {
        let nothing = floors(&mut embedder)?;
        return calibrate(&recogniser, &things, &nothing, &model);
    }
    if options.contains_key("--strangers") {
        tell_strangers(&recogniser, things);
        return Ok(());
    }
    Err("one of --enrol, --calibrate, --weigh, --strangers or --take is needed; `./trundle eval photos` measures"
        .into())
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
    // Fitted without a part and measured on it, part by part: what the fit is worth.
    let (mut outside, mut answered, mut right) = (Vec::new(), 0.0, 0.0);
    for part in 0..FOLDS {
        let split = |own: bool| -> Vec<Labelled> {
            let picked = things.iter().enumerate().filter(|(i, _)| (i % FOLDS == part) == own);
            picked.map(|(_, thing)| thing.clone()).collect()
        };
        let fitted = with(recogniser, fit_all(recogniser, &split(false), nothing)?)?;
        let own = answers(&fitted, &split(true));
        let found = coverage(fitted.description(), &own, |sure| sure.at_99);
        answered += found.coverage * own.len() as f32;
        right += found.coverage * found.precision * own.len() as f32;
        outside.extend(own);
    }
    println!(
        "fitted without a part and measured on it, {FOLDS} parts: {:?}",
        figures(recogniser.description(), &outside)
    );
    println!("  99 %: {answered:.0} of {} answered, {right:.0} right", outside.len());
    let fitted = with(recogniser, fit_all(recogniser, things, nothing)?)?;
    tell("fitted and measured on all", &fitted, things);
    let unknown: f32 = nothing.iter().map(|f| fitted.judge(f).unknown).sum::<f32>() / nothing.len().max(1) as f32;
    println!("empty floors are unknown with {unknown:.2} on average");
    println!("{:?}", fitted.description().calibration);
    write(model, fitted.description())
}

/// Each picture of a product that was never taught is looked for after the product was enrolled from the others.
fn weigh(
    embedder: &mut Embedder,
    recogniser: Recogniser,
    folder: &PhotoFolder,
    photos: &[Photo],
    untaught: &[Photo],
    model: &Path,
) -> Outcome<()> {
    let mut gallery = recogniser.gallery().clone();
    let product = |photo: &Photo| folder.classes[photo.class].clone();
    let others = |out: Option<&Photo>, class: usize| -> Outcome<Vec<RgbImage>> {
        let of_class = untaught.iter().filter(|p| p.class == class && Some(*p) != out);
        of_class.map(|p| Ok(open(&p.path)?)).collect()
    };
    let mut classes: Vec<usize> = untaught.iter().map(|p| p.class).collect();
    classes.sort_unstable();
    classes.dedup();
    for class in classes {
        let sku = folder.classes[class].clone();
        if recogniser.description().classes.contains(&sku) {
            return Err(format!("{sku} was taught to {}: it shows nothing about enrolling", model.display()).into());
        }
        enrol(embedder, &mut gallery, sku, others(None, class)?)?;
    }
    let whole = Recogniser::new(recogniser.description().clone(), gallery.clone())?;
    let taught: Vec<Photo> = photos.iter().filter(|p| recogniser.gallery().contains(&product(p))).cloned().collect();
    let mut trials = vec![Trial { things: look_at(embedder, folder, &taught)?, recogniser: whole }];
    for photo in untaught {
        let mut without = gallery.clone();
        enrol(embedder, &mut without, product(photo), others(Some(photo), photo.class)?)?;
        let recogniser = Recogniser::new(recogniser.description().clone(), without)?;
        trials.push(Trial { recogniser, things: look_at(embedder, folder, std::slice::from_ref(photo))? });
    }
    let (sharpness, assent) = fit_assent(&trials).ok_or("there is nothing to fit to")?;
    let fitted = Calibration { sharpness, assent, ..recogniser.description().calibration.clone() };
    for (what, calibration) in [("before", &recogniser.description().calibration), ("fitted", &fitted)] {
        let said = |trial: &Trial| -> Outcome<Vec<Answer>> {
            Ok(answers(&with(&trial.recogniser, calibration.clone())?, &trial.things))
        };
        let taught = figures(recogniser.description(), &said(&trials[0])?);
        let enrolled: Vec<Answer> = trials[1..].iter().map(said).collect::<Outcome<Vec<_>>>()?.concat();
        let enrolled = figures(recogniser.description(), &enrolled);
        println!(
            "{what}: taught {:.3} of {} right, enrolled {:.3} of {}",
            taught.top1, taught.images, enrolled.top1, enrolled.images
        );
    }
    println!("{sharpness} {assent:?}");
    write(model, &ModelDescription { calibration: fitted, ..recogniser.description().clone() })
}

/// Things of enrolled products against things of others.
fn tell_strangers(recogniser: &Recogniser, things: Vec<Labelled>) {
    let (known, strangers): (Vec<_>, Vec<_>) =
        things.into_iter().partition(|t| recogniser.gallery().contains(&t.truth));
    let sure = recogniser.description().calibration.sure.at_99;
    let unknown = |things: &[Labelled]| -> Vec<f32> {
        answers(recogniser, things).iter().map(|answer| answer.judgement.unknown).collect()
    };
    let doubt = |things: &[Labelled]| -> Vec<f32> {
        answers(recogniser, things).iter().map(|answer| 1.0 - answer.best().map_or(0.0, |(p, _)| p)).collect()
    };
    for (what, measure) in [("unknown", &unknown as &dyn Fn(&[Labelled]) -> Vec<f32>), ("doubt of the best", &doubt)] {
        println!("told apart by {what}: {:.3}", told_apart(&measure(&known), &measure(&strangers)));
    }
    for (what, things) in [("known", &known), ("strangers", &strangers)] {
        let share = |yes: &dyn Fn(f32) -> bool, of: &[f32]| {
            of.iter().filter(|v| yes(**v)).count() as f32 / of.len().max(1) as f32
        };
        println!(
            "{} {what}: {:.3} unknown rather than known, {:.3} answered without a question",
            things.len(),
            share(&|u| u > 0.5, &unknown(things)),
            share(&|d| 1.0 - d >= sure, &doubt(things)),
        );
    }
}

fn fit_all(recogniser: &Recogniser, things: &[Labelled], nothing: &[Features]) -> Outcome<Calibration> {
    let calibration = fit(recogniser, things, nothing);
    let fitted = with(recogniser, calibration.clone())?;
    let (sure, families) = fit_thresholds(fitted.description(), &answers(&fitted, things));
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
