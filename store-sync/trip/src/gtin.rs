//! GTIN in one normal form, and PLU.

use serde::{Deserialize, Serialize};

/// A Global Trade Item Number, kept as its 14-digit form, so that the UPC-A, EAN-13 and ITF-14 of
/// one trade item are one value. Written with 14 digits.
///
/// Source: GS1 General Specifications 24, sections 3.3.2 and 7.9 (check digit).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Gtin(u64);

/// Not a GTIN.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GtinError {
    /// Letters, or a length that no GTIN has.
    #[error("\"{0}\" is no GTIN: 8, 12, 13 or 14 digits are needed")]
    Form(String),
    /// Nothing but zeros: its check digit fits, and nobody's goods have it.
    #[error("\"{0}\" is no GTIN: it is zero")]
    Zero(String),
    /// The last digit does not fit the others.
    #[error("\"{text}\" has check digit {found}, but its other digits give {expected}")]
    CheckDigit {
        /// What was read.
        text: String,
        /// The digit that would fit.
        expected: u8,
        /// The digit it has.
        found: u8,
    },
}

/// The check digit for `digits` (without it), by weights 3 and 1 from the right.
pub fn check_digit(digits: &[u8]) -> u8 {
    let sum: u32 = digits.iter().rev().zip([3, 1].into_iter().cycle()).map(|(d, weight)| u32::from(*d) * weight).sum();
    ((10 - sum % 10) % 10) as u8
}

impl Gtin {
    /// Reads 8, 12, 13 or 14 digits and checks the last.
    ///
    /// # Errors
    /// [`GtinError`] says whether the form or the check digit is wrong, or all is zero.
    pub fn parse(text: &str) -> Result<Self, GtinError> {
        let form = || GtinError::Form(text.to_owned());
        if !matches!(text.len(), 8 | 12 | 13 | 14) || !text.bytes().all(|b| b.is_ascii_digit()) {
            return Err(form());
        }
        let digits: Vec<u8> = text.bytes().map(|b| b - b'0').collect();
        let (found, rest) = digits.split_last().ok_or_else(form)?;
        let expected = check_digit(rest);
        if expected != *found {
            return Err(GtinError::CheckDigit { text: text.to_owned(), expected, found: *found });
        }
        match text.parse() {
            Ok(0) => Err(GtinError::Zero(text.to_owned())),
            number => number.map(Self).map_err(|_| form()),
        }
    }

    /// Reads a UPC-E symbol's 8 digits (number system, six digits, check digit) by expanding it.
    ///
    /// # Errors
    /// [`GtinError`] as for [`Gtin::parse`], of the expanded number.
    ///
    /// Source: GS1 General Specifications 24, section 5.2.2.4.2 (zero suppression).
    pub fn parse_upc_e(text: &str) -> Result<Self, GtinError> {
        let b = text.as_bytes();
        if b.len() != 8 || !b.iter().all(u8::is_ascii_digit) || b[0] > b'1' {
            return Err(GtinError::Form(text.to_owned()));
        }
        let six = &text[1..7];
        let (system, check) = (&text[..1], &text[7..]);
        let body = match b[6] {
            b'0'..=b'2' => format!("{}{}0000{}", &six[..2], &six[5..6], &six[2..5]),
            b'3' => format!("{}00000{}", &six[..3], &six[3..5]),
            b'4' => format!("{}00000{}", &six[..4], &six[4..5]),
            _ => format!("{}0000{}", &six[..5], &six[5..6]),
        };
        Self::parse(&format!("{system}{body}{check}"))
    }

    /// The number, without leading zeros.
    pub const fn number(self) -> u64 {
        self.0
    }

    /// The 13-digit form, when it has one (no indicator digit).
    pub fn ean13(self) -> Option<String> {
        (self.0 < 10_000_000_000_000).then(|| format!("{:013}", self.0))
    }
}

impl std::fmt::Display for Gtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:014}", self.0)
    }
}

impl std::fmt::Debug for Gtin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

impl TryFrom<String> for Gtin {
    type Error = GtinError;

    fn try_from(text: String) -> Result<Self, GtinError> {
        Self::parse(&text)
    }
}

impl From<Gtin> for String {
    fn from(gtin: Gtin) -> String {
        gtin.to_string()
    }
}

/// A price look-up number for loose produce, 4 or 5 digits.
///
/// Source: IFPS PLU codes (3000 to 4999; 9xxxx for organic; 83000 to 84999).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u32", into = "u32")]
pub struct Plu(u32);

/// Not a PLU.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{0} is no PLU: 4 or 5 digits are needed")]
pub struct PluError(u32);

impl TryFrom<u32> for Plu {
    type Error = PluError;

    fn try_from(number: u32) -> Result<Self, PluError> {
        if (1_000..=99_999).contains(&number) { Ok(Self(number)) } else { Err(PluError(number)) }
    }
}

impl From<Plu> for u32 {
    fn from(plu: Plu) -> u32 {
        plu.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_symbols_of_one_trade_item_are_one_number() {
        let expected = Gtin::parse("00012345678905").expect("GTIN-14");
        assert_eq!(Gtin::parse("012345678905"), Ok(expected));
        assert_eq!(Gtin::parse("0012345678905"), Ok(expected));
        assert_eq!(expected.to_string(), "00012345678905");
        assert_eq!(Gtin::parse("96385074").map(Gtin::number), Ok(96_385_074));
    }

    #[test]
    fn a_wrong_digit_is_named() {
        assert_eq!(
            Gtin::parse("012345678904"),
            Err(GtinError::CheckDigit { text: "012345678904".into(), expected: 5, found: 4 })
        );
        for bad in ["", "123", "12345678901a", "123456789012345", "１２３４"] {
            assert!(matches!(Gtin::parse(bad), Err(GtinError::Form(_))), "{bad:?}");
        }
    }

    #[test]
    fn zeros_are_no_product() {
        for zeros in ["00000000", "000000000000", "0000000000000", "00000000000000"] {
            assert_eq!(Gtin::parse(zeros), Err(GtinError::Zero(zeros.into())));
        }
    }

    #[test]
    fn a_upc_e_is_expanded() {
        for (upc_e, upc_a) in [
            ("01234565", "012345000065"),
            ("04252614", "042100005264"),
            ("01234531", "012300000451"),
            ("01234543", "012340000053"),
        ] {
            assert_eq!(Gtin::parse_upc_e(upc_e), Gtin::parse(upc_a), "{upc_e}");
            assert!(Gtin::parse(upc_a).is_ok(), "{upc_a}");
        }
    }

    #[test]
    fn a_plu_has_four_or_five_digits() {
        assert!(Plu::try_from(4011).is_ok() && Plu::try_from(94_011).is_ok());
        assert!(Plu::try_from(401).is_err() && Plu::try_from(100_000).is_err());
    }
}
