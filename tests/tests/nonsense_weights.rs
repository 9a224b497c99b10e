//! Devices that break or talk nonsense mid-trip: the screen says so, no line is lost, and the trip
//! goes on when they work again. The cart runs as on a board, with threads and in real time.

use std::sync::Arc;

use anyhow::Context;
use cart_app::config::Config;
use cart_app::demo::cart_config;
use cart_app::startup;
use cart_app::wiring::{self, RunningCart};
use cart_core::view::{Banner, Screen};
use cart_core::{Device, Input, Intent, View};
use cart_vision::{Scan, Symbology};
use hal::sim::{Fault, ItemHandle, SimBattery, SimCamera, SimItem, SimMotion, SimScale, World};
use hal::{CameraId, Clock, Devices, Moment, RealClock};
use tempfile::TempDir;
use tests::check;
use tests::place::Folders;
use tests::process::{assets, wait_for};
use tests::script::PACKS;
use trip::gs1::{Item, Scanned};
use trip::{Catalogue, Sku, TripState};

struct Cart {
    running: RunningCart,
    world: World,
    clock: Arc<dyn Clock>,
    catalogue: Arc<Catalogue>,
    folders: Folders,
    next: usize,
    _folder: TempDir,
}

impl Cart {
    /// A cart whose shopper has begun; no hub is there.
    fn shopping() -> anyhow::Result<Self> {
        let folder = TempDir::new()?;
        let folders = Folders::in_data(folder.path());
        let file = folder.path().join("cart.toml");
        std::fs::write(&file, cart_config(&assets(), &folders.cart, ([127, 0, 0, 1], 9).into()))?;
        let config = Config::load(&file)?;
        let ready = startup::prepare(&config)?;
        let catalogue = ready.catalogue.clone();
        let world = World::new(11);
        let clock: Arc<dyn Clock> = Arc::new(RealClock::with_speed(3.0));
        let devices = Devices {
            cameras: vec![Box::new(SimCamera::new(world.clone(), CameraId(0), clock.clone()))],
            scale: Some(Box::new(SimScale::new(world.clone(), clock.clone()))),
            motion: Some(Box::new(SimMotion::new(world.clone(), clock.clone()))),
            light: None,
            sounder: None,
            battery: Some(Box::new(SimBattery::new(world.clone(), clock.clone()))),
            lane_beacon: None,
        };
        let running = wiring::start(&config, ready, devices, Vec::new(), None, None, &clock)?;
        let cart = Self { running, world, clock, catalogue, folders, next: 0, _folder: folder };
        cart.until("the welcome screen", |view| view.screen == Screen::Welcome)?;
        cart.running.touch(Intent::Start);
        cart.until("the basket", |view| view.screen == Screen::Basket)?;
        Ok(cart)
    }

    fn view(&self) -> Arc<View> {
        self.running.views.borrow().clone()
    }

    fn until(&self, name: &str, holds: impl Fn(&View) -> bool) -> anyhow::Result<()> {
        wait_for(name, || {
            anyhow::ensure!(self.running.runs(), "the cart has stopped");
            Ok(holds(&self.view()).then_some(()))
        })
        .with_context(|| format!("{:?}", self.view()))
    }

    /// Shows the next pack's code and puts the pack in; says when it will lie still.
    fn put_next(&mut self) -> anyhow::Result<Moment> {
        let sku = Sku::new(PACKS[self.next % PACKS.len()])?;
        self.next += 1;
        let product = self.catalogue.get(&sku).context("a pack")?;
        let gtin = *product.gtins.first().context("its code")?;
        let content =
            Scanned::Item(Item { gtin, net_weight: None, price: None, batch: None, expiry: None, serial: None });
        let at = self.clock.now();
        let scan = Scan { at, camera: CameraId(0), symbology: Symbology::Ean13, content, frames: 3 };
        self.running.inputs().send(Input::Scan(scan)).ok().context("the cart has stopped")?;
        let weight = product.weight.context("its weight")?;
        Ok(self.world.put(&SimItem::new(weight.0 as f32, Vec::new()), at).1)
    }

    /// Puts the next pack in; its line comes up.
    fn put_until_shown(&mut self) -> anyhow::Result<()> {
        self.put_next()?;
        let pieces = self.next as u32;
        self.until("the next line", |view| view.items == pieces && view.holds.is_empty())
    }

    fn put_weight(&self, grams: f32) -> ItemHandle {
        self.world.put(&SimItem::new(grams, Vec::new()), self.clock.now()).0
    }

    /// Ends the cart: what was shown is in the journal.
    fn end(self) -> anyhow::Result<()> {
        let view = self.view();
        self.running.stop()?;
        let state = TripState::replay(&check::events(&self.folders)?);
        let mut shown: Vec<_> = view.lines.iter().map(|line| (line.line, &line.sku, line.quantity)).collect();
        shown.reverse();
        let kept: Vec<_> = state.basket.lines.iter().map(|line| (line.line, &line.sku, line.quantity)).collect();
        assert_eq!(shown, kept);
        Ok(())
    }
}

/// While `spoil` lasts `banner` is shown and the basket stays as it is; after `mend` shopping goes on.
fn check_fault<T>(
    cart: &mut Cart,
    banner: &Banner,
    spoil: impl FnOnce(&Cart) -> T,
    mend: impl FnOnce(&Cart, T),
) -> anyhow::Result<()> {
    cart.put_until_shown()?;
    let before = cart.view();
    let spoilt = spoil(cart);
    cart.until(&format!("{banner:?}"), |view| view.banner.as_ref() == Some(banner))?;
    let during = cart.view();
    assert_eq!(during.lines.len(), before.lines.len(), "{banner:?}");
    assert_eq!((during.total, during.items), (before.total, before.items), "{banner:?}");
    mend(cart, spoilt);
    cart.until(&format!("the end of {banner:?}"), |view| view.banner.as_ref() != Some(banner))?;
    cart.put_until_shown()
}

fn check_device(cart: &mut Cart, fault: Fault, banner: &Banner) -> anyhow::Result<()> {
    check_fault(cart, banner, |cart| cart.world.inject(fault), |cart, ()| cart.world.mend(fault))
}

#[test]
fn a_scale_that_talks_nonsense_is_said_and_costs_no_line() -> anyhow::Result<()> {
    let mut cart = Cart::shopping()?;
    check_device(&mut cart, Fault::ScaleNotANumber, &Banner::DeviceOut(Device::Scale))?;
    check_device(&mut cart, Fault::ScaleJumps, &Banner::Unsteady)?;
    let mend = |cart: &Cart, stone| {
        cart.world.take(stone, cart.clock.now());
    };
    check_fault(&mut cart, &Banner::Overloaded, |cart| cart.put_weight(90_000.0), mend)?;
    cart.end()
}

#[test]
fn a_device_that_is_dead_is_said_and_costs_no_line() -> anyhow::Result<()> {
    let mut cart = Cart::shopping()?;
    check_device(&mut cart, Fault::ScaleDead, &Banner::DeviceOut(Device::Scale))?;
    check_device(&mut cart, Fault::CameraDead(0), &Banner::DeviceOut(Device::Camera(0)))?;
    cart.end()
}

#[test]
fn a_code_is_taken_while_the_scale_is_out_and_counts_once() -> anyhow::Result<()> {
    let mut cart = Cart::shopping()?;
    cart.put_until_shown()?;
    cart.world.inject(Fault::ScaleDead);
    cart.until("the banner", |view| view.banner == Some(Banner::DeviceOut(Device::Scale)))?;
    let lies_still = cart.put_next()?;
    // Nothing can be felt: the shopper says that it is in, once it is.
    cart.clock.sleep_until(lies_still);
    cart.until("the question", |view| view.ask.is_some())?;
    let ask = cart.view().ask.clone().context("a question")?;
    let sku = ask.tiles.first().context("its product")?.sku.clone();
    cart.running.touch(Intent::Answer { hold: ask.hold, sku });
    cart.until("its line", |view| view.items == 2 && view.holds.is_empty())?;
    cart.world.mend(Fault::ScaleDead);
    cart.until("the scale", |view| view.banner != Some(Banner::DeviceOut(Device::Scale)))?;
    // It weighs what lies there anew; a thing put in before it has would be asked about.
    cart.clock.sleep_until(cart.clock.now() + std::time::Duration::from_secs(4));
    cart.put_until_shown()?;
    cart.end()
}
