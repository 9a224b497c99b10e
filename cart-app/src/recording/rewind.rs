//! Begins a recording in a running cart.
//!
//! A recording begins with how the cart began, or it could not be played again. So the core begins anew, as it
//! would after a restart, between two trips: from the journal's state and with what stands (battery, lane,
//! line, faults) told again. Between trips that changes nothing a shopper could see.

use std::collections::BTreeMap;

use cart_core::{Cart, Device, Input, Outputs, TripLoop};
use hal::{CameraId, Clock};
use tracing::{info, warn};
use trip::{Catalogue, Phase};

use super::note::Begin;
use super::recorder::Recorder;
use super::tape::{Tape, Wanted};
use crate::startup;
use crate::trip_disk::TripDisk;

/// What was said last and holds until something else is said.
#[derive(Debug, Default)]
pub struct Standing {
    link: Option<Input>,
    battery: Option<Input>,
    lane: Option<Input>,
    desired: Option<Input>,
    devices: BTreeMap<Device, Input>,
    movement: BTreeMap<CameraId, Input>,
    sight: BTreeMap<CameraId, Input>,
}

impl Standing {
    /// Takes note of an input.
    pub fn note(&mut self, input: &Input) {
        match input {
            Input::Link { .. } => self.link = Some(input.clone()),
            Input::Battery(_) => self.battery = Some(input.clone()),
            Input::Lane(_) => self.lane = Some(input.clone()),
            Input::Desired(_) => self.desired = Some(input.clone()),
            Input::Device { device, .. } => drop(self.devices.insert(*device, input.clone())),
            Input::Movement { camera, .. } => drop(self.movement.insert(*camera, input.clone())),
            Input::Sight { camera, .. } => drop(self.sight.insert(*camera, input.clone())),
            _ => {}
        }
    }

    /// All that stands, to be said again.
    fn again(&self) -> impl Iterator<Item = Input> {
        let once = [&self.link, &self.battery, &self.lane, &self.desired].into_iter().flatten();
        once.chain(self.devices.values()).chain(self.movement.values()).chain(self.sight.values()).cloned()
    }
}

/// Does what staff want of the tape. `begin` is how the program began. The inner result says why it cannot be
/// done; then nothing has changed.
///
/// # Errors
/// When the journal cannot be written: the program must stop.
pub fn rewind<O: Outputs>(
    trip: &mut TripLoop<TripDisk, O>,
    wanted: Wanted,
    standing: &Standing,
    tape: &Tape,
    begin: &Begin,
    clock: &dyn Clock,
) -> anyhow::Result<Result<(), String>> {
    let path = match wanted {
        Wanted::End => return Ok(tape.finish().map_err(|why| why.to_string())),
        Wanted::Begin(path) => path,
    };
    let state = trip.cart().state().clone();
    if state.phase != Phase::Idle {
        return Ok(Err("a trip is on; a recording begins between trips".into()));
    }
    let facts =
        startup::SetupFacts { trips: begin.facts.trips + trip.begun(), receipt_qr: None, ..begin.facts.clone() };
    let begin = Begin { facts: facts.clone(), catalogue: begin.newest.clone(), state: state.clone(), ..begin.clone() };
    let Ok(newest) = Catalogue::parse(&begin.newest) else {
        return Ok(Err("the catalogue cannot be read again".into()));
    };
    let made = path.parent().map_or(Ok(()), std::fs::create_dir_all).map_err(|why| why.to_string());
    let recorder = match made.and_then(|()| Recorder::create(&path, begin).map_err(|why| why.to_string())) {
        Ok(recorder) => recorder,
        Err(why) => {
            warn!(why, "no recording");
            return Ok(Err(why));
        }
    };
    info!(path = %path.display(), "staff record all frames from now on");
    let mut cart = Cart::new(startup::setup(facts), newest.clone(), state);
    cart.offer_catalogue(newest);
    tape.insert(recorder, &path);
    trip.begin_again(cart)?;
    for input in standing.again() {
        trip.handle(input, clock.now())?;
    }
    Ok(Ok(()))
}
