//! A shopper: puts things in and takes them out, answers what is asked, and pays; by what the screen shows
//! and what is in their hands, and by nothing else.

use std::collections::BTreeSet;

use cart_core::view::{AskView, Banner, PayBlocked, PayStep, Screen, WaitsFor};
use cart_core::{Input, Intent, View};
use cart_vision::{Candidate, Scan, Sighting, Symbology};
use hal::{CameraId, Moment};
use trip::basket::HoldReason;
use trip::gs1::{Item, Scanned};
use trip::{Gtin, HoldId, Sku};

use crate::Ms;
use crate::chance::Chance;
use crate::goods::{self, GOODS, Good};
use crate::world::World;

/// A shopper and what they mean to do.
#[derive(Debug)]
pub struct Shopper {
    chance: Chance,
    /// Trips still to be made.
    trips: u32,
    /// Things still to be put in on this trip.
    wanted: u32,
    /// What lies in the cart, as the shopper knows.
    inside: Vec<Good>,
    /// What was put in last: what a question is about.
    last: Option<Good>,
    /// Questions whose thing is in the shopper's hand again.
    lifted: BTreeSet<HoldId>,
    /// How often in a row nothing could be done.
    stuck: u32,
    begun: bool,
    /// How often the lane could not take the basket.
    refused: u32,
    mood: &'static str,
    track: u32,
}

/// What the shopper does next.
#[derive(Debug)]
enum Deed {
    Nothing,
    Tap(Intent),
    /// Shows a code to the camera, and puts the thing in.
    Scan(Good),
    /// Puts a thing in that the camera knows.
    Show(Good),
    /// Puts a thing in that nobody saw.
    Drop(Good),
    /// Shows a code and keeps the thing.
    ScanOnly(Good),
    /// Takes a thing out.
    Lift(usize),
    /// Takes out what is held, so many grams.
    LiftHeld(i32),
    /// Comes to a lane, or leaves it.
    Lane(Option<usize>),
}

impl Shopper {
    /// The shopper of a cart.
    pub fn new(seed: u64, cart: usize) -> Self {
        let mut chance = Chance::of(seed, &format!("shopper {cart}"));
        let trips = 1 + u32::from(chance.percent(35));
        Self {
            chance,
            trips,
            wanted: 0,
            inside: Vec::new(),
            last: None,
            lifted: BTreeSet::new(),
            stuck: 0,
            begun: false,
            refused: 0,
            mood: "has not begun",
            track: 0,
        }
    }

    /// True when they have gone.
    pub fn is_done(&self) -> bool {
        self.trips == 0
    }

    /// What they are at, for people.
    pub fn mood(&self) -> &'static str {
        self.mood
    }

    fn decide(&mut self, view: &View, lanes: usize) -> Deed {
        if self.trips == 0 {
            return Deed::Nothing;
        }
        match &view.screen {
            Screen::Welcome if self.begun => {
                // The trip is over; what it left on the scale goes home.
                (self.begun, self.trips) = (false, self.trips - 1);
                self.mood = "goes home";
                Deed::LiftHeld(i32::MAX)
            }
            Screen::Welcome if self.trips > 0 => Deed::Tap(Intent::Begin),
            Screen::Start(_) => {
                (self.begun, self.stuck, self.refused) = (true, 0, 0);
                self.wanted = 1 + self.chance.within(0..5) as u32;
                self.inside.clear();
                self.lifted.clear();
                self.mood = "starts";
                Deed::Tap(Intent::Start)
            }
            Screen::Pay(pay) => self.pay(pay.step, lanes),
            Screen::Receipt(receipt) if receipt.qr.is_some() => {
                self.mood = "has the receipt";
                Deed::Tap(Intent::Finish)
            }
            Screen::Basket | Screen::Search(_) | Screen::Weigh(_) | Screen::List(_) | Screen::Item(_) => {
                // A cart that starts again in mid-trip was begun.
                self.begun = true;
                self.shop(view, lanes)
            }
            _ => Deed::Nothing,
        }
    }

    fn pay(&mut self, step: PayStep, lanes: usize) -> Deed {
        self.mood = "pays";
        match step {
            PayStep::Declined if self.chance.percent(60) => Deed::Tap(Intent::GoToLane),
            PayStep::Declined => Deed::Tap(Intent::BackToShopping),
            PayStep::Preparing | PayStep::Tap if self.chance.percent(6) => Deed::Tap(Intent::BackToShopping),
            PayStep::Preparing | PayStep::Tap if self.chance.percent(2) => Deed::Lane(Some(self.chance.index(lanes))),
            _ => Deed::Nothing,
        }
    }

    fn shop(&mut self, view: &View, lanes: usize) -> Deed {
        if let Some(ask) = &view.ask {
            return self.answer(ask);
        }
        if let Some(hold) = view.holds.first() {
            return Deed::Tap(Intent::AskAbout { hold: hold.hold });
        }
        if self.wanted > 0 {
            self.mood = "shops";
            self.stuck = 0;
            return self.take_something();
        }
        match view.pay_blocked {
            None => {
                self.refused += u32::from(view.notices.contains(&Banner::LaneRefused));
                if self.refused > 6 {
                    // It asks for a person who looks at the cart: nothing else can be done here.
                    self.trips = 0;
                    self.mood = "has left the cart to staff";
                    return Deed::Nothing;
                }
                self.mood = "goes to the lane";
                self.stuck = 0;
                Deed::Tap(Intent::GoToLane)
            }
            Some(PayBlocked::Empty) => {
                self.wanted = 1;
                Deed::Nothing
            }
            Some(PayBlocked::NoLane) => Deed::Lane(Some(self.chance.index(lanes))),
            Some(_) => self.wait_or_call("waits before the lane"),
        }
    }

    fn take_something(&mut self) -> Deed {
        let good = GOODS[self.chance.index(GOODS.len())];
        let kind = self.chance.within(0..100);
        if kind < 12 && !self.inside.is_empty() {
            return Deed::Lift(self.chance.index(self.inside.len()));
        }
        if kind < 15 {
            return Deed::Tap(Intent::CallHelp);
        }
        self.wanted -= 1;
        match good.gtin {
            Some(_) if kind < 19 => Deed::ScanOnly(good),
            Some(_) if kind < 70 => Deed::Scan(good),
            _ if kind < 90 => Deed::Show(good),
            _ => Deed::Drop(good),
        }
    }

    fn wait_or_call(&mut self, mood: &'static str) -> Deed {
        self.mood = mood;
        self.stuck += 1;
        if self.stuck % 16 == 12 { Deed::Tap(Intent::CallHelp) } else { Deed::Nothing }
    }

    fn answer(&mut self, ask: &AskView) -> Deed {
        let hold = ask.hold;
        if self.stuck > 10 {
            return self.wait_or_call("does not get on with a question");
        }
        self.stuck += 1;
        self.mood = "answers";
        match (ask.waits_for, ask.reason) {
            (WaitsFor::Removal, _) if ask.weight.0 > 0 && self.lifted.insert(hold) => Deed::LiftHeld(ask.weight.0),
            (WaitsFor::Removal | WaitsFor::Code, _) => self.wait_or_call("waits for a question to end"),
            (WaitsFor::Answer, HoldReason::Swapped) => Deed::Tap(Intent::NothingChanged { hold }),
            (WaitsFor::Answer, HoldReason::NeverPutIn) => Deed::Tap(Intent::TakeOut { hold }),
            (WaitsFor::Answer, _) if ask.weight.0 < 0 => {
                let line = ask.tiles.first().and_then(|tile| tile.line);
                line.map_or_else(
                    || self.wait_or_call("took something out"),
                    |line| Deed::Tap(Intent::AnswerLine { hold, line }),
                )
            }
            (WaitsFor::Answer, _) => match self.last.filter(|_| self.chance.percent(60)) {
                Some(good) if good.sku == "wine" => Deed::Tap(Intent::TakeOut { hold }),
                Some(good) => Deed::Tap(Intent::Answer { hold, sku: sku(good.sku) }),
                None => Deed::Tap(Intent::TakeOut { hold }),
            },
        }
    }
}

fn sku(name: &str) -> Sku {
    Sku::new(name).unwrap_or_else(|e| unreachable!("{e}"))
}

fn scan(good: Good, at: Moment) -> Option<Input> {
    let gtin = Gtin::parse(good.gtin?).unwrap_or_else(|e| unreachable!("{e}"));
    let content = Scanned::Item(Item { gtin, net_weight: None, price: None, batch: None, expiry: None, serial: None });
    Some(Input::Scan(Scan { at, camera: CameraId(0), symbology: Symbology::Ean13, content, frames: 3 }))
}

fn sighting(good: Good, track: u32, at: Moment) -> Input {
    Input::Sighting(Sighting {
        at,
        camera: CameraId(0),
        track,
        bbox_in_frame: Default::default(),
        hands: 1,
        candidates: vec![Candidate { sku: sku(good.sku), probability: 0.985 }],
        unknown: 0.01,
        change: None,
        thumbnail: None,
    })
}

impl World {
    /// The shopper of a cart does something; after how long they look again.
    pub(crate) fn shop(&mut self, cart: usize) -> Ms {
        let lanes = self.plan.lanes;
        let Some(view) = self.carts[cart].view().cloned() else { return 1_000 };
        let shopper = &mut self.shoppers[cart];
        let deed = shopper.decide(&view, lanes);
        let pause = 600 + shopper.chance.within(0..2_400);
        if !matches!(deed, Deed::Nothing) {
            self.say(|| format!("shopper {}: {deed:?}", cart + 1));
        }
        let now = self.now;
        let at = self.carts[cart].moment(now);
        self.shoppers[cart].track += 1;
        let track = self.shoppers[cart].track;
        let mut inputs = Vec::new();
        let mut load = 0;
        match deed {
            Deed::Nothing => {}
            Deed::Tap(intent) => inputs.push(Input::Intent(intent)),
            Deed::Scan(good) => {
                inputs.extend(scan(good, at));
                load = self.shoppers[cart].hold(good);
            }
            Deed::Show(good) => {
                inputs.push(sighting(good, track, at));
                load = self.shoppers[cart].hold(good);
            }
            Deed::Drop(good) => load = self.shoppers[cart].hold(good),
            Deed::ScanOnly(good) => inputs.extend(scan(good, at)),
            Deed::Lift(n) => load = -self.shoppers[cart].inside.swap_remove(n).grams.min(self.carts[cart].load_g),
            Deed::LiftHeld(grams) => load = -grams.min(self.carts[cart].load_g),
            Deed::Lane(number) => {
                let lane = number.map(goods::lane);
                self.carts[cart].lane.clone_from(&lane);
                inputs.push(Input::Lane(lane));
            }
        }
        for input in inputs {
            let step = self.carts[cart].input(input, now);
            self.cart_stepped(cart, step);
        }
        if load != 0 {
            self.carts[cart].put(load, now);
            return pause + 2_000;
        }
        pause
    }
}

impl Shopper {
    /// A thing goes in; its grams.
    fn hold(&mut self, good: Good) -> i32 {
        self.inside.push(good);
        self.last = Some(good);
        good.grams
    }
}
