//! The world: one queue of what happens next, by virtual time. What happens to each part of it lies in a file of
//! that part's name.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use store_hub::hub::Input as HubInput;
use store_hub::intent::{Answer, Ask, Intent};
use store_sync::session::Outgoing;
use trip::{IntentId, UnixMillis};

use crate::Ms;
use crate::broker::{Broker, Connection, Delivery};
use crate::cart::SimCart;
use crate::chance::Chance;
use crate::check::{Check, Truth};
use crate::fact::Fact;
use crate::fault::{End, Fault, What};
use crate::goods;
use crate::hub::{HubDisk, SimHub, receipt_key};
use crate::plan::Plan;
use crate::remains::{CartRemains, Copied, Payment, Remains};
use crate::run::{Breach, Counts};
use crate::shopper::Shopper;
use crate::terminal::Progress;

mod carts;
mod faults;
mod hub;
mod line;
mod terminals;

use line::Network;
use terminals::Post;

/// The wall clock when the world begins, in milliseconds since 1970.
const BEGINNING: i64 = 1_795_000_000_000;
/// The hub looks at the time so often.
const HUB_TICK: Ms = 500;
/// How long a world may take to come to rest after the last fault.
pub const REST_WITHIN: Ms = 30 * 60_000;

/// What is to happen.
#[derive(Debug)]
enum Event {
    CartStarts(usize),
    CartTicks {
        cart: usize,
        boot: u64,
    },
    CartConnects {
        cart: usize,
        boot: u64,
    },
    HubStarts,
    HubConnects {
        run: u64,
    },
    HubTicks {
        run: u64,
    },
    HubThaws {
        run: u64,
    },
    BrokerStarts,
    AtBroker {
        from: Connection,
        message: Outgoing,
    },
    AtClient(Delivery),
    /// A client sees that its connection is gone.
    Noticed(Connection),
    /// The broker sees that a client is gone.
    Missed(Connection),
    AtTerminal {
        lane: usize,
        run: u64,
        ask: Ask,
        intent: Box<Intent>,
    },
    Answered {
        run: u64,
        intent: IntentId,
        ask: Ask,
        answer: Answer,
    },
    Again {
        run: u64,
        input: Box<HubInput>,
    },
    Card {
        lane: usize,
        intent: IntentId,
    },
    NoCard {
        lane: usize,
        intent: IntentId,
    },
    PayPatience {
        run: u64,
        intent: IntentId,
    },
    TerminalStarts(usize),
    Shops(usize),
    StaffLook,
    Strikes(usize),
    Heals,
}

#[derive(Debug)]
struct Due {
    at: Ms,
    number: u64,
    event: Event,
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.number).cmp(&(other.at, other.number))
    }
}

/// Everything.
pub struct World {
    /// What it stands for.
    pub plan: Plan,
    /// Virtual time.
    pub now: Ms,
    /// What was done and seen, in numbers.
    pub counts: Counts,
    /// The first promise that was broken.
    pub breach: Option<Breach>,
    /// Readable lines of what happened, where they are wanted.
    pub trace: Option<VecDeque<String>>,
    pub(crate) carts: Vec<SimCart>,
    pub(crate) shoppers: Vec<Shopper>,
    pub(crate) hub: Option<SimHub>,
    pub(crate) hub_disk: HubDisk,
    ghosts: Vec<SimHub>,
    posts: Vec<Post>,
    broker: Broker,
    networks: BTreeMap<End, Network>,
    swallowed: Vec<Ms>,
    full_until: Ms,
    hub_runs: u64,
    hub_clock_off: i64,
    hub_dearer: u32,
    terminals_chance: Chance,
    checks: Vec<Box<dyn Check>>,
    heals_at: Ms,
    resting: bool,
    queue: BinaryHeap<Reverse<Due>>,
    number: u64,
}

impl World {
    /// The world of a plan, at its beginning.
    pub fn new(plan: Plan, checks: Vec<Box<dyn Check>>, traced: bool) -> Self {
        let ends = (0..plan.carts).map(End::Cart).chain([End::Hub]);
        let mut world = Self {
            now: 0,
            counts: Counts::default(),
            breach: None,
            trace: traced.then(VecDeque::new),
            carts: (0..plan.carts).map(|n| SimCart::new(n, UnixMillis(BEGINNING + n as i64))).collect(),
            shoppers: (0..plan.carts).map(|n| Shopper::new(plan.seed, n)).collect(),
            hub: None,
            hub_disk: HubDisk::default(),
            ghosts: Vec::new(),
            posts: (0..plan.lanes).map(|_| Post::default()).collect(),
            broker: Broker::started(),
            networks: ends.map(|end| (end, Network::new(plan.seed, end))).collect(),
            swallowed: vec![0; plan.carts],
            full_until: 0,
            hub_runs: 0,
            hub_clock_off: 0,
            hub_dearer: 0,
            terminals_chance: Chance::of(plan.seed, "terminals"),
            checks,
            heals_at: plan.heals_at(),
            resting: false,
            queue: BinaryHeap::new(),
            number: 0,
            plan,
        };
        world.after(10, Event::HubStarts);
        for cart in 0..world.plan.carts {
            world.after(100 + cart as Ms * 37, Event::CartStarts(cart));
            world.after(3_000 + cart as Ms * 700, Event::Shops(cart));
        }
        world.after(2_000, Event::StaffLook);
        for (n, at) in world.plan.faults.iter().map(|fault| fault.at).enumerate().collect::<Vec<_>>() {
            world.after(at, Event::Strikes(n));
        }
        world.after(world.heals_at, Event::Heals);
        world
    }

    /// Does what happens next; false when it is over.
    pub fn step(&mut self) -> bool {
        let Some(Reverse(due)) = self.queue.pop() else { return false };
        self.now = due.at;
        self.counts.steps += 1;
        self.happen(due.event);
        self.look_at_commits();
        if self.breach.is_none() && self.now > self.heals_at + REST_WITHIN {
            let why = self.restless().unwrap_or_else(|| "it does not stop".into());
            self.broken("comes to rest", why);
        }
        self.breach.is_none() && !self.resting
    }

    fn after(&mut self, ms: Ms, event: Event) {
        self.number += 1;
        self.queue.push(Reverse(Due { at: self.now + ms, number: self.number, event }));
    }

    /// Adds a line to the trace, where one is wanted.
    pub(crate) fn say(&mut self, what: impl FnOnce() -> String) {
        let now = self.now as f64 / 1_000.0;
        if let Some(trace) = &mut self.trace {
            if trace.len() >= 4_000 {
                trace.pop_front();
            }
            trace.push_back(format!("{now:>9.3} s  {}", what()));
        }
    }

    fn broken(&mut self, check: &str, why: String) {
        if self.breach.is_none() {
            self.say(|| format!("BROKEN: {check}: {why}"));
            self.breach = Some(Breach { check: check.to_owned(), at: self.now, why });
        }
    }

    /// Shows a fact to every check.
    pub(crate) fn seen(&mut self, fact: &Fact<'_>) {
        let mut checks = std::mem::take(&mut self.checks);
        for check in &mut checks {
            if let Err(why) = check.see(fact, &self.truth()) {
                self.broken(check.name(), why);
            }
        }
        self.checks = checks;
    }

    /// Asks every check for its last word.
    pub fn finish(&mut self) {
        let remains = self.remains();
        let checks = std::mem::take(&mut self.checks);
        for check in &checks {
            if let Err(why) = check.end(&remains) {
                self.broken(check.name(), why);
            }
        }
        self.checks = checks;
        let carts = &self.carts;
        self.counts.records = carts.iter().map(|cart| cart.disk.history().len() as u64).sum();
        self.counts.cart_writes = carts.iter().map(|cart| cart.disk.writes()).sum();
        self.counts.commits = self.hub_disk.trouble().commits;
        self.counts.transfers = self.hub_disk.place.all_transfers().len() as u64;
        self.counts.alarms = carts.iter().map(|cart| cart.alarms.len() as u64).sum();
    }

    fn truth(&self) -> Truth<'_> {
        Truth {
            place: &self.hub_disk.place,
            carts: &self.carts,
            terminals: self.posts.iter().map(|post| &post.terminal).collect(),
        }
    }

    fn remains(&self) -> Remains {
        let place = &self.hub_disk.place;
        let rots = |cart| {
            let rots = |f: &Fault| f.at <= self.now && matches!(f.what, What::JournalRots { cart: n } if n == cart);
            self.plan.faults.iter().any(rots)
        };
        let left = |(n, cart): (usize, &SimCart)| {
            let (epoch, head) = cart.disk.end();
            CartRemains {
                id: cart.id.clone(),
                epoch,
                head,
                state: cart.disk.state(),
                written: cart.disk.history(),
                wiped: 0,
                receipts: cart.disk.receipts(),
                rotted: rots(n),
            }
        };
        let payments = self.posts.iter().flat_map(|post| post.terminal.payments());
        Remains {
            carts: self.carts.iter().enumerate().map(left).collect(),
            journals: place
                .journals()
                .into_iter()
                .map(|row| Copied { records: place.records(&row.cart, row.epoch), row })
                .collect(),
            intents: place.all_intents(),
            receipts: place.all_receipts(),
            gates: place.all_gates(),
            payments: payments
                .map(|(intent, p)| Payment {
                    intent: intent.clone(),
                    amount: p.amount,
                    taken: p.progress == Progress::Approved,
                })
                .collect(),
            catalogues: [0, goods::DEARER].map(goods::catalogue).into(),
            receipt_key: receipt_key().verifying_key(),
        }
    }

    /// What keeps the world from rest, if anything does.
    fn restless(&self) -> Option<String> {
        if self.now < self.heals_at {
            return Some("faults may still strike".into());
        }
        for (cart, shopper) in self.carts.iter().zip(&self.shoppers) {
            if !shopper.is_done() {
                return Some(format!("the shopper of {} is not done: {}", cart.id, shopper.mood()));
            }
            match cart.unsynced() {
                None => return Some(format!("{} is off", cart.id)),
                Some(0) => {}
                Some(n) => return Some(format!("{n} records of {} are not acked", cart.id)),
            }
        }
        if self.hub.is_none() || !self.ghosts.is_empty() {
            return Some("the hub is off".into());
        }
        if let Some(row) = self.hub_disk.place.all_transfers().into_iter().find(|row| !row.over) {
            return Some(format!("{} goes on with {}, whose basket is at a till", row.cart, row.trip));
        }
        let open = self.hub_disk.place.all_intents().into_iter().find(store_hub::intent::Intent::open);
        open.map(|intent| format!("attempt {} is still {}", intent.id, intent.state.word()))
    }

    fn wall(&self, end: End) -> UnixMillis {
        let off = match end {
            End::Cart(cart) => self.carts[cart].clock_off,
            End::Hub => self.hub_clock_off,
        };
        UnixMillis(BEGINNING + self.now as i64 + off)
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::CartStarts(cart) => self.cart_starts(cart),
            Event::CartTicks { cart, boot } => {
                if self.carts[cart].runs() && self.carts[cart].boot == boot {
                    let wall = self.wall(End::Cart(cart));
                    self.carts[cart].disk.set_wall(wall);
                    let step = self.carts[cart].tick(self.now);
                    self.cart_stepped(cart, step);
                    let next = self.carts[cart].tick_after(self.now);
                    self.after(next, Event::CartTicks { cart, boot });
                }
            }
            Event::CartConnects { cart, boot } => self.cart_connects(cart, boot),
            Event::HubStarts => self.hub_starts(),
            Event::HubConnects { run } => self.hub_connects(run),
            Event::HubTicks { run } => {
                if self.hub.as_ref().is_some_and(|hub| hub.run == run) {
                    self.tell_hub(run, HubInput::Tick);
                    self.after(HUB_TICK, Event::HubTicks { run });
                }
            }
            Event::HubThaws { run } => self.hub_thaws(run),
            Event::BrokerStarts => {
                self.say(|| "the broker starts, with nothing in it".into());
                self.broker.up = true;
            }
            Event::AtBroker { from, message } => self.at_broker(from, &message),
            Event::AtClient(delivery) => self.at_client(delivery),
            Event::Noticed(connection) => self.noticed(connection),
            Event::Missed(connection) => {
                let said = self.broker.disconnect(connection.end, Some(connection.number));
                self.deliver(said);
            }
            Event::AtTerminal { lane, run, ask, intent } => self.at_terminal(lane, run, ask, &intent),
            Event::Answered { run, intent, ask, answer } => {
                self.say(|| format!("the terminal to hub {run} about {intent}, {ask:?}: {answer:?}"));
                self.tell_hub(run, HubInput::Answer { intent, ask, answer });
            }
            Event::Again { run, input } => self.tell_hub(run, *input),
            Event::Card { lane, intent } => self.card(lane, &intent),
            Event::NoCard { lane, intent } => {
                if self.posts[lane].terminal.waiting() == Some(&intent) {
                    self.posts[lane].terminal.decline("no card was held to the reader");
                    self.answer_asker(lane, &intent);
                }
            }
            Event::PayPatience { run, intent } => {
                let waits = self.posts.iter_mut().find(|post| post.asker == Some((run, intent.clone())));
                if let Some(post) = waits {
                    post.asker = None;
                    let answer = Answer::NoAnswer { why: "timed out".into() };
                    self.after(0, Event::Answered { run, intent, ask: Ask::Pay, answer });
                }
            }
            Event::TerminalStarts(lane) => {
                self.say(|| format!("the terminal of lane {} is back", lane + 1));
                self.posts[lane].terminal.decline("the terminal was switched off");
            }
            Event::Shops(cart) => {
                let again = self.shop(cart);
                self.after(again, Event::Shops(cart));
            }
            Event::StaffLook => {
                self.staff_look();
                self.resting = self.restless().is_none();
                self.after(4_000, Event::StaffLook);
            }
            Event::Strikes(n) => self.strike(n),
            Event::Heals => self.heal(),
        }
    }
}
