//! Several viewers, one pointer: who presses has it until it is lifted.

use slint::LogicalPosition;
use slint::platform::{PointerEventButton, WindowEvent};

use super::frames::ViewerId;
use super::protocol::{Gesture, Place};

/// The pointer of the screen.
#[derive(Debug, Default)]
pub struct Hand {
    /// Who holds it down.
    holder: Option<ViewerId>,
}

impl Hand {
    /// What the window is told when `viewer` does this.
    pub fn events(&mut self, viewer: ViewerId, gesture: Gesture) -> Vec<WindowEvent> {
        let mine = self.holder == Some(viewer);
        if self.holder.is_some() && !mine && !matches!(gesture, Gesture::Key { .. }) {
            return Vec::new();
        }
        let button = PointerEventButton::Left;
        match gesture {
            Gesture::Press(at) if !mine => {
                self.holder = Some(viewer);
                let position = position(at);
                vec![WindowEvent::PointerMoved { position }, WindowEvent::PointerPressed { position, button }]
            }
            // Pressed twice without a release in between: one has but one finger.
            Gesture::Press(at) | Gesture::Move(at) => vec![WindowEvent::PointerMoved { position: position(at) }],
            Gesture::Release(at) if mine => {
                self.holder = None;
                vec![WindowEvent::PointerReleased { position: position(at), button }]
            }
            Gesture::Release(_) => Vec::new(),
            // Slint lets go of what is pressed without taking it for a click.
            Gesture::Leave => {
                self.holder = None;
                vec![WindowEvent::PointerExited]
            }
            Gesture::Wheel(at, delta_x, delta_y) => {
                vec![WindowEvent::PointerScrolled { position: position(at), delta_x, delta_y }]
            }
            Gesture::Key { text, down: true } => vec![WindowEvent::KeyPressed { text: text.into() }],
            Gesture::Key { text, down: false } => vec![WindowEvent::KeyReleased { text: text.into() }],
        }
    }
}

/// The window's scale is one: its pixels are its lengths.
fn position(at: Place) -> LogicalPosition {
    LogicalPosition::new(at.x, at.y)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Place = Place { x: 3.0, y: 4.0 };

    fn names(events: &[WindowEvent]) -> Vec<&'static str> {
        let name = |event: &WindowEvent| match event {
            WindowEvent::PointerMoved { .. } => "moved",
            WindowEvent::PointerPressed { .. } => "pressed",
            WindowEvent::PointerReleased { .. } => "released",
            WindowEvent::PointerExited => "exited",
            WindowEvent::PointerScrolled { .. } => "scrolled",
            WindowEvent::KeyPressed { .. } => "key down",
            _ => "another",
        };
        events.iter().map(name).collect()
    }

    #[test]
    fn who_presses_has_the_pointer_until_it_is_lifted() {
        let mut hand = Hand::default();
        let mut check = |viewer, gesture: Gesture, expected: &[&str]| {
            assert_eq!(names(&hand.events(viewer, gesture.clone())), expected, "{viewer} {gesture:?}");
        };
        check(1, Gesture::Release(HERE), &[]);
        check(1, Gesture::Press(HERE), &["moved", "pressed"]);
        check(1, Gesture::Press(HERE), &["moved"]);
        check(2, Gesture::Press(HERE), &[]);
        check(2, Gesture::Move(HERE), &[]);
        check(2, Gesture::Release(HERE), &[]);
        check(2, Gesture::Leave, &[]);
        check(2, Gesture::Key { text: "a".into(), down: true }, &["key down"]);
        check(1, Gesture::Release(HERE), &["released"]);
        check(2, Gesture::Press(HERE), &["moved", "pressed"]);
        // Two goes away with its finger down; nothing was clicked, and one may go on.
        check(2, Gesture::Leave, &["exited"]);
        check(1, Gesture::Wheel(HERE, 0.0, 1.0), &["scrolled"]);
    }
}
