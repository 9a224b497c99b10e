//! The receipt to its paper.

use cart_core::view::{LineView, ReceiptView};
use slint::{ModelRc, VecModel};
use trip::{Money, Quantity};

use super::generated::{ReceiptLine, TaxLine};
use super::{CartWindow, format, qr};

/// The QR's ground is 360 px; a little of it stays free.
const QR_ROOM_PX: usize = 348;

/// The receipt on show, so that an equal view draws no second QR.
#[derive(Default)]
pub(super) struct Receipt {
    shown: Option<ReceiptView>,
}

impl Receipt {
    pub(super) fn apply(&mut self, window: &impl CartWindow, receipt: &ReceiptView) {
        if self.shown.as_ref() == Some(receipt) {
            return;
        }
        let data = window.receipt();
        data.set_number(receipt.number.as_str().into());
        let charged = format::money(receipt.charged);
        data.set_charged_figures(format::figure_model(&charged));
        data.set_charged(charged.into());
        data.set_tender(receipt.tender.as_str().into());
        let savings = receipt.savings.iter().map(|(label, amount)| saving(label, *amount));
        let lines: Vec<_> = receipt.lines.iter().map(line).chain(savings).collect();
        data.set_lines(ModelRc::new(VecModel::from(lines)));
        let taxes: Vec<_> = receipt
            .taxes
            .iter()
            .map(|(letter, rate, tax)| TaxLine {
                letter: letter.to_string().into(),
                rate: format::rate(*rate).into(),
                figures: format::figure_model(&format::money(*tax)),
            })
            .collect();
        data.set_taxes(ModelRc::new(VecModel::from(taxes)));
        let drawn = receipt.qr.as_deref().and_then(|text| qr::draw(text, QR_ROOM_PX));
        data.set_has_qr(drawn.is_some());
        if let Some((image, side)) = drawn {
            data.set_qr(image);
            data.set_qr_side(side as f32);
        }
        self.shown = Some(receipt.clone());
    }

    /// The trip is over: nothing of it stays in the window.
    pub(super) fn forget(&mut self, window: &impl CartWindow) {
        if self.shown.take().is_none() {
            return;
        }
        let data = window.receipt();
        data.set_number(Default::default());
        data.set_charged(Default::default());
        data.set_tender(Default::default());
        data.set_charged_figures(ModelRc::default());
        data.set_lines(ModelRc::default());
        data.set_taxes(ModelRc::default());
        data.set_has_qr(false);
        data.set_qr(slint::Image::default());
    }
}

fn line(line: &LineView) -> ReceiptLine {
    let detail = match (line.quantity, line.unit) {
        (Quantity::Weighed(net), Some(unit)) => format!("{} × {}", format::weight(net), format::per_kg(unit)),
        (Quantity::Each(count), Some(unit)) if count > 1 => format!("{count} × {}", format::money(unit)),
        _ => String::new(),
    };
    ReceiptLine {
        name: line.name.as_str().into(),
        detail: detail.into(),
        deposit: deposit(line.deposit).into(),
        figures: format::figure_model(&format::money(line.price)),
        saving: false,
    }
}

/// The deposit within a line's price; empty for none.
fn deposit(deposit: Money) -> String {
    if deposit.minor == 0 { String::new() } else { format::money(deposit) }
}

fn saving(label: &str, amount: Money) -> ReceiptLine {
    // Told as a saving whichever sign it came with.
    let amount = Money { minor: -amount.minor.abs(), ..amount };
    ReceiptLine {
        name: label.into(),
        figures: format::figure_model(&format::money(amount)),
        saving: true,
        ..ReceiptLine::default()
    }
}
