//! The replay of a trip's events. [`TripState::apply`] never fails: what is in the journal happened.

use serde::{Deserialize, Serialize};

use crate::event::{Ending, Outcome, Tender};
use crate::{Basket, Grams, Hash, HoldId, IntentId, LaneId, LineId, Member, Money, Quantity, TripEvent, TripId};

/// A load at the start below this is drift and dirt, and no own thing.
const LEAST_OWN_G: i32 = 40;

/// Where a trip stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Nobody shops with the cart.
    #[default]
    Idle,
    /// Things go in and out.
    Shopping,
    /// The basket stands still at a lane.
    Locked,
    /// The terminal waits for a tap.
    Paying,
    /// Approved; the receipt is on its way.
    Paid,
    /// The receipt is on the screen.
    Receipted,
}

/// A basket that stands still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Counts lockings of this trip, from 1.
    pub version: u32,
    /// Where.
    pub lane: LaneId,
    /// What will be charged.
    pub total: Money,
    /// Digest of the priced basket.
    pub basket: Hash,
}

/// What was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    /// Which attempt.
    pub intent: IntentId,
    /// How much.
    pub amount: Money,
    /// With what.
    pub tender: Tender,
}

/// A trip as it stands: the replay of its events.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TripState {
    /// The trip; `None` before the first.
    pub trip: Option<TripId>,
    /// The catalogue whose prices hold.
    pub catalogue: Option<Hash>,
    /// The shopper's loyalty number; `None` for a guest.
    #[serde(default)]
    pub member: Option<Member>,
    /// SHA-256 of the secret of the phone that follows the trip, if one does.
    #[serde(default)]
    pub phone: Option<Hash>,
    /// What the scale carried when the trip began.
    pub baseline: Grams,
    /// The shopper's own things by weight, in grams, part of `baseline`: what lay there at the start,
    /// if it is more than drift, and what came since.
    #[serde(default)]
    pub own: Vec<Grams>,
    /// Where it stands.
    pub phase: Phase,
    /// What is in the cart.
    pub basket: Basket,
    /// The basket's lock while it stands still, and after.
    pub lock: Option<Lock>,
    /// How often it was locked.
    pub locks: u32,
    /// The payment attempt under way.
    pub intent: Option<IntentId>,
    /// The last payment attempt of this trip, whatever became of it.
    #[serde(default)]
    pub last_intent: Option<IntentId>,
    /// How many attempts were declined at this lock.
    pub declines: u32,
    /// The payment, once approved.
    pub payment: Option<Payment>,
    /// The receipt's number and digest, once stored.
    pub receipt: Option<(String, Hash)>,
    /// True while help is called.
    pub help: bool,
    /// True while staff may see the cart's screen; never while help is not called.
    #[serde(default)]
    pub shared: bool,
    /// True while a member of staff is on the way; never while nobody waits for one.
    #[serde(default)]
    pub staff_coming: bool,
    /// Lines that wait for an age check.
    pub age_checks: Vec<LineId>,
    /// Lines whose buyer's age staff approved.
    pub age_approved: Vec<LineId>,
    /// The highest line number used.
    pub last_line: LineId,
    /// The highest hold number used.
    pub last_hold: HoldId,
    /// How the last trip ended.
    pub ended: Option<Ending>,
}

impl TripState {
    /// The replay of `events`.
    pub fn replay<'a>(events: impl IntoIterator<Item = &'a TripEvent>) -> Self {
        let mut state = Self::default();
        events.into_iter().for_each(|event| state.apply(event));
        state
    }

    /// Takes in one event.
    pub fn apply(&mut self, event: &TripEvent) {
        match event {
            TripEvent::TripStarted { trip, catalogue, baseline } => {
                *self = Self {
                    trip: Some(trip.clone()),
                    catalogue: Some(*catalogue),
                    baseline: *baseline,
                    own: (baseline.0 >= LEAST_OWN_G).then_some(*baseline).into_iter().collect(),
                    phase: Phase::Shopping,
                    ..Self::default()
                };
            }
            TripEvent::ShopperPaired { member, phone } => {
                self.member = member.clone();
                self.phone = *phone;
            }
            TripEvent::OwnThing { weight } => {
                self.baseline = Grams(self.baseline.0.saturating_add(weight.0));
                if weight.0 > 0 {
                    self.own.push(*weight);
                } else {
                    let off = |own: &Grams| i64::from(own.0).abs_diff(-i64::from(weight.0));
                    let nearest = (0..self.own.len()).min_by_key(|n| off(&self.own[*n]));
                    nearest.map(|n| self.own.remove(n));
                }
            }
            TripEvent::ItemAdded { item } => {
                self.last_line = self.last_line.max(item.line);
                self.basket.lines.push(item.clone());
            }
            TripEvent::ItemRemoved { line, pieces, weight } => self.remove(*line, *pieces, *weight),
            TripEvent::ItemHeld { hold } => {
                self.last_hold = self.last_hold.max(hold.hold);
                self.basket.holds.push(hold.clone());
            }
            TripEvent::HoldResolved { hold, outcome } => {
                // What staff let go stays in the cart, or is out of it, as they saw it.
                if *outcome == Outcome::Staff
                    && let Some(held) = self.basket.hold(*hold)
                {
                    self.baseline = Grams(self.baseline.0.saturating_add(held.weight.0));
                }
                self.basket.holds.retain(|h| h.hold != *hold);
            }
            // It is said to the store; of the trip it changes nothing.
            TripEvent::JournalReplaced { .. } => {}
            TripEvent::HelpCalled => self.help = true,
            TripEvent::HelpEnded => self.help = false,
            TripEvent::ScreenShared => self.shared = true,
            TripEvent::ScreenUnshared => self.shared = false,
            TripEvent::StaffComing => self.staff_coming = true,
            TripEvent::AgeCheckAsked { line } => self.age_checks.push(*line),
            TripEvent::AgeChecked { line, approved } => {
                self.age_checks.retain(|l| l != line);
                if *approved {
                    self.age_approved.push(*line);
                }
            }
            TripEvent::BasketLocked { version, lane, total, basket } => {
                self.phase = Phase::Locked;
                self.locks = *version;
                self.declines = 0;
                self.lock = Some(Lock { version: *version, lane: lane.clone(), total: *total, basket: *basket });
            }
            TripEvent::BasketUnlocked { .. } if self.payment.is_some() => {}
            TripEvent::BasketUnlocked { .. } => {
                self.phase = Phase::Shopping;
                self.lock = None;
                self.intent = None;
            }
            TripEvent::PaymentStarted { intent } => {
                self.phase = Phase::Paying;
                self.intent = Some(intent.clone());
                self.last_intent = Some(intent.clone());
            }
            TripEvent::PaymentDeclined { .. } => {
                self.phase = Phase::Locked;
                self.intent = None;
                self.declines = self.declines.saturating_add(1);
            }
            TripEvent::PaymentApproved { intent, amount, tender } => {
                self.phase = Phase::Paid;
                self.intent = None;
                self.payment = Some(Payment { intent: intent.clone(), amount: *amount, tender: tender.clone() });
            }
            TripEvent::ReceiptStored { number, digest } => {
                self.phase = Phase::Receipted;
                self.receipt = Some((number.clone(), *digest));
            }
            TripEvent::TripClosed { ending } => {
                *self = Self { ended: Some(*ending), ..Self::default() };
            }
        }
        self.staff_coming &= self.waits_for_staff();
        self.shared &= self.help;
    }

    /// True while the shopper waits for a person: help is called, or a buyer's age is to be looked at.
    pub fn waits_for_staff(&self) -> bool {
        self.help || !self.age_checks.is_empty()
    }

    /// What the scale should carry now, in grams: the baseline and all that came in and stayed.
    /// `None` when a line came in while the scale was out.
    pub fn expected_gross(&self) -> Option<Grams> {
        let lines = self.basket.lines.iter().map(|line| line.weight);
        let holds = self.basket.holds.iter().map(|hold| Some(hold.weight));
        lines.chain(holds).try_fold(self.baseline, |sum, weight| Some(Grams(sum.0.saturating_add(weight?.0))))
    }

    fn remove(&mut self, line: LineId, pieces: u32, felt: Option<Grams>) {
        self.basket.lines.retain_mut(|item| {
            if item.line != line {
                return true;
            }
            match &mut item.quantity {
                Quantity::Each(have) if *have > pieces => {
                    let left = *have - pieces;
                    // What is left weighs what was not felt to leave.
                    let share = |w: Grams| (i64::from(w.0) * i64::from(left) / i64::from(*have)) as i32;
                    item.weight =
                        item.weight.map(|w| Grams(felt.map_or_else(|| share(w), |gone| w.0.saturating_add(gone.0))));
                    *have = left;
                    true
                }
                _ => false,
            }
        });
        if self.basket.line(line).is_none() {
            self.age_checks.retain(|l| *l != line);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn started(baseline: i32) -> TripEvent {
        let trip = TripId::new("cart-01.1.1").expect("valid");
        TripEvent::TripStarted { trip, catalogue: Hash::of(b""), baseline: Grams(baseline) }
    }

    fn own(grams: i32) -> TripEvent {
        TripEvent::OwnThing { weight: Grams(grams) }
    }

    #[test]
    fn own_things_are_part_of_the_baseline_while_they_are_in() {
        let check = |events: &[TripEvent], baseline: i32, own: &[i32]| {
            let state = TripState::replay(events);
            assert_eq!(state.expected_gross(), Some(Grams(baseline)));
            assert_eq!(state.own, own.iter().map(|g| Grams(*g)).collect::<Vec<_>>());
        };
        check(&[started(3)], 3, &[]);
        check(&[started(400), own(150)], 550, &[400, 150]);
        check(&[started(400), own(150), own(-398)], 152, &[150]);
        check(&[started(0), own(-10)], -10, &[]);
    }

    #[test]
    fn nobody_is_on_the_way_to_who_waits_for_nobody() {
        let line = LineId(1);
        let check = |events: &[TripEvent], coming: bool| {
            let all: Vec<TripEvent> = std::iter::once(started(0)).chain(events.iter().cloned()).collect();
            assert_eq!(TripState::replay(&all).staff_coming, coming, "{events:?}");
        };
        use TripEvent::{AgeCheckAsked, AgeChecked, HelpCalled, HelpEnded, StaffComing};
        check(&[StaffComing], false);
        check(&[HelpCalled, StaffComing], true);
        check(&[HelpCalled, StaffComing, HelpEnded], false);
        check(&[AgeCheckAsked { line }, HelpCalled, StaffComing, HelpEnded], true);
        check(&[AgeCheckAsked { line }, StaffComing, AgeChecked { line, approved: true }], false);
        check(&[HelpCalled, StaffComing, HelpEnded, HelpCalled], false);
    }

    #[test]
    fn staff_see_the_screen_only_in_the_call_in_which_the_shopper_let_them() {
        let check = |events: &[TripEvent], shared: bool| {
            let all: Vec<TripEvent> = std::iter::once(started(0)).chain(events.iter().cloned()).collect();
            assert_eq!(TripState::replay(&all).shared, shared, "{events:?}");
        };
        use TripEvent::{HelpCalled, HelpEnded, ScreenShared, ScreenUnshared, StaffComing, TripClosed};
        check(&[HelpCalled], false);
        check(&[ScreenShared], false);
        check(&[HelpCalled, ScreenShared, StaffComing], true);
        check(&[HelpCalled, ScreenShared, ScreenUnshared], false);
        check(&[HelpCalled, ScreenShared, HelpEnded], false);
        check(&[HelpCalled, ScreenShared, HelpEnded, HelpCalled], false);
        check(&[HelpCalled, ScreenShared, TripClosed { ending: Ending::Empty }], false);
        check(&[HelpCalled, ScreenShared, started(0), HelpCalled], false);
    }

    #[test]
    fn who_joined_is_forgotten_with_the_trip() {
        let member = Member::parse("96385074").ok();
        let paired = TripEvent::ShopperPaired { member: member.clone(), phone: Some(Hash::of(b"secret")) };
        let state = TripState::replay([&started(0), &paired]);
        assert_eq!((&state.member, state.phone), (&member, Some(Hash::of(b"secret"))));
        for over in [TripEvent::TripClosed { ending: Ending::Empty }, started(0)] {
            let state = TripState::replay([&started(0), &paired, &over]);
            assert_eq!((state.member, state.phone), (None, None));
        }
    }

    #[test]
    fn a_journal_of_before_own_things_and_swaps_is_still_read() {
        let text = r#"{"what":"trip_started","trip":"cart-01.1.1","catalogue":"CAT","baseline":400}"#
            .replace("CAT", &Hash::of(b"").to_string());
        let event: TripEvent = serde_json::from_str(&text).expect("an old event");
        let mut state = serde_json::to_value(TripState::replay([&event])).expect("a value");
        state.as_object_mut().expect("an object").remove("own");
        let state: TripState = serde_json::from_value(state).expect("an old state");
        assert_eq!((state.baseline, state.own), (Grams(400), Vec::new()));
    }
}
