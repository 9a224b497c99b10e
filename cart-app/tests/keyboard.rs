//! The keyboard on the screen: each language's letters, every tap once, and what is typed is found.

mod hands;

use std::cell::RefCell;
use std::rc::Rc;

use cart_app::ui::{CartWindow, HeadlessScreen, Language};
use cart_core::Intent;
use cart_ui::KeyboardPreview;
use hands::{Bench, Control, ROOMS, named};
use i_slint_backend_testing::ElementHandle;
use slint::ComponentHandle;

fn text(bench: &Bench) -> String {
    bench.screen.screen().window().search().get_text().to_string()
}

/// The keys, which are what can be activated below the results.
fn keys(bench: &Bench) -> Vec<Control> {
    let top =
        bench.element("Keyboard").or_else(|| bench.element("لوحة المفاتيح")).or_else(|| bench.element("Tastatur"));
    let top = top.or_else(|| bench.element("Clavier")).or_else(|| bench.element("Teclado"));
    let top = top.or_else(|| bench.element("キーボード")).expect("a keyboard").absolute_position().y;
    bench.controls().into_iter().filter(|key| key.at.y >= top).collect()
}

#[test]
fn each_language_has_its_own_letters_where_its_typists_look_for_them() {
    let first_row = |language, keys: &[&str]| {
        let bench = Bench::new(ROOMS[0], language, &named("search-empty"));
        let places: Vec<_> = keys.iter().map(|key| bench.middle(key)).collect();
        let in_a_row = places.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 == pair[1].1);
        assert!(in_a_row, "{keys:?} in {language:?}: {places:?}");
    };
    first_row(Language::English, &["q", "w", "e", "r", "t", "y", "u", "i", "o", "p"]);
    first_row(Language::Spanish, &["a", "s", "d", "f", "g", "h", "j", "k", "l", "ñ"]);
    first_row(Language::French, &["a", "z", "e", "r", "t", "y", "u", "i", "o", "p"]);
    first_row(Language::French, &["w", "x", "c", "v", "b", "n", "é", "è", "ç", "à"]);
    first_row(Language::German, &["q", "w", "e", "r", "t", "z", "u", "i", "o", "p", "ü"]);
    first_row(Language::German, &["y", "x", "c", "v", "b", "n", "m", "ß"]);
    first_row(Language::Arabic, &["ض", "ص", "ث", "ق", "ف", "غ", "ع", "ه", "خ", "ح", "ج", "د"]);
    // Columns of the kana table run from right to left.
    first_row(Language::Japanese, &["わ", "ら", "や", "ま", "は", "な", "た", "さ", "か", "あ"]);
}

#[test]
fn arabic_and_japanese_have_latin_letters_one_tap_away_and_back() {
    for (language, there, latin, back) in
        [(Language::Arabic, "ض", "حروف لاتينية", "حروف هذه اللغة"), (Language::Japanese, "あ", "英字", "かな")]
    {
        let bench = Bench::new(ROOMS[0], language, &named("search-empty"));
        assert!(bench.element("q").is_none());
        bench.tap(latin);
        bench.screen.settle();
        bench.tap("q");
        bench.tap(back);
        bench.screen.settle();
        bench.tap(there);
        assert_eq!(text(&bench), format!("q{there}"), "{language:?}");
    }
}

#[test]
fn digits_space_delete_and_clear_are_always_at_hand() {
    for room in ROOMS {
        for language in Language::ALL {
            let bench = Bench::new(room, language, &named("search-empty"));
            for digit in ["4", "0", "1", "1"] {
                bench.tap(digit);
            }
            assert_eq!(text(&bench), "4011", "{language:?} at {room:?}");
        }
        let bench = Bench::new(room, Language::English, &named("search-empty"));
        for key in ["a", "Space", "b", "c", "Delete"] {
            bench.tap(key);
        }
        assert_eq!(text(&bench), "a b", "at {room:?}");
        bench.tap("Clear");
        assert_eq!(text(&bench), "");
        assert_eq!(bench.heard().last(), Some(&Intent::Search { text: String::new() }));
    }
}

#[test]
fn a_kana_mark_changes_the_kana_before_it() {
    let bench = Bench::new(ROOMS[1], Language::Japanese, &named("search-empty"));
    for key in ["は", "゛", "た", "ー", "つ", "小"] {
        bench.tap(key);
    }
    assert_eq!(text(&bench), "ばたーっ");
}

#[test]
fn every_key_is_large_enough_and_on_the_screen_and_none_lies_on_another() {
    for room in ROOMS {
        for language in Language::ALL {
            for large in [false, true] {
                let bench = Bench::new(room, language, &named("search"));
                bench.screen.screen().set_large_text(large);
                bench.screen.settle();
                let keys = keys(&bench);
                assert!(keys.len() >= 38, "{} keys in {language:?}", keys.len());
                for (i, key) in keys.iter().enumerate() {
                    let (right, bottom) = (key.at.x + key.size.width, key.at.y + key.size.height);
                    let inside = key.at.x >= 0.0 && right <= room.0 as f32 + 0.1 && bottom <= room.1 as f32 + 0.1;
                    assert!(inside, "{key:?} in {language:?} at {room:?}");
                    let large_enough = key.size.width >= 47.9 && key.size.height >= 47.9;
                    assert!(large_enough, "{key:?} in {language:?} at {room:?}");
                    let apart = |other: &Control| {
                        other.at.x >= right
                            || other.at.y >= bottom
                            || other.at.x + other.size.width <= key.at.x
                            || other.at.y + other.size.height <= key.at.y
                    };
                    let lies_on = keys[i + 1..].iter().find(|other| !apart(other));
                    assert!(lies_on.is_none(), "{key:?} and {lies_on:?} in {language:?} at {room:?}");
                }
            }
        }
    }
}

#[test]
fn ten_taps_a_second_all_count_and_none_counts_twice() {
    let bench = Bench::sample("search-empty");
    let word = ["s", "t", "r", "a", "w", "b", "e", "r", "r", "y", "4", "4", "0", "0"];
    for (n, key) in word.into_iter().enumerate() {
        let (x, y) = bench.middle(key);
        bench.press(x, y);
        bench.screen.advance(40);
        // A hasty finger slides off its key before it lifts.
        let off = if n % 2 == 0 { 0.0 } else { 90.0 };
        bench.lift(x + off, y + off);
        bench.screen.advance(60);
    }
    assert_eq!(text(&bench), word.concat());
    let said = bench.heard().len();
    assert_eq!(said, word.len(), "one intent a tap");
}

#[test]
fn between_two_keys_lies_no_key_and_nothing_behind() {
    let bench = Bench::sample("search");
    let (q, w) = (bench.middle("q"), bench.middle("w"));
    bench.screen.tap((q.0 + w.0) / 2.0, q.1);
    assert!(bench.heard().is_empty(), "{:?}", bench.heard());
}

#[test]
fn a_real_keyboard_types_too_wherever_the_focus_is() {
    let bench = Bench::sample("search-empty");
    bench.screen.key("p");
    for _ in 0..3 {
        bench.key(slint::platform::Key::Tab);
    }
    bench.screen.key("â");
    bench.key(slint::platform::Key::F5);
    bench.key(slint::platform::Key::LeftArrow);
    assert_eq!(text(&bench), "pâ");
    bench.key(slint::platform::Key::Backspace);
    bench.key(slint::platform::Key::Backspace);
    assert_eq!(text(&bench), "");
    assert!(!bench.heard().contains(&Intent::Back));
    bench.key(slint::platform::Key::Backspace);
    assert_eq!(bench.heard().last(), Some(&Intent::Back), "with nothing left to delete it goes back");
}

#[test]
fn the_digits_alone_serve_a_pin_or_a_number() {
    // Its platform draws in memory.
    let _screen = HeadlessScreen::new(800, 480).expect("a screen in memory");
    let keyboard = KeyboardPreview::new().expect("a window in memory");
    keyboard.set_mode("digits".into());
    keyboard.show().expect("shown");
    let said = Rc::new(RefCell::new(String::new()));
    let say = |what: &'static str| {
        let said = said.clone();
        move || said.borrow_mut().push_str(what)
    };
    keyboard.on_deleted(say("<"));
    keyboard.on_cleared(say("!"));
    keyboard.on_typed({
        let said = said.clone();
        move |key| said.borrow_mut().push_str(&key)
    });
    for label in ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0", "Delete", "Clear"] {
        let key = ElementHandle::find_by_accessible_label(&keyboard, label).next().expect(label);
        assert!(key.size().width >= 48.0 && key.size().height >= 48.0, "{label}");
        key.invoke_accessible_default_action();
    }
    assert_eq!(said.borrow().as_str(), "1234567890<!");
    assert_eq!(ElementHandle::find_by_accessible_label(&keyboard, "q").count(), 0);
}
