//! The demo's panel beside the cart: the shopper's hands, and no part of the cart.

use std::rc::Rc;

use slint::{ComponentHandle, ModelRc, VecModel};
use trip::Sku;

use super::pictures::Place;
use super::{Pictures, screen};
use cart_ui::{DemoWindow, Shop, Thing};

/// What a person did around the cart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShopAction {
    /// Put in a thing of the shelf, by its place; its code is shown to the cameras first.
    Put(usize),
    /// The same, with its code kept from the cameras.
    PutUnread(usize),
    /// Take out a thing of the cart, by its place.
    Take(usize),
    /// Roll up to the lane, or away from it.
    RollToLane,
    /// Tap a card on the lane's reader.
    TapCard,
    /// Knock the cart.
    Bump,
}

/// The adapter of the panel.
pub struct ShopPanel {
    window: slint::Weak<DemoWindow>,
    pictures: Rc<Pictures>,
    shelf: Rc<VecModel<Thing>>,
    in_cart: Rc<VecModel<Thing>>,
}

impl ShopPanel {
    /// Joins the demo's window; the panel is empty.
    pub fn new(window: &DemoWindow, pictures: Rc<Pictures>) -> Self {
        let panel = Self { window: window.as_weak(), pictures, shelf: Rc::default(), in_cart: Rc::default() };
        window.global::<Shop>().set_shelf(ModelRc::from(panel.shelf.clone()));
        window.global::<Shop>().set_in_cart(ModelRc::from(panel.in_cart.clone()));
        panel
    }

    /// What can be put in: product and name.
    pub fn set_shelf(&self, things: &[(Sku, String)]) {
        screen::update(&self.shelf, self.things(things));
    }

    /// What lies in the cart, newest first: product and name.
    pub fn set_in_cart(&self, things: &[(Sku, String)]) {
        screen::update(&self.in_cart, self.things(things));
    }

    /// One line about what goes on.
    pub fn set_story(&self, story: &str) {
        if let Some(window) = self.window.upgrade() {
            window.global::<Shop>().set_story(story.into());
        }
    }

    /// The lane the cart stands at, if any: the button then rolls away.
    pub fn set_lane(&self, lane: Option<&str>) {
        if let Some(window) = self.window.upgrade() {
            window.global::<Shop>().set_lane(lane.unwrap_or_default().into());
        }
    }

    /// Sends every touch of the panel to `take`, on the UI thread.
    pub fn on_action(&self, take: impl Fn(ShopAction) + 'static) {
        let Some(window) = self.window.upgrade() else { return };
        let shop = window.global::<Shop>();
        let take: Rc<dyn Fn(ShopAction)> = Rc::new(take);
        let at = |action: fn(usize) -> ShopAction| {
            let take = take.clone();
            move |index: i32| {
                if let Ok(index) = usize::try_from(index) {
                    take(action(index));
                }
            }
        };
        let plain = |action: ShopAction| {
            let take = take.clone();
            move || take(action)
        };
        let (shown, hidden) = (at(ShopAction::Put), at(ShopAction::PutUnread));
        shop.on_put(move |index, code_shown| if code_shown { shown(index) } else { hidden(index) });
        shop.on_take(at(ShopAction::Take));
        shop.on_roll_to_lane(plain(ShopAction::RollToLane));
        shop.on_tap_card(plain(ShopAction::TapCard));
        shop.on_bump(plain(ShopAction::Bump));
    }

    fn things(&self, things: &[(Sku, String)]) -> Vec<Thing> {
        things
            .iter()
            .map(|(sku, name)| Thing {
                name: name.as_str().into(),
                picture: self.pictures.picture(sku, name, Place::Shelf),
            })
            .collect()
    }
}
