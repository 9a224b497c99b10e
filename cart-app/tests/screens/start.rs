//! The start screen and the shopping list, touched.

use super::*;

fn number(screen: &HeadlessScreen) -> String {
    screen.screen().window().start().get_number().to_string()
}

#[test]
fn a_loyalty_number_is_typed_and_a_guest_is_still_one_tap() {
    let (screen, heard) = show(&named("start"));
    tap(&screen, "Loyalty number");
    screen.settle();
    for digit in "2612345678905".chars() {
        tap(&screen, &digit.to_string());
    }
    assert_eq!(number(&screen), "2612345678905");
    tap(&screen, "Start with this number");
    tap(&screen, "Start as a guest");
    assert_eq!(heard.borrow().as_slice(), [Intent::Member { number: "2612345678905".into() }, Intent::Start]);
}

#[test]
fn a_wrong_number_is_said_until_it_is_changed() {
    let (screen, heard) = show(&named("start"));
    let said = |screen: &HeadlessScreen| {
        let words = "That is not a loyalty number. Please look at your card again.";
        ElementHandle::find_by_accessible_label(screen.screen().window(), words).count() > 0
    };
    tap(&screen, "Loyalty number");
    screen.settle();
    for digit in "26123456".chars() {
        screen.key(&digit.to_string());
    }
    tap(&screen, "Start with this number");
    assert!(!said(&screen));
    screen.apply(&named("start-wrong-number"));
    screen.settle();
    assert!(said(&screen));
    tap(&screen, "Delete");
    screen.settle();
    assert!(!said(&screen));
    assert_eq!(number(&screen), "2612345");
    tap(&screen, "Start with this number");
    assert_eq!(heard.borrow().len(), 1, "seven digits are no number yet");
}

#[test]
fn what_was_typed_and_listed_is_gone_for_the_next_person() {
    use slint::Model;
    let (screen, _) = show(&named("start"));
    tap(&screen, "Loyalty number");
    screen.settle();
    screen.key("7");
    assert_eq!(number(&screen), "7");
    screen.apply(&named("list"));
    let start = screen.screen().window().start();
    assert_eq!((number(&screen).as_str(), start.get_typing(), start.get_has_qr()), ("", false, false));
    assert_eq!(screen.screen().window().list().get_entries().row_count(), 7);
    screen.apply(&named("welcome"));
    assert_eq!(screen.screen().window().list().get_entries().row_count(), 0);
}

#[test]
fn what_the_basket_has_ticked_is_no_matter_of_a_touch() {
    let (screen, heard) = show(&named("list"));
    tap(&screen, "bananas");
    assert!(heard.borrow().is_empty(), "{:?}", heard.borrow());
}

#[test]
fn a_code_is_there_only_while_the_store_answers() {
    let label = "QR code that joins your phone to this cart";
    let (screen, _) = show(&named("start"));
    let shown = || ElementHandle::find_by_accessible_label(screen.screen().window(), label).count();
    assert_eq!(shown(), 1);
    screen.apply(&named("start-offline"));
    screen.settle();
    assert_eq!(shown(), 0);
}
