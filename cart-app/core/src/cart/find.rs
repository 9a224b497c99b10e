//! Finding: a product outside of a question, the way to it, and what is on offer. All of it is shown when it is asked
//! for and at no other time; it changes no line, and an open question waits below it.

use trip::catalogue::{Content, Product, Promotion};
use trip::{Grams, Money, Phase, Sale, Sku};

use super::{Cart, Panel};
use crate::view::{MapView, OfferView, OffersView, ProductView, Screen, SearchView, Tile, UnitPrice};

/// So many products of an offer are shown; how many there are is said.
const MOST_GOODS: usize = 12;

/// A promotion that saves something, and by what.
struct Offer<'a> {
    promotion: &'a Promotion,
    goods: Vec<&'a Product>,
    /// What a deal of the cheapest saves, and of the dearest, in minor units.
    saves: (i64, i64),
}

impl Cart {
    /// "Find": a search that answers no question.
    pub(super) fn find(&mut self) {
        if self.state.phase == Phase::Shopping {
            self.panel = Panel { ask: self.panel.ask, search: Some(String::new()), finding: true, ..Panel::default() };
        }
    }

    /// "Offers".
    pub(super) fn show_offers(&mut self) {
        if self.state.phase == Phase::Shopping && self.offers().next().is_some() {
            self.panel = Panel { ask: self.panel.ask, offers: true, ..Panel::default() };
        }
    }

    /// A product, over what it was found by.
    pub(super) fn show_product(&mut self, sku: &Sku) {
        // Where a question is being answered, a product that is touched is its answer.
        let answering = self.panel.weigh.is_some() || self.panel.search.is_some() && !self.panel.finding;
        if self.state.phase == Phase::Shopping && !answering && self.catalogue.get(sku).is_some() {
            self.panel.product = Some(sku.clone());
        }
    }

    /// One step back from what was looked up; false when nothing was.
    pub(super) fn leave_find(&mut self) -> bool {
        if self.panel.product.take().is_some() || std::mem::take(&mut self.panel.offers) {
            return true;
        }
        let finding = std::mem::take(&mut self.panel.finding);
        if finding {
            self.panel.search = None;
        }
        finding
    }

    /// What was looked up, while it is open.
    pub(super) fn find_screen(&self) -> Option<Screen> {
        if let Some(product) = self.panel.product.as_ref().and_then(|sku| self.catalogue.get(sku)) {
            return Some(Screen::Product(Box::new(self.product_view(product))));
        }
        if self.panel.offers {
            return Some(Screen::Offers(self.offers_view()));
        }
        let text = self.panel.search.as_ref().filter(|_| self.panel.finding)?;
        let found = self.found(text).into_iter().map(|product| self.shelf_tile(product)).collect();
        Some(Screen::Search(SearchView { text: text.clone(), asked: false, found }))
    }

    /// How many offers there are to be asked for.
    pub(super) fn offers_there_are(&self) -> u32 {
        self.offers().count() as u32
    }

    fn product_view(&self, product: &Product) -> ProductView {
        let (price, per_kg) = match product.sale {
            Sale::Each { price } => (price, false),
            Sale::Weight { per_kg } => (per_kg, true),
        };
        let litre = matches!(product.content, Some(Content::Millilitres(_)));
        let counts = |offer: &Offer<'_>| offer.goods.iter().any(|counted| counted.sku == product.sku);
        ProductView {
            sku: product.sku.clone(),
            name: product.name.clone(),
            price: self.money(price),
            per_kg,
            unit: product.unit_price().map(|minor| UnitPrice { price: self.money(minor), litre }),
            deposit: self.money(product.deposit),
            offers: self.offers().filter(counts).map(|offer| offer.promotion.label.clone()).collect(),
            aisle: product.aisle.clone(),
            map: product.aisle.as_deref().and_then(|aisle| self.map(aisle)),
            min_age: product.min_age,
            detail: product.detail.clone(),
        }
    }

    fn map(&self, aisle: &str) -> Option<MapView> {
        let floor = self.catalogue.floor.as_ref()?;
        let place = floor.place(aisle)?;
        let lane = self.lane.as_ref().and_then(|lane| floor.lane(lane.as_str()));
        let way = lane.map(|lane| floor.way(lane.area(), place.area)).unwrap_or_default();
        Some(MapView { floor: floor.clone(), place, lane: lane.map(|lane| lane.name.clone()), way })
    }

    fn offers_view(&self) -> OffersView {
        let view = |offer: Offer<'_>| OfferView {
            label: offer.promotion.label.clone(),
            saves: (self.money(offer.saves.0), self.money(offer.saves.1)),
            all: offer.goods.len() as u32,
            goods: offer.goods.into_iter().take(MOST_GOODS).map(|product| self.shelf_tile(product)).collect(),
        };
        OffersView { offers: self.offers().map(view).collect() }
    }

    /// The promotions that are true: a deal costs less than its pieces. Products of one that would not save by
    /// themselves are left out of it.
    fn offers(&self) -> impl Iterator<Item = Offer<'_>> {
        self.catalogue.promotions.iter().filter_map(|promotion| {
            let saving = |product: &&Product| match product.sale {
                Sale::Each { price } => price * i64::from(promotion.pieces) - promotion.price,
                Sale::Weight { .. } => 0,
            };
            let products = promotion.skus.iter().filter_map(|sku| self.catalogue.get(sku));
            let goods: Vec<&Product> = products.filter(|product| saving(product) > 0).collect();
            let least = goods.iter().map(saving).min()?;
            let most = goods.iter().map(saving).max()?;
            Some(Offer { promotion, goods, saves: (least, most) })
        })
    }

    /// A product as it stands on the shelf: the price of a piece, or of a kilogram.
    fn shelf_tile(&self, product: &Product) -> Tile {
        let tile = self.tile(product, Grams(1_000));
        Tile { per_kg: matches!(product.sale, Sale::Weight { .. }), ..tile }
    }

    pub(super) fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.catalogue.currency)
    }
}
