//! What a value can be held against: check digits, dates, codes.

use crate::gtin;

/// True where the last digit is the check digit of those before it.
pub(super) fn check_digit_fits(digits: &str) -> bool {
    let digits: Vec<u8> = digits.bytes().map(|b| b.wrapping_sub(b'0')).collect();
    matches!(digits.split_last(), Some((last, rest)) if !rest.is_empty() && gtin::check_digit(rest) == *last)
}

/// The day of a date YYMMDD, 0 for the whole month; `None` where there is no such day.
pub(super) fn day(date: &str) -> Option<u8> {
    let number = |range: std::ops::Range<usize>| date.get(range)?.parse::<u8>().ok();
    let (year, month, day) = (number(0..2)?, number(2..4)?, number(4..6)?);
    let days = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        // 2000 was a leap year, and no other year 00 is in a date's window of fifty years.
        2 if year.is_multiple_of(4) => 29,
        2 => 28,
        _ => return None,
    };
    (day <= days).then_some(day)
}

/// True for hhmm from 0000 to 2359.
pub(super) fn hour_and_minute(time: &str) -> bool {
    let number = |range: std::ops::Range<usize>| time.get(range).and_then(|t| t.parse::<u8>().ok());
    matches!((number(0..2), number(2..4)), (Some(0..=23), Some(0..=59)))
}

/// True for three digits that ISO 3166-1 or ISO 4217 may have given out: 001 to 999. Which of them
/// stand for a country changes too often to be known here.
pub(super) fn country_or_currency(code: &str) -> bool {
    code.len() == 3 && code != "000"
}

/// The check digit over a four-digit price: weights 2−, 2−, 3, 5−.
///
/// Source: GS1 General Specifications 24, section 7.9.3.
pub(super) fn of_price(digits: [u8; 4]) -> u8 {
    // "n−": the product's tens are taken from its units.
    let minus = |factor: u8, digit: u8| (factor * digit - factor * digit / 10) % 10;
    let [a, b, c, d] = digits;
    (minus(2, a) + minus(2, b) + 3 * c % 10 + minus(5, d)) * 3 % 10
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_price_check_digit_is_the_one_of_the_standard() {
        // Worked out by hand from the weights: 4 + 5 + 1 + 3 = 13, times 3 ends in 9.
        assert_eq!(of_price([2, 8, 7, 5]), 9);
        assert_eq!(of_price([0, 0, 0, 0]), 0);
        assert_eq!(of_price([9, 9, 9, 9]), (7 + 7 + 7 + 1) * 3 % 10);
    }
}
