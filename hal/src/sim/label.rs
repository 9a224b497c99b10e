//! Retail barcodes as they are printed on a pack.

use barcoders::sym::{ean8::EAN8, ean13::EAN13};

use super::paint::{Area, Canvas, Colour};

const INK: Colour = [0.07, 0.07, 0.08];
const PAPER: Colour = [0.97, 0.97, 0.96];

/// Rows of the little digits, five bits each, the highest bit left.
const DIGITS: [[u8; 7]; 10] = [
    [14, 17, 19, 21, 25, 17, 14],
    [4, 12, 4, 4, 4, 4, 14],
    [14, 17, 1, 2, 4, 8, 31],
    [31, 2, 4, 2, 1, 17, 14],
    [2, 6, 10, 18, 31, 2, 2],
    [31, 16, 30, 1, 1, 17, 14],
    [6, 8, 16, 30, 17, 17, 14],
    [31, 1, 2, 4, 8, 8, 8],
    [14, 17, 17, 14, 17, 17, 14],
    [14, 17, 17, 15, 1, 2, 12],
];

/// Digits that are no EAN-8, UPC-A or EAN-13.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("\"{digits}\" cannot be printed as a barcode: {what}; expected 8, 12 or 13 digits with a right check digit")]
pub struct LabelError {
    digits: String,
    what: String,
}

/// A barcode ready to be printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    digits: String,
    bars: Vec<bool>,
    quiet: [usize; 2],
}

impl Label {
    /// An EAN-8, a UPC-A (12 digits, printed as the EAN-13 with a leading 0) or an EAN-13. A GTIN-14
    /// that begins with 0 is taken without its zeros.
    ///
    /// Quiet zones in modules: 11 left and 7 right (EAN-13), 7 and 7 (EAN-8).
    /// Source: GS1 General Specifications, section 5.2.3.
    ///
    /// # Errors
    /// When the digits are too few or too many, or the check digit is wrong.
    pub fn ean(digits: &str) -> Result<Self, LabelError> {
        let wrong = |what: &str| LabelError { digits: digits.into(), what: what.into() };
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(wrong("not only digits"));
        }
        let (digits, modules, quiet) = match digits.len() {
            14 if digits.starts_with("000000") => return Self::ean(&digits[6..]),
            14 if digits.starts_with('0') => return Self::ean(&digits[1..]),
            8 => (digits.to_owned(), EAN8::new(digits).map(|code| code.encode()), [7, 7]),
            12 => return Self::ean(&format!("0{digits}")),
            13 => (digits.to_owned(), EAN13::new(digits).map(|code| code.encode()), [11, 7]),
            n => return Err(wrong(&format!("{n} digits"))),
        };
        let modules = modules.map_err(|error| wrong(&error.to_string()))?;
        Ok(Self { digits, bars: modules.into_iter().map(|m| m == 1).collect(), quiet })
    }

    /// Its width in modules, quiet zones included.
    pub fn modules(&self) -> usize {
        self.bars.len() + self.quiet.iter().sum::<usize>()
    }

    /// Prints it with its upper left corner at `(x, y)`: paper, bars, digits.
    pub(super) fn print(&self, canvas: &mut Canvas, (x, y): (usize, usize), module_px: usize, height: usize) {
        let area = |left: usize, top: usize, width: usize, height: usize| Area(left, top, left + width, top + height);
        let paper = area(x, y, self.modules() * module_px, height + 12 * module_px);
        canvas.lay(paper, |_, _| 1.0, |_, _| PAPER);
        let (first, bars_y) = (x + self.quiet[0] * module_px, y + 2 * module_px);
        let guard = |i: usize| i < 3 || i + 3 >= self.bars.len() || i.abs_diff(self.bars.len() / 2) <= 2;
        for (i, _) in self.bars.iter().enumerate().filter(|(_, bar)| **bar) {
            let tall = height + if guard(i) { 4 * module_px } else { 0 };
            canvas.lay(area(first + i * module_px, bars_y, module_px, tall), |_, _| 1.0, |_, _| INK);
        }
        let outer = usize::from(self.bars.len() > 70);
        for (i, digit) in self.digits.bytes().enumerate() {
            let half = (self.digits.len() - outer) / 2;
            let column = match i.checked_sub(outer) {
                None => 2,
                Some(k) => self.quiet[0] + 4 + k * 7 + if k >= half { 4 } else { 0 },
            };
            let glyph = DIGITS[usize::from(digit - b'0') % 10];
            let (left, top) = (x + column * module_px, bars_y + height + module_px + module_px / 2);
            for (row, bits) in glyph.iter().enumerate() {
                for bit in (0..5).filter(|bit| bits >> (4 - bit) & 1 == 1) {
                    canvas.lay(
                        area(left + bit * module_px, top + row * module_px, module_px, module_px),
                        |_, _| 1.0,
                        |_, _| INK,
                    );
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(digits: &str, modules: Option<usize>) {
        assert_eq!(Label::ean(digits).ok().map(|label| label.modules()), modules, "{digits}");
    }

    #[test]
    fn only_digits_with_a_right_check_digit_are_printed() {
        check("4006381333931", Some(113));
        check("04006381333931", Some(113));
        check("036000291452", Some(113));
        check("96385074", Some(81));
        check("00000096385074", Some(81));
        check("4006381333932", None);
        check("40063813339", None);
        check("40063813339é", None);
        check("", None);
    }
}
