//! A cart that is pushed from trip to trip by a simulated shopper; whenever its program ends in mid-trip it is
//! started again, and the same things lie in its basket.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, ensure};
use cart_app::demo::script::{Script, Step};
use cart_app::demo::stage::Stage;
use trip::Phase;

use super::plan::LANES;
use super::store::{Shop, cart_name};
use crate::process::{Running, assets, command};
use crate::remains;
use crate::script::{PACKS, some_packs};

/// After a cart that ended by itself: a person has to see it and switch it on.
const SWITCHED_ON_AFTER: Duration = Duration::from_millis(500);
/// A trip does not need more starts than this, however bad things are.
const MOST_STARTS: u32 = 60;

/// What was done.
#[derive(Clone, Copy, Debug, Default)]
pub struct Done {
    /// Trips that were paid and ended.
    pub trips: u32,
    /// Starts in the middle of a trip.
    pub resumed: u32,
    /// Lines that had been shown when the program ended, and were in the journal.
    pub lines_kept: u32,
}

#[derive(Default)]
struct Shared {
    running: Mutex<Option<Running>>,
    not_before: Mutex<Option<Instant>>,
    mood: Mutex<String>,
    trouble: Mutex<Option<String>>,
    last_trip: AtomicBool,
}

/// The cart and its shopper.
pub struct Trolley {
    shared: Arc<Shared>,
    pushed: JoinHandle<anyhow::Result<Done>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Trolley {
    /// Begins to shop.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub fn roll(shop: &Shop, n: usize, seed: u64) -> anyhow::Result<Self> {
        let shared = Arc::<Shared>::default();
        let pusher = Pusher {
            name: cart_name(n),
            config: shop.cart_config(n),
            cart: shop.cart_folder(n),
            folder: shop.folder().into(),
            receipt_key: shop.hub_folder().join("receipt-key.pub"),
            controls: shop.controls.clone(),
            dice: fastrand::Rng::with_seed(seed.wrapping_mul(31).wrapping_add(n as u64)),
            shared: shared.clone(),
            done: Done::default(),
        };
        let in_trouble = shared.clone();
        let push = move || {
            let pushed = pusher.push();
            if let Err(why) = &pushed {
                *lock(&in_trouble.trouble) = Some(format!("{why:#}"));
            }
            pushed
        };
        Ok(Self { shared, pushed: std::thread::Builder::new().name(cart_name(n)).spawn(push)? })
    }

    /// Loses its power, and has it again after so long.
    pub fn kill(&self, down: Duration) {
        *lock(&self.shared.not_before) = Some(Instant::now() + down);
        // Dropped, it is killed.
        drop(lock(&self.shared.running).take());
    }

    /// Its process, while it runs.
    pub fn id(&self) -> Option<u32> {
        lock(&self.shared.running).as_ref().map(Running::id)
    }

    /// After the running trip no other is begun.
    pub fn last_trip(&self) {
        self.shared.last_trip.store(true, Ordering::SeqCst);
    }

    /// True when no trip is on any more.
    pub fn is_done(&self) -> bool {
        self.pushed.is_finished()
    }

    /// What went wrong for good.
    pub fn trouble(&self) -> Option<String> {
        lock(&self.shared.trouble).clone()
    }

    /// What it is at, for people.
    pub fn mood(&self) -> String {
        lock(&self.shared.mood).clone()
    }

    /// What was done.
    ///
    /// # Errors
    /// When a trip did not end, or a shown line was lost.
    pub fn end(self) -> anyhow::Result<Done> {
        self.pushed.join().map_err(|_| anyhow!("a shopper\'s thread panicked"))?
    }
}

struct Pusher {
    name: String,
    config: PathBuf,
    cart: PathBuf,
    folder: PathBuf,
    receipt_key: PathBuf,
    controls: Vec<std::net::SocketAddr>,
    dice: fastrand::Rng,
    shared: Arc<Shared>,
    done: Done,
}

impl Pusher {
    fn push(mut self) -> anyhow::Result<Done> {
        while !self.shared.last_trip.load(Ordering::SeqCst) {
            self.trip().with_context(|| format!("{}, trip {}", self.name, self.done.trips + 1))?;
            self.done.trips += 1;
        }
        Ok(self.done)
    }

    fn basket(&self) -> PathBuf {
        self.cart.join("simulated-basket.json")
    }

    fn trip(&mut self) -> anyhow::Result<()> {
        let lane = self.dice.usize(0..LANES);
        let packs: Vec<&str> = (0..self.dice.usize(1..4)).map(|_| PACKS[self.dice.usize(0..PACKS.len())]).collect();
        let path = self.folder.join(format!("{}-trip.toml", self.name));
        std::fs::write(&path, some_packs(self.dice.u32(..), &packs, &(lane + 1).to_string()))?;
        let script = Script::load(&path)?;
        // An empty basket.
        if self.basket().exists() {
            std::fs::remove_file(self.basket())?;
        }
        for starts in 0..MOST_STARTS {
            let mut cart = command("cart")?;
            cart.args(["play", "--headless", "--config"]).arg(&self.config).arg("--trip").arg(&path);
            cart.arg("--terminal-control").arg(self.controls[lane].to_string());
            cart.arg("--receipt-key").arg(&self.receipt_key);
            cart.arg("--pictures").arg(assets().join("store/pictures.toml"));
            cart.arg("--out").arg(self.folder.join(format!("{}-pictures", self.name)));
            // Also at first: what was enrolled for an earlier trip is used again.
            cart.arg("--resume");
            self.done.resumed += u32::from(starts > 0);
            self.wait_for_power();
            let log = self.folder.join("logs").join(format!("{}.log", self.name));
            *lock(&self.shared.running) = Some(Running::start_and_log(cart, &log)?.0);
            let by_itself = self.until_it_ends(starts, &script)?;
            let done = Stage::remembered(&self.basket())?.done;
            self.shown_is_kept(&script, done)?;
            if done >= script.step.len() {
                return Ok(());
            }
            if by_itself {
                std::thread::sleep(SWITCHED_ON_AFTER);
            }
        }
        Err(anyhow!(
            "it did not end in {MOST_STARTS} starts; its log is {}/logs/{}.log",
            self.folder.display(),
            self.name
        ))
    }

    fn wait_for_power(&self) {
        while lock(&self.shared.not_before).is_some_and(|then| then > Instant::now()) {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// True when nobody killed it.
    fn until_it_ends(&self, starts: u32, script: &Script) -> anyhow::Result<bool> {
        loop {
            std::thread::sleep(Duration::from_millis(30));
            let done = Stage::remembered(&self.basket()).map(|basket| basket.done).unwrap_or(0);
            *lock(&self.shared.mood) =
                format!("{}: step {done} of {}, start {}", self.name, script.step.len(), starts + 1);
            let mut running = lock(&self.shared.running);
            let Some(cart) = running.as_mut() else { return Ok(false) };
            if !cart.runs()? {
                *running = None;
                return Ok(true);
            }
        }
    }

    /// What the shopper has seen on the screen is in the journal.
    fn shown_is_kept(&mut self, script: &Script, done: usize) -> anyhow::Result<()> {
        if !self.cart.join("journal.sqlite").exists() {
            return Ok(());
        }
        let state = remains::cart(&self.cart)?.state;
        if state.phase == Phase::Idle {
            return Ok(());
        }
        let mut kept: Vec<_> = state.basket.lines.iter().map(|line| line.sku.clone()).collect();
        for step in &script.step[..done.min(script.step.len())] {
            let Step::Put { sku, .. } = step else { continue };
            let at = kept.iter().position(|kept| kept == sku);
            ensure!(at.is_some(), "{sku} was shown as added, and is not in the journal: {:?}", state.basket);
            at.map(|at| kept.swap_remove(at));
            self.done.lines_kept += 1;
        }
        Ok(())
    }
}
