//! A ledger and a terminal's books that agree give no difference; each way to disagree is named.

use proptest::prelude::*;
use trip::event::Tender;
use trip::{CartId, TripId};

use super::*;
use crate::intent::{Approval, intent_id, tests::intent as any_intent};

const SALE: &str = "trundle-market-street";
const PERIOD: u64 = 7;

fn pounds(minor: i64) -> Money {
    Money::new(minor, Currency::GBP)
}

/// Attempt `n` in the ledger, over `minor`.
fn attempt(n: u32, minor: i64, state: IntentState) -> Intent {
    let trip = TripId::new(format!("cart-1.7.{n}")).expect("valid");
    let approval = Approval {
        amount: pounds(minor),
        tender: Tender { kind: "visa".into(), reference: format!("t{n}") },
        time_stamp: "2026-11-29T10:00:00Z".into(),
    };
    let has = matches!(state, IntentState::Approved | IntentState::Reversing | IntentState::Reversed);
    Intent {
        id: intent_id(&StoreId::new("market-street").expect("valid"), &trip, 1, 1),
        cart: CartId::new("cart-1").expect("valid"),
        trip,
        amount: pounds(minor),
        approval: has.then_some(approval),
        why: (state == IntentState::Declined).then(|| "the card was refused".into()),
        created_at: UnixMillis(1_000 + i64::from(n)),
        ..any_intent(state)
    }
}

/// What a terminal did with an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Did {
    Nothing,
    Took(i64),
    GaveBack(i64),
}

/// A terminal, as its own books have it.
#[derive(Clone, Debug)]
struct Books {
    /// By attempt; one that is not there it has never heard of.
    slips: BTreeMap<IntentId, Did>,
    /// What others asked for.
    foreign: Vec<Counted>,
    /// Some terminals repeat their first answer, also about what was given back since.
    repeats: bool,
}

impl Books {
    fn set(&mut self, id: IntentId, did: Did) {
        self.slips.insert(id, did);
    }

    fn answer(&self, intent: &Intent) -> Answer {
        let approved = |minor| {
            let tender = Tender { kind: "visa".into(), reference: "t".into() };
            Answer::Approved(Approval { amount: pounds(minor), tender, time_stamp: "t".into() })
        };
        match self.slips.get(&intent.id) {
            None => Answer::NotFound,
            Some(Did::Nothing) => Answer::Declined { why: "Refusal".into() },
            Some(Did::Took(minor)) => approved(*minor),
            Some(Did::GaveBack(minor)) if self.repeats => approved(*minor),
            Some(Did::GaveBack(_)) => Answer::Declined { why: "Cancel: the money was given back".into() },
        }
    }

    fn totals(&self) -> Totals {
        let slip = |kind, minor| Counted {
            sale: Some(SALE.into()),
            brand: Some("visa".into()),
            kind,
            count: 1,
            sum: pounds(minor),
        };
        let mut counted = self.foreign.clone();
        for did in self.slips.values() {
            match did {
                Did::Nothing => {}
                Did::Took(minor) => counted.push(slip(Kind::Paid, *minor)),
                Did::GaveBack(minor) => counted.extend([slip(Kind::Paid, *minor), slip(Kind::GivenBack, *minor)]),
            }
        }
        Totals { period: PERIOD, counted }
    }
}

fn compared(ledger: &[Intent], books: &Books, totals: Result<Vec<Totals>, NoTotals>) -> LaneDay {
    let seen = |intent: &Intent| Seen { answer: books.answer(intent), period: None };
    let attempts: Vec<_> = ledger.iter().map(|i| (i.clone(), (i.sends > 0).then(|| seen(i)))).collect();
    let lane = LaneId::new("lane-1").expect("valid");
    let (from, until) = (UnixMillis(1_000), UnixMillis(9_000));
    compare(&Evidence { lane: &lane, sale: SALE, from, until, attempts: &attempts, totals: &totals })
}

fn told(ledger: &[Intent], books: &Books) -> LaneDay {
    compared(ledger, books, Ok(vec![books.totals()]))
}

/// The ledger's state of an attempt and what the terminal did, where they agree.
fn did(intent: &Intent) -> Did {
    match intent.state {
        IntentState::Approved => Did::Took(intent.amount.minor),
        IntentState::Reversed => Did::GaveBack(intent.amount.minor),
        _ => Did::Nothing,
    }
}

fn books(ledger: &[Intent], repeats: bool) -> Books {
    Books { slips: ledger.iter().map(|i| (i.id.clone(), did(i))).collect(), foreign: vec![], repeats }
}

fn usual() -> Vec<Intent> {
    vec![
        attempt(1, 370, IntentState::Approved),
        attempt(2, 185, IntentState::Declined),
        attempt(3, 555, IntentState::Reversed),
        attempt(4, 740, IntentState::Approved),
    ]
}

#[test]
fn each_kind_of_difference_is_named() {
    // What the terminal did with the attempt of this number instead, and what is then said.
    let check = |n: usize, other: Option<Did>, what: What, words: &str| {
        for repeats in [false, true] {
            let ledger = usual();
            let mut books = books(&ledger, repeats);
            books.slips.remove(&ledger[n - 1].id);
            books.slips.extend(other.map(|did| (ledger[n - 1].id.clone(), did)));
            let day = told(&ledger, &books);
            let said: Vec<_> = day.differences.iter().map(|d| (d.what, d.words.as_str())).collect();
            assert!(said.iter().any(|(kind, said)| *kind == what && said.contains(words)), "{words:?}: {said:?}");
            assert_eq!(said.len(), 1, "one thing is said once: {said:?}");
        }
    };
    check(1, None, What::OnlyInLedger, "£3.70 is paid in the ledger; the terminal knows no such payment (cart-1)");
    check(1, Some(Did::Nothing), What::OnlyInLedger, "£3.70 is paid in the ledger; the terminal took nothing");
    check(1, Some(Did::Took(3_700)), What::OtherAmount, "£3.70 in the ledger, £37.00 at the terminal");
    check(
        2,
        Some(Did::Took(185)),
        What::OnlyAtTerminal,
        "£1.85 was taken at the terminal; the ledger has it as declined",
    );
    check(3, None, What::OnlyInLedger, "£5.55 was taken and given back in the ledger");
    check(3, Some(Did::Took(555)), What::GivenBackAtOneSide, "£5.55 was given back in the ledger; the terminal still");
}

#[test]
fn what_the_terminal_alone_gave_back_is_named_as_far_as_it_tells() {
    let ledger = usual();
    let mut given_back = books(&ledger, false);
    given_back.slips.insert(ledger[0].id.clone(), Did::GaveBack(370));
    let day = told(&ledger, &given_back);
    assert_eq!(day.differences.len(), 1, "{:?}", day.differences);
    assert_eq!(day.differences[0].attempt, Some(ledger[0].id.clone()));
    assert!(day.differences[0].words.contains("gave it back (Cancel"), "{:?}", day.differences);
    // A terminal that repeats its first answer tells it by its totals alone.
    given_back.repeats = true;
    let day = told(&ledger, &given_back);
    let said: Vec<_> = day.differences.iter().map(|d| d.words.as_str()).collect();
    assert_eq!(
        said,
        ["at the terminal and not in the ledger: 1 given back, £3.70, which no attempt of this hub accounts for"]
    );
}

#[test]
fn what_the_hub_never_asked_for_is_named() {
    let ledger = usual();
    let mut books = books(&ledger, false);
    let brand = Some("mc".to_owned());
    let till = Counted { sale: Some("till-9".into()), brand, kind: Kind::Paid, count: 1, sum: pounds(999) };
    books.foreign = vec![till.clone(), Counted { sale: None, count: 2, sum: pounds(30), ..till }];
    let day = told(&ledger, &books);
    let said: Vec<_> = day.differences.iter().map(|d| (d.what, d.words.as_str())).collect();
    let expected = [
        "at the terminal and not in the ledger: 1 paid, £9.99, mc, asked for by \"till-9\"",
        "at the terminal and not in the ledger: 2 paid, £0.30, which no attempt of this hub accounts for",
    ];
    assert_eq!(said, expected.map(|words| (What::OnlyAtTerminal, words)));
    let paid = day.rows.iter().find(|row| row.kind == Kind::Paid).expect("a row");
    assert_eq!(paid.ledger, Sum { count: 3, minor: 1_665 });
    assert_eq!(paid.terminal, Some(Sum { count: 6, minor: 2_694 }));
}

#[test]
fn an_open_attempt_stays_on_the_list_whenever_it_was_made() {
    for (state, words) in [
        (IntentState::Created, "waits for the lane"),
        (IntentState::Sent, "not settled in the ledger; the terminal has taken £3.70"),
        (IntentState::Unknown, "not settled in the ledger; the terminal has taken £3.70"),
        (IntentState::Reversing, "is being given back; the terminal has taken £3.70"),
    ] {
        for at in [1_500, 5] {
            let sends = u32::from(state != IntentState::Created);
            let ledger = [Intent { created_at: UnixMillis(at), sends, ..attempt(1, 370, state) }];
            let mut books = books(&[], false);
            if sends > 0 && at > 1_000 {
                books.slips.insert(ledger[0].id.clone(), Did::Took(370));
            }
            let day = told(&ledger, &books);
            let words = if at > 1_000 { words } else { words.split(';').next().unwrap_or_default() };
            assert_eq!(day.differences.len(), 1, "{state:?}: {:?}", day.differences);
            assert_eq!(day.differences[0].what, What::StillOpen);
            assert!(day.differences[0].words.contains(words), "{state:?}: {:?}", day.differences);
        }
    }
}

#[test]
fn a_terminal_that_does_not_answer_agrees_with_nothing() {
    let check = |totals: NoTotals, what: What, words: &str| {
        let day = compared(&usual(), &books(&usual(), false), Err(totals));
        assert_eq!(day.differences.len(), 1, "{:?}", day.differences);
        assert_eq!(day.differences[0].what, what);
        assert!(day.differences[0].words.contains(words), "{:?}", day.differences);
        assert!(day.rows.iter().all(|row| row.terminal.is_none()) && day.periods.is_none());
    };
    check(NoTotals::Silent("no route".into()), What::NoTotals, "tells no totals: no route");
    check(NoTotals::Busy, What::NoTotals, "busy with a payment");
    check(NoTotals::Refused("NotAllowed".into()), What::NoTotals, "tells no totals: NotAllowed");
    // The totals came, the words on attempts did not.
    let silent = Seen { answer: Answer::NoAnswer { why: "time-out".into() }, period: None };
    let attempts: Vec<_> = usual().into_iter().map(|intent| (intent, Some(silent.clone()))).collect();
    let lane = LaneId::new("lane-1").expect("valid");
    let (from, until) = (UnixMillis(1_000), UnixMillis(9_000));
    let check = |totals: Result<Vec<Totals>, NoTotals>, words: &str| {
        let day = compare(&Evidence { lane: &lane, sale: SALE, from, until, attempts: &attempts, totals: &totals });
        let said: Vec<_> = day.differences.iter().map(|d| d.words.as_str()).collect();
        assert_eq!(said, [words]);
    };
    let told = Ok(vec![books(&usual(), false).totals()]);
    check(told, "the terminal gave no answer about 4 of 4 attempts: time-out");
    // Neither came.
    check(Err(NoTotals::Silent("no route".into())), "the terminal does not answer: no route");
}

#[test]
fn the_terminal_says_in_which_period_a_payment_is() {
    let check = |made: i64, period: Option<u64>, counted: usize| {
        let intent = Intent { created_at: UnixMillis(made), ..attempt(1, 370, IntentState::Approved) };
        let seen = Seen { answer: books(std::slice::from_ref(&intent), false).answer(&intent), period };
        let totals = Totals { period: PERIOD, counted: vec![] };
        let lane = LaneId::new("lane-1").expect("valid");
        let (from, until) = (UnixMillis(1_000), UnixMillis(9_000));
        let (attempts, totals) = ([(intent, Some(seen))], Ok(vec![totals]));
        let day = compare(&Evidence { lane: &lane, sale: SALE, from, until, attempts: &attempts, totals: &totals });
        assert_eq!((day.rows.len(), day.differences.len()), (counted, counted), "{made} {period:?}: {day:?}");
    };
    check(1_500, Some(PERIOD), 1);
    check(500, Some(PERIOD), 1);
    check(1_500, Some(PERIOD + 1), 0);
    check(1_500, Some(PERIOD - 1), 0);
    check(1_500, None, 1);
    check(500, None, 0);
}

#[test]
fn people_read_both_sides_and_what_differs() {
    let ledger = usual();
    let mut books = books(&ledger, false);
    books.slips.insert(ledger[3].id.clone(), Did::Took(470));
    let store = StoreId::new("market-street").expect("valid");
    let page = |lanes| {
        let day = DayEnd { v: VERSION, store: store.clone(), date: "2026-11-29".into(), made_at: UnixMillis(0), lanes };
        assert_eq!(day.agrees(), day.lanes.iter().all(|lane| lane.differences.is_empty()));
        let read: DayEnd = serde_json::from_slice(&serde_json::to_vec(&day).expect("plain")).expect("its own form");
        assert_eq!(read, day);
        page::render(&day, &jiff::tz::TimeZone::UTC)
    };
    let said = page(vec![told(&ledger, &books)]);
    let expected = format!(
        "Day-end of market-street, 2026-11-29\n\
         \n\
         lane-1, 1970-01-01 00:00 to 1970-01-01 00:00, the terminal's period 7\n\
         {0:16}            ledger            terminal\n\
         {0:2}paid                  3 × £16.65          3 × £13.95\n\
         {0:2}given back             1 × £5.55           1 × £5.55\n\
         {0:2}! 00:00:01 {1}: £7.40 in the ledger, £4.70 at the terminal (cart-1)\n\
         \n\
         1 difference. Nothing was changed.\n",
        "", ledger[3].id
    );
    assert_eq!(said, expected);
    assert!(page(vec![]).ends_with("\nThe terminals and the ledger agree.\n"));
}

/// One change, of the ledger or of the terminal's books.
#[derive(Clone, Copy, Debug)]
enum Change {
    Forget,
    Lose,
    Amount(i64),
    LedgerDeclines,
    LedgerGivesBack,
    TerminalGivesBack,
    TerminalKeeps,
    TerminalTakes,
    Foreign(bool),
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        Just(Change::Forget),
        Just(Change::Lose),
        (1_i64..5_000).prop_map(Change::Amount),
        Just(Change::LedgerDeclines),
        Just(Change::LedgerGivesBack),
        Just(Change::TerminalGivesBack),
        Just(Change::TerminalKeeps),
        Just(Change::TerminalTakes),
        any::<bool>().prop_map(Change::Foreign),
    ]
}

fn states() -> impl Strategy<Value = IntentState> {
    prop_oneof![Just(IntentState::Approved), Just(IntentState::Declined), Just(IntentState::Reversed)]
}

proptest! {
    #[test]
    fn what_agrees_gives_no_difference_and_one_change_gives_one(
        all in prop::collection::vec((states(), 1_i64..5_000), 1..12),
        at in any::<prop::sample::Index>(),
        change in changes(),
        repeats in any::<bool>(),
    ) {
        let one = |(n, (state, minor)): (usize, &(IntentState, i64))| attempt(n as u32, *minor, *state);
        let mut ledger: Vec<Intent> = all.iter().enumerate().map(one).collect();
        let mut books = books(&ledger, repeats);
        let day = told(&ledger, &books);
        prop_assert!(day.differences.is_empty(), "{:?}", day.differences);
        prop_assert!(day.rows.iter().all(|row| row.terminal == Some(row.ledger)), "{:?}", day.rows);

        let n = at.index(ledger.len());
        let (id, state, minor) = (ledger[n].id.clone(), ledger[n].state, ledger[n].amount.minor);
        let money = matches!(state, IntentState::Approved | IntentState::Reversed);
        match change {
            // The ledger, set back to before it.
            Change::Forget if money => drop(ledger.remove(n)),
            // The terminal, its memory exchanged.
            Change::Lose if money => books.slips.retain(|slip, _| *slip != id),
            Change::Amount(by) if state == IntentState::Approved => books.set(id, Did::Took(minor + by)),
            Change::Amount(by) if state == IntentState::Reversed => books.set(id, Did::GaveBack(minor + by)),
            Change::LedgerDeclines if state == IntentState::Approved => ledger[n].state = IntentState::Declined,
            Change::LedgerGivesBack if state == IntentState::Approved => ledger[n].state = IntentState::Reversed,
            Change::TerminalGivesBack if state == IntentState::Approved => books.set(id, Did::GaveBack(minor)),
            Change::TerminalKeeps if state == IntentState::Reversed => books.set(id, Did::Took(minor)),
            Change::TerminalTakes if state == IntentState::Declined => books.set(id, Did::Took(minor)),
            Change::Foreign(told) => {
                let sale = told.then(|| "till-9".to_owned());
                books.foreign.push(Counted { sale, brand: None, kind: Kind::Paid, count: 1, sum: pounds(minor) });
            }
            _ => return Ok(()),
        }
        let day = told(&ledger, &books);
        prop_assert!(!day.differences.is_empty(), "{:?}", day.rows);
    }
}
