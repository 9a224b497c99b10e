//! The power goes in every single write of a trip, of a cart and of the hub, before it is flushed and after.

use simulator::{Fault, Plan, What, run};

/// Writes are counted from the fault on, so each run cuts the first write after another moment.
fn sweep(what: impl Fn(bool) -> What) -> u64 {
    let mut cut = 0;
    for seed in 0..2 {
        let calm = Plan { faults: Vec::new(), carts: 1, ..Plan::of(seed) };
        let took = run(calm.clone(), false).took.min(120_000);
        for at in (500..took).step_by(900) {
            for written in [false, true] {
                let plan = Plan { faults: vec![Fault { at, what: what(written) }], ..calm.clone() };
                let report = run(plan.clone(), false);
                assert_eq!(report.breach, None, "seed {seed} with {}", plan.faults[0]);
                cut += u64::from(report.counts.starts > 2);
            }
        }
    }
    cut
}

#[test]
fn a_carts_power_may_go_in_any_write() {
    let cut = sweep(|written| What::CartWrite { cart: 0, written });
    assert!(cut > 100, "only {cut} runs were cut at all");
}

#[test]
fn the_hubs_power_may_go_in_any_commit() {
    let cut = sweep(|written| What::HubWrite { written });
    assert!(cut > 100, "only {cut} runs were cut at all");
}
