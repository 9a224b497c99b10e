//! The goods of the samples, and what views are made of.

use cart_core::view::{HoldView, LineView, Tile, View};
use cart_vision::Thumbnail;
use trip::basket::{Evidence, HoldReason};
use trip::{Currency, Grams, HoldId, LineId, Money, Quantity, Sku};

/// A name of 120 characters, as no product should have and some do.
pub const LONG_NAME: &str = "Organic stone-ground wholemeal spelt and rye sourdough loaf with toasted pumpkin seeds, sunflower seeds and linseed 800g";

pub(super) fn gbp(minor: i64) -> Money {
    Money::new(minor, Currency::GBP)
}

pub(super) fn sku(text: &str) -> Sku {
    // The names below are all valid; a wrong one would show as another product, never as a stop.
    Sku::new(text).or_else(|_| Sku::new("sample")).unwrap_or_else(|_| unreachable!("\"sample\" is a valid name"))
}

/// One piece of a product at `minor` pence.
pub fn line(number: u32, product: &str, name: &str, minor: i64) -> LineView {
    LineView {
        line: LineId(number),
        sku: sku(product),
        name: name.to_owned(),
        quantity: Quantity::Each(1),
        unit: Some(gbp(minor)),
        price: gbp(minor),
        deposit: gbp(0),
        evidence: Evidence::Scanned,
        age_check: false,
        fresh: false,
        warned: Vec::new(),
    }
}

pub(super) fn weighed(number: u32, product: &str, name: &str, grams: i32, per_kg: i64, minor: i64) -> LineView {
    LineView {
        quantity: Quantity::Weighed(Grams(grams)),
        unit: Some(gbp(per_kg)),
        evidence: Evidence::SeenAndWeighed,
        ..line(number, product, name, minor)
    }
}

pub(super) fn lines() -> Vec<LineView> {
    vec![
        LineView { fresh: true, ..weighed(9, "apple-granny-smith", "Granny Smith apples", 742, 220, 163) },
        LineView { quantity: Quantity::Each(2), price: gbp(370), ..line(8, "oat-drink-1l", "Oat drink 1 l", 185) },
        weighed(7, "banana", "Bananas", 914, 115, 105),
        line(6, "sourdough-loaf", "Sourdough loaf", 340),
        LineView { deposit: gbp(25), price: gbp(120), ..line(5, "water-still-1500", "Still water 1.5 l", 95) },
        LineView { age_check: true, ..line(4, "red-wine", "Red wine, Rioja", 799) },
        LineView { evidence: Evidence::Chosen, ..weighed(3, "tomato-vine", "Vine tomatoes", 516, 350, 181) },
        line(2, "coffee-beans", "Coffee beans 250 g", 425),
        LineView {
            quantity: Quantity::Priced(281),
            unit: None,
            evidence: Evidence::ScannedOnly,
            ..line(1, "cheese-counter", "Cheddar from the counter", 281)
        },
    ]
}

/// A blurred orange thing on a dark ground, as a camera would see it.
pub fn thumbnail() -> Thumbnail {
    const SIDE: u32 = 160;
    let mut rgb = Vec::with_capacity((SIDE * SIDE * 3) as usize);
    let mut noise = 0x2545_f491_u32;
    for y in 0..SIDE {
        for x in 0..SIDE {
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            let grain = (noise % 13) as f32 - 6.0;
            let away = (x as f32 - 84.0).hypot(y as f32 - 78.0);
            let inside = ((62.0 - away) / 5.0).clamp(0.0, 1.0);
            let shade = 1.0 - (x as f32 - 60.0).hypot(y as f32 - 52.0) / 170.0;
            let wire = if (x + y / 3) % 34 < 3 || (y + x / 5) % 38 < 3 { 34.0 } else { 0.0 };
            for (thing, ground) in [(236.0, 84.0), (138.0, 88.0), (40.0, 86.0)] {
                let value = thing * shade * inside + (ground + wire) * (1.0 - inside) + grain;
                rgb.push(value.clamp(0.0, 255.0) as u8);
            }
        }
    }
    Thumbnail { width: SIDE, height: SIDE, rgb: rgb.into() }
}

pub(super) fn hold(number: u32, grams: i32, reason: HoldReason) -> HoldView {
    HoldView { hold: HoldId(number), weight: Grams(grams), reason, thumbnail: Some(thumbnail()) }
}

pub(super) fn tile(product: &str, name: &str, minor: i64) -> Tile {
    Tile { sku: sku(product), name: name.to_owned(), price: gbp(minor), line: None, instead_of: None, per_kg: false }
}

pub(super) fn with(view: View, change: impl FnOnce(&mut View)) -> View {
    let mut view = view;
    change(&mut view);
    view
}
