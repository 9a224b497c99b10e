//! The one owner of the trip: gives the cart its inputs and carries out its effects in order, on a
//! [`Disk`] and [`Outputs`] that it is given.
//!
//! Shown = on disk: an effect that shows something comes after the one that records it, and when
//! recording fails nothing more is shown; the caller stops the program, which starts again and
//! replays.

use hal::Moment;
use trip::chain::Head;
use trip::list::Noted;
use trip::message::Offer;
use trip::{Catalogue, TripEvent};

use crate::effect::Signal;
use crate::{Cart, Effect, Input, View};

/// What the trip is kept on. What returned `Ok` has survived a power cut; after an error nothing of it
/// is there, and the program must stop.
pub trait Disk {
    /// What can go wrong.
    type Error;

    /// Writes `events` in one transaction.
    ///
    /// # Errors
    /// When they are not written.
    fn append(&mut self, events: &[TripEvent]) -> Result<Head, Self::Error>;

    /// Keeps the shopping list outside the chain, for a restart: it is the shopper's, and nothing of it is
    /// left when they go. Empty: forget it.
    ///
    /// # Errors
    /// When it is not kept.
    fn keep_list(&mut self, list: &[Noted]) -> Result<(), Self::Error>;

    /// Keeps the signed receipt, and the text of its QR for a restart.
    ///
    /// # Errors
    /// When it is not kept.
    fn keep_receipt(&mut self, number: &str, cose: &[u8], qr: &str) -> Result<(), Self::Error>;
}

/// Where effects go that people see and hear.
pub trait Outputs {
    /// The screen shows this from now on.
    fn show(&mut self, view: View);
    /// The light.
    fn light(&mut self, signal: Signal);
    /// A tone.
    fn tone(&mut self, signal: Signal);
    /// Something that staff should know.
    fn warn(&mut self, what: &str);
    /// So a phone may join now; only a line wants to know.
    fn offer(&mut self, _offer: Option<Offer>) {}
    /// The cart is about to take an input; only a recorder wants to know.
    fn heard(&mut self, _input: &Input, _now: Moment) {}
    /// The cart is about to do what is due.
    fn due(&mut self, _now: Moment) {}
    /// These are in the journal now.
    fn recorded(&mut self, _events: &[TripEvent]) {}
}

/// The cart, its disk and its outputs.
pub struct TripLoop<D, O> {
    cart: Cart,
    disk: D,
    outputs: O,
    /// Trips begun since the program started.
    begun: u64,
}

impl<D: Disk, O: Outputs> TripLoop<D, O> {
    /// Shows the cart as the journal left it.
    ///
    /// # Errors
    /// As [`TripLoop::handle`].
    pub fn new(cart: Cart, disk: D, outputs: O) -> Result<Self, D::Error> {
        let mut this = Self { cart, disk, outputs, begun: 0 };
        this.drain()?;
        Ok(this)
    }

    /// The cart.
    pub fn cart(&self) -> &Cart {
        &self.cart
    }

    /// Trips begun since the program started.
    pub fn begun(&self) -> u64 {
        self.begun
    }

    /// Goes on with a cart that was made from the journal anew, as after a restart.
    ///
    /// # Errors
    /// As [`TripLoop::handle`].
    pub fn begin_again(&mut self, cart: Cart) -> Result<(), D::Error> {
        self.cart = cart;
        self.drain()
    }

    /// A newer catalogue; the next trip is shopped with it.
    pub fn offer_catalogue(&mut self, catalogue: Catalogue) {
        self.cart.offer_catalogue(catalogue);
    }

    /// The disk.
    pub fn disk(&mut self) -> &mut D {
        &mut self.disk
    }

    /// The outputs.
    pub fn outputs(&mut self) -> &mut O {
        &mut self.outputs
    }

    /// Takes one input.
    ///
    /// # Errors
    /// When the disk takes nothing: the program must stop.
    pub fn handle(&mut self, input: Input, now: Moment) -> Result<(), D::Error> {
        self.outputs.heard(&input, now);
        self.cart.handle_input(input, now);
        self.drain()
    }

    /// Does what is due.
    ///
    /// # Errors
    /// As [`TripLoop::handle`].
    pub fn handle_timeout(&mut self, now: Moment) -> Result<(), D::Error> {
        self.outputs.due(now);
        self.cart.handle_timeout(now);
        self.drain()
    }

    /// When [`TripLoop::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.cart.poll_timeout()
    }

    fn drain(&mut self) -> Result<(), D::Error> {
        let mut changed = false;
        while let Some(effect) = self.cart.poll_effect() {
            match effect {
                Effect::Journal(events) => {
                    self.disk.append(&events)?;
                    self.begun += events.iter().filter(|e| matches!(e, TripEvent::TripStarted { .. })).count() as u64;
                    self.outputs.recorded(&events);
                }
                Effect::StoreReceipt { number, cose, qr } => self.disk.keep_receipt(&number, &cose, &qr)?,
                Effect::Offer(offer) => self.outputs.offer(offer),
                Effect::KeepList(list) => self.disk.keep_list(&list)?,
                Effect::Light(signal) => self.outputs.light(signal),
                Effect::Tone(signal) => self.outputs.tone(signal),
                Effect::Show => changed = true,
                Effect::Warn(what) => self.outputs.warn(&what),
            }
        }
        if changed {
            self.outputs.show(self.cart.view());
        }
        Ok(())
    }
}
