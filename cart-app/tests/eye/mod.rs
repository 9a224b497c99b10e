//! An eye for tests of the cart's screen: what words and controls are on it, where, and what is wrong with them.
//!
//! It walks the tree that the screen is drawn from, in the order in which it is drawn, and asks the renderer how
//! large each text would like to be. Slint has no public way to this; what its generated code uses serves.

use cart_app::ui::HeadlessScreen;
use i_slint_backend_testing::AccessibleRole;
use slint::ComponentHandle;
use slint::private_unstable_api::re_exports::{
    AccessibleStringProperty, Clip, ComplexText, Flickable, ItemRc, Opacity, Orientation, SimpleText,
    TextHorizontalAlignment, TextVerticalAlignment, TextWrap, WindowAdapterRc, WindowInner,
};

/// Pixels that rounding may cost.
const HAIR: f32 = 1.5;
/// Lines a letter needs of the height that its font reserves: the rest is air above and below.
const INK: f32 = 0.78;
/// Components that lie over what was drawn before them.
const LAYERS: [&str; 6] = ["Dialogue", "AskSheet", "TourScreen", "Chip", "Layer", "Flight"];
/// What a finger can hit.
const CONTROLS: [AccessibleRole; 8] = [
    AccessibleRole::Button,
    AccessibleRole::Checkbox,
    AccessibleRole::RadioButton,
    AccessibleRole::Switch,
    AccessibleRole::Tab,
    AccessibleRole::Slider,
    AccessibleRole::TextInput,
    AccessibleRole::ListItem,
];

/// A place in the window, in pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl Place {
    pub fn right(&self) -> f32 {
        self.x + self.width
    }

    pub fn bottom(&self) -> f32 {
        self.y + self.height
    }

    fn cut(&self, by: &Self) -> Self {
        let (x, y) = (self.x.max(by.x), self.y.max(by.y));
        let (right, bottom) = (self.right().min(by.right()), self.bottom().min(by.bottom()));
        Self { x, y, width: (right - x).max(0.0), height: (bottom - y).max(0.0) }
    }

    /// True when all of it but a hair lies inside.
    pub fn within(&self, other: &Self) -> bool {
        self.x >= other.x - HAIR
            && self.y >= other.y - HAIR
            && self.right() <= other.right() + HAIR
            && self.bottom() <= other.bottom() + HAIR
    }

    /// True when more than a hair of it lies on the other.
    pub fn meets(&self, other: &Self) -> bool {
        let both = self.cut(other);
        both.width > HAIR && both.height > HAIR
    }

    fn is_empty(&self) -> bool {
        self.width < 0.5 || self.height < 0.5
    }
}

/// Words on the screen.
#[derive(Clone, Debug)]
pub struct Words {
    pub text: String,
    /// What its letters take, as far as they are seen.
    pub ink: Place,
    layer: usize,
}

/// What a finger can hit.
#[derive(Clone, Debug)]
pub struct Target {
    pub label: String,
    /// As far as it is not scrolled away.
    pub seen: Place,
    layer: usize,
    /// The number of the innermost control it lies in.
    inside: Option<usize>,
}

/// Something that is wrong, in words that stay the same from run to run.
pub type Fault = String;

/// All that is on the screen.
#[derive(Default)]
pub struct Seen {
    pub words: Vec<Words>,
    pub targets: Vec<Target>,
    pub faults: Vec<Fault>,
}

/// Looks at the screen. `may_be_cut` says which texts may end before their last letter.
pub fn look(screen: &HeadlessScreen, may_be_cut: &dyn Fn(&str) -> bool) -> Seen {
    let window = screen.screen().window().window();
    let size = window.size();
    let inner = WindowInner::from_pub(window);
    let mut eye = Eye {
        adapter: inner.window_adapter(),
        room: Place { x: 0.0, y: 0.0, width: size.width as f32, height: size.height as f32 },
        may_be_cut,
        layers: 0,
        seen: Seen::default(),
    };
    let around = Around { clip: eye.room, scrolls: false, opacity: 1.0, layer: 0, control: None };
    eye.visit(&ItemRc::new_root(inner.component()), around);
    eye.compare();
    eye.seen
}

struct Eye<'a> {
    adapter: WindowAdapterRc,
    room: Place,
    may_be_cut: &'a dyn Fn(&str) -> bool,
    layers: usize,
    seen: Seen,
}

/// What holds for an item because of those around it.
#[derive(Clone, Copy)]
struct Around {
    clip: Place,
    /// What is cut off by `clip` can be scrolled to.
    scrolls: bool,
    opacity: f32,
    layer: usize,
    control: Option<usize>,
}

impl Eye<'_> {
    fn visit(&mut self, item: &ItemRc, mut around: Around) {
        let place = place(item);
        if let Some(clip) = item.downcast::<Clip>() {
            if clip.as_pin_ref().clip() {
                around.clip = around.clip.cut(&place);
                if clip.as_pin_ref().is_visibility_clip() {
                    return;
                }
            }
        } else if let Some(flick) = item.downcast::<Flickable>() {
            let (wide, high) = (flick.as_pin_ref().content_width().get(), flick.as_pin_ref().content_height().get());
            around.clip = around.clip.cut(&place);
            around.scrolls |= wide > place.width + HAIR || high > place.height + HAIR;
        } else if let Some(opacity) = item.downcast::<Opacity>() {
            around.opacity *= opacity.as_pin_ref().opacity();
        }
        if around.clip.is_empty() && !around.scrolls || around.opacity < 0.05 {
            return;
        }
        if is_layer(item) {
            self.layers += 1;
            around.layer = self.layers;
        }
        if let Some(text) = item.downcast::<ComplexText>() {
            let text = text.as_pin_ref();
            self.text(
                item,
                &Letters {
                    text: text.text().into(),
                    font_size: text.font_size().get(),
                    wraps: text.wrap() != TextWrap::NoWrap,
                    across: text.horizontal_alignment(),
                    down: text.vertical_alignment(),
                },
                place,
                around,
            );
        } else if let Some(text) = item.downcast::<SimpleText>() {
            let text = text.as_pin_ref();
            self.text(
                item,
                &Letters {
                    text: text.text().into(),
                    font_size: text.font_size().get(),
                    wraps: false,
                    across: text.horizontal_alignment(),
                    down: text.vertical_alignment(),
                },
                place,
                around,
            );
        }
        if CONTROLS.contains(&item.accessible_role()) {
            around.control = Some(self.control(item, place, around));
        }
        let mut child = item.first_child();
        while let Some(item) = child {
            self.visit(&item, around);
            child = item.next_sibling();
        }
    }

    fn control(&mut self, item: &ItemRc, place: Place, around: Around) -> usize {
        let said = |what| item.accessible_string_property(what).map(String::from).unwrap_or_default();
        let label = said(AccessibleStringProperty::Label);
        let seen = place.cut(&around.clip);
        if label.is_empty() {
            self.fault(format!("a control without a label at {}", whole(&place)));
        }
        if place.width < 48.0 || place.height < 48.0 {
            self.fault(format!("{label:?} is {} × {} px", place.width.round(), place.height.round()));
        }
        if !around.scrolls && !place.within(&around.clip) {
            self.fault(format!("{label:?} sticks out: {} of {}", whole(&place), whole(&around.clip)));
        }
        self.seen.targets.push(Target { label, seen, layer: around.layer, inside: around.control });
        self.seen.targets.len() - 1
    }

    fn text(&mut self, item: &ItemRc, letters: &Letters, place: Place, around: Around) {
        if letters.text.trim().is_empty() {
            return;
        }
        let wants = |orientation, across| item.borrow().as_ref().layout_info(orientation, across, &self.adapter, item);
        let wide = wants(Orientation::Horizontal, -1.0);
        let high = wants(Orientation::Vertical, if letters.wraps { place.width } else { -1.0 }).preferred;
        let line = letters.font_size * 1.2;
        // Of the last line at least its letters are to be seen.
        let least_high = high - line * (1.0 - INK);
        // A single figure stands in the middle of its cell and has air at its sides.
        let air = if letters.text.chars().count() == 1 { wide.preferred * 0.12 } else { 0.0 };
        let wanted = if letters.wraps { wide.min } else { wide.preferred };
        let fits_across = wanted <= place.width + HAIR + air;
        let fits_down = least_high <= place.height + HAIR;
        let quote: String = letters.text.chars().take(60).collect();
        if !(fits_across && fits_down || (self.may_be_cut)(&letters.text)) {
            self.fault(format!(
                "cut off: {quote:?} wants {} × {}, has {} × {}",
                wanted,
                high,
                place.width.round(),
                place.height.round()
            ));
        }
        let (width, height) = (wide.preferred.min(place.width), high.min(place.height));
        let x = match letters.across {
            TextHorizontalAlignment::Center => place.x + (place.width - width) / 2.0,
            TextHorizontalAlignment::Right | TextHorizontalAlignment::End => place.right() - width,
            _ => place.x,
        };
        let y = match letters.down {
            TextVerticalAlignment::Center => place.y + (place.height - height) / 2.0,
            TextVerticalAlignment::Bottom => place.bottom() - height,
            _ => place.y,
        };
        let air = letters.font_size * 0.2;
        let ink = Place { x, y: y + air, width, height: (height - 2.0 * air).max(1.0) };
        if !around.scrolls && !ink.within(&around.clip) {
            self.fault(format!("sticks out: {quote:?}, {} of {}", whole(&ink), whole(&around.clip)));
        }
        let ink = ink.cut(&around.clip);
        if !ink.is_empty() {
            let words = Words { text: letters.text.clone(), ink, layer: around.layer };
            self.seen.words.push(words);
        }
    }

    /// What lies on what, within a layer.
    fn compare(&mut self) {
        let mut faults = Vec::new();
        let words = &self.seen.words;
        for (i, one) in words.iter().enumerate() {
            for other in &words[i + 1..] {
                if one.layer == other.layer && one.ink.meets(&other.ink) {
                    let (a, b): (String, String) =
                        (one.text.chars().take(40).collect(), other.text.chars().take(40).collect());
                    faults.push(format!("{a:?} lies on {b:?}"));
                }
            }
        }
        let targets = &self.seen.targets;
        for (i, one) in targets.iter().enumerate() {
            for (j, other) in targets.iter().enumerate().skip(i + 1) {
                let nested = inside(targets, j, i);
                if one.layer == other.layer && !nested && one.seen.meets(&other.seen) {
                    faults.push(format!("the control {:?} lies on {:?}", other.label, one.label));
                }
            }
        }
        for fault in faults {
            self.fault(fault);
        }
    }

    fn fault(&mut self, fault: Fault) {
        if !self.seen.faults.contains(&fault) {
            self.seen.faults.push(fault);
        }
    }
}

/// A text and how it is set.
struct Letters {
    text: String,
    font_size: f32,
    wraps: bool,
    across: TextHorizontalAlignment,
    down: TextVerticalAlignment,
}

fn inside(targets: &[Target], inner: usize, outer: usize) -> bool {
    let mut at = targets[inner].inside;
    while let Some(index) = at {
        if index == outer {
            return true;
        }
        at = targets[index].inside;
    }
    false
}

fn is_layer(item: &ItemRc) -> bool {
    (0..item.element_count().unwrap_or(0)).any(|index| {
        let names = item.element_type_names_and_ids(index).unwrap_or_default();
        names.iter().any(|(name, _)| LAYERS.contains(&name.as_str()))
    })
}

fn place(item: &ItemRc) -> Place {
    let geometry = item.geometry();
    let at = item.map_to_window(geometry.origin);
    Place { x: at.x, y: at.y, width: geometry.size.width, height: geometry.size.height }
}

fn whole(place: &Place) -> String {
    let Place { x, y, width, height } = place;
    format!("{}×{} at {},{}", width.round(), height.round(), x.round(), y.round())
}
