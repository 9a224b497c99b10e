//! What to do about a step: add, ask, or hold.

use trip::basket::{Evidence, HoldReason};
use trip::{Catalogue, Grams, LineId, Product, Quantity, Sale, Sku};

use crate::account::{Account, Objection};
use crate::evidence::{PendingScan, SightOf};
use crate::fusion::{self, Hypothesis, What};
use crate::swap::{self, Swap};
use crate::weight_step::{self, WeightStep};

/// When the cart is sure enough. Calibrated with the model; see its card.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// Posterior from which a line is added without asking, 0 to 1.
    pub add: f32,
    /// Posterior of the four best tiles together from which asking is worth a tap; below, the thing
    /// is held and the shopper is offered to scan or search.
    pub ask: f32,
}

impl Default for Thresholds {
    fn default() -> Self {
        Self { add: 0.97, ask: 0.25 }
    }
}

/// A line to add.
#[derive(Clone, Debug, PartialEq)]
pub struct Addition {
    /// The product.
    pub sku: Sku,
    /// How much.
    pub quantity: Quantity,
    /// Why.
    pub evidence: Evidence,
}

/// One thing for another.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// The line that goes, whole or by one piece.
    pub out: LineId,
    /// What went by weight, in grams, above 0.
    pub weight_out: Grams,
    /// What came.
    pub addition: Addition,
}

/// So many pieces of loose produce in one go, and so many grams unless one piece weighs as much, are
/// believed by sight: what two hands hold. With more, something else may hide among them.
const MOST_UNASKED: f32 = 12.0;
const MOST_UNASKED_G: f32 = 1_000.0;

/// What to do.
#[derive(Clone, Debug, PartialEq)]
pub enum Decision {
    /// Sure: these lines.
    Add(Vec<Addition>),
    /// Sure: a line, or a piece of it, for another thing.
    Swap(Exchange),
    /// Not sure, and perhaps a swap: pairs of a line and what may lie there for it, best first.
    AskSwap(Vec<(LineId, Sku)>),
    /// Not sure: a hold, with at most four products to choose from.
    Hold {
        /// Why.
        reason: HoldReason,
        /// Best first.
        candidates: Vec<Sku>,
    },
}

/// So many explanations are kept in an account.
const TOLD: usize = 5;

/// Decides about something that came in, perhaps for something else that went out, and says why so: `swaps`
/// are what [`crate::swap::pairs`] says.
pub fn decide(
    step: &WeightStep,
    sight: &SightOf,
    scans: &[PendingScan],
    swaps: &[Swap],
    catalogue: &Catalogue,
    thresholds: &Thresholds,
) -> (Decision, Account) {
    let mut posterior = fusion::explain(step, sight, scans, swaps, catalogue);
    let sure = match posterior.first() {
        Some(best) if best.probability >= thresholds.add => made(best, step, sight, scans, swaps, catalogue),
        Some(Hypothesis { what: What::Unknown, .. }) | None => Err(Objection::Stranger),
        Some(_) => Err(Objection::NotSure),
    };
    let swapped = posterior.iter().filter(|h| matches!(h.what, What::Swap { .. })).map(|h| h.probability).sum::<f32>();
    let objection = sure.as_ref().err().copied();
    let decision = match sure {
        Ok(decision) => decision,
        Err(_) if swapped >= swap::WORTH_ASKING => Decision::AskSwap(swap::best_pairs(swaps)),
        Err(_) => hold(&posterior, sight, scans, thresholds),
    };
    posterior.truncate(TOLD);
    let account = Account {
        step: *step,
        sight: SightOf { thumbnail: None, ..sight.clone() },
        scanned: scans.iter().map(|scan| scan.sku.clone()).collect(),
        best: posterior,
        objection,
    };
    (decision, account)
}

/// What the likeliest explanation does to the bill.
fn made(
    best: &Hypothesis,
    step: &WeightStep,
    sight: &SightOf,
    scans: &[PendingScan],
    swaps: &[Swap],
    catalogue: &Catalogue,
) -> Result<Decision, Objection> {
    let What::Swap { out, into } = &best.what else {
        return additions(best, step, sight, scans, catalogue).map(Decision::Add);
    };
    let swap = swaps.iter().find(|swap| swap.out == *out && swap.into == *into);
    let exchange = swap.and_then(|swap| exchange(swap, step, scans, catalogue));
    exchange.map(Decision::Swap).ok_or(Objection::Swapped)
}

/// What a sure swap does; `None` when what came in needs its code, or the weight speaks against it.
pub fn exchange(swap: &Swap, step: &WeightStep, scans: &[PendingScan], catalogue: &Catalogue) -> Option<Exchange> {
    let product = catalogue.get(&swap.into)?;
    let scanned = scans.iter().find(|scan| scan.sku == swap.into);
    if product.barcode_required && scanned.is_none() {
        return None;
    }
    let came = WeightStep { delta: Grams(swap.weight_out.0.saturating_add(step.delta.0)), ..*step };
    let by_weight = fusion::quantity_of(product, &came)?;
    let quantity = match (scanned.and_then(priced), by_weight) {
        // A price on a label is for one piece.
        (Some(_), Quantity::Each(2..)) => return None,
        (Some(priced), _) => priced,
        (None, by_weight) => by_weight,
    };
    let evidence = if scanned.is_some() { Evidence::Scanned } else { Evidence::SeenAndWeighed };
    let addition = Addition { sku: swap.into.clone(), quantity, evidence };
    Some(Exchange { out: swap.out, weight_out: swap.weight_out, addition })
}

/// The lines of a hypothesis, or why it is not believed unasked.
fn additions(
    best: &Hypothesis,
    step: &WeightStep,
    sight: &SightOf,
    scans: &[PendingScan],
    catalogue: &Catalogue,
) -> Result<Vec<Addition>, Objection> {
    let one = |sku: &Sku, quantity: Quantity| {
        let product = catalogue.get(sku).ok_or(Objection::Stranger)?;
        let scanned = scans.iter().find(|s| s.sku == *sku);
        if scanned.is_none() && product.barcode_required {
            return Err(Objection::NeedsCode);
        }
        // Weight alone names nothing: it was seen, or its code was read.
        if scanned.is_none() && !sight.names(sku) {
            return Err(Objection::Unseen);
        }
        // A price on a label is for one piece.
        if matches!(quantity, Quantity::Each(2..)) && scanned.and_then(priced).is_some() {
            return Err(Objection::LabelIsForOne);
        }
        let quantity = scanned.and_then(priced).unwrap_or(quantity);
        let evidence = if scanned.is_some() { Evidence::Scanned } else { Evidence::SeenAndWeighed };
        Ok(Addition { sku: sku.clone(), quantity, evidence })
    };
    match &best.what {
        What::One { sku, pieces } => {
            let product = catalogue.get(sku).ok_or(Objection::Stranger)?;
            let quantity = match product.sale {
                Sale::Weight { .. } => Quantity::Weighed(step.delta),
                Sale::Each { .. } => Quantity::Each(*pieces),
            };
            match product.sale {
                Sale::Weight { .. } if scans.is_empty() => loose_alone(product, step, sight)?,
                // Two of one kind weigh what one of it and one of another does.
                Sale::Each { .. } if *pieces > 1 && (sight.contested || sight.things > 1) => {
                    return Err(Objection::NotAlone);
                }
                _ => {}
            }
            one(sku, quantity).map(|addition| vec![addition])
        }
        // How the weight is shared is known of packs alone.
        What::Two { first, pieces, second } => {
            let packed = |sku: &Sku| catalogue.get(sku).is_some_and(|p| matches!(p.sale, Sale::Each { .. }));
            if !packed(first) || !packed(second) {
                return Err(Objection::SharedWeight);
            }
            Ok(vec![one(first, Quantity::Each(*pieces))?, one(second, Quantity::Each(1))?])
        }
        What::Swap { .. } => Err(Objection::Swapped),
        What::Unknown => Err(Objection::Stranger),
    }
}

/// Any weight fits loose produce, that of a second thing beside it too: it must have been alone in sight.
fn loose_alone(product: &Product, step: &WeightStep, sight: &SightOf) -> Result<(), Objection> {
    let many = fusion::piece(product).is_some_and(|(weight, spread)| {
        let heaviest = weight + 3.0 * spread;
        step.delta.0 as f32 > (MOST_UNASKED * weight).min(heaviest.max(MOST_UNASKED_G))
    });
    if sight.contested || sight.things > 1 {
        Err(Objection::NotAlone)
    } else if many {
        Err(Objection::TooMuch)
    } else if step.dip_g >= weight_step::STIR_G {
        // Something went out before it came in: the change is not its weight.
        Err(Objection::Dipped)
    } else {
        Ok(())
    }
}

/// The price an in-store code carries, if it carries one.
pub(crate) fn priced(scan: &PendingScan) -> Option<Quantity> {
    use trip::gs1::{Scanned, Variable};
    match &scan.scan.content {
        Scanned::InStore(code) => match code.content {
            Variable::Price(minor) => Some(Quantity::Priced(minor)),
            // The scale has weighed it; the label's weight only had to agree.
            Variable::Weight(_) => None,
        },
        Scanned::Item(item) => item.price.map(Quantity::Priced),
        Scanned::Other(_) => None,
    }
}

fn hold(posterior: &[Hypothesis], sight: &SightOf, scans: &[PendingScan], thresholds: &Thresholds) -> Decision {
    let mut by_sku: Vec<(Sku, f32)> = Vec::new();
    let mut together = 0.0;
    for hypothesis in posterior.iter().take(64) {
        let mut count = |sku: &Sku, p: f32| match by_sku.iter_mut().find(|(name, _)| name == sku) {
            Some((_, sum)) => *sum += p,
            None => by_sku.push((sku.clone(), p)),
        };
        match &hypothesis.what {
            What::One { sku, .. } => count(sku, hypothesis.probability),
            What::Two { first, second, .. } => {
                together += hypothesis.probability;
                count(first, hypothesis.probability);
                count(second, hypothesis.probability);
            }
            What::Swap { .. } | What::Unknown => {}
        }
    }
    // Tiles that are mere guesses by weight would only confuse: each was seen, or its code was read.
    by_sku.retain(|(sku, _)| sight.names(sku) || scans.iter().any(|s| s.sku == *sku));
    by_sku.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mass: f32 = by_sku.iter().take(4).map(|(_, p)| p).sum();
    let candidates: Vec<Sku> = by_sku.into_iter().take(4).filter(|(_, p)| *p > 0.01).map(|(sku, _)| sku).collect();
    let reason = if together > 0.5 {
        HoldReason::Several
    } else if mass >= thresholds.ask && !candidates.is_empty() {
        HoldReason::Unsure
    } else {
        HoldReason::Unknown
    };
    Decision::Hold { reason, candidates }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fusion::tests::{catalogue, sku};
    use cart_vision::{Scan, Symbology};
    use hal::{CameraId, Moment};
    use trip::Gtin;

    fn seen(named: &[(&str, f32)]) -> SightOf {
        let sum: f32 = named.iter().map(|(_, p)| p).sum();
        let unknown = (1.0 - sum) / 2.0;
        SightOf {
            named: named.iter().map(|(n, p)| (sku(n), *p)).collect(),
            rest: unknown,
            unknown,
            things: usize::from(sum > 0.0),
            contested: false,
            thumbnail: None,
        }
    }

    fn scan(name: &str) -> PendingScan {
        let gtin = Gtin::parse("96385074").expect("valid");
        let item = trip::gs1::Item { gtin, net_weight: None, price: None, batch: None, expiry: None, serial: None };
        let content = trip::gs1::Scanned::Item(item);
        let scan = Scan { at: Moment::default(), camera: CameraId(0), symbology: Symbology::Ean8, content, frames: 3 };
        PendingScan { sku: sku(name), scan, since: Moment::default() }
    }

    fn check(grams: i32, named: &[(&str, f32)], scans: &[PendingScan]) -> Decision {
        let step = WeightStep { delta: Grams(grams), sigma_g: 1.2, ..WeightStep::default() };
        decide(&step, &seen(named), scans, &[], &catalogue(), &Thresholds::default()).0
    }

    #[test]
    fn what_is_known_is_added_at_once() {
        let line = Addition { sku: sku("tea"), quantity: Quantity::Each(1), evidence: Evidence::SeenAndWeighed };
        assert_eq!(check(151, &[("tea", 0.9), ("lime", 0.05)], &[]), Decision::Add(vec![line]));
        let line =
            Addition { sku: sku("lime"), quantity: Quantity::Weighed(Grams(142)), evidence: Evidence::SeenAndWeighed };
        assert_eq!(check(142, &[("lime", 0.985), ("oat", 0.005)], &[]), Decision::Add(vec![line]));
    }

    #[test]
    fn what_is_not_known_is_asked_or_held() {
        let Decision::Hold { reason: HoldReason::Unsure, candidates } =
            check(1_042, &[("milk", 0.5), ("oat", 0.45)], &[])
        else {
            panic!("not asked")
        };
        assert_eq!(candidates, [sku("milk"), sku("oat")]);
        assert!(matches!(check(415, &[("milk", 0.9)], &[]), Decision::Hold { reason: HoldReason::Unknown, .. }));
        assert!(
            matches!(check(1_042, &[], &[]), Decision::Hold { reason: HoldReason::Unknown, .. }),
            "no look, no tiles"
        );
    }

    #[test]
    fn a_code_with_its_weight_is_added_and_with_another_weight_is_not() {
        let line = Addition { sku: sku("oat"), quantity: Quantity::Each(1), evidence: Evidence::Scanned };
        assert_eq!(check(1_041, &[("milk", 0.9)], &[scan("oat")]), Decision::Add(vec![line]));
        assert!(matches!(check(415, &[("milk", 0.9)], &[scan("oat")]), Decision::Hold { .. }));
    }

    #[test]
    fn loose_produce_is_not_added_with_the_weight_of_a_second_thing() {
        let step = WeightStep { delta: Grams(142), sigma_g: 1.2, ..WeightStep::default() };
        let alone = seen(&[("lime", 0.985), ("oat", 0.005)]);
        let check = |step: WeightStep, sight: SightOf, objection: Option<Objection>| {
            let (found, account) = decide(&step, &sight, &[], &[], &catalogue(), &Thresholds::default());
            assert_eq!(account.objection, objection, "{sight:?}: {found:?}");
            assert_eq!(matches!(found, Decision::Add(_)), objection.is_none(), "{sight:?}: {found:?}");
        };
        check(step, alone.clone(), None);
        check(step, SightOf { contested: true, ..alone.clone() }, Some(Objection::NotAlone));
        check(step, SightOf { things: 2, ..alone.clone() }, Some(Objection::NotAlone));
        check(WeightStep { delta: Grams(860), ..step }, alone.clone(), Some(Objection::TooMuch));
        check(WeightStep { dip_g: 400.0, ..step }, alone, Some(Objection::Dipped));
    }

    #[test]
    fn two_of_one_kind_are_added_from_one_hand_and_asked_about_from_two() {
        let step = WeightStep { delta: Grams(301), sigma_g: 1.2, ..WeightStep::default() };
        let check = |things: usize, objection: Option<Objection>| {
            let sight = SightOf { things, ..seen(&[("tea", 0.97), ("lime", 0.001)]) };
            let (found, account) = decide(&step, &sight, &[], &[], &catalogue(), &Thresholds::default());
            assert_eq!(account.objection, objection, "{things}: {found:?}");
        };
        check(1, None);
        check(2, Some(Objection::NotAlone));
    }

    #[test]
    fn the_account_says_what_was_felt_and_seen_and_why_it_was_asked() {
        let account = |grams: i32, named: &[(&str, f32)], scans: &[PendingScan]| {
            let step = WeightStep { delta: Grams(grams), sigma_g: 1.2, ..WeightStep::default() };
            decide(&step, &seen(named), scans, &[], &catalogue(), &Thresholds::default()).1
        };
        let told = account(1_042, &[("milk", 0.5), ("oat", 0.45)], &[]);
        assert_eq!(told.objection, Some(Objection::NotSure));
        assert_eq!(told.step.delta, Grams(1_042));
        assert_eq!(told.sight.of(&sku("milk"), 5), 0.5);
        assert_eq!(told.best[0].what, What::One { sku: sku("milk"), pieces: 1 });
        assert!(told.best.len() <= TOLD);
        assert_eq!(account(415, &[("milk", 0.9)], &[]).objection, Some(Objection::Stranger));
        assert_eq!(account(1_250, &[("wine", 0.99)], &[]).objection, Some(Objection::NeedsCode));
        let told = account(1_250, &[("wine", 0.99)], &[scan("wine")]);
        assert_eq!((told.objection, told.scanned), (None, vec![sku("wine")]));
    }

    #[test]
    fn a_product_that_needs_its_code_is_never_added_by_sight() {
        assert!(matches!(check(1_250, &[("wine", 0.99)], &[]), Decision::Hold { .. }));
        assert!(matches!(check(1_250, &[("wine", 0.99)], &[scan("wine")]), Decision::Add(_)));
    }

    #[test]
    fn however_sure_a_swap_is_what_needs_its_code_is_not_swapped_in_without_it() {
        let check = |scans: &[PendingScan]| {
            let swap = Swap { out: LineId(1), weight_out: Grams(1_200), into: sku("wine"), score: 1.0 };
            let step = WeightStep { delta: Grams(50), sigma_g: 1.2, ..WeightStep::default() };
            exchange(&swap, &step, scans, &catalogue()).is_some()
        };
        assert!(!check(&[]));
        assert!(check(&[scan("wine")]));
    }
}
