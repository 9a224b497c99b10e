//! Phones: one joins a cart by the token that the cart shows, and then follows its trip.
//!
//! The hub holds a phone's token against the digests that the cart offers, lets each through once, and
//! asks the cart; the trip is joined when the cart's own journal says so. From then on the phone is known by a
//! secret of its own, whose digest is in the journal: it outlives a restart of the hub, and a picture of the
//! cart's screen does not have it. What a shopper means to buy passes through and is stored nowhere.

use trip::event::Ending;
use trip::message::{Command, Offer, Order, Pairing, VERSION};
use trip::pairing::is_digest_of;
use trip::pricing::price;
use trip::receipt::{Receipt, Verified, verify};
use trip::topics::{self, Leaf};
use trip::{CartId, Hash, Member, Phase, Quantity, TripId, TripState, UnixMillis};

use super::{Effect, Hub, publish};
use crate::store::{Storage, StoreError};

/// A cart that does not answer a joining phone in this time never will.
const ANSWER_WITHIN_MS: i64 = 20_000;
/// It is asked again this often.
const ASK_AGAIN_MS: i64 = 2_000;

/// What a phone's page asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PhoneAsk {
    /// Is there such a cart?
    Cart(CartId),
    /// "Join this cart."
    Join {
        /// Which.
        cart: CartId,
        /// The token from its screen.
        token: String,
        /// Digest of the secret that the phone is given.
        phone: Hash,
        /// The shopper's loyalty number.
        member: Option<Member>,
        /// Their list; empty for none.
        list: Vec<String>,
    },
    /// How does my trip stand?
    Look(Pass),
    /// "This is my list now."
    List {
        /// Who says so.
        pass: Pass,
        /// Its entries.
        entries: Vec<String>,
    },
    /// The receipt of my trip.
    Receipt(Pass),
}

/// By what a phone is known.
#[derive(Clone, PartialEq, Eq)]
pub struct Pass {
    /// The trip.
    pub trip: TripId,
    /// The secret that it was given when it joined.
    pub secret: String,
}

impl std::fmt::Debug for Pass {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Pass({})", self.trip)
    }
}

/// What its page is told.
#[derive(Clone, Debug, PartialEq)]
pub enum PhoneAnswer {
    /// This cart is one of ours, in the store of this name.
    Cart {
        /// The store's name, as shoppers know it.
        store: String,
    },
    /// The cart is asked; the page follows this trip.
    Joining(TripId),
    /// How the trip stands.
    Trip(Box<PhoneTrip>),
    /// It is passed on.
    Done,
    /// The receipt, and its signed bytes.
    Receipt(Box<Receipt>, Vec<u8>),
    /// No; why.
    Refused(Refused),
}

/// Why a phone is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No such cart.
    UnknownCart,
    /// The cart is not on the line.
    Unreachable,
    /// A trip runs on it, or nobody has asked it to show a code.
    NotOffered,
    /// Another phone, or this one, has used the token.
    Used,
    /// It is none of the cart's, or too old.
    Wrong,
    /// This phone joined no such trip.
    NotYours,
    /// There is no receipt yet.
    NoReceipt,
}

/// A trip as its shopper's phone shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct PhoneTrip {
    /// The store's name.
    pub store: String,
    /// The cart.
    pub cart: CartId,
    /// Where it stands.
    pub stage: Stage,
    /// The running total.
    pub total: String,
    /// Pieces and weighed things.
    pub items: u32,
    /// Things that are asked about at the cart, and not charged.
    pub held: usize,
    /// Name, how much, price; newest first.
    pub lines: Vec<(String, String, String)>,
    /// Promotions: label and what they take off.
    pub savings: Vec<(String, String)>,
    /// The last digits of the loyalty number.
    pub member: Option<String>,
    /// The number of the receipt, once there is one.
    pub receipt: Option<String>,
}

/// Where a phone's trip stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The cart is asked.
    Joining,
    /// Things go in and out.
    Shopping,
    /// At the lane.
    Paying,
    /// Paid.
    Paid,
    /// Staff took the basket to a till.
    AtTill,
    /// Over, without a payment.
    Over,
}

/// What is known of phones at one cart; lost at a restart, and told anew.
#[derive(Clone, Debug, Default)]
pub(super) struct Phones {
    pairing: Option<Pairing>,
    /// Digests of tokens that a phone has used.
    used: Vec<Hash>,
    joining: Option<Joining>,
}

/// A phone that waits for the cart's answer.
#[derive(Clone, Debug)]
struct Joining {
    command: Command,
    phone: Hash,
    asked: UnixMillis,
}

impl Phones {
    /// Takes what the cart offers; a word of an earlier run of it changes nothing.
    pub(super) fn hear(&mut self, pairing: Pairing) {
        if self.pairing.as_ref().is_some_and(|known| pairing.boot_epoch < known.boot_epoch) {
            return;
        }
        let offered = pairing.offer.as_ref().map(|offer| offer.tokens.as_slice()).unwrap_or_default();
        self.used.retain(|used| offered.contains(used));
        self.pairing = Some(pairing);
    }

    fn offer(&self, boot_epoch: u64) -> Option<&Offer> {
        self.pairing.as_ref().filter(|pairing| pairing.boot_epoch == boot_epoch)?.offer.as_ref()
    }
}

impl<S: Storage> Hub<S> {
    /// Answers a phone.
    ///
    /// # Errors
    /// [`StoreError`] when the database cannot be read.
    pub fn phone(&mut self, ask: PhoneAsk, now: UnixMillis) -> Result<(PhoneAnswer, Vec<Effect>), StoreError> {
        let answer = match ask {
            PhoneAsk::Cart(cart) if self.setting.carts.contains_key(&cart) => {
                PhoneAnswer::Cart { store: self.catalogues.current().store_name.clone() }
            }
            PhoneAsk::Cart(_) => PhoneAnswer::Refused(Refused::UnknownCart),
            // A trip that the hub could not take in is not begun.
            PhoneAsk::Join { .. } if !self.storage.has_room() => PhoneAnswer::Refused(Refused::Unreachable),
            PhoneAsk::Join { cart, token, phone, member, list } => {
                let pair = |token| Order::Pair { token, phone, member, list };
                return Ok(match self.join(&cart, &token, phone, pair, now) {
                    Ok((trip, effect)) => (PhoneAnswer::Joining(trip), vec![effect]),
                    Err(why) => (PhoneAnswer::Refused(why), Vec::new()),
                });
            }
            PhoneAsk::Look(pass) => match self.trip_of(&pass, now)? {
                Some((cart, state)) => PhoneAnswer::Trip(Box::new(self.phone_trip(cart, &state)?)),
                None => PhoneAnswer::Refused(Refused::NotYours),
            },
            PhoneAsk::List { pass, entries } => {
                return Ok(match self.trip_of(&pass, now)? {
                    Some((cart, state)) if state.trip.is_some() && state.ended.is_none() => {
                        let id = format!("list-{}-{}", pass.trip, now.0);
                        let effect = self.tell(&cart, pass.trip, id, Order::List { entries }, now);
                        (PhoneAnswer::Done, vec![effect])
                    }
                    _ => (PhoneAnswer::Refused(Refused::NotYours), Vec::new()),
                });
            }
            PhoneAsk::Receipt(pass) => match self.trip_of(&pass, now)? {
                Some((_, state)) => self.receipt_for(&state)?,
                None => PhoneAnswer::Refused(Refused::NotYours),
            },
        };
        Ok((answer, Vec::new()))
    }

    fn join(
        &mut self,
        cart: &CartId,
        token: &str,
        phone: Hash,
        pair: impl FnOnce(String) -> Order,
        now: UnixMillis,
    ) -> Result<(TripId, Effect), Refused> {
        if !self.setting.carts.contains_key(cart) {
            return Err(Refused::UnknownCart);
        }
        let connected = self.connected;
        let seen = self.seen.entry(cart.clone()).or_default();
        let Some(presence) = seen.presence.filter(|presence| presence.online && connected) else {
            return Err(Refused::Unreachable);
        };
        // All of them are looked at, whichever fits.
        let find = |digests: &[Hash]| {
            digests.iter().fold(None, |found, digest| if is_digest_of(digest, token) { Some(*digest) } else { found })
        };
        if find(&seen.phones.used).is_some() {
            return Err(Refused::Used);
        }
        let offer = seen.phones.offer(presence.boot_epoch).ok_or(Refused::NotOffered)?;
        let digest = find(&offer.tokens).ok_or(Refused::Wrong)?;
        let trip = offer.trip.clone();
        let id = format!("pair-{trip}-{}", now.0);
        let command = self.command_for(trip.clone(), id, pair(token.to_owned()), now);
        let effect = publish(topics::cart(&self.setting.store, cart, Leaf::Command), &command, false);
        if let Some(seen) = self.seen.get_mut(cart) {
            seen.phones.used.push(digest);
            seen.phones.joining = Some(Joining { command, phone, asked: now });
        }
        Ok((trip, effect))
    }

    fn command_for(&self, trip: TripId, id: String, order: Order, now: UnixMillis) -> Command {
        let expires_at = UnixMillis(now.0.saturating_add(ANSWER_WITHIN_MS));
        Command { v: VERSION, id, expires_at, trip, lock: None, order }
    }

    fn tell(&self, cart: &CartId, trip: TripId, id: String, order: Order, now: UnixMillis) -> Effect {
        let command = self.command_for(trip, id, order, now);
        publish(topics::cart(&self.setting.store, cart, Leaf::Command), &command, false)
    }

    /// Asks carts again that have not answered a phone yet, and gives up after a while.
    pub(super) fn ask_again(&mut self, now: UnixMillis) -> Vec<Effect> {
        let store = &self.setting.store;
        let mut effects = Vec::new();
        for (cart, seen) in &mut self.seen {
            let begun = |trip: &TripId| self.carts.get(cart).is_some_and(|row| row.state.trip.as_ref() == Some(trip));
            seen.phones.joining.take_if(|j| j.command.expires_at <= now || begun(&j.command.trip));
            if let Some(joining) = &mut seen.phones.joining
                && now.0 - joining.asked.0 >= ASK_AGAIN_MS
            {
                joining.asked = now;
                effects.push(publish(topics::cart(store, cart, Leaf::Command), &joining.command, false));
            }
        }
        effects
    }

    /// The trip of a phone that shows its secret, and the cart; a default state while the cart is asked.
    fn trip_of(&self, pass: &Pass, now: UnixMillis) -> Result<Option<(CartId, TripState)>, StoreError> {
        let knows = |phone: Option<Hash>| phone.is_some_and(|digest| is_digest_of(&digest, &pass.secret));
        let running = self.carts.values().find(|row| row.state.trip.as_ref() == Some(&pass.trip));
        if let Some(row) = running {
            let mut state = row.state.clone();
            if self.is_at_a_till(&state) {
                // Also before the cart has heard of it.
                state.ended = Some(Ending::Transferred);
            }
            return Ok(knows(state.phone).then(|| (row.cart.clone(), state)));
        }
        if let Some(row) = self.storage.trip(&pass.trip)? {
            return Ok(knows(row.state.phone).then_some((row.cart, row.state)));
        }
        let joining = self.seen.iter().find(|(_, seen)| {
            let joins = |j: &Joining| j.command.trip == pass.trip && j.command.expires_at > now && knows(Some(j.phone));
            seen.phones.joining.as_ref().is_some_and(joins)
        });
        Ok(joining.map(|(cart, _)| (cart.clone(), TripState::default())))
    }

    fn phone_trip(&self, cart: CartId, state: &TripState) -> Result<PhoneTrip, StoreError> {
        let catalogue = state.catalogue.and_then(|version| self.catalogues.get(&version));
        let totals = catalogue.and_then(|catalogue| price(&state.basket, catalogue).ok());
        let paid = state.payment.is_some();
        let stage = match (state.ended, state.phase) {
            (Some(Ending::Paid), _) | (_, Phase::Paid | Phase::Receipted) => Stage::Paid,
            (Some(Ending::Transferred), _) => Stage::AtTill,
            (Some(_), _) => Stage::Over,
            (None, Phase::Locked | Phase::Paying) => Stage::Paying,
            (None, Phase::Idle) => Stage::Joining,
            (None, Phase::Shopping) => Stage::Shopping,
        };
        let pieces = state.basket.lines.iter().map(|line| match line.quantity {
            Quantity::Each(pieces) => pieces,
            Quantity::Weighed(_) | Quantity::Priced(_) => 1,
        });
        let mut lines = totals.as_ref().map(super::board::lines).unwrap_or_default();
        lines.reverse();
        Ok(PhoneTrip {
            store: self.catalogues.current().store_name.clone(),
            cart,
            stage,
            total: totals.as_ref().map(|totals| totals.total.to_string()).unwrap_or_default(),
            items: pieces.sum(),
            held: state.basket.holds.len(),
            lines,
            savings: totals.as_ref().map(super::board::savings).unwrap_or_default(),
            member: state.member.as_ref().map(Member::masked),
            receipt: if paid { self.sealed_receipt(state)?.map(|(receipt, _)| receipt.number) } else { None },
        })
    }

    fn receipt_for(&self, state: &TripState) -> Result<PhoneAnswer, StoreError> {
        let sealed = self.sealed_receipt(state)?;
        Ok(sealed.map_or(PhoneAnswer::Refused(Refused::NoReceipt), |(receipt, cose)| {
            PhoneAnswer::Receipt(Box::new(receipt), cose)
        }))
    }

    /// The receipt of a trip's payment, unless the money was given back.
    fn sealed_receipt(&self, state: &TripState) -> Result<Option<(Receipt, Vec<u8>)>, StoreError> {
        let Some(payment) = &state.payment else { return Ok(None) };
        let row = self.storage.receipt_of(&payment.intent)?.filter(|row| !row.void);
        Ok(row.and_then(|row| match verify(&row.cose, &[self.office.public_key()]) {
            Ok(Verified::Receipt(receipt)) => Some((*receipt, row.cose)),
            Ok(Verified::Summary(_)) | Err(_) => None,
        }))
    }
}
