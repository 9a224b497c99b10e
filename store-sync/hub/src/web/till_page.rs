//! A basket on its way to a till, as HTML: what is asked before it is taken, and the list that the till rings up.

use maud::{Markup, html};

use super::bars;
use super::document::document;
use super::page::{number, words};
use crate::hub::{TillLine, TillSheet, TillStage};

/// Prints the page at one tap.
pub(super) const SCRIPT: &str = include_str!("till.js");

/// The basket, and what is to be done with it or was.
pub(super) fn sheet(shown: &TillSheet) -> Markup {
    let title = format!("Basket of cart {}", number(shown.cart.as_str()));
    let inside = html! {
        header {
            h1 { (title) span.store { (shown.store) } }
            p.noprint { a href="/" { "All carts" } }
        }
        (head(shown))
        section aria-label="As the hub has it" {
            p { "As the hub heard it last, " strong { (shown.heard) } "." }
            p.faults { "! What was put in or taken out after that is not on this list: compare it with the cart by eye." }
            @if shown.unsynced > 0 {
                p { "The cart said last that " (shown.unsynced) " events of it had not come here." }
            }
            @if let Some(member) = &shown.member { p { "Loyalty card " (member) } }
        }
        @if !shown.look.is_empty() {
            section.look aria-label="Look at this" {
                h2 { "Look at this" }
                ul { @for what in &shown.look { li { (what) } } }
            }
        }
        (lines(shown))
    };
    whole(&title, &inside)
}

/// There is no such basket.
pub(super) fn nothing(why: &str) -> Markup {
    whole(
        "No basket",
        &html! {
            header { h1 { "No basket" } p { a href="/" { "All carts" } } }
            p { (why) }
        },
    )
}

fn head(shown: &TillSheet) -> Markup {
    match &shown.stage {
        TillStage::Free => asked(shown),
        TillStage::Refused(why) => html! {
            section aria-label="Not now" { p.faults role="alert" { "! It cannot be taken to the till: " (why) "." } }
        },
        TillStage::Taken { at, late, over } => html! {
            section aria-label="Taken" {
                p { "Taken to the till at " strong { (at) } ". No lane charges for it any more." }
                p.small { "Trip " (shown.trip) }
                @if !late.is_empty() {
                    p.faults role="alert" { "! The cart told of more afterwards:" }
                    ul.late { @for what in late { li { (what) } } }
                } @else if *over {
                    p { "The cart has ended the trip since, and the basket was the same." }
                } @else {
                    p.noprint { "The cart has not ended the trip yet. How its basket differs, once it is heard, will stand here and on the page of all carts." }
                }
                button id="print" class="noprint" hidden { "Print" }
            }
        },
    }
}

/// A cart with which nothing is amiss is asked about twice.
fn asked(shown: &TillSheet) -> Markup {
    let (_, word, _) = words(shown.status);
    let well = shown.is_well();
    html! {
        section aria-label="Take it" {
            p { "The cart: " strong { (word) @if !shown.online { ", off the line" } } "." }
            @if well {
                p.faults { "! The hub hears this cart and nothing seems amiss: its shopper can go on, and pay at a lane." }
            }
            p { "Once it is taken, no lane charges for this basket, and the cart ends the trip when it hears of it. This cannot be undone." }
            form.check method="post" action={ "/till/" (shown.cart) } {
                input type="hidden" name="trip" value=(shown.trip);
                @if well {
                    label { input type="checkbox" name="sure" value="true" required; " I stand at the cart, and it cannot be used." }
                }
                button.main { "Take the basket to the till" }
            }
        }
    }
}

fn lines(shown: &TillSheet) -> Markup {
    html! {
        section aria-label="Basket" {
            @if shown.lines.is_empty() {
                p { "The hub has nothing of this basket. Ring up what lies in the cart." }
            } @else {
                table.goods {
                    thead { tr { th { "Item" } th { "Code" } th { "How much" } th.money { "Price" } } }
                    tbody {
                        @for line in &shown.lines { (row(line)) }
                        @for (label, amount) in &shown.savings {
                            tr.saving { td colspan="3" { (label) } td.money { (amount) } }
                        }
                        tr { td colspan="3" { strong { "Total by the cart's prices" } } td.money { strong { (shown.total) } } }
                    }
                }
            }
        }
    }
}

fn row(line: &TillLine) -> Markup {
    html! {
        tr {
            td { (line.name) }
            td.code { @if let Some(gtin) = line.scan { (bars::svg(gtin)) } span.small { (line.number) } }
            td.much { (line.how_much) }
            td.money { (line.price) }
        }
    }
}

fn whole(title: &str, inside: &Markup) -> Markup {
    document(title, "/style.css", "/till.js", &html! {}, &html! { body { main.till { (inside) } } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::board::CartStatus;
    use trip::{CartId, Gtin, TripId};

    fn shown(stage: TillStage, status: CartStatus) -> TillSheet {
        let scan = Gtin::parse("4006381333931").ok();
        TillSheet {
            store: "Market Street".into(),
            cart: CartId::new("cart-07").expect("valid"),
            trip: TripId::new("cart-07.1.1").expect("valid"),
            stage,
            status,
            online: status == CartStatus::Shopping,
            heard: "2026-11-29 18:32:10".into(),
            unsynced: 0,
            lines: vec![TillLine {
                name: "Tea".into(),
                number: "4006381333931".into(),
                scan,
                how_much: "2 ×".into(),
                price: "£5.00".into(),
            }],
            savings: vec![],
            total: "£5.00".into(),
            look: vec!["not known, 415 g".into()],
            member: None,
        }
    }

    #[test]
    fn a_broken_cart_is_asked_about_once_and_one_that_is_well_twice() {
        let asks = |status| sheet(&shown(TillStage::Free, status)).into_string();
        let broken = asks(CartStatus::LostInTrip);
        assert!(broken.contains("action=\"/till/cart-07\"") && broken.contains("lost in a trip"), "{broken}");
        assert!(!broken.contains("name=\"sure\""));
        let well = asks(CartStatus::Shopping);
        assert!(well.contains("name=\"sure\"") && well.contains("nothing seems amiss"), "{well}");
    }

    #[test]
    fn the_list_says_what_is_not_on_it() {
        let taken = |late: Vec<String>, over| {
            let stage = TillStage::Taken { at: "2026-11-29 18:40:00".into(), late, over };
            sheet(&shown(stage, CartStatus::AtTill)).into_string()
        };
        let page = taken(vec![], false);
        for part in
            ["18:32:10", "compare it with the cart by eye", "not known, 415 g", "<svg", "4006381333931", "£5.00"]
        {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!page.contains("<form"), "nothing is asked any more");
        assert!(taken(vec!["+ Wine, 1 ×".into()], true).contains("+ Wine, 1 ×"));
        assert!(taken(vec![], true).contains("the basket was the same"));
    }

    #[test]
    fn a_basket_that_may_not_be_taken_says_why_and_asks_nothing() {
        let why = "£5.00 are paid already";
        let page = sheet(&shown(TillStage::Refused(why.into()), CartStatus::LostInTrip)).into_string();
        assert!(page.contains(why) && !page.contains("<form"), "{page}");
    }

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let evil = "<script>alert(1)</script>".to_owned();
        let page = sheet(&TillSheet {
            store: evil.clone(),
            look: vec![evil.clone()],
            savings: vec![(evil.clone(), evil.clone())],
            total: evil.clone(),
            ..shown(TillStage::Refused(evil.clone()), CartStatus::Fault)
        });
        assert!(!page.into_string().contains("<script>alert"));
        assert!(!nothing(&evil).into_string().contains("<script>alert"));
    }
}
