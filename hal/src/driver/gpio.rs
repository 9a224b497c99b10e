//! Pins of the board's header, by rppal.

use std::sync::Arc;

use rppal::gpio::{Gpio, InputPin, OutputPin};
use rppal::hal::Delay;

use super::hx711::{Hx711, LoadCell};
use crate::board::ScaleBoard;
use crate::{Clock, DeviceError, ErrorKind};

const REMEDY: &str = "Check that this is a Raspberry Pi, that the pin is free and that the program may use /dev/gpiochip0.";

/// The HX711 on the board's data and clock pins.
///
/// # Errors
/// `Absent` when this machine has no such pins.
pub fn open_hx711(
    board: &ScaleBoard,
    clock: Arc<dyn Clock>,
) -> Result<LoadCell<InputPin, OutputPin, Delay>, DeviceError> {
    let data_pin = given("scale", board.data_pin)?;
    let clock_pin = given("scale", board.clock_pin)?;
    let data = open("scale", data_pin, |pin| pin.into_input())?;
    let pulse = open("scale", clock_pin, |pin| pin.into_output_low())?;
    let chip = Hx711::new(data, pulse, Delay::new(), format!("GPIO {data_pin} and {clock_pin}"));
    Ok(LoadCell::new(chip, board, clock))
}

/// A pin that a driver switches, off at first.
pub(super) fn output(device: &'static str, pin: Option<u8>) -> Result<OutputPin, DeviceError> {
    open(device, given(device, pin)?, |pin| pin.into_output_low())
}

fn given(device: &'static str, pin: Option<u8>) -> Result<u8, DeviceError> {
    pin.ok_or_else(|| DeviceError::new(ErrorKind::Unsupported, device, "GPIO", "no pin is given", "Name its pin in the board file."))
}

fn open<T>(device: &'static str, pin: u8, make: impl FnOnce(rppal::gpio::Pin) -> T) -> Result<T, DeviceError> {
    Gpio::new()
        .and_then(|gpio| gpio.get(pin))
        .map(make)
        .map_err(|error| DeviceError::new(ErrorKind::Absent, device, format!("GPIO {pin}"), "the pin cannot be had", REMEDY).because(error))
}
