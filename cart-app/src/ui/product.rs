//! A product of the store, and the map with its place.

use std::fmt::Write;

use cart_core::view::{MapView, ProductView};
use slint::{ModelRc, SharedString, VecModel};
use trip::Allergen;
use trip::floor::{Area, FixtureKind as Kind};

use super::pictures::Place;
use super::{CartWindow, Format, Pictures, item};
use cart_ui::{AreaData, FixtureData, FixtureKind, ProductData};

pub(super) fn apply(
    window: &impl CartWindow,
    product: &ProductView,
    watched: &[Allergen],
    pictures: &Pictures,
    format: &Format,
) {
    let data = window.product();
    data.set_name(product.name.as_str().into());
    data.set_picture(pictures.picture(&product.sku, &product.name, Place::Whole));
    let price = if product.per_kg { format.unit_price(product.price) } else { format.money(product.price) };
    data.set_price(price.figure_model());
    data.set_spoken_price(price.into());
    data.set_by_weight(product.per_kg);
    let unit = product.unit.map(|unit| match unit.litre {
        true => format.litre_price(unit.price),
        false => format.unit_price(unit.price),
    });
    data.set_unit(unit.map(Into::into).unwrap_or_default());
    data.set_deposit(if product.deposit.minor == 0 {
        Default::default()
    } else {
        format.money(product.deposit).into()
    });
    let offers: Vec<SharedString> = product.offers.iter().map(Into::into).collect();
    data.set_offers(ModelRc::new(VecModel::from(offers)));
    data.set_min_age(i32::from(product.min_age));
    data.set_aisle(product.aisle.as_deref().unwrap_or_default().into());
    data.set_mapped(product.map.is_some());
    if let Some(map) = &product.map {
        apply_map(&data, map);
    }
    data.set_inside(item::inside(product.detail.as_ref(), watched, format));
}

fn apply_map(data: &ProductData<'_>, map: &MapView) {
    let MapView { floor, place, lane, way } = map;
    data.set_shelf(place.shelf.as_str().into());
    data.set_bay(place.bay.and_then(|bay| i32::try_from(bay).ok()).unwrap_or_default());
    data.set_floor_wide(floor.width as f32);
    data.set_floor_deep(floor.depth as f32);
    data.set_place(area(place.area));
    data.set_lane(lane.as_deref().unwrap_or_default().into());
    data.set_way(path(way).into());
    let fixture = |(at, fixture): (usize, &trip::floor::Fixture)| FixtureData {
        kind: match fixture.kind {
            Kind::Shelf => FixtureKind::Shelf,
            Kind::Entrance => FixtureKind::Entrance,
            Kind::Desk => FixtureKind::Desk,
            Kind::Lane => FixtureKind::Lane,
        },
        name: fixture.name.as_str().into(),
        area: area(fixture.area()),
        chosen: at == place.fixture || fixture.kind == Kind::Lane && lane.as_ref() == Some(&fixture.name),
    };
    let fixtures: Vec<_> = floor.fixtures.iter().enumerate().map(fixture).collect();
    data.set_fixtures(ModelRc::new(VecModel::from(fixtures)));
}

fn area(area: Area) -> AreaData {
    let Area { x, y, width, depth } = area;
    AreaData { x: x as f32, y: y as f32, width: width as f32, depth: depth as f32 }
}

/// Corners as the commands of a path; fewer than two are none.
fn path(corners: &[(u32, u32)]) -> String {
    let mut path = String::new();
    for (n, (x, y)) in corners.iter().enumerate().filter(|_| corners.len() > 1) {
        // Writing to memory does not fail.
        let _ = write!(path, "{} {x} {y} ", if n == 0 { 'M' } else { 'L' });
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_way_is_drawn_from_its_first_corner_to_its_last() {
        for (corners, expected) in
            [(vec![], ""), (vec![(1, 2)], ""), (vec![(1, 2), (1, 9), (5, 9)], "M 1 2 L 1 9 L 5 9 ")]
        {
            assert_eq!(path(&corners), expected);
        }
    }
}
