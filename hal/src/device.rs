//! The devices as the cart knows them. Blocking, `Send`, one thread each.
//!
//! A device reconnects by itself: after an error the caller simply asks again.

use crate::{BatteryReading, CameraId, DeviceError, Frame, MotionReading, WeightReading};

/// What a device says about itself, for the staff screen and the fleet board.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Maker's name and model, as the device or its driver gives it.
    pub model: String,
    /// Where it is attached: a path, pins, an index.
    pub port: String,
    /// The calibration in force, in words; `None` where the device has none.
    pub calibration: Option<String>,
}

impl Identity {
    pub(crate) fn new(model: impl Into<String>, port: impl Into<String>) -> Self {
        Self { model: model.into(), port: port.into(), calibration: None }
    }

    pub(crate) fn calibrated(mut self, calibration: impl Into<String>) -> Self {
        self.calibration = Some(calibration.into());
        self
    }
}

/// Looks into the basket.
pub trait Camera: Send {
    /// What it is.
    fn identity(&self) -> Identity;

    /// Which of the cart's cameras it is; its frames carry the same number.
    fn id(&self) -> CameraId;

    /// Blocks until a frame newer than the last one is there; frames in between are skipped.
    ///
    /// # Errors
    /// `Timeout` when the watchdog saw no frame, `Absent` while the camera is away, `Unsupported`
    /// for a pixel format that cannot be turned into RGB.
    fn next_frame(&mut self) -> Result<Frame, DeviceError>;
}

/// Weighs the basket.
pub trait Scale: Send {
    /// What it is.
    fn identity(&self) -> Identity;

    /// Blocks until the next sample; the device sets the pace (80 a second).
    ///
    /// # Errors
    /// `Timeout` when it does not answer, `Corrupt` for a sample that was disturbed on the wire.
    fn read(&mut self) -> Result<WeightReading, DeviceError>;
}

/// Feels the cart move.
pub trait Motion: Send {
    /// What it is.
    fn identity(&self) -> Identity;

    /// Blocks until the next sample.
    ///
    /// # Errors
    /// `Absent` when the sensor is away, `Corrupt` when it does not give a number.
    fn read(&mut self) -> Result<MotionReading, DeviceError>;
}

/// What the light on the basket's rim says. Colour never says it alone: each has its own rhythm.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LightSignal {
    /// Nothing to say.
    #[default]
    Idle,
    /// The thing is known and on the bill.
    Added,
    /// The screen asks a question.
    Ask,
    /// Something is in the basket that is not on the bill.
    Held,
    /// A person was called.
    Help,
    /// The cart itself is in trouble.
    Fault,
}

/// The light on the basket's rim.
pub trait IndicatorLight: Send {
    /// What it is.
    fn identity(&self) -> Identity;

    /// Shows `signal` until the next one.
    ///
    /// # Errors
    /// `Absent` when the light is away.
    fn set(&mut self, signal: LightSignal) -> Result<(), DeviceError>;
}

/// A short sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    /// The thing is on the bill.
    Added,
    /// The screen asks.
    Ask,
    /// Not sure, not charged.
    Held,
    /// For staff: an octave away from the shopper's tones.
    Alarm,
}

/// Makes short sounds.
pub trait Sounder: Send {
    /// What it is.
    fn identity(&self) -> Identity;

    /// Starts `tone` and returns at once; a tone that still sounds is cut off.
    ///
    /// # Errors
    /// `Absent` when the sounder is away.
    fn play(&mut self, tone: Tone) -> Result<(), DeviceError>;
}

/// The battery and its charging contact.
pub trait Battery: Send {
    /// What it is.
    fn identity(&self) -> Identity;

    /// Reads it once; does not wait.
    ///
    /// # Errors
    /// `Absent` when there is no battery, `Corrupt` when it does not give a number.
    fn read(&mut self) -> Result<BatteryReading, DeviceError>;
}

/// Says at which exit lane the cart stands.
pub trait LaneBeacon: Send {
    /// What it is.
    fn identity(&self) -> Identity;

    /// The lane's name while the cart stands at one; does not wait.
    ///
    /// # Errors
    /// `Absent` when the receiver is away.
    fn lane(&mut self) -> Result<Option<String>, DeviceError>;
}
