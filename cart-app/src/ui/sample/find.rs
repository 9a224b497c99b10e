//! Looking something up: the search that answers no question, a product and its place, offers.

use std::sync::Arc;

use cart_core::view::{MapView, OfferView, OffersView, ProductView, Screen, SearchView, Tile, UnitPrice, View};
use trip::floor::{Fixture, FixtureKind};
use trip::{Allergen, Detail, Floor};

use super::Sample;
use super::extremes::{MARKS, most};
use super::goods::{LONG_NAME, gbp, sku, tile};
use super::trip::basket;

fn fixture(kind: FixtureKind, name: &str, place: [u32; 4], bays: u32) -> Fixture {
    let [x, y, width, depth] = place;
    Fixture { kind, name: name.into(), x, y, width, depth, bays }
}

/// A small supermarket.
fn floor() -> Arc<Floor> {
    use FixtureKind::{Desk, Entrance, Lane, Shelf};
    let fixtures = vec![
        fixture(Shelf, "E", [40, 4, 180, 12], 4),
        fixture(Shelf, "A", [8, 40, 14, 100], 5),
        fixture(Shelf, "B", [54, 42, 150, 12], 6),
        fixture(Shelf, "C", [54, 78, 150, 12], 6),
        fixture(Shelf, "D", [54, 114, 150, 12], 6),
        fixture(Entrance, "", [20, 172, 36, 8], 0),
        fixture(Desk, "", [90, 158, 36, 14], 0),
        fixture(Lane, "1", [160, 150, 12, 26], 0),
        fixture(Lane, "2", [200, 150, 12, 26], 0),
    ];
    Arc::new(Floor { width: 260, depth: 180, fixtures })
}

/// The place, and the way from a lane.
fn map(aisle: &str, lane: Option<&str>) -> Option<MapView> {
    let floor = floor();
    let place = floor.place(aisle)?;
    let from = lane.and_then(|lane| floor.lane(lane)).map(Fixture::area);
    let way = from.map(|from| floor.way(from, place.area)).unwrap_or_default();
    Some(MapView { floor, place, lane: lane.map(str::to_owned), way })
}

fn spaghetti() -> ProductView {
    ProductView {
        sku: sku("spaghetti-500"),
        name: "Spaghetti 500 g".into(),
        price: gbp(115),
        per_kg: false,
        unit: Some(UnitPrice { price: gbp(230), litre: false }),
        deposit: gbp(0),
        offers: vec!["2 packs of pasta for £2".into()],
        aisle: Some("D3".into()),
        map: map("D3", None),
        min_age: 0,
        detail: Some(Detail {
            ingredients: "Durum wheat semolina.".into(),
            contains: vec![Allergen::Gluten],
            may_contain: vec![Allergen::Mustard, Allergen::Soya],
            nutrition: None,
        }),
    }
}

/// What a shopper knows of it who has it by the name alone.
fn unknown() -> ProductView {
    ProductView {
        sku: sku("tomato-vine"),
        name: "Vine tomatoes".into(),
        price: gbp(350),
        per_kg: true,
        unit: None,
        offers: Vec::new(),
        aisle: None,
        map: None,
        detail: None,
        ..spaghetti()
    }
}

fn extremes() -> ProductView {
    let label = format!("Any 12 of {LONG_NAME} for £1,234.50");
    ProductView {
        name: LONG_NAME.into(),
        price: most(),
        unit: Some(UnitPrice { price: most(), litre: true }),
        deposit: gbp(2475),
        offers: vec![label; 3],
        aisle: Some("E1".into()),
        map: map("E1", Some("2")),
        min_age: 18,
        detail: Some(Detail {
            ingredients: "Wholemeal spelt flour (gluten), water, rye sourdough, pumpkin seeds, ".repeat(12),
            contains: Allergen::ALL.to_vec(),
            may_contain: Allergen::ALL.to_vec(),
            nutrition: None,
        }),
        ..spaghetti()
    }
}

fn shown(product: ProductView) -> View {
    View { screen: Screen::Product(Box::new(product)), watched: vec![Allergen::Gluten], ..basket() }
}

fn found(text: &str, found: Vec<Tile>) -> View {
    View { screen: Screen::Search(SearchView { text: text.into(), asked: false, found }), ..basket() }
}

fn offer(label: &str, saves: (i64, i64), goods: Vec<Tile>) -> OfferView {
    OfferView { label: label.into(), saves: (gbp(saves.0), gbp(saves.1)), all: goods.len() as u32, goods }
}

fn offers(offers: Vec<OfferView>) -> View {
    View { screen: Screen::Offers(OffersView { offers }), ..basket() }
}

/// Its samples.
pub(super) fn samples() -> Vec<Sample> {
    let yoghurts = || {
        vec![
            tile("vanilla-yoghurt", "Vanilla yoghurt 150 g", 55),
            tile("berry-yoghurt", "Strawberry yoghurt 150 g", 60),
        ]
    };
    let tomatoes = vec![tile("chopped-tomatoes", "Chopped tomatoes 400 g", 85)];
    let per_kg = |tile: Tile| Tile { per_kg: true, ..tile };
    let results = vec![
        per_kg(tile("tomato-vine", "Vine tomatoes", 350)),
        tile("chopped-tomatoes", "Chopped tomatoes 400 g", 85),
        tile("tomato-sauce", "Tomato sauce with basil 350 g", 165),
    ];
    let long = (0..12).map(|n| tile("long", if n % 2 == 0 { LONG_NAME } else { MARKS }, most().minor)).collect();
    vec![
        Sample::new("find", found("tom", results)),
        Sample::new("find-empty", found("", Vec::new())),
        Sample::new("product", shown(spaghetti())),
        Sample::new(
            "product-way",
            shown(ProductView { aisle: Some("A2".into()), map: map("A2", Some("1")), ..spaghetti() }),
        ),
        Sample::new("product-unknown", shown(unknown())),
        Sample::new("product-extremes", shown(extremes())),
        Sample::new(
            "offers",
            offers(vec![
                offer("Any 3 small yoghurts for £1.20", (45, 60), yoghurts()),
                offer("2 tins of chopped tomatoes for £1.50", (20, 20), tomatoes),
            ]),
        ),
        Sample::new(
            "offers-extremes",
            offers(vec![
                OfferView {
                    all: 140,
                    ..offer(&format!("Any 12 of {LONG_NAME} for £1,234.50"), (1, most().minor), long)
                },
                offer("2 for £3", (1, 1), yoghurts()),
            ]),
        ),
    ]
}
