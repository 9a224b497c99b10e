//! The HX711 load cell converter on two pins, for boards without the kernel's driver.
//!
//! The chip pulls its data line low when a sample is ready; 24 clock pulses then shift the sample
//! out, the highest bit first, and a 25th chooses channel A at gain 128 for the next one and lets the
//! data line go high again. A clock pulse that stays high for more than 60 µs switches the chip off,
//! and a busy machine can do that by accident: every pulse is timed, a sample with a long one is
//! thrown away. A single wild sample is voted out by the median of the last three.
//!
//! Source: Avia Semiconductor, HX711 data sheet, "Serial Interface", "Reset and Power-Down".

use std::sync::Arc;
use std::time::{Duration, Instant};

use embedded_hal::digital::{Error as _, InputPin, OutputPin};

use super::calibration::Calibration;
use crate::board::ScaleBoard;
use crate::device::Identity;
use crate::{Clock, DeviceError, ErrorKind, Scale, WeightReading};

/// How long a sample may take: the slow rate's settling time after power-up.
/// Source: HX711 data sheet, "Electrical Characteristics", output settling time 400 ms at 10 a second.
const READY_WITHIN: Duration = Duration::from_millis(400);

/// How often the data line is looked at: a sample is seen soon, and the core mostly sleeps.
const READY_POLL: Duration = Duration::from_micros(500);

/// The longest time the clock may stay high.
/// Source: HX711 data sheet, table of PD_SCK times, T3 at most 50 µs.
const LONGEST_HIGH: Duration = Duration::from_micros(50);

/// The chip powers down after this.
const POWER_DOWN_AFTER: Duration = Duration::from_micros(60);

const _: () = assert!(LONGEST_HIGH.as_micros() < POWER_DOWN_AFTER.as_micros());

/// The bits of a sample.
const BITS: u32 = 24;

/// Samples that vote. Three outvote a single wild one at the cost of one sample's delay.
const VOTES: usize = 3;

/// The machine's time, for pulses: finer than the cart's clock and never sped up.
pub trait PulseTime: Send {
    /// Time since some fixed moment.
    fn now(&mut self) -> Duration;

    /// Waits about this long.
    fn pause(&mut self, duration: Duration);
}

/// [`PulseTime`] by the machine's monotonic clock.
#[derive(Debug)]
pub struct MachineTime(Instant);

impl Default for MachineTime {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl PulseTime for MachineTime {
    fn now(&mut self) -> Duration {
        self.0.elapsed()
    }

    fn pause(&mut self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// A scale on an HX711.
pub struct Hx711<D, C, T> {
    data: D,
    clock_pin: C,
    time: T,
    clock: Arc<dyn Clock>,
    calibration: Calibration,
    port: String,
    /// The last good counts, oldest first; emptied by an error, since older ones say nothing then.
    votes: Vec<i32>,
}

impl<D: InputPin + Send, C: OutputPin + Send, T: PulseTime> Hx711<D, C, T> {
    /// A converter with its `data` and `clock_pin` lines; `port` names them in errors.
    ///
    /// # Errors
    /// `Absent` when the clock line cannot be driven. Whether a chip answers shows at the first read.
    pub fn new(
        board: &ScaleBoard,
        port: String,
        data: D,
        clock_pin: C,
        time: T,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, DeviceError> {
        let calibration = Calibration::of(board);
        let mut chip = Self { data, clock_pin, time, clock, calibration, port, votes: Vec::with_capacity(VOTES) };
        // Low is the chip's waking state; high would switch it off.
        chip.drive(false)?;
        Ok(chip)
    }

    /// One good sample, or why there was none.
    fn sample(&mut self) -> Result<i32, DeviceError> {
        self.wait_ready()?;
        let mut word = 0u32;
        for _ in 0..BITS {
            self.pulse()?;
            word = word << 1 | u32::from(self.data_is_high()?);
        }
        self.pulse()?;
        if !self.data_is_high()? {
            return Err(self.error(
                ErrorKind::Corrupt,
                "the data line did not rise after the last pulse".into(),
                "Check that the data wire is connected and that no other device shares the pins.",
            ));
        }
        // Two's complement of 24 bits: the sign is moved to bit 31 and back.
        Ok((word << (u32::BITS - BITS)).cast_signed() >> (u32::BITS - BITS))
    }

    fn wait_ready(&mut self) -> Result<(), DeviceError> {
        let asked = self.time.now();
        while self.data_is_high()? {
            if self.time.now().saturating_sub(asked) > READY_WITHIN {
                return Err(self.error(
                    ErrorKind::Timeout,
                    format!("no sample in {} ms", READY_WITHIN.as_millis()),
                    "Check the converter's supply and its two wires, and the pin numbers in the board file.",
                ));
            }
            self.time.pause(READY_POLL);
        }
        Ok(())
    }

    /// One clock pulse. It is timed from before its rise to after its fall, so a pulse that was cut
    /// into by the scheduler is never taken for a short one.
    fn pulse(&mut self) -> Result<(), DeviceError> {
        let before = self.time.now();
        self.drive(true)?;
        self.drive(false)?;
        let high = self.time.now().saturating_sub(before);
        if high <= LONGEST_HIGH {
            return Ok(());
        }
        Err(self.error(
            ErrorKind::Corrupt,
            format!("a clock pulse lasted {} µs and may have switched the converter off", high.as_micros()),
            "Ask again; if it is often so, use the kernel's driver (scale.driver = \"iio\") or ease the load.",
        ))
    }

    fn data_is_high(&mut self) -> Result<bool, DeviceError> {
        let level = self.data.is_high();
        level.map_err(|error| self.broken_pin("data", error.kind()))
    }

    fn drive(&mut self, high: bool) -> Result<(), DeviceError> {
        let driven = if high { self.clock_pin.set_high() } else { self.clock_pin.set_low() };
        driven.map_err(|error| self.broken_pin("clock", error.kind()))
    }

    fn broken_pin(&self, pin: &str, why: embedded_hal::digital::ErrorKind) -> DeviceError {
        let what = format!("the {pin} pin cannot be used ({why})");
        self.error(ErrorKind::Absent, what, "Check the pin numbers in the board file.")
    }

    fn error(&self, kind: ErrorKind, what: String, remedy: &str) -> DeviceError {
        DeviceError::new(kind, "scale", self.port.clone(), what, remedy)
    }
}

impl<D: InputPin + Send, C: OutputPin + Send, T: PulseTime> Scale for Hx711<D, C, T> {
    fn identity(&self) -> Identity {
        Identity::new("Avia HX711", self.port.clone()).calibrated(self.calibration.words())
    }

    fn read(&mut self) -> Result<WeightReading, DeviceError> {
        if self.votes.len() == VOTES {
            self.votes.remove(0);
        }
        while self.votes.len() < VOTES {
            match self.sample() {
                Ok(counts) => self.votes.push(counts),
                Err(error) => {
                    self.votes.clear();
                    return Err(error);
                }
            }
        }
        let mut sorted = self.votes.clone();
        sorted.sort_unstable();
        let gross_g = self.calibration.grams(i64::from(sorted[VOTES / 2]));
        Ok(WeightReading { at: self.clock.now(), gross_g })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::convert::Infallible;
    use std::sync::{Mutex, MutexGuard};

    use embedded_hal::digital::ErrorType;

    use super::*;
    use crate::ManualClock;

    /// A chip as the data sheet draws it, with its own time: a step of the wire takes a microsecond.
    struct Chip {
        words: VecDeque<u32>,
        now: Duration,
        clock_high: bool,
        rises: u32,
        data_high: bool,
        /// Pulses from the start on that are held high too long.
        long_pulses: Vec<u32>,
        pulses: u32,
        /// The data wire is torn off and held low.
        stuck_low: bool,
    }

    #[derive(Clone)]
    struct Wire(Arc<Mutex<Chip>>);

    impl Wire {
        fn new(words: &[i32]) -> Self {
            let words = words.iter().map(|word| word.cast_unsigned() & 0xFF_FFFF).collect();
            Self(Arc::new(Mutex::new(Chip {
                words,
                now: Duration::ZERO,
                clock_high: false,
                rises: 0,
                data_high: true,
                long_pulses: Vec::new(),
                pulses: 0,
                stuck_low: false,
            })))
        }

        fn chip(&self) -> MutexGuard<'_, Chip> {
            self.0.lock().expect("the tests' own chip")
        }

        fn scale(&self) -> Hx711<Wire, Wire, Wire> {
            let board = ScaleBoard { zero_counts: 0, counts_per_g: 10.0, ..ScaleBoard::default() };
            let clock = Arc::new(ManualClock::default());
            Hx711::new(&board, "gpio 5/6".into(), self.clone(), self.clone(), self.clone(), clock)
                .expect("the wire can be driven")
        }
    }

    impl Chip {
        fn rise(&mut self) {
            self.now += Duration::from_micros(1);
            if self.long_pulses.contains(&self.pulses) {
                self.now += POWER_DOWN_AFTER;
            }
            self.pulses += 1;
            self.clock_high = true;
            self.rises += 1;
            let word = self.words.front().copied().unwrap_or(0);
            self.data_high = self.rises > BITS || word >> (BITS - self.rises) & 1 == 1;
            if self.rises > BITS {
                self.words.pop_front();
                self.rises = 0;
            }
        }
    }

    impl ErrorType for Wire {
        type Error = Infallible;
    }

    impl InputPin for Wire {
        fn is_high(&mut self) -> Result<bool, Infallible> {
            let chip = self.chip();
            Ok(chip.data_high && !chip.stuck_low)
        }

        fn is_low(&mut self) -> Result<bool, Infallible> {
            self.is_high().map(|high| !high)
        }
    }

    impl OutputPin for Wire {
        fn set_high(&mut self) -> Result<(), Infallible> {
            let mut chip = self.chip();
            if !chip.clock_high {
                chip.rise();
            }
            Ok(())
        }

        fn set_low(&mut self) -> Result<(), Infallible> {
            self.chip().clock_high = false;
            Ok(())
        }
    }

    impl PulseTime for Wire {
        fn now(&mut self) -> Duration {
            self.chip().now
        }

        /// While the driver waits, the next sample gets ready.
        fn pause(&mut self, duration: Duration) {
            let mut chip = self.chip();
            chip.now += duration;
            if !chip.words.is_empty() {
                chip.data_high = false;
                chip.rises = 0;
            }
        }
    }

    fn check(words: [i32; 3], grams: f32) {
        let read = Wire::new(&words).scale().read();
        assert_eq!(read.map(|reading| reading.gross_g).map_err(|error| error.kind()), Ok(grams), "{words:?}");
    }

    #[test]
    fn a_word_is_a_signed_number_of_24_bits() {
        check([1_230; 3], 123.0);
        check([-10; 3], -1.0);
        check([8_388_607; 3], 838_860.7);
        check([-8_388_608; 3], -838_860.8);
    }

    #[test]
    fn one_wild_sample_of_three_is_voted_out() {
        check([100, 8_000_000, 110], 11.0);
        check([-8_000_000, 100, 110], 10.0);
    }

    #[test]
    fn after_the_first_reading_each_sample_gives_one() {
        let mut scale = Wire::new(&[10, 10, 10, 20, 20]).scale();
        let grams: Vec<f32> = (0..3).map(|_| scale.read().expect("a sample").gross_g).collect();
        assert_eq!(grams, [1.0, 1.0, 2.0]);
    }

    #[test]
    fn a_chip_that_does_not_answer_is_a_timeout_not_a_hang() {
        let error = Wire::new(&[]).scale().read().expect_err("there is no sample");
        assert_eq!(error.kind(), ErrorKind::Timeout);
        assert!(error.to_string().contains("gpio 5/6"), "{error}");
    }

    #[test]
    fn a_sample_with_a_long_pulse_is_thrown_away_and_the_next_reading_is_fresh() {
        let wire = Wire::new(&[50, 50, 50, 50, 90, 90, 90]);
        let mut scale = wire.scale();
        assert_eq!(scale.read().map(|reading| reading.gross_g).ok(), Some(5.0));
        // Three samples of 25 pulses are read; the eleventh pulse of the fourth is held.
        wire.chip().long_pulses = vec![3 * 25 + 10];
        assert_eq!(scale.read().map_err(|error| error.kind()), Err(ErrorKind::Corrupt));
        // The disturbed word is sent again by the chip; the old ones no longer vote.
        wire.chip().data_high = true;
        assert_eq!(scale.read().map(|reading| reading.gross_g).ok(), Some(9.0));
    }

    #[test]
    fn a_data_line_that_never_rises_is_no_load_of_zero() {
        let wire = Wire::new(&[0, 0, 0]);
        let mut scale = wire.scale();
        wire.chip().stuck_low = true;
        assert_eq!(scale.read().map_err(|error| error.kind()), Err(ErrorKind::Corrupt));
    }
}
