//! Application identifiers: splitting an element string and reading the ones a till needs.

use super::{Item, Scanned};
use crate::{Grams, Gtin};

/// What is wrong with an element string.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ElementError {
    /// No such identifier, or one this program does not know.
    #[error("unknown application identifier at \"{0}\"")]
    UnknownAi(String),
    /// Fewer characters than the identifier needs, more than it allows, or the wrong kind.
    #[error("application identifier ({ai}) has \"{value}\": {why}")]
    Value {
        /// Which identifier.
        ai: String,
        /// What it has.
        value: String,
        /// What is wrong.
        why: &'static str,
    },
}

/// Digits only, or any printable character of GS1's set 82.
#[derive(Clone, Copy)]
enum Kind {
    Digits,
    Text,
}

/// An identifier: its first digits, its whole length, least and most characters of its value.
struct Ai {
    start: &'static str,
    length: usize,
    kind: Kind,
    least: usize,
    most: usize,
}

const fn ai(start: &'static str, length: usize, kind: Kind, least: usize, most: usize) -> Ai {
    Ai { start, length, kind, least, most }
}

/// The identifiers found on retail goods. The first that fits is taken.
///
/// Source: GS1 General Specifications 24, figure 3.2-1.
const KNOWN: &[Ai] = &[
    ai("00", 2, Kind::Digits, 18, 18),
    ai("01", 2, Kind::Digits, 14, 14),
    ai("02", 2, Kind::Digits, 14, 14),
    ai("10", 2, Kind::Text, 1, 20),
    ai("11", 2, Kind::Digits, 6, 6),
    ai("12", 2, Kind::Digits, 6, 6),
    ai("13", 2, Kind::Digits, 6, 6),
    ai("15", 2, Kind::Digits, 6, 6),
    ai("16", 2, Kind::Digits, 6, 6),
    ai("17", 2, Kind::Digits, 6, 6),
    ai("20", 2, Kind::Digits, 2, 2),
    ai("21", 2, Kind::Text, 1, 20),
    ai("22", 2, Kind::Text, 1, 20),
    ai("235", 3, Kind::Text, 1, 28),
    ai("240", 3, Kind::Text, 1, 30),
    ai("241", 3, Kind::Text, 1, 30),
    ai("242", 3, Kind::Digits, 1, 6),
    ai("243", 3, Kind::Text, 1, 20),
    ai("250", 3, Kind::Text, 1, 30),
    ai("251", 3, Kind::Text, 1, 30),
    ai("253", 3, Kind::Text, 13, 30),
    ai("254", 3, Kind::Text, 1, 20),
    ai("255", 3, Kind::Digits, 13, 25),
    ai("30", 2, Kind::Digits, 1, 8),
    ai("31", 4, Kind::Digits, 6, 6),
    ai("32", 4, Kind::Digits, 6, 6),
    ai("33", 4, Kind::Digits, 6, 6),
    ai("34", 4, Kind::Digits, 6, 6),
    ai("35", 4, Kind::Digits, 6, 6),
    ai("36", 4, Kind::Digits, 6, 6),
    ai("37", 2, Kind::Digits, 1, 8),
    ai("390", 4, Kind::Digits, 1, 15),
    ai("391", 4, Kind::Digits, 4, 18),
    ai("392", 4, Kind::Digits, 1, 15),
    ai("393", 4, Kind::Digits, 4, 18),
    ai("394", 4, Kind::Digits, 4, 4),
    ai("395", 4, Kind::Digits, 6, 6),
    ai("400", 3, Kind::Text, 1, 30),
    ai("410", 3, Kind::Digits, 13, 13),
    ai("414", 3, Kind::Digits, 13, 13),
    ai("415", 3, Kind::Digits, 13, 13),
    ai("420", 3, Kind::Text, 1, 20),
    ai("422", 3, Kind::Digits, 3, 3),
    ai("7003", 4, Kind::Digits, 10, 10),
    ai("8008", 4, Kind::Digits, 8, 12),
    ai("8020", 4, Kind::Text, 1, 25),
    ai("90", 2, Kind::Text, 1, 30),
    ai("91", 2, Kind::Text, 1, 90),
    ai("92", 2, Kind::Text, 1, 90),
    ai("93", 2, Kind::Text, 1, 90),
    ai("94", 2, Kind::Text, 1, 90),
    ai("95", 2, Kind::Text, 1, 90),
    ai("96", 2, Kind::Text, 1, 90),
    ai("97", 2, Kind::Text, 1, 90),
    ai("98", 2, Kind::Text, 1, 90),
    ai("99", 2, Kind::Text, 1, 90),
];

/// ASCII 29, how readers give FNC1 between elements.
const SEPARATOR: char = '\u{1d}';

/// An identifier and its value.
pub(super) type Element<'a> = (&'a str, &'a str);

/// Splits an element string; each value is checked for length and characters.
pub(super) fn split(text: &str) -> Result<Vec<Element<'_>>, ElementError> {
    let mut elements = Vec::new();
    let mut rest = text.trim_start_matches(SEPARATOR);
    while !rest.is_empty() {
        let unknown = || ElementError::UnknownAi(rest.chars().take(4).collect());
        let known = KNOWN.iter().find(|ai| rest.starts_with(ai.start)).ok_or_else(unknown)?;
        let (name, after) = rest.split_at_checked(known.length).ok_or_else(unknown)?;
        let end = after.find(SEPARATOR).unwrap_or(after.len());
        let end = if known.least == known.most { end.min(known.most) } else { end };
        let (value, after) = after.split_at_checked(end).ok_or_else(unknown)?;
        check(known, name, value)?;
        elements.push((name, value));
        rest = after.trim_start_matches(SEPARATOR);
    }
    Ok(elements)
}

fn check(known: &Ai, name: &str, value: &str) -> Result<(), ElementError> {
    let fail = |why| Err(ElementError::Value { ai: name.to_owned(), value: value.to_owned(), why });
    if !name.bytes().all(|b| b.is_ascii_digit()) {
        return Err(ElementError::UnknownAi(name.to_owned()));
    }
    if value.len() < known.least {
        return fail("too short");
    }
    if value.len() > known.most {
        return fail("too long");
    }
    match known.kind {
        Kind::Digits if !value.bytes().all(|b| b.is_ascii_digit()) => fail("digits are needed"),
        Kind::Text if !value.bytes().all(|b| b.is_ascii_graphic()) => fail("a character is not allowed"),
        _ => Ok(()),
    }
}

/// Puts the elements of a trade item together; without (01) it is none.
pub(super) fn item(elements: &[Element<'_>]) -> Result<Scanned, ElementError> {
    let get = |name: &str| elements.iter().find(|(ai, _)| *ai == name).map(|(_, value)| *value);
    let Some(number) = get("01") else {
        return Ok(Scanned::Other(elements.iter().map(|(ai, value)| format!("({ai}){value}")).collect()));
    };
    let gtin = Gtin::parse(number).map_err(|_| ElementError::Value {
        ai: "01".into(),
        value: number.to_owned(),
        why: "the check digit does not fit",
    })?;
    for name in ["11", "13", "15", "17"] {
        if let Some(value) = get(name) {
            check_date(name, value)?;
        }
    }
    let decimal = |start: &str| {
        elements
            .iter()
            .find(|(ai, _)| ai.len() == 4 && ai.starts_with(start))
            .and_then(|(ai, value)| Some((ai.as_bytes()[3] - b'0', value.parse::<i64>().ok()?)))
    };
    Ok(Scanned::Item(Item {
        gtin,
        net_weight: decimal("310").and_then(|(places, value)| scaled(value, 3, places)).map(|g| Grams(g as i32)),
        price: decimal("392").and_then(|(places, value)| scaled(value, 2, places)),
        batch: get("10").map(str::to_owned),
        expiry: get("17").or_else(|| get("15")).map(str::to_owned),
        serial: get("21").map(str::to_owned),
    }))
}

/// `value / 10^places`, in units of `10^-wanted`; `None` when digits would be lost or overflow.
fn scaled(value: i64, wanted: u32, places: u8) -> Option<i64> {
    let places = u32::from(places);
    if places <= wanted {
        return value.checked_mul(10_i64.pow(wanted - places)).filter(|v| i32::try_from(*v).is_ok());
    }
    let divisor = 10_i64.checked_pow(places - wanted)?;
    (value % divisor == 0).then_some(value / divisor)
}

/// YYMMDD; the day may be 00 for the whole month.
fn check_date(name: &str, value: &str) -> Result<(), ElementError> {
    let number = |range: std::ops::Range<usize>| value.get(range).and_then(|d| d.parse::<u8>().ok()).unwrap_or(u8::MAX);
    if (1..=12).contains(&number(2..4)) && number(4..6) <= 31 {
        return Ok(());
    }
    Err(ElementError::Value { ai: name.to_owned(), value: value.to_owned(), why: "no date of the form YYMMDD" })
}

/// Reads a Digital Link address: `/01/…` in its path, further identifiers in path and query.
pub(super) fn digital_link(text: &str) -> Result<Scanned, ElementError> {
    let other = || Ok(Scanned::Other(text.to_owned()));
    let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
    if !lower.starts_with("https://") && !lower.starts_with("http://") {
        return other();
    }
    let (address, query) = text.split_once('?').unwrap_or((text, ""));
    let query = query.split('#').next().unwrap_or("");
    let parts: Vec<&str> = address.split('/').skip(3).collect();
    let Some(start) = parts.iter().position(|p| *p == "01" || *p == "gtin") else { return other() };
    let path = parts[start..].chunks_exact(2).map(|pair| (pair[0], pair[1]));
    let pairs = path.chain(query.split('&').filter_map(|pair| pair.split_once('=')));
    let mut owned: Vec<(&str, String)> = Vec::new();
    for (name, value) in pairs {
        let name = if name == "gtin" { "01" } else { name };
        // Words in the query that are no identifiers (tracking, language) are not ours to judge.
        let Some(known) = KNOWN.iter().find(|ai| name.len() == ai.length && name.starts_with(ai.start)) else {
            continue;
        };
        let value = if name == "01" { format!("{value:0>14}") } else { value.to_owned() };
        check(known, name, &value)?;
        owned.push((name, value));
    }
    let elements: Vec<Element<'_>> = owned.iter().map(|(name, value)| (*name, value.as_str())).collect();
    item(&elements)
}

/// The price check digit over four digits: weights 2−, 2−, 3, 5−.
///
/// Source: GS1 General Specifications 24, section 7.9.3 (four-digit price field).
pub(super) fn price_check_digit(digits: &[u8]) -> u8 {
    let minus = |factor: u8, d: u8| (factor * d - (factor * d) / 10) % 10;
    let five_minus = |d: u8| {
        let product = 5 * d;
        ((product + 100 - product / 10) % 10) % 10
    };
    match digits {
        [a, b, c, d] => {
            let sum = minus(2, *a) + minus(2, *b) + (3 * c) % 10 + five_minus(*d);
            (u16::from(sum) * 3 % 10) as u8
        }
        _ => 0,
    }
}
