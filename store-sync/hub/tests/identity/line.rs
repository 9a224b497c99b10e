//! The line of a cart that has joined: what gets through, and what ends it.

use std::sync::Arc;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS, TlsConfiguration, Transport};
use rustls::ClientConfig;
use store_sync::identity::Identity;
use store_sync::tls;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use trip::TripEvent;

use crate::harness::{Cart, PATIENCE, Store};

#[tokio::test(flavor = "multi_thread")]
async fn what_a_cart_writes_arrives_over_tls_and_is_acked() {
    let mut store = Store::open("market-street");
    store.start();
    let cart = store.joined("cart-01").await;
    let mut line = cart.line();
    line.connected(true).await;
    let last = cart.write(TripEvent::HelpCalled);
    line.appended.send_replace(last);
    cart.acked(last).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revoked_cart_is_off_the_line_at_once_and_joins_anew_with_a_code() {
    let mut store = Store::open("market-street");
    store.start();
    let mut cart = store.joined("cart-01").await;
    let mut line = cart.line();
    line.appended.send_replace(cart.write(TripEvent::HelpCalled));
    cart.acked(1).await;
    line.connected(true).await;

    store.command(&["revoke", "--cart", "cart-01"]);
    line.connected(false).await;
    let error = refusal(cart.tls().config, store.mqtt_tls().port(), "market-street-cart-01").await;
    assert!(error.contains("revoked"), "{error}");
    drop(line);

    // Also after a restart of the hub.
    store.start();
    cart.write(TripEvent::HelpEnded);
    let error = refusal(cart.tls().config, store.mqtt_tls().port(), "market-street-cart-01").await;
    assert!(error.contains("revoked"), "{error}");
    let code = store.code("cart-01");
    cart.join(&store, &code).await.expect("it joins anew");
    let _line = cart.line();
    cart.acked(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_of_another_store_is_refused_and_so_is_none() {
    let (mut store, mut other) = (Store::open("market-street"), Store::open("other"));
    store.start();
    other.start();
    let (cart, stranger) = (store.joined("cart-01").await, other.joined("cart-01").await);
    let port = store.mqtt_tls().port();

    // As it is, the stranger does not trust this hub either.
    let error = refusal(stranger.tls().config, port, "other-cart-01").await;
    assert!(error.contains("another store's authority"), "{error}");
    // One that was made to trust it is refused by the hub.
    let mut granted = stranger.identity().granted.clone();
    granted.authority.clone_from(&cart.identity().granted.authority);
    let kept = std::fs::read_to_string(store_sync::identity::path_in(stranger.data())).expect("there");
    let kept: serde_json::Value = serde_json::from_str(&kept).expect("JSON");
    let key = kept["key"].as_str().expect("a key");
    let place = tempfile::tempdir().expect("a folder");
    let forged = Identity::keep(place.path(), granted, key, &store.url()).expect("kept");
    let error = refusal(tls::client(&forged).expect("TLS").config, port, "market-street-cart-01").await;
    assert!(error.contains("is of another store"), "{error}");

    let roots = identity::trust::roots(&cart.identity().authority().expect("whole")).expect("a root");
    let nobody = ClientConfig::builder_with_provider(identity::trust::provider())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("TLS 1.3")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let error = refusal(Arc::new(nobody), port, "market-street-cart-01").await;
    assert!(error.contains("provision it first"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_line_gets_nowhere_at_the_front() {
    let mut store = Store::open("market-street");
    store.start();
    let mut socket = tokio::net::TcpStream::connect(store.mqtt_tls()).await.expect("a connection");
    let connect = b"\x10\x19\x00\x04MQTT\x04\x02\x00\x3c\x00\x0dmarket-street";
    socket.write_all(connect).await.expect("sent");
    let mut answer = Vec::new();
    let read = tokio::time::timeout(PATIENCE, socket.read_to_end(&mut answer)).await.expect("it ends in time");
    // At most a TLS alert, and no CONNACK (0x20).
    assert!(read.is_err() || answer.first().is_none_or(|byte| *byte == 0x15), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cart_that_reaches_for_anothers_topics_is_off_the_line() {
    let mut store = Store::open("market-street");
    store.start();
    let (thief, victim) = (store.joined("cart-01").await, store.joined("cart-02").await);
    let port = store.mqtt_tls().port();
    let mut line = victim.line();
    line.connected(true).await;

    let name = "market-street-cart-01";
    let ends = async |act: &dyn Fn(&AsyncClient)| {
        let (client, mut events) = connect(thief.tls().config, port, name);
        answered(&mut events).await;
        act(&client);
        let ended = async { while events.poll().await.is_ok() {} };
        tokio::time::timeout(PATIENCE, ended).await.expect("the hub ends it in time");
    };
    ends(&|client| client.try_subscribe("#", QoS::AtLeastOnce).expect("queued")).await;
    ends(&|client| client.try_subscribe("tr1/market-street/cart/cart-02/down/+", QoS::AtMostOnce).expect("queued"))
        .await;
    for topic in [
        "tr1/market-street/cart/cart-02/down/ack",
        "tr1/market-street/cart/cart-02/up/event",
        "tr1/market-street/hub/state",
    ] {
        ends(&|client| {
            client
                .try_publish(topic, QoS::AtLeastOnce, true, "{\"v\":1,\"online\":false,\"boot_epoch\":9}")
                .expect("queued")
        })
        .await;
    }
    // Nor may it call itself another cart.
    let (_client, mut events) = connect(thief.tls().config, port, "market-street-cart-02");
    let refused = async { while events.poll().await.is_ok() {} };
    tokio::time::timeout(PATIENCE, refused).await.expect("refused in time");

    line.appended.send_replace(victim.write(TripEvent::HelpCalled));
    victim.acked(1).await;
    let log = String::from_utf8_lossy(&store.log()).into_owned();
    assert!(log.contains("it subscribes to #"), "staff cannot see what happened");
}

fn connect(tls: Arc<ClientConfig>, port: u16, name: &str) -> (AsyncClient, rumqttc::EventLoop) {
    let mut options = MqttOptions::new(name, "localhost", port);
    options.set_transport(Transport::tls_with_config(TlsConfiguration::Rustls(tls)));
    AsyncClient::new(options, 16)
}

async fn answered(events: &mut rumqttc::EventLoop) {
    let connected =
        async { while !matches!(events.poll().await.expect("it may connect"), Event::Incoming(Packet::ConnAck(_))) {} };
    tokio::time::timeout(PATIENCE, connected).await.expect("in time");
}

/// Connects until it is refused, and returns why.
async fn refusal(tls: Arc<ClientConfig>, port: u16, name: &str) -> String {
    let refused = async {
        loop {
            let (_client, mut events) = connect(tls.clone(), port, name);
            match events.poll().await {
                Err(why) => match store_sync::tls::complaint(&why, store_sync::tls::now()) {
                    Some(why) => return why,
                    None => tokio::time::sleep(Duration::from_millis(50)).await,
                },
                Ok(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, refused).await.expect("refused in time")
}

#[tokio::test(flavor = "multi_thread")]
async fn two_carts_with_one_identity_are_found_and_neither_is_acked() {
    let mut store = Store::open("market-street");
    store.start();
    let cart = store.joined("cart-01").await;
    let line = cart.line();
    line.appended.send_replace(cart.write(TripEvent::HelpCalled));
    cart.acked(1).await;
    drop(line);

    // The disk was copied before the first trip: the same keys, the same journal, another past.
    let mut clone = Cart::new(&store.name, "cart-01");
    clone.key = cart.key.clone();
    clone.write(TripEvent::HelpEnded);
    let copied = clone.with_identity_of(&cart);
    let _theirs = copied.line();
    let seen = async {
        while !String::from_utf8_lossy(&store.log()).contains("two writers use this cart's identity") {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(PATIENCE, seen).await.expect("staff are told in time");
    assert_eq!(copied.journal.lock().expect("whole").acked, 0);
}
