//! Money and weight as people write them, and as figures of one width.

use std::rc::Rc;

use slint::{Model, ModelRc, VecModel};
use trip::{Grams, Money};

use super::generated::Figure;

/// `£23.84`, `−£1.20`, `£12,345.60`: a true minus, thousands apart.
pub fn money(amount: Money) -> String {
    let exponent = amount.currency.exponent();
    let unit = 10_u64.pow(exponent);
    let digits = amount.minor.unsigned_abs();
    let minus = if amount.minor < 0 { "−" } else { "" };
    let sign = amount.currency.sign();
    let whole = thousands(digits / unit);
    if exponent == 0 {
        return format!("{minus}{sign}{whole}");
    }
    format!("{minus}{sign}{whole}.{:0width$}", digits % unit, width = exponent as usize)
}

/// `0.742 kg`: to the gram, as the price is made of it.
pub fn weight(grams: Grams) -> String {
    let minus = if grams.0 < 0 { "−" } else { "" };
    let grams = grams.0.unsigned_abs();
    format!("{minus}{}.{:03} kg", thousands(u64::from(grams / 1000)), grams % 1000)
}

/// `0.31 kg`: a weight to recognise a thing by, without a sign; empty for nothing.
pub fn weight_felt(grams: Grams) -> String {
    let centigrams = (u64::from(grams.0.unsigned_abs()) + 5) / 10;
    match (grams.0, centigrams) {
        (0, _) => String::new(),
        (_, 0..=9) => format!("{} g", grams.0.unsigned_abs()),
        _ => format!("{}.{:02} kg", centigrams / 100, centigrams % 100),
    }
}

/// `£2.20/kg`.
pub fn per_kg(price: Money) -> String {
    format!("{}/kg", money(price))
}

/// A tax rate of hundredths of a percent: `20 %`, `5.5 %`.
pub fn rate(hundredths: u32) -> String {
    match (hundredths / 100, hundredths % 100) {
        (whole, 0) => format!("{whole} %"),
        (whole, part) if part % 10 == 0 => format!("{whole}.{} %", part / 10),
        (whole, part) => format!("{whole}.{part:02} %"),
    }
}

/// The characters of `text`, each digit also as a number.
pub(super) fn figures(text: &str) -> Vec<Figure> {
    text.chars()
        .map(|c| Figure {
            text: c.to_string().into(),
            digit: c.to_digit(10).and_then(|d| i32::try_from(d).ok()).unwrap_or(-1),
        })
        .collect()
}

/// [`figures`] as a model that will not change.
pub(super) fn figure_model(text: &str) -> ModelRc<Figure> {
    ModelRc::new(VecModel::from(figures(text)))
}

/// Changes `model` to `text` keeping the right-hand end in place: pence stay pence and roll.
pub(super) fn roll(model: &Rc<VecModel<Figure>>, text: &str) {
    let wanted = figures(text);
    while model.row_count() > wanted.len() {
        model.remove(0);
    }
    while model.row_count() < wanted.len() {
        let index = wanted.len() - model.row_count() - 1;
        model.insert(0, wanted[index].clone());
    }
    for (row, figure) in wanted.into_iter().enumerate() {
        if model.row_data(row).as_ref() != Some(&figure) {
            model.set_row_data(row, figure);
        }
    }
}

fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use trip::Currency;

    #[test]
    fn money_is_written_as_on_a_price_tag() {
        let check = |minor, code: &str, expected: &str| {
            let currency = Currency::try_from(code.to_owned()).expect("a valid code");
            assert_eq!(money(Money::new(minor, currency)), expected);
        };
        check(2384, "GBP", "£23.84");
        check(0, "GBP", "£0.00");
        check(-120, "GBP", "−£1.20");
        check(9_999_999, "GBP", "£99,999.99");
        check(1200, "JPY", "¥1,200");
        check(1_234_567, "KWD", "KWD 1,234.567");
    }

    #[test]
    fn weight_is_written_to_the_gram_and_a_felt_one_to_ten() {
        for (grams, exact, felt) in [
            (742, "0.742 kg", "0.74 kg"),
            (1005, "1.005 kg", "1.01 kg"),
            (-310, "−0.310 kg", "0.31 kg"),
            (38, "0.038 kg", "38 g"),
            (0, "0.000 kg", ""),
        ] {
            assert_eq!((weight(Grams(grams)).as_str(), weight_felt(Grams(grams)).as_str()), (exact, felt));
        }
    }

    #[test]
    fn a_rate_has_no_needless_digits() {
        for (hundredths, expected) in [(2000, "20 %"), (550, "5.5 %"), (1925, "19.25 %"), (0, "0 %")] {
            assert_eq!(rate(hundredths), expected);
        }
    }

    #[test]
    fn rolling_keeps_the_pence_in_their_place() {
        let model = Rc::new(VecModel::default());
        for text in ["£9.99", "£10.49", "£1,000.00", "£0.00"] {
            roll(&model, text);
            let shown: String = model.iter().map(|f| f.text.to_string()).collect();
            assert_eq!(shown, text);
        }
    }
}
