//! The line to a PostgreSQL: opened, opened again when it was lost, and what is known of a commit whose answer was
//! lost with it.
//!
//! When a line breaks after COMMIT was sent, nobody can say whether it was carried out. So every commit writes its
//! number into the one row of `owner`, and the next line asks for it first, by a change of the same row: that waits
//! until an end of the old line, which may still hold the row, is over, and once it is committed itself, a server
//! that replicates has replicated all before it. What it finds is definite: the number before (nothing was written),
//! the number in doubt (all was written), or an earlier one: then the server is an older copy of itself.
//!
//! Every wait has an end, so that the hub's thread goes on and its watchdog hears of it.

use std::cell::Cell;
use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::runtime::Runtime;
use tokio::time::timeout;
use tokio_postgres::config::TargetSessionAttrs;
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row, Statement};

use super::super::{StoreKind, Write};
use super::form::{look, take_over};
use super::trouble::Trouble;

/// How long a server may take to let the hub in, and to say what became of its last commit.
const CONNECT_WITHIN: Duration = Duration::from_secs(3);

/// How long each of its addresses may take to take the call.
const REACH_WITHIN: Duration = Duration::from_secs(1);

/// How long one commit or question may take. A commit takes milliseconds; with four such waits in a row the
/// hub's thread still gives its sign of life in time.
const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// A server that did not answer is left alone for so long, and what comes meanwhile is refused at once.
const LEFT_ALONE: Duration = Duration::from_millis(500);

/// How each session begins. The server gives up before the hub does, so that it says what is the matter, and a hub
/// that is gone in the middle of a transaction holds up no other for long. COMMIT knows none of these limits.
const SESSION: &str = "
SET synchronous_commit = on;
SET lock_timeout = '2s';
SET statement_timeout = '2500ms';
SET idle_in_transaction_session_timeout = '10s';
SET client_min_messages = warning;
";

/// What a statement is given.
pub(super) type Args<'a> = &'a [&'a (dyn ToSql + Sync)];

/// A session on the server, and the statements that it has prepared.
pub(super) struct Session {
    client: Client,
    statements: HashMap<&'static str, Statement>,
}

impl Session {
    async fn begin(config: &Config, schema: &str) -> Result<Self, Trouble> {
        let (client, connection) = config.connect(NoTls).await?;
        tokio::spawn(async move {
            if let Err(why) = connection.await {
                tracing::debug!(%why, "a line to the database ended");
            }
        });
        let mut session = Self { client, statements: HashMap::new() };
        session.batch(&format!("{SESSION}SET search_path = \"{schema}\";")).await?;
        let fsync = session.rows("SELECT current_setting('fsync')", &[]).await?;
        match fsync.first().map(|row| row.try_get::<_, &str>(0)).transpose()? {
            Some("on") => Ok(session),
            _ => Err(Trouble::Unsafe),
        }
    }

    pub(super) async fn batch(&self, sql: &str) -> Result<(), Trouble> {
        Ok(self.client.batch_execute(sql).await?)
    }

    pub(super) async fn rows(&mut self, sql: &'static str, args: Args<'_>) -> Result<Vec<Row>, Trouble> {
        let statement = self.statement(sql).await?;
        Ok(self.client.query(&statement, args).await?)
    }

    /// Says how many rows it changed.
    pub(super) async fn execute(&mut self, sql: &'static str, args: Args<'_>) -> Result<u64, Trouble> {
        let statement = self.statement(sql).await?;
        Ok(self.client.execute(&statement, args).await?)
    }

    async fn statement(&mut self, sql: &'static str) -> Result<Statement, Trouble> {
        if let Some(statement) = self.statements.get(sql) {
            return Ok(statement.clone());
        }
        let statement = self.client.prepare(sql).await?;
        self.statements.insert(sql, statement.clone());
        Ok(statement)
    }

    /// The number of the last commit that is there, if the store is still this opening's.
    async fn last_commit(&mut self, generation: i64) -> Result<i64, Trouble> {
        let sql = "UPDATE owner SET last = last WHERE generation = $1 RETURNING last";
        let rows = self.rows(sql, &[&generation]).await?;
        Ok(rows.first().ok_or(Trouble::Fenced)?.try_get(0)?)
    }

    /// Writes all of `writes` under `number`, or none. Sets `sent` when it may have written them, whatever it returns.
    async fn commit(
        &mut self,
        generation: i64,
        number: i64,
        writes: &[Write],
        sent: &Cell<bool>,
    ) -> Result<(), Trouble> {
        self.batch("BEGIN").await?;
        let written = self.write(generation, number, writes).await;
        if let Err(trouble) = written {
            if !trouble.lost() {
                self.batch("ROLLBACK").await?;
            }
            return Err(trouble);
        }
        sent.set(true);
        self.batch("COMMIT").await
    }

    async fn write(&mut self, generation: i64, number: i64, writes: &[Write]) -> Result<(), Trouble> {
        let sql = "UPDATE owner SET last = $1 WHERE generation = $2";
        if self.execute(sql, &[&number, &generation]).await? == 0 {
            return Err(Trouble::Fenced);
        }
        for write in writes {
            super::put(self, write).await?;
        }
        Ok(())
    }
}

/// Which opening of the store this is, and what it knows of its commits.
#[derive(Debug, PartialEq, Eq)]
struct Tenure {
    generation: i64,
    /// The last commit that is certainly there.
    last: i64,
    /// The one after it, when its answer was lost.
    doubt: Option<i64>,
}

impl Tenure {
    /// Takes in the last commit that was found; true when it is the one in doubt.
    fn settle(&mut self, found: i64) -> Result<bool, Trouble> {
        if found != self.last && self.doubt != Some(found) {
            return Err(Trouble::Older);
        }
        let landed = found != self.last;
        (self.last, self.doubt) = (found, None);
        Ok(landed)
    }
}

/// A runtime that may be dropped anywhere: one that ends by itself waits for its threads, which it must not do on a
/// thread of another.
struct Waiter(Option<Runtime>);

impl Waiter {
    fn wait<T>(&self, work: impl Future<Output = Result<T, Trouble>>, within: Duration) -> Result<T, Trouble> {
        let Some(runtime) = &self.0 else { return Err(Trouble::Late) };
        runtime.block_on(async { timeout(within, work).await.unwrap_or(Err(Trouble::Late)) })
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// The line of one opening of a store.
pub(super) struct Line {
    config: Config,
    schema: String,
    waiter: Waiter,
    session: Option<Session>,
    /// Until when a server that did not answer is left alone.
    left_alone: Option<Instant>,
    /// `None` until the store is taken over.
    tenure: Option<Tenure>,
    /// True when a commit that was said to have failed is there, until the hub reads everything anew.
    behind: bool,
}

impl Line {
    /// A line to `schema` on the server of `config`, not yet opened.
    pub(super) fn new(mut config: Config, schema: &str) -> std::io::Result<Self> {
        config.connect_timeout(REACH_WITHIN).tcp_user_timeout(ANSWER_WITHIN);
        // Of several servers that stand in for each other, the one that takes commits.
        config.target_session_attrs(TargetSessionAttrs::ReadWrite).application_name("store-hub");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self {
            config,
            schema: schema.to_owned(),
            waiter: Waiter(Some(runtime)),
            session: None,
            left_alone: None,
            tenure: None,
            behind: false,
        })
    }

    /// Makes the store this opening's; those before it can write no more.
    pub(super) fn take_over(&mut self) -> Result<(), Trouble> {
        let schema = self.schema.clone();
        let generation = self.ask(async |session: &mut Session| take_over(session, &schema).await)?;
        self.tenure = Some(Tenure { generation, last: 0, doubt: None });
        Ok(())
    }

    /// Sees that there is a store to read; it stays whose it is.
    pub(super) fn look(&mut self) -> Result<(), Trouble> {
        let schema = self.schema.clone();
        self.ask(async |session: &mut Session| look(session, &schema).await)
    }

    /// Whether the store is still this opening's.
    pub(super) fn owned(&mut self) -> Result<(), Trouble> {
        let rows = self.rows("SELECT generation FROM owner", &[])?;
        let generation: Option<i64> = rows.first().map(|row| row.try_get(0)).transpose()?;
        if generation == self.tenure.as_ref().map(|tenure| tenure.generation) { Ok(()) } else { Err(Trouble::Fenced) }
    }

    /// The hub reads everything anew.
    pub(super) fn caught_up(&mut self) {
        self.behind = false;
    }

    /// What is read; asked a second time when the line turns out to be lost.
    pub(super) fn rows(&mut self, sql: &'static str, args: Args<'_>) -> Result<Vec<Row>, Trouble> {
        match self.ask(async |session: &mut Session| session.rows(sql, args).await) {
            Err(trouble) if trouble.lost() => self.ask(async |session: &mut Session| session.rows(sql, args).await),
            read => read,
        }
    }

    /// Writes all of `writes`, or none; a second time when the line turns out to be lost and nothing was written.
    pub(super) fn commit(&mut self, writes: &[Write]) -> Result<(), Trouble> {
        match self.write(writes) {
            Err(trouble) if trouble.lost() => {
                self.open()?;
                // Found before the hub was told anything: it is not behind, this is its answer.
                if std::mem::take(&mut self.behind) { Ok(()) } else { self.write(writes) }
            }
            written => written,
        }
    }

    fn write(&mut self, writes: &[Write]) -> Result<(), Trouble> {
        // First of all what became of the commit before, which says the number of this one.
        self.open()?;
        let Some(&Tenure { generation, last, .. }) = self.tenure.as_ref() else { return Err(Trouble::Fenced) };
        let (number, sent) = (last + 1, Cell::new(false));
        let written = self.ask(async |session: &mut Session| session.commit(generation, number, writes, &sent).await);
        if let Some(tenure) = &mut self.tenure {
            match &written {
                Ok(()) => tenure.last = number,
                Err(trouble) if sent.get() && trouble.lost() => tenure.doubt = Some(number),
                Err(_) => {}
            }
        }
        written
    }

    /// Does `work` on the session, within its time.
    fn ask<T>(&mut self, work: impl AsyncFnOnce(&mut Session) -> Result<T, Trouble>) -> Result<T, Trouble> {
        self.open()?;
        if self.behind {
            return Err(Trouble::Behind);
        }
        let Some(session) = &mut self.session else { return Err(Trouble::LeftAlone) };
        let done = self.waiter.wait(work(session), ANSWER_WITHIN);
        if let Err(trouble) = &done
            && trouble.lost()
        {
            tracing::debug!(?trouble, "the line to the database is lost");
            self.session = None;
        }
        done
    }

    /// Opens the line where there is none, and learns what became of a commit in doubt.
    fn open(&mut self) -> Result<(), Trouble> {
        if self.session.is_some() {
            return Ok(());
        }
        if self.left_alone.is_some_and(|until| Instant::now() < until) {
            return Err(Trouble::LeftAlone);
        }
        let generation = self.tenure.as_ref().map(|tenure| tenure.generation);
        let begin = async {
            let mut session = Session::begin(&self.config, &self.schema).await?;
            let last = match generation {
                Some(generation) => Some(session.last_commit(generation).await?),
                None => None,
            };
            Ok::<_, Trouble>((session, last))
        };
        let begun = self.waiter.wait(begin, CONNECT_WITHIN);
        let away = begun.as_ref().is_err_and(|trouble| trouble.kind() == StoreKind::Busy);
        self.left_alone = away.then(|| Instant::now() + LEFT_ALONE);
        let (session, last) = begun?;
        if let (Some(tenure), Some(last)) = (&mut self.tenure, last) {
            self.behind |= tenure.settle(last)?;
            tracing::info!("the database is reached again");
        }
        self.session = Some(session);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_says_what_became_of_a_commit_in_doubt() {
        let check = |doubt: Option<i64>, found: i64, expected: Option<bool>| {
            let mut tenure = Tenure { generation: 3, last: 7, doubt };
            let settled = tenure.settle(found).ok();
            assert_eq!(settled, expected, "{doubt:?}, {found}");
            if settled.is_some() {
                assert_eq!(tenure, Tenure { generation: 3, last: found, doubt: None });
            }
        };
        check(None, 7, Some(false));
        check(Some(8), 7, Some(false));
        check(Some(8), 8, Some(true));
        check(None, 8, None);
        check(None, 6, None);
        check(Some(8), 6, None);
        check(Some(8), 9, None);
    }
}
