//! Reading the kernel's attribute files: one value a file, and errors that a person can act on.

use std::fmt::Display;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::{DeviceError, ErrorKind};

/// Linux's own error numbers for a device that is gone; std has no name for them.
/// Source: Linux, include/uapi/asm-generic/errno-base.h (`ENXIO`, `ENODEV`).
const GONE: [i32; 2] = [6, 19];

/// One device's folder of attributes.
#[derive(Clone, Debug)]
pub(crate) struct Folder {
    /// The device in words, for errors.
    device: &'static str,
    path: PathBuf,
    /// What to do when the folder is not there.
    when_absent: &'static str,
}

impl Folder {
    /// The folder `path`, which need not be there yet.
    pub(crate) fn new(device: &'static str, path: PathBuf, when_absent: &'static str) -> Self {
        Self { device, path, when_absent }
    }

    /// The folder as text, for identities and errors.
    pub(crate) fn port(&self) -> String {
        self.path.display().to_string()
    }

    /// Fails with `Absent` unless the folder is there.
    pub(crate) fn require(&self) -> Result<(), DeviceError> {
        if self.path.is_dir() { Ok(()) } else { Err(self.absent()) }
    }

    /// The attribute's text without white space around it.
    pub(crate) fn text(&self, attribute: &str) -> Result<String, DeviceError> {
        let path = self.path.join(attribute);
        match read_text(&path) {
            Ok(text) => Ok(text),
            Err(error) => Err(self.unreadable(attribute, error)),
        }
    }

    /// The attribute's text if there is such an attribute and it can be read.
    pub(crate) fn text_if_any(&self, attribute: &str) -> Option<String> {
        read_text(&self.path.join(attribute)).ok().filter(|text| !text.is_empty())
    }

    /// The attribute's number.
    pub(crate) fn number<T: FromStr<Err: Display>>(&self, attribute: &str) -> Result<T, DeviceError> {
        let text = self.text(attribute)?;
        text.parse().map_err(|why| self.corrupt(attribute, format!("\"{}\" is no number ({why})", shorten(&text))))
    }

    /// The attribute's finite number; `Ok(None)` when there is no such attribute.
    pub(crate) fn factor_if_any(&self, attribute: &str) -> Result<Option<f64>, DeviceError> {
        if !self.path.join(attribute).exists() {
            return Ok(None);
        }
        let value: f64 = self.number(attribute)?;
        if value.is_finite() { Ok(Some(value)) } else { Err(self.corrupt(attribute, format!("{value} is no factor"))) }
    }

    /// An attribute that holds what no reading can be.
    pub(crate) fn corrupt(&self, attribute: &str, what: String) -> DeviceError {
        let port = self.path.join(attribute).display().to_string();
        let remedy = "Ask again; if it stays so, look at the kernel's log (dmesg) for its driver.";
        DeviceError::new(ErrorKind::Corrupt, self.device, port, what, remedy)
    }

    fn absent(&self) -> DeviceError {
        DeviceError::new(ErrorKind::Absent, self.device, self.port(), "there is no such device", self.when_absent)
    }

    fn unreadable(&self, attribute: &str, error: io::Error) -> DeviceError {
        if !self.path.is_dir() || error.raw_os_error().is_some_and(|number| GONE.contains(&number)) {
            return self.absent().because(error);
        }
        let port = self.path.join(attribute).display().to_string();
        let (kind, what, remedy) = match error.kind() {
            io::ErrorKind::NotFound => (
                ErrorKind::Unsupported,
                "the device has no such attribute",
                "Another kind of device has this name: choose the right one in the board file.",
            ),
            io::ErrorKind::PermissionDenied => (
                ErrorKind::Absent,
                "this user may not read it",
                "Run the cart as a user that may, or give the attribute to its group by a udev rule.",
            ),
            io::ErrorKind::InvalidData => (
                ErrorKind::Corrupt,
                "it gave bytes that are no text",
                "Ask again; if it stays so, look at the kernel's log (dmesg) for its driver.",
            ),
            _ => (
                ErrorKind::Timeout,
                "the kernel's driver got no answer from it",
                "Check its cable and supply; the kernel's log (dmesg) says more.",
            ),
        };
        DeviceError::new(kind, self.device, port, what, remedy).because(error)
    }
}

/// A small file's text without white space around it.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    std::fs::read_to_string(path).map(|text| text.trim().to_owned())
}

/// The names in a folder in the order of their numbers (`video2` before `video10`); none when the
/// folder is not there.
pub(crate) fn names_in(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries.filter_map(|entry| entry.file_name().into_string().ok()).collect();
    names.sort_by(|a, b| a.len().cmp(&b.len()).then_with(|| a.cmp(b)));
    names
}

/// Enough of a strange text to know it by.
fn shorten(text: &str) -> String {
    text.chars().take(24).collect()
}

#[cfg(test)]
pub(crate) mod testing {
    //! A made-up sysfs for the drivers' tests.

    use std::path::Path;

    /// Writes `files` (path below `root`, content) as the kernel would show them.
    pub(crate) fn lay_out(root: &Path, files: &[(&str, &str)]) {
        for (file, content) in files {
            let path = root.join(file);
            std::fs::create_dir_all(path.parent().expect("a file lies in a folder")).expect("a temporary folder");
            std::fs::write(path, format!("{content}\n")).expect("a temporary file");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(content: Option<&str>, expected: Result<i32, ErrorKind>) {
        let root = tempfile::tempdir().expect("a temporary folder");
        if let Some(content) = content {
            testing::lay_out(root.path(), &[("dev/raw", content)]);
        }
        let folder = Folder::new("scale", root.path().join("dev"), "Fit one.");
        let found = folder.number::<i32>("raw").map_err(|error| error.kind());
        assert_eq!(found, expected, "{content:?}");
    }

    #[test]
    fn an_attribute_is_a_number_or_an_error_of_the_right_kind() {
        check(Some(" -17"), Ok(-17));
        check(Some(""), Err(ErrorKind::Corrupt));
        check(Some("12 monkeys"), Err(ErrorKind::Corrupt));
        check(Some("99999999999999999999"), Err(ErrorKind::Corrupt));
        check(None, Err(ErrorKind::Absent));
    }

    #[test]
    fn a_device_without_the_attribute_is_the_wrong_device() {
        let root = tempfile::tempdir().expect("a temporary folder");
        testing::lay_out(root.path(), &[("name", "thermometer")]);
        let folder = Folder::new("scale", root.path().to_owned(), "Fit one.");
        let error = folder.number::<i32>("in_voltage0_raw").expect_err("no such attribute");
        assert_eq!(error.kind(), ErrorKind::Unsupported);
        assert!(error.to_string().contains("in_voltage0_raw"), "{error}");
    }

    #[test]
    fn names_come_in_the_order_of_their_numbers() {
        let root = tempfile::tempdir().expect("a temporary folder");
        testing::lay_out(root.path(), &[("video10", ""), ("video2", ""), ("video1", "")]);
        assert_eq!(names_in(root.path()), ["video1", "video2", "video10"]);
        assert!(names_in(&root.path().join("nowhere")).is_empty());
    }
}
