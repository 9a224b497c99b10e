//! A catalogue as a back office sends it.

use trip::basket::Evidence;
use trip::bounds::{MAX_GRAMS, MAX_PIECES, MAX_PRICE, MAX_TOTAL};
use trip::pricing::price;
use trip::{Basket, Catalogue, Grams, Hash, LineId, LineItem, Quantity, Sale};

use crate::memory::bounded;
use crate::sample::GOODS;

pub(crate) fn check(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    bounded(data, || match Catalogue::parse(text) {
        Ok(catalogue) => whole(&catalogue, text),
        Err(why) => {
            assert!((1..=text.matches('\n').count() + 1).contains(&why.line), "{why}");
            assert!(!why.what.is_empty());
        }
    });
}

/// Every product is found by every code of its own, and everything that is taken can be priced.
fn whole(catalogue: &Catalogue, text: &str) {
    assert_eq!(catalogue.version, Hash::of(text.as_bytes()));
    let mut basket = Basket::default();
    for product in catalogue.products() {
        assert_eq!(catalogue.get(&product.sku), Some(product));
        assert!(product.gtins.iter().all(|gtin| catalogue.by_gtin(*gtin) == Some(product)), "{product:?}");
        assert!(product.plu.is_none_or(|plu| catalogue.by_plu(plu) == Some(product)), "{product:?}");
        assert!(catalogue.tax(&product.tax).is_some());
        let each = match product.sale {
            Sale::Each { .. } => [Quantity::Each(1), Quantity::Each(MAX_PIECES), Quantity::Priced(MAX_PRICE)],
            Sale::Weight { .. } => {
                [Quantity::Weighed(Grams(1)), Quantity::Weighed(Grams(MAX_GRAMS)), Quantity::Priced(0)]
            }
        };
        for quantity in each {
            let line = LineId(basket.lines.len() as u32 + 1);
            let evidence = Evidence::Scanned;
            basket.lines.push(LineItem { line, sku: product.sku.clone(), quantity, weight: None, evidence });
            match price(&basket, catalogue) {
                Ok(totals) => assert!((0..=MAX_TOTAL).contains(&totals.total.minor), "{totals:?}"),
                // Too dear together: the last one goes, and the rest is priced again.
                Err(_) => drop(basket.lines.pop()),
            }
        }
    }
    assert!(price(&basket, catalogue).is_ok());
}

pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let head: String = GOODS.lines().take(12).map(|line| format!("{line}\n")).collect();
    vec![("goods", GOODS.into()), ("empty", head.into())]
}
