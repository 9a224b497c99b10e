//! A finger, keys and an eye, for tests of the cart's screen.

use std::cell::RefCell;
use std::rc::Rc;

use cart_app::ui::{HeadlessScreen, Language, Pictures, sample};
use cart_core::{Intent, View};
use i_slint_backend_testing::{AccessibleRole, ElementHandle, ElementQuery};
use slint::platform::{Key, PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, LogicalSize};

/// Width and height of the rooms the screens are designed for.
pub const ROOMS: [(u32, u32); 3] = [(1280, 800), (800, 480), (800, 1280)];

thread_local! {
    /// Drawn once a test, not once a screen.
    static PICTURES: Rc<Pictures> = Rc::new(Pictures::drawn());
}

/// A screen, and what touches and keys on it meant so far.
pub struct Bench {
    pub screen: HeadlessScreen,
    pub heard: Rc<RefCell<Vec<Intent>>>,
}

/// What can be activated, where it is.
#[derive(Clone, Debug, PartialEq)]
pub struct Control {
    pub label: String,
    pub at: LogicalPosition,
    pub size: LogicalSize,
}

#[allow(dead_code, reason = "each file of tests has a use for some of it")]
impl Bench {
    /// A screen of `room` that shows `view` in `language`.
    pub fn new(room: (u32, u32), language: Language, view: &View) -> Self {
        let screen =
            HeadlessScreen::with_pictures(room.0, room.1, PICTURES.with(Rc::clone)).expect("a screen in memory");
        screen.screen().set_language(language);
        let heard = Rc::new(RefCell::new(Vec::new()));
        screen.on_intent({
            let heard = heard.clone();
            move |intent| heard.borrow_mut().push(intent)
        });
        screen.apply(view);
        screen.settle();
        Self { screen, heard }
    }

    /// The sample of that name, in English on the first room.
    pub fn sample(name: &str) -> Self {
        Self::new(ROOMS[0], Language::English, &named(name))
    }

    pub fn heard(&self) -> Vec<Intent> {
        self.heard.borrow().clone()
    }

    pub fn key(&self, key: Key) {
        self.screen.key(&slint::SharedString::from(key));
    }

    /// What is labelled so, the one on top.
    pub fn element(&self, label: &str) -> Option<ElementHandle> {
        ElementHandle::find_by_accessible_label(self.screen.screen().window(), label).last()
    }

    pub fn tap(&self, label: &str) {
        let (x, y) = self.middle(label);
        self.screen.tap(x, y);
    }

    pub fn middle(&self, label: &str) -> (f32, f32) {
        let element = self.element(label).unwrap_or_else(|| panic!("nothing on the screen is labelled {label:?}"));
        let (at, size) = (element.absolute_position(), element.size());
        (at.x + size.width / 2.0, at.y + size.height / 2.0)
    }

    pub fn press(&self, x: f32, y: f32) {
        let position = LogicalPosition::new(x, y);
        self.dispatch(WindowEvent::PointerMoved { position });
        self.dispatch(WindowEvent::PointerPressed { position, button: PointerEventButton::Left });
    }

    pub fn lift(&self, x: f32, y: f32) {
        let position = LogicalPosition::new(x, y);
        self.dispatch(WindowEvent::PointerMoved { position });
        self.dispatch(WindowEvent::PointerReleased { position, button: PointerEventButton::Left });
        self.dispatch(WindowEvent::PointerExited);
    }

    pub fn dispatch(&self, event: WindowEvent) {
        self.screen.screen().window().window().dispatch_event(event);
    }

    /// All that can be activated now.
    pub fn controls(&self) -> Vec<Control> {
        let elements = ElementQuery::from_root(self.screen.screen().window()).find_all();
        let roles =
            [AccessibleRole::Button, AccessibleRole::Switch, AccessibleRole::RadioButton, AccessibleRole::Checkbox];
        let on = |e: &&ElementHandle| {
            e.accessible_role().is_some_and(|role| roles.contains(&role)) && e.accessible_enabled() != Some(false)
        };
        elements.iter().filter(on).map(control).collect()
    }

    /// The control that has the focus and shows it.
    pub fn ringed(&self) -> Option<Control> {
        self.screen.advance(16);
        let ring = ElementHandle::find_by_element_type_name(self.screen.screen().window(), "FocusRing").last()?;
        let ring = control(&ring);
        // Less than a pixel apart: the last digits of a sum depend on its order.
        let same = |a: f32, b: f32| (a - b).abs() < 0.5;
        let around = |c: &Control| {
            same(c.at.x, ring.at.x)
                && same(c.at.y, ring.at.y)
                && same(c.size.width, ring.size.width)
                && same(c.size.height, ring.size.height)
        };
        self.controls().into_iter().rfind(around)
    }
}

fn control(element: &ElementHandle) -> Control {
    Control {
        label: element.accessible_label().unwrap_or_default().to_string(),
        at: element.absolute_position(),
        size: element.size(),
    }
}

/// The sample of that name.
pub fn named(name: &str) -> View {
    sample::named(name).expect("a sample of that name").view
}
