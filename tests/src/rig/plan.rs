//! What strikes next.

use std::fmt;
use std::time::Duration;

use super::proxy::Weather;

/// A program of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A broker, from 0: mosquitto, which keeps nothing and comes back empty, or one of three NATS servers.
    Broker(usize),
    /// The hub.
    Hub,
    /// A terminal, by its lane from 0.
    Terminal(usize),
    /// A cart, from 0.
    Cart(usize),
}

/// One end of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// Between a cart and the broker.
    Cart(usize),
    /// Between the crowd and the broker.
    Crowd,
    /// Between the hub and the broker.
    Hub,
    /// Between the hub and a terminal.
    Terminal(usize),
}

/// What a terminal does with the next payment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Play {
    /// Refuses the card.
    Decline,
    /// Takes nothing and says nothing.
    Timeout,
    /// Takes the money and says nothing.
    LostAnswer,
    /// Takes the money and ends.
    CrashAfterApproval,
    /// Takes its time.
    Slow,
}

impl Play {
    /// As the terminal is told.
    pub fn script(self) -> &'static str {
        match self {
            Self::Decline => "[\"decline\"]",
            Self::Timeout => "[\"timeout\"]",
            Self::LostAnswer => "[\"lost_answer\"]",
            Self::CrashAfterApproval => "[\"crash_after_approval\"]",
            Self::Slow => "[{\"slow\":2500}]",
        }
    }
}

/// A blow, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// Killed, and started again after this.
    Kill(Target, Duration),
    /// Stands still.
    Freeze(Target, Duration),
    /// A line breaks.
    Line(End, Weather, Duration),
    /// The hub's disk is full.
    DiskFull(Duration),
    /// Flushes to the disk fail.
    FlushFails(Target, Duration),
    /// The hub stands still, another takes its place, and then it goes on as if nothing had happened.
    TwoHubs(Duration),
    /// What a terminal does with the next card.
    Terminal(usize, Play),
}

impl Blow {
    /// Its kind, for counting.
    pub fn kind(&self) -> String {
        let part = |target: &Target| match target {
            Target::Broker(_) => "broker",
            Target::Hub => "hub",
            Target::Terminal(_) => "terminal",
            Target::Cart(_) => "cart",
        };
        match self {
            Self::Kill(target, _) => format!("{} killed", part(target)),
            Self::Freeze(target, _) => format!("{} stands still", part(target)),
            Self::Line(end, weather, _) => {
                let end = match end {
                    End::Cart(_) => "a cart's",
                    End::Crowd => "the crowd's",
                    End::Hub => "the hub's",
                    End::Terminal(_) => "a terminal's",
                };
                let weather = match weather {
                    Weather::Fair => "is well",
                    Weather::Cut => "is cut",
                    Weather::Stalled => "stalls",
                    Weather::Slow(_) => "is slow",
                    Weather::Stutters => "stutters",
                };
                format!("{end} line {weather}")
            }
            Self::DiskFull(_) => "the hub's disk is full".into(),
            Self::FlushFails(target, _) => format!("{}'s flushes fail", part(target)),
            Self::TwoHubs(_) => "two hubs".into(),
            Self::Terminal(_, play) => format!("terminal: {play:?}"),
        }
    }
}

impl fmt::Display for Blow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let which = match self {
            Self::Kill(Target::Terminal(n) | Target::Cart(n) | Target::Broker(n), _)
            | Self::Freeze(Target::Terminal(n) | Target::Cart(n) | Target::Broker(n), _)
            | Self::FlushFails(Target::Cart(n), _)
            | Self::Line(End::Cart(n) | End::Terminal(n), ..)
            | Self::Terminal(n, _) => format!(" ({})", n + 1),
            _ => String::new(),
        };
        let lasts = match self {
            Self::Kill(_, lasts)
            | Self::Freeze(_, lasts)
            | Self::Line(_, _, lasts)
            | Self::DiskFull(lasts)
            | Self::FlushFails(_, lasts)
            | Self::TwoHubs(lasts) => format!(", {:.1} s", lasts.as_secs_f64()),
            Self::Terminal(..) => String::new(),
        };
        write!(f, "{}{which}{lasts}", self.kind())
    }
}

/// Draws blows.
pub struct Plan {
    dice: fastrand::Rng,
    carts: usize,
    brokers: usize,
    /// Drawn from until it is empty, so that a short run has them all.
    plays: Vec<Play>,
}

/// Lanes of the store.
pub const LANES: usize = 2;

impl Plan {
    /// The same seed draws the same.
    pub fn new(seed: u64, carts: usize, brokers: usize) -> Self {
        Self { dice: fastrand::Rng::with_seed(seed), carts, brokers, plays: Vec::new() }
    }

    fn time(&mut self, ms: std::ops::Range<u64>) -> Duration {
        Duration::from_millis(self.dice.u64(ms))
    }

    /// Until the next blow.
    pub fn pause(&mut self) -> Duration {
        self.time(200..2_200)
    }

    fn target(&mut self) -> Target {
        match self.dice.u32(0..10) {
            0..2 => Target::Broker(self.dice.usize(0..self.brokers)),
            2..5 => Target::Hub,
            5..7 => Target::Terminal(self.dice.usize(0..LANES)),
            _ => Target::Cart(self.dice.usize(0..self.carts)),
        }
    }

    fn play(&mut self) -> Play {
        if self.plays.is_empty() {
            self.plays = vec![Play::Decline, Play::Timeout, Play::LostAnswer, Play::CrashAfterApproval, Play::Slow];
            self.dice.shuffle(&mut self.plays);
        }
        self.plays.pop().unwrap_or(Play::Decline)
    }

    /// The next blow.
    pub fn blow(&mut self) -> Blow {
        match self.dice.u32(0..100) {
            0..34 => {
                let target = self.target();
                Blow::Kill(target, self.time(50..2_500))
            }
            34..48 => {
                let target = self.target();
                Blow::Freeze(target, self.time(100..6_000))
            }
            48..74 => {
                let end = match self.dice.u32(0..10) {
                    0..4 => End::Cart(self.dice.usize(0..self.carts)),
                    4..5 => End::Crowd,
                    5..8 => End::Hub,
                    _ => End::Terminal(self.dice.usize(0..LANES)),
                };
                let weather = match self.dice.u32(0..4) {
                    0 => Weather::Cut,
                    1 => Weather::Stalled,
                    2 => Weather::Slow(self.dice.u16(20..400)),
                    // What a terminal says is no MQTT.
                    _ if matches!(end, End::Terminal(_)) => Weather::Cut,
                    _ => Weather::Stutters,
                };
                Blow::Line(end, weather, self.time(300..8_000))
            }
            74..78 => Blow::DiskFull(self.time(1_000..5_000)),
            78..82 => {
                let target = if self.dice.bool() { Target::Hub } else { Target::Cart(self.dice.usize(0..self.carts)) };
                Blow::FlushFails(target, self.time(300..1_500))
            }
            82..86 => Blow::TwoHubs(self.time(1_000..4_000)),
            _ => Blow::Terminal(self.dice.usize(0..LANES), self.play()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn every_kind_of_blow_is_drawn() {
        for seed in [1, 2, 26] {
            let mut plan = Plan::new(seed, 2, 1);
            let mut drawn: BTreeMap<String, u32> = BTreeMap::new();
            for _ in 0..3_000 {
                plan.pause();
                *drawn.entry(plan.blow().kind()).or_default() += 1;
            }
            let programs = ["broker", "hub", "terminal", "cart"];
            for kind in programs.iter().flat_map(|name| [format!("{name} killed"), format!("{name} stands still")]) {
                assert!(drawn.contains_key(&kind), "{kind}: {drawn:?}");
            }
            for play in ["Decline", "Timeout", "LostAnswer", "CrashAfterApproval", "Slow"] {
                assert!(drawn.contains_key(&format!("terminal: {play}")), "{play}: {drawn:?}");
            }
            assert_eq!(drawn.len(), 32, "{drawn:?}");
        }
    }
}
