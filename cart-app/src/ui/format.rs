//! Money, weight, percent, days and hours as the shopper's language writes them, and as figures of one width.
//!
//! Digits, groups and decimal marks are ICU4X's; where sign and unit stand is written here, after CLDR.
//! Three things differ from CLDR, each for what stands on the shelf: Arabic has the digits 0 to 9 (as
//! `ar-AE` has), a currency has its plain sign in every language, and a minus is a true one, as wide
//! as a digit.
//!
//! Source: CLDR 48, `numbers/currencyFormats`, `units/short`, `numbers/percentFormats`.

use std::rc::Rc;

use icu_decimal::{DecimalFormatter, input::Decimal};
use icu_locale_core::{Locale, locale};
use serde::Deserialize;
use slint::{Model, ModelRc, SharedString, VecModel};
use trip::money::divide_rounded;
use trip::{Currency, Grams, Money};

use super::Language;
use cart_ui::Figure;

mod date;

/// A space that never breaks a line.
const NO_BREAK: &str = "\u{a0}";
/// The same, narrow: French sets units with it.
const NARROW_NO_BREAK: &str = "\u{202f}";
/// A true minus.
const MINUS: &str = "−";
/// Around a quantity in Arabic, so that the sentence around it cannot tear it apart: right-to-left
/// isolate, left-to-right mark, pop directional isolate. Source: Unicode UAX #9, 2.4 to 2.6.
const ISOLATED: (&str, &str) = ("\u{2067}\u{200e}", "\u{2069}");
/// A pound in hundred-millionths of a kilogram. Source: the international yard and pound agreement, 1959.
const POUND: i128 = 45_359_237;

/// In what a store weighs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WeightUnit {
    /// Kilograms, to the gram; prices of a kilogram.
    #[default]
    Kg,
    /// Pounds, to the hundredth; prices of a pound.
    Lb,
}

/// How one language writes quantities.
#[derive(Debug)]
pub struct Format {
    language: Language,
    unit: WeightUnit,
    digits: Option<DecimalFormatter>,
}

/// A quantity as written: its parts in the order they are read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    parts: Vec<String>,
    right_to_left: bool,
}

impl Default for Format {
    fn default() -> Self {
        Self::new(Language::English, WeightUnit::Kg)
    }
}

impl Format {
    /// `language`, in a store that weighs in `unit`.
    pub fn new(language: Language, unit: WeightUnit) -> Self {
        // The data is compiled in; were a language not, its digits would stand ungrouped.
        let digits = DecimalFormatter::try_new(icu_locale(language).into(), Default::default()).ok();
        Self { language, unit, digits }
    }

    /// The language.
    pub fn language(&self) -> Language {
        self.language
    }

    /// In what the store weighs.
    pub fn unit(&self) -> WeightUnit {
        self.unit
    }

    /// `£23.84`, `23,84 £`, `−£1.20`, `−1,20 €`.
    pub fn money(&self, amount: Money) -> Written {
        self.written(self.money_parts(amount))
    }

    /// `0.742 kg`, to the gram as the price is made of it; `1.64 lb`.
    pub fn weight(&self, grams: Grams) -> Written {
        match self.unit {
            WeightUnit::Kg => self.measure(i64::from(grams.0), 3, "kg"),
            WeightUnit::Lb => self.measure(hundredths_of_a_pound(grams), 2, "lb"),
        }
    }

    /// `0.31 kg`, `38 g`, `0.68 lb`: a weight to recognise a thing by, without a sign; `None` for nothing.
    pub fn weight_felt(&self, grams: Grams) -> Option<Written> {
        let felt = i64::from(grams.0).abs();
        let written = match (self.unit, (felt + 5) / 10) {
            (_, _) if felt == 0 => return None,
            (WeightUnit::Kg, 0..=9) => self.measure(felt, 0, "g"),
            (WeightUnit::Kg, hundredths) => self.measure(hundredths, 2, "kg"),
            (WeightUnit::Lb, _) => self.measure(hundredths_of_a_pound(grams).abs().max(1), 2, "lb"),
        };
        Some(written)
    }

    /// `1.64`: a weight's number in pounds, for words around it.
    pub(super) fn pounds(&self, grams: Grams) -> String {
        self.number(hundredths_of_a_pound(grams).unsigned_abs(), 2)
    }

    /// The price of the store's unit of weight, from that of a kilogram: `£2.20/kg`, `£1.00/lb`.
    pub fn unit_price(&self, per_kg: Money) -> Written {
        let (price, unit) = match self.unit {
            WeightUnit::Kg => (per_kg, "kg"),
            WeightUnit::Lb => {
                let minor = divide_rounded(i128::from(per_kg.minor) * POUND, 100_000_000);
                (Money { minor: i64::try_from(minor).unwrap_or(i64::MAX), ..per_kg }, "lb")
            }
        };
        let mut parts = self.money_parts(price);
        parts.extend(["/".to_owned(), self.unit_name(unit).to_owned()]);
        self.written(parts)
    }

    /// The price of a litre: `£1.85/l`.
    pub fn litre_price(&self, per_litre: Money) -> Written {
        let mut parts = self.money_parts(per_litre);
        parts.extend(["/".to_owned(), self.unit_name("l").to_owned()]);
        self.written(parts)
    }

    /// `1:20`: a wait of so many seconds, in minutes and seconds.
    pub fn minutes_and_seconds(&self, seconds: u32) -> String {
        // Written alike in all our languages, with the digits 0 to 9, and left to right in all of them.
        format!("{}:{:02}", seconds / 60, seconds % 60)
    }

    /// Hundredths of a percent: `20%`, `5,5 %`.
    pub fn percent(&self, hundredths: u32) -> Written {
        let space = match self.language {
            Language::German | Language::French | Language::Spanish => NO_BREAK,
            Language::English | Language::Arabic | Language::Japanese => "",
        };
        let mut number = Decimal::from(hundredths);
        number.multiply_pow10(-2);
        number.absolute.trim_end();
        self.written(vec![format!("{}{space}%", self.decimal(&number))])
    }

    /// `2 kg`, whatever the store weighs in.
    pub fn kilograms(&self, amount: i64) -> Written {
        self.measure(amount, 0, "kg")
    }

    /// `12.3 MB`: bytes in millions.
    pub fn megabytes(&self, bytes: u64) -> Written {
        self.measure(i64::try_from(bytes / 100_000).unwrap_or(i64::MAX), 1, "MB")
    }

    /// `1.5 g`: grams of a label, in units of 10 to the power −`places`.
    pub fn grams(&self, amount: i64, places: i16) -> Written {
        self.measure(amount, places, "g")
    }

    /// `188 kJ / 45 kcal`.
    pub fn energy(&self, kj: u32, kcal: u32) -> Written {
        let (kj, kcal) = (self.measure(i64::from(kj), 0, "kJ"), self.measure(i64::from(kcal), 0, "kcal"));
        self.written([kj.parts, vec![" / ".to_owned()], kcal.parts].concat())
    }

    fn money_parts(&self, amount: Money) -> Vec<String> {
        let places = amount.currency.exponent() as i16;
        let number = self.number(amount.minor.unsigned_abs(), places);
        let minus = if amount.minor < 0 { MINUS } else { "" };
        let sign = self.sign(amount.currency);
        // A code is letters, and letters never touch a figure.
        let space = if sign.chars().all(char::is_alphabetic) { NO_BREAK } else { "" };
        match self.language {
            Language::English | Language::Japanese => vec![format!("{minus}{sign}{space}{number}")],
            Language::German | Language::French | Language::Spanish | Language::Arabic => {
                vec![format!("{minus}{number}"), NO_BREAK.to_owned(), sign]
            }
        }
    }

    fn sign(&self, currency: Currency) -> String {
        match (self.language, currency.code()) {
            (Language::Japanese, "JPY") => "￥".to_owned(),
            _ => currency.sign().trim_end().to_owned(),
        }
    }

    /// `amount` in units of 10 to the power −`places`.
    fn measure(&self, amount: i64, places: i16, unit: &str) -> Written {
        let minus = if amount < 0 { MINUS } else { "" };
        let space = if self.language == Language::French { NARROW_NO_BREAK } else { " " };
        let number = format!("{minus}{}", self.number(amount.unsigned_abs(), places));
        self.written(vec![number, space.to_owned(), self.unit_name(unit).to_owned()])
    }

    fn unit_name<'a>(&self, unit: &'a str) -> &'a str {
        match (self.language, unit) {
            (Language::Arabic, "kg") => "كغم",
            (Language::Arabic, "g") => "غرام",
            (Language::Arabic, "lb") => "رطل",
            (Language::Arabic, "MB") => "ميغابايت",
            (Language::Arabic, "l") => "لتر",
            (Language::Arabic, "kJ") => "كيلوجول",
            (Language::Arabic, "kcal") => "سعرة حرارية",
            _ => unit,
        }
    }

    fn number(&self, amount: u64, places: i16) -> String {
        let mut number = Decimal::from(amount);
        number.multiply_pow10(-places);
        number.absolute.pad_end(-places);
        self.decimal(&number)
    }

    fn decimal(&self, number: &Decimal) -> String {
        self.digits.as_ref().map_or_else(|| number.to_string(), |digits| digits.format(number).to_string())
    }

    fn written(&self, parts: Vec<String>) -> Written {
        Written { parts, right_to_left: self.language.right_to_left() }
    }
}

impl Written {
    /// The characters in the order they stand on the screen, from left to right, each digit also as
    /// a number.
    pub(super) fn figures(&self) -> Vec<Figure> {
        let figures = |part: &String| -> Vec<Figure> {
            // Arabic letters join: a word of them is one figure.
            if part.chars().any(|c| ('\u{600}'..'\u{700}').contains(&c)) {
                return vec![Figure { text: part.into(), digit: -1 }];
            }
            let figure = |c: char| Figure {
                text: SharedString::from(c),
                digit: c.to_digit(10).and_then(|d| i32::try_from(d).ok()).unwrap_or(-1),
            };
            part.chars().map(figure).collect()
        };
        if self.right_to_left {
            self.parts.iter().rev().flat_map(figures).collect()
        } else {
            self.parts.iter().flat_map(figures).collect()
        }
    }

    /// [`Self::figures`] as a model that will not change.
    pub(super) fn figure_model(&self) -> ModelRc<Figure> {
        ModelRc::new(VecModel::from(self.figures()))
    }
}

impl std::fmt::Display for Written {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (before, after) = if self.right_to_left { ISOLATED } else { ("", "") };
        write!(f, "{before}{}{after}", self.parts.concat())
    }
}

impl From<Written> for SharedString {
    fn from(written: Written) -> Self {
        written.to_string().into()
    }
}

/// Changes `model` to `wanted` keeping the right-hand end in place: pence stay pence and roll.
pub(super) fn roll(model: &Rc<VecModel<Figure>>, wanted: Vec<Figure>) {
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

fn hundredths_of_a_pound(grams: Grams) -> i64 {
    let hundredths = divide_rounded(i128::from(grams.0) * 10_000_000, POUND);
    i64::try_from(hundredths).unwrap_or(i64::MAX)
}

fn icu_locale(language: Language) -> Locale {
    match language {
        Language::English => locale!("en"),
        Language::German => locale!("de"),
        Language::French => locale!("fr"),
        Language::Spanish => locale!("es"),
        Language::Arabic => locale!("ar-u-nu-latn"),
        Language::Japanese => locale!("ja"),
    }
}

#[cfg(test)]
mod tests;
