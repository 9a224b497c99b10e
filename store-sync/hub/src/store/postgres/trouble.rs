//! What can go wrong with a PostgreSQL, and what kind of trouble it is for the hub.

use std::io;

use tokio_postgres::error::{DbError, Severity};

use super::super::{StoreError, StoreKind, fenced};

/// Why something did not come about.
#[derive(Debug)]
pub(super) enum Trouble {
    /// The server refused, or the line to it broke.
    Server(tokio_postgres::Error),
    /// It did not answer in time.
    Late,
    /// It did not answer a moment ago and is left alone for a while.
    LeftAlone,
    /// Another hub has opened the store since.
    Fenced,
    /// A commit that was said to have failed is there.
    Behind,
    /// Commits that were acknowledged are not there.
    Older,
    /// What it acknowledges is not on its disk.
    Unsafe,
    /// A row that cannot be read or written, or a database that this program does not know.
    Odd(String),
}

impl From<tokio_postgres::Error> for Trouble {
    fn from(e: tokio_postgres::Error) -> Self {
        Self::Server(e)
    }
}

impl Trouble {
    /// True when the line is of no use any more.
    pub(super) fn lost(&self) -> bool {
        match self {
            Self::Late | Self::LeftAlone => true,
            Self::Server(e) => match e.as_db_error() {
                Some(said) => said.parsed_severity().is_none_or(|how| matches!(how, Severity::Fatal | Severity::Panic)),
                // What is neither its word nor a broken line is an answer that was not understood.
                None => e.is_closed() || source(e).is_none_or(|why| why.is::<io::Error>()),
            },
            Self::Fenced | Self::Behind | Self::Older | Self::Unsafe | Self::Odd(_) => false,
        }
    }

    /// What the hub does about it.
    pub(super) fn kind(&self) -> StoreKind {
        match self {
            Self::Server(e) => match e.code() {
                Some(state) => kind(state.code()),
                None if self.lost() => StoreKind::Busy,
                None => StoreKind::Broken,
            },
            Self::Late | Self::LeftAlone => StoreKind::Busy,
            Self::Fenced => StoreKind::Fenced,
            Self::Behind => StoreKind::Behind,
            Self::Older | Self::Unsafe | Self::Odd(_) => StoreKind::Broken,
        }
    }

    /// As it is told of the store at `place`.
    pub(super) fn told(self, place: &str) -> StoreError {
        let kind = self.kind();
        let what = match self {
            Self::Server(e) => {
                let hint = match kind {
                    StoreKind::Full => "; free some space on the server, or let this user write",
                    StoreKind::Busy => "; nothing is taken in until it answers",
                    _ => "",
                };
                format!("{}{hint}", words(&e))
            }
            Self::Late => "does not answer; nothing is taken in until it does".to_owned(),
            Self::LeftAlone => "did not answer a moment ago".to_owned(),
            Self::Fenced => return fenced(place),
            Self::Behind => "a commit whose answer was lost is there after all; all is read anew".to_owned(),
            Self::Older => "lacks commits that it had acknowledged: an older copy has taken its place; the hub goes on from \
                            what is there, but find out why (servers that stand in for each other need synchronous_standby_names)"
                .to_owned(),
            Self::Unsafe => "runs with fsync = off, so that a power cut loses what it acknowledged; set fsync = on".to_owned(),
            Self::Odd(what) => what,
        };
        StoreError { path: place.to_owned(), kind, what }
    }
}

/// What a SQLSTATE means for the hub. Source: PostgreSQL's documentation, appendix A.
fn kind(state: &str) -> StoreKind {
    match state {
        // disk_full, read_only_sql_transaction
        "53100" | "25006" => StoreKind::Full,
        // serialization_failure, deadlock_detected, lock_not_available, too_many_connections, query_canceled (it took
        // too long), idle_in_transaction_session_timeout, and a server that goes down, has crashed or starts
        "40001" | "40P01" | "55P03" | "53300" | "57014" | "25P03" | "57P01" | "57P02" | "57P03" | "57P05" => {
            StoreKind::Busy
        }
        _ if state.starts_with("08") => StoreKind::Busy,
        _ if state.starts_with("23") => StoreKind::Conflict,
        _ => StoreKind::Broken,
    }
}

fn source(e: &tokio_postgres::Error) -> Option<&(dyn std::error::Error + 'static)> {
    std::error::Error::source(e)
}

fn words(e: &tokio_postgres::Error) -> String {
    let said = |said: &DbError| match said.detail() {
        Some(detail) => format!("{} ({detail})", said.message()),
        None => said.message().to_owned(),
    };
    e.as_db_error().map_or_else(|| crate::run::explain(e), said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sqlstate_is_the_kind_of_trouble_that_the_hub_knows() {
        let check = |state: &str, expected: StoreKind| assert_eq!(kind(state), expected, "{state}");
        check("23505", StoreKind::Conflict);
        check("23503", StoreKind::Conflict);
        check("53100", StoreKind::Full);
        check("25006", StoreKind::Full);
        for state in ["40001", "40P01", "55P03", "57P01", "57P02", "57P03", "08006", "08003", "53300"] {
            check(state, StoreKind::Busy);
        }
        for state in ["42P01", "28P01", "3D000", "XX001", "58030", "57P04", "42501"] {
            check(state, StoreKind::Broken);
        }
    }
}
