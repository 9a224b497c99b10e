//! The languages of the cart's screen.

use serde::Deserialize;

/// A language the screen can speak. A new one is a variant here, a catalogue in
/// `cart-app/translations`, its CLDR patterns in [`super::format`] and, where Inter lacks its letters, a
/// font in [`super::fonts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(try_from = "String")]
pub enum Language {
    /// As the markup is written.
    #[default]
    English,
    /// German; shoppers are addressed with "Sie".
    German,
    /// French; "vous".
    French,
    /// Spanish; "tú", as Spanish supermarkets do.
    Spanish,
    /// Arabic, right to left, with the digits 0 to 9 as on the shelf's labels.
    Arabic,
    /// Japanese.
    Japanese,
}

/// No language of the screen.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("\"{0}\" is no language of the cart's screen; there are en, de, fr, es, ar and ja")]
pub struct UnknownLanguage(String);

impl Language {
    /// Every language, in the order in which they are offered.
    pub const ALL: [Self; 6] = [Self::English, Self::German, Self::French, Self::Spanish, Self::Arabic, Self::Japanese];

    /// Its tag, as in `cart.toml` and in the names of the catalogues' folders.
    ///
    /// Source: BCP 47, primary language subtags.
    pub fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::German => "de",
            Self::French => "fr",
            Self::Spanish => "es",
            Self::Arabic => "ar",
            Self::Japanese => "ja",
        }
    }

    /// What its speakers call it.
    pub fn own_name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::German => "Deutsch",
            Self::French => "Français",
            Self::Spanish => "Español",
            Self::Arabic => "العربية",
            Self::Japanese => "日本語",
        }
    }

    /// True when it is read from right to left.
    pub fn right_to_left(self) -> bool {
        self == Self::Arabic
    }
}

impl std::str::FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(tag: &str) -> Result<Self, UnknownLanguage> {
        Self::ALL.into_iter().find(|l| l.tag() == tag).ok_or_else(|| UnknownLanguage(tag.to_owned()))
    }
}

impl TryFrom<String> for Language {
    type Error = UnknownLanguage;

    fn try_from(tag: String) -> Result<Self, UnknownLanguage> {
        tag.parse()
    }
}
