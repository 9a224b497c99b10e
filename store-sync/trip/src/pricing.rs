//! From a basket and a catalogue to totals: unit and weighed prices, promotions, deposits, tax.
//!
//! All in minor units; a weighed line is rounded once, where the shopper sees it.

use serde::{Deserialize, Serialize};

use crate::bounds::{MAX_BASKET_PIECES, MAX_GRAMS, MAX_LINES, MAX_PIECES, MAX_PRICE, MAX_TOTAL};
use crate::catalogue::{Product, Promotion};
use crate::money::divide_rounded;
use crate::{Basket, Catalogue, Hash, LineId, LineItem, Money, Quantity, Sale};

/// So many pieces are no line.
const TOO_MANY: u32 = MAX_PIECES + 1;

/// A line with its price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedLine {
    /// Which line.
    pub line: LineId,
    /// Its product's name.
    pub name: String,
    /// How much of it.
    pub quantity: Quantity,
    /// Price of a piece or of a kilogram, in minor units; `None` for a priced in-store code.
    pub unit: Option<i64>,
    /// Price of the line before promotions, without deposit, in minor units.
    pub price: i64,
    /// Deposit of the line, in minor units.
    pub deposit: i64,
    /// Letter of its tax.
    pub tax: char,
}

/// A promotion that applies.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Saving {
    /// What shoppers read.
    pub label: String,
    /// How much it takes off, in minor units, more than zero.
    pub minor: i64,
}

/// The tax contained in the total, by rate.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxShare {
    /// Its letter.
    pub letter: char,
    /// Rate in hundredths of a percent.
    pub basis_points: u32,
    /// What was paid at this rate, with tax, in minor units.
    pub gross: i64,
    /// The tax in it, in minor units.
    pub tax: i64,
}

/// A basket's prices. `total.minor == Σ price + Σ deposit − Σ saving`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Totals {
    /// Each line, in the basket's order.
    pub lines: Vec<PricedLine>,
    /// Promotions that apply.
    pub savings: Vec<Saving>,
    /// Taxes contained.
    pub taxes: Vec<TaxShare>,
    /// What is to be paid.
    pub total: Money,
}

/// A line that this catalogue cannot price.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("line {} (\"{sku}\") {why}", line.0)]
pub struct PriceError {
    /// Which line.
    pub line: LineId,
    /// Its product.
    pub sku: crate::Sku,
    /// Why.
    pub why: &'static str,
}

/// Prices `basket`. Holds are not priced: what is unresolved is never charged.
///
/// # Errors
/// [`PriceError`] when a line is of no product of this catalogue, sold another way, or beyond
/// [`crate::bounds`]: nothing is ever summed that could overflow.
pub fn price(basket: &Basket, catalogue: &Catalogue) -> Result<Totals, PriceError> {
    check_size(basket)?;
    let mut lines = Vec::with_capacity(basket.lines.len());
    for item in &basket.lines {
        lines.push(price_line(item, catalogue)?);
    }
    let (savings, saved_by_line) = savings(basket, catalogue);
    let saved: i64 = savings.iter().map(|s| s.minor).sum();
    let gross: i64 = lines.iter().map(|l| l.price + l.deposit).sum();
    if gross > MAX_TOTAL {
        return Err(too_much(basket, "makes the total larger than any till takes"));
    }
    let taxes = tax_shares(&lines, &saved_by_line, catalogue);
    Ok(Totals { lines, savings, taxes, total: Money::new(gross - saved, catalogue.currency) })
}

/// Refuses what no trolley holds, before anything is counted piece by piece.
fn check_size(basket: &Basket) -> Result<(), PriceError> {
    if basket.lines.len() > MAX_LINES {
        return Err(too_much(basket, "is one line more than a basket may have"));
    }
    let pieces = |item: &LineItem| if let Quantity::Each(pieces) = item.quantity { u64::from(pieces) } else { 1 };
    if basket.lines.iter().map(pieces).sum::<u64>() > MAX_BASKET_PIECES {
        return Err(too_much(basket, "makes more pieces than a basket may have"));
    }
    Ok(())
}

/// The last line is the one that was too much.
fn too_much(basket: &Basket, why: &'static str) -> PriceError {
    let Some(last) = basket.lines.last() else { unreachable!("a basket without lines is not too large") };
    PriceError { line: last.line, sku: last.sku.clone(), why }
}

/// What a single line costs.
///
/// # Errors
/// As [`price`].
pub fn price_line(item: &LineItem, catalogue: &Catalogue) -> Result<PricedLine, PriceError> {
    let fail = |why| PriceError { line: item.line, sku: item.sku.clone(), why };
    let product = catalogue.get(&item.sku).ok_or_else(|| fail("is in no catalogue of this trip"))?;
    let (unit, price, pieces) = match (item.quantity, product.sale) {
        (Quantity::Each(TOO_MANY..), _) => return Err(fail("has more pieces than a line may have")),
        (Quantity::Each(pieces), Sale::Each { price }) => (Some(price), price * i64::from(pieces), pieces),
        (Quantity::Weighed(net), Sale::Weight { per_kg }) if (1..=MAX_GRAMS).contains(&net.0) => {
            let minor = divide_rounded(i128::from(per_kg) * i128::from(net.0), 1_000);
            (Some(per_kg), minor as i64, 1)
        }
        (Quantity::Priced(minor), _) if (0..=MAX_PRICE).contains(&minor) => (None, minor, 1),
        (Quantity::Each(_), Sale::Weight { .. }) => return Err(fail("is sold by weight, not by the piece")),
        (Quantity::Weighed(_), Sale::Each { .. }) => return Err(fail("is sold by the piece, not by weight")),
        _ => return Err(fail("has a quantity that is not above zero, or beyond all goods")),
    };
    let letter = catalogue.tax(&product.tax).map_or('?', |t| t.letter);
    Ok(PricedLine {
        line: item.line,
        name: product.name.clone(),
        quantity: item.quantity,
        unit,
        price,
        deposit: product.deposit * i64::from(pieces),
        tax: letter,
    })
}

/// Promotions that apply, and how much each line saves by them (for the tax shares).
///
/// A promotion takes its dearest pieces first, in whole deals, and never makes anything dearer; a
/// piece counts in one promotion only, in the order of the catalogue.
fn savings(basket: &Basket, catalogue: &Catalogue) -> (Vec<Saving>, Vec<i64>) {
    let mut used = vec![false; basket.lines.len()];
    let mut saved_by_line = vec![0; basket.lines.len()];
    let mut savings = Vec::new();
    for promotion in &catalogue.promotions {
        let mut pieces = promoted_pieces(promotion, basket, catalogue, &used);
        pieces.sort_by_key(|(index, price)| (std::cmp::Reverse(*price), *index));
        let mut minor = 0;
        for deal in pieces.chunks_exact(promotion.pieces as usize) {
            let usual: i64 = deal.iter().map(|(_, price)| price).sum();
            let saving = usual - promotion.price;
            if saving <= 0 {
                break;
            }
            minor += saving;
            share(saving, usual, deal, &mut saved_by_line);
            deal.iter().for_each(|(index, _)| used[*index] = true);
        }
        if minor > 0 {
            savings.push(Saving { label: promotion.label.clone(), minor });
        }
    }
    (savings, saved_by_line)
}

/// Every single piece that counts, as (index of its line, price of a piece).
fn promoted_pieces(promotion: &Promotion, basket: &Basket, catalogue: &Catalogue, used: &[bool]) -> Vec<(usize, i64)> {
    let piece = |(index, item): (usize, &LineItem)| {
        let counts = !used[index] && promotion.skus.contains(&item.sku);
        match (counts, item.quantity, catalogue.get(&item.sku).map(|p: &Product| p.sale)) {
            (true, Quantity::Each(pieces), Some(Sale::Each { price })) => vec![(index, price); pieces as usize],
            _ => Vec::new(),
        }
    };
    basket.lines.iter().enumerate().flat_map(piece).collect()
}

/// Splits a deal's saving over its pieces by price. What is rounded is the running sum, so that no piece saves
/// more than it costs, however many there are.
fn share(saving: i64, usual: i64, deal: &[(usize, i64)], saved_by_line: &mut [i64]) {
    let (mut priced, mut shared) = (0, 0);
    for (index, price) in deal {
        priced += price;
        let up_to_here = divide_rounded(i128::from(saving) * i128::from(priced), i128::from(usual.max(1))) as i64;
        saved_by_line[*index] += up_to_here - shared;
        shared = up_to_here;
    }
}

fn tax_shares(lines: &[PricedLine], saved_by_line: &[i64], catalogue: &Catalogue) -> Vec<TaxShare> {
    let mut shares: Vec<TaxShare> = Vec::new();
    for tax in &catalogue.taxes {
        let of_this = lines.iter().zip(saved_by_line).filter(|(line, _)| line.tax == tax.letter);
        let (count, gross) =
            of_this.fold((0, 0), |(n, sum), (line, saved)| (n + 1, sum + line.price + line.deposit - saved));
        if count == 0 {
            continue;
        }
        let rate = i128::from(tax.basis_points);
        let minor = divide_rounded(i128::from(gross) * rate, 10_000 + rate) as i64;
        shares.push(TaxShare { letter: tax.letter, basis_points: tax.basis_points, gross, tax: minor });
    }
    shares
}

/// The digest of a priced basket: what a lock names and a payment pays for.
pub fn basket_hash(totals: &Totals) -> Hash {
    let text = serde_json::to_vec(totals).unwrap_or_else(|e| unreachable!("totals have only plain fields: {e}"));
    Hash::of(&text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::basket::Evidence;
    use crate::{Grams, Sku};

    fn catalogue() -> Catalogue {
        let text = r#"
            store = "Market Street"
            currency = "GBP"
            tax = [{ name = "zero", letter = "Z", basis_points = 0 }, { name = "standard", letter = "A", basis_points = 2000 }]
            promotion = [{ id = "p", label = "Any 3 for £1.20", skus = ["vanilla", "berry"], pieces = 3, price = 120 }]
            product = [
                { sku = "vanilla", name = "Vanilla", tax = "zero", sale = { each = { price = 55 } } },
                { sku = "berry", name = "Berry", tax = "zero", sale = { each = { price = 60 } } },
                { sku = "apples", name = "Apples", tax = "zero", sale = { weight = { per_kg = 220 } } },
                { sku = "water", name = "Water", tax = "standard", deposit = 20, sale = { each = { price = 100 } } },
            ]
        "#;
        Catalogue::parse(text).expect("a right catalogue")
    }

    fn totals(lines: &[(&str, Quantity)]) -> Totals {
        let mut basket = Basket::default();
        for (n, (sku, quantity)) in lines.iter().enumerate() {
            basket.lines.push(LineItem {
                line: LineId(n as u32 + 1),
                sku: Sku::new(*sku).expect("valid"),
                quantity: *quantity,
                weight: None,
                evidence: Evidence::Scanned,
            });
        }
        price(&basket, &catalogue()).expect("all is in the catalogue")
    }

    #[test]
    fn the_total_is_what_the_lines_say() {
        let check =
            |lines: &[(&str, Quantity)], expected: i64| assert_eq!(totals(lines).total.minor, expected, "{lines:?}");
        check(&[], 0);
        check(&[("apples", Quantity::Weighed(Grams(742)))], 163);
        check(&[("apples", Quantity::Priced(99))], 99);
        check(&[("water", Quantity::Each(2))], 240);
        check(&[("vanilla", Quantity::Each(2))], 110);
        check(&[("vanilla", Quantity::Each(3))], 120);
        check(&[("vanilla", Quantity::Each(2)), ("berry", Quantity::Each(2))], 120 + 55);
        check(&[("vanilla", Quantity::Each(6)), ("berry", Quantity::Each(1))], 240 + 55);
    }

    #[test]
    fn the_tax_contained_is_of_what_is_paid() {
        let totals = totals(&[("water", Quantity::Each(1)), ("vanilla", Quantity::Each(3))]);
        let shares: Vec<_> = totals.taxes.iter().map(|t| (t.letter, t.gross, t.tax)).collect();
        assert_eq!(shares, [('Z', 120, 0), ('A', 120, 20)]);
    }

    #[test]
    fn no_piece_of_a_large_deal_saves_more_than_it_costs() {
        let (mut saved, pieces) = (vec![0; 100], 100);
        let deal: Vec<(usize, i64)> = (0..pieces).map(|n| (n, 1)).collect();
        share(49, 100, &deal, &mut saved);
        assert_eq!(saved.iter().sum::<i64>(), 49);
        assert!(saved.iter().all(|saved| (0..=1).contains(saved)), "{saved:?}");
    }

    #[test]
    fn a_product_sold_another_way_is_not_priced() {
        let item = |sku: &str, quantity| LineItem {
            line: LineId(1),
            sku: Sku::new(sku).expect("valid"),
            quantity,
            weight: None,
            evidence: Evidence::Scanned,
        };
        for (sku, quantity) in [
            ("apples", Quantity::Each(1)),
            ("water", Quantity::Weighed(Grams(5))),
            ("nothing", Quantity::Each(1)),
            ("apples", Quantity::Weighed(Grams(0))),
            ("water", Quantity::Priced(-1)),
            ("water", Quantity::Priced(MAX_PRICE + 1)),
            ("water", Quantity::Each(TOO_MANY)),
            ("water", Quantity::Each(u32::MAX)),
            ("apples", Quantity::Weighed(Grams(i32::MAX))),
        ] {
            assert!(price_line(&item(sku, quantity), &catalogue()).is_err(), "{sku} {quantity:?}");
        }
    }

    #[test]
    fn a_basket_that_no_trolley_holds_is_refused_and_never_overflows() {
        let check = |lines: usize, quantity: Quantity, expected: Option<&str>| {
            let sku = Sku::new("water").expect("valid");
            let line = |n| LineItem {
                line: LineId(n as u32),
                sku: sku.clone(),
                quantity,
                weight: None,
                evidence: Evidence::Scanned,
            };
            let basket = Basket { lines: (1..=lines).map(line).collect(), holds: Vec::new() };
            let why = price(&basket, &catalogue()).err();
            assert_eq!(
                why.as_ref().map(|e| expected.is_some_and(|part| e.why.contains(part))),
                expected.map(|_| true),
                "{why:?}"
            );
        };
        check(MAX_LINES, Quantity::Each(10), None);
        check(MAX_LINES + 1, Quantity::Each(1), Some("one line more"));
        check(11, Quantity::Each(MAX_PIECES), Some("more pieces"));
        check(1, Quantity::Each(u32::MAX), Some("more pieces"));
        check(99, Quantity::Priced(MAX_PRICE), None);
        check(101, Quantity::Priced(MAX_PRICE), Some("larger than any till takes"));
        check(1, Quantity::Priced(i64::MAX), Some("beyond all goods"));
    }

    #[test]
    fn a_held_thing_costs_nothing() {
        let mut basket = Basket::default();
        basket.holds.push(crate::Hold {
            hold: crate::HoldId(1),
            weight: Grams(500),
            reason: crate::basket::HoldReason::Unsure,
            candidates: vec![Sku::new("water").expect("valid")],
            ..crate::Hold::default()
        });
        assert_eq!(price(&basket, &catalogue()).map(|t| t.total.minor), Ok(0));
    }
}
