//! What a shopper is going to do: made from a seed before the trip begins.

use std::time::Duration;

use trip::{Product, Sku};

use super::dice::Dice;
use super::shelf::Shelf;

/// Fewest and most things of a trip.
const THINGS: (usize, usize) = (6, 14);
/// Of things with a code, so many are put in with it shown: those whose label asks for it, and others.
const SHOWS_REQUIRED: f32 = 0.75;
const SHOWS_CODE: f32 = 0.4;
/// So many shoppers lay a bag of their own in first, and then so many of their things go into it.
const OWN_BAG: f32 = 0.25;
const INTO_BAG: f32 = 0.6;
/// So many deeds are done while the shopper leans on the cart, or stands on a slope.
const LEANING: f32 = 0.06;
const ON_SLOPE: f32 = 0.05;
/// So often the shopper walks on between two deeds.
const WALKS: f32 = 0.35;
/// Of swaps, so many are for a thing of like weight, and so many with a pause between out and in.
const LIKE_SWAP: f32 = 0.5;
const SLOW_SWAP: f32 = 0.3;

/// A thing that will be put in.
#[derive(Clone, Debug, PartialEq)]
pub struct Thing {
    /// What it is.
    pub sku: Sku,
    /// What it weighs, in grams.
    pub mass_g: f32,
    /// True when it has a code that can be shown.
    pub has_code: bool,
    /// True when its code is shown before it goes in.
    pub shows_code: bool,
    /// True when it goes into the shopper's own bag.
    pub in_bag: bool,
}

/// What shakes, presses or tilts the cart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Strain {
    /// Leaning on the rim.
    Lean {
        /// For how long.
        time: Duration,
        /// With about so much weight, in grams.
        grams: f32,
    },
    /// Walking on, over bumps.
    Roll {
        /// For how long.
        time: Duration,
        /// How many.
        bumps: u32,
    },
    /// Standing on a slope.
    Slope {
        /// For how long.
        time: Duration,
        /// How steep.
        degrees: f32,
    },
}

/// Something a shopper does. Numbers are of [`Plan::things`].
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// Puts a thing in.
    Put(usize),
    /// Puts two in at once, one in each hand.
    PutTwo([usize; 2]),
    /// Puts one in with another hidden under it.
    PutCovered {
        /// What is seen.
        top: usize,
        /// What is not.
        under: usize,
    },
    /// Takes one out.
    Take(usize),
    /// Lifts one out with one hand while the other lays another in.
    Swap {
        /// What goes.
        out: usize,
        /// What comes.
        with: usize,
        /// From lifting the one to landing the other.
        gap: Duration,
    },
    /// Takes one out, and puts another in a little later.
    SlowSwap {
        /// What goes.
        out: usize,
        /// What comes.
        with: usize,
        /// From out to in.
        pause: Duration,
    },
    /// Reaches in, rummages and changes nothing.
    Reach(Duration),
    /// Only strains the cart.
    Strain(Strain),
}

/// The name of a kind of deed, for tables.
pub fn kind(deed: &Deed) -> &'static str {
    match deed {
        Deed::Put(_) => "put one",
        Deed::PutTwo(_) => "put two",
        Deed::PutCovered { .. } => "put one under another",
        Deed::Take(_) => "take out",
        Deed::Swap { .. } => "swap in one go",
        Deed::SlowSwap { .. } => "swap with a pause",
        Deed::Reach(_) => "reach in",
        Deed::Strain(Strain::Lean { .. }) => "lean",
        Deed::Strain(Strain::Roll { .. }) => "walk",
        Deed::Strain(Strain::Slope { .. }) => "slope",
    }
}

/// A deed, and what strains the cart meanwhile.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// What is done.
    pub deed: Deed,
    /// What strains the cart at the same time.
    pub meanwhile: Option<Strain>,
}

/// A whole trip.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// What it was made from.
    pub seed: u64,
    /// The shopper's own bag that lies in the cart when they begin: its weight in grams.
    pub bag_g: Option<f32>,
    /// All things that will be put in, by number.
    pub things: Vec<Thing>,
    /// What is done, in order.
    pub steps: Vec<Step>,
}

impl Plan {
    /// The plan of `seed`. The same seed and shelf give the same plan.
    pub fn new(seed: u64, shelf: &Shelf) -> Self {
        let mut dice = Dice::new(seed);
        let bag_g = dice.chance(OWN_BAG).then(|| dice.between(35.0, 380.0));
        let mut making =
            Making { plan: Self { seed, bag_g, things: Vec::new(), steps: Vec::new() }, inside: Vec::new() };
        let wanted = THINGS.0 + dice.pick(THINGS.1 - THINGS.0 + 1);
        while making.plan.things.len() < wanted && !shelf.is_empty() {
            making.deed(shelf, &mut dice);
            if dice.chance(WALKS) {
                making.strain(roll(&mut dice));
            }
        }
        making.plan
    }
}

struct Making {
    plan: Plan,
    /// Things that lie in the basket by now.
    inside: Vec<usize>,
}

impl Making {
    fn deed(&mut self, shelf: &Shelf, dice: &mut Dice) {
        let (throw, inside) = (dice.unit(), self.inside.len());
        let deed = match throw {
            t if t < 0.08 => self.two(shelf, dice).map(Deed::PutTwo),
            t if t < 0.11 => self.two(shelf, dice).map(|[top, under]| Deed::PutCovered { top, under }),
            t if t < 0.20 && inside > 1 => self.out(dice).map(Deed::Take),
            t if t < 0.28 && inside > 0 => self.swap(shelf, dice),
            t if t < 0.32 => Some(Deed::Reach(time(dice, 0.9, 2.6))),
            t if t < 0.36 => return self.strain(lean(dice)),
            t if t < 0.38 => return self.strain(slope(dice)),
            _ => shelf.any(dice).map(|(product, mass)| self.thing(product, mass, dice)).map(Deed::Put),
        };
        let meanwhile = match dice.unit() {
            t if t < LEANING => Some(lean(dice)),
            t if t < LEANING + ON_SLOPE => Some(slope(dice)),
            _ => None,
        };
        self.plan.steps.extend(deed.map(|deed| Step { deed, meanwhile }));
    }

    fn strain(&mut self, strain: Strain) {
        self.plan.steps.push(Step { deed: Deed::Strain(strain), meanwhile: None });
    }

    fn thing(&mut self, product: &Product, mass_g: f32, dice: &mut Dice) -> usize {
        let has_code = !product.gtins.is_empty();
        let share = if product.barcode_required { SHOWS_REQUIRED } else { SHOWS_CODE };
        let shows_code = has_code && dice.chance(share);
        let in_bag = self.plan.bag_g.is_some() && dice.chance(INTO_BAG);
        self.plan.things.push(Thing { sku: product.sku.clone(), mass_g, has_code, shows_code, in_bag });
        let number = self.plan.things.len() - 1;
        self.inside.push(number);
        number
    }

    fn two(&mut self, shelf: &Shelf, dice: &mut Dice) -> Option<[usize; 2]> {
        let (first, first_g) = shelf.any(dice)?;
        let (second, second_g) = shelf.any(dice)?;
        let numbers = [self.thing(first, first_g, dice), self.thing(second, second_g, dice)];
        // Both hands are full: neither finds its way into a bag.
        for number in numbers {
            self.plan.things[number].in_bag = false;
        }
        Some(numbers)
    }

    fn out(&mut self, dice: &mut Dice) -> Option<usize> {
        let at = dice.pick(self.inside.len());
        (at < self.inside.len()).then(|| self.inside.remove(at))
    }

    fn swap(&mut self, shelf: &Shelf, dice: &mut Dice) -> Option<Deed> {
        let out = self.out(dice)?;
        let old = self.plan.things[out].clone();
        let like = if dice.chance(LIKE_SWAP) { shelf.like(&old.sku, old.mass_g, dice) } else { None };
        let (product, mass_g) = like.or_else(|| shelf.any(dice))?;
        let with = self.thing(product, mass_g, dice);
        let new = &mut self.plan.things[with];
        new.in_bag = false;
        if dice.chance(SLOW_SWAP) {
            return Some(Deed::SlowSwap { out, with, pause: time(dice, 0.4, 3.5) });
        }
        // One hand is full: no code is shown.
        new.shows_code = false;
        Some(Deed::Swap { out, with, gap: time(dice, 0.0, 0.3) })
    }
}

fn time(dice: &mut Dice, low_s: f32, high_s: f32) -> Duration {
    Duration::from_millis((dice.between(low_s, high_s) * 1_000.0) as u64)
}

fn lean(dice: &mut Dice) -> Strain {
    // A hand on the rim, or a person's whole upper body.
    let grams = if dice.chance(0.5) { dice.between(150.0, 1_200.0) } else { dice.between(1_200.0, 7_000.0) };
    Strain::Lean { time: time(dice, 1.2, 4.5), grams }
}

fn roll(dice: &mut Dice) -> Strain {
    Strain::Roll { time: time(dice, 1.2, 3.5), bumps: dice.pick(3) as u32 }
}

fn slope(dice: &mut Dice) -> Strain {
    let steep = dice.between(0.8, 5.0);
    Strain::Slope { time: time(dice, 5.0, 10.0), degrees: if dice.chance(0.5) { steep } else { -steep } }
}
