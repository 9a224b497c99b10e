//! The view: everything on the screen, made anew from the state.

use ed25519_dalek::VerifyingKey;
use trip::basket::HoldReason;
use trip::catalogue::Product;
use trip::money::divide_rounded;
use trip::pricing::{PriceError, PricedLine};
use trip::receipt::{self, Verified};
use trip::{Grams, HoldId, LineItem, Money, Phase, Quantity, Sale, Totals, UnixMillis};

use super::Cart;
use crate::view::{
    AskView, HoldView, LineView, PayBlocked, PayStep, PayView, ReceiptView, Screen, SearchView, TakenOut, Tile, View,
    WeighView,
};
use crate::weight_step::Condition;

impl Cart {
    /// All that the screen shows now.
    pub fn view(&self) -> View {
        let totals = self.totals().ok();
        let saved = totals.as_ref().map_or(0, |t| t.savings.iter().map(|s| s.minor).sum());
        let notices = self.notices();
        View {
            store_name: self.catalogue.store_name.clone(),
            screen: self.screen(totals.as_ref()),
            banner: notices.first().cloned(),
            notices,
            connected: self.connected(),
            offline_minutes: self.offline.map(|watch| watch.told()),
            battery: self.gauge.charge(),
            battery_minutes: self.battery_minutes(),
            battery_ready: !self.below_reserve(),
            total: totals.as_ref().map_or(self.money(0), |t| t.total),
            items: self.state.basket.lines.iter().map(|line| pieces(line.quantity)).sum(),
            saved: self.money(saved),
            lines: totals.as_ref().map(|t| self.lines(t)).unwrap_or_default(),
            holds: self.holds(),
            ask: self.ask(),
            taken_out: self.chip.as_ref().map(|chip| TakenOut { name: chip.name.clone(), price: chip.price }),
            lane: self.lane.as_ref().map(|lane| lane.to_string()),
            pay_blocked: self.pay_blocked(),
            help_called: self.state.help,
            shared: self.state.shared,
            waiting: self.waiting(),
            still_there: self.still_there(),
            budget: self.wishes.budget.map(|minor| self.money(minor)),
            watched: self.wishes.watched.iter().copied().collect(),
            joined: self.joined(),
            list: self.list_progress(),
            offers: self.offers_there_are(),
        }
    }

    /// What would be charged now.
    pub(super) fn totals(&self) -> Result<Totals, PriceError> {
        trip::pricing::price(&self.state.basket, &self.catalogue)
    }

    pub(super) fn total(&self) -> Money {
        self.totals().map_or(self.money(0), |t| t.total)
    }

    /// True when a price may be shown from the weight.
    pub(super) fn steady(&self) -> bool {
        self.steps.condition() == Condition::Settled && self.pending.is_none()
    }

    /// Why the way to payment is shut.
    pub(super) fn pay_blocked(&self) -> Option<PayBlocked> {
        let basket = &self.state.basket;
        let waits = self.pending.is_some() || self.unfelt.is_some();
        if !basket.holds.is_empty() || waits || !self.evidence.scans().is_empty() {
            Some(PayBlocked::Unresolved)
        } else if basket.lines.is_empty() {
            Some(PayBlocked::Empty)
        } else if !self.state.age_checks.is_empty() {
            Some(PayBlocked::AgeCheck)
        } else if self.lane.is_none() {
            Some(PayBlocked::NoLane)
        } else if !self.connected() {
            Some(PayBlocked::Offline)
        } else if self.scale_works() && !self.steady() {
            Some(PayBlocked::Unsteady)
        } else {
            None
        }
    }

    fn screen(&self, totals: Option<&Totals>) -> Screen {
        let pay = |step| match &self.state.lock {
            Some(lock) => {
                let offline = !self.connected();
                Screen::Pay(PayView { amount: lock.total, lane: lock.lane.to_string(), step, offline })
            }
            None => Screen::Basket,
        };
        match self.state.phase {
            Phase::Idle if self.gauge.charge().is_some_and(|(_, charging)| charging) => Screen::Charging,
            Phase::Idle if self.goodbye.is_some() => Screen::Goodbye,
            Phase::Idle if self.below_reserve() => Screen::LowBattery,
            Phase::Idle => self.start_screen().unwrap_or(Screen::Welcome),
            Phase::Shopping => self.shopping_screen(),
            Phase::Locked if self.state.declines > 0 => pay(PayStep::Declined),
            Phase::Locked => pay(PayStep::Preparing),
            Phase::Paying if self.checking => pay(PayStep::Checking),
            Phase::Paying => pay(PayStep::Tap),
            Phase::Paid => pay(PayStep::Approved),
            Phase::Receipted => {
                totals.map_or(Screen::Basket, |totals| Screen::Receipt(Box::new(self.receipt_view(totals))))
            }
        }
    }

    fn shopping_screen(&self) -> Screen {
        if let Some(screen) = self.find_screen() {
            return screen;
        }
        let held = self.panel.ask.and_then(|(hold, _)| self.state.basket.hold(hold));
        if let (Some(hold), Some(product)) = (held, self.panel.weigh.as_ref().and_then(|sku| self.catalogue.get(sku)))
            && let Sale::Weight { per_kg } = product.sale
        {
            let tare = self.tare().weight;
            let net = Grams(hold.weight.0.saturating_sub(tare.0).max(0));
            return Screen::Weigh(WeighView {
                sku: product.sku.clone(),
                name: product.name.clone(),
                gross: hold.weight,
                tare,
                tares: self.tares_for(hold.weight),
                net,
                per_kg: self.money(per_kg),
                price: (self.steady() && net.0 > 0).then(|| self.money(by_weight(per_kg, net))),
            });
        }
        match (&self.panel.search, held) {
            (Some(text), Some(hold)) => {
                let found = self.found(text).into_iter().map(|product| self.tile(product, hold.weight)).collect();
                Screen::Search(SearchView { text: text.clone(), asked: true, found })
            }
            _ => self.item_screen().or_else(|| self.list_screen()).unwrap_or(Screen::Basket),
        }
    }

    pub(super) fn tile(&self, product: &Product, weight: Grams) -> Tile {
        let minor = match product.sale {
            Sale::Each { price } => price,
            Sale::Weight { per_kg } => by_weight(per_kg, weight),
        };
        Tile {
            sku: product.sku.clone(),
            name: product.name.clone(),
            price: self.money(minor),
            line: None,
            instead_of: None,
            per_kg: false,
        }
    }

    fn lines(&self, totals: &Totals) -> Vec<LineView> {
        let pairs = self.state.basket.lines.iter().zip(&totals.lines);
        let mut lines: Vec<LineView> = pairs.map(|(item, priced)| self.line(item, priced)).collect();
        lines.reverse();
        lines
    }

    pub(super) fn line(&self, item: &LineItem, priced: &PricedLine) -> LineView {
        LineView {
            line: item.line,
            sku: item.sku.clone(),
            name: priced.name.clone(),
            quantity: item.quantity,
            unit: priced.unit.map(|minor| self.money(minor)),
            price: self.money(priced.price + priced.deposit),
            deposit: self.money(priced.deposit),
            evidence: item.evidence,
            age_check: self.state.age_checks.contains(&item.line),
            fresh: self.fresh.is_some_and(|(line, _)| line == item.line),
            warned: self.warned_of(&item.sku),
        }
    }

    fn holds(&self) -> Vec<HoldView> {
        let view = |hold: &trip::Hold| HoldView {
            hold: hold.hold,
            weight: hold.weight,
            reason: hold.reason,
            thumbnail: self.thumbnails.get(&hold.hold).cloned(),
        };
        self.state.basket.holds.iter().rev().map(view).collect()
    }

    fn ask(&self) -> Option<AskView> {
        let (number, waits_for) = self.panel.ask?;
        let hold = self.state.basket.hold(number)?;
        let by_sku = || hold.candidates.iter().filter_map(|sku| Some(self.tile(self.catalogue.get(sku)?, hold.weight)));
        let by_line = || hold.lines.iter().filter_map(|line| self.line_tile(*line));
        let tiles = match hold.reason {
            HoldReason::WhichRemoved => by_line().collect(),
            HoldReason::Recount if hold.weight.0 < 0 => by_line().collect(),
            HoldReason::Refused => Vec::new(),
            HoldReason::Swapped => {
                let pairs = hold.lines.iter().zip(&hold.candidates);
                pairs.filter_map(|(line, sku)| self.swap_tile(*line, sku, hold.weight)).collect()
            }
            _ => by_sku().collect(),
        };
        Some(AskView {
            hold: number,
            reason: hold.reason,
            weight: hold.weight,
            thumbnail: self.thumbnail(number),
            tiles,
            waits_for,
            may_be_own: self.may_be_own(hold),
        })
    }

    fn thumbnail(&self, hold: HoldId) -> Option<cart_vision::Thumbnail> {
        self.thumbnails.get(&hold).cloned()
    }

    /// A line as an answer to "which did you take out?".
    fn line_tile(&self, line: trip::LineId) -> Option<Tile> {
        let item = self.state.basket.line(line)?;
        let priced = trip::pricing::price_line(item, &self.catalogue).ok()?;
        Some(Tile {
            sku: item.sku.clone(),
            name: priced.name,
            price: self.money(-priced.price),
            line: Some(line),
            instead_of: None,
            per_kg: false,
        })
    }

    /// A product that may lie there now for a line.
    fn swap_tile(&self, line: trip::LineId, sku: &trip::Sku, delta: Grams) -> Option<Tile> {
        let item = self.state.basket.line(line)?;
        let weight = Grams(self.weight_of(line, 1)?.0.saturating_add(delta.0));
        let name = self.catalogue.get(&item.sku).map_or_else(|| item.sku.to_string(), |p| p.name.clone());
        Some(Tile { line: Some(line), instead_of: Some(name), ..self.tile(self.catalogue.get(sku)?, weight) })
    }

    fn receipt_view(&self, totals: &Totals) -> ReceiptView {
        ReceiptView {
            number: self.state.receipt.as_ref().map(|(number, _)| number.clone()).unwrap_or_default(),
            charged: self.state.payment.as_ref().map_or(totals.total, |p| p.amount),
            lines: self.lines(totals).into_iter().rev().collect(),
            savings: totals.savings.iter().map(|s| (s.label.clone(), self.money(s.minor))).collect(),
            taxes: totals.taxes.iter().map(|t| (t.letter, t.basis_points, self.money(t.tax))).collect(),
            tender: self.tender.as_ref().map(|t| t.kind.clone()).unwrap_or_default(),
            qr: self.receipt_qr.clone(),
            at: self.receipt_at(),
        }
    }

    /// When it was paid, as the store signed it: the cart's own clock may not be set.
    fn receipt_at(&self) -> Option<UnixMillis> {
        let key = VerifyingKey::from_bytes(&self.receipt_key?).ok()?;
        match receipt::verify(self.receipt_qr.as_deref()?.as_bytes(), &[key]) {
            Ok(Verified::Summary(summary)) => Some(summary.at),
            Ok(Verified::Receipt(_)) | Err(_) => None,
        }
    }
}

fn pieces(quantity: Quantity) -> u32 {
    match quantity {
        Quantity::Each(pieces) => pieces,
        Quantity::Weighed(_) | Quantity::Priced(_) => 1,
    }
}

fn by_weight(per_kg: i64, weight: Grams) -> i64 {
    divide_rounded(i128::from(per_kg) * i128::from(weight.0.max(0)), 1_000) as i64
}
