//! What carts are given to run by, over the cart's own line.

use store_sync::releases::{RefusedRelease, Shelf};
use trip::release::Kind;

use crate::harness::{Cart, GOODS, Store};

async fn fetch(store: &Store, cart: &Cart) -> Result<Option<u64>, RefusedRelease> {
    let identity = cart.identity();
    let shelf = Shelf::new(cart.data(), cart.store.clone(), identity.release_keys());
    let taken = shelf.fetch(Kind::Catalogue, &store.url(), cart.tls().config).await?;
    Ok(taken.map(|(manifest, _)| manifest.version))
}

fn goods(cart: &Cart) -> String {
    let shelf = Shelf::new(cart.data(), cart.store.clone(), cart.identity().release_keys());
    let (_, file) = shelf.current(Kind::Catalogue).expect("a catalogue");
    String::from_utf8(file).expect("text")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_takes_a_newer_catalogue_and_never_an_older_one() {
    let mut store = Store::open("market-street");
    store.start();
    let cart = store.joined("cart-01").await;
    assert_eq!(fetch(&store, &cart).await.expect("taken"), Some(1));
    assert_eq!(fetch(&store, &cart).await.expect("here already"), None);
    assert_eq!(goods(&cart), GOODS);

    let dearer = GOODS.replace("Market Street", "Market Street, new prices");
    std::fs::write(store.path("goods.toml"), &dearer).expect("written");
    store.start();
    assert_eq!(fetch(&store, &cart).await.expect("taken"), Some(2));
    assert_eq!(goods(&cart), dearer);

    // A hub that was set back to its first day, and has its keys, gives out an old version again.
    let registry = rusqlite::Connection::open(store.path("hub/identity/registry.db")).expect("opened");
    registry.execute("DELETE FROM release", []).expect("set back");
    drop(registry);
    std::fs::write(store.path("goods.toml"), GOODS).expect("written");
    store.start();
    let why = fetch(&store, &cart).await.expect_err("rolled back");
    assert!(why.is_an_alarm() && why.to_string().contains("never go back"), "{why}");
    assert_eq!(goods(&cart), dearer, "the last good one stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_that_another_key_has_signed_is_not_taken() {
    let mut store = Store::open("market-street");
    store.start();
    let cart = store.joined("cart-01").await;
    assert_eq!(fetch(&store, &cart).await.expect("taken"), Some(1));
    // Somebody has the hub's folder but for the release key.
    std::fs::write(store.path("goods.toml"), GOODS.replace("Market Street", "Cheap Street")).expect("written");
    std::fs::remove_file(store.path("hub/identity/release.key")).expect("removed");
    store.start();
    let why = fetch(&store, &cart).await.expect_err("forged");
    assert!(why.is_an_alarm() && why.to_string().contains("signature"), "{why}");
    assert_eq!(goods(&cart), GOODS, "the last good one stays");
}
