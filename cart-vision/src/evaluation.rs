//! How good is it: figures over things whose truth is known.

use serde::Serialize;
use trip::Sku;

use crate::calibration::Sure;
use crate::embedding::Features;
use crate::model_description::ModelDescription;
use crate::recogniser::{Judgement, Recogniser};
use crate::vote::Vote;

/// One thing whose truth is known, with every look taken at it.
#[derive(Clone, Debug)]
pub struct Labelled {
    /// What the model said, one a look.
    pub looks: Vec<Features>,
    /// The true product.
    pub truth: Sku,
    /// Its family.
    pub coarse: u32,
}

impl Labelled {
    /// What the looks say together.
    pub fn answer(&self, judge: impl Fn(&Features) -> Judgement) -> Answer {
        let mut vote = Vote::default();
        self.looks.iter().for_each(|look| vote.add(&judge(look), 1.0));
        Answer { judgement: vote.judgement(), truth: self.truth.clone(), coarse: self.coarse }
    }
}

/// What was said of a thing, and what it was.
#[derive(Clone, Debug)]
pub struct Answer {
    /// What was said.
    pub judgement: Judgement,
    /// The true product.
    pub truth: Sku,
    /// Its family.
    pub coarse: u32,
}

impl Answer {
    /// The best candidate's probability, and whether it is right.
    pub fn best(&self) -> Option<(f32, bool)> {
        self.judgement.best(1).first().map(|(sku, p)| (*p, **sku == self.truth))
    }
}

/// The answers of a recogniser.
pub fn answers(recogniser: &Recogniser, things: &[Labelled]) -> Vec<Answer> {
    things.iter().map(|thing| thing.answer(|look| recogniser.judge(look))).collect()
}

/// Shares over answers, 0 to 1.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct PhotoFigures {
    /// Answers.
    pub images: usize,
    /// Share whose best candidate is right.
    pub top1: f32,
    /// Share with the truth among the best three.
    pub top3: f32,
    /// Share whose best candidate is of the right family.
    pub coarse1: f32,
    /// Expected calibration error over ten bins.
    pub ece: f32,
    /// Mean probability given to "no enrolled product".
    pub unknown: f32,
}

/// Counts what was right.
pub fn figures(description: &ModelDescription, answers: &[Answer]) -> PhotoFigures {
    let mut sum = PhotoFigures { images: answers.len(), ..PhotoFigures::default() };
    let mut bins = [(0.0f32, 0.0f32); 10];
    for answer in answers {
        let best = answer.judgement.best(3);
        sum.unknown += answer.judgement.unknown;
        sum.top3 += f32::from(best.iter().any(|(sku, _)| **sku == answer.truth));
        let Some((sku, probability)) = best.first() else { continue };
        let right = **sku == answer.truth;
        sum.top1 += f32::from(right);
        sum.coarse1 += f32::from(description.family(sku) == Some(answer.coarse));
        let bin = &mut bins[((probability * 10.0) as usize).min(9)];
        *bin = (bin.0 + probability, bin.1 + f32::from(right));
    }
    let n = answers.len().max(1) as f32;
    let gap: f32 = bins.iter().map(|(said, right)| (said - right).abs()).sum();
    PhotoFigures {
        top1: sum.top1 / n,
        top3: sum.top3 / n,
        coarse1: sum.coarse1 / n,
        ece: gap / n,
        unknown: sum.unknown / n,
        ..sum
    }
}

/// How much is answered above a threshold that was fixed beforehand.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Coverage {
    /// The threshold of most families; a family that is mistaken more often has a higher one.
    pub threshold: f32,
    /// Share of all that is answered, 0 to 1.
    pub coverage: f32,
    /// Share of the answered that is right, 0 to 1; 1 when nothing is answered.
    pub precision: f32,
}

/// Coverage and precision above the shipped threshold that `pick` names.
pub fn coverage(description: &ModelDescription, answers: &[Answer], pick: impl Fn(&Sure) -> f32) -> Coverage {
    let (mut answered, mut right) = (0u32, 0u32);
    for answer in answers {
        let best = answer.judgement.best(1);
        let Some((sku, probability)) = best.first() else { continue };
        if *probability >= pick(description.calibration.sure_of(description.family(sku))) {
            answered += 1;
            right += u32::from(**sku == answer.truth);
        }
    }
    Coverage {
        threshold: pick(&description.calibration.sure),
        coverage: answered as f32 / answers.len().max(1) as f32,
        precision: if answered == 0 { 1.0 } else { right as f32 / answered as f32 },
    }
}

/// How well a number tells strangers, who have more of it, from the known: the share of pairs in the right
/// order (the area under the ROC curve), 0.5 for not at all. NaN when either is missing.
pub fn told_apart(known: &[f32], strangers: &[f32]) -> f32 {
    let order = |k: &f32, s: &f32| if s > k { 1.0 } else { f64::from(u8::from(s == k)) / 2.0 };
    let sum: f64 = strangers.iter().map(|s| known.iter().map(|k| order(k, s)).sum::<f64>()).sum();
    (sum / (known.len() * strangers.len()) as f64) as f32
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::calibration::Calibration;

    fn sku(name: &str) -> Sku {
        Sku::new(name).expect("a valid name")
    }

    fn description() -> ModelDescription {
        let sure = |at_99, at_995| Sure { at_99, at_995 };
        let families = BTreeMap::from([(7, sure(0.95, 0.99))]);
        let calibration = Calibration { sure: sure(0.6, 0.8), families, ..Calibration::default() };
        ModelDescription::of_classes(&[("lime", 0), ("milk", 7), ("cream", 7)], calibration)
    }

    fn answer(truth: &str, coarse: u32, said: &[(&str, f32)]) -> Answer {
        let probabilities = said.iter().map(|(name, p)| (sku(name), *p)).collect();
        let unknown = 1.0 - said.iter().map(|(_, p)| p).sum::<f32>();
        Answer { judgement: Judgement { probabilities, unknown }, truth: sku(truth), coarse }
    }

    #[test]
    fn right_in_three_and_right_in_family_are_counted_apart() {
        let answers = [
            answer("lime", 0, &[("lime", 0.9)]),
            answer("milk", 7, &[("cream", 0.5), ("milk", 0.4)]),
            answer("milk", 7, &[("lime", 0.8)]),
        ];
        let found = figures(&description(), &answers);
        let share = |value: f32, of: f32| (value - of / 3.0).abs() < 1e-6;
        assert!(share(found.top1, 1.0) && share(found.top3, 2.0) && share(found.coarse1, 2.0), "{found:?}");
    }

    #[test]
    fn a_family_that_is_mistaken_more_often_has_its_own_threshold() {
        let answers = [
            answer("lime", 0, &[("lime", 0.7)]),
            answer("milk", 7, &[("milk", 0.9)]),
            answer("cream", 7, &[("milk", 0.97)]),
        ];
        let found = coverage(&description(), &answers, |sure| sure.at_99);
        assert_eq!((found.threshold, found.precision), (0.6, 0.5));
        assert!((found.coverage - 2.0 / 3.0).abs() < 1e-6, "{found:?}");
        assert_eq!(coverage(&description(), &[], |sure| sure.at_995).precision, 1.0);
    }

    #[test]
    fn strangers_are_told_apart_by_the_share_of_pairs_in_order() {
        let check = |known: &[f32], strangers: &[f32], expected: f32| {
            assert!((told_apart(known, strangers) - expected).abs() < 1e-6, "{known:?} {strangers:?}");
        };
        check(&[0.1, 0.2], &[0.8, 0.9], 1.0);
        check(&[0.1, 0.9], &[0.5], 0.5);
        check(&[0.4], &[0.4], 0.5);
        assert!(told_apart(&[], &[0.4]).is_nan());
    }
}
