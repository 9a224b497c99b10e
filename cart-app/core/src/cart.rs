//! The cart as a whole: one state, inputs in, effects and views out.
//!
//! `goods` handles what goes in and out, `exchange` what is swapped, `recount` whether the whole still
//! weighs what it should, `own` what is the shopper's own, `wishes` what they want to be told of, `touch` what people tap, `order` what the
//! hub asks, `find` what is looked up, `pairing` how a trip begins, `list` the shopping list, `waits` how long a person is waited for, `sharing` whether staff see the screen, `standing` whether anybody is there, `gauge` how long the
//! battery lasts, `covered` which camera is blind, `condition` all that is not as usual, and `present` makes the [`View`]. All of them change the trip only through
//! [`Cart::record`].

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

use cart_vision::Thumbnail;
use hal::{CameraId, Moment};
use trip::event::Tender;
use trip::gs1::Scanned;
use trip::list::Noted;
use trip::{Catalogue, Hash, HoldId, LaneId, LineId, Money, Phase, Sku, TripEvent, TripState};

use crate::account::Account;
use crate::decision::Thresholds;
use crate::effect::{Effect, Signal};
use crate::evidence::{Evidence, PendingScan};
use crate::input::{Device, Input};
use crate::view::WaitsFor;
use crate::weight_step::{Condition, ScaleTuning, WeightStep, WeightSteps};

mod condition;
mod covered;
mod exchange;
mod find;
mod gauge;
mod goods;
mod list;
mod order;
mod own;
mod pairing;
mod present;
mod recount;
mod search;
mod sharing;
mod standing;
mod stopwatch;
mod touch;
mod waits;
mod wishes;

pub use condition::Health;
pub use own::{OwnLimits, Tare};
use stopwatch::Stopwatch;

/// What differs by store and board.
#[derive(Clone, Debug)]
pub struct Setup {
    /// What trip names begin with: `{cart}.{epoch}`.
    pub trip_base: String,
    /// How many trips this journal already holds; the next is one more.
    pub trips: u64,
    /// When the cart is sure enough.
    pub thresholds: Thresholds,
    /// The scale.
    pub scale: ScaleTuning,
    /// Below this state of charge, in percent, no new trip begins.
    pub battery_reserve: u8,
    /// The QR of the last receipt, when the program starts with it on the screen.
    pub receipt_qr: Option<String>,
    /// What a shopper may lay in of their own.
    pub own: OwnLimits,
    /// The bags and trays that produce may lie in, for the weigh screen.
    pub tares: Vec<Tare>,
    /// What the tokens of this run are made of: random, and new at each start of the program.
    pub pairing_seed: Hash,
    /// The running trip's shopping list, as it was kept.
    pub list: Vec<Noted>,
}

/// A step that is not decided yet.
#[derive(Clone, Debug)]
struct Pending {
    step: WeightStep,
    /// When to look at it again.
    due: Moment,
    /// When it is decided with what is known.
    last: Moment,
}

/// What is open on the screen besides the basket.
#[derive(Clone, Debug, Default)]
struct Panel {
    ask: Option<(HoldId, WaitsFor)>,
    search: Option<String>,
    weigh: Option<Sku>,
    /// Which of the setup's tares is taken off on the weigh screen.
    tare: Option<usize>,
    /// The line that is shown whole.
    item: Option<LineId>,
    /// True while the shopping list is open.
    list: bool,
    /// True while the search answers no question.
    finding: bool,
    /// True while the offers are open.
    offers: bool,
    /// The product that is shown, over what it was found by.
    product: Option<Sku>,
}

/// A removal, told for a while.
#[derive(Clone, Debug)]
struct Chip {
    name: String,
    price: Money,
    until: Moment,
}

/// How long a new line is marked, and how long a removal is told.
const FRESH_FOR: Duration = Duration::from_secs(2);
const CHIP_FOR: Duration = Duration::from_secs(6);
/// How long a shopper is seen off before the screen welcomes the next.
const GOODBYE_FOR: Duration = Duration::from_secs(8);

/// The cart.
#[derive(Debug)]
pub struct Cart {
    setup: Setup,
    catalogue: Catalogue,
    next_catalogue: Option<Catalogue>,
    state: TripState,
    steps: WeightSteps,
    evidence: Evidence,
    /// Codes that were scanned and never felt, with the hold that asks about each.
    parked: Vec<(HoldId, PendingScan)>,
    /// Codes explained a moment ago: the box may still be in view.
    explained: VecDeque<(Scanned, Moment)>,
    pending: Option<Pending>,
    /// Of the last decision about something that came in.
    account: Option<Account>,
    /// The scene has changed, and the scale has not felt why yet: when to look into it.
    unfelt: Option<exchange::Unfelt>,
    /// The last stir that no look explained yet.
    stirred: Option<WeightStep>,
    panel: Panel,
    wishes: wishes::Wishes,
    pairing: pairing::Pairing,
    list: Vec<list::Entry>,
    goodbye: Option<Moment>,
    thumbnails: HashMap<HoldId, Thumbnail>,
    fresh: Option<(LineId, Moment)>,
    chip: Option<Chip>,
    /// The moment of the last input or timeout.
    now: Moment,
    waits: waits::Waits,
    standing: standing::Standing,
    /// Runs while the hub does not answer.
    offline: Option<Stopwatch>,
    gauge: gauge::Gauge,
    blind: covered::Blinds,
    faults: BTreeMap<Device, String>,
    lane: Option<LaneId>,
    lane_refused: bool,
    checking: bool,
    receipt_key: Option<[u8; 32]>,
    receipt_qr: Option<String>,
    tender: Option<Tender>,
    effects: VecDeque<Effect>,
    shown: Condition,
}

impl Cart {
    /// A cart that goes on from `state` (the replay of its journal) with the catalogue that the
    /// running trip has pinned, or the newest when none runs.
    pub fn new(setup: Setup, catalogue: Catalogue, state: TripState) -> Self {
        let expected = (state.phase != Phase::Idle).then(|| state.expected_gross()).flatten();
        let ask = state.basket.holds.last().map(goods::question);
        let mut cart = Self {
            steps: WeightSteps::new(setup.scale, expected),
            receipt_qr: setup.receipt_qr.clone(),
            tender: state.payment.as_ref().map(|p| p.tender.clone()),
            pairing: pairing::Pairing::new(setup.pairing_seed),
            setup,
            catalogue,
            next_catalogue: None,
            state,
            evidence: Evidence::default(),
            parked: Vec::new(),
            explained: VecDeque::new(),
            pending: None,
            account: None,
            unfelt: None,
            stirred: None,
            panel: Panel { ask, ..Panel::default() },
            wishes: wishes::Wishes::default(),
            list: Vec::new(),
            goodbye: None,
            thumbnails: HashMap::new(),
            fresh: None,
            chip: None,
            now: Moment::default(),
            waits: waits::Waits::default(),
            standing: standing::Standing::default(),
            offline: Some(Stopwatch::of_minutes(Moment::default())),
            gauge: gauge::Gauge::default(),
            blind: covered::Blinds::new(),
            faults: BTreeMap::new(),
            lane: None,
            lane_refused: false,
            checking: false,
            receipt_key: None,
            effects: VecDeque::new(),
            shown: Condition::Starting,
        };
        if cart.state.phase != Phase::Idle {
            let noted = std::mem::take(&mut cart.setup.list);
            cart.read_list(noted);
        }
        cart.effects.push_back(Effect::Show);
        cart
    }

    /// The trip as it stands.
    pub fn state(&self) -> &TripState {
        &self.state
    }

    /// What the last decision about something that came in rested on, or would rest on if its time were up.
    pub fn account(&self) -> Option<&Account> {
        self.account.as_ref()
    }

    /// A newer catalogue; it is taken when the next trip begins.
    pub fn offer_catalogue(&mut self, catalogue: Catalogue) {
        self.next_catalogue = Some(catalogue);
    }

    /// Takes one input.
    pub fn handle_input(&mut self, input: Input, now: Moment) {
        self.now = now;
        match input {
            Input::Weight(reading) => {
                self.steps.known_empty(self.empty_load());
                let step = self.steps.sample(reading);
                if let Some(step) = step {
                    self.somebody(now);
                    self.noticed(None, now);
                    self.on_step(step, now);
                }
                self.show_condition();
            }
            Input::Motion(reading) => {
                self.steps.motion(reading);
                if self.steps.condition() == Condition::Unsteady {
                    self.somebody(now);
                }
            }
            Input::Movement { camera, moving } => {
                self.somebody(now);
                if moving {
                    self.noticed(Some(camera), now);
                }
                self.evidence.movement(camera, moving, now);
            }
            Input::Sight { camera, clear } => self.on_sight(camera, clear, now),
            Input::Sighting(sighting) => {
                if self.evidence.look(sighting) {
                    self.watch_unfelt(now);
                }
                self.resolve_pending(now);
            }
            Input::Scan(scan) => {
                self.somebody(now);
                self.on_scan(scan, now);
            }
            Input::Battery(reading) => {
                if self.gauge.read(reading) {
                    self.effects.push_back(Effect::Show);
                }
            }
            Input::Lane(lane) => {
                self.somebody(now);
                self.lane = lane;
                self.effects.push_back(Effect::Show);
            }
            Input::Intent(intent) => {
                self.somebody(now);
                self.on_intent(intent, now);
            }
            Input::Command(command) => self.on_command(command),
            Input::Desired(desired) => self.on_desired(&desired),
            Input::Link { connected } => {
                if self.connected() != connected {
                    self.offline = (!connected).then(|| Stopwatch::of_minutes(now));
                    self.effects.push_back(Effect::Show);
                }
            }
            Input::Device { device, fault } => self.on_device(device, fault),
        }
    }

    /// Does what is due at `now`.
    pub fn handle_timeout(&mut self, now: Moment) {
        self.now = now;
        self.resolve_pending(now);
        self.resolve_unfelt(now);
        self.park_overdue_scans(now);
        let fresh_over = self.fresh.is_some_and(|(_, until)| until <= now);
        let chip_over = self.chip.as_ref().is_some_and(|chip| chip.until <= now);
        if fresh_over {
            self.fresh = None;
        }
        if chip_over {
            self.chip = None;
        }
        let goodbye_over = self.goodbye.is_some_and(|until| until <= now);
        if goodbye_over {
            self.goodbye = None;
        }
        self.standing_tick(now);
        self.covered_tick(now);
        self.pairing_tick(now);
        let waited = self.waits.tick(now);
        let offline = self.offline.as_mut().is_some_and(|watch| watch.tick(now));
        if fresh_over || chip_over || goodbye_over || waited || offline {
            self.effects.push_back(Effect::Show);
        }
    }

    /// When [`Cart::handle_timeout`] is due next.
    pub fn poll_timeout(&self) -> Option<Moment> {
        let pending = self.pending.as_ref().map(|p| p.due);
        let scan = self.evidence.scans().iter().map(|s| s.since + goods::SCAN_PATIENCE).min();
        let fresh = self.fresh.map(|(_, until)| until);
        let chip = self.chip.as_ref().map(|chip| chip.until);
        let unfelt = self.unfelt.map(|unfelt| unfelt.due);
        let told = [
            self.waits.due(),
            self.standing_due(),
            self.covered_due(),
            self.pairing_due(),
            self.offline.map(|watch| watch.due()),
        ];
        [pending, unfelt, scan, fresh, chip, self.goodbye].into_iter().chain(told).flatten().min()
    }

    /// The next effect to carry out.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// The only way the trip changes: the events are applied and must be on disk before anything
    /// that shows them.
    fn record(&mut self, events: Vec<TripEvent>) {
        if events.is_empty() {
            return;
        }
        for event in &events {
            self.state.apply(event);
            self.waits.follow(event, &self.state, self.now);
        }
        self.effects.push_back(Effect::Journal(events));
    }

    fn signal(&mut self, signal: Signal) {
        self.effects.push_back(Effect::Light(signal));
        self.effects.push_back(Effect::Tone(signal));
        self.effects.push_back(Effect::Show);
    }

    /// Tells the screen when the scale's condition changes in a way people see.
    fn show_condition(&mut self) {
        let condition = self.steps.condition();
        let told = |c: Condition| {
            matches!(c, Condition::Unsteady | Condition::Tilted | Condition::Overloaded | Condition::Deaf)
        };
        if condition != self.shown {
            let tell = told(condition) || told(self.shown) || self.panel.weigh.is_some();
            self.shown = condition;
            if tell {
                self.effects.push_back(Effect::Show);
            }
        }
    }

    fn on_device(&mut self, device: Device, fault: Option<String>) {
        let changed = match &fault {
            Some(why) => {
                // Who no longer looks sees nothing move.
                if let Device::Camera(camera) = device {
                    self.evidence.still(CameraId(camera));
                }
                self.faults.insert(device, why.clone()).is_none()
            }
            None => self.faults.remove(&device).is_some(),
        };
        if changed {
            if let Some(why) = fault {
                self.effects.push_back(Effect::Warn(format!("{device}: {why}")));
                self.effects.push_back(Effect::Light(Signal::Fault));
            }
            self.effects.push_back(Effect::Show);
        }
    }

    /// True while the hub answers.
    fn connected(&self) -> bool {
        self.offline.is_none()
    }

    /// True when the scale can be believed at all.
    fn scale_works(&self) -> bool {
        !self.faults.contains_key(&Device::Scale) && self.steps.condition() != Condition::Deaf
    }
}

#[cfg(test)]
mod tests;
