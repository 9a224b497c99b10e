//! Basket lines to rows. A row keeps its identity while its line is there, so that only what
//! changed moves; a line that leaves slides out first.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use cart_core::view::{HoldView, LineView, PayBlocked, View};
use slint::{ModelRc, Timer, VecModel};
use trip::basket::{Evidence, HoldReason};
use trip::{Money, Quantity};

use super::format::roll;
use super::pictures::Place;
use super::{CartWindow, Format, Pictures};
use cart_ui::{AmountKind, EvidenceKind, Figure, PayShut, ReasonKind, RowData};

/// A leaving row is taken off the list once its slide is over.
const SLIDE_OUT: Duration = Duration::from_millis(200);

/// What a row stands for.
#[derive(Clone, Debug, PartialEq)]
enum Source {
    Hold(HoldView),
    Line(LineView),
}

impl Source {
    /// Held things and lines are counted apart.
    fn key(&self) -> (bool, u32) {
        match self {
            Self::Hold(hold) => (true, hold.hold.0),
            Self::Line(line) => (false, line.line.0),
        }
    }
}

/// The rows as last shown, beside the model they are shown by.
#[derive(Default)]
struct Rows {
    model: Rc<VecModel<RowData>>,
    shown: Vec<(Source, Leaving)>,
}

/// Whether a row is on its way out.
#[derive(Clone, Copy, PartialEq)]
enum Leaving {
    No,
    Yes,
}

pub(super) struct Basket {
    rows: Rc<RefCell<Rows>>,
    total: Rc<VecModel<Figure>>,
    pictures: Rc<Pictures>,
}

impl Basket {
    pub(super) fn new(window: &impl CartWindow, pictures: Rc<Pictures>) -> Self {
        let rows = Rows::default();
        let total = Rc::new(VecModel::default());
        window.basket().set_rows(ModelRc::from(rows.model.clone()));
        window.basket().set_total_figures(ModelRc::from(total.clone()));
        Self { rows: Rc::new(RefCell::new(rows)), total, pictures }
    }

    /// Writes what is shown again, in another language.
    pub(super) fn rewrite(&self, format: &Format) {
        self.rows.borrow_mut().rewrite(&self.pictures, format);
    }

    pub(super) fn apply(&self, window: &impl CartWindow, view: &View, format: &Format) {
        let data = window.basket();
        let total = format.money(view.total);
        roll(&self.total, total.figures());
        data.set_total(total.into());
        data.set_items(i32::try_from(view.items).unwrap_or(i32::MAX));
        data.set_held(i32::try_from(view.holds.len()).unwrap_or(i32::MAX));
        data.set_saved(if view.saved.minor > 0 { format.money(view.saved).into() } else { Default::default() });
        data.set_chip_shown(view.taken_out.is_some());
        // The words stay while the chip fades.
        if let Some(taken) = &view.taken_out {
            data.set_chip_name(taken.name.as_str().into());
            data.set_chip_price(format.money(taken.price).into());
            let less = Money { minor: -taken.price.minor, ..taken.price };
            data.set_chip_less(format.money(less).into());
        }
        data.set_offers(i32::try_from(view.offers).unwrap_or(i32::MAX));
        data.set_lane(view.lane.as_deref().unwrap_or_default().into());
        data.set_shut(match view.pay_blocked {
            None => PayShut::Open,
            Some(PayBlocked::Empty) => PayShut::Empty,
            Some(PayBlocked::Unresolved) => PayShut::Unresolved,
            Some(PayBlocked::AgeCheck) => PayShut::AgeCheck,
            Some(PayBlocked::NoLane) => PayShut::NoLane,
            Some(PayBlocked::Offline) => PayShut::Offline,
            Some(PayBlocked::Unsteady) => PayShut::Unsteady,
        });
        let wanted: Vec<Source> =
            view.holds.iter().cloned().map(Source::Hold).chain(view.lines.iter().cloned().map(Source::Line)).collect();
        // A new trip starts with a clean list; nothing of the last one slides out before its eyes.
        let calm = wanted.is_empty() || window.theme().get_reduced_motion();
        if self.rows.borrow_mut().show(wanted, calm, &self.pictures, format) {
            let rows = Rc::downgrade(&self.rows);
            Timer::single_shot(SLIDE_OUT, move || {
                if let Some(rows) = rows.upgrade() {
                    rows.borrow_mut().drop_leaving();
                }
            });
        }
    }
}

impl Rows {
    /// Writes every row again, in another language.
    fn rewrite(&mut self, pictures: &Pictures, format: &Format) {
        for index in 0..self.shown.len() {
            let (source, leaving) = &self.shown[index];
            let row = RowData { leaving: *leaving == Leaving::Yes, ..row(source, pictures, format) };
            self.set(index, row);
        }
    }

    /// Makes the list equal to `wanted`. True when rows are on their way out.
    fn show(&mut self, wanted: Vec<Source>, calm: bool, pictures: &Pictures, format: &Format) -> bool {
        let keys: Vec<_> = wanted.iter().map(Source::key).collect();
        for index in (0..self.shown.len()).rev() {
            let (source, leaving) = &self.shown[index];
            if keys.contains(&source.key()) {
                continue;
            }
            if calm {
                self.remove(index);
            } else if *leaving == Leaving::No {
                let row = RowData { leaving: true, fresh: false, ..row(source, pictures, format) };
                self.shown[index].1 = Leaving::Yes;
                self.set(index, row);
            }
        }
        let mut at = 0;
        for source in wanted {
            while self.shown.get(at).is_some_and(|(_, leaving)| *leaving == Leaving::Yes) {
                at += 1;
            }
            let found = self.shown.iter().skip(at).position(|(s, _)| s.key() == source.key());
            match found {
                Some(0) if self.shown[at].0 == source => {}
                Some(0) => {
                    self.set(at, row(&source, pictures, format));
                    self.shown[at].0 = source;
                }
                other => {
                    if let Some(further) = other {
                        self.remove(at + further);
                    }
                    self.model.insert(at, row(&source, pictures, format));
                    self.shown.insert(at, (source, Leaving::No));
                }
            }
            at += 1;
        }
        self.shown.iter().any(|(_, leaving)| *leaving == Leaving::Yes)
    }

    fn drop_leaving(&mut self) {
        for index in (0..self.shown.len()).rev() {
            if self.shown[index].1 == Leaving::Yes {
                self.remove(index);
            }
        }
    }

    fn set(&mut self, index: usize, row: RowData) {
        use slint::Model;
        self.model.set_row_data(index, row);
    }

    fn remove(&mut self, index: usize) {
        self.model.remove(index);
        self.shown.remove(index);
    }
}

fn row(source: &Source, pictures: &Pictures, format: &Format) -> RowData {
    match source {
        Source::Hold(hold) => held_row(hold, pictures, format),
        Source::Line(line) => line_row(line, pictures, format),
    }
}

fn held_row(hold: &HoldView, pictures: &Pictures, format: &Format) -> RowData {
    RowData {
        held: true,
        number: number(hold.hold.0),
        picture: match &hold.thumbnail {
            Some(thumbnail) => pictures.thumbnail(thumbnail, Place::Line),
            None => pictures.unknown(Place::Line),
        },
        seen: hold.thumbnail.is_some(),
        amount: format.weight_felt(hold.weight).map(Into::into).unwrap_or_default(),
        reason: reason(hold.reason),
        ..RowData::default()
    }
}

fn line_row(line: &LineView, pictures: &Pictures, format: &Format) -> RowData {
    let unit = line.unit.map(|unit| match line.quantity {
        Quantity::Weighed(_) => format.unit_price(unit),
        Quantity::Each(_) | Quantity::Priced(_) => format.money(unit),
    });
    let price = format.money(line.price);
    RowData {
        held: false,
        number: number(line.line.0),
        picture: pictures.picture(&line.sku, &line.name, Place::Line),
        seen: false,
        name: line.name.as_str().into(),
        amount_kind: amount_kind(line),
        count: match line.quantity {
            Quantity::Each(count) => number(count),
            Quantity::Weighed(_) | Quantity::Priced(_) => 1,
        },
        amount: match line.quantity {
            Quantity::Weighed(net) => format.weight(net).into(),
            Quantity::Each(_) | Quantity::Priced(_) => Default::default(),
        },
        unit: unit.map(Into::into).unwrap_or_default(),
        figures: price.figure_model(),
        price: price.into(),
        deposit: if line.deposit.minor == 0 { Default::default() } else { format.money(line.deposit).into() },
        evidence: evidence(line.evidence),
        reason: ReasonKind::Unsure,
        age_check: line.age_check,
        warned: !line.warned.is_empty(),
        warned_of: line.warned.first().copied().map(super::wishes::kind).unwrap_or_default(),
        fresh: line.fresh,
        leaving: false,
    }
}

/// How a line's quantity is told.
pub(super) fn amount_kind(line: &LineView) -> AmountKind {
    match (line.quantity, line.unit) {
        (Quantity::Priced(_), _) | (_, None) => AmountKind::Priced,
        (Quantity::Each(_), _) => AmountKind::Each,
        (Quantity::Weighed(_), _) => AmountKind::Weighed,
    }
}

pub(super) fn evidence(evidence: Evidence) -> EvidenceKind {
    match evidence {
        Evidence::Scanned => EvidenceKind::Scanned,
        Evidence::ScannedOnly => EvidenceKind::ScannedOnly,
        Evidence::SeenAndWeighed => EvidenceKind::SeenAndWeighed,
        Evidence::Chosen => EvidenceKind::Chosen,
        Evidence::Staff => EvidenceKind::Staff,
    }
}

pub(super) fn reason(reason: HoldReason) -> ReasonKind {
    match reason {
        HoldReason::Unsure => ReasonKind::Unsure,
        HoldReason::Unknown => ReasonKind::Unknown,
        HoldReason::Several => ReasonKind::Several,
        HoldReason::NeverPutIn => ReasonKind::NeverPutIn,
        HoldReason::WhichRemoved => ReasonKind::WhichRemoved,
        HoldReason::Swapped => ReasonKind::Swapped,
        HoldReason::Recount => ReasonKind::Recount,
        HoldReason::Refused => ReasonKind::Refused,
    }
}

/// A trip's own numbers count from 1 and stay small; the markup knows only signed ones.
pub(super) fn number(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use slint::Model;

    use super::*;
    use crate::ui::sample;

    fn keys(rows: &Rows) -> Vec<i32> {
        rows.model.iter().filter(|row| !row.leaving).map(|row| row.number).collect()
    }

    fn lines(numbers: &[u32]) -> Vec<Source> {
        numbers.iter().map(|n| Source::Line(sample::line(*n, "oat-drink", "Oat drink 1 l", 185))).collect()
    }

    #[test]
    fn the_list_follows_whatever_the_view_says() {
        let pictures = Pictures::drawn();
        let mut rows = Rows::default();
        for wanted in [&[1][..], &[2, 1], &[3, 2, 1], &[3, 1], &[5, 3, 1], &[1, 3, 5], &[]] {
            rows.show(lines(wanted), false, &pictures, &Format::default());
            let expected: Vec<i32> = wanted.iter().map(|n| number(*n)).collect();
            assert_eq!(keys(&rows), expected);
        }
        rows.drop_leaving();
        assert_eq!(rows.model.row_count(), 0);
    }

    #[test]
    fn a_removed_line_slides_out_before_it_goes() {
        let pictures = Pictures::drawn();
        let mut rows = Rows::default();
        rows.show(lines(&[2, 1]), false, &pictures, &Format::default());
        assert!(rows.show(lines(&[1]), false, &pictures, &Format::default()));
        assert_eq!(rows.model.row_count(), 2);
        rows.drop_leaving();
        assert_eq!(rows.model.row_count(), 1);
    }

    #[test]
    fn with_reduced_motion_it_is_gone_at_once() {
        let pictures = Pictures::drawn();
        let mut rows = Rows::default();
        rows.show(lines(&[2, 1]), true, &pictures, &Format::default());
        assert!(!rows.show(lines(&[1]), true, &pictures, &Format::default()));
        assert_eq!(rows.model.row_count(), 1);
    }
}
