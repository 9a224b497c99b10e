//! Days in the store, for pictures and tests: every screen, and its hard cases.
//!
//! A sample is a view and what the shopper has opened over it. One more is one more line in a list here: the
//! gallery draws it in every reading, language and room, and the tests walk through it.

mod conditions;
mod extremes;
mod find;
mod goods;
mod lane;
mod questions;
mod staff;
mod start;
mod trip;

use cart_core::View;

use super::{App, CartWindow, Screen};
use crate::staff::StaffView;

pub use conditions::age_check;
pub use goods::{LONG_NAME, line, thumbnail};
pub use questions::ask;
pub use trip::{basket, empty, welcome, wishes};

/// A screen to look at.
#[derive(Clone, Debug)]
pub struct Sample {
    /// Fit for a file, and said once.
    pub name: &'static str,
    /// What the cart tells the screen.
    pub view: View,
    /// Opens what lies over it and is no part of a view, such as the reading options.
    pub open: fn(&App),
    /// What staff mode shows over it; closed but in its own samples.
    pub staff: StaffView,
}

impl Sample {
    /// A view with nothing over it.
    pub fn new(name: &'static str, view: View) -> Self {
        Self { name, view, open: |_| {}, staff: StaffView::default() }
    }

    /// The same with what `open` opens over it.
    pub fn opening(self, open: fn(&App)) -> Self {
        Self { open, ..self }
    }

    /// The same with staff mode over it.
    pub fn behind(self, staff: StaffView) -> Self {
        Self { staff, ..self }
    }

    /// Shows it.
    pub fn show_on(&self, screen: &Screen) {
        screen.apply(&self.view);
        screen.apply_staff(&self.staff);
        (self.open)(screen.window());
    }
}

/// Every sample.
pub fn all() -> Vec<Sample> {
    [
        trip::samples(),
        start::samples(),
        questions::samples(),
        find::samples(),
        lane::samples(),
        conditions::samples(),
        panels(),
        extremes::samples(),
        staff::samples(),
    ]
    .concat()
}

/// The sample of that name.
pub fn named(name: &str) -> Option<Sample> {
    all().into_iter().find(|sample| sample.name == name)
}

/// The header's panels over the basket, and the tour.
fn panels() -> Vec<Sample> {
    vec![
        Sample::new("reading-options", basket()).opening(|window| window.state().set_reading_open(true)),
        Sample::new("language-choice", basket()).opening(|window| window.state().set_language_open(true)),
        Sample::new("wishes", wishes()).opening(|window| window.state().set_wishes_open(true)),
        Sample::new("tour", welcome()).opening(|window| window.state().set_tour_open(true)),
    ]
}
