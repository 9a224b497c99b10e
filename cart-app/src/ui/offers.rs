//! Offers to cards.

use cart_core::view::{OfferView, OffersView};
use slint::{ModelRc, VecModel};

use super::pictures::Place;
use super::{CartWindow, Format, Pictures, ask};
use cart_ui::OfferData;

pub(super) fn apply(window: &impl CartWindow, shown: &OffersView, pictures: &Pictures, format: &Format) {
    let offers: Vec<_> = shown.offers.iter().map(|offer| card(offer, pictures, format)).collect();
    window.offers().set_offers(ModelRc::new(VecModel::from(offers)));
}

fn card(offer: &OfferView, pictures: &Pictures, format: &Format) -> OfferData {
    let (least, most) = offer.saves;
    let goods: Vec<_> = offer.goods.iter().map(|tile| ask::tile(tile, Place::Result, pictures, format)).collect();
    OfferData {
        label: offer.label.as_str().into(),
        least: format.money(least).into(),
        most: if least == most { Default::default() } else { format.money(most).into() },
        all: i32::try_from(offer.all).unwrap_or(i32::MAX),
        goods: ModelRc::new(VecModel::from(goods)),
    }
}
