//! The one owner of the trip: takes inputs, carries out effects in order.
//!
//! Shown = on disk: an effect that shows something comes after the one that records it, and when
//! recording fails nothing more is shown; the caller stops the program, which starts again and
//! replays.

use std::path::PathBuf;

use anyhow::Context;
use cart_core::effect::Signal;
use cart_core::{Cart, Effect, Input, View};
use hal::Moment;
use tokio::sync::watch;
use tracing::warn;
use trip::TripEvent;
use trip::list::Noted;
use trip::message::Offer;

use crate::journal::{Journal, LIST_KEY};

/// Where effects go that people see and hear.
pub trait Outputs {
    /// The screen shows this from now on.
    fn show(&mut self, view: View);
    /// The light.
    fn light(&mut self, signal: Signal);
    /// A tone.
    fn tone(&mut self, signal: Signal);
    /// So a phone may join now; only a line wants to know.
    fn offer(&mut self, _offer: Option<Offer>) {}
    /// The cart is about to take an input; only a recorder wants to know.
    fn heard(&mut self, _input: &Input, _now: Moment) {}
    /// The cart is about to do what is due.
    fn due(&mut self, _now: Moment) {}
    /// These are in the journal now.
    fn recorded(&mut self, _events: &[TripEvent]) {}
}

/// The cart, its journal and its outputs.
pub struct TripLoop<O> {
    cart: Cart,
    journal: Journal,
    receipts: PathBuf,
    outputs: O,
    appended: watch::Sender<u64>,
    /// Trips begun since the program started.
    begun: u64,
}

impl<O: Outputs> TripLoop<O> {
    /// Shows the cart as the journal left it. Receipts are kept in the folder `receipts`;
    /// `appended` tells the line how far the journal has grown.
    ///
    /// # Errors
    /// When the folder of receipts cannot be made.
    pub fn new(
        cart: Cart,
        journal: Journal,
        receipts: PathBuf,
        outputs: O,
        appended: watch::Sender<u64>,
    ) -> anyhow::Result<Self> {
        std::fs::create_dir_all(&receipts).with_context(|| format!("folder of receipts {}", receipts.display()))?;
        let mut this = Self { cart, journal, receipts, outputs, appended, begun: 0 };
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
    pub fn begin_again(&mut self, cart: Cart) -> anyhow::Result<()> {
        self.cart = cart;
        self.drain()
    }

    /// The outputs.
    pub fn outputs(&mut self) -> &mut O {
        &mut self.outputs
    }

    /// Takes one input.
    ///
    /// # Errors
    /// When the journal or a receipt cannot be written: the program must stop.
    pub fn handle(&mut self, input: Input, now: Moment) -> anyhow::Result<()> {
        self.outputs.heard(&input, now);
        self.cart.handle_input(input, now);
        self.drain()
    }

    /// Does what is due.
    ///
    /// # Errors
    /// As [`TripLoop::handle`].
    pub fn handle_timeout(&mut self, now: Moment) -> anyhow::Result<()> {
        self.outputs.due(now);
        self.cart.handle_timeout(now);
        self.drain()
    }

    /// When [`TripLoop::handle_timeout`] is due.
    pub fn poll_timeout(&self) -> Option<Moment> {
        self.cart.poll_timeout()
    }

    fn drain(&mut self) -> anyhow::Result<()> {
        let mut changed = false;
        while let Some(effect) = self.cart.poll_effect() {
            match effect {
                Effect::Journal(events) => {
                    let head = self
                        .journal
                        .append(&events)
                        .context("nothing is shown that is not on disk; this cart must stop")?;
                    self.appended.send_replace(head.seq);
                    self.begun += events.iter().filter(|e| matches!(e, TripEvent::TripStarted { .. })).count() as u64;
                    self.outputs.recorded(&events);
                }
                Effect::StoreReceipt { number, cose, qr } => self.store_receipt(&number, &cose, &qr)?,
                Effect::Offer(offer) => self.outputs.offer(offer),
                Effect::KeepList(list) => self.keep_list(&list)?,
                Effect::Light(signal) => self.outputs.light(signal),
                Effect::Tone(signal) => self.outputs.tone(signal),
                Effect::Show => changed = true,
                Effect::Warn(what) => warn!("{what}"),
            }
        }
        if changed {
            self.outputs.show(self.cart.view());
        }
        Ok(())
    }

    /// Outside the chain: it is the shopper's, and nothing of it is left when they go.
    fn keep_list(&mut self, list: &[Noted]) -> anyhow::Result<()> {
        let text =
            if list.is_empty() { String::new() } else { serde_json::to_string(list).context("shopping list")? };
        self.journal.set(LIST_KEY, &text).context("the shopping list cannot be kept; this cart must stop")
    }

    /// Writes the signed receipt and its text, and remembers the QR for a restart.
    fn store_receipt(&mut self, number: &str, cose: &[u8], qr: &str) -> anyhow::Result<()> {
        let name: String =
            number.chars().map(|c| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' }).collect();
        let path = self.receipts.join(format!("{name}.cose"));
        let partial = self.receipts.join(format!("{name}.partial"));
        let context = || format!("receipt {}", path.display());
        let file = std::fs::File::create(&partial).with_context(context)?;
        std::io::Write::write_all(&mut &file, cose).with_context(context)?;
        file.sync_all().with_context(context)?;
        std::fs::rename(&partial, &path).with_context(context)?;
        // The name, too, must be on the disk.
        std::fs::File::open(&self.receipts).and_then(|folder| folder.sync_all()).with_context(context)?;
        self.journal.set("receipt_qr", qr).context("nothing is shown that is not on disk; this cart must stop")
    }
}
