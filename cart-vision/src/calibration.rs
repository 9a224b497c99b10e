//! From scores to probabilities that can be believed.
//!
//! The numbers here, fitted on photos the model was not trained on, stand beside the model file.
//!
//! A product is as likely as its nearest view is near: e to the power of `sharpness` × similarity. A
//! *taught class* has more to show for itself, the head's word: its likelihood is multiplied with what the
//! head gives it ([`Assent`]), so that a thing the head cannot place is left to the *enrolled products* that it
//! was never taught. How the taught ones share what is theirs is the head's word, softened by `temperature`, times
//! e to the power of `nearness` × the similarity of their nearest view: the head is sure of things it has never
//! seen from this side, and the views tell. Last, a crop that is near no view at all is *unknown*: the logistic of
//! `unknown_slope` × (`unknown_at` − best similarity). Everything sums to one.
//!
//! Tried and not better on the shipped models: a Gaussian a product, round its mean view and the wider the
//! fewer views it has (75 of 100 enrolled products named, where the nearest view names 87 and the rule above
//! 96). A thing's sides lie apart; their mean is like none of them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How often a look is expected to show no enrolled product.
pub const UNKNOWN_SHARE: f32 = 0.1;

/// The fitted numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Divides the head's logits; above 0.
    pub temperature: f32,
    /// Multiplies similarities where taught classes share what is theirs; 0 leaves it to the head.
    #[serde(default)]
    pub nearness: f32,
    /// Multiplies similarities where products are weighed by their views; above 0.
    pub sharpness: f32,
    /// Weighs taught classes against products enrolled later.
    #[serde(default)]
    pub assent: Assent,
    /// The best similarity at which known and unknown are equally likely, -1 to 1.
    pub unknown_at: f32,
    /// How fast that turns; above 0.
    pub unknown_slope: f32,
    /// When an answer is believed.
    pub sure: Sure,
    /// The same for families (ids of [`crate::ModelDescription::coarse`]) that are mistaken more often.
    pub families: BTreeMap<u32, Sure>,
}

/// What the head's word counts when taught classes are weighed against enrolled products.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Assent {
    /// Divides the head's logits here; above 0. Larger than `temperature`: a doubt counts early.
    pub temperature: f32,
    /// What stands for the head's word where there is none, as its natural logarithm, -20 to 20.
    pub untaught: f32,
}

impl Default for Assent {
    /// What the shipped models were fitted to.
    fn default() -> Self {
        Self { temperature: 1.4, untaught: -0.5 }
    }
}

/// Probabilities from which an answer is believed, 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sure {
    /// From here 99 of 100 answers are right; looks stop there.
    pub at_99: f32,
    /// From here 199 of 200.
    pub at_995: f32,
}

impl Default for Calibration {
    /// Cautious numbers for a model that was not fitted yet.
    fn default() -> Self {
        Self {
            temperature: 1.0,
            nearness: 0.0,
            sharpness: 20.0,
            assent: Assent::default(),
            unknown_at: 0.35,
            unknown_slope: 10.0,
            sure: Sure { at_99: 0.99, at_995: 0.995 },
            families: BTreeMap::new(),
        }
    }
}

impl Calibration {
    /// True when every number is in its range.
    pub fn is_sound(&self) -> bool {
        let positive = [self.temperature, self.sharpness, self.unknown_slope, self.assent.temperature];
        let positive = positive.iter().all(|v| v.is_finite() && *v > 0.0);
        let share = |v: f32| (0.0..=1.0).contains(&v);
        let sure = |s: &Sure| share(s.at_99) && share(s.at_995);
        let thresholds = sure(&self.sure) && self.families.values().all(sure);
        positive
            && thresholds
            && self.nearness.is_finite()
            && self.nearness >= 0.0
            && (-20.0..=20.0).contains(&self.assent.untaught)
            && (-1.0..=1.0).contains(&self.unknown_at)
    }

    /// When an answer of this family is believed.
    pub fn sure_of(&self, family: Option<u32>) -> &Sure {
        family.and_then(|family| self.families.get(&family)).unwrap_or(&self.sure)
    }

    /// Probability that a crop is no enrolled product, by its best similarity.
    pub fn unknown(&self, best_similarity: f32) -> f32 {
        1.0 / (1.0 + (-self.unknown_slope * (self.unknown_at - best_similarity)).exp())
    }
}

/// Softmax of `scores` × `factor`. Empty for empty.
pub fn softmax(scores: &[f32], factor: f32) -> Vec<f32> {
    let top = scores.iter().copied().fold(f32::MIN, f32::max);
    let mut out: Vec<f32> = scores.iter().map(|s| ((s - top) * factor).exp()).collect();
    let sum: f32 = out.iter().sum();
    if sum > 0.0 {
        out.iter_mut().for_each(|v| *v /= sum);
    }
    out
}

/// Where known turns to unknown: best similarities of crops of enrolled products and of others.
/// `share` is how often a crop is expected to be of no enrolled product.
pub fn fit_unknown(known: &[f32], others: &[f32], share: f32) -> (f32, f32) {
    let (weight_known, weight_other) = ((1.0 - share) / known.len().max(1) as f32, share / others.len().max(1) as f32);
    let loss = |at: f32, slope: f32| -> f32 {
        let calibration = Calibration { unknown_at: at, unknown_slope: slope, ..Calibration::default() };
        let log = |p: f32| -p.max(1e-6).ln();
        let kept: f32 = known.iter().map(|s| log(1.0 - calibration.unknown(*s))).sum();
        let refused: f32 = others.iter().map(|s| log(calibration.unknown(*s))).sum();
        kept * weight_known + refused * weight_other
    };
    let grid = (-40..=40).flat_map(|at| (1..40).map(move |slope| (at as f32 / 40.0, slope as f32)));
    let best = grid.min_by(|a, b| loss(a.0, a.1).total_cmp(&loss(b.0, b.1)));
    best.unwrap_or((0.35, 10.0))
}

/// The lowest probability above which `precision` of the answers are right; 1 when there is none.
///
/// One wrong answer and one more are counted that were not seen (Laplace's rule of succession): few
/// answers prove little, and a threshold on them must be the higher for it.
pub fn fit_sure(answers: &[(f32, bool)], precision: f32) -> f32 {
    let mut sorted = answers.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut wrong, mut threshold) = (0u32, 1.0);
    for (number, (probability, correct)) in sorted.iter().enumerate() {
        wrong += u32::from(!correct);
        if (wrong + 1) as f32 <= (1.0 - precision) * (number + 3) as f32 {
            threshold = *probability;
        }
    }
    threshold
}

/// The value with the least loss.
pub fn best_of(values: impl Iterator<Item = f32>, mut loss: impl FnMut(f32) -> f32) -> Option<f32> {
    values.map(|v| (v, loss(v))).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(v, _)| v)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn far_from_every_view_is_unknown() {
        let (at, slope) = fit_unknown(&[0.8, 0.85, 0.9, 0.7], &[0.1, 0.2, 0.3], 0.2);
        let calibration = Calibration { unknown_at: at, unknown_slope: slope, ..Calibration::default() };
        assert!(calibration.unknown(0.8) < 0.1 && calibration.unknown(0.15) > 0.9, "{at} {slope}");
    }

    #[test]
    fn the_sure_threshold_keeps_its_precision_and_trusts_few_answers_less() {
        let ladder = |count: usize, wrong: &[usize]| -> Vec<(f32, bool)> {
            (0..count).map(|i| (1.0 - i as f32 / 1_000.0, !wrong.contains(&i))).collect()
        };
        let check = |count: usize, wrong: &[usize], precision: f32, expected: f32| {
            let found = fit_sure(&ladder(count, wrong), precision);
            assert!((found - expected).abs() < 1e-6, "{found} for {expected}");
        };
        check(300, &[], 0.99, 0.701);
        // Sixty right answers do not prove 99 in 100.
        check(60, &[], 0.99, 1.0);
        // A wrong one low down stops the threshold above it.
        check(300, &[150, 160, 170, 180, 190, 200], 0.99, 0.851);
        check(0, &[], 0.99, 1.0);
    }
}
