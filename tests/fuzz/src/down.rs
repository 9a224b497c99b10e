//! What the hub says to a cart. The first byte chooses the topic.

use trip::message::{Ack, Command, Desired, HubState, Message, Order, VERSION, read};
use trip::{Hash, HoldId, LineId, Member, UnixMillis, topics};

use crate::memory::bounded;
use crate::sample::{CATALOGUE, EPOCH, chained, intent, json, pounds, store, tender, trip, trip_events};

pub(crate) fn check(data: &[u8]) {
    let Some((which, payload)) = data.split_first() else { return };
    bounded(data, || match which {
        b'c' => same_again::<Command>(payload),
        b'd' => same_again::<Desired>(payload),
        b'a' => same_again::<Ack>(payload),
        b'h' => same_again::<HubState>(payload),
        _ => topic(&String::from_utf8_lossy(payload)),
    });
}

/// What was read is written and read again as the same.
pub(crate) fn same_again<M: Message + serde::Serialize + PartialEq + std::fmt::Debug>(payload: &[u8]) {
    match read::<M>(payload) {
        Ok(message) => {
            let again = read::<M>(&json(&message)).unwrap_or_else(|why| panic!("{message:?} is not read again: {why}"));
            assert_eq!(again, message);
        }
        Err(why) => assert!(!why.to_string().is_empty()),
    }
}

/// A topic that names a cart is the one that is written for it.
fn topic(text: &str) {
    if let Some((cart, leaf)) = topics::parse(&store(), text) {
        assert_eq!(topics::cart(&store(), &cart, leaf), text);
    }
}

pub(crate) fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let command = |lock: Option<u32>, order: Order| {
        let command = Command {
            v: VERSION,
            id: "order-1".into(),
            expires_at: UnixMillis(1_800_000_600_000),
            trip: trip(),
            lock,
            order,
        };
        [b"c".to_vec(), json(&command)].concat()
    };
    let (_, head) = chained(&trip_events());
    let desired = Desired {
        v: VERSION,
        catalogue: CATALOGUE.version,
        receipt_key: "A".repeat(43),
        pair_url: Some("https://carts.example/pair/cart-01".into()),
    };
    let cart = crate::sample::cart();
    vec![
        ("await-tap", command(Some(1), Order::AwaitTap { intent: intent() })),
        ("refuse-lock", command(Some(1), Order::RefuseLock { version: 1, why: "the lane is busy".into() })),
        ("declined", command(Some(1), Order::Declined { intent: intent(), why: "Nothing was charged.".into() })),
        ("checking", command(Some(1), Order::Checking { intent: intent() })),
        ("paid", command(Some(1), Order::Paid { intent: intent(), amount: pounds(1_032), tender: tender() })),
        (
            "receipt",
            command(
                Some(1),
                Order::Receipt {
                    number: "s-1".into(),
                    digest: Hash::of(b"r"),
                    cose: "0oRD".into(),
                    qr: "TR1:A".into(),
                },
            ),
        ),
        ("end-help", command(None, Order::EndHelp)),
        ("on-the-way", command(None, Order::OnTheWay)),
        ("queue", command(None, Order::Queue { before: 2, usual_s: Some(90) })),
        ("age-checked", command(None, Order::AgeChecked { line: LineId(3), approved: true })),
        (
            "pair",
            command(
                None,
                Order::Pair {
                    token: "A".repeat(22),
                    phone: Hash::of(b"phone"),
                    member: Member::parse("96385074").ok(),
                    list: vec!["2 oat drinks".into(), "milk".into()],
                },
            ),
        ),
        ("list", command(None, Order::List { entries: vec!["tea".into()] })),
        ("release-hold", command(None, Order::ReleaseHold { hold: HoldId(2) })),
        ("transfer", command(None, Order::Transfer)),
        ("desired", [b"d".to_vec(), json(&desired)].concat()),
        ("ack", [b"a".to_vec(), json(&Ack { v: VERSION, epoch: EPOCH, head })].concat()),
        ("hub", [b"h".to_vec(), json(&HubState { v: VERSION, online: true, boot_epoch: EPOCH })].concat()),
        ("topic", [b"t", topics::cart(&store(), &cart, topics::Leaf::Command).as_bytes()].concat()),
    ]
}
