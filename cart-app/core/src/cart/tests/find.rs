//! Finding a product and the way to it, and offers: shown when asked for, and nothing else.

use super::*;

/// The small store with a floor, an offer that saves, one that saves nothing, and one of which a part does.
fn store() -> Catalogue {
    let text = r#"
        store = "Market Street"
        currency = "GBP"
        tax = [{ name = "zero", letter = "Z", basis_points = 0 }]
        promotion = [
            { id = "a", label = "2 oat drinks for £3", skus = ["oat"], pieces = 2, price = 300 },
            { id = "b", label = "2 milks for £2.40", skus = ["milk"], pieces = 2, price = 240 },
            { id = "c", label = "Any 3 for £5", skus = ["oat", "milk", "tea"], pieces = 3, price = 500 },
        ]
        [floor]
        width = 200
        depth = 100
        fixture = [
            { kind = "shelf", name = "A", x = 20, y = 20, width = 120, depth = 10, bays = 4 },
            { kind = "lane", name = "lane-1", x = 150, y = 85, width = 10, depth = 15 },
        ]
        [[product]]
        sku = "oat"
        name = "Oat drink"
        tax = "zero"
        gtins = ["96385074"]
        weight = 1040
        content = { millilitres = 1000 }
        aisle = "A3"
        sale = { each = { price = 185 } }
        [[product]]
        sku = "milk"
        name = "Milk"
        tax = "zero"
        weight = 1045
        sale = { each = { price = 120 } }
        [[product]]
        sku = "tea"
        name = "Tea"
        tax = "zero"
        weight = 150
        aisle = "A1"
        sale = { each = { price = 250 } }
        [[product]]
        sku = "lime"
        name = "Lime"
        tax = "zero"
        weight = 70
        aisle = "A4"
        sale = { weight = { per_kg = 300 } }
    "#;
    Catalogue::parse(text).expect("a right catalogue")
}

fn shopping() -> Bench {
    let mut bench = Bench::in_store(store(), Vec::new(), 0.0);
    bench.tap(Intent::Start);
    bench
}

fn product(bench: &mut Bench, name: &str) -> crate::view::ProductView {
    bench.tap(Intent::ShowProduct { sku: sku(name) });
    match bench.cart.view().screen {
        Screen::Product(product) => *product,
        other => panic!("{other:?} is no product"),
    }
}

#[test]
fn a_product_is_found_without_a_question_and_nothing_comes_of_it() {
    let mut bench = shopping();
    let before = bench.journal.len();
    bench.tap(Intent::Find);
    bench.tap(Intent::Search { text: "li".into() });
    let Screen::Search(search) = bench.cart.view().screen else { panic!("no search") };
    let found: Vec<_> = search.found.iter().map(|tile| (tile.name.as_str(), tile.price.minor, tile.per_kg)).collect();
    assert_eq!((search.asked, found), (false, vec![("Lime", 300, true)]), "the price of a kilogram, as on the shelf");
    bench.tap(Intent::Choose { sku: sku("lime") });
    let Screen::Product(lime) = bench.cart.view().screen else { panic!("not shown") };
    assert_eq!((lime.name.as_str(), lime.price.minor, lime.per_kg, lime.unit), ("Lime", 300, true, None));
    assert_eq!((bench.journal.len(), bench.cart.view().total.minor), (before, 0), "looking costs nothing");
    bench.tap(Intent::Back);
    let Screen::Search(search) = bench.cart.view().screen else { panic!("back to what was found") };
    assert_eq!(search.text, "li");
    bench.tap(Intent::Back);
    assert_eq!(bench.cart.view().screen, Screen::Basket);
}

#[test]
fn an_open_question_waits_below_and_what_is_looked_up_does_not_answer_it() {
    let mut bench = shopping();
    bench.load(612.0);
    let hold = bench.cart.view().ask.expect("a question").hold;
    bench.tap(Intent::Find);
    bench.tap(Intent::Choose { sku: sku("tea") });
    assert!(matches!(bench.cart.view().screen, Screen::Product(_)));
    bench.tap(Intent::Choose { sku: sku("oat") });
    assert_eq!(bench.cart.state().basket.lines, [], "nothing was answered");
    bench.tap(Intent::Back);
    bench.tap(Intent::Back);
    let view = bench.cart.view();
    assert_eq!((view.screen, view.ask.map(|ask| ask.hold)), (Screen::Basket, Some(hold)));
    // And the other way round: where a question is being answered, no product page slips in between.
    bench.tap(Intent::SomethingElse { hold });
    bench.tap(Intent::ShowProduct { sku: sku("tea") });
    assert!(matches!(bench.cart.view().screen, Screen::Search(search) if search.asked));
}

#[test]
fn what_is_put_in_meanwhile_is_added_and_a_question_comes_to_the_front() {
    let mut bench = shopping();
    product(&mut bench, "tea");
    bench.see(&[("milk", 0.98)]);
    bench.load(1_045.0);
    assert_eq!(bench.lines(), ["milk 120"]);
    assert!(matches!(bench.cart.view().screen, Screen::Product(_)), "it stays open");
    bench.load(612.0);
    let view = bench.cart.view();
    assert!(view.ask.is_some() && view.screen == Screen::Basket, "{:?}", view.screen);
}

#[test]
fn only_offers_that_save_are_shown_and_only_when_asked_for() {
    let mut bench = shopping();
    assert_eq!((bench.cart.view().screen, bench.cart.view().offers), (Screen::Basket, 2));
    bench.tap(Intent::ShowOffers);
    let Screen::Offers(shown) = bench.cart.view().screen else { panic!("no offers") };
    let told: Vec<_> = shown
        .offers
        .iter()
        .map(|offer| {
            let goods: Vec<&str> = offer.goods.iter().map(|tile| tile.name.as_str()).collect();
            (offer.label.as_str(), offer.saves.0.minor, offer.saves.1.minor, offer.all, goods)
        })
        .collect();
    let expected = [
        ("2 oat drinks for £3", 70, 70, 1, vec!["Oat drink"]),
        // Three milks cost less than the offer: milk is no part of it.
        ("Any 3 for £5", 55, 250, 2, vec!["Oat drink", "Tea"]),
    ];
    assert_eq!(told, expected);
    assert_eq!(product(&mut bench, "oat").offers, ["2 oat drinks for £3", "Any 3 for £5"]);
    assert_eq!(product(&mut bench, "milk").offers, [] as [String; 0], "a promotion that saves nothing is none");
    bench.tap(Intent::Back);
    assert!(matches!(bench.cart.view().screen, Screen::Offers(_)), "back to where it was found");
    bench.tap(Intent::Back);
    assert_eq!(bench.cart.view().screen, Screen::Basket);
}

#[test]
fn a_product_is_on_the_map_and_the_way_begins_where_the_cart_is_known_to_be() {
    let mut bench = shopping();
    let oat = product(&mut bench, "oat");
    assert_eq!(oat.unit, Some(crate::view::UnitPrice { price: oat.price, litre: true }));
    let map = oat.map.expect("a place on the map");
    assert_eq!((map.place.shelf.as_str(), map.place.bay, map.lane), ("A", Some(3), None));
    assert_eq!(map.way, [], "nobody knows where the cart is");
    bench.input(Input::Lane(Some(LaneId::new("lane-1").expect("valid"))));
    let map = product(&mut bench, "oat").map.expect("a place on the map");
    assert_eq!(map.lane.as_deref(), Some("lane-1"));
    assert!(map.way.len() >= 2, "{:?}", map.way);
    bench.input(Input::Lane(Some(LaneId::new("another").expect("valid"))));
    assert_eq!(product(&mut bench, "oat").map.map(|map| map.way), Some(Vec::new()), "a lane that is on no map");
    let milk = product(&mut bench, "milk");
    assert_eq!((milk.aisle, milk.map), (None, None));
}

#[test]
fn there_is_nothing_to_find_before_a_trip_or_without_an_offer() {
    let mut bench = Bench::in_store(store(), Vec::new(), 0.0);
    for intent in [Intent::Find, Intent::ShowOffers, Intent::ShowProduct { sku: sku("oat") }] {
        bench.tap(intent);
        assert_eq!(bench.cart.view().screen, Screen::Welcome);
    }
    let mut bench = Bench::shopping();
    bench.tap(Intent::ShowOffers);
    bench.tap(Intent::ShowProduct { sku: sku("no-such-thing") });
    assert_eq!((bench.cart.view().screen, bench.cart.view().offers), (Screen::Basket, 0));
}
