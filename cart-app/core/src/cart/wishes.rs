//! What a shopper wants to be told of on this trip: a budget, allergens, a line's detail. It stays in the
//! cart's memory, in no journal and on no line, and goes with the trip.

use std::collections::BTreeSet;

use trip::{Allergen, LineId, Phase, Sku};

use super::{Cart, Panel};
use crate::view::{ItemView, Screen};

/// Nobody plans to spend more in one trip, in minor units: it is a slip of the finger.
const MOST_BUDGET: i64 = 10_000_000;

/// The wishes of the shopper of this trip.
#[derive(Clone, Debug, Default)]
pub(super) struct Wishes {
    /// What to spend at most, in minor units.
    pub(super) budget: Option<i64>,
    /// What to be told of.
    pub(super) watched: BTreeSet<Allergen>,
}

impl Cart {
    /// True once the total is above the budget.
    pub(super) fn over_budget(&self) -> bool {
        self.state.phase == Phase::Shopping && self.wishes.budget.is_some_and(|budget| self.total().minor > budget)
    }

    pub(super) fn set_budget(&mut self, minor: Option<i64>) {
        if self.state.phase == Phase::Shopping && minor.is_none_or(|minor| (1..=MOST_BUDGET).contains(&minor)) {
            self.wishes.budget = minor;
        }
    }

    pub(super) fn watch_for(&mut self, allergen: Allergen, on: bool) {
        if self.state.phase != Phase::Shopping {
            return;
        }
        if on {
            self.wishes.watched.insert(allergen);
        } else {
            self.wishes.watched.remove(&allergen);
        }
    }

    /// What the shopper watches for and is, or may be, in a product.
    pub(super) fn warned_of(&self, sku: &Sku) -> Vec<Allergen> {
        let Some(detail) = self.catalogue.get(sku).and_then(|product| product.detail.as_ref()) else {
            return Vec::new();
        };
        let in_it = |allergen: &&Allergen| detail.contains.contains(allergen) || detail.may_contain.contains(allergen);
        self.wishes.watched.iter().filter(in_it).copied().collect()
    }

    /// Shows a line whole. An open question waits below it.
    pub(super) fn show_line(&mut self, line: LineId) {
        if self.state.phase == Phase::Shopping && self.state.basket.line(line).is_some() {
            let ask = self.panel.ask;
            self.panel = Panel { ask, item: Some(line), ..Panel::default() };
        }
    }

    /// The line that is shown whole, while it is there.
    pub(super) fn item_screen(&self) -> Option<Screen> {
        let item = self.state.basket.line(self.panel.item?)?;
        let priced = trip::pricing::price_line(item, &self.catalogue).ok()?;
        let product = self.catalogue.get(&item.sku)?;
        Some(Screen::Item(Box::new(ItemView {
            line: self.line(item, &priced),
            weight: item.weight,
            aisle: product.aisle.clone(),
            min_age: product.min_age,
            detail: product.detail.clone(),
        })))
    }
}
