//! Carts start, connect, show, and lose their power.

use super::{Event, World};
use store_sync::session::Output;

use crate::Ms;
use crate::cart::Step;
use crate::disk::PowerGone;
use crate::fact::Fact;
use crate::fault::End;

impl World {
    pub(super) fn cart_starts(&mut self, cart: usize) {
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
    pub(super) fn cart_dies(&mut self, cart: usize, down: Ms) {
        self.say(|| format!("cart {} is off", cart + 1));
        if let Some(connection) = self.carts[cart].connection {
            let late = self.late(End::Cart(cart));
            self.after(late, Event::Missed(connection));
        }
        self.carts[cart].stop();
        self.after(down, Event::CartStarts(cart));
    }

    pub(super) fn cart_connects(&mut self, cart: usize, boot: u64) {
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
                Output::HangUp => {
                    self.after(1, Event::Missed(connection));
                    self.after(2, Event::Noticed(connection));
                }
            }
        }
    }
}
