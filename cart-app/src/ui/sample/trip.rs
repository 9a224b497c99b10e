//! Shopping: the basket, finding, weighing, and a line shown whole.

use cart_core::view::{
    Banner, ItemView, Joined, LineView, PayBlocked, Screen, SearchView, TakenOut, TareView, Tile, View, Waiting,
    WeighView,
};
use trip::basket::HoldReason;
use trip::{Allergen, Detail, Grams};

use super::Sample;
use super::goods::{LONG_NAME, gbp, hold, line, lines, sku, tile, with};

/// An empty trip at the store of the samples.
pub fn empty() -> View {
    View {
        store_name: "Market Street".to_owned(),
        screen: Screen::Basket,
        banner: None,
        notices: Vec::new(),
        connected: true,
        offline_minutes: None,
        battery: Some((82, false)),
        battery_minutes: None,
        battery_ready: true,
        total: gbp(0),
        items: 0,
        saved: gbp(0),
        lines: Vec::new(),
        holds: Vec::new(),
        ask: None,
        taken_out: None,
        lane: None,
        pay_blocked: Some(PayBlocked::Empty),
        help_called: false,
        shared: false,
        waiting: Waiting::default(),
        still_there: None,
        budget: None,
        watched: Vec::new(),
        joined: Joined::default(),
        list: None,
        offers: 2,
    }
}

/// A basket halfway through a trip.
pub fn basket() -> View {
    View {
        total: gbp(2664),
        items: 10,
        saved: gbp(120),
        lines: lines(),
        pay_blocked: Some(PayBlocked::NoLane),
        ..empty()
    }
}

/// Nobody shops yet.
pub fn welcome() -> View {
    View { screen: Screen::Welcome, ..empty() }
}

/// A shopper with a budget who watches for two things.
pub fn wishes() -> View {
    View { budget: Some(gbp(4000)), watched: vec![Allergen::Gluten, Allergen::Nuts], ..basket() }
}

/// A loaf shown whole, by a shopper who watches for gluten.
fn item(known: bool) -> View {
    let nutrition = trip::detail::Nutrition {
        kj: 1_046,
        kcal: 248,
        fat: trip::detail::Tenths(18),
        saturates: trip::detail::Tenths(3),
        carbohydrate: trip::detail::Tenths(472),
        sugars: trip::detail::Tenths(21),
        fibre: Some(trip::detail::Tenths(38)),
        protein: trip::detail::Tenths(91),
        salt: trip::detail::Hundredths(112),
    };
    let detail = Detail {
        ingredients: "Wheat flour, water, rye sourdough 18 % (rye flour, water), salt, sesame seeds.".into(),
        contains: vec![Allergen::Gluten, Allergen::Sesame],
        may_contain: vec![Allergen::Milk, Allergen::Nuts],
        nutrition: Some(nutrition),
    };
    let shown = ItemView {
        line: LineView { warned: vec![Allergen::Gluten], ..line(6, "sourdough-loaf", "Sourdough loaf", 340) },
        weight: Some(Grams(812)),
        aisle: Some("B4".into()),
        min_age: 0,
        detail: known.then_some(detail),
    };
    View { screen: Screen::Item(Box::new(shown)), watched: vec![Allergen::Gluten], ..basket() }
}

/// What is found by `text`.
pub(super) fn search(text: &str, found: Vec<Tile>) -> View {
    View { screen: Screen::Search(SearchView { text: text.to_owned(), asked: true, found }), ..basket() }
}

pub(super) fn tare(number: usize, name: &str, grams: i32, chosen: bool) -> TareView {
    TareView { number, name: name.to_owned(), weight: Grams(grams), chosen }
}

fn weigh(steady: bool) -> View {
    let weigh = WeighView {
        sku: sku("apple-granny-smith"),
        name: "Granny Smith apples".to_owned(),
        gross: Grams(750),
        tare: Grams(6),
        tares: vec![tare(0, "Paper bag", 6, true), tare(1, "Net bag", 14, false), tare(2, "Tray", 22, false)],
        net: Grams(744),
        per_kg: gbp(220),
        price: steady.then_some(gbp(164)),
    };
    View { screen: Screen::Weigh(weigh), ..basket() }
}

fn found() -> Vec<Tile> {
    [
        ("orange-navel", "Navel orange", 65),
        ("orange-juice", "Orange juice, freshly squeezed 1 l", 310),
        ("oregano", "Oregano, dried 14 g", 120),
        ("orzo", "Orzo pasta 500 g", 145),
        ("oreo", "Chocolate sandwich biscuits 154 g", 125),
        ("blood-orange", "Blood oranges", 92),
        ("long", LONG_NAME, 440),
    ]
    .map(|(product, name, minor)| tile(product, name, minor))
    .to_vec()
}

/// Its samples.
pub(super) fn samples() -> Vec<Sample> {
    vec![
        Sample::new("welcome", welcome()),
        Sample::new("basket-empty", empty()),
        Sample::new("basket", basket()),
        Sample::new("basket-at-lane", View { lane: Some("2".into()), pay_blocked: None, ..basket() }),
        Sample::new(
            "basket-taken-out",
            View { taken_out: Some(TakenOut { name: "Oat drink 1 l".into(), price: gbp(185) }), ..basket() },
        ),
        Sample::new(
            "basket-held",
            with(basket(), |v| {
                v.holds = vec![hold(10, 310, HoldReason::Unknown), hold(11, 0, HoldReason::NeverPutIn)];
                v.pay_blocked = Some(PayBlocked::Unresolved);
            }),
        ),
        Sample::new("search", search("or", found())),
        Sample::new("search-empty", search("", Vec::new())),
        Sample::new("search-nothing", search("qzx", Vec::new())),
        Sample::new("weigh", weigh(true)),
        Sample::new("weigh-unsteady", weigh(false)),
        Sample::new("basket-budget", with(basket(), |v| v.budget = Some(gbp(4000)))),
        Sample::new(
            "basket-over-budget",
            View {
                budget: Some(gbp(2500)),
                banner: Some(Banner::BudgetReached),
                notices: vec![Banner::BudgetReached],
                ..basket()
            },
        ),
        Sample::new(
            "basket-allergen",
            with(basket(), |v| {
                v.watched = vec![Allergen::Gluten];
                v.lines[3].warned = vec![Allergen::Gluten];
            }),
        ),
        Sample::new("item", item(true)),
        Sample::new("item-unknown", item(false)),
    ]
}
