//! The staff page's board, made from what the hub holds in memory.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use trip::basket::HoldReason;
use trip::message::Telemetry;
use trip::pricing::{Totals, price};
use trip::receipt::{Verified, verify};
use trip::{CartId, LineId, Money, Phase, Quantity, TripState, UnixMillis};

use super::transfer::told;
use super::{Hub, Seen};
use crate::intent::IntentState;
use crate::store::{ReceiptRow, Storage, TransferRow};
use crate::web::board::{
    BasketCard, Board, CartCard, CartStatus, LaneCard, OfficeAlarm, PaymentCard, ReceiptLine, TakenCard,
};

impl<S: Storage> Hub<S> {
    /// The board as it stands; times are told in `zone`.
    pub fn board(&self, zone: &TimeZone) -> Board {
        let mut carts: Vec<CartCard> = self.setting.carts.keys().map(|cart| self.cart_card(cart)).collect();
        // Whom nobody goes to yet stands before the others, and who waits longest before who came later.
        let urgency = |card: &CartCard| (card.status, card.gone_to, card.since_ms.unwrap_or(i64::MAX));
        carts.sort_by(|a, b| (urgency(a), &a.cart).cmp(&(urgency(b), &b.cart)));
        Board {
            store: self.catalogues.current().store_name.clone(),
            connected: self.line,
            refused: self.refused,
            back_office: self.office_alarm(zone),
            carts,
            lanes: self.setting.lanes.iter().map(|lane| self.lane_card(lane)).collect(),
            receipts: self.receipts.iter().filter_map(|row| self.receipt_line(row, zone)).collect(),
        }
    }

    fn office_alarm(&self, zone: &TimeZone) -> Option<OfficeAlarm> {
        let trouble = self.back_office.alarm()?;
        // With its day: it may be days.
        let since = Timestamp::from_millisecond(self.back_office.since()?.0).ok()?.to_zoned(zone.clone());
        Some(OfficeAlarm {
            trouble,
            since: since.strftime("%-d %b %H:%M").to_string(),
            waiting: self.back_office.waiting(),
        })
    }

    fn cart_card(&self, cart: &CartId) -> CartCard {
        let unknown = Seen::default();
        let seen = self.seen.get(cart).unwrap_or(&unknown);
        let state = self.carts.get(cart).map(|row| &row.state).filter(|state| state.trip.is_some());
        let state = state.filter(|state| !self.is_at_a_till(state));
        let alarm = match (self.fences.get(cart), self.revoked.contains(cart)) {
            (_, true) => Some("revoked: nothing is taken from it".to_owned()),
            (Some(fence), false) => Some(fence.reason.clone()),
            (None, false) => None,
        };
        let (status, since) = self.cart_status(cart);
        let taken = self.transfers.values().filter(|row| row.cart == *cart);
        CartCard {
            cart: cart.clone(),
            status,
            alarm,
            since_ms: since.map(|UnixMillis(ms)| ms),
            gone_to: state.is_some_and(|state| self.gone_to(cart, state)),
            shared: self.may_be_seen(cart),
            battery_percent: seen.telemetry.as_ref().and_then(|t| t.battery_percent),
            battery_minutes: seen.telemetry.as_ref().and_then(|t| t.battery_minutes),
            left_minutes: seen.telemetry.as_ref().and_then(|t| t.left_minutes),
            unsynced: seen.telemetry.as_ref().map_or(0, |t| t.unsynced),
            faults: seen.telemetry.as_ref().map(|t| t.faults.clone()).unwrap_or_default(),
            basket: state.map(|state| self.basket_card(state)),
            taken: taken.map(taken_card).collect(),
        }
    }

    /// How a cart is, and since when, where that matters.
    pub(super) fn cart_status(&self, cart: &CartId) -> (CartStatus, Option<UnixMillis>) {
        let unknown = Seen::default();
        let seen = self.seen.get(cart).unwrap_or(&unknown);
        let state = self.carts.get(cart).map(|row| &row.state).filter(|state| state.trip.is_some());
        let told_more = self.transfers.values().any(|row| row.cart == *cart && row.unseen());
        let status = match (self.fences.contains_key(cart), self.revoked.contains(cart)) {
            (_, true) => CartStatus::Revoked,
            (true, false) => CartStatus::Fenced,
            (false, false) if state.is_some_and(|state| self.is_at_a_till(state)) => CartStatus::AtTill,
            (false, false) => status(seen, state),
        };
        let status = if told_more { status.min(CartStatus::ToldMore) } else { status };
        let since = match status {
            CartStatus::Help => seen.help_since,
            CartStatus::AgeCheck => seen.age_since,
            CartStatus::Fenced => self.fences.get(cart).map(|fence| fence.at),
            CartStatus::Offline | CartStatus::LostInTrip => seen.presence.map(|_| seen.since),
            _ => None,
        };
        (status, since)
    }

    fn basket_card(&self, state: &TripState) -> BasketCard {
        let catalogue = state.catalogue.and_then(|version| self.catalogues.get(&version));
        let totals = catalogue.and_then(|c| price(&state.basket, c).ok());
        let name = |line: LineId| {
            let priced = totals.as_ref().and_then(|t: &Totals| t.lines.iter().find(|l| l.line == line));
            priced.map_or_else(|| format!("line {}", line.0), |l| l.name.clone())
        };
        let items = state.basket.lines.iter().map(|line| match line.quantity {
            Quantity::Each(pieces) => pieces,
            Quantity::Weighed(_) | Quantity::Priced(_) => 1,
        });
        BasketCard {
            total: totals.as_ref().map_or_else(|| "no price".to_owned(), |t| t.total.to_string()),
            items: items.sum(),
            lines: totals.as_ref().map(lines).unwrap_or_default(),
            savings: totals.as_ref().map(savings).unwrap_or_default(),
            age_checks: state.age_checks.iter().map(|line| (*line, name(*line))).collect(),
            holds: state
                .basket
                .holds
                .iter()
                .map(|h| (h.hold, format!("{}, {} g", reason(h.reason), h.weight.0)))
                .collect(),
        }
    }

    fn lane_card(&self, lane: &trip::LaneId) -> LaneCard {
        let gate = self.gates.get(lane);
        let here = || self.intents.values().filter(|i| i.lane == *lane);
        let busy = here().find(|i| i.state.holds_lane());
        let last = || gate.filter(|g| g.open).and_then(|g| self.storage.intent(&g.intent).ok().flatten());
        let shown = busy.cloned().or_else(|| here().find(|i| i.state == IntentState::Approved).cloned()).or_else(last);
        let waiting = here().filter(|i| i.state == IntentState::Created);
        LaneCard {
            lane: lane.clone(),
            gate_open: gate.is_some_and(|g| g.open),
            payment: shown.map(|i| PaymentCard { cart: i.cart, amount: i.amount.to_string(), state: i.state }),
            queue: waiting.map(|i| i.cart.clone()).collect(),
        }
    }

    fn receipt_line(&self, row: &ReceiptRow, zone: &TimeZone) -> Option<ReceiptLine> {
        // Through the same check as anyone's: the page shows no receipt that would not verify.
        let Ok(Verified::Receipt(receipt)) = verify(&row.cose, &[self.office.public_key()]) else { return None };
        let at =
            Timestamp::from_millisecond(row.at.0).map(|t| t.to_zoned(zone.clone()).strftime("%H:%M:%S").to_string());
        Some(ReceiptLine {
            number: row.number.clone(),
            at: at.unwrap_or_default(),
            amount: receipt.charged.to_string(),
            tender: receipt.tender.kind,
            lane: receipt.lane.to_string(),
            void: row.void,
        })
    }
}

fn taken_card(row: &TransferRow) -> TakenCard {
    let late = if row.unseen() { row.late.clone() } else { Vec::new() };
    TakenCard { trip: row.trip.clone(), told: told(&row.late), late }
}

fn status(seen: &Seen, state: Option<&TripState>) -> CartStatus {
    let online = seen.presence.is_some_and(|p| p.online);
    let told = |what: fn(&Telemetry) -> bool| seen.telemetry.as_ref().is_some_and(what);
    let faulty = told(|t| !t.faults.is_empty());
    match state {
        Some(state) if state.help => CartStatus::Help,
        Some(state) if !state.age_checks.is_empty() => CartStatus::AgeCheck,
        Some(_) if !online => CartStatus::LostInTrip,
        None if !online => CartStatus::Offline,
        _ if faulty => CartStatus::Fault,
        Some(_) if told(|t| t.battery_low) => CartStatus::BatteryLow,
        Some(_) if told(|t| t.left_minutes.is_some()) => CartStatus::LeftStanding,
        Some(state) => match state.phase {
            Phase::Locked | Phase::Paying => CartStatus::AtExit,
            Phase::Paid | Phase::Receipted => CartStatus::Paid,
            Phase::Idle | Phase::Shopping => CartStatus::Shopping,
        },
        None if seen.telemetry.as_ref().is_some_and(|t| t.charging) => CartStatus::Charging,
        None => CartStatus::Idle,
    }
}

/// Name, how much, and price of each line.
pub(super) fn lines(totals: &Totals) -> Vec<(String, String, String)> {
    let money = |minor| Money::new(minor, totals.total.currency).to_string();
    totals.lines.iter().map(|l| (l.name.clone(), how_much(l.quantity), money(l.price + l.deposit))).collect()
}

/// How much of a line, in words.
pub(super) fn how_much(quantity: Quantity) -> String {
    match quantity {
        Quantity::Each(pieces) => format!("{pieces} ×"),
        Quantity::Weighed(net) => format!("{:.3} kg", f64::from(net.0) / 1_000.0),
        Quantity::Priced(_) => "priced".to_owned(),
    }
}

/// Label of each promotion that applies, and what it takes off.
pub(super) fn savings(totals: &Totals) -> Vec<(String, String)> {
    totals.savings.iter().map(|s| (s.label.clone(), Money::new(-s.minor, totals.total.currency).to_string())).collect()
}

/// Why something is held, in words.
pub(super) fn reason(reason: HoldReason) -> &'static str {
    match reason {
        HoldReason::Unsure => "not sure which",
        HoldReason::Unknown => "not known",
        HoldReason::Several => "several at once",
        HoldReason::NeverPutIn => "scanned, not put in",
        HoldReason::WhichRemoved => "taken out, not sure which",
        HoldReason::Swapped => "swapped, perhaps",
        HoldReason::Recount => "weight does not fit the list",
        HoldReason::Refused => "not sold, still in the cart",
    }
}
