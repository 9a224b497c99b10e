//! Carts that were revoked, and carts whose identity two writers use.

use std::collections::BTreeSet;

use super::*;
use crate::hub::{Carts, StaffAction};
use crate::web::board::CartStatus;

fn carts(key: &SigningKey, revoked: &[&CartId]) -> Input {
    let id = CartId::new("cart-1").expect("valid");
    Input::Carts(Carts {
        keys: BTreeMap::from([(id, key.verifying_key())]),
        revoked: revoked.iter().map(|cart| (*cart).clone()).collect::<BTreeSet<_>>(),
    })
}

/// A hub that has three records of `cart`, and a second writer with the same key who wrote one of his own.
fn forked() -> (Bench, FakeCart) {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.all());
    let mut clone = FakeCart::new("cart-1");
    clone.write(TripEvent::HelpCalled);
    bench.tell(clone.all());
    (bench, cart)
}

fn status(bench: &Bench) -> (CartStatus, bool) {
    let board = bench.hub.board(&jiff::tz::TimeZone::UTC);
    let card = board.carts.iter().find(|card| card.cart.as_str() == "cart-1").expect("shown");
    (card.status, card.alarm.is_some())
}

#[test]
fn a_second_writer_fences_the_cart_and_staff_are_told() {
    let (mut bench, mut cart) = forked();
    assert_eq!(status(&bench), (CartStatus::Fenced, true));
    // Neither writer gets on, for nobody can tell which is the true one; and nothing of it is kept.
    cart.write(TripEvent::HelpCalled);
    bench.tell(cart.batch(3, 4));
    assert_eq!((bench.acked(), bench.hub.storage.record(&cart.id, 7, 4).expect("read")), (vec![], None));
    assert_eq!(bench.hub.storage.quarantine(9).expect("read").len(), 1);
    // Also not when the broker or the cart comes back.
    bench.tell(Input::Bus(BusEvent::Up));
    assert!(bench.acked().is_empty());
    let birth = Presence { v: 1, online: true, boot_epoch: 9 };
    bench.tell(message(&cart.id, Leaf::Presence, serde_json::to_vec(&birth).expect("plain")));
    assert!(bench.acked().is_empty());
}

#[test]
fn a_fence_stands_over_a_restart_until_staff_have_looked() {
    let (bench, mut cart) = forked();
    let mut bench = bench.restart();
    cart.write(TripEvent::HelpCalled);
    bench.tell(cart.batch(3, 4));
    assert!(bench.acked().is_empty());
    bench.tell(Input::Staff(StaffAction::LiftFence { cart: cart.id.clone() }));
    assert_eq!(bench.acked(), [3], "the cart is told from where to send again");
    bench.tell(cart.batch(3, 4));
    assert_eq!(bench.acked(), [4]);
    assert_ne!(status(&bench).0, CartStatus::Fenced);
}

#[test]
fn an_older_journal_that_comes_back_fences_the_cart() {
    let (mut bench, mut old) = (Bench::new(), FakeCart::new("cart-1"));
    old.write(TripEvent::HelpCalled);
    bench.tell(old.all());
    let mut new = FakeCart { epoch: 8, ..FakeCart::new("cart-1") };
    new.write(TripEvent::HelpCalled);
    bench.tell(new.all());
    assert_eq!(bench.acked(), [1]);
    // What the hub has of the old journal may come again: a message that was late.
    bench.tell(old.all());
    assert_ne!(status(&bench).0, CartStatus::Fenced);
    old.write(TripEvent::HelpEnded);
    bench.tell(old.batch(1, 2));
    assert_eq!((bench.acked(), status(&bench)), (vec![], (CartStatus::Fenced, true)));
}

#[test]
fn a_stranger_cannot_fence_a_cart() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.all());
    let mut stranger = FakeCart { key: SigningKey::from_bytes(&[3; 32]), ..FakeCart::new("cart-1") };
    stranger.write(TripEvent::HelpCalled);
    bench.tell(stranger.all());
    assert!(!status(&bench).1);
}

#[test]
fn a_revoked_cart_is_taken_in_no_more_however_it_signs() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.batch(0, 1));
    assert_eq!(bench.acked(), [1]);
    bench.tell(carts(&cart.key, &[&cart.id]));
    bench.tell(cart.all());
    assert_eq!((bench.acked(), bench.hub.storage.record(&cart.id, 7, 2).expect("read")), (vec![], None));
    assert_eq!(status(&bench), (CartStatus::Revoked, true));
    assert_eq!(bench.hub.storage.quarantine(9).expect("read"), [], "what it sends is not even kept");
    bench.tell(carts(&cart.key, &[]));
    bench.tell(cart.all());
    assert_eq!(bench.acked(), [3]);
}

#[test]
fn a_cart_that_joins_while_the_hub_runs_is_greeted_and_its_old_key_is_void() {
    let (mut bench, mut cart) = forked();
    let new_key = SigningKey::from_bytes(&[77; 32]);
    bench.tell(carts(&new_key, &[]));
    assert!(!status(&bench).1, "with a new key the fence is down");
    cart.write(TripEvent::HelpCalled);
    bench.tell(cart.batch(3, 4));
    assert!(bench.acked().is_empty(), "the old key is void");
    let mut cart = FakeCart { key: new_key, ..cart };
    cart.write(TripEvent::HelpEnded);
    bench.tell(cart.batch(3, 5));
    assert_eq!(bench.acked(), [5]);
    let other = CartId::new("cart-9").expect("valid");
    bench.tell(Input::Carts(Carts {
        keys: BTreeMap::from([(cart.id.clone(), cart.key.verifying_key()), (other, new_key_of(9))]),
        revoked: BTreeSet::new(),
    }));
    assert_eq!(bench.published::<trip::message::Desired>(Leaf::Desired).len(), 1, "the new one is told what to be");
}

fn new_key_of(n: u8) -> ed25519_dalek::VerifyingKey {
    SigningKey::from_bytes(&[n; 32]).verifying_key()
}
