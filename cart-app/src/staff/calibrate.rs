//! Calibrating the scale, step by step: nothing, a known mass, and once more to check. Arithmetic and
//! refusals only; whoever weighs and writes is the [desk](super::desk).

use super::calibration::Line;
use super::instruments::{NoRest, Rest};

/// The mass is at least this share of the capacity: a small one cannot tell the slope.
const LEAST_SHARE: u32 = 40;
/// The empty basket may read so much of the capacity off zero; more is a basket that is not empty.
const EMPTY_SHARE: f32 = 0.25;
/// By the line in force the mass must be felt between these times itself: else it is not on the scale, or is
/// another.
const LEAST_SPAN: f32 = 0.25;
const MOST_SPAN: f32 = 4.0;
/// A check is passed within this, in grams, and this share of the load.
const CHECK_G: f32 = 3.0;
const CHECK_SHARE: f32 = 0.002;

/// What is to be done next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Step {
    /// Take everything out, then zero.
    #[default]
    Zero,
    /// Put the mass in, then read.
    Mass,
    /// Take it out, put it or half of it in, then check.
    Check,
    /// Checked: it can be kept.
    Keep,
    /// Kept.
    Kept,
}

/// Why a reading is not taken. Nothing is changed then.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Refusal {
    /// The scale says nothing.
    Silent,
    /// It says no numbers.
    NotANumber,
    /// It is not at rest.
    Unsteady,
    /// More lies on it than it can weigh.
    Overloaded,
    /// So many grams are felt where nothing should be.
    NotEmpty(f32),
    /// So many grams are felt where the mass should be.
    Implausible(f32),
    /// The mass was not lifted since it was read: that checks nothing.
    SameLoad,
    /// The check is off by so many grams.
    CheckFailed(f32),
    /// A trip is on: its basket would weigh otherwise.
    TripRuns,
    /// The file cannot be written.
    NotWritten,
}

impl From<NoRest> for Refusal {
    fn from(why: NoRest) -> Self {
        match why {
            NoRest::Silent => Self::Silent,
            NoRest::NotANumber => Self::NotANumber,
            NoRest::Unsteady => Self::Unsteady,
        }
    }
}

/// A calibration under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Calibrating {
    /// What is to be done next.
    pub step: Step,
    /// The known mass, in grams.
    pub mass_g: u32,
    /// Why the last reading was not taken.
    pub refusal: Option<Refusal>,
    /// How far the check was off, in grams.
    pub check_error_g: Option<f32>,
    capacity_g: f32,
    /// The line that gives the grams that are read.
    in_force: Line,
    zero: Option<f64>,
    found: Option<Line>,
    lifted: bool,
}

/// The masses to choose from, in grams: what a store's service case holds.
const MASSES_G: [u32; 5] = [500, 1_000, 2_000, 5_000, 10_000];

impl Calibrating {
    /// Begins, with the line that is in force.
    pub fn new(in_force: Line, capacity_g: u32) -> Self {
        let mass_g = if capacity_g >= 10_000 { 5_000 } else { 1_000 };
        Self {
            step: Step::Zero,
            mass_g,
            refusal: None,
            check_error_g: None,
            capacity_g: capacity_g as f32,
            in_force,
            zero: None,
            found: None,
            lifted: false,
        }
    }

    /// The masses that fit this scale, in grams.
    pub fn masses(&self) -> Vec<u32> {
        let fits = |mass: &u32| *mass as f32 <= self.capacity_g && *mass * LEAST_SHARE >= self.capacity_g as u32;
        MASSES_G.into_iter().filter(fits).collect()
    }

    /// Chooses the mass, until it was read.
    pub fn choose(&mut self, mass_g: u32) {
        if matches!(self.step, Step::Zero | Step::Mass) && self.masses().contains(&mass_g) {
            self.mass_g = mass_g;
            self.refusal = None;
        }
    }

    /// The scale's word in between: sees that the mass was lifted.
    pub fn feel(&mut self, grams: f32) {
        if self.step == Step::Check && self.by_found(grams) < self.mass_g as f32 * 0.25 {
            self.lifted = true;
        }
    }

    /// What the scale would show by the line that was found, or by the one in force.
    pub fn by_found(&self, grams: f32) -> f32 {
        match self.found {
            Some(line) => ((self.in_force.counts(grams) - line.zero_counts) / line.counts_per_g) as f32,
            None => grams,
        }
    }

    /// Takes the reading that the step asks for.
    pub fn read(&mut self, rest: Result<Rest, NoRest>) {
        self.refusal = self.try_read(rest).err();
    }

    fn try_read(&mut self, rest: Result<Rest, NoRest>) -> Result<(), Refusal> {
        let Rest { grams } = rest?;
        if grams.abs() > self.capacity_g {
            return Err(Refusal::Overloaded);
        }
        let mass = self.mass_g as f32;
        match self.step {
            Step::Zero => {
                if grams.abs() > self.capacity_g * EMPTY_SHARE {
                    return Err(Refusal::NotEmpty(grams));
                }
                self.zero = Some(self.in_force.counts(grams));
                self.step = Step::Mass;
            }
            Step::Mass => {
                let zero = self.zero.unwrap_or(self.in_force.zero_counts);
                let span = self.in_force.counts(grams) - zero;
                let felt = (span / self.in_force.counts_per_g) as f32;
                if !(mass * LEAST_SPAN..=mass * MOST_SPAN).contains(&felt) {
                    return Err(Refusal::Implausible(felt));
                }
                self.found = Some(self.in_force.with(zero, span / f64::from(self.mass_g)));
                self.lifted = false;
                self.step = Step::Check;
            }
            Step::Check => {
                let found = self.by_found(grams);
                let whole = found > mass * 0.75;
                if whole && !self.lifted {
                    return Err(Refusal::SameLoad);
                }
                let load = if whole { mass } else { mass / 2.0 };
                let off = found - load;
                if off.abs() > CHECK_G + CHECK_SHARE * load {
                    return Err(Refusal::CheckFailed(off));
                }
                self.check_error_g = Some(off);
                self.step = Step::Keep;
            }
            Step::Keep | Step::Kept => {}
        }
        Ok(())
    }

    /// The line that was checked is kept.
    pub fn kept(&mut self) {
        self.step = Step::Kept;
        self.refusal = None;
        if let Some(line) = self.found.take() {
            self.in_force = line;
        }
    }

    /// The line to keep, once it was checked.
    pub fn checked(&self) -> Option<Line> {
        self.found.filter(|_| self.step == Step::Keep)
    }
}

#[cfg(test)]
mod tests {
    use hal::board::ScaleBoard;

    use super::*;

    fn begin() -> Calibrating {
        let mut run = Calibrating::new(Line::of(&ScaleBoard::default()), 35_000);
        run.choose(2_000);
        run
    }

    fn rest(grams: f32) -> Result<Rest, NoRest> {
        Ok(Rest { grams })
    }

    /// A cell that shows 1.02 g a gram and 12 g when it is empty.
    fn shown(grams: f32) -> Result<Rest, NoRest> {
        rest(12.0 + 1.02 * grams)
    }

    #[test]
    fn zero_and_slope_are_found_and_checked_with_half_the_mass_or_the_whole_again() {
        for (load, lift) in [(1_000.0, false), (2_000.0, true)] {
            let mut run = begin();
            run.read(shown(0.0));
            run.read(shown(2_000.0));
            assert_eq!((run.step, run.checked()), (Step::Check, None), "nothing is kept unchecked");
            if lift {
                run.feel(12.0);
            }
            run.read(shown(load));
            let line = run.checked().expect("checked");
            assert!((line.zero_counts - 1_200.0).abs() < 1e-2 && (line.counts_per_g - 102.0).abs() < 1e-4, "{line:?}");
            assert!(run.check_error_g.is_some_and(|off| off.abs() < 0.01));
            // The driver still gives the board file's grams.
            assert!((line.grams(12.0 + 1.02 * 750.0) - 750.0).abs() < 0.01);
        }
    }

    #[test]
    fn a_second_calibration_starts_from_the_first() {
        let first = Line::of(&ScaleBoard::default()).with(1_200.0, 102.0);
        let mut run = Calibrating::new(first, 35_000);
        run.choose(1_000);
        run.read(rest(2.0));
        run.read(rest(1_012.0));
        run.read(rest(507.0));
        let line = run.checked().expect("checked");
        assert!((line.zero_counts - 1_404.0).abs() < 1e-2 && (line.counts_per_g - 103.02).abs() < 1e-2, "{line:?}");
    }

    #[test]
    fn what_cannot_be_is_refused_and_changes_nothing() {
        let check = |before: &[f32], reading: Result<Rest, NoRest>, expected: Refusal| {
            let mut run = begin();
            before.iter().for_each(|grams| run.read(rest(*grams)));
            let step = run.step;
            run.read(reading);
            assert_eq!((run.refusal, run.step), (Some(expected), step), "after {before:?}");
        };
        check(&[], Err(NoRest::Unsteady), Refusal::Unsteady);
        check(&[], Err(NoRest::Silent), Refusal::Silent);
        check(&[], Err(NoRest::NotANumber), Refusal::NotANumber);
        check(&[], rest(40_000.0), Refusal::Overloaded);
        check(&[], rest(9_000.0), Refusal::NotEmpty(9_000.0));
        check(&[0.0], rest(3.0), Refusal::Implausible(3.0));
        check(&[0.0], rest(-2_000.0), Refusal::Implausible(-2_000.0));
        check(&[0.0], rest(9_000.0), Refusal::Implausible(9_000.0));
        check(&[0.0, 2_000.0], rest(2_000.0), Refusal::SameLoad);
        check(&[0.0, 2_000.0], rest(1_020.0), Refusal::CheckFailed(20.0));
        check(&[0.0, 2_000.0], rest(0.0), Refusal::CheckFailed(-1_000.0));
    }

    #[test]
    fn a_mass_that_does_not_fit_the_scale_is_not_offered() {
        assert_eq!(begin().masses(), [1_000, 2_000, 5_000, 10_000]);
        assert_eq!(Calibrating::new(Line::default(), 6_000).masses(), [500, 1_000, 2_000, 5_000]);
        let mut run = begin();
        run.choose(500);
        assert_eq!(run.mass_g, 2_000);
    }
}
