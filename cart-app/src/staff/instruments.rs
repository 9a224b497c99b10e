//! What the devices say, kept for staff to look at: the last seconds of weight, the last movement and charge,
//! and, only while staff mode is open, each camera's last frame.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cart_core::{Device, Input};
use hal::{BatteryReading, CameraId, Frame, Identity, Moment, MotionReading, WeightReading};
use trip::gs1::Scanned;

use super::calibration::Line;

/// So much of the weight is kept.
pub const KEPT: Duration = Duration::from_secs(20);
/// Over so long a weight must be quiet to be believed: longer than a swing of a loaded basket.
pub const REST: Duration = Duration::from_millis(1_000);
/// Quiet: at most this standard deviation, and this between the halves of the time, in grams.
const QUIET_G: f32 = 3.0;
const LEVEL_G: f32 = 2.0;
/// The slowest converter gives ten samples a second; fewer in [`REST`] are a hole.
const LEAST_SAMPLES: usize = 8;

/// What staff see of a device's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A camera, by its number.
    Camera(u8),
    /// The basket scale.
    Scale,
    /// The inertial sensor.
    Motion,
    /// The battery.
    Battery,
    /// The light on the rim.
    Light,
    /// The sounder.
    Sounder,
    /// The receiver that knows the lane.
    LaneBeacon,
}

/// A device as it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceState {
    /// Which.
    pub kind: Kind,
    /// Maker and model; empty when it could not be opened.
    pub model: String,
    /// Where it is attached.
    pub port: String,
    /// The calibration in force, in words; empty where there is none.
    pub calibration: String,
    /// True while it is out.
    pub out: bool,
    /// The last trouble it had, also when it is over; empty when it never had any.
    pub last_error: String,
}

/// A weight at rest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rest {
    /// Mean, in grams.
    pub grams: f32,
}

/// Why there is no weight at rest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoRest {
    /// The scale says nothing.
    Silent,
    /// It says no numbers.
    NotANumber,
    /// It moves.
    Unsteady,
}

#[derive(Default)]
struct Inner {
    devices: Vec<DeviceState>,
    weights: VecDeque<(Moment, f32)>,
    motion: Option<MotionReading>,
    battery: Option<BatteryReading>,
    frames: BTreeMap<CameraId, Frame>,
    scan: Option<Scanned>,
}

/// Filled by the cart's threads, read by the staff thread.
#[derive(Default)]
pub struct Instruments {
    // A mutex, because the trip's thread and the cameras' threads write what the staff thread reads; it is held
    // for a push or a copy of some thousand numbers.
    inner: Mutex<Inner>,
    watching: AtomicBool,
    /// Records that the hub has not committed yet.
    pub unsynced: Arc<AtomicU64>,
    /// The correction of the scale's grams that is in force.
    pub line: Arc<Mutex<Line>>,
}

impl Instruments {
    /// Nothing was said yet; `unsynced` is counted by the line to the hub, and `line` lies over the scale.
    pub fn new(unsynced: Arc<AtomicU64>, line: Arc<Mutex<Line>>) -> Self {
        Self { unsynced, line, ..Self::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Whoever panicked while holding it left only a whole reading more or less.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that a device was opened.
    pub fn opened(&self, kind: Kind, identity: Identity) {
        let Identity { model, port, calibration } = identity;
        let calibration = calibration.unwrap_or_default();
        self.put(DeviceState { kind, model, port, calibration, out: false, last_error: String::new() });
    }

    /// Notes that a device that should be there could not be opened.
    pub fn missing(&self, kind: Kind, why: &str) {
        let state = DeviceState {
            kind,
            model: String::new(),
            port: String::new(),
            calibration: String::new(),
            out: true,
            last_error: why.to_owned(),
        };
        self.put(state);
    }

    fn put(&self, state: DeviceState) {
        let mut inner = self.lock();
        inner.devices.retain(|other| other.kind != state.kind);
        inner.devices.push(state);
        inner.devices.sort_by_key(|device| device.kind);
    }

    /// The calibration of the scale has changed: what was weighed before is another unit.
    pub fn recalibrated(&self, words: &str) {
        let mut inner = self.lock();
        inner.weights.clear();
        if let Some(scale) = inner.devices.iter_mut().find(|device| device.kind == Kind::Scale) {
            words.clone_into(&mut scale.calibration);
        }
    }

    /// Takes note of an input that goes to the trip.
    pub fn note(&self, input: &Input) {
        match input {
            Input::Weight(WeightReading { at, gross_g }) => {
                let mut inner = self.lock();
                inner.weights.push_back((*at, *gross_g));
                while inner.weights.front().is_some_and(|(first, _)| at.since(*first) > KEPT) {
                    inner.weights.pop_front();
                }
            }
            Input::Motion(reading) => self.lock().motion = Some(*reading),
            Input::Battery(reading) => self.lock().battery = Some(*reading),
            Input::Scan(scan) if self.watching.load(Ordering::SeqCst) => self.lock().scan = Some(scan.content.clone()),
            Input::Device { device, fault } => self.state(kind_of(*device), fault.as_deref()),
            Input::Sight { camera, clear } => {
                self.state(Kind::Camera(camera.0), (!clear).then_some("it sees nothing: is it covered or dark?"));
            }
            _ => {}
        }
    }

    fn state(&self, kind: Kind, fault: Option<&str>) {
        let mut inner = self.lock();
        if let Some(device) = inner.devices.iter_mut().find(|device| device.kind == kind) {
            device.out = fault.is_some();
            if let Some(why) = fault {
                why.clone_into(&mut device.last_error);
            }
        }
    }

    /// A camera's frame: kept only while staff look, and only the last.
    pub fn frame(&self, frame: &Frame) {
        if self.watching.load(Ordering::SeqCst) {
            self.lock().frames.insert(frame.camera, frame.clone());
        }
    }

    /// Staff look, or no longer: then no frame is kept.
    pub fn watch(&self, watching: bool) {
        self.watching.store(watching, Ordering::SeqCst);
        let mut inner = self.lock();
        inner.scan = None;
        if !watching {
            inner.frames.clear();
        }
    }

    /// The code that was shown last, once, while staff look.
    pub fn take_scan(&self) -> Option<Scanned> {
        self.lock().scan.take()
    }

    /// The devices, in order of their kind.
    pub fn devices(&self) -> Vec<DeviceState> {
        self.lock().devices.clone()
    }

    /// The last frames, by camera.
    pub fn frames(&self) -> Vec<Frame> {
        self.lock().frames.values().cloned().collect()
    }

    /// The last movement.
    pub fn motion(&self) -> Option<MotionReading> {
        self.lock().motion
    }

    /// The last charge.
    pub fn battery(&self) -> Option<BatteryReading> {
        self.lock().battery
    }

    /// The last [`KEPT`] of weight in grams, oldest first.
    pub fn weights(&self) -> Vec<(Moment, f32)> {
        self.lock().weights.iter().copied().collect()
    }

    /// The weight at rest at `now`.
    ///
    /// # Errors
    /// Why there is none.
    pub fn rest(&self, now: Moment) -> Result<Rest, NoRest> {
        let samples = self.weights();
        rest_at(&samples, now)
    }
}

fn kind_of(device: Device) -> Kind {
    match device {
        Device::Camera(n) => Kind::Camera(n),
        Device::Scale => Kind::Scale,
        Device::Motion => Kind::Motion,
        Device::Battery => Kind::Battery,
    }
}

/// The weight at rest at `now`, by samples that are in order.
///
/// # Errors
/// Why there is none.
pub fn rest_at(samples: &[(Moment, f32)], now: Moment) -> Result<Rest, NoRest> {
    let end = samples.partition_point(|(at, _)| *at <= now);
    let begin = samples[..end].partition_point(|(at, _)| now.since(*at) > REST);
    let window: Vec<f32> = samples[begin..end].iter().map(|(_, g)| *g).collect();
    if window.len() < LEAST_SAMPLES {
        return Err(NoRest::Silent);
    }
    if window.iter().any(|g| !g.is_finite()) {
        return Err(NoRest::NotANumber);
    }
    let mean = |part: &[f32]| part.iter().sum::<f32>() / part.len() as f32;
    let all = mean(&window);
    let variance = window.iter().map(|g| (g - all) * (g - all)).sum::<f32>() / window.len() as f32;
    let (first, second) = window.split_at(window.len() / 2);
    if variance.sqrt() > QUIET_G || (mean(first) - mean(second)).abs() > LEVEL_G {
        return Err(NoRest::Unsteady);
    }
    Ok(Rest { grams: all })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weigh(instruments: &Instruments, ms: std::ops::Range<u64>, grams: impl Fn(u64) -> f32) {
        for ms in ms.step_by(12) {
            instruments.note(&Input::Weight(WeightReading { at: Moment::from_millis(ms), gross_g: grams(ms) }));
        }
    }

    #[test]
    fn a_weight_is_at_rest_when_it_is_quiet_level_and_fresh() {
        let check = |grams: fn(u64) -> f32, now_ms, expected| {
            let instruments = Instruments::default();
            weigh(&instruments, 0..3_000, grams);
            assert_eq!(instruments.rest(Moment::from_millis(now_ms)).map(|rest| rest.grams.round()), expected);
        };
        check(|ms| 742.0 + (ms % 24) as f32 / 12.0 - 0.5, 3_000, Ok(742.0));
        check(|ms| (ms / 100 % 2) as f32 * 50.0, 3_000, Err(NoRest::Unsteady));
        check(|ms| ms as f32 / 100.0, 3_000, Err(NoRest::Unsteady));
        check(|_| f32::NAN, 3_000, Err(NoRest::NotANumber));
        check(|_| 5.0, 9_000, Err(NoRest::Silent));
    }

    #[test]
    fn only_the_last_seconds_are_kept() {
        let instruments = Instruments::default();
        weigh(&instruments, 0..60_000, |_| 1.0);
        let kept = instruments.weights();
        assert!(kept.first().is_some_and(|(at, _)| at.as_millis() >= 39_900), "{:?}", kept.first());
    }

    #[test]
    fn frames_are_kept_only_while_staff_look() {
        let instruments = Instruments::default();
        let frame = Frame::new(CameraId(1), Moment(1), 1, 1, Arc::from([1, 2, 3])).expect("a frame");
        instruments.frame(&frame);
        assert!(instruments.frames().is_empty());
        instruments.watch(true);
        instruments.frame(&frame);
        assert_eq!(instruments.frames(), [frame]);
        instruments.watch(false);
        assert!(instruments.frames().is_empty());
    }

    #[test]
    fn a_device_s_last_error_outlives_its_fault() {
        let instruments = Instruments::default();
        let identity = Identity { model: "m".into(), port: "p".into(), calibration: None };
        instruments.opened(Kind::Scale, identity);
        instruments.missing(Kind::Camera(0), "not there");
        instruments.note(&Input::Device { device: Device::Scale, fault: Some("no sample".into()) });
        assert!(instruments.devices()[1].out);
        instruments.note(&Input::Device { device: Device::Scale, fault: None });
        let devices = instruments.devices();
        assert_eq!((devices[0].kind, devices[0].out), (Kind::Camera(0), true));
        assert_eq!((devices[1].out, devices[1].last_error.as_str()), (false, "no sample"));
    }
}
