//! The tables of a store in PostgreSQL, and how a hub takes them over.

use super::line::Session;
use super::trouble::Trouble;

/// What each form of the schema adds to the one before; the table `form` says how many of them it has. A step that
/// has been in a release is not changed: the next is put behind it.
pub(super) const FORMS: [&str; 1] = [TABLES];

/// As in SQLite, the unique index on live intents is the last guard of "one charge at most". The one row of `owner`
/// says whose the store is and what its last commit was; every commit changes it, and so they are one after another.
/// The space left in its page is for the row's next versions.
const TABLES: &str = "
CREATE TABLE owner (
    one BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (one), generation BIGINT NOT NULL, last BIGINT NOT NULL
) WITH (fillfactor = 10);
CREATE TABLE record (
    cart TEXT NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL, text TEXT NOT NULL,
    UNIQUE (cart, epoch, seq)
);
CREATE TABLE head (
    cart TEXT NOT NULL, epoch BIGINT NOT NULL, seq BIGINT NOT NULL, hash TEXT NOT NULL,
    state TEXT NOT NULL, at BIGINT NOT NULL,
    PRIMARY KEY (cart, epoch)
);
CREATE TABLE trip (
    trip TEXT PRIMARY KEY, cart TEXT NOT NULL, epoch BIGINT NOT NULL, state TEXT NOT NULL,
    ending TEXT, at BIGINT NOT NULL,
    FOREIGN KEY (cart, epoch) REFERENCES head (cart, epoch) DEFERRABLE INITIALLY DEFERRED
);
CREATE TABLE intent (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id TEXT NOT NULL UNIQUE,
    trip TEXT NOT NULL REFERENCES trip (trip) DEFERRABLE INITIALLY DEFERRED,
    state TEXT NOT NULL, open BOOLEAN NOT NULL, body TEXT NOT NULL
);
CREATE UNIQUE INDEX one_live_intent_a_trip ON intent (trip)
    WHERE state IN ('created', 'sent', 'unknown', 'approved');
CREATE INDEX open_intent ON intent (n) WHERE open;
CREATE INDEX intent_by_trip ON intent (trip, n);
CREATE TABLE receipt (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, number TEXT NOT NULL UNIQUE, trip TEXT NOT NULL,
    intent TEXT NOT NULL UNIQUE REFERENCES intent (id) DEFERRABLE INITIALLY DEFERRED,
    at BIGINT NOT NULL, cose BYTEA NOT NULL, digest TEXT NOT NULL, qr TEXT NOT NULL, void BOOLEAN NOT NULL
);
CREATE TABLE command (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, id TEXT NOT NULL UNIQUE, cart TEXT NOT NULL,
    body TEXT NOT NULL, done BOOLEAN NOT NULL
);
CREATE INDEX open_command ON command (n) WHERE NOT done;
CREATE TABLE gate (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, lane TEXT NOT NULL, intent TEXT NOT NULL,
    open BOOLEAN NOT NULL, at BIGINT NOT NULL
);
CREATE INDEX gate_by_lane ON gate (lane, n);
CREATE TABLE quarantine (
    n BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, cart TEXT NOT NULL, digest TEXT NOT NULL UNIQUE,
    reason TEXT NOT NULL, payload BYTEA NOT NULL, at BIGINT NOT NULL, times BIGINT NOT NULL
);
CREATE TABLE counter (name TEXT PRIMARY KEY, value BIGINT NOT NULL);
CREATE TABLE fence (cart TEXT PRIMARY KEY, reason TEXT NOT NULL, at BIGINT NOT NULL);
CREATE TABLE word (seq BIGINT PRIMARY KEY, at BIGINT NOT NULL, body TEXT NOT NULL);
CREATE TABLE transfer (
    trip TEXT PRIMARY KEY REFERENCES trip (trip) DEFERRABLE INITIALLY DEFERRED, open BOOLEAN NOT NULL, body TEXT NOT NULL
);
CREATE INDEX open_transfer ON transfer (trip) WHERE open;
";

/// Sees that `schema` is there in a form that this program knows, and changes nothing.
pub(super) async fn look(session: &mut Session, schema: &str) -> Result<(), Trouble> {
    let nothing = || Trouble::Odd("is no hub's; name the store of a hub that has run".into());
    let sql = "SELECT 1 FROM pg_tables WHERE schemaname = $1 AND tablename = 'form'";
    if session.rows(sql, &[&schema]).await?.is_empty() {
        return Err(nothing());
    }
    let rows = session.rows("SELECT version FROM form", &[]).await?;
    let version: i64 = rows.first().ok_or_else(nothing)?.try_get(0)?;
    if version == FORMS.len() as i64 {
        return Ok(());
    }
    let known = FORMS.len();
    Err(Trouble::Odd(format!(
        "has form {version}, and this program reads form {known}; use the store-hub that runs on it"
    )))
}

/// Under which hubs that open a database at the same time take turns.
const TURN: i64 = 0x74_7275_6e64_6c65;

/// Makes what is missing of `schema`, and makes the store this hub's: returns its generation.
pub(super) async fn take_over(session: &mut Session, schema: &str) -> Result<i64, Trouble> {
    session.batch("BEGIN").await?;
    session.rows("SELECT pg_advisory_xact_lock($1)", &[&TURN]).await?;
    if session.rows("SELECT 1 FROM pg_namespace WHERE nspname = $1", &[&schema]).await?.is_empty() {
        session.batch(&format!("CREATE SCHEMA \"{schema}\"")).await?;
    }
    session.batch("CREATE TABLE IF NOT EXISTS form (version BIGINT NOT NULL)").await?;
    let version: i64 = match session.rows("SELECT version FROM form", &[]).await?.first() {
        Some(row) => row.try_get(0)?,
        None => 0,
    };
    let missing = usize::try_from(version).ok().and_then(|version| FORMS.get(version..)).ok_or_else(|| {
        let known = FORMS.len();
        Trouble::Odd(format!("has form {version}, this program knows up to {known}; use a newer store-hub"))
    })?;
    for form in missing {
        session.batch(form).await?;
    }
    if !missing.is_empty() {
        session.batch("DELETE FROM form").await?;
        session.execute("INSERT INTO form VALUES ($1)", &[&(FORMS.len() as i64)]).await?;
    }
    let sql = "INSERT INTO owner (generation, last) VALUES (1, 0)
               ON CONFLICT (one) DO UPDATE SET generation = owner.generation + 1, last = 0 RETURNING generation";
    let rows = session.rows(sql, &[]).await?;
    let generation = rows.first().ok_or_else(|| Trouble::Odd("has no owner".into()))?.try_get(0)?;
    session.batch("COMMIT").await?;
    Ok(generation)
}
