//! A basket that staff took to a till.

use serde::{Deserialize, Serialize};
use trip::{CartId, TripId, TripState, UnixMillis};

/// A trip that ended at a till, by what the hub had of it then.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TransferRow {
    /// The trip. It is charged at no lane any more.
    pub trip: TripId,
    /// The cart it was on.
    pub cart: CartId,
    /// What was taken: the replay up to the hub's last ack.
    pub taken: TripState,
    /// When the last record in it was committed, by the hub's clock.
    pub heard_at: UnixMillis,
    /// When it was taken, by the hub's clock.
    pub at: UnixMillis,
    /// How the basket on the cart differs from what was taken, by what the cart has told since, in words for staff.
    pub late: Vec<String>,
    /// True when staff have looked at all of `late`.
    pub seen: bool,
    /// True when the trip is over on the cart, too.
    pub over: bool,
}

impl TransferRow {
    /// True while the cart may go on with the trip, or staff have something to look at.
    pub fn open(&self) -> bool {
        !self.over || self.unseen()
    }

    /// True while staff have something to look at.
    pub fn unseen(&self) -> bool {
        !self.late.is_empty() && !self.seen
    }
}
