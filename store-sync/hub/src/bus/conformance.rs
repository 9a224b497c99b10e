//! What every [`Bus`] must do, tried with a second client that plays a cart.

use std::time::Duration;

use super::{Bus, BusEvent, External, Line, MAX_PAYLOAD_BYTES, Outgoing, Wishes};

/// Runs every claim.
pub(crate) async fn run(bus: impl Bus) {
    let will = Outgoing { topic: "t/hub".into(), payload: b"gone".to_vec(), retain: true };
    let wishes = Wishes { client: "the-hub".into(), subscriptions: vec!["t/+/up".into(), "t/+/birth".into()], will };
    let mut hub = bus.start(wishes).await.expect("it starts");
    assert_eq!(next(&mut hub).await, BusEvent::Up, "the first word is that it is up");

    let mut cart = cart(&hub, "cart").await;
    say(&cart, "t/a/up", b"hello", false);
    assert_eq!(next(&mut hub).await, heard("t/a/up", b"hello"), "what a cart says is heard");
    let large = vec![b'x'; MAX_PAYLOAD_BYTES - 1024];
    say(&cart, "t/a/up", &large, false);
    assert_eq!(next(&mut hub).await, heard("t/a/up", &large), "a large batch is carried whole");
    say(&hub, "t/a/down", b"well", false);
    assert_eq!(next(&mut cart).await, heard("t/a/down", b"well"), "what the hub says is heard");

    say(&hub, "t/kept", b"old", true);
    say(&hub, "t/kept", b"new", true);
    assert_eq!(next(&mut cart).await, heard("t/kept", b"old"));
    assert_eq!(next(&mut cart).await, heard("t/kept", b"new"));
    let mut late = self::cart(&hub, "late").await;
    assert_eq!(next(&mut late).await, heard("t/kept", b"new"), "what is retained is heard by who comes later");
}

async fn cart(hub: &Line, name: &str) -> Line {
    let will = Outgoing { topic: format!("t/{name}/birth"), payload: vec![], retain: false };
    let subscriptions = vec!["t/a/down".into(), "t/kept".into()];
    let mut line = External { address: hub.address.clone(), tls: None }
        .start(Wishes { client: name.into(), subscriptions, will })
        .await
        .expect("the cart connects");
    assert_eq!(next(&mut line).await, BusEvent::Up);
    line
}

fn say(line: &Line, topic: &str, payload: &[u8], retain: bool) {
    line.outgoing.send(Outgoing { topic: topic.into(), payload: payload.to_vec(), retain }).expect("the line is up");
}

fn heard(topic: &str, payload: &[u8]) -> BusEvent {
    BusEvent::Message { topic: topic.into(), payload: payload.to_vec() }
}

async fn next(line: &mut Line) -> BusEvent {
    tokio::time::timeout(Duration::from_secs(20), line.events.recv()).await.expect("in time").expect("the line lives")
}
