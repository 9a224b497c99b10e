//! The world: one queue of what happens next, by virtual time.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap, VecDeque};

use store_hub::bus::BusEvent;
use store_hub::hub::{Effect, Input as HubInput};
use store_hub::intent::{Answer, Ask, Intent};
use store_sync::session::{Outgoing, Output};
use trip::message::{Ack, HubState, VERSION};
use trip::topics::{self, Leaf};
use trip::{IntentId, UnixMillis};

use crate::Ms;
use crate::broker::{Broker, Connection, Delivery};
use crate::cart::{SimCart, Step};
use crate::chance::Chance;
use crate::check::{Check, Truth};
use crate::disk::PowerGone;
use crate::fact::Fact;
use crate::fault::{End, What};
use crate::goods;
use crate::hub::{HubDisk, SimHub};
use crate::plan::Plan;
use crate::run::{Breach, Counts};
use crate::shopper::Shopper;
use crate::terminal::{Held, Said, Terminal};

/// The wall clock when the world begins, in milliseconds since 1970.
const BEGINNING: i64 = 1_795_000_000_000;
/// The hub looks at the time so often.
const HUB_TICK: Ms = 500;
/// A broker or a client sees that the other end is gone within this, by its keep-alive.
const KEEP_ALIVE: Ms = 8_000;
/// How long a hub waits for a terminal that says nothing: for a payment, and for anything else.
const PAY_PATIENCE: Ms = 90_000;
const QUICK_PATIENCE: Ms = 10_000;
/// How long a terminal waits for a card.
const CARD_WITHIN: Ms = 45_000;
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

/// The network of one end.
#[derive(Debug)]
struct Network {
    cut_until: Ms,
    bad_until: Ms,
    chance: Chance,
    /// What was sent last, each way, arrives then: order is kept while the network is good.
    last_up: Ms,
    last_down: Ms,
}

/// A lane's terminal and who waits for its word.
#[derive(Debug, Default)]
struct Post {
    terminal: Terminal,
    off_until: Ms,
    lose_next: bool,
    no_card_next: bool,
    asker: Option<(u64, IntentId)>,
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
        let network = |end: End| Network {
            cut_until: 0,
            bad_until: 0,
            chance: Chance::of(plan.seed, &format!("network {end:?}")),
            last_up: 0,
            last_down: 0,
        };
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
            networks: ends.map(|end| (end, network(end))).collect(),
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
        let mut checks = std::mem::take(&mut self.checks);
        for check in &mut checks {
            if let Err(why) = check.end(&self.truth()) {
                self.broken(check.name(), why);
            }
        }
        self.checks = checks;
        let carts = &self.carts;
        self.counts.records = carts.iter().map(|cart| cart.disk.history().len() as u64).sum();
        self.counts.cart_writes = carts.iter().map(|cart| cart.disk.writes()).sum();
        self.counts.commits = self.hub_disk.trouble().commits;
        self.counts.alarms = carts.iter().map(|cart| cart.alarms.len() as u64).sum();
    }

    fn truth(&self) -> Truth<'_> {
        Truth {
            place: &self.hub_disk.place,
            carts: &self.carts,
            terminals: self.posts.iter().map(|post| &post.terminal).collect(),
            rotted: self
                .plan
                .faults
                .iter()
                .filter(|f| f.at <= self.now)
                .filter_map(|f| match f.what {
                    What::JournalRots { cart } => Some(cart),
                    _ => None,
                })
                .collect(),
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

    // Carts.

    fn cart_starts(&mut self, cart: usize) {
        if self.carts[cart].runs() {
            return;
        }
        let wall = self.wall(End::Cart(cart));
        self.carts[cart].disk.set_wall(wall);
        let before = self.carts[cart].disk.state();
        self.counts.starts += 1;
        match self.carts[cart].start(self.now, self.plan.seed) {
            Ok((damaged, step)) => {
                self.say(|| format!("cart {} starts{}", cart + 1, if damaged { " in a new journal" } else { "" }));
                let state = self.carts[cart].state().cloned().unwrap_or_default();
                self.seen(&Fact::Started { cart, before: &before, state: &state, damaged });
                let boot = self.carts[cart].boot;
                self.after(20, Event::CartTicks { cart, boot });
                self.after(30, Event::CartConnects { cart, boot });
                self.cart_stepped(cart, Ok(Step { shown: true, ..step }));
            }
            Err(PowerGone) => self.cart_dies(cart, 3_000),
        }
    }

    /// The power of a cart is gone.
    fn cart_dies(&mut self, cart: usize, down: Ms) {
        self.say(|| format!("cart {} is off", cart + 1));
        if let Some(connection) = self.carts[cart].connection {
            let late = self.late(End::Cart(cart));
            self.after(late, Event::Missed(connection));
        }
        self.carts[cart].stop();
        self.after(down, Event::CartStarts(cart));
    }

    fn late(&mut self, end: End) -> Ms {
        self.networks.get_mut(&end).map_or(0, |network| network.chance.within(100..KEEP_ALIVE))
    }

    fn cart_connects(&mut self, cart: usize, boot: u64) {
        let end = End::Cart(cart);
        if !self.carts[cart].runs() || self.carts[cart].boot != boot || self.carts[cart].connection.is_some() {
            return;
        }
        let reachable = self.networks[&end].cut_until <= self.now;
        let connected = self.carts[cart].will().filter(|_| reachable).and_then(|will| self.broker.connect(end, will));
        match connected {
            Some((connection, said)) => {
                self.deliver(said);
                let step = self.carts[cart].connected(connection, self.now);
                self.cart_stepped(cart, step);
            }
            None => {
                let chance = self.networks.get_mut(&end).map_or(0.5, |network| network.chance.share());
                let wait = self.carts[cart].patience.wait(chance).as_millis() as Ms;
                self.after(wait, Event::CartConnects { cart, boot });
            }
        }
    }

    /// Does what a step of a cart's program left to be done.
    pub(crate) fn cart_stepped(&mut self, cart: usize, step: Result<Step, PowerGone>) {
        let Ok(step) = step else { return self.cart_dies(cart, 2_500) };
        if step.shown
            && let Some(view) = self.carts[cart].view().cloned()
        {
            let on_disk = self.carts[cart].disk.state();
            self.say(|| {
                let lines: Vec<String> = view.lines.iter().map(|l| format!("{} {:?}", l.sku, l.quantity)).collect();
                let screen = format!("{:?}", view.screen);
                let screen = screen.split(['(', ' ']).next().unwrap_or_default().to_owned();
                format!(
                    "cart {} shows {screen} {:?} {lines:?} holds {} {}",
                    cart + 1,
                    on_disk.phase,
                    view.holds.len(),
                    view.total
                )
            });
            self.seen(&Fact::Shown { cart, view: &view, on_disk: &on_disk });
        }
        let Some(connection) = self.carts[cart].connection else { return };
        for output in step.outputs {
            match output {
                Output::Subscribe(topic) => {
                    let kept = self.broker.subscribe(connection, topic);
                    self.deliver(kept);
                }
                Output::Publish(message) => self.send(connection, message),
                Output::Tell(_) => {}
            }
        }
    }

    // The line.

    fn send(&mut self, from: Connection, message: Outgoing) {
        let now = self.now;
        let Some(network) = self.networks.get_mut(&from.end) else { return };
        for at in network.arrivals(now, true) {
            self.after(at - now, Event::AtBroker { from, message: message.clone() });
        }
    }

    fn deliver(&mut self, deliveries: Vec<Delivery>) {
        let now = self.now;
        for delivery in deliveries {
            let Some(network) = self.networks.get_mut(&delivery.to.end) else { continue };
            for at in network.arrivals(now, false) {
                self.after(at - now, Event::AtClient(delivery.clone()));
            }
        }
    }

    fn at_broker(&mut self, from: Connection, message: &Outgoing) {
        if !self.broker.up || !self.broker.holds(from) {
            return;
        }
        if let End::Cart(cart) = from.end
            && self.swallowed[cart] > self.now
            && message.topic.ends_with("up/event")
        {
            self.counts.lost += 1;
            return self.say(|| format!("the broker swallows records of cart {}", cart + 1));
        }
        self.counts.messages += 1;
        let deliveries = self.broker.publish(message);
        self.deliver(deliveries);
    }

    fn at_client(&mut self, delivery: Delivery) {
        let Delivery { to, topic, payload } = delivery;
        if self.networks[&to.end].cut_until > self.now {
            return;
        }
        match to.end {
            End::Cart(cart) if self.carts[cart].connection == Some(to) => {
                self.say(|| format!("to cart {}: {} {}", cart + 1, topic, short(&payload)));
                let step = self.carts[cart].heard(&topic, &payload, self.now);
                self.cart_stepped(cart, step);
            }
            End::Hub => {
                let run = self.hubs().find(|hub| hub.connection == Some(to)).map(|hub| hub.run);
                if let Some(run) = run {
                    self.say(|| format!("to hub {run}: {} {}", topic, short(&payload)));
                    self.tell_hub(run, HubInput::Bus(BusEvent::Message { topic, payload }));
                }
            }
            End::Cart(_) => {}
        }
    }

    fn noticed(&mut self, connection: Connection) {
        match connection.end {
            End::Cart(cart) if self.carts[cart].connection == Some(connection) => {
                self.say(|| format!("cart {} sees that its line is gone", cart + 1));
                let step = self.carts[cart].lost(self.now);
                self.cart_stepped(cart, step);
                let boot = self.carts[cart].boot;
                self.after(50, Event::CartConnects { cart, boot });
            }
            End::Hub => {
                let Some(run) = self.hubs().find(|hub| hub.connection == Some(connection)).map(|hub| hub.run) else {
                    return;
                };
                self.hubs_mut().filter(|hub| hub.run == run).for_each(|hub| hub.connection = None);
                self.tell_hub(run, HubInput::Bus(BusEvent::Down { why: "the connection is gone".into() }));
                self.after(50, Event::HubConnects { run });
            }
            End::Cart(_) => {}
        }
    }

    // The hub.

    fn hubs(&self) -> impl Iterator<Item = &SimHub> {
        self.hub.iter().chain(&self.ghosts)
    }

    fn hub_connection(&self, run: u64) -> Option<Connection> {
        self.hubs().find(|hub| hub.run == run).and_then(|hub| hub.connection)
    }

    fn hubs_mut(&mut self) -> impl Iterator<Item = &mut SimHub> {
        self.hub.iter_mut().chain(&mut self.ghosts)
    }

    fn hub_starts(&mut self) {
        if self.hub.is_some() {
            return;
        }
        self.hub_runs += 1;
        self.counts.starts += 1;
        let run = self.hub_runs;
        let carts = self.carts.iter().map(|cart| (cart.id.clone(), cart.public_key())).collect();
        let wall = self.wall(End::Hub);
        match SimHub::start(run, &self.hub_disk, carts, self.plan.lanes, self.hub_dearer, wall) {
            Ok((hub, effects)) => {
                self.say(|| format!("hub {run} starts"));
                self.hub = Some(hub);
                self.carry_out(run, effects);
                self.after(30, Event::HubConnects { run });
                self.after(HUB_TICK, Event::HubTicks { run });
            }
            Err(why) => {
                self.say(|| format!("hub {run} cannot start: {why}"));
                self.after(2_000, Event::HubStarts);
            }
        }
    }

    fn hub_connects(&mut self, run: u64) {
        let reachable = self.networks[&End::Hub].cut_until <= self.now;
        if !self.hubs().any(|hub| hub.run == run && hub.connection.is_none()) {
            return;
        }
        let state = HubState { v: VERSION, online: false, boot_epoch: run };
        let will = Outgoing {
            topic: topics::hub_state(&goods::store()),
            payload: serde_json::to_vec(&state).unwrap_or_default(),
            retain: true,
            sure: true,
        };
        let Some((connection, said)) = reachable.then(|| self.broker.connect(End::Hub, will)).flatten() else {
            let chance = self.networks.get_mut(&End::Hub).map_or(0.5, |network| network.chance.share());
            let wait =
                self.hubs_mut().find(|hub| hub.run == run).map(|hub| hub.patience.wait(chance).as_millis() as Ms);
            return self.after(wait.unwrap_or(500), Event::HubConnects { run });
        };
        // Another hub of the same name is thrown off the broker.
        let thrown: Vec<Connection> =
            self.hubs().filter(|hub| hub.run != run).filter_map(|hub| hub.connection).collect();
        thrown.into_iter().for_each(|old| self.after(5, Event::Noticed(old)));
        self.deliver(said);
        self.hubs_mut().filter(|hub| hub.run == run).for_each(|hub| {
            hub.connection = Some(connection);
            hub.patience.restored();
        });
        let kept = self.broker.subscribe(connection, topics::carts_up(&goods::store()));
        self.deliver(kept);
        self.tell_hub(run, HubInput::Bus(BusEvent::Up));
    }

    /// A hub takes an input: now, or when it stands still no longer.
    pub(crate) fn tell_hub(&mut self, run: u64, input: HubInput) {
        let (now, wall) = (self.now, self.wall(End::Hub));
        let Some(hub) = self.hubs_mut().find(|hub| hub.run == run) else { return };
        if hub.still_until > now {
            if !matches!(input, HubInput::Tick) {
                hub.waiting.push(input);
            }
            return;
        }
        match hub.handle(input, wall) {
            Ok(effects) => self.carry_out(run, effects),
            Err(why) => {
                self.say(|| format!("hub {run} ends: {why}"));
                self.hub_dies(run, 1_500);
            }
        }
    }

    fn hub_dies(&mut self, run: u64, down: Ms) {
        let is_ghost = self.ghosts.iter().any(|ghost| ghost.run == run);
        if let Some(connection) = self.hub_connection(run) {
            self.after(20, Event::Missed(connection));
        }
        self.ghosts.retain(|ghost| ghost.run != run);
        self.hub.take_if(|hub| hub.run == run);
        if !is_ghost {
            self.after(down, Event::HubStarts);
        }
    }

    fn hub_thaws(&mut self, run: u64) {
        let now = self.now;
        let Some(hub) = self.hubs_mut().find(|hub| hub.run == run) else { return };
        if hub.still_until > now {
            return;
        }
        let waiting = std::mem::take(&mut hub.waiting);
        self.say(|| format!("hub {run} goes on"));
        for input in waiting {
            self.tell_hub(run, input);
        }
        self.tell_hub(run, HubInput::Tick);
        // Two hubs: whoever is fenced has ended by now, or ends with its next write.
        if self.ghosts.iter().any(|ghost| ghost.run == run) {
            self.after(3_000, Event::HubThaws { run });
            if self.now > self.heals_at {
                self.ghosts.retain(|ghost| ghost.run != run);
            }
        }
    }

    fn carry_out(&mut self, run: u64, effects: Vec<Effect>) {
        let dies_after = self
            .hubs_mut()
            .find(|hub| hub.run == run)
            .and_then(|hub| if effects.is_empty() { None } else { hub.dies_after.take() });
        let many = dies_after.unwrap_or(usize::MAX);
        for effect in effects.into_iter().take(many) {
            match effect {
                Effect::Publish(message) => self.hub_publishes(run, message),
                Effect::Ask { lane, ask, intent, after_ms } => {
                    let lane = (0..self.plan.lanes).find(|n| goods::lane(*n) == lane).unwrap_or(0);
                    let late = after_ms + self.terminals_chance.within(5..60);
                    self.say(|| format!("hub {run} asks the terminal of lane {}: {ask:?} {}", lane + 1, intent.id));
                    self.after(late, Event::AtTerminal { lane, run, ask, intent });
                }
                Effect::Again(input) => self.after(1_000, Event::Again { run, input }),
            }
        }
        if dies_after.is_some() {
            self.say(|| format!("hub {run} dies in mid-sentence"));
            self.hub_dies(run, 1_500);
        }
    }

    fn hub_publishes(&mut self, run: u64, message: store_hub::bus::Outgoing) {
        let store_hub::bus::Outgoing { topic, payload, retain } = message;
        if let Some((cart, Leaf::Ack)) = topics::parse(&goods::store(), &topic)
            && let Ok(Ack { epoch, head, .. }) = serde_json::from_slice::<Ack>(&payload)
        {
            self.counts.acks += 1;
            // What was committed is known to the checks before what is said of it.
            self.look_at_commits();
            self.seen(&Fact::Acked { cart: &cart, epoch, head });
        }
        if let Some(connection) = self.hub_connection(run) {
            self.send(connection, Outgoing { topic, payload, retain, sure: true });
        }
    }

    fn look_at_commits(&mut self) {
        for writes in self.hub_disk.committed() {
            self.seen(&Fact::Committed { writes: &writes });
        }
    }

    // Terminals.

    fn at_terminal(&mut self, lane: usize, run: u64, ask: Ask, intent: &Intent) {
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

    fn perhaps_lost(&mut self, lane: usize, answer: Answer, patience: Ms) -> (Ms, Answer) {
        if std::mem::take(&mut self.posts[lane].lose_next) {
            return (patience, Answer::NoAnswer { why: "timed out".into() });
        }
        (self.terminals_chance.within(5..60), answer)
    }

    /// Whoever waits for the payment hears what became of it.
    fn answer_asker(&mut self, lane: usize, intent: &IntentId) {
        let Some((run, _)) = self.posts[lane].asker.take_if(|(_, asked)| asked == intent) else { return };
        let Some(answer) = self.posts[lane].terminal.status(intent) else { return };
        let (late, answer) = self.perhaps_lost(lane, answer, PAY_PATIENCE);
        self.after(late, Event::Answered { run, intent: intent.clone(), ask: Ask::Pay, answer });
    }

    fn card(&mut self, lane: usize, intent: &IntentId) {
        if self.posts[lane].terminal.waiting() != Some(intent) || self.posts[lane].off_until > self.now {
            return;
        }
        let held = self.posts[lane].terminal.card();
        let taken = self.posts[lane]
            .terminal
            .payments()
            .find(|(id, _)| *id == intent)
            .map(|(_, p)| (p.trip.clone(), p.amount, p.progress));
        if let Some((trip, amount, crate::terminal::Progress::Approved)) = taken {
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

    fn terminal_off(&mut self, lane: usize, lasts: Ms) {
        self.say(|| format!("the terminal of lane {} is off", lane + 1));
        self.posts[lane].off_until = self.now + lasts;
        if let Some((run, intent)) = self.posts[lane].asker.take() {
            let answer = Answer::NoAnswer { why: "connection reset".into() };
            self.after(80, Event::Answered { run, intent, ask: Ask::Pay, answer });
        }
        self.after(lasts, Event::TerminalStarts(lane));
    }

    // Faults.

    fn strike(&mut self, n: usize) {
        let fault = self.plan.faults[n].clone();
        self.counts.faults += 1;
        self.say(|| format!("FAULT {:?}", fault.what));
        let now = self.now;
        match fault.what {
            What::CartPower { cart, down } => {
                if self.carts[cart].runs() {
                    self.cart_dies(cart, down);
                }
            }
            What::CartWrite { cart, written } => self.carts[cart].disk.cut_next(written),
            What::JournalRots { cart } => {
                if self.carts[cart].runs() {
                    let back = self.networks.get_mut(&End::Cart(cart)).map_or(0, |network| network.chance.within(0..4));
                    self.carts[cart].disk.rot(back);
                    self.cart_dies(cart, 2_000);
                }
            }
            What::HubKilled { down } => {
                if let Some(run) = self.hub.as_ref().map(|hub| hub.run) {
                    self.hub_dies(run, down);
                }
            }
            What::HubWrite { written } => self.hub_disk.trouble().cut_next = Some(written),
            What::HubSpeaks { said } => {
                if let Some(hub) = &mut self.hub {
                    hub.dies_after = Some(said);
                }
            }
            What::TwoHubs { still } => {
                if let Some(mut hub) = self.hub.take() {
                    hub.still_until = now + still;
                    let run = hub.run;
                    self.ghosts.push(hub);
                    self.after(still, Event::HubThaws { run });
                    self.after(500, Event::HubStarts);
                }
            }
            What::HubStill { still } => {
                if let Some(hub) = &mut self.hub {
                    hub.still_until = now + still;
                    let run = hub.run;
                    self.after(still, Event::HubThaws { run });
                }
            }
            What::HubFull { lasts } => {
                self.hub_disk.trouble().full = true;
                self.full_until = now + lasts;
            }
            What::HubFlush => self.hub_disk.trouble().flush_fails = true,
            What::Broker { down } => {
                let mut connections: Vec<Connection> = self.carts.iter().filter_map(|cart| cart.connection).collect();
                connections.extend(self.hubs().filter_map(|hub| hub.connection));
                self.broker.stop();
                for connection in connections {
                    self.after(10, Event::Noticed(connection));
                }
                self.after(down, Event::BrokerStarts);
            }
            What::Cut { end, lasts } => {
                if let Some(network) = self.networks.get_mut(&end) {
                    network.cut_until = now + lasts;
                }
                let connection = match end {
                    End::Cart(cart) => self.carts[cart].connection,
                    End::Hub => self.hub.as_ref().and_then(|hub| hub.connection),
                };
                if let Some(connection) = connection {
                    let (here, there) = (self.late(end), self.late(end));
                    self.after(here, Event::Noticed(connection));
                    self.after(there, Event::Missed(connection));
                }
            }
            What::Bad { end, lasts } => {
                if let Some(network) = self.networks.get_mut(&end) {
                    network.bad_until = now + lasts;
                }
            }
            What::Swallowed { cart, lasts } => self.swallowed[cart] = now + lasts,
            What::TerminalOff { lane, lasts } => self.terminal_off(lane, lasts),
            What::CrashAfterApproval { lane } => self.posts[lane].terminal.crash_next = true,
            What::AnswerLost { lane } => self.posts[lane].lose_next = true,
            What::CardRefused { lane } => self.posts[lane].terminal.refuse_next = true,
            What::NoCard { lane } => self.posts[lane].no_card_next = true,
            What::Clock { end: End::Cart(cart), by } => self.carts[cart].clock_off += by,
            What::Clock { end: End::Hub, by } => self.hub_clock_off += by,
            What::Prices => {
                self.hub_dearer = goods::DEARER - self.hub_dearer;
                let dearer = self.hub_dearer;
                self.carts.iter_mut().for_each(|cart| cart.dearer = dearer);
            }
        }
        if self.full_until > now && self.full_until < self.heals_at {
            // A disk that is full is emptied again; the look of staff would do, but none is needed.
            let until = self.full_until;
            self.after(until - now, Event::Heals);
        }
    }

    /// What has lasted long enough, or is to last no longer, is well again.
    fn heal(&mut self) {
        let over = self.now >= self.heals_at;
        if over || self.full_until <= self.now {
            self.hub_disk.trouble().full = false;
        }
        if !over {
            return;
        }
        self.say(|| "the world heals".into());
        let now = self.now;
        let mut trouble = self.hub_disk.trouble();
        (trouble.flush_fails, trouble.cut_next) = (false, None);
        drop(trouble);
        self.networks.values_mut().for_each(|network| {
            (network.cut_until, network.bad_until) = (now, now);
        });
        self.swallowed.fill(0);
        self.carts.iter().for_each(|cart| cart.disk.heal());
        for post in &mut self.posts {
            (post.terminal.crash_next, post.lose_next, post.no_card_next) = (false, false, false);
        }
    }
}

impl Network {
    /// When a message that is sent now arrives: never, once, or twice.
    fn arrivals(&mut self, now: Ms, up: bool) -> Vec<Ms> {
        if self.cut_until > now {
            return Vec::new();
        }
        let late = self.chance.within(3..40);
        let last = if up { &mut self.last_up } else { &mut self.last_down };
        if self.bad_until <= now {
            *last = (*last).max(now + late);
            return vec![*last];
        }
        let mut arrivals = Vec::new();
        if !self.chance.percent(20) {
            arrivals.push(now + late + self.chance.within(0..3_000));
        }
        if self.chance.percent(20) {
            arrivals.push(now + late + self.chance.within(0..6_000));
        }
        arrivals
    }
}

fn short(payload: &[u8]) -> String {
    String::from_utf8_lossy(payload).chars().take(160).collect()
}
