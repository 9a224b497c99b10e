//! What is not as usual, who waits for a person, and carts that nobody has.

use cart_core::Device;
use cart_core::view::{AgeWait, Banner, PayBlocked, Screen, View, Waiting};
use trip::LineId;

use super::goods::{sku, with};
use super::trip::{basket, empty, welcome};
use super::{App, CartWindow, Sample};

const HELP: fn(&App) = |window| window.state().set_help_open(true);
const AGE: fn(&App) = |window| window.waits().set_age_open(true);

/// Wine in the basket, and nobody has looked at the buyer's age yet.
pub fn age_check() -> View {
    let wine =
        AgeWait { line: LineId(4), sku: sku("red-wine"), name: "Red wine, Rioja".into(), pieces: 1, min_age: 18 };
    View {
        pay_blocked: Some(PayBlocked::AgeCheck),
        banner: Some(Banner::AgeCheck),
        notices: vec![Banner::AgeCheck],
        waiting: Waiting { age: vec![wine], age_s: Some(200), before: Some(1), ..Waiting::default() },
        ..basket()
    }
}

/// Help is called.
fn help(waiting: Waiting) -> View {
    let notices = vec![Banner::HelpCalled];
    View { help_called: true, banner: Some(Banner::HelpCalled), notices, waiting, ..basket() }
}

/// A bad day of a cart.
fn notices() -> View {
    let notices =
        vec![Banner::DeviceOut(Device::Scale), Banner::CameraCovered(1), Banner::BatteryLow(9), Banner::Offline];
    View {
        banner: notices.first().cloned(),
        notices,
        connected: false,
        offline_minutes: Some(12),
        battery: Some((9, false)),
        battery_minutes: Some(14),
        battery_ready: false,
        ..basket()
    }
}

fn banner(banner: Banner) -> View {
    View { banner: Some(banner.clone()), notices: vec![banner], ..basket() }
}

/// Its samples.
pub(super) fn samples() -> Vec<Sample> {
    vec![
        Sample::new("basket-age-check", age_check()),
        Sample::new("age-check", age_check()).opening(AGE),
        Sample::new(
            "age-check-at-lane",
            with(age_check(), |v| {
                v.lane = Some("2".into());
                v.waiting.before = Some(0);
                v.waiting.usual_s = Some(110);
            }),
        )
        .opening(AGE),
        Sample::new(
            "help",
            help(Waiting { help_s: Some(80), before: Some(2), usual_s: Some(140), ..Waiting::default() }),
        )
        .opening(HELP),
        Sample::new(
            "help-next",
            help(Waiting { help_s: Some(144), before: Some(0), usual_s: Some(140), ..Waiting::default() }),
        )
        .opening(HELP),
        Sample::new("help-coming", help(Waiting { help_s: Some(95), coming: true, ..Waiting::default() }))
            .opening(HELP),
        Sample::new(
            "help-shared",
            View { shared: true, ..help(Waiting { help_s: Some(101), coming: true, ..Waiting::default() }) },
        ),
        Sample::new("help-called", help(Waiting { help_s: Some(62), ..Waiting::default() })),
        Sample::new(
            "help-offline",
            View { connected: false, ..help(Waiting { help_s: Some(12), ..Waiting::default() }) },
        )
        .opening(HELP),
        Sample::new("notices", notices()).opening(|window| window.conditions().set_open(true)),
        Sample::new("still-shopping", View { still_there: Some(42), ..empty() }),
        Sample::new("offline", View { connected: false, offline_minutes: Some(0), ..banner(Banner::Offline) }),
        Sample::new("offline-long", View { connected: false, offline_minutes: Some(7), ..banner(Banner::Offline) }),
        Sample::new(
            "offline-at-lane",
            View {
                connected: false,
                offline_minutes: Some(7),
                lane: Some("2".into()),
                pay_blocked: Some(PayBlocked::Offline),
                ..banner(Banner::Offline)
            },
        ),
        Sample::new("camera-covered", banner(Banner::CameraCovered(1))),
        Sample::new("motion-out", banner(Banner::DeviceOut(Device::Motion))),
        Sample::new("camera-out", banner(Banner::DeviceOut(Device::Camera(1)))),
        Sample::new("scale-out", banner(Banner::DeviceOut(Device::Scale))),
        Sample::new("unsteady", View { pay_blocked: Some(PayBlocked::Unsteady), ..banner(Banner::Unsteady) }),
        Sample::new("tilted", View { pay_blocked: Some(PayBlocked::Unsteady), ..banner(Banner::Tilted) }),
        Sample::new("overloaded", banner(Banner::Overloaded)),
        Sample::new(
            "battery-low",
            View {
                battery: Some((9, false)),
                battery_minutes: Some(12),
                battery_ready: false,
                ..banner(Banner::BatteryLow(9))
            },
        ),
        Sample::new("lane-refused", banner(Banner::LaneRefused)),
        Sample::new(
            "charging",
            View {
                screen: Screen::Charging,
                battery: Some((9, true)),
                battery_minutes: Some(18),
                battery_ready: false,
                ..welcome()
            },
        ),
        Sample::new(
            "charging-ready",
            View { screen: Screen::Charging, battery: Some((64, true)), battery_minutes: Some(50), ..welcome() },
        ),
        Sample::new(
            "low-battery",
            View { screen: Screen::LowBattery, battery: Some((11, false)), battery_ready: false, ..welcome() },
        ),
    ]
}
