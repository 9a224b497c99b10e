//! What a store sets on all its carts by a signed release of the configuration, over what each cart's own file
//! says: how its screens speak, and when its carts are sure enough and full enough. What belongs to the one
//! cart (its name, its line, its devices, its folders) no release can change.
//!
//! ```toml
//! add_threshold = 0.97              # posterior from which a line is added without asking
//! battery_reserve_percent = 20
//!
//! [screen]
//! language = "de"
//! languages = ["de", "en", "fr"]
//! ```

use std::path::Path;

use serde::Deserialize;
use tracing::{info, warn};
use trip::release::Kind;

use super::{Config, ConfigError, ScreenConfig, read_toml};
use crate::released::current;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StoreSettings {
    add_threshold: Option<f32>,
    battery_reserve_percent: Option<u8>,
    screen: Option<ScreenConfig>,
}

impl Config {
    /// Reads and checks a file, and puts over it what the store has released to this cart. A release that cannot be
    /// used is told and left out: the cart's own file is good.
    ///
    /// # Errors
    /// As [`Config::load`].
    pub fn load_with_release(path: &Path) -> Result<Self, ConfigError> {
        let config = Self::load(path)?;
        let Some((manifest, file)) = current(&config, Kind::Configuration) else { return Ok(config) };
        let name = format!("configuration release {}", manifest.version);
        match config.with_settings(&String::from_utf8_lossy(&file), Path::new(&name)) {
            Ok(with) => {
                info!("{name} holds");
                Ok(with)
            }
            Err(why) => {
                warn!(%why, "the released configuration is left out");
                Ok(config)
            }
        }
    }

    /// The same with what `text`, known as `name`, sets.
    fn with_settings(&self, text: &str, name: &Path) -> Result<Self, ConfigError> {
        let StoreSettings { add_threshold, battery_reserve_percent, screen } = read_toml(text, name)?;
        let mut config = self.clone();
        config.sight.add_threshold = add_threshold.unwrap_or(config.sight.add_threshold);
        config.battery_reserve_percent = battery_reserve_percent.unwrap_or(config.battery_reserve_percent);
        config.screen = screen.unwrap_or(config.screen);
        config.check(name)?;
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::tests::GOOD;
    use crate::ui::Language;

    #[test]
    fn a_release_sets_what_is_the_stores_and_nothing_that_is_the_carts() {
        let own = Config::parse(GOOD, Path::new("cart.toml")).expect("a configuration");
        let with = |text: &str| own.with_settings(text, Path::new("configuration release 3"));
        let set = with("battery_reserve_percent = 30\n[screen]\nlanguage = \"de\"\n").expect("good settings");
        assert_eq!((set.battery_reserve_percent, set.screen.language), (30, Language::German));
        assert_eq!(set.sight.add_threshold, own.sight.add_threshold, "what is not set is the cart's own");
        for (wrong, what) in [
            ("cart = \"cart-02\"", "line 1"),
            ("\n[line]\nhost = \"elsewhere\"", "line 2"),
            ("add_threshold = 0.2", "above 0.5"),
            ("battery_reserve_percent = 99", "0 to 90"),
        ] {
            let why = with(wrong).expect_err(wrong).to_string();
            assert!(why.contains("configuration release 3") && why.contains(what), "{wrong}: {why}");
        }
    }
}
