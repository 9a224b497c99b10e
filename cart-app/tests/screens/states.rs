//! The states in which a shopper waits, and in which something is not as usual.

use cart_core::view::{Banner, Waiting};

use super::*;

fn said(screen: &HeadlessScreen) -> Vec<String> {
    let elements = ElementQuery::from_root(screen.screen().window()).find_all();
    elements.iter().filter_map(|element| element.accessible_label()).map(Into::into).collect()
}

/// True when these words are on the screen.
fn says(screen: &HeadlessScreen, words: &str) -> bool {
    said(screen).iter().any(|label| label.contains(words))
}

#[test]
fn who_called_for_help_sees_for_how_long_and_what_to_expect() {
    for (sample, words) in [
        ("help", ["Called 1:20 ago", "2 calls came before yours."]),
        ("help-next", ["Called 2:24 ago", "You are next. It usually takes about 3 minutes."]),
        ("help-coming", ["Help is on its way", "A member of staff is on the way to you."]),
        ("help-offline", ["Called 0:12 ago", "The cart is offline."]),
    ] {
        let (screen, _) = show(&named(sample));
        screen.screen().window().state().set_help_open(true);
        screen.settle();
        for words in words {
            assert!(says(&screen, words), "{sample} should say {words:?}: {:?}", said(&screen));
        }
    }
}

#[test]
fn staff_see_the_screen_only_by_a_switch_that_is_off_and_a_mark_says_so_until_one_tap_ends_it() {
    let (choice, mark) = ("Let staff see this screen while they help", "Staff can see this screen");
    let (screen, heard) = show(&named("basket"));
    screen.screen().window().state().set_help_open(true);
    screen.settle();
    assert!(!says(&screen, choice), "help is not called yet");
    screen.apply(&named("help"));
    screen.settle();
    assert_eq!(element(&screen, choice).accessible_checked(), Some(false), "off until it is chosen");
    assert!(says(&screen, "Never what the cameras see.") && !says(&screen, mark));
    tap(&screen, choice);
    assert_eq!(heard.borrow().as_slice(), [Intent::ShareScreen { on: true }]);
    screen.apply(&named("help-shared"));
    screen.settle();
    assert_eq!(element(&screen, choice).accessible_checked(), Some(true));
    assert!(says(&screen, mark), "also beside the dialogue");
    tap(&screen, choice);
    tap(&screen, mark);
    let back = Intent::ShareScreen { on: false };
    assert_eq!(heard.borrow()[1..], [back.clone(), back], "one tap, in either place");
    screen.apply(&named("help"));
    screen.settle();
    assert!(!says(&screen, mark));
}

#[test]
fn the_mark_that_staff_see_the_screen_is_on_every_screen_of_a_trip() {
    for name in ["ask", "search", "weigh", "item", "product", "offers", "list", "pay-tap", "receipt", "notices"] {
        let (screen, heard) = show(&View { help_called: true, shared: true, ..named(name) });
        screen.settle();
        tap(&screen, "Staff can see this screen");
        assert_eq!(heard.borrow().last(), Some(&Intent::ShareScreen { on: false }), "on {name}");
    }
}

#[test]
fn without_a_line_the_switch_is_not_offered() {
    let (screen, _) = show(&named("help-offline"));
    screen.screen().window().state().set_help_open(true);
    screen.settle();
    assert!(!says(&screen, "Let staff see this screen while they help"));
}

#[test]
fn an_open_dialogue_counts_on() {
    let view = |s: u32| {
        let mut view = named("help");
        view.waiting.help_s = Some(s);
        view
    };
    let (screen, _) = show(&view(59));
    screen.screen().window().state().set_help_open(true);
    screen.settle();
    assert!(says(&screen, "Called 0:59 ago"));
    screen.apply(&view(60));
    assert!(says(&screen, "Called 1:00 ago"));
}

#[test]
fn an_age_check_is_explained_by_a_tap_and_at_the_lane_without_one() {
    let (screen, heard) = show(&named("basket-age-check"));
    tap(&screen, "Staff look at your age before you pay. Go on shopping meanwhile.");
    screen.settle();
    assert!(says(&screen, "Red wine, Rioja, from 18 years") && says(&screen, "Waiting for 3:20"));
    tap(&screen, "Keep shopping");
    screen.settle();
    assert!(!says(&screen, "Waiting for 3:20"));
    screen.apply(&named("age-check-at-lane"));
    screen.settle();
    assert!(says(&screen, "Please wait here for a moment. A member of staff looks at your age, then you can pay."));
    screen.apply(&View { waiting: Waiting::default(), notices: vec![], banner: None, ..named("basket-at-lane") });
    screen.settle();
    assert!(!says(&screen, "Age check"), "it closes when the check is done");
    assert!(heard.borrow().is_empty(), "looking changes nothing");
}

#[test]
fn a_tap_on_the_banner_lists_all_that_is_not_as_usual() {
    let (screen, _) = show(&named("notices"));
    let banner = "The scale is out. Scan each code; we check together at the exit. Staff know.";
    assert_eq!(element(&screen, banner).accessible_description().as_deref(), Some("and 3 more"));
    tap(&screen, banner);
    screen.settle();
    for words in [
        "The scale does not work",
        "A camera sees nothing",
        "The battery lasts about 14 more minutes",
        "No line to the store for 12 minutes",
    ] {
        assert!(says(&screen, words), "{words:?}: {:?}", said(&screen));
    }
    screen.apply(&named("basket"));
    screen.settle();
    assert!(!says(&screen, "Not as usual"), "nothing is left to list");
}

#[test]
fn every_notice_has_words_of_its_own() {
    use cart_core::Device::{Battery, Camera, Motion, Scale};
    let notices = vec![
        Banner::Overloaded,
        Banner::DeviceOut(Scale),
        Banner::DeviceOut(Camera(0)),
        Banner::CameraCovered(1),
        Banner::LaneRefused,
        Banner::BatteryLow(9),
        Banner::Tilted,
        Banner::Unsteady,
        Banner::DeviceOut(Motion),
        Banner::DeviceOut(Battery),
        Banner::HelpCalled,
        Banner::AgeCheck,
        Banner::Offline,
        Banner::BudgetReached,
    ];
    let mut seen: Vec<String> = Vec::new();
    for notice in &notices {
        let view = View { banner: Some(notice.clone()), notices: vec![notice.clone()], ..named("basket") };
        let (screen, _) = show(&view);
        let before = said(&screen);
        screen.screen().window().conditions().set_open(true);
        screen.settle();
        // The notice may say the very words of the banner.
        let times = |all: &[String], label: &String| all.iter().filter(|other| *other == label).count();
        let now = said(&screen);
        let mut added = now.iter().filter(|label| times(&now, label) > times(&before, label));
        let words = added.find(|label| label.contains(". ")).cloned().unwrap_or_default();
        assert!(words.len() > 12 && !seen.contains(&words), "{notice:?} says {words:?}");
        seen.push(words);
    }
}

#[test]
fn at_the_lane_without_a_line_it_says_so_and_takes_no_tap() {
    let (screen, heard) = show(&named("offline-at-lane"));
    assert!(says(&screen, "Payment waits for the line to the store."));
    tap(&screen, "Go to the exit lane");
    assert!(heard.borrow().is_empty());
    let (screen, _) = show(&named("pay-offline"));
    assert!(says(&screen, "You are never charged twice."));
}

#[test]
fn a_cart_is_charging_until_it_may_be_taken() {
    for (sample, words, not) in [
        ("charging", "Charging. Please take another cart.", "Ready to take"),
        ("charging", "It may be taken in about 18 minutes.", "Full in"),
        ("charging-ready", "Ready to take", "Please take another"),
        ("charging-ready", "Full in about 50 minutes.", "It may be taken"),
        ("low-battery", "Please take another cart.", "Charging."),
    ] {
        let (screen, _) = show(&named(sample));
        assert!(says(&screen, words) && !says(&screen, not), "{sample}: {:?}", said(&screen));
    }
}

#[test]
fn who_walks_off_from_the_welcome_screen_leaves_the_store_s_language_behind() {
    let (screen, _) = show(&named("welcome"));
    tap(&screen, "العربية");
    screen.screen().set_large_text(true);
    screen.settle();
    screen.advance(50_000);
    assert_eq!(screen.screen().language(), Language::Arabic);
    tap(&screen, "Deutsch");
    screen.advance(50_000);
    assert_eq!(screen.screen().language(), Language::German, "every choice begins the minute anew");
    screen.advance(15_000);
    assert_eq!(screen.screen().language(), Language::English);
    assert!(!screen.screen().window().theme().get_large_text());
    tap(&screen, "Deutsch");
    screen.apply(&named("basket"));
    screen.settle();
    screen.advance(120_000);
    assert_eq!(screen.screen().language(), Language::German, "a shopper's choice lasts the trip");
}

#[test]
fn still_shopping_counts_down_and_any_answer_is_heard() {
    let (screen, heard) = show(&named("still-shopping"));
    assert!(says(&screen, "In 42 seconds"));
    tap(&screen, "Yes, I am here");
    tap(&screen, "I don't need the cart");
    assert_eq!(heard.borrow().as_slice(), [Intent::StillHere, Intent::EndEmpty]);
}

#[test]
fn what_may_not_be_sold_is_said_in_neutral_words_and_offers_no_way_round() {
    let (screen, _) = show(&named("ask-refused"));
    assert!(says(&screen, "This can't be sold today"));
    for label in ["It's my own", "Something else", "Scan its code", "I'll take it out"] {
        assert!(!says(&screen, label), "{label:?}");
    }
}
