//! What can go wrong with a device, and what a person can do about it.
//!
//! Whoever retries reads only [`DeviceError::kind`]; whoever stands before the cart reads the text.

use std::error::Error;

/// What a caller needs to know to choose between waiting, retrying and giving up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// There is no such device (unplugged, never fitted, no driver loaded). Retry slowly.
    Absent,
    /// It is there and does not answer in time. Retry.
    Timeout,
    /// It answered with something that cannot be a reading. Retry; count.
    Corrupt,
    /// It can never work this way (a pixel format, a build without the driver). Do not retry.
    Unsupported,
}

/// A device's trouble: which device, at which port, what happened, what to do.
#[derive(Debug, thiserror::Error)]
#[error("{device} at {port}: {what}. {remedy}")]
pub struct DeviceError {
    kind: ErrorKind,
    /// The device in words, such as `scale`.
    pub device: &'static str,
    /// Where it was looked for: a path, a pin, an index.
    pub port: String,
    /// What happened, without a full stop.
    pub what: String,
    /// What a person can do, a whole sentence.
    pub remedy: String,
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl DeviceError {
    /// An error of the given kind.
    pub fn new(
        kind: ErrorKind,
        device: &'static str,
        port: impl Into<String>,
        what: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self { kind, device, port: port.into(), what: what.into(), remedy: remedy.into(), source: None }
    }

    /// The same error with what caused it.
    #[must_use]
    pub fn because(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.what = format!("{} ({source})", self.what);
        self.source = Some(Box::new(source));
        self
    }

    /// What a caller needs to know.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    #[cfg(not(all(feature = "camera", feature = "gpio")))]
    /// A driver that this build does not hold.
    pub(crate) fn not_built(device: &'static str, driver: &str, feature: &str) -> Self {
        Self::new(
            ErrorKind::Unsupported,
            device,
            format!("driver \"{driver}\""),
            "this build does not hold that driver",
            format!("Build with the feature \"{feature}\", or choose another driver in the board file."),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_names_the_device_the_port_and_what_to_do() {
        let error =
            DeviceError::new(ErrorKind::Timeout, "scale", "gpio 5/6", "no sample in 400 ms", "Check its cable.")
                .because(std::io::Error::other("broken wire"));
        assert_eq!(error.to_string(), "scale at gpio 5/6: no sample in 400 ms (broken wire). Check its cable.");
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.source().is_some(), "the cause is kept");
    }
}
