//! What light and sound play for each signal: plain tables, for whatever lamp or piezo is fitted.
//!
//! Colour never says it alone: every signal has its own rhythm, so that a shopper who cannot tell red
//! from green still can tell them apart. No lamp changes faster than is safe for people who react to
//! flashes: fewer than three a second.
//! Source: W3C, WCAG 2.2, success criterion 2.3.1 "Three Flashes or Below Threshold".

use crate::device::{LightSignal, Tone};

/// One step of a light's rhythm.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LightStep {
    /// Red, green, blue: lit or dark.
    pub lamps: [bool; 3],
    /// How long it stays so, in milliseconds.
    pub for_ms: u64,
}

/// One note of a tone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Note {
    /// Its pitch in hertz; 0 is a rest.
    pub pitch_hz: u32,
    /// Its length in milliseconds.
    pub for_ms: u64,
}

const DARK: [bool; 3] = [false; 3];
const RED: [bool; 3] = [true, false, false];
const GREEN: [bool; 3] = [false, true, false];
const BLUE: [bool; 3] = [false, false, true];
const AMBER: [bool; 3] = [true, true, false];
const WHITE: [bool; 3] = [true; 3];

const fn step(lamps: [bool; 3], for_ms: u64) -> LightStep {
    LightStep { lamps, for_ms }
}

const fn note(pitch_hz: u32, for_ms: u64) -> Note {
    Note { pitch_hz, for_ms }
}

/// The steps of a signal, played round and round until the next signal.
pub const fn light(signal: LightSignal) -> &'static [LightStep] {
    match signal {
        LightSignal::Idle => const { &[step(DARK, 1_000)] },
        // Steady: all is well, nothing asks for attention.
        LightSignal::Added => const { &[step(GREEN, 1_000)] },
        // Slow, even breathing.
        LightSignal::Ask => const { &[step(BLUE, 800), step(DARK, 800)] },
        // Long on, short off.
        LightSignal::Held => const { &[step(AMBER, 900), step(DARK, 300)] },
        // Twice, then a rest: seen from an aisle away.
        LightSignal::Help => const { &[step(WHITE, 300), step(DARK, 300), step(WHITE, 300), step(DARK, 1_100)] },
        // Short on, long off.
        LightSignal::Fault => const { &[step(RED, 300), step(DARK, 1_700)] },
    }
}

/// The notes of a tone, played once.
pub const fn tone(tone: Tone) -> &'static [Note] {
    match tone {
        // One short high note.
        Tone::Added => const { &[note(1_047, 90)] },
        // Rising, as a question does.
        Tone::Ask => const { &[note(880, 110), note(0, 40), note(1_175, 140)] },
        // Falling.
        Tone::Held => const { &[note(1_175, 140), note(0, 40), note(880, 200)] },
        // An octave and more above the shopper's, three times.
        Tone::Alarm => const { &[note(2_349, 250), note(0, 100), note(2_349, 250), note(0, 100), note(2_349, 250)] },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIGNALS: [LightSignal; 6] = [
        LightSignal::Idle,
        LightSignal::Added,
        LightSignal::Ask,
        LightSignal::Held,
        LightSignal::Help,
        LightSignal::Fault,
    ];
    const TONES: [Tone; 4] = [Tone::Added, Tone::Ask, Tone::Held, Tone::Alarm];

    #[test]
    fn signals_differ_by_rhythm_alone() {
        let rhythm = |signal: LightSignal| -> Vec<(bool, u64)> {
            light(signal).iter().map(|step| (step.lamps != DARK, step.for_ms)).collect()
        };
        for (i, a) in SIGNALS.iter().enumerate() {
            for b in &SIGNALS[i + 1..] {
                assert_ne!(rhythm(*a), rhythm(*b), "{a:?} and {b:?} look alike to the colour-blind");
            }
        }
    }

    #[test]
    fn no_light_flashes_three_times_a_second() {
        for signal in SIGNALS {
            let steps = light(signal);
            assert!(steps.iter().all(|step| step.for_ms >= 200), "{signal:?} has a hasty step");
            let flashes = steps.iter().filter(|step| step.lamps != DARK).count() as u64;
            let round_ms: u64 = steps.iter().map(|step| step.for_ms).sum();
            assert!(flashes * 1_000 < 3 * round_ms, "{signal:?}");
        }
    }

    #[test]
    fn the_alarm_is_an_octave_from_every_shoppers_note() {
        let pitches = |tones: &[Tone]| -> Vec<u32> {
            let notes = tones.iter().flat_map(|each| tone(*each));
            notes.map(|note| note.pitch_hz).filter(|&pitch_hz| pitch_hz > 0).collect()
        };
        let shoppers = pitches(&TONES[..3]).into_iter().max().expect("they sound");
        let alarm = pitches(&TONES[3..]).into_iter().min().expect("it sounds");
        // Equal temperament rounds to whole hertz.
        assert!(alarm + 1 >= 2 * shoppers, "{alarm} Hz against {shoppers} Hz");
    }
}
