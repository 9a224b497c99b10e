use super::*;
use trip::chain::Head;
use trip::message::Order;
use trip::{TripId, UnixMillis};

/// A journal whose records are their numbers.
struct Numbers {
    last: u64,
    acked: u64,
    broken: bool,
}

impl Journal for Numbers {
    fn epoch(&self) -> u64 {
        7
    }

    fn ends(&mut self) -> Result<(u64, u64), JournalError> {
        Ok((self.last, self.acked))
    }

    fn records(&mut self, first: u64, last: u64) -> Result<Vec<String>, JournalError> {
        if self.broken {
            return Err(JournalError("cannot be read".into()));
        }
        Ok((first..=last).map(|seq| seq.to_string()).collect())
    }

    fn free(&mut self, ack: &Ack) -> Result<(), JournalError> {
        self.acked = ack.head.seq;
        Ok(())
    }
}

fn store() -> StoreId {
    StoreId::new("s").expect("valid")
}

fn cart() -> CartId {
    CartId::new("cart-1").expect("valid")
}

fn session(last: u64) -> Session<Numbers> {
    let who = Identity { store: store(), cart: cart(), boot_epoch: 3 };
    Session::new(who, SigningKey::from_bytes(&[1; 32]), Numbers { last, acked: 0, broken: false }).expect("readable")
}

fn at(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn outputs(session: &mut Session<Numbers>) -> Vec<Output> {
    std::iter::from_fn(|| session.poll_output()).collect()
}

fn published(outputs: &[Output], leaf: Leaf) -> usize {
    let topic = topics::cart(&store(), &cart(), leaf);
    outputs.iter().filter(|o| matches!(o, Output::Publish(message) if message.topic == topic)).count()
}

fn hear(session: &mut Session<Numbers>, leaf: Leaf, message: &impl serde::Serialize, now: Duration) {
    session.heard(&topics::cart(&store(), &cart(), leaf), &json(message), now);
}

fn ack(seq: u64) -> Ack {
    Ack { v: 1, epoch: 7, head: Head { seq, hash: Hash::of(seq.to_string().as_bytes()) } }
}

fn alarms(outputs: &[Output]) -> usize {
    outputs.iter().filter(|o| matches!(o, Output::Tell(LinkEvent::Alarm(_)))).count()
}

fn hung_up(outputs: &[Output]) -> usize {
    outputs.iter().filter(|o| matches!(o, Output::HangUp)).count()
}

#[test]
fn every_connection_subscribes_announces_and_sends_all_that_is_not_acked() {
    let mut session = session(3);
    for n in 0..2 {
        session.connected(at(n));
        let done = outputs(&mut session);
        assert_eq!(done.iter().filter(|o| matches!(o, Output::Subscribe(_))).count(), 2);
        assert_eq!((published(&done, Leaf::Presence), published(&done, Leaf::Event)), (1, 1));
    }
    hear(&mut session, Leaf::Ack, &ack(3), at(2));
    assert_eq!(session.unsynced(), 0);
    outputs(&mut session);
    session.connected(at(3));
    assert_eq!(published(&outputs(&mut session), Leaf::Event), 0);
}

#[test]
fn a_picture_goes_only_to_a_hub_that_hears_and_never_before_a_record() {
    let mut session = session(1);
    let look = |png: &str| Some(Arc::new(Look { v: 1, png: png.into() }));
    let sent = |session: &mut Session<Numbers>| published(&outputs(session), Leaf::Look);
    session.look(look("1"));
    assert_eq!(sent(&mut session), 0, "there is no line");
    session.connected(at(0));
    session.heard(&topics::hub_state(&store()), &json(&HubState { v: 1, online: true, boot_epoch: 1 }), at(0));
    assert_eq!(sent(&mut session), 0, "a record is not acked yet");
    hear(&mut session, Leaf::Ack, &ack(1), at(0));
    let done = outputs(&mut session);
    let topic = topics::cart(&store(), &cart(), Leaf::Look);
    let kept = |o: &Output| matches!(o, Output::Publish(m) if m.topic == topic && (m.retain || m.sure));
    assert_eq!((published(&done, Leaf::Look), done.iter().any(kept)), (1, false), "lost is lost, and nothing keeps it");
    session.look(look("2"));
    session.look(look("3"));
    assert_eq!(sent(&mut session), 0, "the first has not left");
    session.room();
    assert_eq!(sent(&mut session), 1);
    session.room();
    assert_eq!(sent(&mut session), 0, "nothing new");
    session.lost();
    session.look(look("4"));
    session.look(None);
    session.connected(at(1));
    session.heard(&topics::hub_state(&store()), &json(&HubState { v: 1, online: true, boot_epoch: 2 }), at(1));
    assert_eq!(sent(&mut session), 0, "the shopper has ended it meanwhile");
}

#[test]
fn the_hub_counts_as_there_only_when_it_says_so_or_acks() {
    let mut session = session(1);
    session.connected(at(0));
    let told = |outputs: Vec<Output>| {
        outputs
            .into_iter()
            .filter_map(|o| if let Output::Tell(LinkEvent::Connected(up)) = o { Some(up) } else { None })
            .collect::<Vec<_>>()
    };
    assert_eq!(told(outputs(&mut session)), [] as [bool; 0]);
    let state = |online| json(&HubState { v: 1, online, boot_epoch: 1 });
    session.heard(&topics::hub_state(&store()), &state(true), at(0));
    session.heard(&topics::hub_state(&store()), &state(false), at(0));
    hear(&mut session, Leaf::Ack, &ack(1), at(0));
    session.lost();
    assert_eq!(told(outputs(&mut session)), [true, false, true, false]);
}

#[test]
fn a_line_that_swallows_everything_is_an_alarm_within_a_minute_and_once() {
    let mut silent = session(1);
    silent.connected(at(10));
    outputs(&mut silent);
    for second in 11..70 {
        silent.handle_timeout(at(second));
    }
    assert_eq!(alarms(&outputs(&mut silent)), 0);
    assert!(silent.poll_timeout().is_some_and(|due| due <= at(70)));
    silent.handle_timeout(at(70));
    let done = outputs(&mut silent);
    assert_eq!((alarms(&done), hung_up(&done)), (1, 1), "staff are told, and another connection is tried");
    silent.lost();
    silent.connected(at(71));
    silent.handle_timeout(at(140));
    let done = outputs(&mut silent);
    assert_eq!((alarms(&done), hung_up(&done)), (0, 1), "told once, tried again and again");
    // A hub that says that it is down needs no alarm, but the word may be old; an idle line needs nothing.
    let mut down = session(1);
    down.connected(at(0));
    down.heard(&topics::hub_state(&store()), &json(&HubState { v: 1, online: false, boot_epoch: 1 }), at(0));
    down.handle_timeout(at(300));
    let mut idle = session(0);
    idle.connected(at(0));
    idle.handle_timeout(at(300));
    let done = [outputs(&mut down), outputs(&mut idle)].concat();
    assert_eq!((alarms(&done), hung_up(&done)), (0, 1));
}

#[test]
fn an_ack_of_another_record_and_one_of_the_future_free_nothing_and_alarm() {
    let mut session = session(2);
    session.connected(at(0));
    outputs(&mut session);
    let foreign = Ack { head: Head { seq: 2, hash: Hash::of(b"another") }, ..ack(2) };
    hear(&mut session, Leaf::Ack, &foreign, at(1));
    hear(&mut session, Leaf::Ack, &ack(9), at(1));
    assert_eq!((alarms(&outputs(&mut session)), session.unsynced()), (2, 2));
}

#[test]
fn words_for_other_carts_and_words_that_are_none_are_passed_over() {
    let mut session = session(0);
    session.connected(at(0));
    outputs(&mut session);
    let trip = TripId::new("cart-2.7.1").expect("valid");
    let command = Command { v: 1, id: "x".into(), expires_at: UnixMillis(9), trip, lock: None, order: Order::EndHelp };
    let other = topics::cart(&store(), &CartId::new("cart-2").expect("valid"), Leaf::Command);
    session.heard(&other, &json(&command), at(0));
    session.heard(&topics::cart(&store(), &cart(), Leaf::Command), b"\xff{", at(0));
    session.heard(
        &topics::cart(&store(), &cart(), Leaf::Command),
        &vec![b' '; trip::bounds::MAX_PAYLOAD_BYTES + 1],
        at(0),
    );
    assert_eq!(outputs(&mut session), []);
    hear(&mut session, Leaf::Command, &command, at(0));
    assert_eq!(outputs(&mut session), [Output::Tell(LinkEvent::Command(command))]);
}

#[test]
fn records_that_cannot_be_read_are_sent_when_they_can_be() {
    let mut session = session(2);
    session.journal.broken = true;
    session.connected(at(0));
    assert_eq!(published(&outputs(&mut session), Leaf::Event), 0);
    session.journal.broken = false;
    session.handle_timeout(at(6));
    assert_eq!(published(&outputs(&mut session), Leaf::Event), 1);
}
