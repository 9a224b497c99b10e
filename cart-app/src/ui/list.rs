//! The shopping list to rows.

use cart_core::view::{EntryView, ListView};
use slint::{ModelRc, VecModel};

use super::pictures::Place;
use super::{CartWindow, Format, Pictures};
use cart_ui::EntryData;

pub(super) fn apply(window: &impl CartWindow, list: &ListView, pictures: &Pictures, format: &Format) {
    let data = window.list();
    let done = list.entries.iter().filter(|entry| entry.ticked).count();
    data.set_done(number(done));
    data.set_all(number(list.entries.len()));
    let rows: Vec<_> = list.entries.iter().map(|entry| row(entry, pictures, format)).collect();
    data.set_entries(ModelRc::new(VecModel::from(rows)));
}

/// What was on the list is for nobody who comes after.
pub(super) fn forget(window: &impl CartWindow) {
    window.list().set_entries(ModelRc::default());
}

fn row(entry: &EntryView, pictures: &Pictures, format: &Format) -> EntryData {
    let product = entry.product.as_ref();
    EntryData {
        number: number(entry.number),
        text: entry.text.as_str().into(),
        product: product.map(|product| product.name.as_str().into()).unwrap_or_default(),
        sku: product.map(|product| product.sku.as_str().into()).unwrap_or_default(),
        picture: product.map(|p| pictures.picture(&p.sku, &p.name, Place::Line)).unwrap_or_default(),
        price: product.map(|product| format.money(product.price).into()).unwrap_or_default(),
        aisle: entry.aisle.as_deref().unwrap_or_default().into(),
        ticked: entry.ticked,
        bought: entry.bought,
    }
}

fn number(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}
