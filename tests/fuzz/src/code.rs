//! The text of a symbol: digits, element strings, Digital Links.

use trip::bounds::{MAX_GRAMS, MAX_PRICE};
use trip::gs1::{
    Content, InStore, Item, PrefixRule, Scanned, Variable, in_store_ean13, is_address, read_digital_link, read_digits,
    read_elements,
};
use trip::{Grams, Gtin, Plu};

use crate::memory::bounded;
use crate::sample::right;

const RULES: [PrefixRule; 4] = [
    PrefixRule { prefix: 2, content: Content::Price, price_check: false },
    PrefixRule { prefix: 23, content: Content::Weight, price_check: false },
    PrefixRule { prefix: 24, content: Content::Price, price_check: true },
    PrefixRule { prefix: 25, content: Content::Weight, price_check: true },
];

pub(crate) fn check(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    bounded(data, || {
        numbers(&text);
        digits(&text);
        elements(&text);
        link(&text);
    });
}

/// A number is read as it is written, in each of its lengths.
fn numbers(text: &str) {
    for number in [Gtin::parse(text), Gtin::parse_upc_e(text)].into_iter().flatten() {
        assert_eq!(Gtin::parse(&number.to_string()), Ok(number));
        assert!(number.number() > 0);
        if let Some(ean13) = number.ean13() {
            assert_eq!(Gtin::parse(&ean13), Ok(number));
        }
    }
}

/// Digits are a product, a code of this store, or nothing; a code of the store is written as it was read.
fn digits(text: &str) {
    match read_digits(text, &RULES) {
        Scanned::Item(item) => assert_eq!(Gtin::parse(text), Ok(item.gtin)),
        Scanned::InStore(code) => {
            let number = right(Gtin::parse(text));
            let written = RULES.iter().map(|rule| in_store_ean13(rule, &code));
            assert!(
                written.clone().any(|ean| Some(ean) == number.ean13()),
                "{code:?} of {text:?} is not written again"
            );
            assert!(match code.content {
                Variable::Weight(net) => (1..=MAX_GRAMS).contains(&net.0),
                Variable::Price(minor) => (0..=MAX_PRICE).contains(&minor),
            });
        }
        Scanned::Other(_) => {}
    }
    assert!(!matches!(read_digits(text, &[]), Scanned::InStore(_)), "no rule, no code of the store");
}

fn elements(text: &str) {
    match read_elements(text) {
        Ok(Scanned::Item(item)) => same_again(&item),
        Ok(Scanned::Other(_)) => {}
        Ok(Scanned::InStore(code)) => panic!("an element string was taken for {code:?}"),
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}

fn link(text: &str) {
    match read_digital_link(text) {
        Ok(Scanned::Item(item)) => {
            assert!(is_address(text));
            same_again(&item);
        }
        Ok(Scanned::Other(other)) => assert_eq!(other, text),
        Ok(Scanned::InStore(code)) => panic!("an address was taken for {code:?}"),
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}

/// An item that was read is within bounds, and is read again from both ways to write it.
fn same_again(item: &Item) {
    assert!(item.net_weight.is_none_or(|net| (0..=MAX_GRAMS).contains(&net.0)), "{item:?}");
    assert!(item.price.is_none_or(|minor| (0..=MAX_PRICE).contains(&minor)), "{item:?}");
    let whole = || Ok(Scanned::Item(item.clone()));
    assert_eq!(read_elements(&as_elements(item)), whole(), "{}", as_elements(item));
    assert_eq!(read_digital_link(&as_link(item)), whole(), "{}", as_link(item));
}

/// Identifiers and values: those of a fixed length first.
fn parts(item: &Item) -> Vec<(&'static str, String)> {
    let weight = item.net_weight.map(|Grams(g)| {
        if g < 1_000_000 { ("3103", format!("{g:06}")) } else { ("3100", format!("{:06}", g / 1_000)) }
    });
    let expiry = item.expiry.clone().map(|date| ("17", date));
    let price = item.price.map(|minor| ("3922", minor.to_string()));
    let batch = item.batch.clone().map(|batch| ("10", batch));
    let serial = item.serial.clone().map(|serial| ("21", serial));
    [weight, expiry, price, batch, serial].into_iter().flatten().collect()
}

fn as_elements(item: &Item) -> String {
    let parts: Vec<String> = parts(item).into_iter().map(|(ai, value)| format!("{ai}{value}\u{1d}")).collect();
    format!("01{}{}", item.gtin, parts.concat())
}

fn as_link(item: &Item) -> String {
    let plain = |b: u8| if b.is_ascii_alphanumeric() { (b as char).to_string() } else { format!("%{b:02X}") };
    let parts: Vec<String> = parts(item)
        .into_iter()
        .map(|(ai, value)| format!("{ai}={}", value.bytes().map(plain).collect::<String>()))
        .collect();
    format!("https://id.example.org/01/{}?{}", item.gtin, parts.join("&"))
}

pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let code = |content| InStore { plu: right(Plu::try_from(4_011)), content };
    let weight = in_store_ean13(&RULES[1], &code(Variable::Weight(Grams(742))));
    let price = in_store_ean13(&RULES[2], &code(Variable::Price(1_299)));
    [
        ("ean-13", "9506000134352"),
        ("ean-8", "96385074"),
        ("upc-a", "012345678905"),
        ("upc-e", "01234565"),
        ("itf-14", "00012345678905"),
        ("in-store-weight", weight.as_str()),
        ("in-store-price", price.as_str()),
        ("elements", "010950600013435217270131310300045610ABC\u{1d}21XYZ"),
        ("elements-price", "\u{1d}0109506000134352392219915270100\u{1d}10A/B-1"),
        ("elements-pounds", "01095060001343523202000234"),
        ("elements-currency", "01095060001343523932978199"),
        ("elements-no-item", "422276\u{1d}21XYZ"),
        ("link", "https://id.gs1.org/01/09506000134352/10/ABC/21/7?17=270131&3103=000195"),
        ("link-words", "HTTPS://brand.example/gtin/9506000134352/lot/A%2FB?exp=270131;linkType=gs1:pip#top"),
        ("link-other", "https://example.org/2027/01/15/news"),
    ]
    .map(|(name, text)| (name, text.as_bytes().to_vec()))
    .into()
}
