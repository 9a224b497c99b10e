//! The real drivers: each turns one kind of hardware into the readings of this crate.
//!
//! Those that need only files (the scale, the inertial sensor and the battery behind the kernel)
//! are always built, and so is everything that is pure: the HX711's protocol, pixel conversion, the
//! rhythms of light and sound. The features `camera` and `gpio` add what needs a library.
//!
//! Every driver keeps three habits: its errors say device, port, what happened and what to do; after
//! an error it can simply be asked again; and none waits without an end.

mod calibration;
#[cfg(any(feature = "camera", test))]
mod capture;
#[cfg(feature = "gpio")]
pub mod gpio;
pub mod hx711;
mod iio_motion;
mod iio_scale;
#[cfg(feature = "camera")]
mod nokhwa_camera;
mod pace;
pub mod pixels;
pub mod rhythm;
pub(crate) mod sysfs;
pub(crate) mod sysfs_battery;

#[cfg(feature = "gpio")]
pub use gpio::{GpioBuzzer, GpioLight};
pub use hx711::Hx711;
pub use iio_motion::IioMotion;
pub use iio_scale::IioScale;
#[cfg(feature = "camera")]
pub use nokhwa_camera::NokhwaCamera;
pub use sysfs_battery::SysfsBattery;
