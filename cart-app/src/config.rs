//! The cart's one configuration file. A wrong key names the file, the line and what was expected.

use std::path::{Path, PathBuf};

use hal::BoardConfig;
use serde::Deserialize;
use service::file::{MOST_CONFIG_BYTES, read_text};
use trip::{CartId, StoreId};

use crate::ui::{Language, WeightUnit};

pub mod released;

/// What differs by store and cart. Paths are relative to the file's own folder.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// The store.
    pub store: StoreId,
    /// This cart.
    pub cart: CartId,
    /// Where journal, key and receipts lie; made when it is missing.
    pub data: PathBuf,
    /// The catalogue.
    pub catalogue: PathBuf,
    /// The folder with pictures of products, each named by its sku: `oat-drink.png`, or .jpg, .jpeg, .webp. Left out, it
    /// is `pictures` beside the catalogue. What has none there is drawn.
    #[serde(default)]
    pub pictures: Option<PathBuf>,
    /// The line to the hub.
    pub line: LineConfig,
    /// Sight.
    pub sight: SightConfig,
    /// Below this state of charge, in percent, no new trip begins.
    #[serde(default = "reserve")]
    pub battery_reserve_percent: u8,
    /// The touchscreen.
    #[serde(default)]
    pub screen: ScreenConfig,
    /// The devices.
    pub board: BoardConfig,
}

/// The touchscreen: what differs by store.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ScreenConfig {
    /// The language of a new trip.
    pub language: Language,
    /// The languages a shopper may choose from, in this order; all when left out.
    pub languages: Vec<Language>,
    /// In what the store weighs: `"kg"` or `"lb"`.
    pub weight: WeightUnit,
}

impl Default for ScreenConfig {
    fn default() -> Self {
        Self { language: Language::default(), languages: Language::ALL.to_vec(), weight: WeightUnit::default() }
    }
}

/// The line to the hub.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LineConfig {
    /// Broker host.
    pub host: String,
    /// Broker port.
    pub port: u16,
    /// Whether the line is TLS, with the identity that `cart provision` brings. Left out, it is so for every host
    /// but this machine itself.
    #[serde(default)]
    pub tls: Option<bool>,
}

impl LineConfig {
    /// True when the line is TLS.
    pub fn is_secure(&self) -> bool {
        self.tls.unwrap_or_else(|| !self.is_loopback())
    }

    /// True when the broker is on this machine.
    pub fn is_loopback(&self) -> bool {
        let address = self.host.trim_start_matches('[').trim_end_matches(']').parse::<std::net::IpAddr>();
        self.host == "localhost" || address.is_ok_and(|ip| ip.is_loopback())
    }
}

/// Sight.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SightConfig {
    /// The embedder's ONNX file; its sidecar lies beside it as `.json`.
    pub model: PathBuf,
    /// The gallery of enrolled views.
    pub gallery: PathBuf,
    /// ONNX Runtime's shared library; else `ORT_DYLIB_PATH`.
    #[serde(default)]
    pub runtime: Option<PathBuf>,
    /// Posterior from which a line is added without asking, above 0.5 and below 1.
    #[serde(default = "add")]
    pub add_threshold: f32,
}

fn reserve() -> u8 {
    15
}

fn add() -> f32 {
    cart_core::decision::Thresholds::default().add
}

/// What is wrong with a configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{}: cannot be read: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no TOML, has an unknown key or a wrong value.
    #[error("{}, line {line}: {what}", path.display())]
    Form {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong and what was expected.
        what: String,
    },
    /// A value that cannot work.
    #[error("{}: {what}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// What is wrong and what to do.
        what: String,
    },
}

impl Config {
    /// Reads and checks a file.
    ///
    /// # Errors
    /// [`ConfigError`] names the file, the line and what was expected.
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text =
            read_text(path, MOST_CONFIG_BYTES).map_err(|source| ConfigError::Read { path: path.into(), source })?;
        let mut config = Self::parse(&text, path)?;
        let folder = path.parent().unwrap_or(Path::new("."));
        let Self { data, catalogue, sight, .. } = &mut config;
        for file in [data, catalogue, &mut sight.model, &mut sight.gallery].into_iter().chain(sight.runtime.as_mut()) {
            *file = folder.join(&*file);
        }
        config.pictures = Some(match &config.pictures {
            Some(pictures) => folder.join(pictures),
            None => config.catalogue.with_file_name("pictures"),
        });
        Ok(config)
    }

    fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = read_toml(text, path)?;
        config.check(path)?;
        Ok(config)
    }

    fn check(&self, path: &Path) -> Result<(), ConfigError> {
        let value = |what: String| ConfigError::Value { path: path.into(), what };
        self.board.validate().map_err(|e| value(e.to_string()))?;
        let add = self.sight.add_threshold;
        if !(add > 0.5 && add < 1.0) {
            return Err(value(format!("sight.add_threshold is {add}; it must be above 0.5 and below 1")));
        }
        let reserve = self.battery_reserve_percent;
        if reserve > 90 {
            return Err(value(format!("battery_reserve_percent is {reserve}; it must be 0 to 90")));
        }
        let ScreenConfig { language, languages, .. } = &self.screen;
        if !languages.contains(language) {
            return Err(value(format!(
                "screen.language is \"{}\", and screen.languages does not offer it",
                language.tag()
            )));
        }
        Ok(())
    }
}

fn read_toml<T: serde::de::DeserializeOwned>(text: &str, path: &Path) -> Result<T, ConfigError> {
    toml::from_str(text).map_err(|e| {
        let start = e.span().map_or(0, |span| span.start).min(text.len());
        let line = text.as_bytes()[..start].iter().filter(|b| **b == b'\n').count() + 1;
        ConfigError::Form { path: path.into(), line, what: e.message().to_owned() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) const GOOD: &str = "store = \"market-street\"\ncart = \"cart-01\"\ndata = \"data\"\ncatalogue = \"c.toml\"\n[line]\nhost = \"127.0.0.1\"\nport = 1883\n[sight]\nmodel = \"m.onnx\"\ngallery = \"g.bin\"\n[board]\nname = \"sim\"\n";

    fn error(text: &str) -> String {
        Config::parse(text, Path::new("cart.toml")).expect_err("refused").to_string()
    }

    #[test]
    fn a_wrong_key_names_the_file_the_line_and_what_was_expected() {
        assert!(Config::parse(GOOD, Path::new("cart.toml")).is_ok());
        let wrong = error(&GOOD.replace("port = 1883", "prot = 1883"));
        assert!(wrong.contains("cart.toml, line 7") && wrong.contains("prot") && wrong.contains("port"), "{wrong}");
        let wrong = error(&GOOD.replace("port = 1883", "port = 99999"));
        assert!(wrong.contains("cart.toml, line 7"), "{wrong}");
        let wrong = error(&GOOD.replace("gallery = \"g.bin\"", "gallery = \"g.bin\"\nadd_threshold = 1.5"));
        assert!(wrong.contains("add_threshold"), "{wrong}");
        let wrong = error(&GOOD.replace("cart-01", "Cart 1"));
        assert!(wrong.contains("line 2") && wrong.contains("a-z"), "{wrong}");
    }

    #[test]
    fn a_line_over_a_network_is_tls_unless_the_file_says_otherwise() {
        let secure = |host: &str, more: &str| {
            let text = GOOD.replace("127.0.0.1", host).replace("port = 1883", &format!("port = 1883{more}"));
            Config::parse(&text, Path::new("cart.toml")).expect("a configuration").line.is_secure()
        };
        for (host, plain) in
            [("127.0.0.1", true), ("localhost", true), ("::1", true), ("hub.example", false), ("10.0.0.7", false)]
        {
            assert_eq!(secure(host, ""), !plain, "{host}");
            assert!(secure(host, "\ntls = true") && !secure(host, "\ntls = false"));
        }
    }

    #[test]
    fn a_store_names_its_languages() {
        let with = |screen: &str| format!("{GOOD}[screen]\n{screen}\n");
        let parse = |text: &str| Config::parse(text, Path::new("cart.toml")).map(|c| c.screen);
        let plain = parse(GOOD).expect("a configuration");
        assert_eq!((plain.language, plain.languages.as_slice()), (Language::English, Language::ALL.as_slice()));
        let german =
            parse(&with("language = \"de\"\nlanguages = [\"de\", \"ar\"]\nweight = \"lb\"")).expect("likewise");
        assert_eq!((german.language, german.weight), (Language::German, WeightUnit::Lb));
        assert_eq!(german.languages, [Language::German, Language::Arabic]);
    }

    #[test]
    fn an_unknown_language_names_the_file_the_line_and_the_ones_there_are() {
        let screen = |text: &str| error(&format!("{GOOD}[screen]\n{text}\n"));
        let wrong = screen("language = \"kl\"");
        assert!(wrong.contains("cart.toml, line 14") && wrong.contains("\"kl\"") && wrong.contains("ja"), "{wrong}");
        let wrong = screen("languages = [\"en\", \"tlh\"]");
        assert!(wrong.contains("cart.toml, line 14") && wrong.contains("\"tlh\""), "{wrong}");
        let wrong = screen("language = \"de\"\nlanguages = [\"en\"]");
        assert!(wrong.contains("cart.toml") && wrong.contains("screen.language is \"de\""), "{wrong}");
        let wrong = screen("weight = \"stone\"");
        assert!(wrong.contains("stone") && wrong.contains("lb"), "{wrong}");
    }
}
