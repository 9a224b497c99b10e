//! The simulated shopper: follows a script, looks only at the screen, and knows what is really in
//! their hand. What they know reaches the cart by no other way than a thing in the basket or a touch.

use std::collections::VecDeque;
use std::time::Duration;

use cart_core::Intent;
use cart_core::view::{PayStep, Screen, View, WaitsFor};
use hal::Moment;
use trip::basket::HoldReason;
use trip::{HoldId, LineId, Sku};

use super::script::Step;
use super::stage::Remembered;
use super::summary::Summary;

/// What the shopper does to the world.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Puts in a thing; the world says when it has come to rest.
    Put {
        /// The product it really is.
        sku: Sku,
        /// What it really weighs, when the script says so.
        grams: Option<f32>,
        /// True to hold its barcode to the camera first.
        show_code: bool,
    },
    /// Puts in two things at once.
    PutTwo {
        /// The products.
        skus: [Sku; 2],
        /// True to hold the barcodes to the camera first.
        show_code: bool,
    },
    /// Takes out the newest thing of a product.
    Take(Sku),
    /// Knocks the cart.
    Bump,
    /// Rolls to a lane.
    RollTo(String),
    /// Touches the screen.
    Touch(Intent),
    /// Taps a card on the lane's reader.
    TapCard,
    /// Something worth a picture has come up on the screen.
    Look(&'static str),
}

/// How fast the shopper is.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Between two actions.
    pub between: Duration,
    /// To read a question before touching.
    pub think: Duration,
}

/// So long after it lies still, a thing that the cart has not noticed is missed.
const NOTICE: Duration = Duration::from_secs(4);
/// So long until what was taken out is out, and the cart has said so.
const SETTLE: Duration = Duration::from_millis(3_000);
/// So long for the lane and the hub.
const LANE_PATIENCE: Duration = Duration::from_secs(60);
/// A card that led to nothing is held to the reader again after so long.
const TAP_AGAIN: Duration = Duration::from_secs(3);

/// What the shopper waits for.
#[derive(Clone, Debug)]
enum Waiting {
    /// Nothing: the next step begins at this moment.
    Next(Moment),
    /// The cart's word on things that were put in.
    Noticed {
        /// What they really are.
        really: Vec<(Sku, Option<f32>)>,
        /// Lines before.
        before: Vec<LineId>,
        /// Holds before.
        holds: Vec<HoldId>,
        /// Missed after this.
        until: Moment,
        /// True once counted as asked or held.
        counted: bool,
        /// Not before this: people read first.
        touch_at: Option<Moment>,
    },
    /// The line of a removal to go.
    Gone { sku: Sku, before: Vec<(LineId, Sku)>, until: Moment, touch_at: Option<Moment> },
    /// The lane button, the tap screen, the receipt.
    Screen { what: For, until: Moment },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum For {
    Shopping,
    LaneOpen,
    Tap,
    Receipt,
    Goodbye,
}

/// A step that lies ahead.
#[derive(Clone, Debug)]
struct Planned {
    step: Step,
    /// True when its end is the end of a step of the script.
    counts: bool,
    /// True when its things are in the summary already: they are shown again, with their code.
    again: bool,
}

/// The shopper.
#[derive(Debug)]
pub struct Shopper {
    steps: VecDeque<Planned>,
    /// The step under way.
    current: Option<Planned>,
    pace: Pace,
    waiting: Waiting,
    /// What lies in the cart, as the shopper knows it, with its weight when known.
    in_cart: Vec<(Sku, Option<f32>)>,
    /// The thing of the first step lies there already: the cart lost its power before it had said so.
    lies_there: bool,
    /// The lane where a cart that starts again stands.
    stands_at: Option<String>,
    /// When the last touch or card at the lane was.
    last_at_lane: Moment,
    /// The count so far.
    pub summary: Summary,
    /// What went wrong for good, when something did.
    pub trouble: Option<String>,
    done: usize,
}

impl Shopper {
    /// A shopper who begins at `now`, or goes on where the cart stood when it lost its power.
    pub fn new(steps: Vec<Step>, pace: Pace, now: Moment, before: &Remembered) -> Self {
        let done = before.done.min(steps.len());
        let in_cart = in_cart_after(&steps[..done]);
        let stands_at = steps[..done].iter().rev().find_map(|step| match step {
            Step::GoToLane { lane } => Some(lane.clone()),
            _ => None,
        });
        Self {
            steps: steps.into_iter().skip(done).map(|step| Planned { step, counts: true, again: false }).collect(),
            current: None,
            pace,
            waiting: Waiting::Next(now + pace.between),
            lies_there: before.things.len() > in_cart.len(),
            in_cart,
            stands_at,
            last_at_lane: now,
            summary: Summary::default(),
            trouble: None,
            done,
        }
    }

    /// True when the script is over, or cannot go on.
    pub fn finished(&self) -> bool {
        self.trouble.is_some() || (self.steps.is_empty() && matches!(self.waiting, Waiting::Next(_)))
    }

    /// Steps that are done, for going on after a restart.
    pub fn steps_done(&self) -> usize {
        self.done
    }

    /// What really lies in the cart, for the world after a restart and for the fair price.
    pub fn in_cart(&self) -> &[(Sku, Option<f32>)] {
        &self.in_cart
    }

    /// The world tells when what was put in has come to rest.
    pub fn rests_at(&mut self, at: Moment) {
        match &mut self.waiting {
            Waiting::Noticed { until, .. } | Waiting::Gone { until, .. } => *until = at + NOTICE,
            _ => {}
        }
    }

    /// What the shopper does at `now`, seeing `view`.
    pub fn act(&mut self, view: &View, now: Moment) -> Vec<Act> {
        if self.finished() {
            return Vec::new();
        }
        if let Some(lane) = self.stands_at.take() {
            return vec![Act::RollTo(lane)];
        }
        match self.waiting.clone() {
            Waiting::Next(at) if now >= at => self.begin(view, now),
            Waiting::Next(_) => Vec::new(),
            Waiting::Noticed { really, before, holds, until, counted, touch_at } => {
                self.watch_put(view, now, really, before, holds, until, counted, touch_at)
            }
            Waiting::Gone { sku, before, until, touch_at } => {
                self.watch_removal(view, now, &sku, &before, until, touch_at)
            }
            Waiting::Screen { what, until } => self.watch_screen(view, now, what, until),
        }
    }

    fn begin(&mut self, view: &View, now: Moment) -> Vec<Act> {
        let Some(planned) = self.steps.pop_front() else { return Vec::new() };
        self.current = Some(planned.clone());
        let Planned { step, counts, again } = planned;
        let far = now + LANE_PATIENCE;
        if matches!(step, Step::Put { .. } | Step::PutTwo { .. }) && std::mem::take(&mut self.lies_there) {
            let really = match step {
                Step::Put { sku, grams, .. } => vec![(sku, grams)],
                Step::PutTwo { skus, .. } => skus.iter().map(|sku| (sku.clone(), None)).collect(),
                _ => Vec::new(),
            };
            self.expect(view, really, now + 2 * NOTICE, false);
            // The newest lines come first: those beyond what lay there before are of this thing.
            let old = view.lines.iter().rev().take(self.in_cart.len()).map(|l| l.line).collect();
            if let Waiting::Noticed { before, holds, .. } = &mut self.waiting {
                (*before, *holds) = (old, Vec::new());
            }
            return Vec::new();
        }
        match step {
            Step::Start => {
                self.waiting = Waiting::Screen { what: For::Shopping, until: far };
                vec![Act::Look("welcome"), Act::Touch(Intent::Start)]
            }
            Step::Put { sku, grams, show_code } => {
                self.expect(view, vec![(sku.clone(), grams)], far, again);
                vec![Act::Put { sku, grams, show_code }]
            }
            Step::PutTwo { skus, show_code } => {
                self.expect(view, skus.iter().map(|sku| (sku.clone(), None)).collect(), far, again);
                vec![Act::PutTwo { skus, show_code }]
            }
            Step::Take { sku } => {
                let before = view.lines.iter().map(|l| (l.line, l.sku.clone())).collect();
                self.waiting = Waiting::Gone { sku: sku.clone(), before, until: far, touch_at: None };
                vec![Act::Take(sku)]
            }
            Step::Bump => {
                self.next(now);
                vec![Act::Bump]
            }
            Step::Walk { ms } => {
                self.done += usize::from(counts);
                self.waiting = Waiting::Next(now + Duration::from_millis(ms));
                Vec::new()
            }
            Step::GoToLane { lane } => {
                self.waiting = Waiting::Screen { what: For::LaneOpen, until: far };
                vec![Act::Look("basket"), Act::RollTo(lane)]
            }
            Step::TapCard => {
                self.waiting = Waiting::Screen { what: For::Receipt, until: far };
                if !matches!(&view.screen, Screen::Pay(pay) if pay.step == PayStep::Tap) {
                    return Vec::new();
                }
                self.last_at_lane = now;
                vec![Act::Look("pay"), Act::TapCard]
            }
            Step::Finish => {
                self.waiting = Waiting::Screen { what: For::Goodbye, until: far };
                vec![Act::Touch(Intent::Finish)]
            }
        }
    }

    fn expect(&mut self, view: &View, really: Vec<(Sku, Option<f32>)>, until: Moment, again: bool) {
        self.summary.items_in += if again { 0 } else { really.len() as u32 };
        self.waiting = Waiting::Noticed {
            really,
            before: view.lines.iter().map(|l| l.line).collect(),
            holds: view.holds.iter().map(|h| h.hold).collect(),
            until,
            counted: again,
            touch_at: None,
        };
    }

    fn next(&mut self, now: Moment) {
        self.done += usize::from(self.current.as_ref().is_some_and(|planned| planned.counts));
        self.waiting = Waiting::Next(now + self.pace.between);
    }

    fn fail(&mut self, why: String) -> Vec<Act> {
        self.trouble = Some(why);
        Vec::new()
    }

    /// A thing was put in: has it become a line, a question, or nothing?
    #[expect(clippy::too_many_arguments, reason = "the fields of one state, taken apart")]
    fn watch_put(
        &mut self,
        view: &View,
        now: Moment,
        really: Vec<(Sku, Option<f32>)>,
        before: Vec<LineId>,
        holds: Vec<HoldId>,
        until: Moment,
        counted: bool,
        touch_at: Option<Moment>,
    ) -> Vec<Act> {
        let new_lines: Vec<Sku> =
            view.lines.iter().filter(|l| !before.contains(&l.line)).map(|l| l.sku.clone()).collect();
        let open = view.ask.as_ref().filter(|ask| !holds.contains(&ask.hold));
        let all_there = new_lines.len() >= really.len() || pieces_in(view, &before) >= really.len() as u32;
        if open.is_none() && !new_lines.is_empty() && (all_there || counted) {
            if !counted {
                self.count_added(&really, &new_lines);
            }
            self.in_cart.extend(really);
            self.next(now);
            return vec![Act::Look("added")];
        }
        if let Some(ask) = open {
            let truth =
                really.iter().find(|(sku, _)| !new_lines.contains(sku)).or(really.first()).map(|(sku, _)| sku.clone());
            let Some(truth) = truth else { return Vec::new() };
            let first_time = !counted;
            if first_time {
                self.count_question(
                    ask.tiles.iter().any(|t| t.sku == truth),
                    !ask.tiles.is_empty(),
                    really.len() as u32,
                );
            }
            let due = touch_at.unwrap_or(now + self.pace.think);
            let acts = if now < due { Vec::new() } else { self.respond(view, &truth, &really, now) };
            let touched = !acts.is_empty();
            if let Waiting::Noticed { counted, touch_at, until: limit, .. } = &mut self.waiting {
                *counted = true;
                *touch_at = if touched { Some(now + self.pace.think) } else { Some(due) };
                *limit = now + NOTICE + self.pace.think;
            }
            let look = if first_time { vec![Act::Look("ask")] } else { Vec::new() };
            return look.into_iter().chain(acts).collect();
        }
        if now > until {
            if counted {
                return self.fail(format!("the cart never settled {}", names(&really)));
            }
            self.summary.missed += really.len() as u32;
            self.in_cart.extend(really);
            self.next(now);
        }
        Vec::new()
    }

    fn count_added(&mut self, really: &[(Sku, Option<f32>)], shown: &[Sku]) {
        let mut shown: Vec<&Sku> = shown.iter().collect();
        for (sku, _) in really {
            match shown.iter().position(|s| *s == sku) {
                Some(at) => {
                    shown.swap_remove(at);
                    self.summary.added_right += 1;
                }
                // Two of one product come as one line of two pieces.
                None if really.iter().filter(|(other, _)| other == sku).count() > 1 => self.summary.added_right += 1,
                None => self.summary.added_wrong += 1,
            }
        }
    }

    fn count_question(&mut self, right_in_tiles: bool, tiles: bool, things: u32) {
        if tiles {
            self.summary.asked += things;
            self.summary.asked_right_in_tiles += u32::from(right_in_tiles);
        } else {
            self.summary.held += things;
        }
    }

    /// What a person would touch next to settle the open question.
    fn respond(&mut self, view: &View, truth: &Sku, really: &[(Sku, Option<f32>)], now: Moment) -> Vec<Act> {
        match &view.screen {
            Screen::Weigh(weigh) if weigh.price.is_some() => {
                return vec![Act::Look("weigh"), Act::Touch(Intent::ConfirmWeigh)];
            }
            Screen::Weigh(_) => return Vec::new(),
            Screen::Search(search) => {
                return match search.found.iter().find(|tile| tile.sku == *truth) {
                    Some(_) if !search.text.is_empty() => {
                        vec![Act::Look("search"), Act::Touch(Intent::Choose { sku: truth.clone() })]
                    }
                    // The name on the shelf, as far as most people type.
                    _ => vec![Act::Touch(Intent::Search { text: typed(truth) })],
                };
            }
            _ => {}
        }
        let Some(ask) = &view.ask else { return Vec::new() };
        let hold = ask.hold;
        match (ask.reason, ask.waits_for) {
            // It was put in without its code, and needs one: take it out, show the code, put it back.
            (_, WaitsFor::Code) => vec![Act::Touch(Intent::TakeOut { hold })],
            (_, WaitsFor::Removal) => {
                let acts = really.iter().map(|(sku, _)| Act::Take(sku.clone())).collect();
                self.again_with_code(really, now);
                acts
            }
            (HoldReason::NeverPutIn, _) => vec![Act::Touch(Intent::TakeOut { hold })],
            (HoldReason::WhichRemoved, _) => Vec::new(),
            (_, WaitsFor::Answer) if ask.tiles.iter().any(|tile| tile.sku == *truth) => {
                vec![Act::Touch(Intent::Answer { hold, sku: truth.clone() })]
            }
            (_, WaitsFor::Answer) => vec![Act::Touch(Intent::SomethingElse { hold })],
        }
    }

    /// Puts the same things in once more, this time with their codes shown.
    fn again_with_code(&mut self, really: &[(Sku, Option<f32>)], now: Moment) {
        let counts = self.current.as_ref().is_some_and(|planned| planned.counts);
        for (n, (sku, grams)) in really.iter().rev().enumerate() {
            let step = Step::Put { sku: sku.clone(), grams: *grams, show_code: true };
            self.steps.push_front(Planned { step, counts: counts && n == 0, again: true });
        }
        self.waiting = Waiting::Next(now + SETTLE);
    }

    fn watch_removal(
        &mut self,
        view: &View,
        now: Moment,
        sku: &Sku,
        before: &[(LineId, Sku)],
        until: Moment,
        touch_at: Option<Moment>,
    ) -> Vec<Act> {
        let gone: Vec<&Sku> =
            before.iter().filter(|(line, _)| !view.lines.iter().any(|l| l.line == *line)).map(|(_, s)| s).collect();
        let fewer = view.taken_out.is_some() && gone.is_empty();
        if !gone.is_empty() || fewer {
            if gone.iter().all(|s| *s == sku) {
                self.summary.removed_right += 1;
            } else {
                self.summary.removed_wrong += 1;
            }
            if let Some(at) = self.in_cart.iter().rposition(|(s, _)| s == sku) {
                self.in_cart.remove(at);
            }
            self.next(now);
            return vec![Act::Look("taken-out")];
        }
        if let Some(ask) = view.ask.as_ref().filter(|ask| ask.reason == HoldReason::WhichRemoved) {
            let due = touch_at.unwrap_or(now + self.pace.think);
            if let Waiting::Gone { touch_at, .. } = &mut self.waiting {
                *touch_at = Some(due);
            }
            if now < due {
                return Vec::new();
            }
            return match ask.tiles.iter().find(|tile| tile.sku == *sku).and_then(|tile| tile.line) {
                Some(line) => vec![Act::Look("which"), Act::Touch(Intent::AnswerLine { hold: ask.hold, line })],
                None => self.fail(format!("{sku} was taken out, and is not among the tiles")),
            };
        }
        if now > until {
            return self.fail(format!("the cart never noticed that {sku} was taken out"));
        }
        Vec::new()
    }

    fn watch_screen(&mut self, view: &View, now: Moment, what: For, until: Moment) -> Vec<Act> {
        let reached = match (what, &view.screen) {
            (For::Shopping, Screen::Basket) | (For::Goodbye, Screen::Goodbye | Screen::Welcome) => true,
            (For::LaneOpen, Screen::Basket) if view.pay_blocked.is_none() => {
                self.summary.total_minor = view.total.minor;
                self.waiting = Waiting::Screen { what: For::Tap, until };
                self.last_at_lane = now;
                return vec![Act::Touch(Intent::GoToLane)];
            }
            // A cart that starts again may stand there already; or somebody else has held a card to this reader.
            (For::LaneOpen | For::Tap, Screen::Pay(pay)) if pay.step == PayStep::Tap => true,
            (For::LaneOpen | For::Tap, Screen::Receipt(_)) => true,
            (For::LaneOpen | For::Tap | For::Receipt, Screen::Basket) if now > self.last_at_lane + TAP_AGAIN => {
                self.last_at_lane = now;
                return self.once_more(view, now);
            }
            (For::Receipt, Screen::Receipt(receipt)) => {
                if receipt.qr.is_some() {
                    self.next(now + Duration::from_millis(400));
                    return vec![Act::Look("receipt")];
                }
                false
            }
            (For::LaneOpen | For::Tap | For::Receipt, Screen::Pay(pay)) if now > self.last_at_lane + TAP_AGAIN => {
                match pay.step {
                    PayStep::Tap => {
                        self.last_at_lane = now;
                        return vec![Act::TapCard];
                    }
                    PayStep::Declined => {
                        self.last_at_lane = now;
                        return vec![Act::Look("declined"), Act::Touch(Intent::GoToLane)];
                    }
                    _ => false,
                }
            }
            _ => false,
        };
        if reached {
            self.next(now);
        } else if now > until {
            return self.fail(format!("waited a minute for {what:?}, and the screen shows {}", screen_name(view)));
        }
        Vec::new()
    }

    /// Back at the basket on the way to the lane: settles what is open, and touches the button again.
    fn once_more(&mut self, view: &View, now: Moment) -> Vec<Act> {
        let Some(ask) = &view.ask else {
            return if view.pay_blocked.is_none() { vec![Act::Touch(Intent::GoToLane)] } else { Vec::new() };
        };
        let mut unlisted = self.in_cart.clone();
        let mut gone = Vec::new();
        for line in &view.lines {
            match unlisted.iter().position(|(sku, _)| *sku == line.sku) {
                Some(at) => drop(unlisted.remove(at)),
                None => gone.push(line.line),
            }
        }
        if ask.weight.0 > 0 {
            let Some(thing) = unlisted.first().cloned() else { return Vec::new() };
            if ask.waits_for == WaitsFor::Removal {
                // This step comes after it.
                self.steps.extend(self.current.take());
                self.steps.rotate_right(1);
            }
            return self.respond(view, &thing.0.clone(), &[thing], now);
        }
        let tile = ask.tiles.iter().find_map(|tile| tile.line.filter(|line| gone.contains(line)));
        tile.map(|line| Act::Touch(Intent::AnswerLine { hold: ask.hold, line })).into_iter().collect()
    }
}

/// What lies in the cart after these steps, when each of them was settled.
fn in_cart_after(steps: &[Step]) -> Vec<(Sku, Option<f32>)> {
    let mut in_cart: Vec<(Sku, Option<f32>)> = Vec::new();
    for step in steps {
        match step {
            Step::Put { sku, grams, .. } => in_cart.push((sku.clone(), *grams)),
            Step::PutTwo { skus, .. } => in_cart.extend(skus.iter().map(|sku| (sku.clone(), None))),
            Step::Take { sku } => {
                if let Some(at) = in_cart.iter().rposition(|(s, _)| s == sku) {
                    in_cart.remove(at);
                }
            }
            _ => {}
        }
    }
    in_cart
}

/// Pieces on lines that are new.
fn pieces_in(view: &View, before: &[LineId]) -> u32 {
    let new = view.lines.iter().filter(|l| !before.contains(&l.line));
    new.map(|l| match l.quantity {
        trip::Quantity::Each(pieces) => pieces,
        _ => 1,
    })
    .sum()
}

fn typed(sku: &Sku) -> String {
    sku.as_str().split(['-', '.']).next().unwrap_or_default().to_owned()
}

fn names(things: &[(Sku, Option<f32>)]) -> String {
    things.iter().map(|(sku, _)| sku.as_str()).collect::<Vec<_>>().join(" and ")
}

fn screen_name(view: &View) -> &'static str {
    match view.screen {
        Screen::Welcome => "welcome",
        Screen::Start(_) => "start",
        Screen::List(_) => "list",
        Screen::Basket => "the basket",
        Screen::Search(_) => "search",
        Screen::Weigh(_) => "weigh",
        Screen::Pay(_) => "pay",
        Screen::Receipt(_) => "the receipt",
        Screen::Item(_) => "a line",
        Screen::Product(_) => "a product",
        Screen::Offers(_) => "offers",
        Screen::Goodbye => "goodbye",
        Screen::Charging => "charging",
        Screen::LowBattery => "low-battery",
    }
}
