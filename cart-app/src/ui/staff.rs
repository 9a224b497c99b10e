//! Staff mode on the screen: whole [`StaffView`]s in, [`Ask`]s out.
//!
//! The models live as long as the window, so that a picture or a weight that comes five times a second
//! changes what is shown and makes nothing anew: what has the focus keeps it.

use std::rc::Rc;
use std::sync::Arc;

use cart_ui::{PinKind, StaffLevel, StaffPage};
use tokio::sync::watch;

use super::{CartWindow, Clock, Format, Pictures, Screen};
use crate::staff::log::LogLevel;
use crate::staff::view::{Ask, HomeView, Page, PageKind, PinView, StaffView};

mod devices;
mod enrol;
mod hub;
mod lists;
mod scale;

/// A count, or as many as the markup can count.
fn number(count: impl TryInto<i32>) -> i32 {
    count.try_into().unwrap_or(i32::MAX)
}

/// What the pages are made of.
pub(super) struct Staff {
    devices: devices::Devices,
    scale: scale::Scale,
    enrol: enrol::Enrol,
    lists: lists::Lists,
}

/// What is written besides words.
pub(super) struct Means<'a> {
    pub(super) format: &'a Format,
    pub(super) clock: &'a Clock,
    pub(super) pictures: &'a Pictures,
}

impl Staff {
    pub(super) fn new(window: &impl CartWindow) -> Self {
        Self {
            devices: devices::Devices::new(window),
            scale: scale::Scale::new(window),
            enrol: enrol::Enrol::new(window),
            lists: lists::Lists::new(window),
        }
    }

    pub(super) fn apply(&self, window: &impl CartWindow, view: &StaffView, means: &Means<'_>) {
        let state = window.staff();
        state.set_busy(view.busy);
        state.set_closes_in(view.closes_in_s.map_or(-1, number));
        state.set_trip_runs(view.trip_runs);
        let page = match &view.page {
            Page::Closed => StaffPage::Closed,
            Page::Pin(pin) => {
                show_pin(window, *pin, means.format);
                StaffPage::Pin
            }
            Page::Home(home) => {
                show_home(window, home, means.format);
                StaffPage::Home
            }
            Page::Devices(shown) => {
                self.devices.apply(window, shown, means.format);
                StaffPage::Devices
            }
            Page::Scale(shown) => {
                self.scale.apply(window, shown, means.format);
                StaffPage::Scale
            }
            Page::Hub(shown) => {
                hub::apply(window, shown);
                StaffPage::Hub
            }
            Page::Enrol(shown) => {
                self.enrol.apply(window, shown, means.pictures);
                StaffPage::Enrol
            }
            Page::Recordings(shown) => {
                self.lists.recordings(window, shown, means.format);
                StaffPage::Recordings
            }
            Page::Log(shown) => {
                self.lists.log(window, shown, means);
                StaffPage::Log
            }
        };
        // Frames and names are for nobody who comes after.
        if page != StaffPage::Devices {
            self.devices.forget();
        }
        if page != StaffPage::Enrol {
            self.enrol.forget(window);
        }
        state.set_page(page);
    }
}

fn show_pin(window: &impl CartWindow, pin: PinView, format: &Format) {
    let data = window.staff_pin();
    data.set_kind(match pin {
        PinView::Ask => PinKind::Ask,
        PinView::Wrong => PinKind::Wrong,
        PinView::Wait(_) => PinKind::Wait,
        PinView::NotSet => PinKind::NotSet,
        PinView::Broken => PinKind::Broken,
        PinView::Paying => PinKind::Paying,
    });
    if let PinView::Wait(left) = pin {
        // Never "0:00" while it is still shut.
        let seconds = u32::try_from(left.as_millis().div_ceil(1_000)).unwrap_or(u32::MAX);
        data.set_wait(format.minutes_and_seconds(seconds).into());
    }
}

fn show_home(window: &impl CartWindow, home: &HomeView, format: &Format) {
    let data = window.staff_home();
    data.set_cart(home.cart.as_str().into());
    data.set_store(home.store.as_str().into());
    data.set_version(home.version.as_str().into());
    data.set_model(home.model.as_str().into());
    data.set_products(number(home.products));
    data.set_free(home.free_mib.map(|mib| format.megabytes(mib.saturating_mul(1 << 20)).into()).unwrap_or_default());
    data.set_unsynced(number(home.unsynced));
    data.set_connected(home.connected);
    data.set_out(number(home.out));
    data.set_recording(home.recording);
}

/// Connects every callback of the markup to `take`.
fn connect(window: &impl CartWindow, take: Rc<dyn Fn(Ask)>) {
    let intents = window.staff_intents();
    let plain = |ask: Ask| {
        let take = take.clone();
        move || take(ask.clone())
    };
    intents.on_knock(plain(Ask::Knock));
    intents.on_leave(plain(Ask::Close));
    intents.on_stay(plain(Ask::Stay));
    intents.on_read(plain(Ask::Read));
    intents.on_keep(plain(Ask::Keep));
    intents.on_again(plain(Ask::Again));
    intents.on_record(plain(Ask::Record));
    intents.on_end_recording(plain(Ask::EndRecording));
    intents.on_snap(plain(Ask::Snap));
    intents.on_unsnap(plain(Ask::Unsnap));
    intents.on_enrol(plain(Ask::Enrol));
    let with_text = |ask: fn(String) -> Ask| {
        let take = take.clone();
        move |text: slint::SharedString| take(ask(text.to_string()))
    };
    intents.on_pin(with_text(Ask::Pin));
    intents.on_delete(with_text(Ask::Delete));
    intents.on_search(with_text(Ask::Search));
    intents.on_choose({
        let take = take.clone();
        move |sku| {
            // The name came from a view, so it is valid; a screen never stops over one that is not.
            if let Ok(sku) = trip::Sku::new(sku.as_str()) {
                take(Ask::Choose(sku));
            }
        }
    });
    intents.on_mass({
        let take = take.clone();
        move |grams| {
            if let Ok(grams) = u32::try_from(grams) {
                take(Ask::Mass(grams));
            }
        }
    });
    intents.on_level({
        let take = take.clone();
        move |level| take(Ask::Level(log_level(level)))
    });
    intents.on_go(move |page| {
        if let Some(page) = page_kind(page) {
            take(Ask::Go(page));
        }
    });
}

fn page_kind(page: StaffPage) -> Option<PageKind> {
    match page {
        StaffPage::Closed | StaffPage::Pin => None,
        StaffPage::Home => Some(PageKind::Home),
        StaffPage::Devices => Some(PageKind::Devices),
        StaffPage::Scale => Some(PageKind::Scale),
        StaffPage::Hub => Some(PageKind::Hub),
        StaffPage::Enrol => Some(PageKind::Enrol),
        StaffPage::Recordings => Some(PageKind::Recordings),
        StaffPage::Log => Some(PageKind::Log),
    }
}

fn log_level(level: StaffLevel) -> LogLevel {
    match level {
        StaffLevel::Error => LogLevel::Error,
        StaffLevel::Warn => LogLevel::Warn,
        StaffLevel::Info => LogLevel::Info,
    }
}

impl<W: CartWindow> Screen<W> {
    /// Sends every touch of staff mode to `take`. Called on the UI thread: `take` must not block.
    pub fn on_ask(&self, take: impl Fn(Ask) + 'static) {
        connect(self.window(), Rc::new(take));
    }

    /// Shows every view of staff mode that arrives, the latest first, until the desk is gone.
    ///
    /// # Errors
    /// When no platform or event loop was set up on this thread.
    pub fn follow_staff(
        self: Rc<Self>,
        mut views: watch::Receiver<Arc<StaffView>>,
    ) -> Result<(), slint::EventLoopError> {
        slint::spawn_local(async move {
            loop {
                let view = views.borrow_and_update().clone();
                self.apply_staff(&view);
                if views.changed().await.is_err() {
                    // Whatever was open is nobody's any more.
                    return self.apply_staff(&StaffView::default());
                }
            }
        })?;
        Ok(())
    }
}
