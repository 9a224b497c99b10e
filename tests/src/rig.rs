//! The fault rig: a whole store of real processes, and blows against all of them.
//!
//! A broker (mosquitto, or three NATS servers), the hub, two terminals, carts that shop and pay, and a [crowd](crate::crowd) of two hundred that only
//! talks, each on its own line through a [`proxy`] that can break it. A seeded [`plan`] says what strikes next: kills,
//! processes that stand still, cut and stalled and slow and stuttering lines, a full disk, flushes that fail, two hubs at
//! once, terminals that refuse, say nothing, or crash after they took the money. What ends is started again, as a
//! service manager would. In the end everything heals, must come to rest, and the simulator's promises are asked of
//! the databases ([`crate::remains`]).
//!
//! Real processes keep real time: a seed draws the same blows again, but they do not hit at the same instruction. To
//! see one thing again and again there is the simulator.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use simulator::check;
use trip::{Catalogue, StoreId};

use crate::crowd::{self, Crowd};
use crate::process::{assets, wait_for};
use crate::remains;

pub mod blow;
pub mod brokers;
pub mod disk;
pub mod part;
pub mod plan;
pub mod proxy;
pub mod store;
pub mod trolley;

use blow::Striker;
use plan::Plan;
use store::Shop;
use trolley::Trolley;

/// All of it must have come to rest so long after the last blow.
const REST_WITHIN: Duration = Duration::from_secs(300);
/// It says what is waited for so often.
const SAY_EVERY: Duration = Duration::from_secs(10);
/// The crowd writes an event so often.
const CROWD_PERIOD: Duration = Duration::from_millis(50);

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Setup {
    /// For how long blows fall.
    pub time: Duration,
    /// Draws them.
    pub seed: u64,
    /// Over what they speak.
    pub brokers: brokers::Kind,
    /// Carts that shop.
    pub carts: usize,
    /// Carts that only talk.
    pub crowd: usize,
    /// Where everything lies; empty.
    pub folder: PathBuf,
}

/// What was done and seen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Blows, by kind.
    pub blows: BTreeMap<String, u32>,
    /// What became of hubs that another had replaced, which are seconds later no more than silent.
    pub replaced: BTreeMap<String, u32>,
    /// Programs that ended by themselves and were started again, by name.
    pub restarts: BTreeMap<String, u32>,
    /// Trips that were begun, paid and ended.
    pub trips: u32,
    /// Carts that went on with a trip in a new process.
    pub resumed: u32,
    /// Lines that had been shown when a cart ended, and were found in its journal.
    pub lines_kept: u32,
    /// Events of the carts in the hub's database.
    pub events: u64,
    /// Of these, events of the crowd.
    pub crowd_events: u64,
    /// Attempts to be paid.
    pub intents: u32,
    /// Payments that stay taken.
    pub paid: u32,
    /// Their sum, in minor units.
    pub taken_minor: i64,
    /// What could not be struck on this machine, and why.
    pub left_out: Vec<String>,
}

/// Sets up the store, strikes for so long, lets it heal and checks what is left. `say` is told what happens.
///
/// # Errors
/// When a part cannot be started, the store does not come to rest, or a promise is broken.
pub fn run(setup: &Setup, say: &mut dyn FnMut(&str)) -> anyhow::Result<Counts> {
    let catalogue = assets().join("store/catalogue.toml");
    let names = crowd::names(setup.crowd)?;
    let mut shop = Shop::open(&setup.folder, &setup.brokers, setup.carts, &names)?;
    let version = Catalogue::parse(&std::fs::read_to_string(&catalogue)?)?.version;
    let mut crowd = Crowd::join(shop.crowd_line.address, &StoreId::new(store::STORE)?, version, names)?;
    let trolleys: Vec<Trolley> =
        (0..setup.carts).map(|n| Trolley::roll(&shop, n, setup.seed)).collect::<anyhow::Result<_>>()?;

    // Each looks at its goods once, which takes seconds; under blows from the start none would ever get through.
    let looked = |n: usize| shop.cart_folder(n).join("simulated-sight.gallery").exists();
    wait_for("carts that know their goods", || Ok((0..setup.carts).all(looked).then_some(())))?;

    let mut striker = Striker::new(&setup.folder);
    let mut plan = Plan::new(setup.seed, setup.carts, shop.brokers.parts.len());
    let began = Instant::now();
    let mut next = plan.pause();
    let mut written = 0_u32;
    while began.elapsed() < setup.time {
        std::thread::sleep(Duration::from_millis(20));
        while CROWD_PERIOD * written < began.elapsed() && !crowd.is_empty() {
            crowd.write(written as usize % crowd.len())?;
            written += 1;
        }
        shop.keep_up(say)?;
        striker.heal_due(&mut shop, &trolleys)?;
        if began.elapsed() >= next {
            next = began.elapsed() + plan.pause();
            let blow = plan.blow();
            if striker.strike(&mut shop, &trolleys, blow)? {
                say(&format!("{:>6.1} s  {blow}", began.elapsed().as_secs_f64()));
            }
        }
        no_trouble(&trolleys)?;
    }

    say(&format!("{:>6.1} s  everything heals", began.elapsed().as_secs_f64()));
    striker.heal_all(&mut shop, &trolleys)?;
    let mut rest = Rest { began: Instant::now(), told: Duration::ZERO };
    trolleys.iter().for_each(Trolley::last_trip);
    while !trolleys.iter().all(Trolley::is_done) {
        shop.keep_up(say)?;
        no_trouble(&trolleys)?;
        rest.wait("the last trips", say, || trolleys.iter().map(Trolley::mood).collect::<Vec<_>>().join(", "))?;
    }
    no_trouble(&trolleys)?;
    // They have gone home; the carts are still on, and say the rest.
    let on: Vec<_> = (0..setup.carts).map(|n| shop.idle_cart(n)).collect::<anyhow::Result<_>>()?;
    while !shop.at_rest()? || crowd.behind() > 0 {
        shop.keep_up(say)?;
        rest.wait("rest", say, || format!("{}; the crowd is {} behind", shop.unrest(), crowd.behind()))?;
    }
    drop(on);

    let mut carts: Vec<_> =
        (0..setup.carts).map(|n| remains::cart(&shop.cart_folder(n))).collect::<anyhow::Result<_>>()?;
    carts.extend(crowd.remains());
    crowd.leave();
    shop.close();
    let left = remains::read(&shop.hub_folder(), &shop.terminal_logs(), carts, &catalogue)?;
    check::remains(&left).map_err(|why| anyhow!(why)).context("a promise is broken")?;
    let crowd_events = left.carts[setup.carts..].iter().map(|cart| cart.written.len() as u64).sum();
    let mut counts = Counts {
        blows: striker.blows,
        replaced: striker.replaced,
        restarts: shop.restarts.clone(),
        events: left.journals.iter().map(|copied| copied.records.len() as u64).sum(),
        crowd_events,
        intents: left.intents.len() as u32,
        paid: left.taken().count() as u32,
        taken_minor: left.taken().map(|payment| payment.amount.minor).sum(),
        left_out: striker.left_out,
        ..Counts::default()
    };
    for trolley in trolleys {
        let done = trolley.end()?;
        counts.trips += done.trips;
        counts.resumed += done.resumed;
        counts.lines_kept += done.lines_kept;
    }
    if counts.paid != counts.trips {
        bail!("{} trips were paid, and {} payments stay taken", counts.trips, counts.paid);
    }
    Ok(counts)
}

/// What went wrong with a cart for good ends the run.
fn no_trouble(trolleys: &[Trolley]) -> anyhow::Result<()> {
    trolleys.iter().find_map(Trolley::trouble).map_or(Ok(()), |why| Err(anyhow!(why)))
}

/// The way to rest, which ends some time.
struct Rest {
    began: Instant,
    told: Duration,
}

impl Rest {
    fn wait(&mut self, what: &str, say: &mut dyn FnMut(&str), why_not: impl FnOnce() -> String) -> anyhow::Result<()> {
        let waited = self.began.elapsed();
        if waited > REST_WITHIN {
            bail!("waited {} s for {what}: {}", REST_WITHIN.as_secs(), why_not());
        }
        if waited > self.told + SAY_EVERY {
            self.told = waited;
            say(&format!("          waiting for {what}: {}", why_not()));
        }
        // Whoever asks reads journals and databases: not so often that it slows what it waits for.
        std::thread::sleep(Duration::from_millis(200));
        Ok(())
    }
}
