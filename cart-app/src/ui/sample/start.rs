//! How a trip begins, and the shopping list.

use cart_core::view::{Banner, EntryView, Joined, ListView, Screen, StartView, Tile, View};

use super::super::CartWindow;
use super::Sample;
use super::goods::tile;
use super::trip::{basket, empty};

/// How would you like to start?
fn start(connected: bool, wrong_number: bool) -> View {
    let link = "https://carts.example/pair/cart-07#/hXk3Vb9sQ2mWc7TzR1yLpA".to_owned();
    let start = StartView { link: connected.then_some(link), phones: true, wrong_number };
    let notices = if connected { Vec::new() } else { vec![Banner::Offline] };
    View {
        screen: Screen::Start(start),
        connected,
        offline_minutes: (!connected).then_some(3),
        banner: notices.first().cloned(),
        notices,
        ..empty()
    }
}

/// A shopper whose phone brought a list.
fn with_list() -> View {
    let joined = Joined { member: Some("•••• 8905".into()), phone: true };
    View { joined, list: Some((4, 7)), ..basket() }
}

fn list() -> View {
    let entry = |number, text: &str, product: Option<Tile>, aisle: &str, ticked, bought| EntryView {
        number,
        text: text.into(),
        product,
        aisle: Some(aisle.to_owned()).filter(|aisle| !aisle.is_empty()),
        ticked,
        bought,
    };
    let entries = vec![
        entry(2, "lemons", Some(tile("lemon", "Lemon", 35)), "A2", false, false),
        entry(5, "spaghetti", Some(tile("spaghetti-500", "Spaghetti 500 g", 115)), "D3", false, false),
        entry(6, "something nice for Grandma, perhaps the dark chocolate she", None, "", false, false),
        entry(0, "2 oat drinks", Some(tile("oat-drink-1l", "Oat drink 1 l", 185)), "B1", true, true),
        entry(1, "bananas", Some(tile("banana", "Bananas", 115)), "A1", true, true),
        entry(3, "bread", Some(tile("sourdough-loaf", "Sourdough loaf", 340)), "B4", true, true),
        entry(4, "birthday candles", None, "", true, false),
    ];
    View { screen: Screen::List(ListView { entries }), ..with_list() }
}

/// Its samples.
pub(super) fn samples() -> Vec<Sample> {
    vec![
        Sample::new("start", start(true, false)),
        Sample::new("start-offline", start(false, false)),
        Sample::new("start-wrong-number", start(true, true)).opening(|window| {
            let start = window.start();
            start.set_typing(true);
            start.set_number("2612345678900".into());
            start.set_tried("2612345678900".into());
        }),
        Sample::new("basket-list", with_list()),
        Sample::new("list", list()),
    ]
}
