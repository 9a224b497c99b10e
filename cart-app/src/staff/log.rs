//! The program's own log, the last of it, for staff.
//!
//! A bounded ring, filled by a `tracing` layer. It takes what is INFO and above: by the house's rule nothing
//! about a shopper and no secret is logged above DEBUG. Lines are cut where they are long.

use std::collections::VecDeque;
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer};
use trip::UnixMillis;

use crate::journal::wall_clock;

/// Lines kept.
const KEPT: usize = 400;
/// Characters of a line that are kept.
const LONGEST: usize = 400;

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When, by the cart's clock.
    pub at: UnixMillis,
    /// How grave.
    pub level: LogLevel,
    /// Which part of the program.
    pub part: String,
    /// What.
    pub text: String,
}

/// How grave a line is, gravest first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// It does not work.
    Error,
    /// Worth waking someone for.
    Warn,
    /// Good to know.
    #[default]
    Info,
}

/// The ring. There is one a program, as there is one log.
#[derive(Default)]
pub struct Ring {
    // A mutex, because every thread logs; held for one push.
    lines: Mutex<VecDeque<LogLine>>,
}

static RING: LazyLock<Ring> = LazyLock::new(Ring::default);

/// The program's ring.
pub fn ring() -> &'static Ring {
    &RING
}

impl Ring {
    fn lock(&self) -> MutexGuard<'_, VecDeque<LogLine>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn push(&self, line: LogLine) {
        let mut lines = self.lock();
        if lines.len() == KEPT {
            lines.pop_front();
        }
        lines.push_back(line);
    }

    /// The last lines at least so grave, newest first.
    pub fn last(&self, level: LogLevel) -> Vec<LogLine> {
        self.lock().iter().rev().filter(|line| line.level <= level).cloned().collect()
    }
}

/// Fills the ring. What is below INFO it leaves out, whatever other layers show.
pub struct RingLayer;

impl<S: Subscriber> Layer<S> for RingLayer {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let metadata = event.metadata();
        if *metadata.level() > Level::INFO {
            return;
        }
        let level = match *metadata.level() {
            Level::ERROR => LogLevel::Error,
            Level::WARN => LogLevel::Warn,
            _ => LogLevel::Info,
        };
        let mut words = Words::default();
        event.record(&mut words);
        let text: String = format!("{}{}", words.message, words.fields).chars().take(LONGEST).collect();
        ring().push(LogLine { at: wall_clock(), level, part: metadata.target().to_owned(), text });
    }
}

/// The message, and the other fields behind it.
#[derive(Default)]
struct Words {
    message: String,
    fields: String,
}

impl Visit for Words {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        use std::fmt::Write;
        // Writing into a string does not fail; a value whose own words fail is left out.
        let _ = if field.name() == "message" {
            write!(self.message, "{value:?}")
        } else {
            write!(self.fields, " {}={value:?}", field.name())
        };
    }
}

#[cfg(test)]
mod tests {
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    #[test]
    fn the_last_lines_are_kept_by_gravity_and_debug_is_not() {
        let subscriber = tracing_subscriber::registry().with(RingLayer);
        tracing::subscriber::with_default(subscriber, || {
            tracing::debug!(card = "4242", "a shopper's secret");
            for n in 0..KEPT + 10 {
                tracing::info!(n, "line");
            }
            tracing::warn!(device = "scale", "out");
            tracing::error!("{}", "x".repeat(2_000));
        });
        let own = |level| ring().last(level).into_iter().filter(|l| l.part.ends_with("log::tests")).collect::<Vec<_>>();
        let all = own(LogLevel::Info);
        assert!(all.len() <= KEPT && all.iter().all(|line| !line.text.contains("secret")));
        assert_eq!(all[0].text.chars().count(), LONGEST);
        let grave: Vec<String> = own(LogLevel::Warn).into_iter().map(|line| line.text).collect();
        assert_eq!(grave.len(), 2);
        assert_eq!(grave[1], "out device=\"scale\"");
    }
}
