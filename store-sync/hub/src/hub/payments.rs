//! Payments: from a locked basket to an attempt, from the terminal's word to receipt and gate.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use trip::event::Tender;
use trip::message::Order;
use trip::state::Lock;
use trip::{CartId, IntentId, Phase, TripEvent, TripId, UnixMillis};

use super::commands::{about, again, done, refusal};
use super::draft::Draft;
use super::{Effect, Hub};
use crate::back_office::{PaymentEnd, PaymentOutcome, ReceiptNote, What};
use crate::intent::{Answer, Ask, Happening, Intent, IntentState, Step, decide, intent_id};
use crate::lane::{Due, due, judge};
use crate::ledger::Posting;
use crate::store::{CartRow, GateRow, ReceiptRow, Storage, StoreError, Write};

/// The first wait before a terminal is asked again, in milliseconds; it doubles up to the second.
const ASK_AGAIN_MS: (u64, u64) = (250, 2_000);

/// A terminal that says it waits for a card this often in a row is told to stop.
const ASKS_BEFORE_ABORT: u32 = 30;

/// How long a gate stands open for who has paid, in milliseconds.
const GATE_OPEN_MS: i64 = 60_000;

/// Why a basket that is at a till is paid at no lane.
const AT_A_TILL: &str = "this basket was taken to the till; please pay there";

/// What the shopper reads. Neutral: a refused card is nobody's business at a lane.
const DECLINED_WORDS: &str = "That didn't go through. Nothing was charged.";

impl<S: Storage> Hub<S> {
    /// What was under way and nobody in this run asks about has lost its connection, and is asked about first.
    pub(super) fn resume(&mut self, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        let mut draft = Draft::default();
        let ids: Vec<IntentId> = self.intents.keys().filter(|id| !self.asked.contains_key(*id)).cloned().collect();
        for id in &ids {
            self.happen(id, &Happening::Restarted, now, &mut draft)?;
        }
        let mut effects = if draft.is_empty() { Vec::new() } else { self.commit(draft, now)? };
        for id in &ids {
            if let Some(ask) = self.intents.get(id).and_then(Intent::next)
                && !self.asked.contains_key(id)
            {
                effects.extend(self.ask(id, ask, 0));
            }
        }
        Ok(effects)
    }

    /// What the events of a cart mean for its attempts.
    pub(super) fn follow_payments(
        &self,
        posting: &Posting,
        events: &[&TripEvent],
        now: UnixMillis,
        draft: &mut Draft,
    ) -> Result<(), StoreError> {
        let cart = &posting.cart;
        for event in events {
            if let TripEvent::PaymentApproved { intent, .. } = event {
                self.check_backed(&cart.cart, intent, posting)?;
            }
            if let TripEvent::JournalReplaced { epoch, kept } = event {
                tracing::warn!(cart = %cart.cart, epoch, kept, "the cart's journal did not hold and was set aside; look at the cart");
            }
        }
        let open: Vec<Intent> = self.intents.values().filter(|i| i.cart == cart.cart).cloned().collect();
        for intent in open {
            let current = (cart.state.trip.as_ref() == Some(&intent.trip)).then_some(&cart.state);
            let state = current.or_else(|| posting.trips.iter().find(|t| t.trip == intent.trip).map(|t| &t.state));
            let Some(state) = state else {
                if intent.state == IntentState::Approved {
                    // The journal is lost and the shopper may have left with what was paid.
                    tracing::warn!(cart = %cart.cart, intent = %intent.id, "a paid trip is gone from the cart; its payment stands");
                    self.happen(&intent.id, &Happening::Settled, now, draft)?;
                } else {
                    self.happen(&intent.id, &Happening::LockVoid, now, draft)?;
                }
                continue;
            };
            let happening = match (&state.payment, &state.lock) {
                (Some(payment), _) if payment.intent == intent.id => Some(Happening::Settled),
                (None, Some(lock)) if lock.version == intent.version && state.ended.is_none() => None,
                _ => Some(Happening::LockVoid),
            };
            if let Some(happening) = happening {
                self.happen(&intent.id, &happening, now, draft)?;
            }
        }
        Ok(())
    }

    /// A cart that says it is paid must have it from here.
    fn check_backed(&self, cart: &CartId, id: &IntentId, posting: &Posting) -> Result<(), StoreError> {
        let mut approved = self.intents.get(id).is_some_and(|i| i.approval.is_some());
        for trip in &posting.trips {
            approved =
                approved || self.storage.intents(&trip.trip)?.iter().any(|i| i.id == *id && i.approval.is_some());
        }
        if !approved {
            tracing::warn!(%cart, intent = %id, "the cart says it is paid, but the hub has approved nothing; look at the cart");
        }
        Ok(())
    }

    /// The terminal's word about an attempt.
    pub(super) fn answered(
        &mut self,
        id: &IntentId,
        ask: Ask,
        answer: &Answer,
        now: UnixMillis,
    ) -> Result<Vec<Effect>, StoreError> {
        if ask == Ask::Abort {
            return Ok(Vec::new());
        }
        if let Answer::NoAnswer { why } | Answer::NeverSent { why } = answer {
            tracing::warn!(intent = %id, ?ask, why, "a terminal gave no answer");
        }
        let mut draft = Draft::default();
        self.happen(id, &Happening::Answer(answer.clone()), now, &mut draft)?;
        let before = self.asked.get(id).copied().unwrap_or(0);
        let mut effects = if draft.is_empty() { Vec::new() } else { self.commit(draft, now)? };
        let Some(intent) = self.intents.get(id) else { return Ok(effects) };
        let (lane, stuck) =
            (intent.lane.clone(), *answer == Answer::InProgress && before % ASKS_BEFORE_ABORT == ASKS_BEFORE_ABORT - 1);
        let Some(next) = intent.next() else {
            self.asked.remove(id);
            return Ok(effects);
        };
        if stuck {
            tracing::warn!(%lane, intent = %id, "the terminal waits too long for a card; it is told to stop");
            effects.push(Effect::Ask { lane, ask: Ask::Abort, intent: Box::new(intent.clone()), after_ms: 0 });
        }
        let wait = (ASK_AGAIN_MS.0 << before.min(8)).min(ASK_AGAIN_MS.1);
        let at_once = before <= 1 && ask != next;
        effects.extend(self.ask(id, next, if at_once { 0 } else { wait }));
        Ok(effects)
    }

    /// Asks a lane's terminal about an attempt.
    pub(super) fn ask(&mut self, id: &IntentId, ask: Ask, after_ms: u64) -> Option<Effect> {
        let intent = self.intents.get(id)?;
        if ask != Ask::Abort {
            *self.asked.entry(id.clone()).or_insert(0) += 1;
        }
        Some(Effect::Ask { lane: intent.lane.clone(), ask, intent: Box::new(intent.clone()), after_ms })
    }

    /// New attempts for locked baskets, and free lanes for attempts that wait.
    pub(super) fn next_payments(&mut self, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        let mut effects = Vec::new();
        let mut draft = Draft::default();
        for cart in self.carts.keys().cloned().collect::<Vec<_>>() {
            self.consider(&cart, now, &mut draft)?;
        }
        if !draft.is_empty() {
            effects.extend(self.commit(draft, now)?);
        }
        // In a commit of its own: an attempt is Created on disk before anything is sent.
        let mut draft = Draft::default();
        for lane in self.setting.lanes.clone() {
            let here = || self.intents.values().filter(|i| i.lane == lane);
            if here().any(|i| i.state.holds_lane()) {
                continue;
            }
            let waiting = here().filter(|i| i.state == IntentState::Created && i.not_before <= now);
            if let Some(id) = waiting.min_by_key(|i| (i.created_at, i.id.clone())).map(|i| i.id.clone()) {
                self.happen(&id, &Happening::Begin, now, &mut draft)?;
            }
        }
        if !draft.is_empty() {
            effects.extend(self.commit(draft, now)?);
        }
        Ok(effects)
    }

    fn consider(&self, cart: &CartId, now: UnixMillis, draft: &mut Draft) -> Result<(), StoreError> {
        let Some(row) = self.carts.get(cart) else { return Ok(()) };
        let (Some(trip), Some(lock)) = (&row.state.trip, &row.state.lock) else { return Ok(()) };
        if !matches!(row.state.phase, Phase::Locked | Phase::Paying | Phase::Paid) {
            return Ok(());
        }
        let intents = self.storage.intents(trip)?;
        let paid = intents.iter().find(|i| i.state == IntentState::Approved && i.settled && !i.void);
        if let Some(paid) = paid {
            return self.remind(row, lock, paid, now, draft);
        }
        if row.state.phase != Phase::Locked {
            self.let_go(row, lock, &intents, now, draft);
            return Ok(());
        }
        let why = match due(&row.state, &intents, now) {
            Due::Nothing => return Ok(()),
            Due::Refuse(why) => why,
            // Whatever the cart has heard: the till has it, and nobody pays twice.
            Due::Attempt { .. } if self.is_at_a_till(&row.state) => AT_A_TILL.to_owned(),
            Due::Attempt { attempt, not_before } => {
                let catalogue =
                    row.state.catalogue.and_then(|version| self.catalogues.get(&version).map(|c| (version, c)));
                match judge(&row.state, lock, catalogue.map(|(_, c)| c), &self.setting.lanes) {
                    Ok(totals) => {
                        let intent = Intent {
                            id: intent_id(&self.setting.store, trip, lock.version, attempt),
                            trip: trip.clone(),
                            cart: cart.clone(),
                            lane: lock.lane.clone(),
                            version: lock.version,
                            attempt,
                            amount: lock.total,
                            basket: lock.basket,
                            catalogue: catalogue.map_or(lock.basket, |(version, _)| version),
                            totals,
                            state: IntentState::Created,
                            void: false,
                            settled: false,
                            sends: 0,
                            approval: None,
                            why: None,
                            created_at: now,
                            not_before,
                        };
                        draft.write(Write::Intent(intent));
                        return Ok(());
                    }
                    Err(why) => why,
                }
            }
        };
        self.refuse_lock(cart, trip, lock.version, why, now, draft);
        Ok(())
    }

    fn refuse_lock(&self, cart: &CartId, trip: &TripId, version: u32, why: String, now: UnixMillis, draft: &mut Draft) {
        let write = refusal(cart, trip, version, why, now);
        if let Write::Command(row) = &write
            && !self.outbox.rows().any(|r| r.command.id == row.command.id)
        {
            tracing::warn!(%cart, version, order = ?row.command.order, "a lock was refused");
            draft.write(write);
        }
    }

    /// A cart whose trip is `paid`, as it said itself, has lost the end of its journal: it is told again what it
    /// had been told. For another basket than was paid a person must look.
    fn remind(
        &self,
        row: &CartRow,
        lock: &Lock,
        paid: &Intent,
        now: UnixMillis,
        draft: &mut Draft,
    ) -> Result<(), StoreError> {
        let (id, cart) = (&paid.id, &row.cart);
        // One that was meant for an earlier lock is void at the cart.
        let here = || {
            let rows = self.outbox.rows().filter(|r| r.cart == *cart && r.command.lock == Some(lock.version));
            rows.map(|r| &r.command)
        };
        let knows = row.state.payment.as_ref().is_some_and(|payment| payment.intent == *id);
        if !knows {
            if (lock.basket, lock.total) != (paid.basket, paid.amount) {
                let why =
                    format!("this trip has paid {} already, for another basket; please help at the cart", paid.amount);
                self.refuse_lock(cart, &paid.trip, lock.version, why, now, draft);
                return Ok(());
            }
            let paid_order = |order: &Order| matches!(order, Order::Paid { intent, .. } if intent == id);
            let waits = here().any(|command| paid_order(&command.order));
            if let Some(approval) = paid.approval.as_ref().filter(|_| !waits) {
                tracing::warn!(%cart, intent = %id, "the cart has lost that it is paid; it is told again");
                let order =
                    Order::Paid { intent: id.clone(), amount: approval.amount, tender: approval.tender.clone() };
                draft.write(again(paid, row.epoch, lock.version, order, now));
            }
        }
        let waits = here().any(|command| matches!(command.order, Order::Receipt { .. }));
        if !waits && let Some(receipt) = self.storage.receipt_of(id)? {
            draft.write(again(paid, row.epoch, lock.version, receipt_order(&receipt), now));
        }
        Ok(())
    }

    /// A cart that has lost the end of its journal may wait for an attempt that is over, and of which it was told, or
    /// needed no word, before it lost it.
    fn let_go(&self, row: &CartRow, lock: &Lock, intents: &[Intent], now: UnixMillis, draft: &mut Draft) {
        let is_over = |intent: &&Intent| matches!(intent.state, IntentState::Declined | IntentState::Reversed);
        let awaited = intents.iter().find(|intent| row.state.intent.as_ref() == Some(&intent.id));
        let Some(over) = awaited.filter(is_over) else { return };
        let said = |order: &Order| matches!(order, Order::Declined { intent, .. } if *intent == over.id);
        if !self.outbox.rows().any(|r| r.cart == row.cart && said(&r.command.order)) {
            tracing::warn!(cart = %row.cart, intent = %over.id, "the cart waits for a payment that is over; it is told again");
            let order = Order::Declined { intent: over.id.clone(), why: DECLINED_WORDS.into() };
            draft.write(again(over, row.epoch, lock.version, order, now));
        }
    }

    /// Takes one happening into `draft`, with all that follows from it.
    fn happen(
        &self,
        id: &IntentId,
        happening: &Happening,
        now: UnixMillis,
        draft: &mut Draft,
    ) -> Result<(), StoreError> {
        let known = draft.intent(id).or_else(|| self.intents.get(id)).cloned();
        // One that is over is looked up: a late "approved" must be given back.
        let Some(mut intent) = known.map_or_else(|| self.storage.intent(id), |i| Ok(Some(i)))? else { return Ok(()) };
        let steps = decide(&intent, happening);
        for step in &steps {
            intent.apply(step);
        }
        if steps.is_empty() {
            return Ok(());
        }
        draft.write(Write::Intent(intent.clone()));
        for step in &steps {
            self.follow_step(&intent, step, now, draft)?;
        }
        // After an answer, `answered` asks what is next; here nobody else would.
        if *happening == Happening::LockVoid && steps.contains(&Step::ReversalBegun) {
            draft.ask(id, Ask::Reverse, 0);
        }
        Ok(())
    }

    /// What one step brings about; `intent` is as it stands after all of them.
    fn follow_step(&self, intent: &Intent, step: &Step, now: UnixMillis, draft: &mut Draft) -> Result<(), StoreError> {
        let id = &intent.id;
        match step {
            Step::Sent => {
                self.shut_gate(intent, |_| true, now, draft);
                draft.write(about(intent, Order::AwaitTap { intent: id.clone() }, now));
                if intent.sends <= 1 {
                    draft.ask(id, Ask::Pay, 0);
                }
            }
            Step::LostSight => {
                draft.write(about(intent, Order::Checking { intent: id.clone() }, now));
            }
            Step::Approved(approval) => {
                done(id, &["tap", "checking"], draft);
                draft.tell(What::Payment(PaymentEnd::of(intent, PaymentOutcome::Approved)));
                if intent.state == IntentState::Approved {
                    self.close_sale(intent, approval.amount, &approval.tender, now, draft)?;
                }
            }
            Step::Declined(why) => {
                tracing::info!(intent = %id, lane = %intent.lane, why, "declined");
                done(id, &["tap", "checking"], draft);
                // One that no terminal ever heard of came to no end: it never began.
                if intent.sends > 0 {
                    draft.tell(What::Payment(PaymentEnd::of(intent, PaymentOutcome::Declined)));
                }
                if !intent.void {
                    draft.write(about(intent, Order::Declined { intent: id.clone(), why: DECLINED_WORDS.into() }, now));
                }
            }
            Step::Voided => {
                done(id, &["tap", "checking", "declined", "paid", "receipt"], draft);
                if matches!(intent.state, IntentState::Sent | IntentState::Unknown) {
                    draft.ask(id, Ask::Abort, 0);
                }
            }
            Step::ReversalBegun => {
                tracing::warn!(intent = %id, lane = %intent.lane, amount = %intent.amount, "money was taken for a basket that is void; it is given back");
                if let Some(receipt) = self.storage.receipt_of(id)? {
                    let void = ReceiptRow { void: true, ..receipt };
                    draft.tell(What::Receipt(ReceiptNote::of(&void)));
                    draft.write(Write::Receipt(void));
                }
                self.shut_gate(intent, |open| open.intent == *id, now, draft);
            }
            Step::Reversed => {
                tracing::info!(intent = %id, lane = %intent.lane, amount = %intent.amount, "given back");
                draft.tell(What::Payment(PaymentEnd::of(intent, PaymentOutcome::GivenBack)));
            }
            Step::Settled => {}
        }
        Ok(())
    }

    /// In the one commit that makes it Approved: the receipt, what the cart is told, and the gate.
    fn close_sale(
        &self,
        intent: &Intent,
        amount: trip::Money,
        tender: &Tender,
        now: UnixMillis,
        draft: &mut Draft,
    ) -> Result<(), StoreError> {
        let id = &intent.id;
        draft.write(Write::Count("receipt"));
        let number = self.office.number(self.storage.counter("receipt")? + 1);
        let state =
            self.carts.get(&intent.cart).map(|row| &row.state).filter(|s| s.trip.as_ref() == Some(&intent.trip));
        let member = state.and_then(|state| state.member.as_ref()).map(trip::Member::masked);
        let Some(sealed) = self.office.receipt(intent, number.clone(), member, now) else { return Ok(()) };
        draft.write(about(intent, Order::Paid { intent: id.clone(), amount, tender: tender.clone() }, now));
        let receipt = ReceiptRow {
            number,
            trip: intent.trip.clone(),
            intent: id.clone(),
            at: now,
            cose: sealed.cose,
            digest: sealed.digest,
            qr: sealed.qr,
            void: false,
        };
        draft.write(about(intent, receipt_order(&receipt), now));
        draft.tell(What::Receipt(ReceiptNote::of(&receipt)));
        draft.write(Write::Receipt(receipt));
        draft.write(Write::Gate(GateRow { lane: intent.lane.clone(), intent: id.clone(), open: true, at: now }));
        tracing::info!(intent = %id, lane = %intent.lane, %amount, "paid; the gate opens");
        Ok(())
    }

    /// Shuts the gates that have stood open long enough.
    pub(super) fn shut_gates_in_time(&self, now: UnixMillis, draft: &mut Draft) {
        for gate in self.gates.values().filter(|gate| gate.open && now.0 - gate.at.0 >= GATE_OPEN_MS) {
            draft.write(Write::Gate(GateRow { open: false, at: now, ..gate.clone() }));
        }
    }

    fn shut_gate(&self, intent: &Intent, which: impl Fn(&GateRow) -> bool, now: UnixMillis, draft: &mut Draft) {
        if self.gates.get(&intent.lane).is_some_and(|gate| gate.open && which(gate)) {
            draft.write(Write::Gate(GateRow {
                lane: intent.lane.clone(),
                intent: intent.id.clone(),
                open: false,
                at: now,
            }));
        }
    }
}

fn receipt_order(receipt: &ReceiptRow) -> Order {
    Order::Receipt {
        number: receipt.number.clone(),
        digest: receipt.digest,
        cose: BASE64_URL_SAFE_NO_PAD.encode(&receipt.cose),
        qr: receipt.qr.clone(),
    }
}
