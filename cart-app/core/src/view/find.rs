//! What a shopper looks up: a product and the way to it, and what is on offer. None of it touches the basket.

use std::sync::Arc;

use trip::floor::Place;
use trip::{Detail, Floor, Money, Sku};

use super::Tile;

/// A product of the catalogue, whole.
#[derive(Clone, Debug, PartialEq)]
pub struct ProductView {
    /// The product.
    pub sku: Sku,
    /// What people call it.
    pub name: String,
    /// Price of a piece, or of a kilogram.
    pub price: Money,
    /// True when that is the price of a kilogram.
    pub per_kg: bool,
    /// What is in a pack by the kilogram or litre; `None` where the store has not said how much is in it.
    pub unit: Option<UnitPrice>,
    /// Deposit on a piece, beside the price.
    pub deposit: Money,
    /// What the promotions say that count it and save something.
    pub offers: Vec<String>,
    /// Where it stands, such as `A3`; `None` where the store has not said.
    pub aisle: Option<String>,
    /// The same on a map; `None` where there is none.
    pub map: Option<MapView>,
    /// Least age of the buyer in years; 0 for everyone.
    pub min_age: u8,
    /// What is in it; `None` where the store does not know.
    pub detail: Option<Detail>,
}

/// The price of what is in a pack, by its measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnitPrice {
    /// Of a kilogram, or a litre.
    pub price: Money,
    /// True for a litre.
    pub litre: bool,
}

/// A place on the floor.
#[derive(Clone, Debug, PartialEq)]
pub struct MapView {
    /// All that stands there.
    pub floor: Arc<Floor>,
    /// The product's shelf and bay.
    pub place: Place,
    /// The lane where the cart stands, while it stands at one: a cart knows where it is nowhere else.
    pub lane: Option<String>,
    /// Corners of the way from there, in decimetres; empty where the cart's place is not known, or no way is.
    pub way: Vec<(u32, u32)>,
}

/// What is on offer.
#[derive(Clone, Debug, PartialEq)]
pub struct OffersView {
    /// Only what saves something.
    pub offers: Vec<OfferView>,
}

/// One promotion.
#[derive(Clone, Debug, PartialEq)]
pub struct OfferView {
    /// What the store says, such as "Any 3 yoghurts for £3".
    pub label: String,
    /// What a deal saves at the least and at the most; both above 0.
    pub saves: (Money, Money),
    /// How many products count.
    pub all: u32,
    /// The first of them.
    pub goods: Vec<Tile>,
}
