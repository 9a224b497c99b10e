//! What people tap. An intent that no longer fits is ignored: ten taps are one tap.

use hal::Moment;
use trip::basket::{Evidence as Why, Hold, HoldReason};
use trip::event::{Ending, Outcome};
use trip::{Grams, HoldId, LineId, Phase, Quantity, Sale, Sku, TripEvent};

use super::wishes::Wishes;
use super::{Cart, GOODBYE_FOR, Panel};
use crate::decision::Addition;
use crate::effect::{Effect, Signal};
use crate::fusion;
use crate::input::Intent;
use crate::view::WaitsFor;
use crate::weight_step::WeightStep;

/// A weight that differs by more than this is another thing, in grams.
const CLEARLY_MORE_G: i32 = 20;

impl Cart {
    pub(super) fn on_intent(&mut self, intent: Intent, now: Moment) {
        self.touch_start(now);
        match intent {
            Intent::Begin => self.open_start(now),
            Intent::Start => self.start(None),
            Intent::Member { number } => self.join_by_number(&number),
            Intent::ShowList => self.show_list(),
            Intent::TickEntry { entry, on } => self.tick_entry(entry, on),
            Intent::Answer { hold, sku } => self.answer(hold, &sku, now),
            Intent::AnswerLine { hold, line } => self.answer_line(hold, line, now),
            Intent::AnswerSwap { hold, line, sku } => self.answer_swap(hold, Some(line), &sku, now),
            Intent::NothingChanged { hold } => self.nothing_changed(hold, now),
            Intent::OwnThing { hold } => self.own_thing(hold),
            Intent::SomethingElse { hold } => self.something_else(hold),
            Intent::Search { text } => {
                if self.panel.search.is_some() {
                    self.panel.search = Some(text.chars().take(60).collect());
                }
            }
            Intent::Choose { sku } => self.choose(&sku, now),
            Intent::Tare { number } => self.choose_tare(number),
            Intent::ConfirmWeigh => self.confirm_weigh(now),
            Intent::Find => self.find(),
            Intent::ShowOffers => self.show_offers(),
            Intent::ShowProduct { sku } => self.show_product(&sku),
            Intent::Back if self.leave_start() || self.leave_find() => {}
            Intent::Back => {
                self.panel.tare = None;
                if std::mem::take(&mut self.panel.list) {
                    return self.effects.push_back(Effect::Show);
                }
                if self.panel.item.take().is_none() && self.panel.weigh.take().is_none() {
                    self.panel.search = None;
                }
            }
            Intent::ScanIt { hold } => self.wait_for(hold, WaitsFor::Code),
            Intent::TakeOut { hold } => self.take_out(hold),
            Intent::AskAbout { hold } => self.wait_for(hold, WaitsFor::Answer),
            Intent::ShowLine { line } => self.show_line(line),
            Intent::SetBudget { minor } => self.set_budget(minor),
            Intent::WatchFor { allergen, on } => self.watch_for(allergen, on),
            Intent::CallHelp => self.call_help(),
            Intent::EndHelp => {
                if self.state.help {
                    self.record(vec![TripEvent::HelpEnded]);
                    self.effects.push_back(Effect::Light(Signal::Idle));
                }
            }
            Intent::ShareScreen { on } => self.share_screen(on),
            Intent::GoToLane => self.go_to_lane(),
            Intent::BackToShopping => self.unlock(),
            Intent::Finish => self.finish(now),
            // That it was touched says it all.
            Intent::StillHere => {}
            Intent::EndEmpty => self.end_empty(),
        }
        self.effects.push_back(Effect::Show);
    }

    /// A trip begins; `paired` says who shops, `None` a guest.
    pub(super) fn start(&mut self, paired: Option<TripEvent>) {
        if !self.may_begin() {
            return;
        }
        if let Some(next) = self.next_catalogue.take() {
            self.catalogue = next;
        }
        let Some(trip) = self.next_trip() else {
            self.effects.push_back(Effect::Warn(format!("\"{}\" makes no trip name", self.setup.trip_base)));
            return;
        };
        self.setup.trips += 1;
        self.close_start();
        self.goodbye = None;
        self.wishes = Wishes::default();
        self.forget_list();
        self.evidence.clear();
        self.steps.rebase();
        self.unfelt = None;
        self.stirred = None;
        let load = self.steps.gross().unwrap_or_default();
        let catalogue = self.catalogue.version;
        let much = load.0 > self.setup.own.most_g;
        let baseline = if much { Grams(0) } else { load };
        // One commit: nobody is a guest by a power cut.
        self.record(std::iter::once(TripEvent::TripStarted { trip, catalogue, baseline }).chain(paired).collect());
        if much {
            // So much is hardly a bag; perhaps the last shopper left it. It is held like anything unknown.
            self.hold(Hold { weight: load, ..Hold::default() }, None);
        }
    }

    fn answer(&mut self, hold: HoldId, sku: &Sku, now: Moment) {
        let (Some(held), Some(product)) = (self.state.basket.hold(hold).cloned(), self.catalogue.get(sku).cloned())
        else {
            return;
        };
        match held.reason {
            HoldReason::WhichRemoved | HoldReason::Refused => return,
            HoldReason::Recount if held.weight.0 <= 0 => return,
            HoldReason::NeverPutIn => return self.answer_unfelt(hold, sku, now),
            HoldReason::Swapped => return self.answer_swap(hold, None, sku, now),
            HoldReason::Unsure | HoldReason::Unknown | HoldReason::Several | HoldReason::Recount => {}
        }
        if product.barcode_required {
            return self.wait_for(hold, WaitsFor::Code);
        }
        if self.ask_what_went(&held, &product) {
            return;
        }
        // Of several things the answer names one; the rest is asked about next. It may be one more of
        // the same, so the product named stays among the tiles, last.
        let own = product.weight.unwrap_or_default();
        if held.reason == HoldReason::Several && own.0 > 0 && own.0 + CLEARLY_MORE_G < held.weight.0 {
            let addition = Addition { sku: sku.clone(), quantity: Quantity::Each(1), evidence: Why::Chosen };
            self.add(&[addition], own, Some(hold), now);
            let mut others: Vec<Sku> = held.candidates.into_iter().filter(|other| other != sku).collect();
            others.push(sku.clone());
            let weight = Grams(held.weight.0 - own.0);
            self.hold(Hold { weight, reason: HoldReason::Unsure, candidates: others, ..Hold::default() }, None);
            return;
        }
        self.add_whole(&held, sku, now);
    }

    /// All of what is held is `sku`, if its weight agrees.
    pub(super) fn add_whole(&mut self, held: &Hold, sku: &Sku, now: Moment) {
        let Some(product) = self.catalogue.get(sku).cloned() else { return };
        // A bag or tray is not paid for; only the weigh screen, which shows it, takes one off.
        let tare = if self.panel.weigh.as_ref() == Some(sku) { self.tare().weight } else { Grams(0) };
        let step = WeightStep {
            at: now,
            delta: Grams(held.weight.0.saturating_sub(tare.0)),
            sigma_g: 1.5,
            ..WeightStep::default()
        };
        if let Some(quantity) = fusion::quantity_of(&product, &step) {
            let addition = Addition { sku: sku.clone(), quantity, evidence: Why::Chosen };
            return self.add(&[addition], held.weight, Some(held.hold), now);
        }
        // The weight speaks against the choice: it stays held, and a person looks.
        self.call_help();
    }

    fn answer_line(&mut self, hold: HoldId, line: LineId, now: Moment) {
        let Some(held) = self.state.basket.hold(hold).cloned() else { return };
        if held.reason == HoldReason::Swapped {
            let pair = held.lines.iter().zip(&held.candidates).find(|(out, _)| **out == line);
            if let Some((_, sku)) = pair {
                self.answer_swap(hold, Some(line), sku, now);
            }
            return;
        }
        let removal = match held.reason {
            HoldReason::WhichRemoved => true,
            HoldReason::Recount => held.weight.0 < 0,
            _ => false,
        };
        if !removal || !held.lines.contains(&line) {
            return;
        }
        let pieces = self.pieces_gone(line, held.weight);
        let Some(own) = self.weight_of(line, pieces) else {
            return self.remove(line, pieces, None, Some(hold), now);
        };
        let rest = held.weight.0 + own.0;
        if rest > CLEARLY_MORE_G && !held.candidates.is_empty() {
            // Something was seen to come as it went: what is left of the weight is that, and asked about.
            self.remove(line, pieces, Some(Grams(-own.0)), Some(hold), now);
            let reason = HoldReason::Unsure;
            self.hold(Hold { weight: Grams(rest), reason, candidates: held.candidates, ..Hold::default() }, None);
            return;
        }
        if rest > CLEARLY_MORE_G {
            // It weighs more than what was lifted: it is still in the cart. A person looks.
            return self.call_help();
        }
        let gone = if rest < -CLEARLY_MORE_G { Grams(-own.0) } else { held.weight };
        self.remove(line, pieces, Some(gone), Some(hold), now);
        if rest < -CLEARLY_MORE_G {
            let lines = held.lines.into_iter().filter(|other| *other != line).collect();
            let reason = HoldReason::WhichRemoved;
            self.hold(Hold { weight: Grams(rest), reason, lines, ..Hold::default() }, None);
        } else {
            // So near is the same thing; the shopper's word settles what is left of the difference.
            self.steps.excuse(Grams(rest));
            self.recount();
        }
    }

    /// What `pieces` pieces of a line weigh, as felt or else by the catalogue.
    pub(super) fn weight_of(&self, line: LineId, pieces: u32) -> Option<Grams> {
        let item = self.state.basket.line(line)?;
        let have = match item.quantity {
            Quantity::Each(have) => have.max(1),
            Quantity::Weighed(_) | Quantity::Priced(_) => 1,
        };
        let whole = match item.weight {
            Some(felt) => i64::from(felt.0),
            None => i64::from(self.catalogue.get(&item.sku)?.weight?.0) * i64::from(have),
        };
        Some(Grams((whole * i64::from(pieces) / i64::from(have)) as i32))
    }

    /// "I have put it in", but nothing was felt: with a working scale a person looks; without one the
    /// shopper's word and the code have to do.
    fn answer_unfelt(&mut self, hold: HoldId, sku: &Sku, now: Moment) {
        let parked = self.parked.iter().find(|(parked, scan)| *parked == hold && scan.sku == *sku);
        let sold_by_piece = self.catalogue.get(sku).is_some_and(|p| matches!(p.sale, Sale::Each { .. }));
        match parked {
            Some((_, scan)) if !self.scale_works() => {
                let Some(quantity) = crate::decision::priced(scan).or(sold_by_piece.then_some(Quantity::Each(1)))
                else {
                    return self.call_help();
                };
                let addition = Addition { sku: sku.clone(), quantity, evidence: Why::ScannedOnly };
                // When the scale comes back, this thing is part of what lies there.
                self.steps.forget();
                self.add(&[addition], Grams(0), Some(hold), now);
            }
            _ => self.call_help(),
        }
    }

    /// How many pieces of a line make the weight that left, at least one.
    fn pieces_gone(&self, line: LineId, weight: Grams) -> u32 {
        let Some(item) = self.state.basket.line(line) else { return 1 };
        match (item.quantity, item.weight) {
            (Quantity::Each(have), Some(felt)) if have > 1 && felt.0 > 0 => {
                let share = f64::from(-weight.0) * f64::from(have) / f64::from(felt.0);
                (share.round() as u32).clamp(1, have)
            }
            _ => 1,
        }
    }

    fn something_else(&mut self, hold: HoldId) {
        let asked = self.state.basket.hold(hold).is_some_and(|h| match h.reason {
            HoldReason::Swapped => true,
            HoldReason::Refused => false,
            _ => h.weight.0 > 0,
        });
        if asked {
            let ask = Some((hold, WaitsFor::Answer));
            self.panel = Panel { ask, search: Some(String::new()), ..Panel::default() };
        }
    }

    fn choose(&mut self, sku: &Sku, now: Moment) {
        if self.panel.finding {
            return self.show_product(sku);
        }
        let Some((hold, _)) = self.panel.ask else { return };
        let Some(product) = self.catalogue.get(sku) else { return };
        if self.state.basket.hold(hold).is_some_and(|h| h.reason == HoldReason::Swapped) {
            // What was swapped in lies in the cart already: its weight is known by difference alone.
            let product = product.clone();
            return self.swapped_for(hold, &product, now);
        }
        match product.sale {
            Sale::Weight { .. } => self.panel.weigh = Some(sku.clone()),
            Sale::Each { .. } => self.answer(hold, sku, now),
        }
    }

    fn confirm_weigh(&mut self, now: Moment) {
        let (Some((hold, _)), Some(sku)) = (self.panel.ask, self.panel.weigh.clone()) else { return };
        if self.steady() {
            self.answer(hold, &sku, now);
        }
    }

    pub(super) fn wait_for(&mut self, hold: HoldId, what: WaitsFor) {
        if let Some(held) = self.state.basket.hold(hold) {
            let what = if held.reason == HoldReason::Refused { WaitsFor::Removal } else { what };
            self.panel = Panel { ask: Some((hold, what)), ..Panel::default() };
        }
    }

    fn take_out(&mut self, hold: HoldId) {
        match self.state.basket.hold(hold).map(|h| h.reason) {
            Some(HoldReason::NeverPutIn) => {
                self.record(vec![TripEvent::HoldResolved { hold, outcome: Outcome::Dropped }]);
                self.close_panel(hold);
            }
            // Nothing of these is there to be taken out; a swap undoes itself when its line goes.
            Some(HoldReason::WhichRemoved | HoldReason::Swapped) | None => {}
            Some(_) => self.wait_for(hold, WaitsFor::Removal),
        }
    }

    pub(super) fn call_help(&mut self) {
        if !self.state.help && self.state.trip.is_some() {
            self.record(vec![TripEvent::HelpCalled]);
            self.effects.push_back(Effect::Light(Signal::Help));
            self.effects.push_back(Effect::Show);
        }
    }

    fn go_to_lane(&mut self) {
        match self.state.phase {
            Phase::Shopping => {}
            // "Try again" after a refusal: a new lock, and so a new attempt.
            Phase::Locked if self.state.declines > 0 => self.unlock(),
            _ => return,
        }
        let (None, Some(lane), Ok(totals)) = (self.pay_blocked(), self.lane.clone(), self.totals()) else { return };
        if self.recount() {
            return;
        }
        self.lane_refused = false;
        self.panel = Panel::default();
        self.chip = None;
        let basket = trip::pricing::basket_hash(&totals);
        self.record(vec![TripEvent::BasketLocked { version: self.state.locks + 1, lane, total: totals.total, basket }]);
    }

    /// "Done" on the receipt: the trip is over, and the shopper is seen off.
    fn finish(&mut self, now: Moment) {
        if self.state.phase != Phase::Receipted {
            return;
        }
        self.end(Ending::Paid);
        self.goodbye = Some(now + GOODBYE_FOR);
    }

    /// The trip is over; nothing of it stays in memory or on the screen.
    pub(super) fn end(&mut self, ending: Ending) {
        self.record(vec![TripEvent::TripClosed { ending }]);
        self.evidence.clear();
        self.parked.clear();
        self.explained.clear();
        self.thumbnails.clear();
        self.panel = Panel::default();
        self.wishes = Wishes::default();
        self.forget_list();
        self.fresh = None;
        self.chip = None;
        self.receipt_qr = None;
        self.tender = None;
        self.pending = None;
        self.unfelt = None;
        self.stirred = None;
        self.lane_refused = false;
        self.effects.push_back(Effect::Light(Signal::Idle));
        self.effects.push_back(Effect::Show);
    }
}
