//! A person before the demo's window, who knows what is on it and touches it.
//!
//! Where to touch is no list of coordinates. The same window is drawn here in memory, from the cart's own journal and
//! what was opened since; a control is found in it by its label, waited for until the real window shows the very same
//! pixels at that place, and only then touched, by a real click.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use anyhow::{Context, bail, ensure};
use cart_app::ui::{DemoWindow, HeadlessScreen, Pictures, ShopPanel, sample};
use cart_core::decision::Thresholds;
use cart_core::view::View;
use cart_core::weight_step::ScaleTuning;
use cart_core::{Cart, Input, Intent, OwnLimits, Setup, Tare};
use hal::Moment;
use i_slint_backend_testing::{AccessibleRole, ElementHandle};
use image::RgbImage;
use image::imageops::crop_imm;
use tests::check;
use tests::glass::Glass;
use tests::place::Folders;
use tests::process::{assets, wait_for};
use trip::{Catalogue, Hash, Phase, Sku, TripState};

/// Two drawings of one thing differ no more than this in a colour.
const SHADE: u8 = 8;
/// What the store of this test sells, in the order of its shelf: all of it fits beside the screen at once.
const GOODS: [&str; 4] = ["oat-drink-1l", "chopped-tomatoes-400", "vanilla-yoghurt-150", "strawberry-yoghurt-150"];

/// Makes the assets of a store that sells only [`GOODS`].
pub fn small_store(folder: &Path) -> anyhow::Result<()> {
    let all = std::fs::read_to_string(assets().join("store/catalogue.toml"))?;
    let mut parts = all.split("[[product]]\n");
    let head = parts.next().unwrap_or_default().to_owned();
    let sold = |part: &&str| GOODS.iter().any(|sku| part.starts_with(&format!("sku = \"{sku}\"")));
    let goods: Vec<&str> = parts.filter(sold).collect();
    std::fs::create_dir_all(folder.join("store"))?;
    let text = goods.into_iter().fold(head, |text, part| text + "[[product]]\n" + part);
    std::fs::write(folder.join("store/catalogue.toml"), text)?;
    std::fs::copy(assets().join("store/pictures.toml"), folder.join("store/pictures.toml"))?;
    std::os::unix::fs::symlink(std::fs::canonicalize(assets().join("models"))?, folder.join("models"))?;
    Ok(())
}

/// The person.
pub struct Person<'a> {
    glass: &'a dyn Glass,
    folders: Folders,
    catalogue: Catalogue,
    /// The window as it should be.
    window: HeadlessScreen<DemoWindow>,
    panel: ShopPanel,
    /// What lies in the cart, newest first.
    in_cart: Vec<(Sku, String)>,
    lane: Option<&'static str>,
    /// Where a picture of what was waited for in vain is left.
    trouble: PathBuf,
}

/// A control as it should look, and where.
struct Seen {
    picture: RgbImage,
    x: u32,
    y: u32,
}

impl Seen {
    /// True where it is to be seen in the window.
    fn is_on(&self, window: &RgbImage) -> bool {
        let (width, height) = self.picture.dimensions();
        let there = crop_imm(window, self.x, self.y, width, height).to_image();
        let alike = |(a, b): (&u8, &u8)| a.abs_diff(*b) <= SHADE;
        there.dimensions() == (width, height) && there.as_raw().iter().zip(self.picture.as_raw()).all(alike)
    }
}

impl<'a> Person<'a> {
    /// Stands before the window of a demo whose data lie in `folders`; `trouble` is a file for a picture.
    pub fn new(glass: &'a dyn Glass, folders: Folders, trouble: PathBuf) -> anyhow::Result<Self> {
        let catalogue = Catalogue::parse(&std::fs::read_to_string(&folders.catalogue)?)?;
        let portraits = folders.data.join("pictures/goods");
        // The demo makes them before it opens its window.
        wait_for("the portraits of the goods", || {
            Ok(GOODS.iter().all(|sku| image::open(portraits.join(format!("{sku}.png"))).is_ok()).then_some(()))
        })?;
        let pictures = Rc::new(Pictures::from_folder(portraits));
        let window = HeadlessScreen::demo(pictures.clone())?;
        let panel = ShopPanel::new(window.screen().window(), pictures);
        let shelf: Vec<_> = catalogue.products().iter().map(|p| (p.sku.clone(), p.name.clone())).collect();
        panel.set_shelf(&shelf);
        Ok(Self { glass, folders, catalogue, window, panel, in_cart: Vec::new(), lane: None, trouble })
    }

    /// The trip as the cart's journal tells it.
    pub fn state(&self) -> anyhow::Result<TripState> {
        Ok(TripState::replay(&check::events(&self.folders)?))
    }

    /// Waits until the journal tells what is true.
    fn until(&self, name: &str, told: impl Fn(&TripState) -> bool) -> anyhow::Result<()> {
        // While the cart writes, the journal may be shut for a moment.
        let waited = wait_for(name, || Ok(self.state().ok().filter(&told).map(drop)));
        waited.inspect_err(|_| self.leave_picture(None))
    }

    /// What the screen shows, after what was `opened` since the journal's last word.
    fn view(&self, opened: &[Intent]) -> anyhow::Result<View> {
        let setup = Setup {
            trip_base: "twin".into(),
            trips: 0,
            thresholds: Thresholds::default(),
            scale: ScaleTuning::default(),
            battery_reserve: 15,
            receipt_qr: Some(format!("TR1:{}", "6BFOXN*TS0BI$ZD8UHN8FG".repeat(20))),
            own: OwnLimits::default(),
            tares: Tare::usual(),
            pairing_seed: Hash::GENESIS,
            list: Vec::new(),
        };
        let mut cart = Cart::new(setup, self.catalogue.clone(), self.state()?);
        let now = Moment::from_millis(1_000);
        cart.handle_input(Input::Link { connected: true }, now);
        for intent in opened {
            cart.handle_input(Input::Intent(intent.clone()), now);
        }
        Ok(View { lane: self.lane.map(Into::into), ..cart.view() })
    }

    /// Waits until the window shows what `view` would have it show where `label` is; says where that is.
    fn see(&self, view: &View, label: &str) -> anyhow::Result<(f32, f32)> {
        self.panel.set_in_cart(&self.in_cart);
        self.panel.set_lane(self.lane);
        self.window.apply(view);
        self.window.settle();
        self.window.advance(2_000);
        let found = ElementHandle::find_by_accessible_label(self.window.screen().window(), label);
        let button = found.filter(|e| e.accessible_role() == Some(AccessibleRole::Button)).last();
        let button = button.with_context(|| format!("nothing to touch is labelled {label:?}"))?;
        let (at, size) = (button.absolute_position(), button.size());
        let (x, y) = (at.x as u32, at.y as u32);
        let picture = crop_imm(&self.window.screenshot(), x, y, size.width as u32, size.height as u32).to_image();
        let seen = Seen { picture, x, y };
        let waited = wait_for(label, || Ok(seen.is_on(&self.glass.picture()?).then_some(())));
        waited.inspect_err(|_| self.leave_picture(Some(&self.window.screenshot())))?;
        Ok((at.x + size.width / 2.0, at.y + size.height / 2.0))
    }

    fn touch(&self, view: &View, label: &str) -> anyhow::Result<()> {
        let (x, y) = self.see(view, label)?;
        self.glass.tap(x, y)?;
        // What the window opens by itself is open here too.
        self.window.tap(x, y);
        Ok(())
    }

    fn leave_picture(&self, wanted: Option<&RgbImage>) {
        // The test has failed already; without the pictures there is only less to look at.
        if let Ok(picture) = self.glass.picture() {
            let _ = picture.save(&self.trouble);
            eprintln!("what the window showed is {}", self.trouble.display());
        }
        if let Some(wanted) = wanted {
            let path = self.trouble.with_extension("wanted.png");
            let _ = wanted.save(&path);
            eprintln!("what it should have shown is {}", path.display());
        }
    }

    fn product(&self, sku: &str) -> anyhow::Result<(Sku, String)> {
        let sku = Sku::new(sku)?;
        let name = self.catalogue.get(&sku).context("a product of the store")?.name.clone();
        Ok((sku, name))
    }

    fn put(&mut self, sku: &str) -> anyhow::Result<()> {
        let (sku, name) = self.product(sku)?;
        self.touch(&self.view(&[])?, &format!("Put in {name}"))?;
        self.in_cart.insert(0, (sku, name));
        Ok(())
    }

    fn take(&mut self, sku: &str) -> anyhow::Result<()> {
        let (sku, name) = self.product(sku)?;
        self.touch(&self.view(&[])?, &format!("Take out {name}"))?;
        let at = self.in_cart.iter().position(|(there, _)| *there == sku).context("it lies in the cart")?;
        self.in_cart.remove(at);
        Ok(())
    }

    /// A whole trip: start as a guest, put things in, look at one, settle a question, pay, and see the end.
    pub fn shop(&mut self) -> anyhow::Result<()> {
        let named = |name: &str| sample::named(name).map(|sample| sample.view).context("the sample");
        let lines = |wanted: usize| move |trip: &TripState| trip.basket.lines.len() == wanted;
        let welcome = named("welcome")?;
        self.see(&welcome, "Start shopping")?;
        if self.state()?.phase != Phase::Idle {
            bail!("a trip runs, and nobody has touched anything");
        }
        self.touch(&welcome, "Start shopping")?;
        self.touch(&named("start")?, "Start as a guest")?;
        self.until("the trip in the journal", |trip| trip.phase == Phase::Shopping)?;

        self.put(GOODS[0])?;
        self.until("its line", lines(1))?;
        let (_, name) = self.product(GOODS[0])?;
        self.touch(&self.view(&[])?, &name)?;
        let line = self.state()?.basket.lines[0].line;
        self.touch(&self.view(&[Intent::ShowLine { line }])?, "Back to the basket")?;

        // A look-alike whose code was not read: the cart asks, the person takes it out and shows the code.
        self.touch(&self.view(&[])?, "Code shown")?;
        self.put(GOODS[2])?;
        self.until("a question", |trip| !trip.basket.holds.is_empty())?;
        self.touch(&self.view(&[])?, "I'll take it out")?;
        self.take(GOODS[2])?;
        self.until("the question's end", |trip| trip.basket.holds.is_empty())?;
        self.touch(&self.view(&[])?, "Code hidden")?;
        self.put(GOODS[2])?;
        self.until("the second line", lines(2))?;

        self.touch(&self.view(&[])?, "Roll up to a lane")?;
        self.lane = Some("1");
        let open = View { pay_blocked: None, ..self.view(&[])? };
        self.touch(&open, "Go to the exit lane")?;
        self.until("the terminal", |trip| trip.phase == Phase::Paying)?;
        self.touch(&self.view(&[])?, "Tap card on the reader")?;
        self.until("the receipt", |trip| trip.phase == Phase::Receipted)?;
        self.touch(&self.view(&[])?, "Done")?;
        self.until("the end of the trip", |trip| trip.phase == Phase::Idle)?;
        // The shopper is seen off, and then the next is welcome.
        self.see(&welcome, "Start shopping")?;
        self.charged_right()
    }

    fn charged_right(&self) -> anyhow::Result<()> {
        check::all(&self.folders)?;
        let price = |sku: &str| match self.catalogue.get(&Sku::new(sku)?).map(|product| product.sale) {
            Some(trip::Sale::Each { price }) => Ok(price),
            _ => bail!("{sku} is not sold by the piece"),
        };
        let fair = price(GOODS[0])? + price(GOODS[2])?;
        let taken = check::terminal_log(&self.folders)?;
        let charged: i64 = taken.iter().filter(|t| t.progress == "approved").map(|t| t.amount.minor).sum();
        // No panic: the demo's servers end only with a demo that is asked to.
        ensure!(charged == fair, "the terminal took {charged} pence, and {fair} lie in the cart");
        Ok(())
    }
}
