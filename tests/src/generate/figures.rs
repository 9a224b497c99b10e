//! What all generated trips came to.

use std::collections::BTreeMap;
use std::fmt::Write;

use cart_core::account::{Account, Objection};
use cart_core::fusion::What;
use serde::Serialize;
use trip::Sku;

/// The confusion of the whole. A thing is counted in `items` once, however often it is shown again;
/// the other figures are not parts of a sum, for one thing can be asked about and be added wrong.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// Things that shoppers really put in.
    pub items: u64,
    /// Of these, put on the bill without a question, as what they are and as much as they are.
    pub added_right: u64,
    /// Lines that came in for something the shopper did not put in: product or quantity is wrong.
    /// Counted also where it was corrected later, and where the shopper's own answer led to it.
    pub added_wrong: u64,
    /// Things the shopper was asked about, with tiles or without; each once.
    pub asked: u64,
    /// Of these, how often the right product was among the tiles when it was first asked.
    pub asked_right_in_tiles: u64,
    /// Unresolved at the end of a trip: never charged, but for staff to settle.
    pub held: u64,
    /// Things that lie in the basket at the end of a trip and are neither on a line nor held.
    pub missed: u64,
    /// Pieces on lines at the end of a trip with no thing in the basket to them.
    pub phantom: u64,
    /// Things taken out whose own line went, by itself or by one true answer.
    pub removed_right: u64,
    /// Things taken out for which another line, too much or nothing went, and lines that went with
    /// nothing taken out.
    pub removed_wrong: u64,
    /// Swaps, in one go or with a pause.
    pub swaps: u64,
    /// Of these, those after which the cart had taken the old thing off the bill, or asked.
    pub swaps_caught: u64,
    /// From the sample with which the scale settled to the view that shows the line, for lines that
    /// came in without a question, in milliseconds.
    pub settle_to_screen_ms: Percentiles,
}

/// Two of many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Percentiles {
    /// The median.
    pub p50: f64,
    /// One in a hundred takes longer.
    pub p99: f64,
}

impl Percentiles {
    /// Of these, in any order; zero for none.
    pub fn of(mut values: Vec<f64>) -> Self {
        values.sort_by(f64::total_cmp);
        let at = |share: usize| {
            let place = (values.len() * share).div_ceil(100).saturating_sub(1);
            values.get(place).copied().unwrap_or(0.0)
        };
        Self { p50: at(50), p99: at(99) }
    }
}

/// A line's way to the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Way {
    /// What the cart waited for further looks after the scale had settled: virtual time, in
    /// milliseconds.
    pub waited_ms: f64,
    /// What the deciding turn then took to compute: looks of both cameras one after the other, core,
    /// journal flushed to disk, view of the whole basket; real time, in milliseconds.
    pub computed_ms: f64,
}

/// Something that went wrong, for whoever looks into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mishap {
    /// What kind: `wrong`, `missed`, `phantom`, …
    pub what: &'static str,
    /// The deed under way.
    pub during: &'static str,
    /// The product it really was; `None` where there was none.
    pub really: Option<Sku>,
    /// What happened, in words.
    pub words: String,
}

/// What the cart said first of things that were put in, and why: for whoever looks into its questions.
#[derive(Clone, Debug, Serialize)]
pub struct Said {
    /// The deed under way.
    pub during: &'static str,
    /// What really came in, with its weight in grams.
    pub really: Vec<(Sku, f32)>,
    /// True when it was right on the bill at once, false when it was wrong there; `None` when it was asked about.
    pub right: Option<bool>,
    /// What the decision rested on.
    pub account: Account,
}

/// One trip's or all trips' count.
#[derive(Clone, Debug, Default)]
pub struct Count {
    /// The figures, but for the times.
    pub figures: Figures,
    /// Each line's way to the screen.
    pub ways: Vec<Way>,
    /// By product that was put in: items, asked.
    pub products: BTreeMap<Sku, (u64, u64)>,
    /// By kind of deed: things put in, asked.
    pub deeds: BTreeMap<&'static str, (u64, u64)>,
    /// Questions where nothing had been put in or taken out.
    pub idle_questions: u64,
    /// What went wrong.
    pub mishaps: Vec<Mishap>,
    /// What was said of all that was put in, as far as it came in by weight.
    pub said: Vec<Said>,
    /// What was done and what the cart wrote into its journal, in order, with the trip's time in milliseconds.
    pub story: Vec<(u64, String)>,
}

impl Count {
    /// Adds another trip's count.
    pub fn add(&mut self, other: Count) {
        let (to, of) = (&mut self.figures, &other.figures);
        for (to, of) in [
            (&mut to.items, of.items),
            (&mut to.added_right, of.added_right),
            (&mut to.added_wrong, of.added_wrong),
            (&mut to.asked, of.asked),
            (&mut to.asked_right_in_tiles, of.asked_right_in_tiles),
            (&mut to.held, of.held),
            (&mut to.missed, of.missed),
            (&mut to.phantom, of.phantom),
            (&mut to.removed_right, of.removed_right),
            (&mut to.removed_wrong, of.removed_wrong),
            (&mut to.swaps, of.swaps),
            (&mut to.swaps_caught, of.swaps_caught),
        ] {
            *to += of;
        }
        self.ways.extend(other.ways);
        for (sku, (items, asked)) in other.products {
            let own = self.products.entry(sku).or_default();
            *own = (own.0 + items, own.1 + asked);
        }
        for (deed, (items, asked)) in other.deeds {
            let own = self.deeds.entry(deed).or_default();
            *own = (own.0 + items, own.1 + asked);
        }
        self.idle_questions += other.idle_questions;
        self.mishaps.extend(other.mishaps);
        self.said.extend(other.said);
        self.story.extend(other.story);
    }

    /// The figures with the times.
    pub fn figures(&self) -> Figures {
        let times = self.ways.iter().map(|way| way.waited_ms + way.computed_ms).collect();
        Figures { settle_to_screen_ms: Percentiles::of(times), ..self.figures.clone() }
    }

    /// True when something went wrong that a developer should look at.
    pub fn went_wrong(&self) -> bool {
        let figures = &self.figures;
        let swaps_missed = figures.swaps - figures.swaps_caught;
        figures.added_wrong + figures.missed + figures.phantom + figures.removed_wrong + swaps_missed > 0
    }

    /// The confusion as tables for people.
    pub fn tables(&self) -> String {
        let mut text = String::new();
        // Writing to memory does not fail.
        let mut row = |line: String| {
            let _ = writeln!(text, "{line}");
        };
        let mut wrong: BTreeMap<&str, BTreeMap<&str, u64>> = BTreeMap::new();
        let mut by_product: BTreeMap<String, u64> = BTreeMap::new();
        for mishap in &self.mishaps {
            *wrong.entry(mishap.during).or_default().entry(mishap.what).or_default() += 1;
            if let Some(sku) = &mishap.really {
                *by_product.entry(sku.to_string()).or_default() += 1;
            }
        }
        row(format!("{:<24} {:>6} {:>6}   what went wrong", "deed", "things", "asked"));
        let names: std::collections::BTreeSet<&str> = self.deeds.keys().chain(wrong.keys()).copied().collect();
        for name in names {
            let (items, asked) = self.deeds.get(name).copied().unwrap_or_default();
            let what: Vec<String> =
                wrong.get(name).into_iter().flatten().map(|(what, n)| format!("{n} {what}")).collect();
            row(format!("{name:<24} {items:>6} {asked:>6}   {}", what.join(", ")));
        }
        let mut worst: Vec<(u64, u64, u64, &Sku)> = self
            .products
            .iter()
            .map(|(sku, (items, asked))| (by_product.get(sku.as_str()).copied().unwrap_or(0), *asked, *items, sku))
            .filter(|(wrong, asked, ..)| wrong + asked > 0)
            .collect();
        worst.sort_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then(a.3.cmp(b.3)));
        row(format!("\n{:<40} {:>6} {:>6} {:>6}", "worst products", "things", "asked", "wrong"));
        for (wrong, asked, items, sku) in worst.into_iter().take(12) {
            row(format!("{:<40} {items:>6} {asked:>6} {wrong:>6}", sku.as_str()));
        }
        let waited = Percentiles::of(self.ways.iter().map(|way| way.waited_ms).collect());
        let computed = Percentiles::of(self.ways.iter().map(|way| way.computed_ms).collect());
        row(format!(
            "\nsettled → screen, {} lines: waited for looks p50 {:.0} p99 {:.0} ms (virtual), computed p50 {:.1} p99 {:.1} ms (real)",
            self.ways.len(),
            waited.p50,
            waited.p99,
            computed.p50,
            computed.p99
        ));
        row(format!("questions where nothing had been done: {}", self.idle_questions));
        let mut why: BTreeMap<Objection, (u64, u64)> = BTreeMap::new();
        for said in &self.said {
            let Some(objection) = said.account.objection.filter(|_| said.right.is_none()) else { continue };
            let (asked, named) = why.entry(objection).or_default();
            *asked += said.really.len() as u64;
            let best = said
                .account
                .best
                .iter()
                .find_map(|h| if let What::One { sku, .. } = &h.what { Some(sku) } else { None });
            *named += u64::from(said.really.iter().any(|(sku, _)| Some(sku) == best));
        }
        row(format!("\n{:<16} {:>6} {:>16}", "why asked", "things", "likeliest right"));
        for (objection, (asked, named)) in why {
            row(format!("{:<16} {asked:>6} {named:>16}", format!("{objection:?}")));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_of_the_values_themselves() {
        let check = |values: &[f64], p50: f64, p99: f64| {
            assert_eq!(Percentiles::of(values.to_vec()), Percentiles { p50, p99 }, "{values:?}");
        };
        check(&[], 0.0, 0.0);
        check(&[7.0], 7.0, 7.0);
        check(&[3.0, 1.0, 2.0], 2.0, 3.0);
        check(&(1..=200).map(f64::from).collect::<Vec<_>>(), 100.0, 198.0);
    }
}
