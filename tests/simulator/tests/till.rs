//! Staff take a basket to a till at every moment of a trip: of a cart that is well, one without power, and one whose
//! shopper goes on without the hub.

use simulator::fault::End;
use simulator::{Fault, Plan, What, run};

#[test]
fn a_basket_may_be_taken_at_any_moment() {
    let mut taken = 0;
    for seed in 0..3 {
        let calm = Plan { faults: Vec::new(), carts: 1, ..Plan::of(seed) };
        let took = run(calm.clone(), false).took.min(120_000);
        for at in (5_000..took).step_by(1_100) {
            let dead = Fault { at: at - 400, what: What::CartPower { cart: 0, down: 20_000 } };
            let alone = Fault { at: at - 4_000, what: What::Cut { end: End::Cart(0), lasts: 40_000 } };
            for before in [None, Some(dead), Some(alone)] {
                let take = Fault { at, what: What::BasketTaken { cart: 0 } };
                let plan = Plan { faults: before.into_iter().chain([take]).collect(), ..calm.clone() };
                let report = run(plan.clone(), false);
                assert_eq!(report.breach, None, "seed {seed} with {:?}", plan.faults);
                taken += report.counts.transfers;
            }
        }
    }
    assert!(taken > 100, "only {taken} baskets were taken at all");
}
