//! Faults strike, and the world heals.

use super::{Event, World};
use crate::broker::Connection;
use crate::fault::{End, What};
use crate::goods;

impl World {
    pub(super) fn strike(&mut self, n: usize) {
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
            What::BasketTaken { cart } => self.staff_take_basket(cart),
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
    pub(super) fn heal(&mut self) {
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
