//! A cart's screen, as HTML.

use maud::{Markup, html};
use trip::CartId;

use super::board::Shown;
use super::document::document;
use super::page::number;

/// Shows each picture as it comes, and none when the last may be seen no more.
pub(super) const SCRIPT: &str = include_str!("look.js");

/// The page, as it is when it is opened; `None` where nobody waits for help.
pub(super) fn whole(cart: &CartId, shown: Option<&Shown>) -> Markup {
    let title = format!("Screen of cart {}", number(cart.as_str()));
    let picture = match shown {
        Some(Shown::Picture(picture)) => Some(picture),
        Some(Shown::Soon | Shown::ToNobody) | None => None,
    };
    let soon = matches!(shown, Some(Shown::Soon));
    let body = html! {
        body {
            main.screen {
                header {
                    h1 { (title) }
                    p { a href="/" { "All carts" } }
                }
                section id="seen" aria-label="The screen" hidden[picture.is_none()] {
                    @match picture {
                        Some(picture) => {
                            img id="picture" alt={ (title) } src={ "/look/" (cart) "/picture?n=" (picture.number) };
                            p { "Taken " time id="taken" data-at=(picture.at_ms) { "a moment ago" } "." }
                        }
                        None => {
                            img id="picture" alt={ (title) };
                            p { "Taken " time id="taken" { "a moment ago" } "." }
                        }
                    }
                    p.small { "The shopper lets staff see this until help ends, or until they end it. It is kept nowhere, it takes no touch, and what the cart's cameras see is not on it." }
                }
                p id="soon" hidden[!soon] { "The shopper lets staff see this screen. The first picture comes in a moment." }
                p id="over" role="status" hidden[picture.is_some() || soon] { (over(shown.is_some())) }
            }
            p id="lost" role="status" hidden { "No word from the hub, so nothing is shown." }
        }
    };
    document(&title, "/style.css", "/look.js", &html! {}, &body)
}

/// Why nothing is seen; `waits` while the shopper still waits for help.
pub(super) fn over(waits: bool) -> &'static str {
    if waits {
        "The shopper does not show this screen, or has ended it. Only they can show it, at the cart."
    } else {
        "Help has ended, and with it the look at this screen. A shopper can show it when they call for help."
    }
}

#[cfg(test)]
mod tests {
    use super::super::board::Picture;
    use super::*;

    fn page(shown: Option<Shown>) -> String {
        whole(&CartId::new("cart-07").expect("valid"), shown.as_ref()).into_string()
    }

    #[test]
    fn the_page_shows_a_picture_or_says_why_there_is_none() {
        let picture = Picture { number: 12, at_ms: 1_800_000_000_000, png: b"png".as_slice().into() };
        let shown = page(Some(Shown::Picture(picture)));
        assert!(shown.contains("src=\"/look/cart-07/picture?n=12\"") && shown.contains("data-at=\"1800000000000\""));
        for (without, words) in [
            (Some(Shown::ToNobody), "id=\"over\" role=\"status\">The shopper does not show this screen"),
            (None, "id=\"over\" role=\"status\">Help has ended"),
            (Some(Shown::Soon), "id=\"soon\">The shopper lets staff"),
        ] {
            let page = page(without.clone());
            assert!(page.contains(words), "{without:?}: {page}");
            assert!(!page.contains("/look/cart-07/picture") && page.contains("aria-label=\"The screen\" hidden"));
        }
        for page in [shown, page(None)] {
            assert!(!page.contains("<form") && !page.contains("<button"), "nothing goes to the cart from here");
        }
    }
}
