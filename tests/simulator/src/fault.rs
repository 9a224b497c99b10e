//! What can break, and when.

use crate::Ms;

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// When it strikes.
    pub at: Ms,
    /// What breaks.
    pub what: What,
}

/// One of the two ends of the line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// A cart, by its number from 0.
    Cart(usize),
    /// The hub.
    Hub,
}

/// What breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// A cart loses its power.
    CartPower {
        /// Which.
        cart: usize,
        /// For how long.
        down: Ms,
    },
    /// A cart's power goes in its next write to the disk: after it was flushed, or before.
    CartWrite {
        /// Which.
        cart: usize,
        /// True when the write is on the disk.
        written: bool,
    },
    /// A record in a cart's journal cannot be read any more; the cart stops and starts again.
    JournalRots {
        /// Which.
        cart: usize,
    },
    /// The hub is killed.
    HubKilled {
        /// For how long it stays down.
        down: Ms,
    },
    /// The hub dies in its next commit: after it was flushed, or before.
    HubWrite {
        /// True when it is on the disk.
        written: bool,
    },
    /// The hub dies when it has carried out so many effects of the next commit.
    HubSpeaks {
        /// How many.
        said: usize,
    },
    /// The hub stands still and another takes its place; then it goes on as if nothing had happened.
    TwoHubs {
        /// For how long it stands still.
        still: Ms,
    },
    /// The hub stands still.
    HubStill {
        /// For how long.
        still: Ms,
    },
    /// The hub's disk is full.
    HubFull {
        /// For how long.
        lasts: Ms,
    },
    /// The hub's next flush fails.
    HubFlush,
    /// The broker stops, and starts again with nothing in it.
    Broker {
        /// For how long it is down.
        down: Ms,
    },
    /// One end's network is gone.
    Cut {
        /// Whose.
        end: End,
        /// For how long.
        lasts: Ms,
    },
    /// One end's network loses, doubles and delays.
    Bad {
        /// Whose.
        end: End,
        /// For how long.
        lasts: Ms,
    },
    /// The broker silently drops a cart's records, as one does whose rights are wrong.
    Swallowed {
        /// Whose.
        cart: usize,
        /// For how long.
        lasts: Ms,
    },
    /// A terminal is out of reach.
    TerminalOff {
        /// At which lane, from 0.
        lane: usize,
        /// For how long.
        lasts: Ms,
    },
    /// A terminal crashes when it next takes money, before it has told anybody.
    CrashAfterApproval {
        /// At which lane.
        lane: usize,
    },
    /// A terminal's next answer is lost.
    AnswerLost {
        /// At which lane.
        lane: usize,
    },
    /// The next card is refused.
    CardRefused {
        /// At which lane.
        lane: usize,
    },
    /// Nobody holds a card to the reader until it gives up.
    NoCard {
        /// At which lane.
        lane: usize,
    },
    /// A wall clock jumps.
    Clock {
        /// Whose.
        end: End,
        /// By how much, in milliseconds.
        by: i64,
    },
    /// Staff take a cart's basket to a till, however the cart is.
    BasketTaken {
        /// Whose.
        cart: usize,
    },
    /// The store's prices change: for trips that begin after the cart has started again.
    Prices,
}

impl std::fmt::Display for Fault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>9.3} s  {:?}", self.at as f64 / 1_000.0, self.what)
    }
}
