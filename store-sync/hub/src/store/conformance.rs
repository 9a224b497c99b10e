//! What every [`Storage`] must do. A new one passes by calling [`run`] with a function that opens
//! the same place again and again.

use trip::chain::Head;
use trip::message::{Command, Order};
use trip::{CartId, Hash, TripState, UnixMillis};

use super::{CartRow, CommandRow, FenceRow, GateRow, QuarantineRow, ReceiptRow, Storage, StoreKind, TripRow, Write};
use crate::intent::tests::intent;
use crate::intent::{Intent, IntentState};

/// Runs every claim against the empty place that `open` opens.
pub(crate) fn run<S: Storage>(open: &dyn Fn() -> S) {
    what_is_committed_is_there_after_opening_again(open);
    a_record_is_stored_once_and_a_refused_commit_leaves_nothing(open);
    a_trip_has_one_live_intent(open);
    a_command_is_open_until_it_is_done(open);
    a_fence_stands_until_it_is_lifted(open);
    intents_are_found_by_when_they_were_made(open);
    the_rest_is_kept(open);
    a_later_opening_fences_the_earlier(open);
    garbage_for_days_fills_no_disk(open);
}

fn a_later_opening_fences_the_earlier<S: Storage>(open: &dyn Fn() -> S) {
    let mut earlier = open();
    let mut later = open();
    later.commit(&[Write::Count("refused")]).expect("the owner writes");
    let error = earlier.commit(&[Write::Count("refused")]).expect_err("two hubs");
    assert_eq!(error.kind, StoreKind::Fenced);
    assert_eq!(earlier.owned().map_err(|e| e.kind), Err(StoreKind::Fenced));
    later.owned().expect("the newest");
    assert_eq!(later.counter("refused").expect("read"), 1);
}

fn cart() -> CartId {
    CartId::new("cart-1").expect("valid")
}

fn record(seq: u64) -> Write {
    Write::Record { cart: cart(), epoch: 7, seq, text: format!("record {seq}") }
}

fn head(epoch: u64, seq: u64) -> CartRow {
    let head = Head { seq, hash: Hash::of(&seq.to_be_bytes()) };
    CartRow { cart: cart(), epoch, head, state: TripState::default(), at: UnixMillis(5) }
}

fn what_is_committed_is_there_after_opening_again<S: Storage>(open: &dyn Fn() -> S) {
    let trip = intent(IntentState::Created).trip;
    let row = TripRow {
        trip: trip.clone(),
        cart: cart(),
        epoch: 7,
        state: TripState::default(),
        ending: None,
        at: UnixMillis(5),
    };
    open().commit(&[record(1), Write::Cart(head(7, 1)), Write::Trip(row.clone())]).expect("committed");
    let store = open();
    assert_eq!(store.record(&cart(), 7, 1).expect("read").as_deref(), Some("record 1"));
    assert_eq!(store.cart(&cart(), 7).expect("read"), Some(head(7, 1)));
    assert_eq!(store.trip(&trip).expect("read"), Some(row));
    assert_eq!(store.cart(&cart(), 8).expect("read"), None);
}

fn a_record_is_stored_once_and_a_refused_commit_leaves_nothing<S: Storage>(open: &dyn Fn() -> S) {
    let mut store = open();
    let error = store.commit(&[record(2), record(1), Write::Cart(head(7, 2))]).expect_err("record 1 is there");
    assert_eq!(error.kind, StoreKind::Conflict);
    assert_eq!(store.record(&cart(), 7, 2).expect("read"), None, "half a commit was kept");
    assert_eq!(store.cart(&cart(), 7).expect("read"), Some(head(7, 1)));
    store.commit(&[Write::Cart(head(9, 1))]).expect("a new epoch");
    assert_eq!(store.carts().expect("read"), vec![head(9, 1)], "the newest journal counts");
}

fn a_trip_has_one_live_intent<S: Storage>(open: &dyn Fn() -> S) {
    let mut store = open();
    let first = intent(IntentState::Created);
    let second = Intent { id: trip::IntentId::new("i-second").expect("valid"), ..first.clone() };
    store.commit(&[Write::Intent(first.clone())]).expect("the first");
    for state in [IntentState::Created, IntentState::Sent, IntentState::Unknown, IntentState::Approved] {
        store.commit(&[Write::Intent(Intent { state, ..first.clone() })]).expect("the first changes");
        let error = store.commit(&[Write::Intent(second.clone())]).expect_err("a second live intent");
        assert_eq!(error.kind, StoreKind::Conflict, "{state:?}");
    }
    let done = Intent { state: IntentState::Declined, ..first };
    store.commit(&[Write::Intent(done.clone()), Write::Intent(second.clone())]).expect("the first is over");
    assert_eq!(store.open_intents().expect("read"), vec![second.clone()]);
    assert_eq!(store.intent(&done.id).expect("read"), Some(done.clone()));
    assert_eq!(store.intents(&second.trip).expect("read"), vec![done, second]);
}

fn a_command_is_open_until_it_is_done<S: Storage>(open: &dyn Fn() -> S) {
    let mut store = open();
    let trip = intent(IntentState::Created).trip;
    let command =
        Command { v: 1, id: "help-1".into(), expires_at: UnixMillis(9), trip, lock: None, order: Order::EndHelp };
    let row = CommandRow { cart: cart(), command };
    store.commit(&[Write::Command(row.clone()), Write::Command(row.clone())]).expect("committed");
    assert_eq!(store.open_commands().expect("read"), vec![row.clone()]);
    store.commit(&[Write::CommandDone("help-1".into())]).expect("committed");
    store.commit(&[Write::Command(row)]).expect("committed");
    assert_eq!(store.open_commands().expect("read"), vec![], "a command that is done stays done");
}

fn a_fence_stands_until_it_is_lifted<S: Storage>(open: &dyn Fn() -> S) {
    let fence = |reason: &str| FenceRow { cart: cart(), reason: reason.into(), at: UnixMillis(3) };
    open().commit(&[Write::Fence(fence("first")), Write::Fence(fence("second"))]).expect("committed");
    assert_eq!(open().fences().expect("read"), vec![fence("first")], "the first reason is kept");
    open().commit(&[Write::FenceLifted(cart())]).expect("committed");
    assert_eq!(open().fences().expect("read"), vec![]);
}

fn intents_are_found_by_when_they_were_made<S: Storage>(open: &dyn Fn() -> S) {
    let mut store = open();
    let made = |n: i64| Intent {
        id: trip::IntentId::new(format!("i-made-{n}")).expect("valid"),
        created_at: UnixMillis(1_000 + n),
        ..intent(IntentState::Declined)
    };
    // Not in the order of time: a clock was set back.
    store.commit(&[3, 1, 2, 4].map(|n| Write::Intent(made(n)))).expect("committed");
    let found = store.intents_between(UnixMillis(1_002), UnixMillis(1_004)).expect("read");
    assert_eq!(found, vec![made(3), made(2)]);
    assert_eq!(store.intents_between(UnixMillis(1_005), UnixMillis(9_999)).expect("read"), vec![]);
}

fn the_rest_is_kept<S: Storage>(open: &dyn Fn() -> S) {
    let mut store = open();
    let intent = intent(IntentState::Declined);
    let receipt = ReceiptRow {
        number: "r-1".into(),
        trip: intent.trip.clone(),
        intent: intent.id.clone(),
        at: UnixMillis(3),
        cose: vec![0, 255],
        digest: Hash::of(b"r"),
        qr: "TR1:X".into(),
        void: false,
    };
    let gate = |open| GateRow { lane: intent.lane.clone(), intent: intent.id.clone(), open, at: UnixMillis(4) };
    let odd = QuarantineRow {
        cart: cart(),
        digest: Hash::of(b"odd"),
        reason: "odd".into(),
        payload: b"odd".to_vec(),
        at: UnixMillis(1),
    };
    store
        .commit(&[
            Write::Receipt(receipt.clone()),
            Write::Gate(gate(true)),
            Write::Gate(gate(false)),
            Write::Quarantine(odd.clone()),
            Write::Quarantine(odd.clone()),
            Write::Count("receipt"),
            Write::Count("receipt"),
        ])
        .expect("committed");
    let void = ReceiptRow { void: true, ..receipt };
    store.commit(&[Write::Receipt(void.clone())]).expect("committed");
    assert_eq!(store.receipts(10).expect("read"), vec![void.clone()]);
    assert_eq!(store.receipt_of(&intent.id).expect("read"), Some(void));
    assert_eq!(store.gates().expect("read"), vec![gate(false)]);
    assert_eq!(store.quarantine(10).expect("read"), vec![odd]);
    assert_eq!((store.counter("receipt").expect("read"), store.counter("none").expect("read")), (2, 0));
}

fn garbage_for_days_fills_no_disk<S: Storage>(open: &dyn Fn() -> S) {
    let mut store = open();
    let odd = |n: u32| {
        let payload = n.to_be_bytes().to_vec();
        let (digest, reason) = (Hash::of(&payload), "odd".into());
        Write::Quarantine(QuarantineRow { cart: cart(), digest, reason, payload, at: UnixMillis(1) })
    };
    store.commit(&(0..2_000).map(odd).collect::<Vec<_>>()).expect("committed");
    let kept = store.quarantine(10_000).expect("read");
    assert!((16..=1_000).contains(&kept.len()), "{} are kept", kept.len());
    assert_eq!(kept[0].payload, 1_999_u32.to_be_bytes(), "the newest is kept");
}
