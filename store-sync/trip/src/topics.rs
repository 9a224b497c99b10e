//! The topic tree. Its version is in every topic and every payload.
//!
//! | topic | QoS | retained |
//! |---|---|---|
//! | `tr1/{store}/cart/{cart}/up/event` | 1 | no |
//! | `tr1/{store}/cart/{cart}/up/telemetry` | 0 | no |
//! | `tr1/{store}/cart/{cart}/up/look` | 0 | no |
//! | `tr1/{store}/cart/{cart}/up/presence` | 1 | yes |
//! | `tr1/{store}/cart/{cart}/up/pairing` | 1 | yes |
//! | `tr1/{store}/cart/{cart}/down/ack` | 1 | yes |
//! | `tr1/{store}/cart/{cart}/down/command` | 1 | no |
//! | `tr1/{store}/cart/{cart}/down/desired` | 1 | yes |
//! | `tr1/{store}/hub/state` | 1 | yes |

use crate::{CartId, StoreId};

/// The tree's root and version.
pub const ROOT: &str = "tr1";

/// What a cart's topic is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaf {
    /// Signed batches of chained events, cart to hub.
    Event,
    /// Battery, temperature, link, versions, cart to hub.
    Telemetry,
    /// A picture of the screen while its shopper lets staff see it, cart to hub.
    Look,
    /// Birth and last will, cart to hub.
    Presence,
    /// How a phone may join now, cart to hub.
    Pairing,
    /// Cumulative sequence number and head digest, hub to cart.
    Ack,
    /// A command with id and expiry, hub to cart.
    Command,
    /// Configuration and catalogue version, hub to cart.
    Desired,
}

impl Leaf {
    const ALL: [(Leaf, &'static str); 8] = [
        (Leaf::Event, "up/event"),
        (Leaf::Telemetry, "up/telemetry"),
        (Leaf::Look, "up/look"),
        (Leaf::Presence, "up/presence"),
        (Leaf::Pairing, "up/pairing"),
        (Leaf::Ack, "down/ack"),
        (Leaf::Command, "down/command"),
        (Leaf::Desired, "down/desired"),
    ];

    fn path(self) -> &'static str {
        Self::ALL.iter().find(|(leaf, _)| *leaf == self).map_or("", |(_, path)| path)
    }
}

/// The topic of one cart.
pub fn cart(store: &StoreId, cart: &CartId, leaf: Leaf) -> String {
    format!("{ROOT}/{store}/cart/{cart}/{}", leaf.path())
}

/// All that goes down to one cart.
pub fn cart_down(store: &StoreId, cart: &CartId) -> String {
    format!("{ROOT}/{store}/cart/{cart}/down/+")
}

/// All that comes up from all carts.
pub fn carts_up(store: &StoreId) -> String {
    format!("{ROOT}/{store}/cart/+/up/+")
}

/// The hub's own birth and death.
pub fn hub_state(store: &StoreId) -> String {
    format!("{ROOT}/{store}/hub/state")
}

/// Which cart, and what for; `None` for a topic that is not a cart's of this store and version.
pub fn parse(store: &StoreId, topic: &str) -> Option<(CartId, Leaf)> {
    let rest = topic.strip_prefix(ROOT)?.strip_prefix('/')?.strip_prefix(store.as_str())?.strip_prefix("/cart/")?;
    let (name, path) = rest.split_once('/')?;
    let (leaf, _) = Leaf::ALL.iter().find(|(_, p)| *p == path)?;
    Some((CartId::new(name).ok()?, *leaf))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_read_as_it_is_written() {
        let store = StoreId::new("market-street").expect("valid");
        let id = CartId::new("cart-7").expect("valid");
        for (leaf, _) in Leaf::ALL {
            assert_eq!(parse(&store, &cart(&store, &id, leaf)), Some((id.clone(), leaf)));
        }
        for bad in [
            "",
            "tr1/market-street/cart/",
            "tr1/other/cart/cart-7/up/event",
            "tr2/market-street/cart/cart-7/up/event",
            "tr1/market-street/cart/cart-7/up/eventual",
            "tr1/market-street/cart/CART/up/event",
        ] {
            assert_eq!(parse(&store, bad), None, "{bad}");
        }
    }
}
