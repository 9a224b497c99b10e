//! The receipt as text, as a till prints it.

use std::fmt::Write;

use super::Receipt;
use crate::{Money, Quantity};

/// Characters a line.
const WIDTH: usize = 42;

/// The receipt as text: one line or two an item, savings, tax, what was paid.
pub fn render(receipt: &Receipt) -> String {
    let currency = receipt.charged.currency;
    let money = |minor: i64| Money::new(minor, currency).to_string();
    let mut page = String::new();
    let _ = writeln!(page, "{:^WIDTH$}", receipt.store_name);
    let _ = writeln!(page, "{:^WIDTH$}\n", format!("Receipt {}", receipt.number));
    for line in &receipt.totals.lines {
        row(&mut page, &line.name, &format!("{} {}", money(line.price), line.tax));
        match (line.quantity, line.unit) {
            (Quantity::Each(pieces), Some(unit)) if pieces > 1 => {
                let _ = writeln!(page, "  {pieces} × {}", money(unit));
            }
            (Quantity::Weighed(net), Some(unit)) => {
                let kg = f64::from(net.0) / 1_000.0;
                let _ = writeln!(page, "  {kg:.3} kg × {}/kg", money(unit));
            }
            _ => {}
        }
        if line.deposit > 0 {
            row(&mut page, "  deposit", &format!("{} {}", money(line.deposit), line.tax));
        }
    }
    for saving in &receipt.totals.savings {
        row(&mut page, &saving.label, &format!("{}  ", money(-saving.minor)));
    }
    let _ = writeln!(page, "{}", "-".repeat(WIDTH));
    row(&mut page, "TOTAL", &format!("{}  ", money(receipt.totals.total.minor)));
    row(&mut page, &format!("Paid, {}", receipt.tender.kind), &format!("{}  ", money(receipt.charged.minor)));
    if let Some(member) = &receipt.member {
        row(&mut page, &format!("Loyalty card {member}"), "");
    }
    let _ = writeln!(page);
    for share in &receipt.totals.taxes {
        let rate = f64::from(share.basis_points) / 100.0;
        row(
            &mut page,
            &format!("{} tax {rate} % in {}", share.letter, money(share.gross)),
            &format!("{}  ", money(share.tax)),
        );
    }
    let _ = writeln!(page, "\nTrip {} at lane {}", receipt.trip, receipt.lane);
    let _ = writeln!(page, "Terminal reference {}", receipt.tender.reference);
    page
}

fn row(page: &mut String, left: &str, right: &str) {
    let space = WIDTH.saturating_sub(right.chars().count() + 1);
    let shown: String = if left.chars().count() > space {
        left.chars().take(space.saturating_sub(1)).chain(['…']).collect()
    } else {
        left.to_owned()
    };
    let fill = WIDTH.saturating_sub(shown.chars().count() + right.chars().count());
    let _ = writeln!(page, "{shown}{}{right}", " ".repeat(fill));
}
