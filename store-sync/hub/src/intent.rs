//! One attempt to be paid, from the lock of a basket to the terminal's definite word. Pure.
//!
//! ```text
//! Created ──begin──► Sent ──────────► Approved ──lock void──► Reversing ──► Reversed
//!    │                │ no answer        ▲ │ cart has it: settled
//!    │                ▼ or restart       │
//!    │             Unknown ──status──────┤
//!    └──lock void──► Declined ◄──────────┘
//! ```
//!
//! [`decide`] says what follows from what happened, [`Intent::apply`] takes it in and never fails,
//! and [`Intent::next`] says, of the state alone, what to ask of the terminal: so a hub that starts
//! again knows what to do from the database. Each step is committed before it is acted upon.
//!
//! The promise is one charge at most. The terminal knows an attempt by its [`IntentId`] and answers
//! a repeated payment of the same one with its first answer; a money-taking answer that nobody
//! wants any more is reversed, never ignored.

use serde::{Deserialize, Serialize};
use trip::event::Tender;
use trip::{CartId, Hash, IntentId, LaneId, Money, StoreId, Totals, TripId, UnixMillis};

/// How often a payment that certainly never reached the terminal is sent again.
const MAX_SENDS: u32 = 3;

/// How far an attempt is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntentState {
    /// Committed; nothing was sent.
    Created,
    /// The terminal was, or is being, asked to take the money.
    Sent,
    /// It was asked and the answer is not known; it is asked for the status until it is.
    Unknown,
    /// The money is taken.
    Approved,
    /// Nothing was, nor will be, charged.
    Declined,
    /// The money was taken for a basket that is void, and is being given back.
    Reversing,
    /// It was given back.
    Reversed,
}

impl IntentState {
    /// The word that is stored and shown.
    pub fn word(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Sent => "sent",
            Self::Unknown => "unknown",
            Self::Approved => "approved",
            Self::Declined => "declined",
            Self::Reversing => "reversing",
            Self::Reversed => "reversed",
        }
    }

    /// True while the lane's terminal is needed for it.
    pub fn holds_lane(self) -> bool {
        matches!(self, Self::Sent | Self::Unknown | Self::Reversing)
    }
}

/// One attempt to be paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// Its name, and its idempotency key towards the terminal.
    pub id: IntentId,
    /// The trip that pays.
    pub trip: TripId,
    /// Its cart.
    pub cart: CartId,
    /// Where.
    pub lane: LaneId,
    /// Which lock of the trip.
    pub version: u32,
    /// Counts attempts at this lock, from 1.
    pub attempt: u32,
    /// What is charged, no more and no less.
    pub amount: Money,
    /// Digest of the priced basket that is paid.
    pub basket: Hash,
    /// The catalogue whose prices hold.
    pub catalogue: Hash,
    /// The priced basket, as the receipt will show it.
    pub totals: Totals,
    /// How far it is.
    pub state: IntentState,
    /// True when the basket it was for is no longer locked.
    pub void: bool,
    /// True when the cart's own events say it has the payment.
    pub settled: bool,
    /// How often the payment was sent to the terminal.
    pub sends: u32,
    /// What the terminal took, once approved.
    pub approval: Option<Approval>,
    /// Why it was declined, for staff.
    pub why: Option<String>,
    /// When it was made, by the hub's clock.
    pub created_at: UnixMillis,
    /// Not begun before this, so that a shopper can read that the last card was refused.
    pub not_before: UnixMillis,
}

/// What the terminal said when it took money.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// How much.
    pub amount: Money,
    /// With what, and the terminal's reference.
    pub tender: Tender,
    /// The terminal's time stamp, which a reversal must name.
    pub time_stamp: String,
}

/// The terminal's word, or the lack of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The money is taken.
    Approved(Approval),
    /// Nothing was charged.
    Declined {
        /// Why, for staff.
        why: String,
    },
    /// The terminal knows no such payment.
    NotFound,
    /// It is still waiting for a card.
    InProgress,
    /// The money was given back, now or before.
    Reversed,
    /// The request certainly never reached the terminal.
    NeverSent {
        /// Why.
        why: String,
    },
    /// The request may have reached it; nothing more is known.
    NoAnswer {
        /// Why.
        why: String,
    },
}

/// What can happen to an attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// The lane is free for it.
    Begin,
    /// The terminal answered, or did not.
    Answer(Answer),
    /// The basket is unlocked, locked anew, or its trip is over.
    LockVoid,
    /// The hub starts again; a payment under way has lost its connection.
    Restarted,
    /// The cart's own events say that it has the payment.
    Settled,
}

/// What follows, in the past tense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The payment goes to the terminal (again, if it certainly never got there).
    Sent,
    /// The answer is not known.
    LostSight,
    /// The money is taken.
    Approved(Approval),
    /// Nothing is charged.
    Declined(String),
    /// The basket it was for is void.
    Voided,
    /// The money must go back.
    ReversalBegun,
    /// It is back.
    Reversed,
    /// The cart has it.
    Settled,
}

/// What to ask of the lane's terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Take the money.
    Pay,
    /// Say what became of the payment.
    Status,
    /// Give the money back.
    Reverse,
    /// Stop waiting for a card.
    Abort,
}

/// The name of an attempt: the same attempt of the same lock has the same name, whoever makes it.
pub fn intent_id(store: &StoreId, trip: &TripId, version: u32, attempt: u32) -> IntentId {
    let digest = Hash::of(format!("{store}\n{trip}\n{version}\n{attempt}").as_bytes()).to_string();
    IntentId::new(format!("i-{}", &digest[..24]))
        .unwrap_or_else(|e| unreachable!("hexadecimal digits make a name: {e}"))
}

/// What follows from `happening`.
pub fn decide(intent: &Intent, happening: &Happening) -> Vec<Step> {
    use IntentState as S;
    let definite_no = |why: &str| {
        if intent.void {
            vec![Step::Declined("the basket changed before a card was held to the reader".into())]
        } else if intent.sends >= MAX_SENDS {
            vec![Step::Declined(why.to_owned())]
        } else {
            vec![Step::Sent]
        }
    };
    match (intent.state, happening) {
        (S::Created, Happening::Begin) => vec![Step::Sent],
        (S::Created, Happening::LockVoid) => {
            vec![Step::Voided, Step::Declined("the basket changed before payment began".into())]
        }
        (S::Sent | S::Unknown, Happening::LockVoid) if !intent.void => vec![Step::Voided],
        (S::Approved, Happening::LockVoid) if !intent.settled => vec![Step::Voided, Step::ReversalBegun],
        (S::Approved, Happening::Settled) if !intent.settled => vec![Step::Settled],
        (S::Sent, Happening::Restarted) => vec![Step::LostSight],
        (S::Sent | S::Unknown, Happening::Answer(Answer::Approved(approval))) => {
            let mut steps = vec![Step::Approved(approval.clone())];
            if approval.amount != intent.amount && !intent.void {
                steps.push(Step::Voided);
            }
            if approval.amount != intent.amount || intent.void {
                steps.push(Step::ReversalBegun);
            }
            steps
        }
        // It was given up, and yet money was taken: give it back.
        (S::Declined, Happening::Answer(Answer::Approved(approval))) => {
            vec![Step::Approved(approval.clone()), Step::Voided, Step::ReversalBegun]
        }
        (S::Sent | S::Unknown, Happening::Answer(Answer::Declined { why })) => vec![Step::Declined(why.clone())],
        (S::Sent | S::Unknown, Happening::Answer(Answer::Reversed)) => {
            vec![Step::Declined("the terminal gave the money back".into())]
        }
        (S::Sent, Happening::Answer(Answer::NeverSent { .. })) => definite_no("the lane's terminal cannot be reached"),
        (S::Sent, Happening::Answer(Answer::NoAnswer { .. } | Answer::InProgress | Answer::NotFound)) => {
            vec![Step::LostSight]
        }
        (S::Unknown, Happening::Answer(Answer::NotFound)) => {
            definite_no("the payment never reached the lane's terminal")
        }
        (S::Reversing, Happening::Answer(Answer::Reversed)) => vec![Step::Reversed],
        _ => Vec::new(),
    }
}

impl Intent {
    /// Takes in one step.
    pub fn apply(&mut self, step: &Step) {
        match step {
            Step::Sent => {
                self.state = IntentState::Sent;
                self.sends += 1;
            }
            Step::LostSight => self.state = IntentState::Unknown,
            Step::Approved(approval) => {
                self.state = IntentState::Approved;
                self.approval = Some(approval.clone());
            }
            Step::Declined(why) => {
                self.state = IntentState::Declined;
                self.why = Some(why.clone());
            }
            Step::Voided => self.void = true,
            Step::ReversalBegun => self.state = IntentState::Reversing,
            Step::Reversed => self.state = IntentState::Reversed,
            Step::Settled => self.settled = true,
        }
    }

    /// What to ask of the terminal in this state, if anything.
    pub fn next(&self) -> Option<Ask> {
        match self.state {
            IntentState::Sent => Some(Ask::Pay),
            IntentState::Unknown => Some(Ask::Status),
            IntentState::Reversing => Some(Ask::Reverse),
            IntentState::Created | IntentState::Approved | IntentState::Declined | IntentState::Reversed => None,
        }
    }

    /// True while something may still happen to it.
    pub fn open(&self) -> bool {
        match self.state {
            IntentState::Declined | IntentState::Reversed => false,
            IntentState::Approved => !self.settled,
            _ => true,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use trip::Currency;

    pub(crate) fn intent(state: IntentState) -> Intent {
        let store = StoreId::new("market-street").expect("valid");
        let trip = TripId::new("cart-1.7.1").expect("valid");
        let amount = Money::new(2384, Currency::GBP);
        Intent {
            id: intent_id(&store, &trip, 1, 1),
            trip,
            cart: CartId::new("cart-1").expect("valid"),
            lane: LaneId::new("lane-1").expect("valid"),
            version: 1,
            attempt: 1,
            amount,
            basket: Hash::GENESIS,
            catalogue: Hash::GENESIS,
            totals: Totals { lines: vec![], savings: vec![], taxes: vec![], total: amount },
            state,
            void: false,
            settled: false,
            sends: 1,
            approval: None,
            why: None,
            created_at: UnixMillis(0),
            not_before: UnixMillis(0),
        }
    }

    pub(crate) fn approval(minor: i64) -> Approval {
        Approval {
            amount: Money::new(minor, Currency::GBP),
            tender: Tender { kind: "visa".into(), reference: "t1".into() },
            time_stamp: "2026-11-22T10:00:00Z".into(),
        }
    }

    fn after(mut intent: Intent, happenings: &[Happening]) -> Intent {
        for happening in happenings {
            let steps = decide(&intent, happening);
            steps.iter().for_each(|step| intent.apply(step));
        }
        intent
    }

    #[test]
    fn each_happening_leads_where_the_table_says() {
        use IntentState as S;
        let approved = || Happening::Answer(Answer::Approved(approval(2384)));
        let declined = || Happening::Answer(Answer::Declined { why: "no".into() });
        let silent = || Happening::Answer(Answer::NoAnswer { why: "time-out".into() });
        let not_found = || Happening::Answer(Answer::NotFound);
        let waiting = || Happening::Answer(Answer::InProgress);
        let reversed = || Happening::Answer(Answer::Reversed);
        let unsent = || Happening::Answer(Answer::NeverSent { why: "refused".into() });
        let check = |from: S, happenings: &[Happening], to: S, ask: Option<Ask>| {
            let intent = after(intent(from), happenings);
            assert_eq!((intent.state, intent.next()), (to, ask), "{from:?} after {happenings:?}");
        };
        check(S::Created, &[Happening::Begin], S::Sent, Some(Ask::Pay));
        check(S::Created, &[Happening::LockVoid], S::Declined, None);
        check(S::Sent, &[approved()], S::Approved, None);
        check(S::Sent, &[declined()], S::Declined, None);
        check(S::Sent, &[silent()], S::Unknown, Some(Ask::Status));
        check(S::Sent, &[unsent()], S::Sent, Some(Ask::Pay));
        check(S::Sent, &[unsent(), unsent(), unsent()], S::Declined, None);
        check(S::Sent, &[Happening::Restarted], S::Unknown, Some(Ask::Status));
        check(S::Unknown, &[waiting(), silent(), unsent()], S::Unknown, Some(Ask::Status));
        check(S::Unknown, &[approved()], S::Approved, None);
        check(S::Unknown, &[declined()], S::Declined, None);
        check(S::Unknown, &[not_found()], S::Sent, Some(Ask::Pay));
        check(S::Unknown, &[Happening::LockVoid, not_found()], S::Declined, None);
        check(S::Sent, &[Happening::LockVoid, declined()], S::Declined, None);
        check(S::Sent, &[Happening::LockVoid, approved()], S::Reversing, Some(Ask::Reverse));
        check(S::Unknown, &[Happening::LockVoid, approved(), reversed()], S::Reversed, None);
        check(S::Approved, &[Happening::LockVoid], S::Reversing, Some(Ask::Reverse));
        check(S::Approved, &[Happening::Settled, Happening::LockVoid], S::Approved, None);
        check(S::Declined, &[approved()], S::Reversing, Some(Ask::Reverse));
        check(S::Reversing, &[silent(), not_found(), Happening::Restarted], S::Reversing, Some(Ask::Reverse));
        check(S::Reversed, &[approved(), Happening::Begin], S::Reversed, None);
    }

    #[test]
    fn another_amount_than_asked_is_given_back() {
        let intent = after(intent(IntentState::Sent), &[Happening::Answer(Answer::Approved(approval(2383)))]);
        assert_eq!(intent.state, IntentState::Reversing);
    }

    #[test]
    fn an_attempt_has_one_name() {
        let (store, trip) = (StoreId::new("s").expect("valid"), TripId::new("t").expect("valid"));
        assert_eq!(intent_id(&store, &trip, 1, 1), intent_id(&store, &trip, 1, 1));
        assert_ne!(intent_id(&store, &trip, 1, 1), intent_id(&store, &trip, 1, 2));
        assert_ne!(intent_id(&store, &trip, 1, 1), intent_id(&store, &trip, 2, 1));
    }
}
