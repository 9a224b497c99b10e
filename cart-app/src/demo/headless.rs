//! Without a display: the cart in lockstep with virtual time, its screen drawn in memory.
//!
//! Scale, cameras and motion are asked in turn, each at its own rate; recognition is really run on
//! every frame. Only where the hub or the terminal is waited for does time run at the pace of life;
//! a cart that is [`Lockstep::alone`] has neither and never waits.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use cart_core::account::Account;
use cart_core::effect::Signal;
use cart_core::view::{PayBlocked, Screen};
use cart_core::{Input, Outputs, TripLoop, View};
use cart_vision::Eye;
use hal::sim::{SimCamera, SimLaneBeacon, SimMotion, SimScale, World};
use hal::{BatteryReading, CameraId, LaneBeacon, ManualClock, Moment};
use service::Failure;
use tokio::sync::watch;
use tracing::debug;
use trip::{Catalogue, LaneId, Phase, TripEvent, TripState};

use super::goods::Goods;
use super::script::Script;
use super::shopper::{Act, Pace, Shopper};
use super::stage::Stage;
use super::summary::Summary;
use super::{PlayOptions, servers};
use crate::config::{Config, SightConfig};
use crate::line::{self, RunningLine};
use crate::recording::Recorder;
use crate::sight::Sight;
use crate::startup::{self, Ready};
use crate::trip_disk::TripDisk;
use crate::ui::{App, HeadlessScreen, Pictures};
use crate::wiring::Health;

/// One tick: a sample of the scale.
const TICK: Duration = SimScale::PERIOD;
/// Battery and lane are looked at this often.
const SLOW: Duration = Duration::from_millis(250);
/// The screen's size.
const SCREEN: (u32, u32) = (1280, 800);
/// A trip that takes longer than this has lost its way.
const LONGEST: Duration = Duration::from_secs(1_800);

/// In a scene where nothing has moved for so long, a frame shows nothing that the last one did not:
/// the eyes have had their looks at rest, and all codes were read.
const STILL: Duration = Duration::from_millis(900);
/// So often a still scene is looked at all the same.
const STILL_PERIOD: Duration = Duration::from_millis(500);

/// Keeps the latest view, and what went into the journal.
struct Latest {
    view: Option<View>,
    light: Signal,
    events: Vec<TripEvent>,
    recorder: Option<Recorder>,
}

impl Outputs for Latest {
    fn show(&mut self, view: View) {
        self.view = Some(view);
    }

    fn light(&mut self, signal: Signal) {
        self.light = signal;
    }

    fn tone(&mut self, _: Signal) {}

    fn warn(&mut self, what: &str) {
        tracing::warn!("{what}");
    }

    fn heard(&mut self, input: &Input, now: Moment) {
        self.recorder.iter().for_each(|recorder| recorder.heard(input, now));
    }

    fn due(&mut self, now: Moment) {
        self.recorder.iter().for_each(|recorder| recorder.due(now));
    }

    fn recorded(&mut self, events: &[TripEvent]) {
        self.recorder.iter().for_each(|recorder| recorder.events(events));
        self.events.extend_from_slice(events);
    }
}

/// A camera, its eye, and what it said last: whether something moves, and whether it shows nothing.
type Looking = (SimCamera, Eye, (bool, bool));

/// The simulated cart and its program, in lockstep.
pub struct Lockstep {
    trip: TripLoop<TripDisk, Latest>,
    line: Option<RunningLine>,
    from_hub: Receiver<Input>,
    cameras: Vec<Looking>,
    scale: SimScale,
    motion: SimMotion,
    beacon: SimLaneBeacon,
    world: World,
    health: Health,
    lane: Option<LaneId>,
    now: Moment,
    frame_due: Moment,
    slow_due: Moment,
    view: View,
    computing: Duration,
}

impl Lockstep {
    /// Sets the cart up in `world`, with its line to the hub.
    ///
    /// # Errors
    /// When sight, line or journal cannot be opened.
    pub fn new(config: &Config, ready: Ready, sight: &Sight, world: World) -> anyhow::Result<Self> {
        let (inputs, from_hub) = sync_channel(1_024);
        let line = line::start(config, ready.key.clone(), &ready.journal, inputs, &Failure::default())?;
        Self::set_up(config, ready, sight, world, Some(line), from_hub, None)
    }

    /// Sets the cart up in `world`, out of reach of any hub: it shops, but cannot pay. `recorder`
    /// keeps all that it sees and does.
    ///
    /// # Errors
    /// When sight or journal cannot be opened.
    pub fn alone(
        config: &Config,
        ready: Ready,
        sight: &Sight,
        world: World,
        recorder: Option<Recorder>,
    ) -> anyhow::Result<Self> {
        let (_, from_hub) = sync_channel(1);
        Self::set_up(config, ready, sight, world, None, from_hub, recorder)
    }

    fn set_up(
        config: &Config,
        ready: Ready,
        sight: &Sight,
        world: World,
        line: Option<RunningLine>,
        from_hub: Receiver<Input>,
        recorder: Option<Recorder>,
    ) -> anyhow::Result<Self> {
        let clock = Arc::new(ManualClock::default());
        let Ready { cart, journal, .. } = ready;
        let view = cart.view();
        let latest = Latest { view: None, light: Signal::Idle, events: Vec::new(), recorder };
        let appended = line.as_ref().map_or_else(|| watch::channel(0).0, |line| line.appended.clone());
        let trip = TripLoop::new(cart, TripDisk::new(journal, config.data.join("receipts"), appended)?, latest)?;
        let count = config.board.cameras.len().max(1);
        let camera = |n: usize| {
            Ok((SimCamera::new(world.clone(), CameraId(n as u8), clock.clone()), sight.eye()?, (false, false)))
        };
        Ok(Self {
            trip,
            line,
            from_hub,
            cameras: (0..count).map(camera).collect::<anyhow::Result<_>>()?,
            scale: SimScale::new(world.clone(), clock.clone()),
            motion: SimMotion::new(world.clone(), clock),
            beacon: SimLaneBeacon::new(world.clone()),
            world,
            health: Health::default(),
            lane: None,
            now: Moment(1),
            frame_due: Moment(0),
            slow_due: Moment(0),
            view,
            computing: Duration::ZERO,
        })
    }

    /// The trip as it stands, for whoever checks what the screen and the journal say.
    pub fn state(&self) -> &TripState {
        self.trip.cart().state()
    }

    /// What the last decision about something that came in rested on.
    pub fn account(&self) -> Option<&Account> {
        self.trip.cart().account()
    }

    /// What has gone into the journal since this was asked last.
    pub fn take_events(&mut self) -> Vec<TripEvent> {
        std::mem::take(&mut self.trip.outputs().events)
    }

    /// Real time that the cart itself took in the last tick: both cameras' looks, the core, the
    /// journal, the view; not what the simulation took.
    pub fn computing(&self) -> Duration {
        self.computing
    }

    /// The present moment.
    pub fn now(&self) -> Moment {
        self.now
    }

    /// What the screen shows.
    pub fn view(&self) -> &View {
        &self.view
    }

    /// A touch.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn touch(&mut self, intent: cart_core::Intent) -> anyhow::Result<()> {
        self.input(Input::Intent(intent))
    }

    fn input(&mut self, input: Input) -> anyhow::Result<()> {
        let news = self.health.note(&input);
        let began = Instant::now();
        self.trip.handle(input, self.now)?;
        self.computing += began.elapsed();
        if (self.health.see(self.trip.cart().health()) || news)
            && let Some(line) = &self.line
        {
            line.telemetry.send_replace(Some(self.health.telemetry()));
        }
        self.latest();
        Ok(())
    }

    fn latest(&mut self) {
        if let Some(view) = self.trip.outputs().view.take() {
            self.view = view;
        }
    }

    /// One tick of 12.5 ms.
    ///
    /// # Errors
    /// When the journal cannot be written.
    pub fn tick(&mut self) -> anyhow::Result<()> {
        self.now = self.now + TICK;
        self.computing = Duration::ZERO;
        let at_the_hub = matches!(self.trip.cart().state().phase, Phase::Locked | Phase::Paying | Phase::Paid)
            || self.view.pay_blocked == Some(PayBlocked::Offline);
        if self.line.is_some() && at_the_hub {
            // The hub and the terminal live in real time.
            std::thread::sleep(TICK);
        }
        while let Ok(input) = self.from_hub.try_recv() {
            self.input(input)?;
        }
        self.input(Input::Motion(self.motion.sample(self.now)))?;
        self.input(Input::Weight(self.scale.sample(self.now)))?;
        if self.now >= self.frame_due {
            let still = self.line.is_none() && !self.world.stirred(self.now, STILL);
            self.frame_due = self.now + if still { STILL_PERIOD } else { SimCamera::PERIOD };
            self.look()?;
        }
        if self.now >= self.slow_due {
            self.slow_due = self.now + SLOW;
            self.slow_devices()?;
        }
        // A thing may be put in at any moment: the next frame then comes at the cameras' own rate.
        if self.frame_due > self.now + SimCamera::PERIOD && self.world.stirred(self.now, Duration::ZERO) {
            self.frame_due = self.now + SimCamera::PERIOD;
        }
        if self.trip.poll_timeout().is_some_and(|due| due <= self.now) {
            let began = Instant::now();
            self.trip.handle_timeout(self.now)?;
            self.computing += began.elapsed();
            self.latest();
        }
        Ok(())
    }

    fn look(&mut self) -> anyhow::Result<()> {
        let mut inputs = Vec::new();
        for (camera, eye, was) in &mut self.cameras {
            let frame = camera.render(self.now);
            self.trip.outputs().recorder.iter().for_each(|recorder| recorder.frame(&frame));
            let began = Instant::now();
            let seen = eye.look(&frame);
            self.computing += began.elapsed();
            match seen {
                Ok(seen) => {
                    let (moving, blank) = std::mem::replace(was, (seen.moving, seen.blank));
                    if moving != seen.moving {
                        inputs.push(Input::Movement { camera: frame.camera, moving: seen.moving });
                    }
                    if blank != seen.blank {
                        inputs.push(Input::Sight { camera: frame.camera, clear: !seen.blank });
                    }
                    inputs.extend(seen.sightings.into_iter().map(Input::Sighting));
                    inputs.extend(seen.scans.into_iter().map(Input::Scan));
                }
                Err(why) => debug!(%why, "frame skipped"),
            }
        }
        inputs.into_iter().try_for_each(|input| self.input(input))
    }

    fn slow_devices(&mut self) -> anyhow::Result<()> {
        use hal::Battery;
        let mut battery = hal::sim::SimBattery::new(self.world.clone(), Arc::new(ManualClock::at(self.now)));
        if let Ok(BatteryReading { at, percent, charging }) = battery.read() {
            self.input(Input::Battery(BatteryReading { at, percent, charging }))?;
        }
        let lane = self.beacon.lane().ok().flatten().and_then(|name| LaneId::new(name).ok());
        if lane != self.lane {
            self.lane = lane.clone();
            self.input(Input::Lane(lane))?;
        }
        Ok(())
    }
}

/// Plays the trip and writes pictures, receipt and summary.
///
/// # Errors
/// When a part cannot start, the trip cannot be finished, or the receipt is not right.
pub fn play(options: &PlayOptions, config: &Config) -> anyhow::Result<()> {
    let script = Script::load(&options.trip)?;
    let ready = startup::prepare(config)?;
    let catalogue = ready.catalogue.clone();
    let goods = Goods::open(&options.pictures, options.photos.as_deref(), script.seed)?;
    let sight = kept_sight(config, &goods, &catalogue, options.resume)?;
    let world = World::new(script.seed);
    std::fs::create_dir_all(&options.out).with_context(|| format!("folder {}", options.out.display()))?;
    let screen = open_screen(&goods, &catalogue, &options.out, options.resume)?;
    let world_file = config.data.join("simulated-basket.json");
    let remembered = if options.resume { Stage::remembered(&world_file)? } else { Default::default() };
    let mut stage = Stage::new(world.clone(), goods, catalogue.clone(), world_file, &remembered)?;
    let mut cart = Lockstep::new(config, ready, &sight, world)?;
    let charged_before = servers::charged(options.terminal_control)?;
    println!("Shopping: {} steps of {}", script.step.len(), options.trip.display());
    let pace = Pace { between: Duration::from_millis(700), think: Duration::from_millis(500) };
    let mut shopper = Shopper::new(script.step, pace, Moment::from_millis(1_500), &remembered);
    let mut album = Album { folder: options.out.clone(), number: 0, taken: BTreeMap::new() };
    let mut told = Told::default();
    let mut fair_minor = 0;
    while !shopper.finished() {
        cart.tick()?;
        let view = cart.view().clone();
        told.tell(&view);
        let done = shopper.steps_done();
        for act in shopper.act(&view, cart.now()) {
            match act {
                Act::Look(name) => album.take(&screen, cart.view(), name)?,
                Act::Touch(intent) => {
                    if intent == cart_core::Intent::GoToLane {
                        fair_minor = stage.fair_minor();
                    }
                    cart.touch(intent)?;
                }
                Act::TapCard => {
                    if let Err(why) = servers::tap_card(options.terminal_control) {
                        // The shopper sees that nothing happens, and holds it there again.
                        tracing::warn!(why = format!("{why:#}"), "the card was not read");
                    }
                }
                Act::RollTo(lane) => stage.world.set_lane(Some(lane)),
                Act::Bump => drop(stage.world.bump(cart.now())),
                Act::Take(sku) => shopper.rests_at(stage.take(&sku, cart.now())?),
                Act::Put { sku, grams, show_code } => {
                    let rests_at = stage.put(&sku, grams, show_code, cart.now())?;
                    shopper.rests_at(rests_at);
                }
                Act::PutTwo { skus, show_code } => {
                    let rests_at = stage.put_two(&skus, show_code, cart.now())?;
                    shopper.rests_at(rests_at);
                }
            }
        }
        if shopper.steps_done() != done {
            stage.remember(shopper.steps_done())?;
        }
        if cart.now() > Moment(LONGEST.as_micros() as u64) {
            bail!("the trip did not end within half an hour of its own time");
        }
    }
    album.take(&screen, cart.view(), "goodbye")?;
    let mut summary = shopper.summary;
    summary.fair_minor = fair_minor;
    summary.charged_minor = servers::charged(options.terminal_control)? - charged_before;
    let receipt = newest_receipt(&config.data.join("receipts"))?;
    let verified = receipt.as_deref().map(|path| verify(path, &options.receipt_key));
    summary.receipt_verified = matches!(verified, Some(Ok(())));
    finish(options, &summary, receipt.as_deref(), &album)?;
    if let Some(trouble) = shopper.trouble {
        album.take(&screen, cart.view(), "trouble")?;
        bail!("the trip could not be finished: {trouble}; the last picture is in {}", options.out.display());
    }
    match verified {
        Some(Err(why)) => Err(why),
        None => bail!("no receipt is on the cart"),
        Some(Ok(())) => Ok(()),
    }
}

/// Opens sight as the first run of the trip left it, or enrols the goods now and keeps them.
fn kept_sight(config: &Config, goods: &Goods, catalogue: &Arc<Catalogue>, resume: bool) -> anyhow::Result<Sight> {
    let kept = config.data.join("simulated-sight.gallery");
    if resume && kept.exists() {
        let gallery = SightConfig { gallery: kept, ..config.sight.clone() };
        return Sight::open(&gallery, catalogue.clone());
    }
    let sight = enrolled_sight(config, goods, catalogue)?;
    sight.gallery.save(&kept).context("what was enrolled")?;
    Ok(sight)
}

/// Opens sight and enrols the goods that the project draws itself.
///
/// # Errors
/// When model or gallery cannot be opened, or a drawing cannot be enrolled.
pub fn enrolled_sight(config: &Config, goods: &Goods, catalogue: &Arc<Catalogue>) -> anyhow::Result<Sight> {
    let mut sight = Sight::open(&config.sight, catalogue.clone())?;
    let mut model = sight.embedder()?;
    for (sku, views) in goods.enrolment() {
        cart_vision::enrol(&mut model, &mut sight.gallery, sku, views)
            .context("enrolling the demo store's own goods")?;
    }
    Ok(sight)
}

/// Portraits of the goods for the screen, as files, and the pictures made from them; `resume` leaves those that are
/// there.
pub(super) fn pictures(goods: &Goods, catalogue: &Catalogue, out: &Path, resume: bool) -> anyhow::Result<Rc<Pictures>> {
    let folder = out.join("goods");
    std::fs::create_dir_all(&folder).with_context(|| format!("folder {}", folder.display()))?;
    for sku in goods.shelf(catalogue) {
        let path = folder.join(format!("{sku}.png"));
        if resume && path.exists() {
            continue;
        }
        if let Some(portrait) = catalogue.get(&sku).and_then(|product| goods.portrait(product)) {
            let small = hal::sim::camera::thumbnail(&portrait, 208);
            small.save(&path).with_context(|| format!("{}", path.display()))?;
        }
    }
    Ok(Rc::new(Pictures::from_folder(folder)))
}

fn open_screen(goods: &Goods, catalogue: &Catalogue, out: &Path, resume: bool) -> anyhow::Result<HeadlessScreen<App>> {
    let pictures = pictures(goods, catalogue, out, resume)?;
    HeadlessScreen::with_pictures(SCREEN.0, SCREEN.1, pictures).context("the screen in memory")
}

/// Pictures of the screen, numbered; the same scene at most three times.
struct Album {
    folder: PathBuf,
    number: u32,
    taken: BTreeMap<&'static str, u32>,
}

impl Album {
    fn take(&mut self, screen: &HeadlessScreen<App>, view: &View, name: &'static str) -> anyhow::Result<()> {
        let count = self.taken.entry(name).or_default();
        *count += 1;
        if *count > 3 {
            return Ok(());
        }
        self.number += 1;
        screen.apply(view);
        screen.settle();
        screen.save_png(&self.folder.join(format!("{:02}-{name}.png", self.number)))?;
        Ok(())
    }
}

/// Tells on the terminal what the screen shows, line by line.
#[derive(Default)]
struct Told {
    lines: Vec<trip::LineId>,
    hold: Option<trip::HoldId>,
    screen: String,
}

impl Told {
    fn tell(&mut self, view: &View) {
        for line in view.lines.iter().rev().filter(|l| !self.lines.contains(&l.line)) {
            println!("  ✓ {:<34} {:>9}   {:?}", line.name, line.price.to_string(), line.evidence);
        }
        for gone in self.lines.iter().filter(|n| !view.lines.iter().any(|l| l.line == **n)) {
            let name = view.taken_out.as_ref().map_or_else(|| format!("line {}", gone.0), |t| t.name.clone());
            if matches!(view.screen, Screen::Basket) {
                println!("  ↓ {name} taken out");
            }
        }
        self.lines = view.lines.iter().map(|l| l.line).collect();
        let hold = view.ask.as_ref().map(|ask| ask.hold);
        if let Some(ask) = view.ask.as_ref().filter(|_| hold != self.hold) {
            let tiles: Vec<_> = ask.tiles.iter().map(|t| t.name.as_str()).collect();
            println!("  ? {} g, {:?}: {}", ask.weight.0, ask.reason, tiles.join(" / "));
        }
        self.hold = hold;
        let screen = match &view.screen {
            Screen::Pay(pay) => format!("{} at {}: {:?}", pay.amount, pay.lane, pay.step),
            Screen::Receipt(receipt) => {
                format!("receipt {}, {} paid with {}", receipt.number, receipt.charged, receipt.tender)
            }
            _ => String::new(),
        };
        if screen != self.screen && !screen.is_empty() {
            println!("  → {screen}");
        }
        self.screen = screen;
    }
}

pub(super) fn newest_receipt(folder: &Path) -> anyhow::Result<Option<PathBuf>> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("folder {}", folder.display()))?;
    let receipts = entries.filter_map(Result::ok).filter(|e| e.path().extension().is_some_and(|x| x == "cose"));
    let newest = receipts.max_by_key(|e| e.metadata().and_then(|m| m.modified()).ok());
    Ok(newest.map(|e| e.path()))
}

/// Checks the receipt with the store's key.
pub(super) fn verify(receipt: &Path, key: &Path) -> anyhow::Result<()> {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let text = std::fs::read_to_string(key).with_context(|| format!("store's key {}", key.display()))?;
    let bytes = URL_SAFE_NO_PAD.decode(text.trim()).with_context(|| format!("store's key {}", key.display()))?;
    let bytes: [u8; 32] = bytes.try_into().map_err(|_| anyhow::anyhow!("{} is no ed25519 key", key.display()))?;
    let key = ed25519_dalek::VerifyingKey::from_bytes(&bytes).context("store's key")?;
    let file = std::fs::read(receipt).with_context(|| format!("receipt {}", receipt.display()))?;
    trip::receipt::verify(&file, &[key]).with_context(|| format!("receipt {}", receipt.display())).map(drop)
}

fn finish(options: &PlayOptions, summary: &Summary, receipt: Option<&Path>, album: &Album) -> anyhow::Result<()> {
    let json = serde_json::to_string_pretty(summary).context("summary")?;
    for path in options.summary.iter().chain([&options.out.join("summary.json")]) {
        std::fs::write(path, &json).with_context(|| format!("summary {}", path.display()))?;
    }
    println!("{json}");
    println!("{} pictures are in {}", album.number, options.out.display());
    if let Some(receipt) = receipt {
        let copy = options.out.join("receipt.cose");
        std::fs::copy(receipt, &copy).with_context(|| format!("{}", copy.display()))?;
        println!("The receipt is {}; check it with:\n  ./trundle receipt verify {}", copy.display(), copy.display());
    }
    Ok(())
}
