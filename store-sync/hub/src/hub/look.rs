//! A cart's screen, while its shopper lets staff see it: the last picture, in memory alone.
//!
//! That the shopper agreed stands in the cart's own signed records ([`trip::TripEvent::ScreenShared`]), and so does its
//! end. A picture that comes without it is dropped and counted, and the one that is there is thrown away in the moment
//! in which it may be seen no more: help or the trip has ended, the shopper has taken it back, the cart is fenced,
//! revoked, at a till or off the line.

use std::collections::BTreeMap;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use trip::bounds::{MAX_LOOK_BYTES, MAX_LOOK_HEIGHT, MAX_LOOK_WIDTH};
use trip::message::Look;
use trip::{CartId, UnixMillis};

use super::Hub;
use crate::store::Storage;
use crate::web::board::{Picture, Screens, Shown};

/// The pictures that staff may see.
#[derive(Debug, Default)]
pub(super) struct Looks {
    last: BTreeMap<CartId, Picture>,
    /// Pictures taken in since the start: their numbers.
    taken: u64,
    /// Pictures that no shopper had let staff see.
    unasked: u64,
}

impl Looks {
    /// True while there is none.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.last.is_empty()
    }
}

impl<S: Storage> Hub<S> {
    /// The carts whose shopper waits for help, and what staff may see of their screens.
    pub fn screens(&self) -> Screens {
        let waiting = self.carts.iter().filter(|(_, row)| row.state.help && !self.is_at_a_till(&row.state));
        let shown = waiting.map(|(cart, _)| match self.looks.last.get(cart) {
            _ if !self.may_be_seen(cart) => (cart.clone(), Shown::ToNobody),
            None => (cart.clone(), Shown::Soon),
            Some(picture) => (cart.clone(), Shown::Picture(picture.clone())),
        });
        shown.collect()
    }

    /// True while the shopper at `cart` lets staff see its screen, and all else is well with it.
    pub(super) fn may_be_seen(&self, cart: &CartId) -> bool {
        let online = self.seen.get(cart).is_some_and(|seen| seen.presence.is_some_and(|p| p.online));
        let agreed = self.carts.get(cart).is_some_and(|row| row.state.shared && !self.is_at_a_till(&row.state));
        // Without a line nobody can know that the shopper has not taken it back.
        agreed && online && self.line && self.shut_out(cart).is_none()
    }

    /// Takes a picture in, or drops it; says what is wrong with it, if anything is.
    pub(super) fn hear_look(&mut self, cart: CartId, look: &Look, now: UnixMillis) -> Result<(), &'static str> {
        if !self.may_be_seen(&cart) {
            self.looks.unasked += 1;
            tracing::debug!(%cart, "a picture of its screen came that nobody may see");
            return Ok(());
        }
        let png = BASE64_URL_SAFE_NO_PAD.decode(&look.png).map_err(|_| "its picture is no base64url")?;
        is_small_png(&png)?;
        self.looks.taken += 1;
        let picture = Picture { number: self.looks.taken, at_ms: now.0, png: png.into() };
        self.looks.last.insert(cart, picture);
        Ok(())
    }

    /// Throws away what may be seen no more.
    pub(super) fn forget_looks(&mut self) {
        let over: Vec<CartId> = self.looks.last.keys().filter(|cart| !self.may_be_seen(cart)).cloned().collect();
        for cart in over {
            self.looks.last.remove(&cart);
        }
    }

    /// Pictures that came and were asked for by nobody, since the start.
    pub(super) fn looks_unasked(&self) -> u64 {
        self.looks.unasked
    }
}

/// By its first bytes: the browser that shows it decodes it, and nothing here does.
/// Source: PNG (Third Edition), sections 5.2 and 11.2.1.
fn is_small_png(png: &[u8]) -> Result<(), &'static str> {
    const BEGINS: &[u8] = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR";
    let side = |at: usize| png.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_be_bytes);
    if png.len() > MAX_LOOK_BYTES {
        return Err("its picture is too large");
    }
    match (png.starts_with(BEGINS), side(16), side(20)) {
        (true, Some(1..=MAX_LOOK_WIDTH), Some(1..=MAX_LOOK_HEIGHT)) => Ok(()),
        (true, ..) => Err("its picture is too wide or too tall"),
        (false, ..) => Err("its picture is no PNG"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_small_png_is_a_picture_of_a_screen() {
        let png = |width: u32, height: u32| {
            let begins = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR".as_slice();
            [begins, &width.to_be_bytes(), &height.to_be_bytes(), &[8, 2, 0, 0, 0]].concat()
        };
        assert_eq!(is_small_png(&png(640, 400)), Ok(()));
        assert_eq!(is_small_png(&png(640, 1_024)), Ok(()));
        for (width, height) in [(641, 400), (640, 1_025), (0, 1), (1, 0), (u32::MAX, 1)] {
            assert!(is_small_png(&png(width, height)).is_err(), "{width} × {height}");
        }
        for bad in [&b""[..], b"\x89PNG", b"<svg onload=alert(1)>", &png(640, 400)[..18]] {
            assert!(is_small_png(bad).is_err(), "{bad:?}");
        }
        let long = [png(640, 400), vec![0; MAX_LOOK_BYTES]].concat();
        assert_eq!(is_small_png(&long), Err("its picture is too large"));
    }
}
