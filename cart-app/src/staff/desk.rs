//! The one owner of what staff do on the cart.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::time::Duration;

use anyhow::Context;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cart_core::View;
use cart_core::view::Screen;
use hal::{Clock, Moment};
use sha2::{Digest, Sha256};
use tokio::sync::watch;
use tracing::{debug, info, warn};

use super::calibrate::{Calibrating, Refusal};
use super::calibration::{self, Kept, Line};
use super::enrolling::Enrolling;
use super::log::{self, LogLevel};
use super::pin::{Pins, Verdict};
use super::place::Place;
use super::view::{
    Ask, DevicesView, HomeView, HubStanding, HubView, LogView, Page, PageKind, PinView, RecordingsView, ScaleView,
    StaffView,
};
use super::{diagnose, recordings};
use crate::recording::tape::Wanted;

/// Staff mode closes by itself after so long without a touch; the question for the PIN sooner.
pub const IDLE: Duration = Duration::from_secs(240);
/// See [`IDLE`].
pub const PAD_IDLE: Duration = Duration::from_secs(30);
/// So long before, it says so.
const WARNED: Duration = Duration::from_secs(60);
/// While it is open, what is shown is this fresh.
const TICK: Duration = Duration::from_millis(200);
/// Asks that wait; more is a palm on the glass.
const QUEUE: usize = 64;

/// What is open.
enum Open {
    Closed,
    Pad(PinView),
    Page(PageKind),
}

/// What staff do, without its thread: asks and time go in, views come out.
pub struct Desk {
    place: Place,
    pins: Pins,
    open: Open,
    touched: Moment,
    run: Calibrating,
    enrolling: Enrolling,
    level: LogLevel,
}

impl Desk {
    /// A desk at a cart. A wait for the PIN that was running begins anew.
    pub fn new(place: Place, now: Moment) -> Self {
        let pins = Pins::open(&place.facts.data, now);
        let run = Calibrating::new(line_of(&place), place.facts.capacity_g);
        Self {
            pins,
            open: Open::Closed,
            touched: now,
            run,
            enrolling: Enrolling::default(),
            level: LogLevel::default(),
            place,
        }
    }

    /// True while anything of it is shown.
    pub fn is_open(&self) -> bool {
        !matches!(self.open, Open::Closed)
    }

    /// True when this ask takes long enough to be seen.
    pub fn is_long(ask: &Ask) -> bool {
        matches!(ask, Ask::Pin(_) | Ask::Enrol | Ask::Keep)
    }

    /// Does what a touch means, while the shopper's screen shows `view`.
    pub fn handle(&mut self, ask: Ask, view: &View, now: Moment) {
        self.tick(view, now);
        self.touched = now;
        match (&self.open, ask) {
            (_, Ask::Close) => self.close(),
            (Open::Closed, Ask::Knock) => {
                let wait = self.pins.wait(now).map_or(PinView::Ask, PinView::Wait);
                self.open = Open::Pad(if pays(view) { PinView::Paying } else { wait });
            }
            (Open::Pad(PinView::Paying), Ask::Pin(_)) => {}
            (Open::Pad(_), Ask::Pin(pin)) => self.try_pin(&pin, now),
            (Open::Page(_), Ask::Go(page)) => self.go(page),
            (Open::Page(page), ask) => self.on_page(*page, ask, view, now),
            // What is behind the PIN is not asked for before it.
            (Open::Closed | Open::Pad(_), _) => {}
        }
    }

    fn try_pin(&mut self, pin: &str, now: Moment) {
        let shown = match self.pins.try_pin(pin, now) {
            Ok(Verdict::Right) => {
                info!("staff mode is open");
                return self.go(PageKind::Home);
            }
            Ok(Verdict::Wrong) => PinView::Wrong,
            Ok(Verdict::Wait(left)) => {
                warn!(wait_s = left.as_secs(), "the PIN of staff mode was wrong, again");
                PinView::Wait(left)
            }
            Ok(Verdict::NotSet) => PinView::NotSet,
            Err(why) => {
                warn!("{why}");
                PinView::Broken
            }
        };
        self.open = Open::Pad(shown);
    }

    fn go(&mut self, page: PageKind) {
        self.place.instruments.watch(matches!(page, PageKind::Devices | PageKind::Enrol));
        match page {
            PageKind::Scale => self.begin_run(),
            PageKind::Enrol => self.enrolling = Enrolling::default(),
            _ => {}
        }
        self.open = Open::Page(page);
    }

    fn close(&mut self) {
        self.place.instruments.watch(false);
        self.enrolling = Enrolling::default();
        self.open = Open::Closed;
    }

    fn begin_run(&mut self) {
        let mass = self.run.mass_g;
        self.run = Calibrating::new(line_of(&self.place), self.place.facts.capacity_g);
        self.run.choose(mass);
    }

    fn on_page(&mut self, page: PageKind, ask: Ask, view: &View, now: Moment) {
        let facts = self.place.facts.clone();
        match (page, ask) {
            (PageKind::Scale, Ask::Mass(mass_g)) => self.run.choose(mass_g),
            (PageKind::Scale, Ask::Read) if trip_runs(view) => self.run.refusal = Some(Refusal::TripRuns),
            (PageKind::Scale, Ask::Read) => self.run.read(self.place.instruments.rest(now)),
            (PageKind::Scale, Ask::Keep) if trip_runs(view) => self.run.refusal = Some(Refusal::TripRuns),
            (PageKind::Scale, Ask::Keep) => self.keep(),
            (PageKind::Scale, Ask::Again) => self.begin_run(),
            (PageKind::Recordings, Ask::Record) if !trip_runs(view) && self.place.tape.under_way().is_none() => {
                self.place.tape.want(Wanted::Begin(recordings::next(&facts.data)));
            }
            (PageKind::Recordings, Ask::EndRecording) => self.place.tape.want(Wanted::End),
            (PageKind::Recordings, Ask::Delete(name)) => {
                let under_way = self.place.tape.under_way();
                match recordings::delete(&facts.data, &name, under_way.as_deref()) {
                    Ok(()) => info!(name, "staff deleted a recording"),
                    Err(why) => warn!(name, %why, "the recording cannot be deleted"),
                }
            }
            (PageKind::Log, Ask::Level(level)) => self.level = level,
            (PageKind::Enrol, Ask::Search(text)) => self.enrolling.search(text),
            (PageKind::Enrol, Ask::Choose(sku)) => self.enrolling.choose(sku),
            (PageKind::Enrol, Ask::Snap) if !trip_runs(view) => self.enrolling.snap(&self.place.instruments.frames()),
            (PageKind::Enrol, Ask::Unsnap) => self.enrolling.unsnap(),
            (PageKind::Enrol, Ask::Keep) if !trip_runs(view) => self.enrolling.keep(self.place.views.as_deref()),
            (PageKind::Enrol, Ask::Enrol) if !trip_runs(view) => {
                self.enrolling.enrol(&facts.catalogue, self.place.views.as_deref())
            }
            // What does not fit this page came late.
            _ => {}
        }
    }

    /// Writes the calibration, and weighs by it from the next sample on.
    fn keep(&mut self) {
        let (Some(line), Some(scale)) = (self.run.checked(), &self.place.facts.scale) else { return };
        let kept = Kept {
            scale: scale.clone(),
            zero_counts: line.zero_counts,
            counts_per_g: line.counts_per_g,
            mass_g: self.run.mass_g,
            check_error_g: self.run.check_error_g.unwrap_or_default(),
        };
        if let Err(why) = calibration::save(&self.place.facts.data, &kept) {
            warn!(%why, "the calibration cannot be written");
            self.run.refusal = Some(Refusal::NotWritten);
            return;
        }
        *self.place.instruments.line.lock().unwrap_or_else(PoisonError::into_inner) = line;
        self.place.instruments.recalibrated(&line.words());
        info!(zero = line.zero_counts, slope = line.counts_per_g, "staff calibrated the scale");
        self.run.kept();
    }

    /// Time passes: waits run down, and what nobody touches closes. Payment closes it at once.
    pub fn tick(&mut self, view: &View, now: Moment) {
        let idle = match self.open {
            Open::Closed => return,
            Open::Pad(_) => PAD_IDLE,
            Open::Page(_) => IDLE,
        };
        let paying = pays(view) && !matches!(self.open, Open::Pad(PinView::Paying));
        if paying || now.since(self.touched) >= idle {
            return self.close();
        }
        if let Open::Pad(PinView::Wait(_)) = self.open {
            self.open = Open::Pad(self.pins.wait(now).map_or(PinView::Ask, PinView::Wait));
        }
        if let (Open::Page(PageKind::Scale), Ok(rest)) = (&self.open, self.place.instruments.rest(now)) {
            self.run.feel(rest.grams);
        }
        if let (Open::Page(PageKind::Enrol), Some(scanned)) = (&self.open, self.place.instruments.take_scan()) {
            self.enrolling.scanned(&scanned, &self.place.facts.catalogue);
        }
    }

    /// What is shown.
    pub fn view(&self, view: &View, now: Moment) -> StaffView {
        let idle = if matches!(self.open, Open::Pad(_)) { PAD_IDLE } else { IDLE };
        let left = idle.saturating_sub(now.since(self.touched));
        let page = match &self.open {
            Open::Closed => return StaffView::default(),
            Open::Pad(pin) => Page::Pin(*pin),
            Open::Page(PageKind::Home) => Page::Home(Box::new(self.home(view))),
            Open::Page(PageKind::Devices) => Page::Devices(Box::new(self.devices(now))),
            Open::Page(PageKind::Scale) => Page::Scale(Box::new(self.scale(now))),
            Open::Page(PageKind::Hub) => Page::Hub(Box::new(self.hub(view))),
            Open::Page(PageKind::Enrol) => {
                let frames = self.place.instruments.frames();
                let catalogue = &self.place.facts.catalogue;
                Page::Enrol(Box::new(self.enrolling.view(&frames, catalogue, self.place.views.as_deref())))
            }
            Open::Page(PageKind::Recordings) => Page::Recordings(Box::new(self.recordings())),
            Open::Page(PageKind::Log) => Page::Log(LogView { level: self.level, lines: log::ring().last(self.level) }),
        };
        let near = matches!(self.open, Open::Page(_)) && left <= WARNED;
        StaffView {
            page,
            busy: self.place.tape.busy(),
            closes_in_s: near.then_some(left.as_secs() as u32),
            trip_runs: trip_runs(view),
        }
    }

    fn home(&self, view: &View) -> HomeView {
        let facts = &self.place.facts;
        HomeView {
            cart: facts.cart.clone(),
            store: facts.store.clone(),
            version: env!("CARGO_PKG_VERSION").into(),
            model: facts.model.clone(),
            products: self.place.views.as_ref().map_or(0, |views| views.gallery.borrow().skus().len()),
            free_mib: free_mib(&facts.data),
            unsynced: self.place.instruments.unsynced.load(Ordering::Relaxed),
            connected: view.connected,
            out: self.place.instruments.devices().iter().filter(|device| device.out).count(),
            recording: self.place.tape.under_way().is_some(),
        }
    }

    fn devices(&self, now: Moment) -> DevicesView {
        let instruments = &self.place.instruments;
        DevicesView {
            devices: instruments.devices(),
            pictures: instruments.frames().iter().map(diagnose::picture).collect(),
            curve: diagnose::curve(&instruments.weights(), now),
            weight: instruments.rest(now).map(|rest| rest.grams),
            motion: instruments.motion(),
            battery: instruments.battery(),
        }
    }

    fn scale(&self, now: Moment) -> ScaleView {
        let rest = self.place.instruments.rest(now);
        ScaleView {
            run: self.run,
            weight: rest.map(|rest| self.run.by_found(rest.grams)),
            in_force: line_of(&self.place).words(),
            fitted: self.place.facts.scale.is_some(),
        }
    }

    fn hub(&self, view: &View) -> HubView {
        let facts = &self.place.facts;
        let unsynced = self.place.instruments.unsynced.load(Ordering::Relaxed);
        let digest: String =
            Sha256::digest(facts.public_key).iter().take(10).map(|byte| format!("{byte:02x}")).collect();
        let groups: Vec<&str> = (0..5).filter_map(|n| digest.get(n * 4..n * 4 + 4)).collect();
        HubView {
            cart: facts.cart.clone(),
            store: facts.store.clone(),
            address: facts.hub.clone(),
            public_key: URL_SAFE_NO_PAD.encode(facts.public_key),
            fingerprint: groups.join(" "),
            standing: match (view.connected, unsynced) {
                (false, _) => HubStanding::Silent,
                (true, 0) => HubStanding::Knows,
                (true, records) => HubStanding::NoAck(records),
            },
        }
    }

    fn recordings(&self) -> RecordingsView {
        let under_way = self.place.tape.under_way();
        RecordingsView {
            files: recordings::list(&self.place.facts.data, under_way.as_deref()),
            under_way: under_way.is_some(),
            folder: recordings::folder_in(&self.place.facts.data),
            trouble: self.place.tape.trouble().unwrap_or_default(),
        }
    }
}

fn line_of(place: &Place) -> Line {
    *place.instruments.line.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A shopper has begun and not ended.
pub fn trip_runs(view: &View) -> bool {
    !matches!(view.screen, Screen::Welcome | Screen::Goodbye | Screen::Charging | Screen::LowBattery)
}

/// A payment is under way.
fn pays(view: &View) -> bool {
    matches!(view.screen, Screen::Pay(_))
}

/// What is free where `folder` lies, in MiB.
fn free_mib(folder: &std::path::Path) -> Option<u64> {
    let stat = rustix::fs::statvfs(folder).ok()?;
    Some(stat.f_bavail.saturating_mul(stat.f_frsize) / (1024 * 1024))
}

/// The desk on its thread, as the screen holds it.
#[derive(Clone)]
pub struct DeskHandle {
    asks: SyncSender<Ask>,
    views: watch::Receiver<Arc<StaffView>>,
}

impl DeskHandle {
    /// Starts the desk of a running cart. It ends with the cart.
    ///
    /// # Errors
    /// When its thread cannot be started.
    pub fn start(place: Place, trip: watch::Receiver<Arc<View>>, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let (asks, queue) = sync_channel(QUEUE);
        let (shown, views) = watch::channel(Arc::new(StaffView::default()));
        let work = move || work(Desk::new(place, clock.now()), &queue, &trip, &shown, &*clock);
        std::thread::Builder::new().name("staff".into()).spawn(work).context("the staff thread")?;
        Ok(Self { asks, views })
    }

    /// Asks; never waits. What comes while too much waits is a palm on the glass, and is dropped.
    pub fn ask(&self, ask: Ask) {
        match self.asks.try_send(ask) {
            Ok(()) => {}
            Err(TrySendError::Full(_)) => debug!("too many touches on staff mode"),
            Err(TrySendError::Disconnected(_)) => debug!("a touch came after staff mode had ended"),
        }
    }

    /// What is shown.
    pub fn views(&self) -> watch::Receiver<Arc<StaffView>> {
        self.views.clone()
    }
}

fn work(
    mut desk: Desk,
    queue: &Receiver<Ask>,
    trip: &watch::Receiver<Arc<View>>,
    shown: &watch::Sender<Arc<StaffView>>,
    clock: &dyn Clock,
) {
    while trip.has_changed().is_ok() {
        // While it is closed only a knock wakes it; now and then it looks whether the cart still runs.
        let wait = if desk.is_open() { TICK } else { Duration::from_secs(1) };
        let ask = match queue.recv_timeout(wait) {
            Ok(ask) => Some(ask),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => return,
        };
        let view = trip.borrow().clone();
        match ask {
            Some(ask) => {
                if Desk::is_long(&ask) {
                    shown.send_modify(|shown| *shown = Arc::new(StaffView { busy: true, ..StaffView::clone(shown) }));
                }
                desk.handle(ask, &view, clock.now());
            }
            None => desk.tick(&view, clock.now()),
        }
        let next = desk.view(&view, clock.now());
        shown.send_if_modified(|shown| {
            let news = **shown != next;
            if news {
                *shown = Arc::new(next);
            }
            news
        });
    }
}
