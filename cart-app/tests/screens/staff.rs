//! Staff mode, touched: a real desk behind the screen, a simulated scale under it, and time that is turned by hand.

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cart_app::config::SightConfig;
use cart_app::recording::tape::{Tape, Wanted};
use cart_app::staff::calibration::{self, Line};
use cart_app::staff::enrolling::{Views, own_file};
use cart_app::staff::instruments::{Instruments, Kind};
use cart_app::staff::log::LogLevel;
use cart_app::staff::pin::Pins;
use cart_app::staff::view::{Ask, PageKind};
use cart_app::staff::{Desk, Facts, Place};
use cart_core::Input;
use cart_ui::StaffPage;
use cart_vision::embedder::{Embedder, runtime_path};
use cart_vision::{Gallery, Scan, Symbology};
use hal::board::ScaleBoard;
use hal::sim::{ItemHandle, SimCamera, SimItem, SimScale, World};
use hal::{CameraId, Identity, ManualClock, Moment, WeightReading};
use slint::platform::{Key, PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, Model};
use tokio::sync::watch;
use trip::Catalogue;

use super::*;

/// The PIN of these carts.
const PIN: &str = "2468";
/// What the scale shows of what it should, and where its zero lies: what a calibration is to mend.
const SLOPE: f32 = 1.03;
const ZERO_G: f32 = 14.0;
/// How often the desk looks round.
const TICK_MS: u64 = 200;

/// A cart with staff at its screen.
struct Cart {
    screen: HeadlessScreen,
    heard: Rc<RefCell<Vec<Intent>>>,
    asks: Rc<RefCell<Vec<Ask>>>,
    desk: Desk,
    place: Place,
    world: World,
    scale: SimScale,
    cameras: Vec<SimCamera>,
    view: View,
    now: Moment,
    data: tempfile::TempDir,
}

impl Cart {
    fn new(view: &View) -> Self {
        Self::with(view, None)
    }

    fn with(view: &View, views: Option<fn(&Path) -> Views>) -> Self {
        let data = tempfile::tempdir().expect("a folder");
        // Few rounds of the hash: that it is slow is not the question here.
        Pins::set_with(data.path(), PIN, 2).expect("set");
        let line = Line::of(&ScaleBoard::default());
        let instruments = Instruments::new(Arc::default(), Arc::new(Mutex::new(line)));
        let identity = Identity { model: "load cell".into(), port: "sim".into(), calibration: None };
        instruments.opened(Kind::Scale, identity);
        instruments.missing(Kind::Camera(1), "no such device");
        let text = std::fs::read_to_string(assets().join("store/catalogue.toml")).expect("the demo store's catalogue");
        let facts = Facts {
            cart: "cart-07".into(),
            store: "market-street".into(),
            hub: "127.0.0.1:1883".into(),
            data: data.path().to_owned(),
            model: String::new(),
            public_key: [7; 32],
            capacity_g: 35_000,
            scale: Some("load cell at sim".into()),
            catalogue: Arc::new(Catalogue::parse(&text).expect("a catalogue")),
        };
        let place = Place {
            facts: Arc::new(facts),
            instruments: Arc::new(instruments),
            tape: Tape::default(),
            views: views.map(|views| Arc::new(views(data.path()))),
        };
        let now = Moment::from_millis(1_000);
        let world = World::new(4);
        let clock = Arc::new(ManualClock::at(now));
        let (screen, heard) = show(view);
        let asks = Rc::new(RefCell::new(Vec::new()));
        screen.screen().on_ask({
            let asks = asks.clone();
            move |ask| asks.borrow_mut().push(ask)
        });
        Self {
            screen,
            heard,
            asks,
            desk: Desk::new(place.clone(), now),
            place,
            scale: SimScale::new(world.clone(), clock.clone()),
            cameras: (0..2).map(|n| SimCamera::new(world.clone(), CameraId(n), clock.clone())).collect(),
            world,
            view: view.clone(),
            now,
            data,
        }
    }

    /// Time passes: the scale is read, the desk looks round, the screen shows what it says.
    fn pass(&mut self, ms: u64) {
        let until = self.now + Duration::from_millis(ms);
        while self.now < until {
            let tick = self.now + Duration::from_millis(TICK_MS);
            while self.now < tick {
                let WeightReading { at, gross_g } = self.scale.sample(self.now);
                let shown = ZERO_G + SLOPE * gross_g;
                let line = *self.place.instruments.line.lock().expect("a line");
                self.place.instruments.note(&Input::Weight(WeightReading { at, gross_g: line.grams(shown) }));
                self.now = self.now + SimScale::PERIOD;
            }
            for camera in &mut self.cameras {
                self.place.instruments.frame(&camera.render(self.now));
            }
            self.desk.tick(&self.view, self.now);
            self.screen.screen().apply_staff(&self.desk.view(&self.view, self.now));
        }
        self.show();
    }

    /// Time passes and nobody does anything; for long times, in which no device has anything to say.
    fn idle(&mut self, s: u64) {
        for _ in 0..s {
            self.now = self.now + Duration::from_secs(1);
            self.desk.tick(&self.view, self.now);
        }
        self.show();
    }

    /// What was touched reaches the desk, and its answer the screen.
    fn show(&mut self) {
        let asks = std::mem::take(&mut *self.asks.borrow_mut());
        for ask in asks {
            self.desk.handle(ask, &self.view, self.now);
        }
        self.screen.screen().apply_staff(&self.desk.view(&self.view, self.now));
        self.screen.settle();
    }

    fn tap(&mut self, label: &str) {
        tap(&self.screen, label);
        self.show();
    }

    fn type_pin(&mut self, pin: &str) {
        for digit in pin.chars() {
            self.tap(&digit.to_string());
        }
        self.tap("Open staff mode");
    }

    /// Knocks and opens.
    fn enter(&mut self) {
        self.desk.handle(Ask::Knock, &self.view, self.now);
        self.show();
        self.type_pin(PIN);
        assert_eq!(self.page(), StaffPage::Home);
    }

    fn open(&mut self, tile: &str) {
        self.enter();
        self.tap(tile);
    }

    fn page(&self) -> StaffPage {
        self.screen.screen().window().staff().get_page()
    }

    fn says(&self, words: &str) -> bool {
        ElementHandle::find_by_accessible_label(self.screen.screen().window(), words).count() > 0
    }

    fn put(&mut self, grams: f32) -> ItemHandle {
        let (handle, _) = self.world.put(&SimItem::new(grams, Vec::new()), self.now);
        self.pass(4_000);
        handle
    }

    fn take(&mut self, thing: ItemHandle) {
        self.world.take(thing, self.now);
        self.pass(4_000);
    }

    fn shown_to(&self, code: &str) {
        let content = trip::gs1::read_digits(code.trim_start_matches('0'), &[]);
        let scan = Scan { at: self.now, camera: CameraId(0), symbology: Symbology::Ean13, content, frames: 3 };
        self.place.instruments.note(&Input::Scan(scan));
    }
}

fn assets() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets")
}

fn dispatch(cart: &Cart, event: WindowEvent) {
    cart.screen.screen().window().window().dispatch_event(event);
}

fn key(cart: &mut Cart, key: Key) {
    cart.screen.key(&slint::SharedString::from(key));
    cart.show();
}

#[test]
fn who_holds_the_store_s_name_is_asked_for_the_pin_and_who_touches_it_is_not() {
    for name in ["welcome", "charging", "basket"] {
        let mut cart = Cart::new(&named(name));
        let (position, button) = (LogicalPosition::new(90.0, 32.0), PointerEventButton::Left);
        for _ in 0..5 {
            cart.screen.tap(position.x, position.y);
        }
        dispatch(&cart, WindowEvent::PointerPressed { position, button });
        cart.screen.advance(1_900);
        cart.show();
        assert_eq!(cart.page(), StaffPage::Closed, "not yet");
        cart.screen.advance(300);
        let knocks = cart.asks.borrow().len();
        cart.screen.advance(9_000);
        dispatch(&cart, WindowEvent::PointerReleased { position, button });
        assert_eq!((knocks, cart.asks.borrow().len()), (1, 1), "held on, it knocks once");
        cart.show();
        assert_eq!(cart.page(), StaffPage::Pin, "on {name}");
        assert!(cart.heard.borrow().is_empty(), "nothing of it reaches the trip");
    }
}

#[test]
fn the_way_in_by_keys_leads_in_and_escape_leads_out() {
    let mut cart = Cart::new(&named("welcome"));
    for held in [Key::Control, Key::Alt] {
        dispatch(&cart, WindowEvent::KeyPressed { text: held.into() });
    }
    cart.screen.key("s");
    for held in [Key::Control, Key::Alt] {
        dispatch(&cart, WindowEvent::KeyReleased { text: held.into() });
    }
    cart.show();
    assert_eq!(cart.page(), StaffPage::Pin);
    for digit in PIN.chars() {
        cart.screen.key(&digit.to_string());
    }
    key(&mut cart, Key::Return);
    assert_eq!(cart.page(), StaffPage::Home);
    cart.tap("Devices");
    assert_eq!(cart.page(), StaffPage::Devices);
    key(&mut cart, Key::Escape);
    assert_eq!(cart.page(), StaffPage::Home);
    key(&mut cart, Key::Escape);
    assert_eq!(cart.page(), StaffPage::Closed);
}

#[test]
fn the_digits_are_counted_and_never_shown() {
    let mut cart = Cart::new(&named("welcome"));
    cart.desk.handle(Ask::Knock, &cart.view, cart.now);
    cart.show();
    for digit in "9731".chars() {
        cart.tap(&digit.to_string());
    }
    let typed = element(&cart.screen, "PIN").accessible_value().expect("a value");
    assert_eq!(typed, "4 digits");
    cart.tap("Delete");
    assert_eq!(element(&cart.screen, "PIN").accessible_value().expect("a value"), "3 digits");
    tap(&cart.screen, "Open staff mode");
    let told = cart.asks.borrow().iter().any(|ask| matches!(ask, Ask::Pin(_)));
    assert!(!told, "three digits are no PIN yet");
}

#[test]
fn a_wrong_pin_is_said_and_after_four_the_pad_is_shut_until_the_time_is_over() {
    let mut cart = Cart::new(&named("welcome"));
    cart.desk.handle(Ask::Knock, &cart.view, cart.now);
    cart.show();
    for _ in 0..3 {
        cart.type_pin("9731");
        assert!(cart.says("That is not the PIN. Please try again."));
        assert_eq!(cart.page(), StaffPage::Pin);
    }
    cart.type_pin("9731");
    assert!(cart.says("Too many wrong PINs. The next one can be typed in 0:30."));
    assert!(!cart.says("Keyboard"), "there is nothing to type on");
    cart.idle(10);
    assert!(cart.says("Too many wrong PINs. The next one can be typed in 0:20."));
    // Somebody has to stay, or the pad closes by itself first.
    cart.desk.handle(Ask::Stay, &cart.view, cart.now);
    cart.idle(20);
    assert!(cart.says("For staff of this store. Type your PIN."));
    cart.type_pin(PIN);
    assert_eq!(cart.page(), StaffPage::Home);
}

#[test]
fn each_page_is_a_touch_away_and_says_what_it_is() {
    for (tile, page, words) in [
        ("Devices", StaffPage::Devices, "Camera 2: out"),
        ("Scale", StaffPage::Scale, "Take everything out of the cart. Then set zero."),
        ("Enrol", StaffPage::Enrol, "This cart has no model to recognise products with: nothing can be enrolled."),
        ("Store link", StaffPage::Hub, "The store is looked for at: 127.0.0.1:1883"),
        ("Record", StaffPage::Recordings, "Nothing is recorded."),
        ("Log", StaffPage::Log, "Everything"),
    ] {
        let mut cart = Cart::new(&named("welcome"));
        cart.open(tile);
        assert_eq!(cart.page(), page);
        assert!(cart.says(words), "{tile}: {words:?}");
        cart.tap("Overview");
        assert_eq!(cart.page(), StaffPage::Home);
        assert!(cart.says("Cart: cart-07"));
        cart.tap("Leave staff mode");
        assert_eq!(cart.page(), StaffPage::Closed);
    }
}

#[test]
fn the_cameras_and_the_weight_are_live() {
    let mut cart = Cart::new(&named("welcome"));
    cart.open("Devices");
    cart.pass(2_000);
    let devices = cart.screen.screen().window().staff_devices();
    assert_eq!(devices.get_pictures().row_count(), 2);
    let before = cart.screen.screenshot();
    cart.put(500.0);
    let label = format!("Scale: {:.1} g", 500.0 * SLOPE + ZERO_G);
    let shown = cart.screen.screen().window().staff_devices().get_weight();
    let grams: f32 = shown.split(' ').next().and_then(|n| n.parse().ok()).expect("grams");
    assert!((grams - (500.0 * SLOPE + ZERO_G)).abs() < 3.0, "{shown:?} is not {label:?}");
    assert!(cart.screen.screenshot() != before);
    cart.tap("Overview");
    assert_eq!(cart.screen.screen().window().staff_devices().get_pictures().row_count(), 0, "no frame stays");
}

#[test]
fn a_calibration_goes_through_to_the_end_and_the_cart_weighs_by_it() {
    let mut cart = Cart::new(&named("welcome"));
    cart.open("Scale");
    cart.pass(2_000);
    cart.tap("2 kg");
    cart.tap("Set zero");
    assert!(cart.says("Put 2 kg in, in the middle. Wait until it rests, then read."));
    cart.tap("Read the weight");
    assert!(refused(&cart, "That cannot be 2 kg"));
    let mass = cart.put(2_000.0);
    cart.tap("Read the weight");
    assert!(cart.says("Lift it out. Then put 2 kg or 1 kg in, and check."));
    cart.tap("Check");
    assert!(cart.says("The weight was not lifted. Take it out once, so that something is checked."));
    cart.take(mass);
    let half = cart.put(1_000.0);
    cart.tap("Check");
    assert!(cart.screen.screen().window().staff_scale().get_error().ends_with(" g"), "the error is told");
    assert!(calibration::load(cart.data.path(), "load cell at sim").is_none(), "nothing is kept unasked");
    cart.tap("Keep it");
    assert!(cart.says("Kept. The cart weighs by it from now on. Take the weight out."));
    let kept = calibration::load(cart.data.path(), "load cell at sim").expect("kept");
    assert_eq!(kept.mass_g, 2_000);
    cart.take(half);
    cart.put(742.0);
    let rest = cart.place.instruments.rest(cart.now).expect("at rest");
    assert!((rest.grams - 742.0).abs() < 4.0, "{rest:?}");
}

/// Some words on the screen begin so.
fn refused(cart: &Cart, begin: &str) -> bool {
    let elements = ElementQuery::from_root(cart.screen.screen().window()).find_all();
    elements.iter().filter_map(ElementHandle::accessible_label).any(|label| label.starts_with(begin))
}

#[test]
fn a_calibration_that_is_refused_leaves_the_old_one() {
    let mut cart = Cart::new(&named("welcome"));
    cart.open("Scale");
    cart.pass(2_000);
    cart.tap("2 kg");
    cart.tap("Set zero");
    let mass = cart.put(2_000.0);
    cart.tap("Read the weight");
    cart.take(mass);
    // Another weight than was said.
    cart.put(1_200.0);
    cart.tap("Check");
    assert!(refused(&cart, "The check is off by"));
    cart.tap("Begin anew, keep nothing");
    assert!(cart.says("Take everything out of the cart. Then set zero."));
    assert!(calibration::load(cart.data.path(), "load cell at sim").is_none());
    assert_eq!(*cart.place.instruments.line.lock().expect("a line"), Line::of(&ScaleBoard::default()));
}

#[test]
fn a_product_is_found_by_its_code_and_an_unknown_code_is_said() {
    let mut cart = Cart::with(&named("welcome"), Some(no_model));
    cart.open("Enrol");
    cart.pass(400);
    cart.shown_to("05449000000996");
    cart.pass(400);
    assert!(refused(&cart, "No product of this store has the code"));
    let catalogue = cart.place.facts.catalogue.clone();
    let product = catalogue.products().iter().find(|product| !product.gtins.is_empty()).expect("a packed product");
    cart.shown_to(&product.gtins[0].to_string());
    cart.pass(400);
    assert!(cart.says(&product.name), "{}", product.name);
    cart.tap("Another product");
    assert!(cart.says("Name or number of the product"));
}

/// Enrolling up to the model, which is not there.
fn no_model(data: &Path) -> Views {
    let sight = SightConfig {
        model: data.join("none.onnx"),
        gallery: data.join("none.gallery"),
        runtime: None,
        add_threshold: 0.99,
    };
    Views { config: sight, gallery: watch::channel(Arc::new(Gallery::new("none", 4))).0, own: own_file(data) }
}

fn with_model(data: &Path) -> Views {
    let model = assets().join("models/trainonly.onnx");
    let description = Embedder::open_with(&model, &runtime_path()).expect("a model").description().clone();
    let gallery = Gallery::load(&model.with_extension("gallery"), &description.fingerprint).expect("its gallery");
    let gallery_file = model.with_extension("gallery");
    let sight = SightConfig { model, gallery: gallery_file, runtime: None, add_threshold: 0.99 };
    Views { config: sight, gallery: watch::channel(Arc::new(gallery)).0, own: own_file(data) }
}

/// Finds the first packed product by typing its number, and takes five pictures.
fn five_pictures(cart: &mut Cart) -> Sku {
    cart.open("Enrol");
    cart.pass(400);
    let catalogue = cart.place.facts.catalogue.clone();
    let product = catalogue.products().iter().find(|product| !product.gtins.is_empty()).expect("a packed product");
    for digit in product.gtins[0].to_string().trim_start_matches('0').chars() {
        cart.tap(&digit.to_string());
    }
    cart.tap(&product.name);
    for n in 1..=5 {
        cart.pass(400);
        cart.tap(&format!("Take picture {n} of 5"));
    }
    assert!(cart.says("Look at the five pictures. Is it on all of them?"));
    product.sku.clone()
}

#[test]
fn an_enrolment_goes_through_to_the_end_and_the_eyes_know_it_at_once() {
    if !runtime_path().is_file() {
        eprintln!("SKIPPED: no ONNX Runtime at {}", runtime_path().display());
        return;
    }
    let mut cart = Cart::with(&named("welcome"), Some(with_model));
    let sku = five_pictures(&mut cart);
    cart.tap("Throw the last picture away");
    assert!(cart.says("Take picture 5 of 5"));
    cart.pass(400);
    cart.tap("Take picture 5 of 5");
    cart.tap("They are good");
    let known = |cart: &Cart| cart.place.views.as_ref().expect("views").gallery.borrow().views(&sku);
    let before = known(&cart);
    assert!(!own_file(cart.data.path()).exists(), "nothing is kept unasked");
    cart.tap("Keep it");
    assert!(cart.says("Enrolled. The cart knows it from now on."));
    assert!(own_file(cart.data.path()).exists());
    assert!(known(&cart) > 0 && (before == 0 || known(&cart) != before), "{before} views, then {}", known(&cart));
    cart.tap("Leave staff mode");
}

#[test]
fn an_enrolment_that_cannot_be_done_says_why_and_changes_nothing() {
    let mut cart = Cart::with(&named("welcome"), Some(no_model));
    five_pictures(&mut cart);
    cart.tap("They are good");
    assert!(cart.says("That could not be done. Nothing has changed."));
    assert!(refused(&cart, "sight: model"), "the reason names the model");
    assert!(!own_file(cart.data.path()).exists());
}

#[test]
fn a_recording_is_begun_and_ended_and_deleted_only_when_asked_twice() {
    let mut cart = Cart::new(&named("welcome"));
    let folder = cart.data.path().join("recordings");
    std::fs::create_dir(&folder).expect("made");
    std::fs::write(folder.join("0003.trip-recording"), "frames").expect("written");
    cart.open("Record");
    cart.tap("Begin a recording");
    assert_eq!(cart.place.tape.wanted(), Some(Wanted::Begin(folder.join("0004.trip-recording"))));
    cart.place.tape.done(Err("the disk is full".into()));
    cart.pass(200);
    assert!(cart.says("That could not be done: the disk is full"));
    cart.tap("Delete");
    assert!(folder.join("0003.trip-recording").exists());
    cart.tap("Delete for good");
    assert!(!folder.join("0003.trip-recording").exists());
}

#[test]
fn a_touch_of_staff_means_what_its_label_says() {
    let table: Vec<(&str, &str, Ask)> = vec![
        ("staff-home", "Devices", Ask::Go(PageKind::Devices)),
        ("staff-home", "Leave staff mode", Ask::Close),
        ("staff-home-trip", "Stay", Ask::Stay),
        ("staff-pin-wait", "Back to the shop", Ask::Close),
        ("staff-log", "Errors", Ask::Level(LogLevel::Error)),
        ("staff-log", "Warnings", Ask::Level(LogLevel::Warn)),
        ("staff-recordings-on", "End the recording", Ask::EndRecording),
        ("staff-scale", "5 kg", Ask::Mass(5_000)),
        ("staff-scale-keep", "Keep it", Ask::Keep),
        ("staff-enrol-pictures", "Take picture 3 of 5", Ask::Snap),
        ("staff-enrol-ready", "Keep it", Ask::Keep),
        ("staff-enrol-search", "Oat biscuits 300 g", Ask::Choose(sku("oat-drink-1l"))),
    ];
    for (name, label, expected) in table {
        let sample = sample::named(name).expect("a sample of that name");
        let (screen, heard) = show(&sample.view);
        let asks = Rc::new(RefCell::new(Vec::new()));
        screen.screen().on_ask({
            let asks = asks.clone();
            move |ask| asks.borrow_mut().push(ask)
        });
        sample.show_on(screen.screen());
        screen.settle();
        tap(&screen, label);
        assert_eq!(asks.borrow().as_slice(), [expected], "{label:?} on {name}");
        assert!(heard.borrow().is_empty());
    }
}

#[test]
fn a_trip_underneath_is_neither_seen_nor_touched_and_is_there_again_afterwards() {
    let mut cart = Cart::new(&named("basket-held"));
    // The line that came last is not marked as new any more.
    cart.screen.advance(10_000);
    let before = cart.screen.screenshot();
    cart.enter();
    assert!(refused(&cart, "A shopper's trip is on and goes on underneath."));
    let over = cart.screen.screenshot();
    assert!(over.get_pixel(640, 32) != before.get_pixel(640, 32), "the header is covered too");
    cart.tap("Store link");
    // Where the basket has its lines, the way to the lane and the call for help.
    for (x, y) in [(300.0, 500.0), (1_000.0, 700.0), (700.0, 32.0)] {
        cart.screen.tap(x, y);
    }
    cart.show();
    assert_eq!(cart.page(), StaffPage::Hub);
    cart.tap("Overview");
    cart.tap("Scale");
    cart.pass(2_000);
    cart.tap("Set zero");
    assert!(cart.says("A shopper's trip is on. The scale is calibrated only between trips."));
    cart.tap("Overview");
    cart.tap("Enrol");
    assert!(cart.says("A shopper's trip is on. Products are enrolled only between trips."));
    cart.tap("Leave staff mode");
    assert!(cart.heard.borrow().is_empty(), "{:?}", cart.heard.borrow());
    cart.screen.advance(2_000);
    assert!(cart.screen.screenshot() == before, "the basket is as it was");
}

#[test]
fn it_closes_by_itself_and_says_so_before_and_a_payment_closes_it_at_once() {
    let mut cart = Cart::new(&named("welcome"));
    cart.enter();
    cart.idle(181);
    assert!(refused(&cart, "Staff mode closes in"));
    cart.tap("Stay");
    assert!(!refused(&cart, "Staff mode closes in"));
    cart.idle(241);
    assert_eq!(cart.page(), StaffPage::Closed);
    cart.desk.handle(Ask::Knock, &cart.view, cart.now);
    cart.idle(31);
    assert_eq!(cart.page(), StaffPage::Closed, "the pad does not wait for long");
    let mut cart = Cart::new(&named("basket"));
    cart.enter();
    cart.view = named("pay-tap");
    cart.pass(200);
    assert_eq!(cart.page(), StaffPage::Closed);
    cart.desk.handle(Ask::Knock, &cart.view, cart.now);
    cart.show();
    assert!(cart.says("Somebody is paying. Staff mode opens when that is done."));
}
