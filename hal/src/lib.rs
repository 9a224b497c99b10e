//! The cart's devices.
//!
//! In: the world (light, load, movement, a charging contact). Out: plain readings ([`Frame`],
//! [`WeightReading`], [`MotionReading`], [`BatteryReading`]) with the moment they were taken, in
//! the cart's own monotonic time. Nothing is decided here: a reading is what a device said, also
//! when it is nonsense (a NaN weight stays a NaN; the core says so on the screen).
//!
//! A [`BoardConfig`] says which driver stands behind each device; [`Devices::open`] opens them and
//! reports, one by one, those that are not there: a cart without a scale still shops by camera.
//!
//! Without features the crate is readings, traits, errors and the drivers that need only files.
//! `camera` and `gpio` add the other real drivers, `sim` the whole simulated device, `recording` the
//! file that a whole trip's readings are kept in, to the bit. Deliberately
//! absent: products, prices, trips.

pub mod board;
pub mod clock;
pub mod device;
pub mod devices;
pub mod driver;
pub mod error;
pub mod inventory;
pub mod reading;
#[cfg(feature = "recording")]
pub mod recording;
#[cfg(feature = "sim")]
pub mod sim;

pub use board::BoardConfig;
pub use clock::{Clock, ManualClock, RealClock};
pub use device::{Battery, Camera, Identity, IndicatorLight, LaneBeacon, LightSignal, Motion, Scale, Sounder, Tone};
pub use devices::Devices;
pub use error::{DeviceError, ErrorKind};
pub use inventory::{Found, Presence, Roots, inventory};
pub use reading::{BatteryReading, CameraId, Frame, Moment, MotionReading, WeightReading};
