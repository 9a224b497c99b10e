//! At the lane, and after it.

use cart_core::view::{Banner, PayStep, PayView, ReceiptView, Screen, View};
use trip::UnixMillis;

use super::Sample;
use super::goods::{gbp, lines};
use super::trip::{basket, empty};

fn pay(step: PayStep) -> View {
    let pay = PayView { amount: gbp(2664), lane: "2".to_owned(), step, offline: false };
    View { screen: Screen::Pay(pay), lane: Some("2".to_owned()), pay_blocked: None, ..basket() }
}

fn receipt(qr: bool) -> View {
    let receipt = ReceiptView {
        number: "MS-2-000184".to_owned(),
        charged: gbp(2664),
        lines: lines().into_iter().rev().collect(),
        savings: vec![("2 for £3 on oat drink".to_owned(), gbp(120))],
        taxes: vec![('A', 2000, gbp(224)), ('B', 0, gbp(0))],
        tender: "contactless card ending 4242".to_owned(),
        qr: qr.then(|| format!("TR1:{}", "6BFOXN*TS0BI$ZD8UHN8FG".repeat(20))),
        // 14:05 UTC on 25 November 2026.
        at: qr.then_some(UnixMillis(1_795_615_500_000)),
    };
    View { screen: Screen::Receipt(Box::new(receipt)), ..basket() }
}

fn pay_offline() -> View {
    let mut view = pay(PayStep::Tap);
    if let Screen::Pay(pay) = &mut view.screen {
        pay.offline = true;
    }
    View {
        connected: false,
        offline_minutes: Some(2),
        banner: Some(Banner::Offline),
        notices: vec![Banner::Offline],
        ..view
    }
}

/// Its samples.
pub(super) fn samples() -> Vec<Sample> {
    vec![
        Sample::new("pay-preparing", pay(PayStep::Preparing)),
        Sample::new("pay-tap", pay(PayStep::Tap)),
        Sample::new("pay-checking", pay(PayStep::Checking)),
        Sample::new("pay-declined", pay(PayStep::Declined)),
        Sample::new("pay-offline", pay_offline()),
        Sample::new("pay-approved", pay(PayStep::Approved)),
        Sample::new("receipt", receipt(true)),
        Sample::new("receipt-no-qr", receipt(false)),
        Sample::new("goodbye", View { screen: Screen::Goodbye, ..empty() }),
    ]
}
