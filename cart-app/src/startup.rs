//! From a configuration to a cart that is ready: catalogue, journal, key, replay.

use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use anyhow::{Context, bail};
use cart_core::decision::Thresholds;
use cart_core::weight_step::ScaleTuning;
use cart_core::{Cart, OwnLimits, Setup, Tare};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};
use store_sync::identity::Identity;
use tracing::{info, warn};
use trip::list::Noted;
use trip::release::Kind;
use trip::{Catalogue, Hash, Phase};

use crate::config::Config;
use crate::journal::{Journal, LIST_KEY};
use crate::recording::Begin;
use crate::retention::forget_damaged;

/// A cart that is ready to take inputs.
pub struct Ready {
    /// The cart, as the journal left it.
    pub cart: Cart,
    /// Its journal.
    pub journal: Journal,
    /// Its key.
    pub key: SigningKey,
    /// The newest catalogue.
    pub catalogue: Arc<Catalogue>,
    /// The same once more, for whoever records the trip.
    pub begin: Begin,
}

/// What a cart's [`Setup`] is made of: plain facts of its configuration and its journal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SetupFacts {
    /// What trip names begin with.
    pub trip_base: String,
    /// How many trips the journal holds.
    pub trips: u64,
    /// Posterior from which a line is added without asking.
    pub add_threshold: f32,
    /// Above this the scale's word is not taken, in grams.
    pub capacity_g: f32,
    /// Below this state of charge, in percent, no new trip begins.
    pub battery_reserve: u8,
    /// The QR of the receipt that is on the screen.
    pub receipt_qr: Option<String>,
    /// What this run's pairing tokens are made of; of no use once it has ended.
    #[serde(default = "no_seed")]
    pub pairing_seed: Hash,
    /// The running trip's shopping list.
    #[serde(default)]
    pub list: Vec<Noted>,
}

/// Recordings of before there was pairing know no seed, and no token either.
fn no_seed() -> Hash {
    Hash::GENESIS
}

/// The core's setup.
pub fn setup(facts: SetupFacts) -> Setup {
    let SetupFacts { trip_base, trips, add_threshold, capacity_g, battery_reserve, receipt_qr, pairing_seed, list } =
        facts;
    Setup {
        trip_base,
        trips,
        thresholds: Thresholds { add: add_threshold, ..Thresholds::default() },
        scale: ScaleTuning { capacity_g, ..ScaleTuning::default() },
        battery_reserve,
        receipt_qr,
        own: OwnLimits::default(),
        tares: Tare::usual(),
        pairing_seed,
        list,
    }
}

/// Opens all that a cart needs besides its devices.
///
/// # Errors
/// A missing or wrong catalogue, a data folder that cannot be used, a key that is no key: each
/// names the file and what to do.
pub fn prepare(config: &Config) -> anyhow::Result<Ready> {
    let (newest, text) = newest_catalogue(config)?;
    let opened = Journal::open(&config.data, &config.store, &config.cart)?;
    let journal = opened.journal;
    journal.keep_catalogue(newest.version, &text)?;
    if let Err(why) = forget_damaged(&config.data, SystemTime::now()) {
        warn!(%why, "an old damaged journal cannot be removed");
    }
    if let Some(damage) = &opened.damage {
        warn!("{damage}; staff must look at this cart");
    }
    let state = opened.state;
    let pinned_text = match state.catalogue {
        Some(version) if version != newest.version && state.phase != Phase::Idle => journal
            .catalogue(version)?
            .with_context(|| format!("the running trip's catalogue {version} is not in the journal"))?,
        _ => text.clone(),
    };
    let pinned = Catalogue::parse(&pinned_text).context("the running trip's catalogue")?;
    journal.keep_only(&[newest.version, pinned.version])?;
    if let Some(trip) = &state.trip {
        info!(%trip, lines = state.basket.lines.len(), "the basket is back");
    }
    let facts = SetupFacts {
        trip_base: format!("{}.{}", config.cart, journal.epoch()),
        trips: opened.trips,
        add_threshold: config.sight.add_threshold,
        capacity_g: config.board.scale.capacity_g as f32,
        battery_reserve: config.battery_reserve_percent,
        receipt_qr: journal.get("receipt_qr")?.filter(|_| state.phase == Phase::Receipted),
        pairing_seed: random_seed()?,
        list: kept_list(&journal)?,
    };
    let key = load_key(&config.data.join("cart-key"))?;
    let begin = Begin {
        program: env!("CARGO_PKG_VERSION").into(),
        facts: facts.clone(),
        catalogue: pinned_text,
        newest: text,
        state: state.clone(),
    };
    let mut cart = Cart::new(setup(facts), pinned, state);
    cart.offer_catalogue(newest.clone());
    Ok(Ready { cart, journal, key, catalogue: Arc::new(newest), begin })
}

/// The last catalogue that the store has released to this cart, and else the one of the configuration.
fn newest_catalogue(config: &Config) -> anyhow::Result<(Catalogue, String)> {
    if config.line.is_secure() {
        let identity = Identity::load(&config.data, &config.store, &config.cart)?;
        let shelf = identity.shelf(&config.data);
        if let Some((manifest, file)) = shelf.current(Kind::Catalogue) {
            let text = String::from_utf8_lossy(&file).into_owned();
            match Catalogue::parse(&text) {
                Ok(catalogue) => return Ok((catalogue, text)),
                Err(why) => warn!(version = manifest.version, %why, "the released catalogue cannot be read"),
            }
        }
    }
    let path = &config.catalogue;
    let text = service::file::read_text(path, trip::bounds::MAX_CATALOGUE_BYTES)
        .with_context(|| format!("catalogue {} cannot be read", path.display()))?;
    let catalogue = Catalogue::parse(&text).with_context(|| path.display().to_string())?;
    Ok((catalogue, text))
}

fn random_seed() -> anyhow::Result<Hash> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| anyhow::anyhow!("no random numbers: {e}"))?;
    Ok(Hash(seed))
}

/// The shopping list as the last run kept it; one that cannot be read is none.
fn kept_list(journal: &Journal) -> anyhow::Result<Vec<Noted>> {
    let text = journal.get(LIST_KEY)?.unwrap_or_default();
    Ok(serde_json::from_str(&text).unwrap_or_default())
}

/// Reads the cart's key, or makes one: 32 bytes, hexadecimal, for the owner's eyes only.
///
/// # Errors
/// When the file cannot be read or made, is no key, or others may read it.
pub fn load_key(path: &Path) -> anyhow::Result<SigningKey> {
    use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
    let context = || format!("cart key {}", path.display());
    if let Ok(text) = std::fs::read_to_string(path) {
        let mode = std::fs::metadata(path).with_context(context)?.permissions().mode();
        if mode & 0o077 != 0 {
            bail!(
                "cart key {} may be read by others; make it private with: chmod 600 {}",
                path.display(),
                path.display()
            );
        }
        // Not the error's own words: they would show the key.
        let Ok(hash) = trip::Hash::try_from(text.trim().to_owned()) else {
            bail!("cart key {} is not 64 lower-case hexadecimal digits", path.display());
        };
        return Ok(SigningKey::from_bytes(&hash.0));
    }
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| anyhow::anyhow!("no random numbers: {e}"))?;
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(context)?;
    }
    // Whole or not at all: a power cut must not leave an empty key.
    let partial = path.with_extension("partial");
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&partial).with_context(context)?;
    std::io::Write::write_all(&mut file, trip::Hash(seed).to_string().as_bytes()).with_context(context)?;
    file.sync_all().with_context(context)?;
    std::fs::rename(&partial, path).with_context(context)?;
    Ok(SigningKey::from_bytes(&seed))
}
