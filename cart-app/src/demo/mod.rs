//! The demo: a store on this machine, a simulated cart, and a shopper.
//!
//! [`servers`] starts terminal and hub as processes of their own. The cart is the very program that
//! runs on a board, with `hal::sim` for its devices. The [`shopper`] follows a [`script`]; what it
//! knows reaches the cart only through the [`stage`] (things put in, seen and weighed) and touches.
//! In a [`window`], on a display or in a browser, it plays at human speed and a person may take over;
//! [`headless`] it runs in lockstep with virtual time, as fast as the machine can, and writes pictures.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Args;

use crate::config::Config;
use crate::sight::{HELD_OUT_MODEL, model_of};
use crate::staff::pin::Pins;

pub mod goods;
pub mod headless;
pub mod script;
pub mod servers;
pub mod shopper;
pub mod stage;
pub mod summary;
pub mod window;

/// Where the demo's window is shown.
#[derive(Args, Clone, Debug)]
pub struct WebOptions {
    /// In a browser instead of a display: served on this machine only.
    #[arg(long, conflicts_with = "headless")]
    pub web: bool,
    /// The port of the page; 0 for any that is free.
    #[arg(long, default_value_t = 0, requires = "web")]
    pub port: u16,
}

/// `cart demo`
#[derive(Args, Clone, Debug)]
pub struct DemoOptions {
    /// The project's assets: models, catalogue, trips.
    #[arg(long, default_value = "assets")]
    pub assets: PathBuf,
    /// Real photos of products to make the camera frames from.
    #[arg(long, conflicts_with = "drawn")]
    pub photos: Option<PathBuf>,
    /// Draw the goods even where photos are at hand.
    #[arg(long)]
    pub drawn: bool,
    /// Without a window: write pictures.
    #[arg(long)]
    pub headless: bool,
    /// In a browser.
    #[command(flatten)]
    pub web: WebOptions,
    /// Write the trip's count as JSON here.
    #[arg(long)]
    pub summary: Option<PathBuf>,
    /// Write pictures and the receipt into this folder.
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// The folder of the demo store's data.
    #[arg(long)]
    pub data: Option<PathBuf>,
    /// Another trip to play.
    #[arg(long)]
    pub trip: Option<PathBuf>,
}

/// `cart play`
#[derive(Args, Clone, Debug)]
pub struct PlayOptions {
    /// The cart's configuration file.
    #[arg(long)]
    pub config: PathBuf,
    /// The trip.
    #[arg(long)]
    pub trip: PathBuf,
    /// Where a card is held to the terminal.
    #[arg(long)]
    pub terminal_control: std::net::SocketAddr,
    /// The store's public receipt key.
    #[arg(long)]
    pub receipt_key: PathBuf,
    /// How the store's own goods are drawn.
    #[arg(long, default_value = "assets/store/pictures.toml")]
    pub pictures: PathBuf,
    /// Real photos of products.
    #[arg(long)]
    pub photos: Option<PathBuf>,
    /// Without a window: write pictures.
    #[arg(long)]
    pub headless: bool,
    /// In a browser.
    #[command(flatten)]
    pub web: WebOptions,
    /// Write the trip's count as JSON here.
    #[arg(long)]
    pub summary: Option<PathBuf>,
    /// Write pictures and the receipt into this folder.
    #[arg(long)]
    pub out: PathBuf,
    /// Go on where the last run of this trip was cut off: the same things lie in the basket.
    #[arg(long)]
    pub resume: bool,
}

/// The demo's cart.
const CART: &str = "cart-01";
/// The PIN of its staff mode: nothing is to be guarded here.
const PIN: &str = "2468";

/// Starts the store, writes the cart's configuration, plays the trip.
///
/// # Errors
/// When a part cannot start, the trip cannot be finished, or the receipt is not right.
pub fn demo(options: &DemoOptions) -> anyhow::Result<()> {
    let data = match &options.data {
        Some(data) => data.clone(),
        None => default_data()?,
    };
    std::fs::create_dir_all(&data).with_context(|| format!("data folder {}", data.display()))?;
    let data = std::path::absolute(&data).context("data folder")?;
    let assets = std::path::absolute(&options.assets).context("assets")?;
    if !assets.join("store/catalogue.toml").is_file() {
        bail!("{} is not the project's assets folder; give it with --assets", assets.display());
    }
    let programs = std::env::current_exe().context("this program's folder")?;
    let programs = programs.parent().context("this program's folder")?.to_owned();
    let cart_data = data.join(CART);
    set_old_trip_aside(&cart_data)?;
    println!("Starting the store: a payment terminal and the hub…");
    let setup = servers::StoreSetup {
        programs,
        data: data.clone(),
        catalogue: assets.join("store/catalogue.toml"),
        cart: CART.into(),
        cart_key: cart_data.join("cart-key"),
        terminal_args: Vec::new(),
    };
    let store = servers::Store::start(&setup)?;
    let at = &store.addresses;
    println!("  staff page   http://{}/", at.http);
    println!("  MQTT broker  {}", at.mqtt);
    let config = data.join("cart.toml");
    std::fs::write(&config, cart_config(&assets, &cart_data, at.mqtt))
        .with_context(|| format!("{}", config.display()))?;
    if !options.headless {
        Pins::set(&cart_data, PIN)?;
        println!("  staff mode   hold the store's name on the screen for two seconds (or Ctrl+Alt+S); PIN {PIN}");
    }
    let photos = options.photos.clone().filter(|_| !options.drawn);
    let trip = if photos.is_some() { "photos.toml" } else { "drawn.toml" };
    let play_options = PlayOptions {
        config,
        trip: options.trip.clone().unwrap_or_else(|| assets.join("demo-trips").join(trip)),
        terminal_control: at.terminal_control,
        receipt_key: data.join("hub/receipt-key.pub"),
        pictures: assets.join("store/pictures.toml"),
        photos,
        headless: options.headless,
        web: options.web.clone(),
        summary: options.summary.clone(),
        out: options.out.clone().unwrap_or_else(|| data.join("pictures")),
        resume: false,
    };
    play(&play_options)
}

/// Plays a trip against a store that runs.
///
/// # Errors
/// As [`demo`].
pub fn play(options: &PlayOptions) -> anyhow::Result<()> {
    let config = Config::load(&options.config)?;
    if options.headless { headless::play(options, &config) } else { window::play(options, &config) }
}

fn default_data() -> anyhow::Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    let home = set("XDG_DATA_HOME").or_else(|| set("HOME").map(|home| home.join(".local/share")));
    Ok(home.context("no home folder; say where the demo's data may lie with --data")?.join("trundle/demo"))
}

/// Each demo begins with an empty basket; the last one's journal is kept beside it.
fn set_old_trip_aside(cart_data: &Path) -> anyhow::Result<()> {
    for ending in ["", "-wal", "-shm"] {
        let from = cart_data.join(format!("journal.sqlite{ending}"));
        let to = cart_data.join(format!("journal-of-the-last-demo.sqlite{ending}"));
        let moved = if from.exists() { std::fs::rename(&from, &to) } else { Ok(()) };
        moved.with_context(|| format!("{}", from.display()))?;
    }
    Ok(())
}

/// The configuration of the demo's cart, as a person would write it for a simulated board.
pub fn cart_config(assets: &Path, data: &Path, mqtt: std::net::SocketAddr) -> String {
    let model = model_of(assets, HELD_OUT_MODEL);
    let text = |path: PathBuf| toml::Value::from(path.display().to_string()).to_string();
    format!(
        "store = \"market-street\"\ncart = \"{CART}\"\ndata = {}\ncatalogue = {}\n\n\
         [line]\nhost = \"{}\"\nport = {}\n\n\
         [sight]\nmodel = {}\ngallery = {}\n\n\
         [board]\nname = \"simulated\"\ncameras = [{{ driver = \"sim\" }}, {{ driver = \"sim\", mounting = \"far-rim\" }}]\n\
         scale = {{ driver = \"sim\" }}\nmotion = {{ driver = \"sim\" }}\nlight = {{ driver = \"sim\" }}\n\
         sounder = {{ driver = \"sim\" }}\nbattery = {{ driver = \"sim\" }}\nlane_beacon = {{ driver = \"sim\" }}\n",
        text(data.to_owned()),
        text(assets.join("store/catalogue.toml")),
        mqtt.ip(),
        mqtt.port(),
        text(model.clone()),
        text(model.with_extension("gallery")),
    )
}
