//! All that is not as usual, most urgent first; and what staff are told of it.

use trip::Phase;

use super::Cart;
use crate::input::Device;
use crate::view::Banner;
use crate::weight_step::Condition;

/// What a cart tells staff of itself, besides its devices' own words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Health {
    /// For how many minutes the charge lasts; `None` while that is not known, and while charging.
    pub battery_minutes: Option<u32>,
    /// True while a trip is below the reserve.
    pub battery_low: bool,
    /// Cameras that are covered, by number.
    pub covered: Vec<u8>,
    /// For how many whole minutes goods have stood in it with nobody there.
    pub left_minutes: Option<u32>,
}

impl Cart {
    /// What staff are told.
    pub fn health(&self) -> Health {
        let (_, charging) = self.gauge.charge().unwrap_or((100, false));
        Health {
            battery_minutes: if charging { None } else { self.gauge.minutes_to(0) },
            battery_low: self.state.phase != Phase::Idle && !charging && self.below_reserve(),
            covered: self.covered().collect(),
            left_minutes: self.left_minutes(),
        }
    }

    /// True while the charge is too little for a new trip. A gauge that cannot be read stops nobody.
    pub(super) fn below_reserve(&self) -> bool {
        self.gauge.charge().is_some_and(|(percent, _)| percent < self.setup.battery_reserve)
    }

    /// Minutes until the battery is empty, or while charging until the cart may be taken, and then until it
    /// is full.
    pub(super) fn battery_minutes(&self) -> Option<u32> {
        match self.gauge.charge() {
            Some((_, true)) if self.below_reserve() => self.gauge.minutes_to(self.setup.battery_reserve),
            Some((_, true)) => self.gauge.minutes_to(100),
            _ => self.gauge.minutes_to(0),
        }
    }

    /// All that is not as usual, most urgent first.
    pub(super) fn notices(&self) -> Vec<Banner> {
        let condition = self.steps.condition();
        let shopping = self.state.phase == Phase::Shopping;
        let out = |device: Device| self.faults.contains_key(&device).then_some(Banner::DeviceOut(device));
        let camera = |device: &Device| matches!(device, Device::Camera(_)).then_some(Banner::DeviceOut(*device));
        let mut notices = Vec::new();
        notices.extend((condition == Condition::Overloaded).then_some(Banner::Overloaded));
        notices.extend((!self.scale_works()).then_some(Banner::DeviceOut(Device::Scale)));
        notices.extend(self.faults.keys().filter_map(camera));
        notices.extend(self.covered().map(Banner::CameraCovered));
        notices.extend(self.lane_refused.then_some(Banner::LaneRefused));
        if let Some((percent, false)) = self.gauge.charge().filter(|_| self.below_reserve()) {
            notices.push(Banner::BatteryLow(percent));
        }
        notices.extend((shopping && condition == Condition::Tilted).then_some(Banner::Tilted));
        notices.extend((shopping && condition == Condition::Unsteady).then_some(Banner::Unsteady));
        notices.extend(out(Device::Motion));
        notices.extend(out(Device::Battery));
        notices.extend(self.state.help.then_some(Banner::HelpCalled));
        notices.extend((!self.state.age_checks.is_empty()).then_some(Banner::AgeCheck));
        notices.extend((!self.connected()).then_some(Banner::Offline));
        notices.extend(self.over_budget().then_some(Banner::BudgetReached));
        notices
    }
}
