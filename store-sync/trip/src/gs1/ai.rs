//! Application identifiers: how long each value is, which characters it may have, what is checked.
//!
//! Source: GS1 General Specifications 24, figure 3.2-1 and section 3; the notation of a value is
//! that of GS1's Barcode Syntax Dictionary.

use super::ElementError;
use super::check::{check_digit_fits, country_or_currency, day, hour_and_minute};

/// Which characters a part of a value may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Charset {
    /// Digits.
    N,
    /// GS1's 82: letters, digits and twenty signs.
    X,
    /// GS1's 39: capitals, digits, `#`, `-`, `/`.
    Y,
}

/// What a part of a value must be besides its characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Check {
    None,
    /// Its last digit is GS1's check digit.
    Digit,
    /// YYMMDD; the day may be 00.
    Day,
    /// YYMMDD with a real day.
    ExactDay,
    /// YYMMDDhhmm.
    Minute,
    /// A numeric country or currency code of ISO 3166 or 4217.
    Code,
}

/// A part of a value: most values have one.
#[derive(Clone, Copy, Debug)]
struct Part {
    charset: Charset,
    least: usize,
    most: usize,
    check: Check,
}

/// An application identifier.
#[derive(Debug)]
pub(super) struct Ai {
    /// The digits it begins with; a fourth digit of a measure says where the decimal point is.
    start: &'static str,
    /// Its length in digits.
    length: usize,
    parts: &'static [Part],
}

const fn part(charset: Charset, least: usize, most: usize, check: Check) -> Part {
    Part { charset, least, most, check }
}

const fn ai(start: &'static str, parts: &'static [Part]) -> Ai {
    Ai { start, length: start.len(), parts }
}

/// An identifier whose last digit counts decimal places.
const fn measure(start: &'static str, parts: &'static [Part]) -> Ai {
    Ai { start, length: 4, parts }
}

const TEXT_20: &[Part] = &[part(Charset::X, 1, 20, Check::None)];
const TEXT_25: &[Part] = &[part(Charset::X, 1, 25, Check::None)];
const TEXT_30: &[Part] = &[part(Charset::X, 1, 30, Check::None)];
const TEXT_50: &[Part] = &[part(Charset::X, 1, 50, Check::None)];
const TEXT_70: &[Part] = &[part(Charset::X, 1, 70, Check::None)];
const TEXT_90: &[Part] = &[part(Charset::X, 1, 90, Check::None)];
const GTIN: &[Part] = &[part(Charset::N, 14, 14, Check::Digit)];
const LOCATION: &[Part] = &[part(Charset::N, 13, 13, Check::Digit)];
const DATE: &[Part] = &[part(Charset::N, 6, 6, Check::Day)];
const COUNT: &[Part] = &[part(Charset::N, 1, 8, Check::None)];
const SIX: &[Part] = &[part(Charset::N, 6, 6, Check::None)];
const AMOUNT: &[Part] = &[part(Charset::N, 1, 15, Check::None)];
const AMOUNT_WITH_CURRENCY: &[Part] = &[part(Charset::N, 3, 3, Check::Code), part(Charset::N, 1, 15, Check::None)];
const COUNTRY: &[Part] = &[part(Charset::N, 3, 3, Check::Code)];
const COUNTRIES: &[Part] = &[part(Charset::N, 3, 15, Check::None)];
const PIECE: &[Part] = &[part(Charset::N, 14, 14, Check::Digit), part(Charset::N, 4, 4, Check::None)];
const RELATION: &[Part] = &[part(Charset::N, 18, 18, Check::Digit)];

/// The identifiers that goods in a shop, their cases and their coupons carry.
const KNOWN: &[Ai] = &[
    ai("00", RELATION),
    ai("01", GTIN),
    ai("02", GTIN),
    ai("03", GTIN),
    ai("10", TEXT_20),
    ai("11", DATE),
    ai("12", DATE),
    ai("13", DATE),
    ai("15", DATE),
    ai("16", DATE),
    ai("17", DATE),
    ai("20", &[part(Charset::N, 2, 2, Check::None)]),
    ai("21", TEXT_20),
    ai("22", TEXT_20),
    ai("235", &[part(Charset::X, 1, 28, Check::None)]),
    ai("240", TEXT_30),
    ai("241", TEXT_30),
    ai("242", &[part(Charset::N, 1, 6, Check::None)]),
    ai("243", TEXT_20),
    ai("250", TEXT_30),
    ai("251", TEXT_30),
    ai("253", &[part(Charset::N, 13, 13, Check::Digit), part(Charset::X, 0, 17, Check::None)]),
    ai("254", TEXT_20),
    ai("255", &[part(Charset::N, 13, 13, Check::Digit), part(Charset::N, 0, 12, Check::None)]),
    ai("30", COUNT),
    measure("310", SIX),
    measure("311", SIX),
    measure("312", SIX),
    measure("313", SIX),
    measure("314", SIX),
    measure("315", SIX),
    measure("316", SIX),
    measure("32", SIX),
    measure("330", SIX),
    measure("331", SIX),
    measure("332", SIX),
    measure("333", SIX),
    measure("334", SIX),
    measure("335", SIX),
    measure("336", SIX),
    measure("337", SIX),
    measure("34", SIX),
    measure("350", SIX),
    measure("351", SIX),
    measure("352", SIX),
    measure("353", SIX),
    measure("354", SIX),
    measure("355", SIX),
    measure("356", SIX),
    measure("357", SIX),
    measure("36", SIX),
    ai("37", COUNT),
    measure("390", AMOUNT),
    measure("391", AMOUNT_WITH_CURRENCY),
    measure("392", AMOUNT),
    measure("393", AMOUNT_WITH_CURRENCY),
    measure("394", &[part(Charset::N, 4, 4, Check::None)]),
    measure("395", SIX),
    ai("400", TEXT_30),
    ai("401", TEXT_30),
    ai("402", &[part(Charset::N, 17, 17, Check::Digit)]),
    ai("403", TEXT_30),
    ai("410", LOCATION),
    ai("411", LOCATION),
    ai("412", LOCATION),
    ai("413", LOCATION),
    ai("414", LOCATION),
    ai("415", LOCATION),
    ai("416", LOCATION),
    ai("417", LOCATION),
    ai("420", TEXT_20),
    ai("421", &[part(Charset::N, 3, 3, Check::Code), part(Charset::X, 1, 9, Check::None)]),
    ai("422", COUNTRY),
    ai("423", COUNTRIES),
    ai("424", COUNTRY),
    ai("425", COUNTRIES),
    ai("426", COUNTRY),
    ai("427", &[part(Charset::X, 1, 3, Check::None)]),
    ai("7001", &[part(Charset::N, 13, 13, Check::None)]),
    ai("7002", TEXT_30),
    ai("7003", &[part(Charset::N, 10, 10, Check::Minute)]),
    ai("7004", &[part(Charset::N, 1, 4, Check::None)]),
    ai("7005", &[part(Charset::X, 1, 12, Check::None)]),
    ai("7006", &[part(Charset::N, 6, 6, Check::ExactDay)]),
    ai("7007", &[part(Charset::N, 6, 6, Check::ExactDay), part(Charset::N, 0, 6, Check::None)]),
    ai("7020", TEXT_20),
    ai("7021", TEXT_20),
    ai("7022", TEXT_20),
    ai("7023", TEXT_30),
    ai("710", TEXT_20),
    ai("711", TEXT_20),
    ai("712", TEXT_20),
    ai("713", TEXT_20),
    ai("714", TEXT_20),
    ai("715", TEXT_20),
    ai("8003", &[part(Charset::N, 14, 14, Check::Digit), part(Charset::X, 0, 16, Check::None)]),
    ai("8005", SIX),
    ai("8006", PIECE),
    ai("8008", &[part(Charset::N, 8, 12, Check::None)]),
    ai("8010", &[part(Charset::Y, 1, 30, Check::None)]),
    ai("8011", &[part(Charset::N, 1, 12, Check::None)]),
    ai("8012", TEXT_20),
    ai("8013", TEXT_25),
    ai("8017", RELATION),
    ai("8018", RELATION),
    ai("8019", &[part(Charset::N, 1, 10, Check::None)]),
    ai("8020", TEXT_25),
    ai("8026", PIECE),
    ai("8030", TEXT_90),
    ai("8110", TEXT_70),
    ai("8111", &[part(Charset::N, 4, 4, Check::None)]),
    ai("8112", TEXT_70),
    ai("8200", TEXT_70),
    ai("8009", TEXT_50),
    ai("90", TEXT_30),
    ai("91", TEXT_90),
    ai("92", TEXT_90),
    ai("93", TEXT_90),
    ai("94", TEXT_90),
    ai("95", TEXT_90),
    ai("96", TEXT_90),
    ai("97", TEXT_90),
    ai("98", TEXT_90),
    ai("99", TEXT_90),
];

/// Identifiers after whose value no FNC1 is needed: their length is told by their first two digits.
///
/// Source: GS1 General Specifications 24, figure 7.8.5-2.
const PREDEFINED: &[&str] =
    &["00", "01", "02", "03", "11", "12", "13", "15", "16", "17", "20", "31", "32", "33", "34", "35", "36", "41"];

impl Ai {
    /// The identifier that `text` begins with, and its digits.
    pub(super) fn at_start(text: &str) -> Option<(&'static Ai, &str)> {
        let known = KNOWN.iter().find(|ai| text.starts_with(ai.start))?;
        let name = text.get(..known.length).filter(|name| name.bytes().all(|b| b.is_ascii_digit()))?;
        Some((known, name))
    }

    /// The identifier that `name` is, to the last digit.
    pub(super) fn named(name: &str) -> Option<&'static Ai> {
        Self::at_start(name).filter(|(_, whole)| *whole == name).map(|(known, _)| known)
    }

    /// The length of the value where no FNC1 has to end it.
    pub(super) fn predefined_length(&self) -> Option<usize> {
        let predefined = PREDEFINED.iter().any(|start| self.start.starts_with(start));
        predefined.then(|| self.parts.iter().map(|part| part.most).sum())
    }

    /// Holds a value against length, characters and checks.
    pub(super) fn check(&self, name: &str, value: &str) -> Result<(), ElementError> {
        let fail = |why| Err(ElementError::Value { ai: name.to_owned(), value: value.to_owned(), why });
        if value.len() < self.parts.iter().map(|part| part.least).sum() {
            return fail("too short");
        }
        let mut rest = value;
        for part in self.parts {
            let (piece, after) = rest.split_at_checked(part.most.min(rest.len())).unwrap_or((rest, ""));
            if let Err(why) = part.check(piece) {
                return fail(why);
            }
            rest = after;
        }
        if rest.is_empty() { Ok(()) } else { fail("too long") }
    }
}

impl Part {
    fn check(&self, piece: &str) -> Result<(), &'static str> {
        let (allowed, why): (fn(u8) -> bool, _) = match self.charset {
            Charset::N => (|b| b.is_ascii_digit(), "digits are needed"),
            Charset::X => (in_set_82, "a character is not allowed"),
            Charset::Y => (in_set_39, "a character is not allowed"),
        };
        if !piece.bytes().all(allowed) {
            return Err(why);
        }
        match self.check {
            Check::Digit if !check_digit_fits(piece) => Err("the check digit does not fit"),
            Check::Day if day(piece).is_none() => Err("no date of the form YYMMDD"),
            Check::ExactDay if day(piece).is_none_or(|d| d == 0) => Err("no date of the form YYMMDD"),
            Check::Minute if day(&piece[..6]).is_none_or(|d| d == 0) || !hour_and_minute(&piece[6..]) => {
                Err("no time of the form YYMMDDhhmm")
            }
            Check::Code if !country_or_currency(piece) => Err("no country or currency code"),
            _ => Ok(()),
        }
    }
}

/// Source: GS1 General Specifications 24, figure 7.11-1.
fn in_set_82(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!\"%&'()*+,-./:;<=>?_".contains(&byte)
}

/// Source: GS1 General Specifications 24, figure 7.11-2.
fn in_set_39(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || b"#-/".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `why` is a part of the refusal, or empty where the value is right.
    fn check(name: &str, value: &str, why: &str) {
        let Some(known) = Ai::named(name) else { panic!("({name}) is unknown") };
        match known.check(name, value) {
            Ok(()) => assert_eq!("", why, "({name}){value} was let through"),
            Err(error) => {
                let error = error.to_string();
                assert!(!why.is_empty() && error.contains(why) && error.contains(name), "({name}){value}: {error}");
            }
        }
    }

    #[test]
    fn check_digits_are_checked_wherever_there_is_one() {
        for (name, right) in [
            ("00", "106141412345678908"),
            ("01", "09506000134352"),
            ("02", "09506000134352"),
            ("402", "12345678901234560"),
            ("410", "9506000134352"),
            ("414", "9506000134352"),
            ("253", "9506000134352ABC"),
            ("255", "9506000134352"),
            ("8003", "09506000134352XYZ"),
            ("8006", "095060001343520102"),
            ("8018", "106141412345678908"),
        ] {
            check(name, right, "");
            let digits = right.bytes().take_while(u8::is_ascii_digit).count();
            let wrong: String = (right.chars().enumerate())
                .map(|(i, c)| if i == 2 && digits > 2 { if c == '9' { '0' } else { '9' } } else { c })
                .collect();
            check(name, &wrong, "check digit");
        }
    }

    #[test]
    fn dates_are_dates() {
        for name in ["11", "12", "13", "15", "16", "17"] {
            check(name, "270131", "");
            check(name, "270200", "");
            check(name, "280229", "");
            for wrong in ["271301", "270132", "270229", "270431", "270001"] {
                check(name, wrong, "date");
            }
        }
        check("7006", "270200", "date");
        check("7003", "2701312359", "");
        for wrong in ["2701312400", "2701312360", "2702300000"] {
            check("7003", wrong, "time");
        }
    }

    #[test]
    fn lengths_and_characters_are_held_to() {
        for (name, value, why) in [
            ("10", "", "short"),
            ("10", "ABCDEFGHIJKLMNOPQRST", ""),
            ("10", "ABCDEFGHIJKLMNOPQRSTU", "long"),
            ("10", "A B", "character"),
            ("10", "A#B", "character"),
            ("21", "a/b_c!", ""),
            ("22", "1é", "character"),
            ("20", "1", "short"),
            ("20", "1x", "digits"),
            ("30", "123456789", "long"),
            ("37", "24", ""),
            ("3103", "00045", "short"),
            ("3103", "0000456", "long"),
            ("3922", "1234567890123456", "long"),
            ("3932", "9781299", ""),
            ("3932", "978", "short"),
            ("3932", "0001299", "currency"),
            ("3953", "001299", ""),
            ("421", "276ABC", ""),
            ("421", "276", "short"),
            ("422", "000", "country"),
            ("8010", "ABC#1", ""),
            ("8010", "abc", "character"),
        ] {
            check(name, value, why);
        }
    }

    #[test]
    fn a_name_is_known_as_a_whole_or_not_at_all() {
        for name in ["", "0", "04", "14", "18", "310", "31001", "3170", "3380", "999", "01x", "４１", "8888"] {
            assert!(Ai::named(name).is_none(), "{name:?}");
        }
        for name in ["00", "20", "3100", "3299", "3370", "3699", "3950", "417"] {
            assert!(Ai::named(name).is_some(), "{name:?}");
        }
    }
}
