//! Products that the model was never taught: enrolled from a few pictures, then looked for among all.
//!
//! The gallery is the one beside the model (its own classes); the products of the enrol list are
//! added to it by the same call that `./trundle enrol` makes. A query is ranked among all of them.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, ensure};
use cart_vision::photos::{self, PhotoFolder};
use cart_vision::{Recogniser, enrol};
use clap::Args;
use serde::Serialize;
use trip::Sku;

use super::photos::{judge_all, open};
use super::report;

/// What to measure.
#[derive(Args, Debug)]
pub struct Options {
    /// The project's assets: models.
    #[arg(long, default_value = "assets")]
    assets: PathBuf,
    /// The model, by its name in assets/models.
    #[arg(long, default_value = "without15")]
    model: String,
    /// The folder with classes.csv and the photos.
    #[arg(long)]
    root: PathBuf,
    /// The pictures to enrol from: lines `path, fine id, coarse id`.
    #[arg(long)]
    enrol_list: PathBuf,
    /// The pictures to look for; those of products that are not in the enrol list are left out.
    #[arg(long)]
    query_list: PathBuf,
    /// Write the figures as JSON here.
    #[arg(long)]
    json: PathBuf,
}

#[derive(Serialize)]
struct Figures {
    enrolled: usize,
    products: usize,
    queries: usize,
    top1: f32,
    top3: f32,
    per_class: BTreeMap<Sku, [u32; 2]>,
}

/// Enrols, measures and reports. `per_class` holds `[queries, right]`.
///
/// # Errors
/// When model, a list or a photo cannot be used; the message names the file.
pub fn run(options: &Options) -> anyhow::Result<()> {
    let folder = PhotoFolder::open(&options.root)?;
    let enrol_list = folder.list(&options.enrol_list)?;
    let (mut embedder, recogniser) = open(&options.assets, &options.model)?;
    let mut gallery = recogniser.gallery().clone();
    let mut classes: Vec<usize> = enrol_list.iter().map(|p| p.class).collect();
    classes.sort_unstable();
    classes.dedup();
    for class in &classes {
        let sku = folder.classes[*class].clone();
        let taught = recogniser.description().classes.contains(&sku);
        ensure!(!taught, "{sku} was taught to {}: the figure would mean nothing", options.model);
        let pictures: Result<Vec<_>, _> =
            enrol_list.iter().filter(|p| p.class == *class).map(|p| photos::open(&p.path)).collect();
        enrol(&mut embedder, &mut gallery, sku, pictures?)?;
    }
    let recogniser = Recogniser::new(recogniser.description().clone(), gallery)?;
    let mut queries = folder.list(&options.query_list)?;
    queries.retain(|query| classes.contains(&query.class));
    ensure!(!queries.is_empty(), "{} has no picture of an enrolled product", options.query_list.display());
    let overlap = queries.iter().find(|q| enrol_list.iter().any(|e| e.path == q.path));
    if let Some(overlap) = overlap {
        eprintln!("eval: {} is in both lists: such a query is too easy", overlap.path.display());
    }
    let (answers, _) = judge_all(&mut embedder, &recogniser, &folder, &queries).context("queries")?;
    let (mut top1, mut top3) = (0u32, 0u32);
    let mut per_class: BTreeMap<Sku, [u32; 2]> = BTreeMap::new();
    for answer in &answers {
        let best = answer.judgement.best(3);
        let right = u32::from(best.first().is_some_and(|(sku, _)| **sku == answer.truth));
        top1 += right;
        top3 += u32::from(best.iter().any(|(sku, _)| **sku == answer.truth));
        let class = per_class.entry(answer.truth.clone()).or_default();
        *class = [class[0] + 1, class[1] + right];
    }
    let share = |count: u32| count as f32 / answers.len() as f32;
    report(
        &options.json,
        &Figures {
            enrolled: classes.len(),
            products: recogniser.gallery().skus().len(),
            queries: answers.len(),
            top1: share(top1),
            top3: share(top3),
            per_class,
        },
    )
}
