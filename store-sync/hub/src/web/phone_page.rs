//! The phone's pages as HTML. Everything that comes from outside is escaped by maud.

use maud::{Markup, html};
use trip::receipt::{Receipt, render};
use trip::{CartId, Member};

use super::document::document;
use super::page::number;
use super::phone::JoinForm;
use crate::hub::{PhoneTrip, Refused, Stage};

/// The pages' look: the tokens of the staff page, for a hand.
pub(super) const STYLE: &str = include_str!("phone.css");

/// Their few lines of script: take the token out of the address, and keep the trip fresh.
pub(super) const SCRIPT: &str = include_str!("phone.js");

/// Said of a number that is none.
pub(super) const WRONG_NUMBER: &str =
    "That is not a loyalty number. Please look at your card again, or leave the field empty.";

/// Why a phone is refused, as its owner may read it.
pub(super) fn words(why: Refused) -> &'static str {
    match why {
        Refused::UnknownCart => "This store has no such cart. Please scan the code on the cart's screen.",
        Refused::Unreachable => {
            "The cart cannot be reached just now. You can start as a guest on the cart; nothing is lost."
        }
        Refused::NotOffered => {
            "This cart shows no code now, or somebody has started it. Touch “Start shopping” on the cart and scan the code."
        }
        Refused::Used => {
            "This code has been used already. Each code joins one phone, once: scan the one on the cart now."
        }
        Refused::Wrong => "This code is too old. Scan the one that the cart shows now.",
        Refused::NotYours => "This phone follows no trip. Scan the code on a cart's screen to start one.",
        Refused::NoReceipt => "There is no receipt yet.",
    }
}

fn whole(title: &str, live: bool, inside: &Markup) -> Markup {
    let unlisted = html! { meta name="robots" content="noindex"; };
    document(title, "/trip/phone.css", "/trip/phone.js", &unlisted, &html! { body data-live[live] { (inside) } })
}

/// What the code on the cart leads to. `why` says why the last try did not join.
pub(super) fn invitation(store: &str, cart: &CartId, form: &JoinForm, why: Option<&str>) -> Markup {
    let inside = html! {
        header { p.store { (store) } h1 { "Cart " (number(cart.as_str())) } }
        main {
            @if let Some(why) = why { p.trouble role="alert" { span.shape aria-hidden="true" { "!" } span { (why) } } }
            noscript { p.trouble { span.shape aria-hidden="true" { "!" } span { "This page needs JavaScript to read the code. You can start as a guest on the cart." } } }
            form id="join" method="post" action={ "/pair/" (cart) } {
                input type="hidden" name="token" id="token" value=(form.token);
                button.main { "Join this cart" }
                p.small { "Your total on this phone as you shop, and the receipt at the end. No account." }
                label for="member" { "Loyalty number" span.small { " if you have one" } }
                input id="member" name="member" inputmode="numeric" autocomplete="off" maxlength="24"
                    value=(form.member) placeholder={ (Member::DIGITS.start()) " to " (Member::DIGITS.end()) " digits" };
                label for="list" { "Shopping list" span.small { " if you like: one thing a line" } }
                textarea id="list" name="list" rows="6" maxlength="6000" placeholder="2 oat drinks\nbread\ntomatoes" { (form.list) }
            }
            p.small { "The cart forgets your list when your trip ends, and the store never keeps it. Number and receipt stay with the store." }
        }
    };
    whole(&format!("Cart {} · {store}", number(cart.as_str())), false, &inside)
}

/// The page that follows a trip.
pub(super) fn following(shown: &PhoneTrip) -> Markup {
    let inside = html! {
        header { p.store { (shown.store) } h1 { "Cart " (number(shown.cart.as_str())) } }
        main id="trip" aria-live="polite" { (trip(shown)) }
        p id="lost" role="status" hidden { "No word from the store. What you see may be old." }
        @if matches!(shown.stage, Stage::Joining | Stage::Shopping) {
            details id="yours" {
                summary { "Shopping list" }
                form id="list-form" method="post" action="/trip/list" {
                    textarea id="list" name="list" rows="8" maxlength="6000" aria-label="Shopping list, one thing a line"
                        placeholder="2 oat drinks\nbread\ntomatoes" {}
                    button.main { "Send to the cart" }
                    p.small id="sent" role="status" {}
                }
            }
        }
    };
    whole(&format!("Your trip · {}", shown.store), true, &inside)
}

/// What changes: everything inside `main`.
pub(super) fn trip(shown: &PhoneTrip) -> Markup {
    let (shape, word, more) = match shown.stage {
        Stage::Joining => ("…", "Joining", "The cart is starting your trip."),
        Stage::Shopping => ("●", "Shopping", "Put things in: they show up here too."),
        Stage::Paying => ("→", "At the lane", "Hold your card or phone to the lane's reader."),
        Stage::Paid => ("✓", "Paid", "Thank you. See you soon."),
        Stage::AtTill => ("→", "At the till", "Your basket was taken to the till. Please pay there."),
        Stage::Over => ("○", "This trip is over", "Nothing was charged."),
    };
    let over = matches!(shown.stage, Stage::Paid | Stage::AtTill | Stage::Over);
    html! {
        p.status data-over[over] { span.shape aria-hidden="true" { (shape) } strong { (word) } }
        @if matches!(shown.stage, Stage::Shopping | Stage::Paying | Stage::Paid) {
            p.total { (shown.total) }
            p.small {
                (shown.items) @if shown.items == 1 { " item" } @else { " items" }
                @if let Some(member) = &shown.member { " · loyalty card " (member) }
            }
        }
        @if shown.held > 0 && !over {
            p.trouble { span.shape aria-hidden="true" { "?" } span { "The cart has a question. Nothing unclear is ever charged." } }
        }
        @if shown.lines.is_empty() || over { p.more { (more) } }
        @if let Some(receipt) = &shown.receipt {
            a.main href="/trip/receipt" { "Receipt " (receipt) }
        }
        @if !shown.lines.is_empty() && !matches!(shown.stage, Stage::AtTill | Stage::Over) {
            ul.lines {
                @for (name, how_much, price) in &shown.lines {
                    li { span.name { (name) } span.much { (how_much) } span.money { (price) } }
                }
                @for (label, amount) in &shown.savings {
                    li.saving { span.name { (label) } span.much {} span.money { (amount) } }
                }
            }
        }
    }
}

/// The receipt, as a till prints it, and its signed file.
pub(super) fn receipt(receipt: &Receipt) -> Markup {
    let inside = html! {
        header { p.store { (receipt.store_name) } h1 { "Receipt" } }
        main {
            p.total { (receipt.charged) }
            p.status { span.shape aria-hidden="true" { "✓" } strong { "Paid" } }
            pre { (render(receipt)) }
            a.main href="/trip/receipt.cose" download { "Save the signed receipt" }
            p.small { "Anyone can check its signature, without a network: trundle receipt verify." }
            a href="/trip" { "Back to the trip" }
        }
    };
    whole(&format!("Receipt {}", receipt.number), false, &inside)
}

/// A page with nothing to do but to read why.
pub(super) fn dead_end(why: &str) -> Markup {
    let inside = html! {
        header { h1 { "Trundle" } }
        main { p.trouble role="alert" { span.shape aria-hidden="true" { "!" } span { (why) } } }
    };
    whole("Trundle", false, &inside)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(stage: Stage) -> PhoneTrip {
        PhoneTrip {
            store: "Market Street".into(),
            cart: CartId::new("cart-07").expect("valid"),
            stage,
            total: "£1.85".into(),
            items: 1,
            held: 0,
            lines: vec![("Oat drink".into(), "1 ×".into(), "£1.85".into())],
            savings: vec![],
            member: Some("•••• 8905".into()),
            receipt: (stage == Stage::Paid).then(|| "market-street-000001".into()),
        }
    }

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let evil = "\"><script>alert(1)</script>".to_owned();
        let cart = CartId::new("cart-07").expect("valid");
        let form = JoinForm { token: evil.clone(), member: evil.clone(), list: format!("</textarea>{evil}") };
        let trip = PhoneTrip { lines: vec![(evil.clone(), evil.clone(), evil.clone())], ..shown(Stage::Shopping) };
        for page in [invitation(&evil, &cart, &form, Some(&evil)), following(&trip), dead_end(&evil)] {
            let page = page.into_string();
            assert!(!page.contains("<script>alert") && !page.contains("</textarea>\""), "{page}");
            assert!(page.contains("&lt;script&gt;alert"), "{page}");
        }
    }

    #[test]
    fn the_receipt_is_offered_once_it_is_paid_and_no_total_before_the_cart_has_answered() {
        let page = |stage| trip(&shown(stage)).into_string();
        assert!(page(Stage::Paid).contains("/trip/receipt") && page(Stage::Paid).contains("£1.85"));
        assert!(!page(Stage::Shopping).contains("/trip/receipt"));
        assert!(!page(Stage::Joining).contains("class=\"total\""));
        assert!(page(Stage::Over).contains("Nothing was charged"));
        assert!(page(Stage::AtTill).contains("Please pay there") && !page(Stage::AtTill).contains("£1.85"));
    }
}
