//! Budget and allergens, as the shopper set them.

use cart_core::View;
use slint::{ModelRc, VecModel};
use trip::{Allergen, Money};

use super::{CartWindow, Format};
use cart_ui::{AllergenData, AllergenKind};

/// A touch of "more" adds this many whole units of a currency with pence, and as many hundreds of one
/// without.
const STEP: i64 = 500;

pub(super) fn apply(window: &impl CartWindow, view: &View, format: &Format) {
    let data = window.wishes();
    let basket = window.basket();
    let minor = view.budget.map_or(0, |budget| budget.minor);
    data.set_budget(i32::try_from(minor).unwrap_or(i32::MAX));
    data.set_step(STEP as i32);
    let words = view.budget.map(|budget| format.money(budget).into()).unwrap_or_default();
    data.set_budget_words(words);
    data.set_allergens(substances(&Allergen::ALL, &view.watched));
    basket.set_budget(view.budget.map(|budget| format.money(budget).into()).unwrap_or_default());
    basket.set_budget_spent(if minor > 0 { view.total.minor as f32 / minor as f32 } else { 0.0 });
    basket.set_over_budget(view.budget.is_some_and(|budget| view.total.minor > budget.minor));
    let apart = Money::new((minor - view.total.minor).abs(), view.total.currency);
    basket.set_budget_left(if minor > 0 { format.money(apart).into() } else { Default::default() });
    basket.set_watching(!view.watched.is_empty());
}

/// Substances, each with whether it is watched for.
pub(super) fn substances(allergens: &[Allergen], watched: &[Allergen]) -> ModelRc<AllergenData> {
    let entry = |allergen: &Allergen| AllergenData { kind: kind(*allergen), watched: watched.contains(allergen) };
    ModelRc::new(VecModel::from(allergens.iter().map(entry).collect::<Vec<_>>()))
}

/// The markup's name of a substance.
pub(super) fn kind(allergen: Allergen) -> AllergenKind {
    PAIRS.iter().find(|(ours, _)| *ours == allergen).map_or(AllergenKind::Gluten, |(_, theirs)| *theirs)
}

/// The substance of the markup's name.
pub(super) fn allergen(kind: AllergenKind) -> Allergen {
    PAIRS.iter().find(|(_, theirs)| *theirs == kind).map_or(Allergen::Gluten, |(ours, _)| *ours)
}

const PAIRS: [(Allergen, AllergenKind); 14] = [
    (Allergen::Gluten, AllergenKind::Gluten),
    (Allergen::Crustaceans, AllergenKind::Crustaceans),
    (Allergen::Eggs, AllergenKind::Eggs),
    (Allergen::Fish, AllergenKind::Fish),
    (Allergen::Peanuts, AllergenKind::Peanuts),
    (Allergen::Soya, AllergenKind::Soya),
    (Allergen::Milk, AllergenKind::Milk),
    (Allergen::Nuts, AllergenKind::Nuts),
    (Allergen::Celery, AllergenKind::Celery),
    (Allergen::Mustard, AllergenKind::Mustard),
    (Allergen::Sesame, AllergenKind::Sesame),
    (Allergen::Sulphites, AllergenKind::Sulphites),
    (Allergen::Lupin, AllergenKind::Lupin),
    (Allergen::Molluscs, AllergenKind::Molluscs),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_substance_has_its_own_name_in_the_markup() {
        for ours in Allergen::ALL {
            assert_eq!(allergen(kind(ours)), ours);
        }
    }
}
