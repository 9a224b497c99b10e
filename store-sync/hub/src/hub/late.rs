//! What a cart told of a basket after it was taken to a till. Pure.
//!
//! What counts is how the basket differs, and not each event: what went in and out again is no matter at a till,
//! and a cart whose journal was damaged tells its trip once more.

use trip::pricing::price_line;
use trip::{Catalogue, LineItem, Money, Quantity, TripState};

use super::board::{how_much, reason};

/// How the basket of `now` differs from that of `taken`, a difference a line, in words for staff.
pub(super) fn late(taken: &TripState, now: &TripState, catalogue: Option<&Catalogue>) -> Vec<String> {
    let mut words = Vec::new();
    let mut say = |sign: char, line: &LineItem, quantity: Quantity| {
        words.push(format!("{sign} {}", described(&LineItem { quantity, ..line.clone() }, catalogue)));
    };
    for line in &now.basket.lines {
        match taken.basket.line(line.line).map(|before| (before, before.quantity, line.quantity)) {
            None => say('+', line, line.quantity),
            Some((before, had, has)) if before.sku == line.sku && had == has => {}
            Some((before, Quantity::Each(had), Quantity::Each(has))) if before.sku == line.sku && had > has => {
                say('−', line, Quantity::Each(had - has));
            }
            Some((before, had, has)) => {
                say('−', before, had);
                say('+', line, has);
            }
        }
    }
    for line in taken.basket.lines.iter().filter(|line| now.basket.line(line.line).is_none()) {
        say('−', line, line.quantity);
    }
    for hold in now.basket.holds.iter().filter(|hold| taken.basket.hold(hold.hold).is_none()) {
        words.push(format!("? {}, {} g", reason(hold.reason), hold.weight.0));
    }
    if let Some(payment) = now.payment.as_ref().filter(|_| taken.payment.is_none()) {
        words.push(format!("! the cart says that {} are paid", payment.amount));
    }
    words
}

/// Name, how much, price and least age of a line, as far as they are known.
fn described(line: &LineItem, catalogue: Option<&Catalogue>) -> String {
    let product = catalogue.and_then(|catalogue| catalogue.get(&line.sku));
    let priced = catalogue.and_then(|c| Some((price_line(line, c).ok()?, c.currency)));
    let mut words = product.map_or_else(|| line.sku.to_string(), |product| product.name.clone());
    words.push_str(", ");
    words.push_str(&how_much(line.quantity));
    if let Some((priced, currency)) = priced {
        words.push_str(&format!(", {}", Money::new(priced.price + priced.deposit, currency)));
    }
    if let Some(product) = product.filter(|product| product.min_age > 0) {
        words.push_str(&format!(", from {} years", product.min_age));
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use trip::basket::{Evidence, HoldReason};
    use trip::{Grams, Hold, HoldId, LineId, Sku, TripEvent};

    fn catalogue() -> Catalogue {
        let text = r#"
            store = "S"
            currency = "GBP"
            tax = [{ name = "zero", letter = "Z", basis_points = 0 }]
            product = [
                { sku = "oat", name = "Oat drink", tax = "zero", sale = { each = { price = 185 } } },
                { sku = "lime", name = "Lime", tax = "zero", sale = { weight = { per_kg = 300 } } },
                { sku = "wine", name = "Wine", tax = "zero", min_age = 18, sale = { each = { price = 899 } } },
            ]
        "#;
        Catalogue::parse(text).expect("a right catalogue")
    }

    fn added(line: u32, sku: &str, quantity: Quantity) -> TripEvent {
        let (sku, evidence) = (Sku::new(sku).expect("valid"), Evidence::Scanned);
        TripEvent::ItemAdded { item: LineItem { line: LineId(line), sku, quantity, weight: None, evidence } }
    }

    fn removed(line: u32, pieces: u32) -> TripEvent {
        TripEvent::ItemRemoved { line: LineId(line), pieces, weight: None }
    }

    #[test]
    fn only_what_lies_there_now_and_did_not_then_is_told() {
        let before = [added(1, "oat", Quantity::Each(3)), added(2, "lime", Quantity::Weighed(Grams(250)))];
        let check = |after: &[TripEvent], expected: &[&str]| {
            let (taken, now) = (TripState::replay(&before), TripState::replay(before.iter().chain(after)));
            assert_eq!(late(&taken, &now, Some(&catalogue())), expected, "{after:?}");
        };
        check(&[], &[]);
        check(&[TripEvent::HelpCalled], &[]);
        check(&[added(3, "wine", Quantity::Each(1))], &["+ Wine, 1 ×, £8.99, from 18 years"]);
        check(&[added(3, "wine", Quantity::Each(1)), removed(3, 1)], &[]);
        check(&[removed(1, 1)], &["− Oat drink, 1 ×, £1.85"]);
        check(&[removed(1, 3), removed(2, 1)], &["− Oat drink, 3 ×, £5.55", "− Lime, 0.250 kg, £0.75"]);
        let hold = Hold { hold: HoldId(1), weight: Grams(415), reason: HoldReason::Unknown, ..Hold::default() };
        check(&[TripEvent::ItemHeld { hold }], &["? not known, 415 g"]);
        check(&[added(3, "ghost", Quantity::Each(2))], &["+ ghost, 2 ×"]);
    }

    #[test]
    fn a_line_that_is_another_thing_now_is_told_both_ways() {
        let taken = TripState::replay(&[added(1, "oat", Quantity::Each(1))]);
        let now = TripState::replay(&[added(1, "wine", Quantity::Each(1))]);
        assert_eq!(late(&taken, &now, None), ["− oat, 1 ×", "+ wine, 1 ×"]);
    }
}
