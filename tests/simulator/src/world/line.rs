//! The line between carts, broker and hub: what arrives when, and what does not.

use store_hub::bus::BusEvent;
use store_hub::hub::Input as HubInput;
use store_sync::session::Outgoing;

use super::{Event, World};
use crate::Ms;
use crate::broker::{Connection, Delivery};
use crate::chance::Chance;
use crate::fault::End;

/// A broker or a client sees that the other end is gone within this, by its keep-alive.
const KEEP_ALIVE: Ms = 8_000;

/// The network of one end.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) cut_until: Ms,
    pub(super) bad_until: Ms,
    pub(super) chance: Chance,
    /// What was sent last, each way, arrives then: order is kept while the network is good.
    pub(super) last_up: Ms,
    pub(super) last_down: Ms,
}

impl World {
    /// After how long one end, or the broker, sees that the line is gone.
    pub(super) fn late(&mut self, end: End) -> Ms {
        self.networks.get_mut(&end).map_or(0, |network| network.chance.within(100..KEEP_ALIVE))
    }

    pub(super) fn send(&mut self, from: Connection, message: Outgoing) {
        let now = self.now;
        let Some(network) = self.networks.get_mut(&from.end) else { return };
        for at in network.arrivals(now, true) {
            self.after(at - now, Event::AtBroker { from, message: message.clone() });
        }
    }

    pub(super) fn deliver(&mut self, deliveries: Vec<Delivery>) {
        let now = self.now;
        for delivery in deliveries {
            let Some(network) = self.networks.get_mut(&delivery.to.end) else { continue };
            for at in network.arrivals(now, false) {
                self.after(at - now, Event::AtClient(delivery.clone()));
            }
        }
    }

    pub(super) fn at_broker(&mut self, from: Connection, message: &Outgoing) {
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

    pub(super) fn at_client(&mut self, delivery: Delivery) {
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

    pub(super) fn noticed(&mut self, connection: Connection) {
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
}

impl Network {
    pub(super) fn new(seed: u64, end: End) -> Self {
        let chance = Chance::of(seed, &format!("network {end:?}"));
        Self { cut_until: 0, bad_until: 0, chance, last_up: 0, last_down: 0 }
    }

    /// When a message that is sent now arrives: never, once, or twice.
    pub(super) fn arrivals(&mut self, now: Ms, up: bool) -> Vec<Ms> {
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
