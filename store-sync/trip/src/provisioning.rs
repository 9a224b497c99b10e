//! How a cart joins a store: the one-time code, and what cart and hub say to each other about it.
//!
//! The code is what staff read from the hub and type at the cart: forty letters and digits in groups of
//! four. Twelve are a secret that is good once and for minutes; twenty-four are the fingerprint of
//! the store's authority, by which the cart knows the hub it gives the secret to; four find a slip of
//! the finger before anything is sent. Letters are Crockford's base 32: no `i`, `l`, `o` or `u`,
//! and `0` and `o`, `1`, `i` and `l` are read as the same.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::{CartId, Hash, StoreId};

/// The version of these forms.
pub const VERSION: u8 = 1;
/// What a cart signs with its batch key, to prove that it has it: see [`Join::proof_of`].
pub const JOIN_LABEL: &str = "trundle-join-1";

const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// 60 bits: 15 of them say which code it is, and of the other 45 an attacker gets a handful of tries.
const SECRET_LETTERS: usize = 12;
const NAME_LETTERS: usize = 3;
/// 120 bits: nobody finds a second authority with the same.
const FINGERPRINT_LETTERS: usize = 24;
/// One slip in a million is not found.
const CHECK_LETTERS: usize = 4;
const LETTERS: usize = SECRET_LETTERS + FINGERPRINT_LETTERS + CHECK_LETTERS;
const GROUP: usize = 4;
const _: () = assert!(LETTERS.is_multiple_of(GROUP));

/// Not a code.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum CodeError {
    /// Of another length.
    #[error("a code has {} letters and digits, this has {}; copy all of it", LETTERS, .0)]
    Length(usize),
    /// A letter that none has.
    #[error("\"{0}\" is in no code; codes have digits and letters without u, and dashes between")]
    Letter(char),
    /// A slip of the finger.
    #[error("the code is not right: one or more letters are mistyped")]
    Check,
}

/// The first `letters` times five bits of `bytes`, in base 32.
fn letters(bytes: &[u8], letters: usize) -> String {
    let bit = |n: usize| bytes.get(n / 8).is_some_and(|byte| byte >> (7 - n % 8) & 1 == 1);
    let letter = |n: usize| (0..5).fold(0, |value, b| value << 1 | usize::from(bit(n * 5 + b)));
    (0..letters).map(|n| char::from(ALPHABET[letter(n)])).collect()
}

/// The secret of a code. It is shown to staff once, typed once, and kept only as a digest.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// Of random bytes; four bits are not used.
    pub fn from_random(bytes: [u8; 8]) -> Self {
        Self(letters(&bytes, SECRET_LETTERS))
    }

    /// Which code it is of, and no secret: so that a wrong guess uses up that code's tries and no other's.
    pub fn name(&self) -> &str {
        self.0.get(..NAME_LETTERS).unwrap_or_default()
    }

    /// What is kept of it. A plain digest will do: it lies beside the authority's key, and whoever reads that
    /// needs no code.
    pub fn digest(&self) -> Hash {
        Hash::of(format!("trundle-code-1\n{}", self.0).as_bytes())
    }

    /// True when `kept` is its digest; takes the same time for each wrong one.
    pub fn fits(&self, kept: &Hash) -> bool {
        self.digest().0.ct_eq(&kept.0).into()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// By what a store's authority is known: the first 120 bits of the SHA-256 of its certificate (DER).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// Of a certificate.
    pub fn of(certificate: &[u8]) -> Self {
        Self(letters(&Hash::of(certificate).0, FINGERPRINT_LETTERS))
    }

    /// True when `certificate` has it.
    pub fn fits(&self, certificate: &[u8]) -> bool {
        *self == Self::of(certificate)
    }
}

/// A one-time code as it is shown and typed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code {
    /// Good once, for minutes.
    pub secret: Secret,
    /// Of the authority of the store that gave it.
    pub fingerprint: Fingerprint,
}

impl fmt::Display for Code {
    /// Shows the secret: for the eyes of staff alone, never for a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let body = format!("{}{}", self.secret.0, self.fingerprint.0);
        let check = check(&body);
        let whole: Vec<char> = body.chars().chain(check.chars()).collect();
        let groups: Vec<String> = whole.chunks(GROUP).map(|group| group.iter().collect()).collect();
        f.write_str(&groups.join("-"))
    }
}

fn check(body: &str) -> String {
    letters(&Hash::of(body.as_bytes()).0, CHECK_LETTERS)
}

impl FromStr for Code {
    type Err = CodeError;

    fn from_str(text: &str) -> Result<Self, CodeError> {
        let read = |c: char| match c.to_ascii_lowercase() {
            'o' => Ok('0'),
            'i' | 'l' => Ok('1'),
            c if c.is_ascii() && ALPHABET.contains(&(c as u8)) => Ok(c),
            _ => Err(CodeError::Letter(c)),
        };
        let kept = text.chars().filter(|c| !c.is_whitespace() && *c != '-');
        let whole = kept.map(read).collect::<Result<String, CodeError>>()?;
        if whole.len() != LETTERS {
            return Err(CodeError::Length(whole.len()));
        }
        let (body, found) = whole.split_at(LETTERS - CHECK_LETTERS);
        if found != check(body) {
            return Err(CodeError::Check);
        }
        let (secret, fingerprint) = body.split_at(SECRET_LETTERS);
        Ok(Self { secret: Secret(secret.to_owned()), fingerprint: Fingerprint(fingerprint.to_owned()) })
    }
}

/// What a cart sends to join, over TLS, to the hub that it knows by the code's fingerprint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Join {
    /// [`VERSION`].
    pub v: u8,
    /// The code's secret.
    pub secret: Secret,
    /// A PKCS#10 request in PEM, over the TLS key that the cart has made.
    pub request: String,
    /// The ed25519 key that its batches will be signed with, 32 bytes as unpadded base64url.
    pub signing_key: String,
    /// ed25519 over [`Join::proof_of`], 64 bytes as unpadded base64url.
    pub proof: String,
}

impl Join {
    /// The bytes that the batch key signs: so nobody registers a key that they do not have, nor one
    /// beside another's request.
    pub fn proof_of(request: &str, secret: &Secret) -> Vec<u8> {
        format!("{JOIN_LABEL}\n{}\n{request}", secret.digest()).into_bytes()
    }
}

/// What a cart sends to renew, over the line that its present certificate has opened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renew {
    /// [`VERSION`].
    pub v: u8,
    /// A PKCS#10 request in PEM, over a new TLS key.
    pub request: String,
}

/// What the store gives a cart.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Granted {
    /// [`VERSION`].
    pub v: u8,
    /// The store.
    pub store: StoreId,
    /// The name that the cart has there.
    pub cart: CartId,
    /// The cart's certificate in PEM.
    pub certificate: String,
    /// The authority's certificate in PEM.
    pub authority: String,
    /// From when the certificate counts, in seconds since 1970, by the hub's clock.
    pub not_before_s: u64,
    /// Until when.
    pub not_after_s: u64,
    /// Where the broker listens for TLS; the host is the hub's own where this names none.
    pub mqtt_host: Option<String>,
    /// Its port.
    pub mqtt_port: u16,
    /// The keys that sign releases, 32 bytes as unpadded base64url each: see [`crate::release`].
    pub release_keys: Vec<String>,
}

/// Why a cart is refused, in words for whoever stands before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// [`VERSION`].
    pub v: u8,
    /// Why.
    pub why: String,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn code() -> Code {
        Code { secret: Secret::from_random([1, 2, 3, 4, 5, 6, 7, 8]), fingerprint: Fingerprint::of(b"authority") }
    }

    #[test]
    fn a_code_is_read_as_it_is_shown_also_by_a_careless_hand() {
        let shown = code().to_string();
        assert_eq!(shown.len(), 49, "{shown}");
        let careless = shown.to_uppercase().replace('-', " ").replace('0', "O").replace('1', "l");
        for text in [shown.clone(), shown.replace('-', ""), format!("  {careless}\n")] {
            assert_eq!(text.parse(), Ok(code()), "{text}");
        }
    }

    #[test]
    fn what_is_no_code_says_why() {
        let shown = code().to_string();
        assert_eq!(shown[..40].parse::<Code>(), Err(CodeError::Length(32)));
        assert_eq!("".parse::<Code>(), Err(CodeError::Length(0)));
        assert_eq!(format!("u{}", &shown[1..]).parse::<Code>(), Err(CodeError::Letter('u')));
        assert_eq!(format!("é{}", &shown[1..]).parse::<Code>(), Err(CodeError::Letter('é')));
    }

    #[test]
    fn a_secret_is_not_printed_and_fits_its_digest_alone() {
        let (one, other) = (Secret::from_random([1; 8]), Secret::from_random([2; 8]));
        assert!(one.fits(&one.digest()) && !one.fits(&other.digest()));
        let printed = format!("{:?}", code());
        assert!(!printed.contains(&code().secret.0), "{printed}");
    }

    #[test]
    fn a_fingerprint_fits_one_certificate() {
        assert!(Fingerprint::of(b"one").fits(b"one"));
        assert!(!Fingerprint::of(b"one").fits(b"two"));
    }

    proptest! {
        #[test]
        fn one_wrong_letter_is_found_before_anything_is_sent(at in 0usize..LETTERS, by in 1usize..32) {
            let plain: Vec<u8> = code().to_string().bytes().filter(|b| *b != b'-').collect();
            let mut wrong = plain.clone();
            let value = ALPHABET.iter().position(|b| *b == plain[at]).expect("a letter");
            wrong[at] = ALPHABET[(value + by) % 32];
            let read: Result<Code, _> = String::from_utf8(wrong).expect("text").parse();
            // Twenty check bits let one in a million pass; of these forty times thirty-one words none does.
            prop_assert_eq!(read, Err(CodeError::Check));
        }
    }
}
