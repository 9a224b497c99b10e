//! The shopping list. What is ticked follows from the basket: a thing that comes in ticks the entry it fits
//! best, and unticks it when it goes out again. It stays on this cart and goes with the trip.

use trip::catalogue::Product;
use trip::list::{MOST_ENTRIES, Noted, wanted};
use trip::{Grams, Phase, Quantity, Sku};

use super::{Cart, Panel};
use crate::effect::Effect;
use crate::fold::{fold, fold_written_out};
use crate::view::{EntryView, ListView, Screen};

/// An entry, and what it may mean.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    noted: Noted,
    pieces: u32,
    /// Products it may mean, likeliest first; none for what is only text.
    fits: Vec<Sku>,
}

impl Cart {
    /// Takes a list; it replaces the one before.
    pub(super) fn bring_list(&mut self, entries: Vec<String>) {
        if self.state.phase == Phase::Idle {
            return;
        }
        // What was ticked by hand before stays so.
        let before: Vec<Noted> = self.list.drain(..).map(|entry| entry.noted).collect();
        let ticked = |text: &str| before.iter().any(|noted| noted.ticked && noted.text == text);
        let noted = entries.into_iter().map(|text| Noted { ticked: ticked(&text), text }).collect();
        self.read_list(noted);
        self.keep_list();
    }

    /// Takes the list as it was kept.
    pub(super) fn read_list(&mut self, noted: Vec<Noted>) {
        let entry = |noted: Noted| {
            let wanted = wanted(&noted.text);
            Entry { pieces: wanted.pieces, fits: self.meant_by(wanted.what), noted }
        };
        self.list = noted.into_iter().take(MOST_ENTRIES).map(entry).collect();
    }

    /// The trip is over, and the list with it.
    pub(super) fn forget_list(&mut self) {
        if !self.list.is_empty() {
            self.list.clear();
            self.keep_list();
        }
    }

    fn keep_list(&mut self) {
        let noted = self.list.iter().map(|entry| entry.noted.clone()).collect();
        self.effects.push_back(Effect::KeepList(noted));
    }

    /// Ticks an entry by hand, or no longer.
    pub(super) fn tick_entry(&mut self, number: usize, on: bool) {
        if let Some(entry) = self.list.get_mut(number) {
            entry.noted.ticked = on;
            self.keep_list();
        }
    }

    /// Products that have every word of `what` in their name, each from its beginning; the shortest names
    /// first, for "milk" is milk before it is milk chocolate.
    fn meant_by(&self, what: &str) -> Vec<Sku> {
        let asked = fold(what);
        let mut found: Vec<(&Product, usize)> =
            self.catalogue.products().iter().filter_map(|product| Some((product, unasked(product, &asked)?))).collect();
        found.sort_by(|(a, more_a), (b, more_b)| {
            more_a.cmp(more_b).then(b.popularity.cmp(&a.popularity)).then(a.name.cmp(&b.name))
        });
        found.into_iter().map(|(product, _)| product.sku.clone()).collect()
    }

    /// Which entries the basket ticks: each line counts for one entry, the one that fewest products fit.
    fn in_basket(&self) -> Vec<bool> {
        let mut missing: Vec<u32> = self.list.iter().map(|entry| entry.pieces).collect();
        for line in &self.state.basket.lines {
            let mut pieces = match line.quantity {
                Quantity::Each(pieces) => pieces,
                // Who wants three apples has them by weight.
                Quantity::Weighed(_) | Quantity::Priced(_) => u32::MAX,
            };
            let mut order: Vec<usize> =
                (0..self.list.len()).filter(|n| self.list[*n].fits.contains(&line.sku)).collect();
            order.sort_by_key(|n| self.list[*n].fits.len());
            for n in order {
                let whole = pieces == u32::MAX;
                let taken = missing[n].min(pieces);
                missing[n] -= taken;
                pieces = if whole && taken > 0 { 0 } else { pieces - taken };
            }
        }
        missing.into_iter().map(|left| left == 0).collect()
    }

    /// Entries ticked, and all; `None` without a list.
    pub(super) fn list_progress(&self) -> Option<(u32, u32)> {
        let done = self.in_basket().into_iter().zip(&self.list).filter(|(bought, entry)| *bought || entry.noted.ticked);
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        (!self.list.is_empty()).then(|| (number(done.count()), number(self.list.len())))
    }

    /// "List": all entries.
    pub(super) fn show_list(&mut self) {
        if self.state.phase == Phase::Shopping && !self.list.is_empty() {
            self.panel = Panel { ask: self.panel.ask, list: true, ..Panel::default() };
        }
    }

    /// The list, while it is open: what is open by aisle, then what is only text, then what is ticked.
    pub(super) fn list_screen(&self) -> Option<Screen> {
        if !self.panel.list || self.list.is_empty() {
            return None;
        }
        let bought = self.in_basket();
        let mut entries: Vec<EntryView> = self
            .list
            .iter()
            .zip(bought)
            .enumerate()
            .map(|(n, (entry, bought))| self.entry_view(n, entry, bought))
            .collect();
        let aisle = |entry: &EntryView| (entry.aisle.is_none(), entry.aisle.clone());
        entries.sort_by_key(|a| (a.ticked, aisle(a), a.number));
        Some(Screen::List(ListView { entries }))
    }

    fn entry_view(&self, number: usize, entry: &Entry, bought: bool) -> EntryView {
        let product = entry.fits.first().and_then(|sku| self.catalogue.get(sku));
        EntryView {
            number,
            text: entry.noted.text.clone(),
            product: product.map(|product| self.tile(product, product.weight.unwrap_or(Grams(1_000)))),
            aisle: product.and_then(|product| product.aisle.clone()),
            ticked: bought || entry.noted.ticked,
            bought,
        }
    }
}

/// How many words of the product's name were not asked for; `None` when one that was asked for is not in it.
fn unasked(product: &Product, asked: &str) -> Option<usize> {
    if asked.is_empty() {
        return None;
    }
    let names = std::iter::once(fold(&product.name)).chain(fold_written_out(&product.name));
    names.filter_map(|name| unasked_of(&name, asked)).min()
}

fn unasked_of(name: &str, asked: &str) -> Option<usize> {
    let names: Vec<&str> = name.split(' ').collect();
    let begins = |word: &str| names.iter().any(|name| name.starts_with(word));
    let fits = |word: &str| begins(word) || singulars(word).any(begins);
    asked.split(' ').all(fits).then(|| names.len().saturating_sub(asked.split(' ').count()))
}

/// "limes" are a lime, "tomatoes" a tomato, "Tomaten" a Tomate: the plural of many languages, off.
fn singulars(word: &str) -> impl Iterator<Item = &str> {
    let stems = ["s", "es", "n"].into_iter().filter_map(|ending| word.strip_suffix(ending));
    stems.filter(|stem| stem.chars().count() >= 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_means_products_with_all_its_words() {
        for (name, asked, expected) in [
            ("Whole milk 1 l", "milk", Some(3)),
            ("Milk chocolate", "milk", Some(1)),
            ("Oat drink 1 l", "oat dr", Some(2)),
            ("Oat drink 1 l", "drink oat", Some(2)),
            ("Oat drink 1 l", "oat milk", None),
            ("Pineapple", "apple", None),
            ("Lime", "Limes", Some(0)),
            ("Tomato", "tomatoes", Some(0)),
            ("Käse, jung", "kaese", Some(1)),
            ("Tea", "", None),
        ] {
            let names = std::iter::once(fold(name)).chain(fold_written_out(name));
            let asked = fold(asked);
            let found = if asked.is_empty() { None } else { names.filter_map(|n| unasked_of(&n, &asked)).min() };
            assert_eq!(found, expected, "{asked:?} in {name:?}");
        }
    }
}
