//! Hubs start, connect, stand still, die, and are replaced.

use store_hub::bus::BusEvent;
use store_hub::hub::{Effect, Input as HubInput};
use store_sync::session::Outgoing;
use trip::message::{Ack, HubState, VERSION};
use trip::topics::{self, Leaf};

use super::{Event, HUB_TICK, World};
use crate::Ms;
use crate::broker::Connection;
use crate::fact::Fact;
use crate::fault::End;
use crate::goods;
use crate::hub::SimHub;

impl World {
    pub(super) fn hubs(&self) -> impl Iterator<Item = &SimHub> {
        self.hub.iter().chain(&self.ghosts)
    }

    pub(super) fn hub_connection(&self, run: u64) -> Option<Connection> {
        self.hubs().find(|hub| hub.run == run).and_then(|hub| hub.connection)
    }

    pub(super) fn hubs_mut(&mut self) -> impl Iterator<Item = &mut SimHub> {
        self.hub.iter_mut().chain(&mut self.ghosts)
    }

    pub(super) fn hub_starts(&mut self) {
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

    pub(super) fn hub_connects(&mut self, run: u64) {
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
        let now = self.now;
        let Some(hub) = self.hubs_mut().find(|hub| hub.run == run) else { return };
        if hub.still_until <= now {
            return self.tell_hub_all(run, vec![input]);
        }
        if !matches!(input, HubInput::Tick) {
            hub.waiting.push(input);
        }
    }

    /// A hub takes all that has come since it looked last.
    fn tell_hub_all(&mut self, run: u64, inputs: Vec<HubInput>) {
        let wall = self.wall(End::Hub);
        let Some(hub) = self.hubs_mut().find(|hub| hub.run == run) else { return };
        match hub.handle(inputs, wall) {
            Ok(effects) => self.carry_out(run, effects),
            Err(why) => {
                self.say(|| format!("hub {run} ends: {why}"));
                self.hub_dies(run, 1_500);
            }
        }
    }

    pub(super) fn hub_dies(&mut self, run: u64, down: Ms) {
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

    pub(super) fn hub_thaws(&mut self, run: u64) {
        let now = self.now;
        let Some(hub) = self.hubs_mut().find(|hub| hub.run == run) else { return };
        if hub.still_until > now {
            return;
        }
        let waiting = std::mem::take(&mut hub.waiting);
        self.say(|| format!("hub {run} goes on"));
        self.tell_hub_all(run, waiting);
        self.tell_hub(run, HubInput::Tick);
        // Two hubs: whoever is fenced has ended by now, or ends with its next write.
        if self.ghosts.iter().any(|ghost| ghost.run == run) {
            self.after(3_000, Event::HubThaws { run });
            if self.now > self.heals_at {
                self.ghosts.retain(|ghost| ghost.run != run);
            }
        }
    }

    pub(super) fn carry_out(&mut self, run: u64, effects: Vec<Effect>) {
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

    pub(super) fn hub_publishes(&mut self, run: u64, message: store_hub::bus::Outgoing) {
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

    pub(super) fn look_at_commits(&mut self) {
        for writes in self.hub_disk.committed() {
            self.seen(&Fact::Committed { writes: &writes });
        }
    }
}
