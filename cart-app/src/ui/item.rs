//! A line shown whole.

use cart_core::view::ItemView;
use slint::{ModelRc, VecModel};
use trip::detail::Nutrition;
use trip::{Allergen, Detail, Quantity};

use super::basket::{amount_kind, evidence, number};
use super::pictures::Place;
use super::{CartWindow, Format, Pictures, wishes};
use cart_ui::{InsideData, NutrientData, NutrientKind};

pub(super) fn apply(
    window: &impl CartWindow,
    item: &ItemView,
    watched: &[Allergen],
    pictures: &Pictures,
    format: &Format,
) {
    let (data, line) = (window.item(), &item.line);
    data.set_name(line.name.as_str().into());
    data.set_picture(pictures.picture(&line.sku, &line.name, Place::Whole));
    let price = format.money(line.price);
    data.set_price(price.figure_model());
    data.set_spoken_price(price.into());
    data.set_amount_kind(amount_kind(line));
    data.set_count(if let Quantity::Each(count) = line.quantity { number(count) } else { 1 });
    data.set_amount(match line.quantity {
        Quantity::Weighed(net) => format.weight(net).into(),
        Quantity::Each(_) | Quantity::Priced(_) => Default::default(),
    });
    let unit = line.unit.map(|unit| match line.quantity {
        Quantity::Weighed(_) => format.unit_price(unit),
        Quantity::Each(_) | Quantity::Priced(_) => format.money(unit),
    });
    data.set_unit(unit.map(Into::into).unwrap_or_default());
    data.set_deposit(if line.deposit.minor == 0 { Default::default() } else { format.money(line.deposit).into() });
    data.set_evidence(evidence(line.evidence));
    data.set_weight(item.weight.and_then(|felt| format.weight_felt(felt)).map(Into::into).unwrap_or_default());
    data.set_aisle(item.aisle.as_deref().unwrap_or_default().into());
    data.set_min_age(i32::from(item.min_age));
    data.set_inside(inside(item.detail.as_ref(), watched, format));
}

/// What is in it, as far as the store knows.
pub(super) fn inside(detail: Option<&Detail>, watched: &[Allergen], format: &Format) -> InsideData {
    let Some(detail) = detail else { return InsideData::default() };
    let declared = detail.nutrition.as_ref().map(|nutrition| nutrients(nutrition, format)).unwrap_or_default();
    InsideData {
        known: true,
        ingredients: detail.ingredients.as_str().into(),
        contains: wishes::substances(&detail.contains, watched),
        traces: wishes::substances(&detail.may_contain, watched),
        nutrition: ModelRc::new(VecModel::from(declared)),
    }
}

/// The declaration, in the order that the law gives it.
fn nutrients(declared: &Nutrition, format: &Format) -> Vec<NutrientData> {
    let tenths = |kind, tenths: trip::detail::Tenths| Some((kind, format.grams(i64::from(tenths.0), 1)));
    let energy = format.energy(declared.kj, declared.kcal);
    let rows = [
        Some((NutrientKind::Energy, energy)),
        tenths(NutrientKind::Fat, declared.fat),
        tenths(NutrientKind::Saturates, declared.saturates),
        tenths(NutrientKind::Carbohydrate, declared.carbohydrate),
        tenths(NutrientKind::Sugars, declared.sugars),
        declared.fibre.and_then(|fibre| tenths(NutrientKind::Fibre, fibre)),
        tenths(NutrientKind::Protein, declared.protein),
        Some((NutrientKind::Salt, format.grams(i64::from(declared.salt.0), 2))),
    ];
    rows.into_iter().flatten().map(|(kind, amount)| NutrientData { kind, amount: amount.into() }).collect()
}
