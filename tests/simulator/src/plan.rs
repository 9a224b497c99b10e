//! What a seed stands for: who shops, and what breaks when.

use crate::Ms;
use crate::chance::Chance;
use crate::fault::{End, Fault, What};

/// Faults strike up to here.
const FAULTS_END: Ms = 240_000;
/// Few trips last longer.
const TRIPS_END: Ms = 70_000;
/// No fault lasts longer.
const LONGEST: Ms = 61_000;

/// The most faults in one plan.
const MOST_FAULTS: u64 = 14;

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The seed: everything but the faults is drawn from it.
    pub seed: u64,
    /// How many carts.
    pub carts: usize,
    /// How many exit lanes.
    pub lanes: usize,
    /// What breaks, by time.
    pub faults: Vec<Fault>,
}

impl Plan {
    /// The plan of a seed. One in ten has no fault at all: what fails there needs none.
    pub fn of(seed: u64) -> Self {
        let mut chance = Chance::of(seed, "plan");
        let carts = 1 + chance.index(3);
        let lanes = 1 + chance.index(2);
        let count = if chance.percent(10) { 0 } else { 1 + chance.within(0..MOST_FAULTS) };
        let mut faults: Vec<Fault> = (0..count).map(|_| draw(&mut chance, carts, lanes)).collect();
        if count > 0 {
            // From a stream of its own: it changes nothing that was drawn before there were tills.
            faults.extend(given_up(&mut Chance::of(seed, "carts given up"), carts));
        }
        faults.sort_by_key(|fault| fault.at);
        Self { seed, carts, lanes, faults }
    }

    /// When all that was broken is well again.
    pub fn heals_at(&self) -> Ms {
        self.faults.iter().map(|fault| fault.at).max().unwrap_or(0) + LONGEST
    }
}

/// In some plans staff take a basket to a till; in half of these its shopper goes on alone meanwhile.
fn given_up(chance: &mut Chance, carts: usize) -> Vec<Fault> {
    if !chance.percent(40) {
        return Vec::new();
    }
    let (cart, at) = (chance.index(carts), chance.within(5_000..TRIPS_END));
    let taken = Fault { at, what: What::BasketTaken { cart } };
    let alone = What::Cut { end: End::Cart(cart), lasts: 5_000 + chance.within(0..30_000) };
    let before = chance.percent(50).then(|| Fault { at: at - chance.within(0..5_000), what: alone });
    before.into_iter().chain([taken]).collect()
}

fn draw(chance: &mut Chance, carts: usize, lanes: usize) -> Fault {
    let at = chance.within(2_000..FAULTS_END);
    let (cart, lane) = (chance.index(carts), chance.index(lanes));
    let longest = [2_000, 12_000, 60_000][chance.index(3)];
    let lasts = 500 + chance.within(0..longest);
    let end = if chance.percent(50) { End::Hub } else { End::Cart(cart) };
    let half = chance.percent(50);
    let what = match chance.within(0..21) {
        0 => What::CartPower { cart, down: lasts },
        1 | 2 => What::CartWrite { cart, written: half },
        3 => What::JournalRots { cart },
        4 => What::HubKilled { down: lasts },
        5 | 6 => What::HubWrite { written: half },
        7 => What::HubSpeaks { said: chance.index(4) },
        8 => What::TwoHubs { still: lasts },
        9 => What::HubStill { still: lasts },
        10 => What::HubFull { lasts },
        11 => What::HubFlush,
        12 => What::Broker { down: lasts },
        13 => What::Cut { end, lasts },
        14 => What::Bad { end, lasts },
        15 => What::Swallowed { cart, lasts },
        16 => What::TerminalOff { lane, lasts },
        17 => What::CrashAfterApproval { lane },
        18 => What::AnswerLost { lane },
        19 if half => What::CardRefused { lane },
        19 => What::NoCard { lane },
        _ if half => {
            let by = 1_000 * chance.within(1..100_000) as i64;
            What::Clock { end, by: if chance.percent(50) { -by } else { by } }
        }
        _ => What::Prices,
    };
    Fault { at, what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_is_one_plan_and_all_kinds_of_faults_are_drawn() {
        let plans: Vec<Plan> = (0..400).map(Plan::of).collect();
        assert_eq!(plans[7], Plan::of(7));
        let kinds: std::collections::HashSet<_> =
            plans.iter().flat_map(|p| &p.faults).map(|f| std::mem::discriminant(&f.what)).collect();
        assert_eq!(kinds.len(), 22);
        assert!(plans.iter().any(|p| p.faults.is_empty()));
    }
}
