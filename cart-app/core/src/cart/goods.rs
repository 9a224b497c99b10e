//! What goes in and out: steps, codes, holds.

use std::time::Duration;

use cart_vision::{Scan, Thumbnail};
use hal::Moment;
use trip::basket::{Evidence as Why, Hold, HoldReason};
use trip::event::Outcome;
use trip::{Grams, HoldId, LineId, LineItem, Phase, Quantity, Sale, Sku, TripEvent};

use super::{CHIP_FOR, Cart, Chip, FRESH_FOR, Panel, Pending};
use crate::decision::{self, Addition, Decision};
use crate::effect::Signal;
use crate::evidence::{PendingScan, SightOf};
use crate::input::Device;
use crate::removal::{self, Removal};
use crate::view::WaitsFor;
use crate::weight_step::{Condition, WeightStep};

/// A code that is not felt by the scale for so long is asked about.
pub(super) const SCAN_PATIENCE: Duration = Duration::from_secs(12);
/// The same code is not taken again so soon after it was explained: the box is still in view.
const SAME_CODE_REST: Duration = Duration::from_millis(1_500);
/// A step that is not sure waits this long for one more look.
const ONE_MORE_LOOK: Duration = Duration::from_millis(350);
/// It waits this long while something still moves, or when nothing was seen (someone leans).
const STILL_MOVING: Duration = Duration::from_millis(1_200);
/// It waits for the scale to be at rest no longer than this, looked at so often.
const LEANING: Duration = Duration::from_secs(6);
const LOOK_AGAIN: Duration = Duration::from_millis(100);
/// So near in weight is the same thing coming back, in grams.
const SAME_THING_G: i32 = 6;
/// A dip is felt in mid-movement: what came in as it ended weighs dip and rest together, give or take.
const SWAPPED_OUT_G: i32 = 25;
const SWAPPED_OUT_SHARE: f32 = 0.15;
/// A product that a look gives so much may have come in while something went.
const MAY_HAVE_COME: f32 = 0.02;

impl Cart {
    pub(super) fn on_step(&mut self, step: WeightStep, now: Moment) {
        // What the cameras saw change belongs to this step.
        self.unfelt = None;
        let little = self.is_little(&step);
        match self.state.phase {
            // Before a trip the load is the shopper's own; after payment it is theirs.
            Phase::Idle | Phase::Paid | Phase::Receipted => return,
            Phase::Locked | Phase::Paying if !little => self.unlock(),
            Phase::Locked | Phase::Paying | Phase::Shopping => {}
        }
        if let Some(before) = self.pending.as_ref().map(|p| p.step).filter(|before| self.is_over_with(before, &step)) {
            let later = self.evidence.take_looks_after(before.at);
            self.decide_pending(now, true);
            self.evidence.return_looks(later);
        }
        let step = self.pending.take().map_or(step, |before| before.step.then(step));
        if self.is_little(&step) && !step.stirred() {
            // Put in and taken out again, or a hand that leaned: nothing happened.
            return;
        }
        self.pending = Some(Pending { step, due: now, last: step.at + STILL_MOVING });
        self.resolve_pending(now);
    }

    /// True for a stir: too little is left of it to be a thing.
    fn is_little(&self, step: &WeightStep) -> bool {
        (step.delta.0.abs() as f32) < self.setup.scale.min_step_g
    }

    /// True when `next` is another matter than what still waits. A load that comes and goes again may be
    /// someone leaning, and two things may land one after the other; but what went out and what came
    /// in after it are two things, unless it is the same one coming back.
    fn is_over_with(&self, before: &WeightStep, next: &WeightStep) -> bool {
        let both = before.then(*next);
        self.is_little(before) || (before.delta.0 < 0 && next.delta.0 > 0 && !self.is_little(&both))
    }

    /// Voids the lock: the basket is no longer what it was.
    pub(super) fn unlock(&mut self) {
        // What is paid stays paid: a late touch undoes nothing.
        if !matches!(self.state.phase, Phase::Locked | Phase::Paying) {
            return;
        }
        if let Some(lock) = &self.state.lock {
            let version = lock.version;
            self.checking = false;
            self.record(vec![TripEvent::BasketUnlocked { version }]);
            self.effects.push_back(crate::Effect::Show);
        }
    }

    /// Decides the pending step if it is sure, or if its time is up.
    pub(super) fn resolve_pending(&mut self, now: Moment) {
        self.decide_pending(now, false);
    }

    fn decide_pending(&mut self, now: Moment, at_once: bool) {
        let Some(pending) = self.pending.take() else { return };
        let step = pending.step;
        let sight = self.evidence.sight(step.at.max(now));
        let scans = self.waiting_scans();
        let seen = sight.looked() || !scans.is_empty();
        let patience = if seen && !self.evidence.moving() { ONE_MORE_LOOK } else { STILL_MOVING };
        let due = step.at + patience;
        // Who leans is not at rest for long, and what leaning felt like goes with them.
        let rests = self.steps.condition() == Condition::Settled || now >= step.at + LEANING || !self.scale_works();
        let over = at_once || (rests && (now >= due || now >= pending.last));
        let done = match step.delta.0 {
            _ if self.is_little(&step) => over && self.look_again(&step, now),
            1.. => self.put_in(&step, &sight, &scans, over, now),
            _ => self.taken_out(&step, &sight, &scans, over, now),
        };
        if !done {
            let due = if now >= due { now + LOOK_AGAIN } else { due };
            self.pending = Some(Pending { due, ..pending });
        }
    }

    /// All codes that wait for a weight, also those already asked about.
    fn waiting_scans(&self) -> Vec<PendingScan> {
        self.evidence.scans().iter().chain(self.parked.iter().map(|(_, scan)| scan)).cloned().collect()
    }

    fn put_in(&mut self, step: &WeightStep, sight: &SightOf, scans: &[PendingScan], over: bool, now: Moment) -> bool {
        if let Some(hold) = self.came_back(step, sight, scans) {
            self.record(vec![TripEvent::HoldResolved { hold, outcome: Outcome::Dropped }]);
            self.close_panel(hold);
            self.effects.push_back(crate::Effect::Show);
            return true;
        }
        let swaps = self.swaps(step, sight, scans, now);
        let (decision, account) = decision::decide(step, sight, scans, &swaps, &self.catalogue, &self.setup.thresholds);
        self.account = Some(account);
        match decision {
            Decision::Add(additions) => {
                self.add(&additions, step.delta, None, now);
                true
            }
            Decision::Swap(exchange) => {
                self.exchange(&exchange, step.delta, None, now);
                true
            }
            Decision::AskSwap(pairs) if over => {
                self.ask_swap(step, pairs, sight);
                true
            }
            Decision::AskSwap(_) => false,
            Decision::Hold { reason, candidates } if over => {
                let dip = step.dip();
                let held = Hold { weight: step.delta, reason, candidates, dip, ..Hold::default() };
                self.hold(held, sight.thumbnail.clone());
                true
            }
            Decision::Hold { .. } => false,
        }
    }

    /// The removal that was asked about and has just been put back: it weighs the same, and nothing that
    /// was read or seen is another thing than may have gone.
    fn came_back(&self, step: &WeightStep, sight: &SightOf, scans: &[PendingScan]) -> Option<HoldId> {
        let name = scans.first().map(|scan| &scan.sku).or_else(|| sight.name());
        let may_have_gone = |hold: &Hold| {
            let of = |line: &LineId| self.state.basket.line(*line).map(|item| &item.sku);
            hold.lines.is_empty() || name.is_none() || hold.lines.iter().any(|line| of(line) == name)
        };
        let same = |hold: &&Hold| {
            matches!(hold.reason, HoldReason::WhichRemoved | HoldReason::Recount)
                && (hold.weight.0 + step.delta.0).abs() <= SAME_THING_G
                && may_have_gone(hold)
        };
        self.state.basket.holds.iter().rev().find(same).map(|hold| hold.hold)
    }

    /// Adds lines; `resolved` is the hold they settle.
    pub(super) fn add(&mut self, additions: &[Addition], weight: Grams, resolved: Option<HoldId>, now: Moment) {
        self.add_after(Vec::new(), additions, weight, resolved, now);
    }

    /// Adds lines in one commit with what had to happen `before`.
    pub(super) fn add_after(
        &mut self,
        before: Vec<TripEvent>,
        additions: &[Addition],
        weight: Grams,
        resolved: Option<HoldId>,
        now: Moment,
    ) {
        let mut events = before;
        let mut left = weight;
        let mut line = self.state.last_line;
        for (n, addition) in additions.iter().enumerate() {
            line = LineId(line.0 + 1);
            let product = self.catalogue.get(&addition.sku);
            let pieces = if let Quantity::Each(pieces) = addition.quantity { pieces as i32 } else { 1 };
            let usual = product.and_then(|p| p.weight).map(|w| Grams(w.0.saturating_mul(pieces)));
            let own = if n + 1 == additions.len() { left } else { usual.unwrap_or(left) };
            left = Grams(left.0 - own.0);
            let weight = (addition.evidence != Why::ScannedOnly).then_some(own);
            let item = LineItem {
                line,
                sku: addition.sku.clone(),
                quantity: addition.quantity,
                weight,
                evidence: addition.evidence,
            };
            events.push(TripEvent::ItemAdded { item });
            if product.is_some_and(|p| p.min_age > 0) {
                events.push(TripEvent::AgeCheckAsked { line });
            }
        }
        let skus: Vec<Sku> = additions.iter().map(|a| a.sku.clone()).collect();
        let parked: Vec<HoldId> =
            self.parked.iter().filter(|(_, s)| skus.contains(&s.sku)).map(|(hold, _)| *hold).collect();
        let holds: Vec<HoldId> = parked.into_iter().chain(resolved).collect();
        events.extend(holds.iter().map(|hold| TripEvent::HoldResolved { hold: *hold, outcome: Outcome::Added }));
        self.record(events);
        self.explain(&skus, now);
        holds.into_iter().for_each(|hold| self.close_panel(hold));
        self.fresh = Some((line, now + FRESH_FOR));
        self.chip = None;
        self.signal(Signal::Added);
    }

    /// Forgets the codes and looks that are explained, and for a moment takes no such code again.
    fn explain(&mut self, skus: &[Sku], now: Moment) {
        let scans = self.waiting_scans();
        for scan in scans.into_iter().filter(|s| skus.contains(&s.sku)) {
            self.explained.push_back((scan.scan.content, now));
        }
        while self.explained.len() > 8 {
            self.explained.pop_front();
        }
        self.evidence.settle_scans(skus);
        self.parked.retain(|(_, scan)| !skus.contains(&scan.sku));
        self.settle_looks();
    }

    /// Forgets the looks: what they showed is explained.
    pub(super) fn settle_looks(&mut self) {
        self.evidence.settle_looks();
        self.unfelt = None;
        self.stirred = None;
    }

    /// Holds something and asks about it; gives it the next number.
    pub(super) fn hold(&mut self, held: Hold, seen: Option<Thumbnail>) -> HoldId {
        let number = HoldId(self.state.last_hold.0 + 1);
        let reason = held.reason;
        self.record(vec![TripEvent::ItemHeld { hold: Hold { hold: number, ..held } }]);
        if let Some(thumbnail) = seen {
            self.thumbnails.insert(number, thumbnail);
        }
        self.panel = Panel { ask: Some((number, WaitsFor::Answer)), ..Panel::default() };
        self.settle_looks();
        let asks = matches!(reason, HoldReason::Unsure | HoldReason::Swapped);
        self.signal(if asks { Signal::Ask } else { Signal::Held });
        number
    }

    fn taken_out(
        &mut self,
        step: &WeightStep,
        sight: &SightOf,
        scans: &[PendingScan],
        over: bool,
        now: Moment,
    ) -> bool {
        if let Some(hold) = self.awaited(step) {
            self.came_out(hold);
            return true;
        }
        // A code read while something leaves says what leaves.
        let scanned = SightOf {
            named: scans.iter().map(|s| (s.sku.clone(), 0.97)).collect(),
            rest: 0.02,
            unknown: 0.01,
            things: 1,
            contested: false,
            thumbnail: None,
        };
        let went = self.evidence.went(step.at.max(now));
        // What lies there now is not what went; a look in flight may be.
        let flying = !went.looked() && !self.evidence.came(step.at.max(now)).looked();
        let went = match scans.is_empty() {
            false => &scanned,
            true if flying => sight,
            true => &went,
        };
        let swaps = self.swaps(step, sight, &[], now);
        match removal::explain(step, went, &swaps, &self.state, &self.catalogue) {
            Removal::Line { line, pieces } => {
                let undone = self.undone(step);
                self.remove(line, pieces, Some(step.delta), undone, now);
                true
            }
            Removal::Hold(hold) => {
                self.came_out(hold);
                true
            }
            Removal::Own(_) => {
                self.own_gone(step.delta);
                true
            }
            Removal::Swap(swap) if over => {
                match decision::exchange(&swap, step, &[], &self.catalogue) {
                    Some(exchange) => self.exchange(&exchange, step.delta, None, now),
                    None => self.ask_swap(step, vec![(swap.out, swap.into)], sight),
                }
                true
            }
            Removal::AskSwap(pairs) if over => {
                self.ask_swap(step, pairs, sight);
                true
            }
            Removal::Ask(lines) if over => {
                let reason = HoldReason::WhichRemoved;
                // Something may have come in its place, and the weight is of both.
                let came = self.evidence.came(step.at.max(now)).named;
                let candidates = came.into_iter().filter(|(_, p)| *p >= MAY_HAVE_COME).map(|(sku, _)| sku).take(4);
                let held =
                    Hold { weight: step.delta, reason, lines, candidates: candidates.collect(), ..Hold::default() };
                self.hold(held, sight.thumbnail.clone());
                true
            }
            Removal::Ask(_) | Removal::AskSwap(_) | Removal::Swap(_) => false,
        }
    }

    /// What is held and was to be taken out, and weighs what has just gone: the shopper has said so.
    fn awaited(&self, step: &WeightStep) -> Option<HoldId> {
        let held = self.to_be_taken_out()?;
        ((held.weight.0 + step.delta.0).abs() <= SAME_THING_G).then_some(held.hold)
    }

    /// The question about a swap that is undone by this step: what came in and was to be taken out again weighs
    /// what was lifted, and with it its line leaves the bill.
    fn undone(&self, step: &WeightStep) -> Option<HoldId> {
        let held = self.to_be_taken_out()?;
        let came = held.dip.0 + held.weight.0;
        let near = SWAPPED_OUT_G.max((came as f32 * SWAPPED_OUT_SHARE) as i32);
        (held.dip.0 > 0 && (came + step.delta.0).abs() <= near).then_some(held.hold)
    }

    fn to_be_taken_out(&self) -> Option<&Hold> {
        let (open, waits_for) = self.panel.ask?;
        self.state.basket.hold(open).filter(|_| waits_for == WaitsFor::Removal)
    }

    /// What was held came out again.
    fn came_out(&mut self, hold: HoldId) {
        self.record(vec![TripEvent::HoldResolved { hold, outcome: Outcome::TakenOut }]);
        self.close_panel(hold);
        self.settle_looks();
        self.signal(Signal::Idle);
    }

    /// Takes pieces off a line and tells what came off the total.
    pub(super) fn remove(
        &mut self,
        line: LineId,
        pieces: u32,
        weight: Option<Grams>,
        resolved: Option<HoldId>,
        now: Moment,
    ) {
        let Some(item) = self.state.basket.line(line).cloned() else { return };
        let before = self.total();
        let mut events = vec![TripEvent::ItemRemoved { line, pieces, weight }];
        events.extend(resolved.map(|hold| TripEvent::HoldResolved { hold, outcome: Outcome::Removed }));
        // What is gone was swapped for nothing.
        let moot = self.moot_swaps(line);
        events.extend(moot.iter().map(|hold| TripEvent::HoldResolved { hold: *hold, outcome: Outcome::Dropped }));
        self.record(events);
        moot.into_iter().chain(resolved).for_each(|hold| self.close_panel(hold));
        self.explain(std::slice::from_ref(&item.sku), now);
        let name = self.catalogue.get(&item.sku).map_or_else(|| item.sku.to_string(), |p| p.name.clone());
        let mut price = before;
        price.minor -= self.total().minor;
        self.chip = Some(Chip { name, price, until: now + CHIP_FOR });
        self.signal(Signal::Idle);
    }

    pub(super) fn on_scan(&mut self, scan: Scan, now: Moment) {
        self.join_by_card(&scan.content);
        if self.state.phase != Phase::Shopping {
            return;
        }
        let rests =
            |(content, at): &(trip::gs1::Scanned, Moment)| *content == scan.content && now.since(*at) < SAME_CODE_REST;
        if self.explained.iter().any(rests) {
            return;
        }
        let Some(product) = self.catalogue.by_scan(&scan.content).cloned() else {
            // Not in the catalogue: the thing itself will be felt, held and asked about.
            let what = match scan.content {
                trip::gs1::Scanned::Item(item) => format!("GTIN {} is not in the catalogue", item.gtin),
                trip::gs1::Scanned::InStore(code) => format!("PLU {} is not in the catalogue", u32::from(code.plu)),
                // What else a shopper shows is theirs.
                trip::gs1::Scanned::Other(_) => return,
            };
            self.effects.push_back(crate::Effect::Warn(what));
            return;
        };
        if self.settle_swap_by_code(&product.sku, &scan, now) {
            return;
        }
        if let Some(hold) = self.hold_for(&product.sku) {
            self.settle_hold_by_code(hold, &product.sku, scan, now);
            return;
        }
        if self.parked.iter().any(|(_, parked)| parked.scan.content == scan.content) {
            // It is asked about already.
            return;
        }
        if !self.scale_works() {
            // Nothing can be felt: the shopper says that it is in, once for each time.
            let pending = PendingScan { sku: product.sku.clone(), scan, since: now };
            self.park(pending);
            return;
        }
        self.evidence.scan(product.sku, scan, now);
        self.resolve_pending(now);
    }

    /// The unresolved thing that a code of `sku` settles: the open question first, then the newest
    /// whose weight fits.
    fn hold_for(&self, sku: &Sku) -> Option<HoldId> {
        let product = self.catalogue.get(sku)?;
        let open = self.panel.ask.map(|(hold, _)| hold);
        let fits = |hold: &&Hold| {
            let step = WeightStep { delta: hold.weight, sigma_g: 1.5, ..WeightStep::default() };
            !matches!(hold.reason, HoldReason::Swapped | HoldReason::Refused)
                && hold.weight.0 > 0
                && crate::fusion::quantity_of(product, &step).is_some()
        };
        let asked = self.state.basket.holds.iter().find(|h| Some(h.hold) == open).filter(fits);
        // A weight that any amount fits says nothing: only the open question may be meant then.
        let telling = product.weight.is_some() && matches!(product.sale, Sale::Each { .. });
        let newest = || self.state.basket.holds.iter().rev().filter(|_| telling).find(fits);
        asked.or_else(newest).map(|h| h.hold)
    }

    /// The code of a held thing was shown, and its weight fits: that settles it.
    fn settle_hold_by_code(&mut self, hold: HoldId, sku: &Sku, scan: Scan, now: Moment) {
        let (Some(held), Some(product)) = (self.state.basket.hold(hold).cloned(), self.catalogue.get(sku)) else {
            return;
        };
        let step = WeightStep { at: now, delta: held.weight, sigma_g: 1.5, ..WeightStep::default() };
        let content = scan.content.clone();
        let scanned = PendingScan { sku: sku.clone(), scan, since: now };
        let Some(by_weight) = crate::fusion::quantity_of(product, &step) else { return };
        let quantity = match (decision::priced(&scanned), by_weight) {
            // A price on a label is for one piece.
            (Some(_), Quantity::Each(pieces)) if pieces > 1 => return,
            (Some(priced), _) => priced,
            (None, by_weight) => by_weight,
        };
        self.explained.push_back((content, now));
        let addition = Addition { sku: sku.clone(), quantity, evidence: Why::Scanned };
        self.add(&[addition], held.weight, Some(hold), now);
    }

    /// A code that was never felt: asked about, not charged.
    pub(super) fn park_overdue_scans(&mut self, now: Moment) {
        let limit = Moment(now.0.saturating_sub(SCAN_PATIENCE.as_micros() as u64));
        if now.0 < SCAN_PATIENCE.as_micros() as u64 {
            return;
        }
        while let Some(scan) = self.evidence.overdue_scan(limit) {
            if self.state.phase != Phase::Shopping || self.faults.contains_key(&Device::Scale) {
                continue;
            }
            self.park(scan);
        }
    }

    fn park(&mut self, scan: PendingScan) {
        let candidates = vec![scan.sku.clone()];
        let hold = self.hold(Hold { reason: HoldReason::NeverPutIn, candidates, ..Hold::default() }, None);
        self.parked.push((hold, scan));
    }

    /// Closes what the screen had open about `hold`, and opens the next question, if one waits.
    pub(super) fn close_panel(&mut self, hold: HoldId) {
        self.thumbnails.remove(&hold);
        self.parked.retain(|(parked, _)| *parked != hold);
        if self.panel.ask.is_some_and(|(open, _)| open == hold) {
            let ask = self.state.basket.holds.last().map(question);
            self.panel = Panel { ask, ..Panel::default() };
        }
    }
}

/// How a held thing is asked about at first: what may not be sold can only be taken out.
pub(super) fn question(hold: &Hold) -> (HoldId, WaitsFor) {
    (hold.hold, if hold.reason == HoldReason::Refused { WaitsFor::Removal } else { WaitsFor::Answer })
}
