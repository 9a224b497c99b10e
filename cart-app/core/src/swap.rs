//! One thing out and another in, in one go.
//!
//! Who swaps a thing for another of like weight leaves the scale where it was. What gives it away is
//! the dip or peak in between ([`WeightStep::stirred`]) and what the cameras see: another thing lies
//! there now. Each pair of a line and a product gets a score; where the load has changed they compete
//! with all else that the change may have been ([`pairs`]), where it has not, with "nothing happened"
//! ([`reopen`]). A hand that only reaches in must hardly ever be asked about, so weight alone never
//! raises the question.

use serde::{Deserialize, Serialize};
use trip::{Catalogue, Grams, LineId, LineItem, Quantity, Sku, TripState};

use crate::evidence::{PendingScan, SightOf};
use crate::fusion;
use crate::weight_step::{STIR_G, WeightStep};

/// A line, or a piece of it, for another product.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Swap {
    /// The line.
    pub out: LineId,
    /// What its piece, or the whole of a weighed or priced line, weighs, in grams.
    pub weight_out: Grams,
    /// What came in.
    pub into: Sku,
    /// From [`pairs`]: probability times density per gram, as in [`fusion`]. From [`reopen`]: the
    /// posterior, 0 to 1.
    pub score: f32,
}

/// From so much posterior one swap is made without asking.
pub const SURE: f32 = 0.97;
/// From so much posterior of all swaps together the shopper is asked.
pub const WORTH_ASKING: f32 = 0.3;
/// So many pairs are offered.
pub(crate) const MOST_PAIRS: usize = 4;
/// One change in so many is a swap.
const SWAP_PRIOR: f32 = 0.02;
/// Of swaps so many are made with one hand that first takes out, that first lays in, and with two.
const DIPS: f32 = 0.6;
const PEAKS: f32 = 0.25;
const NEITHER: f32 = 0.15;
/// Of plain changes so many have a dip (something was lifted a little), or a peak (a hand pressed), and
/// over so many grams these are spread.
const PLAIN_DIPS: f32 = 0.03;
const PLAIN_PEAKS: f32 = 0.2;
const PLAIN_SPREAD_G: f32 = 600.0;
/// A dip or peak tells a weight to within this share and these grams.
const EXCURSION_SHARE: f32 = 0.12;
const EXCURSION_SIGMA_G: f32 = 10.0;
/// So many swaps are too brief for the scale to go all the way.
const BRIEF: f32 = 0.5;
/// A line's own weight was felt with this error, in grams.
const FELT_SIGMA_G: f32 = 1.5;
/// When nothing is left of a movement: how likely it was a swap if something was lifted while two hands were at
/// work, if something was lifted, if only a hand pressed, and if the scale felt nothing.
const AFTER_A_DIP_OF_TWO: f32 = 0.8;
const AFTER_A_DIP: f32 = 0.3;
const AFTER_A_PEAK: f32 = 0.12;
const AFTER_NOTHING: f32 = 0.06;
/// A look at what lies there may fail so often even if it is what always lay there.
const POOR_LOOK: f32 = 0.01;
/// So far, in standard deviations, a weight still fits.
const FITS: f32 = 4.0;

/// A line's piece as it may leave: what it weighs.
fn portion(item: &LineItem, catalogue: &Catalogue) -> Option<f32> {
    let felt = item.weight.map(|w| w.0 as f32);
    let usual = catalogue.get(&item.sku).and_then(|p| p.weight).map(|w| w.0 as f32);
    match item.quantity {
        Quantity::Each(have) => felt.map(|w| w / have.max(1) as f32).or(usual),
        Quantity::Weighed(net) => Some(felt.unwrap_or(net.0 as f32)),
        Quantity::Priced(_) => felt.or(usual),
    }
}

/// How likely each line is to have gone, by a look at what went; they sum to one.
fn chances(went: &SightOf, state: &TripState, catalogue: &Catalogue) -> Vec<f32> {
    crate::removal::by_sight(went, &state.basket.lines, catalogue)
}

/// All swaps that may have made `step`, a change of the load. `came` is what lies there now, `went` what
/// lay there before.
pub fn pairs(
    step: &WeightStep,
    came: &SightOf,
    went: &SightOf,
    scans: &[PendingScan],
    state: &TripState,
    catalogue: &Catalogue,
) -> Vec<Swap> {
    let scanned = scans.iter().map(|scan| (scan.sku.clone(), 0.97));
    let seen = came.named.iter().filter(|(sku, _)| !scans.iter().any(|scan| scan.sku == *sku)).cloned();
    let names: Vec<(Sku, f32)> = if scans.is_empty() { seen.collect() } else { scanned.collect() };
    let mut swaps = Vec::new();
    for (item, chance) in state.basket.lines.iter().zip(chances(went, state, catalogue)) {
        let Some(out_g) = portion(item, catalogue) else { continue };
        for (sku, p) in names.iter().filter(|(sku, _)| *sku != item.sku) {
            let Some(product) = catalogue.get(sku) else { continue };
            let in_g = out_g + step.delta.0 as f32;
            if in_g < 1.0 {
                continue;
            }
            let felt =
                WeightStep { delta: Grams(in_g.round() as i32), sigma_g: step.sigma_g.hypot(FELT_SIGMA_G), ..*step };
            let score = SWAP_PRIOR * chance * p * fusion::density(product, &felt) * excursion(step, out_g.min(in_g));
            let weight_out = Grams(out_g.round() as i32);
            swaps.push(Swap { out: item.line, weight_out, into: sku.clone(), score });
        }
    }
    swaps
}

/// How much better a swap explains dip and peak than a plain change does. `least_g` is the lighter of
/// the two things: so far the load went beyond both ends.
fn excursion(step: &WeightStep, least_g: f32) -> f32 {
    let sigma = excursion_sigma(least_g);
    let near = |felt: f32| {
        let z = (felt - least_g) / sigma;
        let whole = (-0.5 * z * z).exp() / (sigma * std::f32::consts::TAU.sqrt());
        let part = if felt <= least_g + sigma { 1.0 / (least_g + sigma) } else { 0.0 };
        (1.0 - BRIEF) * whole + BRIEF * part
    };
    let mut best: f32 = 0.0;
    if step.dip_g >= STIR_G {
        best = best.max(DIPS * near(step.dip_g) * PLAIN_SPREAD_G / PLAIN_DIPS);
    }
    if step.peak_g >= STIR_G {
        best = best.max(PEAKS * near(step.peak_g) * PLAIN_SPREAD_G / PLAIN_PEAKS);
    }
    // Two light things swing less than is told from noise.
    let quiet = !step.stirred() || least_g < STIR_G;
    if quiet { best.max(NEITHER / ((1.0 - PLAIN_DIPS) * (1.0 - PLAIN_PEAKS))) } else { best }
}

/// When the load is as before: the swaps that may have happened all the same, best first, with their
/// posteriors; what they leave of one is "nothing happened".
pub fn reopen(
    step: &WeightStep,
    came: &SightOf,
    went: &SightOf,
    state: &TripState,
    catalogue: &Catalogue,
) -> Vec<Swap> {
    if !came.looked() {
        return Vec::new();
    }
    let lines = &state.basket.lines;
    let count = catalogue.products().len();
    let mut known: Vec<&Sku> = lines.iter().map(|line| &line.sku).collect();
    known.sort();
    known.dedup();
    let prior = match step {
        step if step.dip_g >= STIR_G && came.things > 1 => AFTER_A_DIP_OF_TWO,
        step if step.dip_g >= STIR_G => AFTER_A_DIP,
        step if step.peak_g >= STIR_G => AFTER_A_PEAK,
        _ => AFTER_NOTHING,
    };
    // What lay there all along may lie in another place now, or may not be recognised in its heap.
    let same: f32 = known.iter().map(|sku| came.of(sku, count)).sum::<f32>() + came.unknown;
    let nothing = (1.0 - prior) * same.max(POOR_LOOK);
    let chances = chances(went, state, catalogue);
    let most = chances.iter().copied().fold(f32::MIN_POSITIVE, f32::max);
    let mut swaps: Vec<Swap> = Vec::new();
    for (sku, p) in came.named.iter().filter(|(sku, _)| !known.contains(&sku)) {
        let Some(product) = catalogue.get(sku) else { continue };
        let mut fitting: Vec<(LineId, f32, f32)> = Vec::new();
        for (item, chance) in lines.iter().zip(&chances) {
            let Some(out_g) = portion(item, catalogue) else { continue };
            let in_g = out_g + step.delta.0 as f32;
            let felt =
                WeightStep { delta: Grams(in_g.round() as i32), sigma_g: step.sigma_g.hypot(FELT_SIGMA_G), ..*step };
            let fit = weight_fits(product, &felt) * excursion_fits(step, out_g.min(in_g)) * chance / most;
            if fit > 0.0 {
                fitting.push((item.line, out_g, fit));
            }
        }
        // That the weights agree is no wonder: who swaps in silence chooses so. The best fit counts, and
        // the lines share it.
        let best = fitting.iter().map(|(.., fit)| *fit).fold(0.0, f32::max);
        let sum: f32 = fitting.iter().map(|(.., fit)| fit).sum::<f32>().max(f32::MIN_POSITIVE);
        swaps.extend(fitting.into_iter().map(|(out, out_g, fit)| Swap {
            out,
            weight_out: Grams(out_g.round() as i32),
            into: sku.clone(),
            score: prior * p * best * fit / sum,
        }));
    }
    let sum = nothing + swaps.iter().map(|swap| swap.score).sum::<f32>();
    swaps.iter_mut().for_each(|swap| swap.score /= sum.max(f32::MIN_POSITIVE));
    swaps.sort_by(|a, b| b.score.total_cmp(&a.score));
    swaps
}

/// How well `felt` fits one piece, or some, of `product`, 0 to 1.
fn weight_fits(product: &trip::catalogue::Product, felt: &WeightStep) -> f32 {
    if felt.delta.0 < 1 {
        return 0.0;
    }
    match (product.sale, fusion::piece(product)) {
        (trip::Sale::Each { .. }, Some((weight, spread))) => {
            let z = (felt.delta.0 as f32 - weight) / spread.hypot(felt.sigma_g);
            if z.abs() > FITS { 0.0 } else { (-0.5 * z * z).exp().max(0.2) }
        }
        // Without a known weight any may fit; produce is swapped for produce by the handful.
        (trip::Sale::Each { .. }, None) => 0.3,
        (trip::Sale::Weight { .. }, _) => (fusion::density(product, felt) * 300.0).min(0.4),
    }
}

/// How well dip and peak agree with a thing of `least_g` that went and another that came, 0 to 1.
pub(crate) fn excursion_fits(step: &WeightStep, least_g: f32) -> f32 {
    if !step.stirred() {
        return 1.0;
    }
    let sigma = excursion_sigma(least_g);
    let near = |felt: f32| {
        let z = (felt - least_g) / sigma;
        let brief = if felt <= least_g + sigma { BRIEF } else { 0.0 };
        (-0.5 * z * z).exp().max(brief)
    };
    // A hand may press as well as swap.
    near(step.dip_g).max(near(step.peak_g)).max(if step.dip_g < STIR_G { 0.2 } else { 0.05 })
}

fn excursion_sigma(least_g: f32) -> f32 {
    EXCURSION_SHARE * least_g + EXCURSION_SIGMA_G
}

/// The pairs worth offering, best first, at most four.
pub fn best_pairs(swaps: &[Swap]) -> Vec<(LineId, Sku)> {
    let mut sorted: Vec<&Swap> = swaps.iter().collect();
    sorted.sort_by(|a, b| b.score.total_cmp(&a.score));
    let best = sorted.first().map_or(0.0, |swap| swap.score);
    let worth = sorted.into_iter().filter(|swap| swap.score >= 0.02 * best);
    worth.take(MOST_PAIRS).map(|swap| (swap.out, swap.into.clone())).collect()
}
