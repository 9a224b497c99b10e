//! Many looks at one thing become one opinion.
//!
//! Looks at rest are far from independent: the same side, the same light. So they are not
//! multiplied, which would make ten equal looks certain, but averaged as log-probabilities and
//! brought back to a sum of one: looks that agree stay as sure as they were, looks that disagree
//! cancel out.
//!
//! A *glimpse*, a look in flight, may show the thing, or a sleeve, or what lies beneath. It only tips the
//! scales: what it names gains a little, what it does not name loses less, and what it cannot place says
//! nothing. Glimpses add up, for they show different sides, but a handful makes nothing certain.

use std::collections::BTreeMap;

use trip::Sku;

use crate::calibration::UNKNOWN_SHARE;
use crate::recogniser::Judgement;

/// Below this a probability is taken as this: one look cannot veto.
const FLOOR: f32 = 1e-4;
/// Looks that must agree before they can be enough.
const ENOUGH_LOOKS: u32 = 3;
/// So often a glimpse shows the thing itself.
const GLIMPSE_TRUST: f32 = 0.7;
/// How much a glimpse counts against all looks at rest. With both numbers the surprise was least on generated
/// trips with other seeds than those that are reported.
const GLIMPSE_WEIGHT: f32 = 0.1;
/// How much more glimpses count where there is nothing else.
const ALONE: f32 = 2.0;

/// The looks at one track so far.
#[derive(Clone, Debug, Default)]
pub struct Vote {
    /// Sums of log-probabilities of looks at rest.
    sums: BTreeMap<Option<Sku>, f32>,
    weight: f32,
    /// Sums of what glimpses say, as logarithms of how much likelier they make it.
    glimpses: BTreeMap<Option<Sku>, f32>,
    looks: u32,
    leader: Option<Sku>,
    /// How often in a row the leader led, and the sum of its log-probabilities.
    led: (u32, f32),
}

impl Vote {
    /// Adds a look at rest with a weight above zero.
    pub fn add(&mut self, look: &Judgement, weight: f32) {
        for sku in named(look) {
            // A product enrolled between two looks was at the floor before.
            let earlier = self.weight * FLOOR.ln();
            self.sums.entry(sku).or_insert(earlier);
        }
        for (sku, sum) in &mut self.sums {
            *sum += weight * of(look, sku).max(FLOOR).ln();
        }
        self.weight += weight;
        self.count(look);
    }

    /// Adds a look in flight.
    pub fn glimpse(&mut self, look: &Judgement) {
        let products = look.probabilities.len();
        for sku in named(look) {
            let likelier = match &sku {
                Some(_) => of(look, &sku) / prior(&sku, products) + look.unknown,
                None => look.unknown,
            };
            *self.glimpses.entry(sku).or_default() +=
                GLIMPSE_WEIGHT * (GLIMPSE_TRUST * likelier + (1.0 - GLIMPSE_TRUST)).ln();
        }
        self.count(look);
    }

    fn count(&mut self, look: &Judgement) {
        self.looks += 1;
        let best = look.best(1).first().filter(|(_, p)| *p > look.unknown).map(|(sku, p)| ((*sku).clone(), *p));
        let (leader, p) = best.map_or((None, 0.0), |(sku, p)| (Some(sku), p));
        let (times, sum) = if leader == self.leader { self.led } else { (0, 0.0) };
        self.led = (times + 1, sum + p.max(FLOOR).ln());
        self.leader = leader;
    }

    /// Looks so far.
    pub fn looks(&self) -> u32 {
        self.looks
    }

    /// The opinion of all looks together; nothing known before the first.
    pub fn judgement(&self) -> Judgement {
        if self.looks == 0 {
            return Judgement { probabilities: BTreeMap::new(), unknown: 1.0 };
        }
        let products = self.glimpses.keys().filter(|sku| sku.is_some()).count();
        let mut scores: BTreeMap<&Option<Sku>, f32> = if self.weight > 0.0 {
            self.sums.iter().map(|(sku, sum)| (sku, sum / self.weight)).collect()
        } else {
            self.glimpses.keys().map(|sku| (sku, prior(sku, products).ln())).collect()
        };
        // Where nothing was ever at rest, in a bag, they are all there is.
        let heft = if self.weight > 0.0 { 1.0 } else { ALONE };
        for (sku, score) in &mut scores {
            *score += heft * self.glimpses.get(*sku).copied().unwrap_or(0.0);
        }
        let top = scores.values().copied().fold(f32::MIN, f32::max);
        let total: f32 = scores.values().map(|score| (score - top).exp()).sum();
        let mut judgement = Judgement { probabilities: BTreeMap::new(), unknown: 0.0 };
        for (sku, score) in scores {
            let share = (score - top).exp() / total;
            match sku {
                Some(sku) => drop(judgement.probabilities.insert(sku.clone(), share)),
                None => judgement.unknown = share,
            }
        }
        judgement
    }

    /// True when more looks would only cost time: the last ones agree, each as sure as `sure_at` on average.
    pub fn is_sure(&self, sure_at: f32) -> bool {
        let (times, sum) = self.led;
        self.leader.is_some() && times >= ENOUGH_LOOKS && (sum / times as f32).exp() >= sure_at
    }
}

/// What a look speaks of: its products, and none of them.
fn named(look: &Judgement) -> impl Iterator<Item = Option<Sku>> {
    look.probabilities.keys().cloned().map(Some).chain([None])
}

fn of(look: &Judgement, sku: &Option<Sku>) -> f32 {
    match sku {
        Some(sku) => look.probabilities.get(sku).copied().unwrap_or(0.0),
        None => look.unknown,
    }
}

/// How likely before any look, among so many products.
fn prior(sku: &Option<Sku>, products: usize) -> f32 {
    match sku {
        Some(_) => (1.0 - UNKNOWN_SHARE) / products.max(1) as f32,
        None => UNKNOWN_SHARE,
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

    #[test]
    fn a_glimpse_of_a_sleeve_does_not_unsettle_what_lies_there() {
        let at_rest = || vote(&[(0.9, 0.05)]);
        let mut sleeve = at_rest();
        (0..5).for_each(|_| sleeve.glimpse(&look(0.005, 0.005)));
        assert!(sleeve.judgement().best(1)[0].1 > 0.9, "{:?}", sleeve.judgement());
        let mut beneath = at_rest();
        (0..5).for_each(|_| beneath.glimpse(&look(0.0, 0.99)));
        let judged = beneath.judgement();
        assert_eq!(judged.best(1)[0].0.as_str(), "lime", "{judged:?}");
        assert!(judged.best(1)[0].1 < 0.9, "but it is less sure: {judged:?}");
    }

    #[test]
    fn a_handful_of_glimpses_names_a_thing_but_is_not_sure_of_it() {
        let mut vote = Vote::default();
        (0..5).for_each(|_| vote.glimpse(&look(0.9, 0.05)));
        let judged = vote.judgement();
        let sum = judged.probabilities.values().sum::<f32>() + judged.unknown;
        assert_eq!(judged.best(1)[0].0.as_str(), "lime");
        assert!((sum - 1.0).abs() < 1e-4 && judged.best(1)[0].1 < 0.95, "{judged:?}");
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
