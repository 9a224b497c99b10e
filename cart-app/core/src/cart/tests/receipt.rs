//! The receipt on the screen, as the store signed it.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ed25519_dalek::SigningKey;
use trip::message::Desired;
use trip::{Hash, StoreId, receipt};

use super::*;

/// When the hub says it was paid.
const AT: UnixMillis = UnixMillis(1_795_615_500_000);

fn paid_bench() -> Bench {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.9)]);
    bench.load(150.0);
    bench.at_the_lane();
    bench.order(Order::AwaitTap { intent: intent() });
    bench.order(paid(250));
    bench
}

fn told_key(key: &SigningKey) -> Input {
    let receipt_key = URL_SAFE_NO_PAD.encode(key.verifying_key().as_bytes());
    Input::Desired(Desired { v: VERSION, catalogue: Hash::GENESIS, receipt_key, pair_url: None })
}

fn sealed(bench: &Bench, key: &SigningKey) -> receipt::Sealed {
    let totals = trip::pricing::price(&bench.cart.state().basket, &catalogue()).expect("priced");
    let receipt = receipt::Receipt {
        v: 1,
        number: "MS-1".into(),
        store: StoreId::new("market-street").expect("valid"),
        store_name: "Market Street".into(),
        trip: bench.cart.state().trip.clone().expect("a trip"),
        lane: LaneId::new("lane-1").expect("valid"),
        at: AT,
        catalogue: Hash::GENESIS,
        charged: totals.total,
        totals,
        tender: Tender { kind: "visa".into(), reference: "r".into() },
        member: None,
    };
    receipt::seal(&receipt, key)
}

fn shown_at(bench: &Bench) -> Option<UnixMillis> {
    match bench.cart.view().screen {
        Screen::Receipt(receipt) => receipt.at,
        other => panic!("no receipt, but {other:?}"),
    }
}

#[test]
fn the_receipt_has_the_hubs_time_and_a_restart_keeps_it() {
    let (mut bench, key) = (paid_bench(), SigningKey::from_bytes(&[7; 32]));
    let sealed = sealed(&bench, &key);
    bench.input(told_key(&key));
    let cose = URL_SAFE_NO_PAD.encode(&sealed.cose);
    bench.order(Order::Receipt { number: "MS-1".into(), digest: sealed.digest, cose, qr: sealed.qr.clone() });
    assert_eq!(shown_at(&bench), Some(AT));
    let mut again = Bench::from(bench.journal.clone(), 150.0);
    assert_eq!(shown_at(&again), None, "no QR, no word of the hub's");
    again.cart.receipt_qr = Some(sealed.qr);
    assert_eq!(shown_at(&again), None, "the key is not known yet");
    again.input(told_key(&key));
    assert_eq!(shown_at(&again), Some(AT));
    again.input(told_key(&SigningKey::from_bytes(&[8; 32])));
    assert_eq!(shown_at(&again), None, "a word that another key signed is none");
}
