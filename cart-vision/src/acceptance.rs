//! When a barcode is believed.
//!
//! One decode proves little: at one scan line three photos of a product can all give the same
//! wrong number with a good check digit. A linear code is accepted when at least five scan lines
//! agree in each of two frames, or twelve in three frames together, or when three frames agree and
//! the catalogue knows it. EAN-8, UPC-E and ITF have fewer digits that prove less, and need a frame
//! more. A matrix code corrects its own errors and needs two frames. While another reading of the same place is nearly as frequent,
//! neither is accepted. A misread is worse than a miss.

use std::collections::HashMap;
use std::time::Duration;

use hal::Moment;

use crate::sighting::Symbology;

/// Scan lines that must agree for a frame to count as strong.
pub const STRONG_LINES: u32 = 5;
const STRONG_FRAMES: u8 = 2;
/// Frames and their scan lines together that are as good as strong ones. Of 227 pictures at 13
/// angles and movements no wrong reading came in more than two frames or with more than ten lines.
const MANY_FRAMES: u8 = 3;
const MANY_LINES: u32 = 12;
const KNOWN_FRAMES: u8 = 3;
/// Evidence older than this is about something that has gone.
const WINDOW: Duration = Duration::from_millis(2_000);
/// Two readings whose middles are nearer than this, or than a quarter of either's length, are of one
/// symbol.
const SAME_PLACE_PX: f32 = 48.0;

/// One decode in one frame.
#[derive(Clone, Debug, PartialEq)]
pub struct Reading {
    /// The kind of symbol.
    pub symbology: Symbology,
    /// What it says, as read; a UPC's 13 digits.
    pub text: String,
    /// True where the symbol itself says that its text is an element string.
    pub gs1: bool,
    /// Scan lines that agreed; not meaningful for matrix codes.
    pub lines: u32,
    /// Its middle in the frame, in pixels.
    pub middle_in_frame: [f32; 2],
    /// Its longer side in pixels of the frame.
    pub length_px: f32,
}

#[derive(Clone, Debug)]
struct Evidence {
    length_px: f32,
    frames: u8,
    strong: u8,
    lines: u32,
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

    /// True for codes of which no part can pass for a whole one: their checks go over all of it,
    /// and its length is part of what they say.
    pub fn holds_together(self) -> bool {
        matches!(self, Symbology::DataMatrix | Symbology::Qr | Symbology::DataBar | Symbology::DataBarExpanded)
    }

    /// Frames that a symbol needs more than others: fewer digits prove less.
    fn frames_more(self) -> u8 {
        u8::from(matches!(self, Symbology::Ean8 | Symbology::UpcE | Symbology::Itf))
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
            let fresh = Evidence {
                length_px: reading.length_px,
                frames: 0,
                strong: 0,
                lines: 0,
                last: at,
                middle: reading.middle_in_frame,
                accepted: false,
            };
            let evidence = self.seen.entry((reading.symbology, reading.text.clone())).or_insert(fresh);
            evidence.frames = evidence.frames.saturating_add(1);
            evidence.lines = evidence.lines.saturating_add(reading.lines);
            if !reading.symbology.is_linear() || reading.lines >= STRONG_LINES {
                evidence.strong = evidence.strong.saturating_add(1);
            }
            (evidence.last, evidence.middle, evidence.length_px) = (at, reading.middle_in_frame, reading.length_px);
        }
        let mut believed = Vec::new();
        for reading in of_frame {
            let key = (reading.symbology, reading.text.clone());
            let Some(own) = self.seen.get(&key) else { continue };
            let contested = self.seen.iter().any(|(other, evidence)| {
                let rival = other.1 != key.1 && other.0.is_linear() == key.0.is_linear();
                rival && evidence.near(own) && evidence.frames.saturating_mul(2) >= own.frames
            });
            let more = reading.symbology.frames_more();
            let enough = own.strong >= STRONG_FRAMES + more
                || (own.frames >= MANY_FRAMES + more && own.lines >= MANY_LINES)
                || (own.frames >= KNOWN_FRAMES && known(&reading));
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

impl Evidence {
    fn near(&self, other: &Self) -> bool {
        let apart = (self.middle[0] - other.middle[0]).hypot(self.middle[1] - other.middle[1]);
        apart < SAME_PLACE_PX.max(self.length_px.max(other.length_px) / 4.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(symbology: Symbology, text: &str, lines: u32) -> Reading {
        Reading { symbology, text: text.into(), gs1: false, lines, middle_in_frame: [100.0, 100.0], length_px: 150.0 }
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
        let weak = [reading(Symbology::Ean13, "4006381333931", 1)];
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
    fn twelve_lines_in_three_frames_are_enough() {
        let some = [reading(Symbology::Ean13, "4006381333931", 4)];
        let few = [reading(Symbology::Ean13, "4006381333931", 3)];
        check(&[&some, &some, &some], false, &[(2, "4006381333931")]);
        check(&[&few, &few, &few], false, &[]);
        check(&[&few, &few, &few, &few], false, &[(3, "4006381333931")]);
    }

    #[test]
    fn short_codes_need_a_third_strong_frame() {
        for symbology in [Symbology::Ean8, Symbology::UpcE, Symbology::Itf] {
            let strong = [reading(symbology, "96385074", 9)];
            check(&[&strong, &strong, &strong, &strong], false, &[(2, "96385074")]);
        }
    }

    #[test]
    fn a_part_of_a_long_code_is_held_back_by_the_whole() {
        let whole = reading(Symbology::Itf, "30712345000010", 9);
        let part = reading(Symbology::Itf, "307123", 9);
        let both = |length_px| {
            let whole = Reading { length_px, middle_in_frame: [190.0, 100.0], ..whole.clone() };
            [whole, part.clone()]
        };
        let (near, far) = (both(400.0), both(150.0));
        check(&[&near, &near, &near, &near], true, &[]);
        check(&[&far, &far, &far], false, &[(2, "30712345000010"), (2, "307123")]);
    }

    #[test]
    fn a_matrix_code_beside_a_linear_one_is_no_rival() {
        let both = [reading(Symbology::Ean13, "4006381333931", 9), reading(Symbology::Qr, "https://example.org", 0)];
        check(&[&both, &both], false, &[(1, "4006381333931"), (1, "https://example.org")]);
    }

    #[test]
    fn a_matrix_code_needs_two_frames() {
        let matrix = [reading(Symbology::DataMatrix, "0109506000134352", 0)];
        check(&[&matrix, &matrix], false, &[(1, "0109506000134352")]);
    }
}
