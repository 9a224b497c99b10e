//! Keys and switches: everything can be reached and activated, the focus is seen, dialogues take it and
//! give it back, and there is one way back from everywhere.

mod hands;

use cart_app::staff::StaffView;
use cart_app::ui::{CartWindow, Hand, Language, sample};
use cart_core::Intent;
use hands::{Bench, ROOMS, named};
use i_slint_backend_testing::ElementQuery;
use slint::platform::{Key, WindowEvent};

/// Tabs so often at most: more stops than any screen has.
const ROUND: usize = 90;

/// The labels that Tab comes by, in order, from where the screen begins until it comes round.
fn stops(bench: &Bench) -> Vec<String> {
    let mut stops: Vec<String> = Vec::new();
    for _ in 0..ROUND {
        bench.key(Key::Tab);
        // A list scrolls along, so that places say nothing; the first comes again last.
        match bench.ringed() {
            Some(control) if stops.first() == Some(&control.label) => break,
            Some(control) => stops.push(control.label),
            None => {}
        }
    }
    stops
}

/// Tabs until the ring is around what is labelled so.
fn tab_to(bench: &Bench, label: &str) {
    for _ in 0..ROUND {
        bench.key(Key::Tab);
        if bench.ringed().is_some_and(|control| control.label == label) {
            return;
        }
    }
    panic!("Tab never comes to {label:?}");
}

#[test]
fn tab_comes_by_every_control_of_every_screen() {
    for name in [
        "welcome",
        "basket-at-lane",
        "basket-held",
        "ask",
        "ask-unknown",
        "ask-swapped",
        "ask-which-removed",
        "search",
        "weigh",
        "weigh-unsteady",
        "item",
        "pay-tap",
        "pay-declined",
        "receipt",
        "goodbye",
        "charging",
    ] {
        let bench = Bench::sample(name);
        let mut missing: Vec<String> = bench.controls().into_iter().map(|control| control.label).collect();
        for stop in stops(&bench) {
            if let Some(at) = missing.iter().position(|label| *label == stop) {
                missing.remove(at);
            }
        }
        assert!(missing.is_empty(), "on {name} Tab never comes to {missing:?}");
    }
}

#[test]
fn the_screen_s_own_controls_come_before_the_header_s() {
    for (name, first) in [("basket-at-lane", "Granny Smith apples"), ("weigh", "No paper bag"), ("receipt", "Done")] {
        let stops = stops(&Bench::sample(name));
        assert_eq!(stops.first().map(String::as_str), Some(first), "on {name}: {stops:?}");
        assert_eq!(stops.last().map(String::as_str), Some("Help"), "on {name}: {stops:?}");
    }
}

#[test]
fn enter_and_space_do_what_a_finger_does() {
    for key in [Key::Return, Key::Space] {
        let bench = Bench::sample("weigh");
        tab_to(&bench, "Add");
        bench.key(key);
        assert_eq!(bench.heard(), [Intent::ConfirmWeigh]);
    }
    let bench = Bench::sample("basket");
    tab_to(&bench, "Sourdough loaf");
    bench.key(Key::Return);
    assert!(matches!(bench.heard().as_slice(), [Intent::ShowLine { .. }]), "{:?}", bench.heard());
}

#[test]
fn a_key_held_down_is_one_press() {
    let bench = Bench::sample("weigh");
    tab_to(&bench, "Add");
    bench.dispatch(WindowEvent::KeyPressed { text: Key::Return.into() });
    for _ in 0..20 {
        bench.dispatch(WindowEvent::KeyPressRepeated { text: Key::Return.into() });
    }
    bench.dispatch(WindowEvent::KeyReleased { text: Key::Return.into() });
    assert_eq!(bench.heard(), [Intent::ConfirmWeigh]);
}

#[test]
fn what_cannot_be_done_now_is_no_stop() {
    let stops = stops(&Bench::sample("weigh-unsteady"));
    assert!(!stops.iter().any(|stop| stop == "Add"), "{stops:?}");
}

#[test]
fn the_focus_is_seen_by_keys_and_a_finger_needs_none() {
    let bench = Bench::sample("weigh");
    let before = bench.screen.screenshot();
    assert!(bench.ringed().is_none());
    bench.key(Key::Tab);
    assert!(bench.ringed().is_some());
    assert!(bench.screen.screenshot() != before, "the ring is not drawn");
    bench.tap("Back");
    bench.screen.advance(1_000);
    assert!(bench.ringed().is_none());
    assert!(bench.screen.screenshot() == before, "something of the ring stays");
}

#[test]
fn a_dialogue_takes_the_focus_keeps_it_and_gives_it_back() {
    for (name, opener, within) in [
        ("basket", "Help", vec!["Keep shopping", "I don't need help any more"]),
        ("basket", "EN, Language", vec!["English", "Deutsch", "Français", "Español", "العربية", "日本語"]),
        (
            "basket",
            "Aa, Reading options",
            vec![
                "Larger text",
                "High contrast",
                "Dark",
                "Less motion",
                "Say it aloud",
                "Left hand",
                "Either",
                "Right hand",
            ],
        ),
    ] {
        let bench = Bench::sample(name);
        tab_to(&bench, opener);
        bench.key(Key::Return);
        bench.screen.settle();
        assert_eq!(stops(&bench), within, "Tab goes round in what {opener:?} opens");
        bench.key(Key::Escape);
        bench.screen.settle();
        let back = bench.ringed().map(|control| control.label);
        assert_eq!(back.as_deref(), Some(opener), "the focus comes back to what opened it");
    }
}

#[test]
fn the_way_round_a_dialogue_goes_backwards_too() {
    let bench = Bench::sample("basket");
    tab_to(&bench, "Help");
    bench.key(Key::Return);
    bench.screen.settle();
    bench.key(Key::Backtab);
    assert_eq!(bench.ringed().map(|c| c.label).as_deref(), Some("I don't need help any more"));
    bench.key(Key::Backtab);
    assert_eq!(bench.ringed().map(|c| c.label).as_deref(), Some("Keep shopping"));
}

#[test]
fn the_wishes_and_the_tour_give_the_focus_back_to_the_button_that_opened_them() {
    for (name, opener) in [("basket", "Set a budget or allergens"), ("welcome", "How it works")] {
        let bench = Bench::sample(name);
        tab_to(&bench, opener);
        bench.key(Key::Return);
        bench.screen.settle();
        bench.key(Key::Tab);
        bench.screen.settle();
        assert_ne!(bench.ringed().map(|c| c.label).as_deref(), Some(opener));
        bench.key(Key::Backspace);
        bench.screen.settle();
        assert_eq!(bench.ringed().map(|c| c.label).as_deref(), Some(opener));
    }
}

#[test]
fn escape_and_backspace_go_back_from_everywhere() {
    for key in [Key::Escape, Key::Backspace] {
        for (name, expected) in [
            ("search-empty", vec![Intent::Back]),
            ("weigh", vec![Intent::Back]),
            ("item", vec![Intent::Back]),
            ("pay-tap", vec![Intent::BackToShopping]),
            ("pay-declined", vec![Intent::BackToShopping]),
            ("pay-checking", vec![]),
            ("pay-approved", vec![]),
            ("receipt", vec![]),
            ("basket", vec![]),
            ("ask", vec![]),
            ("welcome", vec![]),
        ] {
            let bench = Bench::sample(name);
            bench.key(key);
            assert_eq!(bench.heard(), expected, "{name}");
        }
    }
}

#[test]
fn the_way_back_closes_what_lies_on_top_first() {
    let bench = Bench::sample("item");
    let state = || bench.screen.screen().window().state();
    state().set_help_open(true);
    bench.screen.settle();
    bench.key(Key::Escape);
    assert!(!state().get_help_open() && bench.heard().is_empty());
    bench.screen.settle();
    bench.key(Key::Escape);
    assert_eq!(bench.heard(), [Intent::Back]);
}

#[test]
fn a_screen_that_comes_on_takes_the_keys() {
    let bench = Bench::sample("basket");
    tab_to(&bench, "Sourdough loaf");
    bench.screen.apply(&named("search-empty"));
    bench.screen.settle();
    bench.screen.key("o");
    assert_eq!(bench.heard(), [Intent::Search { text: "o".into() }]);
}

#[test]
fn the_reading_options_fit_every_room_and_all_can_be_reached() {
    for room in ROOMS {
        for large in [false, true] {
            let bench = Bench::new(room, Language::German, &named("basket"));
            bench.screen.screen().set_large_text(large);
            bench.screen.screen().window().state().set_reading_open(true);
            bench.screen.settle();
            for _ in 0..12 {
                bench.key(Key::Tab);
                bench.screen.settle();
                let Some(stop) = bench.ringed() else { continue };
                let bottom = stop.at.y + stop.size.height;
                assert!(stop.at.y >= 0.0 && bottom <= room.1 as f32, "{stop:?} at {room:?}");
            }
            assert!(stops(&bench).iter().any(|stop| stop == "Rechte Hand"), "at {room:?}");
        }
    }
}

#[test]
fn hand_and_speech_are_chosen_and_the_next_person_starts_without() {
    let bench = Bench::sample("basket");
    bench.screen.screen().window().state().set_reading_open(true);
    bench.screen.settle();
    bench.tap("Left hand");
    bench.tap("Say it aloud");
    let window = bench.screen.screen().window();
    assert_eq!((window.theme().get_hand(), window.state().get_speech()), (Hand::Left, true));
    bench.screen.apply(&named("welcome"));
    assert_eq!((window.theme().get_hand(), window.state().get_speech()), (Hand::Either, false));
}

#[test]
fn what_changes_by_itself_is_announced() {
    let live = |bench: &Bench| -> Vec<String> {
        let elements = ElementQuery::from_root(bench.screen.screen().window()).find_all();
        let live = elements.iter().filter(|e| e.accessible_live_region().is_some());
        live.filter_map(|e| e.accessible_label()).map(|label| label.to_string()).collect()
    };
    for (name, words) in [
        ("search", "7 products fit"),
        ("search-nothing", "Nothing fits “qzx”. Try fewer letters, or call for help."),
        ("weigh", "Steady"),
    ] {
        let bench = Bench::sample(name);
        assert!(live(&bench).iter().any(|label| label == words), "{name}: {:?}", live(&bench));
    }
    let bench = Bench::sample("basket");
    bench.screen.screen().window().state().set_help_open(true);
    bench.screen.settle();
    assert!(live(&bench).iter().any(|label| label == "Calling for help"), "{:?}", live(&bench));
}

#[test]
fn tab_comes_by_every_control_of_staff_mode_and_by_none_below_it() {
    for sample in sample::all().into_iter().filter(|sample| sample.staff != StaffView::default()) {
        let name = sample.name;
        let bench = Bench::new(ROOMS[0], Language::English, &sample.view);
        let below = bench.controls();
        sample.show_on(bench.screen.screen());
        bench.screen.settle();
        let inside = bench.controls().into_iter().filter(|control| !below.contains(control));
        let mut missing: Vec<String> = inside.map(|control| control.label).collect();
        let out = ["Leave staff mode", "Back to the shop"];
        assert!(missing.iter().any(|label| out.contains(&label.as_str())), "on {name}");
        for stop in stops(&bench) {
            match missing.iter().position(|label| *label == stop) {
                Some(at) => drop(missing.remove(at)),
                None => panic!("on {name} Tab comes to {stop:?}, which is below staff mode or was there before"),
            }
        }
        assert!(missing.is_empty(), "on {name} Tab never comes to {missing:?}");
    }
}
