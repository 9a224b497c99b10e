//! From accepted records to what is known of carts and trips. Pure: the cart's own crate replays.

use trip::event::Ending;
use trip::{Record, TripEvent, TripId, TripState, UnixMillis};

use crate::store::{CartRow, TripRow};

/// What a batch changed.
#[derive(Debug)]
pub struct Posting {
    /// The cart after it.
    pub cart: CartRow,
    /// Every trip it touched, as it stands or as it ended, oldest first.
    pub trips: Vec<TripRow>,
    /// The trips that ended in it, and when, by the cart's clock.
    pub closed: Vec<(TripId, UnixMillis)>,
}

/// Replays `records` on top of `cart`, whose head the caller moves.
///
/// A trip that ended keeps its last replay: the cart's own state forgets it at once.
pub fn post<'a>(mut cart: CartRow, records: impl IntoIterator<Item = &'a Record>, now: UnixMillis) -> Posting {
    let mut trips: Vec<TripRow> = Vec::new();
    let mut closed = Vec::new();
    let mut touched = false;
    for record in records {
        // The replay forgets a trip here: it is kept as it was.
        match &record.event {
            TripEvent::TripClosed { ending } => {
                let last = TripState { ended: Some(*ending), ..cart.state.clone() };
                closed.extend(last.trip.clone().map(|trip| (trip, record.at)));
                touch(&mut trips, &cart, last, Some(*ending), now);
            }
            TripEvent::TripStarted { .. } if touched => touch(&mut trips, &cart, cart.state.clone(), None, now),
            _ => {}
        }
        cart.state.apply(&record.event);
        touched = true;
    }
    if touched {
        touch(&mut trips, &cart, cart.state.clone(), None, now);
    }
    cart.at = now;
    Posting { cart, trips, closed }
}

fn touch(trips: &mut Vec<TripRow>, cart: &CartRow, state: TripState, ending: Option<Ending>, now: UnixMillis) {
    let Some(trip) = state.trip.clone() else { return };
    trips.retain(|row| row.trip != trip);
    trips.push(TripRow { trip, cart: cart.cart.clone(), epoch: cart.epoch, state, ending, at: now });
}

#[cfg(test)]
mod tests {
    use super::*;
    use trip::chain::Head;
    use trip::{CartId, Hash, StoreId, TripId};

    fn record(event: TripEvent) -> Record {
        Record {
            v: 1,
            store: StoreId::new("s").expect("valid"),
            cart: CartId::new("cart-1").expect("valid"),
            epoch: 7,
            seq: 1,
            at: UnixMillis(0),
            prev: Hash::GENESIS,
            event,
        }
    }

    #[test]
    fn a_trip_that_ended_keeps_its_last_replay() {
        let start = |n: u32| {
            record(TripEvent::TripStarted {
                trip: TripId::new(format!("t{n}")).expect("valid"),
                catalogue: Hash::GENESIS,
                baseline: trip::Grams(0),
            })
        };
        let records = [
            start(1),
            record(TripEvent::HelpCalled),
            record(TripEvent::TripClosed { ending: Ending::Empty }),
            start(2),
        ];
        let cart = CartRow {
            cart: CartId::new("cart-1").expect("valid"),
            epoch: 7,
            head: Head::default(),
            state: TripState::default(),
            at: UnixMillis(0),
        };
        let posting = post(cart, &records, UnixMillis(9));
        let seen: Vec<_> = posting.trips.iter().map(|row| (row.trip.as_str(), row.ending, row.state.help)).collect();
        assert_eq!(seen, [("t1", Some(Ending::Empty), true), ("t2", None, false)]);
        assert_eq!(posting.cart.state.trip.as_ref().map(TripId::as_str), Some("t2"));
    }
}
