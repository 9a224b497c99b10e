//! What staff see of a cart's screen: only while its shopper lets them, and nothing a moment later.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use trip::message::Look;

use super::*;
use crate::hub::{Carts, StaffAction};
use crate::web::board::Shown;

fn presence(online: bool, boot_epoch: u64) -> Input {
    let word = serde_json::to_vec(&Presence { v: 1, online, boot_epoch }).expect("plain");
    message(&CartId::new("cart-1").expect("valid"), Leaf::Presence, word)
}

/// A PNG's first bytes, and something to know it by.
fn png(mark: u8) -> Vec<u8> {
    let begins = b"\x89PNG\r\n\x1a\n\x00\x00\x00\x0dIHDR".as_slice();
    [begins, &640_u32.to_be_bytes(), &400_u32.to_be_bytes(), &[8, 2, 0, 0, 0, mark]].concat()
}

fn picture(png: &[u8]) -> Input {
    let look = Look { v: 1, png: BASE64_URL_SAFE_NO_PAD.encode(png) };
    message(&CartId::new("cart-1").expect("valid"), Leaf::Look, serde_json::to_vec(&look).expect("plain"))
}

impl Bench {
    /// What staff see of cart 1.
    fn seen(&self) -> Option<Shown> {
        self.hub.screens().get(&CartId::new("cart-1").expect("valid")).cloned()
    }

    /// The last byte of the picture that they see.
    fn mark(&self) -> Option<u8> {
        match self.seen() {
            Some(Shown::Picture(picture)) => picture.png.last().copied(),
            _ => None,
        }
    }

    fn hears(&mut self, cart: &mut FakeCart, event: TripEvent) {
        cart.write(event);
        self.tell(cart.all());
    }
}

/// A cart whose shopper has called for help.
fn helped() -> (Bench, FakeCart) {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    bench.tell(presence(true, 1));
    cart.shop_and_lock();
    cart.unlock();
    bench.hears(&mut cart, TripEvent::HelpCalled);
    (bench, cart)
}

/// The same, and staff see the screen.
fn shared() -> (Bench, FakeCart) {
    let (mut bench, mut cart) = helped();
    bench.hears(&mut cart, TripEvent::ScreenShared);
    bench.tell(picture(&png(1)));
    assert_eq!(bench.mark(), Some(1));
    (bench, cart)
}

#[test]
fn a_picture_without_the_shoppers_word_is_dropped_and_counted() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    bench.tell(presence(true, 1));
    bench.tell(picture(&png(1)));
    assert_eq!(bench.seen(), None, "no trip");
    cart.shop_and_lock();
    cart.unlock();
    bench.tell(cart.all());
    bench.tell(picture(&png(1)));
    assert_eq!(bench.seen(), None, "no help");
    bench.hears(&mut cart, TripEvent::HelpCalled);
    bench.tell(picture(&png(1)));
    assert_eq!(bench.seen(), Some(Shown::ToNobody), "help, and no word of the shopper");
    assert_eq!(bench.hub.health().looks_unasked, 3);
    bench.hears(&mut cart, TripEvent::ScreenShared);
    assert_eq!(bench.seen(), Some(Shown::Soon), "what came before is not shown now");
    bench.tell(picture(&png(2)));
    bench.tell(picture(&png(3)));
    assert_eq!((bench.mark(), bench.hub.health().looks_unasked), (Some(3), 3), "the last one");
    assert!(bench.hub.board(&jiff::tz::TimeZone::UTC).carts.iter().any(|card| card.shared));
}

#[test]
fn whatever_ends_it_throws_the_picture_away() {
    let closed = || TripEvent::TripClosed { ending: Ending::Empty };
    for end in [TripEvent::ScreenUnshared, TripEvent::HelpEnded, closed()] {
        let (mut bench, mut cart) = shared();
        bench.hears(&mut cart, end.clone());
        assert!(bench.mark().is_none() && bench.hub.looks.is_empty(), "{end:?}");
        bench.tell(picture(&png(2)));
        assert!(bench.hub.looks.is_empty(), "{end:?}: one that was under way");
    }
    let trip = FakeCart::new("cart-1").id;
    let keys = BTreeMap::from([(trip.clone(), FakeCart::new("cart-1").key.verifying_key())]);
    let revoked = Input::Carts(Carts { keys, revoked: [trip].into() });
    let mut clone = FakeCart::new("cart-1");
    clone.write(TripEvent::HelpCalled);
    let down = Input::Bus(BusEvent::Down { why: "cut".into() });
    for (what, end) in
        [("revoked", revoked), ("fenced", clone.all()), ("its own death", presence(false, 1)), ("no broker", down)]
    {
        let (mut bench, _) = shared();
        bench.tell(end);
        assert!(bench.mark().is_none() && bench.hub.looks.is_empty(), "{what}");
        bench.tell(picture(&png(2)));
        assert!(bench.hub.looks.is_empty(), "{what}: one that was under way");
    }
    let (mut bench, cart) = shared();
    let trip = cart.state.trip.clone().expect("a trip");
    bench.tell(Input::Staff(StaffAction::TakeBasket { cart: cart.id.clone(), trip, sure: true }));
    assert!(bench.seen().is_none() && bench.hub.looks.is_empty(), "its basket is at a till");
}

#[test]
fn a_hub_that_starts_again_has_no_picture_and_still_knows_who_agreed() {
    let (bench, _) = shared();
    let mut bench = bench.restart();
    bench.tell(Input::Bus(BusEvent::Up));
    assert_eq!(bench.seen(), Some(Shown::ToNobody), "the cart is not heard yet");
    bench.tell(presence(true, 1));
    assert_eq!(bench.seen(), Some(Shown::Soon));
    bench.tell(picture(&png(2)));
    assert_eq!(bench.mark(), Some(2));
}

#[test]
fn what_is_no_picture_is_refused_and_the_last_one_stays() {
    let (mut bench, _) = shared();
    let before = bench.hub.health().refused;
    bench.tell(picture(b"<svg onload=alert(1)>"));
    bench.tell(message(&CartId::new("cart-1").expect("valid"), Leaf::Look, b"{\"v\":1,\"png\":\"***\"}".to_vec()));
    bench.tell(message(&CartId::new("cart-1").expect("valid"), Leaf::Look, b"\x89PNG".to_vec()));
    let large = vec![0; trip::bounds::MAX_LOOK_BYTES + 3];
    bench.tell(picture(&[png(9), large].concat()));
    assert_eq!((bench.mark(), bench.hub.health().refused - before), (Some(1), 4));
}
