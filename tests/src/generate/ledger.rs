//! Truth and journal side by side: which line is which thing.

use std::collections::BTreeMap;

use cart_core::account::Account;
use trip::basket::HoldReason;
use trip::event::Outcome;
use trip::{Hold, HoldId, LineId, LineItem, Quantity, Sku, TripEvent, TripState};

use super::figures::{Count, Mishap, Said};
use super::plan::{Deed, Plan, Thing, kind};
use super::shopper::Concern;

/// A weighed line is of a thing when they differ by no more than this, in grams and as a share: the
/// scale's own error, with creep and drift.
const SAME_G: f32 = 12.0;
const SAME_SHARE: f32 = 0.01;

/// What became of a thing.
#[derive(Clone, Debug)]
struct Fate {
    sku: Sku,
    mass_g: f32,
    /// True while it lies in the basket.
    inside: bool,
    /// True while the cart has not yet said what it is.
    waiting: bool,
    line: Option<LineId>,
    hold: Option<HoldId>,
    asked: bool,
    /// True once it is counted as added, right or wrong, or was put in again.
    counted: bool,
}

/// What is going on.
#[derive(Clone, Debug)]
struct Under {
    name: &'static str,
    taken: Vec<usize>,
    taken_lines: Vec<LineId>,
    /// True when the thing that is taken out is part of a swap.
    swap: bool,
    /// True once the cart has noticed that it went.
    noticed: bool,
    repeating: bool,
}

/// The ledger of one trip.
#[derive(Clone, Debug)]
pub struct Ledger {
    things: Vec<Fate>,
    loose: Vec<bool>,
    under: Under,
    /// The count so far.
    pub count: Count,
}

impl Ledger {
    /// Nothing has been put in yet. `loose` says of a product whether it is sold by weight.
    pub fn new(plan: &Plan, loose: impl Fn(&Sku) -> bool) -> Self {
        let fate = |thing: &Thing| Fate {
            sku: thing.sku.clone(),
            mass_g: thing.mass_g,
            inside: false,
            waiting: false,
            line: None,
            hold: None,
            asked: false,
            counted: false,
        };
        Self {
            things: plan.things.iter().map(fate).collect(),
            loose: plan.things.iter().map(|t| loose(&t.sku)).collect(),
            under: Under {
                name: "before",
                taken: Vec::new(),
                taken_lines: Vec::new(),
                swap: false,
                noticed: false,
                repeating: false,
            },
            count: Count::default(),
        }
    }

    /// The shopper begins a deed.
    pub fn begin(&mut self, deed: &Deed) {
        let (taken, put): (Vec<usize>, Vec<usize>) = match deed {
            Deed::Put(thing) => (Vec::new(), vec![*thing]),
            Deed::PutTwo(both) => (Vec::new(), both.to_vec()),
            Deed::PutCovered { top, under } => (Vec::new(), vec![*top, *under]),
            Deed::Take(thing) => (vec![*thing], Vec::new()),
            Deed::Swap { out, with, .. } | Deed::SlowSwap { out, with, .. } => (vec![*out], vec![*with]),
            Deed::Reach(_) | Deed::Strain(_) => (Vec::new(), Vec::new()),
        };
        let swap = matches!(deed, Deed::Swap { .. } | Deed::SlowSwap { .. });
        let taken_lines: Vec<LineId> = taken.iter().filter_map(|n| self.things[*n].line).collect();
        // What has no line, because it was missed or is held, can go without one.
        let noticed = taken_lines.is_empty();
        self.count.figures.swaps += u64::from(swap);
        self.under = Under { name: kind(deed), taken, taken_lines, swap, noticed, repeating: false };
        for thing in self.under.taken.clone() {
            self.things[thing].inside = false;
        }
        for thing in put {
            self.goes_in(thing);
            self.count.figures.items += 1;
            let sku = self.things[thing].sku.clone();
            self.count.products.entry(sku).or_default().0 += 1;
            self.count.deeds.entry(self.under.name).or_default().0 += 1;
        }
    }

    fn goes_in(&mut self, thing: usize) {
        let fate = &mut self.things[thing];
        (fate.inside, fate.waiting) = (true, true);
        (fate.line, fate.hold) = (None, None);
    }

    /// The shopper takes things out that were asked about, to put them in once more.
    pub fn take_back(&mut self, things: &[usize]) {
        self.under.repeating = true;
        for thing in things {
            let fate = &mut self.things[*thing];
            (fate.inside, fate.waiting, fate.counted) = (false, false, true);
        }
    }

    /// And puts one of them in again.
    pub fn put_again(&mut self, thing: usize) {
        self.goes_in(thing);
    }

    /// Things of this deed about which the cart has not said anything yet, or asks.
    pub fn waiting(&self) -> Vec<usize> {
        (0..self.things.len()).filter(|n| self.things[*n].waiting).collect()
    }

    /// True when the cart has said something final about all that was done.
    pub fn settled(&self) -> bool {
        self.waiting().is_empty() && (self.under.noticed || self.under.taken.is_empty())
    }

    /// What the shopper knows about the question `hold`.
    pub fn concern(&self, hold: HoldId) -> Concern {
        let about: Vec<usize> = (0..self.things.len()).filter(|n| self.things[*n].hold == Some(hold)).collect();
        let waiting = if about.is_empty() { self.waiting() } else { about };
        Concern {
            loose: waiting.iter().any(|n| self.loose[*n]),
            waiting: waiting.iter().map(|n| self.things[*n].sku.clone()).collect(),
            may_repeat: !self.under.repeating && waiting.iter().all(|n| self.things[*n].waiting),
            taken: self.under.taken.iter().map(|n| self.things[*n].sku.clone()).collect(),
            taken_lines: self.under.taken_lines.clone(),
        }
    }

    /// The journal has grown; true when a line came in that nobody was asked about. `account` is what the cart's
    /// last decision rested on.
    pub fn note(&mut self, events: &[TripEvent], account: Option<&Account>) -> bool {
        let mut unasked = false;
        let fresh: Vec<usize> =
            self.waiting().into_iter().filter(|n| !self.things[*n].asked && !self.things[*n].counted).collect();
        let wrong = self.count.figures.added_wrong;
        let answered = events.iter().any(|e| matches!(e, TripEvent::HoldResolved { outcome: Outcome::Added, .. }));
        for event in events {
            match event {
                TripEvent::ItemAdded { item } => unasked |= self.added(item) && !answered,
                TripEvent::ItemHeld { hold } => self.held(hold),
                TripEvent::ItemRemoved { line, pieces, .. } => self.removed(*line, *pieces),
                TripEvent::HoldResolved { hold, outcome } => self.resolved(*hold, *outcome),
                _ => {}
            }
        }
        if let Some(account) = account.filter(|_| !fresh.is_empty()) {
            let came = events.iter().any(|e| matches!(e, TripEvent::ItemAdded { .. }));
            let right = came.then_some(self.count.figures.added_wrong == wrong);
            let now = |n: &&usize| self.things[**n].asked || self.things[**n].counted;
            let really = |n: &usize| (self.things[*n].sku.clone(), self.things[*n].mass_g);
            let really: Vec<(Sku, f32)> = fresh.iter().filter(now).map(really).collect();
            if !really.is_empty() {
                let said = Said { during: self.under.name, really, right, account: account.clone() };
                self.count.said.push(said);
            }
        }
        unasked
    }

    /// True when the thing had not been asked about.
    fn added(&mut self, item: &LineItem) -> bool {
        match self.meant(item) {
            Some(things) => {
                let unasked = things.iter().all(|n| !self.things[*n].asked && !self.things[*n].counted);
                for n in things {
                    let fate = &mut self.things[n];
                    self.count.figures.added_right += u64::from(!fate.asked && !fate.counted);
                    (fate.line, fate.hold, fate.waiting, fate.counted) = (Some(item.line), None, false, true);
                }
                unasked
            }
            // The cart was late: it was in, and the cart has still to notice that it is not any more.
            None if self.just_taken_back(item) => false,
            None => self.added_wrong(item),
        }
    }

    /// The things that a line is, if it is right.
    fn meant(&self, item: &LineItem) -> Option<Vec<usize>> {
        let same: Vec<usize> = self.waiting().into_iter().filter(|n| self.things[*n].sku == item.sku).collect();
        match item.quantity {
            Quantity::Each(pieces) => (same.len() >= pieces as usize).then(|| same[..pieces as usize].to_vec()),
            Quantity::Weighed(grams) => {
                let all: f32 = same.iter().map(|n| self.things[*n].mass_g).sum();
                let fits = |mass: f32| (mass - grams.0 as f32).abs() <= SAME_G + SAME_SHARE * mass;
                if !same.is_empty() && fits(all) {
                    return Some(same);
                }
                same.into_iter().find(|n| fits(self.things[*n].mass_g)).map(|n| vec![n])
            }
            Quantity::Priced(_) => same.first().map(|n| vec![*n]),
        }
    }

    /// True for a line of a thing that was taken out again before the cart had said anything of it.
    fn just_taken_back(&self, item: &LineItem) -> bool {
        let gone = |fate: &&Fate| fate.counted && !fate.inside && !fate.waiting && fate.line.is_none();
        self.under.repeating && self.things.iter().filter(gone).any(|fate| fate.sku == item.sku)
    }

    fn added_wrong(&mut self, item: &LineItem) -> bool {
        self.count.figures.added_wrong += 1;
        let felt = item.weight.map_or(0.0, |w| w.0 as f32);
        let waiting = self.waiting();
        let all: f32 = waiting.iter().map(|n| self.things[*n].mass_g).sum();
        let fits = |mass: f32| (mass - felt).abs() <= SAME_G + SAME_SHARE * mass;
        let nearest = |n: &usize| {
            let fate = &self.things[*n];
            let stranger = fate.sku != item.sku;
            (stranger, (fate.mass_g - felt).abs() as u32)
        };
        // All of them, when the line carries the weight of all.
        let become_it = match waiting.len() {
            0 | 1 => waiting,
            _ if fits(all) => waiting,
            _ => waiting.into_iter().min_by_key(nearest).into_iter().collect(),
        };
        let really = become_it.first().map(|n| self.things[*n].sku.clone());
        let names: Vec<String> =
            become_it.iter().map(|n| format!("{} {:.0} g", self.things[*n].sku, self.things[*n].mass_g)).collect();
        let words = format!(
            "{} became {} {:?}, {felt} g, {:?}",
            if names.is_empty() { "nothing".into() } else { names.join(" + ") },
            item.sku,
            item.quantity,
            item.evidence
        );
        self.mishap("wrong", really, words);
        let unasked = become_it.iter().all(|n| !self.things[*n].asked);
        for n in become_it {
            let fate = &mut self.things[n];
            (fate.line, fate.hold, fate.waiting, fate.counted) = (Some(item.line), None, false, true);
        }
        unasked
    }

    fn held(&mut self, hold: &Hold) {
        if self.under.swap {
            // It asks: the swap was noticed.
            self.swap_caught();
        }
        let removal = hold.reason == HoldReason::WhichRemoved || hold.weight.0 < 0;
        if removal && hold.reason != HoldReason::Swapped {
            self.count.idle_questions += u64::from(self.under.taken.is_empty() && !self.under.repeating);
            return;
        }
        let waiting = self.waiting();
        if hold.reason == HoldReason::NeverPutIn {
            return;
        }
        self.count.idle_questions += u64::from(waiting.is_empty());
        for n in waiting {
            let fate = &mut self.things[n];
            fate.hold = Some(hold.hold);
            if !std::mem::replace(&mut fate.asked, true) && !fate.counted {
                let sku = fate.sku.clone();
                self.count.figures.asked += 1;
                self.count.figures.asked_right_in_tiles += u64::from(hold.candidates.contains(&sku));
                self.count.products.entry(sku).or_default().1 += 1;
                self.count.deeds.entry(self.under.name).or_default().1 += 1;
            }
        }
    }

    fn resolved(&mut self, hold: HoldId, outcome: Outcome) {
        for fate in self.things.iter_mut().filter(|fate| fate.hold == Some(hold)) {
            fate.hold = None;
        }
        if outcome == Outcome::TakenOut {
            self.under.noticed = true;
        }
    }

    fn removed(&mut self, line: LineId, pieces: u32) {
        let out: Vec<usize> =
            self.under.taken.iter().copied().filter(|n| self.things[*n].line.is_some()).take(1).collect();
        let own = out.iter().copied().find(|n| self.things[*n].line == Some(line));
        // Another line of the same product is as good: one of them is off the bill.
        let loser = self.things.iter().position(|f| f.inside && f.line == Some(line));
        let twin = out.first().copied().zip(loser).filter(|(a, b)| self.things[*a].sku == self.things[*b].sku);
        if let Some(thing) = own {
            self.things[thing].line = None;
            return self.went(pieces);
        }
        if let Some((thing, other)) = twin {
            self.things[other].line = self.things[thing].line.take();
            return self.went(pieces);
        }
        if self.under.repeating {
            // What was put on the bill by mistake came out with the rest.
            return;
        }
        let words = match loser {
            Some(n) => format!("line {} of {} went", line.0, self.things[n].sku),
            None => format!("line {} went", line.0),
        };
        self.count.figures.removed_wrong += 1;
        let really = self.under.taken.first().map(|n| self.things[*n].sku.clone());
        self.mishap("removed wrong", really, words);
        if let Some(n) = loser {
            self.things[n].line = None;
        }
        // The thing's own line stays: a phantom in the end.
        self.under.noticed = true;
    }

    /// The right line went.
    fn went(&mut self, pieces: u32) {
        let wanted = 1;
        if self.under.swap {
            self.swap_caught();
        } else if pieces == wanted {
            self.count.figures.removed_right += 1;
        } else {
            self.count.figures.removed_wrong += 1;
            self.mishap("removed wrong", None, format!("{pieces} pieces went, and one was taken"));
        }
        self.under.noticed = true;
    }

    fn swap_caught(&mut self) {
        self.under.swap = false;
        self.count.figures.swaps_caught += 1;
        self.under.noticed = true;
    }

    /// The deed is over, and the cart has had its time.
    pub fn end(&mut self, state: &TripState) {
        let asks = state.basket.holds.iter().any(|hold| hold.weight.0 < 0);
        let really = self.under.taken.first().map(|n| self.things[*n].sku.clone());
        if self.under.swap {
            let with = self.waiting().first().map(|n| self.things[*n].sku.clone());
            let caught = self.under.taken_lines.iter().all(|line| state.basket.line(*line).is_none());
            if caught {
                self.swap_caught();
            } else {
                let words = format!("swapped for {}", with.as_ref().map_or("something on the bill", Sku::as_str));
                self.mishap("swap missed", really, words);
            }
        } else if !self.under.taken.is_empty() && !self.under.noticed && !asks {
            self.count.figures.removed_wrong += 1;
            self.mishap("removal missed", really, "nothing went".into());
        }
        for fate in &mut self.things {
            fate.waiting = false;
        }
    }

    /// The trip is over: what is in the basket, and what does the cart say?
    pub fn close(&mut self, state: &TripState) {
        self.under.name = "at the end";
        let mut room: BTreeMap<LineId, i64> = BTreeMap::new();
        for line in &state.basket.lines {
            let pieces = match line.quantity {
                Quantity::Each(pieces) => i64::from(pieces),
                Quantity::Weighed(_) | Quantity::Priced(_) => 1,
            };
            room.insert(line.line, pieces);
        }
        let mut on_line: BTreeMap<LineId, i64> = BTreeMap::new();
        let mut lost = Vec::new();
        for (n, fate) in self.things.iter().enumerate().filter(|(_, fate)| fate.inside) {
            match fate.line.filter(|line| room.contains_key(line)) {
                Some(line) => *on_line.entry(line).or_default() += 1,
                None if fate.hold.is_some_and(|hold| state.basket.hold(hold).is_some()) => {}
                None => lost.push(n),
            }
        }
        let mut empty: Vec<(LineId, i64)> = room
            .iter()
            .map(|(line, room)| (*line, room - on_line.get(line).unwrap_or(&0)))
            .filter(|(_, n)| *n > 0)
            .collect();
        // Things of one product are one as good as the other.
        lost.retain(|n| {
            let sku = &self.things[*n].sku;
            let own = |(line, left): &&mut (LineId, i64)| {
                *left > 0 && state.basket.line(*line).is_some_and(|item| item.sku == *sku)
            };
            empty.iter_mut().find(own).map(|(_, left)| *left -= 1).is_none()
        });
        for n in lost {
            self.count.figures.missed += 1;
            let (sku, grams) = (self.things[n].sku.clone(), self.things[n].mass_g);
            self.mishap("missed", Some(sku), format!("{grams:.0} g lie in the basket and on no line"));
        }
        for (line, left) in empty.into_iter().filter(|(_, left)| *left > 0) {
            self.count.figures.phantom += left as u64;
            let sku = state.basket.line(line).map(|item| item.sku.clone());
            let words = format!("line {} of {} has no thing", line.0, sku.as_ref().map_or("", Sku::as_str));
            self.mishap("phantom", None, words);
        }
        for hold in &state.basket.holds {
            let things = self.things.iter().filter(|f| f.inside && f.hold == Some(hold.hold)).count();
            self.count.figures.held += things.max(1) as u64;
            let really = self.things.iter().find(|f| f.hold == Some(hold.hold)).map(|f| f.sku.clone());
            self.mishap("held", really, format!("{} g, {:?}", hold.weight.0, hold.reason));
        }
    }

    fn mishap(&mut self, what: &'static str, really: Option<Sku>, words: String) {
        self.count.mishaps.push(Mishap { what, during: self.under.name, really, words });
    }
}
