//! The journal in a folder of its own, restarted, changed, compacted and wiped.

use super::*;
use store_sync::Journal as _;
use trip::basket::Evidence;
use trip::event::Ending;
use trip::message::Ack;
use trip::{Grams, LineId, LineItem, Quantity, Sku, TripId};

fn names() -> (StoreId, CartId) {
    (StoreId::new("market-street").expect("valid"), CartId::new("cart-01").expect("valid"))
}

fn open(folder: &Path) -> Opened {
    let (store, cart) = names();
    Journal::open(folder, &store, &cart).expect("opens")
}

fn started(n: u32) -> TripEvent {
    TripEvent::TripStarted {
        trip: TripId::new(format!("cart-01.1.{n}")).expect("valid"),
        catalogue: Hash::GENESIS,
        baseline: Grams(0),
    }
}

fn added(line: u32) -> TripEvent {
    let item = LineItem {
        line: LineId(line),
        sku: Sku::new("tea").expect("valid"),
        quantity: Quantity::Each(1),
        weight: Some(Grams(150)),
        evidence: Evidence::Scanned,
    };
    TripEvent::ItemAdded { item }
}

#[test]
fn the_basket_is_back_after_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = open(folder.path());
    first.journal.append(&[started(1), added(1)]).expect("written");
    first.journal.append(&[added(2)]).expect("written");
    let head = first.journal.head();
    drop(first);
    let again = open(folder.path());
    assert_eq!((again.journal.head(), again.trips, again.state.basket.lines.len()), (head, 1, 2));
    assert!(again.damage.is_none());
}

#[test]
fn a_changed_record_is_found_and_what_is_whole_is_served() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut first = open(folder.path());
    first.journal.append(&[started(1), added(1), added(2)]).expect("written");
    let (epoch, path) = (first.journal.epoch(), first.journal.path().to_owned());
    drop(first);
    let db = Connection::open(path).expect("opens");
    // With its name: the digits alone stand in some clock readings and hashes too.
    let sql = r#"UPDATE record SET bytes = replace(bytes, '"weight":150', '"weight":151')
                 WHERE seq = 2 AND instr(bytes, '"weight":150')"#;
    assert_eq!(db.execute(sql, []).expect("changed"), 1);
    drop(db);
    let again = open(folder.path());
    assert!(again.damage.as_deref().is_some_and(|d| d.contains("chain")), "{:?}", again.damage);
    assert!(again.journal.epoch() > epoch);
    assert_eq!(
        again.state.basket.lines.len(),
        1,
        "the record before the change holds; the changed one is the last that chains"
    );
    assert!(folder.path().join(format!("journal-damaged-{epoch}.sqlite")).exists());
}

#[test]
fn only_acked_records_of_trips_that_are_over_are_dropped() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut opened = open(folder.path());
    let mut line = opened.journal.for_line().expect("opens");
    opened.journal.append(&[started(1), added(1), TripEvent::TripClosed { ending: Ending::Paid }]).expect("written");
    opened.journal.append(&[started(2), added(1)]).expect("written");
    let ack = |seq| Ack { v: 1, epoch: opened.journal.epoch(), head: Head { seq, hash: Hash::GENESIS } };
    line.free(&ack(2)).expect("noted");
    assert_eq!(line.records(1, 9).expect("read").len(), 3);
    line.free(&ack(5)).expect("noted");
    assert_eq!(line.records(1, 9).expect("read").len(), 2, "the running trip stays");
    drop((opened, line));
    let again = open(folder.path());
    assert_eq!((again.trips, again.state.basket.lines.len(), again.journal.head().seq), (2, 1, 5));
}

/// Which of `words` stand anywhere in the files of `folder`.
fn found_in(folder: &Path, words: &[&'static str]) -> Vec<&'static str> {
    let files: Vec<Vec<u8>> = std::fs::read_dir(folder)
        .expect("there")
        .flatten()
        .filter(|entry| entry.path().is_file())
        .map(|entry| std::fs::read(entry.path()).expect("read"))
        .collect();
    let stands = |word: &&str| files.iter().any(|f| f.windows(word.len()).any(|w| w == word.as_bytes()));
    words.iter().copied().filter(|word| stands(word)).collect()
}

#[test]
fn nothing_of_an_ended_trip_is_left_on_the_disk() {
    const WORDS: [&str; 4] = ["zanzibar-tea", "9081726359", "quinoa flour", "RECEIPT-QR-5512"];
    let folder = tempfile::tempdir().expect("a folder");
    let mut opened = open(folder.path());
    let mut line = opened.journal.for_line().expect("opens");
    let member = trip::Member::parse("9081726359").expect("a number");
    let tea = LineItem {
        line: LineId(1),
        sku: Sku::new("zanzibar-tea").expect("valid"),
        quantity: Quantity::Each(1),
        weight: Some(Grams(150)),
        evidence: Evidence::Scanned,
    };
    let paired = TripEvent::ShopperPaired { member: Some(member), phone: None };
    let closed = TripEvent::TripClosed { ending: Ending::Paid };
    opened.journal.append(&[started(1), paired, TripEvent::ItemAdded { item: tea }]).expect("written");
    opened.journal.set(LIST_KEY, "[\"quinoa flour\"]").expect("kept");
    opened.journal.set("receipt_qr", "RECEIPT-QR-5512").expect("kept");
    let head = opened.journal.append(&[closed]).expect("written");
    assert_eq!(found_in(folder.path(), &WORDS), WORDS, "the test looks in the wrong place");

    let epoch = opened.journal.epoch();
    let ack = |seq| Ack { v: 1, epoch, head: Head { seq, hash: Hash::GENESIS } };
    line.free(&ack(head.seq - 1)).expect("noted");
    assert!(!opened.journal.wipe_ended().expect("looked"), "the hub does not have the end yet");
    line.free(&ack(head.seq)).expect("noted");
    assert!(opened.journal.wipe_ended().expect("wiped"));
    assert_eq!(found_in(folder.path(), &WORDS), Vec::<&str>::new());

    // And the chain goes on where it was, also after a restart.
    let next = opened.journal.append(&[started(2)]).expect("written");
    assert_eq!(next.seq, head.seq + 1);
    drop((opened, line));
    let again = open(folder.path());
    assert_eq!((again.journal.head(), again.trips, again.damage), (next, 2, None));
}

#[test]
fn another_carts_journal_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    drop(open(folder.path()));
    let (store, _) = names();
    let error = Journal::open(folder.path(), &store, &CartId::new("cart-02").expect("valid")).expect_err("refused");
    assert!(error.to_string().contains("cart-01"), "{error}");
}

#[test]
fn a_week_of_trips_leaves_a_journal_of_one_day() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut journal = open(folder.path()).journal;
    let mut line = journal.for_line().expect("opens");
    let mut outbox = store_sync::Outbox::new(journal.epoch(), 0, 0);
    outbox.connected();
    let catalogues = |day: u8| Hash::of(&[day]);
    let rows = |journal: &Journal| -> i64 {
        journal.db.query_row("SELECT COUNT(*) FROM record", [], |row| row.get(0)).expect("counted")
    };
    let pages = |journal: &Journal| -> i64 {
        journal.db.query_row("SELECT page_count FROM pragma_page_count()", [], |row| row.get(0)).expect("counted")
    };
    let mut now = std::time::Duration::ZERO;
    let (mut most_rows, mut pages_of_a_day) = (0, 0);
    for day in 0..7 {
        journal.keep_catalogue(catalogues(day), &"x".repeat(50_000)).expect("kept");
        journal.keep_only(&[catalogues(day), catalogues(day.saturating_sub(1))]).expect("kept");
        for trip in 0..30 {
            let mut events = vec![started(u32::from(day) * 30 + trip)];
            events.extend((1..=12).map(added));
            events.push(TripEvent::TripClosed { ending: Ending::Paid });
            let head = journal.append(&events).expect("written");
            outbox.appended(head.seq);
            // On the third day the line is down from morning to night.
            if day == 2 {
                continue;
            }
            while let Some((_, last)) = outbox.poll_send(now) {
                let record = line.records(last, last).expect("read");
                let head = Head { seq: last, hash: Hash::of(record[0].as_bytes()) };
                let ack = Ack { v: 1, epoch: journal.epoch(), head };
                assert_eq!(outbox.acked(&ack, now), store_sync::outbox::Acked::Freed(last));
                line.free(&ack).expect("noted");
            }
            now += std::time::Duration::from_secs(600);
            most_rows = most_rows.max(rows(&journal));
        }
        assert_eq!(journal.catalogues().expect("read").len(), if day == 0 { 1 } else { 2 });
        pages_of_a_day = if day == 3 { pages(&journal) } else { pages_of_a_day };
    }
    assert_eq!(outbox.unsynced(), 0);
    assert!(most_rows <= 2 * 14, "{most_rows} records lay in it though the hub had them");
    assert!(pages(&journal) <= pages_of_a_day, "the file of the worst day is used again, and does not grow");
}
