//! What joins the cart to its store.

use cart_ui::HubState;

use super::super::{CartWindow, qr};
use super::number;
use crate::staff::view::{HubStanding, HubView};

pub(super) fn apply(window: &impl CartWindow, view: &HubView) {
    let data = window.staff_hub();
    data.set_cart(view.cart.as_str().into());
    data.set_store(view.store.as_str().into());
    data.set_address(view.address.as_str().into());
    data.set_fingerprint(view.fingerprint.as_str().into());
    let (state, unsynced) = match view.standing {
        HubStanding::Knows => (HubState::Knows, 0),
        HubStanding::NoAck(records) => (HubState::NoAck, number(records)),
        HubStanding::Silent => (HubState::Silent, 0),
    };
    data.set_state(state);
    data.set_unsynced(unsynced);
    // The key does not change while the program runs: its code is drawn once.
    if data.get_public_key() != view.public_key.as_str() {
        data.set_public_key(view.public_key.as_str().into());
        let code = qr::draw(&view.public_key).map(|(image, _)| image);
        data.set_has_qr(code.is_some());
        data.set_qr(code.unwrap_or_default());
    }
}
