//! What CLDR 48 says, worked out by hand. `\u{a0}` and `\u{202f}` are its no-break spaces.

use super::*;
use Language::{Arabic, English, French, German, Japanese, Spanish};

fn money(language: Language, minor: i64, code: &str) -> String {
    let currency = Currency::try_from(code.to_owned()).expect("a valid code");
    plain(&Format::new(language, WeightUnit::Kg).money(Money::new(minor, currency)))
}

/// Without what isolates it.
fn plain(written: &Written) -> String {
    written.parts.concat()
}

fn shown(written: &Written) -> String {
    written.figures().iter().map(|f| f.text.as_str()).collect()
}

#[test]
fn money_is_written_as_its_reader_writes_it() {
    for (language, pounds, saved, thousands) in [
        (English, "£23.84", "−£1.20", "£12,345.60"),
        (German, "23,84\u{a0}£", "−1,20\u{a0}£", "12.345,60\u{a0}£"),
        (French, "23,84\u{a0}£", "−1,20\u{a0}£", "12\u{202f}345,60\u{a0}£"),
        (Spanish, "23,84\u{a0}£", "−1,20\u{a0}£", "12.345,60\u{a0}£"),
        (Arabic, "23.84\u{a0}£", "−1.20\u{a0}£", "12,345.60\u{a0}£"),
        (Japanese, "£23.84", "−£1.20", "£12,345.60"),
    ] {
        let written = [2384, -120, 1_234_560].map(|minor| money(language, minor, "GBP"));
        assert_eq!(written, [pounds, saved, thousands], "{language:?}");
    }
}

#[test]
fn four_digits_are_grouped_everywhere_but_in_spanish() {
    for (language, expected) in
        [(English, "€1,234.50"), (German, "1.234,50\u{a0}€"), (Spanish, "1234,50\u{a0}€"), (Arabic, "1,234.50\u{a0}€")]
    {
        assert_eq!(money(language, 123_450, "EUR"), expected);
    }
}

#[test]
fn a_currency_has_its_own_decimals_and_a_code_its_space() {
    for (language, minor, code, expected) in [
        (English, 0, "GBP", "£0.00"),
        (English, 1200, "JPY", "¥1,200"),
        (Japanese, 1200, "JPY", "￥1,200"),
        (French, 1200, "JPY", "1\u{202f}200\u{a0}¥"),
        (English, 1_234_567, "KWD", "KWD\u{a0}1,234.567"),
        (German, 1_234_567, "KWD", "1.234,567\u{a0}KWD"),
    ] {
        assert_eq!(money(language, minor, code), expected, "{language:?}");
    }
}

#[test]
fn weight_is_written_to_the_gram_and_a_felt_one_to_ten() {
    for (language, grams, exact, felt) in [
        (English, 742, "0.742 kg", Some("0.74 kg")),
        (English, 1005, "1.005 kg", Some("1.01 kg")),
        (English, -310, "−0.310 kg", Some("0.31 kg")),
        (English, 38, "0.038 kg", Some("38 g")),
        (English, 0, "0.000 kg", None),
        (German, 742, "0,742 kg", Some("0,74 kg")),
        (French, 38, "0,038\u{202f}kg", Some("38\u{202f}g")),
        (Spanish, 1_234_567, "1234,567 kg", Some("1234,57 kg")),
        (Arabic, 742, "0.742 كغم", Some("0.74 كغم")),
        (Arabic, 38, "0.038 كغم", Some("38 غرام")),
        (Japanese, 742, "0.742 kg", Some("0.74 kg")),
    ] {
        let format = Format::new(language, WeightUnit::Kg);
        let written = (plain(&format.weight(Grams(grams))), format.weight_felt(Grams(grams)).map(|w| plain(&w)));
        assert_eq!(written, (exact.to_owned(), felt.map(str::to_owned)), "{language:?}");
    }
}

#[test]
fn a_store_that_weighs_in_pounds_prices_by_the_pound() {
    // 742 g ÷ 453.59237 g = 1.6358 lb; £2.20 × 0.45359237 = £0.9979.
    for (language, weight, price) in [
        (English, "1.64 lb", "£1.00/lb"),
        (German, "1,64 lb", "1,00\u{a0}£/lb"),
        (Arabic, "1.64 رطل", "1.00\u{a0}£/رطل"),
    ] {
        let format = Format::new(language, WeightUnit::Lb);
        assert_eq!(plain(&format.weight(Grams(742))), weight);
        assert_eq!(plain(&format.unit_price(Money::new(220, Currency::GBP))), price);
    }
    let format = Format::new(English, WeightUnit::Lb);
    let felt = |grams| format.weight_felt(Grams(grams)).map(|w| plain(&w));
    assert_eq!((felt(-310), felt(1), felt(0)), (Some("0.68 lb".into()), Some("0.01 lb".into()), None));
}

#[test]
fn a_rate_has_no_needless_digits() {
    for (language, expected) in [
        (English, ["20%", "5.5%", "19.25%", "0%"]),
        (German, ["20\u{a0}%", "5,5\u{a0}%", "19,25\u{a0}%", "0\u{a0}%"]),
        (French, ["20\u{a0}%", "5,5\u{a0}%", "19,25\u{a0}%", "0\u{a0}%"]),
        (Spanish, ["20\u{a0}%", "5,5\u{a0}%", "19,25\u{a0}%", "0\u{a0}%"]),
        (Arabic, ["20%", "5.5%", "19.25%", "0%"]),
        (Japanese, ["20%", "5.5%", "19.25%", "0%"]),
    ] {
        let format = Format::new(language, WeightUnit::Kg);
        assert_eq!([2000, 550, 1925, 0].map(|rate| plain(&format.percent(rate))), expected, "{language:?}");
    }
}

#[test]
fn in_arabic_a_quantity_is_isolated_and_stands_with_its_unit_at_the_left() {
    let format = Format::new(Arabic, WeightUnit::Kg);
    let money = format.money(Money::new(-120, Currency::GBP));
    assert_eq!(money.to_string(), "\u{2067}\u{200e}−1.20\u{a0}£\u{2069}");
    assert_eq!(shown(&money), "£\u{a0}−1.20");
    let unit_price = format.unit_price(Money::new(220, Currency::GBP)).figures();
    assert_eq!(unit_price[0].text, "كغم", "joined letters are one figure");
    let digits: Vec<i32> = unit_price.iter().map(|f| f.digit).filter(|d| *d >= 0).collect();
    assert_eq!(digits, [2, 2, 0]);
}

#[test]
fn rolling_keeps_the_pence_in_their_place() {
    let model = Rc::new(VecModel::default());
    let format = Format::default();
    for (minor, expected) in [(999, "£9.99"), (1049, "£10.49"), (100_000, "£1,000.00"), (0, "£0.00")] {
        roll(&model, format.money(Money::new(minor, Currency::GBP)).figures());
        let shown: String = model.iter().map(|f| f.text.to_string()).collect();
        assert_eq!(shown, expected);
    }
}
