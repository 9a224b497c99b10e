//! What a cart says to the hub. The first byte chooses the topic; for `b` the rest is the body of a batch, which is
//! signed here, so that what lies behind the signature is tried too.

use std::convert::Infallible;

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use ed25519_dalek::Signer;
use store_hub::ingest::{self, Followed, Opened, Refusal};
use trip::chain::Head;
use trip::message::{BATCH_LABEL, Batch, Look, Offer, Pairing, Presence, Signed, Telemetry, VERSION};
use trip::pairing::Token;
use trip::{CartId, Hash, TripId, UnixMillis};

use crate::down::same_again;
use crate::memory::bounded;
use crate::sample::{EPOCH, KEY, cart, chained, json, store, trip, trip_events};

pub(crate) fn check(data: &[u8]) {
    let Some((which, payload)) = data.split_first() else { return };
    bounded(data, || match which {
        b'p' => same_again::<Presence>(payload),
        b't' => same_again::<Telemetry>(payload),
        b'o' => same_again::<Pairing>(payload),
        b'l' => same_again::<Look>(payload),
        b's' => unsigned(payload),
        _ => batch(&String::from_utf8_lossy(payload)),
    });
}

/// What nobody signed is never opened.
fn unsigned(payload: &[u8]) {
    let key = KEY.verifying_key();
    if let Ok(opened) = ingest::open(payload, &cart(), Some(&key)) {
        // The seed is the one body that was ever signed.
        let Batch { cart, epoch, records, .. } = part();
        assert_eq!((&opened.cart, opened.epoch), (&cart, epoch), "a forged batch was opened");
        assert!(opened.texts().eq(records.iter().map(String::as_str)), "a forged batch was opened");
    }
    assert!(ingest::open(payload, &cart(), None).is_err());
}

fn signed(body: &str) -> Vec<u8> {
    let signature = KEY.sign(&Signed::message(BATCH_LABEL, body));
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signature.to_bytes());
    json(&Signed { v: VERSION, body: body.to_owned(), signature })
}

/// A signed batch is taken up to the first fault, and taking it twice has no second effect.
fn batch(body: &str) {
    let payload = signed(body);
    let open = || ingest::open(&payload, &cart(), Some(&KEY.verifying_key()));
    let (opened, twice) = match (open(), open()) {
        (Ok(opened), Ok(twice)) => (opened, twice),
        (Err(why), _) | (_, Err(why)) => return assert!(!why.to_string().is_empty()),
    };
    assert_eq!(opened.cart, cart());
    let (epoch, sent) = (opened.epoch, opened.texts().map(str::to_owned).collect::<Vec<_>>());
    let first = follow(opened, Head::default(), &[]);
    let texts: Vec<String> = first.records.iter().map(|(_, text)| text.clone()).collect();
    for (n, (record, text)) in first.records.iter().enumerate() {
        assert_eq!((record.seq, &record.store, &record.cart, record.epoch), (n as u64 + 1, &store(), &cart(), epoch));
        assert!(sent.contains(text));
    }
    assert_eq!(first.head.seq, texts.len() as u64);
    let last = texts.last().map_or(Hash::GENESIS, |text| Hash::of(text.as_bytes()));
    assert_eq!(first.head.hash, last, "the head is the last record's");
    let again = follow(twice, first.head, &texts);
    assert!(again.records.is_empty(), "a record was taken twice");
    assert_eq!(again.head, first.head);
    assert_eq!(again.refusal.as_ref().map(Refusal::response), first.refusal.as_ref().map(Refusal::response));
}

fn follow(opened: Opened, head: Head, stored: &[String]) -> Followed {
    let had = |seq: u64| Ok::<_, Infallible>(seq.checked_sub(1).and_then(|n| stored.get(n as usize)).cloned());
    // Another cart began the trips whose names begin with its own.
    let owner =
        |trip: &TripId| Ok(trip.as_str().starts_with("cart-02").then(|| crate::sample::right(CartId::new("cart-02"))));
    let epoch = opened.epoch;
    let Ok(followed) = ingest::follow(opened, &store(), head, epoch, had, owner);
    for (record, _) in &followed.records {
        if let trip::TripEvent::TripStarted { trip, .. } = &record.event {
            assert!(!trip.as_str().starts_with("cart-02"), "another cart's trip was begun");
        }
    }
    followed
}

fn whole() -> Batch {
    let (records, _) = chained(&trip_events());
    Batch { v: VERSION, cart: cart(), epoch: EPOCH, records }
}

fn part() -> Batch {
    Batch { records: whole().records[..4].to_vec(), ..whole() }
}

pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let telemetry = Telemetry {
        v: VERSION,
        at: UnixMillis(1_800_000_000_000),
        battery_percent: Some(81),
        charging: true,
        unsynced: 3,
        faults: vec!["camera 0".into(), "scale".into()],
        version: "0.1.0".into(),
        battery_minutes: Some(300),
        battery_low: false,
        left_minutes: Some(2),
    };
    let token = Token::derive(&Hash::of(b"seed"), 1).digest();
    let offer = Pairing { v: VERSION, boot_epoch: EPOCH, offer: Some(Offer { trip: trip(), tokens: vec![token] }) };
    let batch = whole();
    let part = part();
    let twice = Batch { records: [&part.records[..], &part.records[..2]].concat(), ..batch.clone() };
    let gap = Batch { records: [&part.records[..1], &part.records[2..]].concat(), ..batch.clone() };
    let presence = Presence { v: VERSION, online: true, boot_epoch: EPOCH };
    vec![
        ("presence", [b"p".to_vec(), json(&presence)].concat()),
        ("telemetry", [b"t".to_vec(), json(&telemetry)].concat()),
        ("offer", [b"o".to_vec(), json(&offer)].concat()),
        ("look", [b"l".to_vec(), json(&Look { v: VERSION, png: "iVBORw0KGgo".into() })].concat()),
        ("signed", [b"s".to_vec(), signed(&String::from_utf8_lossy(&json(&part)))].concat()),
        ("batch", [b"b".to_vec(), json(&part)].concat()),
        ("batch-twice", [b"b".to_vec(), json(&twice)].concat()),
        ("batch-gap", [b"b".to_vec(), json(&gap)].concat()),
    ]
}
