//! Lamps, a piezo and the HX711 on the pins of a Raspberry Pi, by rppal.
//!
//! Rhythms and notes are played by a small thread each, so that a caller never waits for them; the
//! players know only embedded-hal's pins. What they play is in [`super::rhythm`].

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use embedded_hal::digital::OutputPin;
use rppal::gpio::{Error as GpioError, Gpio};

use super::hx711::{Hx711, MachineTime};
use super::rhythm;
use crate::board::{LightBoard, ScaleBoard, SounderBoard};
use crate::device::Identity;
use crate::{Clock, DeviceError, ErrorKind, IndicatorLight, LightSignal, Scale, Sounder, Tone};

/// A light of three lamps, one pin a colour; a pin that is high lights its lamp.
pub struct GpioLight {
    port: String,
    signals: Sender<LightSignal>,
}

impl GpioLight {
    /// Takes the pins and starts dark.
    ///
    /// # Errors
    /// `Absent` when there are no pins or they may not be used, `Unsupported` when the board file
    /// names a pin that cannot serve.
    pub fn open(board: &LightBoard) -> Result<Self, DeviceError> {
        let numbers = [board.red_pin, board.green_pin, board.blue_pin];
        let port = port_of(&numbers);
        let pins = Pins::open("light", &port)?;
        let mut lamps = Vec::with_capacity(numbers.len());
        for number in numbers {
            lamps.push(pins.get(number)?.into_output_low());
        }
        let (signals, heard) = channel();
        start("light", &port, move || play_light(&mut lamps, &heard))?;
        Ok(Self { port, signals })
    }
}

impl IndicatorLight for GpioLight {
    fn identity(&self) -> Identity {
        Identity::new("red, green and blue lamp", self.port.clone())
    }

    fn set(&mut self, signal: LightSignal) -> Result<(), DeviceError> {
        self.signals.send(signal).map_err(|_| ended("light", &self.port))
    }
}

/// Plays the last signal heard, round and round, until nobody can send any more; then goes dark.
fn play_light<P: OutputPin>(lamps: &mut [P], heard: &Receiver<LightSignal>) {
    let mut signal = LightSignal::default();
    'signal: loop {
        for step in rhythm::light(signal).iter().cycle() {
            show(lamps, step.lamps);
            match hear_another(heard, signal, Duration::from_millis(step.for_ms)) {
                Ok(another) => {
                    signal = another;
                    continue 'signal;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break 'signal,
            }
        }
    }
    show(lamps, [false; 3]);
}

/// Waits a step long for a signal other than `present`. The same signal again neither starts its
/// rhythm anew nor hurries it, or a caller that repeats itself would make a light that flickers.
fn hear_another(
    heard: &Receiver<LightSignal>,
    present: LightSignal,
    step: Duration,
) -> Result<LightSignal, RecvTimeoutError> {
    let end = Instant::now() + step;
    loop {
        let signal = heard.recv_timeout(end.saturating_duration_since(Instant::now()))?;
        if signal != present {
            return Ok(signal);
        }
    }
}

fn show<P: OutputPin>(lamps: &mut [P], lit: [bool; 3]) {
    for (lamp, lit) in lamps.iter_mut().zip(lit) {
        // rppal's pins cannot fail; a lamp on another kind of pin that does is tried at the next step.
        let _ = if lit { lamp.set_high() } else { lamp.set_low() };
    }
}

/// A piezo on one pin.
pub struct GpioBuzzer {
    port: String,
    tones: Sender<Tone>,
}

impl GpioBuzzer {
    /// Takes the pin and starts silent.
    ///
    /// # Errors
    /// As [`GpioLight::open`].
    pub fn open(board: &SounderBoard) -> Result<Self, DeviceError> {
        let port = port_of(&[board.pin]);
        let pins = Pins::open("sounder", &port)?;
        let mut piezo = pins.get(board.pin)?.into_output_low();
        let (tones, heard) = channel();
        let sound = move |pitch_hz: u32| match pitch_hz {
            0 => piezo.clear_pwm(),
            pitch_hz => piezo.set_pwm_frequency(f64::from(pitch_hz), 0.5),
        };
        start("sounder", &port, move || play_tones(sound, &heard))?;
        Ok(Self { port, tones })
    }
}

impl Sounder for GpioBuzzer {
    fn identity(&self) -> Identity {
        Identity::new("piezo", self.port.clone())
    }

    fn play(&mut self, tone: Tone) -> Result<(), DeviceError> {
        self.tones.send(tone).map_err(|_| ended("sounder", &self.port))
    }
}

/// Plays each tone as it is heard, cutting off the one before, until nobody can send any more or the
/// pin fails. `sound` is given a pitch, 0 for silence.
fn play_tones<E>(mut sound: impl FnMut(u32) -> Result<(), E>, heard: &Receiver<Tone>) {
    let mut next = heard.recv().ok();
    while let Some(tone) = next.take() {
        for note in rhythm::tone(tone) {
            if sound(note.pitch_hz).is_err() {
                return;
            }
            match heard.recv_timeout(Duration::from_millis(note.for_ms)) {
                Ok(newer) => {
                    next = Some(newer);
                    break;
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => break,
            }
        }
        if next.is_none() {
            if sound(0).is_err() {
                return;
            }
            next = heard.recv().ok();
        }
    }
}

/// The scale on an HX711's two pins.
///
/// # Errors
/// As [`GpioLight::open`]. Whether a converter answers shows at the first read.
pub fn open_hx711(board: &ScaleBoard, clock: Arc<dyn Clock>) -> Result<impl Scale + use<>, DeviceError> {
    let port = port_of(&[board.data_pin, board.clock_pin]);
    let pins = Pins::open("scale", &port)?;
    let data = pins.get(board.data_pin)?.into_input();
    // Low from the first moment: a high clock line switches the converter off.
    let clock_pin = pins.get(board.clock_pin)?.into_output_low();
    Hx711::new(board, port, data, clock_pin, MachineTime::default(), clock)
}

/// `gpio 5/6`, for identities and errors.
fn port_of(pins: &[Option<u8>]) -> String {
    let names: Vec<String> = pins.iter().map(|pin| pin.map_or_else(|| "?".into(), |pin| pin.to_string())).collect();
    format!("gpio {}", names.join("/"))
}

/// The board's pins, with errors in the name of the device that asks for them.
struct Pins<'a> {
    gpio: Gpio,
    device: &'static str,
    port: &'a str,
}

impl<'a> Pins<'a> {
    fn open(device: &'static str, port: &'a str) -> Result<Self, DeviceError> {
        let gpio = Gpio::new().map_err(|error| refused(device, port, error))?;
        Ok(Self { gpio, device, port })
    }

    fn get(&self, pin: Option<u8>) -> Result<rppal::gpio::Pin, DeviceError> {
        let Some(pin) = pin else {
            let remedy = "Give every pin of the device in the board file.";
            return Err(DeviceError::new(ErrorKind::Unsupported, self.device, self.port, "a pin is not given", remedy));
        };
        self.gpio.get(pin).map_err(|error| refused(self.device, self.port, error))
    }
}

fn refused(device: &'static str, port: &str, error: GpioError) -> DeviceError {
    let (kind, what, remedy) = match &error {
        GpioError::UnknownModel => (
            ErrorKind::Absent,
            "this machine is no Raspberry Pi that is known",
            "Choose another driver in the board file.",
        ),
        GpioError::PermissionDenied(_) => {
            (ErrorKind::Absent, "this user may not use the pins", "Give the cart's user the group \"gpio\".")
        }
        GpioError::PinUsed(_) => (
            ErrorKind::Unsupported,
            "a pin already serves another device",
            "Give it a pin of its own in the board file.",
        ),
        GpioError::PinNotAvailable(_) => {
            (ErrorKind::Unsupported, "there is no such pin", "Correct the pin number (BCM) in the board file.")
        }
        GpioError::Io(_) | GpioError::ThreadPanic => {
            (ErrorKind::Absent, "the pins cannot be opened", "See whether /dev/gpiochip0 is there.")
        }
    };
    DeviceError::new(kind, device, port, what, remedy).because(error)
}

fn start(device: &'static str, port: &str, play: impl FnOnce() + Send + 'static) -> Result<(), DeviceError> {
    thread::Builder::new().name(device.into()).spawn(play).map(drop).map_err(|error| {
        let remedy = "Free memory or allow the cart more threads.";
        DeviceError::new(ErrorKind::Absent, device, port, "no thread for it", remedy).because(error)
    })
}

fn ended(device: &'static str, port: &str) -> DeviceError {
    DeviceError::new(ErrorKind::Absent, device, port, "its pin failed", "Check the wiring and start the cart again.")
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::sync::Mutex;

    use embedded_hal::digital::ErrorType;

    use super::*;

    /// A lamp that writes down each change.
    #[derive(Clone)]
    struct Lamp(char, Arc<Mutex<String>>);

    impl ErrorType for Lamp {
        type Error = Infallible;
    }

    impl OutputPin for Lamp {
        fn set_high(&mut self) -> Result<(), Infallible> {
            self.1.lock().expect("the test's own book").push(self.0.to_ascii_uppercase());
            Ok(())
        }

        fn set_low(&mut self) -> Result<(), Infallible> {
            self.1.lock().expect("the test's own book").push(self.0);
            Ok(())
        }
    }

    /// The lamps after each step: a capital letter is lit.
    fn check(sent: &[LightSignal], expected: &str) {
        let book = Arc::new(Mutex::new(String::new()));
        let mut lamps = ['r', 'g', 'b'].map(|colour| Lamp(colour, Arc::clone(&book)));
        let (signals, heard) = channel();
        for signal in sent {
            signals.send(*signal).expect("it listens");
        }
        drop(signals);
        play_light(&mut lamps, &heard);
        assert_eq!(*book.lock().expect("the test's own book"), expected, "{sent:?}");
    }

    #[test]
    fn the_last_signal_is_shown_and_the_light_goes_dark_at_the_end() {
        check(&[], "rgbrgb");
        check(&[LightSignal::Added, LightSignal::Held], "rgbrGbRGbrgb");
    }

    #[test]
    fn a_repeated_signal_does_not_hurry_its_rhythm() {
        check(&[LightSignal::Help; 9], "rgbRGBrgb");
    }

    #[test]
    fn a_newer_tone_cuts_the_older_off_and_silence_follows() {
        let mut sounded = Vec::new();
        let (tones, heard) = channel();
        tones.send(Tone::Alarm).expect("it listens");
        tones.send(Tone::Added).expect("it listens");
        drop(tones);
        let sound = |pitch_hz: u32| {
            sounded.push(pitch_hz);
            Ok::<(), Infallible>(())
        };
        play_tones(sound, &heard);
        let first = |tone| rhythm::tone(tone)[0].pitch_hz;
        assert_eq!(sounded, [first(Tone::Alarm), first(Tone::Added), 0]);
    }
}
