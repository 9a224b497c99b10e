//! The cart in real time: a thread a device, a thread for the trip, bounded channels between.
//!
//! Cameras and weights may be shed when the trip is slow (the latest wins); touches, codes and the
//! hub's words never are. Only this file knows devices, sight, line and core together.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context;
use cart_core::effect::Signal;
use cart_core::{Device, Input, Intent, Outputs, TripLoop, View};
use cart_vision::Eye;
use hal::{Camera, Clock, DeviceError, Devices, IndicatorLight, LightSignal, Moment, Scale, Sounder, Tone};
use service::Failure;
use service::supervise::supervised;
use tokio::sync::watch;
use tracing::{debug, warn};
use trip::message::{Offer, Telemetry, VERSION};
use trip::{LaneId, TripEvent};

use crate::config::Config;
use crate::journal::wall_clock;
use crate::line;
use crate::looks::Looks;
use crate::recording::tape::Tape;
use crate::recording::{Begin, Recorder, Standing, rewind};
use crate::retention::Retention;
use crate::sight::{Sight, reader};
use crate::signs::Signs;
use crate::staff::Place;
use crate::staff::calibration::Calibrated;
use crate::startup::Ready;
use crate::trip_disk::TripDisk;

/// Inputs that wait for the trip's thread.
const QUEUE: usize = 1_024;
/// A device that failed is asked again after this.
const RETRY: Duration = Duration::from_millis(500);
/// So many failures in a row are a fault; one is a hiccup.
const FAULT_AFTER: u32 = 3;
/// Battery and lane are asked this often.
const SLOW_DEVICES: Duration = Duration::from_millis(500);
/// The trip's thread looks at `shutdown` at least this often.
const WAKE: Duration = Duration::from_millis(100);

/// What the screen's thread holds of a running cart.
pub struct RunningCart {
    /// The latest view.
    pub views: watch::Receiver<Arc<View>>,
    inputs: SyncSender<Input>,
    shutdown: Arc<AtomicBool>,
    trip: Option<JoinHandle<anyhow::Result<()>>>,
    /// The cart as staff mode sees it.
    pub staff: Place,
    /// Where the screen leaves its pictures for staff.
    pub looks: Looks,
}

impl RunningCart {
    /// A touch.
    pub fn touch(&self, intent: Intent) {
        if self.inputs.send(Input::Intent(intent)).is_err() {
            debug!("a touch came after the trip's thread had ended");
        }
    }

    /// Where touches go, for a thread of its own.
    pub fn inputs(&self) -> SyncSender<Input> {
        self.inputs.clone()
    }

    /// True while the trip's thread runs.
    pub fn runs(&self) -> bool {
        self.trip.as_ref().is_some_and(|trip| !trip.is_finished())
    }

    /// Ends the cart in an orderly way; says why if it ended by itself.
    ///
    /// # Errors
    /// When the trip's thread had to stop: the journal could not be written.
    pub fn stop(mut self) -> anyhow::Result<()> {
        self.shutdown.store(true, Ordering::SeqCst);
        match self.trip.take().map(JoinHandle::join) {
            Some(Ok(result)) => result,
            Some(Err(_)) => anyhow::bail!("the trip's thread broke one of its own rules and was stopped; see the log"),
            None => Ok(()),
        }
    }
}

/// Light, sounder and screen.
struct Panel {
    views: watch::Sender<Arc<View>>,
    offers: watch::Sender<Option<Offer>>,
    light: Option<Box<dyn IndicatorLight>>,
    sounder: Option<Box<dyn Sounder>>,
    tape: Tape,
}

impl Outputs for Panel {
    fn show(&mut self, view: View) {
        self.views.send_replace(Arc::new(view));
    }

    fn light(&mut self, signal: Signal) {
        if let Some(light) = &mut self.light
            && let Err(why) = light.set(light_of(signal))
        {
            debug!(%why, "light");
        }
    }

    fn warn(&mut self, what: &str) {
        tracing::warn!("{what}");
    }

    fn tone(&mut self, signal: Signal) {
        if let (Some(sounder), Some(tone)) = (&mut self.sounder, tone_of(signal))
            && let Err(why) = sounder.play(tone)
        {
            debug!(%why, "sounder");
        }
    }

    fn offer(&mut self, offer: Option<Offer>) {
        self.offers.send_replace(offer);
    }

    fn heard(&mut self, input: &Input, now: Moment) {
        self.tape.record(|recorder| recorder.heard(input, now));
    }

    fn due(&mut self, now: Moment) {
        self.tape.record(|recorder| recorder.due(now));
    }

    fn recorded(&mut self, events: &[TripEvent]) {
        self.tape.record(|recorder| recorder.events(events));
    }
}

/// What the light shows for a signal.
pub fn light_of(signal: Signal) -> LightSignal {
    match signal {
        Signal::Idle => LightSignal::Idle,
        Signal::Added => LightSignal::Added,
        Signal::Ask => LightSignal::Ask,
        Signal::Held => LightSignal::Held,
        Signal::Help => LightSignal::Help,
        Signal::Fault => LightSignal::Fault,
    }
}

/// What the sounder plays for a signal.
pub fn tone_of(signal: Signal) -> Option<Tone> {
    match signal {
        Signal::Added => Some(Tone::Added),
        Signal::Ask => Some(Tone::Ask),
        Signal::Held => Some(Tone::Held),
        Signal::Fault => Some(Tone::Alarm),
        Signal::Idle | Signal::Help => None,
    }
}

/// Starts everything. `devices` are the opened ones and `troubles` those that could not be; `sight`
/// is `None` when no model could be opened: codes and scale then go on. `recorder` is `None` but where
/// staff asked for a recording.
///
/// # Errors
/// When a thread, the line or the journal cannot be started.
pub fn start(
    config: &Config,
    ready: Ready,
    devices: Devices,
    troubles: Vec<(Device, String)>,
    sight: Option<&Sight>,
    recorder: Option<(Recorder, PathBuf)>,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<RunningCart> {
    let (inputs, queue) = sync_channel(QUEUE);
    let shutdown = Arc::new(AtomicBool::new(false));
    let failure = Failure::default();
    let threads =
        Threads { inputs: inputs.clone(), shutdown: shutdown.clone(), clock: clock.clone(), failure: failure.clone() };
    let Ready { cart, journal, key, catalogue, begin } = ready;
    let public_key = key.verifying_key().to_bytes();
    let line = line::start(config, key, &journal, inputs.clone(), &failure)?;
    let (views, seen) = watch::channel(Arc::new(cart.view()));
    let looks = Looks::start(line.looks.clone(), seen.clone())?;
    let tape = Tape::new(recorder);
    let staff = Place::of(config, &devices, &troubles, sight, &tape, &line, &catalogue, public_key);
    let Devices { cameras, scale, motion, light, sounder, battery, lane_beacon } = devices;
    let panel = Panel { views, offers: line.offers.clone(), light, sounder, tape: tape.clone() };
    let disk = TripDisk::new(journal, config.data.join("receipts"), line.appended.clone())?;
    let trip = TripLoop::new(cart, disk, panel)?;
    for (device, fault) in troubles {
        inputs.send(Input::Device { device, fault: Some(fault) }).context("the trip's queue")?;
    }
    for camera in cameras {
        let eye = match sight {
            Some(sight) => sight.eye_with(staff.known(sight))?,
            None => Eye::new(None, Some(Box::new(reader(&catalogue)))),
        };
        threads.camera(camera, eye, &staff)?;
    }
    if let Some(scale) = scale {
        let mut scale = Calibrated::new(scale, staff.instruments.line.clone());
        threads.fast("scale", Device::Scale, move || scale.read().map(Input::Weight))?;
    }
    if let Some(mut motion) = motion {
        threads.fast("motion", Device::Motion, move || motion.read().map(Input::Motion))?;
    }
    if let Some(mut battery) = battery {
        threads.slow("battery", Device::Battery, move || battery.read().map(Input::Battery))?;
    }
    if let Some(mut beacon) = lane_beacon {
        let mut last = None;
        threads.changes("lane", move || {
            let lane = beacon.lane()?.and_then(|name| LaneId::new(name).ok());
            let changed = last.as_ref() != Some(&lane);
            last = Some(lane.clone());
            Ok(changed.then_some(Input::Lane(lane)))
        })?;
    }
    let clock = clock.clone();
    let stop = shutdown.clone();
    let place = staff.clone();
    let beside = Beside { line, signs: Signs::new(&config.data, failure) };
    let work = move || run_trip(trip, &queue, &*clock, &stop, beside, &place, begin);
    let trip = std::thread::Builder::new().name("trip".into()).spawn(work).context("the trip's thread")?;
    Ok(RunningCart { views: seen, inputs, shutdown, trip: Some(trip), staff, looks })
}

/// What runs beside the trip and ends with its thread.
struct Beside {
    line: line::RunningLine,
    signs: Signs,
}

/// The trip's thread: inputs as they come, timeouts as they fall due.
fn run_trip(
    mut trip: TripLoop<TripDisk, Panel>,
    queue: &Receiver<Input>,
    clock: &dyn Clock,
    shutdown: &AtomicBool,
    beside: Beside,
    staff: &Place,
    mut begin: Begin,
) -> anyhow::Result<()> {
    let Beside { mut line, mut signs } = beside;
    let mut health = Health::default();
    let mut standing = Standing::default();
    let mut retention = Retention::default();
    while !shutdown.load(Ordering::SeqCst) {
        let mut news = signs.give(trip.cart(), &mut health, line.unsynced.load(Ordering::Relaxed))?;
        if let Some(wanted) = staff.tape.wanted() {
            let done = rewind(&mut trip, wanted, &standing, &staff.tape, &begin, clock)?;
            staff.tape.done(done);
        }
        if let Some(upkeep) = &mut line.upkeep {
            // Not while staff record: a recording is played again with the catalogue that it began with.
            if upkeep.catalogue.has_changed().unwrap_or(false) && staff.tape.under_way().is_none() {
                let released = upkeep.catalogue.borrow_and_update().clone();
                if let Some(new) = released {
                    begin.newest.clone_from(&new.text);
                    trip.disk().keep_catalogue(&new)?;
                    trip.offer_catalogue(new.catalogue.clone());
                }
            }
            if upkeep.notices.has_changed().unwrap_or(false) {
                health.notices.clone_from(&upkeep.notices.borrow_and_update());
                news = true;
            }
        }
        let due = trip.poll_timeout().map_or(WAKE, |due| due.since(clock.now())).min(WAKE);
        match queue.recv_timeout(due) {
            Ok(input) => {
                news |= health.note(&input);
                staff.instruments.note(&input);
                standing.note(&input);
                trip.handle(input, clock.now())?;
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => break,
        }
        if trip.poll_timeout().is_some_and(|due| due <= clock.now()) {
            trip.handle_timeout(clock.now())?;
        }
        if retention.due(trip.cart().state().trip.is_some(), clock.now()) {
            let wiped = trip.disk().wipe_ended().unwrap_or_else(|why| {
                warn!("what the last trip left cannot be wiped: {why:#}");
                false
            });
            retention.wiped(wiped, clock.now());
        }
        if health.see(trip.cart().health()) || news {
            line.telemetry.send_replace(Some(health.telemetry()));
        }
    }
    Ok(())
}

/// What telemetry is made of.
#[derive(Debug, Default)]
pub struct Health {
    battery: Option<(u8, bool)>,
    faults: std::collections::BTreeSet<String>,
    /// What staff should know beside faults of devices, such as a release that was refused.
    pub notices: Vec<String>,
    cart: cart_core::Health,
    /// True while the hub answers.
    pub connected: bool,
    /// What is wrong with the disk.
    pub disk: Option<&'static str>,
}

impl Health {
    /// Takes note of an input; true when there is something to tell.
    pub fn note(&mut self, input: &Input) -> bool {
        match input {
            Input::Battery(reading) => self.battery = Some((reading.percent, reading.charging)),
            Input::Device { device, fault: Some(_) } => drop(self.faults.insert(device.to_string())),
            Input::Device { device, fault: None } => drop(self.faults.remove(&device.to_string())),
            Input::Link { connected } => {
                self.connected = *connected;
                return *connected;
            }
            _ => return false,
        }
        true
    }

    /// Takes note of how the cart says it is; true when there is something to tell.
    pub fn see(&mut self, cart: cart_core::Health) -> bool {
        let news = self.cart != cart;
        self.cart = cart;
        news
    }

    /// The message.
    pub fn telemetry(&self) -> Telemetry {
        let covered = self.cart.covered.iter().map(|camera| format!("camera {camera} covered"));
        Telemetry {
            v: VERSION,
            at: wall_clock(),
            battery_percent: self.battery.map(|(percent, _)| percent),
            charging: self.battery.is_some_and(|(_, charging)| charging),
            unsynced: 0,
            faults: self
                .faults
                .iter()
                .cloned()
                .chain(covered)
                .chain(self.notices.iter().cloned())
                .chain(self.disk.map(str::to_owned))
                .collect(),
            version: env!("CARGO_PKG_VERSION").into(),
            battery_minutes: self.cart.battery_minutes,
            battery_low: self.cart.battery_low,
            left_minutes: self.cart.left_minutes,
        }
    }
}

/// Starts device threads; each ends when `shutdown` is set or the trip has ended, and is started again when it
/// falls over.
struct Threads {
    inputs: SyncSender<Input>,
    shutdown: Arc<AtomicBool>,
    clock: Arc<dyn Clock>,
    failure: Failure,
}

impl Threads {
    fn spawn(
        &self,
        name: &str,
        mut work: impl FnMut(&SyncSender<Input>, &dyn Clock) -> bool + Send + 'static,
    ) -> anyhow::Result<()> {
        let (inputs, shutdown, clock) = (self.inputs.clone(), self.shutdown.clone(), self.clock.clone());
        let (failure, thread) = (self.failure.clone(), name.to_owned());
        let run = move || {
            let sleep = |wait| clock.sleep_until(clock.now() + wait);
            supervised(&thread, &failure, sleep, || !shutdown.load(Ordering::SeqCst) && work(&inputs, &*clock));
        };
        std::thread::Builder::new().name(name.into()).spawn(run).with_context(|| format!("thread {name}"))?;
        Ok(())
    }

    /// A device that paces itself; when the trip is behind, a sample is shed.
    fn fast(
        &self,
        name: &str,
        device: Device,
        mut read: impl FnMut() -> Result<Input, DeviceError> + Send + 'static,
    ) -> anyhow::Result<()> {
        let mut state = Working::new(device);
        self.spawn(name, move |inputs, clock| match read() {
            Ok(input) => state.works(inputs) && shed(inputs, input),
            Err(why) => state.failed(inputs, &why, clock),
        })
    }

    /// A device that answers at once and is asked now and then.
    fn slow(
        &self,
        name: &str,
        device: Device,
        mut read: impl FnMut() -> Result<Input, DeviceError> + Send + 'static,
    ) -> anyhow::Result<()> {
        let mut state = Working::new(device);
        self.spawn(name, move |inputs, clock| {
            clock.sleep_until(clock.now() + SLOW_DEVICES);
            match read() {
                Ok(input) => state.works(inputs) && inputs.send(input).is_ok(),
                Err(why) => state.failed(inputs, &why, clock),
            }
        })
    }

    /// A device that is asked now and then and tells only changes.
    fn changes(
        &self,
        name: &str,
        mut read: impl FnMut() -> Result<Option<Input>, DeviceError> + Send + 'static,
    ) -> anyhow::Result<()> {
        self.spawn(name, move |inputs, clock| {
            clock.sleep_until(clock.now() + SLOW_DEVICES);
            match read() {
                Ok(Some(input)) => inputs.send(input).is_ok(),
                Ok(None) => true,
                Err(why) => {
                    debug!(%why, "lane beacon");
                    true
                }
            }
        })
    }

    fn camera(&self, mut camera: Box<dyn Camera>, mut eye: Eye, staff: &Place) -> anyhow::Result<()> {
        let (instruments, tape) = (staff.instruments.clone(), staff.tape.clone());
        let mut enrolled = staff.views.as_ref().map(|views| views.gallery.subscribe());
        let camera_id = camera.id();
        let mut state = Working::new(Device::Camera(camera_id.0));
        let mut moving = false;
        let mut blank = false;
        self.spawn(&format!("camera {}", camera_id.0), move |inputs, clock| {
            let frame = match camera.next_frame() {
                Ok(frame) => frame,
                Err(why) => return state.failed(inputs, &why, clock),
            };
            instruments.frame(&frame);
            tape.record(|recorder| recorder.frame(&frame));
            if let Some(enrolled) = enrolled.as_mut().filter(|enrolled| enrolled.has_changed().unwrap_or(false))
                && let Some(recogniser) = eye.recogniser_mut()
            {
                recogniser.gallery_mut().clone_from(&enrolled.borrow_and_update());
            }
            match eye.look(&frame) {
                Ok(seen) => {
                    if !state.works(inputs) {
                        return false;
                    }
                    let movement = Input::Movement { camera: camera_id, moving: seen.moving };
                    let told = seen.moving == moving || inputs.send(movement).is_ok();
                    moving = seen.moving;
                    let sight = Input::Sight { camera: camera_id, clear: !seen.blank };
                    let told = told && (seen.blank == blank || inputs.send(sight).is_ok());
                    blank = seen.blank;
                    let sightings = seen.sightings.into_iter().map(Input::Sighting);
                    let mut all = sightings.chain(seen.scans.into_iter().map(Input::Scan));
                    told && all.all(|input| inputs.send(input).is_ok())
                }
                Err(why) => state.failed(inputs, &why, clock),
            }
        })
    }
}

/// True while somebody listens; a full queue sheds the sample.
fn shed(inputs: &SyncSender<Input>, input: Input) -> bool {
    !matches!(inputs.try_send(input), Err(TrySendError::Disconnected(_)))
}

/// Whether a device works, told once a change.
struct Working {
    device: Device,
    failures: u32,
}

impl Working {
    fn new(device: Device) -> Self {
        Self { device, failures: 0 }
    }

    fn works(&mut self, inputs: &SyncSender<Input>) -> bool {
        let was_out = self.failures >= FAULT_AFTER;
        self.failures = 0;
        !was_out || inputs.send(Input::Device { device: self.device, fault: None }).is_ok()
    }

    fn failed(&mut self, inputs: &SyncSender<Input>, why: &dyn std::error::Error, clock: &dyn Clock) -> bool {
        self.failures = self.failures.saturating_add(1);
        clock.sleep_until(clock.now() + RETRY);
        if self.failures != FAULT_AFTER {
            return true;
        }
        warn!(%why, device = %self.device, "out");
        inputs.send(Input::Device { device: self.device, fault: Some(why.to_string()) }).is_ok()
    }
}

#[cfg(test)]
mod tests;
