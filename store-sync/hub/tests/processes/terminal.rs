//! The terminal alone, as the hub's client asks it.

use std::time::Duration;

use store_hub::intent::{Answer, Approval, Ask, Intent, IntentState, intent_id};
use store_hub::terminal::{NexoTerminal, Terminal};
use tempfile::TempDir;
use trip::{CartId, Currency, Hash, Money, Totals, TripId, UnixMillis};

use super::harness::*;

fn intent(n: u32) -> Intent {
    let trip = TripId::new("cart-1.7.1").expect("valid");
    let amount = Money::new(2384, Currency::GBP);
    Intent {
        id: intent_id(&store(), &trip, n, 1),
        trip,
        cart: CartId::new("cart-1").expect("valid"),
        lane: lane(),
        version: n,
        attempt: 1,
        amount,
        basket: Hash::GENESIS,
        catalogue: Hash::GENESIS,
        totals: Totals { lines: vec![], savings: vec![], taxes: vec![], total: amount },
        state: IntentState::Sent,
        void: false,
        settled: false,
        sends: 1,
        approval: None,
        why: None,
        created_at: UnixMillis(0),
        not_before: UnixMillis(0),
    }
}

fn asks(simulator: &Process, passphrase: &str, answer_within: Duration) -> NexoTerminal {
    client(&simulator.address("nexo"), &store(), passphrase, answer_within)
}

#[tokio::test]
async fn a_terminal_charges_a_payment_once_and_knows_it_after_a_crash() {
    let folder = TempDir::new().expect("a folder");
    let first = simulator(folder.path(), &["--auto-tap-ms", "1"]);
    let terminal = asks(&first, "open sesame", PATIENCE);
    assert_eq!(terminal.ask(Ask::Status, &intent(1)).await, Answer::NotFound);
    let Answer::Approved(approval) = terminal.ask(Ask::Pay, &intent(1)).await else { panic!("not approved") };
    assert_eq!((approval.amount.minor, approval.tender.kind.as_str()), (2384, "visa"));
    assert_eq!(
        terminal.ask(Ask::Pay, &intent(1)).await,
        Answer::Approved(approval.clone()),
        "asked again, it answers the same"
    );
    assert_eq!(terminal.ask(Ask::Status, &intent(1)).await, Answer::Approved(approval.clone()));
    assert!(matches!(asks(&first, "wrong", PATIENCE).ask(Ask::Pay, &intent(9)).await, Answer::NoAnswer { .. }));

    set_script(&first, "[\"decline\", \"crash_after_approval\"]").await;
    assert!(matches!(terminal.ask(Ask::Pay, &intent(2)).await, Answer::Declined { .. }));
    assert!(
        matches!(terminal.ask(Ask::Pay, &intent(3)).await, Answer::NoAnswer { .. }),
        "it crashed before it answered"
    );
    let second = simulator(folder.path(), &[]);
    let terminal = asks(&second, "open sesame", PATIENCE);
    let Answer::Approved(third) = terminal.ask(Ask::Status, &intent(3)).await else {
        panic!("it forgot that it took money")
    };
    assert_eq!(terminal.ask(Ask::Reverse, &Intent { approval: Some(third), ..intent(3) }).await, Answer::Reversed);
    assert_eq!(terminal.ask(Ask::Reverse, &intent(3)).await, Answer::Reversed, "given back once, said twice");
    let name = |n| intent(n).id.to_string();
    let mut expected =
        vec![(name(1), "approved".to_owned()), (name(2), "declined".into()), (name(3), "reversed".into())];
    expected.sort();
    assert_eq!(charged(&second).await, expected);
}

#[tokio::test]
async fn a_payment_that_waits_for_a_card_can_be_stopped_or_outwaited() {
    let folder = TempDir::new().expect("a folder");
    let simulator = simulator(folder.path(), &[]);
    let terminal = asks(&simulator, "open sesame", PATIENCE);
    let asked = intent(1);
    let (paid, ()) = tokio::join!(terminal.ask(Ask::Pay, &asked), async {
        while terminal.ask(Ask::Status, &asked).await != Answer::InProgress {}
        terminal.ask(Ask::Abort, &asked).await;
    });
    assert_eq!(paid, Answer::Declined { why: "Aborted".into() });
    set_script(&simulator, "[\"lost_answer\"]").await;
    let hasty = asks(&simulator, "open sesame", Duration::from_secs(1));
    let tap = async { while !tap(&simulator, "mc").await {} };
    let asked = intent(2);
    let (silent, ()) = tokio::join!(hasty.ask(Ask::Pay, &asked), tap);
    assert!(matches!(silent, Answer::NoAnswer { .. }), "{silent:?}");
    let Answer::Approved(Approval { tender, .. }) = terminal.ask(Ask::Status, &intent(2)).await else {
        panic!("the money was taken")
    };
    assert_eq!(tender.kind, "mc");
}
