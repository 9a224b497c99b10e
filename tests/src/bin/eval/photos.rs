//! Single photos: how often the best answer is right, how well the cart knows when it is.
//!
//! Each photo is looked at as a thing at rest is: plain and mirrored, both voted. The time is that of
//! the two looks and the vote, scaling included, decoding not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, ensure};
use cart_app::sight::model_of;
use cart_vision::evaluation::{Answer, Coverage, Labelled, coverage, figures};
use cart_vision::photos::{self, Photo, PhotoFolder};
use cart_vision::{Embedder, Gallery, Recogniser, View};
use clap::Args;
use serde::Serialize;
use trip::Sku;

use super::{median_and_p95, report};

/// What to measure.
#[derive(Args, Debug)]
pub struct Options {
    /// The project's assets: models.
    #[arg(long, default_value = "assets")]
    assets: PathBuf,
    /// The folder with classes.csv and the photos.
    #[arg(long)]
    root: PathBuf,
    /// Lines `path, fine id, coarse id`.
    #[arg(long)]
    list: PathBuf,
    /// The model, by its name in assets/models.
    #[arg(long, default_value = super::SHIPPED)]
    model: String,
    /// Write the figures as JSON here.
    #[arg(long)]
    json: PathBuf,
}

#[derive(Serialize)]
struct Figures {
    images: usize,
    top1: f32,
    top3: f32,
    coarse1: f32,
    ece: f32,
    coverage_at_99: Coverage,
    coverage_at_995: Coverage,
    ms_median: f32,
    ms_p95: f32,
    per_class: BTreeMap<Sku, OneClass>,
}

#[derive(Default, Serialize)]
struct OneClass {
    images: u32,
    right: u32,
    in_top3: u32,
}

/// Measures and reports.
///
/// # Errors
/// When model, list or a photo cannot be used; the message names the file.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let folder = PhotoFolder::open(&options.root)?;
    let list = folder.list(&options.list)?;
    ensure!(!list.is_empty(), "{} names no photo", options.list.display());
    let (mut embedder, recogniser) = open(&options.assets, &options.model)?;
    let (answers, times_ms) = judge_all(&mut embedder, &recogniser, &folder, &list)?;
    let mut per_class: BTreeMap<Sku, OneClass> = BTreeMap::new();
    for answer in &answers {
        let class = per_class.entry(answer.truth.clone()).or_default();
        let best = answer.judgement.best(3);
        class.images += 1;
        class.right += u32::from(best.first().is_some_and(|(sku, _)| **sku == answer.truth));
        class.in_top3 += u32::from(best.iter().any(|(sku, _)| **sku == answer.truth));
    }
    let (ms_median, ms_p95) = median_and_p95(times_ms);
    let figures = figures(recogniser.description(), &answers);
    report(
        &options.json,
        &Figures {
            images: figures.images,
            top1: figures.top1,
            top3: figures.top3,
            coarse1: figures.coarse1,
            ece: figures.ece,
            coverage_at_99: coverage(recogniser.description(), &answers, |sure| sure.at_99),
            coverage_at_995: coverage(recogniser.description(), &answers, |sure| sure.at_995),
            ms_median,
            ms_p95,
            per_class,
        },
    )
}

/// Opens a model of `assets/models` with the gallery beside it.
pub fn open(assets: &Path, name: &str) -> anyhow::Result<(Embedder, Recogniser)> {
    let model = model_of(assets, name);
    let embedder = Embedder::open(&model)?;
    let description = embedder.description().clone();
    let gallery = Gallery::load(&model.with_extension("gallery"), &description.fingerprint)?;
    Ok((embedder, Recogniser::new(description, gallery)?))
}

/// One answer a photo, with the time of its looks in milliseconds.
pub fn judge_all(
    embedder: &mut Embedder,
    recogniser: &Recogniser,
    folder: &PhotoFolder,
    list: &[Photo],
) -> anyhow::Result<(Vec<Answer>, Vec<f32>)> {
    let mut answers = Vec::with_capacity(list.len());
    let mut times_ms = Vec::with_capacity(list.len());
    for (number, photo) in list.iter().enumerate() {
        let picture = photos::open(&photo.path)?;
        let start = Instant::now();
        let mut looks = Vec::new();
        for view in [View::Plain, View::Mirrored] {
            let look = embedder.look_from(&picture, view);
            looks.push(look.with_context(|| format!("photo {}", photo.path.display()))?);
        }
        let thing = Labelled { looks, truth: folder.classes[photo.class].clone(), coarse: photo.coarse };
        answers.push(thing.answer(|look| recogniser.judge(look)));
        times_ms.push(start.elapsed().as_secs_f32() * 1000.0);
        if (number + 1) % 200 == 0 {
            eprintln!("{} of {} photos", number + 1, list.len());
        }
    }
    Ok((answers, times_ms))
}
