//! The cart's screens, drawn in memory and touched: each shows, each touch means what it says.

use std::cell::RefCell;
use std::rc::Rc;

use cart_app::ui::{CartWindow, HeadlessScreen, Pictures, Scheme, ShopAction, ShopPanel, sample};
use cart_core::Intent;
use cart_core::view::View;
use i_slint_backend_testing::{AccessibleRole, ElementHandle, ElementQuery};
use slint::Color;
use trip::{HoldId, LineId, Sku};

/// How wide the word is in Inter: its glyphs' advances, added.
const INTER_TRUNDLE_PX: f32 = 81.0;

/// A screen that shows `view`, and what its touches meant so far.
fn show(view: &View) -> (HeadlessScreen, Rc<RefCell<Vec<Intent>>>) {
    let screen = HeadlessScreen::new(1280, 800).expect("a screen in memory");
    let heard = Rc::new(RefCell::new(Vec::new()));
    screen.on_intent({
        let heard = heard.clone();
        move |intent| heard.borrow_mut().push(intent)
    });
    screen.apply(view);
    screen.settle();
    (screen, heard)
}

fn named(name: &str) -> View {
    sample::all().into_iter().find(|(n, _)| *n == name).map(|(_, view)| view).expect("a sample of that name")
}

/// What is labelled so; a button before a line of the basket of the same name.
fn element(screen: &HeadlessScreen, label: &str) -> ElementHandle {
    let mut found: Vec<_> = ElementHandle::find_by_accessible_label(screen.screen().window(), label).collect();
    found.sort_by_key(|element| element.accessible_role() != Some(AccessibleRole::Button));
    found.into_iter().next().unwrap_or_else(|| panic!("nothing on the screen is labelled {label:?}"))
}

/// Touches the middle of what is labelled so, as a finger would.
fn tap(screen: &HeadlessScreen, label: &str) {
    let element = element(screen, label);
    let (at, size) = (element.absolute_position(), element.size());
    screen.tap(at.x + size.width / 2.0, at.y + size.height / 2.0);
}

fn sku(text: &str) -> Sku {
    Sku::new(text).expect("a valid sku")
}

#[test]
fn every_sample_draws_something_of_its_own() {
    let mut seen = Vec::new();
    for (name, view) in sample::all() {
        let (screen, _) = show(&view);
        let picture = screen.screenshot();
        let first = *picture.get_pixel(640, 500);
        assert!(picture.pixels().any(|p| *p != first), "{name} is blank");
        if name != "help" {
            assert!(!seen.contains(&picture), "{name} looks like another sample");
        }
        seen.push(picture);
    }
}

#[test]
fn a_touch_means_what_its_label_says() {
    let hold = HoldId(10);
    let table: Vec<(&str, &str, Intent)> = vec![
        ("welcome", "Start shopping", Intent::Start),
        ("basket", "Help", Intent::CallHelp),
        ("basket-at-lane", "Go to the exit lane", Intent::GoToLane),
        ("basket-held", "Something we don't know yet", Intent::AskAbout { hold }),
        ("ask", "Satsumas", Intent::Answer { hold, sku: sku("satsuma") }),
        ("ask", "Grapefruit", Intent::Answer { hold, sku: sku("grapefruit") }),
        ("ask", "Something else", Intent::SomethingElse { hold }),
        ("ask", "Scan its code", Intent::ScanIt { hold }),
        ("ask", "I'll take it out", Intent::TakeOut { hold }),
        ("ask-scan", "I'll take it out", Intent::TakeOut { hold }),
        ("ask-take-out", "Scan its code", Intent::ScanIt { hold }),
        ("ask-which-removed", "Bananas", Intent::AnswerLine { hold, line: LineId(7) }),
        ("ask-unknown", "It's my own", Intent::OwnThing { hold }),
        ("ask-swapped", "Whole milk 1 l", Intent::AnswerSwap { hold, line: LineId(8), sku: sku("milk-whole-1l") }),
        ("ask-swapped", "Nothing was changed", Intent::NothingChanged { hold }),
        ("ask-swapped", "Something else", Intent::SomethingElse { hold }),
        ("ask-recount-less", "Bananas", Intent::AnswerLine { hold, line: LineId(7) }),
        ("search", "Navel orange", Intent::Choose { sku: sku("orange-navel") }),
        ("search", "Back", Intent::Back),
        ("search", "a", Intent::Search { text: "ora".into() }),
        ("search", "Delete", Intent::Search { text: "o".into() }),
        ("weigh", "Add", Intent::ConfirmWeigh),
        ("weigh", "Net bag 14 g", Intent::Tare { number: Some(1) }),
        ("weigh", "No Paper bag", Intent::Tare { number: None }),
        ("weigh", "Back", Intent::Back),
        ("pay-tap", "Back to shopping", Intent::BackToShopping),
        ("pay-declined", "Try again", Intent::GoToLane),
        ("receipt", "Done", Intent::Finish),
    ];
    for (sample, label, expected) in table {
        let (screen, heard) = show(&named(sample));
        tap(&screen, label);
        assert_eq!(heard.borrow().as_slice(), [expected], "{label:?} on {sample}");
    }
}

#[test]
fn what_cannot_be_done_now_says_nothing_when_touched() {
    for (sample, label) in [("basket", "Go to the exit lane"), ("weigh-unsteady", "Add")] {
        let (screen, heard) = show(&named(sample));
        tap(&screen, label);
        assert!(heard.borrow().is_empty(), "{label:?} on {sample} meant {:?}", heard.borrow());
    }
}

#[test]
fn ten_fast_keys_are_all_kept() {
    let (screen, heard) = show(&named("search-empty"));
    for key in ["s", "a", "t", "s", "u"] {
        tap(&screen, key);
    }
    screen.key("m");
    let typed = heard.borrow().last().cloned();
    assert_eq!(typed, Some(Intent::Search { text: "satsum".into() }));
}

#[test]
fn help_is_called_once_and_ended_by_its_own_button() {
    let (screen, heard) = show(&named("basket"));
    tap(&screen, "Help");
    screen.apply(&View { help_called: true, ..named("basket") });
    tap(&screen, "I don't need help any more");
    assert_eq!(heard.borrow().as_slice(), [Intent::CallHelp, Intent::EndHelp]);
}

#[test]
fn a_receipt_leaves_nothing_in_the_window() {
    use slint::Model;
    let (screen, _) = show(&named("receipt"));
    assert!(screen.screen().window().receipt().get_lines().row_count() > 0);
    screen.apply(&named("welcome"));
    let receipt = screen.screen().window().receipt();
    assert_eq!(receipt.get_lines().row_count(), 0);
    assert_eq!(receipt.get_number(), "");
    assert!(!receipt.get_has_qr());
}

#[test]
fn the_next_person_starts_with_an_ordinary_screen() {
    let (screen, _) = show(&named("basket"));
    screen.screen().set_scheme(Scheme::DarkContrast);
    screen.screen().set_large_text(true);
    screen.apply(&named("welcome"));
    let theme = screen.screen().window().theme();
    assert_eq!((theme.get_scheme(), theme.get_large_text()), (Scheme::Light, false));
}

#[test]
fn everything_that_can_be_hit_is_labelled_and_large_enough() {
    for (name, view) in sample::all() {
        let (screen, _) = show(&view);
        let window = screen.screen().window();
        for element in ElementQuery::from_root(window).find_all() {
            let role = element.accessible_role();
            if !matches!(role, Some(AccessibleRole::Button)) {
                continue;
            }
            let label = element.accessible_label().unwrap_or_default();
            let size = element.size();
            assert!(!label.is_empty(), "a button on {name} has no label");
            assert!(size.height >= 48.0 && size.width >= 48.0, "{label:?} on {name} is {size:?}");
        }
    }
}

#[test]
fn a_name_of_120_characters_stays_inside_its_place() {
    // The price stands right of the name: the row is the same with a short one there.
    let strip = |name: &str| {
        let mut view = named("basket");
        for line in &mut view.lines {
            line.name = name.to_owned();
            line.fresh = false;
        }
        let (screen, _) = show(&view);
        let picture = screen.screenshot();
        image::imageops::crop_imm(&picture, 680, 70, 600, 720).to_image()
    };
    assert_eq!(sample::LONG_NAME.chars().count(), 120);
    assert!(strip(sample::LONG_NAME) == strip("Oat drink"), "a long name runs into the price or the total");
}

#[test]
fn the_shop_around_the_cart_says_what_the_hands_do() {
    let pictures = Rc::new(Pictures::drawn());
    let screen = HeadlessScreen::demo(pictures.clone()).expect("a demo window in memory");
    let panel = ShopPanel::new(screen.screen().window(), pictures);
    let heard = Rc::new(RefCell::new(Vec::new()));
    panel.on_action({
        let heard = heard.clone();
        move |action| heard.borrow_mut().push(action)
    });
    panel.set_shelf(&[(sku("banana"), "Bananas".into()), (sku("oat-drink"), "Oat drink".into())]);
    panel.set_in_cart(&[(sku("banana"), "Bananas".into())]);
    screen.apply(&sample::basket());
    screen.settle();
    for label in ["Put in Oat drink", "Take out Bananas", "Roll up to a lane", "Bump", "Tap card on the reader"] {
        let element = ElementHandle::find_by_accessible_label(screen.screen().window(), label).next().expect(label);
        let (at, size) = (element.absolute_position(), element.size());
        screen.tap(at.x + size.width / 2.0, at.y + size.height / 2.0);
    }
    use ShopAction::{Bump, Put, RollToLane, Take, TapCard};
    assert_eq!(heard.borrow().as_slice(), [Put(1), Take(0), RollToLane, Bump, TapCard]);
}

/// Relative luminance. Source: WCAG 2.2, "relative luminance".
fn luminance(color: Color) -> f64 {
    let part = |byte: u8| {
        let v = f64::from(byte) / 255.0;
        if v <= 0.04045 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * part(color.red()) + 0.7152 * part(color.green()) + 0.0722 * part(color.blue())
}

fn contrast(a: Color, b: Color) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[test]
fn every_pair_of_the_theme_can_be_read() {
    assert!((contrast(Color::from_rgb_u8(0, 0, 0), Color::from_rgb_u8(255, 255, 255)) - 21.0).abs() < 0.01);
    let app = HeadlessScreen::new(1280, 800).expect("a screen in memory");
    let theme = app.screen().window().theme();
    for scheme in [Scheme::Light, Scheme::Dark, Scheme::LightContrast, Scheme::DarkContrast] {
        theme.set_scheme(scheme);
        let least = if matches!(scheme, Scheme::Light | Scheme::Dark) { 4.5 } else { 7.0 };
        let pairs = [
            ("ink on paper", theme.get_ink(), theme.get_paper()),
            ("ink on surface", theme.get_ink(), theme.get_surface()),
            ("ink-2 on paper", theme.get_ink_2(), theme.get_paper()),
            ("ink-2 on surface", theme.get_ink_2(), theme.get_surface()),
            ("ink on leaf-soft", theme.get_ink(), theme.get_leaf_soft()),
            ("ink-2 on leaf-soft", theme.get_ink_2(), theme.get_leaf_soft()),
            ("leaf on paper", theme.get_leaf(), theme.get_paper()),
            ("leaf on surface", theme.get_leaf(), theme.get_surface()),
            ("leaf on leaf-soft", theme.get_leaf(), theme.get_leaf_soft()),
            ("on-leaf on leaf", theme.get_on_leaf(), theme.get_leaf()),
            ("on-honey on honey", theme.get_on_honey(), theme.get_honey()),
            ("clay on surface", theme.get_clay(), theme.get_surface()),
            ("clay on leaf-soft", theme.get_clay(), theme.get_leaf_soft()),
            ("surface on clay", theme.get_surface(), theme.get_clay()),
            ("paper on ink", theme.get_paper(), theme.get_ink()),
        ];
        for (pair, a, b) in pairs {
            let found = contrast(a, b);
            assert!(found >= least, "{pair} in {scheme:?} is {found:.2}, less than {least}");
        }
    }
}

#[test]
fn the_total_rolls_and_then_stands_still() {
    let (screen, _) = show(&sample::empty());
    screen.apply(&named("basket"));
    screen.screenshot();
    screen.advance(120);
    let rolling = screen.screenshot();
    screen.advance(4000);
    let still = screen.screenshot();
    screen.advance(4000);
    assert!(rolling != still, "the total jumped");
    assert!(screen.screenshot() == still, "something on the screen never stops");
}

#[test]
fn the_screens_are_set_in_inter() {
    // "Trundle" at 22 px, weight 600. Another face is wider or narrower by more than this.
    let (screen, _) = show(&named("welcome"));
    let width = element(&screen, "Trundle").size().width;
    assert!((width - INTER_TRUNDLE_PX).abs() < 1.5, "{width} px: is fonts-inter installed?");
}
