//! What of a running cart staff mode works with.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use cart_core::Device;
use cart_vision::Gallery;
use hal::Devices;
use hal::board::Driver;
use tokio::sync::watch;
use tracing::warn;
use trip::Catalogue;

use super::calibration::{self, Line};
use super::enrolling::{Views, own_file};
use super::instruments::{Instruments, Kind};
use crate::config::Config;
use crate::line::RunningLine;
use crate::recording::tape::Tape;
use crate::sight::Sight;

/// What does not change while the program runs.
#[derive(Clone, Debug)]
pub struct Facts {
    /// The cart.
    pub cart: String,
    /// The store.
    pub store: String,
    /// Where the hub is looked for.
    pub hub: String,
    /// The cart's data folder.
    pub data: PathBuf,
    /// The model's name and the beginning of its fingerprint; empty without one.
    pub model: String,
    /// The cart's public key.
    pub public_key: [u8; 32],
    /// The scale's capacity in grams.
    pub capacity_g: u32,
    /// Model and port of the scale; `None` without one.
    pub scale: Option<String>,
    /// The newest catalogue.
    pub catalogue: Arc<Catalogue>,
}

/// A running cart, as staff mode sees it.
#[derive(Clone)]
pub struct Place {
    /// What does not change.
    pub facts: Arc<Facts>,
    /// What the devices say.
    pub instruments: Arc<Instruments>,
    /// Where a recorder is put in.
    pub tape: Tape,
    /// What the eyes know; `None` without a model.
    pub views: Option<Arc<Views>>,
}

impl Place {
    /// The place of a cart that is about to start. Lays staff's own calibration over the scale's and the
    /// products enrolled on the cart over the shipped ones.
    #[expect(clippy::too_many_arguments, reason = "each is another part of the cart that is being wired")]
    pub fn of(
        config: &Config,
        devices: &Devices,
        troubles: &[(Device, String)],
        sight: Option<&Sight>,
        tape: &Tape,
        line: &RunningLine,
        catalogue: &Arc<Catalogue>,
        public_key: [u8; 32],
    ) -> Self {
        let scale = devices.scale.as_ref().map(|scale| calibration::name_of(&scale.identity()));
        let by_board = Line::of(&config.board.scale);
        let made = scale.as_ref().and_then(|scale| calibration::load(&config.data, scale));
        let in_force = made.map(|made| by_board.with(made.zero_counts, made.counts_per_g));
        let instruments = Instruments::new(line.unsynced.clone(), Arc::new(Mutex::new(in_force.unwrap_or(by_board))));
        introduce(&instruments, config, devices, troubles);
        if let Some(line) = in_force {
            instruments.recalibrated(&line.words());
        }
        let views = sight.map(|sight| {
            let gallery = with_own(sight.gallery.clone(), config);
            let config = (sight.config().clone(), own_file(&config.data));
            Arc::new(Views { config: config.0, gallery: watch::channel(Arc::new(gallery)).0, own: config.1 })
        });
        let model = views.as_ref().map(|views| {
            let name = views.config.model.file_stem().map(|stem| stem.to_string_lossy().into_owned());
            let print: String = views.gallery.borrow().model().chars().take(8).collect();
            format!("{} {print}", name.unwrap_or_default())
        });
        let facts = Facts {
            cart: config.cart.to_string(),
            store: config.store.to_string(),
            hub: format!("{}:{}", config.line.host, config.line.port),
            data: config.data.clone(),
            model: model.unwrap_or_default(),
            public_key,
            capacity_g: config.board.scale.capacity_g,
            scale,
            catalogue: catalogue.clone(),
        };
        Self { facts: Arc::new(facts), instruments: Arc::new(instruments), tape: tape.clone(), views }
    }

    /// All products that the eyes are to know: those of `sight`, and those enrolled on this cart.
    pub fn known(&self, sight: &Sight) -> Gallery {
        self.views.as_ref().map_or_else(|| sight.gallery.clone(), |views| Gallery::clone(&views.gallery.borrow()))
    }
}

/// What was enrolled on this cart lies over what was shipped. A damaged file is said, and left out.
fn with_own(mut gallery: Gallery, config: &Config) -> Gallery {
    let own = own_file(&config.data);
    if own.exists() {
        match Gallery::load(&own, gallery.model()) {
            Ok(own) => drop(gallery.lay_over(&own)),
            Err(why) => warn!("products enrolled on this cart are not known: {why}"),
        }
    }
    gallery
}

/// Every device of the board, whether it is there or not.
fn introduce(instruments: &Instruments, config: &Config, devices: &Devices, troubles: &[(Device, String)]) {
    for camera in &devices.cameras {
        instruments.opened(Kind::Camera(camera.id().0), camera.identity());
    }
    if let Some(scale) = &devices.scale {
        instruments.opened(Kind::Scale, scale.identity());
    }
    if let Some(motion) = &devices.motion {
        instruments.opened(Kind::Motion, motion.identity());
    }
    if let Some(battery) = &devices.battery {
        instruments.opened(Kind::Battery, battery.identity());
    }
    if let Some(light) = &devices.light {
        instruments.opened(Kind::Light, light.identity());
    }
    if let Some(sounder) = &devices.sounder {
        instruments.opened(Kind::Sounder, sounder.identity());
    }
    if let Some(beacon) = &devices.lane_beacon {
        instruments.opened(Kind::LaneBeacon, beacon.identity());
    }
    let board = &config.board;
    let fitted = [
        (Kind::Light, board.light.driver, devices.light.is_some()),
        (Kind::Sounder, board.sounder.driver, devices.sounder.is_some()),
        (Kind::LaneBeacon, board.lane_beacon.driver, devices.lane_beacon.is_some()),
    ];
    for (kind, driver, there) in fitted {
        if driver != Driver::None && !there {
            instruments.missing(kind, "could not be opened");
        }
    }
    for (device, why) in troubles {
        let kind = match device {
            Device::Camera(n) => Kind::Camera(*n),
            Device::Scale => Kind::Scale,
            Device::Motion => Kind::Motion,
            Device::Battery => Kind::Battery,
        };
        let there = devices.cameras.iter().any(|camera| Kind::Camera(camera.id().0) == kind);
        if !there {
            instruments.missing(kind, why);
        }
    }
}
