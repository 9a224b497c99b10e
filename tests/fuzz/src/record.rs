//! The journal: a single record, and whole trips of them. For `{` the bytes are a record; else each line is an
//! event, and those that can be read are chained here as a cart chains them.

use trip::bounds::{Bounded, MAX_TOTAL};
use trip::chain::Head;
use trip::pricing::{basket_hash, price};
use trip::{Basket, Hash, Record, TripEvent, TripState};

use store_hub::lane;

use crate::memory::bounded;
use crate::sample::{CATALOGUE, chained, json, lane as a_lane, right, trip_events};

pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    bounded(data, || {
        one(&text);
        let events: Vec<TripEvent> = text.lines().take(64).filter_map(|line| serde_json::from_str(line).ok()).collect();
        trip(&events);
    });
}

/// A record that is taken is the next link, and is written and read again as the same.
fn one(text: &str) {
    match Head::default().follow(text) {
        Ok((record, head)) => {
            assert_eq!((record.v, record.seq, record.prev), (1, 1, Hash::GENESIS));
            assert_eq!(head, Head { seq: 1, hash: Hash::of(text.as_bytes()) });
            let again: Record = right(serde_json::from_str(&record.encode()));
            assert_eq!(again, record);
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}

/// Any events in any order: the replay takes them all, twice the same, and what can be priced adds up.
fn trip(events: &[TripEvent]) {
    let (texts, end) = chained(events);
    let mut head = Head::default();
    let mut read = Vec::new();
    for text in &texts {
        let (record, next) = head.follow(text).unwrap_or_else(|why| panic!("{text} is no link: {why}"));
        read.push(record.event);
        head = next;
    }
    assert_eq!(head, end);
    assert_eq!(read, events, "an event is read as it was written");

    let state = TripState::replay(&read);
    let again: TripState = right(serde_json::from_slice(&json(&state)));
    assert_eq!(again, state, "the hub keeps the replay as it is");
    // What the replay is asked for while a trip runs.
    let _ = state.expected_gross();
    let _ = state.waits_for_staff();
    let bounded: Vec<&TripEvent> = read.iter().filter(|event| event.check().is_ok()).collect();
    priced(&TripState::replay(bounded.iter().copied()));
    priced(&state);
}

/// A basket's total is what its lines say, and a lock is judged without a panic.
fn priced(state: &TripState) {
    match price(&state.basket, &CATALOGUE) {
        Ok(totals) => {
            let sum: i64 = totals.lines.iter().map(|line| line.price + line.deposit).sum();
            let saved: i64 = totals.savings.iter().map(|saving| saving.minor).sum();
            assert_eq!(totals.total.minor, sum - saved);
            assert!((0..=MAX_TOTAL).contains(&totals.total.minor), "{:?}", totals.total);
            assert_eq!(totals.taxes.iter().map(|tax| tax.gross).sum::<i64>(), totals.total.minor);
            assert!(totals.taxes.iter().all(|tax| (0..=tax.gross.max(0)).contains(&tax.tax)), "{:?}", totals.taxes);
            let without_holds = Basket { holds: Vec::new(), ..state.basket.clone() };
            assert_eq!(price(&without_holds, &CATALOGUE).as_ref(), Ok(&totals), "a held thing was charged");
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
    if let Some(lock) = &state.lock
        && let Ok(totals) = lane::judge(state, lock, Some(&CATALOGUE), &[a_lane()])
    {
        assert_eq!((totals.total, basket_hash(&totals)), (lock.total, lock.basket), "charged is what was shown");
        assert!(totals.total.minor > 0 && state.basket.holds.is_empty() && state.age_checks.is_empty());
    }
}

pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let events = trip_events();
    let (texts, _) = chained(&events);
    let lines = |events: &[TripEvent]| events.iter().map(json).collect::<Vec<_>>().join(&b'\n');
    vec![
        ("record", texts[0].clone().into_bytes()),
        ("started", lines(&events[..2])),
        ("shopping", lines(&events[..11])),
        ("staff", lines(&[&events[..3], &events[11..18]].concat())),
        ("paying", lines(&[&events[..3], &events[18..]].concat())),
        ("whole", lines(&events)),
    ]
}
