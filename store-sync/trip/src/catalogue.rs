//! The goods of a store: names, codes, prices, weights, taxes, deposits and promotions.
//!
//! A catalogue is read from TOML, checked whole, and named by the digest of its bytes. A trip pins
//! that digest at its start.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::bounds::{
    MAX_CATALOGUE_BYTES, MAX_GRAMS, MAX_NAME, MAX_PIECES, MAX_PRICE, MAX_PRODUCTS, MAX_RULES, OutOfBounds, at_most,
};
use crate::floor::{Floor, FloorFile};
use crate::gs1::{PrefixRule, Scanned};
use crate::money::divide_rounded;
use crate::{Currency, Detail, Grams, Gtin, Hash, Plu, Sku};

/// How a product is sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sale {
    /// By the piece.
    Each {
        /// Price of a piece in minor units, with tax; not negative.
        price: i64,
    },
    /// By net weight.
    Weight {
        /// Price of a kilogram in minor units, with tax; not negative.
        per_kg: i64,
    },
}

/// How much is in a pack, without the packing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Content {
    /// Sold by mass: grams, above 0.
    Grams(u32),
    /// Sold by volume: millilitres, above 0.
    Millilitres(u32),
}

/// One product.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Product {
    /// The store's own name of it.
    pub sku: Sku,
    /// What people call it.
    pub name: String,
    /// Name of a tax of the catalogue.
    pub tax: String,
    /// How it is sold.
    pub sale: Sale,
    /// Its trade item numbers; empty for loose produce.
    #[serde(default)]
    pub gtins: Vec<Gtin>,
    /// Its look-up number, for loose produce.
    #[serde(default)]
    pub plu: Option<Plu>,
    /// Weight of a piece with its packing, in grams; for loose produce, of a usual piece.
    #[serde(default)]
    pub weight: Option<Grams>,
    /// How far a piece's weight strays, one standard deviation in grams.
    #[serde(default)]
    pub weight_sigma: Option<Grams>,
    /// Deposit on a piece, in minor units.
    #[serde(default)]
    pub deposit: i64,
    /// Least age of the buyer in years; 0 for everyone.
    #[serde(default)]
    pub min_age: u8,
    /// True when look-alikes exist: sight may only verify, a barcode must be read.
    #[serde(default)]
    pub barcode_required: bool,
    /// How much is in a pack; its price of a kilogram or a litre follows.
    #[serde(default)]
    pub content: Option<Content>,
    /// Where it stands, such as `A3`: bay 3 of shelf A, if the catalogue has a floor.
    #[serde(default)]
    pub aisle: Option<String>,
    /// How often it is bought, relative to the others; 1 is usual.
    #[serde(default = "usual")]
    pub popularity: u32,
    /// What is in it; `None` where the store does not know.
    #[serde(default)]
    pub detail: Option<Detail>,
}

impl Product {
    /// Price of a kilogram or a litre of what is in a pack, in minor units; `None` where nobody said how much is in it,
    /// and for what is sold by weight anyhow.
    /// Source: Directive 98/6/EC, article 2(b): the price of a kilogram or a litre, with tax.
    pub fn unit_price(&self) -> Option<i64> {
        let (Sale::Each { price }, Some(Content::Grams(amount) | Content::Millilitres(amount))) =
            (self.sale, self.content)
        else {
            return None;
        };
        Some(divide_rounded(i128::from(price) * 1_000, i128::from(amount)) as i64)
    }
}

fn usual() -> u32 {
    1
}

/// A tax, included in prices.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tax {
    /// Its name in this catalogue, such as `standard`.
    pub name: String,
    /// Its letter on receipts.
    pub letter: char,
    /// Rate in hundredths of a percent: 2000 is 20 %.
    pub basis_points: u32,
}

/// "Any `pieces` of these for `price`": the cheapest way to count them is always taken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Promotion {
    /// Its name in this catalogue.
    pub id: String,
    /// What shoppers read, such as "Any 3 yoghurts for £3".
    pub label: String,
    /// Products that count; all sold by the piece.
    pub skus: Vec<Sku>,
    /// How many make one deal, 2 or more.
    pub pieces: u32,
    /// What a deal costs together, in minor units.
    pub price: i64,
}

/// The file's form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    store: String,
    currency: Currency,
    #[serde(default)]
    floor: Option<toml::Spanned<FloorFile>>,
    #[serde(default)]
    tax: Vec<Tax>,
    #[serde(default)]
    prefix: Vec<PrefixRule>,
    #[serde(default)]
    promotion: Vec<Promotion>,
    #[serde(default)]
    product: Vec<toml::Spanned<Product>>,
}

/// Longest list of ingredients, in bytes.
const MAX_INGREDIENTS: usize = 10_000;
/// Most trade item numbers of a product.
const MAX_GTINS: usize = 1_000;
/// No tax is above this, in hundredths of a percent.
const MAX_TAX: u32 = 10_000;
/// No product is bought so much more often than others.
const MAX_POPULARITY: u32 = 1_000_000;

impl File {
    fn check(&self) -> Result<(), OutOfBounds> {
        at_most("the store's name in bytes", self.store.len(), MAX_NAME)?;
        at_most("the number of products", self.product.len(), MAX_PRODUCTS)?;
        at_most("the number of taxes", self.tax.len(), MAX_RULES)?;
        at_most("the number of in-store prefixes", self.prefix.len(), MAX_RULES)?;
        at_most("the number of promotions", self.promotion.len(), MAX_RULES)?;
        for tax in &self.tax {
            at_most("a tax's name in bytes", tax.name.len(), MAX_NAME)?;
            at_most("a tax in hundredths of a percent", tax.basis_points, MAX_TAX)?;
        }
        for promotion in &self.promotion {
            at_most("a promotion's name in bytes", promotion.id.len(), MAX_NAME)?;
            at_most("a promotion's label in bytes", promotion.label.len(), MAX_NAME)?;
            at_most("a promotion's pieces", promotion.pieces, MAX_PIECES)?;
            at_most("a promotion's price in minor units", promotion.price, MAX_PRICE)?;
            at_most("a promotion's products", promotion.skus.len(), MAX_RULES)?;
        }
        Ok(())
    }
}

impl Product {
    fn check(&self) -> Result<(), OutOfBounds> {
        at_most("its name in bytes", self.name.len(), MAX_NAME)?;
        at_most("its aisle in bytes", self.aisle.as_ref().map_or(0, String::len), MAX_NAME)?;
        at_most("the number of its GTINs", self.gtins.len(), MAX_GTINS)?;
        at_most("its popularity", self.popularity, MAX_POPULARITY)?;
        at_most("its weight in grams", self.weight.map_or(0, |w| w.0), MAX_GRAMS)?;
        at_most("its weight_sigma in grams", self.weight_sigma.map_or(0, |w| w.0), MAX_GRAMS)?;
        let detail = self.detail.as_ref();
        at_most("its ingredients in bytes", detail.map_or(0, |d| d.ingredients.len()), MAX_INGREDIENTS)?;
        at_most(
            "its allergens",
            detail.map_or(0, |d| d.contains.len() + d.may_contain.len()),
            2 * crate::Allergen::ALL.len(),
        )
    }
}

/// What is wrong with a catalogue.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("catalogue line {line}: {what}")]
pub struct CatalogueError {
    /// Line in the file, from 1.
    pub line: usize,
    /// What is wrong, and what to do.
    pub what: String,
}

/// The goods of a store, checked.
#[derive(Clone, Debug)]
pub struct Catalogue {
    /// The store's name as shoppers know it.
    pub store_name: String,
    /// The one currency of its prices.
    pub currency: Currency,
    /// Digest of the file: the version a trip pins.
    pub version: Hash,
    /// Taxes by name.
    pub taxes: Vec<Tax>,
    /// Promotions.
    pub promotions: Vec<Promotion>,
    /// In-store barcode prefixes.
    pub prefixes: Vec<PrefixRule>,
    /// Where things stand; `None` where nobody has drawn it.
    pub floor: Option<Arc<Floor>>,
    products: Vec<Product>,
    by_sku: HashMap<Sku, usize>,
    by_gtin: HashMap<Gtin, usize>,
    by_plu: HashMap<Plu, usize>,
}

impl Catalogue {
    /// Reads and checks a catalogue.
    ///
    /// # Errors
    /// [`CatalogueError`] names the line and what is wrong: not TOML, an unknown key, a duplicate
    /// SKU, GTIN or PLU, a negative price, an unknown tax, a promotion of unknown products, a fixture that cannot
    /// stand where it does, a product that stands where the floor has no place.
    pub fn parse(text: &str) -> Result<Self, CatalogueError> {
        at_most("the catalogue in bytes", text.len(), MAX_CATALOGUE_BYTES)
            .map_err(|e| CatalogueError { line: 1, what: e.to_string() })?;
        let ends: Vec<usize> = text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(at, _)| at).collect();
        let line_at = |offset: usize| ends.partition_point(|end| *end < offset) + 1;
        let file: File = toml::from_str(text).map_err(|e| CatalogueError {
            line: e.span().map_or(1, |span| line_at(span.start)),
            what: e.message().to_owned(),
        })?;
        file.check().map_err(|e| CatalogueError { line: 1, what: e.to_string() })?;
        let floor = file.floor.map(|floor| {
            let begins = floor.span().start;
            floor.into_inner().check(begins).map_err(|(at, what)| CatalogueError { line: line_at(at), what })
        });
        let mut catalogue = Self {
            store_name: file.store,
            currency: file.currency,
            version: Hash::of(text.as_bytes()),
            taxes: file.tax,
            promotions: file.promotion,
            prefixes: file.prefix,
            floor: floor.transpose()?.map(Arc::new),
            products: Vec::with_capacity(file.product.len()),
            by_sku: HashMap::new(),
            by_gtin: HashMap::new(),
            by_plu: HashMap::new(),
        };
        catalogue.check_taxes().map_err(|what| CatalogueError { line: 1, what })?;
        for spanned in file.product {
            let line = line_at(spanned.span().start);
            catalogue.add(spanned.into_inner()).map_err(|what| CatalogueError { line, what })?;
        }
        catalogue.check_promotions().map_err(|what| CatalogueError { line: 1, what })?;
        Ok(catalogue)
    }

    fn add(&mut self, product: Product) -> Result<(), String> {
        let sku = &product.sku;
        product.check().map_err(|e| format!("product \"{sku}\": {e}"))?;
        let price = match product.sale {
            Sale::Each { price } => price,
            Sale::Weight { per_kg } => per_kg,
        };
        if price < 0 || product.deposit < 0 {
            return Err(format!("product \"{sku}\" has a negative price or deposit"));
        }
        if price > MAX_PRICE || product.deposit > MAX_PRICE {
            return Err(format!("product \"{sku}\" has a price or deposit above {MAX_PRICE} minor units"));
        }
        if !self.taxes.iter().any(|t| t.name == product.tax) {
            return Err(format!("product \"{sku}\" has tax \"{}\", which no [[tax]] names", product.tax));
        }
        if product.weight.is_some_and(|w| w.0 <= 0) || product.weight_sigma.is_some_and(|w| w.0 <= 0) {
            return Err(format!("product \"{sku}\" has a weight or weight_sigma that is not above zero"));
        }
        if let Some(Content::Grams(amount) | Content::Millilitres(amount)) = product.content
            && (amount == 0 || matches!(product.sale, Sale::Weight { .. }))
        {
            return Err(format!("product \"{sku}\" has a content of nothing, or is sold by weight and has none"));
        }
        if let (Some(floor), Some(aisle)) = (&self.floor, &product.aisle)
            && floor.place(aisle).is_none()
        {
            return Err(format!(
                "product \"{sku}\" stands at \"{aisle}\", which is no bay of a shelf that [floor] has"
            ));
        }
        let index = self.products.len();
        if let Some(first) = self.by_sku.insert(sku.clone(), index) {
            return Err(format!("sku \"{sku}\" is there twice (product {} has it already)", first + 1));
        }
        for gtin in &product.gtins {
            if let Some(first) = self.by_gtin.insert(*gtin, index) {
                return Err(format!("GTIN {gtin} of \"{sku}\" belongs to \"{}\" already", self.owner(first, &product)));
            }
        }
        if let Some(plu) = product.plu
            && let Some(first) = self.by_plu.insert(plu, index)
        {
            return Err(format!(
                "PLU {} of \"{sku}\" belongs to \"{}\" already",
                u32::from(plu),
                self.owner(first, &product)
            ));
        }
        self.products.push(product);
        Ok(())
    }

    /// The product at `index`, which may be the one being added.
    fn owner(&self, index: usize, adding: &Product) -> Sku {
        self.products.get(index).unwrap_or(adding).sku.clone()
    }

    fn check_taxes(&self) -> Result<(), String> {
        for (n, tax) in self.taxes.iter().enumerate() {
            if self.taxes[..n].iter().any(|other| other.letter == tax.letter || other.name == tax.name) {
                return Err(format!("tax \"{}\" has a name or letter that another has already", tax.name));
            }
        }
        match self.prefixes.iter().find(|rule| !matches!(rule.prefix, 2 | 20..=29)) {
            Some(rule) => Err(format!("in-store prefix {} is not 02 or 20 to 29", rule.prefix)),
            None => Ok(()),
        }
    }

    fn check_promotions(&self) -> Result<(), String> {
        for promotion in &self.promotions {
            let id = &promotion.id;
            if promotion.pieces < 2 || promotion.price < 0 {
                return Err(format!("promotion \"{id}\" needs pieces of 2 or more and a price that is not negative"));
            }
            for sku in &promotion.skus {
                match self.get(sku).map(|p| p.sale) {
                    Some(Sale::Each { .. }) => {}
                    Some(Sale::Weight { .. }) => {
                        return Err(format!("promotion \"{id}\" names \"{sku}\", which is sold by weight"));
                    }
                    None => return Err(format!("promotion \"{id}\" names \"{sku}\", which is no product")),
                }
            }
        }
        Ok(())
    }

    /// The product of this name.
    pub fn get(&self, sku: &Sku) -> Option<&Product> {
        self.by_sku.get(sku).map(|i| &self.products[*i])
    }

    /// The product of this trade item number.
    pub fn by_gtin(&self, gtin: Gtin) -> Option<&Product> {
        self.by_gtin.get(&gtin).map(|i| &self.products[*i])
    }

    /// The product of this look-up number.
    pub fn by_plu(&self, plu: Plu) -> Option<&Product> {
        self.by_plu.get(&plu).map(|i| &self.products[*i])
    }

    /// The product a barcode means.
    pub fn by_scan(&self, scanned: &Scanned) -> Option<&Product> {
        match scanned {
            Scanned::Item(item) => self.by_gtin(item.gtin),
            Scanned::InStore(item) => self.by_plu(item.plu),
            Scanned::Other(_) => None,
        }
    }

    /// All products, in the order of the file.
    pub fn products(&self) -> &[Product] {
        &self.products
    }

    /// The tax of this name.
    pub fn tax(&self, name: &str) -> Option<&Tax> {
        self.taxes.iter().find(|t| t.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "store = \"Market Street\"\ncurrency = \"GBP\"\n[[tax]]\nname = \"zero\"\nletter = \"Z\"\nbasis_points = 0\n";

    fn product(sku: &str, rest: &str) -> String {
        format!("[[product]]\nsku = \"{sku}\"\nname = \"{sku}\"\ntax = \"zero\"\n{rest}\n")
    }

    #[test]
    fn a_wrong_catalogue_names_the_line() {
        let check = |body: String, line: usize, part: &str| {
            let error = Catalogue::parse(&format!("{HEAD}{body}")).expect_err(part);
            assert_eq!(error.line, line, "{error}");
            assert!(error.what.contains(part), "{error}");
        };
        let milk = product("milk", "gtins = [\"96385074\"]\nsale = { each = { price = 90 } }");
        check(
            milk.clone() + &product("oat", "gtins = [\"96385074\"]\nsale = { each = { price = 1 } }"),
            13,
            "belongs to \"milk\"",
        );
        check(milk.clone() + &milk, 13, "twice");
        check(product("milk", "sale = { each = { price = -1 } }"), 7, "negative");
        check(product("milk", "sale = { each = { price = 900000000000 } }"), 7, "above");
        check("[[tax]]\nname = \"low\"\nletter = \"Z\"\nbasis_points = 500\n".into(), 1, "letter");
        check("[[prefix]]\nprefix = 40\ncontent = \"price\"\n".into(), 1, "in-store prefix 40");
        check(product("milk", "sale = { each = { price = 1 } }\ncolour = 1"), 12, "colour");
        check(product("milk", "sale = { each = { price = 1 } }\ngtins = [\"96385075\"]"), 12, "check digit");
        check(product("milk", "popularity = 1000001\nsale = { each = { price = 1 } }"), 7, "popularity is 1000001");
        check(product("milk", "weight = 1000001\nsale = { each = { price = 1 } }"), 7, "weight in grams");
        check(product(&"m".repeat(65), "sale = { each = { price = 1 } }"), 8, "64");
        let long = product("milk", "sale = { each = { price = 1 } }").replacen(
            "name = \"milk",
            &format!("name = \"{}", "m".repeat(201)),
            1,
        );
        check(long, 7, "name in bytes is 201");
        check("[[tax]]\nname = \"all\"\nletter = \"X\"\nbasis_points = 10001\n".into(), 1, "a percent is 10001");
        check("[[promotion]]\nid=\"p\"\nlabel=\"\"\nskus=[]\npieces=2000000000\nprice=1\n".into(), 1, "pieces");
        check("[[promotion]]\nid=\"p\"\nlabel=\"\"\nskus=[\"nope\"]\npieces=2\nprice=1\n".into(), 1, "no product");
    }

    #[test]
    fn a_product_stands_where_the_floor_has_a_place() {
        let floor = "[floor]\nwidth = 100\ndepth = 80\n\
            [[floor.fixture]]\nkind = \"shelf\"\nname = \"A\"\nx = 0\ny = 0\nwidth = 60\ndepth = 10\nbays = 3\n";
        let stands = |aisle: &str| product("tea", &format!("sale = {{ each = {{ price = 1 }} }}\naisle = \"{aisle}\""));
        let read = |body: &str| Catalogue::parse(&format!("{HEAD}{body}"));
        let catalogue = read(&(floor.to_owned() + &stands("A3"))).expect("a right catalogue");
        assert_eq!(catalogue.floor.and_then(|floor| floor.place("A3")).map(|place| place.area.x), Some(40));
        for (body, line, part) in [
            (floor.to_owned() + &stands("A4"), 18, "stands at \"A4\""),
            (floor.replace("bays = 3", "bays = 0"), 10, "0 bays"),
            (floor.replace("width = 100", "width = 0"), 7, "[floor] is 0 by 80"),
            (floor.replace("kind = \"shelf\"", "kind = \"sofa\""), 11, "sofa"),
        ] {
            let error = read(&body).expect_err(part);
            assert_eq!(error.line, line, "{error}");
            assert!(error.what.contains(part), "{error}");
        }
        assert!(read(&stands("wherever")).is_ok(), "without a floor an aisle is only a word");
    }

    #[test]
    fn what_a_kilogram_or_a_litre_costs_follows_from_what_is_in_a_pack() {
        let unit = |rest: &str| {
            let text = format!("{HEAD}{}", product("tea", rest));
            Catalogue::parse(&text).map(|catalogue| catalogue.products()[0].unit_price()).map_err(|e| e.what)
        };
        let check = |rest: &str, expected| assert_eq!(unit(rest), Ok(expected), "{rest}");
        check("sale = { each = { price = 115 } }\ncontent = { grams = 500 }", Some(230));
        check("sale = { each = { price = 100 } }\ncontent = { millilitres = 1500 }", Some(67));
        check("sale = { each = { price = 100 } }", None);
        check("sale = { weight = { per_kg = 100 } }", None);
        assert!(unit("sale = { each = { price = 100 } }\ncontent = { grams = 0 }").is_err());
        assert!(unit("sale = { weight = { per_kg = 100 } }\ncontent = { grams = 5 }").is_err());
    }

    #[test]
    fn a_product_is_found_by_all_its_codes() {
        let text = format!(
            "{HEAD}{}",
            product("lime", "plu = 4048\ngtins = [\"96385074\"]\nsale = { weight = { per_kg = 300 } }")
        );
        let catalogue = Catalogue::parse(&text).expect("a right catalogue");
        let sku = Sku::new("lime").expect("valid");
        assert!(catalogue.get(&sku).is_some());
        assert_eq!(catalogue.by_plu(Plu::try_from(4048).expect("valid")).map(|p| &p.sku), Some(&sku));
        assert_eq!(catalogue.by_gtin(Gtin::parse("96385074").expect("valid")).map(|p| &p.sku), Some(&sku));
    }
}
