//! Fits a [`Calibration`] to things that the model was not trained on.
//!
//! Whatever is fitted here is fitted to what the cart will do: temperature and thresholds to the vote
//! over all looks at a thing, the unknown to products left out of the gallery.

use std::collections::BTreeMap;

use trip::Sku;

use crate::calibration::{Calibration, Sure, best_of, fit_sure, fit_unknown};
use crate::embedding::Features;
use crate::evaluation::{Answer, Labelled, answers};
use crate::recogniser::Recogniser;

/// Every fifth class plays the enrolled product that the model was never taught.
const UNTAUGHT_EVERY: usize = 5;
/// How often a crop is expected to show no enrolled product.
const UNKNOWN_SHARE: f32 = 0.1;

/// Fits temperature, sharpness and the unknown; thresholds are left as they are, for they need the
/// answers of several folds ([`fit_thresholds`]). `nothing` are looks at no product.
pub fn fit(recogniser: &Recogniser, things: &[Labelled], nothing: &[Features]) -> Calibration {
    let mut tried = recogniser.clone();
    let best = |features: &Features, without: Option<&Sku>| {
        let scores = recogniser.gallery().similarities(&features.embedding);
        let named = recogniser.gallery().skus().zip(scores);
        named.filter(|(sku, _)| Some(*sku) != without).map(|(_, s)| s).fold(-1.0, f32::max)
    };
    let looks = || things.iter().flat_map(|thing| thing.looks.iter().map(move |look| (look, &thing.truth)));
    let known: Vec<f32> = looks().map(|(look, _)| best(look, None)).collect();
    // A product that is not enrolled is nearest to its likest neighbour.
    let strangers = looks().map(|(look, truth)| best(look, Some(truth)));
    let others: Vec<f32> = strangers.chain(nothing.iter().map(|f| best(f, None))).collect();
    let (at, slope) = fit_unknown(&known, &others, UNKNOWN_SHARE);
    tried.calibration_mut().unknown_at = at;
    tried.calibration_mut().unknown_slope = slope;

    let surprise = |answer: &Answer| -answer.judgement.given_known(&answer.truth).max(1e-6).ln();
    let temperature = best_of((0..90).map(|i| 0.15 * 1.035f32.powi(i)), |temperature| {
        tried.calibration_mut().temperature = temperature;
        answers(&tried, things).iter().map(surprise).sum()
    });
    tried.calibration_mut().temperature = temperature.unwrap_or(1.0);

    let untaught: Vec<Sku> = recogniser.description().classes.iter().step_by(UNTAUGHT_EVERY).cloned().collect();
    let sharpness = best_of((2..60).map(|s| s as f32), |sharpness| {
        tried.calibration_mut().sharpness = sharpness;
        let judge = |look: &Features| tried.judge_without(look, &|sku| untaught.contains(sku));
        things.iter().map(|thing| surprise(&thing.answer(judge))).sum()
    });
    tried.calibration_mut().sharpness = sharpness.unwrap_or(12.0);
    tried.description().calibration.clone()
}

/// The thresholds above which 99 % and 99.5 % of the answers are right, with what chance may have
/// given counted in; and those of the families that are mistaken more often than the rest.
pub fn fit_thresholds(answers: &[Answer]) -> (Sure, BTreeMap<u32, Sure>) {
    let all: Vec<(f32, bool)> = answers.iter().filter_map(Answer::best).collect();
    let (at_99, proven) = (fit_sure(&all, 0.99), fit_sure(&all, 0.995));
    // Some 200 right answers in a row are needed to prove 99.5 %. With fewer, half the doubt is taken:
    // a guess that errs on the side of asking.
    let at_995 = if proven < 1.0 { proven.max(at_99) } else { (1.0 + at_99) / 2.0 };
    let sure = Sure { at_99, at_995 };
    let mut families = BTreeMap::new();
    for answer in answers {
        let Some((probability, right)) = answer.best() else { continue };
        if right || probability < sure.at_99 {
            continue;
        }
        // A wrong answer above the common threshold: its family is believed only beyond it.
        let own: &mut Sure = families.entry(answer.coarse).or_insert(sure);
        let beyond = (probability + 1.0) / 2.0;
        own.at_99 = own.at_99.max(beyond);
        own.at_995 = own.at_995.max(beyond);
    }
    (sure, families)
}
