//! All that staff mode shows, as one value, and all that a touch there can mean.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hal::{BatteryReading, MotionReading};

use super::calibrate::Calibrating;
use super::enrolling::EnrolView;
use super::instruments::{DeviceState, NoRest};
use super::log::{LogLevel, LogLine};

/// The whole picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StaffView {
    /// What is shown.
    pub page: Page,
    /// Something takes its time; touches wait.
    pub busy: bool,
    /// Seconds until staff mode closes by itself, when that is near.
    pub closes_in_s: Option<u32>,
    /// A shopper's trip goes on underneath.
    pub trip_runs: bool,
}

/// The page that is on.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Page {
    /// Staff mode is closed.
    #[default]
    Closed,
    /// It asks for the PIN.
    Pin(PinView),
    /// Which cart this is.
    Home(Box<HomeView>),
    /// Its devices, live.
    Devices(Box<DevicesView>),
    /// The scale is calibrated.
    Scale(Box<ScaleView>),
    /// What the hub has to know of it.
    Hub(Box<HubView>),
    /// A product is enrolled.
    Enrol(Box<EnrolView>),
    /// Trips are recorded.
    Recordings(Box<RecordingsView>),
    /// The program's log.
    Log(LogView),
}

/// The pages that home leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// See [`Page::Home`].
    Home,
    /// See [`Page::Devices`].
    Devices,
    /// See [`Page::Scale`].
    Scale,
    /// See [`Page::Hub`].
    Hub,
    /// See [`Page::Enrol`].
    Enrol,
    /// See [`Page::Recordings`].
    Recordings,
    /// See [`Page::Log`].
    Log,
}

/// How the question for the PIN stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PinView {
    /// It may be typed.
    #[default]
    Ask,
    /// The last one was wrong.
    Wrong,
    /// None is judged for so long.
    Wait(Duration),
    /// No PIN was set: `cart staff-pin` does.
    NotSet,
    /// The PIN's file cannot be used; the log says why.
    Broken,
    /// A payment is under way: nothing opens now.
    Paying,
}

/// Which cart this is, and how it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HomeView {
    /// The cart.
    pub cart: String,
    /// The store.
    pub store: String,
    /// The program's version.
    pub version: String,
    /// The model's name and the beginning of its fingerprint; empty without one.
    pub model: String,
    /// Products that are enrolled.
    pub products: usize,
    /// Free storage where the cart's data lie, in MiB; `None` when it cannot be told.
    pub free_mib: Option<u64>,
    /// Records that the hub has not committed yet.
    pub unsynced: u64,
    /// True while the hub answers.
    pub connected: bool,
    /// Devices that are out.
    pub out: usize,
    /// A recording is under way.
    pub recording: bool,
}

/// A camera's picture, at most 320 pixels wide: packed RGB8.
#[derive(Clone, Debug, PartialEq)]
pub struct Picture {
    /// The camera.
    pub camera: u8,
    /// Pixels a row.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// The pixels.
    pub rgb: Arc<[u8]>,
}

/// The weight of the last [`super::instruments::KEPT`].
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Curve {
    /// From 0 (the oldest) to 1 (now), and grams. Where the scale said nothing there is no point.
    pub points: Vec<(f32, f32)>,
    /// The range that is drawn, in grams.
    pub lowest_g: f32,
    /// See `lowest_g`.
    pub highest_g: f32,
    /// Times at rest: from, to (0 to 1), and grams.
    pub rests: Vec<(f32, f32, f32)>,
}

/// The devices, live.
#[derive(Clone, Debug, PartialEq)]
pub struct DevicesView {
    /// Each of them.
    pub devices: Vec<DeviceState>,
    /// What the cameras see.
    pub pictures: Vec<Picture>,
    /// The weight.
    pub curve: Curve,
    /// The weight now, in grams, or why there is none.
    pub weight: Result<f32, NoRest>,
    /// The last movement.
    pub motion: Option<MotionReading>,
    /// The last charge.
    pub battery: Option<BatteryReading>,
}

/// The scale is calibrated.
#[derive(Clone, Debug, PartialEq)]
pub struct ScaleView {
    /// How far it is.
    pub run: Calibrating,
    /// The weight now by the line found or in force, in grams, or why there is none.
    pub weight: Result<f32, NoRest>,
    /// The calibration in force.
    pub in_force: String,
    /// False without a scale.
    pub fitted: bool,
}

/// How the hub takes this cart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HubStanding {
    /// It answers, and has committed all that was sent.
    Knows,
    /// It is reached, and has not committed so many records.
    NoAck(u64),
    /// It does not answer.
    #[default]
    Silent,
}

/// What the hub has to know of this cart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HubView {
    /// The cart.
    pub cart: String,
    /// The store.
    pub store: String,
    /// Where the hub is looked for.
    pub address: String,
    /// The cart's public key, as the hub's configuration takes it: base64url.
    pub public_key: String,
    /// The beginning of the key's digest, in groups of four, to be read aloud.
    pub fingerprint: String,
    /// How the hub takes it.
    pub standing: HubStanding,
}

/// A recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordingFile {
    /// Its file's name.
    pub name: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// True for the one under way.
    pub under_way: bool,
}

/// Trips are recorded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordingsView {
    /// What is there, newest first.
    pub files: Vec<RecordingFile>,
    /// One is under way.
    pub under_way: bool,
    /// Where they lie.
    pub folder: PathBuf,
    /// Why the last wish could not be done; empty when it was.
    pub trouble: String,
}

/// The log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogView {
    /// At least so grave.
    pub level: LogLevel,
    /// Newest first.
    pub lines: Vec<LogLine>,
}

/// What a touch means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Someone wants in.
    Knock,
    /// This PIN was typed.
    Pin(String),
    /// Staff mode is left.
    Close,
    /// Another page.
    Go(PageKind),
    /// Somebody is there still.
    Stay,
    /// The known mass, in grams.
    Mass(u32),
    /// The scale is read for the step that is on.
    Read,
    /// The calibration, or the product that was made ready, is kept.
    Keep,
    /// The calibration begins anew.
    Again,
    /// A recording begins with the next trip.
    Record,
    /// The recording ends.
    EndRecording,
    /// A recording is deleted.
    Delete(String),
    /// So grave at least.
    Level(LogLevel),
    /// What is typed to find the product to enrol.
    Search(String),
    /// The product to enrol.
    Choose(trip::Sku),
    /// A picture of it is taken.
    Snap,
    /// The last picture is thrown away.
    Unsnap,
    /// The pictures taken are made ready, and what they look like is said.
    Enrol,
}
