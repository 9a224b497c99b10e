//! The cart's screens, drawn in memory and touched: each shows, each touch means what it says.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use cart_app::config::ScreenConfig;
use cart_app::ui::gallery::{self, Picture};
use cart_app::ui::{
    CartWindow, Clock, Hand, HeadlessScreen, Language, Pictures, Scheme, ShopAction, ShopPanel, fonts, sample,
};
use cart_core::Intent;
use cart_core::view::View;
use i_slint_backend_testing::{AccessibleRole, ElementHandle, ElementQuery};
use slint::Color;
use trip::{HoldId, LineId, Sku};

#[path = "screens/glimpse.rs"]
mod glimpse;
#[path = "screens/staff.rs"]
mod staff;
#[path = "screens/start.rs"]
mod start;
#[path = "screens/states.rs"]
mod states;

/// How wide the word is in Inter: its glyphs' advances, added.
const INTER_TRUNDLE_PX: f32 = 81.0;

thread_local! {
    /// Drawn once a test, not once a screen.
    static PICTURES: Rc<Pictures> = Rc::new(Pictures::drawn());
}

/// A screen that shows `view`, and what its touches meant so far.
fn show(view: &View) -> (HeadlessScreen, Rc<RefCell<Vec<Intent>>>) {
    show_in(Language::English, view)
}

/// The same in another language.
fn show_in(language: Language, view: &View) -> (HeadlessScreen, Rc<RefCell<Vec<Intent>>>) {
    let screen = HeadlessScreen::with_pictures(1280, 800, PICTURES.with(Rc::clone)).expect("a screen in memory");
    screen.screen().set_language(language);
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
    sample::named(name).expect("a sample of that name").view
}

/// What is labelled so: the button on top, such as a tile over a line of the basket of the same name; else
/// the first that is no button.
fn element(screen: &HeadlessScreen, label: &str) -> ElementHandle {
    let found: Vec<_> = ElementHandle::find_by_accessible_label(screen.screen().window(), label).collect();
    let button = found.iter().rfind(|element| element.accessible_role() == Some(AccessibleRole::Button));
    let found = button.or_else(|| found.first()).cloned();
    found.unwrap_or_else(|| panic!("nothing on the screen is labelled {label:?}"))
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

/// What `look` sees of every sample on the cart's own screen in these languages, on fresh threads: one that has
/// shown hundreds of windows is slow.
fn of_every_sample<T: Send>(languages: &[Language], look: impl Fn(&str, &HeadlessScreen) -> T + Sync) -> Vec<T> {
    let ordinary = |picture: &Picture| {
        let plain = picture.reading.name.is_empty() && picture.room.name.is_empty() && picture.hand == Hand::Either;
        plain && languages.contains(&picture.language)
    };
    let pictures: Vec<Picture> = gallery::pictures().filter(ordinary).collect();
    gallery::each(&pictures, |picture, goods| look(&picture.name(), &picture.show(goods).expect("a screen in memory")))
}

#[test]
fn every_sample_draws_something_of_its_own() {
    let drawn = of_every_sample(&[Language::English], |name, screen| (name.to_owned(), screen.screenshot()));
    assert_eq!(drawn.len(), sample::all().len());
    for (n, (name, picture)) in drawn.iter().enumerate() {
        let first = *picture.get_pixel(640, 500);
        assert!(picture.pixels().any(|p| *p != first), "{name} is blank");
        let like = drawn[..n].iter().find(|(_, other)| other == picture);
        assert!(like.is_none(), "{name} looks like {:?}", like.map(|(name, _)| name));
    }
}

#[test]
fn a_touch_means_what_its_label_says() {
    let hold = HoldId(10);
    let table: Vec<(&str, &str, Intent)> = vec![
        ("welcome", "Start shopping", Intent::Begin),
        ("start", "Start as a guest", Intent::Start),
        ("start-offline", "Start as a guest", Intent::Start),
        ("start", "Back", Intent::Back),
        ("basket-list", "List 4/7", Intent::ShowList),
        ("list", "lemons", Intent::TickEntry { entry: 2, on: true }),
        ("list", "birthday candles", Intent::TickEntry { entry: 4, on: false }),
        ("list", "Back", Intent::Back),
        ("list", "The way to Lemon, aisle A2", Intent::ShowProduct { sku: sku("lemon") }),
        ("basket", "Find", Intent::Find),
        ("basket", "Offers", Intent::ShowOffers),
        ("find", "Vine tomatoes", Intent::Choose { sku: sku("tomato-vine") }),
        ("find", "Back", Intent::Back),
        ("product", "Back", Intent::Back),
        ("offers", "Vanilla yoghurt 150 g", Intent::ShowProduct { sku: sku("vanilla-yoghurt") }),
        ("offers", "Back", Intent::Back),
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
        ("ask-swapped", "Nothing was taken out", Intent::NothingChanged { hold }),
        ("ask-swapped", "Something else", Intent::SomethingElse { hold }),
        ("ask-recount-less", "Bananas", Intent::AnswerLine { hold, line: LineId(7) }),
        ("search", "Navel orange", Intent::Choose { sku: sku("orange-navel") }),
        ("search", "Back", Intent::Back),
        ("search", "a", Intent::Search { text: "ora".into() }),
        ("search", "Delete", Intent::Search { text: "o".into() }),
        ("weigh", "Add", Intent::ConfirmWeigh),
        ("weigh", "Net bag 14 g", Intent::Tare { number: Some(1) }),
        ("weigh", "No paper bag", Intent::Tare { number: None }),
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
fn a_touch_means_the_same_in_every_language() {
    use Language::{Arabic, French, German, Japanese, Spanish};
    let hold = HoldId(10);
    let table: Vec<(Language, &str, &str, Intent)> = vec![
        (German, "welcome", "Einkauf beginnen", Intent::Begin),
        (German, "basket", "Hilfe", Intent::CallHelp),
        (German, "basket-at-lane", "Zur Kasse", Intent::GoToLane),
        (German, "ask", "Etwas anderes", Intent::SomethingElse { hold }),
        (German, "ask", "Ich nehme es heraus", Intent::TakeOut { hold }),
        (German, "weigh", "Obstnetz 14 g", Intent::Tare { number: Some(1) }),
        (German, "weigh", "Ohne Papiertüte", Intent::Tare { number: None }),
        (German, "receipt", "Fertig", Intent::Finish),
        (Arabic, "welcome", "ابدأ التسوق", Intent::Begin),
        (Arabic, "basket", "مساعدة", Intent::CallHelp),
        (Arabic, "basket-at-lane", "إلى الصندوق", Intent::GoToLane),
        (Arabic, "basket-held", "شيء لا نعرفه بعد", Intent::AskAbout { hold }),
        (Arabic, "ask", "Satsumas", Intent::Answer { hold, sku: sku("satsuma") }),
        (Arabic, "ask", "سأخرجه", Intent::TakeOut { hold }),
        (Arabic, "search", "رجوع", Intent::Back),
        (Arabic, "search", "ا", Intent::Search { text: "orا".into() }),
        (Arabic, "pay-declined", "إعادة المحاولة", Intent::GoToLane),
        (French, "pay-tap", "Retour aux courses", Intent::BackToShopping),
        (Spanish, "ask-never-put-in", "No lo quiero", Intent::TakeOut { hold }),
        (Japanese, "basket-at-lane", "レジへ進む", Intent::GoToLane),
    ];
    for (language, sample, label, expected) in table {
        let (screen, heard) = show_in(language, &named(sample));
        tap(&screen, label);
        assert_eq!(heard.borrow().as_slice(), [expected], "{label:?} on {sample} in {language:?}");
    }
}

#[test]
fn a_language_is_chosen_by_its_own_name_before_a_trip_and_on_it() {
    let (screen, heard) = show(&named("welcome"));
    for language in Language::ALL.into_iter().rev() {
        tap(&screen, language.own_name());
        assert_eq!(screen.screen().language(), language);
    }
    tap(&screen, "Deutsch");
    element(&screen, "Einkauf beginnen");
    screen.apply(&named("basket"));
    screen.settle();
    tap(&screen, "DE, Sprache");
    screen.settle();
    tap(&screen, "العربية");
    screen.settle();
    assert_eq!(
        screen.screen().language(),
        Language::Arabic,
        "the start of the trip keeps the language, a touch changes it"
    );
    element(&screen, "إلى الصندوق");
    assert!(!screen.screen().window().state().get_language_open(), "the panel closes behind the choice");
    assert!(heard.borrow().is_empty(), "a language is no matter of the cart's");
}

#[test]
fn what_is_on_the_screen_changes_its_language_at_once() {
    let (screen, _) = show(&named("basket-held"));
    screen.screen().set_language(Language::German);
    screen.settle();
    let described = |label: &str| element(&screen, label).accessible_description().unwrap_or_default();
    assert_eq!(described("Bananas"), "1,05\u{a0}£, 0,914 kg × 1,15\u{a0}£/kg, gesehen und gewogen");
    assert_eq!(screen.screen().window().basket().get_total(), "26,64\u{a0}£");
    element(&screen, "Etwas noch Unbekanntes");
}

#[test]
fn the_next_person_is_greeted_in_the_store_s_language() {
    let (screen, _) = show(&named("welcome"));
    screen.screen().set_store(&ScreenConfig { language: Language::German, ..ScreenConfig::default() });
    element(&screen, "Einkauf beginnen");
    tap(&screen, "العربية");
    screen.apply(&named("basket"));
    assert_eq!(screen.screen().language(), Language::Arabic);
    screen.screen().window().state().set_language_open(true);
    screen.apply(&named("welcome"));
    screen.settle();
    let window = screen.screen().window();
    assert_eq!(screen.screen().language(), Language::German);
    assert!(!window.theme().get_rtl() && !window.state().get_language_open());
    element(&screen, "Einkauf beginnen");
}

#[test]
fn a_store_with_one_language_offers_no_choice() {
    let (screen, _) = show(&named("welcome"));
    let offered = |label: &str| ElementHandle::find_by_accessible_label(screen.screen().window(), label).count();
    assert_eq!((offered("EN, Language"), offered("Español")), (1, 1));
    screen.screen().set_store(&ScreenConfig { languages: vec![Language::English], ..ScreenConfig::default() });
    screen.settle();
    assert_eq!((offered("EN, Language"), offered("Español"), offered("English")), (0, 0, 0));
}

#[test]
fn in_arabic_what_stood_left_stands_right() {
    let place = |language: Language, sample: &str, label: &str| {
        let (screen, _) = show_in(language, &named(sample));
        let element = element(&screen, label);
        (element.absolute_position().x, element.size().width)
    };
    // Things of one width in both languages: their places mirror to the pixel.
    for (sample, english, arabic) in [
        ("basket", "Bananas", "Bananas"),
        ("basket-at-lane", "Go to the exit lane", "إلى الصندوق"),
        ("ask", "Satsumas", "Satsumas"),
        ("ask", "Grapefruit", "Grapefruit"),
        ("ask", "Something else", "شيء آخر"),
        ("search", "Navel orange", "Navel orange"),
        ("search", "Back", "رجوع"),
        ("weigh", "Back", "رجوع"),
        ("receipt", "Done", "تم"),
        ("welcome", "Start shopping", "ابدأ التسوق"),
        ("welcome", "Deutsch", "Deutsch"),
    ] {
        let ((left, width), (mirrored, same)) =
            (place(Language::English, sample, english), place(Language::Arabic, sample, arabic));
        assert!((width - same).abs() < 1.0, "{english:?} on {sample} is {width} px wide, in Arabic {same}");
        let end = 1280.0 - mirrored - same;
        assert!((left - end).abs() < 1.0, "{english:?} on {sample} at {left}, in Arabic {end} from the right");
    }
}

#[test]
fn the_keyboard_is_not_mirrored() {
    let (screen, _) = show_in(Language::Arabic, &named("search"));
    let x = |label: &str| element(&screen, label).absolute_position().x;
    assert!(x("1") < x("2") && x("ض") < x("د"));
}

#[test]
fn every_language_has_its_letters() {
    let _platform = HeadlessScreen::new(1280, 800).expect("a screen in memory");
    let missing: Vec<String> = fonts::missing(&Language::ALL).iter().map(ToString::to_string).collect();
    assert!(missing.is_empty(), "{}", missing.join("; "));
}

#[test]
fn everything_that_can_be_hit_is_labelled_and_large_enough() {
    let faults = of_every_sample(&[Language::English, Language::Arabic], |name, screen| {
        let elements = ElementQuery::from_root(screen.screen().window()).find_all();
        let buttons = elements.iter().filter(|e| e.accessible_role() == Some(AccessibleRole::Button));
        let fault = |button: &ElementHandle| {
            let (label, size) = (button.accessible_label().unwrap_or_default(), button.size());
            let right = !label.is_empty() && size.height >= 48.0 && size.width >= 48.0;
            (!right).then(|| format!("{label:?} on {name} is {size:?}"))
        };
        buttons.filter_map(fault).collect::<Vec<_>>()
    })
    .concat();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn nothing_is_said_twice() {
    // An element with words and no role is a stray node for a screen reader.
    let faults = of_every_sample(&[Language::English], |name, screen| {
        let elements = ElementQuery::from_root(screen.screen().window()).find_all();
        let stray = elements.iter().filter(|e| e.accessible_role() == Some(AccessibleRole::None));
        let labels = stray.filter_map(ElementHandle::accessible_label).filter(|label| !label.is_empty());
        labels.map(|label| format!("{label:?} on {name} has words and no role")).collect::<Vec<_>>()
    })
    .concat();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
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
    let hidden = ["Code shown", "Put in Bananas"];
    let usual = ["Put in Oat drink", "Take out Bananas", "Roll up to a lane", "Bump", "Tap card on the reader"];
    for label in usual.into_iter().chain(hidden) {
        let element = ElementHandle::find_by_accessible_label(screen.screen().window(), label).next().expect(label);
        let (at, size) = (element.absolute_position(), element.size());
        screen.tap(at.x + size.width / 2.0, at.y + size.height / 2.0);
    }
    use ShopAction::{Bump, Put, PutUnread, RollToLane, Take, TapCard};
    assert_eq!(heard.borrow().as_slice(), [Put(1), Take(0), RollToLane, Bump, TapCard, PutUnread(0)]);
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

#[test]
fn the_receipt_and_the_charger_have_a_day_and_an_hour_only_when_they_are_known() {
    let (screen, _) = show_in(Language::German, &named("receipt"));
    let receipt = || screen.screen().window().receipt();
    assert_eq!((receipt().get_date().as_str(), receipt().get_time().as_str()), ("25. November 2026", "14:05"));
    screen.screen().set_language(Language::Japanese);
    assert_eq!(receipt().get_date(), "2026年11月25日", "it is said again in the language that is chosen");
    // Without the hub's signed word there is no time, whatever the cart's own clock says.
    screen.apply(&named("receipt-no-qr"));
    assert_eq!(receipt().get_date(), "");
    let (screen, _) = show(&named("charging"));
    let now = Rc::new(Cell::new(1_795_615_500));
    screen.screen().set_clock(Clock::told({
        let now = now.clone();
        move || jiff::Timestamp::from_second(now.get()).expect("in range")
    }));
    let shown = || {
        let state = screen.screen().window().state();
        (state.get_time().to_string(), state.get_date().to_string())
    };
    assert_eq!(shown(), ("14:05".to_owned(), "25 November 2026".to_owned()));
    now.set(now.get() + 60);
    screen.advance(6_000);
    assert_eq!(shown().0, "14:06", "it goes on while nothing else happens");
    now.set(86_400);
    screen.advance(6_000);
    assert_eq!(shown(), (String::new(), String::new()), "1970 is no day to show");
}
