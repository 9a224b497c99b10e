//! What a shopper may want to know of a food beyond its price: what is in it.

use serde::{Deserialize, Serialize};

/// A substance that must be named because people react to it.
/// Source: Regulation (EU) No 1169/2011, Annex II, in its order; the United Kingdom has the same fourteen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the names are the annex's own")]
pub enum Allergen {
    /// Cereals with gluten: wheat, rye, barley, oats.
    Gluten,
    Crustaceans,
    Eggs,
    Fish,
    Peanuts,
    Soya,
    Milk,
    /// Tree nuts: almonds, hazelnuts, walnuts and the like.
    Nuts,
    Celery,
    Mustard,
    Sesame,
    Sulphites,
    Lupin,
    Molluscs,
}

impl Allergen {
    /// All of them, in the order of the annex.
    pub const ALL: [Self; 14] = [
        Self::Gluten,
        Self::Crustaceans,
        Self::Eggs,
        Self::Fish,
        Self::Peanuts,
        Self::Soya,
        Self::Milk,
        Self::Nuts,
        Self::Celery,
        Self::Mustard,
        Self::Sesame,
        Self::Sulphites,
        Self::Lupin,
        Self::Molluscs,
    ];
}

/// What the label says, as far as the store knows it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Detail {
    /// The list of ingredients, as printed; empty when unknown.
    #[serde(default)]
    pub ingredients: String,
    /// What is in it.
    #[serde(default)]
    pub contains: Vec<Allergen>,
    /// What traces of may be in it.
    #[serde(default)]
    pub may_contain: Vec<Allergen>,
    /// What 100 g or 100 ml hold.
    #[serde(default)]
    pub nutrition: Option<Nutrition>,
}

/// The nutrition declaration for 100 g or 100 ml.
/// Source: Regulation (EU) No 1169/2011, Annex XV, in its order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nutrition {
    /// Energy in kilojoules.
    pub kj: u32,
    /// Energy in kilocalories.
    pub kcal: u32,
    /// Fat.
    pub fat: Tenths,
    /// Of which saturates.
    pub saturates: Tenths,
    /// Carbohydrate.
    pub carbohydrate: Tenths,
    /// Of which sugars.
    pub sugars: Tenths,
    /// Fibre, which need not be declared.
    #[serde(default)]
    pub fibre: Option<Tenths>,
    /// Protein.
    pub protein: Tenths,
    /// Salt, to a hundredth.
    pub salt: Hundredths,
}

/// Grams in tenths, written `1.5` in a catalogue; 0 to 100 g.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Tenths(pub u32);

/// Grams in hundredths, written `0.13` in a catalogue; 0 to 100 g.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Hundredths(pub u32);

/// `grams` in units of which `a_gram` make one, where 100 g hold no more than 100 g.
fn of_a_hundred(grams: f64, a_gram: f64) -> Result<u32, String> {
    if (0.0..=100.0).contains(&grams) {
        Ok((grams * a_gram).round() as u32)
    } else {
        Err(format!("{grams} g of 100 g; it must be 0 to 100"))
    }
}

impl TryFrom<f64> for Tenths {
    type Error = String;
    fn try_from(grams: f64) -> Result<Self, String> {
        of_a_hundred(grams, 10.0).map(Self)
    }
}

impl From<Tenths> for f64 {
    fn from(tenths: Tenths) -> f64 {
        f64::from(tenths.0) / 10.0
    }
}

impl TryFrom<f64> for Hundredths {
    type Error = String;
    fn try_from(grams: f64) -> Result<Self, String> {
        of_a_hundred(grams, 100.0).map(Self)
    }
}

impl From<Hundredths> for f64 {
    fn from(hundredths: Hundredths) -> f64 {
        f64::from(hundredths.0) / 100.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_read_from_a_catalogue() {
        let text = r#"
            ingredients = "Water, oats 10 %, rapeseed oil, salt"
            contains = ["gluten"]
            may_contain = ["nuts", "soya"]
            nutrition = { kj = 188, kcal = 45, fat = 1.5, saturates = 0.2, carbohydrate = 6.7, sugars = 4, protein = 1.0, salt = 0.13 }
        "#;
        let detail: Detail = toml::from_str(text).expect("a right label");
        assert_eq!(detail.contains, [Allergen::Gluten]);
        let nutrition = detail.nutrition.expect("a declaration");
        assert_eq!((nutrition.fat, nutrition.sugars, nutrition.salt), (Tenths(15), Tenths(40), Hundredths(13)));
        assert_eq!(nutrition.fibre, None);
    }

    #[test]
    fn a_wrong_label_says_what_is_wrong() {
        let check = |text: &str, part: &str| {
            let error = toml::from_str::<Detail>(text).expect_err(part).to_string();
            assert!(error.contains(part), "{error}");
        };
        check("contains = [\"wheat\"]", "wheat");
        check("taste = 1", "taste");
        let much = "nutrition = { kj = 1, kcal = 1, fat = 101.0, saturates = 0, carbohydrate = 0, sugars = 0, protein = 0, salt = 0 }";
        check(much, "0 to 100");
    }
}
