//! What an honest shopper touches: only what the screen offers, and only what is true.

use cart_core::Intent;
use cart_core::view::{AskView, Screen, View, WaitsFor};
use trip::basket::HoldReason;
use trip::{HoldId, LineId, Sku};

/// After so many touches at one question people leave it to staff.
const PATIENCE: u32 = 8;

/// What the shopper knows about the deed under way.
#[derive(Clone, Debug, Default)]
pub struct Concern {
    /// Products of things that were put in and are not on the bill yet.
    pub waiting: Vec<Sku>,
    /// True when one of them is sold by weight.
    pub loose: bool,
    /// True when they can be, and were not yet, put in once more, one by one, with their codes.
    pub may_repeat: bool,
    /// Products that were taken out.
    pub taken: Vec<Sku>,
    /// The lines they are.
    pub taken_lines: Vec<LineId>,
}

/// What the shopper does next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Touches the screen.
    Touch(Intent),
    /// Takes what was put in out again, to put it in once more.
    TakeBack,
}

/// The shopper.
#[derive(Clone, Debug, Default)]
pub struct Shopper {
    open: Option<HoldId>,
    touches: u32,
}

impl Shopper {
    /// What to do about what the screen shows; `None` when there is nothing to do, or no more.
    pub fn next(&mut self, view: &View, concern: &Concern) -> Option<Next> {
        let ask = view.ask.as_ref()?;
        if self.open != Some(ask.hold) {
            self.open = Some(ask.hold);
            self.touches = 0;
        }
        if self.touches >= PATIENCE {
            return None;
        }
        let next = choose(view, ask, concern);
        self.touches += u32::from(next.is_some());
        next
    }
}

fn choose(view: &View, ask: &AskView, concern: &Concern) -> Option<Next> {
    let touch = |intent| Some(Next::Touch(intent));
    let hold = ask.hold;
    let true_of = |sku: &Sku| concern.waiting.contains(sku);
    match &view.screen {
        Screen::Weigh(weigh) if !true_of(&weigh.sku) => return touch(Intent::Back),
        Screen::Weigh(weigh) => return weigh.price.and_then(|_| touch(Intent::ConfirmWeigh)),
        Screen::Search(search) => {
            if let Some(found) = search.found.iter().find(|tile| true_of(&tile.sku) && !search.text.is_empty()) {
                return touch(Intent::Choose { sku: found.sku.clone() });
            }
            // The name on the shelf, as far as most people type.
            let typed = concern.waiting.first()?.as_str().split(['-', '.']).next()?.to_owned();
            return if search.text == typed { None } else { touch(Intent::Search { text: typed }) };
        }
        _ => {}
    }
    if ask.waits_for == WaitsFor::Removal {
        return (concern.may_repeat && !concern.waiting.is_empty()).then_some(Next::TakeBack);
    }
    if ask.waits_for == WaitsFor::Code {
        return concern.may_repeat.then_some(Next::Touch(Intent::TakeOut { hold }));
    }
    if ask.reason == HoldReason::Swapped {
        let own = |tile: &&cart_core::view::Tile| {
            let line = tile.line.is_some_and(|line| concern.taken_lines.contains(&line));
            line && true_of(&tile.sku)
        };
        return match ask.tiles.iter().find(own).and_then(|tile| Some((tile.line?, tile.sku.clone()))) {
            Some((line, sku)) => touch(Intent::AnswerSwap { hold, line, sku }),
            None if concern.waiting.is_empty() => touch(Intent::NothingChanged { hold }),
            None => touch(Intent::SomethingElse { hold }),
        };
    }
    if ask.weight.0 < 0 || ask.reason == HoldReason::WhichRemoved {
        let own = ask.tiles.iter().find(|tile| tile.line.is_some_and(|line| concern.taken_lines.contains(&line)));
        let like = || ask.tiles.iter().find(|tile| concern.taken.contains(&tile.sku));
        let line = own.or_else(like).and_then(|tile| tile.line)?;
        return touch(Intent::AnswerLine { hold, line });
    }
    let tile = ask.tiles.iter().find(|tile| true_of(&tile.sku));
    if ask.reason == HoldReason::NeverPutIn {
        // It is in after all, or it is not.
        return touch(tile.map_or(Intent::TakeOut { hold }, |t| Intent::Answer { hold, sku: t.sku.clone() }));
    }
    let mut kinds = concern.waiting.clone();
    kinds.sort();
    kinds.dedup();
    // One answer would put the whole weight on one of two things.
    let one_by_one = kinds.len() > 1 && (ask.reason != HoldReason::Several || concern.loose || tile.is_none());
    match tile {
        // Nothing was put in: only what is not there can be taken out.
        _ if kinds.is_empty() => touch(Intent::TakeOut { hold }),
        _ if one_by_one && concern.may_repeat => touch(Intent::TakeOut { hold }),
        _ if one_by_one => None,
        Some(tile) => touch(Intent::Answer { hold, sku: tile.sku.clone() }),
        None => touch(Intent::SomethingElse { hold }),
    }
}
