//! One cart's screen: takes whole views, hands back intents.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use cart_core::view::{Banner, PayStep, PayView, Screen as Which, View, WeighView};
use cart_core::{Device, Intent};
use slint::{Model, ModelRc, VecModel};
use tokio::sync::watch;

use super::basket::Basket;
use super::generated::{App, BannerKind, Figure, PayPhase, Scheme, ScreenKind, TareData};
use super::pictures::Place;
use super::receipt::Receipt;
use super::search::Search;
use super::{CartWindow, Pictures, ask, format, intents};

/// The adapter of one window.
pub struct Screen<W: CartWindow = App> {
    window: W,
    pictures: Rc<Pictures>,
    basket: Basket,
    search: Rc<RefCell<Search>>,
    receipt: RefCell<Receipt>,
    pay_amount: Rc<VecModel<Figure>>,
    weigh_price: Rc<VecModel<Figure>>,
    tares: Rc<VecModel<TareData>>,
    /// The last view applied: what did not change since is left alone.
    last: RefCell<Option<View>>,
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
        Self {
            basket: Basket::new(&window, pictures.clone()),
            search: Search::new(&window),
            receipt: RefCell::default(),
            window,
            pictures,
            pay_amount,
            weigh_price,
            tares,
            last: RefCell::default(),
        }
    }

    /// The window, to show, run or drive it.
    pub fn window(&self) -> &W {
        &self.window
    }

    /// Sends every touch that means something to `take`. Called on the UI thread: `take` must not
    /// block.
    pub fn on_intent(&self, take: impl Fn(Intent) + 'static) {
        intents::connect(&self.window, Rc::new(take), self.search.clone());
    }

    /// Shows `view`, whole. Cheap when little changed.
    pub fn apply(&self, view: &View) {
        if self.last.borrow().as_ref() == Some(view) {
            return;
        }
        let before = self.last.replace(Some(view.clone()));
        self.apply_frame(view, before.as_ref());
        self.basket.apply(&self.window, view);
        ask::apply(&self.window, view, before.as_ref(), &self.pictures);
        match &view.screen {
            Which::Search(found) => self.search.borrow_mut().apply(&self.window, found, &self.pictures),
            Which::Weigh(weigh) => self.apply_weigh(weigh),
            Which::Pay(pay) => self.apply_pay(pay),
            Which::Receipt(receipt) => self.receipt.borrow_mut().apply(&self.window, receipt),
            Which::Welcome | Which::Basket | Which::Charging => {}
        }
        if !matches!(view.screen, Which::Search(_)) {
            self.search.borrow_mut().leave();
        }
        if !matches!(view.screen, Which::Receipt(_)) {
            self.receipt.borrow_mut().forget(&self.window);
        }
        // Last, so that the screen that comes on has its content already.
        self.window.state().set_screen(match view.screen {
            Which::Welcome => ScreenKind::Welcome,
            Which::Basket => ScreenKind::Basket,
            Which::Search(_) => ScreenKind::Search,
            Which::Weigh(_) => ScreenKind::Weigh,
            Which::Pay(_) => ScreenKind::Pay,
            Which::Receipt(_) => ScreenKind::Receipt,
            Which::Charging => ScreenKind::Charging,
        });
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

    /// The colours: light, dark, or either in high contrast.
    pub fn set_scheme(&self, scheme: Scheme) {
        self.window.theme().set_scheme(scheme);
    }

    /// Larger text, every size × 1.4.
    pub fn set_large_text(&self, large: bool) {
        self.window.theme().set_large_text(large);
    }

    /// No slides and no rolls.
    pub fn set_reduced_motion(&self, reduced: bool) {
        self.window.theme().set_reduced_motion(reduced);
    }

    fn apply_frame(&self, view: &View, before: Option<&View>) {
        let state = self.window.state();
        state.set_store_name(view.store_name.as_str().into());
        state.set_connected(view.connected);
        state.set_battery_known(view.battery.is_some());
        if let Some((percent, charging)) = view.battery {
            state.set_battery_percent(i32::from(percent.min(100)));
            state.set_charging(charging);
        }
        state.set_banner(view.banner.as_ref().map_or(BannerKind::None, banner));
        state.set_help_called(view.help_called);
        let was_called = before.is_some_and(|b| b.help_called);
        if was_called && !view.help_called {
            state.set_help_open(false);
        }
        // The next person starts with an ordinary screen.
        let trip_ended = matches!(view.screen, Which::Welcome | Which::Charging)
            && before.is_some_and(|b| !matches!(b.screen, Which::Welcome | Which::Charging));
        if trip_ended {
            state.set_help_open(false);
            state.set_reading_open(false);
            let theme = self.window.theme();
            theme.set_scheme(Scheme::Light);
            theme.set_large_text(false);
            theme.set_reduced_motion(false);
        }
    }

    fn apply_weigh(&self, weigh: &WeighView) {
        let data = self.window.weigh();
        data.set_name(weigh.name.as_str().into());
        data.set_picture(self.pictures.picture(&weigh.sku, &weigh.name, Place::Whole));
        data.set_gross(format::figure_model(&format::weight(weigh.gross)));
        data.set_tare(format::figure_model(&format::weight(weigh.tare)));
        data.set_net(format::figure_model(&format::weight(weigh.net)));
        data.set_per_kg(format::figure_model(&format::per_kg(weigh.per_kg)));
        let tares = weigh.tares.iter().map(|tare| TareData {
            number: i32::try_from(tare.number).unwrap_or(i32::MAX),
            name: tare.name.as_str().into(),
            weight: format::weight_felt(tare.weight).into(),
            chosen: tare.chosen,
        });
        update(&self.tares, tares.collect());
        data.set_steady(weigh.price.is_some());
        let price = weigh.price.map(format::money).unwrap_or_default();
        format::roll(&self.weigh_price, &price);
        data.set_price(price.into());
    }

    fn apply_pay(&self, pay: &PayView) {
        let data = self.window.pay();
        data.set_lane(pay.lane.as_str().into());
        let amount = format::money(pay.amount);
        format::roll(&self.pay_amount, &amount);
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

fn banner(banner: &Banner) -> BannerKind {
    match banner {
        Banner::Offline => BannerKind::Offline,
        Banner::DeviceOut(Device::Camera(_)) => BannerKind::CameraOut,
        Banner::DeviceOut(Device::Scale) => BannerKind::ScaleOut,
        Banner::DeviceOut(Device::Motion) => BannerKind::MotionOut,
        Banner::DeviceOut(Device::Battery) => BannerKind::BatteryOut,
        Banner::Unsteady => BannerKind::Unsteady,
        Banner::Tilted => BannerKind::Tilted,
        Banner::Overloaded => BannerKind::Overloaded,
        Banner::BatteryLow(_) => BannerKind::BatteryLow,
        Banner::LaneRefused => BannerKind::LaneRefused,
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
