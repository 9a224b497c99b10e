//! Staff mode: the way in, and each of its pages.

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use hal::board::ScaleBoard;
use hal::sim::{SimCamera, World};
use hal::{BatteryReading, CameraId, ManualClock, Moment, MotionReading};
use trip::UnixMillis;

use super::Sample;
use super::goods::{LONG_NAME, sku};
use super::trip::{basket, welcome};
use crate::staff::calibrate::Calibrating;
use crate::staff::calibration::Line;
use crate::staff::diagnose;
use crate::staff::enrolling::{EnrolResult, EnrolView, Found, PICTURES};
use crate::staff::instruments::{DeviceState, Kind, NoRest, Rest};
use crate::staff::log::{LogLevel, LogLine};
use crate::staff::view::{
    Curve, DevicesView, HomeView, HubStanding, HubView, LogView, Page, Picture, PinView, RecordingFile, RecordingsView,
    ScaleView, StaffView,
};

/// The simulated basket, as its two cameras see it.
static SEEN: LazyLock<Vec<Picture>> = LazyLock::new(|| {
    let world = World::new(4);
    let camera = |n| SimCamera::new(world.clone(), CameraId(n), Arc::new(ManualClock::default()));
    (0..2).map(|n| diagnose::picture(&camera(n).render(Moment::from_millis(800)))).collect()
});

/// A thing comes in, swings and rests.
static CURVE: LazyLock<Curve> = LazyLock::new(|| {
    let grams = |n: u64| {
        let t = n as f32 / 80.0 - 9.0;
        let swing = if t < 0.0 { 0.0 } else { 742.0 * (1.0 - (-t * 4.0).exp() * (t * 30.0).cos()) };
        swing + ((n * 37 % 11) as f32 - 5.0) * 0.3
    };
    let samples: Vec<(Moment, f32)> = (0..1_600).map(|n| (Moment(n * 12_500), grams(n))).collect();
    diagnose::curve(&samples, Moment::from_millis(20_000))
});

fn on(page: Page) -> StaffView {
    StaffView { page, ..StaffView::default() }
}

fn home() -> HomeView {
    HomeView {
        cart: "cart-07".into(),
        store: "market-street".into(),
        version: "0.1.0".into(),
        model: "pair 3fa91c07".into(),
        products: 81,
        free_mib: Some(11_730),
        unsynced: 0,
        connected: true,
        out: 0,
        recording: false,
    }
}

fn device(kind: Kind, model: &str, port: &str) -> DeviceState {
    DeviceState {
        kind,
        model: model.into(),
        port: port.into(),
        calibration: String::new(),
        out: false,
        last_error: String::new(),
    }
}

fn devices() -> DevicesView {
    let scale = DeviceState {
        calibration: "zero at 1204 counts, 102.031 counts a gram".into(),
        last_error: "no sample in 100 ms".into(),
        ..device(Kind::Scale, "HX711 load cell", "gpio 5/6")
    };
    let far = DeviceState {
        out: true,
        last_error: "/dev/video2: no frame in 2 s; is its cable in? `cart devices` says what is there".into(),
        ..device(Kind::Camera(1), "USB 2.0 Camera", "/dev/video2")
    };
    DevicesView {
        devices: vec![
            device(Kind::Camera(0), "USB 2.0 Camera", "/dev/video0"),
            far,
            scale,
            device(Kind::Motion, "lsm6dso", "iio:device0"),
            device(Kind::Battery, "BAT0", "/sys/class/power_supply/BAT0"),
            device(Kind::Light, "light on the rim", "gpio 17/27/22"),
            device(Kind::Sounder, "buzzer", "pwm 18"),
            device(Kind::LaneBeacon, "receiver", "/dev/ttyUSB0"),
        ],
        pictures: SEEN.clone(),
        curve: CURVE.clone(),
        weight: Ok(742.3),
        motion: Some(MotionReading { at: Moment(0), accel_mg: [12.0, -4.0, 999.0] }),
        battery: Some(BatteryReading { at: Moment(0), percent: 82, charging: false }),
    }
}

fn dead() -> DevicesView {
    let mut view = devices();
    view.devices.iter_mut().for_each(|device| device.out = true);
    DevicesView {
        pictures: Vec::new(),
        curve: Curve { highest_g: 40.0, ..Curve::default() },
        weight: Err(NoRest::Silent),
        motion: None,
        battery: None,
        ..view
    }
}

fn scale(readings: &[f32], weight: Result<f32, NoRest>) -> ScaleView {
    let line = Line::of(&ScaleBoard::default());
    let mut run = Calibrating::new(line, 35_000);
    run.choose(2_000);
    readings.iter().for_each(|grams| run.read(Ok(Rest { grams: *grams })));
    ScaleView { run, weight, in_force: line.words(), fitted: true }
}

fn hub(standing: HubStanding) -> HubView {
    HubView {
        cart: "cart-07".into(),
        store: "market-street".into(),
        address: "hub.market-street.example:1883".into(),
        public_key: "kXwq3m1Zr8Vb5tqYd0a7uLr3nJ2sQ9cPz4eHfG6iT8o".into(),
        fingerprint: "9f2c 07d1 4be8 a1c3 55e0".into(),
        standing,
    }
}

fn enrol(text: &str, found: Vec<Found>) -> EnrolView {
    EnrolView {
        text: text.into(),
        found,
        unknown_code: None,
        product: None,
        live: SEEN.first().cloned(),
        taken: Vec::new(),
        result: EnrolResult::None,
        sight: true,
    }
}

fn found(name: &str, enrolled: bool) -> Found {
    Found { sku: sku("oat-drink-1l"), name: name.into(), enrolled }
}

fn search() -> EnrolView {
    let names = ["Oat drink 1 l", "Oat biscuits 300 g", "Porridge oats 500 g", LONG_NAME];
    enrol("oat", names.iter().map(|name| found(name, false)).collect())
}

fn pictures(taken: usize, result: EnrolResult) -> EnrolView {
    let product = Some(found("Oat drink 1 l", true));
    EnrolView { product, taken: SEEN.iter().cycle().take(taken).cloned().collect(), result, ..enrol("oat", Vec::new()) }
}

fn ready(too_near: &[&str]) -> EnrolResult {
    let too_near = too_near.iter().map(|name| (*name).to_owned()).collect();
    EnrolResult::Ready { views: 10, too_near, barcode_required: false }
}

fn recordings(under_way: bool, trouble: &str) -> RecordingsView {
    let file = |name: &str, bytes, under_way| RecordingFile { name: name.into(), bytes, under_way };
    RecordingsView {
        files: vec![
            file("0009.trip-recording", 48_300_000, under_way),
            file("0008.trip-recording", 412_900_000, false),
            file("0007.trip-recording", 1_730_000, false),
        ],
        under_way,
        folder: PathBuf::from("/var/lib/trundle/cart-07/recordings"),
        trouble: trouble.into(),
    }
}

fn log(level: LogLevel) -> LogView {
    // 14:05 UTC on 25 November 2026.
    let line = |n: i64, level, part: &str, text: &str| LogLine {
        at: UnixMillis(1_795_615_500_000 - n * 61_000),
        level,
        part: part.into(),
        text: text.into(),
    };
    let lines = vec![
        line(0, LogLevel::Info, "cart_app::staff::desk", "staff mode is open"),
        line(1, LogLevel::Warn, "cart_app::wiring", "out why=no frame in 2 s device=camera 1"),
        line(
            2,
            LogLevel::Error,
            "store_sync::link",
            "the hub has taken no record for 60 s although it is reached; is this cart's key in its configuration? \
             cart=cart-07 unsynced=214",
        ),
        line(3, LogLevel::Info, "cart_app::staff::desk", "staff calibrated the scale zero=1204.0 slope=102.031"),
        line(9, LogLevel::Info, "cart_app::startup", "the journal is whole events=1312"),
    ];
    LogView { level, lines: lines.into_iter().filter(|line| line.level <= level).collect() }
}

/// Its samples.
pub(super) fn samples() -> Vec<Sample> {
    let sample = |name, page| Sample::new(name, welcome()).behind(on(page));
    let pin = |name, pin| sample(name, Page::Pin(pin));
    let busy_home = HomeView {
        out: 2,
        connected: false,
        unsynced: 214,
        recording: true,
        model: String::new(),
        free_mib: None,
        products: 0,
        ..home()
    };
    let during_a_trip = StaffView { closes_in_s: Some(42), trip_runs: true, ..on(Page::Home(Box::new(busy_home))) };
    let devices_page = |name, view| sample(name, Page::Devices(Box::new(view)));
    let scale_page = |name, view| sample(name, Page::Scale(Box::new(view)));
    let hub_page = |name, standing| sample(name, Page::Hub(Box::new(hub(standing))));
    let enrol_page = |name, view| sample(name, Page::Enrol(Box::new(view)));
    let recordings_page = |name, view| sample(name, Page::Recordings(Box::new(view)));
    let unknown = EnrolView { unknown_code: Some("05012345678900".into()), ..enrol("", Vec::new()) };
    vec![
        pin("staff-pin", PinView::Ask),
        pin("staff-pin-wrong", PinView::Wrong),
        pin("staff-pin-wait", PinView::Wait(Duration::from_secs(80))),
        pin("staff-pin-not-set", PinView::NotSet),
        sample("staff-home", Page::Home(Box::new(home()))),
        Sample::new("staff-home-trip", basket()).behind(during_a_trip),
        devices_page("staff-devices", devices()),
        devices_page("staff-devices-dead", dead()),
        scale_page("staff-scale", scale(&[], Ok(1.2))),
        scale_page("staff-scale-refused", scale(&[9_000.0], Err(NoRest::Unsteady))),
        scale_page("staff-scale-mass", scale(&[2.0], Ok(2_001.8))),
        scale_page("staff-scale-check", scale(&[2.0, 2_002.0, 1_031.0], Ok(1_029.0))),
        scale_page("staff-scale-keep", scale(&[2.0, 2_002.0, 1_002.4], Ok(1_000.4))),
        hub_page("staff-hub", HubStanding::Knows),
        hub_page("staff-hub-no-ack", HubStanding::NoAck(214)),
        enrol_page("staff-enrol-search", search()),
        enrol_page("staff-enrol-unknown", unknown),
        enrol_page("staff-enrol-pictures", pictures(2, EnrolResult::None)),
        enrol_page("staff-enrol-full", pictures(PICTURES, EnrolResult::None)),
        enrol_page("staff-enrol-ready", pictures(PICTURES, ready(&["Soya drink 1 l", "Rice drink 1 l"]))),
        enrol_page("staff-enrol-done", pictures(0, EnrolResult::Done)),
        enrol_page("staff-enrol-failed", pictures(PICTURES, EnrolResult::Failed("picture 3 cannot be used".into()))),
        recordings_page("staff-recordings", recordings(false, "")),
        recordings_page("staff-recordings-on", recordings(true, "")),
        recordings_page("staff-recordings-trouble", recordings(false, "the disk is full")),
        sample("staff-log", Page::Log(log(LogLevel::Info))),
    ]
}
