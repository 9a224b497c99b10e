//! Plays a plan in the simulated world with the real cart program, in virtual time.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, bail};
use cart_app::config::Config;
use cart_app::demo::cart_config;
use cart_app::demo::goods::Goods;
use cart_app::demo::headless::{Lockstep, enrolled_sight};
use cart_app::recording::Recorder;
use cart_app::recording::replay::{MakeEye, Replayed};
use cart_app::sight::{Sight, model_of};
use cart_app::startup;
use cart_core::Intent;
use cart_core::weight_step::{ScaleTuning, WeightSteps};
use cart_vision::Gallery;
use hal::sim::{ItemHandle, ProductLook, SimItem, SimMotion, SimScale, World};
use hal::{ManualClock, Moment};
use image::{GrayImage, Luma, Rgb, RgbImage};
use tempfile::TempDir;
use trip::{Catalogue, Sale, TripEvent};

use super::figures::{Count, Way};
use super::ledger::Ledger;
use super::plan::{Deed, Plan, Step, Strain};
use super::shelf::Shelf;
use super::shopper::{Next, Shopper};

/// From the program's start to the first touch.
const WAKING: Duration = Duration::from_millis(1_500);
/// From one deed to the next.
const PAUSE: Duration = Duration::from_millis(600);
/// To read a question before touching.
const THINK: Duration = Duration::from_millis(600);
/// So long after all is quiet the shopper goes on, whatever the cart has or has not said.
const NOTICE: Duration = Duration::from_millis(3_200);
/// The same where nothing was put in or taken out.
const NOTICE_NOTHING: Duration = Duration::from_millis(1_600);
/// No deed takes longer, questions and all.
const LONGEST_DEED: Duration = Duration::from_secs(60);
/// The gallery with the drawn goods, in the store's own folder and beside recordings.
const GALLERY: &str = "store.gallery";
/// From one thing to the next when they are put in once more.
const AGAIN: Duration = Duration::from_millis(900);

/// A store to shop in: catalogue, goods, sight.
pub struct Store {
    /// What is sold.
    pub catalogue: Arc<Catalogue>,
    /// What it looks like.
    pub goods: Goods,
    /// What can be taken.
    pub shelf: Shelf,
    sight: Sight,
    config: Config,
    folder: TempDir,
}

impl Store {
    /// Opens the project's store: `assets` is its folder, `photos` a folder of photos and one of its
    /// lists, without which all goods are drawn; `model` names a model of the assets.
    ///
    /// # Errors
    /// When a file is missing or wrong: it is named.
    pub fn open(assets: &Path, photos: Option<(&Path, &Path)>, model: Option<&str>, seed: u64) -> anyhow::Result<Self> {
        let folder = TempDir::new().context("a folder for the cart's data")?;
        let path = folder.path().join("cart.toml");
        let nowhere = std::net::SocketAddr::from(([127, 0, 0, 1], 9));
        std::fs::write(&path, cart_config(assets, &folder.path().join("data"), nowhere)).context("configuration")?;
        let mut config = Config::load(&path)?;
        if let Some(model) = model {
            config.sight.model = model_of(assets, model);
            config.sight.gallery = config.sight.model.with_extension("gallery");
        }
        let text = std::fs::read_to_string(&config.catalogue)
            .with_context(|| format!("catalogue {}", config.catalogue.display()))?;
        let catalogue = Arc::new(Catalogue::parse(&text).with_context(|| config.catalogue.display().to_string())?);
        let pictures = assets.join("store/pictures.toml");
        let goods = match photos {
            Some((root, list)) => Goods::with_list(&pictures, root, list, seed)?,
            None => Goods::open(&pictures, None, seed)?,
        };
        let shelf = Shelf::new(&catalogue, &goods);
        if shelf.is_empty() {
            bail!("no product of the catalogue has a picture: there is nothing to take");
        }
        let mut sight = enrolled_sight(&config, &goods, &catalogue)?;
        // Reading a gallery rounds it: the eyes here and those of a later replay must read the same file.
        let gallery = folder.path().join(GALLERY);
        sight.gallery.save(&gallery).context("gallery")?;
        sight.gallery = Gallery::load(&gallery, sight.gallery.model()).context("gallery")?;
        Ok(Self { catalogue, goods, shelf, sight, config, folder })
    }

    /// Writes what `cart replay --config` needs to look at this store's frames again: a configuration
    /// and the gallery with the drawn goods.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn keep(&self, folder: &Path) -> anyhow::Result<PathBuf> {
        std::fs::create_dir_all(folder).with_context(|| format!("folder {}", folder.display()))?;
        let folder = std::path::absolute(folder).context("folder of recordings")?;
        std::fs::copy(self.folder.path().join(GALLERY), folder.join(GALLERY)).context("gallery")?;
        let text = |path: &Path| toml::Value::from(path.display().to_string()).to_string();
        let (model, catalogue) = (std::path::absolute(&self.config.sight.model)?, &self.config.catalogue);
        let config = format!(
            "store = \"market-street\"\ncart = \"cart-01\"\ndata = \"data\"\ncatalogue = {}\n[line]\nhost = \"127.0.0.1\"\nport = 9\n\
             [sight]\nmodel = {}\ngallery = \"{GALLERY}\"\n[board]\nname = \"simulated\"\n",
            text(&std::path::absolute(catalogue)?),
            text(&model)
        );
        let path = folder.join("cart.toml");
        std::fs::write(&path, config).with_context(|| path.display().to_string())?;
        Ok(path)
    }

    /// Plays a recording of this store again, and looks at its frames again when `look` is set.
    ///
    /// # Errors
    /// As [`cart_app::recording::replay()`].
    pub fn replay(&self, path: &Path, look: bool) -> anyhow::Result<Replayed> {
        let eye: &mut MakeEye<'_> = &mut |_, _| self.sight.eye();
        cart_app::recording::replay(path, look.then_some(eye))
    }

    /// Plays a trip and counts. With `record` all of it is kept in that file.
    ///
    /// # Errors
    /// When the cart stops, or the recording cannot be written.
    pub fn play(&self, plan: &Plan, record: Option<&Path>) -> anyhow::Result<Count> {
        let mut outing = Outing::begin(self, plan, record)?;
        outing.play()?;
        if let Some(recorder) = &outing.recorder {
            recorder.finish()?;
        }
        Ok(outing.ledger.count)
    }
}

/// A trip under way.
pub struct Outing<'a> {
    store: &'a Store,
    plan: &'a Plan,
    cart: Lockstep,
    world: World,
    recorder: Option<Recorder>,
    /// Finds the same steps from the same samples, to know when the scale had settled.
    shadow: WeightSteps,
    scale: SimScale,
    motion: SimMotion,
    settled_at: Moment,
    handles: Vec<Option<ItemHandle>>,
    bag: Option<ItemHandle>,
    ledger: Ledger,
    shopper: Shopper,
    touch_at: Option<Moment>,
    /// When the cart last said something.
    spoke_at: Moment,
    _data: TempDir,
}

impl<'a> Outing<'a> {
    fn begin(store: &'a Store, plan: &'a Plan, record: Option<&Path>) -> anyhow::Result<Self> {
        let data = TempDir::new().context("a folder for the cart's data")?;
        let config = Config { data: data.path().to_path_buf(), ..store.config.clone() };
        let ready = startup::prepare(&config)?;
        let recorder = record.map(|path| Recorder::create(path, ready.begin.clone())).transpose()?;
        let world = World::new(plan.seed);
        let cart = Lockstep::alone(&config, ready, &store.sight, world.clone(), recorder.clone())?;
        let clock = Arc::new(ManualClock::default());
        let tuning = ScaleTuning { capacity_g: config.board.scale.capacity_g as f32, ..ScaleTuning::default() };
        let loose = |sku: &trip::Sku| store.shelf.get(sku).is_some_and(|p| matches!(p.sale, Sale::Weight { .. }));
        Ok(Self {
            store,
            plan,
            cart,
            recorder,
            shadow: WeightSteps::new(tuning, None),
            scale: SimScale::new(world.clone(), clock.clone()),
            motion: SimMotion::new(world.clone(), clock),
            world,
            settled_at: Moment::default(),
            handles: vec![None; plan.things.len()],
            bag: None,
            ledger: Ledger::new(plan, loose),
            shopper: Shopper::default(),
            touch_at: None,
            spoke_at: Moment::default(),
            _data: data,
        })
    }

    fn play(&mut self) -> anyhow::Result<()> {
        self.pass(WAKING)?;
        if let Some(grams) = self.plan.bag_g {
            self.truth(&format!("a bag of their own, {grams:.0} g, lies in the cart"));
            let (bag, rests_at) = self.world.put(&own_bag(grams, self.plan.seed), self.cart.now());
            self.bag = Some(bag);
            self.pass(rests_at.since(self.cart.now()) + PAUSE)?;
        }
        self.cart.touch(Intent::Start)?;
        self.shadow.rebase();
        self.heard();
        let plan = self.plan;
        for step in &plan.steps {
            self.step(step)?;
        }
        self.ledger.close(self.cart.state());
        Ok(())
    }

    fn truth(&mut self, words: &str) {
        self.ledger.count.story.push((self.cart.now().as_millis(), words.to_owned()));
        self.recorder.iter().for_each(|recorder| recorder.truth(self.cart.now(), words));
    }

    fn step(&mut self, step: &Step) -> anyhow::Result<()> {
        self.truth(&format!("{step:?}"));
        self.ledger.begin(&step.deed);
        let began = self.cart.now();
        let strained = step.meanwhile.map_or(began, |strain| self.strain(strain));
        let quiet_at = self.act(&step.deed)?.max(strained);
        self.see_through(quiet_at, began + LONGEST_DEED, self.acts(&step.deed))?;
        self.ledger.end(self.cart.state());
        self.pass(PAUSE)
    }

    /// True when the deed puts something in or takes something out.
    fn acts(&self, deed: &Deed) -> bool {
        !matches!(deed, Deed::Reach(_) | Deed::Strain(_))
    }

    /// Time passes, questions are answered, until the cart has said all, or has had its time.
    fn see_through(&mut self, quiet_at: Moment, limit: Moment, acts: bool) -> anyhow::Result<()> {
        self.spoke_at = self.cart.now();
        let notice = if acts { NOTICE } else { NOTICE_NOTHING };
        loop {
            self.tick()?;
            let now = self.cart.now();
            let over = now > quiet_at.max(self.spoke_at) + notice;
            let settled = acts && self.ledger.settled() && now > quiet_at + PAUSE && self.cart.view().ask.is_none();
            if settled || over || now > limit {
                return Ok(());
            }
            if now >= quiet_at {
                self.answer()?;
            }
        }
    }

    /// Touches what an honest shopper would, after reading.
    fn answer(&mut self) -> anyhow::Result<()> {
        let now = self.cart.now();
        let Some(hold) = self.cart.view().ask.as_ref().map(|ask| ask.hold) else {
            self.touch_at = None;
            return Ok(());
        };
        let due = *self.touch_at.get_or_insert(now + THINK);
        if now < due {
            return Ok(());
        }
        self.touch_at = Some(now + THINK);
        let concern = self.ledger.concern(hold);
        match self.shopper.next(self.cart.view(), &concern) {
            Some(Next::Touch(intent)) => {
                self.cart.touch(intent)?;
                self.heard();
                self.spoke_at = now;
            }
            Some(Next::TakeBack) => self.once_more()?,
            None => {}
        }
        Ok(())
    }

    /// Takes what was just put in out again, and puts it in once more, one thing after the other, each
    /// with its code if it has one.
    fn once_more(&mut self) -> anyhow::Result<()> {
        let things = self.ledger.waiting();
        let names: Vec<&str> = things.iter().map(|n| self.plan.things[*n].sku.as_str()).collect();
        self.truth(&format!("takes back {}, to put it in once more", names.join(" and ")));
        self.ledger.take_back(&things);
        let gone = things.iter().filter_map(|n| self.handles[*n].take()).map(|h| self.world.take(h, self.cart.now()));
        let gone = gone.max().unwrap_or(self.cart.now());
        self.pass(gone.since(self.cart.now()) + AGAIN)?;
        for thing in things {
            self.ledger.put_again(thing);
            let rests_at = self.put(thing, self.plan.things[thing].has_code)?;
            let limit = rests_at + LONGEST_DEED / 3;
            self.see_through(rests_at, limit, true)?;
        }
        Ok(())
    }

    fn strain(&mut self, strain: Strain) -> Moment {
        let now = self.cart.now();
        match strain {
            Strain::Lean { time, grams } => self.world.lean(now, time, grams),
            Strain::Slope { time, degrees } => self.world.stand_on_slope(now, time, degrees),
            Strain::Roll { time, bumps } => {
                for n in 0..bumps {
                    self.world.bump(now + time * (n + 1) / (bumps + 1));
                }
                self.world.roll(now, time)
            }
        }
    }

    /// Does the deed; says when all is quiet again.
    fn act(&mut self, deed: &Deed) -> anyhow::Result<Moment> {
        let now = self.cart.now();
        Ok(match deed {
            Deed::Put(thing) => self.put(*thing, self.plan.things[*thing].shows_code)?,
            Deed::PutTwo([first, second]) => {
                let (one, mut two) = (self.item(*first, false)?, self.item(*second, false)?);
                // Codes are shown one after the other, before both land.
                for thing in [first, second] {
                    let shown = self.item(*thing, self.plan.things[*thing].shows_code)?.presented;
                    two.presented.extend(shown);
                }
                let ([a, b], rests_at) = self.world.put_two([&one, &two], now);
                self.handles[*first] = Some(a);
                self.handles[*second] = Some(b);
                rests_at
            }
            Deed::PutCovered { top, under } => {
                let (above, below) = (self.item(*top, false)?, self.item(*under, false)?);
                let ([a, b], rests_at) = self.world.put_covered(&above, &below, now);
                self.handles[*top] = Some(a);
                self.handles[*under] = Some(b);
                rests_at
            }
            Deed::Take(thing) => self.take(*thing),
            Deed::Swap { out, with, gap } => {
                let item = self.item(*with, false)?;
                let Some(old) = self.handles[*out].take() else { bail!("what is swapped is not there") };
                let (new, rests_at) = self.world.swap(old, &item, *gap, now);
                self.handles[*with] = Some(new);
                rests_at
            }
            Deed::SlowSwap { out, with, pause } => {
                let gone = self.take(*out);
                self.pass(gone.since(now) + *pause)?;
                self.put(*with, self.plan.things[*with].shows_code)?
            }
            Deed::Reach(time) => self.world.reach(now, *time),
            Deed::Strain(strain) => self.strain(*strain),
        })
    }

    fn put(&mut self, thing: usize, show_code: bool) -> anyhow::Result<Moment> {
        let item = self.item(thing, show_code)?;
        let (handle, rests_at) = match self.bag.filter(|_| self.plan.things[thing].in_bag) {
            Some(bag) => self.world.put_in_bag(&item, bag, self.cart.now()),
            None => self.world.put(&item, self.cart.now()),
        };
        self.handles[thing] = Some(handle);
        Ok(rests_at)
    }

    fn take(&mut self, thing: usize) -> Moment {
        let now = self.cart.now();
        self.handles[thing].take().map_or(now, |handle| self.world.take(handle, now))
    }

    fn item(&self, thing: usize, show_code: bool) -> anyhow::Result<SimItem> {
        let planned = &self.plan.things[thing];
        let product = self.store.catalogue.get(&planned.sku).context("a product of the catalogue")?;
        // Its number chooses its photos: another trip shows others.
        let number = (self.plan.seed % 1_000_003) * 64 + thing as u64;
        self.store.goods.thing(product, Some(planned.mass_g), show_code, number)
    }

    fn pass(&mut self, time: Duration) -> anyhow::Result<()> {
        let until = self.cart.now() + time;
        while self.cart.now() < until {
            self.tick()?;
        }
        Ok(())
    }

    fn tick(&mut self) -> anyhow::Result<()> {
        self.cart.tick()?;
        let now = self.cart.now();
        self.shadow.motion(self.motion.sample(now));
        if self.shadow.sample(self.scale.sample(now)).is_some() {
            self.settled_at = now;
        }
        let events = self.cart.take_events();
        if !events.is_empty() {
            self.spoke_at = now;
        }
        self.tell(&events);
        if self.ledger.note(&events, self.cart.account()) {
            let waited_ms = now.since(self.settled_at).as_secs_f64() * 1e3;
            let computed_ms = self.cart.computing().as_secs_f64() * 1e3;
            self.ledger.count.ways.push(Way { waited_ms, computed_ms });
        }
        Ok(())
    }

    /// What a touch brought.
    fn heard(&mut self) {
        let events = self.cart.take_events();
        self.tell(&events);
        self.ledger.note(&events, None);
    }

    fn tell(&mut self, events: &[TripEvent]) {
        let now = self.cart.now().as_millis();
        self.ledger.count.story.extend(events.iter().map(|event| (now, format!("    {event:?}"))));
    }
}

/// A bag as it lies there: cloth with two handles, in a colour of its own.
fn own_bag(grams: f32, seed: u64) -> SimItem {
    let tint = [(seed % 5) as u8 * 22, (seed / 5 % 4) as u8 * 24, (seed / 20 % 5) as u8 * 20];
    let (width, height) = (400u32, 300u32);
    let cloth = |x: u32, y: u32| {
        let weave = ((x / 3 + y / 3) % 2) as u8 * 9;
        let fold = ((x as f32 / 37.0).sin() * 10.0 + (y as f32 / 29.0).cos() * 8.0) as i16;
        let handle = (60..72).contains(&(x % 280)) && (90..210).contains(&y);
        let base = if handle { 70u8 } else { 138 };
        Rgb(tint.map(|t| (i16::from(base.saturating_add(t / 2)) + fold).clamp(0, 245) as u8 + weave))
    };
    let picture = RgbImage::from_fn(width, height, cloth);
    let mask = GrayImage::from_fn(width, height, |x, y| {
        let edge = x.min(width - 1 - x).min(y.min(height - 1 - y));
        Luma([(edge * 30).min(255) as u8])
    });
    SimItem::new(grams, vec![ProductLook { picture, mask: Some(mask), real_size_px: 420 }])
}
