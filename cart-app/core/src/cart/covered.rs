//! A camera that gives frames and sees nothing: something hangs over it, or it is smeared.
//!
//! A dark or flat picture alone is no fault: the light may be off, the basket may be bare. It is one when
//! the others notice something, and this one still shows nothing a moment later.

use std::collections::BTreeMap;
use std::time::Duration;

use hal::{CameraId, Moment};

use super::Cart;
use crate::effect::{Effect, Signal};
use crate::input::Device;

/// A hand that passes right over a camera is gone by then.
const BLIND_FOR: Duration = Duration::from_secs(3);
/// What the others noticed has come into this one's view by then.
const SEEN_WITHIN: Duration = Duration::from_secs(2);

/// A camera whose picture shows nothing.
#[derive(Clone, Copy, Debug)]
pub(super) struct Blind {
    since: Moment,
    /// When the others noticed what it should have seen.
    missed: Option<Moment>,
    covered: bool,
}

/// The cameras that show nothing.
pub(super) type Blinds = BTreeMap<CameraId, Blind>;

impl Cart {
    /// A camera says whether its picture shows anything.
    pub(super) fn on_sight(&mut self, camera: CameraId, clear: bool, now: Moment) {
        if !clear {
            self.blind.entry(camera).or_insert(Blind { since: now, missed: None, covered: false });
        } else if self.blind.remove(&camera).is_some_and(|blind| blind.covered) {
            self.effects.push_back(Effect::Show);
        }
    }

    /// Something happened in the basket that every camera should have seen; `by` is the one that did.
    pub(super) fn noticed(&mut self, by: Option<CameraId>, now: Moment) {
        for (camera, blind) in &mut self.blind {
            if Some(*camera) != by && now.since(blind.since) >= BLIND_FOR {
                blind.missed.get_or_insert(now);
            }
        }
    }

    /// When one is known to be covered.
    pub(super) fn covered_due(&self) -> Option<Moment> {
        let waiting = self.blind.values().filter(|blind| !blind.covered);
        waiting.filter_map(|blind| blind.missed).map(|missed| missed + SEEN_WITHIN).min()
    }

    /// Tells of those that missed what the others noticed.
    pub(super) fn covered_tick(&mut self, now: Moment) {
        let mut covered = Vec::new();
        for (camera, blind) in &mut self.blind {
            if !blind.covered && blind.missed.is_some_and(|missed| now.since(missed) >= SEEN_WITHIN) {
                blind.covered = true;
                covered.push(*camera);
            }
        }
        for camera in covered {
            // Who sees nothing sees nothing move.
            self.evidence.still(camera);
            self.effects.push_back(Effect::Warn(format!("{}: covered, or it sees nothing", Device::Camera(camera.0))));
            self.effects.push_back(Effect::Light(Signal::Fault));
            self.effects.push_back(Effect::Show);
        }
    }

    /// Cameras that are covered and not out besides.
    pub(super) fn covered(&self) -> impl Iterator<Item = u8> + '_ {
        let covered = self.blind.iter().filter(|(_, blind)| blind.covered).map(|(camera, _)| camera.0);
        covered.filter(|camera| !self.faults.contains_key(&Device::Camera(*camera)))
    }
}
