//! The truth: what lies in the basket, who reaches in, what breaks, as a function of time.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::camera::{FRAME_HEIGHT_PX, FRAME_WIDTH_PX};
use super::look::SimItem;
use super::noise::{Dice, hash};
use super::stay::{Cover, Stay};
use super::strain::{Hand, Lean, Roll, Slope, Strains};
use crate::{LightSignal, Moment, Tone};

/// A thing in the world, for whoever put it there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ItemHandle(usize);

/// What can break.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// A camera gives no frames.
    CameraDead(u8),
    /// Something hangs over a camera: its frames are dark.
    CameraCovered(u8),
    /// The scale does not answer.
    ScaleDead,
    /// The scale gives no numbers.
    ScaleNotANumber,
    /// The scale's reading jumps about.
    ScaleJumps,
}

pub(super) struct Truth {
    pub(super) seed: u64,
    pub(super) stays: Vec<Stay>,
    pub(super) bumps: Vec<Moment>,
    pub(super) strains: Strains,
    pub(super) lane: Option<String>,
    pub(super) battery: (u8, bool),
    pub(super) faults: Vec<Fault>,
    pub(super) light: LightSignal,
    pub(super) tones: Vec<Tone>,
}

/// The world of one simulated cart. Clones share it.
#[derive(Clone)]
pub struct World {
    // A mutex, because the devices are read by threads of their own while the shopper acts. A camera
    // holds it while it draws a frame, a few milliseconds: the other devices only wait that long.
    truth: Arc<Mutex<Truth>>,
}

impl World {
    /// An empty basket.
    pub fn new(seed: u64) -> Self {
        let truth = Truth {
            seed,
            stays: Vec::new(),
            bumps: Vec::new(),
            strains: Strains::default(),
            lane: None,
            battery: (86, false),
            faults: Vec::new(),
            light: LightSignal::default(),
            tones: Vec::new(),
        };
        Self { truth: Arc::new(Mutex::new(truth)) }
    }

    pub(super) fn truth(&self) -> MutexGuard<'_, Truth> {
        // Whoever panicked while holding it left only finished changes behind.
        self.truth.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a thing in, from `at`; says when it will have come to rest.
    pub fn put(&self, item: &SimItem, at: Moment) -> (ItemHandle, Moment) {
        let mut truth = self.truth();
        let stay = self.stay(&truth, item, at);
        let rests_at = stay.quiet_at();
        truth.stays.push(stay);
        (ItemHandle(truth.stays.len() - 1), rests_at)
    }

    /// Puts two things in with two hands: they land together.
    pub fn put_two(&self, items: [&SimItem; 2], at: Moment) -> ([ItemHandle; 2], Moment) {
        let (first, rests_first) = self.put(items[0], at);
        let (second, rests_second) = self.put(items[1], at);
        let mut truth = self.truth();
        let lands = truth.stays[first.0].lands_at.max(truth.stays[second.0].lands_at);
        for handle in [first, second] {
            truth.stays[handle.0].land_at(lands);
        }
        ([first, second], rests_first.max(rests_second))
    }

    /// Puts a thing into a bag that lies in the basket: it is seen on its way in, and then no more.
    pub fn put_in_bag(&self, item: &SimItem, bag: ItemHandle, at: Moment) -> (ItemHandle, Moment) {
        let (handle, rests_at) = self.put(item, at);
        let mut truth = self.truth();
        if bag.0 < handle.0 {
            let (before, after) = truth.stays.split_at_mut(handle.0);
            after[0].lie_like(&before[bag.0]);
        }
        truth.stays[handle.0].cover = Cover::Bag;
        (handle, rests_at)
    }

    /// Puts in two things with one hand, the second under the first: only the first is seen, until
    /// it is taken out again.
    pub fn put_covered(&self, top: &SimItem, under: &SimItem, at: Moment) -> ([ItemHandle; 2], Moment) {
        let (first, rests_at) = self.put(top, at);
        let (second, _) = self.put(under, at);
        let mut truth = self.truth();
        let (before, after) = truth.stays.split_at_mut(second.0);
        after[0].along(&before[first.0]);
        after[0].cover = Cover::Under(first.0);
        ([first, second], rests_at)
    }

    /// Takes one thing out with one hand while the other lays another in its place, which lands
    /// `gap` after the first was lifted. Says when both hands are gone.
    pub fn swap(&self, out: ItemHandle, with: &SimItem, gap: Duration, at: Moment) -> (ItemHandle, Moment) {
        let (handle, _) = self.put(with, at);
        let mut truth = self.truth();
        let new = handle.0;
        let Some(old) = truth.stays.get(out.0).filter(|_| out.0 < new) else { return (handle, at) };
        let lands = (at.max(old.quiet_at()) + Stay::REACHING + gap).max(truth.stays[new].lands_at);
        let lifted = Moment(lands.0.saturating_sub(gap.as_micros() as u64));
        let (before, after) = truth.stays.split_at_mut(new);
        before[out.0].lift_at(lifted);
        after[0].lie_like(&before[out.0]);
        after[0].land_at(lands);
        let gone = truth.stays[out.0].quiet_at().max(truth.stays[new].quiet_at());
        (handle, gone)
    }

    /// An empty hand reaches in, rummages and draws back, within `time`.
    pub fn reach(&self, at: Moment, time: Duration) -> Moment {
        let mut truth = self.truth();
        let mut dice = Dice::new(hash(truth.seed, at.0));
        let (width, height) = (FRAME_WIDTH_PX as f32, FRAME_HEIGHT_PX as f32);
        let place = (width * dice.between(0.36, 0.64), height * dice.between(0.40, 0.60));
        let edge = (width * dice.between(0.3, 0.7), height + 190.0);
        let press_g = dice.between(20.0, 160.0);
        truth.strains.hands.push(Hand { from: at, until: at + time, place, edge, press_g });
        at + time
    }

    /// Someone leans on the rim with about `grams`, never quite still, for `time`.
    pub fn lean(&self, at: Moment, time: Duration, grams: f32) -> Moment {
        let mut truth = self.truth();
        let seed = hash(truth.seed, at.0 ^ 0x1EA);
        truth.strains.leans.push(Lean { from: at, until: at + time, grams, seed });
        at + time
    }

    /// The cart is pushed for `time`: it rattles.
    pub fn roll(&self, at: Moment, time: Duration) -> Moment {
        self.truth().strains.rolls.push(Roll { from: at, until: at + time });
        at + time
    }

    /// The cart stands on a slope for `time`; positive `degrees` are uphill.
    pub fn stand_on_slope(&self, at: Moment, time: Duration, degrees: f32) -> Moment {
        self.truth().strains.slopes.push(Slope { from: at, until: at + time, degrees });
        at + time
    }

    /// True when a camera could have seen something move at `at`, or no longer than `before` earlier.
    pub fn stirred(&self, at: Moment, before: Duration) -> bool {
        let truth = self.truth();
        truth.stays.iter().any(|stay| stay.stirred(at, before)) || truth.strains.hand_stirred(at, before)
    }

    /// A thing that has lain there since before the program began.
    pub fn place(&self, item: &SimItem) -> ItemHandle {
        let mut truth = self.truth();
        let stay = self.stay(&truth, item, Moment(0)).settled();
        truth.stays.push(stay);
        ItemHandle(truth.stays.len() - 1)
    }

    fn stay(&self, truth: &Truth, item: &SimItem, at: Moment) -> Stay {
        let seed = hash(truth.seed, truth.stays.len() as u64);
        Stay::new(item, at, seed, FRAME_WIDTH_PX as f32, FRAME_HEIGHT_PX as f32)
    }

    /// Takes a thing out, from `at`; says when it will be gone. A thing that is out stays out.
    pub fn take(&self, item: ItemHandle, at: Moment) -> Moment {
        let mut truth = self.truth();
        let Some(stay) = truth.stays.get_mut(item.0) else { return at };
        if stay.taken_at.is_none() {
            stay.taken_at = Some(at.max(stay.quiet_at()));
        }
        stay.quiet_at()
    }

    /// Knocks the cart.
    pub fn bump(&self, at: Moment) -> Moment {
        self.truth().bumps.push(at);
        at + Duration::from_secs(1)
    }

    /// Rolls the cart to a lane, or away from all of them.
    pub fn set_lane(&self, lane: Option<String>) {
        self.truth().lane = lane;
    }

    /// Rolls the cart to `lane`, or away when it stands there.
    pub fn toggle_lane(&self, lane: &str) {
        let mut truth = self.truth();
        truth.lane = if truth.lane.is_some() { None } else { Some(lane.to_owned()) };
    }

    /// Sets the battery: percent, and whether it charges.
    pub fn set_battery(&self, percent: u8, charging: bool) {
        self.truth().battery = (percent.min(100), charging);
    }

    /// Breaks something.
    pub fn inject(&self, fault: Fault) {
        self.truth().faults.push(fault);
    }

    /// Mends it.
    pub fn mend(&self, fault: Fault) {
        self.truth().faults.retain(|f| *f != fault);
    }

    pub(super) fn has(&self, fault: Fault) -> bool {
        self.truth().faults.contains(&fault)
    }

    /// What the cart's light shows.
    pub fn light(&self) -> LightSignal {
        self.truth().light
    }

    /// The tones the cart has played, oldest first.
    pub fn tones(&self) -> Vec<Tone> {
        self.truth().tones.clone()
    }
}
