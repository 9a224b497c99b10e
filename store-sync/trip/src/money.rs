//! Money in minor units; never a float.

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency code, upper case.
///
/// Source: ISO 4217:2015, alphabetic codes and minor unit exponents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Not a currency code.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is no ISO 4217 currency code (three capital letters, such as GBP)")]
pub struct CurrencyError(String);

impl Currency {
    /// Pound sterling.
    pub const GBP: Self = Self(*b"GBP");

    /// The code, such as `GBP`.
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// Digits after the point: 2 for most, 0 for yen, 3 for dinars.
    pub fn exponent(&self) -> u32 {
        match &self.0 {
            b"JPY" | b"KRW" | b"VND" | b"CLP" | b"ISK" | b"XAF" | b"XOF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }

    /// The sign people write before an amount, or the code and a space.
    pub fn sign(&self) -> String {
        match &self.0 {
            b"GBP" => "£".into(),
            b"EUR" => "€".into(),
            b"USD" => "$".into(),
            b"JPY" => "¥".into(),
            _ => format!("{} ", self.code()),
        }
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;

    fn try_from(text: String) -> Result<Self, CurrencyError> {
        match <[u8; 3]>::try_from(text.as_bytes()) {
            Ok(code) if code.iter().all(u8::is_ascii_uppercase) => Ok(Self(code)),
            _ => Err(CurrencyError(text)),
        }
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> String {
        currency.code().to_owned()
    }
}

impl std::fmt::Debug for Currency {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.code())
    }
}

/// An amount in the currency's minor unit (pence, cents); negative for a refund or a saving.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Money {
    /// Minor units.
    pub minor: i64,
    /// Which currency.
    pub currency: Currency,
}

impl Money {
    /// `minor` units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }
}

/// Plain and exact, such as `£23.84` or `-£1.20`. Screens format by language; receipts use this.
impl std::fmt::Display for Money {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let unit = 10_u64.pow(self.currency.exponent());
        let digits = self.minor.unsigned_abs();
        let minus = if self.minor < 0 { "-" } else { "" };
        let sign = self.currency.sign();
        match self.currency.exponent() {
            0 => write!(f, "{minus}{sign}{digits}"),
            places => write!(f, "{minus}{sign}{}.{:0width$}", digits / unit, digits % unit, width = places as usize),
        }
    }
}

/// `numerator / denominator` rounded half away from zero: how tills round a weighed price.
///
/// Source: WELMEC 2.2 for price-computing instruments rounds to the nearest minor unit.
pub fn divide_rounded(numerator: i128, denominator: i128) -> i128 {
    debug_assert!(denominator > 0);
    let half = denominator / 2;
    if numerator >= 0 { (numerator + half) / denominator } else { (numerator - half) / denominator }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_reads_as_people_write_it() {
        let check = |minor, code: &str, expected: &str| {
            let currency = Currency::try_from(code.to_owned()).expect("a valid code");
            assert_eq!(Money::new(minor, currency).to_string(), expected);
        };
        check(2384, "GBP", "£23.84");
        check(-120, "GBP", "-£1.20");
        check(5, "EUR", "€0.05");
        check(1200, "JPY", "¥1200");
        check(1234, "KWD", "KWD 1.234");
    }

    #[test]
    fn half_a_penny_rounds_away_from_zero() {
        for (n, d, expected) in [(5, 10, 1), (4, 10, 0), (-5, 10, -1), (163_240, 1000, 163), (163_500, 1000, 164)] {
            assert_eq!(divide_rounded(n, d), expected, "{n}/{d}");
        }
    }
}
