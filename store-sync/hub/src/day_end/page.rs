//! A day's end, for people.

use std::fmt::Write;

use jiff::tz::TimeZone;
use trip::{Money, UnixMillis};

use super::{DayEnd, Difference, LaneDay, Row, Sum};
use crate::terminal::Kind;

/// The report as plain text; its last line says whether all agrees.
pub(super) fn render(day: &DayEnd, zone: &TimeZone) -> String {
    let mut page = format!("Day-end of {}, {}\n", day.store, day.date);
    for lane in &day.lanes {
        page.push('\n');
        lane_of(&mut page, lane, zone);
    }
    let differences: usize = day.lanes.iter().map(|lane| lane.differences.len()).sum();
    let last = match differences {
        0 => "The terminals and the ledger agree.".to_owned(),
        1 => "1 difference. Nothing was changed.".to_owned(),
        n => format!("{n} differences. Nothing was changed."),
    };
    format!("{page}\n{last}\n")
}

fn lane_of(page: &mut String, lane: &LaneDay, zone: &TimeZone) {
    let periods = match lane.periods {
        None => String::new(),
        Some((first, last)) if first == last => format!(", the terminal's period {first}"),
        Some((first, last)) => format!(", the terminal's periods {first} to {last}"),
    };
    let time = |at| time(at, zone, "%Y-%m-%d %H:%M");
    line(page, format_args!("{}, {} to {}{periods}", lane.lane, time(lane.from), time(lane.until)));
    if lane.rows.is_empty() {
        line(page, format_args!("  nothing was paid"));
    } else {
        line(page, format_args!("  {:<12}{:>20}{:>20}", "", "ledger", "terminal"));
    }
    for row in &lane.rows {
        let terminal = row.terminal.map_or_else(|| "not told".to_owned(), |sum| amount(row, sum));
        line(page, format_args!("  {:<12}{:>20}{:>20}", word(row.kind), amount(row, row.ledger), terminal));
    }
    for difference in &lane.differences {
        line(page, format_args!("  ! {}", said(difference, zone)));
    }
}

/// Writing into a text cannot fail.
fn line(page: &mut String, words: std::fmt::Arguments<'_>) {
    let _ = writeln!(page, "{words}");
}

fn word(kind: Kind) -> &'static str {
    match kind {
        Kind::Paid => "paid",
        Kind::GivenBack => "given back",
        Kind::Other => "other",
    }
}

fn amount(row: &Row, sum: Sum) -> String {
    format!("{} × {}", sum.count, Money::new(sum.minor, row.currency))
}

fn said(difference: &Difference, zone: &TimeZone) -> String {
    match (&difference.attempt, difference.at) {
        (Some(attempt), Some(at)) => format!("{} {attempt}: {}", time(at, zone, "%H:%M:%S"), difference.words),
        _ => difference.words.clone(),
    }
}

/// A time by the store's own clock; the number itself when it is no date.
fn time(at: UnixMillis, zone: &TimeZone, form: &str) -> String {
    let time = jiff::Timestamp::from_millisecond(at.0);
    time.map_or_else(|_| at.0.to_string(), |t| t.to_zoned(zone.clone()).strftime(form).to_string())
}
