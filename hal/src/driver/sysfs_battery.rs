//! The battery behind the kernel's power supply class.
//!
//! Source: Linux, Documentation/ABI/testing/sysfs-class-power (`type`, `scope`, `present`,
//! `capacity`, `status`).

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::sysfs::{Folder, names_in, read_text};
use crate::device::Identity;
use crate::{Battery, BatteryReading, Clock, DeviceError, ErrorKind};

const WHEN_ABSENT: &str = "Load the fuel gauge's kernel driver and look under /sys/class/power_supply, or set \
                           battery.driver to \"none\" in the board file.";

/// A battery behind the kernel's power supply class.
pub struct SysfsBattery {
    root: PathBuf,
    supply: Option<String>,
    folder: Folder,
    clock: Arc<dyn Clock>,
}

impl SysfsBattery {
    /// The battery `supply` in `root`, or the cart's first when none is named.
    ///
    /// # Errors
    /// `Absent` when there is none, `Unsupported` when the named supply is not a battery.
    pub fn open(root: &Path, supply: Option<&str>, clock: Arc<dyn Clock>) -> Result<Self, DeviceError> {
        let folder = find(root, supply)?;
        Ok(Self { root: root.to_owned(), supply: supply.map(str::to_owned), folder, clock })
    }
}

/// True for a supply that feeds the cart. The batteries of a mouse or a handheld scanner are in the
/// same class and say so by their scope.
pub(crate) fn feeds_the_cart(supply: &Path) -> bool {
    let says = |attribute: &str, word: &str| read_text(&supply.join(attribute)).is_ok_and(|text| text == word);
    says("type", "Battery") && !says("scope", "Device")
}

fn find(root: &Path, supply: Option<&str>) -> Result<Folder, DeviceError> {
    let Some(name) = supply else {
        let first = names_in(root).into_iter().find(|name| feeds_the_cart(&root.join(name)));
        return first
            .map(|name| Folder::new("battery", root.join(name), WHEN_ABSENT))
            .ok_or_else(|| absent(root.display().to_string(), "no supply here is a battery"));
    };
    let folder = Folder::new("battery", root.join(name), WHEN_ABSENT);
    folder.require()?;
    let kind = folder.text("type")?;
    if kind == "Battery" {
        return Ok(folder);
    }
    Err(DeviceError::new(
        ErrorKind::Unsupported,
        "battery",
        folder.port(),
        format!("this supply is \"{kind}\", not a battery"),
        "Name the right supply under battery.supply in the board file, or none to take the first battery.",
    ))
}

fn absent(port: String, what: &str) -> DeviceError {
    DeviceError::new(ErrorKind::Absent, "battery", port, what, WHEN_ABSENT)
}

impl Battery for SysfsBattery {
    fn identity(&self) -> Identity {
        let parts = ["manufacturer", "model_name"].iter().filter_map(|attribute| self.folder.text_if_any(attribute));
        let model = parts.collect::<Vec<_>>().join(" ");
        Identity::new(if model.is_empty() { "battery".into() } else { model }, self.folder.port())
    }

    fn read(&mut self) -> Result<BatteryReading, DeviceError> {
        // A gauge that was unplugged may come back under another name.
        if self.folder.require().is_err() {
            self.folder = find(&self.root, self.supply.as_deref())?;
        }
        if self.folder.text_if_any("present").as_deref() == Some("0") {
            return Err(absent(self.folder.port(), "the gauge is there, the battery is not"));
        }
        let percent: u8 = self.folder.number("capacity")?;
        if percent > 100 {
            return Err(self.folder.corrupt("capacity", format!("{percent} is more than 100 percent")));
        }
        let status = self.folder.text("status")?;
        let charging = match status.as_str() {
            // A full battery at the contact is held full, not drained.
            "Charging" | "Full" => true,
            "Discharging" | "Not charging" | "Unknown" => false,
            _ => return Err(self.folder.corrupt("status", format!("\"{status}\" is no status"))),
        };
        Ok(BatteryReading { at: self.clock.now(), percent, charging })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sysfs::testing::lay_out;
    use super::*;
    use crate::ManualClock;

    fn open(root: &Path, supply: Option<&str>) -> Result<SysfsBattery, DeviceError> {
        SysfsBattery::open(root, supply, Arc::new(ManualClock::default()))
    }

    fn check(capacity: &str, status: &str, expected: Result<(u8, bool), ErrorKind>) {
        let root = tempfile::tempdir().expect("a temporary folder");
        let files = [("BAT0/type", "Battery"), ("BAT0/capacity", capacity), ("BAT0/status", status)];
        lay_out(root.path(), &files);
        let read = open(root.path(), Some("BAT0"))
            .and_then(|mut battery| battery.read())
            .map(|reading| (reading.percent, reading.charging))
            .map_err(|error| error.kind());
        assert_eq!(read, expected, "{capacity:?} {status:?}");
    }

    #[test]
    fn charge_and_contact_are_read_and_nonsense_is_corrupt() {
        check("0", "Discharging", Ok((0, false)));
        check("55", "Charging", Ok((55, true)));
        check("100", "Full", Ok((100, true)));
        check("80", "Not charging", Ok((80, false)));
        check("101", "Charging", Err(ErrorKind::Corrupt));
        check("-1", "Charging", Err(ErrorKind::Corrupt));
        check("55", "Melting", Err(ErrorKind::Corrupt));
    }

    #[test]
    fn without_a_name_the_first_battery_of_the_cart_is_taken() {
        let root = tempfile::tempdir().expect("a temporary folder");
        lay_out(root.path(), &[("AC/type", "Mains"), ("hid0/type", "Battery"), ("hid0/scope", "Device")]);
        assert_eq!(open(root.path(), None).err().map(|error| error.kind()), Some(ErrorKind::Absent));
        lay_out(root.path(), &[("BAT7/type", "Battery"), ("BAT7/capacity", "9"), ("BAT7/status", "Unknown")]);
        lay_out(root.path(), &[("BAT7/manufacturer", "Acme"), ("BAT7/model_name", "A1")]);
        let mut battery = open(root.path(), None).expect("there is one");
        assert_eq!(battery.read().map(|reading| reading.percent).ok(), Some(9));
        assert_eq!(battery.identity().model, "Acme A1");
    }

    #[test]
    fn a_mains_supply_or_an_empty_bay_is_not_a_battery() {
        let root = tempfile::tempdir().expect("a temporary folder");
        lay_out(root.path(), &[("AC/type", "Mains"), ("BAT0/type", "Battery"), ("BAT0/present", "0")]);
        lay_out(root.path(), &[("BAT0/capacity", "50"), ("BAT0/status", "Unknown")]);
        assert_eq!(open(root.path(), Some("AC")).err().map(|error| error.kind()), Some(ErrorKind::Unsupported));
        let read = open(root.path(), Some("BAT0")).expect("the gauge is there").read();
        assert_eq!(read.map_err(|error| error.kind()), Err(ErrorKind::Absent));
    }
}
