//! What a shopper can take: products that have a picture.

use std::sync::Arc;

use cart_app::demo::goods::Goods;
use trip::{Catalogue, Product, Sale, Sku};

use super::dice::Dice;
use super::mass;

/// So near are two weights that a scale in a cart can hardly tell them apart, in grams.
const LIKE_G: f32 = 10.0;

/// The shelf.
#[derive(Clone, Debug)]
pub struct Shelf {
    products: Vec<Product>,
}

impl Shelf {
    /// All products of the catalogue that `goods` can show.
    pub fn new(catalogue: &Arc<Catalogue>, goods: &Goods) -> Self {
        let shown = catalogue.products().iter().filter(|product| goods.shows(&product.sku));
        Self { products: shown.cloned().collect() }
    }

    /// True when there is nothing to take.
    pub fn is_empty(&self) -> bool {
        self.products.is_empty()
    }

    /// The product of this name.
    pub fn get(&self, sku: &Sku) -> Option<&Product> {
        self.products.iter().find(|product| product.sku == *sku)
    }

    /// Any of them, and what it weighs in grams.
    pub fn any(&self, dice: &mut Dice) -> Option<(&Product, f32)> {
        let product = self.products.get(dice.pick(self.products.len()))?;
        Some((product, mass::of(product, dice)))
    }

    /// Another product than `sku` that weighs about `grams`, if there is one.
    pub fn like(&self, sku: &Sku, grams: f32, dice: &mut Dice) -> Option<(&Product, f32)> {
        let fits = |product: &&Product| match product.sale {
            Sale::Each { .. } => product.weight.is_some_and(|w| (w.0 as f32 - grams).abs() <= LIKE_G),
            Sale::Weight { .. } => {
                let (low, high) = mass::range(product);
                low <= grams && grams <= high
            }
        };
        let others: Vec<&Product> = self.products.iter().filter(|p| p.sku != *sku).filter(fits).collect();
        let product = *others.get(dice.pick(others.len()))?;
        let weighs = match product.sale {
            Sale::Each { .. } => mass::of(product, dice),
            Sale::Weight { .. } => grams + dice.between(-LIKE_G, LIKE_G),
        };
        Some((product, weighs.max(5.0)))
    }
}
