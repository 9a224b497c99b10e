//! One board, one file: which driver stands behind each device, at which port, how it is mounted.
//!
//! The cart parses the file (TOML) into a [`BoardConfig`] and calls [`BoardConfig::validate`] once.
//! What differs by store is not here.

use serde::{Deserialize, Serialize};

/// A cart's board.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BoardConfig {
    /// The board's name, such as `trundle-sim` or `pi5-basket-a`.
    pub name: String,
    /// The cameras in the order of their [`crate::CameraId`].
    #[serde(default)]
    pub cameras: Vec<CameraBoard>,
    /// The basket scale.
    #[serde(default)]
    pub scale: ScaleBoard,
    /// The inertial sensor.
    #[serde(default)]
    pub motion: MotionBoard,
    /// The light on the rim.
    #[serde(default)]
    pub light: LightBoard,
    /// The sounder.
    #[serde(default)]
    pub sounder: SounderBoard,
    /// The battery.
    #[serde(default)]
    pub battery: BatteryBoard,
    /// The receiver that knows the exit lane.
    #[serde(default)]
    pub lane_beacon: LaneBeaconBoard,
}

/// What drives a device. Which of them fit which device is checked by [`BoardConfig::validate`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Driver {
    /// The simulated cart.
    Sim,
    /// A V4L2 camera, by nokhwa.
    Nokhwa,
    /// A sensor behind the kernel's industrial I/O.
    Iio,
    /// An HX711 on two GPIO pins.
    Hx711,
    /// GPIO pins.
    Gpio,
    /// The kernel's power supply class.
    Sysfs,
    /// Not fitted.
    #[default]
    None,
}

impl Driver {
    fn name(self) -> &'static str {
        match self {
            Driver::Sim => "sim",
            Driver::Nokhwa => "nokhwa",
            Driver::Iio => "iio",
            Driver::Hx711 => "hx711",
            Driver::Gpio => "gpio",
            Driver::Sysfs => "sysfs",
            Driver::None => "none",
        }
    }
}

/// One camera.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CameraBoard {
    /// `sim`, `nokhwa` or `none`.
    pub driver: Driver,
    /// The number of its video node: 0 means `/dev/video0`.
    #[serde(default)]
    pub index: u32,
    /// Pixels a row asked of the camera.
    #[serde(default = "default_width_px")]
    pub width_px: u32,
    /// Rows asked of the camera.
    #[serde(default = "default_height_px")]
    pub height_px: u32,
    /// Frames a second asked of the camera.
    #[serde(default = "default_fps")]
    pub fps: u32,
    /// Where it sits.
    #[serde(default)]
    pub mounting: Mounting,
}

/// Where a camera sits on the basket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mounting {
    /// At the rim above the handle, looking down.
    #[default]
    HandleRim,
    /// At the far rim, looking down.
    FarRim,
    /// At the left rim.
    LeftRim,
    /// At the right rim.
    RightRim,
}

fn default_width_px() -> u32 {
    640
}

fn default_height_px() -> u32 {
    480
}

fn default_fps() -> u32 {
    15
}

/// The basket scale.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScaleBoard {
    /// `sim`, `iio`, `hx711` or `none`.
    pub driver: Driver,
    /// Greatest load in grams.
    pub capacity_g: u32,
    /// Smallest step it shows, in grams.
    pub resolution_g: f32,
    /// For `iio`: the device's folder name, such as `iio:device0`.
    pub iio_device: Option<String>,
    /// For `hx711`: the data pin (BCM number).
    pub data_pin: Option<u8>,
    /// For `hx711`: the clock pin (BCM number).
    pub clock_pin: Option<u8>,
    /// The raw count of the empty basket.
    pub zero_counts: i32,
    /// Raw counts a gram; set by calibration, never zero; negative when the cell is turned over.
    pub counts_per_g: f32,
}

impl Default for ScaleBoard {
    fn default() -> Self {
        Self {
            driver: Driver::None,
            capacity_g: 35_000,
            resolution_g: 1.0,
            iio_device: None,
            data_pin: None,
            clock_pin: None,
            zero_counts: 0,
            counts_per_g: 100.0,
        }
    }
}

/// The inertial sensor.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct MotionBoard {
    /// `sim`, `iio` or `none`.
    pub driver: Driver,
    /// For `iio`: the device's folder name, such as `iio:device1`.
    pub iio_device: Option<String>,
}

/// The light: one pin a colour.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LightBoard {
    /// `sim`, `gpio` or `none`.
    pub driver: Driver,
    /// For `gpio`: the red lamp's pin (BCM number).
    pub red_pin: Option<u8>,
    /// For `gpio`: the green lamp's pin (BCM number).
    pub green_pin: Option<u8>,
    /// For `gpio`: the blue lamp's pin (BCM number).
    pub blue_pin: Option<u8>,
}

/// The sounder: a piezo on one pin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SounderBoard {
    /// `sim`, `gpio` or `none`.
    pub driver: Driver,
    /// For `gpio`: its pin (BCM number).
    pub pin: Option<u8>,
}

/// The battery.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BatteryBoard {
    /// `sim`, `sysfs` or `none`.
    pub driver: Driver,
    /// For `sysfs`: the supply's folder name, such as `BAT0`; without it the first battery found.
    pub supply: Option<String>,
}

/// The receiver that knows the exit lane.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LaneBeaconBoard {
    /// `sim` or `none`.
    pub driver: Driver,
}

/// A board file that cannot be meant.
#[derive(Debug, PartialEq, thiserror::Error)]
#[error("board \"{board}\": {key}: {what}; expected {expected}")]
pub struct BoardError {
    /// The board's name.
    pub board: String,
    /// The key, as written in the file.
    pub key: String,
    /// What is wrong.
    pub what: String,
    /// What would be right.
    pub expected: String,
}

/// The highest GPIO number of a Raspberry Pi's 40-pin header.
/// Source: Raspberry Pi documentation, "GPIO and the 40-pin header".
const HIGHEST_PIN: u8 = 27;

/// Frames carry a `u8` camera number; more than this on one cart is a typing error.
const MOST_CAMERAS: usize = 8;

impl BoardConfig {
    /// The board of the simulated cart with `cameras` cameras.
    pub fn simulated(cameras: usize) -> Self {
        let camera = CameraBoard {
            driver: Driver::Sim,
            index: 0,
            width_px: default_width_px(),
            height_px: default_height_px(),
            fps: default_fps(),
            mounting: Mounting::default(),
        };
        Self {
            name: "sim".into(),
            cameras: vec![camera; cameras],
            scale: ScaleBoard { driver: Driver::Sim, ..ScaleBoard::default() },
            motion: MotionBoard { driver: Driver::Sim, iio_device: None },
            light: LightBoard { driver: Driver::Sim, ..LightBoard::default() },
            sounder: SounderBoard { driver: Driver::Sim, pin: None },
            battery: BatteryBoard { driver: Driver::Sim, supply: None },
            lane_beacon: LaneBeaconBoard { driver: Driver::Sim },
        }
    }

    /// Checks what the types cannot say.
    ///
    /// # Errors
    /// The first key that cannot be meant, with what was expected.
    pub fn validate(&self) -> Result<(), BoardError> {
        if self.cameras.len() > MOST_CAMERAS {
            let what = format!("{} cameras", self.cameras.len());
            return Err(self.wrong("cameras", what, format!("at most {MOST_CAMERAS}")));
        }
        for (i, camera) in self.cameras.iter().enumerate() {
            let key = format!("cameras[{i}]");
            self.fits(&format!("{key}.driver"), camera.driver, &[Driver::Sim, Driver::Nokhwa])?;
            self.within(&format!("{key}.width_px"), camera.width_px, 160, 3_840)?;
            self.within(&format!("{key}.height_px"), camera.height_px, 120, 2_160)?;
            self.within(&format!("{key}.fps"), camera.fps, 5, 60)?;
        }
        let scale = &self.scale;
        self.fits("scale.driver", scale.driver, &[Driver::Sim, Driver::Iio, Driver::Hx711])?;
        self.within("scale.capacity_g", scale.capacity_g, 1_000, 300_000)?;
        if !(scale.resolution_g.is_finite() && (0.01..=100.0).contains(&scale.resolution_g)) {
            return Err(self.wrong("scale.resolution_g", scale.resolution_g.to_string(), "0.01 to 100".into()));
        }
        if !(scale.counts_per_g.is_finite() && scale.counts_per_g != 0.0) {
            return Err(self.wrong("scale.counts_per_g", scale.counts_per_g.to_string(), "a number but zero".into()));
        }
        self.fits("motion.driver", self.motion.driver, &[Driver::Sim, Driver::Iio])?;
        self.fits("light.driver", self.light.driver, &[Driver::Sim, Driver::Gpio])?;
        self.fits("sounder.driver", self.sounder.driver, &[Driver::Sim, Driver::Gpio])?;
        self.fits("battery.driver", self.battery.driver, &[Driver::Sim, Driver::Sysfs])?;
        self.fits("lane_beacon.driver", self.lane_beacon.driver, &[Driver::Sim])?;
        self.ports()
    }

    /// Every port that a chosen driver needs is given, and no pin is used twice.
    fn ports(&self) -> Result<(), BoardError> {
        if self.scale.driver == Driver::Iio && self.scale.iio_device.is_none() {
            return Err(self.missing("scale.iio_device", "a name such as \"iio:device0\""));
        }
        if self.motion.driver == Driver::Iio && self.motion.iio_device.is_none() {
            return Err(self.missing("motion.iio_device", "a name such as \"iio:device1\""));
        }
        let mut used: Vec<(&str, u8)> = Vec::new();
        let pins = [
            (self.scale.driver == Driver::Hx711, "scale.data_pin", self.scale.data_pin),
            (self.scale.driver == Driver::Hx711, "scale.clock_pin", self.scale.clock_pin),
            (self.light.driver == Driver::Gpio, "light.red_pin", self.light.red_pin),
            (self.light.driver == Driver::Gpio, "light.green_pin", self.light.green_pin),
            (self.light.driver == Driver::Gpio, "light.blue_pin", self.light.blue_pin),
            (self.sounder.driver == Driver::Gpio, "sounder.pin", self.sounder.pin),
        ];
        for (needed, key, pin) in pins {
            if !needed {
                continue;
            }
            let Some(pin) = pin else { return Err(self.missing(key, "a BCM pin number")) };
            self.within(key, u32::from(pin), 0, u32::from(HIGHEST_PIN))?;
            if let Some((other, _)) = used.iter().find(|(_, taken)| *taken == pin) {
                return Err(self.wrong(key, format!("pin {pin} is also {other}"), "a pin of its own".into()));
            }
            used.push((key, pin));
        }
        Ok(())
    }

    fn fits(&self, key: &str, driver: Driver, fitting: &[Driver]) -> Result<(), BoardError> {
        if driver == Driver::None || fitting.contains(&driver) {
            return Ok(());
        }
        let names: Vec<&str> = fitting.iter().map(|driver| driver.name()).collect();
        Err(self.wrong(
            key,
            format!("\"{}\" cannot drive it", driver.name()),
            format!("one of {} or none", names.join(", ")),
        ))
    }

    fn within(&self, key: &str, value: u32, least: u32, most: u32) -> Result<(), BoardError> {
        if (least..=most).contains(&value) {
            return Ok(());
        }
        Err(self.wrong(key, value.to_string(), format!("{least} to {most}")))
    }

    fn missing(&self, key: &str, expected: &str) -> BoardError {
        self.wrong(key, "not given".into(), expected.into())
    }

    fn wrong(&self, key: &str, what: String, expected: String) -> BoardError {
        BoardError { board: self.name.clone(), key: key.into(), what, expected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(change: impl Fn(&mut BoardConfig), key: Option<&str>) {
        let mut board = BoardConfig::simulated(2);
        change(&mut board);
        let found = board.validate().err().map(|error| error.key);
        assert_eq!(found.as_deref(), key, "{board:?}");
    }

    #[test]
    fn a_board_that_can_be_meant_is_accepted() {
        check(|_| {}, None);
        check(|board| board.cameras.clear(), None);
        check(|board| board.scale = ScaleBoard::default(), None);
    }

    #[test]
    fn a_driver_that_cannot_drive_the_device_is_refused_by_its_key() {
        check(|board| board.cameras[1].driver = Driver::Hx711, Some("cameras[1].driver"));
        check(|board| board.scale.driver = Driver::Nokhwa, Some("scale.driver"));
        check(|board| board.lane_beacon.driver = Driver::Gpio, Some("lane_beacon.driver"));
    }

    #[test]
    fn numbers_out_of_range_and_missing_ports_are_refused_by_their_key() {
        check(|board| board.cameras[0].fps = 0, Some("cameras[0].fps"));
        check(|board| board.scale.counts_per_g = 0.0, Some("scale.counts_per_g"));
        check(|board| board.scale.resolution_g = f32::NAN, Some("scale.resolution_g"));
        check(|board| board.scale.driver = Driver::Iio, Some("scale.iio_device"));
        check(|board| board.sounder.driver = Driver::Gpio, Some("sounder.pin"));
    }

    #[test]
    fn one_pin_cannot_serve_two_devices() {
        let hx711 = |board: &mut BoardConfig, data, clock| {
            board.scale.driver = Driver::Hx711;
            (board.scale.data_pin, board.scale.clock_pin) = (Some(data), Some(clock));
        };
        check(|board| hx711(board, 5, 6), None);
        check(|board| hx711(board, 5, 5), Some("scale.clock_pin"));
        check(|board| hx711(board, 5, 60), Some("scale.clock_pin"));
    }
}
