//! Words to the service manager: ready, alive, stopping.
//!
//! systemd gives a service the address of a datagram socket and says how often it wants a sign of life. Without
//! one, all of this does nothing.
//!
//! Source: sd_notify(3) and sd_watchdog_enabled(3).

use std::time::Duration;

use sd_notify::NotifyState;
use tracing::debug;

/// The service manager, if there is one.
#[derive(Debug)]
pub struct Watch {
    pulse: Pulse,
}

impl Watch {
    /// What the environment says of a service manager.
    pub fn from_environment() -> Self {
        Self { pulse: Pulse::new(sd_notify::watchdog_enabled()) }
    }

    /// The program is at work.
    pub fn ready(&self) {
        tell(&[NotifyState::Ready]);
    }

    /// The program was asked to end and does so.
    pub fn stopping(&self) {
        tell(&[NotifyState::Stopping]);
    }

    /// In a few words, how it is; for who asks the service manager.
    pub fn status(&self, words: &str) {
        tell(&[NotifyState::Status(words)]);
    }

    /// A sign of life at `now`, the time since the program began; sent as often as it is wanted and no oftener.
    /// Only the thread that does the program's work may call this: it is what must not hang.
    pub fn alive(&mut self, now: Duration) {
        if self.pulse.due(now) {
            tell(&[NotifyState::Watchdog]);
        }
    }
}

fn tell(state: &[NotifyState<'_>]) {
    if let Err(why) = sd_notify::notify(state) {
        debug!(%why, "the service manager cannot be told");
    }
}

/// How often a sign of life is due. Pure.
#[derive(Clone, Debug)]
struct Pulse {
    every: Option<Duration>,
    last: Option<Duration>,
}

impl Pulse {
    /// `within` is how long the service manager waits; it hears something three times in that time.
    fn new(within: Option<Duration>) -> Self {
        Self { every: within.map(|within| within / 3), last: None }
    }

    fn due(&mut self, now: Duration) -> bool {
        let due = self.every.is_some_and(|every| self.last.is_none_or(|last| now >= last + every));
        if due {
            self.last = Some(now);
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sign_of_life_comes_three_times_in_the_time_that_is_waited_for_it() {
        let count = |within: Option<u64>| {
            let mut pulse = Pulse::new(within.map(Duration::from_millis));
            (0..60_000).step_by(100).filter(|ms| pulse.due(Duration::from_millis(*ms))).count()
        };
        assert_eq!(count(Some(30_000)), 6);
        assert_eq!(count(Some(3_000)), 60);
        assert_eq!(count(None), 0, "nobody waits for one");
    }
}
