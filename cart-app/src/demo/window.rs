//! The demo's window, at human speed, on a display or in a browser. A person may take over at any time.
//!
//! The two differ in which of Slint's platforms runs the window, and in nothing else.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use cart_core::Input;
use hal::sim::{SimBattery, SimCamera, SimLaneBeacon, SimLight, SimMotion, SimScale, SimSounder, World};
use hal::{CameraId, Clock, Devices, RealClock};
use slint::ComponentHandle;
use tracing::warn;
use trip::{Catalogue, Sku};

use super::goods::Goods;
use super::headless::{enrolled_sight, newest_receipt, pictures, verify};
use super::script::Script;
use super::shopper::{Act, Pace, Shopper};
use super::stage::{Remembered, Stage};
use super::{PlayOptions, servers};
use crate::config::Config;
use crate::run::open_desk;
use crate::ui::{DemoWindow, Screen, ShopAction, ShopPanel};
use crate::web_screen::{Rights, WebScreen};
use crate::wiring::{self, RunningCart};
use crate::{signal, startup};

/// How often the shopper looks at the screen.
const GLANCE: Duration = Duration::from_millis(60);
/// The window's size in the browser: the cart's screen, and the shop beside it.
const SIZE: (u32, u32) = (1600, 800);
/// The lane of the demo store.
const LANE: &str = "1";

// A mutex, because the script's thread and the panel's touches share one pair of hands.
type Hands = Arc<Mutex<Stage>>;

/// Opens the window and plays the trip in it until it is closed.
///
/// # Errors
/// When a part cannot start or the window cannot be opened.
pub fn play(options: &PlayOptions, config: &Config) -> anyhow::Result<()> {
    let stop = signal::watch()?;
    // Before any window is made: it decides what windows are. And before the long work: a port that is
    // taken is said at once.
    let web = options.web.web.then(|| WebScreen::open(SIZE.0, SIZE.1, options.web.port)).transpose()?;
    let script = Script::load(&options.trip)?;
    let ready = startup::prepare(config)?;
    let catalogue = ready.catalogue.clone();
    let goods = Goods::open(&options.pictures, options.photos.as_deref(), script.seed)?;
    println!("Opening sight and enrolling the store's own goods…");
    let sight = enrolled_sight(config, &goods, &catalogue)?;
    let world = World::new(script.seed);
    let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
    let devices = devices(&world, config.board.cameras.len(), &clock);
    let shelf = goods.shelf(&catalogue);
    let portraits = pictures(&goods, &catalogue, &options.out, false)?;
    let world_file = config.data.join("simulated-basket.json");
    let stage = Stage::new(world, goods, catalogue.clone(), world_file, &Default::default())?;
    let hands: Hands = Arc::new(Mutex::new(stage));
    let cart = wiring::start(config, ready, devices, Vec::new(), Some(&sight), None, &clock)?;

    let window =
        DemoWindow::new().context("the window cannot be opened; ./trundle demo --web shows it in a browser")?;
    let panel = Rc::new(ShopPanel::new(&window, portraits.clone()));
    panel.set_shelf(&named(&shelf, &catalogue));
    let screen = Rc::new(Screen::new(window, portraits));
    screen.set_store(&config.screen);
    screen.find_voice();
    let inputs = cart.inputs();
    screen.on_intent(move |intent| drop(inputs.send(Input::Intent(intent))));
    open_desk(&screen, &cart, &clock)?;
    screen.apply(&cart.views.borrow().clone());
    screen.clone().follow(cart.views.clone()).context("screen")?;
    let looks = cart.looks.clone().follow(screen.clone());

    let by_hand = Arc::new(AtomicBool::new(false));
    let hand = ByHand {
        hands: hands.clone(),
        clock: clock.clone(),
        shelf,
        control: options.terminal_control,
        by_hand: by_hand.clone(),
    };
    panel.on_action(move |action| hand.act(action));
    let story = Arc::new(Mutex::new(String::from("The script shops; touch anything here to take over.")));
    let player = Player {
        shopper: Shopper::new(
            script.step,
            Pace { between: Duration::from_millis(1_400), think: Duration::from_millis(1_800) },
            clock.now(),
            &Remembered::default(),
        ),
        hands: hands.clone(),
        clock: clock.clone(),
        by_hand,
        story: story.clone(),
        control: options.terminal_control,
        ended: stop.clone(),
    };
    player.start(&cart)?;

    let timer = slint::Timer::default();
    let views = cart.views.clone();
    timer.start(slint::TimerMode::Repeated, Duration::from_millis(200), move || {
        {
            let stage = hands.lock().unwrap_or_else(PoisonError::into_inner);
            let there: Vec<Sku> = stage.things().map(|t| t.sku.clone()).rev().collect();
            panel.set_in_cart(&named(&there, &catalogue));
        }
        panel.set_lane(views.borrow().lane.as_deref());
        panel.set_story(&story.lock().unwrap_or_else(PoisonError::into_inner));
        if (stop.asked() || views.has_changed().is_err())
            && let Err(why) = slint::quit_event_loop()
        {
            warn!(%why, "the window does not close");
        }
    });
    if let Some(web) = &web {
        tell(web);
    }
    screen.window().run().context("the demo's window")?;
    drop((timer, looks, web));
    cart.stop()?;
    if let Some(receipt) = newest_receipt(&config.data.join("receipts"))? {
        verify(&receipt, &options.receipt_key)?;
        println!(
            "The newest receipt is {}; check it with:\n  ./trundle receipt verify {}",
            receipt.display(),
            receipt.display()
        );
    }
    Ok(())
}

/// Where to look, said once: whoever reads it may touch.
fn tell(web: &WebScreen) {
    let port = web.address().port();
    println!("Open {}", web.url(Rights::Touch));
    println!("  to look only        {}", web.url(Rights::Look));
    println!("  on another machine  first there: ssh -L {port}:127.0.0.1:{port} THIS-MACHINE");
    println!("Ctrl-C ends it.");
}

/// All devices of a simulated cart.
fn devices(world: &World, cameras: usize, clock: &Arc<dyn Clock>) -> Devices {
    let camera = |n: usize| -> Box<dyn hal::Camera> {
        Box::new(SimCamera::new(world.clone(), CameraId(n as u8), clock.clone()))
    };
    Devices {
        cameras: (0..cameras.max(1)).map(camera).collect(),
        scale: Some(Box::new(SimScale::new(world.clone(), clock.clone()))),
        motion: Some(Box::new(SimMotion::new(world.clone(), clock.clone()))),
        light: Some(Box::new(SimLight::new(world.clone()))),
        sounder: Some(Box::new(SimSounder::new(world.clone()))),
        battery: Some(Box::new(SimBattery::new(world.clone(), clock.clone()))),
        lane_beacon: Some(Box::new(SimLaneBeacon::new(world.clone()))),
    }
}

fn named(skus: &[Sku], catalogue: &Catalogue) -> Vec<(Sku, String)> {
    let name = |sku: &Sku| catalogue.get(sku).map_or_else(|| sku.to_string(), |p| p.name.clone());
    skus.iter().map(|sku| (sku.clone(), name(sku))).collect()
}

/// What a person does on the side panel.
struct ByHand {
    hands: Hands,
    clock: Arc<dyn Clock>,
    shelf: Vec<Sku>,
    control: std::net::SocketAddr,
    by_hand: Arc<AtomicBool>,
}

impl ByHand {
    fn act(&self, action: ShopAction) {
        self.by_hand.store(true, Ordering::SeqCst);
        let now = self.clock.now();
        let mut stage = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        match action {
            ShopAction::Put(n) => self.put(&mut stage, n, true, now),
            ShopAction::PutUnread(n) => self.put(&mut stage, n, false, now),
            ShopAction::Take(n) => {
                let newest_first: Vec<Sku> = stage.things().map(|t| t.sku.clone()).rev().collect();
                if let Some(sku) = newest_first.get(n)
                    && let Err(why) = stage.take(sku, now)
                {
                    warn!("{why:#}");
                }
            }
            ShopAction::RollToLane => stage.world.toggle_lane(LANE),
            ShopAction::TapCard => tap(self.control),
            ShopAction::Bump => drop(stage.world.bump(now)),
        }
    }

    fn put(&self, stage: &mut Stage, n: usize, show_code: bool, now: hal::Moment) {
        if let Some(sku) = self.shelf.get(n)
            && let Err(why) = stage.put(sku, None, show_code, now)
        {
            warn!("{why:#}");
        }
    }
}

/// Holds a card to the terminal, without keeping the screen waiting.
fn tap(control: std::net::SocketAddr) {
    let work = move || {
        if let Err(why) = servers::tap_card(control) {
            warn!("{why:#}");
        }
    };
    if let Err(why) = std::thread::Builder::new().name("card".into()).spawn(work) {
        warn!(%why, "card");
    }
}

/// The script's thread.
struct Player {
    shopper: Shopper,
    hands: Hands,
    clock: Arc<dyn Clock>,
    by_hand: Arc<AtomicBool>,
    story: Arc<Mutex<String>>,
    control: std::net::SocketAddr,
    ended: signal::Stop,
}

impl Player {
    fn start(mut self, cart: &RunningCart) -> anyhow::Result<()> {
        let (views, inputs) = (cart.views.clone(), cart.inputs());
        let run = move || {
            while !self.shopper.finished() && !self.ended.asked() && views.has_changed().is_ok() {
                std::thread::sleep(GLANCE);
                if self.by_hand.load(Ordering::SeqCst) {
                    return self.say("You shop now. Put things in, take them out, roll to the lane, tap the card.");
                }
                let view = views.borrow().clone();
                for act in self.shopper.act(&view, self.clock.now()) {
                    self.carry_out(act, &inputs);
                }
            }
            let end =
                self.shopper.trouble.take().unwrap_or_else(|| "The script is done. Now you: put something in.".into());
            self.say(&end);
        };
        std::thread::Builder::new().name("shopper".into()).spawn(run).context("the shopper's thread")?;
        Ok(())
    }

    fn say(&self, what: &str) {
        what.clone_into(&mut self.story.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn carry_out(&mut self, act: Act, inputs: &std::sync::mpsc::SyncSender<Input>) {
        let now = self.clock.now();
        let mut stage = self.hands.lock().unwrap_or_else(PoisonError::into_inner);
        let rests_at = match act {
            Act::Look(_) => None,
            Act::Touch(intent) => {
                drop(inputs.send(Input::Intent(intent)));
                None
            }
            Act::TapCard => {
                tap(self.control);
                None
            }
            Act::RollTo(lane) => {
                stage.world.set_lane(Some(lane));
                None
            }
            Act::Bump => {
                stage.world.bump(now);
                None
            }
            Act::Take(sku) => Some(stage.take(&sku, now)),
            Act::Put { sku, grams, show_code } => Some(stage.put(&sku, grams, show_code, now)),
            Act::PutTwo { skus, show_code } => Some(stage.put_two(&skus, show_code, now)),
        };
        match rests_at {
            Some(Ok(at)) => self.shopper.rests_at(at),
            Some(Err(why)) => self.shopper.trouble = Some(format!("{why:#}")),
            None => {}
        }
    }
}
