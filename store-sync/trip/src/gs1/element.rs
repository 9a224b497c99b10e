//! Element strings: splitting one into its elements, and making a trade item of them.

use super::ai::Ai;
use super::{Item, Scanned};
use crate::bounds::{MAX_GRAMS, MAX_PRICE};
use crate::{Grams, Gtin};

/// What is wrong with an element string.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ElementError {
    /// No such identifier, or one this program does not know.
    #[error("unknown application identifier at \"{0}\"")]
    UnknownAi(String),
    /// Fewer characters than the identifier needs, more than it allows, the wrong kind, or a check
    /// digit or date that is none.
    #[error("application identifier ({ai}) has \"{value}\": {why}")]
    Value {
        /// Which identifier.
        ai: String,
        /// What it has.
        value: String,
        /// What is wrong.
        why: &'static str,
    },
    /// One identifier with two values.
    #[error("application identifier ({0}) is there twice, with different values")]
    Twice(String),
}

/// ASCII 29, how readers give FNC1 between elements.
const SEPARATOR: char = '\u{1d}';

/// An identifier and its value.
pub(super) type Element<'a> = (&'a str, &'a str);

/// Splits an element string; each value is checked.
pub(super) fn split(text: &str) -> Result<Vec<Element<'_>>, ElementError> {
    let mut elements: Vec<Element<'_>> = Vec::new();
    let mut rest = text.trim_start_matches(SEPARATOR);
    while !rest.is_empty() {
        let unknown = || ElementError::UnknownAi(rest.chars().take(4).collect());
        let (known, name) = Ai::at_start(rest).ok_or_else(unknown)?;
        let after = &rest[name.len()..];
        let separator = after.find(SEPARATOR).unwrap_or(after.len());
        let end = known.predefined_length().map_or(separator, |length| length.min(separator));
        let (value, after) = after.split_at_checked(end).ok_or_else(unknown)?;
        known.check(name, value)?;
        add(&mut elements, (name, value))?;
        rest = after.trim_start_matches(SEPARATOR);
    }
    Ok(elements)
}

/// One identifier may be repeated only with the same value.
///
/// Source: GS1 General Specifications 24, section 4.13.
pub(super) fn add<'a>(elements: &mut Vec<Element<'a>>, (name, value): Element<'a>) -> Result<(), ElementError> {
    match elements.iter().find(|(known, _)| *known == name) {
        Some((_, same)) if *same == value => {}
        Some(_) => return Err(ElementError::Twice(name.to_owned())),
        None => elements.push((name, value)),
    }
    Ok(())
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
        why: "the check digit does not fit, or it is zero",
    })?;
    let decimal = |start: &str| {
        elements
            .iter()
            .find(|(ai, _)| ai.len() == 4 && ai.starts_with(start))
            .and_then(|(ai, value)| Some((value.parse::<i64>().ok()?, u32::from(ai.as_bytes()[3].wrapping_sub(b'0')))))
    };
    let weight = |start: &str, milligrams: i64| {
        decimal(start).and_then(|(value, places)| grams(value.checked_mul(milligrams)?, places))
    };
    Ok(Scanned::Item(Item {
        gtin,
        net_weight: weight("310", KILOGRAM_MG).or_else(|| weight("320", POUND_MG)).or_else(|| weight("357", OUNCE_MG)),
        price: decimal("392").and_then(|(value, places)| minor_units(value, places)),
        batch: get("10").map(str::to_owned),
        expiry: get("17").or_else(|| get("15")).map(str::to_owned),
        serial: get("21").map(str::to_owned),
    }))
}

const KILOGRAM_MG: i64 = 1_000_000;
/// Source: the international pound of 1959, 453.59237 g; a sixteenth of it, 28.349523 g, is an ounce.
const POUND_MG: i64 = 453_592;
const OUNCE_MG: i64 = 28_350;

/// `milligrams / 10^places` to the nearest gram; `None` above what any scale feels.
fn grams(milligrams: i64, places: u32) -> Option<Grams> {
    let divisor = 10_i64.checked_pow(places)?.checked_mul(1_000)?;
    let grams = i32::try_from(milligrams.checked_add(divisor / 2)? / divisor).ok()?;
    (grams <= MAX_GRAMS).then_some(Grams(grams))
}

/// `value / 10^places` in hundredths; `None` when digits would be lost, and above all prices.
fn minor_units(value: i64, places: u32) -> Option<i64> {
    let minor = if places <= 2 {
        value.checked_mul(10_i64.pow(2 - places))?
    } else {
        let divisor = 10_i64.checked_pow(places - 2)?;
        (value % divisor == 0).then_some(value / divisor)?
    };
    (minor <= MAX_PRICE).then_some(minor)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gs1::read_elements;

    fn an_item(text: &str) -> Item {
        match read_elements(text) {
            Ok(Scanned::Item(item)) => item,
            other => panic!("{text:?}: {other:?}"),
        }
    }

    #[test]
    fn weights_of_every_unit_are_grams() {
        let check = |element: &str, expected: Option<i32>| {
            let item = an_item(&format!("0109506000134352{element}"));
            assert_eq!(item.net_weight, expected.map(Grams), "{element}");
        };
        check("3103000456", Some(456));
        check("3100000002", Some(2_000));
        check("3105123456", Some(1_235));
        check("3202000234", Some(1_061));
        check("3572000800", Some(227));
        check("3100001000", Some(1_000_000));
        check("3100001001", None);
        check("3100999999", None);
        check("3150000002", None);
    }

    #[test]
    fn a_price_is_never_rounded() {
        let check = |element: &str, expected: Option<i64>| {
            assert_eq!(an_item(&format!("0109506000134352{element}")).price, expected, "{element}");
        };
        check("3922199", Some(199));
        check("39202", Some(200));
        check("39231990", Some(199));
        check("39231995", None);
        check("3922100000000", Some(100_000_000));
        check("3922100000001", None);
        check("3922999999999999999", None);
        // Another currency's price is checked and is not this store's.
        check("3932978199", None);
    }

    #[test]
    fn only_values_of_predefined_length_end_without_a_separator() {
        let item = an_item("010950600013435217270131310300045610ABC\u{1d}21XYZ");
        assert_eq!((item.batch.as_deref(), item.serial.as_deref()), (Some("ABC"), Some("XYZ")));
        assert_eq!((item.expiry.as_deref(), item.net_weight), (Some("270131"), Some(Grams(456))));
        // A batch swallows what follows until the separator, and is then too long.
        assert!(read_elements("010950600013435210ABCDEFGHIJ17270131310300045").is_err());
        assert!(read_elements("42227621XYZ").is_err());
        assert!(matches!(read_elements("422276\u{1d}21XYZ"), Ok(Scanned::Other(text)) if text == "(422)276(21)XYZ"));
    }

    #[test]
    fn one_identifier_has_one_value() {
        assert_eq!(an_item("010950600013435210A\u{1d}10A").batch.as_deref(), Some("A"));
        assert_eq!(read_elements("010950600013435210A\u{1d}10B"), Err(ElementError::Twice("10".into())));
    }

    #[test]
    fn no_damage_makes_it_panic_or_changes_the_number() {
        let whole = "\u{1d}0109506000134352310300045617270131392219910ABC\u{1d}21é\u{1d}3932978199\u{1d}91x\u{1d}99y";
        let number = Gtin::parse("09506000134352").expect("valid");
        let check = |text: &str| {
            if let Ok(Scanned::Item(item)) = read_elements(text) {
                assert_eq!(item.gtin, number, "{text:?}");
            }
        };
        for (end, _) in whole.char_indices() {
            check(&whole[..end]);
        }
        for (at, c) in whole.char_indices() {
            let (before, after) = (&whole[..at], &whole[at + c.len_utf8()..]);
            for other in ["", "0", "9", "X", "\u{1d}", "é", "\0", "😀"] {
                let text = format!("{before}{other}{after}");
                let touched_number = at < 17;
                if touched_number { drop(read_elements(&text)) } else { check(&text) }
            }
        }
    }
}
