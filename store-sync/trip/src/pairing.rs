//! How a shopper joins a cart: a one-time token for the phone, a loyalty number, or neither, as a guest.
//!
//! The cart shows a token as QR, under an address of the hub; the phone gives it to the hub, the hub to the cart,
//! and only the cart says whether it is good. The hub knows no token beforehand, only digests, and so refuses
//! what is old or used without asking.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use crate::{Hash, gtin};

/// Random bytes of a token: 128 bits, more than anyone guesses in its few minutes, and few enough for a QR
/// code that is read at arm's length.
const BYTES: usize = 16;
/// A label, so that what is made of the seed here is never of use elsewhere.
const LABEL: &[u8] = b"trundle-pair-1\n";

/// A token that joins one phone to one cart, once.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The `number`th token of `seed`, which is random and new whenever the cart's program starts: a token
    /// of another cart, or of before a restart, is none of these.
    pub fn derive(seed: &Hash, number: u64) -> Self {
        let digest = Hash::of(&[LABEL, &seed.0, &number.to_be_bytes()].concat());
        Self(URL_SAFE_NO_PAD.encode(&digest.0[..BYTES]))
    }

    /// As it stands in the address: 22 letters of base64url.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the hub is told of it.
    pub fn digest(&self) -> Hash {
        Hash::of(self.0.as_bytes())
    }
}

impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Token(not shown)")
    }
}

/// True when `secret` is what `digest` was made of. How long this takes says nothing about how much of it
/// was right.
pub fn is_digest_of(digest: &Hash, secret: &str) -> bool {
    digest.0.ct_eq(&Hash::of(secret.as_bytes()).0).into()
}

/// A number of the store's loyalty scheme: 8 to 18 digits, the last a check digit.
///
/// Source: GS1 General Specifications 24, section 7.9.1 (the check digit of all GS1 keys) and 2.5.2 (the service
/// relation number of a recipient, which loyalty cards carry, has 18 digits).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Member(String);

/// No loyalty number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    /// Too few or too many digits, or something else among them.
    #[error("a loyalty number has 8 to 18 digits")]
    Form,
    /// A digit is wrong, or two are swapped.
    #[error("the last digit does not fit the others")]
    CheckDigit,
}

impl Member {
    /// The fewest and the most digits.
    pub const DIGITS: std::ops::RangeInclusive<usize> = 8..=18;

    /// Reads a number as it is printed: spaces and hyphens between the digits are passed over.
    ///
    /// # Errors
    /// [`MemberError`] when it has other characters, another length, or a wrong check digit.
    pub fn parse(text: &str) -> Result<Self, MemberError> {
        let digits: String = text.chars().filter(|c| !matches!(c, ' ' | '-')).collect();
        if !Self::DIGITS.contains(&digits.len()) || !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(MemberError::Form);
        }
        let values: Vec<u8> = digits.bytes().map(|b| b - b'0').collect();
        match values.split_last() {
            Some((last, rest)) if rest.iter().any(|d| *d != 0) && gtin::check_digit(rest) == *last => Ok(Self(digits)),
            _ => Err(MemberError::CheckDigit),
        }
    }

    /// Its digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// As it may be shown where others look: its last four digits.
    pub fn masked(&self) -> String {
        format!("•••• {}", &self.0[self.0.len() - 4..])
    }
}

/// Nobody's number belongs in a log.
impl std::fmt::Debug for Member {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Member({})", self.masked())
    }
}

impl TryFrom<String> for Member {
    type Error = MemberError;

    fn try_from(text: String) -> Result<Self, MemberError> {
        Self::parse(&text)
    }
}

impl From<Member> for String {
    fn from(member: Member) -> String {
        member.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_its_seed_and_its_number_alone() {
        let (seed, other) = (Hash::of(b"one boot"), Hash::of(b"another"));
        let first = Token::derive(&seed, 1);
        assert_eq!(first, Token::derive(&seed, 1));
        assert_eq!(first.as_str().len(), 22);
        assert_ne!(first, Token::derive(&seed, 2));
        assert_ne!(first, Token::derive(&other, 1));
        assert!(!format!("{first:?}").contains(first.as_str()));
    }

    #[test]
    fn only_the_secret_itself_has_its_digest() {
        let token = Token::derive(&Hash::of(b"seed"), 7);
        assert!(is_digest_of(&token.digest(), token.as_str()));
        for wrong in ["", &token.as_str()[1..], &format!("{}A", token.as_str()), &token.digest().to_string()] {
            assert!(!is_digest_of(&token.digest(), wrong), "{wrong}");
        }
    }

    #[test]
    fn a_loyalty_number_is_checked_and_masked() {
        let check = |text: &str, expected: Result<&str, MemberError>| {
            assert_eq!(Member::parse(text).as_ref().map(Member::as_str).map_err(|e| *e), expected, "{text:?}");
        };
        check("2612345678900", Err(MemberError::CheckDigit));
        check("2612345678905", Ok("2612345678905"));
        check("261 2345-678905", Ok("2612345678905"));
        check("96385074", Ok("96385074"));
        check("96385704", Err(MemberError::CheckDigit));
        check("9638507", Err(MemberError::Form));
        check("1234567890123456789", Err(MemberError::Form));
        check("9638507a", Err(MemberError::Form));
        check("٩٦٣٨٥٠٧٤", Err(MemberError::Form));
        check("00000000", Err(MemberError::CheckDigit));
        let member = Member::parse("96385074").expect("right");
        assert_eq!((member.masked(), format!("{member:?}")), ("•••• 5074".into(), "Member(•••• 5074)".into()));
    }
}
