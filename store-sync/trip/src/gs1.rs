//! What a barcode says: GS1 element strings, Digital Link addresses, in-store prefixes, plain GTINs.
//!
//! In: the text of a symbol, with FNC1 as ASCII 29. Out: [`Scanned`]. Anything that is not
//! certainly a trade item or an in-store code of this store is [`Scanned::Other`]; it is never
//! guessed at.
//!
//! `ai` knows each application identifier's length, characters and checks; `element` splits
//! element strings, `link` web addresses.
//!
//! Source: GS1 General Specifications 24, sections 3 (application identifiers) and 7.9.3 (price
//! check digit); GS1 Digital Link 1.4, URI syntax.

use serde::{Deserialize, Serialize};

use crate::{Grams, Gtin, Plu, gtin};

mod ai;
mod check;
mod element;
mod link;

pub use element::ElementError;

/// A trade item and what else its code carried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// AI (01), or the plain number.
    pub gtin: Gtin,
    /// AI (310n), (320n) or (357n): net weight in grams; pounds and ounces to the nearest gram.
    pub net_weight: Option<Grams>,
    /// AI (392n): amount payable in the store's currency, minor units. An amount with a currency
    /// of its own, (393n), is checked and left out: it may be another one.
    pub price: Option<i64>,
    /// AI (10): batch.
    pub batch: Option<String>,
    /// AI (17): use by, or (15): best before, as YYMMDD.
    pub expiry: Option<String>,
    /// AI (21): serial number.
    pub serial: Option<String>,
}

/// What a store's own code carries besides the product.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Variable {
    /// Net weight.
    Weight(Grams),
    /// Amount payable in minor units.
    Price(i64),
}

/// A code printed in the store, by a scale or at the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InStore {
    /// Which product.
    pub plu: Plu,
    /// Its weight or price.
    pub content: Variable,
}

/// What a symbol says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Scanned {
    /// A trade item.
    Item(Item),
    /// A code of this store.
    InStore(InStore),
    /// Something else: text that names no product.
    Other(String),
}

/// How the store uses a two-digit in-store prefix: `PP IIIII VVVVV C`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PrefixRule {
    /// 20 to 29 (or 02): the first two digits of the EAN-13.
    pub prefix: u8,
    /// What the five digits V mean.
    pub content: Content,
    /// True when the first of the five digits V is a price check digit over the other four.
    #[serde(default)]
    pub price_check: bool,
}

/// The meaning of the variable digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Grams.
    Weight,
    /// Minor units.
    Price,
}

/// Reads the text of an EAN, UPC or ITF symbol (digits only) by the store's `prefixes`.
pub fn read_digits(text: &str, prefixes: &[PrefixRule]) -> Scanned {
    if text.len() == 8 && text.starts_with(['0', '2']) {
        // GS1-8 prefixes 0 and 2 are for use inside a company: a product only if a rule says so.
        return Scanned::Other(text.to_owned());
    }
    let Ok(gtin) = Gtin::parse(text) else { return Scanned::Other(text.to_owned()) };
    let Some(ean13) = gtin.ean13() else { return Scanned::Item(plain(gtin)) };
    let number = |range: std::ops::Range<usize>| ean13[range].parse::<u32>().unwrap_or(0);
    let prefix = number(0..2) as u8;
    if let Some(rule) = prefixes.iter().find(|r| r.prefix == prefix) {
        return in_store(rule, &number).map_or(Scanned::Other(ean13.clone()), Scanned::InStore);
    }
    if matches!(prefix, 2 | 20..=29) {
        return Scanned::Other(ean13);
    }
    Scanned::Item(plain(gtin))
}

/// Reads an element string (`]C1`, `]e0`, `]d2`, `]Q3` symbols; FNC1 as ASCII 29).
///
/// # Errors
/// [`ElementError`] names the application identifier that is unknown, cut short, wrong or doubled.
pub fn read_elements(text: &str) -> Result<Scanned, ElementError> {
    element::item(&element::split(text)?)
}

/// Reads a Digital Link address such as `https://id.gs1.org/01/09506000134352/10/ABC?17=270101`.
/// An address without a (01) path is [`Scanned::Other`].
///
/// # Errors
/// [`ElementError`] when a (01) path is there and it, or what comes with it, is wrong.
pub fn read_digital_link(text: &str) -> Result<Scanned, ElementError> {
    link::read(text)
}

/// True for a web address, whether it is a Digital Link or not.
pub fn is_address(text: &str) -> bool {
    link::is_address(text)
}

fn plain(gtin: Gtin) -> Item {
    Item { gtin, net_weight: None, price: None, batch: None, expiry: None, serial: None }
}

fn in_store(rule: &PrefixRule, number: &impl Fn(std::ops::Range<usize>) -> u32) -> Option<InStore> {
    let plu = Plu::try_from(number(2..7)).ok()?;
    let value = if rule.price_check {
        let four = [8, 9, 10, 11].map(|at| number(at..at + 1) as u8);
        (check::of_price(four) == number(7..8) as u8).then(|| number(8..12))?
    } else {
        number(7..12)
    };
    let content = match rule.content {
        Content::Weight if value > 0 => Variable::Weight(Grams(value as i32)),
        Content::Weight => return None,
        Content::Price => Variable::Price(i64::from(value)),
    };
    Some(InStore { plu, content })
}

/// An in-store EAN-13 for tests, labels and the simulator: the inverse of [`read_digits`].
pub fn in_store_ean13(rule: &PrefixRule, code: &InStore) -> String {
    let value = match code.content {
        Variable::Weight(grams) => i64::from(grams.0),
        Variable::Price(minor) => minor,
    };
    let plu = u32::from(code.plu);
    let body = if rule.price_check {
        let four = [1_000, 100, 10, 1].map(|unit| (value / unit % 10) as u8);
        format!("{:02}{plu:05}{}{value:04}", rule.prefix, check::of_price(four))
    } else {
        format!("{:02}{plu:05}{value:05}", rule.prefix)
    };
    let digits: Vec<u8> = body.bytes().map(|b| b - b'0').collect();
    format!("{body}{}", gtin::check_digit(&digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn gtin(text: &str) -> Gtin {
        Gtin::parse(text).expect("a valid GTIN")
    }

    #[test]
    fn an_in_store_code_is_read_only_by_a_rule() {
        let weight = PrefixRule { prefix: 23, content: Content::Weight, price_check: false };
        let price = PrefixRule { prefix: 24, content: Content::Price, price_check: true };
        let plu = Plu::try_from(4011).expect("valid");
        for (rule, content) in [(weight, Variable::Weight(Grams(742))), (price, Variable::Price(1299))] {
            let code = InStore { plu, content };
            let text = in_store_ean13(&rule, &code);
            assert_eq!(read_digits(&text, &[rule]), Scanned::InStore(code), "{text}");
            assert_eq!(read_digits(&text, &[]), Scanned::Other(text.clone()), "without a rule");
        }
    }

    #[test]
    fn a_wrong_price_check_digit_is_no_price() {
        let rule = PrefixRule { prefix: 24, content: Content::Price, price_check: true };
        let code = InStore { plu: Plu::try_from(4011).expect("valid"), content: Variable::Price(1299) };
        let right = in_store_ean13(&rule, &code);
        let other = u8::from(&right[7..8] == "0");
        let body = format!("{}{other}{}", &right[..7], &right[8..12]);
        let digits: Vec<u8> = body.bytes().map(|b| b - b'0').collect();
        let wrong = format!("{body}{}", crate::gtin::check_digit(&digits));
        assert_eq!(read_digits(&wrong, &[rule]), Scanned::Other(wrong.clone()));
    }

    #[test]
    fn element_strings_carry_weight_price_and_dates() {
        let Ok(Scanned::Item(item)) = read_elements("0109506000134352310300045610ABC\u{1d}17270131") else {
            panic!("no item")
        };
        assert_eq!(item.gtin, gtin("09506000134352"));
        assert_eq!(item.net_weight, Some(Grams(456)));
        assert_eq!((item.batch.as_deref(), item.expiry.as_deref()), (Some("ABC"), Some("270131")));
        let Ok(Scanned::Item(item)) = read_elements("01095060001343523922199") else { panic!("no item") };
        assert_eq!(item.price, Some(199));
    }

    #[test]
    fn a_wrong_element_string_is_refused_and_not_guessed_at() {
        for bad in [
            "",
            "01",
            "0109506000134353",
            "010950600013435231030004",
            "0109506000134352XX",
            "17271340",
            "9999",
            "0100000000000000",
        ] {
            assert!(!matches!(read_elements(bad), Ok(Scanned::Item(_))), "{bad}");
        }
    }

    #[test]
    fn a_digital_link_is_a_trade_item_and_another_address_is_not() {
        let link = "https://id.example.org/some/01/9506000134352/10/ABC?3103=000195&17=270131";
        let Ok(Scanned::Item(item)) = read_digital_link(link) else { panic!("no item") };
        assert_eq!((item.gtin, item.net_weight), (gtin("09506000134352"), Some(Grams(195))));
        assert!(matches!(read_digital_link("https://example.org/win"), Ok(Scanned::Other(_))));
        assert!(read_digital_link("https://example.org/01/9506000134353").is_err());
    }
}
