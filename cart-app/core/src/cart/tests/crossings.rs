//! Many hands in the basket: how many swaps are caught, and how often a hand that changed nothing is
//! asked about. Seeded; sight is as good as a good model's, and no better.

use std::fmt::Write;

use super::*;

/// Throws that are the same for the same seed.
struct Dice(u64);

impl Dice {
    fn even(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
        ((self.0 ^ (self.0 >> 29)) >> 32 & 0xFF_FFFF) as f32 / 16_777_216.0
    }

    fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.even()
    }

    fn pick(&mut self, count: usize) -> usize {
        (self.even() * count as f32) as usize % count
    }

    fn gauss(&mut self) -> f32 {
        (0..12).map(|_| self.even()).sum::<f32>() - 6.0
    }
}

/// Forty packs and twenty kinds of produce.
fn store(dice: &mut Dice) -> (Catalogue, Vec<(String, f32)>) {
    let mut text = String::from(
        "store = \"S\"\ncurrency = \"GBP\"\ntax = [{ name = \"zero\", letter = \"Z\", basis_points = 0 }]\n",
    );
    let mut goods = Vec::new();
    for n in 0..60 {
        let loose = n >= 40;
        let weight = if loose { dice.between(60.0, 300.0) } else { dice.between(60.0, 1_500.0) }.round();
        let sale = if loose { "{ weight = { per_kg = 300 } }" } else { "{ each = { price = 100 } }" };
        writeln!(
            text,
            "[[product]]\nsku = \"p{n}\"\nname = \"P{n}\"\ntax = \"zero\"\nweight = {weight}\nsale = {sale}"
        )
        .expect("a string");
        goods.push((format!("p{n}"), weight));
    }
    (Catalogue::parse(&text).expect("a right catalogue"), goods)
}

struct Store {
    bench: Bench,
    goods: Vec<(String, f32)>,
    dice: Dice,
}

impl Store {
    /// Eight of the goods in the basket; which, and what each weighs.
    fn open(seed: u64) -> (Self, Vec<(usize, f32)>) {
        let mut dice = Dice(seed * 7_919 + 13);
        let (catalogue, goods) = store(&mut dice);
        let mut bench = Bench::new();
        bench.cart.catalogue = catalogue;
        bench.tap(Intent::Start);
        let mut store = Self { bench, goods, dice };
        let mut inside: Vec<(usize, f32)> = Vec::new();
        while inside.len() < 8 {
            let one = store.dice.pick(60);
            if inside.iter().any(|(other, _)| *other == one) {
                continue;
            }
            let grams = store.mass(one);
            let name = store.goods[one].0.clone();
            store.bench.see(&[(&name, 0.985)]);
            store.bench.load(grams);
            inside.push((one, grams));
        }
        assert_eq!(store.bench.lines().len(), 8, "seed {seed}: {:?}", store.bench.cart.view().ask);
        (store, inside)
    }

    fn mass(&mut self, one: usize) -> f32 {
        let weight = self.goods[one].1;
        (weight * (1.0 + 0.01 * self.dice.gauss())).round()
    }

    /// A look at `one` at rest: right in 24 of 25, then more or less sure.
    fn look(&mut self, one: usize) {
        let other = self.dice.pick(60);
        let sure = self.dice.between(0.7, 0.99);
        let (best, next) = if self.dice.even() < 0.04 { (other, one) } else { (one, other) };
        let names = [self.goods[best].0.clone(), self.goods[next].0.clone()];
        self.bench.see_change(&[(&names[0], sure), (&names[1], (1.0 - sure) * 0.6)]);
    }

    /// A physical stretch: what lands and leaves swings, and a hand presses for a while.
    fn play(&mut self, changes: &[(u32, f32)], press_g: f32, ms: u32) {
        let start = self.bench.load_g;
        for at in (0..ms).step_by(25) {
            let mut load = start;
            for (when, grams) in changes.iter().filter(|(when, _)| *when <= at) {
                let t = (at - when) as f32 / 1_000.0;
                load += grams * (1.0 - (-t / 0.085).exp() * (t * 40.8).cos());
            }
            if at < 600 {
                load += press_g * (at as f32 * 0.012).sin().abs();
            }
            self.bench.load_g = load + 1.2 * self.dice.gauss();
            self.bench.wait(25);
        }
        self.bench.load_g = start + changes.iter().map(|(_, grams)| grams).sum::<f32>();
    }

    /// Whether the cart has noticed: it asks, or its lines are others.
    fn noticed(&mut self, before: &[String]) -> bool {
        self.bench.wait(3_500);
        let sorted = |mut lines: Vec<String>| {
            lines.sort();
            lines
        };
        let same = sorted(self.bench.lines()) == sorted(before.to_vec());
        self.bench.cart.view().pay_blocked == Some(PayBlocked::Unresolved) || !same
    }
}

const TRIALS: u64 = 60;

#[test]
fn nineteen_of_twenty_swaps_are_caught_whatever_their_weights() {
    let mut missed = Vec::new();
    for seed in 0..TRIALS {
        let (mut store, inside) = Store::open(seed);
        let (out, out_g) = inside[store.dice.pick(8)];
        let into = (0..).map(|_| store.dice.pick(60)).find(|n| !inside.iter().any(|(i, _)| i == n)).expect("one");
        // Of half of them the weights are as like as two packs of a kind.
        let in_g = if seed % 2 == 0 { store.mass(into) } else { out_g + store.dice.between(-6.0, 6.0).round() };
        if seed % 2 == 1 {
            let like = trip::Grams(in_g as i32);
            let text = store.goods[into].0.clone();
            store.bench.cart.catalogue = heavier(&store.bench.cart.catalogue, &text, like);
        }
        let gap = store.dice.between(0.0, 300.0) as u32;
        let before = store.bench.lines();
        store.play(&[(100, -out_g), (100 + gap, in_g)], 0.0, 900);
        store.look(into);
        if !store.noticed(&before) {
            missed.push((seed, out, out_g, in_g, gap));
        }
    }
    assert!(missed.len() as u64 * 20 <= TRIALS, "{} of {TRIALS} missed: {missed:?}", missed.len());
}

/// The same catalogue with another weight for one product.
fn heavier(catalogue: &Catalogue, name: &str, weight: trip::Grams) -> Catalogue {
    let mut text = String::from(
        "store = \"S\"\ncurrency = \"GBP\"\ntax = [{ name = \"zero\", letter = \"Z\", basis_points = 0 }]\n",
    );
    for product in catalogue.products() {
        let sale = match product.sale {
            trip::Sale::Weight { .. } => "{ weight = { per_kg = 300 } }",
            trip::Sale::Each { .. } => "{ each = { price = 100 } }",
        };
        let own = if product.sku.as_str() == name { Some(weight) } else { product.weight };
        let grams = own.map_or(100, |w| w.0);
        writeln!(
            text,
            "[[product]]\nsku = \"{}\"\nname = \"{}\"\ntax = \"zero\"\nweight = {grams}\nsale = {sale}",
            product.sku, product.name
        )
        .expect("a string");
    }
    Catalogue::parse(&text).expect("a right catalogue")
}

#[test]
fn a_hand_that_changes_nothing_is_asked_about_hardly_more_often_than_looks_are_wrong() {
    // One look in twenty-five is wrong.
    let mut asked = Vec::new();
    for seed in 0..TRIALS {
        let (mut store, inside) = Store::open(seed);
        let before = store.bench.lines();
        let (one, grams) = inside[store.dice.pick(8)];
        match seed % 3 {
            // It lifts one, looks at it and puts it back; it only rummages; it pushes one aside.
            0 => store.play(&[(100, -grams), (700, grams)], 0.0, 1_400),
            1 => store.play(&[], 120.0, 900),
            _ => store.play(&[], 0.0, 900),
        }
        store.look(one);
        if store.noticed(&before) {
            asked.push((seed, one, grams, store.bench.cart.view().ask.map(|a| a.reason)));
        }
    }
    assert!(asked.len() as u64 * 20 <= TRIALS, "{} of {TRIALS} asked: {asked:?}", asked.len());
}
