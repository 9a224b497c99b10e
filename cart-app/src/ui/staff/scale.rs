//! The scale's calibration, step by step.

use std::rc::Rc;

use cart_ui::{MassChoice, ScaleRefusal, ScaleStep};
use slint::{ModelRc, VecModel};

use super::super::screen::update;
use super::super::{CartWindow, Format};
use super::devices::{tenths, weighed};
use crate::staff::calibrate::{Refusal, Step};
use crate::staff::view::ScaleView;

pub(super) struct Scale {
    masses: Rc<VecModel<MassChoice>>,
}

impl Scale {
    pub(super) fn new(window: &impl CartWindow) -> Self {
        let masses = Rc::<VecModel<MassChoice>>::default();
        window.staff_scale().set_masses(ModelRc::from(masses.clone()));
        Self { masses }
    }

    pub(super) fn apply(&self, window: &impl CartWindow, view: &ScaleView, format: &Format) {
        let data = window.staff_scale();
        let run = &view.run;
        data.set_fitted(view.fitted);
        data.set_step(match run.step {
            Step::Zero => ScaleStep::Zero,
            Step::Mass => ScaleStep::Mass,
            Step::Check => ScaleStep::Check,
            Step::Keep => ScaleStep::Keep,
            Step::Kept => ScaleStep::Kept,
        });
        let (refusal, felt) = refused(run.refusal);
        data.set_refusal(refusal);
        data.set_felt(felt.map(|grams| tenths(grams, format)).unwrap_or_default().into());
        let (rest, weight) = weighed(view.weight, format);
        data.set_rest(rest);
        data.set_weight(weight.into());
        let choice = |grams: u32| MassChoice {
            grams: i32::try_from(grams).unwrap_or(i32::MAX),
            name: mass(grams, format).into(),
            chosen: grams == run.mass_g,
        };
        update(&self.masses, run.masses().into_iter().map(choice).collect());
        data.set_mass(mass(run.mass_g, format).into());
        data.set_half(mass(run.mass_g / 2, format).into());
        data.set_error(run.check_error_g.map(|off| tenths(off, format)).unwrap_or_default().into());
        data.set_in_force(view.in_force.as_str().into());
    }
}

/// `2 kg`, `500 g`; weights of a service case are metric wherever they are.
fn mass(grams: u32, format: &Format) -> String {
    let grams = i64::from(grams);
    if grams % 1_000 == 0 { format.kilograms(grams / 1_000).to_string() } else { format.grams(grams, 0).to_string() }
}

/// Why, and the grams that it speaks of.
fn refused(refusal: Option<Refusal>) -> (ScaleRefusal, Option<f32>) {
    match refusal {
        None => (ScaleRefusal::None, None),
        Some(Refusal::Silent) => (ScaleRefusal::Silent, None),
        Some(Refusal::NotANumber) => (ScaleRefusal::NotANumber, None),
        Some(Refusal::Unsteady) => (ScaleRefusal::Unsteady, None),
        Some(Refusal::Overloaded) => (ScaleRefusal::Overloaded, None),
        Some(Refusal::NotEmpty(grams)) => (ScaleRefusal::NotEmpty, Some(grams)),
        Some(Refusal::Implausible(grams)) => (ScaleRefusal::Implausible, Some(grams)),
        Some(Refusal::SameLoad) => (ScaleRefusal::SameLoad, None),
        Some(Refusal::CheckFailed(grams)) => (ScaleRefusal::CheckFailed, Some(grams)),
        Some(Refusal::TripRuns) => (ScaleRefusal::TripRuns, None),
        Some(Refusal::NotWritten) => (ScaleRefusal::NotWritten, None),
    }
}
