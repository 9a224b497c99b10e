//! The receipt to its paper.

use cart_core::view::{LineView, ReceiptView};
use slint::{ModelRc, VecModel};
use trip::{Money, Quantity};

use super::{CartWindow, Clock, Format, qr};
use cart_ui::{ReceiptLine, TaxLine};

/// The receipt on show, so that an equal view draws no second QR.
#[derive(Default)]
pub(super) struct Receipt {
    shown: Option<ReceiptView>,
}

impl Receipt {
    pub(super) fn apply(&mut self, window: &impl CartWindow, receipt: &ReceiptView, format: &Format, clock: &Clock) {
        if self.shown.as_ref() == Some(receipt) {
            return;
        }
        let data = window.receipt();
        data.set_number(receipt.number.as_str().into());
        let paid = receipt.at.and_then(|at| clock.at(at));
        data.set_date(paid.as_ref().map(|paid| format.date(paid.date()).into()).unwrap_or_default());
        data.set_time(paid.map(|paid| format.time(paid.time()).into()).unwrap_or_default());
        let charged = format.money(receipt.charged);
        data.set_charged_figures(charged.figure_model());
        data.set_charged(charged.into());
        data.set_tender(receipt.tender.as_str().into());
        let savings = receipt.savings.iter().map(|(label, amount)| saving(label, *amount, format));
        let lines: Vec<_> = receipt.lines.iter().map(|l| line(l, format)).chain(savings).collect();
        data.set_lines(ModelRc::new(VecModel::from(lines)));
        let taxes: Vec<_> = receipt
            .taxes
            .iter()
            .map(|(letter, rate, tax)| TaxLine {
                letter: letter.to_string().into(),
                rate: format.percent(*rate).into(),
                figures: format.money(*tax).figure_model(),
            })
            .collect();
        data.set_taxes(ModelRc::new(VecModel::from(taxes)));
        let drawn = receipt.qr.as_deref().and_then(qr::draw);
        data.set_has_qr(drawn.is_some());
        if let Some((image, modules)) = drawn {
            data.set_qr(image);
            data.set_qr_modules(i32::try_from(modules).unwrap_or(0));
        }
        self.shown = Some(receipt.clone());
    }

    /// The next view is written anew, in another language.
    pub(super) fn rewrite(&mut self) {
        self.shown = None;
    }

    /// The trip is over: nothing of it stays in the window.
    pub(super) fn forget(&mut self, window: &impl CartWindow) {
        if self.shown.take().is_none() {
            return;
        }
        let data = window.receipt();
        data.set_number(Default::default());
        data.set_date(Default::default());
        data.set_time(Default::default());
        data.set_charged(Default::default());
        data.set_tender(Default::default());
        data.set_charged_figures(ModelRc::default());
        data.set_lines(ModelRc::default());
        data.set_taxes(ModelRc::default());
        data.set_has_qr(false);
        data.set_qr(slint::Image::default());
    }
}

fn line(line: &LineView, format: &Format) -> ReceiptLine {
    let (amount, unit) = match (line.quantity, line.unit) {
        (Quantity::Weighed(net), Some(unit)) => (format.weight(net).to_string(), format.unit_price(unit).to_string()),
        (Quantity::Each(count), Some(unit)) if count > 1 => (count.to_string(), format.money(unit).to_string()),
        _ => Default::default(),
    };
    ReceiptLine {
        name: line.name.as_str().into(),
        amount: amount.into(),
        unit: unit.into(),
        deposit: if line.deposit.minor == 0 { Default::default() } else { format.money(line.deposit).into() },
        figures: format.money(line.price).figure_model(),
        saving: false,
    }
}

fn saving(label: &str, amount: Money, format: &Format) -> ReceiptLine {
    // Told as a saving whichever sign it came with.
    let amount = Money { minor: -amount.minor.abs(), ..amount };
    ReceiptLine {
        name: label.into(),
        figures: format.money(amount).figure_model(),
        saving: true,
        ..ReceiptLine::default()
    }
}
