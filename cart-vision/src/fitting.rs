//! Fits a [`Calibration`] to things that the model was not trained on.
//!
//! Whatever is fitted here is fitted to what the cart will do: temperature and thresholds to the vote
//! over all looks at a thing, the unknown to products left out of the gallery, the weight of enrolled products
//! to pictures of products that were enrolled without them.

use std::collections::{BTreeMap, BTreeSet};

use trip::Sku;

use crate::calibration::{Assent, Calibration, Sure, UNKNOWN_SHARE, best_of, fit_sure, fit_unknown};
use crate::embedding::Features;
use crate::evaluation::{Answer, Labelled, answers};
use crate::model_description::ModelDescription;
use crate::recogniser::Recogniser;

/// A family is set apart when without it so much more of all can be answered.
const WORTH_SETTING_APART: f32 = 0.04;
/// A family that is set apart was picked because it was mistaken here: what is promised of the others has to be
/// shown with this share of the wrong answers that it allows.
const AFTER_A_PICK: f32 = 0.8;

/// Fits temperature, nearness and the unknown. Thresholds are left as they are, for they need the answers
/// ([`fit_thresholds`]), and so is the weight of enrolled products, for it needs some ([`fit_assent`]).
/// `nothing` are looks at no product.
pub fn fit(recogniser: &Recogniser, things: &[Labelled], nothing: &[Features]) -> Calibration {
    let mut tried = recogniser.clone();
    // Always from the same place, whatever was fitted before.
    tried.calibration_mut().nearness = 0.0;
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

    // Temperature and nearness in turns: the best of the one at the best of the other.
    for _ in 0..3 {
        let temperature = best_of((0..90).map(|i| 0.15 * 1.035f32.powi(i)), |temperature| {
            tried.calibration_mut().temperature = temperature;
            surprise(&tried, things)
        });
        tried.calibration_mut().temperature = temperature.unwrap_or(1.0);
        let nearness = best_of((0..=40).map(|i| i as f32), |nearness| {
            tried.calibration_mut().nearness = nearness;
            surprise(&tried, things)
        });
        tried.calibration_mut().nearness = nearness.unwrap_or(0.0);
    }
    tried.description().calibration.clone()
}

/// Things of known truth, with the gallery that they are to be found in.
#[derive(Clone, Debug)]
pub struct Trial {
    /// Model and gallery: of an enrolled product without the pictures of the thing itself.
    pub recogniser: Recogniser,
    /// What is looked at.
    pub things: Vec<Labelled>,
}

/// Fits sharpness and [`Assent`] to things of both kinds, taught and enrolled, each counting once. Things
/// that the model was trained on are named too easily: they show what enrolled products take from them at least.
pub fn fit_assent(trials: &[Trial]) -> Option<(f32, Assent)> {
    let mut tried = trials.to_vec();
    let mut loss = |sharpness: f32, assent: Assent| -> f32 {
        let of = |trial: &mut Trial| -> f32 {
            let calibration = trial.recogniser.calibration_mut();
            (calibration.sharpness, calibration.assent) = (sharpness, assent);
            surprise(&trial.recogniser, &trial.things)
        };
        tried.iter_mut().map(of).sum()
    };
    let sharpnesses = [12.0, 16.0, 20.0, 24.0, 28.0, 34.0f32];
    let temperatures = [0.7, 1.0, 1.4, 2.0, 2.8f32];
    let grid = sharpnesses.iter().flat_map(|s| temperatures.iter().map(move |t| (*s, *t)));
    let grid =
        grid.flat_map(|(s, t)| (-6..=1).map(move |half| (s, Assent { temperature: t, untaught: half as f32 / 2.0 })));
    let tried: Vec<(f32, (f32, Assent))> = grid.map(|(s, assent)| (loss(s, assent), (s, assent))).collect();
    tried.into_iter().min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, best)| best)
}

/// What the truths come as to `recogniser`, all together, in nats.
fn surprise(recogniser: &Recogniser, things: &[Labelled]) -> f32 {
    let of = |answer: &Answer| -answer.judgement.given_known(&answer.truth).max(1e-6).ln();
    answers(recogniser, things).iter().map(of).sum()
}

/// The thresholds above which 99 % and 99.5 % of the answers are right, with what chance may have given counted in;
/// and those of the families that are mistaken more often than the rest.
///
/// One family may be set apart: it has thresholds of its own, from its own answers, and the common ones are fitted
/// to the others. Were more of them picked, what is left would look surer than it is: fitted without an eighth of the
/// photos and measured on it, two gave 98.2 % where 99 was promised.
pub fn fit_thresholds(description: &ModelDescription, answers: &[Answer]) -> (Sure, BTreeMap<u32, Sure>) {
    let said: Vec<(u32, (f32, bool))> = answers
        .iter()
        .filter_map(|answer| {
            let family = description.family(answer.judgement.best(1).first()?.0)?;
            Some((family, answer.best()?))
        })
        .collect();
    let part = |pick: &dyn Fn(u32) -> bool| -> Vec<(f32, bool)> {
        said.iter().filter(|(family, _)| pick(*family)).map(|(_, answer)| *answer).collect()
    };
    let above = |answers: &[(f32, bool)], threshold: f32| answers.iter().filter(|(p, _)| *p >= threshold).count();
    let common = part(&|_| true);
    let answered = above(&common, fit_sure(&common, 0.99));
    let mistaken: BTreeSet<u32> = said.iter().filter(|(_, (_, right))| !right).map(|(family, _)| *family).collect();
    let without = mistaken.into_iter().map(|family| {
        let others = part(&|f| f != family);
        (above(&others, fit_sure(&others, promised(0.99, true))), family)
    });
    let apart =
        without.max().filter(|(more, _)| *more as f32 - answered as f32 >= WORTH_SETTING_APART * said.len() as f32);
    let apart = apart.map(|(_, family)| family);
    let sure = sure_from(&part(&|family| Some(family) != apart), apart.is_some());
    let own = apart.map(|family| {
        let own = sure_from(&part(&|f| f == family), false);
        // It is believed no sooner than the others.
        (family, Sure { at_99: own.at_99.max(sure.at_99), at_995: own.at_995.max(sure.at_995) })
    });
    (sure, own.into_iter().collect())
}

/// The share of right answers that has to be shown for `precision`.
fn promised(precision: f32, picked: bool) -> f32 {
    if picked { 1.0 - AFTER_A_PICK * (1.0 - precision) } else { precision }
}

fn sure_from(answers: &[(f32, bool)], picked: bool) -> Sure {
    let (at_99, proven) = (fit_sure(answers, promised(0.99, picked)), fit_sure(answers, promised(0.995, picked)));
    // Some 200 right answers in a row are needed to prove 99.5 %. With fewer, half the doubt is taken: a guess that
    // errs on the side of asking.
    let at_995 = if proven < 1.0 { proven.max(at_99) } else { (1.0 + at_99) / 2.0 };
    Sure { at_99, at_995 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::recogniser::Judgement;
    use crate::{Embedding, Gallery};

    fn sku(name: &str) -> Sku {
        Sku::new(name).expect("a valid name")
    }

    fn at(degrees: f32) -> Embedding {
        Embedding::new(vec![degrees.to_radians().cos(), degrees.to_radians().sin()]).expect("unit")
    }

    fn thing(name: &str, degrees: f32, logits: [f32; 2]) -> Labelled {
        let look = Features { embedding: at(degrees), logits: logits.to_vec() };
        Labelled { looks: vec![look], truth: sku(name), coarse: 0 }
    }

    #[test]
    fn an_enrolled_product_beside_a_taught_one_is_known_by_the_heads_doubt() {
        let assent = Assent { temperature: 2.8, untaught: -3.0 };
        let calibration = Calibration { assent, ..Calibration::default() };
        let description = ModelDescription::of_classes(&[("lime", 0), ("lemon", 0)], calibration);
        let mut gallery = Gallery::new("m", 2);
        for (name, degrees) in [("lime", 0.0), ("lemon", 40.0), ("yuzu", 60.0)] {
            gallery.enrol(sku(name), &[at(degrees)]).expect("enrolled");
        }
        let mut recogniser = Recogniser::new(description, gallery).expect("one model");
        // Halfway between lemon and yuzu; the head places lemons and is at a loss with yuzus.
        let yuzus = [thing("yuzu", 50.0, [0.5, 1.5]), thing("yuzu", 48.0, [0.0, 1.0])];
        let lemons = [thing("lemon", 50.0, [0.0, 8.0]), thing("lemon", 52.0, [0.5, 7.0])];
        let things: Vec<Labelled> = yuzus.into_iter().chain(lemons).collect();
        let right = |recogniser: &Recogniser| {
            answers(recogniser, &things).iter().filter(|a| a.best().is_some_and(|(_, right)| right)).count()
        };
        assert!(right(&recogniser) < things.len(), "the example is too easy");
        let trial = Trial { recogniser: recogniser.clone(), things: things.clone() };
        let fitted = fit_assent(&[trial]).expect("a fit");
        (recogniser.calibration_mut().sharpness, recogniser.calibration_mut().assent) = fitted;
        assert_eq!(right(&recogniser), things.len(), "{fitted:?}");
    }

    fn description() -> ModelDescription {
        ModelDescription::of_classes(&[("lime", 0), ("galia", 7), ("cantaloupe", 7)], Calibration::default())
    }

    fn said(truth: &str, coarse: u32, best: &str, p: f32) -> Answer {
        let judgement = Judgement { probabilities: BTreeMap::from([(sku(best), p)]), unknown: 1.0 - p };
        Answer { judgement, truth: sku(truth), coarse }
    }

    #[test]
    fn a_family_that_is_mistaken_where_others_are_right_is_set_apart() {
        let limes = (0..200).map(|i| said("lime", 0, "lime", 0.99 - i as f32 * 0.001));
        let mut answers: Vec<Answer> = limes.collect();
        let (all, _) = fit_thresholds(&description(), &answers);
        assert!(all.at_99 < 0.8, "{all:?}");
        answers.extend((0..4).map(|i| said("cantaloupe", 7, "galia", 0.98 - i as f32 * 0.01)));
        let (others, families) = fit_thresholds(&description(), &answers);
        assert_eq!((others.at_99, families.get(&7).map(|own| own.at_99)), (all.at_99, Some(1.0)));
        // 200 right answers in a row prove 99.5 % of all, and not of what is left after a pick.
        assert_eq!((all.at_995, others.at_995 > others.at_99), (all.at_99, true), "{all:?} {others:?}");
        // Where it makes no difference nobody is picked: the wrong answer is the least sure of all.
        let mut tame = answers[..200].to_vec();
        tame.push(said("cantaloupe", 7, "galia", 0.3));
        assert!(fit_thresholds(&description(), &tame).1.is_empty());
    }

    #[test]
    fn what_the_head_confuses_the_views_tell_apart() {
        let mut gallery = Gallery::new("m", 2);
        for (name, degrees) in [("lime", 0.0), ("galia", 40.0), ("cantaloupe", 80.0)] {
            gallery.enrol(sku(name), &[at(degrees)]).expect("enrolled");
        }
        let recogniser = Recogniser::new(description(), gallery).expect("one model");
        let head = [vec![0.0, 2.0, 1.5], vec![0.0, 1.5, 1.6]];
        let things: Vec<Labelled> = [("cantaloupe", 78.0, &head[0]), ("galia", 42.0, &head[1])]
            .map(|(name, degrees, logits)| {
                let look = Features { embedding: at(degrees), logits: logits.clone() };
                Labelled { looks: vec![look], truth: sku(name), coarse: 7 }
            })
            .into();
        let right = |calibration: Calibration| {
            let mut tried = recogniser.clone();
            *tried.calibration_mut() = calibration;
            answers(&tried, &things).iter().filter(|a| a.best().is_some_and(|(_, right)| right)).count()
        };
        let fitted = fit(&recogniser, &things, &[]);
        assert!(fitted.nearness > 0.0, "{fitted:?}");
        assert_eq!(right(Calibration { nearness: 0.0, ..fitted.clone() }), 0);
        assert_eq!(right(fitted), 2);
    }
}
