//! Ten taps a second anywhere, a palm on the glass, sweeps: nothing breaks, what is shown is in the journal,
//! and nothing is charged that was not paid for with a card.
//!
//! The cart runs as on a board, with its store; its screen is the real one, drawn in memory, and fingers
//! come to it as a window system's events. Where they go is drawn from a seed.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use cart_app::config::Config;
use cart_app::demo::servers;
use cart_app::startup;
use cart_app::ui::HeadlessScreen;
use cart_app::wiring::{self, RunningCart};
use cart_core::view::{PayStep, Screen};
use cart_core::{Input, Intent, View};
use cart_vision::{Scan, Symbology};
use hal::sim::{SimBattery, SimItem, SimScale, World};
use hal::{CameraId, Clock, Devices, RealClock};
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition};
use tests::check;
use tests::place::Place;
use tests::process::wait_for;
use tests::script::{PACKS, packs};
use trip::gs1::{Item, Scanned};
use trip::{Catalogue, LaneId, Sku, TripState};

/// Ten a second.
const BETWEEN_MS: u64 = 100;
const SIZE: (f32, f32) = (1280.0, 800.0);

/// A small generator of its own, so that a seed means the same everywhere.
struct Dice(u64);

impl Dice {
    /// From 0, below `limit`.
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// Anywhere on the glass, its edges and a little beside it included.
    fn place(&mut self) -> LogicalPosition {
        let along = |dice: &mut Self, length: f32| dice.below(1_040) as f32 / 1_000.0 * length - length * 0.02;
        LogicalPosition::new(along(self, SIZE.0), along(self, SIZE.1))
    }
}

struct Bench {
    place: Place,
    cart: RunningCart,
    world: World,
    clock: Arc<dyn Clock>,
    catalogue: Arc<Catalogue>,
    screen: HeadlessScreen,
}

impl Bench {
    /// A store, a cart in it whose shopper has begun, and its screen.
    fn shopping() -> anyhow::Result<Self> {
        let place = Place::new(&packs())?;
        let config = Config::load(place.config())?;
        let ready = startup::prepare(&config)?;
        let catalogue = ready.catalogue.clone();
        let world = World::new(23);
        let clock: Arc<dyn Clock> = Arc::new(RealClock::with_speed(3.0));
        let devices = Devices {
            cameras: Vec::new(),
            scale: Some(Box::new(SimScale::new(world.clone(), clock.clone()))),
            motion: None,
            light: None,
            sounder: None,
            battery: Some(Box::new(SimBattery::new(world.clone(), clock.clone()))),
            lane_beacon: None,
        };
        let cart = wiring::start(&config, ready, devices, Vec::new(), None, None, &clock)?;
        let screen = HeadlessScreen::new(SIZE.0 as u32, SIZE.1 as u32)?;
        let inputs = cart.inputs();
        // A cart that has ended takes no touch; the test sees that it has.
        screen.on_intent(move |intent| drop(inputs.send(Input::Intent(intent))));
        let bench = Self { place, cart, world, clock, catalogue, screen };
        bench.until("the line", |view| view.connected)?;
        bench.cart.touch(Intent::Start);
        bench.until("the basket", |view| view.screen == Screen::Basket)?;
        Ok(bench)
    }

    fn view(&self) -> Arc<View> {
        self.cart.views.borrow().clone()
    }

    fn until(&self, name: &str, holds: impl Fn(&View) -> bool) -> anyhow::Result<()> {
        wait_for(name, || {
            anyhow::ensure!(self.cart.runs(), "the cart has stopped");
            Ok(holds(&self.view()).then_some(()))
        })
        .with_context(|| format!("{:?}", self.view()))
    }

    fn tell(&self, input: Input) -> anyhow::Result<()> {
        self.cart.inputs().send(input).ok().context("the cart has stopped")
    }

    /// Shows a pack's code and puts it in.
    fn put(&self, pack: &str) -> anyhow::Result<()> {
        let product = self.catalogue.get(&Sku::new(pack)?).context("a pack")?;
        let gtin = *product.gtins.first().context("its code")?;
        let content =
            Scanned::Item(Item { gtin, net_weight: None, price: None, batch: None, expiry: None, serial: None });
        let at = self.clock.now();
        self.tell(Input::Scan(Scan { at, camera: CameraId(0), symbology: Symbology::Ean13, content, frames: 3 }))?;
        let weight = product.weight.context("its weight")?;
        self.world.put(&SimItem::new(weight.0 as f32, Vec::new()), at);
        Ok(())
    }

    fn event(&self, event: WindowEvent) {
        self.screen.screen().window().window().dispatch_event(event);
    }

    /// One thing that hands do to a screen.
    fn touch(&self, dice: &mut Dice) {
        let button = PointerEventButton::Left;
        let position = dice.place();
        match dice.below(10) {
            // A palm: down in several places without a lift, then away.
            0 => {
                for _ in 0..5 {
                    let position = dice.place();
                    self.event(WindowEvent::PointerMoved { position });
                    self.event(WindowEvent::PointerPressed { position, button });
                }
                self.event(WindowEvent::PointerReleased { position, button });
            }
            // A sweep from one side to the other.
            1 => {
                let to = dice.place();
                self.event(WindowEvent::PointerPressed { position, button });
                for step in 1..=8 {
                    let part = |a: f32, b: f32| a + (b - a) * step as f32 / 8.0;
                    let position = LogicalPosition::new(part(position.x, to.x), part(position.y, to.y));
                    self.event(WindowEvent::PointerMoved { position });
                }
                self.event(WindowEvent::PointerReleased { position: to, button });
            }
            // Lifted where nothing was pressed.
            2 => self.event(WindowEvent::PointerReleased { position, button }),
            _ => {
                self.event(WindowEvent::PointerMoved { position });
                self.event(WindowEvent::PointerPressed { position, button });
                self.screen.advance(20);
                self.event(WindowEvent::PointerReleased { position, button });
            }
        }
        self.event(WindowEvent::PointerExited);
    }

    /// So many touches, ten a second of the screen's own time; the screen follows the cart meanwhile.
    fn frenzy(&self, dice: &mut Dice, touches: usize) -> anyhow::Result<()> {
        for n in 0..touches {
            anyhow::ensure!(self.cart.runs(), "the cart has stopped at touch {n}");
            self.touch(dice);
            self.screen.advance(BETWEEN_MS);
            self.screen.apply(&self.view());
            // The cart's own threads want the processor as well.
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(())
    }

    /// Goes on as a shopper who wants to pay: back from where the hands went, and to the lane when the way is free.
    /// A touch that comes just before the scale moves is refused, so it is done again.
    fn come_to_the_reader(&self) -> anyhow::Result<()> {
        for _ in 0..100 {
            anyhow::ensure!(self.cart.runs(), "the cart has stopped");
            let view = self.view();
            match &view.screen {
                Screen::Pay(pay) if pay.step == PayStep::Tap => return Ok(()),
                Screen::Basket if view.pay_blocked.is_none() => self.cart.touch(Intent::GoToLane),
                Screen::Search(_) | Screen::Weigh(_) | Screen::Item(_) | Screen::Product(_) | Screen::Offers(_) => {
                    self.cart.touch(Intent::Back)
                }
                _ => {}
            }
            std::thread::sleep(Duration::from_millis(200));
        }
        anyhow::bail!("waited in vain for the reader: {:?}", self.view())
    }

    fn control(&self) -> SocketAddr {
        self.place.store.addresses.terminal_control
    }

    /// What the terminal has taken in all, in minor units.
    fn charged(&self) -> anyhow::Result<i64> {
        servers::charged(self.control())
    }

    /// Ends the cart: what was shown is in the journal, and whatever was charged is its trip's.
    fn end(self) -> anyhow::Result<()> {
        let view = self.view();
        self.cart.stop()?;
        let folders = &self.place.folders;
        let state = TripState::replay(&check::events(folders)?);
        if matches!(view.screen, Screen::Basket) {
            let mut shown: Vec<_> = view.lines.iter().map(|line| (line.line, &line.sku, line.quantity)).collect();
            shown.reverse();
            let kept: Vec<_> = state.basket.lines.iter().map(|line| (line.line, &line.sku, line.quantity)).collect();
            assert_eq!(shown, kept);
        }
        check::money(folders)
    }
}

#[test]
fn nothing_is_charged_by_hands_that_go_anywhere() -> anyhow::Result<()> {
    let bench = Bench::shopping()?;
    for seed in 1..=4 {
        let mut dice = Dice(seed);
        eprintln!("seed {seed}");
        // The hands may have ended an empty trip, and may well have begun another.
        if bench.view().screen == Screen::Welcome {
            bench.cart.touch(Intent::Start);
        }
        bench.tell(Input::Lane(None))?;
        bench.put(PACKS[seed as usize % PACKS.len()])?;
        bench.frenzy(&mut dice, 60)?;
        bench.tell(Input::Lane(Some(LaneId::new("1")?)))?;
        bench.frenzy(&mut dice, 90)?;
    }
    assert_eq!(bench.charged()?, 0, "no card was ever held to the terminal");
    bench.end()
}

#[test]
fn a_card_held_out_amid_a_frenzy_pays_once_and_what_was_shown() -> anyhow::Result<()> {
    let bench = Bench::shopping()?;
    bench.put(PACKS[0])?;
    bench.until("its line", |view| view.items == 1 && view.holds.is_empty())?;
    let total = bench.view().total;
    bench.tell(Input::Lane(Some(LaneId::new("1")?)))?;
    bench.come_to_the_reader()?;
    let mut dice = Dice(77);
    bench.frenzy(&mut dice, 30)?;
    // Whatever the hands did, who comes back to the reader pays what is shown there.
    bench.come_to_the_reader()?;
    servers::tap_card(bench.control())?;
    bench.frenzy(&mut dice, 60)?;
    let paid = |view: &View| {
        matches!(&view.screen, Screen::Receipt(_) | Screen::Goodbye | Screen::Welcome)
            || matches!(&view.screen, Screen::Pay(pay) if pay.step == PayStep::Approved)
            || matches!(&view.screen, Screen::Basket if view.lines.is_empty())
    };
    let declined = |view: &View| matches!(&view.screen, Screen::Basket) && !view.lines.is_empty();
    bench.until("an end of it", |view| paid(view) || declined(view))?;
    let charged = bench.charged()?;
    assert!(charged == total.minor || charged == 0, "{charged} of {total}");
    bench.end()
}
