//! Sight × weight × prior: what a weight step was.
//!
//! Every hypothesis has a score: the probability by sight, times the density of the weight felt
//! (per gram), times how often such a thing happens. "No product we know" competes on equal terms,
//! with a weight that may be anything. The scores are normalised to a posterior.

use serde::{Deserialize, Serialize};
use trip::catalogue::Product;
use trip::{Catalogue, Grams, LineId, Sale, Sku};

use crate::evidence::{PendingScan, SightOf};
use crate::swap::Swap;
use crate::weight_step::WeightStep;

/// What a step may have been.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum What {
    /// One product; pieces, for one sold by the piece.
    One {
        /// The product.
        sku: Sku,
        /// Pieces that came in together.
        pieces: u32,
    },
    /// Two different products at once.
    Two {
        /// One of them.
        first: Sku,
        /// Pieces of it; 1 for one sold by weight.
        pieces: u32,
        /// The other: one piece, or some of it.
        second: Sku,
    },
    /// A line went out and another thing came in.
    Swap {
        /// The line, or a piece of it.
        out: LineId,
        /// What came in.
        into: Sku,
    },
    /// No product we know.
    Unknown,
}

/// A hypothesis and its posterior.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Hypothesis {
    /// What it may have been.
    pub what: What,
    /// Posterior, 0 to 1; all hypotheses of a step sum to 1.
    pub probability: f32,
}

/// Anything a shopper lifts in weighs up to about this; an unknown weight is spread over it.
const ANY_WEIGHT_PER_G: f32 = 1.0 / 1_500.0;
/// A label's weight is wrong, or the piece odd, once in so many.
const ODD_PIECE: f32 = 0.01;
/// Each further piece of the same product in one go is so much rarer.
const SAME_AGAIN: f32 = 0.02;
/// Two different products in one go, when one thing was seen, and when two were.
const TWO_AT_ONCE: f32 = 0.004;
const TWO_SEEN: f32 = 0.3;
/// One code was read: when its weight alone does not fit, a second thing is the likeliest reason.
const TWO_ONE_SCANNED: f32 = 0.1;
/// A code that waits is of another thing than what came in, so rarely.
const STRAY_CODE: f32 = 0.01;
/// Pieces of loose produce in one go: each further piece is this likely.
const NEXT_LOOSE_PIECE: f32 = 0.6;
/// Most loose pieces, and most packs, in one go.
const MOST_LOOSE: u32 = 8;
const MOST_PACKS: u32 = 4;
/// A product's own spread when the catalogue gives none, as a share of its weight and at least, in
/// grams: filling tolerances of prepacked goods (Source: OIML R 87, nominal 3 % at 500 g).
const SPREAD_SHARE: f32 = 0.015;
const LEAST_SPREAD_G: f32 = 3.0;
/// So many best candidates by sight are tried in pairs.
const PAIRED: usize = 6;
/// Most pieces of the one product of a pair.
const MOST_OF_A_PAIR: u32 = 3;
/// Whose hands are full of several things has each further piece so often.
const MORE_OF_A_PAIR: f32 = 0.15;

fn normal_density(x: f32, mean: f32, sigma: f32) -> f32 {
    let z = (x - mean) / sigma;
    (-0.5 * z * z).exp() / (sigma * (std::f32::consts::TAU).sqrt())
}

/// A piece's weight and its spread, in grams.
pub(crate) fn piece(product: &Product) -> Option<(f32, f32)> {
    let weight = product.weight?.0 as f32;
    let spread = product.weight_sigma.map_or((weight * SPREAD_SHARE).max(LEAST_SPREAD_G), |s| s.0 as f32);
    Some((weight, spread))
}

/// Density of feeling `step` if one piece, or some, of `product` came in, per gram.
pub(crate) fn density(product: &Product, step: &WeightStep) -> f32 {
    match product.sale {
        Sale::Weight { .. } => loose_density(product, step),
        Sale::Each { .. } => pack_density(product, 1, step),
    }
}

/// Density of feeling `step` if `pieces` pieces of `product` came in, per gram.
fn pack_density(product: &Product, pieces: u32, step: &WeightStep) -> f32 {
    let Some((weight, spread)) = piece(product) else { return ANY_WEIGHT_PER_G };
    let n = pieces as f32;
    let sigma = (n * spread * spread + step.sigma_g * step.sigma_g).sqrt();
    (1.0 - ODD_PIECE) * normal_density(step.delta.0 as f32, n * weight, sigma) + ODD_PIECE * ANY_WEIGHT_PER_G
}

/// Density of feeling `step` if some of a product sold by weight came in, per gram.
fn loose_density(product: &Product, step: &WeightStep) -> f32 {
    let Some((weight, spread)) = piece(product) else { return ANY_WEIGHT_PER_G };
    let spread = spread.max(weight * 0.12);
    let mut share = 1.0 - NEXT_LOOSE_PIECE;
    let mut density = 0.0;
    for n in 1..=MOST_LOOSE {
        let n = n as f32;
        density += share * normal_density(step.delta.0 as f32, n * weight, (n.sqrt() * spread).max(step.sigma_g));
        share *= NEXT_LOOSE_PIECE;
    }
    0.6 * density + 0.4 * ANY_WEIGHT_PER_G
}

/// True when `step` fits one piece of `product` (or any amount of a product sold by weight).
pub fn fits(product: &Product, pieces: u32, step: &WeightStep) -> bool {
    match (product.sale, piece(product)) {
        (Sale::Each { .. }, Some((weight, spread))) => {
            let n = pieces as f32;
            let sigma = (n * spread * spread + step.sigma_g * step.sigma_g).sqrt();
            (step.delta.0 as f32 - n * weight).abs() <= 4.0 * sigma
        }
        _ => true,
    }
}

/// How many pieces of `product` the weight felt makes, if any number fits.
pub fn pieces_by_weight(product: &Product, step: &WeightStep) -> Option<u32> {
    (1..=MOST_PACKS.max(12)).find(|n| fits(product, *n, step))
}

/// The posterior over what `step` was, best first.
///
/// A code that was read and waits is all but certain to be in it; whether alone is for the weight
/// to say. `swaps` compete with their own scores; see [`crate::swap::pairs`].
pub fn explain(
    step: &WeightStep,
    sight: &SightOf,
    scans: &[PendingScan],
    swaps: &[Swap],
    catalogue: &Catalogue,
) -> Vec<Hypothesis> {
    let products = catalogue.products();
    let count = products.len();
    let popularity: f32 = products.iter().map(|p| p.popularity.max(1) as f32).sum::<f32>() / count.max(1) as f32;
    let chance = |product: &Product| {
        let prior = product.popularity.max(1) as f32 / popularity.max(1.0);
        if scans.is_empty() {
            sight.of(&product.sku, count) * prior
        } else if scans.iter().any(|s| s.sku == product.sku) {
            1.0
        } else {
            STRAY_CODE * sight.of(&product.sku, count)
        }
    };
    let mut scored: Vec<(What, f32)> = Vec::with_capacity(count + 16);
    for product in products {
        let chance = chance(product);
        match product.sale {
            Sale::Weight { .. } => {
                scored.push((What::One { sku: product.sku.clone(), pieces: 1 }, chance * loose_density(product, step)));
            }
            Sale::Each { .. } => {
                let mut rarity = 1.0;
                // Without a known weight nobody can count pieces.
                let most = if product.weight.is_some() { MOST_PACKS } else { 1 };
                for pieces in 1..=most {
                    let score = chance * rarity * pack_density(product, pieces, step);
                    scored.push((What::One { sku: product.sku.clone(), pieces }, score));
                    rarity *= SAME_AGAIN;
                }
            }
        }
    }
    scored.extend(pairs(step, sight, scans, catalogue));
    scored.extend(swaps.iter().map(|swap| (What::Swap { out: swap.out, into: swap.into.clone() }, swap.score)));
    let unknown = if scans.is_empty() { sight.unknown.max(1e-3) } else { 0.02 };
    scored.push((What::Unknown, unknown * ANY_WEIGHT_PER_G));
    let sum: f32 = scored.iter().map(|(_, score)| score).sum::<f32>().max(f32::MIN_POSITIVE);
    let mut posterior: Vec<Hypothesis> =
        scored.into_iter().map(|(what, score)| Hypothesis { what, probability: score / sum }).collect();
    posterior.sort_by(|a, b| b.probability.total_cmp(&a.probability));
    posterior
}

/// Two different products at once: packs, perhaps a few of the one, or a pack and loose produce. Of the
/// last nobody can say how the weight is shared, so it is asked about; but it must compete, or the
/// weight of both would be taken for something else's.
fn pairs(step: &WeightStep, sight: &SightOf, scans: &[PendingScan], catalogue: &Catalogue) -> Vec<(What, f32)> {
    let scanned = scans.iter().map(|s| (s.sku.clone(), 1.0));
    let seen = sight.named.iter().take(PAIRED).map(|(sku, p)| (sku.clone(), *p));
    let names: Vec<(Sku, f32)> = scanned.chain(seen.filter(|(sku, _)| !scans.iter().any(|s| s.sku == *sku))).collect();
    let rarity = match (scans.len(), sight.things) {
        (2.., _) => 1.0,
        (_, 2..) => TWO_SEEN,
        (1, _) => TWO_ONE_SCANNED,
        _ => TWO_AT_ONCE,
    };
    let mut pairs = Vec::new();
    for (i, (a, chance_a)) in names.iter().enumerate() {
        for (j, (b, chance_b)) in names.iter().enumerate().filter(|(j, _)| *j != i) {
            let (Some(first), Some(second)) = (catalogue.get(a), catalogue.get(b)) else { continue };
            let mut again = 1.0;
            for pieces in 1..=MOST_OF_A_PAIR {
                // One of each is the same whichever comes first.
                if pieces > 1 || i < j {
                    let what = What::Two { first: a.clone(), pieces, second: b.clone() };
                    let score = rarity * again * chance_a * chance_b * pair_density(first, pieces, second, step);
                    pairs.push((what, score));
                }
                again *= MORE_OF_A_PAIR;
            }
        }
    }
    pairs
}

/// Density of feeling `step` if `pieces` of `first` and one, or some, of `second` came in, per gram; 0
/// where nobody can tell.
fn pair_density(first: &Product, pieces: u32, second: &Product, step: &WeightStep) -> f32 {
    let (Some((wa, sa)), Some((wb, sb))) = (piece(first), piece(second)) else { return 0.0 };
    let n = pieces as f32;
    let beside = |w: f32, spread: f32| WeightStep {
        delta: Grams(step.delta.0 - w.round() as i32),
        sigma_g: spread.hypot(step.sigma_g),
        ..*step
    };
    match (first.sale, second.sale) {
        (Sale::Each { .. }, Sale::Each { .. }) => {
            let sigma = (n * sa * sa + sb * sb + step.sigma_g * step.sigma_g).sqrt();
            normal_density(step.delta.0 as f32, n * wa + wb, sigma)
        }
        // What is left beside the packs must be some produce at all.
        (Sale::Each { .. }, Sale::Weight { .. }) if step.delta.0 as f32 > n * wa => {
            loose_density(second, &beside(n * wa, sa * n.sqrt()))
        }
        (Sale::Weight { .. }, Sale::Each { .. }) if pieces == 1 && step.delta.0 as f32 > wb => {
            loose_density(first, &beside(wb, sb))
        }
        // Two kinds of produce: any share of any weight.
        (Sale::Weight { .. }, Sale::Weight { .. }) if pieces == 1 => ANY_WEIGHT_PER_G,
        _ => 0.0,
    }
}

/// What a chosen product's quantity is by the weight felt; `None` when the weight speaks against it.
pub fn quantity_of(product: &Product, step: &WeightStep) -> Option<trip::Quantity> {
    match product.sale {
        Sale::Weight { .. } => (step.delta > Grams(0)).then_some(trip::Quantity::Weighed(step.delta)),
        Sale::Each { .. } => pieces_by_weight(product, step).map(trip::Quantity::Each),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A small store: two packs of like weight, a heavy pack, loose limes and bananas.
    pub(crate) fn catalogue() -> Catalogue {
        let text = r#"
            store = "Market Street"
            currency = "GBP"
            tax = [{ name = "zero", letter = "Z", basis_points = 0 }]
            [[product]]
            sku = "oat"
            name = "Oat drink"
            tax = "zero"
            gtins = ["96385074"]
            weight = 1040
            sale = { each = { price = 185 } }
            [[product]]
            sku = "milk"
            name = "Milk"
            tax = "zero"
            weight = 1045
            detail = { ingredients = "Milk", contains = ["milk"] }
            sale = { each = { price = 120 } }
            [[product]]
            sku = "tea"
            name = "Tea"
            tax = "zero"
            weight = 150
            sale = { each = { price = 250 } }
            [[product]]
            sku = "lime"
            name = "Lime"
            tax = "zero"
            weight = 70
            weight_sigma = 8
            sale = { weight = { per_kg = 300 } }
            [[product]]
            sku = "wine"
            name = "Wine"
            tax = "zero"
            gtins = ["12345670"]
            weight = 1250
            min_age = 18
            barcode_required = true
            sale = { each = { price = 899 } }
        "#;
        Catalogue::parse(text).expect("a right catalogue")
    }

    pub(crate) fn sku(name: &str) -> Sku {
        Sku::new(name).expect("valid")
    }

    fn step(grams: i32) -> WeightStep {
        WeightStep { delta: Grams(grams), sigma_g: 1.2, ..WeightStep::default() }
    }

    fn seen(named: &[(&str, f32)]) -> SightOf {
        SightOf {
            named: named.iter().map(|(n, p)| (sku(n), *p)).collect(),
            rest: 0.02,
            unknown: 0.03,
            things: 1,
            contested: false,
            thumbnail: None,
        }
    }

    fn best(grams: i32, sight: &SightOf) -> Hypothesis {
        explain(&step(grams), sight, &[], &[], &catalogue()).swap_remove(0)
    }

    #[test]
    fn weight_settles_what_sight_leaves_open() {
        let sight = seen(&[("milk", 0.5), ("tea", 0.45)]);
        let found = best(150, &sight);
        assert_eq!(found.what, What::One { sku: sku("tea"), pieces: 1 });
        assert!(found.probability > 0.95, "{found:?}");
    }

    #[test]
    fn a_weight_that_fits_nothing_seen_is_unknown() {
        let found = best(415, &seen(&[("milk", 0.9), ("oat", 0.05)]));
        assert_eq!(found.what, What::Unknown);
    }

    #[test]
    fn two_of_the_same_are_counted_by_weight() {
        let found = best(2_090, &seen(&[("milk", 0.9), ("lime", 0.05)]));
        assert_eq!(found.what, What::One { sku: sku("milk"), pieces: 2 });
    }

    #[test]
    fn two_different_packs_are_found_together() {
        let mut sight = seen(&[("milk", 0.48), ("tea", 0.45)]);
        sight.things = 2;
        let found = best(1_195, &sight);
        assert_eq!(found.what, What::Two { first: sku("milk"), pieces: 1, second: sku("tea") });
        assert!(found.probability > 0.9, "{found:?}");
    }

    #[test]
    fn three_of_one_and_another_are_found_together() {
        let mut sight = seen(&[("milk", 0.48), ("tea", 0.45)]);
        sight.things = 2;
        let found = best(1_045 + 3 * 150, &sight);
        assert_eq!(found.what, What::Two { first: sku("tea"), pieces: 3, second: sku("milk") });
    }

    #[test]
    fn a_pack_beside_loose_produce_is_not_taken_for_produce_alone() {
        let mut sight = seen(&[("lime", 0.5), ("tea", 0.45)]);
        sight.things = 2;
        let found = best(150 + 212, &sight);
        assert!(found.probability < 0.97, "nobody can say how the weight is shared: {found:?}");
    }

    #[test]
    fn like_weights_stay_as_unsure_as_sight_is() {
        let found = best(1_042, &seen(&[("milk", 0.5), ("oat", 0.45)]));
        assert!(found.probability < 0.7, "{found:?}");
    }

    #[test]
    fn the_posterior_sums_to_one() {
        let sum: f32 =
            explain(&step(500), &SightOf::nothing(), &[], &[], &catalogue()).iter().map(|h| h.probability).sum();
        assert!((sum - 1.0).abs() < 1e-3, "{sum}");
    }
}
