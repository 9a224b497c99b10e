//! What the hub asks. Carrying out a command twice has one effect.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::VerifyingKey;
use trip::basket::HoldReason;
use trip::event::{Ending, Outcome, Tender};
use trip::message::{Command, Desired, Order};
use trip::{Grams, Hash, Hold, HoldId, IntentId, LineId, Money, Phase, Quantity, TripEvent, receipt};

use super::Cart;
use crate::effect::{Effect, Signal};

impl Cart {
    pub(super) fn on_desired(&mut self, desired: &Desired) {
        let key = URL_SAFE_NO_PAD.decode(&desired.receipt_key).ok().and_then(|bytes| <[u8; 32]>::try_from(bytes).ok());
        match key {
            Some(key) => self.receipt_key = Some(key),
            None => self.effects.push_back(Effect::Warn("the hub's receipt key is no ed25519 key".into())),
        }
        if self.pairing.reach(desired.pair_url.as_deref()) {
            self.effects.push_back(Effect::Show);
        }
    }

    pub(super) fn on_command(&mut self, command: Command) {
        if matches!(command.order, Order::Pair { .. }) {
            self.join_by_phone(command);
            return self.effects.push_back(Effect::Show);
        }
        if self.state.trip.as_ref() != Some(&command.trip) {
            return;
        }
        // A payment for another lock is for another basket: the hub reverses it by itself.
        if command.lock.is_some_and(|version| self.state.lock.as_ref().map(|lock| lock.version) != Some(version)) {
            return;
        }
        match command.order {
            Order::AwaitTap { intent } => {
                if self.state.phase == Phase::Locked && self.state.last_intent.as_ref() != Some(&intent) {
                    self.checking = false;
                    self.record(vec![TripEvent::PaymentStarted { intent }]);
                }
            }
            Order::RefuseLock { version, why } => {
                if self.state.lock.as_ref().is_some_and(|lock| lock.version == version) && self.state.payment.is_none()
                {
                    self.effects.push_back(Effect::Warn(format!("the lane refused the basket: {why}")));
                    self.unlock();
                    self.lane_refused = true;
                }
            }
            Order::Declined { intent, why } => self.declined(intent, &why),
            Order::Checking { intent } => self.checking = self.state.intent.as_ref() == Some(&intent),
            Order::Paid { intent, amount, tender } => self.paid(intent, amount, tender),
            Order::Receipt { number, digest, cose, qr } => self.receipt(number, digest, &cose, qr),
            Order::EndHelp => {
                if self.state.help {
                    self.record(vec![TripEvent::HelpEnded]);
                    self.effects.push_back(Effect::Light(Signal::Idle));
                }
            }
            Order::OnTheWay => {
                if self.state.waits_for_staff() && !self.state.staff_coming {
                    self.record(vec![TripEvent::StaffComing]);
                }
            }
            Order::Queue { before, usual_s } => self.waits.hear(&self.state, before, usual_s),
            Order::AgeChecked { line, approved } => self.age_checked(line, approved),
            Order::ReleaseHold { hold } => self.release(hold),
            Order::List { entries } => self.bring_list(entries),
            Order::Transfer => self.taken_to_a_till(),
            // The trip that it would begin runs already.
            Order::Pair { .. } => {}
        }
        self.effects.push_back(Effect::Show);
    }

    /// Refused: also when the call for a tap was lost, so that the shopper is never left waiting.
    fn declined(&mut self, intent: IntentId, why: &str) {
        let mut events = Vec::new();
        match &self.state.intent {
            Some(open) if *open == intent => {}
            None if self.state.phase == Phase::Locked && self.state.last_intent.as_ref() != Some(&intent) => {
                events.push(TripEvent::PaymentStarted { intent: intent.clone() });
            }
            _ => return,
        }
        self.effects.push_back(Effect::Warn(format!("payment {intent} declined: {why}")));
        self.checking = false;
        events.push(TripEvent::PaymentDeclined { intent });
        self.record(events);
    }

    /// Paid, if it is for the basket that stands still here; else the hub reverses it by itself.
    fn paid(&mut self, intent: IntentId, amount: Money, tender: Tender) {
        let locked = matches!(self.state.phase, Phase::Locked | Phase::Paying);
        let fits = self.state.lock.as_ref().is_some_and(|lock| lock.total == amount);
        if !locked || !fits || self.state.payment.is_some() {
            return;
        }
        self.checking = false;
        self.tender = Some(tender.clone());
        self.record(vec![TripEvent::PaymentApproved { intent, amount, tender }]);
        self.signal(Signal::Added);
    }

    /// Takes the receipt only if it is the store's and for what was paid here.
    fn receipt(&mut self, number: String, digest: Hash, cose: &str, qr: String) {
        if self.state.phase != Phase::Paid {
            return;
        }
        let Ok(cose) = URL_SAFE_NO_PAD.decode(cose) else {
            return self.effects.push_back(Effect::Warn(format!("receipt {number} is no base64url")));
        };
        if let Err(why) = self.check_receipt(&cose, digest) {
            return self.effects.push_back(Effect::Warn(format!("receipt {number} is not shown: {why}")));
        }
        self.receipt_qr = Some(qr.clone());
        self.effects.push_back(Effect::StoreReceipt { number: number.clone(), cose, qr });
        self.record(vec![TripEvent::ReceiptStored { number, digest }]);
    }

    fn check_receipt(&self, cose: &[u8], digest: Hash) -> Result<(), String> {
        let key = self.receipt_key.ok_or("the store's key is not known yet")?;
        let key = VerifyingKey::from_bytes(&key).map_err(|e| e.to_string())?;
        if Hash::of(cose) != digest {
            return Err("its digest does not fit".into());
        }
        let receipt = match receipt::verify(cose, &[key]).map_err(|e| e.to_string())? {
            receipt::Verified::Receipt(receipt) => receipt,
            receipt::Verified::Summary(_) => return Err("it is only a summary".into()),
        };
        let paid = self.state.payment.as_ref().map(|p| p.amount);
        if Some(&receipt.trip) != self.state.trip.as_ref() || Some(receipt.charged) != paid {
            return Err("it is for another trip or amount".into());
        }
        Ok(())
    }

    /// Staff have the basket at a till: here it is over, and the screen welcomes the next. What is paid stays
    /// paid: its receipt is on the way.
    fn taken_to_a_till(&mut self) {
        if self.state.payment.is_none() {
            self.checking = false;
            self.end(Ending::Transferred);
        }
    }

    /// Refused: the line goes, the trip stays; the thing itself is held until it is out.
    fn age_checked(&mut self, line: LineId, approved: bool) {
        if !self.state.age_checks.contains(&line) {
            return;
        }
        let item = self.state.basket.line(line).cloned().filter(|_| !approved);
        let mut events = vec![TripEvent::AgeChecked { line, approved }];
        let Some(item) = item else { return self.record(events) };
        let pieces = match item.quantity {
            Quantity::Each(pieces) => pieces,
            Quantity::Weighed(_) | Quantity::Priced(_) => 1,
        };
        // One commit: a power cut leaves no refused line on the bill.
        events.push(TripEvent::ItemRemoved { line, pieces, weight: item.weight.map(|w| Grams(-w.0)) });
        let held = item.weight.map(|weight| Hold {
            hold: HoldId(self.state.last_hold.0 + 1),
            weight,
            reason: HoldReason::Refused,
            candidates: vec![item.sku],
            ..Hold::default()
        });
        events.extend(held.clone().map(|hold| TripEvent::ItemHeld { hold }));
        self.record(events);
        if let Some(held) = held {
            self.panel.ask = Some((held.hold, crate::view::WaitsFor::Removal));
            self.signal(Signal::Held);
        }
    }

    fn release(&mut self, hold: HoldId) {
        if self.state.basket.hold(hold).is_some() {
            self.record(vec![TripEvent::HoldResolved { hold, outcome: Outcome::Staff }]);
            self.close_panel(hold);
        }
    }
}
