//! What carts tell, taken in: one message, or all that have come since the hub looked last.
//!
//! A flush of the disk costs the same for one batch of records as for forty. So batches of different carts that
//! have come together are each checked and replayed on what is committed, and then written in one commit; each
//! cart has its ack after it. Nothing is in memory that is not on disk.

use trip::bounds::Bounded;
use trip::chain::Head;
use trip::message::{self, HubState, Look, Order, Pairing, Presence, Telemetry};
use trip::topics::{self, Leaf};
use trip::{CartId, Hash, TripEvent, TripId, TripState, UnixMillis};

use super::draft::Draft;
use super::{Effect, Hub, publish};
use crate::ingest::{self, Followed, Refusal, Response};
use crate::ledger::{self, Posting};
use crate::store::{CartRow, QuarantineRow, Storage, StoreError, StoreKind, Write};

/// A batch of records as it came.
#[derive(Clone, Debug)]
struct Heard<'a> {
    topic: &'a str,
    cart: CartId,
    payload: &'a [u8],
}

/// A batch that may be stored, and all that follows from it.
struct Checked<'a> {
    heard: Heard<'a>,
    epoch: u64,
    followed: Followed,
    /// `None` when all of it was had already.
    posting: Option<Posting>,
    draft: Draft,
    /// What its cart was told to do before it.
    orders: Vec<Order>,
}

impl Checked<'_> {
    fn events(&self) -> Vec<&TripEvent> {
        self.followed.records.iter().map(|(record, _)| &record.event).collect()
    }
}

impl<S: Storage> Hub<S> {
    /// Takes in messages of carts, each a topic and a payload.
    ///
    /// # Errors
    /// [`StoreError`]. Of several messages one that a full or busy database cannot take in is left out; its cart
    /// sends it again.
    pub(super) fn hear_all<'a>(
        &mut self,
        messages: impl IntoIterator<Item = (&'a str, &'a [u8])>,
        now: UnixMillis,
    ) -> Result<Vec<Effect>, StoreError> {
        let mut effects = Vec::new();
        let mut together: Vec<Checked<'_>> = Vec::new();
        for (topic, payload) in messages {
            let Some(heard) = self.records_of(topic, payload) else {
                let taken = self.hear(topic, payload, now);
                self.settle(taken, &mut effects, &mut together, now)?;
                continue;
            };
            // Two batches of one cart follow one another, and what is quarantined or fenced counts from then on.
            if together.iter().any(|checked| checked.heard.cart == heard.cart) {
                let taken = self.write_down(std::mem::take(&mut together), now);
                self.settle(taken, &mut effects, &mut together, now)?;
            }
            let taken = match self.check(heard.clone(), &together, now) {
                Ok(Ok(checked)) => {
                    together.push(checked);
                    continue;
                }
                Ok(Err(refusal)) => self.turn_away(&heard, &refusal, now),
                Err(e) => Err(e),
            };
            self.settle(taken, &mut effects, &mut together, now)?;
        }
        let taken = self.write_down(std::mem::take(&mut together), now);
        self.settle(taken, &mut effects, &mut together, now)?;
        Ok(effects)
    }

    /// What a full or busy database could not take in is left out; its cart sends it again. What was checked on a
    /// memory that is read anew is left out with it.
    fn settle(
        &mut self,
        taken: Result<Vec<Effect>, StoreError>,
        effects: &mut Vec<Effect>,
        together: &mut Vec<Checked<'_>>,
        now: UnixMillis,
    ) -> Result<(), StoreError> {
        match taken {
            Ok(more) => effects.extend(more),
            Err(e) if e.passes() => {
                effects.extend(self.put_off(&e, now)?);
                if e.kind == StoreKind::Behind {
                    together.clear();
                }
            }
            Err(e) => return Err(e),
        }
        Ok(())
    }

    /// The records on `topic`, if that is what it carries and its cart is let in.
    fn records_of<'a>(&self, topic: &'a str, payload: &'a [u8]) -> Option<Heard<'a>> {
        let (cart, leaf) = topics::parse(&self.setting.store, topic)?;
        let let_in = self.setting.carts.contains_key(&cart) && !self.revoked.contains(&cart);
        (let_in && leaf == Leaf::Event).then_some(Heard { topic, cart, payload })
    }

    /// Everything but records.
    fn hear(&mut self, topic: &str, payload: &[u8], now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        if topic == topics::hub_state(&self.setting.store) {
            return self.heard_of_itself(topic, payload);
        }
        let Some((cart, leaf)) = topics::parse(&self.setting.store, topic) else {
            return self.refuse(topic, "it is no topic of a cart of this store");
        };
        if !self.setting.carts.contains_key(&cart) {
            return self.refuse(topic, &Refusal::UnknownCart(cart).to_string());
        }
        if self.revoked.contains(&cart) {
            return self.refuse(topic, &Refusal::Revoked(cart).to_string());
        }
        match leaf {
            Leaf::Presence => match message::read::<Presence>(payload) {
                Ok(presence) => Ok(self.present(&cart, presence, now)),
                Err(e) => self.refuse(topic, &e.to_string()),
            },
            Leaf::Telemetry => match message::read::<Telemetry>(payload) {
                Ok(telemetry) => {
                    self.seen.entry(cart).or_default().telemetry = Some(telemetry);
                    Ok(Vec::new())
                }
                Err(e) => self.refuse(topic, &e.to_string()),
            },
            Leaf::Pairing => match message::read::<Pairing>(payload) {
                Ok(pairing) => {
                    self.seen.entry(cart).or_default().phones.hear(pairing);
                    Ok(Vec::new())
                }
                Err(e) => self.refuse(topic, &e.to_string()),
            },
            Leaf::Look => match message::read::<Look>(payload) {
                Ok(look) => match self.hear_look(cart, &look, now) {
                    Ok(()) => Ok(Vec::new()),
                    Err(why) => self.refuse(topic, why),
                },
                Err(e) => self.refuse(topic, &e.to_string()),
            },
            Leaf::Event | Leaf::Ack | Leaf::Command | Leaf::Desired => Ok(Vec::new()),
        }
    }

    /// What the broker keeps of this hub. A word about an earlier connection, such as its last will, may come after
    /// the birth and be kept in its place: every cart would then believe that nobody hears it.
    fn heard_of_itself(&mut self, topic: &str, payload: &[u8]) -> Result<Vec<Effect>, StoreError> {
        match message::read::<HubState>(payload) {
            Ok(state) if state == self.state() || !self.connected => Ok(Vec::new()),
            Ok(_) => {
                // Or another hub has taken over, and is right.
                self.storage.owned()?;
                Ok(vec![publish(topic.to_owned(), &self.state(), true)])
            }
            Err(e) => self.refuse(topic, &e.to_string()),
        }
    }

    /// Counts and logs what cannot be understood; nothing else comes of it.
    fn refuse(&mut self, topic: &str, why: &str) -> Result<Vec<Effect>, StoreError> {
        tracing::warn!(topic, why, "a payload was passed over");
        self.refused += 1;
        self.storage.commit(&[Write::Count("refused")])?;
        Ok(Vec::new())
    }

    /// Checks and replays a batch on what is committed, beside those that will be written `together` with it.
    fn check<'a>(
        &self,
        heard: Heard<'a>,
        together: &[Checked<'_>],
        now: UnixMillis,
    ) -> Result<Result<Checked<'a>, Refusal>, StoreError> {
        let cart = &heard.cart;
        let opened = match ingest::open(heard.payload, cart, self.setting.carts.get(cart)) {
            Ok(opened) => opened,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let epoch = opened.epoch;
        // After the signature, so that the fence answers nobody but the cart itself.
        if let Some(refusal) = self.shut_out(cart) {
            return Ok(Err(refusal));
        }
        let newest = self.carts.get(cart).map_or(0, |row| row.epoch);
        let row = match self.carts.get(cart) {
            Some(row) if row.epoch == epoch => row.clone(),
            _ => self.storage.cart(cart, epoch)?.unwrap_or_else(|| CartRow {
                cart: cart.clone(),
                epoch,
                head: Head::default(),
                state: TripState::default(),
                at: now,
            }),
        };
        let stored = |seq| self.storage.record(cart, epoch, seq);
        let owner = |trip: &TripId| {
            let mut rows = together.iter().filter_map(|checked| checked.posting.as_ref()).flat_map(|p| &p.trips);
            match rows.find(|row| row.trip == *trip) {
                Some(row) => Ok(Some(row.cart.clone())),
                None => Ok(self.storage.trip(trip)?.map(|row| row.cart)),
            }
        };
        let followed = ingest::follow(opened, &self.setting.store, row.head, newest, stored, owner)?;
        let mut checked = Checked {
            epoch,
            followed,
            posting: None,
            draft: Draft::default(),
            orders: Vec::new(),
            heard: heard.clone(),
        };
        if checked.followed.records.is_empty() {
            return Ok(Ok(checked));
        }
        let mut posting = ledger::post(row, checked.followed.records.iter().map(|(record, _)| record), now);
        if let Err(what) = posting.cart.state.check() {
            return Ok(Err(Refusal::Bounds { seq: checked.followed.head.seq, what }));
        }
        posting.cart.head = checked.followed.head;
        let mut draft = Draft::default();
        for (record, text) in &checked.followed.records {
            draft.write(Write::Record { cart: cart.clone(), epoch: record.epoch, seq: record.seq, text: text.clone() });
        }
        draft.write(Write::Cart(posting.cart.clone()));
        let events = checked.events();
        self.follow_transfers(&mut posting, &events, now, &mut draft)?;
        posting.trips.iter().for_each(|trip| draft.write(Write::Trip(trip.clone())));
        self.carried_out(cart, &posting.cart.state, &events, &mut draft);
        self.follow_payments(&posting, &events, now, &mut draft)?;
        self.tell_of_trips(&posting, &mut draft)?;
        checked.orders = self.outbox.rows().filter(|r| r.cart == *cart).map(|r| r.command.order.clone()).collect();
        checked.draft = draft;
        checked.posting = Some(posting);
        Ok(Ok(checked))
    }

    /// Commits batches of different carts in one, takes them into memory and acks each.
    fn write_down(&mut self, mut together: Vec<Checked<'_>>, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        let mut draft = Draft::default();
        together.iter_mut().for_each(|checked| draft.join(std::mem::take(&mut checked.draft)));
        let committed = if draft.is_empty() { Ok(Vec::new()) } else { self.commit(draft, now) };
        let done = match committed {
            Ok(done) => done,
            // One of them contradicts what is there: the others shall not suffer for it.
            Err(e) if e.kind == StoreKind::Conflict && together.len() > 1 => {
                let mut effects = Vec::new();
                for Checked { heard, .. } in together {
                    let taken = self.take_alone(&heard, now);
                    self.settle(taken, &mut effects, &mut Vec::new(), now)?;
                }
                return Ok(effects);
            }
            Err(e) => return Err(e),
        };
        let mut effects = Vec::new();
        for mut checked in together {
            let cart = checked.heard.cart.clone();
            if let Some(posting) = checked.posting.take() {
                self.follow_waits(&cart, &posting.cart.state, &checked.events(), &checked.orders, now);
                self.carts.insert(cart.clone(), posting.cart);
            }
            effects.extend(self.conclude(&checked, now)?);
        }
        effects.extend(done);
        Ok(effects)
    }

    fn take_alone(&mut self, heard: &Heard<'_>, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        match self.check(heard.clone(), &[], now)? {
            Ok(checked) => self.write_down(vec![checked], now),
            Err(refusal) => self.turn_away(heard, &refusal, now),
        }
    }

    /// The ack of what was taken of a batch, and what becomes of the rest.
    fn conclude(&mut self, checked: &Checked<'_>, now: UnixMillis) -> Result<Option<Effect>, StoreError> {
        let Checked { heard, epoch, followed, .. } = checked;
        let ack = self.ack(&heard.cart, *epoch, followed.head);
        let Some(refusal) = &followed.refusal else { return Ok(Some(ack)) };
        if refusal.response() == Response::AckAgain {
            tracing::debug!(cart = %heard.cart, %refusal, "waiting for what is missing");
            return Ok(Some(ack));
        }
        match self.turn_away(heard, refusal, now) {
            // What came before the fault is stored and acked, even if the fault itself cannot be kept.
            Err(e) if e.passes() => tracing::warn!(error = %e, "what was refused could not be kept"),
            Err(e) => return Err(e),
            Ok(_) => {}
        }
        Ok((!followed.records.is_empty()).then_some(ack))
    }

    fn turn_away(&mut self, heard: &Heard<'_>, refusal: &Refusal, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        let Heard { topic, cart, payload } = heard;
        match refusal.response() {
            Response::Quarantine => {
                tracing::warn!(topic, why = %refusal, "records were put in quarantine; look at the cart");
                let row = QuarantineRow {
                    cart: cart.clone(),
                    digest: Hash::of(payload),
                    reason: refusal.to_string(),
                    payload: payload.to_vec(),
                    at: now,
                };
                self.refused += 1;
                let mut writes = vec![Write::Quarantine(row), Write::Count("refused")];
                let fence = self.fence_for(cart, refusal, now);
                writes.extend(fence.clone().map(Write::Fence));
                self.storage.commit(&writes)?;
                if let Some(fence) = fence {
                    tracing::error!(%cart, why = fence.reason, "two writers use this cart's identity; nothing more is taken from it until staff have looked");
                    self.fences.insert(cart.clone(), fence);
                }
                Ok(Vec::new())
            }
            Response::Count | Response::AckAgain => self.refuse(topic, &refusal.to_string()),
        }
    }
}
