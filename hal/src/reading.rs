//! What the devices say: plain values, each with the moment it was taken.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// A point in the cart's monotonic time, in microseconds since the program's own zero.
///
/// It is never a wall clock: it orders readings and measures settling, and a recorded trip can be
/// replayed with the very same values.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Moment(pub u64);

impl Moment {
    /// The moment `ms` milliseconds after zero.
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms * 1_000)
    }

    /// Whole milliseconds since zero.
    pub const fn as_millis(self) -> u64 {
        self.0 / 1_000
    }

    /// Time from `earlier` to `self`; zero when `earlier` is later.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_micros(self.0.saturating_sub(earlier.0))
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Moment;

    fn add(self, rhs: Duration) -> Moment {
        Moment(self.0.saturating_add(rhs.as_micros() as u64))
    }
}

/// Which of the cart's cameras (0-based, in the order of the config file).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CameraId(pub u8);

/// One picture: packed RGB8, rows top to bottom, no padding; `rgb.len() == width * height * 3`.
#[derive(Clone, PartialEq)]
pub struct Frame {
    /// The camera that took it.
    pub camera: CameraId,
    /// When the exposure ended.
    pub taken: Moment,
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The pixels; shared, because frames are passed on and never changed.
    pub rgb: Arc<[u8]>,
}

impl Frame {
    /// A frame, if `rgb` holds exactly `width * height` RGB pixels.
    pub fn new(camera: CameraId, taken: Moment, width: u32, height: u32, rgb: Arc<[u8]>) -> Option<Self> {
        let wanted = (width as usize).checked_mul(height as usize)?.checked_mul(3)?;
        (rgb.len() == wanted && wanted > 0).then_some(Self { camera, taken, width, height, rgb })
    }
}

impl std::fmt::Debug for Frame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Frame({:?} {}x{} at {:?})", self.camera, self.width, self.height, self.taken)
    }
}

/// One raw sample of the basket scale.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct WeightReading {
    /// When the sample was taken.
    pub at: Moment,
    /// Gross load in grams by the scale's calibration, zero = the empty basket at calibration.
    /// Not filtered: noise, drift, overload and NaN pass through.
    pub gross_g: f32,
}

/// One sample of the inertial sensor.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct MotionReading {
    /// When the sample was taken.
    pub at: Moment,
    /// Acceleration in milli-g, cart frame (x forward, y left, z up); a cart at rest on level
    /// floor reads about `[0, 0, 1000]`.
    pub accel_mg: [f32; 3],
}

/// The battery and its charging contact.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct BatteryReading {
    /// When it was read.
    pub at: Moment,
    /// State of charge, 0 to 100 percent.
    pub percent: u8,
    /// True while the charging contact carries current.
    pub charging: bool,
}
