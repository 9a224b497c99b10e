//! Questions on the sheet.

use cart_core::view::{AskView, Tile, View, WaitsFor};
use trip::basket::HoldReason;
use trip::{Grams, HoldId, LineId};

use super::Sample;
use super::goods::{LONG_NAME, hold, thumbnail, tile, with};
use super::trip::basket;
use cart_core::view::PayBlocked;

/// The question about one orange thing.
pub fn ask() -> View {
    let mut view = basket();
    view.holds = vec![hold(10, 310, HoldReason::Unsure)];
    view.pay_blocked = Some(PayBlocked::Unresolved);
    view.ask = Some(AskView {
        hold: HoldId(10),
        reason: HoldReason::Unsure,
        weight: Grams(310),
        thumbnail: Some(thumbnail()),
        tiles: vec![
            tile("satsuma", "Satsumas", 78),
            tile("orange-navel", "Navel orange", 65),
            tile("clementine", "Clementines", 84),
            tile("grapefruit", "Grapefruit", 70),
        ],
        waits_for: WaitsFor::Answer,
        may_be_own: true,
    });
    view
}

/// The same with `change`.
pub(super) fn asked(change: impl FnOnce(&mut AskView)) -> View {
    let mut view = ask();
    if let Some(ask) = &mut view.ask {
        change(ask);
        if let Some(hold) = view.holds.first_mut() {
            hold.reason = ask.reason;
            hold.weight = ask.weight;
        }
    }
    view
}

fn ask_removal() -> View {
    asked(|ask| {
        ask.reason = HoldReason::WhichRemoved;
        ask.weight = Grams(-1043);
        ask.thumbnail = None;
        ask.may_be_own = false;
        ask.tiles = vec![
            Tile { line: Some(LineId(8)), ..tile("oat-drink-1l", "Oat drink 1 l", 185) },
            Tile { line: Some(LineId(7)), ..tile("banana", "Bananas", 105) },
        ];
    })
}

/// Its samples.
pub(super) fn samples() -> Vec<Sample> {
    vec![
        Sample::new(
            "ask-refused",
            asked(|a| {
                a.reason = HoldReason::Refused;
                a.waits_for = WaitsFor::Removal;
                a.weight = Grams(1260);
                a.thumbnail = None;
                a.tiles.clear();
                a.may_be_own = false;
            }),
        ),
        Sample::new("ask", ask()),
        Sample::new(
            "ask-unknown",
            asked(|a| {
                a.reason = HoldReason::Unknown;
                a.tiles.clear();
            }),
        ),
        Sample::new(
            "ask-long-names",
            asked(|a| {
                for tile in &mut a.tiles {
                    tile.name = LONG_NAME.into();
                }
            }),
        ),
        Sample::new(
            "ask-several",
            asked(|a| {
                a.reason = HoldReason::Several;
                a.weight = Grams(1310);
                a.tiles.truncate(3);
            }),
        ),
        Sample::new(
            "ask-never-put-in",
            asked(|a| {
                a.reason = HoldReason::NeverPutIn;
                a.weight = Grams(0);
                a.thumbnail = None;
                a.may_be_own = false;
                a.tiles = vec![tile("coffee-beans", "Coffee beans 250 g", 425)];
            }),
        ),
        Sample::new("ask-scan", asked(|a| a.waits_for = WaitsFor::Code)),
        Sample::new("ask-take-out", asked(|a| a.waits_for = WaitsFor::Removal)),
        Sample::new("ask-which-removed", ask_removal()),
        Sample::new(
            "ask-removed-unknown",
            with(ask_removal(), |v| {
                if let Some(ask) = &mut v.ask {
                    ask.tiles.clear();
                }
            }),
        ),
        Sample::new(
            "ask-swapped",
            asked(|a| {
                a.reason = HoldReason::Swapped;
                a.weight = Grams(3);
                a.may_be_own = false;
                a.tiles = vec![
                    Tile {
                        line: Some(LineId(8)),
                        instead_of: Some("Oat drink 1 l".into()),
                        ..tile("milk-whole-1l", "Whole milk 1 l", 125)
                    },
                    Tile { line: Some(LineId(2)), instead_of: Some(LONG_NAME.into()), ..tile("tea", LONG_NAME, 240) },
                ];
            }),
        ),
        Sample::new(
            "ask-recount-more",
            asked(|a| {
                a.reason = HoldReason::Recount;
                a.weight = Grams(412);
                a.thumbnail = None;
                a.tiles.clear();
            }),
        ),
        Sample::new(
            "ask-recount-less",
            with(ask_removal(), |v| {
                if let Some(ask) = &mut v.ask {
                    ask.reason = HoldReason::Recount;
                }
            }),
        ),
    ]
}
