//! What no shop should have and some do: names of 120 characters, no picture, prices of nothing and of
//! 99,999.99, five hundred lines, emoji and combining marks.

use cart_core::view::{
    AgeWait, ItemView, LineView, PayBlocked, PayStep, PayView, ReceiptView, Screen, TakenOut, Tile, View, Waiting,
    WeighView,
};
use trip::basket::HoldReason;
use trip::{Allergen, Detail, Grams, LineId, Money, Quantity, UnixMillis};

use super::goods::{LONG_NAME, gbp, hold, line, sku, tile, with};
use super::questions::asked;
use super::trip::{basket, search, tare};
use super::{CartWindow, Sample};

/// £99,999.99.
const MOST: i64 = 9_999_999;
/// Letters with marks that stand apart, joined emoji, and a word that is read the other way.
pub(super) const MARKS: &str = "Cre\u{301}me bru\u{302}le\u{301}e 👩🏽\u{200d}🍳 Z\u{351}\u{36b}a\u{363}\u{346}l\u{358}go\u{315} \u{5d7}\u{5dc}\u{5d1}";

pub(super) fn most() -> Money {
    gbp(MOST)
}

fn long_line(number: u32) -> LineView {
    LineView {
        quantity: Quantity::Each(99),
        price: most(),
        deposit: gbp(2475),
        warned: vec![Allergen::Crustaceans],
        age_check: true,
        ..line(number, "long", LONG_NAME, 101_010)
    }
}

fn long_basket() -> View {
    with(basket(), |v| {
        v.total = most();
        v.items = 500;
        v.saved = gbp(1_234_567);
        v.budget = Some(most());
        v.lines.insert(0, LineView { warned: Vec::new(), age_check: false, ..long_line(20) });
        v.lines.insert(1, line(21, "free", "A gift 🎁 of the house, naïve café", 0));
        v.lines.insert(2, line(22, "marks", MARKS, MOST));
        v.lines.insert(3, long_line(23));
    })
}

/// Five hundred lines, every seventh of a thing without a picture.
fn five_hundred() -> Vec<LineView> {
    let goods = ["Oat drink 1 l", "Bananas", "Sourdough loaf", "Red wine, Rioja", "Vine tomatoes", "Cheddar", MARKS];
    let lines = (1..=500_u32).rev().map(|n| {
        let name = goods[n as usize % goods.len()];
        line(n, &format!("good-{}", n % 7), name, i64::from(n) * 7)
    });
    lines.collect()
}

fn item() -> View {
    let detail = Detail {
        ingredients: "Wholemeal spelt flour (gluten), water, rye sourdough (rye flour, water), pumpkin seeds, "
            .repeat(12),
        contains: Allergen::ALL.to_vec(),
        may_contain: Allergen::ALL.to_vec(),
        nutrition: None,
    };
    let shown = ItemView {
        line: LineView { warned: Allergen::ALL.to_vec(), ..long_line(6) },
        weight: Some(Grams(99_999)),
        aisle: Some("Z99".into()),
        min_age: 18,
        detail: Some(detail),
    };
    View { screen: Screen::Item(Box::new(shown)), watched: Allergen::ALL.to_vec(), ..basket() }
}

fn weigh() -> View {
    let long = "Compostable bag of the market hall, large";
    let weigh = WeighView {
        sku: sku("long"),
        name: LONG_NAME.to_owned(),
        gross: Grams(29_999),
        tare: Grams(999),
        tares: vec![tare(0, long, 12, true), tare(1, "Net bag", 14, false), tare(2, long, 999, false)],
        net: Grams(29_000),
        per_kg: gbp(344_827),
        price: Some(most()),
    };
    View { screen: Screen::Weigh(weigh), ..basket() }
}

fn receipt() -> View {
    let mut lines = five_hundred();
    lines.insert(0, long_line(501));
    lines.insert(1, line(502, "marks", MARKS, 0));
    let receipt = ReceiptView {
        number: "MARKET-STREET-NORTH-12-0001840001".to_owned(),
        charged: most(),
        lines,
        savings: vec![(format!("2 for £3 on {LONG_NAME}"), gbp(1_234_567))],
        taxes: vec![('A', 2000, gbp(1_666_666)), ('B', 500, gbp(99_999)), ('C', 0, gbp(0))],
        tender: "contactless card of the savings bank of Market Street ending 4242".to_owned(),
        qr: Some(format!("TR1:{}", "6BFOXN*TS0BI$ZD8UHN8FG".repeat(60))),
        at: Some(UnixMillis(1_795_615_500_000)),
    };
    View { screen: Screen::Receipt(Box::new(receipt)), ..basket() }
}

fn age_checks() -> View {
    let wait = |n: u32| AgeWait {
        line: LineId(n),
        sku: sku("red-wine"),
        name: if n.is_multiple_of(2) { LONG_NAME.into() } else { "Red wine, Rioja".into() },
        pieces: n,
        min_age: 18,
    };
    View {
        pay_blocked: Some(PayBlocked::AgeCheck),
        waiting: Waiting {
            age: (1..=9).map(wait).collect(),
            age_s: Some(3_599),
            before: Some(12),
            usual_s: Some(900),
            ..Waiting::default()
        },
        ..basket()
    }
}

/// Its samples.
pub(super) fn samples() -> Vec<Sample> {
    let tiles = || -> Vec<Tile> {
        vec![
            tile("long", LONG_NAME, MOST),
            tile("marks", MARKS, 0),
            tile("no-picture", "?", 1),
            tile("free", LONG_NAME, 0),
        ]
    };
    let pay = PayView { amount: most(), lane: "12 B".to_owned(), step: PayStep::Tap, offline: false };
    let held =
        |n: u32| hold(n, 29_999, if n.is_multiple_of(2) { HoldReason::Unknown } else { HoldReason::WhichRemoved });
    vec![
        Sample::new("basket-extremes", long_basket()),
        Sample::new(
            "basket-500",
            View { lines: five_hundred(), items: 500, holds: (501..=512).map(held).collect(), ..long_basket() },
        ),
        Sample::new(
            "basket-taken-out-extremes",
            View { taken_out: Some(TakenOut { name: LONG_NAME.into(), price: most() }), ..long_basket() },
        ),
        Sample::new("basket-long-store", with(long_basket(), |v| v.store_name = LONG_NAME.into())),
        Sample::new("ask-extremes", asked(|ask| ask.tiles = tiles())),
        Sample::new(
            "search-extremes",
            search("organic stone-ground wholemeal spelt", [tiles(), tiles(), tiles()].concat()),
        ),
        Sample::new("weigh-extremes", weigh()),
        Sample::new("item-extremes", item()),
        Sample::new("pay-extremes", View { screen: Screen::Pay(pay), ..basket() }),
        Sample::new("receipt-extremes", receipt()),
        Sample::new("age-check-extremes", age_checks()).opening(|window| window.waits().set_age_open(true)),
    ]
}
