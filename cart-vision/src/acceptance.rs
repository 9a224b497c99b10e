//! When a barcode is believed.
//!
//! One decode proves little: at one scan line three photos of a product can all give the same
//! wrong number with a good check digit. A linear code is accepted when at least five scan lines
//! agree in each of two frames, or when three frames agree and the catalogue knows it. A matrix
//! code corrects its own errors and needs two frames. While another reading of the same place is
//! nearly as frequent, neither is accepted. A misread is worse than a miss.

use std::collections::HashMap;
use std::time::Duration;

use hal::Moment;

use crate::sighting::Symbology;

/// Scan lines that must agree for a frame to count as strong.
pub const STRONG_LINES: u32 = 5;
const STRONG_FRAMES: u8 = 2;
const KNOWN_FRAMES: u8 = 3;
/// Evidence older than this is about something that has gone.
const WINDOW: Duration = Duration::from_millis(2_000);
/// Two readings whose middles are nearer than this are of one symbol.
const SAME_PLACE_PX: f32 = 48.0;

/// One decode in one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The kind of symbol.
    pub symbology: Symbology,
    /// What it says, as read.
    pub text: String,
    /// Scan lines that agreed; not meaningful for matrix codes.
    pub lines: u32,
    /// Its middle in the frame, in pixels.
    pub middle_in_frame: [f32; 2],
}

#[derive(Clone, Debug)]
struct Evidence {
    frames: u8,
    strong: u8,
    last: Moment,
    middle: [f32; 2],
    accepted: bool,
}

/// Readings of the last two seconds of one camera.
#[derive(Debug, Default)]
pub struct Acceptance {
    seen: HashMap<(Symbology, String), Evidence>,
}

impl Symbology {
    /// True for codes of bars, false for matrix codes.
    pub fn is_linear(self) -> bool {
        !matches!(self, Symbology::DataMatrix | Symbology::Qr)
    }
}

impl Acceptance {
    /// Forgets everything: another thing is before the camera.
    pub fn forget(&mut self) {
        self.seen.clear();
    }

    /// Takes the readings of one frame; gives those that are believed with this frame for the first
    /// time, each with the number of frames that agreed. `known` asks the catalogue.
    pub fn take(&mut self, readings: &[Reading], at: Moment, known: &dyn Fn(&Reading) -> bool) -> Vec<(Reading, u8)> {
        self.seen.retain(|_, evidence| at.since(evidence.last) <= WINDOW);
        // One frame is one voice, however often its copies gave the same.
        let mut of_frame: Vec<Reading> = Vec::new();
        for reading in readings {
            match of_frame.iter_mut().find(|r| r.symbology == reading.symbology && r.text == reading.text) {
                Some(same) => same.lines = same.lines.max(reading.lines),
                None => of_frame.push(reading.clone()),
            }
        }
        for reading in &of_frame {
            let fresh = Evidence { frames: 0, strong: 0, last: at, middle: reading.middle_in_frame, accepted: false };
            let evidence = self.seen.entry((reading.symbology, reading.text.clone())).or_insert(fresh);
            evidence.frames = evidence.frames.saturating_add(1);
            if !reading.symbology.is_linear() || reading.lines >= STRONG_LINES {
                evidence.strong = evidence.strong.saturating_add(1);
            }
            (evidence.last, evidence.middle) = (at, reading.middle_in_frame);
        }
        let mut believed = Vec::new();
        for reading in of_frame {
            let key = (reading.symbology, reading.text.clone());
            let Some(own) = self.seen.get(&key) else { continue };
            let contested = self.seen.iter().any(|(other, evidence)| {
                *other != key && near(evidence.middle, own.middle) && evidence.frames * 2 >= own.frames
            });
            let enough = own.strong >= STRONG_FRAMES || (own.frames >= KNOWN_FRAMES && known(&reading));
            if own.accepted || contested || !enough {
                continue;
            }
            let frames = own.frames;
            if let Some(own) = self.seen.get_mut(&key) {
                own.accepted = true;
            }
            believed.push((reading, frames));
        }
        believed
    }
}

fn near(a: [f32; 2], b: [f32; 2]) -> bool {
    (a[0] - b[0]).hypot(a[1] - b[1]) < SAME_PLACE_PX
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(symbology: Symbology, text: &str, lines: u32) -> Reading {
        Reading { symbology, text: text.into(), lines, middle_in_frame: [100.0, 100.0] }
    }

    /// Feeds frames 66 ms apart; gives the frame in which each text was believed.
    fn check(frames: &[&[Reading]], known: bool, expected: &[(usize, &str)]) {
        let mut acceptance = Acceptance::default();
        let mut believed = Vec::new();
        for (number, readings) in frames.iter().enumerate() {
            let at = Moment::from_millis(66 * number as u64);
            let new = acceptance.take(readings, at, &|_| known);
            believed.extend(new.into_iter().map(|(r, _)| (number, r.text)));
        }
        let expected: Vec<_> = expected.iter().map(|(n, t)| (*n, (*t).to_owned())).collect();
        assert_eq!(believed, expected);
    }

    #[test]
    fn two_strong_frames_are_believed_once() {
        let strong = [reading(Symbology::Ean13, "4006381333931", 5)];
        check(&[&strong, &strong, &strong, &strong], false, &[(1, "4006381333931")]);
        check(&[&strong, &[], &strong], false, &[(2, "4006381333931")]);
    }

    #[test]
    fn weak_frames_need_three_and_the_catalogue() {
        let weak = [reading(Symbology::Ean13, "4006381333931", 4)];
        check(&[&weak, &weak, &weak, &weak, &weak], false, &[]);
        check(&[&weak, &weak, &weak, &weak], true, &[(2, "4006381333931")]);
    }

    #[test]
    fn one_frame_is_one_voice_however_often_it_was_read() {
        let strong = reading(Symbology::Ean13, "4006381333931", 9);
        check(&[&[strong.clone(), strong.clone(), strong]], true, &[]);
    }

    #[test]
    fn two_readings_of_one_symbol_hold_each_other_back() {
        let (a, b) = (reading(Symbology::Ean13, "4006381333931", 9), reading(Symbology::Ean13, "4006381333948", 9));
        let one = std::slice::from_ref(&a);
        let other = std::slice::from_ref(&b);
        check(&[one, other, one, other, one, other], true, &[]);
        let mut elsewhere = b.clone();
        elsewhere.middle_in_frame = [400.0, 100.0];
        let both = [a.clone(), elsewhere];
        check(&[&both, &both], false, &[(1, "4006381333931"), (1, "4006381333948")]);
    }

    #[test]
    fn old_evidence_does_not_count() {
        let mut acceptance = Acceptance::default();
        let strong = [reading(Symbology::Ean13, "4006381333931", 9)];
        assert_eq!(acceptance.take(&strong, Moment::from_millis(0), &|_| false), []);
        assert_eq!(acceptance.take(&strong, Moment::from_millis(2_500), &|_| false), []);
        assert_eq!(acceptance.take(&strong, Moment::from_millis(2_566), &|_| false).len(), 1);
        acceptance.forget();
        assert_eq!(acceptance.take(&strong, Moment::from_millis(2_600), &|_| false), []);
    }

    #[test]
    fn a_matrix_code_needs_two_frames() {
        let matrix = [reading(Symbology::DataMatrix, "0109506000134352", 0)];
        check(&[&matrix, &matrix], false, &[(1, "0109506000134352")]);
    }
}
