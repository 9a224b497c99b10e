//! One cart's screen: takes whole views, hands back intents.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use cart_core::Intent;
use cart_core::view::{PayStep, PayView, Screen as Which, TareView, View, WeighView};
use slint::{Model, ModelRc, Timer, TimerMode, VecModel};
use tokio::sync::watch;
use tracing::{info, warn};

use super::basket::Basket;
use super::format::{Written, roll};
use super::pictures::Place;
use super::receipt::Receipt;
use super::search::Search;
use super::staff::{Means, Staff};
use super::{
    CartWindow, Clock, Format, Language, Pictures, WeightUnit, ask, conditions, fonts, intents, item, list, offers,
    product, speech, start, typing, waiting, wishes,
};
use crate::config::ScreenConfig;
use crate::speech::{Programs, Speaker, Voice};
use crate::staff::StaffView;
use cart_ui::{
    App, BannerKind, Figure, Hand, LanguageChoice, PayPhase, Scheme, ScreenKind, TareData, TareKind, VoiceState,
};

/// So often a clock on the screen is looked at: it shows minutes.
const TICK: Duration = Duration::from_secs(5);

/// A store's own bag whose name has more letters has a row of its own.
const LONG_TARE: usize = 14;

/// The adapter of one window.
pub struct Screen<W: CartWindow = App> {
    // Shared with the window's own callbacks: a touch may choose the language.
    face: Rc<Face<W>>,
}

struct Face<W: CartWindow> {
    window: W,
    pictures: Rc<Pictures>,
    basket: Basket,
    search: Rc<RefCell<Search>>,
    receipt: RefCell<Receipt>,
    staff: Staff,
    pay_amount: Rc<VecModel<Figure>>,
    weigh_price: Rc<VecModel<Figure>>,
    tares: Rc<VecModel<TareData>>,
    /// What the store chose: the language every trip begins with.
    store: RefCell<ScreenConfig>,
    /// How the language that is on writes quantities.
    format: RefCell<Rc<Format>>,
    /// The last view applied: what did not change since is left alone.
    last: RefCell<Option<View>>,
    clock: RefCell<Clock>,
    /// Says aloud what changes; none where nothing was installed to speak with.
    speaker: RefCell<Option<Box<dyn Speaker>>>,
    /// Moves the clock of the charging screen on, while that is shown.
    ticks: Timer,
}

impl<W: CartWindow> Screen<W> {
    /// Joins a window and the pictures it shows. Nothing is shown before the first [`Self::apply`].
    pub fn new(window: W, pictures: Rc<Pictures>) -> Self {
        let pay_amount = Rc::new(VecModel::default());
        let weigh_price = Rc::new(VecModel::default());
        window.pay().set_amount_figures(ModelRc::from(pay_amount.clone()));
        let tares = Rc::new(VecModel::default());
        window.weigh().set_price_figures(ModelRc::from(weigh_price.clone()));
        window.weigh().set_tares(ModelRc::from(tares.clone()));
        window.welcome().set_pictures(ModelRc::new(VecModel::from(pictures.still_life())));
        fonts::chain();
        let face = Rc::new(Face {
            basket: Basket::new(&window, pictures.clone()),
            search: Search::new(&window),
            receipt: RefCell::default(),
            staff: Staff::new(&window),
            window,
            pictures,
            pay_amount,
            weigh_price,
            tares,
            store: RefCell::default(),
            format: RefCell::default(),
            last: RefCell::default(),
            clock: RefCell::new(Clock::system()),
            speaker: RefCell::default(),
            ticks: Timer::default(),
        });
        typing::connect(&face.window);
        let weak = Rc::downgrade(&face);
        face.ticks.start(TimerMode::Repeated, TICK, move || {
            if let Some(face) = weak.upgrade() {
                face.tick();
            }
        });
        face.ticks.stop();
        let weak = Rc::downgrade(&face);
        face.window.state().on_choose_language(move |tag| {
            // A tag that is none cannot come: the markup offers only those it was given.
            if let (Some(face), Ok(language)) = (weak.upgrade(), tag.parse()) {
                face.set_language(language);
            }
        });
        let weak = Rc::downgrade(&face);
        face.window.speech().on_turned(move || {
            if let Some(face) = weak.upgrade()
                && let Some(speaker) = &*face.speaker.borrow()
            {
                speech::turned(&face.window.state(), &face.window.speech(), &**speaker, &face.format());
            }
        });
        let weak = Rc::downgrade(&face);
        face.window.conditions().on_forget_choices(move || {
            if let Some(face) = weak.upgrade() {
                face.forget_choices();
            }
        });
        let screen = Self { face };
        screen.set_store(&ScreenConfig::default());
        screen
    }

    /// What the store chose: its language, those it offers, its unit of weight.
    pub fn set_store(&self, store: &ScreenConfig) {
        self.face.store.replace(store.clone());
        let offered = store
            .languages
            .iter()
            .map(|language| LanguageChoice { tag: language.tag().into(), name: language.own_name().into() });
        self.face.window.state().set_languages(ModelRc::new(VecModel::from(offered.collect::<Vec<_>>())));
        self.face.set_language(store.language);
    }

    /// Speaks `language` until the trip ends, or another is chosen.
    pub fn set_language(&self, language: Language) {
        self.face.set_language(language);
    }

    /// The language that is on.
    pub fn language(&self) -> Language {
        self.face.format().language()
    }

    /// The clock of the charging screen and of the receipt's date; the machine's, until another is set.
    pub fn set_clock(&self, clock: Clock) {
        self.face.clock.replace(clock);
        self.face.tick();
    }

    /// Speaks by the programs of this machine when the shopper asks for it; where there are none the reading
    /// options say so.
    pub fn find_voice(&self) {
        match Voice::new(Programs::find()) {
            Ok(voice) => self.set_speaker(Some(Box::new(voice))),
            Err(why) => {
                info!(%why, "this cart does not speak");
                self.set_speaker(None);
            }
        }
    }

    /// Speaks by `speaker`, or says that there is none.
    pub fn set_speaker(&self, speaker: Option<Box<dyn Speaker>>) {
        let state = if speaker.is_some() { VoiceState::Works } else { VoiceState::Absent };
        self.face.window.speech().set_voice(state);
        self.face.speaker.replace(speaker);
    }

    /// The window, to show, run or drive it.
    pub fn window(&self) -> &W {
        &self.face.window
    }

    /// Sends every touch that means something to `take`. Called on the UI thread: `take` must not
    /// block.
    pub fn on_intent(&self, take: impl Fn(Intent) + 'static) {
        intents::connect(&self.face.window, Rc::new(take), self.face.search.clone());
    }

    /// Shows `view`, whole. Cheap when little changed.
    pub fn apply(&self, view: &View) {
        if self.face.last.borrow().as_ref() != Some(view) {
            self.face.apply(view);
        }
    }

    /// Shows what staff mode is, whole, over whatever the shopper's screen shows.
    pub fn apply_staff(&self, view: &StaffView) {
        let face = &self.face;
        let (format, clock) = (face.format(), face.clock.borrow());
        let means = Means { format: &format, clock: &clock, pictures: &face.pictures };
        face.staff.apply(&face.window, view, &means);
    }

    /// Shows every view that arrives, the latest first, until the sender is gone. The Slint event
    /// loop of this thread does the work; the cart's own task only sends.
    ///
    /// # Errors
    /// When no platform or event loop was set up on this thread.
    pub fn follow(self: Rc<Self>, mut views: watch::Receiver<Arc<View>>) -> Result<(), slint::EventLoopError> {
        slint::spawn_local(async move {
            loop {
                let view = views.borrow_and_update().clone();
                self.apply(&view);
                if views.changed().await.is_err() {
                    return;
                }
            }
        })?;
        Ok(())
    }

    /// Shows pictures of products that are read aside when they have come; nothing where none are.
    ///
    /// # Errors
    /// When no platform or event loop was set up on this thread.
    pub fn follow_pictures(self: Rc<Self>) -> Result<(), slint::EventLoopError> {
        let Some(mut arrivals) = self.face.pictures.take_arrivals() else { return Ok(()) };
        slint::spawn_local(async move {
            while let Some(arrival) = arrivals.recv().await {
                self.face.pictures.keep(arrival);
                // All that wait are shown at once.
                while let Ok(more) = arrivals.try_recv() {
                    self.face.pictures.keep(more);
                }
                self.face.show_pictures();
            }
        })?;
        Ok(())
    }

    /// The colours: light, dark, or either in high contrast.
    pub fn set_scheme(&self, scheme: Scheme) {
        self.face.window.theme().set_scheme(scheme);
    }

    /// Larger text, every size × 1.4.
    pub fn set_large_text(&self, large: bool) {
        self.face.window.theme().set_large_text(large);
    }

    /// Which hand reaches the screen: its controls stand at that side.
    pub fn set_hand(&self, hand: Hand) {
        self.face.window.theme().set_hand(hand);
    }

    /// No slides and no rolls.
    pub fn set_reduced_motion(&self, reduced: bool) {
        self.face.window.theme().set_reduced_motion(reduced);
    }
}

impl<W: CartWindow> Face<W> {
    fn format(&self) -> Rc<Format> {
        self.format.borrow().clone()
    }

    fn apply(&self, view: &View) {
        let before = self.last.replace(Some(view.clone()));
        self.apply_frame(view, before.as_ref());
        let format = self.format();
        self.basket.apply(&self.window, view, &format);
        start::apply(&self.window, view, before.as_ref());
        wishes::apply(&self.window, view, &format);
        waiting::apply(&self.window, view, before.as_ref(), &self.pictures, &format);
        conditions::apply(&self.window, view, before.as_ref());
        if let Some(speaker) = &*self.speaker.borrow() {
            speech::apply(&self.window, &**speaker, before.as_ref(), view, &format);
        }
        ask::apply(&self.window, view, before.as_ref(), &self.pictures, &format);
        self.apply_screen(view, &format);
        if !matches!(view.screen, Which::Search(_)) {
            self.search.borrow_mut().leave();
        }
        if view.list.is_none() {
            list::forget(&self.window);
        }
        if !matches!(view.screen, Which::Receipt(_)) {
            self.receipt.borrow_mut().forget(&self.window);
        }
        if matches!(view.screen, Which::Charging | Which::LowBattery) {
            self.tick();
            self.ticks.restart();
        } else {
            self.ticks.stop();
        }
        // Last, so that the screen that comes on has its content already.
        self.window.state().set_screen(match view.screen {
            Which::Welcome => ScreenKind::Welcome,
            Which::Start(_) => ScreenKind::Start,
            Which::List(_) => ScreenKind::List,
            Which::Basket => ScreenKind::Basket,
            Which::Search(_) => ScreenKind::Search,
            Which::Weigh(_) => ScreenKind::Weigh,
            Which::Pay(_) => ScreenKind::Pay,
            Which::Receipt(_) => ScreenKind::Receipt,
            Which::Item(_) => ScreenKind::Item,
            Which::Product(_) => ScreenKind::Product,
            Which::Offers(_) => ScreenKind::Offers,
            Which::Goodbye => ScreenKind::Goodbye,
            Which::Charging => ScreenKind::Charging,
            Which::LowBattery => ScreenKind::LowBattery,
        });
    }

    /// What stands on the view's own screen.
    fn apply_screen(&self, view: &View, format: &Rc<Format>) {
        match &view.screen {
            Which::Search(found) => self.search.borrow_mut().apply(&self.window, found, &self.pictures, format),
            Which::Weigh(weigh) => self.apply_weigh(weigh, format),
            Which::Pay(pay) => self.apply_pay(pay, format),
            Which::Receipt(receipt) => {
                self.receipt.borrow_mut().apply(&self.window, receipt, format, &self.clock.borrow());
            }
            Which::Item(line) => item::apply(&self.window, line, &view.watched, &self.pictures, format),
            Which::Product(shown) => product::apply(&self.window, shown, &view.watched, &self.pictures, format),
            Which::Offers(shown) => offers::apply(&self.window, shown, &self.pictures, format),
            Which::List(shown) => list::apply(&self.window, shown, &self.pictures, format),
            Which::Start(_) | Which::Welcome | Which::Basket => {}
            Which::Goodbye | Which::Charging | Which::LowBattery => {}
        }
    }

    /// Shows again what has pictures of products.
    fn show_pictures(&self) {
        let shown = self.last.borrow();
        let Some(view) = shown.as_ref() else { return };
        let format = self.format();
        self.basket.rewrite(&format);
        waiting::apply(&self.window, view, None, &self.pictures, &format);
        ask::apply(&self.window, view, None, &self.pictures, &format);
        self.apply_screen(view, &format);
    }

    /// Speaks `language`, and says again what is shown.
    fn set_language(&self, language: Language) {
        self.speak(language);
        self.basket.rewrite(&self.format());
        self.receipt.borrow_mut().rewrite();
        let shown = self.last.take();
        if let Some(view) = shown {
            self.apply(&view);
        }
    }

    /// Words, quantities and direction of `language`, for all that is applied from now on.
    fn speak(&self, language: Language) {
        if let Err(why) = slint::select_bundled_translation(language.tag()) {
            warn!(%why, "the words stay in the language before");
        }
        self.format.replace(Rc::new(Format::new(language, self.store.borrow().weight)));
        self.window.theme().set_rtl(language.right_to_left());
        self.window.state().set_language(language.tag().into());
    }

    fn tick(&self) {
        let (state, format) = (self.window.state(), self.format());
        let now = self.clock.borrow().now();
        state.set_time(now.as_ref().map(|now| format.time(now.time()).into()).unwrap_or_default());
        state.set_date(now.map(|now| format.date(now.date()).into()).unwrap_or_default());
    }

    /// The look that every person finds.
    fn ordinary(&self) {
        let state = self.window.state();
        state.set_reading_open(false);
        state.set_language_open(false);
        state.set_tour_open(false);
        let theme = self.window.theme();
        theme.set_scheme(Scheme::Light);
        theme.set_large_text(false);
        theme.set_reduced_motion(false);
        theme.set_hand(Hand::Either);
        state.set_speech(false);
        if let Some(speaker) = &*self.speaker.borrow() {
            speaker.hush();
        }
    }

    /// Someone chose how to read and walked off before a trip began.
    fn forget_choices(&self) {
        self.ordinary();
        let language = self.store.borrow().language;
        if self.format().language() != language {
            self.set_language(language);
        }
    }

    fn apply_frame(&self, view: &View, before: Option<&View>) {
        let state = self.window.state();
        // The next person starts with an ordinary screen.
        let idle =
            |screen: &Which| matches!(screen, Which::Welcome | Which::Start(_) | Which::Charging | Which::LowBattery);
        let trip_ended = idle(&view.screen) && before.is_some_and(|b| !idle(&b.screen));
        if trip_ended || matches!(view.screen, Which::Goodbye) {
            state.set_wishes_open(false);
        }
        if idle(&view.screen) != before.is_some_and(|b| idle(&b.screen)) {
            state.set_tour_open(false);
        }
        if trip_ended {
            state.set_help_open(false);
            self.ordinary();
            let language = self.store.borrow().language;
            self.speak(language);
        }
        state.set_store_name(view.store_name.as_str().into());
        state.set_connected(view.connected);
        state.set_battery_known(view.battery.is_some());
        if let Some((percent, charging)) = view.battery {
            let percent = percent.min(100);
            state.set_battery_percent(i32::from(percent));
            state.set_battery(self.format().percent(u32::from(percent) * 100).into());
            state.set_charging(charging);
        }
        state.set_banner(view.banner.as_ref().map_or(BannerKind::None, conditions::kind));
        state.set_help_called(view.help_called);
        state.set_shared(view.shared);
        let was_called = before.is_some_and(|b| b.help_called);
        if was_called && !view.help_called {
            state.set_help_open(false);
        }
    }

    fn apply_weigh(&self, weigh: &WeighView, format: &Format) {
        let data = self.window.weigh();
        data.set_name(weigh.name.as_str().into());
        data.set_picture(self.pictures.picture(&weigh.sku, &weigh.name, Place::Whole));
        let (gross, tare, net) = (format.weight(weigh.gross), format.weight(weigh.tare), format.weight(weigh.net));
        let unit_price = format.unit_price(weigh.per_kg);
        data.set_gross(gross.figure_model());
        data.set_tare(tare.figure_model());
        data.set_net(net.figure_model());
        data.set_unit_price(unit_price.figure_model());
        data.set_gross_words(gross.into());
        data.set_tare_words(tare.into());
        data.set_net_words(net.into());
        data.set_unit_price_words(unit_price.into());
        data.set_pounds(format.unit() == WeightUnit::Lb);
        let tares = weigh.tares.iter().map(|tare| TareData {
            number: i32::try_from(tare.number).unwrap_or(i32::MAX),
            kind: tare_kind(&tare.name),
            name: tare.name.as_str().into(),
            weight: format.weight_felt(tare.weight).map(Into::into).unwrap_or_default(),
            chosen: tare.chosen,
        });
        update(&self.tares, tares.collect());
        let long = |tare: &TareView| tare_kind(&tare.name) == TareKind::Other && tare.name.chars().count() > LONG_TARE;
        data.set_tares_stacked(weigh.tares.iter().any(long));
        data.set_steady(weigh.price.is_some());
        let price = weigh.price.map(|price| format.money(price));
        roll(&self.weigh_price, price.as_ref().map(Written::figures).unwrap_or_default());
        data.set_price(price.map(Into::into).unwrap_or_default());
    }

    fn apply_pay(&self, pay: &PayView, format: &Format) {
        let data = self.window.pay();
        data.set_lane(pay.lane.as_str().into());
        data.set_offline(pay.offline);
        let amount = format.money(pay.amount);
        roll(&self.pay_amount, amount.figures());
        data.set_amount(amount.into());
        data.set_phase(match pay.step {
            PayStep::Preparing => PayPhase::Preparing,
            PayStep::Tap => PayPhase::Tap,
            PayStep::Checking => PayPhase::Checking,
            PayStep::Declined => PayPhase::Declined,
            PayStep::Approved => PayPhase::Approved,
        });
    }
}

/// The bags that every store has ([`cart_core::Tare::usual`]) are called by the shopper's language.
fn tare_kind(name: &str) -> TareKind {
    match name {
        "Paper bag" => TareKind::PaperBag,
        "Net bag" => TareKind::NetBag,
        "Tray" => TareKind::Tray,
        _ => TareKind::Other,
    }
}

/// Makes `model` equal to `wanted`, touching only the rows that differ.
pub(super) fn update<T: Clone + PartialEq + 'static>(model: &VecModel<T>, wanted: Vec<T>) {
    while model.row_count() > wanted.len() {
        model.remove(model.row_count() - 1);
    }
    for (row, value) in wanted.into_iter().enumerate() {
        match model.row_data(row) {
            Some(old) if old == value => {}
            Some(_) => model.set_row_data(row, value),
            None => model.push(value),
        }
    }
}
