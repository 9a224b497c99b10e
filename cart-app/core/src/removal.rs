//! What went out: a negative step matched against the basket, by weight and by sight.

use trip::{Catalogue, LineId, LineItem, Quantity, TripState};

use crate::evidence::SightOf;
use crate::weight_step::WeightStep;

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
    /// Several fit, or none: ask. Best first, at most four.
    Ask(Vec<LineId>),
}

/// A line's own weight was felt with this error, in grams, besides the step's.
const FELT_SIGMA_G: f32 = 1.5;
/// Density of a weight that fits nothing, per gram.
const NOTHING_FITS: f32 = 1.0 / 20_000.0;
/// Posterior from which a removal is taken without asking.
const SURE: f32 = 0.93;

struct Candidate {
    what: Removal,
    /// Lines of the same product that weigh the same are one answer: any of them may go.
    same_as: (String, u32),
    score: f32,
}

/// Matches a removal.
pub fn explain(step: &WeightStep, sight: &SightOf, state: &TripState, catalogue: &Catalogue) -> Removal {
    let grams = -(step.delta.0 as f32);
    let sigma = (step.sigma_g * step.sigma_g + FELT_SIGMA_G * FELT_SIGMA_G).sqrt();
    let density = |expected: f32, sigma: f32| {
        let z = (grams - expected) / sigma;
        (-0.5 * z * z).exp() / (sigma * std::f32::consts::TAU.sqrt())
    };
    let count = catalogue.products().len();
    let mut candidates: Vec<Candidate> = Vec::new();
    for item in &state.basket.lines {
        let by_sight = if sight.looked() { 0.05 + sight.of(&item.sku, count) } else { 1.0 };
        for (pieces, expected, spread) in portions(item, catalogue) {
            candidates.push(Candidate {
                what: Removal::Line { line: item.line, pieces },
                same_as: (item.sku.to_string(), pieces),
                score: by_sight * density(expected, (sigma * sigma + spread * spread).sqrt()),
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
    // The line that came in last goes first among equals: people change their minds at once.
    candidates.reverse();
    candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    choose(candidates)
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

fn choose(candidates: Vec<Candidate>) -> Removal {
    let sum: f32 = candidates.iter().map(|c| c.score).sum::<f32>() + NOTHING_FITS;
    let sure = candidates.first().is_some_and(|best| {
        let same: f32 = candidates.iter().filter(|c| c.same_as == best.same_as).map(|c| c.score).sum();
        same / sum >= SURE
    });
    let mut candidates = candidates.into_iter();
    if sure && let Some(best) = candidates.next() {
        return best.what;
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
    use hal::Moment;
    use trip::basket::{Evidence, Hold, HoldReason};
    use trip::{Grams, HoldId, TripEvent};

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
        let step = WeightStep { at: Moment::default(), delta: Grams(-grams), sigma_g: 1.2 };
        explain(&step, sight, &TripState::replay(events), &catalogue())
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
        let sight = SightOf { named: vec![(sku("milk"), 0.97)], rest: 0.01, unknown: 0.02, things: 1, thumbnail: None };
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
        let hold = Hold {
            hold: HoldId(4),
            weight: Grams(410),
            reason: HoldReason::Unknown,
            candidates: vec![],
            lines: vec![],
        };
        let basket = [line(1, "tea", Quantity::Each(1), 150), TripEvent::ItemHeld { hold }];
        assert_eq!(check(&basket, 411, &SightOf::nothing()), Removal::Hold(HoldId(4)));
    }
}
