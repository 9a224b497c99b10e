//! The basket scale behind the kernel's industrial I/O, such as its `hx711` driver.
//!
//! Preferred to pins of our own: the kernel switches interrupts off while a bit is on the wire, so
//! no sample is lost to a busy machine. One attribute is the whole interface: each read of
//! `in_voltage0_raw` makes the kernel fetch a fresh sample.
//!
//! The `hx711` driver gives the converter's word as offset binary (half way is 8388608, not 0);
//! that is only another zero, and the board file's `zero_counts` holds it.
//! Source: Linux, Documentation/ABI/testing/sysfs-bus-iio.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::calibration::Calibration;
use super::pace::Pace;
use super::sysfs::Folder;
use crate::board::ScaleBoard;
use crate::device::Identity;
use crate::{Clock, DeviceError, Scale, WeightReading};

/// 80 samples a second: the HX711's faster rate (pin RATE high).
/// Source: Avia Semiconductor, HX711 data sheet, "Output Data Rate".
const SAMPLE_PERIOD: Duration = Duration::from_micros(12_500);

const WHEN_ABSENT: &str = "Load the sensor's kernel driver (on a Raspberry Pi an hx711 overlay in config.txt) and look \
                           under /sys/bus/iio/devices, or choose the driver \"hx711\" in the board file.";

/// A scale behind the kernel's IIO.
pub struct IioScale {
    folder: Folder,
    calibration: Calibration,
    pace: Pace,
}

impl IioScale {
    /// The scale in `root`/`iio_device`.
    ///
    /// # Errors
    /// `Absent` when there is no such folder, `Unsupported` when it holds no `in_voltage0_raw`.
    pub fn open(root: &Path, iio_device: &str, board: &ScaleBoard, clock: Arc<dyn Clock>) -> Result<Self, DeviceError> {
        let folder = Folder::new("scale", root.join(iio_device), WHEN_ABSENT);
        folder.require()?;
        if let Err(error) = folder.text("in_voltage0_raw")
            && error.kind() == crate::ErrorKind::Unsupported
        {
            return Err(error);
        }
        Ok(Self { folder, calibration: Calibration::of(board), pace: Pace::new(clock, SAMPLE_PERIOD) })
    }

    /// The driver's own idea of millivolts a count, for whoever looks into a wrong gain.
    fn kernel_scale(&self) -> Option<String> {
        ["in_voltage0_scale", "in_voltage_scale"].iter().find_map(|attribute| self.folder.text_if_any(attribute))
    }
}

impl Scale for IioScale {
    fn identity(&self) -> Identity {
        let model = self.folder.text_if_any("name").unwrap_or_else(|| "IIO voltage channel".into());
        let mut calibration = self.calibration.words();
        if let Some(scale) = self.kernel_scale() {
            calibration.push_str(&format!("; kernel scale {scale}"));
        }
        Identity::new(model, self.folder.port()).calibrated(calibration)
    }

    fn read(&mut self) -> Result<WeightReading, DeviceError> {
        self.pace.wait();
        let counts: i64 = self.folder.number("in_voltage0_raw")?;
        Ok(WeightReading { at: self.pace.now(), gross_g: self.calibration.grams(counts) })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sysfs::testing::lay_out;
    use super::*;
    use crate::{ErrorKind, ManualClock};

    fn open(root: &Path) -> Result<IioScale, DeviceError> {
        let board = ScaleBoard { zero_counts: 8_388_608, counts_per_g: 50.0, ..ScaleBoard::default() };
        IioScale::open(root, "iio:device0", &board, Arc::new(ManualClock::default()))
    }

    fn check(raw: &str, expected: Result<f32, ErrorKind>) {
        let root = tempfile::tempdir().expect("a temporary folder");
        lay_out(root.path(), &[("iio:device0/in_voltage0_raw", raw)]);
        let mut scale = open(root.path()).expect("the scale is there");
        let found = scale.read().map(|reading| reading.gross_g).map_err(|error| error.kind());
        assert_eq!(found, expected, "{raw:?}");
    }

    #[test]
    fn raw_counts_become_grams_and_anything_else_is_corrupt() {
        check("8388608", Ok(0.0));
        check("8438608", Ok(1_000.0));
        check("8388558", Ok(-1.0));
        check("", Err(ErrorKind::Corrupt));
        check("nan", Err(ErrorKind::Corrupt));
    }

    #[test]
    fn samples_come_eighty_times_a_second() {
        let root = tempfile::tempdir().expect("a temporary folder");
        lay_out(root.path(), &[("iio:device0/in_voltage0_raw", "1")]);
        let mut scale = open(root.path()).expect("the scale is there");
        let at: Vec<u64> = (0..81).map(|_| scale.read().expect("a reading").at.as_millis()).collect();
        assert_eq!(at.last(), Some(&1_000));
    }

    #[test]
    fn a_scale_that_goes_away_is_absent_and_reads_again_when_it_is_back() {
        let root = tempfile::tempdir().expect("a temporary folder");
        assert_eq!(open(root.path()).err().map(|error| error.kind()), Some(ErrorKind::Absent));
        let files = [("iio:device0/in_voltage0_raw", "8388658"), ("iio:device0/name", "hx711")];
        lay_out(root.path(), &files);
        let mut scale = open(root.path()).expect("the scale is there");
        std::fs::remove_dir_all(root.path().join("iio:device0")).expect("it was there");
        assert_eq!(scale.read().map_err(|error| error.kind()), Err(ErrorKind::Absent));
        lay_out(root.path(), &files);
        assert_eq!(scale.read().expect("it is back").gross_g, 1.0);
    }

    #[test]
    fn the_identity_tells_model_folder_and_calibration() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let device = |file: &str| format!("iio:device0/{file}");
        let (raw, name, scale) = (device("in_voltage0_raw"), device("name"), device("in_voltage_scale"));
        lay_out(root.path(), &[(&raw, "1"), (&name, "hx711"), (&scale, "0.000004768")]);
        let identity = open(root.path()).expect("the scale is there").identity();
        assert_eq!(identity.model, "hx711");
        assert!(identity.port.ends_with("iio:device0"), "{}", identity.port);
        let calibration = identity.calibration.expect("a scale has one");
        assert_eq!(calibration, "zero at 8388608 counts, 50 counts a gram; kernel scale 0.000004768");
    }
}
