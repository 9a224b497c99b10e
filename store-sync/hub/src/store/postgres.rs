//! [`Storage`] in a PostgreSQL: one schema a store, so that the stores of a chain can share a server.
//!
//! `synchronous_commit` is on and a server without `fsync` is refused, because a commit that was acked must survive a
//! power cut. A server that is away, goes down or is replaced by another is [`StoreKind::Busy`]: the hub takes
//! nothing in, and goes on once there is one that takes commits. One hub has the store at a time: a second one that
//! opens it fences the first.
//!
//! The client waits on a runtime of its own, so a store is opened and used on threads that may block.

use std::cell::RefCell;
use std::path::Path;

use identity::secret;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use trip::chain::Head;
use trip::{CartId, Hash, IntentId, StoreId, TripId, UnixMillis};

use super::{
    CartRow, CommandRow, FenceRow, GateRow, MOST_QUARANTINED, QuarantineRow, ReceiptRow, Storage, StoreError,
    StoreKind, TransferRow, TripRow, WordRow, Write,
};
use crate::config::DatabaseConfig;
use crate::intent::Intent;

#[cfg(test)]
#[path = "../../tests/cluster/mod.rs"]
mod cluster;
mod form;
mod line;
#[cfg(test)]
mod tests;
mod trouble;

use line::{Args, Line, Session};
use trouble::Trouble;

/// The hub's memory in one schema of a database.
pub struct PostgresStore {
    /// Which store where, for errors; without a password.
    place: String,
    /// A cell, because a line that was lost is opened again also where something is read.
    line: RefCell<Line>,
    /// False since the last commit found the server's disk full.
    room: bool,
}

impl PostgresStore {
    /// Opens the store's schema in the database of `config`, and makes it when it is not there.
    ///
    /// # Errors
    /// [`StoreError`] when the password cannot be read, the server is away, refuses this user or runs without
    /// `fsync`, or the schema was made by a later program.
    pub fn open(config: &DatabaseConfig, store: &StoreId) -> Result<Self, StoreError> {
        Self::begin(config, store, Line::take_over)
    }

    /// Opens the store's schema to read it, beside a hub that has it: that goes on, and nothing is changed.
    ///
    /// # Errors
    /// As [`PostgresStore::open`], and when there is no such schema.
    pub fn read(config: &DatabaseConfig, store: &StoreId) -> Result<Self, StoreError> {
        Self::begin(config, store, Line::look)
    }

    fn begin(
        config: &DatabaseConfig,
        store: &StoreId,
        begin: impl FnOnce(&mut Line) -> Result<(), Trouble>,
    ) -> Result<Self, StoreError> {
        let schema = format!("trundle_{store}");
        let place = format!("{schema} in {}", config.place());
        let broken = |what: String| StoreError { path: place.clone(), kind: StoreKind::Broken, what };
        let mut connection = config.connection.clone();
        if let Some(file) = &config.password_file {
            connection.password(password(file).map_err(broken)?);
        }
        let mut line =
            Line::new(connection, &schema).map_err(|e| broken(format!("cannot be waited for on this machine: {e}")))?;
        begin(&mut line).map_err(|trouble| trouble.told(&place))?;
        Ok(Self { place, line: RefCell::new(line), room: true })
    }

    fn all<T>(
        &self,
        sql: &'static str,
        args: Args<'_>,
        read: impl FnMut(&Row) -> Result<T, Trouble>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.line.borrow_mut().rows(sql, args);
        rows.and_then(|rows| rows.iter().map(read).collect()).map_err(|trouble| trouble.told(&self.place))
    }

    fn one<T>(
        &self,
        sql: &'static str,
        args: Args<'_>,
        read: impl FnMut(&Row) -> Result<T, Trouble>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.all(sql, args, read)?.into_iter().next())
    }
}

/// The password in a private file, without the end of its line.
fn password(file: &Path) -> Result<Vec<u8>, String> {
    let bytes = secret::read(file).map_err(|e| e.to_string())?;
    let bytes = bytes.ok_or_else(|| format!("its password_file {} is not there", file.display()))?;
    Ok(bytes.trim_ascii_end().to_vec())
}

impl Storage for PostgresStore {
    fn commit(&mut self, writes: &[Write]) -> Result<(), StoreError> {
        let done = self.line.get_mut().commit(writes).map_err(|trouble| trouble.told(&self.place));
        self.room = !done.as_ref().is_err_and(|e| e.kind == StoreKind::Full);
        done
    }

    fn owned(&self) -> Result<(), StoreError> {
        self.line.borrow_mut().owned().map_err(|trouble| trouble.told(&self.place))
    }

    fn caught_up(&mut self) {
        self.line.get_mut().caught_up();
    }

    fn has_room(&self) -> bool {
        self.room
    }

    fn carts(&self) -> Result<Vec<CartRow>, StoreError> {
        let sql = "SELECT cart, epoch, seq, hash, state, at FROM head h
                   WHERE epoch = (SELECT max(epoch) FROM head WHERE cart = h.cart) ORDER BY cart COLLATE \"C\"";
        self.all(sql, &[], cart_row)
    }

    fn cart(&self, cart: &CartId, epoch: u64) -> Result<Option<CartRow>, StoreError> {
        let sql = "SELECT cart, epoch, seq, hash, state, at FROM head WHERE cart = $1 AND epoch = $2";
        self.one(sql, &[&cart.as_str(), &(epoch as i64)], cart_row)
    }

    fn record(&self, cart: &CartId, epoch: u64, seq: u64) -> Result<Option<String>, StoreError> {
        let sql = "SELECT text FROM record WHERE cart = $1 AND epoch = $2 AND seq = $3";
        self.one(sql, &[&cart.as_str(), &(epoch as i64), &(seq as i64)], |row| Ok(row.try_get(0)?))
    }

    fn trip(&self, trip: &TripId) -> Result<Option<TripRow>, StoreError> {
        let sql = "SELECT trip, cart, epoch, state, ending, at FROM trip WHERE trip = $1";
        self.one(sql, &[&trip.as_str()], |row| {
            let ending: Option<String> = row.try_get(4)?;
            Ok(TripRow {
                trip: name(row, 0)?,
                cart: name(row, 1)?,
                epoch: row.try_get::<_, i64>(2)? as u64,
                state: json(row, 3)?,
                ending: ending.map(|text| from_json(&text)).transpose()?,
                at: UnixMillis(row.try_get(5)?),
            })
        })
    }

    fn open_intents(&self) -> Result<Vec<Intent>, StoreError> {
        self.all("SELECT body FROM intent WHERE open ORDER BY n", &[], |row| json(row, 0))
    }

    fn intent(&self, id: &IntentId) -> Result<Option<Intent>, StoreError> {
        self.one("SELECT body FROM intent WHERE id = $1", &[&id.as_str()], |row| json(row, 0))
    }

    fn intents(&self, trip: &TripId) -> Result<Vec<Intent>, StoreError> {
        self.all("SELECT body FROM intent WHERE trip = $1 ORDER BY n", &[&trip.as_str()], |row| json(row, 0))
    }

    fn intents_between(&self, from: UnixMillis, until: UnixMillis) -> Result<Vec<Intent>, StoreError> {
        let sql = "SELECT body FROM intent
                   WHERE (body::json ->> 'created_at')::bigint >= $1 AND (body::json ->> 'created_at')::bigint < $2
                   ORDER BY n";
        self.all(sql, &[&from.0, &until.0], |row| json(row, 0))
    }

    fn receipts(&self, limit: u32) -> Result<Vec<ReceiptRow>, StoreError> {
        let sql = "SELECT number, trip, intent, at, cose, digest, qr, void FROM receipt ORDER BY n DESC LIMIT $1";
        self.all(sql, &[&i64::from(limit)], receipt_row)
    }

    fn receipt_of(&self, intent: &IntentId) -> Result<Option<ReceiptRow>, StoreError> {
        let sql = "SELECT number, trip, intent, at, cose, digest, qr, void FROM receipt WHERE intent = $1";
        self.one(sql, &[&intent.as_str()], receipt_row)
    }

    fn open_commands(&self) -> Result<Vec<CommandRow>, StoreError> {
        self.all("SELECT cart, body FROM command WHERE NOT done ORDER BY n", &[], |row| {
            Ok(CommandRow { cart: name(row, 0)?, command: json(row, 1)? })
        })
    }

    fn gates(&self) -> Result<Vec<GateRow>, StoreError> {
        let sql = "SELECT lane, intent, open, at FROM gate
                   WHERE n IN (SELECT max(n) FROM gate GROUP BY lane) ORDER BY lane COLLATE \"C\"";
        self.all(sql, &[], |row| {
            let (lane, intent) = (name(row, 0)?, name(row, 1)?);
            Ok(GateRow { lane, intent, open: row.try_get(2)?, at: UnixMillis(row.try_get(3)?) })
        })
    }

    fn fences(&self) -> Result<Vec<FenceRow>, StoreError> {
        self.all("SELECT cart, reason, at FROM fence ORDER BY cart COLLATE \"C\"", &[], |row| {
            Ok(FenceRow { cart: name(row, 0)?, reason: row.try_get(1)?, at: UnixMillis(row.try_get(2)?) })
        })
    }

    fn words(&self, limit: u32) -> Result<Vec<WordRow>, StoreError> {
        self.all("SELECT seq, at, body FROM word ORDER BY seq LIMIT $1", &[&i64::from(limit)], |row| {
            let seq = row.try_get::<_, i64>(0)? as u64;
            Ok(WordRow { seq, at: UnixMillis(row.try_get(1)?), body: row.try_get(2)? })
        })
    }

    fn transfer(&self, trip: &TripId) -> Result<Option<TransferRow>, StoreError> {
        self.one("SELECT body FROM transfer WHERE trip = $1", &[&trip.as_str()], |row| json(row, 0))
    }

    fn open_transfers(&self) -> Result<Vec<TransferRow>, StoreError> {
        self.all("SELECT body FROM transfer WHERE open ORDER BY trip COLLATE \"C\"", &[], |row| json(row, 0))
    }

    fn counter(&self, name: &str) -> Result<u64, StoreError> {
        let value =
            self.one("SELECT value FROM counter WHERE name = $1", &[&name], |row| Ok(row.try_get::<_, i64>(0)?));
        Ok(value?.unwrap_or(0) as u64)
    }

    fn quarantine(&self, limit: u32) -> Result<Vec<QuarantineRow>, StoreError> {
        let sql = "SELECT cart, digest, reason, payload, at FROM quarantine ORDER BY n DESC LIMIT $1";
        self.all(sql, &[&i64::from(limit)], |row| {
            Ok(QuarantineRow {
                cart: name(row, 0)?,
                digest: name(row, 1)?,
                reason: row.try_get(2)?,
                payload: row.try_get(3)?,
                at: UnixMillis(row.try_get(4)?),
            })
        })
    }
}

/// One write, in the transaction that has begun.
async fn put(session: &mut Session, write: &Write) -> Result<(), Trouble> {
    match write {
        Write::Record { cart, epoch, seq, text } => {
            let sql = "INSERT INTO record VALUES ($1, $2, $3, $4)";
            session.execute(sql, &[&cart.as_str(), &(*epoch as i64), &(*seq as i64), text]).await
        }
        Write::Cart(row) => {
            let sql = "INSERT INTO head VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (cart, epoch)
                       DO UPDATE SET seq = excluded.seq, hash = excluded.hash, state = excluded.state, at = excluded.at";
            let (epoch, seq) = (row.epoch as i64, row.head.seq as i64);
            let (hash, state) = (row.head.hash.to_string(), to_json(&row.state)?);
            session.execute(sql, &[&row.cart.as_str(), &epoch, &seq, &hash, &state, &row.at.0]).await
        }
        Write::Trip(row) => {
            let sql = "INSERT INTO trip VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (trip)
                       DO UPDATE SET state = excluded.state, ending = excluded.ending, at = excluded.at";
            let (epoch, state) = (row.epoch as i64, to_json(&row.state)?);
            let ending = row.ending.map(|ending| to_json(&ending)).transpose()?;
            session.execute(sql, &[&row.trip.as_str(), &row.cart.as_str(), &epoch, &state, &ending, &row.at.0]).await
        }
        Write::Intent(intent) => {
            let sql = "INSERT INTO intent (id, trip, state, open, body) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id)
                       DO UPDATE SET state = excluded.state, open = excluded.open, body = excluded.body";
            let (id, trip, body) = (intent.id.as_str(), intent.trip.as_str(), to_json(intent)?);
            session.execute(sql, &[&id, &trip, &intent.state.word(), &intent.open(), &body]).await
        }
        Write::Receipt(row) => {
            let sql = "INSERT INTO receipt (number, trip, intent, at, cose, digest, qr, void)
                       VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (number) DO UPDATE SET void = excluded.void";
            let (trip, intent, digest) = (row.trip.as_str(), row.intent.as_str(), row.digest.to_string());
            let args: Args<'_> = &[&row.number, &trip, &intent, &row.at.0, &row.cose, &digest, &row.qr, &row.void];
            session.execute(sql, args).await
        }
        Write::Command(row) => {
            let sql =
                "INSERT INTO command (id, cart, body, done) VALUES ($1, $2, $3, FALSE) ON CONFLICT (id) DO NOTHING";
            session.execute(sql, &[&row.command.id, &row.cart.as_str(), &to_json(&row.command)?]).await
        }
        Write::CommandDone(id) => session.execute("UPDATE command SET done = TRUE WHERE id = $1", &[id]).await,
        Write::Gate(row) => {
            let sql = "INSERT INTO gate (lane, intent, open, at) VALUES ($1, $2, $3, $4)";
            session.execute(sql, &[&row.lane.as_str(), &row.intent.as_str(), &row.open, &row.at.0]).await
        }
        Write::Quarantine(row) => {
            let sql = "INSERT INTO quarantine (cart, digest, reason, payload, at, times) VALUES ($1, $2, $3, $4, $5, 1)
                       ON CONFLICT (digest) DO UPDATE SET times = quarantine.times + 1";
            let (digest, reason) = (row.digest.to_string(), plain(&row.reason));
            session.execute(sql, &[&row.cart.as_str(), &digest, &reason, &row.payload, &row.at.0]).await?;
            // Numbers have gaps here: also a payload that is there already takes one.
            let sql = "DELETE FROM quarantine WHERE n <= (SELECT n FROM quarantine ORDER BY n DESC OFFSET $1 LIMIT 1)";
            session.execute(sql, &[&(MOST_QUARANTINED as i64)]).await
        }
        Write::Fence(row) => {
            let sql = "INSERT INTO fence VALUES ($1, $2, $3) ON CONFLICT (cart) DO NOTHING";
            session.execute(sql, &[&row.cart.as_str(), &plain(&row.reason), &row.at.0]).await
        }
        Write::FenceLifted(cart) => session.execute("DELETE FROM fence WHERE cart = $1", &[&cart.as_str()]).await,
        Write::Word(row) => {
            let sql = "INSERT INTO word VALUES ($1, $2, $3)";
            session.execute(sql, &[&(row.seq as i64), &row.at.0, &row.body]).await
        }
        Write::WordsTaken { up_to } => session.execute("DELETE FROM word WHERE seq <= $1", &[&(*up_to as i64)]).await,
        Write::Transfer(row) => {
            let sql = "INSERT INTO transfer VALUES ($1, $2, $3) ON CONFLICT (trip)
                       DO UPDATE SET open = excluded.open, body = excluded.body";
            session.execute(sql, &[&row.trip.as_str(), &row.open(), &to_json(row)?]).await
        }
        Write::Count(name) => {
            let sql = "INSERT INTO counter VALUES ($1, 1) ON CONFLICT (name) DO UPDATE SET value = counter.value + 1";
            session.execute(sql, &[name]).await
        }
    }?;
    Ok(())
}

/// Text that repeats what a cart sent may hold a NUL, which PostgreSQL keeps in no text; JSON never does.
fn plain(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

fn cart_row(row: &Row) -> Result<CartRow, Trouble> {
    Ok(CartRow {
        cart: name(row, 0)?,
        epoch: row.try_get::<_, i64>(1)? as u64,
        head: Head { seq: row.try_get::<_, i64>(2)? as u64, hash: name::<Hash>(row, 3)? },
        state: json(row, 4)?,
        at: UnixMillis(row.try_get(5)?),
    })
}

fn receipt_row(row: &Row) -> Result<ReceiptRow, Trouble> {
    Ok(ReceiptRow {
        number: row.try_get(0)?,
        trip: name(row, 1)?,
        intent: name(row, 2)?,
        at: UnixMillis(row.try_get(3)?),
        cose: row.try_get(4)?,
        digest: name(row, 5)?,
        qr: row.try_get(6)?,
        void: row.try_get(7)?,
    })
}

fn to_json(value: &impl Serialize) -> Result<String, Trouble> {
    serde_json::to_string(value).map_err(|e| Trouble::Odd(format!("a row cannot be written: {e}")))
}

fn from_json<T: DeserializeOwned>(text: &str) -> Result<T, Trouble> {
    serde_json::from_str(text).map_err(unreadable)
}

fn json<T: DeserializeOwned>(row: &Row, column: usize) -> Result<T, Trouble> {
    from_json(row.try_get(column)?)
}

/// A name or digest: checked again, because the row may have been changed by hand.
fn name<T: TryFrom<String, Error: std::error::Error>>(row: &Row, column: usize) -> Result<T, Trouble> {
    T::try_from(row.try_get::<_, String>(column)?).map_err(unreadable)
}

fn unreadable(e: impl std::error::Error) -> Trouble {
    Trouble::Odd(format!("a row cannot be read: {e}"))
}
