//! All of a cart's devices, opened by the board file.

use std::path::Path;
use std::sync::Arc;

use crate::board::{BatteryBoard, BoardConfig, CameraBoard, Driver, LightBoard, MotionBoard, ScaleBoard, SounderBoard};
use crate::driver::{IioMotion, IioScale, SysfsBattery};
use crate::{Battery, Camera, CameraId, Clock, DeviceError, IndicatorLight, LaneBeacon, Motion, Scale, Sounder};

/// Where the kernel keeps IIO devices.
/// Source: Linux, Documentation/ABI/testing/sysfs-bus-iio.
pub const IIO_ROOT: &str = "/sys/bus/iio/devices";

/// Where the kernel keeps batteries.
/// Source: Linux, Documentation/ABI/testing/sysfs-class-power.
pub const POWER_SUPPLY_ROOT: &str = "/sys/class/power_supply";

/// The devices that are there. Each is handed to a thread of its own.
#[derive(Default)]
pub struct Devices {
    /// The cameras; those that are missing are left out, so look at [`Camera::id`], not the index.
    pub cameras: Vec<Box<dyn Camera>>,
    /// The basket scale.
    pub scale: Option<Box<dyn Scale>>,
    /// The inertial sensor.
    pub motion: Option<Box<dyn Motion>>,
    /// The light on the rim.
    pub light: Option<Box<dyn IndicatorLight>>,
    /// The sounder.
    pub sounder: Option<Box<dyn Sounder>>,
    /// The battery.
    pub battery: Option<Box<dyn Battery>>,
    /// The receiver that knows the exit lane.
    pub lane_beacon: Option<Box<dyn LaneBeacon>>,
}

impl Devices {
    /// Opens every device whose driver is a real one. Devices with the driver `sim` are left for
    /// the simulated world to fit; `none` stays empty. A device that cannot be opened is an error
    /// in the list, not the end: the others go on.
    pub fn open(board: &BoardConfig, clock: &Arc<dyn Clock>) -> (Self, Vec<DeviceError>) {
        let mut devices = Self::default();
        let mut troubles = Vec::new();
        for (i, camera) in board.cameras.iter().enumerate() {
            let id = CameraId(u8::try_from(i).unwrap_or(u8::MAX));
            if let Some(camera) = keep(open_camera(camera, id, clock), &mut troubles) {
                devices.cameras.push(camera);
            }
        }
        devices.scale = keep(open_scale(&board.scale, clock), &mut troubles);
        devices.motion = keep(open_motion(&board.motion, clock), &mut troubles);
        devices.light = keep(open_light(&board.light), &mut troubles);
        devices.sounder = keep(open_sounder(&board.sounder), &mut troubles);
        devices.battery = keep(open_battery(&board.battery, clock), &mut troubles);
        (devices, troubles)
    }
}

type Opened<T> = Result<Option<Box<T>>, DeviceError>;

fn keep<T: ?Sized>(opened: Opened<T>, troubles: &mut Vec<DeviceError>) -> Option<Box<T>> {
    opened.unwrap_or_else(|error| {
        troubles.push(error);
        None
    })
}

fn open_camera(board: &CameraBoard, id: CameraId, clock: &Arc<dyn Clock>) -> Opened<dyn Camera> {
    match board.driver {
        #[cfg(feature = "camera")]
        Driver::Nokhwa => Ok(Some(Box::new(crate::driver::NokhwaCamera::start(id, board, Arc::clone(clock))?))),
        #[cfg(not(feature = "camera"))]
        Driver::Nokhwa => {
            let _ = (id, clock);
            Err(DeviceError::not_built("camera", "nokhwa", "camera"))
        }
        _ => Ok(None),
    }
}

fn open_scale(board: &ScaleBoard, clock: &Arc<dyn Clock>) -> Opened<dyn Scale> {
    match board.driver {
        Driver::Iio => {
            let device = board.iio_device.as_deref().unwrap_or("iio:device0");
            Ok(Some(Box::new(IioScale::open(Path::new(IIO_ROOT), device, board, Arc::clone(clock))?)))
        }
        #[cfg(feature = "gpio")]
        Driver::Hx711 => Ok(Some(Box::new(crate::driver::gpio::open_hx711(board, Arc::clone(clock))?))),
        #[cfg(not(feature = "gpio"))]
        Driver::Hx711 => Err(DeviceError::not_built("scale", "hx711", "gpio")),
        _ => Ok(None),
    }
}

fn open_motion(board: &MotionBoard, clock: &Arc<dyn Clock>) -> Opened<dyn Motion> {
    match board.driver {
        Driver::Iio => {
            let device = board.iio_device.as_deref().unwrap_or("iio:device0");
            Ok(Some(Box::new(IioMotion::open(Path::new(IIO_ROOT), device, Arc::clone(clock))?)))
        }
        _ => Ok(None),
    }
}

fn open_light(board: &LightBoard) -> Opened<dyn IndicatorLight> {
    match board.driver {
        #[cfg(feature = "gpio")]
        Driver::Gpio => Ok(Some(Box::new(crate::driver::GpioLight::open(board)?))),
        #[cfg(not(feature = "gpio"))]
        Driver::Gpio => Err(DeviceError::not_built("light", "gpio", "gpio")),
        _ => Ok(None),
    }
}

fn open_sounder(board: &SounderBoard) -> Opened<dyn Sounder> {
    match board.driver {
        #[cfg(feature = "gpio")]
        Driver::Gpio => Ok(Some(Box::new(crate::driver::GpioBuzzer::open(board)?))),
        #[cfg(not(feature = "gpio"))]
        Driver::Gpio => Err(DeviceError::not_built("sounder", "gpio", "gpio")),
        _ => Ok(None),
    }
}

fn open_battery(board: &BatteryBoard, clock: &Arc<dyn Clock>) -> Opened<dyn Battery> {
    match board.driver {
        Driver::Sysfs => {
            let root = Path::new(POWER_SUPPLY_ROOT);
            Ok(Some(Box::new(SysfsBattery::open(root, board.supply.as_deref(), Arc::clone(clock))?)))
        }
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, ManualClock};

    #[test]
    fn a_missing_device_is_reported_and_the_others_go_on() {
        let mut board = BoardConfig::simulated(0);
        board.scale.driver = Driver::Iio;
        board.scale.iio_device = Some("iio:device-that-is-not-there".into());
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
        let (devices, troubles) = Devices::open(&board, &clock);
        assert!(devices.scale.is_none());
        let kinds: Vec<ErrorKind> = troubles.iter().map(DeviceError::kind).collect();
        assert_eq!(kinds, [ErrorKind::Absent]);
    }
}
