//! All that can happen to a cart, as plain values.

use cart_vision::{Scan, Sighting};
use hal::{BatteryReading, CameraId, MotionReading, WeightReading};
use serde::{Deserialize, Serialize};
use trip::message::{Command, Desired};
use trip::{Allergen, HoldId, LaneId, LineId, Sku};

/// One input of the trip task.
#[derive(Clone, Debug)]
pub enum Input {
    /// A sample of the scale, 80 a second.
    Weight(WeightReading),
    /// A sample of the inertial sensor.
    Motion(MotionReading),
    /// A camera says whether anything moves in its view.
    Movement {
        /// Which.
        camera: CameraId,
        /// True while something moves.
        moving: bool,
    },
    /// A camera's picture shows something, or nothing at all: dark, flat or smeared. Told when it changes.
    Sight {
        /// Which.
        camera: CameraId,
        /// True while it shows something.
        clear: bool,
    },
    /// A look at a moving thing.
    Sighting(Sighting),
    /// An accepted barcode.
    Scan(Scan),
    /// The battery.
    Battery(BatteryReading),
    /// The lane beacon: at this lane, or at none.
    Lane(Option<LaneId>),
    /// The shopper, or staff, touched the screen.
    Intent(Intent),
    /// The hub asks something of this cart.
    Command(Command),
    /// What the hub wants this cart to be.
    Desired(Desired),
    /// The line to the hub is up or down.
    Link {
        /// True while the hub answers.
        connected: bool,
    },
    /// A device works or is out.
    Device {
        /// Which.
        device: Device,
        /// `None` while it works, else what is wrong, for staff.
        fault: Option<String>,
    },
}

/// A device whose absence changes what the cart may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Device {
    /// A camera, by its number.
    Camera(u8),
    /// The basket scale.
    Scale,
    /// The inertial sensor.
    Motion,
    /// The battery gauge.
    Battery,
}

impl std::fmt::Display for Device {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Camera(n) => write!(f, "camera {n}"),
            Self::Scale => f.write_str("scale"),
            Self::Motion => f.write_str("motion sensor"),
            Self::Battery => f.write_str("battery"),
        }
    }
}

/// What a person wants, said by touching the screen. An intent that no longer fits (the hold is
/// resolved, the trip is over) is ignored: ten taps are one tap.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intent {
    /// "Start shopping" on the welcome screen: how?
    Begin,
    /// "As a guest": the trip begins.
    Start,
    /// A loyalty number was typed: the trip begins with it, if its check digit is right.
    Member {
        /// As it was typed.
        number: String,
    },
    /// "List".
    ShowList,
    /// An entry of the shopping list was ticked by hand, or no longer is.
    TickEntry {
        /// Its place in the list as it was written, from 0.
        entry: usize,
        /// True to tick it.
        on: bool,
    },
    /// A tile of the ask sheet.
    Answer {
        /// The question.
        hold: HoldId,
        /// The product chosen.
        sku: Sku,
    },
    /// A line of the "which did you take out?" sheet.
    AnswerLine {
        /// The question.
        hold: HoldId,
        /// The line chosen.
        line: LineId,
    },
    /// A tile of the "did you swap something?" sheet: this product lies there for that line.
    AnswerSwap {
        /// The question.
        hold: HoldId,
        /// What went out.
        line: LineId,
        /// What came in.
        sku: Sku,
    },
    /// "Nothing was changed", of a swap.
    NothingChanged {
        /// The question.
        hold: HoldId,
    },
    /// "It's my own": a bag, a coat, an umbrella.
    OwnThing {
        /// The question.
        hold: HoldId,
    },
    /// "Something else": find it by name or number.
    SomethingElse {
        /// The question.
        hold: HoldId,
    },
    /// Text typed into the search.
    Search {
        /// All that has been typed.
        text: String,
    },
    /// A product chosen in the search.
    Choose {
        /// The product.
        sku: Sku,
    },
    /// The bag or tray that the goods on the weigh screen lie in.
    Tare {
        /// Its place among those offered, from 0; `None` for none.
        number: Option<usize>,
    },
    /// "Add" on the weigh screen.
    ConfirmWeigh,
    /// Back from search or weigh, to the question; from the list or a line, to the basket; from a product, to what it
    /// was found by; from the start screen, to the welcome.
    Back,
    /// "Find": look for a product that no question is about.
    Find,
    /// "Offers".
    ShowOffers,
    /// A product that was found, or the way to one on the list.
    ShowProduct {
        /// The product.
        sku: Sku,
    },
    /// "Scan its code": the question waits for a barcode.
    ScanIt {
        /// The question.
        hold: HoldId,
    },
    /// "I'll take it out": the question waits for the weight to leave.
    TakeOut {
        /// The question.
        hold: HoldId,
    },
    /// A held row was tapped: ask about it (again).
    AskAbout {
        /// The held thing.
        hold: HoldId,
    },
    /// A line was tapped: what is known of it.
    ShowLine {
        /// The line.
        line: LineId,
    },
    /// A budget for this trip, or none. It stays on the cart and goes with the trip.
    SetBudget {
        /// In minor units, above 0; `None` for none.
        minor: Option<i64>,
    },
    /// "Tell me when this is in something", or no longer. It stays on the cart and goes with the trip.
    WatchFor {
        /// What.
        allergen: Allergen,
        /// True to be told.
        on: bool,
    },
    /// "Help".
    CallHelp,
    /// "I don't need help any more".
    EndHelp,
    /// "Let staff see this screen", in a call for help, or no more.
    ShareScreen {
        /// True to let them.
        on: bool,
    },
    /// "Go to the exit lane": pay at the lane the cart stands at.
    GoToLane,
    /// "Back to shopping" from the pay screen.
    BackToShopping,
    /// "Done" on the receipt: the trip ends and the screen forgets it.
    Finish,
    /// "Yes" to "Still shopping?". Any other touch says the same.
    StillHere,
    /// "I don't need the cart": a trip with nothing in it ends.
    EndEmpty,
}
