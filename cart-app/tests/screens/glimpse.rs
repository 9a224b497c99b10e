//! The screen as staff may see it.

use cart_app::staff::view::{Page, PinView, StaffView};
use cart_vision::Thumbnail;
use image::RgbImage;

use super::*;

/// A colour that nothing of ours has.
const LOUD: [u8; 3] = [255, 0, 255];

fn loud() -> Thumbnail {
    Thumbnail { width: 40, height: 40, rgb: LOUD.repeat(1_600).into() }
}

fn is_loud(picture: &RgbImage) -> bool {
    picture.pixels().any(|pixel| pixel.0[0] > 200 && pixel.0[1] < 60 && pixel.0[2] > 200)
}

fn let_see(view: View) -> View {
    View { help_called: true, shared: true, ..view }
}

#[test]
fn staff_see_the_very_screen_and_only_while_the_shopper_lets_them() {
    let (screen, _) = show(&let_see(named("basket")));
    let seen = screen.screen().glimpse().expect("it is shared").picture();
    assert!(seen == screen.screenshot(), "another picture than the shopper's");
    screen.apply(&named("help"));
    screen.settle();
    assert!(screen.screen().glimpse().is_none(), "it is shared no more");
}

#[test]
fn what_the_cameras_saw_is_not_on_it_and_stays_on_the_screen() {
    let mut asked = named("ask");
    let ask = asked.ask.as_mut().expect("a question");
    ask.thumbnail = Some(loud());
    let mut held = named("basket-held");
    held.holds[0].thumbnail = Some(loud());
    for (name, view) in [("ask", asked), ("held", held)] {
        let (screen, _) = show(&let_see(view));
        assert!(is_loud(&screen.screenshot()), "{name}: the shopper sees it");
        assert!(!is_loud(&screen.screen().glimpse().expect("it is shared").picture()), "{name}: staff see it");
        screen.settle();
        assert!(is_loud(&screen.screenshot()), "{name}: the shopper sees it still");
    }
}

#[test]
fn neither_the_pin_pad_nor_what_comes_before_a_trip_is_ever_seen() {
    let (screen, _) = show(&let_see(named("basket")));
    screen.screen().apply_staff(&StaffView { page: Page::Pin(PinView::Ask), ..StaffView::default() });
    assert!(screen.screen().glimpse().is_none());
    screen.screen().apply_staff(&StaffView::default());
    assert!(screen.screen().glimpse().is_some());
    for name in ["welcome", "start", "goodbye"] {
        let (screen, _) = show(&let_see(named(name)));
        assert!(screen.screen().glimpse().is_none(), "{name}");
    }
}
