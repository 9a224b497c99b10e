//! How good is it: figures over labelled looks, and the fitting of a [`Calibration`] to them.

use trip::Sku;

use crate::calibration::{Calibration, best_of, fit_sure, fit_temperature, fit_unknown};
use crate::embedding::Features;
use crate::recogniser::Recogniser;

/// One look whose truth is known.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// What the model said.
    pub features: Features,
    /// The true product.
    pub truth: Sku,
    /// Its family.
    pub coarse: u32,
}

/// Figures over looks at single photos.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PhotoFigures {
    /// Looks.
    pub images: usize,
    /// Share whose best candidate is right.
    pub top1: f32,
    /// Share with the truth among the best three.
    pub top3: f32,
    /// Share whose best candidate is of the right family.
    pub coarse1: f32,
    /// Expected calibration error over ten bins, 0 to 1.
    pub ece: f32,
    /// Share of looks answered above the shipped `sure_at`.
    pub sure_coverage: f32,
    /// Share of those that are right; 1 when there are none.
    pub sure_precision: f32,
    /// Mean probability given to "no enrolled product".
    pub unknown: f32,
}

/// Counts what the recogniser makes of the looks.
pub fn figures(recogniser: &Recogniser, looks: &[Labelled]) -> PhotoFigures {
    let description = recogniser.description();
    let family = |sku: &Sku| description.classes.iter().position(|c| c == sku).map(|i| description.coarse[i]);
    let mut sum = PhotoFigures { images: looks.len(), ..PhotoFigures::default() };
    let mut bins = [(0u32, 0.0f32, 0.0f32); 10];
    let (mut sure, mut sure_right) = (0u32, 0u32);
    for look in looks {
        let judgement = recogniser.judge(&look.features);
        let best = judgement.best(3);
        sum.unknown += judgement.unknown;
        sum.top3 += f32::from(best.iter().any(|(sku, _)| **sku == look.truth));
        let Some((sku, probability)) = best.first() else { continue };
        let right = **sku == look.truth;
        sum.top1 += f32::from(right);
        sum.coarse1 += f32::from(family(sku) == Some(look.coarse));
        let bin = &mut bins[((probability * 10.0) as usize).min(9)];
        *bin = (bin.0 + 1, bin.1 + probability, bin.2 + f32::from(right));
        if *probability >= description.calibration.sure_at {
            sure += 1;
            sure_right += u32::from(right);
        }
    }
    let n = looks.len().max(1) as f32;
    let gap: f32 = bins.iter().map(|(_, said, right)| (said - right).abs()).sum();
    PhotoFigures {
        top1: sum.top1 / n,
        top3: sum.top3 / n,
        coarse1: sum.coarse1 / n,
        ece: gap / n,
        sure_coverage: sure as f32 / n,
        sure_precision: if sure == 0 { 1.0 } else { sure_right as f32 / sure as f32 },
        unknown: sum.unknown / n,
        ..sum
    }
}

/// Every fifth class plays the enrolled product that the model was never taught.
const UNTAUGHT_EVERY: usize = 5;
/// How often a crop is expected to show no enrolled product.
const UNKNOWN_SHARE: f32 = 0.1;

/// Fits a calibration to looks the model was not trained on; `nothing` are looks at no product.
pub fn fit(recogniser: &Recogniser, looks: &[Labelled], nothing: &[Features]) -> Calibration {
    let mut description = recogniser.description().clone();
    let with = |description: &crate::ModelDescription| {
        Recogniser::new(description.clone(), recogniser.gallery().clone()).unwrap_or_else(|_| recogniser.clone())
    };
    let samples: Vec<(Vec<f32>, usize)> = (looks.iter())
        .filter_map(|l| Some((l.features.logits.clone(), description.classes.iter().position(|c| *c == l.truth)?)))
        .collect();
    description.calibration.temperature = fit_temperature(&samples);

    let best = |features: &Features, without: Option<&Sku>| {
        let scores = recogniser.gallery().similarities(&features.embedding);
        let named = recogniser.gallery().skus().zip(scores);
        named.filter(|(sku, _)| Some(*sku) != without).map(|(_, s)| s).fold(-1.0, f32::max)
    };
    let known: Vec<f32> = looks.iter().map(|l| best(&l.features, None)).collect();
    // A product that is not enrolled is nearest to its likest neighbour.
    let strangers = looks.iter().map(|l| best(&l.features, Some(&l.truth)));
    let others: Vec<f32> = strangers.chain(nothing.iter().map(|f| best(f, None))).collect();
    let (at, slope) = fit_unknown(&known, &others, UNKNOWN_SHARE);
    (description.calibration.unknown_at, description.calibration.unknown_slope) = (at, slope);

    let untaught: Vec<Sku> = description.classes.iter().step_by(UNTAUGHT_EVERY).cloned().collect();
    let base = with(&description);
    let loss = |sharpness: f32| -> f32 {
        let mut tried = base.clone();
        tried.set_sharpness(sharpness);
        let of = |look: &Labelled| {
            let judgement = tried.judge_without(&look.features, &|sku| untaught.contains(sku));
            -judgement.probabilities.get(&look.truth).copied().unwrap_or(0.0).max(1e-4).ln()
        };
        looks.iter().map(of).sum()
    };
    description.calibration.sharpness = best_of((2..40).map(|s| s as f32), loss).unwrap_or(12.0);

    let fitted = with(&description);
    let answers: Vec<(f32, bool)> = (looks.iter())
        .filter_map(|look| {
            let judgement = fitted.judge(&look.features);
            judgement.best(1).first().map(|(sku, p)| (*p, **sku == look.truth))
        })
        .collect();
    description.calibration.sure_at = fit_sure(&answers, 0.99);
    description.calibration
}
