//! Digital Link: a trade item as a web address.
//!
//! `https://any.domain/any/stem/01/09506000134352/10/ABC?17=270101`: the number and what tells its
//! units apart in the path, the rest in the query. The domain and what stands before `/01/` are
//! the brand's own. Older addresses have words for the identifiers; shorter numbers are padded;
//! characters may be percent-encoded; a QR code may have it all in capitals.
//!
//! Source: GS1 Digital Link Standard: URI Syntax 1.4, section 4.

use super::ai::Ai;
use super::element::{add, item};
use super::{ElementError, Scanned};

/// What may follow the number in the path.
const QUALIFIERS: &[&str] = &["22", "235", "10", "21"];

/// Reads an address; [`Scanned::Other`] when it names no trade item.
pub(super) fn read(text: &str) -> Result<Scanned, ElementError> {
    let Some(address) = without_scheme(text) else { return Ok(Scanned::Other(text.to_owned())) };
    let address = address.split('#').next().unwrap_or(address);
    let (path, query) = address.split_once('?').unwrap_or((address, ""));
    let parts: Vec<String> = path.split('/').skip(1).map(decoded).collect();
    // A stem may hold "01" too, so the last one that a number follows is meant.
    let is_number = |part: &String| matches!(part.len(), 8 | 12..=14) && part.bytes().all(|b| b.is_ascii_digit());
    let Some(at) = parts.windows(2).rposition(|pair| identifier(&pair[0]) == "01" && is_number(&pair[1])) else {
        return Ok(Scanned::Other(text.to_owned()));
    };
    let mut pairs = vec![("01".to_owned(), format!("{:0>14}", parts[at + 1]))];
    let mut rest = &parts[at + 2..];
    while let [name, after @ ..] = rest {
        let name = identifier(name);
        match after {
            [] if name.is_empty() => break,
            [value, after @ ..] if QUALIFIERS.contains(&name.as_str()) => {
                pairs.push((name, value.clone()));
                rest = after;
            }
            _ => return Err(ElementError::UnknownAi(name)),
        }
    }
    for (name, value) in query.split(['&', ';']).filter_map(|pair| pair.split_once('=')) {
        let name = identifier(&decoded(name));
        // Words in the query (tracking, language) are not ours to judge; numbers are.
        if !name.is_empty() && name.bytes().all(|b| b.is_ascii_digit()) {
            pairs.push((name, decoded(value)));
        }
    }
    let mut elements = Vec::new();
    for (name, value) in &pairs {
        Ai::named(name).ok_or_else(|| ElementError::UnknownAi(name.clone()))?.check(name, value)?;
        add(&mut elements, (name, value))?;
    }
    item(&elements)
}

/// True for a web address, whatever it names.
pub(super) fn is_address(text: &str) -> bool {
    without_scheme(text).is_some()
}

/// What follows `https://`.
fn without_scheme(text: &str) -> Option<&str> {
    ["https://", "http://"].into_iter().find_map(|scheme| {
        let start = text.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
    })
}

/// The identifier's digits for a word of the older syntax.
fn identifier(name: &str) -> String {
    match name.to_ascii_lowercase().as_str() {
        "gtin" => "01",
        "cpv" => "22",
        "lot" => "10",
        "ser" => "21",
        "exp" => "17",
        "expdt" => "17",
        _ => name,
    }
    .to_owned()
}

/// Percent-encoded bytes as themselves; a broken one becomes a character that no value allows.
fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digit = |at: usize| after.get(at).and_then(|b| char::from(*b).to_digit(16));
        match (digit(0), digit(1)) {
            (Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = &after[2..];
            }
            _ => bytes.push(u8::MAX),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Grams, Gtin};

    /// The number and the batch of a trade item.
    fn check(address: &str, batch: Option<&str>) {
        match read(address) {
            Ok(Scanned::Item(item)) => {
                assert_eq!(item.gtin, Gtin::parse("09506000134352").expect("valid"), "{address}");
                assert_eq!(item.batch.as_deref(), batch, "{address}");
            }
            other => panic!("{address}: {other:?}"),
        }
    }

    #[test]
    fn every_way_to_write_a_trade_item_is_read() {
        check("https://id.gs1.org/01/09506000134352", None);
        check("https://id.gs1.org/01/09506000134352/", None);
        check("http://brand.example/01/9506000134352/10/ABC", Some("ABC"));
        check("HTTPS://ID.GS1.ORG/01/09506000134352/10/ABC", Some("ABC"));
        check("https://brand.example:8443/shop/01/of/01/09506000134352/22/2A/10/A-1/21/7", Some("A-1"));
        check("https://brand.example/gtin/9506000134352/lot/A%2FB", Some("A/B"));
        check("https://brand.example/%30%31/9506000134352/10/ABC?17=270131#top", Some("ABC"));
        check("https://brand.example/01/9506000134352?10=A%2fB&linkType=gs1:pip&utm_source=x", Some("A/B"));
        check("https://brand.example/01/9506000134352?17=270131;10=A", Some("A"));
    }

    #[test]
    fn weight_and_dates_come_from_the_query() {
        let link = "https://id.example.org/01/9506000134352?3103=000195&17=270131";
        let Ok(Scanned::Item(item)) = read(link) else { panic!("no item") };
        assert_eq!((item.net_weight, item.expiry.as_deref()), (Some(Grams(195)), Some("270131")));
    }

    #[test]
    fn other_addresses_name_no_product() {
        for address in [
            "https://example.org/win",
            "https://example.org",
            "https://example.org/2027/01/15/news",
            "https://id.gs1.org/00/106141412345678908",
            "https://id.gs1.org/414/9506000134352",
            "ftp://id.gs1.org/01/09506000134352",
            "urn:epc:id:sgtin:9506000.013435.1",
            "",
        ] {
            assert_eq!(read(address), Ok(Scanned::Other(address.to_owned())), "{address}");
        }
    }

    #[test]
    fn a_wrong_link_is_refused_with_the_identifier_named() {
        let check = |address: &str, named: &str| match read(address) {
            Err(error) => assert!(error.to_string().contains(named), "{address}: {error}"),
            Ok(scanned) => panic!("{address}: {scanned:?}"),
        };
        check("https://id.gs1.org/01/09506000134353", "(01)");
        check("https://id.gs1.org/01/09506000134352/10/A%20B", "(10)");
        check("https://id.gs1.org/01/09506000134352/10/A%ZZ%", "(10)");
        check("https://id.gs1.org/01/09506000134352/10", "10");
        check("https://id.gs1.org/01/09506000134352/99/1", "99");
        check("https://id.gs1.org/01/09506000134352?17=271301", "(17)");
        check("https://id.gs1.org/01/09506000134352?8888=1", "8888");
        check("https://id.gs1.org/01/09506000134352/10/A?10=B", "(10)");
    }

    #[test]
    fn no_truncation_panics() {
        let whole = "https://brand.example/01/9506000134352/10/%C3%A9A%2FB?17=270131&3103=000195#é";
        for (end, _) in whole.char_indices() {
            drop(read(&whole[..end]));
        }
    }
}
