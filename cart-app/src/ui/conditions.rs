//! What is not as usual, and how long it may last.

use cart_core::Device;
use cart_core::view::{Banner, View};
use cart_ui::BannerKind;
use slint::{ModelRc, VecModel};

use super::CartWindow;
use super::basket::number;

pub(super) fn apply(window: &impl CartWindow, view: &View, before: Option<&View>) {
    let data = window.conditions();
    if before.is_none_or(|b| b.notices != view.notices) {
        let kinds: Vec<BannerKind> = view.notices.iter().map(kind).collect();
        data.set_notices(ModelRc::new(VecModel::from(kinds)));
    }
    if view.notices.is_empty() {
        data.set_open(false);
    }
    data.set_offline_minutes(view.offline_minutes.map_or(0, number));
    data.set_battery_minutes(view.battery_minutes.map_or(-1, number));
    data.set_battery_ready(view.battery_ready);
    data.set_still_seconds(view.still_there.map_or(-1, number));
}

/// The markup's name of what is not as usual.
pub(super) fn kind(banner: &Banner) -> BannerKind {
    match banner {
        Banner::Offline => BannerKind::Offline,
        Banner::DeviceOut(Device::Camera(_)) => BannerKind::CameraOut,
        Banner::DeviceOut(Device::Scale) => BannerKind::ScaleOut,
        Banner::DeviceOut(Device::Motion) => BannerKind::MotionOut,
        Banner::DeviceOut(Device::Battery) => BannerKind::BatteryOut,
        Banner::CameraCovered(_) => BannerKind::CameraCovered,
        Banner::Unsteady => BannerKind::Unsteady,
        Banner::Tilted => BannerKind::Tilted,
        Banner::Overloaded => BannerKind::Overloaded,
        Banner::BatteryLow(_) => BannerKind::BatteryLow,
        Banner::LaneRefused => BannerKind::LaneRefused,
        Banner::HelpCalled => BannerKind::HelpCalled,
        Banner::AgeCheck => BannerKind::AgeCheck,
        Banner::BudgetReached => BannerKind::BudgetReached,
    }
}
