//! Which picture of the screen goes to staff next: the newest alone, and one at a time. What a slow line has no room
//! for is replaced by what comes after it, and never waits in a queue before a record.

use std::sync::Arc;

use trip::message::Look;

/// The pictures of one run of the cart; at most one of them is in memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Looks {
    /// The screen as it is; `None` while it is shown to nobody.
    latest: Option<Arc<Look>>,
    /// True while staff do not have it.
    due: bool,
    /// True until the one before has left this machine.
    under_way: bool,
}

impl Looks {
    /// The screen is so now, or is shown to nobody any more.
    pub(crate) fn set(&mut self, look: Option<Arc<Look>>) {
        self.due = look.is_some();
        self.latest = look;
    }

    /// Somebody hears anew, who knows nothing of what went before.
    pub(crate) fn begin_again(&mut self) {
        self.due = self.latest.is_some();
        self.under_way = false;
    }

    /// There is room for the next.
    pub(crate) fn left(&mut self) {
        self.under_way = false;
    }

    /// What goes out now, if anything does.
    pub(crate) fn take(&mut self) -> Option<Arc<Look>> {
        if !self.due || self.under_way {
            return None;
        }
        (self.due, self.under_way) = (false, true);
        self.latest.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(png: &str) -> Option<Arc<Look>> {
        Some(Arc::new(Look { v: 1, png: png.into() }))
    }

    #[test]
    fn one_goes_at_a_time_and_it_is_the_newest() {
        let mut looks = Looks::default();
        assert_eq!(looks.take(), None);
        looks.set(look("1"));
        assert_eq!(looks.take(), look("1"));
        for png in ["2", "3", "4"] {
            looks.set(look(png));
            assert_eq!(looks.take(), None, "the first has not left yet");
        }
        looks.left();
        assert_eq!((looks.take(), looks.take()), (look("4"), None));
        looks.left();
        assert_eq!(looks.take(), None, "nothing has changed");
        looks.begin_again();
        assert_eq!(looks.take(), look("4"), "who hears anew has nothing yet");
    }

    #[test]
    fn what_is_shown_to_nobody_any_more_goes_to_nobody() {
        let mut looks = Looks::default();
        looks.set(look("1"));
        looks.set(None);
        assert_eq!(looks.take(), None);
        looks.begin_again();
        assert_eq!(looks.take(), None);
    }
}
