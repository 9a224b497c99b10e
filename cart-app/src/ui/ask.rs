//! The question to the sheet's properties.

use cart_core::view::{AskView, Tile, View, WaitsFor};
use slint::{ModelRc, VecModel};

use super::basket::{number, reason};
use super::pictures::Place;
use super::{CartWindow, Format, Pictures};
use cart_ui::{TileData, WaitsKind};

pub(super) fn apply(
    window: &impl CartWindow,
    view: &View,
    before: Option<&View>,
    pictures: &Pictures,
    format: &Format,
) {
    let data = window.ask();
    let asked_before = before.and_then(|b| b.ask.as_ref());
    if let Some(ask) = &view.ask
        && asked_before != Some(ask)
    {
        fill(window, ask, asked_before, pictures, format);
    }
    // A sheet that closes keeps its words while it goes down.
    data.set_open(view.ask.is_some());
}

fn fill(window: &impl CartWindow, ask: &AskView, before: Option<&AskView>, pictures: &Pictures, format: &Format) {
    let data = window.ask();
    data.set_hold(number(ask.hold.0));
    data.set_reason(reason(ask.reason));
    data.set_missing(ask.weight.0 < 0);
    data.set_may_be_own(ask.may_be_own);
    data.set_weight(format.weight_felt(ask.weight).map(Into::into).unwrap_or_default());
    data.set_waits(match ask.waits_for {
        WaitsFor::Answer => WaitsKind::Answer,
        WaitsFor::Code => WaitsKind::Code,
        WaitsFor::Removal => WaitsKind::Removal,
    });
    data.set_has_thumbnail(ask.thumbnail.is_some());
    if let Some(thumbnail) = &ask.thumbnail {
        data.set_thumbnail(pictures.thumbnail(thumbnail, Place::Card));
    }
    if before.is_none_or(|b| b.hold != ask.hold || b.tiles != ask.tiles) {
        data.set_tiles(tiles(&ask.tiles, pictures, format));
    }
}

/// Answers as tiles.
fn tiles(tiles: &[Tile], pictures: &Pictures, format: &Format) -> ModelRc<TileData> {
    let tiles: Vec<_> = tiles.iter().take(4).map(|t| tile(t, Place::Tile, pictures, format)).collect();
    ModelRc::new(VecModel::from(tiles))
}

pub(super) fn tile(tile: &Tile, place: Place, pictures: &Pictures, format: &Format) -> TileData {
    TileData {
        sku: tile.sku.as_str().into(),
        line: tile.line.map_or(0, |line| number(line.0)),
        name: tile.name.as_str().into(),
        instead: tile.instead_of.as_deref().unwrap_or_default().into(),
        price: if tile.per_kg { format.unit_price(tile.price) } else { format.money(tile.price) }.into(),
        picture: pictures.picture(&tile.sku, &tile.name, place),
    }
}
