//! Who has joined this store: one SQLite file, so that `store-hub provision` and `store-hub revoke` may
//! write it while the hub runs, and so that a code is used once however many ask at the same time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use ed25519_dalek::VerifyingKey;
use identity::{SecretError, secret};
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use trip::provisioning::Secret;
use trip::release::{Floor, Kind};
use trip::{CartId, Hash};

use super::authority::Issued;
use super::roster::{Member, Roster};
use crate::config::{key_text, public_key};

/// A wrong secret may be sent so often; then the code is void.
pub const TRIES: u32 = 5;

const SCHEMA: &str = "
CREATE TABLE IF NOT EXISTS code (
    name TEXT PRIMARY KEY, digest TEXT NOT NULL, cart TEXT NOT NULL, expires_s INTEGER NOT NULL,
    tries_left INTEGER NOT NULL, used_s INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS cart (cart TEXT PRIMARY KEY, signing_key TEXT NOT NULL, joined_s INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS revoked (cart TEXT PRIMARY KEY, at_s INTEGER NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS certificate (
    digest TEXT PRIMARY KEY, serial BLOB NOT NULL, cart TEXT NOT NULL, not_after_s INTEGER NOT NULL, revoked_s INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS release (kind TEXT PRIMARY KEY, version INTEGER NOT NULL, digest TEXT NOT NULL) STRICT;
";

/// Why a code is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodeRefusal {
    /// None that is open has this name.
    #[error("the code is not known here, or has been used already; ask for a new one")]
    Unknown,
    /// It was right once.
    #[error("the code has expired; ask for a new one")]
    Expired,
    /// Wrong secret.
    #[error("the code is wrong")]
    Wrong,
    /// Too many wrong ones.
    #[error("the code was tried too often and is void; ask for a new one")]
    UsedUp,
}

/// The registry cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    /// Its file.
    #[error(transparent)]
    File(#[from] SecretError),
    /// The database.
    #[error("registry {}: {source}", path.display())]
    Database {
        /// The file.
        path: PathBuf,
        /// Why.
        source: rusqlite::Error,
    },
}

/// What came of a code.
#[derive(Debug)]
pub enum Redeemed<T> {
    /// It was good, and is used now.
    Granted(T),
    /// It was not.
    Refused(CodeRefusal),
}

/// The registry.
#[derive(Debug)]
pub struct Registry {
    path: PathBuf,
    db: Connection,
}

impl Registry {
    /// Opens `registry.db` in the private `folder`; makes it at the first start.
    ///
    /// # Errors
    /// [`RegistryError`] when it is open to others, or no database.
    pub fn open(folder: &Path) -> Result<Self, RegistryError> {
        secret::folder(folder)?;
        let path = folder.join("registry.db");
        if !path.exists() {
            // Made here with its mode; the database makes its other files with the same.
            secret::write(&path, b"")?;
        }
        private(&path)?;
        let fail = |source| RegistryError::Database { path: path.clone(), source };
        let db = Connection::open(&path).map_err(fail)?;
        db.busy_timeout(Duration::from_secs(5)).map_err(fail)?;
        db.pragma_update(None, "journal_mode", "WAL").map_err(fail)?;
        db.pragma_update(None, "synchronous", "FULL").map_err(fail)?;
        db.execute_batch(SCHEMA).map_err(fail)?;
        Ok(Self { path, db })
    }

    fn fail(&self) -> impl Fn(rusqlite::Error) -> RegistryError + use<> {
        let path = self.path.clone();
        move |source| RegistryError::Database { path: path.clone(), source }
    }

    /// Keeps a new code for `cart`; one that is open for it is void from now on.
    ///
    /// # Errors
    /// [`RegistryError`] when it cannot be written.
    pub fn keep_code(&mut self, cart: &CartId, secret: &Secret, expires_s: u64) -> Result<(), RegistryError> {
        let fail = self.fail();
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&fail)?;
        let all = || {
            tx.execute("DELETE FROM code WHERE cart = ?1 OR name = ?2", params![cart.as_str(), secret.name()])?;
            tx.execute(
                "INSERT INTO code (name, digest, cart, expires_s, tries_left) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![secret.name(), secret.digest().to_string(), cart.as_str(), expires_s as i64, TRIES],
            )
        };
        all().map_err(&fail)?;
        tx.commit().map_err(fail)
    }

    /// Takes a code once: in one transaction it is marked as used, the cart's earlier certificates are
    /// revoked, and its key and the certificate that `issue` signs are registered. When `issue` fails the
    /// code is as before.
    ///
    /// # Errors
    /// [`RegistryError`] when it cannot be written; else whatever `issue` fails with.
    pub fn redeem<E: From<RegistryError>>(
        &mut self,
        secret: &Secret,
        key: &VerifyingKey,
        now_s: u64,
        issue: impl FnOnce(&CartId) -> Result<Issued, E>,
    ) -> Result<Redeemed<(CartId, Issued)>, E> {
        let fail = self.fail();
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&fail)?;
        let sql = "SELECT digest, cart, expires_s, tries_left FROM code WHERE name = ?1 AND used_s IS NULL";
        let found = tx
            .query_row(sql, [secret.name()], |row| {
                Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, i64>(2)?, row.get::<_, u32>(3)?))
            })
            .optional()
            .map_err(&fail)?;
        let refused = |why| Ok(Redeemed::Refused(why));
        let Some((digest, cart, expires_s, tries_left)) = found else { return refused(CodeRefusal::Unknown) };
        let (Ok(digest), Ok(cart)) = (Hash::try_from(digest), CartId::new(cart)) else {
            return refused(CodeRefusal::Unknown);
        };
        if tries_left == 0 {
            return refused(CodeRefusal::UsedUp);
        }
        if now_s as i64 >= expires_s {
            return refused(CodeRefusal::Expired);
        }
        if !secret.fits(&digest) {
            tx.execute("UPDATE code SET tries_left = tries_left - 1 WHERE name = ?1", [secret.name()])
                .map_err(&fail)?;
            tx.commit().map_err(&fail)?;
            return refused(CodeRefusal::Wrong);
        }
        let issued = issue(&cart)?;
        let all = || {
            tx.execute("UPDATE code SET used_s = ?2 WHERE name = ?1", params![secret.name(), now_s as i64])?;
            revoke_certificates(&tx, &cart, now_s)?;
            tx.execute("DELETE FROM revoked WHERE cart = ?1", [cart.as_str()])?;
            tx.execute(
                "INSERT INTO cart (cart, signing_key, joined_s) VALUES (?1, ?2, ?3)
                 ON CONFLICT (cart) DO UPDATE SET signing_key = ?2, joined_s = ?3",
                params![cart.as_str(), key_text(key), now_s as i64],
            )?;
            keep_certificate(&tx, &cart, &issued)
        };
        all().map_err(&fail)?;
        tx.commit().map_err(&fail)?;
        Ok(Redeemed::Granted((cart, issued)))
    }

    /// Registers a renewed certificate. The one before it counts until it expires, for the cart may lose
    /// the answer.
    ///
    /// # Errors
    /// [`RegistryError`] when it cannot be written.
    pub fn renewed(&mut self, cart: &CartId, issued: &Issued, now_s: u64) -> Result<(), RegistryError> {
        let fail = self.fail();
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&fail)?;
        keep_certificate(&tx, cart, issued).map_err(&fail)?;
        // What has expired lets nobody in, and need not be on a list either.
        tx.execute("DELETE FROM certificate WHERE not_after_s < ?1", [now_s as i64]).map_err(&fail)?;
        tx.commit().map_err(fail)
    }

    /// Revokes a cart: its certificates and its key count no more, and a code that is open for it is
    /// void. Also a cart that stands in the configuration file alone.
    ///
    /// # Errors
    /// [`RegistryError`] when it cannot be written.
    pub fn revoke(&mut self, cart: &CartId, now_s: u64) -> Result<(), RegistryError> {
        let fail = self.fail();
        let tx = self.db.transaction_with_behavior(TransactionBehavior::Immediate).map_err(&fail)?;
        let all = || {
            revoke_certificates(&tx, cart, now_s)?;
            tx.execute("DELETE FROM code WHERE cart = ?1", [cart.as_str()])?;
            tx.execute(
                "INSERT OR IGNORE INTO revoked (cart, at_s) VALUES (?1, ?2)",
                params![cart.as_str(), now_s as i64],
            )
        };
        all().map_err(&fail)?;
        tx.commit().map_err(fail)
    }

    /// All that the hub must know to let carts in, as it stands.
    ///
    /// # Errors
    /// [`RegistryError`] when it cannot be read.
    pub fn roster(&self) -> Result<Roster, RegistryError> {
        let fail = self.fail();
        let read = || {
            let mut roster = Roster::default();
            let mut carts = self.db.prepare("SELECT cart, signing_key FROM cart")?;
            let mut rows = carts.query([])?;
            while let Some(row) = rows.next()? {
                let (name, key): (String, String) = (row.get(0)?, row.get(1)?);
                if let (Ok(cart), Some(key)) = (CartId::new(name), public_key(&key)) {
                    roster.members.insert(cart, Member { key });
                }
            }
            let mut revoked = self.db.prepare("SELECT cart FROM revoked")?;
            let names = revoked.query_map([], |row| row.get::<_, String>(0))?;
            roster.revoked = names.filter_map(|name| CartId::new(name.ok()?).ok()).collect();
            let mut certificates =
                self.db.prepare("SELECT digest, cart, not_after_s FROM certificate WHERE revoked_s IS NULL")?;
            let mut rows = certificates.query([])?;
            while let Some(row) = rows.next()? {
                let (digest, name): (String, String) = (row.get(0)?, row.get(1)?);
                if let (Ok(digest), Ok(cart)) = (Hash::try_from(digest), CartId::new(name)) {
                    roster.certificates.insert(digest, (cart, row.get::<_, i64>(2)?.max(0) as u64));
                }
            }
            Ok::<_, rusqlite::Error>(roster)
        };
        read().map_err(fail)
    }

    /// Serial numbers of revoked certificates and when they were, in seconds since 1970, for a broker's
    /// list.
    ///
    /// # Errors
    /// [`RegistryError`] when it cannot be read.
    pub fn revoked_serials(&self) -> Result<Vec<([u8; 16], u64)>, RegistryError> {
        let fail = self.fail();
        let read = || {
            let sql = "SELECT serial, revoked_s FROM certificate WHERE revoked_s IS NOT NULL ORDER BY revoked_s";
            let mut rows = self.db.prepare(sql)?;
            let rows = rows.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.max(0) as u64)))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        read().map_err(fail)
    }

    /// A number that changes when another program has written the registry.
    ///
    /// # Errors
    /// [`RegistryError`] when it cannot be read.
    pub fn revision(&self) -> Result<i64, RegistryError> {
        self.db.pragma_query_value(None, "data_version", |row| row.get(0)).map_err(self.fail())
    }

    /// The last release of a kind that this hub has signed or taken.
    ///
    /// # Errors
    /// [`RegistryError`] when it cannot be read.
    pub fn release(&self, kind: Kind) -> Result<Floor, RegistryError> {
        let sql = "SELECT version, digest FROM release WHERE kind = ?1";
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
        let found = self.db.query_row(sql, [kind.as_str()], read).optional().map_err(self.fail())?;
        Ok(found.map_or_else(Floor::default, |(version, digest)| Floor {
            version: version.max(0) as u64,
            digest: Hash::try_from(digest).ok(),
        }))
    }

    /// Notes a release; a lower version than the noted one changes nothing.
    ///
    /// # Errors
    /// [`RegistryError`] when it cannot be written.
    pub fn note_release(&mut self, kind: Kind, version: u64, digest: Hash) -> Result<(), RegistryError> {
        let sql = "INSERT INTO release (kind, version, digest) VALUES (?1, ?2, ?3)
                   ON CONFLICT (kind) DO UPDATE SET version = ?2, digest = ?3 WHERE version < ?2";
        let args = params![kind.as_str(), version as i64, digest.to_string()];
        self.db.execute(sql, args).map(drop).map_err(self.fail())
    }
}

/// Others may not read it. (Read as a database, it may be longer than a key.)
fn private(path: &Path) -> Result<(), SecretError> {
    use std::os::unix::fs::MetadataExt;
    let meta = std::fs::metadata(path).map_err(|source| SecretError::File {
        what: "cannot look at",
        path: path.to_owned(),
        source,
    })?;
    match meta.mode() & 0o7777 {
        found if found & 0o077 != 0 => Err(SecretError::Mode { path: path.to_owned(), found, wanted: 0o600 }),
        _ => Ok(()),
    }
}

fn revoke_certificates(db: &Connection, cart: &CartId, now_s: u64) -> rusqlite::Result<usize> {
    let sql = "UPDATE certificate SET revoked_s = ?2 WHERE cart = ?1 AND revoked_s IS NULL";
    db.execute(sql, params![cart.as_str(), now_s as i64])
}

fn keep_certificate(db: &Connection, cart: &CartId, issued: &Issued) -> rusqlite::Result<usize> {
    let sql = "INSERT INTO certificate (digest, serial, cart, not_after_s) VALUES (?1, ?2, ?3, ?4)";
    let Issued { digest, serial, not_after_s, .. } = issued;
    db.execute(sql, params![digest.to_string(), serial, cart.as_str(), *not_after_s as i64])
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use ed25519_dalek::SigningKey;

    use super::*;

    const NOW_S: u64 = 1_795_305_600;

    fn cart() -> CartId {
        CartId::new("cart-01").expect("valid")
    }

    fn key(n: u8) -> VerifyingKey {
        SigningKey::from_bytes(&[n; 32]).verifying_key()
    }

    fn issued(n: u8) -> Issued {
        Issued {
            pem: String::new(),
            digest: Hash::of(&[n]),
            serial: [n; 16],
            not_before_s: NOW_S,
            not_after_s: NOW_S + 90,
        }
    }

    fn place() -> (tempfile::TempDir, Registry) {
        let place = tempfile::tempdir().expect("a folder");
        let registry = Registry::open(&place.path().join("identity")).expect("made");
        (place, registry)
    }

    fn redeem(registry: &mut Registry, secret: &Secret, now_s: u64, n: u8) -> Result<CartId, CodeRefusal> {
        let done = registry.redeem::<RegistryError>(secret, &key(n), now_s, |_| Ok(issued(n))).expect("the registry");
        match done {
            Redeemed::Granted((cart, _)) => Ok(cart),
            Redeemed::Refused(why) => Err(why),
        }
    }

    /// Of the same code, with another secret.
    fn wrong(n: u8) -> Secret {
        Secret::from_random([0, 1, n, 9, 9, 9, 9, 9])
    }

    fn right() -> Secret {
        Secret::from_random([0, 1, 0, 1, 2, 3, 4, 5])
    }

    #[test]
    fn a_code_is_good_once() {
        let (_place, mut registry) = place();
        registry.keep_code(&cart(), &right(), NOW_S + 900).expect("kept");
        assert_eq!(redeem(&mut registry, &right(), NOW_S, 1), Ok(cart()));
        assert_eq!(redeem(&mut registry, &right(), NOW_S, 2), Err(CodeRefusal::Unknown));
        let roster = registry.roster().expect("read");
        assert_eq!(roster.members[&cart()].key, key(1));
        assert_eq!(roster.certificates.len(), 1);
    }

    #[test]
    fn a_code_expires() {
        let (_place, mut registry) = place();
        registry.keep_code(&cart(), &right(), NOW_S + 900).expect("kept");
        assert_eq!(redeem(&mut registry, &right(), NOW_S + 900, 1), Err(CodeRefusal::Expired));
        assert!(registry.roster().expect("read").members.is_empty());
    }

    #[test]
    fn a_code_that_is_guessed_at_is_void_after_a_few_tries() {
        let (_place, mut registry) = place();
        registry.keep_code(&cart(), &right(), NOW_S + 900).expect("kept");
        for n in 0..TRIES {
            assert_eq!(wrong(n as u8).name(), right().name(), "the guess is at another code");
            assert_eq!(redeem(&mut registry, &wrong(n as u8), NOW_S, 1), Err(CodeRefusal::Wrong));
        }
        assert_eq!(redeem(&mut registry, &right(), NOW_S, 1), Err(CodeRefusal::UsedUp));
    }

    #[test]
    fn a_new_code_voids_the_one_before_and_a_failed_grant_leaves_the_code() {
        let (_place, mut registry) = place();
        let other = Secret::from_random([200; 8]);
        registry.keep_code(&cart(), &other, NOW_S + 900).expect("kept");
        registry.keep_code(&cart(), &right(), NOW_S + 900).expect("kept");
        assert_eq!(redeem(&mut registry, &other, NOW_S, 1), Err(CodeRefusal::Unknown));
        let broken = || RegistryError::Database { path: "x".into(), source: rusqlite::Error::InvalidQuery };
        assert!(registry.redeem(&right(), &key(1), NOW_S, |_| Err(broken())).is_err());
        assert_eq!(redeem(&mut registry, &right(), NOW_S, 1), Ok(cart()));
    }

    #[test]
    fn the_secret_itself_is_nowhere_in_the_file() {
        let (place, mut registry) = place();
        registry.keep_code(&cart(), &right(), NOW_S + 900).expect("kept");
        let text = serde_json::to_string(&right()).expect("text");
        let secret = text.trim_matches('"').as_bytes();
        for entry in std::fs::read_dir(place.path().join("identity")).expect("read").flatten() {
            let bytes = std::fs::read(entry.path()).expect("read");
            assert!(!bytes.windows(secret.len()).any(|w| w == secret), "{}", entry.path().display());
            let mode = entry.metadata().expect("there").permissions().mode() & 0o777;
            assert_eq!(mode & 0o077, 0, "{} has mode {mode:o}", entry.path().display());
        }
    }

    #[test]
    fn a_revoked_cart_has_no_certificate_and_a_new_code_brings_it_back() {
        let (_place, mut registry) = place();
        registry.keep_code(&cart(), &right(), NOW_S + 900).expect("kept");
        redeem(&mut registry, &right(), NOW_S, 1).expect("joined");
        registry.renewed(&cart(), &issued(2), NOW_S).expect("renewed");
        assert_eq!(registry.roster().expect("read").certificates.len(), 2);
        registry.revoke(&cart(), NOW_S + 1).expect("revoked");
        let roster = registry.roster().expect("read");
        assert!(roster.certificates.is_empty() && roster.revoked.contains(&cart()));
        assert_eq!(registry.revoked_serials().expect("read"), [([1; 16], NOW_S + 1), ([2; 16], NOW_S + 1)]);
        registry.keep_code(&cart(), &wrong(7), NOW_S + 900).expect("kept");
        assert_eq!(redeem(&mut registry, &wrong(7), NOW_S, 3), Ok(cart()));
        let roster = registry.roster().expect("read");
        assert!(!roster.revoked.contains(&cart()) && roster.members[&cart()].key == key(3));
    }

    #[test]
    fn a_second_program_is_noticed() {
        let (place, registry) = place();
        let before = registry.revision().expect("read");
        let mut other = Registry::open(&place.path().join("identity")).expect("opened");
        other.revoke(&cart(), NOW_S).expect("revoked");
        assert_ne!(registry.revision().expect("read"), before);
        assert!(registry.roster().expect("read").revoked.contains(&cart()));
    }

    #[test]
    fn a_release_never_goes_back() {
        let (_place, mut registry) = place();
        registry.note_release(Kind::Catalogue, 3, Hash::of(b"3")).expect("noted");
        registry.note_release(Kind::Catalogue, 2, Hash::of(b"2")).expect("noted");
        let floor = registry.release(Kind::Catalogue).expect("read");
        assert_eq!(floor, Floor { version: 3, digest: Some(Hash::of(b"3")) });
        assert_eq!(registry.release(Kind::Model).expect("read"), Floor::default());
    }

    #[test]
    fn a_registry_that_others_may_read_is_refused() {
        let (place, registry) = place();
        drop(registry);
        let path = place.path().join("identity/registry.db");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
        let error = Registry::open(&place.path().join("identity")).expect_err("refused").to_string();
        assert!(error.contains("registry.db") && error.contains("chmod 600"), "{error}");
    }
}
