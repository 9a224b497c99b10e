//! What things really weigh.

use trip::{Product, Sale};

use super::dice::Dice;

/// A kind of loose produce: a piece's lightest and heaviest in grams, fewest and most pieces in one go.
type Kind = (&'static [&'static str], f32, f32, usize, usize);

/// By the trade's size classes; a bunch, a head or a tray counts as one piece.
/// Source: UNECE standards for fresh fruit and vegetables (FFV), sizing, rounded.
const KINDS: &[Kind] = &[
    (&["golden-delicious", "granny-smith", "pink-lady", "red-delicious", "royal-gala"], 120.0, 230.0, 1, 6),
    (&["avocado"], 150.0, 280.0, 1, 4),
    (&["banana"], 110.0, 190.0, 2, 7),
    (&["kiwi"], 70.0, 110.0, 2, 8),
    (&["lemon"], 90.0, 160.0, 1, 5),
    (&["lime"], 55.0, 90.0, 1, 6),
    (&["mango"], 250.0, 500.0, 1, 2),
    (&["cantaloupe"], 800.0, 1_500.0, 1, 1),
    (&["galia-melon"], 700.0, 1_300.0, 1, 1),
    (&["honeydew-melon"], 1_000.0, 1_900.0, 1, 1),
    (&["watermelon"], 1_800.0, 4_500.0, 1, 1),
    (&["nectarine", "peach"], 110.0, 190.0, 2, 6),
    (&["orange"], 150.0, 290.0, 2, 6),
    (&["papaya"], 350.0, 700.0, 1, 1),
    (&["passion-fruit"], 35.0, 60.0, 2, 6),
    (&["anjou", "conference", "kaiser"], 150.0, 260.0, 1, 6),
    (&["pineapple"], 900.0, 1_700.0, 1, 1),
    (&["plum"], 45.0, 90.0, 3, 10),
    (&["pomegranate"], 220.0, 420.0, 1, 3),
    (&["red-grapefruit"], 280.0, 450.0, 1, 3),
    (&["satsumas"], 60.0, 110.0, 4, 10),
    (&["asparagus"], 230.0, 270.0, 1, 2),
    (&["aubergine"], 220.0, 400.0, 1, 2),
    (&["cabbage"], 600.0, 1_400.0, 1, 1),
    (&["carrots"], 60.0, 130.0, 3, 10),
    (&["cucumber"], 300.0, 400.0, 1, 2),
    (&["garlic"], 40.0, 70.0, 1, 3),
    (&["ginger"], 60.0, 220.0, 1, 1),
    (&["leek"], 150.0, 300.0, 1, 3),
    (&["brown-cap-mushroom"], 15.0, 40.0, 5, 15),
    (&["yellow-onion"], 90.0, 190.0, 2, 8),
    (&["green-bell-pepper", "orange-bell-pepper", "red-bell-pepper", "yellow-bell-pepper"], 140.0, 240.0, 1, 4),
    (&["floury-potato", "solid-potato"], 90.0, 250.0, 3, 10),
    (&["sweet-potato"], 180.0, 450.0, 1, 4),
    (&["red-beet"], 90.0, 220.0, 2, 5),
    (&["beef-tomato"], 180.0, 350.0, 1, 4),
    (&["regular-tomato", "vine-tomato"], 80.0, 150.0, 2, 8),
    (&["zucchini"], 170.0, 320.0, 1, 4),
];
/// A pack whose catalogue names no weight weighs this, in grams.
const ANY_PACK_G: f32 = 300.0;
/// A pack's tolerance where the catalogue names none, in grams.
const PACK_SIGMA_G: f32 = 3.0;

/// The lightest and heaviest that people take of a product sold by weight, in grams.
pub fn range(product: &Product) -> (f32, f32) {
    match kind(product) {
        Some((_, low, high, fewest, most)) => (low * *fewest as f32, high * *most as f32),
        None => {
            let piece = product.weight.map_or(ANY_PACK_G, |w| w.0 as f32);
            (0.7 * piece, 4.0 * piece)
        }
    }
}

fn kind(product: &Product) -> Option<&'static Kind> {
    KINDS.iter().find(|(names, ..)| names.contains(&product.sku.as_str()))
}

/// What one thing of this product really weighs, in grams.
pub fn of(product: &Product, dice: &mut Dice) -> f32 {
    match (product.sale, kind(product)) {
        (Sale::Each { .. }, _) => {
            let weight = product.weight.map_or(ANY_PACK_G, |w| w.0 as f32);
            let sigma = product.weight_sigma.map_or(PACK_SIGMA_G, |s| s.0 as f32);
            (weight + sigma * dice.bell()).max(5.0)
        }
        (Sale::Weight { .. }, Some((_, low, high, fewest, most))) => {
            let pieces = fewest + dice.pick(most - fewest + 1);
            (0..pieces).map(|_| dice.between(*low, *high)).sum()
        }
        (Sale::Weight { .. }, None) => {
            let (low, high) = range(product);
            dice.between(low, high)
        }
    }
}
