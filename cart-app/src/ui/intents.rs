//! Touches to intents.

use std::cell::RefCell;
use std::rc::Rc;

use cart_core::Intent;
use trip::{HoldId, LineId, Sku};

use super::CartWindow;
use super::search::Search;

/// Connects every callback of the markup to `take`.
pub(super) fn connect(window: &impl CartWindow, take: Rc<dyn Fn(Intent)>, search: Rc<RefCell<Search>>) {
    let intents = window.intents();
    let plain = |intent: Intent| {
        let take = take.clone();
        move || take(intent.clone())
    };
    intents.on_begin(plain(Intent::Begin));
    intents.on_start(plain(Intent::Start));
    intents.on_show_list(plain(Intent::ShowList));
    intents.on_find(plain(Intent::Find));
    intents.on_show_offers(plain(Intent::ShowOffers));
    intents.on_confirm_weigh(plain(Intent::ConfirmWeigh));
    intents.on_back(plain(Intent::Back));
    intents.on_call_help(plain(Intent::CallHelp));
    intents.on_end_help(plain(Intent::EndHelp));
    intents.on_go_to_lane(plain(Intent::GoToLane));
    intents.on_back_to_shopping(plain(Intent::BackToShopping));
    intents.on_finish(plain(Intent::Finish));
    intents.on_still_here(plain(Intent::StillHere));
    intents.on_end_empty(plain(Intent::EndEmpty));

    intents.on_share_screen({
        let take = take.clone();
        move |on| take(Intent::ShareScreen { on })
    });

    let about = |intent: fn(HoldId) -> Intent| {
        let take = take.clone();
        move |hold: i32| {
            if let Ok(hold) = u32::try_from(hold) {
                take(intent(HoldId(hold)));
            }
        }
    };
    intents.on_something_else(about(|hold| Intent::SomethingElse { hold }));
    intents.on_nothing_changed(about(|hold| Intent::NothingChanged { hold }));
    intents.on_own_thing(about(|hold| Intent::OwnThing { hold }));
    intents.on_scan_it(about(|hold| Intent::ScanIt { hold }));
    intents.on_take_out(about(|hold| Intent::TakeOut { hold }));
    intents.on_ask_about(about(|hold| Intent::AskAbout { hold }));

    intents.on_answer({
        let take = take.clone();
        move |hold, sku| {
            // The name came from a view, so it is valid; a screen never stops over one that is not.
            if let (Ok(hold), Ok(sku)) = (u32::try_from(hold), Sku::new(sku.as_str())) {
                take(Intent::Answer { hold: HoldId(hold), sku });
            }
        }
    });
    intents.on_answer_line({
        let take = take.clone();
        move |hold, line| {
            if let (Ok(hold), Ok(line)) = (u32::try_from(hold), u32::try_from(line)) {
                take(Intent::AnswerLine { hold: HoldId(hold), line: LineId(line) });
            }
        }
    });
    intents.on_answer_swap({
        let take = take.clone();
        move |hold, line, sku| {
            if let (Ok(hold), Ok(line), Ok(sku)) = (u32::try_from(hold), u32::try_from(line), Sku::new(sku.as_str())) {
                take(Intent::AnswerSwap { hold: HoldId(hold), line: LineId(line), sku });
            }
        }
    });
    intents.on_show_line({
        let take = take.clone();
        move |line| {
            if let Ok(line) = u32::try_from(line) {
                take(Intent::ShowLine { line: LineId(line) });
            }
        }
    });
    intents.on_set_budget({
        let take = take.clone();
        move |minor| take(Intent::SetBudget { minor: (minor > 0).then_some(i64::from(minor)) })
    });
    intents.on_watch_for({
        let take = take.clone();
        move |kind, on| take(Intent::WatchFor { allergen: super::wishes::allergen(kind), on })
    });
    intents.on_member({
        let take = take.clone();
        move |number| take(Intent::Member { number: number.to_string() })
    });
    intents.on_tick_entry({
        let take = take.clone();
        move |entry, on| {
            if let Ok(entry) = usize::try_from(entry) {
                take(Intent::TickEntry { entry, on });
            }
        }
    });
    intents.on_tare({
        let take = take.clone();
        move |number| take(Intent::Tare { number: usize::try_from(number).ok() })
    });
    intents.on_choose({
        let take = take.clone();
        move |sku| {
            if let Ok(sku) = Sku::new(sku.as_str()) {
                take(Intent::Choose { sku });
            }
        }
    });
    intents.on_show_product({
        let take = take.clone();
        move |sku| {
            if let Ok(sku) = Sku::new(sku.as_str()) {
                take(Intent::ShowProduct { sku });
            }
        }
    });
    intents.on_search(move |text| {
        search.borrow_mut().sent(&text);
        take(Intent::Search { text: text.to_string() });
    });
}
