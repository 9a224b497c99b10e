//! `cart run`: a cart on its own board, in real time.

use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use cart_core::{Device, Input, Intent, View};
use hal::board::Driver;
use hal::{BoardConfig, Clock, Devices, RealClock};
use service::Watch;
use slint::ComponentHandle;
use tracing::warn;

use crate::config::Config;
use crate::recording::Recorder;
use crate::staff::{DeskHandle, trip_runs};
use crate::ui::{App, CartWindow, Pictures, Screen, fonts};
use crate::wiring::{self, RunningCart};
use crate::{released, signal, startup};

/// Runs the cart until it is told to stop. With `record` everything it sees is kept in that file, which
/// is for staff and for as long as they need it: see [`crate::recording`].
///
/// # Errors
/// When it cannot start, or must stop because its journal cannot be written.
pub fn run(config_path: &Path, headless: bool, record: Option<&Path>) -> anyhow::Result<()> {
    let config = Config::load_with_release(config_path)?;
    let stop = signal::watch()?;
    let ready = startup::prepare(&config)?;
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let (devices, errors) = Devices::open(&config.board, &clock);
    let mut troubles = missing(&config.board, &devices);
    for error in &errors {
        warn!("{error}");
    }
    // Without a model the cart still scans and weighs; the screen and staff are told.
    let sight = match released::model::open_newest(&config, &ready.catalogue) {
        Ok(sight) => Some(sight),
        Err(why) => {
            warn!("{why:#}");
            troubles.push((Device::Camera(0), format!("{why:#}")));
            None
        }
    };
    let recorder = record.map(|path| Recorder::create(path, ready.begin.clone())).transpose()?;
    if let Some(path) = record {
        warn!("recording all frames into {}: they show people; delete the file when it has served", path.display());
    }
    let cart =
        wiring::start(&config, ready, devices, troubles, sight.as_ref(), recorder.zip(record.map(Into::into)), &clock)?;
    let watch = Watch::from_environment();
    watch.ready();
    if headless {
        while cart.runs() && !stop.asked() {
            std::thread::sleep(Duration::from_millis(100));
        }
    } else {
        show(&config, &cart, &clock, stop)?;
    }
    watch.stopping();
    let tape = cart.staff.tape.clone();
    let stopped = cart.stop();
    tape.finish()?;
    stopped
}

/// Devices of the board that could not be opened.
fn missing(board: &BoardConfig, devices: &Devices) -> Vec<(Device, String)> {
    let mut missing = Vec::new();
    let mut check = |fitted: bool, there: bool, device: Device| {
        if fitted && !there {
            missing.push((device, "could not be opened; `cart devices` says what is there".to_owned()));
        }
    };
    for (n, camera) in board.cameras.iter().enumerate() {
        let id = n as u8;
        let there = devices.cameras.iter().any(|c| c.id().0 == id);
        check(camera.driver != Driver::None, there, Device::Camera(id));
    }
    check(board.scale.driver != Driver::None, devices.scale.is_some(), Device::Scale);
    check(board.motion.driver != Driver::None, devices.motion.is_some(), Device::Motion);
    check(board.battery.driver != Driver::None, devices.battery.is_some(), Device::Battery);
    missing
}

/// Joins a screen to the cart's desk for staff. Who touches staff mode is somebody who stands at the cart: a
/// trip that goes on underneath is told so, and does not end for want of touches.
///
/// # Errors
/// When the desk's thread cannot be started, or this thread has no event loop.
pub(crate) fn open_desk<W: CartWindow>(
    screen: &Rc<Screen<W>>,
    cart: &RunningCart,
    clock: &Arc<dyn Clock>,
) -> anyhow::Result<()> {
    let desk = DeskHandle::start(cart.staff.clone(), cart.views.clone(), clock.clone())?;
    let (inputs, views) = (cart.inputs(), cart.views.clone());
    let staff_views = desk.views();
    screen.on_ask(move |ask| {
        if trip_runs(&views.borrow()) {
            // A trip too busy to hear of a touch needs none.
            drop(inputs.try_send(Input::Intent(said_by_staff(&views.borrow()))));
        }
        desk.ask(ask);
    });
    screen.clone().follow_staff(staff_views).context("screen")
}

/// The store's pictures, read aside; drawn ones where that cannot be.
fn pictures(config: &Config) -> Pictures {
    let config = config.clone();
    Pictures::read_aside(move || released::pictures::folders(&config)).unwrap_or_else(|why| {
        warn!(%why, "the thread that reads pictures does not start; they are drawn");
        Pictures::drawn()
    })
}

/// What a touch of staff mode tells the trip underneath: that somebody is there. Nobody looks at the screen from afar
/// while staff work on it, nor afterwards without the shopper's word.
fn said_by_staff(view: &View) -> Intent {
    if view.shared { Intent::ShareScreen { on: false } } else { Intent::StillHere }
}

/// The touch window, on this thread, until the cart ends or is told to.
fn show(config: &Config, cart: &RunningCart, clock: &Arc<dyn Clock>, stop: signal::Stop) -> anyhow::Result<()> {
    let window =
        App::new().context("the touch window cannot be opened; is there a display? (--headless runs without)")?;
    let screen = Rc::new(Screen::new(window, Rc::new(pictures(config))));
    screen.set_store(&config.screen);
    screen.find_voice();
    for font in fonts::missing(&config.screen.languages) {
        warn!("{font}");
    }
    let inputs = cart.inputs();
    screen.on_intent(move |intent| drop(inputs.send(cart_core::Input::Intent(intent))));
    open_desk(&screen, cart, clock)?;
    screen.apply(&cart.views.borrow().clone());
    screen.clone().follow(cart.views.clone()).context("screen")?;
    screen.clone().follow_pictures().context("screen")?;
    let _looks = cart.looks.clone().follow(screen.clone());
    let views = cart.views.clone();
    let timer = slint::Timer::default();
    timer.start(slint::TimerMode::Repeated, Duration::from_millis(200), move || {
        let ended = views.has_changed().is_err();
        if (stop.asked() || ended)
            && let Err(why) = slint::quit_event_loop()
        {
            warn!(%why, "the window does not close");
        }
    });
    screen.window().run().context("touch window")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;

    #[test]
    fn staff_mode_over_a_screen_that_others_see_ends_that() {
        let view = |shared| View { shared, ..sample::basket() };
        assert_eq!(said_by_staff(&view(true)), Intent::ShareScreen { on: false });
        assert_eq!(said_by_staff(&view(false)), Intent::StillHere);
    }

    #[test]
    fn every_device_that_is_fitted_and_not_there_is_named() {
        let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
        let mut board = BoardConfig::simulated(0);
        (board.scale.driver, board.motion.driver, board.battery.driver) = (Driver::None, Driver::None, Driver::None);
        let (devices, errors) = Devices::open(&board, &clock);
        assert!(errors.is_empty() && missing(&board, &devices).is_empty(), "what is not fitted is not missed");
        board.scale.driver = Driver::Iio;
        board.scale.iio_device = Some("iio:nowhere".into());
        board.motion.driver = Driver::Iio;
        board.motion.iio_device = Some("iio:nowhere".into());
        board.battery.driver = Driver::Sysfs;
        board.battery.supply = Some("nowhere".into());
        let (devices, errors) = Devices::open(&board, &clock);
        let named: Vec<Device> = missing(&board, &devices).into_iter().map(|(device, _)| device).collect();
        assert_eq!(named, [Device::Scale, Device::Motion, Device::Battery]);
        assert_eq!(errors.len(), 3, "each says why");
    }
}
