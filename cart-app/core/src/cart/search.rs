//! The search: a product by its name, as a thumb types it, or by its number.

use trip::catalogue::Product;

use super::Cart;
use crate::fold::{fold, fold_written_out};

/// So many products a search offers.
const MOST_FOUND: usize = 12;

impl Cart {
    /// Products whose name, word or PLU begins with what was typed, whichever of the two has the accents;
    /// then those that have it within a word. Before anything is typed, the most bought.
    pub(super) fn found(&self, text: &str) -> Vec<&Product> {
        let typed = fold(text);
        let products = self.catalogue.products().iter();
        let mut found: Vec<(u8, &Product)> = products.filter_map(|p| Some((rank(p, &typed)?, p))).collect();
        found.sort_by(|(a, x), (b, y)| a.cmp(b).then(y.popularity.cmp(&x.popularity)).then(x.name.cmp(&y.name)));
        found.into_iter().take(MOST_FOUND).map(|(_, product)| product).collect()
    }
}

/// How well a product fits what was typed, 0 best; `None` when it does not.
fn rank(product: &Product, typed: &str) -> Option<u8> {
    let plu = product.plu.map(|plu| u32::from(plu).to_string());
    if typed.is_empty() || plu.is_some_and(|plu| plu.starts_with(typed)) {
        return Some(0);
    }
    let names = std::iter::once(fold(&product.name)).chain(fold_written_out(&product.name));
    names.filter_map(|name| rank_name(&name, typed)).min()
}

fn rank_name(name: &str, typed: &str) -> Option<u8> {
    let at_a_word = |at: usize| at == 0 || name.as_bytes().get(at - 1) == Some(&b' ');
    let mut places = name.match_indices(typed).map(|(at, _)| at).peekable();
    match places.peek().copied() {
        None => None,
        Some(0) => Some(0),
        Some(_) if places.any(at_a_word) => Some(1),
        Some(_) => Some(2),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_found_from_its_beginning_then_from_a_words_then_from_within() {
        for (name, typed, expected) in [
            ("Pâté de campagne", "pate", Some(0)),
            ("Pate", "pâté", Some(0)),
            ("Straßenkuchen", "strasse", Some(0)),
            ("Strasse", "straße", Some(0)),
            ("Käse, jung", "kaese", Some(0)),
            ("Käse, jung", "kase j", Some(0)),
            ("Blood oranges", "ora", Some(1)),
            ("Café crème", "creme", Some(1)),
            ("Pineapple", "apple", Some(2)),
            // Within a word first, and at the beginning of one after it.
            ("Pineapple apple", "apple", Some(1)),
            ("バター", "ばた", Some(0)),
            ("أرز بسمتي", "ارز", Some(0)),
            ("Orange", "orangé x", None),
            ("Orange", " oRa ", Some(0)),
        ] {
            let names = std::iter::once(fold(name)).chain(fold_written_out(name));
            let rank = names.filter_map(|name| rank_name(&name, &fold(typed))).min();
            assert_eq!(rank, expected, "{typed:?} in {name:?}");
        }
    }
}
