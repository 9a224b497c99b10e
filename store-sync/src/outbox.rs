//! What is sent when: a window over the journal, pure, with time as an argument.
//!
//! Records are numbered without gaps. `acked` is the last one the hub has committed, `sent` the last
//! one given to the line. On every new connection, and when the hub says nothing for a while,
//! everything above `acked` is sent again: the hub takes each record once.

use std::time::Duration;

use trip::chain::Head;
use trip::message::Ack;

/// Most records in one batch, and most batches on their way at once.
const MOST_RECORDS: u64 = trip::bounds::MAX_RECORDS as u64;
const MOST_ON_THE_WAY: u64 = 256;
/// A repeated ack is believed only after this.
const REPEAT_REST: Duration = Duration::from_secs(1);
/// No ack for so long means that a batch or an ack was lost.
const ACK_PATIENCE: Duration = Duration::from_secs(5);

/// What an ack did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acked {
    /// Records up to here are free.
    Freed(u64),
    /// Known already, or of another journal: nothing changes.
    Nothing,
    /// The hub acks what this journal never held: another cart uses this name, or the journal was
    /// rolled back. Staff must look.
    Ahead,
}

/// The window.
#[derive(Clone, Debug, PartialEq)]
pub struct Outbox {
    epoch: u64,
    last: u64,
    acked: u64,
    sent: u64,
    connected: bool,
    /// Time since start, when the oldest record on its way was sent or the last ack came.
    waiting_since: Option<Duration>,
}

impl Outbox {
    /// For a journal of `epoch` whose last record is `last` and whose records up to `acked` are free.
    pub fn new(epoch: u64, last: u64, acked: u64) -> Self {
        Self { epoch, last, acked: acked.min(last), sent: acked.min(last), connected: false, waiting_since: None }
    }

    /// The journal has grown to `last`.
    pub fn appended(&mut self, last: u64) {
        self.last = self.last.max(last);
    }

    /// A connection stands: all that is not acked goes again.
    pub fn connected(&mut self) {
        self.connected = true;
        self.sent = self.acked;
        self.waiting_since = None;
    }

    /// The connection is gone.
    pub fn disconnected(&mut self) {
        self.connected = false;
    }

    /// The hub has committed up to `ack.head`.
    pub fn acked(&mut self, ack: &Ack, now: Duration) -> Acked {
        if ack.epoch != self.epoch {
            return Acked::Nothing;
        }
        let Head { seq, .. } = ack.head;
        if seq > self.last {
            return Acked::Ahead;
        }
        if seq < self.acked {
            return Acked::Nothing;
        }
        if seq == self.acked {
            // The hub repeats itself when it misses something: send again from there. Not at once, for
            // a greeting and each doubled batch make it repeat itself too.
            let waited = self.waiting_since.is_some_and(|since| now >= since + REPEAT_REST);
            if self.sent > seq && waited {
                self.sent = seq;
                self.waiting_since = None;
            }
            return Acked::Nothing;
        }
        self.acked = seq;
        self.sent = self.sent.max(seq);
        self.waiting_since = (self.sent > seq).then_some(now);
        Acked::Freed(seq)
    }

    /// The next records to send, first and last, both included.
    pub fn poll_send(&mut self, now: Duration) -> Option<(u64, u64)> {
        if !self.connected || self.sent >= self.last || self.sent - self.acked >= MOST_ON_THE_WAY {
            return None;
        }
        let first = self.sent + 1;
        let last = self.last.min(self.sent + MOST_RECORDS);
        self.sent = last;
        self.waiting_since.get_or_insert(now);
        Some((first, last))
    }

    /// When [`Outbox::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Duration> {
        self.waiting_since.filter(|_| self.connected).map(|since| since + ACK_PATIENCE)
    }

    /// No ack came: all that is not acked goes again.
    pub fn handle_timeout(&mut self, now: Duration) {
        if self.poll_timeout().is_some_and(|due| due <= now) {
            self.sent = self.acked;
            self.waiting_since = None;
        }
    }

    /// Records that the hub has not committed.
    pub fn unsynced(&self) -> u64 {
        self.last - self.acked
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use trip::Hash;

    fn ack(seq: u64) -> Ack {
        Ack { v: 1, epoch: 7, head: Head { seq, hash: Hash::GENESIS } }
    }

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn nothing_is_sent_without_a_connection() {
        let mut outbox = Outbox::new(7, 3, 0);
        assert_eq!(outbox.poll_send(at(0)), None);
        outbox.connected();
        assert_eq!(outbox.poll_send(at(0)), Some((1, 3)));
        assert_eq!(outbox.poll_send(at(0)), None);
    }

    #[test]
    fn a_new_connection_and_a_lost_ack_send_again_above_the_ack() {
        let mut outbox = Outbox::new(7, 5, 0);
        outbox.connected();
        outbox.poll_send(at(0));
        assert_eq!(outbox.acked(&ack(2), at(1)), Acked::Freed(2));
        outbox.disconnected();
        outbox.connected();
        assert_eq!(outbox.poll_send(at(2)), Some((3, 5)));
        outbox.handle_timeout(at(3));
        assert_eq!(outbox.poll_send(at(3)), None, "an ack may still come");
        outbox.handle_timeout(at(8));
        assert_eq!(outbox.poll_send(at(8)), Some((3, 5)));
    }

    #[test]
    fn an_ack_of_another_journal_or_the_future_frees_nothing() {
        let mut outbox = Outbox::new(7, 5, 1);
        assert_eq!(outbox.acked(&Ack { epoch: 6, ..ack(4) }, at(0)), Acked::Nothing);
        assert_eq!(outbox.acked(&ack(6), at(0)), Acked::Ahead);
        assert_eq!(outbox.acked(&ack(0), at(0)), Acked::Nothing);
        assert_eq!(outbox.unsynced(), 4);
    }

    proptest! {
        /// Whatever is lost, doubled or delayed: once the line holds, all arrives, in order, and
        /// nothing is freed that the hub has not taken.
        #[test]
        fn every_record_arrives_whatever_the_line_does(steps in prop::collection::vec(0u8..8, 1..200)) {
            let mut outbox = Outbox::new(7, 0, 0);
            let (mut hub, mut last, mut now) = (0, 0, 0);
            let mut on_the_way = Vec::new();
            for step in steps {
                now += 1;
                match step {
                    0 => { last += 1; outbox.appended(last); }
                    1 => outbox.connected(),
                    2 => { outbox.disconnected(); on_the_way.clear(); }
                    3 | 4 => on_the_way.extend(outbox.poll_send(at(now))),
                    5 => { on_the_way.pop(); }
                    6 => if let Some((first, end)) = on_the_way.pop() && first <= hub + 1 && end > hub { hub = end; }
                    _ => { outbox.acked(&ack(hub), at(now)); }
                }
                outbox.handle_timeout(at(now));
                prop_assert!(last - outbox.unsynced() <= hub);
            }
            outbox.connected();
            for _ in 0..=last {
                while let Some((first, end)) = outbox.poll_send(at(now)) {
                    prop_assert!(first <= hub + 1);
                    hub = hub.max(end);
                }
                outbox.acked(&ack(hub), at(now));
            }
            prop_assert_eq!(outbox.unsynced(), 0);
        }
    }
}
