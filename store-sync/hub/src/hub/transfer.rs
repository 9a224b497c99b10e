//! Baskets that staff take to a till, for a cart that can go on no more: by what the hub had of it at its last ack.
//!
//! From the commit that takes it on, nobody is charged for the trip at a lane, whatever the cart does or hears. The
//! cart is told, and ends the trip by its own event. What it tells until then is taken in as ever, for it happened;
//! staff are told how it differs from what was taken, until they have looked.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use trip::basket::HoldReason;
use trip::event::Ending;
use trip::pricing::{price, price_line};
use trip::{
    CartId, Catalogue, Gtin, Hash, Hold, LineItem, Money, Quantity, Sku, TripEvent, TripId, TripState, UnixMillis,
};

use super::board::{how_much, reason, savings};
use super::commands::at_a_till;
use super::draft::Draft;
use super::late::late;
use super::{Effect, Hub, Input, StaffAction};
use crate::intent::IntentState;
use crate::ledger::Posting;
use crate::store::{Storage, StoreError, TransferRow, TripRow, Write};
use crate::web::board::CartStatus;

/// What staff ask about a basket that is to go to a till.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TillAsk {
    /// What is in the basket of this cart, and may it be taken?
    Look(CartId),
    /// "Take it."
    Take {
        /// From which cart.
        cart: CartId,
        /// Of which trip.
        trip: TripId,
        /// As [`StaffAction::TakeBasket`] has it.
        sure: bool,
    },
    /// The list of a basket that was taken.
    Taken(TripId),
}

/// What they are shown.
#[derive(Clone, Debug, PartialEq)]
pub enum TillAnswer {
    /// The basket.
    Sheet(Box<TillSheet>),
    /// There is none to show; why.
    Nothing(String),
}

/// A basket as a till needs it.
#[derive(Clone, Debug, PartialEq)]
pub struct TillSheet {
    /// The store's name.
    pub store: String,
    /// The cart.
    pub cart: CartId,
    /// The trip.
    pub trip: TripId,
    /// How far it is.
    pub stage: TillStage,
    /// How the cart is.
    pub status: CartStatus,
    /// True while it is on the line.
    pub online: bool,
    /// When the last event in it came, by the store's clock. What happened after it is not here.
    pub heard: String,
    /// Events that the cart had and the hub had not, as it said last.
    pub unsynced: u64,
    /// Each line, oldest first.
    pub lines: Vec<TillLine>,
    /// Promotions that apply: label, amount.
    pub savings: Vec<(String, String)>,
    /// The total by the trip's own prices, or that it cannot be told.
    pub total: String,
    /// What a person must look at: things that are not resolved, and buyers whose age nobody has seen.
    pub look: Vec<String>,
    /// The last digits of the loyalty number.
    pub member: Option<String>,
}

/// How far a basket is on its way to the till.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TillStage {
    /// It is on the cart, and may be taken.
    Free,
    /// It is on the cart, and may not be taken now; why.
    Refused(String),
    /// It was taken.
    Taken {
        /// When, by the store's clock.
        at: String,
        /// How the basket on the cart differs by what the cart has told since.
        late: Vec<String>,
        /// True when the trip is over on the cart, too.
        over: bool,
    },
}

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TillLine {
    /// Its product's name.
    pub name: String,
    /// Its first trade item number, or else its look-up number; empty where it has none.
    pub number: String,
    /// What a till's scanner may read: only of what is sold by the piece, for a weight or a printed price is not in it.
    pub scan: Option<Gtin>,
    /// How much, in words.
    pub how_much: String,
    /// The price with its deposit, or that it cannot be told.
    pub price: String,
}

impl TillSheet {
    /// True when nothing seems amiss with the cart: its shopper can go on, and staff are asked twice.
    pub fn is_well(&self) -> bool {
        self.online && self.status.is_well()
    }
}

impl<S: Storage> Hub<S> {
    /// Answers the page that staff take baskets by; times are told in `zone`.
    ///
    /// # Errors
    /// As [`Hub::handle`].
    pub fn till(
        &mut self,
        ask: TillAsk,
        zone: &TimeZone,
        now: UnixMillis,
    ) -> Result<(TillAnswer, Vec<Effect>), StoreError> {
        match ask {
            TillAsk::Look(cart) => Ok((self.look(&cart, zone)?, Vec::new())),
            TillAsk::Taken(trip) => {
                let none = || TillAnswer::Nothing(format!("The basket of trip {trip} was not taken to a till."));
                let row = self.storage.transfer(&trip)?;
                Ok((row.map_or_else(none, |row| self.taken_sheet(&row, zone)), Vec::new()))
            }
            TillAsk::Take { cart, trip, sure } => {
                let tap = StaffAction::TakeBasket { cart: cart.clone(), trip: trip.clone(), sure };
                let effects = self.handle(Input::Staff(tap), now)?;
                let answer = match self.storage.transfer(&trip)? {
                    Some(row) => self.taken_sheet(&row, zone),
                    None if effects.iter().any(|effect| matches!(effect, Effect::Again(_))) => {
                        let why = "The hub's disk takes nothing in now; it is tried again. Look at the staff page in a moment.";
                        TillAnswer::Nothing(why.to_owned())
                    }
                    None => self.look(&cart, zone)?,
                };
                Ok((answer, effects))
            }
        }
    }

    /// True when the running trip of `state` was taken to a till.
    pub(super) fn is_at_a_till(&self, state: &TripState) -> bool {
        state.trip.as_ref().is_some_and(|trip| self.transfers.contains_key(trip))
    }

    /// Why the basket of `trip` cannot be taken from `cart` now, in words for staff, if it cannot. An attempt to pay
    /// comes to its end first, whatever that is, so that nobody pays at a lane and at a till.
    fn hindrance(&self, cart: &CartId, trip: &TripId) -> Result<Option<String>, StoreError> {
        let Some(row) = self.carts.get(cart).filter(|row| row.state.trip.as_ref() == Some(trip)) else {
            return Ok(Some(format!("trip {trip} does not run on cart {cart} any more")));
        };
        if let Some(payment) = &row.state.payment {
            return Ok(Some(format!("{} are paid already; nothing is left to pay", payment.amount)));
        }
        let intents = self.storage.intents(trip)?;
        let live = intents.iter().find(|intent| intent.open() || intent.state == IntentState::Approved);
        Ok(live.map(|intent| {
            let (amount, lane) = (intent.amount, &intent.lane);
            match intent.state {
                IntentState::Approved => format!("{amount} are paid already, at {lane}; nothing is left to pay"),
                IntentState::Reversing => format!("{amount} are being given back at {lane}; wait until they are"),
                _ => format!("a payment of {amount} is under way at {lane}; it must come to its end first"),
            }
        }))
    }

    /// Staff take the basket of `trip` to a till. What hinders it changes nothing, and the page says it.
    pub(super) fn take_basket(
        &mut self,
        cart: &CartId,
        trip: &TripId,
        sure: bool,
        now: UnixMillis,
    ) -> Result<Vec<Effect>, StoreError> {
        let unasked = !sure && self.online(cart) && self.cart_status(cart).0.is_well();
        if unasked || self.transfers.contains_key(trip) || self.hindrance(cart, trip)?.is_some() {
            return Ok(Vec::new());
        }
        let Some(row) = self.carts.get(cart) else { return Ok(Vec::new()) };
        let ending = Some(Ending::Transferred);
        let mut draft = Draft::default();
        let ended = TripRow {
            trip: trip.clone(),
            cart: cart.clone(),
            epoch: row.epoch,
            state: TripState { ended: ending, ..row.state.clone() },
            ending,
            at: now,
        };
        self.tell_of_trip(&ended, now, &mut draft);
        draft.write(Write::Trip(ended));
        draft.write(Write::Transfer(TransferRow {
            trip: trip.clone(),
            cart: cart.clone(),
            taken: row.state.clone(),
            heard_at: row.at,
            at: now,
            late: Vec::new(),
            seen: false,
            over: false,
        }));
        draft.write(Write::Command(at_a_till(cart, trip, row.epoch, now)));
        tracing::info!(%cart, %trip, lines = row.state.basket.lines.len(), "the basket was taken to a till");
        self.commit(draft, now)
    }

    /// Staff have looked at what a cart told after its basket was taken, as it was `told` to them.
    pub(super) fn looked_at(&mut self, trip: &TripId, what: Hash, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        let row = self.transfers.get(trip).filter(|row| row.unseen() && told(&row.late) == what);
        let Some(row) = row.cloned() else { return Ok(Vec::new()) };
        let mut draft = Draft::default();
        draft.write(Write::Transfer(TransferRow { seen: true, ..row }));
        self.commit(draft, now)
    }

    /// What `events` of a cart mean for its baskets at a till. Their trips in `posting` stay ended.
    pub(super) fn follow_transfers(
        &self,
        posting: &mut Posting,
        events: &[&TripEvent],
        now: UnixMillis,
        draft: &mut Draft,
    ) -> Result<(), StoreError> {
        let cart = &posting.cart;
        let mut rows: Vec<TransferRow> = self.transfers.values().filter(|row| row.cart == cart.cart).cloned().collect();
        for event in events {
            // A journal that was damaged tells a trip once more, also one that was over.
            if let TripEvent::TripStarted { trip, .. } = event
                && !rows.iter().any(|row| row.trip == *trip)
            {
                rows.extend(self.storage.transfer(trip)?);
            }
        }
        for row in rows {
            let mut next = TransferRow { over: cart.state.trip.as_ref() != Some(&row.trip), ..row.clone() };
            if let Some(touched) = posting.trips.iter_mut().find(|touched| touched.trip == row.trip) {
                touched.ending = touched.ending.or(Some(Ending::Transferred));
                touched.state.ended = touched.ending;
                next.late = late(&row.taken, &touched.state, self.catalogue_of(&row.taken));
            }
            if next.late != row.late {
                next.seen = false;
                let (trip, what) = (&row.trip, next.late.join("; "));
                tracing::warn!(cart = %cart.cart, %trip, what, "the cart told of more after its basket was taken to a till; compare");
            }
            if !next.over {
                let order = at_a_till(&cart.cart, &row.trip, cart.epoch, now);
                if !self.outbox.rows().any(|known| known.command.id == order.command.id) {
                    draft.write(Write::Command(order));
                }
            }
            if next != row {
                draft.write(Write::Transfer(next));
            }
        }
        Ok(())
    }

    fn online(&self, cart: &CartId) -> bool {
        self.seen.get(cart).is_some_and(|seen| seen.presence.is_some_and(|presence| presence.online))
    }

    fn catalogue_of(&self, state: &TripState) -> Option<&Catalogue> {
        state.catalogue.and_then(|version| self.catalogues.get(&version))
    }

    fn look(&self, cart: &CartId, zone: &TimeZone) -> Result<TillAnswer, StoreError> {
        let running = self.carts.get(cart).and_then(|row| Some((row, row.state.trip.as_ref()?)));
        let Some((row, trip)) = running else {
            return Ok(TillAnswer::Nothing(format!("No trip runs on cart {cart}: there is no basket to take.")));
        };
        if let Some(taken) = self.transfers.get(trip) {
            return Ok(self.taken_sheet(taken, zone));
        }
        let stage = self.hindrance(cart, trip)?.map_or(TillStage::Free, TillStage::Refused);
        Ok(TillAnswer::Sheet(Box::new(self.sheet((cart, trip), &row.state, row.at, stage, zone))))
    }

    fn taken_sheet(&self, row: &TransferRow, zone: &TimeZone) -> TillAnswer {
        let stage = TillStage::Taken { at: told_at(row.at, zone), late: row.late.clone(), over: row.over };
        TillAnswer::Sheet(Box::new(self.sheet((&row.cart, &row.trip), &row.taken, row.heard_at, stage, zone)))
    }

    fn sheet(
        &self,
        (cart, trip): (&CartId, &TripId),
        state: &TripState,
        heard_at: UnixMillis,
        stage: TillStage,
        zone: &TimeZone,
    ) -> TillSheet {
        let catalogue = self.catalogue_of(state);
        let totals = catalogue.and_then(|catalogue| price(&state.basket, catalogue).ok());
        let telemetry = self.seen.get(cart).and_then(|seen| seen.telemetry.as_ref());
        let name = |sku: &Sku| name(sku, catalogue);
        let unseen = |line| state.basket.line(line).map(|line| format!("{}: the buyer's age", name(&line.sku)));
        let held = state.basket.holds.iter().map(|hold| held(hold, state, catalogue));
        TillSheet {
            store: self.catalogues.current().store_name.clone(),
            cart: cart.clone(),
            trip: trip.clone(),
            stage,
            status: self.cart_status(cart).0,
            online: self.online(cart),
            heard: told_at(heard_at, zone),
            unsynced: telemetry.map_or(0, |telemetry| telemetry.unsynced),
            lines: state.basket.lines.iter().map(|line| till_line(line, catalogue)).collect(),
            savings: totals.as_ref().map(savings).unwrap_or_default(),
            total: totals.map_or_else(|| "no price".to_owned(), |totals| totals.total.to_string()),
            look: held.chain(state.age_checks.iter().filter_map(|line| unseen(*line))).collect(),
            member: state.member.as_ref().map(trip::Member::masked),
        }
    }
}

/// Names what a cart told, for who has looked at it.
pub(super) fn told(late: &[String]) -> Hash {
    Hash::of(late.join("\n").as_bytes())
}

fn name(sku: &Sku, catalogue: Option<&Catalogue>) -> String {
    catalogue.and_then(|catalogue| catalogue.get(sku)).map_or_else(|| sku.to_string(), |product| product.name.clone())
}

fn till_line(line: &LineItem, catalogue: Option<&Catalogue>) -> TillLine {
    let product = catalogue.and_then(|catalogue| catalogue.get(&line.sku));
    let gtin = product.and_then(|product| product.gtins.first().copied());
    let plu = product.and_then(|product| product.plu).map(|plu| format!("PLU {}", u32::from(plu)));
    let priced = catalogue.and_then(|c| Some(Money::new(whole_price(line, c)?, c.currency).to_string()));
    TillLine {
        name: name(&line.sku, catalogue),
        number: gtin.map(|gtin| gtin.ean13().unwrap_or_else(|| gtin.to_string())).or(plu).unwrap_or_default(),
        scan: gtin.filter(|_| matches!(line.quantity, Quantity::Each(_))),
        how_much: how_much(line.quantity),
        price: priced.unwrap_or_else(|| "no price".to_owned()),
    }
}

/// With its deposit, in minor units.
fn whole_price(line: &LineItem, catalogue: &Catalogue) -> Option<i64> {
    price_line(line, catalogue).ok().map(|priced| priced.price + priced.deposit)
}

/// Something unresolved, and what it may be.
fn held(hold: &Hold, state: &TripState, catalogue: Option<&Catalogue>) -> String {
    let of_lines = || hold.lines.iter().filter_map(|line| state.basket.line(*line)).map(|line| &line.sku);
    let perhaps: Vec<String> = match hold.reason {
        HoldReason::WhichRemoved => of_lines().map(|sku| name(sku, catalogue)).collect(),
        _ => hold.candidates.iter().map(|sku| name(sku, catalogue)).collect(),
    };
    let what = format!("not on the list: {}, {} g", reason(hold.reason), hold.weight.0);
    if perhaps.is_empty() { what } else { format!("{what}: perhaps {}", perhaps.join(" or ")) }
}

/// Date and time by the store's clock.
fn told_at(at: UnixMillis, zone: &TimeZone) -> String {
    let at = Timestamp::from_millisecond(at.0).map(|at| at.to_zoned(zone.clone()));
    at.map(|at| at.strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default()
}
