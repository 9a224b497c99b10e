//! The fonts behind the screen's words: one chain for all languages, so that figures and product names look
//! the same in each and every language can be named in its own letters.

use slint::fontique_011::{fontique::GenericFamily, shared_collection};

use super::Language;

/// The markup's family first; then whose letters it lacks. All are Debian packages.
const CHAIN: [(&str, &str); 3] =
    [("Inter", "fonts-inter"), ("Noto Sans Arabic", "fonts-noto-core"), ("Noto Sans CJK JP", "fonts-noto-cjk")];

/// A font that is not installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingFont {
    /// Its family.
    pub family: &'static str,
    /// The Debian package that has it.
    pub package: &'static str,
    /// The language that cannot be read without it.
    pub language: Language,
}

impl std::fmt::Display for MissingFont {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { family, package, language } = self;
        write!(
            f,
            "the font \"{family}\" is missing and {} cannot be read well: install the package {package}",
            language.own_name()
        )
    }
}

/// Puts the chain behind every text of this process. Call it once Slint has a window.
pub(super) fn chain() {
    let mut fonts = shared_collection();
    let mut families: Vec<_> = CHAIN.iter().filter_map(|(family, _)| fonts.family_id(family)).collect();
    // What was there stays behind them, for the odd symbol in a product's name.
    let others: Vec<_> = fonts.generic_families(GenericFamily::SansSerif).filter(|id| !families.contains(id)).collect();
    families.extend(others);
    fonts.set_generic_families(GenericFamily::SansSerif, families.into_iter());
}

/// The fonts that `languages` need and this machine lacks. Call it once Slint has a window.
pub fn missing(languages: &[Language]) -> Vec<MissingFont> {
    let mut fonts = shared_collection();
    let lacks = languages.iter().filter_map(|&language| {
        let (family, package) = needed_by(language);
        fonts.family_id(family).is_none().then_some(MissingFont { family, package, language })
    });
    lacks.collect()
}

fn needed_by(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::English | Language::German | Language::French | Language::Spanish => CHAIN[0],
        Language::Arabic => CHAIN[1],
        Language::Japanese => CHAIN[2],
    }
}
