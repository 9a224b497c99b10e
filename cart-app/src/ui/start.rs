//! The start screen, and who shops.

use cart_core::View;
use cart_core::view::{Screen, StartView};

use super::{CartWindow, qr};

pub(super) fn apply(window: &impl CartWindow, view: &View, before: Option<&View>) {
    let trip = window.trip();
    trip.set_member(view.joined.member.as_deref().unwrap_or_default().into());
    trip.set_phone(view.joined.phone);
    let (done, all) = view.list.unwrap_or_default();
    trip.set_list_done(super::basket::number(done));
    trip.set_list_all(super::basket::number(all));
    let old = match before.map(|before| &before.screen) {
        Some(Screen::Start(old)) => Some(old),
        _ => None,
    };
    match &view.screen {
        Screen::Start(shown) => show(window, shown, old),
        _ if old.is_some() => forget(window),
        _ => {}
    }
}

fn show(window: &impl CartWindow, shown: &StartView, old: Option<&StartView>) {
    let data = window.start();
    data.set_phones(shown.phones);
    data.set_wrong(shown.wrong_number);
    if old.is_none_or(|old| old.link != shown.link) {
        let code = shown.link.as_deref().and_then(qr::draw).map(|(image, _)| image);
        data.set_has_qr(code.is_some());
        data.set_qr(code.unwrap_or_default());
    }
}

/// What was typed and shown is for nobody who comes after.
fn forget(window: &impl CartWindow) {
    let data = window.start();
    data.set_typing(false);
    data.set_number(Default::default());
    data.set_tried(Default::default());
    data.set_has_qr(false);
    data.set_qr(Default::default());
}
