//! Terminals are asked, take money, and fall silent.

use store_hub::intent::{Answer, Ask, Intent};
use trip::IntentId;

use super::{Event, World};
use crate::Ms;
use crate::fact::Fact;
use crate::terminal::{Held, Progress, Said, Terminal};

/// How long a hub waits for a terminal that says nothing: for a payment, and for anything else.
const PAY_PATIENCE: Ms = 90_000;
const QUICK_PATIENCE: Ms = 10_000;
/// How long a terminal waits for a card.
const CARD_WITHIN: Ms = 45_000;

/// A lane's terminal and who waits for its word.
#[derive(Debug, Default)]
pub(super) struct Post {
    pub(super) terminal: Terminal,
    pub(super) off_until: Ms,
    pub(super) lose_next: bool,
    pub(super) no_card_next: bool,
    pub(super) asker: Option<(u64, IntentId)>,
}

impl World {
    pub(super) fn at_terminal(&mut self, lane: usize, run: u64, ask: Ask, intent: &Intent) {
        // A hub that is dead asks nothing more; one that stands still may have asked before.
        let asked = intent.id.clone();
        if !self.hubs().any(|hub| hub.run == run) {
            return;
        }
        if self.posts[lane].off_until > self.now {
            let answer = if self.terminals_chance.percent(70) {
                Answer::NeverSent { why: "connection refused".into() }
            } else {
                Answer::NoAnswer { why: "connection lost".into() }
            };
            return self.after(50, Event::Answered { run, intent: asked, ask, answer });
        }
        match self.posts[lane].terminal.ask(ask, intent) {
            Said::Waits => {
                self.posts[lane].asker = Some((run, asked.clone()));
                self.after(PAY_PATIENCE, Event::PayPatience { run, intent: asked.clone() });
                if std::mem::take(&mut self.posts[lane].no_card_next) {
                    self.after(CARD_WITHIN, Event::NoCard { lane, intent: asked });
                } else {
                    let after = self.terminals_chance.within(800..7_000);
                    self.after(after, Event::Card { lane, intent: asked });
                }
            }
            Said::Answer(answer) => {
                if ask == Ask::Abort {
                    // The payment's own asker hears what became of it.
                    self.answer_asker(lane, &asked);
                }
                let (late, answer) = self.perhaps_lost(lane, answer, QUICK_PATIENCE);
                self.after(late, Event::Answered { run, intent: asked, ask, answer });
            }
        }
    }

    pub(super) fn perhaps_lost(&mut self, lane: usize, answer: Answer, patience: Ms) -> (Ms, Answer) {
        if std::mem::take(&mut self.posts[lane].lose_next) {
            return (patience, Answer::NoAnswer { why: "timed out".into() });
        }
        (self.terminals_chance.within(5..60), answer)
    }

    /// Whoever waits for the payment hears what became of it.
    pub(super) fn answer_asker(&mut self, lane: usize, intent: &IntentId) {
        let Some((run, _)) = self.posts[lane].asker.take_if(|(_, asked)| asked == intent) else { return };
        let Some(answer) = self.posts[lane].terminal.status(intent) else { return };
        let (late, answer) = self.perhaps_lost(lane, answer, PAY_PATIENCE);
        self.after(late, Event::Answered { run, intent: intent.clone(), ask: Ask::Pay, answer });
    }

    pub(super) fn card(&mut self, lane: usize, intent: &IntentId) {
        if self.posts[lane].terminal.waiting() != Some(intent) || self.posts[lane].off_until > self.now {
            return;
        }
        let held = self.posts[lane].terminal.card();
        let taken = self.posts[lane]
            .terminal
            .payments()
            .find(|(id, _)| *id == intent)
            .map(|(_, p)| (p.trip.clone(), p.amount, p.progress));
        if let Some((trip, amount, Progress::Approved)) = taken {
            self.counts.taken += 1;
            self.say(|| format!("lane {} takes {amount} for {intent}", lane + 1));
            self.seen(&Fact::Taken { intent, trip: &trip, amount });
        }
        match held {
            Held::Answer(_) => self.answer_asker(lane, intent),
            Held::Crashed => self.terminal_off(lane, 4_000),
            Held::Nothing => {}
        }
    }

    pub(super) fn terminal_off(&mut self, lane: usize, lasts: Ms) {
        self.say(|| format!("the terminal of lane {} is off", lane + 1));
        self.posts[lane].off_until = self.now + lasts;
        if let Some((run, intent)) = self.posts[lane].asker.take() {
            let answer = Answer::NoAnswer { why: "connection reset".into() };
            self.after(80, Event::Answered { run, intent, ask: Ask::Pay, answer });
        }
        self.after(lasts, Event::TerminalStarts(lane));
    }
}
