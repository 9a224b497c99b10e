//! How a cart joins, and how it does not.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use rustls::pki_types::UnixTime;
use rustls::time_provider::{DefaultTimeProvider, TimeProvider};
use store_sync::identity::{Identity, path_in};
use store_sync::provisioning::{join, renew};
use store_sync::tls;
use trip::provisioning::{Code, Fingerprint, Secret};

use crate::harness::{Cart, Store};

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_joins_with_its_code_once_and_its_files_are_its_own() {
    let mut store = Store::open("market-street");
    store.start();
    let code = store.code("cart-01");
    let mut cart = Cart::new(&store.name, "cart-01");
    cart.join(&store, &code).await.expect("it joins");
    assert_eq!(cart.identity().granted.cart, cart.id);
    let path = path_in(cart.data());
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    assert_eq!((mode(&path), mode(path.parent().expect("a folder"))), (0o600, 0o700));
    let loaded = Identity::load(cart.data(), &cart.store, &cart.id).expect("it reads its own");
    assert_eq!(loaded.granted, cart.identity().granted);

    let again = Cart::new(&store.name, "cart-01").join(&store, &code).await.expect_err("used").to_string();
    assert!(again.contains("used already"), "{again}");
    assert!(store.command(&["carts"]).contains("cart-01  certificate until 20"), "{}", store.command(&["carts"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_secret_goes_to_no_hub_but_the_one_that_the_code_is_of() {
    let (mut store, mut other) = (Store::open("market-street"), Store::open("other"));
    store.start();
    other.start();
    let code = store.code("cart-01");
    let mut cart = Cart::new(&store.name, "cart-01");
    let error = cart.join(&other, &code).await.expect_err("the other hub").to_string();
    assert!(error.contains("fingerprint"), "{error}");
    // Also one that knows the fingerprint of a certificate which it has no key of.
    let stranger = Code { fingerprint: Fingerprint::of(b"another authority"), ..code.clone() };
    let error = cart.join(&store, &stranger).await.expect_err("a wrong fingerprint").to_string();
    assert!(error.contains("fingerprint"), "{error}");
    cart.join(&store, &code).await.expect("no hub had its secret: it is still good");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guess_is_refused_in_words_for_whoever_stands_there() {
    let mut store = Store::open("market-street");
    store.start();
    let right = store.code("cart-01");
    let guess = Code { secret: Secret::from_random([7; 8]), ..right };
    let error = Cart::new(&store.name, "cart-01").join(&store, &guess).await.expect_err("a guess").to_string();
    assert!(error.contains("ask for a new one"), "{error}");
}

/// A clock that stands.
#[derive(Debug)]
struct Stands(u64);

impl TimeProvider for Stands {
    fn current_time(&self) -> Option<UnixTime> {
        Some(UnixTime::since_unix_epoch(std::time::Duration::from_secs(self.0)))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_with_a_wrong_clock_is_told_that_it_is_the_clock() {
    let mut store = Store::open("market-street");
    store.start();
    let code = store.code("cart-01");
    let cart = Cart::new(&store.name, "cart-01");
    for (seconds, what) in [(1_000_000_000, "not valid yet"), (4_000_000_000, "has expired")] {
        let error = join(&store.url(), &code, &cart.key, Arc::new(Stands(seconds))).await.expect_err(what).to_string();
        assert!(error.contains(what) && error.contains("clock"), "{error}");
        assert!(error.contains(&seconds.to_string()), "it does not say what the clock says: {error}");
    }
    join(&store.url(), &code, &cart.key, Arc::new(DefaultTimeProvider)).await.expect("the code is still good");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_identity_that_cannot_be_used_says_so_by_the_name_of_its_file() {
    let mut store = Store::open("market-street");
    store.start();
    let cart = store.joined("cart-01").await;
    let path = path_in(cart.data());
    let whole = std::fs::read(&path).expect("there");
    let load = || Identity::load(cart.data(), &cart.store, &cart.id).map_err(|e| e.to_string());
    let refused = |part: &str| {
        let error = load().expect_err(part);
        assert!(error.contains(part) && error.contains("identity"), "{error}");
        assert!(!error.contains("PRIVATE KEY"), "the error shows the key: {error}");
    };
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
    refused("chmod 600");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
    for end in [0, 1, whole.len() / 3, whole.len() / 2, whole.len() - 1] {
        std::fs::write(&path, &whole[..end]).expect("written");
        refused("cut short");
    }
    let text = String::from_utf8(whole.clone()).expect("text");
    std::fs::write(&path, text.replace("-----END PRIVATE KEY-----\\n", "")).expect("written");
    refused("private key");
    std::fs::write(&path, text.replacen("-----END CERTIFICATE-----\\n", "", 1)).expect("written");
    refused("certificate");
    std::fs::write(&path, &whole).expect("written");
    load().expect("as before");
    let other = trip::CartId::new("cart-02").expect("valid");
    let error = Identity::load(cart.data(), &cart.store, &other).expect_err("another's").to_string();
    assert!(error.contains("cart-01") && error.contains("cart-02"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_renews_by_itself_and_a_revoked_one_does_not() {
    let mut store = Store::open("market-street");
    store.start();
    let cart = store.joined("cart-01").await;
    let (before, tls) = (cart.identity(), cart.tls());
    let due = before.renewal_due_s();
    assert!(due > before.granted.not_before_s && due < before.granted.not_after_s);
    let after = renew(before, &tls, cart.data()).await.expect("renewed");
    assert_ne!(after.granted.certificate, before.granted.certificate);
    assert_eq!(after.granted.cart, before.granted.cart);
    // With what it shows now it renews once more; and what is on the disk is the newest.
    let third = renew(&after, &tls, cart.data()).await.expect("renewed");
    assert_eq!(Identity::load(cart.data(), &cart.store, &cart.id).expect("kept").granted, third.granted);

    store.command(&["revoke", "--cart", "cart-01"]);
    // The old certificate as well as the new one: both are the cart's.
    for identity in [before, &third] {
        let tls = tls::client(identity).expect("it still has its files");
        let refused = async {
            loop {
                match renew(identity, &tls, cart.data()).await {
                    Err(why) if why.to_string().contains("revoked") => return,
                    // The hub learns of it within a moment; and a refusal may show as a connection that broke.
                    _ => tokio::time::sleep(std::time::Duration::from_millis(50)).await,
                }
            }
        };
        tokio::time::timeout(crate::harness::PATIENCE, refused).await.expect("refused in time");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_but_joining_is_for_strangers() {
    let mut store = Store::open("market-street");
    store.start();
    let cart = store.joined("cart-01").await;
    let pinned = identity::pin::Pinned::new(store.code("cart-02").fingerprint);
    let nobody = tls::first_contact(pinned, Arc::new(DefaultTimeProvider)).expect("TLS");
    let hub = store_sync::https::Hub::new(&store.url(), nobody).expect("an address");
    for (path, body) in [("/v1/renew", Some(b"{\"v\":1,\"request\":\"\"}".to_vec())), ("/v1/releases/catalogue", None)]
    {
        let error = hub.ask(path, body, 10_000, tls::now()).await.expect_err("a stranger").to_string();
        assert!(error.contains("show a certificate"), "{error}");
    }
    let hub = store_sync::https::Hub::new(&store.url(), cart.tls().config).expect("an address");
    hub.ask("/v1/releases/catalogue", None, 10_000, tls::now()).await.expect("for carts");
}

#[test]
fn a_hub_whose_keys_others_may_read_does_not_start() {
    let store = Store::open("market-street");
    store.code("cart-01");
    for name in ["authority-key.pem", "registry.db"] {
        let path = store.path("hub/identity").join(name);
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("set");
        let said = store.fails_to_start();
        assert!(said.contains(name) && said.contains("chmod 600"), "{said}");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).expect("set");
    }
    let folder = store.path("hub/identity");
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("set");
    assert!(store.fails_to_start().contains("chmod 700"));
}
