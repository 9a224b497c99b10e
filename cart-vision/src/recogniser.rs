//! From one look to probabilities over the enrolled products, by the rule of [`crate::calibration`].

use std::collections::{BTreeMap, HashMap};

use trip::Sku;

use crate::calibration::{Calibration, softmax};
use crate::embedding::Features;
use crate::gallery::{Gallery, GalleryError};
use crate::model_description::ModelDescription;

/// What one look says. The probabilities and `unknown` sum to one.
#[derive(Clone, Debug, PartialEq)]
pub struct Judgement {
    /// Every enrolled product.
    pub probabilities: BTreeMap<Sku, f32>,
    /// That it is none of them.
    pub unknown: f32,
}

impl Judgement {
    /// The probability of a product if it is an enrolled one at all, 0 to 1.
    pub fn given_known(&self, sku: &Sku) -> f32 {
        let known: f32 = self.probabilities.values().sum();
        self.probabilities.get(sku).map_or(0.0, |p| p / known.max(1e-9))
    }

    /// Products, likeliest first, at most `count`.
    pub fn best(&self, count: usize) -> Vec<(&Sku, f32)> {
        let mut all: Vec<_> = self.probabilities.iter().map(|(sku, p)| (sku, *p)).collect();
        all.sort_by(|a, b| b.1.total_cmp(&a.1));
        all.truncate(count);
        all
    }
}

/// A model's description with the gallery in use.
#[derive(Clone, Debug)]
pub struct Recogniser {
    description: ModelDescription,
    class_of: HashMap<Sku, usize>,
    gallery: Gallery,
}

impl Recogniser {
    /// Puts both together.
    ///
    /// # Errors
    /// [`GalleryError::OtherModel`] when the gallery is of another model.
    pub fn new(description: ModelDescription, gallery: Gallery) -> Result<Self, GalleryError> {
        if gallery.model() != description.fingerprint {
            return Err(GalleryError::OtherModel {
                path: "in use".into(),
                found: gallery.model().into(),
                expected: description.fingerprint,
            });
        }
        let class_of = description.classes.iter().cloned().enumerate().map(|(i, sku)| (sku, i)).collect();
        Ok(Self { description, class_of, gallery })
    }

    /// The model's description.
    pub fn description(&self) -> &ModelDescription {
        &self.description
    }

    /// The enrolled products.
    pub fn gallery(&self) -> &Gallery {
        &self.gallery
    }

    /// For enrolling while in use.
    pub fn gallery_mut(&mut self) -> &mut Gallery {
        &mut self.gallery
    }

    /// For trying numbers while they are fitted.
    pub(crate) fn calibration_mut(&mut self) -> &mut Calibration {
        &mut self.description.calibration
    }

    /// Probabilities of one look. An empty gallery knows nothing.
    pub fn judge(&self, look: &Features) -> Judgement {
        let calibration = &self.description.calibration;
        let similarities = self.gallery.similarities(&look.embedding);
        let nearest = similarities.iter().copied().fold(f32::MIN, f32::max);
        if similarities.is_empty() || !nearest.is_finite() {
            return Judgement { probabilities: BTreeMap::new(), unknown: 1.0 };
        }
        let logit = |sku: &Sku| {
            let class = *self.class_of.get(sku)?;
            look.logits.get(class).copied().filter(|l| l.is_finite())
        };
        let logits: Vec<Option<f32>> = self.gallery.skus().map(logit).collect();
        let taught: Vec<f32> = logits.iter().flatten().copied().collect();
        let score = |logit: f32, similarity: f32| logit / calibration.temperature + calibration.nearness * similarity;
        let scores = logits.iter().zip(&similarities).filter_map(|(logit, s)| Some(score((*logit)?, *s)));
        let mut shares = softmax(&scores.collect::<Vec<f32>>(), 1.0).into_iter();
        let mut assents = softmax(&taught, 1.0 / calibration.assent.temperature).into_iter();
        let no_word = calibration.assent.untaught.exp();
        // How likely each product is by its nearest view and, if it was taught, by the head's word on it.
        let likely: Vec<f32> = (similarities.iter().zip(&logits))
            .map(|(similarity, logit)| {
                let assent = logit.map_or(no_word, |_| assents.next().unwrap_or(0.0));
                assent * (calibration.sharpness * (similarity - nearest)).exp()
            })
            .collect();
        let all: f32 = likely.iter().sum();
        let taught_likely: f32 = likely.iter().zip(&logits).filter(|(_, l)| l.is_some()).map(|(p, _)| p).sum();
        let unknown = calibration.unknown(nearest);
        let mut probabilities = BTreeMap::new();
        for ((sku, own), logit) in self.gallery.skus().zip(likely).zip(logits) {
            let share = match logit {
                Some(_) => shares.next().unwrap_or(0.0) * taught_likely,
                None => own,
            };
            probabilities.insert(sku.clone(), share / all.max(f32::MIN_POSITIVE) * (1.0 - unknown));
        }
        Judgement { probabilities, unknown }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Embedding;

    fn sku(name: &str) -> Sku {
        Sku::new(name).expect("a valid name")
    }

    fn at(degrees: f32) -> Embedding {
        Embedding::new(vec![degrees.to_radians().cos(), degrees.to_radians().sin()]).expect("unit")
    }

    fn recogniser() -> Recogniser {
        let classes = [("lime", 0), ("lemon", 0), ("never-stocked", 1)];
        let description = ModelDescription::of_classes(&classes, Calibration::default());
        let mut gallery = Gallery::new("m", 2);
        for (name, degrees) in [("lime", 0.0), ("lemon", 20.0), ("soap", 90.0)] {
            gallery.enrol(sku(name), &[at(degrees)]).expect("enrolled");
        }
        Recogniser::new(description, gallery).expect("one model")
    }

    fn check(degrees: f32, logits: [f32; 3], best: &str) -> Judgement {
        let judgement = recogniser().judge(&Features { embedding: at(degrees), logits: logits.to_vec() });
        assert_eq!(judgement.best(1)[0].0.as_str(), best, "{judgement:?}");
        let sum: f32 = judgement.probabilities.values().sum::<f32>() + judgement.unknown;
        assert!((sum - 1.0).abs() < 1e-4, "sums to {sum}");
        judgement
    }

    #[test]
    fn the_head_tells_taught_classes_apart_and_views_tell_the_enrolled() {
        check(10.0, [5.0, 1.0, 0.0], "lime");
        check(10.0, [1.0, 5.0, 0.0], "lemon");
        check(88.0, [5.0, 1.0, 0.0], "soap");
    }

    #[test]
    fn what_the_head_cannot_place_is_left_to_the_product_it_was_never_taught() {
        // As near to lemon as to soap: 55 degrees lie between 20 and 90.
        check(55.0, [0.0, 9.0, 0.0], "lemon");
        check(55.0, [0.0, 1.0, 0.0], "soap");
    }

    #[test]
    fn a_class_that_is_not_enrolled_is_never_offered() {
        let judgement = check(2.0, [1.0, 0.0, 50.0], "lime");
        assert!(!judgement.probabilities.contains_key(&sku("never-stocked")));
    }

    #[test]
    fn far_from_every_view_is_unknown_however_sure_the_head_is() {
        let judgement = check(230.0, [90.0, 0.0, 0.0], "lime");
        assert!(judgement.unknown > 0.95, "{judgement:?}");
    }

    #[test]
    fn nan_logits_and_an_empty_gallery_are_survived() {
        let judgement = recogniser().judge(&Features { embedding: at(0.0), logits: vec![f32::NAN; 3] });
        assert!(judgement.probabilities.values().all(|p| p.is_finite()));
        let description = recogniser().description().clone();
        let empty = Recogniser::new(description.clone(), Gallery::new("m", 2)).expect("one model");
        assert_eq!(empty.judge(&Features { embedding: at(0.0), logits: vec![] }).unknown, 1.0);
        assert!(Recogniser::new(description, Gallery::new("other", 2)).is_err());
    }
}
