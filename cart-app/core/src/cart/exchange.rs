//! Swaps: made when sight and weight agree, asked about when they do not, never passed over.

use std::time::Duration;

use cart_vision::Scan;
use hal::Moment;
use trip::basket::{Evidence as Why, Hold, HoldReason};
use trip::event::Outcome;
use trip::{Grams, HoldId, LineId, LineItem, Money, Phase, Product, Quantity, Sale, Sku, TripEvent};

use super::{CHIP_FOR, Cart, Chip};
use crate::decision::{self, Addition, Exchange};
use crate::evidence::{PendingScan, SightOf};
use crate::fusion;
use crate::swap::{self, Swap};
use crate::weight_step::{Condition, WeightStep};

/// A change of the scene waits so long for the scale to say why.
const FELT_WITHIN: Duration = Duration::from_millis(1_500);
/// While the scale moves or something still moves before a camera, it is looked at again after this,
const ASK_AGAIN: Duration = Duration::from_millis(300);
/// and given up after this: what it was will be felt.
const GIVE_UP: Duration = Duration::from_secs(4);
/// A weight felt by difference is off by so much, one standard deviation in grams.
const BY_DIFFERENCE_SIGMA_G: f32 = 3.0;

/// The scene has changed, and the scale has not felt why.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unfelt {
    pub(super) due: Moment,
    until: Moment,
}

impl Cart {
    /// The swaps that a change of the load may have been.
    pub(super) fn swaps(&self, step: &WeightStep, sight: &SightOf, scans: &[PendingScan], now: Moment) -> Vec<Swap> {
        let at = step.at.max(now);
        let came = self.evidence.came(at);
        // A look in flight may do; it is less, for the hand may have held the one or the other.
        let came = if came.looked() { &came } else { sight };
        swap::pairs(step, came, &self.evidence.went(at), scans, &self.state, &self.catalogue)
    }

    /// The scene has changed; if the scale feels nothing, that is looked into.
    pub(super) fn watch_unfelt(&mut self, now: Moment) {
        let trip = matches!(self.state.phase, Phase::Shopping | Phase::Locked | Phase::Paying);
        if trip && self.pending.is_none() && self.unfelt.is_none() {
            self.unfelt = Some(Unfelt { due: now + FELT_WITHIN, until: now + GIVE_UP });
        }
    }

    pub(super) fn resolve_unfelt(&mut self, now: Moment) {
        let Some(unfelt) = self.unfelt.filter(|unfelt| now >= unfelt.due) else { return };
        let still = self.steps.condition() == Condition::Settled && !self.evidence.moving();
        if !still && self.scale_works() && now < unfelt.until {
            self.unfelt = Some(Unfelt { due: now + ASK_AGAIN, ..unfelt });
            return;
        }
        self.unfelt = None;
        // With a step under way the looks are that step's.
        if still && self.pending.is_none() {
            let calm = WeightStep { at: now, delta: self.steps.residual(), sigma_g: 1.5, ..WeightStep::default() };
            let stir = self.stirred.take().filter(|stir| now.since(stir.at) < GIVE_UP);
            self.look_again(&stir.unwrap_or(calm), now);
        }
    }

    /// The load is as before: was a thing swapped all the same? Always decides.
    pub(super) fn look_again(&mut self, step: &WeightStep, now: Moment) -> bool {
        let at = step.at.max(now);
        let came = self.evidence.came(at);
        let swaps = swap::reopen(step, &came, &self.evidence.went(at), &self.state, &self.catalogue);
        let all: f32 = swaps.iter().map(|swap| swap.score).sum();
        let sure = swaps.first().filter(|swap| swap.score >= self.setup.thresholds.add);
        if let Some(exchange) = sure.and_then(|swap| decision::exchange(swap, step, &[], &self.catalogue)) {
            self.unlock();
            self.exchange(&exchange, step.delta, None, now);
        } else if all >= swap::WORTH_ASKING {
            self.unlock();
            self.ask_swap(step, swap::best_pairs(&swaps), &came);
        } else if came.looked() {
            self.settle_looks();
        } else if step.stirred() {
            // The cameras may be later than the scale.
            self.stirred = Some(*step);
        }
        true
    }

    /// Holds a swap that is not sure: one question, and the way to the lane is shut until it is settled.
    /// What lay below what was seen to go may have gone instead: where there is room, the other lines
    /// whose weight agrees are offered too.
    pub(super) fn ask_swap(&mut self, step: &WeightStep, mut pairs: Vec<(LineId, Sku)>, sight: &SightOf) {
        let held = Hold { weight: step.delta, reason: HoldReason::Swapped, dip: step.dip(), ..Hold::default() };
        let best = pairs.first().and_then(|(_, sku)| self.catalogue.get(sku)).cloned();
        for line in best.iter().flat_map(|product| self.lines_for(&held, product, &[])).collect::<Vec<_>>() {
            if pairs.len() < swap::MOST_PAIRS && pairs.iter().all(|(other, _)| *other != line) {
                pairs.extend(best.iter().map(|product| (line, product.sku.clone())));
            }
        }
        let (lines, candidates) = pairs.into_iter().unzip();
        self.hold(Hold { candidates, lines, ..held }, sight.thumbnail.clone());
    }

    /// Takes the one off and adds the other, in one commit. `delta` is the change of the load by both.
    pub(super) fn exchange(&mut self, exchange: &Exchange, delta: Grams, resolved: Option<HoldId>, now: Moment) {
        let Exchange { out, weight_out, addition } = exchange;
        let Some(item) = self.state.basket.line(*out).cloned() else { return };
        let chip_price = self.price_of_piece(*out);
        let gone = TripEvent::ItemRemoved { line: *out, pieces: 1, weight: Some(Grams(-weight_out.0)) };
        let weight_in = Grams(weight_out.0.saturating_add(delta.0));
        self.add_after(vec![gone], std::slice::from_ref(addition), weight_in, resolved, now);
        let name = self.catalogue.get(&item.sku).map_or_else(|| item.sku.to_string(), |p| p.name.clone());
        self.chip = chip_price.map(|price| Chip { name, price, until: now + CHIP_FOR });
    }

    /// Open questions about swaps that are void once `line` is gone.
    pub(super) fn moot_swaps(&self, line: LineId) -> Vec<HoldId> {
        let void = |hold: &&trip::Hold| {
            // The likeliest pair is the question; the others are guesses beside it.
            hold.reason == HoldReason::Swapped && hold.lines.first() == Some(&line)
        };
        self.state.basket.holds.iter().filter(void).map(|hold| hold.hold).collect()
    }

    /// "This for that", by a tap. The weight may speak against it: then a person looks.
    pub(super) fn answer_swap(&mut self, hold: HoldId, line: Option<LineId>, sku: &Sku, now: Moment) {
        let Some(held) = self.state.basket.hold(hold).cloned().filter(|h| h.reason == HoldReason::Swapped) else {
            return;
        };
        let Some(product) = self.catalogue.get(sku).cloned() else { return };
        if product.barcode_required {
            return self.wait_for(hold, crate::view::WaitsFor::Code);
        }
        let found = self.counterpart(&held, line, sku);
        match found {
            Some((out, weight_out, quantity)) => {
                let addition = Addition { sku: sku.clone(), quantity, evidence: Why::Chosen };
                self.exchange(&Exchange { out, weight_out, addition }, held.weight, Some(hold), now);
            }
            None => self.call_help(),
        }
    }

    /// The line for which `sku` came in: the one named, or the best of the question's whose weight agrees,
    /// or of all; with what went and how much came.
    fn counterpart(&self, held: &trip::Hold, line: Option<LineId>, sku: &Sku) -> Option<(LineId, Grams, Quantity)> {
        let product = self.catalogue.get(sku)?;
        let agrees = |line: LineId| {
            let weight_out = self.weight_of(line, 1)?;
            let felt = WeightStep {
                delta: Grams(weight_out.0.saturating_add(held.weight.0)),
                sigma_g: BY_DIFFERENCE_SIGMA_G,
                ..WeightStep::default()
            };
            Some((line, weight_out, fusion::quantity_of(product, &felt)?))
        };
        if let Some(line) = line {
            return agrees(line);
        }
        let paired = held.lines.iter().zip(&held.candidates).filter(|(_, name)| *name == sku).map(|(line, _)| *line);
        let others = held.lines.iter().copied().chain(self.state.basket.lines.iter().map(|item| item.line));
        paired
            .chain(others)
            .filter(|line| self.state.basket.line(*line).is_some_and(|l| l.sku != *sku))
            .find_map(agrees)
    }

    /// "Nothing was changed": believed where the scale agrees; else a person looks.
    pub(super) fn nothing_changed(&mut self, hold: HoldId, now: Moment) {
        let Some(held) = self.state.basket.hold(hold).cloned() else { return };
        if held.reason != HoldReason::Swapped {
            return self.call_help();
        }
        if held.weight.0.abs() as f32 >= self.setup.scale.min_step_g {
            // Nothing went out, but what came was named already.
            return match only(&held.candidates).cloned() {
                Some(sku) if held.weight.0 > 0 => self.add_whole(&held, &sku, now),
                _ => self.call_help(),
            };
        }
        self.record(vec![TripEvent::HoldResolved { hold, outcome: Outcome::Dropped }]);
        self.close_panel(hold);
    }

    /// What was named came in where the load had dipped: if something may have gone out for it, its weight
    /// is not the change of the load. True when that is now asked instead.
    pub(super) fn ask_what_went(&mut self, held: &Hold, product: &Product) -> bool {
        let weighed = matches!(product.sale, Sale::Weight { .. });
        let alone = WeightStep { delta: held.weight, sigma_g: BY_DIFFERENCE_SIGMA_G, ..WeightStep::default() };
        // A pack that weighs what the load has gained came in for nothing.
        if held.dip.0 == 0 || (!weighed && fusion::quantity_of(product, &alone).is_some()) {
            return false;
        }
        let lines = self.lines_for(held, product, &[]);
        if lines.is_empty() {
            return false;
        }
        self.ask_which_for(held, product, lines);
        true
    }

    /// The question which of `lines` `product` came in for, in place of the question `held`.
    fn ask_which_for(&mut self, held: &Hold, product: &Product, lines: Vec<LineId>) {
        let (old, seen) = (held.hold, self.thumbnails.get(&held.hold).cloned());
        let candidates = vec![product.sku.clone(); lines.len()];
        let asked = Hold { reason: HoldReason::Swapped, candidates, lines, ..held.clone() };
        // The new question first: a power cut in between leaves one too many, and never none.
        self.hold(asked, seen);
        self.record(vec![TripEvent::HoldResolved { hold: old, outcome: Outcome::Dropped }]);
        self.thumbnails.remove(&old);
    }

    /// "Something else lies there now", by name: made when only one line may have gone for it, else asked.
    /// The pairs that were offered were not meant.
    pub(super) fn swapped_for(&mut self, hold: HoldId, product: &Product, now: Moment) {
        let Some(held) = self.state.basket.hold(hold).cloned() else { return };
        let pairs = held.lines.iter().zip(&held.candidates);
        let offered: Vec<LineId> = pairs.filter(|(_, sku)| **sku == product.sku).map(|(line, _)| *line).collect();
        let lines = self.lines_for(&held, product, &offered);
        match lines.as_slice() {
            [line] => self.answer_swap(hold, Some(*line), &product.sku, now),
            // Nothing else weighs so that it may have gone: a person looks.
            [] => self.call_help(),
            _ if product.barcode_required => self.wait_for(hold, crate::view::WaitsFor::Code),
            _ => self.ask_which_for(&held, product, lines),
        }
    }

    /// The lines but `except` that may have gone when `product` came in, by how deep the load dipped; best
    /// and newest first, at most four.
    fn lines_for(&self, held: &Hold, product: &Product, except: &[LineId]) -> Vec<LineId> {
        let step = WeightStep { dip_g: held.dip.0 as f32, ..WeightStep::default() };
        let fit = |line: &LineItem| {
            let out = self.weight_of(line.line, 1)?;
            let came = out.0.saturating_add(held.weight.0);
            let felt = WeightStep { delta: Grams(came), sigma_g: BY_DIFFERENCE_SIGMA_G, ..WeightStep::default() };
            fusion::quantity_of(product, &felt)?;
            Some((line.line, swap::excursion_fits(&step, out.0.min(came) as f32)))
        };
        let other = |line: &&LineItem| line.sku != product.sku && !except.contains(&line.line);
        let lines = self.state.basket.lines.iter().rev().filter(other);
        let mut fitting: Vec<(LineId, f32)> = lines.filter_map(fit).collect();
        fitting.sort_by(|a, b| b.1.total_cmp(&a.1));
        fitting.into_iter().take(swap::MOST_PAIRS).map(|(line, _)| line).collect()
    }

    /// The code of what may have been swapped in was shown: that settles the question.
    pub(super) fn settle_swap_by_code(&mut self, sku: &Sku, scan: &Scan, now: Moment) -> bool {
        let open = self.panel.ask.map(|(hold, _)| hold);
        let meant = |hold: &&trip::Hold| {
            hold.reason == HoldReason::Swapped && (hold.candidates.contains(sku) || open == Some(hold.hold))
        };
        let Some(held) = self.state.basket.holds.iter().find(meant).cloned() else { return false };
        let Some((out, weight_out, by_weight)) = self.counterpart(&held, None, sku) else { return false };
        let pending = PendingScan { sku: sku.clone(), scan: scan.clone(), since: now };
        let quantity = match (decision::priced(&pending), by_weight) {
            // A price on a label is for one piece.
            (Some(_), Quantity::Each(2..)) => return false,
            (Some(priced), _) => priced,
            (None, by_weight) => by_weight,
        };
        self.explained.push_back((scan.content.clone(), now));
        let addition = Addition { sku: sku.clone(), quantity, evidence: Why::Scanned };
        self.exchange(&Exchange { out, weight_out, addition }, held.weight, Some(held.hold), now);
        true
    }

    /// What a piece of the line costs, or the whole of a weighed or priced one.
    fn price_of_piece(&self, line: LineId) -> Option<Money> {
        let mut item = self.state.basket.line(line)?.clone();
        if let Quantity::Each(pieces) = &mut item.quantity {
            *pieces = 1;
        }
        let priced = trip::pricing::price_line(&item, &self.catalogue).ok()?;
        Some(Money::new(priced.price + priced.deposit, self.catalogue.currency))
    }
}

/// The one product of several candidates.
fn only(candidates: &[Sku]) -> Option<&Sku> {
    candidates.first().filter(|first| candidates.iter().all(|other| other == *first))
}
