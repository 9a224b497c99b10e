//! The hash chain: every record names the one before it, so that a gap, a change or a fork shows.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{CartId, StoreId, TripEvent, UnixMillis};

/// A SHA-256 digest, written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Hash(pub [u8; 32]);

/// Not a digest.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is no SHA-256 digest (64 hexadecimal digits)")]
pub struct HashError(String);

impl Hash {
    /// What the first record of an epoch names as the one before it.
    pub const GENESIS: Self = Self([0; 32]);

    /// The digest of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The first eight digits, for people.
    pub fn short(&self) -> String {
        self.to_string()[..8].to_owned()
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl std::fmt::Debug for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.short())
    }
}

impl TryFrom<String> for Hash {
    type Error = HashError;

    fn try_from(text: String) -> Result<Self, HashError> {
        let digits = text.as_bytes();
        if digits.len() != 64 {
            return Err(HashError(text));
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let digit = |d: u8| (d as char).to_digit(16).filter(|_| !d.is_ascii_uppercase());
            match (digit(pair[0]), digit(pair[1])) {
                (Some(high), Some(low)) => *byte = (high * 16 + low) as u8,
                _ => return Err(HashError(text)),
            }
        }
        Ok(Self(bytes))
    }
}

impl From<Hash> for String {
    fn from(hash: Hash) -> String {
        hash.to_string()
    }
}

/// One link: an event, who says so, and the digest of the link before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// Version of this form; 1.
    pub v: u8,
    /// The store.
    pub store: StoreId,
    /// The cart.
    pub cart: CartId,
    /// Counts the cart's journals: a new journal file is a new epoch. Milliseconds since 1970 at
    /// its creation, so that a lost journal can never reuse one.
    pub epoch: u64,
    /// Counts records of this epoch, from 1, without gaps.
    pub seq: u64,
    /// The cart's wall clock, for people only.
    pub at: UnixMillis,
    /// Digest of the encoded record before; [`Hash::GENESIS`] for the first.
    pub prev: Hash,
    /// What happened.
    pub event: TripEvent,
}

impl Record {
    /// The record's one encoding: these very bytes are stored, sent and hashed.
    pub fn encode(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|e| unreachable!("a record has only plain fields: {e}"))
    }
}

/// What is wrong with a record that should follow another.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// It is no record at all.
    #[error("record is not readable: {0}")]
    Unreadable(#[from] serde_json::Error),
    /// A later version of the form.
    #[error("record has version {0}; this program knows version 1")]
    Version(u8),
    /// Not the next number.
    #[error("record {found} came where {expected} was due")]
    Gap {
        /// The sequence number that was due.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// It does not name the record before it.
    #[error("record {seq} does not continue the chain: it names {named}, but the record before it has {before}")]
    Broken {
        /// Its sequence number.
        seq: u64,
        /// The digest it names.
        named: Hash,
        /// The digest of the record before it.
        before: Hash,
    },
}

/// A record that was read and hashed, and not yet held against the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// The record.
    pub record: Record,
    /// Digest of its encoding.
    pub hash: Hash,
}

impl Link {
    /// Reads `encoded`.
    ///
    /// # Errors
    /// [`ChainError::Unreadable`] and [`ChainError::Version`].
    pub fn read(encoded: &str) -> Result<Self, ChainError> {
        let record: Record = serde_json::from_str(encoded)?;
        if record.v != 1 {
            return Err(ChainError::Version(record.v));
        }
        Ok(Self { record, hash: Hash::of(encoded.as_bytes()) })
    }
}

/// The end of a chain: what the next record must follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Sequence number of the last record; 0 when there is none.
    pub seq: u64,
    /// Digest of its encoding.
    pub hash: Hash,
}

impl Default for Head {
    fn default() -> Self {
        Self { seq: 0, hash: Hash::GENESIS }
    }
}

impl Head {
    /// Reads `encoded` and checks that it is the next link; returns it and the new head.
    ///
    /// # Errors
    /// [`ChainError`] says which check failed; the head is unchanged.
    pub fn follow(&self, encoded: &str) -> Result<(Record, Head), ChainError> {
        self.take(Link::read(encoded)?)
    }

    /// Checks that `link` is the next; returns its record and the new head.
    ///
    /// # Errors
    /// [`ChainError`] says which check failed; the head is unchanged.
    pub fn take(&self, link: Link) -> Result<(Record, Head), ChainError> {
        let Link { record, hash } = link;
        if record.seq != self.seq + 1 {
            return Err(ChainError::Gap { expected: self.seq + 1, found: record.seq });
        }
        if record.prev != self.hash {
            return Err(ChainError::Broken { seq: record.seq, named: record.prev, before: self.hash });
        }
        let head = Head { seq: record.seq, hash };
        Ok((record, head))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(head: Head) -> Record {
        Record {
            v: 1,
            store: StoreId::new("market-street").expect("valid"),
            cart: CartId::new("cart-1").expect("valid"),
            epoch: 7,
            seq: head.seq + 1,
            at: UnixMillis(1_800_000_000_000),
            prev: head.hash,
            event: TripEvent::HelpCalled,
        }
    }

    #[test]
    fn a_chain_is_followed_link_by_link() {
        let start = Head::default();
        let first = record(start).encode();
        let (_, head) = start.follow(&first).expect("the first link");
        let (_, head) = head.follow(&record(head).encode()).expect("the second link");
        assert_eq!(head.seq, 2);
    }

    #[test]
    fn a_gap_a_change_and_a_fork_are_refused() {
        let (_, head) = Head::default().follow(&record(Head::default()).encode()).expect("the first link");
        let gap = Record { seq: 3, ..record(head) };
        assert!(matches!(head.follow(&gap.encode()), Err(ChainError::Gap { expected: 2, found: 3 })));
        let fork = Record { prev: Hash::of(b"another past"), ..record(head) };
        assert!(matches!(head.follow(&fork.encode()), Err(ChainError::Broken { .. })));
        assert!(matches!(head.follow("{"), Err(ChainError::Unreadable(_))));
        assert!(matches!(head.follow(&Record { v: 2, ..record(head) }.encode()), Err(ChainError::Version(2))));
    }

    #[test]
    fn a_digest_is_read_as_it_is_written() {
        let hash = Hash::of(b"trundle");
        assert_eq!(Hash::try_from(hash.to_string()), Ok(hash));
        assert!(Hash::try_from("zz".repeat(32)).is_err());
        assert!(Hash::try_from("é".repeat(32)).is_err());
    }
}
