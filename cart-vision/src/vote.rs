//! Many looks at one thing become one opinion.
//!
//! Looks at one thing are far from independent: the same side, the same light. So they are not
//! multiplied, which would make ten equal looks certain, but averaged as log-probabilities and
//! brought back to a sum of one: looks that agree stay as sure as they were, looks that disagree
//! cancel out. A look at rest weighs more than one in flight.

use std::collections::BTreeMap;

use trip::Sku;

use crate::recogniser::Judgement;

/// Below this a probability is taken as this: one look cannot veto.
const FLOOR: f32 = 1e-4;
/// Looks that must have been taken before they can be enough.
const ENOUGH_LOOKS: u32 = 3;

/// The looks at one track so far.
#[derive(Clone, Debug, Default)]
pub struct Vote {
    sums: BTreeMap<Option<Sku>, f32>,
    weight: f32,
    looks: u32,
    leader: Option<Sku>,
    leader_looks: u32,
}

impl Vote {
    /// Adds a look with a weight above zero.
    pub fn add(&mut self, look: &Judgement, weight: f32) {
        let of = |sku: &Option<Sku>| match sku {
            Some(sku) => look.probabilities.get(sku).copied().unwrap_or(0.0),
            None => look.unknown,
        };
        let named = look.probabilities.keys().cloned().map(Some).chain([None]);
        for sku in named {
            // A product enrolled between two looks was at the floor before.
            let earlier = self.weight * FLOOR.ln();
            self.sums.entry(sku).or_insert(earlier);
        }
        for (sku, sum) in &mut self.sums {
            *sum += weight * of(sku).max(FLOOR).ln();
        }
        self.weight += weight;
        self.looks += 1;
        let best = look.best(1).first().filter(|(_, p)| *p > look.unknown).map(|(sku, _)| (*sku).clone());
        self.leader_looks = if best == self.leader { self.leader_looks + 1 } else { 1 };
        self.leader = best;
    }

    /// Looks so far.
    pub fn looks(&self) -> u32 {
        self.looks
    }

    /// The opinion of all looks together; nothing known before the first.
    pub fn judgement(&self) -> Judgement {
        if self.weight <= 0.0 {
            return Judgement { probabilities: BTreeMap::new(), unknown: 1.0 };
        }
        let mean: Vec<f32> = self.sums.values().map(|s| (s / self.weight).exp()).collect();
        let total: f32 = mean.iter().sum();
        let mut judgement = Judgement { probabilities: BTreeMap::new(), unknown: 0.0 };
        for (sku, p) in self.sums.keys().zip(mean) {
            match sku {
                Some(sku) => drop(judgement.probabilities.insert(sku.clone(), p / total)),
                None => judgement.unknown = p / total,
            }
        }
        judgement
    }

    /// True when more looks would only cost time: the last ones agree and together pass `sure_at`.
    pub fn is_sure(&self, sure_at: f32) -> bool {
        self.leader.is_some()
            && self.leader_looks >= ENOUGH_LOOKS
            && self
                .judgement()
                .best(1)
                .first()
                .is_some_and(|(sku, p)| Some(*sku) == self.leader.as_ref() && *p >= sure_at)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(lime: f32, lemon: f32) -> Judgement {
        let sku = |name: &str| Sku::new(name).expect("a valid name");
        let probabilities = BTreeMap::from([(sku("lime"), lime), (sku("lemon"), lemon)]);
        Judgement { probabilities, unknown: 1.0 - lime - lemon }
    }

    fn vote(looks: &[(f32, f32)]) -> Vote {
        let mut vote = Vote::default();
        looks.iter().for_each(|(lime, lemon)| vote.add(&look(*lime, *lemon), 1.0));
        vote
    }

    #[test]
    fn equal_looks_are_no_surer_than_one() {
        let check = |count: usize| {
            let judged = vote(&vec![(0.7, 0.2); count]).judgement();
            let best = judged.best(1)[0].1;
            assert!((best - 0.7).abs() < 1e-3, "{best} after {count}");
        };
        [1, 3, 20].into_iter().for_each(check);
    }

    #[test]
    fn one_wild_look_does_not_overturn_four() {
        let judged = vote(&[(0.9, 0.05), (0.9, 0.05), (0.0, 1.0), (0.9, 0.05), (0.9, 0.05)]).judgement();
        assert_eq!(judged.best(1)[0].0.as_str(), "lime");
        assert!(judged.best(1)[0].1 < 0.9, "but it is less sure: {judged:?}");
    }

    #[test]
    fn three_agreeing_sure_looks_are_enough_and_fewer_are_not() {
        let check = |looks: &[(f32, f32)], sure: bool| assert_eq!(vote(looks).is_sure(0.95), sure, "{looks:?}");
        check(&[(0.99, 0.0), (0.99, 0.0), (0.99, 0.0)], true);
        check(&[(0.99, 0.0), (0.99, 0.0)], false);
        check(&[(0.6, 0.3), (0.6, 0.3), (0.6, 0.3)], false);
        check(&[(0.0, 0.99), (0.99, 0.0), (0.99, 0.0)], false);
        check(&[], false);
    }
}
