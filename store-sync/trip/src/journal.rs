//! How a cart's journal is written and read again: pure, whatever disk it lies on.
//!
//! [`Writer`] turns events into the next chained records. [`Replay`] takes records back one by one, checks
//! the chain, and stops at the first that does not hold: what came before is whole and is served.
//! [`floor_after`] says how much may be dropped once the hub has it.

use crate::chain::Head;
use crate::{CartId, Hash, Record, StoreId, TripEvent, TripState, UnixMillis};

/// Writes the records of one journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Writer {
    /// The store.
    pub store: StoreId,
    /// The cart.
    pub cart: CartId,
    /// Which journal.
    pub epoch: u64,
}

impl Writer {
    /// The records of `events` after `head`, encoded, and the head after them. `at` is the wall clock.
    pub fn continue_from(&self, head: Head, events: &[TripEvent], at: UnixMillis) -> (Vec<(u64, String)>, Head) {
        let mut head = head;
        let mut records = Vec::with_capacity(events.len());
        for event in events {
            let record = Record {
                v: 1,
                store: self.store.clone(),
                cart: self.cart.clone(),
                epoch: self.epoch,
                seq: head.seq + 1,
                at,
                prev: head.hash,
                event: event.clone(),
            };
            let bytes = record.encode();
            head = Head { seq: record.seq, hash: Hash::of(bytes.as_bytes()) };
            records.push((record.seq, bytes));
        }
        (records, head)
    }
}

/// A journal as it is read again, record by record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The last record that holds.
    pub head: Head,
    /// How many trips were begun, with those before the floor.
    pub trips: u64,
    /// The events since the last trip began.
    pub events: Vec<TripEvent>,
    /// What is wrong with the record after `head`, if anything is.
    pub broken: Option<String>,
}

impl Replay {
    /// Begins after what was dropped: its last record was `floor`, and it held `trips` beginnings.
    pub fn from(floor: Head, trips: u64) -> Self {
        Self { head: floor, trips, events: Vec::new(), broken: None }
    }

    /// Takes the next record; false when it does not hold, and then no further one is taken.
    pub fn take(&mut self, bytes: &str) -> bool {
        if self.broken.is_some() {
            return false;
        }
        match self.head.follow(bytes) {
            Ok((record, next)) => {
                self.head = next;
                if matches!(record.event, TripEvent::TripStarted { .. }) {
                    self.events.clear();
                    self.trips += 1;
                }
                self.events.push(record.event);
                true
            }
            Err(why) => {
                self.broken = Some(why.to_string());
                false
            }
        }
    }

    /// The trip as it stands.
    pub fn state(&self) -> TripState {
        TripState::replay(&self.events)
    }

    /// What a new journal begins with when this one, `epoch`, is set aside as damaged: that it was, and the
    /// running trip from its beginning, as far as it holds. A person must look at such a trip, and is called; its
    /// screen is shown to nobody.
    pub fn carried_over(&self, epoch: u64) -> Vec<TripEvent> {
        let mut events = vec![TripEvent::JournalReplaced { epoch, kept: self.head.seq }];
        let state = self.state();
        if state.trip.is_some() && state.ended.is_none() {
            events.extend(self.events.iter().cloned());
            if !state.help {
                events.push(TripEvent::HelpCalled);
            }
            // What did not hold may have been the shopper's word that nobody shall see the screen any more.
            if state.shared {
                events.push(TripEvent::ScreenUnshared);
            }
        }
        events
    }
}

/// The last record that nobody needs any more: the hub has committed up to `acked`, and the newest trip
/// began with record `started` (0 for none).
pub fn floor_after(acked: u64, started: u64) -> u64 {
    acked.min(started.saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Grams, TripId};

    fn writer() -> Writer {
        Writer { store: StoreId::new("s").expect("valid"), cart: CartId::new("cart-1").expect("valid"), epoch: 7 }
    }

    fn started(n: u32) -> TripEvent {
        TripEvent::TripStarted {
            trip: TripId::new(format!("cart-1.7.{n}")).expect("valid"),
            catalogue: Hash::GENESIS,
            baseline: Grams(0),
        }
    }

    #[test]
    fn what_is_written_is_read_again_and_only_the_last_trip_is_kept() {
        let events = [started(1), TripEvent::HelpCalled, started(2), TripEvent::HelpCalled];
        let (records, head) = writer().continue_from(Head::default(), &events, UnixMillis(0));
        let mut replay = Replay::from(Head::default(), 3);
        assert!(records.iter().all(|(_, bytes)| replay.take(bytes)));
        assert_eq!((replay.head, replay.trips, replay.events.as_slice()), (head, 5, &events[2..]));
    }

    #[test]
    fn nothing_after_a_broken_record_is_taken() {
        let (mut records, _) = writer().continue_from(
            Head::default(),
            &[started(1), TripEvent::HelpCalled, TripEvent::HelpEnded],
            UnixMillis(0),
        );
        records[1].1 = records[1].1.replace("help_called", "help_ended");
        let mut replay = Replay::from(Head::default(), 0);
        let taken: Vec<bool> = records.iter().map(|(_, bytes)| replay.take(bytes)).collect();
        // The changed one chains to what is before it; the next does not chain to it.
        assert_eq!(taken, [true, true, false]);
        assert!(replay.broken.is_some());
        let carried = replay.carried_over(7);
        assert_eq!(carried[0], TripEvent::JournalReplaced { epoch: 7, kept: 2 });
        assert_eq!((carried.len(), TripState::replay(&carried).help), (4, true), "{carried:?}");
        // Without a trip the store is told all the same.
        assert_eq!(Replay::from(Head::default(), 0).carried_over(7).len(), 1);
    }

    #[test]
    fn a_screen_that_was_shown_is_shown_to_nobody_after_a_journal_that_broke() {
        let events = [started(1), TripEvent::HelpCalled, TripEvent::ScreenShared, TripEvent::ScreenUnshared];
        let (mut records, _) = writer().continue_from(Head::default(), &events, UnixMillis(0));
        // The record that took it back is the one that does not hold.
        records[3].1.truncate(40);
        let mut replay = Replay::from(Head::default(), 0);
        let taken = records.iter().filter(|(_, bytes)| replay.take(bytes)).count();
        assert!(taken == 3 && replay.state().shared);
        let state = TripState::replay(&replay.carried_over(7));
        assert_eq!((state.help, state.shared), (true, false));
    }

    #[test]
    fn only_what_is_acked_and_over_may_be_dropped() {
        let check = |acked, started, floor| assert_eq!(floor_after(acked, started), floor, "{acked} {started}");
        check(9, 0, 0);
        check(9, 1, 0);
        check(9, 5, 4);
        check(3, 5, 3);
    }
}
