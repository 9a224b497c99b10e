//! Staff: see at the hub who waits for them, go there, and settle it.

use store_hub::hub::{Input, StaffAction};

use crate::world::World;

impl World {
    /// Staff look at the board and do what is due at each cart.
    pub(crate) fn staff_look(&mut self) {
        let Some(run) = self.hub.as_ref().map(|hub| hub.run) else { return };
        for row in self.hub_disk.place.carts() {
            let cart = &row.cart;
            let mut actions = Vec::new();
            for line in row.state.age_checks.iter().copied() {
                // One buyer in five is too young.
                let approved = !(self.now / 4_000 + u64::from(line.0)).is_multiple_of(5);
                actions.push(StaffAction::AgeChecked { cart: cart.clone(), line, approved });
            }
            if row.state.help {
                let holds = row.state.basket.holds.iter().map(|hold| hold.hold);
                actions.extend(holds.map(|hold| StaffAction::ReleaseHold { cart: cart.clone(), hold }));
                actions.push(StaffAction::HelpHasCome { cart: cart.clone() });
            }
            for action in actions {
                self.say(|| format!("staff: {action:?}"));
                self.tell_hub(run, Input::Staff(action));
            }
        }
    }

    /// Staff take the basket of a cart to a till: it seems dead to them, and may be well.
    pub(crate) fn staff_take_basket(&mut self, cart: usize) {
        let Some(run) = self.hub.as_ref().map(|hub| hub.run) else { return };
        let cart = self.carts[cart].id.clone();
        let rows = self.hub_disk.place.carts();
        let Some(trip) = rows.into_iter().find(|row| row.cart == cart).and_then(|row| row.state.trip) else { return };
        let action = StaffAction::TakeBasket { cart, trip, sure: true };
        self.say(|| format!("staff: {action:?}"));
        self.tell_hub(run, Input::Staff(action));
    }
}
