//! What the back office is told: in the commit that makes it true, numbered without a gap, and kept until it is taken.

use std::sync::{Arc, Mutex};

use super::*;
use crate::back_office::{NotTaken, OfficeAsk, PaymentOutcome, What, Word};
use crate::store::{Guard, Guarded};
use crate::web::board::OfficeTrouble;

/// Every commit that was done.
type Commits = Arc<Mutex<Vec<Vec<Write>>>>;

impl Guard for Commits {
    fn commit(&mut self, store: &mut impl Storage, writes: &[Write]) -> Result<(), StoreError> {
        store.commit(writes)?;
        self.lock().expect("one thread").push(writes.to_vec());
        Ok(())
    }
}

fn words(writes: &[Write]) -> Vec<Word> {
    let word = |write: &Write| match write {
        Write::Word(row) => Some(serde_json::from_str(&row.body).expect("a message")),
        _ => None,
    };
    writes.iter().filter_map(word).collect()
}

/// What `writes` make true that the back office must hear, as the ends of the ids of its messages. `intents` are as
/// the commits before left them.
fn due(writes: &[Write], intents: &mut BTreeMap<IntentId, Intent>) -> Vec<String> {
    let mut due = Vec::new();
    for write in writes {
        match write {
            Write::Trip(row) if row.ending.is_some() => due.push(format!("trip/{}", row.trip)),
            Write::Receipt(row) if row.void => due.push(format!("receipt/{}/void", row.intent)),
            Write::Receipt(row) => due.push(format!("receipt/{}", row.intent)),
            Write::Intent(intent) => {
                let before = intents.insert(intent.id.clone(), intent.clone());
                let was = |state| before.as_ref().is_some_and(|before| before.state == state);
                let mut ended = |outcome: &str| due.push(format!("payment/{}/{outcome}", intent.id));
                if intent.approval.is_some() && before.as_ref().is_none_or(|before| before.approval.is_none()) {
                    ended("approved");
                }
                if intent.state == IntentState::Declined && !was(IntentState::Declined) && intent.sends > 0 {
                    ended("declined");
                }
                if intent.state == IntentState::Reversed && !was(IntentState::Reversed) {
                    ended("given_back");
                }
            }
            _ => {}
        }
    }
    due.sort();
    due
}

fn receipt_of(effects: &[Effect]) -> (String, Hash) {
    let order = |effect: &Effect| match effect {
        Effect::Publish(message) => serde_json::from_slice::<Command>(&message.payload).ok().map(|c| c.order),
        _ => None,
    };
    let mut orders = effects.iter().filter_map(order);
    let receipt = orders.find_map(|order| match order {
        Order::Receipt { number, digest, .. } => Some((number, digest)),
        _ => None,
    });
    receipt.expect("a receipt")
}

#[test]
fn what_is_true_and_that_it_is_told_are_one_commit() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("goods.toml"), GOODS).expect("written");
    let commits = Commits::default();
    let store = SqliteStore::open(&folder.path().join("hub.db")).expect("a store");
    let now = UnixMillis(1_000);
    let (mut hub, _) = Bench::start(folder.path(), Guarded::new(store, commits.clone()), now);
    let mut tell = |input: Input| {
        let effects = hub.handle(input, now).expect("the store works");
        (effects, hub.open_intents())
    };
    let mut cart = FakeCart::new("cart-1");
    // Money for a basket that is unlocked, given back; a refused card; then it is paid, and the trip ends.
    cart.shop_and_lock();
    let (_, open) = tell(cart.all());
    tell(Input::Answer { intent: open[0].id.clone(), ask: Ask::Pay, answer: approved() });
    cart.unlock();
    tell(cart.all());
    tell(Input::Answer { intent: open[0].id.clone(), ask: Ask::Reverse, answer: Answer::Reversed });
    cart.lock();
    let (_, open) = tell(cart.all());
    let refused = Answer::Declined { why: "Refusal".into() };
    tell(Input::Answer { intent: open[0].id.clone(), ask: Ask::Pay, answer: refused });
    cart.unlock();
    cart.lock();
    let (_, open) = tell(cart.all());
    let intent = open[0].id.clone();
    let (effects, _) = tell(Input::Answer { intent: intent.clone(), ask: Ask::Pay, answer: approved() });
    let (number, digest) = receipt_of(&effects);
    let Answer::Approved(Approval { amount, tender, .. }) = approved() else { unreachable!("it is") };
    cart.write(TripEvent::PaymentApproved { intent: intent.clone(), amount, tender });
    cart.write(TripEvent::ReceiptStored { number: number.clone(), digest });
    cart.write(TripEvent::TripClosed { ending: Ending::Paid });
    tell(cart.all());

    let commits = commits.lock().expect("one thread");
    let mut intents = BTreeMap::new();
    let mut all = Vec::new();
    for writes in commits.iter() {
        let told = words(writes);
        let mut ids: Vec<String> = told.iter().map(|word| word.id.clone()).collect();
        ids.sort();
        let due: Vec<String> = due(writes, &mut intents).iter().map(|id| format!("market-street/{id}")).collect();
        assert_eq!(ids, due, "{writes:?}");
        all.extend(told);
    }
    let outcomes: Vec<PaymentOutcome> = all
        .iter()
        .filter_map(|word| match &word.what {
            What::Payment(payment) => Some(payment.outcome),
            _ => None,
        })
        .collect();
    use PaymentOutcome as O;
    assert_eq!(outcomes, [O::Approved, O::GivenBack, O::Declined, O::Approved]);
    assert_eq!(all.iter().map(|word| word.seq).collect::<Vec<_>>(), (1..=all.len() as u64).collect::<Vec<_>>());
    let Some(What::Trip(trip)) = all.last().map(|word| &word.what) else { panic!("{all:?}") };
    assert_eq!((trip.ending, trip.lines.len(), trip.total), (Ending::Paid, 1, Some(amount)));
    assert_eq!((trip.intent.as_ref(), trip.receipt.as_ref()), (Some(&intent), Some(&number)));
}

/// A hub that has been paid once: a payment and its receipt are to be told.
fn paid() -> Bench {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    bench.tell(cart.all());
    bench.answer(Ask::Pay, approved());
    bench
}

impl Bench {
    fn office(&mut self, ask: OfficeAsk) -> Vec<u64> {
        self.hub.back_office(ask).expect("the store works").iter().map(|row| row.seq).collect()
    }

    /// All that waits.
    fn told(&self) -> Vec<Word> {
        words(&self.hub.storage.words(99).expect("read").into_iter().map(Write::Word).collect::<Vec<_>>())
    }

    /// What staff and the health file are told: the alarm, and how many messages wait.
    fn alarm(&mut self, later_ms: i64) -> (Option<OfficeTrouble>, u64) {
        self.later(later_ms);
        let shown = self.hub.board(&jiff::tz::TimeZone::UTC).back_office;
        let health = self.hub.health().back_office.expect("there is one");
        assert_eq!(health.alarm, shown.as_ref().map(|alarm| alarm.trouble.to_string()));
        assert!(shown.as_ref().is_none_or(|alarm| alarm.waiting == health.waiting));
        (shown.map(|alarm| alarm.trouble), health.waiting)
    }
}

#[test]
fn words_wait_over_restarts_until_they_are_taken_and_the_next_go_on_from_their_number() {
    let mut bench = paid();
    assert_eq!(bench.office(OfficeAsk::Next), [1, 2]);
    bench.office(OfficeAsk::NotTaken(NotTaken::Silent { why: "cut".into() }));
    let mut bench = bench.restart();
    assert_eq!((bench.office(OfficeAsk::Next), bench.alarm(0)), (vec![1, 2], (None, 2)));
    bench.office(OfficeAsk::Taken { up_to: 1 });
    assert_eq!(bench.office(OfficeAsk::Next), [2]);
    bench.office(OfficeAsk::Taken { up_to: 2 });
    let mut bench = bench.restart();
    assert_eq!((bench.office(OfficeAsk::Next), bench.alarm(0)), (vec![], (None, 0)));
    let mut other = FakeCart::new("cart-2");
    other.shop_and_lock();
    bench.tell(other.all());
    bench.later(0);
    let intent = bench.hub.open_intents().iter().find(|i| i.cart == other.id).map(|i| i.id.clone()).expect("open");
    bench.tell(Input::Answer { intent, ask: Ask::Pay, answer: approved() });
    assert_eq!(bench.office(OfficeAsk::Next), [3, 4]);
}

#[test]
fn staff_are_told_when_it_takes_too_long_or_is_refused_and_no_more_when_it_is_taken() {
    let silent = || OfficeAsk::NotTaken(NotTaken::Silent { why: "cut".into() });
    let refused = |status| OfficeAsk::NotTaken(NotTaken::Refused { status });
    let mut bench = paid();
    bench.office(silent());
    assert_eq!(bench.alarm(3_599_000), (None, 2), "an hour has not passed");
    assert_eq!(bench.alarm(1_000), (Some(OfficeTrouble::Unreachable), 2));
    bench.office(refused(422));
    assert_eq!(bench.alarm(0), (Some(OfficeTrouble::Refuses { status: 422 }), 2));
    bench.office(OfficeAsk::Taken { up_to: 1 });
    assert_eq!(bench.alarm(0), (Some(OfficeTrouble::Behind), 1), "the other is as old");
    bench.office(OfficeAsk::Taken { up_to: 2 });
    assert_eq!(bench.alarm(0), (None, 0));

    let mut bench = paid();
    bench.office(refused(503));
    assert_eq!(bench.alarm(0), (None, 2), "that passes");
    bench.office(refused(401));
    assert_eq!(bench.alarm(0), (Some(OfficeTrouble::Refuses { status: 401 }), 2), "that does not");
}

#[test]
fn trips_that_end_together_are_each_told() {
    let mut bench = Bench::new();
    let inputs = ["cart-1", "cart-2"].map(|name| {
        let mut cart = FakeCart::new(name);
        let trip = TripId::new(format!("{name}.7.1")).expect("valid");
        cart.write(TripEvent::TripStarted { trip, catalogue: Hash::of(GOODS.as_bytes()), baseline: trip::Grams(0) });
        cart.write(TripEvent::TripClosed { ending: Ending::Empty });
        cart.all()
    });
    bench.hub.handle_all(inputs.to_vec(), bench.now).expect("the store works");
    let ids: Vec<String> = bench.told().into_iter().map(|word| word.id).collect();
    assert_eq!(ids, ["market-street/trip/cart-1.7.1", "market-street/trip/cart-2.7.1"]);
}

#[test]
fn a_basket_that_staff_take_to_a_till_is_told_of_then_and_not_once_more() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    cart.shop_and_lock();
    cart.unlock();
    bench.tell(cart.all());
    let (at, trip) = (bench.now, TripId::new("cart-1.7.1").expect("valid"));
    bench.tell(Input::Staff(StaffAction::TakeBasket { cart: cart.id.clone(), trip, sure: true }));
    let told = bench.told();
    let [Word { what: What::Trip(trip), .. }] = &told[..] else { panic!("{told:?}") };
    assert_eq!((trip.ending, trip.closed_at, trip.lines.len()), (Ending::Transferred, at, 1));
    bench.later(60_000);
    cart.write(TripEvent::TripClosed { ending: Ending::Transferred });
    bench.tell(cart.all());
    assert_eq!(bench.told(), told);
}

#[test]
fn a_store_without_a_back_office_keeps_nothing_for_it() {
    let (mut bench, mut cart) = (Bench::new(), FakeCart::new("cart-1"));
    bench.hub.setting.back_office_alarm_ms = None;
    cart.shop_and_lock();
    bench.tell(cart.all());
    bench.answer(Ask::Pay, approved());
    assert_eq!((bench.hub.storage.words(9).expect("read").len(), bench.hub.health().back_office), (0, None));
}
