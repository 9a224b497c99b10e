//! How long the line waits before it is sought again.

use std::time::Duration;

use trip::patience::Patience;

/// The least and the longest wait between two attempts to connect.
const LEAST: Duration = Duration::from_millis(250);
const LONGEST: Duration = Duration::from_secs(15);

/// The wait between attempts to connect.
pub const fn of_the_line() -> Patience {
    Patience::between(LEAST, LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_waits_longer_each_time_up_to_a_bound_and_starts_over_when_it_worked() {
        let mut patience = of_the_line();
        let waits: Vec<u64> = (0..9).map(|_| patience.wait(1.0).as_millis() as u64).collect();
        assert_eq!(waits, [250, 500, 1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
        patience.restored();
        assert_eq!(patience.wait(0.0), LEAST / 2);
    }

    #[test]
    fn carts_that_failed_together_come_back_apart() {
        let waits: std::collections::BTreeSet<Duration> =
            (0..200).map(|cart| of_the_line().wait(f64::from(cart) / 200.0)).collect();
        assert_eq!(waits.len(), 200);
    }
}
