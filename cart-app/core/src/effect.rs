//! What the cart wants done, in order.

use trip::TripEvent;
use trip::list::Noted;
use trip::message::Offer;

/// One effect. The shell carries them out in the order they come; [`Effect::Journal`] must be on
/// disk before the next is carried out.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Write these, in one transaction, durably.
    Journal(Vec<TripEvent>),
    /// Keep the signed receipt in a file, before the event that names it.
    StoreReceipt {
        /// Its number.
        number: String,
        /// The COSE_Sign1 bytes.
        cose: Vec<u8>,
        /// The QR's text.
        qr: String,
    },
    /// Tell the hub how a phone may join now; `None` for not at all.
    Offer(Option<Offer>),
    /// Keep the shopping list for a restart, outside the journal; empty: forget it.
    KeepList(Vec<Noted>),
    /// The indicator light.
    Light(Signal),
    /// A short tone.
    Tone(Signal),
    /// What the screen shows has changed: take a new [`crate::View`].
    Show,
    /// Something staff should know, for the log and the fleet board.
    Warn(String),
}

/// What light and sound say; each also has a shape and words on the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// Nothing to say.
    Idle,
    /// A line came in.
    Added,
    /// A question waits.
    Ask,
    /// Something is unresolved and not charged.
    Held,
    /// Help is called.
    Help,
    /// A device is out.
    Fault,
}
