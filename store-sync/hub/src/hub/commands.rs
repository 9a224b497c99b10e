//! What the hub wants of carts: committed first, sent, and sent again until the cart's own events show
//! that it was carried out. A cart takes the same command twice as once.

use std::collections::{BTreeMap, BTreeSet};

use trip::message::{Command, Order, VERSION};
use trip::topics::{self, Leaf};
use trip::{CartId, IntentId, StoreId, TripEvent, TripId, TripState, UnixMillis};

use super::draft::Draft;
use super::{Effect, Hub, StaffAction, publish};
use crate::store::{CommandRow, Storage, StoreError, Write};

/// A command that was not carried out is sent again after this.
const SEND_AGAIN_AFTER_MS: i64 = 5_000;

/// For how long a command about what happens now makes sense.
const SOON_MS: i64 = 10 * 60 * 1_000;

/// For how long a cart may bring its payment and receipt after all.
const LASTING_MS: i64 = 30 * 24 * 60 * 60 * 1_000;

/// Commands that are not carried out yet.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    /// By id; with the time it was last sent, if it was in this run.
    rows: BTreeMap<String, (CommandRow, Option<UnixMillis>)>,
    /// Ids in the order they were made, which is the order they are sent in.
    order: Vec<String>,
}

impl Outbox {
    pub(super) fn new(rows: Vec<CommandRow>) -> Self {
        let order = rows.iter().map(|row| row.command.id.clone()).collect();
        Self { rows: rows.into_iter().map(|row| (row.command.id.clone(), (row, None))).collect(), order }
    }

    /// Takes in a new command and sends it; one that is there already is left as it is.
    pub(super) fn add(&mut self, store: &StoreId, row: CommandRow, now: UnixMillis) -> Option<Effect> {
        let id = row.command.id.clone();
        if self.rows.contains_key(&id) {
            return None;
        }
        let effect = send(store, &row);
        self.order.push(id.clone());
        self.rows.insert(id, (row, Some(now)));
        Some(effect)
    }

    pub(super) fn done(&mut self, id: &str) {
        self.rows.remove(id);
        self.order.retain(|other| other != id);
    }

    pub(super) fn rows(&self) -> impl Iterator<Item = &CommandRow> {
        self.order.iter().filter_map(|id| self.rows.get(id)).map(|(row, _)| row)
    }

    /// Sends all again.
    pub(super) fn send_all(&mut self, store: &StoreId, now: UnixMillis) -> Vec<Effect> {
        self.send_those(store, now, |_, _| true)
    }

    /// Sends all of `cart` again.
    pub(super) fn send_to(&mut self, store: &StoreId, cart: &CartId, now: UnixMillis) -> Vec<Effect> {
        self.send_those(store, now, |row, _| row.cart == *cart)
    }

    /// Sends again what was sent long ago, to carts that `reachable` says are there.
    pub(super) fn send_late(
        &mut self,
        store: &StoreId,
        now: UnixMillis,
        reachable: impl Fn(&CartId) -> bool,
    ) -> Vec<Effect> {
        self.send_those(store, now, |row, sent| {
            reachable(&row.cart) && sent.is_none_or(|at| now.0 - at.0 >= SEND_AGAIN_AFTER_MS)
        })
    }

    fn send_those(
        &mut self,
        store: &StoreId,
        now: UnixMillis,
        which: impl Fn(&CommandRow, Option<UnixMillis>) -> bool,
    ) -> Vec<Effect> {
        let mut effects = Vec::new();
        for id in &self.order {
            let Some((row, sent)) = self.rows.get_mut(id) else { continue };
            if row.command.expires_at > now && which(row, *sent) {
                *sent = Some(now);
                effects.push(send(store, row));
            }
        }
        effects
    }
}

fn send(store: &StoreId, row: &CommandRow) -> Effect {
    publish(topics::cart(store, &row.cart, Leaf::Command), &row.command, false)
}

/// A command about an attempt: one of each kind, whatever happens.
pub(super) fn about(intent: &crate::intent::Intent, order: Order, now: UnixMillis) -> Write {
    let (kind, lasts) = match &order {
        Order::AwaitTap { .. } => ("tap", SOON_MS),
        Order::Checking { .. } => ("checking", SOON_MS),
        Order::Declined { .. } => ("declined", SOON_MS),
        Order::Paid { .. } => ("paid", LASTING_MS),
        Order::Receipt { .. } => ("receipt", LASTING_MS),
        _ => ("other", SOON_MS),
    };
    let lock = Some(intent.version);
    command(&intent.cart, intent.trip.clone(), lock, format!("{kind}-{}", intent.id), order, now.0 + lasts)
}

/// What a cart was told of an attempt, once more, in another journal or at another lock of the same basket.
pub(super) fn again(intent: &crate::intent::Intent, epoch: u64, version: u32, order: Order, now: UnixMillis) -> Write {
    let kind = match order {
        Order::Paid { .. } => "paid",
        Order::Declined { .. } => "declined",
        _ => "receipt",
    };
    let id = format!("{kind}-{}-{epoch}-{version}", intent.id);
    command(&intent.cart, intent.trip.clone(), Some(version), id, order, now.0 + LASTING_MS)
}

/// A refusal of a lock.
pub(super) fn refusal(cart: &CartId, trip: &TripId, version: u32, why: String, now: UnixMillis) -> Write {
    command(
        cart,
        trip.clone(),
        Some(version),
        format!("refuse-{trip}-{version}"),
        Order::RefuseLock { version, why },
        now.0 + SOON_MS,
    )
}

/// The basket is at a till. A journal that replaces another must hear it once more.
pub(super) fn at_a_till(cart: &CartId, trip: &TripId, epoch: u64, now: UnixMillis) -> CommandRow {
    let command = Command {
        v: VERSION,
        id: format!("transfer-{trip}-{epoch}"),
        expires_at: UnixMillis(now.0 + LASTING_MS),
        trip: trip.clone(),
        lock: None,
        order: Order::Transfer,
    };
    CommandRow { cart: cart.clone(), command }
}

fn command(cart: &CartId, trip: TripId, lock: Option<u32>, id: String, order: Order, expires_ms: i64) -> Write {
    let command = Command { v: VERSION, id, expires_at: UnixMillis(expires_ms), trip, lock, order };
    Write::Command(CommandRow { cart: cart.clone(), command })
}

/// The commands about an attempt, by the kinds of [`about`].
pub(super) fn done(intent: &IntentId, kinds: &[&str], draft: &mut Draft) {
    kinds.iter().for_each(|kind| draft.write(Write::CommandDone(format!("{kind}-{intent}"))));
}

/// Whether `event` on `trip` shows that `order` was carried out or is no longer wanted.
fn fulfils(order: &Order, event: &TripEvent) -> bool {
    match (order, event) {
        (_, TripEvent::TripClosed { .. } | TripEvent::TripStarted { .. }) => true,
        (Order::AwaitTap { intent }, TripEvent::PaymentStarted { intent: i }) => intent == i,
        (
            Order::AwaitTap { intent } | Order::Checking { intent } | Order::Declined { intent, .. },
            TripEvent::PaymentDeclined { intent: i },
        ) => intent == i,
        (
            Order::AwaitTap { intent } | Order::Checking { intent } | Order::Paid { intent, .. },
            TripEvent::PaymentApproved { intent: i, .. },
        ) => intent == i,
        (Order::Receipt { number, .. }, TripEvent::ReceiptStored { number: n, .. }) => number == n,
        (Order::RefuseLock { version, .. }, TripEvent::BasketUnlocked { version: v }) => version == v,
        (
            Order::AwaitTap { .. } | Order::Checking { .. } | Order::Declined { .. },
            TripEvent::BasketUnlocked { .. },
        ) => true,
        (Order::EndHelp, TripEvent::HelpEnded) => true,
        // Who is there already need not be said to come.
        (Order::OnTheWay, TripEvent::StaffComing | TripEvent::HelpEnded | TripEvent::AgeChecked { .. }) => true,
        (Order::AgeChecked { line, .. }, TripEvent::AgeChecked { line: l, .. }) => line == l,
        (Order::ReleaseHold { hold }, TripEvent::HoldResolved { hold: h, .. }) => hold == h,
        _ => false,
    }
}

impl<S: Storage> Hub<S> {
    /// Marks the commands that `events` of `cart` show to be carried out.
    pub(super) fn carried_out(&self, cart: &CartId, state: &TripState, events: &[&TripEvent], draft: &mut Draft) {
        for row in self.outbox.rows().filter(|row| row.cart == *cart) {
            let over = state.trip.as_ref() != Some(&row.command.trip);
            if over || events.iter().any(|event| fulfils(&row.command.order, event)) {
                draft.write(Write::CommandDone(row.command.id.clone()));
            }
        }
    }

    /// Carries out what staff tapped: the cart is told, and shows that it heard by its own event.
    pub(super) fn staff(&mut self, action: &StaffAction, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        let (cart, order) = match action {
            StaffAction::HelpHasCome { cart } => (cart, Order::EndHelp),
            StaffAction::OnTheWay { cart } => (cart, Order::OnTheWay),
            StaffAction::AgeChecked { cart, line, approved } => {
                (cart, Order::AgeChecked { line: *line, approved: *approved })
            }
            StaffAction::ReleaseHold { cart, hold } => (cart, Order::ReleaseHold { hold: *hold }),
            // Of these no cart is told at once: see `lift_fence` and `transfer`.
            StaffAction::LiftFence { .. } | StaffAction::TakeBasket { .. } | StaffAction::LookedAt { .. } => {
                return Ok(Vec::new());
            }
        };
        let Some(state) = self.carts.get(cart).map(|row| &row.state) else { return Ok(Vec::new()) };
        let Some(trip) = state.trip.clone() else { return Ok(Vec::new()) };
        if order == Order::OnTheWay && (!state.waits_for_staff() || state.staff_coming) {
            return Ok(Vec::new());
        }
        if self.outbox.rows().any(|row| row.command.trip == trip && row.command.order == order) {
            return Ok(Vec::new());
        }
        let mut draft = Draft::default();
        let id = format!("staff-{trip}-{}", now.0);
        draft.write(command(cart, trip, None, id, order, now.0 + SOON_MS));
        self.commit(draft, now)
    }

    /// Sends again what is not carried out, forgets what is too late, shuts gates.
    pub(super) fn tick(&mut self, now: UnixMillis) -> Result<Vec<Effect>, StoreError> {
        let mut draft = Draft::default();
        for row in self.outbox.rows().filter(|row| row.command.expires_at <= now) {
            tracing::warn!(cart = %row.cart, command = row.command.id, "a command was never carried out");
            draft.write(Write::CommandDone(row.command.id.clone()));
        }
        self.shut_gates_in_time(now, &mut draft);
        let mut effects = if draft.is_empty() { Vec::new() } else { self.commit(draft, now)? };
        if self.connected {
            let seen = &self.seen;
            let reachable = |cart: &CartId| seen.get(cart).is_some_and(|s| s.presence.is_some_and(|p| p.online));
            let late = self.outbox.send_late(&self.setting.store, now, reachable);
            // Who still does not show a receipt may never have heard the key that checks it.
            if !late.is_empty() {
                let receipts = self.outbox.rows().filter(|row| matches!(row.command.order, Order::Receipt { .. }));
                let waiting: BTreeSet<&CartId> = receipts.map(|row| &row.cart).filter(|cart| reachable(cart)).collect();
                effects.extend(waiting.into_iter().map(|cart| self.desired(cart)));
            }
            effects.extend(late);
        }
        Ok(effects)
    }
}
