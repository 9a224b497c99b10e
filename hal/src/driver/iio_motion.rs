//! The inertial sensor behind the kernel's industrial I/O.
//!
//! An axis in m/s² is `(raw + offset) × scale`; the kernel's mount matrix, if the board describes
//! one, then turns the chip's axes into the cart's (x forward, y left, z up).
//! Source: Linux, Documentation/ABI/testing/sysfs-bus-iio (`in_accel_x_raw`, `in_accel_scale`,
//! `in_accel_offset`, `in_accel_mount_matrix`).

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::pace::Pace;
use super::sysfs::Folder;
use crate::device::Identity;
use crate::{Clock, DeviceError, Motion, MotionReading};

/// Fifty looks a second: a bump of the basket lasts some 50 ms, and weights settle slower.
const SAMPLE_PERIOD: Duration = Duration::from_millis(20);

/// One g in m/s². Source: BIPM, The International System of Units, standard gravity.
const STANDARD_GRAVITY_MPS2: f64 = 9.806_65;

const AXES: [char; 3] = ['x', 'y', 'z'];

const WHEN_ABSENT: &str = "Load the sensor's kernel driver and look under /sys/bus/iio/devices, or set motion.driver \
                           to \"none\" in the board file.";

/// An accelerometer behind the kernel's IIO.
pub struct IioMotion {
    folder: Folder,
    pace: Pace,
    /// Rows give the cart's x, y, z; columns take the chip's.
    mounting: [[f64; 3]; 3],
    described: bool,
}

impl IioMotion {
    /// The sensor in `root`/`iio_device`.
    ///
    /// # Errors
    /// `Absent` when there is no such folder, `Unsupported` when it has no accelerometer, `Corrupt`
    /// when its mount matrix cannot be read.
    pub fn open(root: &Path, iio_device: &str, clock: Arc<dyn Clock>) -> Result<Self, DeviceError> {
        let folder = Folder::new("motion", root.join(iio_device), WHEN_ABSENT);
        folder.require()?;
        folder.text("in_accel_x_raw")?;
        let matrix = ["in_accel_mount_matrix", "in_mount_matrix"]
            .iter()
            .find_map(|attribute| folder.text_if_any(attribute).map(|text| (*attribute, text)));
        let described = matrix.is_some();
        let mounting = match matrix {
            None => UPRIGHT,
            Some((attribute, text)) => parse_matrix(&text).ok_or_else(|| {
                folder.corrupt(attribute, format!("\"{text}\" is no matrix of three rows of three numbers"))
            })?,
        };
        Ok(Self { folder, pace: Pace::new(clock, SAMPLE_PERIOD), mounting, described })
    }

    /// A factor of one axis: its own attribute, else the one that all axes share.
    fn factor(&self, axis: char, what: &str) -> Result<Option<f64>, DeviceError> {
        match self.folder.factor_if_any(&format!("in_accel_{axis}_{what}"))? {
            Some(own) => Ok(Some(own)),
            None => self.folder.factor_if_any(&format!("in_accel_{what}")),
        }
    }

    fn axis_mps2(&self, axis: char) -> Result<f64, DeviceError> {
        let raw: i64 = self.folder.number(&format!("in_accel_{axis}_raw"))?;
        let offset = self.factor(axis, "offset")?.unwrap_or(0.0);
        let scale = match self.factor(axis, "scale")? {
            Some(scale) => scale,
            // Without a scale there is no reading; the shared attribute's error says so.
            None => self.folder.number("in_accel_scale")?,
        };
        Ok((raw as f64 + offset) * scale)
    }
}

/// The chip's axes are the cart's.
const UPRIGHT: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];

/// `"1, 0, 0; 0, 1, 0; 0, 0, 1"`, as the kernel writes it.
fn parse_matrix(text: &str) -> Option<[[f64; 3]; 3]> {
    let rows: Option<Vec<[f64; 3]>> = text
        .split(';')
        .map(|row| {
            let numbers: Result<Vec<f64>, _> = row.split(',').map(|number| number.trim().parse()).collect();
            <[f64; 3]>::try_from(numbers.ok()?).ok().filter(|row| row.iter().all(|number| number.is_finite()))
        })
        .collect();
    <[[f64; 3]; 3]>::try_from(rows?).ok()
}

impl Motion for IioMotion {
    fn identity(&self) -> Identity {
        let model = self.folder.text_if_any("name").unwrap_or_else(|| "IIO accelerometer".into());
        let identity = Identity::new(model, self.folder.port());
        if self.described { identity.calibrated("mounted as the kernel's mount matrix says") } else { identity }
    }

    fn read(&mut self) -> Result<MotionReading, DeviceError> {
        self.pace.wait();
        let mut chip = [0.0; 3];
        for (value, axis) in chip.iter_mut().zip(AXES) {
            *value = self.axis_mps2(axis)?;
        }
        let accel_mg = self.mounting.map(|row| {
            let mps2: f64 = row.iter().zip(chip).map(|(factor, axis)| factor * axis).sum();
            (mps2 / STANDARD_GRAVITY_MPS2 * 1_000.0) as f32
        });
        Ok(MotionReading { at: self.pace.now(), accel_mg })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sysfs::testing::lay_out;
    use super::*;
    use crate::{ErrorKind, ManualClock};

    /// Axis counts 10, -20 and 1000 at a hundredth of a m/s² each, and `more` on top.
    fn check(more: &[(&str, &str)], expected: Result<[i32; 3], ErrorKind>) {
        let root = tempfile::tempdir().expect("a temporary folder");
        let device = root.path().join("iio:device1");
        lay_out(&device, &[("in_accel_x_raw", "10"), ("in_accel_y_raw", "-20"), ("in_accel_z_raw", "1000")]);
        lay_out(&device, &[("in_accel_scale", "0.00980665")]);
        lay_out(&device, more);
        let read = IioMotion::open(root.path(), "iio:device1", Arc::new(ManualClock::default()))
            .and_then(|mut motion| motion.read())
            .map(|reading| reading.accel_mg.map(|mg| mg.round() as i32))
            .map_err(|error| error.kind());
        assert_eq!(read, expected, "{more:?}");
    }

    #[test]
    fn counts_become_milli_g_by_scale_and_offset() {
        check(&[], Ok([10, -20, 1_000]));
        check(&[("in_accel_offset", "5")], Ok([15, -15, 1_005]));
        check(&[("in_accel_z_scale", "0.0196133")], Ok([10, -20, 2_000]));
    }

    #[test]
    fn a_chip_mounted_on_its_side_reads_in_the_carts_axes() {
        check(&[("in_accel_mount_matrix", "0, 1, 0; -1, 0, 0; 0, 0, 1")], Ok([-20, -10, 1_000]));
        check(&[("in_mount_matrix", "1, 0, 0; 0, 1, 0")], Err(ErrorKind::Corrupt));
    }

    #[test]
    fn what_is_no_number_is_corrupt() {
        check(&[("in_accel_y_raw", "up")], Err(ErrorKind::Corrupt));
        check(&[("in_accel_scale", "inf")], Err(ErrorKind::Corrupt));
    }

    #[test]
    fn a_missing_sensor_and_one_that_feels_no_acceleration_are_told_apart() {
        let root = tempfile::tempdir().expect("a temporary folder");
        let open = || IioMotion::open(root.path(), "iio:device1", Arc::new(ManualClock::default()));
        assert_eq!(open().err().map(|error| error.kind()), Some(ErrorKind::Absent));
        lay_out(root.path(), &[("iio:device1/name", "thermometer")]);
        assert_eq!(open().err().map(|error| error.kind()), Some(ErrorKind::Unsupported));
    }
}
