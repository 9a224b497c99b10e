//! From a payload on a cart's topic to records that may be stored.
//!
//! [`open`] checks form and signature, [`follow`] checks that the records continue the chain that
//! the hub has. Nothing here writes. What a cart sends twice is taken once; a gap is waited out (the
//! ack repeats what is had, and the cart sends again from there); what contradicts the chain or
//! its signature is never acked and goes to quarantine.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use trip::bounds::{Bounded, OutOfBounds};
use trip::chain::{ChainError, Head, Link};
use trip::message::{self, BATCH_LABEL, Batch, Signed};
use trip::{CartId, Record, StoreId, TripEvent, TripId};

/// Why a payload, or the rest of one, is not taken.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Not the form that carts write.
    #[error("the payload is no signed batch: {0}")]
    Garbage(String),
    /// A cart that this store does not know.
    #[error("cart \"{0}\" is not of this store; add a [[cart]] with its public key")]
    UnknownCart(CartId),
    /// A cart that was shut out.
    #[error("cart \"{0}\" was revoked; to take it back: store-hub provision --cart {0}")]
    Revoked(CartId),
    /// A cart whose identity two writers use.
    #[error("cart \"{0}\" is fenced: two writers use its identity, and staff must look at it first")]
    Fenced(CartId),
    /// The signature does not fit.
    #[error("the signature does not fit the key of cart \"{0}\"")]
    Signature(CartId),
    /// It was signed for another cart, journal or store than it came for.
    #[error("record {seq} is of {found}, but came as one of {expected}")]
    Foreign {
        /// Its number.
        seq: u64,
        /// What it says of itself.
        found: String,
        /// What it came as.
        expected: String,
    },
    /// Records before these are missing.
    #[error("record {found} came where {expected} was due")]
    Gap {
        /// The number that was due.
        expected: u64,
        /// The one that came.
        found: u64,
    },
    /// The chain is broken: a record was changed, or names another past.
    #[error("{0}")]
    Chain(ChainError),
    /// A number that is stored already, with another content: two carts use one key, or a journal
    /// was rolled back.
    #[error("record {seq} is stored already with another content; the cart's key or journal may have been copied")]
    Fork {
        /// Its number.
        seq: u64,
    },
    /// It began a trip that another cart began: one of the two lies, or two carts have one name's journal.
    #[error("record {seq} begins trip {trip}, which is cart {owner}'s")]
    ForeignTrip {
        /// Its number.
        seq: u64,
        /// The trip.
        trip: TripId,
        /// Whose it is.
        owner: CartId,
    },
    /// It says what no shop has.
    #[error("record {seq}: {what}")]
    Bounds {
        /// Its number.
        seq: u64,
        /// What is too large.
        what: OutOfBounds,
    },
    /// New records of a journal that a newer one has replaced.
    #[error("record {seq} is of journal {epoch}, but the cart has begun journal {newer} since")]
    OldJournal {
        /// Its number.
        seq: u64,
        /// Its journal.
        epoch: u64,
        /// The newest.
        newer: u64,
    },
}

/// What to do about a [`Refusal`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Response {
    /// Count and log it.
    Count,
    /// Repeat the ack, so that the cart sends what is missing.
    AckAgain,
    /// Keep it for inspection, warn, do not ack.
    Quarantine,
}

impl Refusal {
    /// What to do about it.
    pub fn response(&self) -> Response {
        match self {
            // What a shut-out cart sends is not kept: there would be no end to it.
            Self::Garbage(_) | Self::UnknownCart(_) | Self::Revoked(_) | Self::Fenced(_) => Response::Count,
            Self::Gap { .. } => Response::AckAgain,
            Self::Signature(_)
            | Self::Foreign { .. }
            | Self::Chain(_)
            | Self::Fork { .. }
            | Self::ForeignTrip { .. }
            | Self::Bounds { .. }
            | Self::OldJournal { .. } => Response::Quarantine,
        }
    }

    /// True when the cart's own key has signed what contradicts what it signed before. A signature that does
    /// not fit shows nothing: anybody can send one.
    pub fn shows_a_second_writer(&self) -> bool {
        matches!(self, Self::Fork { .. } | Self::OldJournal { .. } | Self::Chain(ChainError::Broken { .. }))
    }
}

/// A batch whose signature fits, and its records as far as they can be read.
#[derive(Debug)]
pub struct Opened {
    /// Whose.
    pub cart: CartId,
    /// Which journal.
    pub epoch: u64,
    /// Each record as it came, and read.
    records: Vec<(String, Result<Link, ChainError>)>,
}

impl Opened {
    /// Reads the records of `batch`.
    pub fn read(batch: Batch) -> Self {
        let Batch { cart, epoch, records, .. } = batch;
        let read = |text: String| {
            let link = Link::read(&text);
            (text, link)
        };
        Self { cart, epoch, records: records.into_iter().map(read).collect() }
    }

    /// The records as they came.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.records.iter().map(|(text, _)| text.as_str())
    }
}

/// Reads the payload of `cart`'s event topic and checks its signature.
///
/// # Errors
/// [`Refusal`] when it is garbage, of another cart, or not signed with `key`.
pub fn open(payload: &[u8], cart: &CartId, key: Option<&VerifyingKey>) -> Result<Opened, Refusal> {
    let garbage = |e: message::ReadError| Refusal::Garbage(e.to_string());
    let signed: Signed = message::read(payload).map_err(garbage)?;
    let key = key.ok_or_else(|| Refusal::UnknownCart(cart.clone()))?;
    let signature = BASE64_URL_SAFE_NO_PAD.decode(&signed.signature).ok();
    let signature = signature
        .and_then(|bytes| Signature::from_slice(&bytes).ok())
        .ok_or_else(|| Refusal::Signature(cart.clone()))?;
    key.verify(&Signed::message(BATCH_LABEL, &signed.body), &signature)
        .map_err(|_| Refusal::Signature(cart.clone()))?;
    let batch: Batch = message::read(signed.body.as_bytes()).map_err(garbage)?;
    if i64::try_from(batch.epoch).is_err() {
        return Err(Refusal::Garbage(format!("journal {} is no time", batch.epoch)));
    }
    if batch.cart != *cart {
        let (found, expected) = (format!("cart {}", batch.cart), format!("cart {cart}"));
        return Err(Refusal::Foreign { seq: 0, found, expected });
    }
    Ok(Opened::read(batch))
}

/// What of a batch may be stored.
#[derive(Debug)]
pub struct Followed {
    /// New records with their encodings, oldest first.
    pub records: Vec<(Record, String)>,
    /// The chain's end after them.
    pub head: Head,
    /// Why the rest, if there is one, is not taken.
    pub refusal: Option<Refusal>,
}

/// Follows `opened` from `head`, the end of that journal as the hub has it. `newest` is the cart's
/// newest journal; `stored` reads a stored record, `owner` says whose a trip is that somebody began.
///
/// # Errors
/// Whatever `stored` and `owner` fail with.
pub fn follow<E>(
    opened: Opened,
    store: &StoreId,
    head: Head,
    newest: u64,
    mut stored: impl FnMut(u64) -> Result<Option<String>, E>,
    mut owner: impl FnMut(&TripId) -> Result<Option<CartId>, E>,
) -> Result<Followed, E> {
    let Opened { cart, epoch, records } = opened;
    let mut followed = Followed { records: Vec::new(), head, refusal: None };
    for (text, link) in records {
        let record = match link.and_then(|link| followed.head.take(link)) {
            Ok((record, next)) => match foreign(&record, store, &cart, epoch) {
                None if epoch < newest => Err(Refusal::OldJournal { seq: record.seq, epoch, newer: newest }),
                None => Ok((record, next)),
                Some(refusal) => Err(refusal),
            },
            Err(ChainError::Gap { expected, found }) if found < expected => {
                let known = followed.records.iter().find(|(r, _)| r.seq == found).map(|(_, text)| text.clone());
                let known = if known.is_some() { known } else { stored(found)? };
                if known.as_ref() == Some(&text) {
                    continue;
                }
                Err(Refusal::Fork { seq: found })
            }
            Err(ChainError::Gap { expected, found }) => Err(Refusal::Gap { expected, found }),
            Err(other) => Err(Refusal::Chain(other)),
        };
        let record = match record {
            Ok((record, next)) => match implausible(&record, &cart, &mut owner)? {
                None => Ok((record, next)),
                Some(refusal) => Err(refusal),
            },
            Err(refusal) => Err(refusal),
        };
        match record {
            Ok((record, next)) => {
                followed.head = next;
                followed.records.push((record, text));
            }
            Err(refusal) => {
                followed.refusal = Some(refusal);
                break;
            }
        }
    }
    Ok(followed)
}

/// Whether a record of this cart, rightly signed and chained, says what cannot be.
fn implausible<E>(
    record: &Record,
    cart: &CartId,
    owner: &mut impl FnMut(&TripId) -> Result<Option<CartId>, E>,
) -> Result<Option<Refusal>, E> {
    let seq = record.seq;
    if let Err(what) = record.event.check() {
        return Ok(Some(Refusal::Bounds { seq, what }));
    }
    let TripEvent::TripStarted { trip, .. } = &record.event else { return Ok(None) };
    let stranger = owner(trip)?.filter(|owner| owner != cart);
    Ok(stranger.map(|owner| Refusal::ForeignTrip { seq, trip: trip.clone(), owner }))
}

fn foreign(record: &Record, store: &StoreId, cart: &CartId, epoch: u64) -> Option<Refusal> {
    if record.store == *store && record.cart == *cart && record.epoch == epoch {
        return None;
    }
    let name = |store: &StoreId, cart: &CartId, epoch: u64| format!("store {store}, cart {cart}, journal {epoch}");
    Some(Refusal::Foreign {
        seq: record.seq,
        found: name(&record.store, &record.cart, record.epoch),
        expected: name(store, cart, epoch),
    })
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use ed25519_dalek::{Signer, SigningKey};
    use std::convert::Infallible;
    use trip::{Hash, TripEvent, UnixMillis};

    pub(crate) fn sign(batch: &Batch, key: &SigningKey) -> Vec<u8> {
        let body = serde_json::to_string(batch).expect("plain fields");
        let signature = BASE64_URL_SAFE_NO_PAD.encode(key.sign(&Signed::message(BATCH_LABEL, &body)).to_bytes());
        serde_json::to_vec(&Signed { v: 1, body, signature }).expect("plain fields")
    }

    fn chain(count: u64) -> Vec<String> {
        let mut head = Head::default();
        let mut texts = Vec::new();
        for seq in 1..=count {
            let record = Record {
                v: 1,
                store: StoreId::new("s").expect("valid"),
                cart: CartId::new("cart-1").expect("valid"),
                epoch: 7,
                seq,
                at: UnixMillis(0),
                prev: head.hash,
                event: TripEvent::HelpCalled,
            };
            let text = record.encode();
            head = Head { seq, hash: Hash::of(text.as_bytes()) };
            texts.push(text);
        }
        texts
    }

    fn batch(records: &[String]) -> Batch {
        Batch { v: 1, cart: CartId::new("cart-1").expect("valid"), epoch: 7, records: records.to_vec() }
    }

    #[test]
    fn only_the_carts_own_key_opens_a_batch() {
        let (key, other) = (SigningKey::from_bytes(&[1; 32]), SigningKey::from_bytes(&[2; 32]));
        let cart = CartId::new("cart-1").expect("valid");
        let right = sign(&batch(&chain(1)), &key);
        assert!(open(&right, &cart, Some(&key.verifying_key())).is_ok());
        let check = |payload: &[u8], key: Option<&VerifyingKey>, response: Response| {
            let refusal = open(payload, &cart, key).expect_err("refused");
            assert_eq!(refusal.response(), response, "{refusal}");
        };
        check(&right, Some(&other.verifying_key()), Response::Quarantine);
        check(&right, None, Response::Count);
        check(b"\xff\x00 garbage", Some(&key.verifying_key()), Response::Count);
        let changed = String::from_utf8(right.clone()).expect("text").replace("help_called", "help_ended");
        check(changed.as_bytes(), Some(&key.verifying_key()), Response::Quarantine);
        let foreign = Batch { cart: CartId::new("cart-2").expect("valid"), ..batch(&chain(1)) };
        check(&sign(&foreign, &key), Some(&key.verifying_key()), Response::Quarantine);
    }

    #[test]
    fn what_is_new_is_taken_and_the_rest_refused_with_the_right_reason() {
        let texts = chain(5);
        let had = |seq: u64| Ok::<_, Infallible>(texts.get(seq as usize - 1).cloned());
        let head = |seq: u64| match seq {
            0 => Head::default(),
            _ => Head { seq, hash: Hash::of(texts[seq as usize - 1].as_bytes()) },
        };
        let check = |had_up_to: u64, records: &[String], taken: usize, response: Option<Response>| {
            let store = StoreId::new("s").expect("valid");
            let Ok(followed) = follow(Opened::read(batch(records)), &store, head(had_up_to), 7, had, |_| Ok(None));
            assert_eq!(followed.records.len(), taken, "{:?}", followed.refusal);
            assert_eq!(followed.refusal.as_ref().map(Refusal::response), response, "{:?}", followed.refusal);
            assert_eq!(followed.head.seq, had_up_to + taken as u64);
        };
        check(0, &texts, 5, None);
        check(5, &texts, 0, None);
        check(2, &texts, 3, None);
        check(0, &[texts[0].clone(), texts[0].clone(), texts[1].clone()], 2, None);
        check(0, &texts[1..], 0, Some(Response::AckAgain));
        check(0, &[texts[0].clone(), texts[2].clone()], 1, Some(Response::AckAgain));
        let forked = texts[1].replace("help_called", "help_ended");
        check(5, std::slice::from_ref(&forked), 0, Some(Response::Quarantine));
        check(1, &[forked, texts[2].clone()], 1, Some(Response::Quarantine));
        check(0, &[texts[0].replace("\"s\"", "\"t\"")], 0, Some(Response::Quarantine));
        check(0, &["{".into()], 0, Some(Response::Quarantine));
    }

    #[test]
    fn a_journal_that_was_replaced_gets_nothing_new() {
        let texts = chain(2);
        let store = StoreId::new("s").expect("valid");
        let Ok(followed) = follow(
            Opened::read(batch(&texts)),
            &store,
            Head::default(),
            8,
            |_| Ok::<_, Infallible>(None),
            |_| Ok(None),
        );
        assert!(matches!(followed.refusal, Some(Refusal::OldJournal { newer: 8, .. })), "{followed:?}");
    }
}
