//! One cart: the program as it ships on a model disk, with a scale that carries what the shopper put in.

use std::time::Duration;

use cart_core::decision::Thresholds;
use cart_core::effect::Signal;
use cart_core::weight_step::ScaleTuning;
use cart_core::{Cart, Input, Outputs, OwnLimits, Setup, Tare, TripLoop, View};
use ed25519_dalek::SigningKey;
use hal::{BatteryReading, Moment, WeightReading};
use store_sync::patience;
use store_sync::session::{Identity, Output};
use store_sync::{LinkEvent, Session};
use trip::message::Offer;
use trip::patience::Patience;
use trip::{CartId, Hash, LaneId, Phase, TripState, UnixMillis};

use crate::Ms;
use crate::broker::Connection;
use crate::disk::{Disk, PowerGone};
use crate::goods;

/// How often the scale is read while the load moves, and at rest.
const MOVING_EVERY: Ms = 50;
const RESTING_EVERY: Ms = 400;
/// For how long after a change the load counts as moving.
const MOVES_FOR: Ms = 1_600;

/// What the cart's people-facing side has collected since it was last asked.
#[derive(Debug, Default)]
pub struct Screen {
    view: Option<View>,
    changed: bool,
    offer: Option<Option<Offer>>,
}

impl Outputs for Screen {
    fn show(&mut self, view: View) {
        self.view = Some(view);
        self.changed = true;
    }

    fn light(&mut self, _: Signal) {}

    fn tone(&mut self, _: Signal) {}

    fn warn(&mut self, _: &str) {}

    fn offer(&mut self, offer: Option<Offer>) {
        self.offer = Some(offer);
    }
}

/// The program while it runs.
struct Running {
    trip: TripLoop<Disk, Screen>,
    session: Session<Disk>,
    /// When it started: its monotonic clock's zero.
    since: Ms,
}

/// A cart.
pub struct SimCart {
    /// Its number, from 0.
    pub number: usize,
    /// Its name.
    pub id: CartId,
    /// Its disk.
    pub disk: Disk,
    /// Counts its starts: what was meant for an earlier one is void.
    pub boot: u64,
    /// Its connection to the broker.
    pub connection: Option<Connection>,
    /// Its wait between attempts to connect.
    pub patience: Patience,
    /// By how much its wall clock is off, in milliseconds.
    pub clock_off: i64,
    /// What the scale carries, in grams.
    pub load_g: i32,
    /// Since when the load has been like this.
    pub load_since: Ms,
    /// The lane it stands at.
    pub lane: Option<LaneId>,
    /// Which of the store's catalogues its next start reads.
    pub dearer: u32,
    /// Words of alarm to staff, of all starts.
    pub alarms: Vec<String>,
    key: SigningKey,
    running: Option<Running>,
    shaken: bool,
}

/// What a step of the cart's program leaves to be done.
#[derive(Debug, Default)]
pub struct Step {
    /// What the line wants.
    pub outputs: Vec<Output>,
    /// True when the screen changed.
    pub shown: bool,
}

impl SimCart {
    /// A new cart, switched off.
    pub fn new(number: usize, wall: UnixMillis) -> Self {
        let name = format!("cart-{}", number + 1);
        let id = CartId::new(name.clone()).unwrap_or_else(|e| unreachable!("{e}"));
        Self {
            number,
            disk: Disk::new(id.clone(), wall),
            id,
            boot: 0,
            connection: None,
            patience: patience::of_the_line(),
            clock_off: 0,
            load_g: 0,
            load_since: 0,
            lane: None,
            dearer: 0,
            alarms: Vec::new(),
            key: SigningKey::from_bytes(&Hash::of(name.as_bytes()).0),
            running: None,
            shaken: false,
        }
    }

    /// The key that checks its batches.
    pub fn public_key(&self) -> ed25519_dalek::VerifyingKey {
        self.key.verifying_key()
    }

    /// True while its program runs.
    pub fn runs(&self) -> bool {
        self.running.is_some()
    }

    /// What its screen shows; `None` while it is off.
    pub fn view(&mut self) -> Option<&View> {
        self.running.as_mut().and_then(|running| running.trip.outputs().view.as_ref())
    }

    /// The trip as its program has it.
    pub fn state(&self) -> Option<&TripState> {
        self.running.as_ref().map(|running| running.trip.cart().state())
    }

    /// Records that the hub has not committed, as the line counts them.
    pub fn unsynced(&self) -> Option<u64> {
        self.running.as_ref().map(|running| running.session.unsynced())
    }

    /// What the broker is to say when it is gone.
    pub fn will(&self) -> Option<store_sync::session::Outgoing> {
        self.running.as_ref().map(|running| running.session.will())
    }

    /// Its program starts: the way of `cart_app::startup`.
    ///
    /// # Errors
    /// [`PowerGone`] when the power goes while it starts.
    pub fn start(&mut self, now: Ms, seed: u64) -> Result<(bool, Step), PowerGone> {
        self.boot += 1;
        self.connection = None;
        self.patience = patience::of_the_line();
        let found = self.disk.open()?;
        let newest = goods::catalogue(self.dearer);
        let older = goods::catalogue(goods::DEARER - self.dearer);
        let pinned = match found.state.catalogue {
            Some(version) if version == older.version && found.state.phase != Phase::Idle => older,
            _ => newest.clone(),
        };
        let setup = Setup {
            trip_base: format!("{}.{}", self.id, found.epoch),
            trips: found.trips,
            thresholds: Thresholds::default(),
            scale: ScaleTuning::default(),
            battery_reserve: 15,
            receipt_qr: Some(found.receipt_qr).filter(|_| found.state.phase == Phase::Receipted),
            own: OwnLimits::default(),
            tares: Tare::usual(),
            pairing_seed: Hash::of(format!("{seed} {} {}", self.id, self.boot).as_bytes()),
            list: found.list,
        };
        let mut cart = Cart::new(setup, pinned, found.state);
        cart.offer_catalogue(newest);
        let who = Identity { store: goods::store(), cart: self.id.clone(), boot_epoch: found.boot_epoch };
        let session = Session::new(who, self.key.clone(), self.disk.clone())
            .unwrap_or_else(|e| unreachable!("the model disk is read: {e}"));
        let trip = TripLoop::new(cart, self.disk.clone(), Screen::default())?;
        self.running = Some(Running { trip, session, since: now });
        self.load_since = now;
        let battery = BatteryReading { at: self.moment(now), percent: 80, charging: false };
        let mut step = self.input(Input::Battery(battery), now)?;
        let lane = self.lane.clone();
        step.add(self.input(Input::Lane(lane), now)?);
        Ok((found.damaged, step))
    }

    /// The program ends without a word.
    pub fn stop(&mut self) {
        self.running = None;
        self.connection = None;
    }

    /// The cart's own monotonic time.
    pub fn moment(&self, now: Ms) -> Moment {
        // A few seconds after zero, as after a real start.
        Moment::from_millis(5_000 + now - self.running.as_ref().map_or(now, |running| running.since))
    }

    fn line_time(&self, now: Ms) -> Duration {
        Duration::from_millis(now - self.running.as_ref().map_or(now, |running| running.since))
    }

    /// The program takes one input.
    ///
    /// # Errors
    /// [`PowerGone`] when the power goes in a write; the program is then to be stopped.
    pub fn input(&mut self, input: Input, now: Ms) -> Result<Step, PowerGone> {
        let moment = self.moment(now);
        let Some(running) = &mut self.running else { return Ok(Step::default()) };
        running.trip.handle(input, moment)?;
        self.after(now)
    }

    /// Time passes: the scale is read, and what is due is done.
    ///
    /// # Errors
    /// As [`SimCart::input`].
    pub fn tick(&mut self, now: Ms) -> Result<Step, PowerGone> {
        let (moment, line) = (self.moment(now), self.line_time(now));
        // A quiet scale, but no dead one.
        self.shaken = !self.shaken;
        let gross_g = self.load_g as f32 + if self.shaken { 0.4 } else { -0.4 };
        let Some(running) = &mut self.running else { return Ok(Step::default()) };
        running.trip.handle(Input::Weight(WeightReading { at: moment, gross_g }), moment)?;
        if running.trip.poll_timeout().is_some_and(|due| due <= moment) {
            running.trip.handle_timeout(moment)?;
        }
        if running.session.poll_timeout().is_some_and(|due| due <= line) {
            running.session.handle_timeout(line);
        }
        self.after(now)
    }

    /// When it is to be called again.
    pub fn tick_after(&self, now: Ms) -> Ms {
        if now.saturating_sub(self.load_since) < MOVES_FOR { MOVING_EVERY } else { RESTING_EVERY }
    }

    /// The load changes.
    pub fn put(&mut self, grams: i32, now: Ms) {
        self.load_g += grams;
        self.load_since = now;
    }

    /// The line stands.
    ///
    /// # Errors
    /// As [`SimCart::input`].
    pub fn connected(&mut self, connection: Connection, now: Ms) -> Result<Step, PowerGone> {
        self.connection = Some(connection);
        self.patience.restored();
        let line = self.line_time(now);
        if let Some(running) = &mut self.running {
            running.session.connected(line);
        }
        self.after(now)
    }

    /// The line is gone.
    ///
    /// # Errors
    /// As [`SimCart::input`].
    pub fn lost(&mut self, now: Ms) -> Result<Step, PowerGone> {
        self.connection = None;
        if let Some(running) = &mut self.running {
            running.session.lost();
        }
        self.after(now)
    }

    /// A message came.
    ///
    /// # Errors
    /// As [`SimCart::input`].
    pub fn heard(&mut self, topic: &str, payload: &[u8], now: Ms) -> Result<Step, PowerGone> {
        let line = self.line_time(now);
        if let Some(running) = &mut self.running {
            running.session.heard(topic, payload, line);
        }
        self.after(now)
    }

    /// Hands on what came out, as the shell does: the line tells the trip, the trip's growth tells the line.
    fn after(&mut self, now: Ms) -> Result<Step, PowerGone> {
        let (moment, line) = (self.moment(now), self.line_time(now));
        let mut step = Step::default();
        let Some(running) = &mut self.running else { return Ok(step) };
        loop {
            let (_, head) = self.disk.end();
            running.session.appended(head.seq, line);
            if let Some(offer) = running.trip.outputs().offer.take() {
                running.session.offer(offer);
            }
            let Some(output) = running.session.poll_output() else { break };
            match output {
                Output::Tell(LinkEvent::Connected(connected)) => {
                    running.trip.handle(Input::Link { connected }, moment)?;
                }
                Output::Tell(LinkEvent::Command(command)) => running.trip.handle(Input::Command(command), moment)?,
                Output::Tell(LinkEvent::Desired(desired)) => running.trip.handle(Input::Desired(desired), moment)?,
                Output::Tell(LinkEvent::Unsynced(_)) => {}
                Output::Tell(LinkEvent::Alarm(why)) => self.alarms.push(why),
                other => step.outputs.push(other),
            }
        }
        step.shown = std::mem::take(&mut running.trip.outputs().changed);
        Ok(step)
    }
}

impl Step {
    fn add(&mut self, other: Step) {
        self.outputs.extend(other.outputs);
        self.shown |= other.shown;
    }
}
