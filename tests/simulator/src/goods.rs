//! What the simulated store sells, and who it is.

use trip::{Catalogue, LaneId, StoreId};

/// One product as the shopper holds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Good {
    /// Its name in the catalogue.
    pub sku: &'static str,
    /// Its code, where it has one.
    pub gtin: Option<&'static str>,
    /// What it weighs, in grams.
    pub grams: i32,
}

/// What there is to buy.
pub const GOODS: [Good; 6] = [
    Good { sku: "oat", gtin: Some("96385074"), grams: 1_040 },
    Good { sku: "tea", gtin: Some("4006381333931"), grams: 150 },
    Good { sku: "milk", gtin: Some("5901234123457"), grams: 1_045 },
    Good { sku: "jam", gtin: Some("5000000000012"), grams: 620 },
    Good { sku: "lime", gtin: None, grams: 70 },
    Good { sku: "wine", gtin: Some("12345670"), grams: 1_250 },
];

/// The catalogue; `dearer` adds so many minor units to each price.
pub fn catalogue_text(dearer: u32) -> String {
    let piece = |price: u32| format!("sale = {{ each = {{ price = {} }} }}", price + dearer);
    format!(
        r#"store = "Market Street"
currency = "GBP"
tax = [{{ name = "zero", letter = "Z", basis_points = 0 }}]

[[product]]
sku = "oat"
name = "Oat drink"
tax = "zero"
gtins = ["96385074"]
weight = 1040
{}

[[product]]
sku = "tea"
name = "Tea"
tax = "zero"
gtins = ["4006381333931"]
weight = 150
{}

[[product]]
sku = "milk"
name = "Milk"
tax = "zero"
gtins = ["5901234123457"]
weight = 1045
{}

[[product]]
sku = "jam"
name = "Jam"
tax = "zero"
gtins = ["5000000000012"]
weight = 620
{}

[[product]]
sku = "lime"
name = "Lime"
tax = "zero"
weight = 70
weight_sigma = 8
sale = {{ weight = {{ per_kg = {} }} }}

[[product]]
sku = "wine"
name = "Wine"
tax = "zero"
gtins = ["12345670"]
weight = 1250
min_age = 18
barcode_required = true
{}
"#,
        piece(185),
        piece(250),
        piece(120),
        piece(310),
        300 + dearer,
        piece(899)
    )
}

/// The catalogue; see [`catalogue_text`].
pub fn catalogue(dearer: u32) -> Catalogue {
    Catalogue::parse(&catalogue_text(dearer)).unwrap_or_else(|e| unreachable!("the simulated catalogue: {e}"))
}

/// By how much the second catalogue is dearer.
pub const DEARER: u32 = 7;

/// The store.
pub fn store() -> StoreId {
    StoreId::new("market-street").unwrap_or_else(|e| unreachable!("{e}"))
}

/// An exit lane.
pub fn lane(number: usize) -> LaneId {
    LaneId::new(format!("lane-{}", number + 1)).unwrap_or_else(|e| unreachable!("{e}"))
}
