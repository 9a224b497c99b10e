//! How a trip begins, and what its shopper brought along.

use super::Tile;

/// The start screen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StartView {
    /// What the QR for the phone says; `None` while the hub does not answer.
    pub link: Option<String>,
    /// True where the store lets phones join at all.
    pub phones: bool,
    /// True after a number that is no loyalty number.
    pub wrong_number: bool,
}

/// Who shops, as far as they said; a guest says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Joined {
    /// The last digits of the loyalty number, fit to be shown.
    pub member: Option<String>,
    /// True when a phone follows the trip.
    pub phone: bool,
}

/// The shopping list: what is open by aisle, then what names no product, then what is ticked.
#[derive(Clone, Debug, PartialEq)]
pub struct ListView {
    /// Its entries.
    pub entries: Vec<EntryView>,
}

/// One entry.
#[derive(Clone, Debug, PartialEq)]
pub struct EntryView {
    /// Its place in the list as it was written, from 0.
    pub number: usize,
    /// As it was written.
    pub text: String,
    /// The product it most likely means, with the price of a piece or a kilogram; `None` for plain text.
    pub product: Option<Tile>,
    /// Where that stands, such as `A3`.
    pub aisle: Option<String>,
    /// True once it is done.
    pub ticked: bool,
    /// True when the basket ticked it: it is no matter of a touch.
    pub bought: bool,
}
