//! Staff see the screen while they help, if the shopper says so.
//!
//! It is in the trip's record, as the call for help is: the hub knows by the cart's signed word that it may show what
//! comes, in its order with everything else, and whoever asks later finds from when to when it was allowed. It ends with
//! the call ([`trip::TripState::apply`]), so that no end of a call or a trip can forget it.

use trip::TripEvent;

use super::Cart;

impl Cart {
    /// "Let staff see this screen", or no more. Nobody is let without a call for help.
    pub(super) fn share_screen(&mut self, on: bool) {
        if on && self.state.help && !self.state.shared {
            self.record(vec![TripEvent::ScreenShared]);
        } else if !on && self.state.shared {
            self.record(vec![TripEvent::ScreenUnshared]);
        }
    }
}
