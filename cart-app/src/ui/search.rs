//! The search. What is typed shows at once; the cart's echo of it must not undo a later key.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use cart_core::view::SearchView;
use slint::{ModelRc, VecModel};

use super::pictures::Place;
use super::{CartWindow, Format, Pictures, ask, screen};
use cart_ui::TileData;

#[derive(Default)]
pub(super) struct Search {
    /// Texts sent to the cart whose answer has not come yet.
    in_flight: VecDeque<String>,
    found: Rc<VecModel<TileData>>,
}

impl Search {
    pub(super) fn new(window: &impl CartWindow) -> Rc<RefCell<Self>> {
        let search = Self::default();
        window.search().set_found(ModelRc::from(search.found.clone()));
        Rc::new(RefCell::new(search))
    }

    pub(super) fn apply(&mut self, window: &impl CartWindow, view: &SearchView, pictures: &Pictures, format: &Format) {
        window.search().set_finding(!view.asked);
        if self.may_show(&view.text) {
            window.search().set_text(view.text.as_str().into());
        }
        let tiles = view.found.iter().take(12).map(|t| ask::tile(t, Place::Result, pictures, format));
        screen::update(&self.found, tiles.collect());
    }

    pub(super) fn sent(&mut self, text: &str) {
        self.in_flight.push_back(text.to_owned());
    }

    /// The search was left: nothing of it is awaited any more.
    pub(super) fn leave(&mut self) {
        self.in_flight.clear();
    }

    /// Whether the cart's text is news, and not the echo of what was typed some keys ago.
    fn may_show(&mut self, text: &str) -> bool {
        if let Some(at) = self.in_flight.iter().position(|sent| sent == text) {
            self.in_flight.drain(..=at);
            return false;
        }
        self.in_flight.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_echo_never_undoes_a_later_key() {
        let mut search = Search::default();
        assert!(search.may_show(""), "the first text is the cart's own");
        search.sent("o");
        search.sent("or");
        assert!(!search.may_show(""), "an old view while keys are on their way");
        assert!(!search.may_show("o"));
        assert!(!search.may_show("or"));
        assert!(search.may_show("orange"), "nothing is on its way: the cart's word counts");
    }
}
