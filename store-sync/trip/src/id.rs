//! Names of things: short newtypes, so that a lane is never taken for a cart.

use serde::{Deserialize, Serialize};

/// A name that may appear in a topic, a file name or a page: 1 to 64 of `a-z 0-9 - _ .`.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("{kind} \"{text}\" must be 1 to 64 characters of a-z, 0-9, '-', '_' or '.'")]
pub struct NameError {
    kind: &'static str,
    text: String,
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $kind:literal) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes a valid name.
            ///
            /// # Errors
            /// [`NameError`] when it is empty, too long or has other characters.
            pub fn new(text: impl Into<String>) -> Result<Self, NameError> {
                let text = text.into();
                let allowed = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
                if text.is_empty() || text.len() > 64 || !text.bytes().all(allowed) {
                    return Err(NameError { kind: $kind, text });
                }
                Ok(Self(text))
            }

            /// The name as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

name!(
    /// A store, as in the topic tree.
    StoreId, "store"
);
name!(
    /// A cart, as in the topic tree.
    CartId, "cart"
);
name!(
    /// An exit lane.
    LaneId, "lane"
);
name!(
    /// The store's own name of a product; barcodes and PLUs lead to it.
    Sku, "sku"
);
name!(
    /// One shopping trip, unique in its store: `{cart}.{epoch}.{number}`.
    TripId, "trip"
);
name!(
    /// One attempt to be paid; the idempotency key towards the terminal.
    IntentId, "intent"
);

/// A line of a basket, counted from 1 within its trip; never used again after a removal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LineId(pub u32);

/// Something in the cart that is not yet resolved, counted from 1 within its trip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HoldId(pub u32);

/// Wall-clock time in milliseconds since 1970-01-01 UTC. For people and reports only: the order of
/// events is (epoch, sequence), never this.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct UnixMillis(pub i64);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_could_break_a_topic_is_refused() {
        for bad in ["", "a/b", "a+b", "#", "UPPER", "a b", &"x".repeat(65)] {
            assert!(CartId::new(bad).is_err(), "{bad:?} was accepted");
        }
        assert_eq!(CartId::new("cart-07").map(|c| c.to_string()), Ok("cart-07".to_owned()));
    }
}
