//! The exit lane's judgement: is this lock one that may be paid, and is an attempt due? Pure.

use trip::pricing::{basket_hash, price};
use trip::state::Lock;
use trip::{Catalogue, LaneId, Phase, Totals, TripState, UnixMillis};

use crate::intent::{Intent, IntentState};

/// After this many refused cards at one lock, a person helps.
const MAX_ATTEMPTS: u32 = 3;

/// How long "that didn't go through" stands before the next card may be held, in milliseconds.
const READ_DECLINE_MS: i64 = 4_000;

/// What a trip's lock calls for.
#[derive(Debug, PartialEq, Eq)]
pub enum Due {
    /// Nothing now.
    Nothing,
    /// An attempt.
    Attempt {
        /// Counts attempts at this lock, from 1.
        attempt: u32,
        /// Not begun before this.
        not_before: UnixMillis,
    },
    /// The lock is refused, for this reason, in words for staff.
    Refuse(String),
}

/// What `state`'s lock calls for, given the trip's `intents` up to now.
pub fn due(state: &TripState, intents: &[Intent], now: UnixMillis) -> Due {
    let Some(lock) = state.lock.as_ref().filter(|_| state.phase == Phase::Locked) else { return Due::Nothing };
    let unfinished = |i: &Intent| !matches!(i.state, IntentState::Declined | IntentState::Reversed);
    if state.payment.is_some() || intents.iter().any(unfinished) {
        return Due::Nothing;
    }
    let made = intents.iter().filter(|i| i.version == lock.version).count() as u32;
    if made > state.declines {
        // The cart has not yet told that it knows of the last refusal.
        return Due::Nothing;
    }
    if made >= MAX_ATTEMPTS {
        return Due::Refuse(format!("{made} cards were refused; please help at the desk"));
    }
    let wait = if made == 0 { 0 } else { READ_DECLINE_MS };
    Due::Attempt { attempt: made + 1, not_before: UnixMillis(now.0 + wait) }
}

/// Prices the locked basket anew and compares: what the cart showed is what is charged.
///
/// # Errors
/// Why the lock cannot be taken, in words for staff.
pub fn judge(
    state: &TripState,
    lock: &Lock,
    catalogue: Option<&Catalogue>,
    lanes: &[LaneId],
) -> Result<Totals, String> {
    if !lanes.contains(&lock.lane) {
        return Err(format!("lane {} is not set up at the hub", lock.lane));
    }
    let catalogue = catalogue.ok_or("the hub does not have the catalogue of this trip")?;
    if !state.basket.holds.is_empty() {
        return Err(format!("{} unresolved in the basket", state.basket.holds.len()));
    }
    if !state.age_checks.is_empty() {
        return Err("an age check is open".into());
    }
    let totals = price(&state.basket, catalogue).map_err(|e| e.to_string())?;
    if totals.total != lock.total {
        return Err(format!("the cart's total is {}, the hub's {}", lock.total, totals.total));
    }
    if basket_hash(&totals) != lock.basket {
        return Err("the cart's basket is not the hub's, though the totals agree".into());
    }
    if totals.total.minor <= 0 {
        return Err("there is nothing to pay".into());
    }
    Ok(totals)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::intent::tests::intent;
    use trip::{Currency, Hash, LineId, LineItem, Money, Quantity, Sku, basket::Evidence};

    fn catalogue() -> Catalogue {
        let text = "store = \"S\"\ncurrency = \"GBP\"\n[[tax]]\nname = \"zero\"\nletter = \"Z\"\nbasis_points = 0\n[[product]]\nsku = \"oat\"\nname = \"Oat drink\"\ntax = \"zero\"\nsale = { each = { price = 185 } }\n";
        Catalogue::parse(text).expect("a right catalogue")
    }

    fn locked(total: i64) -> TripState {
        let mut state = TripState { phase: Phase::Locked, ..TripState::default() };
        state.basket.lines.push(LineItem {
            line: LineId(1),
            sku: Sku::new("oat").expect("valid"),
            quantity: Quantity::Each(2),
            weight: None,
            evidence: Evidence::Scanned,
        });
        let basket = price(&state.basket, &catalogue()).map(|t| basket_hash(&t)).expect("priced");
        let lane = LaneId::new("lane-1").expect("valid");
        state.lock = Some(Lock { version: 1, lane, total: Money::new(total, Currency::GBP), basket });
        state
    }

    #[test]
    fn only_what_the_cart_showed_may_be_charged() {
        let lanes = [LaneId::new("lane-1").expect("valid")];
        let check = |state: &TripState, catalogue: Option<&Catalogue>, lanes: &[LaneId], expected: &str| {
            let lock = state.lock.as_ref().expect("locked");
            match judge(state, lock, catalogue, lanes) {
                Ok(totals) => assert_eq!(totals.total.to_string(), expected),
                Err(why) => assert!(why.contains(expected), "{why}"),
            }
        };
        let right = locked(370);
        check(&right, Some(&catalogue()), &lanes, "£3.70");
        check(&locked(369), Some(&catalogue()), &lanes, "the hub's £3.70");
        check(&right, None, &lanes, "catalogue");
        check(&right, Some(&catalogue()), &[], "not set up");
        let mut other = right.clone();
        other.lock.as_mut().expect("locked").basket = Hash::of(b"another");
        check(&other, Some(&catalogue()), &lanes, "not the hub's");
        let mut young = right.clone();
        young.age_checks.push(LineId(1));
        check(&young, Some(&catalogue()), &lanes, "age check");
        let mut unknown = right;
        unknown.basket.lines[0].sku = Sku::new("nope").expect("valid");
        check(&unknown, Some(&catalogue()), &lanes, "nope");
    }

    #[test]
    fn one_attempt_at_a_time_and_three_at_a_lock() {
        let now = UnixMillis(100);
        let attempt = |attempt, ms| Due::Attempt { attempt, not_before: UnixMillis(ms) };
        let declined = |count: u32| vec![intent(IntentState::Declined); count as usize];
        let after = |declines| TripState { declines, ..locked(370) };
        assert_eq!(due(&after(0), &[], now), attempt(1, 100));
        assert_eq!(due(&after(0), &declined(1), now), Due::Nothing, "the cart does not know of the refusal yet");
        assert_eq!(due(&after(1), &declined(1), now), attempt(2, 100 + READ_DECLINE_MS));
        assert!(matches!(due(&after(3), &declined(3), now), Due::Refuse(_)));
        use IntentState as S;
        for live in [S::Created, S::Sent, S::Unknown, S::Approved, S::Reversing] {
            assert_eq!(due(&after(0), &[intent(live)], now), Due::Nothing, "{live:?}");
        }
        assert_eq!(due(&TripState { phase: Phase::Shopping, ..locked(370) }, &[], now), Due::Nothing);
    }
}
