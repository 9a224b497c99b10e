//! Plays a plan to its end.

use std::collections::VecDeque;

use crate::Ms;
use crate::check;
use crate::plan::Plan;
use crate::world::World;

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breach {
    /// Which.
    pub check: String,
    /// When.
    pub at: Ms,
    /// How.
    pub why: String,
}

impl std::fmt::Display for Breach {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.3} s: {}: {}", self.at as f64 / 1_000.0, self.check, self.why)
    }
}

/// What was done and seen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Things that happened in the world.
    pub steps: u64,
    /// Faults that struck.
    pub faults: u64,
    /// Starts of carts and hubs.
    pub starts: u64,
    /// Messages that the broker carried.
    pub messages: u64,
    /// Records that the broker swallowed.
    pub lost: u64,
    /// Acks that the hub sent.
    pub acks: u64,
    /// Payments that terminals took.
    pub taken: u64,
    /// Records in the carts' journals.
    pub records: u64,
    /// Writes of carts to their disks.
    pub cart_writes: u64,
    /// Commits of the hub.
    pub commits: u64,
    /// Words of alarm to staff.
    pub alarms: u64,
    /// Baskets that staff took to a till.
    pub transfers: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.steps += other.steps;
        self.faults += other.faults;
        self.starts += other.starts;
        self.messages += other.messages;
        self.lost += other.lost;
        self.acks += other.acks;
        self.taken += other.taken;
        self.records += other.records;
        self.cart_writes += other.cart_writes;
        self.commits += other.commits;
        self.alarms += other.alarms;
        self.transfers += other.transfers;
    }
}

/// What came of a plan.
#[derive(Clone, Debug)]
pub struct Report {
    /// In numbers.
    pub counts: Counts,
    /// How long it took in the world.
    pub took: Ms,
    /// The first promise that was broken, if one was.
    pub breach: Option<Breach>,
    /// The last of what happened, where it was wanted.
    pub trace: VecDeque<String>,
}

/// Plays `plan`; with `traced`, what happened can be read afterwards.
pub fn run(plan: Plan, traced: bool) -> Report {
    let mut world = World::new(plan, check::all(), traced);
    while world.step() {}
    if world.breach.is_none() {
        world.finish();
    }
    Report { counts: world.counts, took: world.now, breach: world.breach, trace: world.trace.unwrap_or_default() }
}
