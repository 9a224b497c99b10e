//! From scores to probabilities that can be believed.
//!
//! Four numbers, fitted on photos the model was not trained on, stand beside the model file.
//!
//! *Taught classes* are told apart by the model's own head, softened by `temperature`. *Enrolled
//! products* it was never taught have only their views: the softmax of `sharpness` × similarity over
//! the whole gallery says how much of the mass belongs to them; the head shares out the rest. Last,
//! a crop that is near no view at all is *unknown*: the logistic of `unknown_slope` ×
//! (`unknown_at` − best similarity). Everything sums to one.

use serde::{Deserialize, Serialize};

/// The fitted numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calibration {
    /// Divides the head's logits; above 0.
    pub temperature: f32,
    /// Multiplies similarities in the softmax over enrolled views; above 0.
    pub sharpness: f32,
    /// The best similarity at which known and unknown are equally likely, -1 to 1.
    pub unknown_at: f32,
    /// How fast that turns; above 0.
    pub unknown_slope: f32,
    /// Above this probability 99 % of the answers on the fitting photos were right; looks stop there.
    pub sure_at: f32,
}

impl Default for Calibration {
    /// Cautious numbers for a model that was not fitted yet.
    fn default() -> Self {
        Self { temperature: 1.0, sharpness: 12.0, unknown_at: 0.35, unknown_slope: 10.0, sure_at: 0.99 }
    }
}

impl Calibration {
    /// True when every number is in its range.
    pub fn is_sound(&self) -> bool {
        let positive = [self.temperature, self.sharpness, self.unknown_slope].iter().all(|v| v.is_finite() && *v > 0.0);
        positive && (-1.0..=1.0).contains(&self.unknown_at) && (0.0..=1.0).contains(&self.sure_at)
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

/// The temperature under which the true classes are likeliest. Pairs of logits and true class.
pub fn fit_temperature(samples: &[(Vec<f32>, usize)]) -> f32 {
    let loss = |temperature: f32| -> f32 {
        let of = |(logits, truth): &(Vec<f32>, usize)| {
            -softmax(logits, 1.0 / temperature).get(*truth).copied().unwrap_or(0.0).max(1e-9).ln()
        };
        samples.iter().map(of).sum()
    };
    best_of((0..160).map(|i| 0.2 * 1.025f32.powi(i)), loss).unwrap_or(1.0)
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
pub fn fit_sure(answers: &[(f32, bool)], precision: f32) -> f32 {
    let mut sorted = answers.to_vec();
    sorted.sort_by(|a, b| b.0.total_cmp(&a.0));
    let (mut right, mut threshold) = (0u32, 1.0);
    for (number, (probability, correct)) in sorted.iter().enumerate() {
        right += u32::from(*correct);
        if right as f32 >= precision * (number + 1) as f32 {
            threshold = *probability;
        }
    }
    threshold
}

/// The value with the least loss.
pub fn best_of(values: impl Iterator<Item = f32>, loss: impl Fn(f32) -> f32) -> Option<f32> {
    values.map(|v| (v, loss(v))).min_by(|a, b| a.1.total_cmp(&b.1)).map(|(v, _)| v)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overconfident_logits_get_a_temperature_above_one() {
        // Always sure (logit 6 apart), right in 8 of 10: the honest temperature is 6 / ln 4 = 4.3.
        let samples: Vec<_> = (0..100).map(|i| (vec![6.0, 0.0], usize::from(i % 10 >= 8))).collect();
        let temperature = fit_temperature(&samples);
        assert!((temperature - 4.33).abs() < 0.2, "{temperature}");
    }

    #[test]
    fn far_from_every_view_is_unknown() {
        let (at, slope) = fit_unknown(&[0.8, 0.85, 0.9, 0.7], &[0.1, 0.2, 0.3], 0.2);
        let calibration = Calibration { unknown_at: at, unknown_slope: slope, ..Calibration::default() };
        assert!(calibration.unknown(0.8) < 0.1 && calibration.unknown(0.15) > 0.9, "{at} {slope}");
    }

    #[test]
    fn the_sure_threshold_keeps_its_precision() {
        let check = |answers: &[(f32, bool)], expected: f32| assert_eq!(fit_sure(answers, 0.99), expected);
        check(&[(0.9, true), (0.8, true), (0.7, false), (0.6, true)], 0.8);
        check(&[(0.9, false)], 1.0);
        check(&[], 1.0);
    }
}
