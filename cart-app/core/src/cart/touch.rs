//! What people tap. An intent that no longer fits is ignored: ten taps are one tap.

use hal::Moment;
use trip::basket::{Evidence as Why, HoldReason};
use trip::event::{Ending, Outcome};
use trip::{Grams, HoldId, LineId, Phase, Quantity, Sale, Sku, TripEvent, TripId};

use super::Cart;
use crate::decision::Addition;
use crate::effect::{Effect, Signal};
use crate::evidence::SightOf;
use crate::fusion;
use crate::input::Intent;
use crate::view::WaitsFor;
use crate::weight_step::WeightStep;

impl Cart {
    pub(super) fn on_intent(&mut self, intent: Intent, now: Moment) {
        match intent {
            Intent::Start => self.start(),
            Intent::Answer { hold, sku } => self.answer(hold, &sku, now),
            Intent::AnswerLine { hold, line } => self.answer_line(hold, line, now),
            Intent::SomethingElse { hold } => self.something_else(hold),
            Intent::Search { text } => {
                if self.panel.search.is_some() {
                    self.panel.search = Some(text.chars().take(60).collect());
                }
            }
            Intent::Choose { sku } => self.choose(&sku, now),
            Intent::ConfirmWeigh => self.confirm_weigh(now),
            Intent::Back => {
                if self.panel.weigh.take().is_none() {
                    self.panel.search = None;
                }
            }
            Intent::ScanIt { hold } => self.wait_for(hold, WaitsFor::Code),
            Intent::TakeOut { hold } => self.take_out(hold),
            Intent::AskAbout { hold } => self.wait_for(hold, WaitsFor::Answer),
            Intent::CallHelp => self.call_help(),
            Intent::EndHelp => {
                if self.state.help {
                    self.record(vec![TripEvent::HelpEnded]);
                    self.effects.push_back(Effect::Light(Signal::Idle));
                }
            }
            Intent::GoToLane => self.go_to_lane(),
            Intent::BackToShopping => self.unlock(),
            Intent::Finish => self.finish(),
        }
        self.effects.push_back(Effect::Show);
    }

    fn start(&mut self) {
        let (percent, charging) = self.battery.unwrap_or((100, false));
        if self.state.phase != Phase::Idle || charging || percent < self.setup.battery_reserve {
            return;
        }
        if let Some(next) = self.next_catalogue.take() {
            self.catalogue = next;
        }
        let number = self.setup.trips + 1;
        let Ok(trip) = TripId::new(format!("{}.{number}", self.setup.trip_base)) else {
            self.effects.push_back(Effect::Warn(format!("\"{}\" makes no trip name", self.setup.trip_base)));
            return;
        };
        self.setup.trips = number;
        self.evidence.clear();
        self.steps.rebase();
        let baseline = self.steps.gross().unwrap_or_default();
        self.record(vec![TripEvent::TripStarted { trip, catalogue: self.catalogue.version, baseline }]);
    }

    fn answer(&mut self, hold: HoldId, sku: &Sku, now: Moment) {
        let (Some(held), Some(product)) = (self.state.basket.hold(hold).cloned(), self.catalogue.get(sku).cloned())
        else {
            return;
        };
        match held.reason {
            HoldReason::WhichRemoved => return,
            // "I have put it in", but nothing was felt: a person looks.
            HoldReason::NeverPutIn => return self.call_help(),
            HoldReason::Unsure | HoldReason::Unknown | HoldReason::Several => {}
        }
        if product.barcode_required {
            return self.wait_for(hold, WaitsFor::Code);
        }
        let step = WeightStep { at: now, delta: held.weight, sigma_g: 1.5 };
        if let Some(quantity) = fusion::quantity_of(&product, &step) {
            let addition = Addition { sku: sku.clone(), quantity, evidence: Why::Chosen };
            return self.add(&[addition], held.weight, Some(hold), now);
        }
        let own = product.weight.unwrap_or_default();
        if held.reason == HoldReason::Several && own.0 > 0 && own.0 + 20 < held.weight.0 {
            let addition = Addition { sku: sku.clone(), quantity: Quantity::Each(1), evidence: Why::Chosen };
            self.add(&[addition], own, Some(hold), now);
            let others = held.candidates.into_iter().filter(|other| other != sku).collect();
            self.hold(Grams(held.weight.0 - own.0), HoldReason::Unsure, others, Vec::new(), &SightOf::nothing());
            return;
        }
        // The weight speaks against the choice: it stays held, and a person looks.
        self.call_help();
    }

    fn answer_line(&mut self, hold: HoldId, line: LineId, now: Moment) {
        let Some(held) = self.state.basket.hold(hold).cloned() else { return };
        if held.reason != HoldReason::WhichRemoved || !held.lines.contains(&line) {
            return;
        }
        let pieces = self.pieces_gone(line, held.weight);
        self.remove(line, pieces, Some(held.weight), Some(hold), now);
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
        let asked = self.state.basket.hold(hold).is_some_and(|h| h.weight.0 > 0);
        if asked {
            self.panel.ask = Some((hold, WaitsFor::Answer));
            self.panel.search = Some(String::new());
        }
    }

    fn choose(&mut self, sku: &Sku, now: Moment) {
        let Some((hold, _)) = self.panel.ask else { return };
        let Some(product) = self.catalogue.get(sku) else { return };
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

    fn wait_for(&mut self, hold: HoldId, what: WaitsFor) {
        if self.state.basket.hold(hold).is_some() {
            self.panel.ask = Some((hold, what));
            self.panel.search = None;
            self.panel.weigh = None;
        }
    }

    fn take_out(&mut self, hold: HoldId) {
        match self.state.basket.hold(hold).map(|h| h.reason) {
            Some(HoldReason::NeverPutIn) => {
                self.record(vec![TripEvent::HoldResolved { hold, outcome: Outcome::Dropped }]);
                self.close_panel(hold);
            }
            Some(HoldReason::WhichRemoved) | None => {}
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
        self.lane_refused = false;
        self.panel = super::Panel::default();
        self.chip = None;
        let basket = trip::pricing::basket_hash(&totals);
        self.record(vec![TripEvent::BasketLocked { version: self.state.locks + 1, lane, total: totals.total, basket }]);
    }

    /// The trip is over; nothing of it stays in memory or on the screen.
    fn finish(&mut self) {
        if self.state.phase != Phase::Receipted {
            return;
        }
        self.record(vec![TripEvent::TripClosed { ending: Ending::Paid }]);
        self.evidence.clear();
        self.parked.clear();
        self.explained.clear();
        self.thumbnails.clear();
        self.panel = super::Panel::default();
        self.fresh = None;
        self.chip = None;
        self.receipt_qr = None;
        self.tender = None;
        self.pending = None;
        self.effects.push_back(Effect::Light(Signal::Idle));
    }
}
