//! From a converter's counts to grams, and the same calibration in words.

use crate::board::ScaleBoard;

/// The straight line between counts and grams that calibration found.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Calibration {
    zero_counts: i32,
    counts_per_g: f32,
}

impl Calibration {
    pub(crate) fn of(board: &ScaleBoard) -> Self {
        Self { zero_counts: board.zero_counts, counts_per_g: board.counts_per_g }
    }

    /// Gross load in grams. Reckoned in `f64`: a 24-bit count less a zero does not fit an `f32`.
    pub(crate) fn grams(self, counts: i64) -> f32 {
        ((counts as f64 - f64::from(self.zero_counts)) / f64::from(self.counts_per_g)) as f32
    }

    /// The calibration for the staff screen.
    pub(crate) fn words(self) -> String {
        format!("zero at {} counts, {} counts a gram", self.zero_counts, self.counts_per_g)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zero_counts: i32, counts_per_g: f32, counts: i64, grams: f32) {
        let calibration = Calibration { zero_counts, counts_per_g };
        assert_eq!(calibration.grams(counts), grams, "{calibration:?} at {counts}");
    }

    #[test]
    fn counts_become_grams_by_zero_and_slope() {
        check(0, 100.0, 123_400, 1_234.0);
        check(8_388_608, 100.0, 8_388_708, 1.0);
        check(-1_000, 10.0, -1_500, -50.0);
    }

    #[test]
    fn a_cell_turned_over_weighs_the_right_way_up() {
        check(5_000, -50.0, 0, 100.0);
    }
}
