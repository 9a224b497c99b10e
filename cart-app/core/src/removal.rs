//! What went out: a negative step matched against the basket, by weight and by sight.
//!
//! Something of the cart's went for sure, so a look is held against what is in it and nothing else: of
//! three hundred lines that weigh alike, one that looks so is found.

use std::collections::HashMap;

use trip::{Catalogue, Grams, LineId, LineItem, Quantity, Sku, TripState};

use crate::evidence::SightOf;
use crate::swap::{self, Swap};
use crate::weight_step::{STIR_G, WeightStep};

/// What a negative step was.
#[derive(Clone, Debug, PartialEq)]
pub enum Removal {
    /// Pieces of one line.
    Line {
        /// Which.
        line: LineId,
        /// How many pieces (1 for a weighed or priced line, which goes whole).
        pieces: u32,
    },
    /// Something held came out again.
    Hold(trip::HoldId),
    /// The shopper's own thing of this weight, in grams.
    Own(Grams),
    /// Something else came in its place; which of the swaps given.
    Swap(Swap),
    /// Several fit, or none: ask. Best first, at most four.
    Ask(Vec<LineId>),
    /// Not sure, and perhaps something else came in its place.
    AskSwap(Vec<(LineId, Sku)>),
}

/// A line's own weight was felt with this error, in grams, besides the step's.
const FELT_SIGMA_G: f32 = 1.5;
/// Density of a weight that fits nothing, per gram: several things at once, or one that was never
/// noticed, once in so many, over the weights that people lift.
const NOTHING_FITS: f32 = 0.03 / 1_500.0;
/// How likely it is one of the shopper's own things, where there are any.
const OWN: f32 = 0.3;
/// However sure a look is, it may have been of the hand.
const SUREST_LOOK: f32 = 0.97;
/// Posterior from which a removal is taken without asking.
const SURE: f32 = 0.93;

/// A look that gives a product so much has seen it go.
const SEEN_TO_GO: f32 = 0.5;

struct Candidate {
    what: Removal,
    /// Lines of the same product that weigh the same are one answer: any of them may go.
    same_as: (String, u32),
    score: f32,
}

/// Matches a removal. `went` is what was seen to go, `swaps` what else may have made the step.
pub fn explain(step: &WeightStep, went: &SightOf, swaps: &[Swap], state: &TripState, catalogue: &Catalogue) -> Removal {
    let grams = -(step.delta.0 as f32);
    let sigma = (step.sigma_g * step.sigma_g + FELT_SIGMA_G * FELT_SIGMA_G).sqrt();
    let density = |expected: f32, sigma: f32| {
        let z = (grams - expected) / sigma;
        (-0.5 * z * z).exp() / (sigma * std::f32::consts::TAU.sqrt())
    };
    let mut candidates: Vec<Candidate> = Vec::new();
    let lines = &state.basket.lines;
    for (item, chance) in lines.iter().zip(by_sight(went, lines, catalogue)) {
        for (pieces, expected, spread) in portions(item, catalogue) {
            candidates.push(Candidate {
                what: Removal::Line { line: item.line, pieces },
                same_as: (item.sku.to_string(), pieces),
                score: chance * density(expected, (sigma * sigma + spread * spread).sqrt()),
            });
        }
    }
    for hold in &state.basket.holds {
        candidates.push(Candidate {
            what: Removal::Hold(hold.hold),
            same_as: (format!("hold {}", hold.hold.0), 1),
            score: density(hold.weight.0 as f32, sigma),
        });
    }
    for own in &state.own {
        let unknown = if went.looked() { went.unknown + 0.1 } else { 1.0 };
        candidates.push(Candidate {
            what: Removal::Own(*own),
            same_as: (format!("own {}", own.0), 1),
            score: OWN * unknown * density(own.0 as f32, sigma),
        });
    }
    // The line that came in last goes first among equals: people change their minds at once.
    candidates.reverse();
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    // Where the load dipped further something else may have come in, and that the rest weighs as a line
    // does is then no proof: it must have been seen to go.
    let seen = |what: &Removal| match what {
        Removal::Line { line, .. } => {
            state.basket.line(*line).is_some_and(|item| went.of(&item.sku, catalogue.products().len()) >= SEEN_TO_GO)
        }
        _ => true,
    };
    let proven = step.dip_g < STIR_G || candidates.first().is_some_and(|best| seen(&best.what));
    choose(candidates, swaps, proven)
}

/// How likely each line is to be what was seen to go, before it is weighed; they sum to one.
pub(crate) fn by_sight(went: &SightOf, lines: &[LineItem], catalogue: &Catalogue) -> Vec<f32> {
    let even = 1.0 / lines.len().max(1) as f32;
    if !went.looked() {
        return vec![even; lines.len()];
    }
    let products = catalogue.products().len();
    let mut lines_of: HashMap<&Sku, f32> = HashMap::new();
    lines.iter().for_each(|line| *lines_of.entry(&line.sku).or_default() += 1.0);
    let known: f32 = lines_of.keys().map(|sku| went.of(sku, products)).sum();
    // What the look gives to products that are not in the cart says only that it was a poor look.
    let trust = (known / (known + went.unknown + went.rest).max(f32::MIN_POSITIVE)).min(SUREST_LOOK);
    let share = |line: &LineItem| {
        let alike = lines_of.get(&line.sku).copied().unwrap_or(1.0);
        went.of(&line.sku, products) / (alike * known.max(f32::MIN_POSITIVE))
    };
    lines.iter().map(|line| trust * share(line) + (1.0 - trust) * even).collect()
}

/// The portions in which a line may leave: pieces, expected weight and spread, in grams.
fn portions(item: &LineItem, catalogue: &Catalogue) -> Vec<(u32, f32, f32)> {
    let felt = item.weight.map(|w| w.0 as f32);
    let usual = catalogue.get(&item.sku).and_then(|p| p.weight).map(|w| w.0 as f32);
    match item.quantity {
        Quantity::Each(have) => {
            let piece = felt.map(|w| w / have as f32).or(usual);
            let spread = |pieces: u32| if have == 1 && felt.is_some() { 0.0 } else { pieces as f32 * 4.0 };
            piece.map(|p| (1..=have).map(|n| (n, n as f32 * p, spread(n))).collect()).unwrap_or_default()
        }
        Quantity::Weighed(net) => vec![(1, felt.unwrap_or(net.0 as f32), 0.0)],
        Quantity::Priced(_) => felt.or(usual).map(|w| vec![(1, w, 0.0)]).unwrap_or_default(),
    }
}

fn choose(candidates: Vec<Candidate>, swaps: &[Swap], proven: bool) -> Removal {
    let swapped: f32 = swaps.iter().map(|swap| swap.score).sum();
    let sum: f32 = candidates.iter().map(|c| c.score).sum::<f32>() + NOTHING_FITS + swapped;
    let sure = candidates.first().is_some_and(|best| {
        let same: f32 = candidates.iter().filter(|c| c.same_as == best.same_as).map(|c| c.score).sum();
        proven && same / sum >= SURE
    });
    let mut candidates = candidates.into_iter();
    if sure && let Some(best) = candidates.next() {
        return best.what;
    }
    if let Some(best) = swaps.iter().max_by(|a, b| a.score.total_cmp(&b.score))
        && best.score / sum >= swap::SURE
    {
        return Removal::Swap(best.clone());
    }
    if swapped / sum >= swap::WORTH_ASKING {
        return Removal::AskSwap(swap::best_pairs(swaps));
    }
    let mut lines: Vec<LineId> = Vec::new();
    for candidate in candidates {
        match candidate.what {
            Removal::Line { line, .. } if !lines.contains(&line) && lines.len() < 4 => lines.push(line),
            _ => {}
        }
    }
    Removal::Ask(lines)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fusion::tests::{catalogue, sku};
    use trip::basket::{Evidence, Hold};
    use trip::{HoldId, TripEvent};

    fn line(number: u32, name: &str, quantity: Quantity, weight: i32) -> TripEvent {
        let item = LineItem {
            line: LineId(number),
            sku: sku(name),
            quantity,
            weight: Some(Grams(weight)),
            evidence: Evidence::Scanned,
        };
        TripEvent::ItemAdded { item }
    }

    fn check(events: &[TripEvent], grams: i32, sight: &SightOf) -> Removal {
        let step = WeightStep { delta: Grams(-grams), sigma_g: 1.2, ..WeightStep::default() };
        explain(&step, sight, &[], &TripState::replay(events), &catalogue())
    }

    #[test]
    fn a_lifted_item_is_matched_by_its_felt_weight() {
        let basket = [
            line(1, "tea", Quantity::Each(1), 151),
            line(2, "oat", Quantity::Each(1), 1_040),
            line(3, "lime", Quantity::Weighed(Grams(212)), 212),
        ];
        let nothing = SightOf::nothing();
        assert_eq!(check(&basket, 1_041, &nothing), Removal::Line { line: LineId(2), pieces: 1 });
        assert_eq!(check(&basket, 212, &nothing), Removal::Line { line: LineId(3), pieces: 1 });
    }

    #[test]
    fn when_several_fit_it_is_asked() {
        let basket = [line(1, "oat", Quantity::Each(1), 1_041), line(2, "milk", Quantity::Each(1), 1_042)];
        assert_eq!(check(&basket, 1_041, &SightOf::nothing()), Removal::Ask(vec![LineId(1), LineId(2)]));
        let sight = SightOf {
            named: vec![(sku("milk"), 0.97)],
            rest: 0.01,
            unknown: 0.02,
            things: 1,
            contested: false,
            thumbnail: None,
        };
        assert_eq!(
            check(&basket, 1_041, &sight),
            Removal::Line { line: LineId(2), pieces: 1 },
            "a look may tell them apart"
        );
    }

    #[test]
    fn the_same_product_twice_is_no_question() {
        let basket = [line(1, "tea", Quantity::Each(1), 150), line(2, "tea", Quantity::Each(1), 150)];
        assert_eq!(check(&basket, 150, &SightOf::nothing()), Removal::Line { line: LineId(2), pieces: 1 });
        let basket = [line(1, "tea", Quantity::Each(3), 450)];
        assert_eq!(check(&basket, 300, &SightOf::nothing()), Removal::Line { line: LineId(1), pieces: 2 });
    }

    #[test]
    fn a_weight_that_fits_nothing_is_asked_and_never_guessed() {
        let basket = [line(1, "tea", Quantity::Each(1), 150)];
        assert_eq!(check(&basket, 400, &SightOf::nothing()), Removal::Ask(vec![LineId(1)]));
        assert_eq!(check(&[], 400, &SightOf::nothing()), Removal::Ask(vec![]));
    }

    #[test]
    fn a_held_thing_may_come_out_again() {
        let hold = Hold { hold: HoldId(4), weight: Grams(410), ..Hold::default() };
        let basket = [line(1, "tea", Quantity::Each(1), 150), TripEvent::ItemHeld { hold }];
        assert_eq!(check(&basket, 411, &SightOf::nothing()), Removal::Hold(HoldId(4)));
    }

    #[test]
    fn among_hundreds_of_lines_of_like_weight_the_one_that_was_seen_goes() {
        let names = ["oat", "milk", "tea", "lime"];
        let basket: Vec<TripEvent> = (0..400)
            .map(|n| match names[n as usize % 4] {
                "lime" => line(n + 1, "lime", Quantity::Weighed(Grams(1_040)), 1_040),
                name => line(n + 1, name, Quantity::Each(1), 1_038 + n as i32 % 5),
            })
            .collect();
        let seen = |p: f32| SightOf {
            named: vec![(sku("milk"), p), (sku("oat"), 0.03)],
            rest: 0.01,
            unknown: 0.96 - p,
            things: 1,
            contested: false,
            thumbnail: None,
        };
        let gone = |sight: &SightOf| match check(&basket, 1_041, sight) {
            Removal::Line { line, .. } => Some(names[(line.0 as usize - 1) % 4]),
            _ => None,
        };
        assert_eq!(gone(&seen(0.95)), Some("milk"));
        assert_eq!(gone(&seen(0.2)), None, "a poor look is asked about");
        assert_eq!(gone(&SightOf::nothing()), None);
    }

    #[test]
    fn an_own_thing_goes_as_it_came() {
        let basket = [line(1, "tea", Quantity::Each(1), 150), TripEvent::OwnThing { weight: Grams(640) }];
        assert_eq!(check(&basket, 641, &SightOf::nothing()), Removal::Own(Grams(640)));
        assert_eq!(check(&basket, 150, &SightOf::nothing()), Removal::Line { line: LineId(1), pieces: 1 });
    }
}
