//! What the checks see: the things that people, disks and terminals are left with.

use cart_core::View;
use store_hub::store::Write;
use trip::chain::Head;
use trip::{CartId, IntentId, Money, TripId, TripState};

/// One thing that happened.
#[derive(Debug)]
pub enum Fact<'a> {
    /// A cart shows this; `on_disk` is the replay of its disk at that moment.
    Shown {
        /// Which cart.
        cart: usize,
        /// What.
        view: &'a View,
        /// What its disk says.
        on_disk: &'a TripState,
    },
    /// A cart starts and finds this on its disk.
    Started {
        /// Which cart.
        cart: usize,
        /// What was on its disk when it stopped.
        before: &'a TripState,
        /// What it makes of its disk now.
        state: &'a TripState,
        /// True when its journal did not hold.
        damaged: bool,
    },
    /// The hub committed this.
    Committed {
        /// All of one commit.
        writes: &'a [Write],
    },
    /// The hub tells a cart that all up to here is committed.
    Acked {
        /// Which cart.
        cart: &'a CartId,
        /// Which journal.
        epoch: u64,
        /// Up to here.
        head: Head,
    },
    /// A terminal took money.
    Taken {
        /// For which attempt.
        intent: &'a IntentId,
        /// Of which trip.
        trip: &'a TripId,
        /// How much.
        amount: Money,
    },
}
