//! Seeds of every change, and every write of a few.

use simulator::{Plan, run, shrink};

/// As many as a test run has time for; `./trundle simulate --seeds 10000` plays more.
const SEEDS: u64 = 1_500;

fn must_hold(plan: Plan) {
    let seed = plan.seed;
    if let Some(breach) = run(plan.clone(), false).breach {
        let smallest = shrink(&plan, &breach.check);
        let faults: Vec<String> = smallest.faults.iter().map(ToString::to_string).collect();
        panic!("seed {seed}: {breach}\nwith\n{}\nagain: ./trundle simulate --from {seed} --seeds 1", faults.join("\n"));
    }
}

#[test]
fn no_seed_breaks_a_promise() {
    (0..SEEDS).map(Plan::of).for_each(must_hold);
}

#[test]
fn a_seed_is_played_the_same_twice() {
    for seed in [3, 17, 40] {
        let (first, second) = (run(Plan::of(seed), true), run(Plan::of(seed), true));
        assert_eq!(first.counts, second.counts);
        assert!(first.trace.len() > 100 && first.trace == second.trace, "seed {seed}");
    }
}
