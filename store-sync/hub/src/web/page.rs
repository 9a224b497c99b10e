//! The staff page as HTML. Everything that comes from outside is escaped by maud.

use maud::{Markup, html};

use super::board::{BasketCard, Board, CartCard, CartStatus, LaneCard, OfficeAlarm, ReceiptLine, TakenCard};
use super::document::document;
use crate::intent::IntentState;

/// The page's look.
pub(super) const STYLE: &str = include_str!("style.css");

/// The page's few lines of script: swap in the board when it changes, and count waiting times.
pub(super) const SCRIPT: &str = include_str!("live.js");

/// So many differences of a basket at a till stand on its cart's card; all are on the basket's own page.
const SHOWN_LATE: usize = 8;

/// The page whole.
pub(super) fn whole(shown: &Board) -> Markup {
    let title = format!("Trundle · {}", shown.store);
    let body = html! {
        body {
            main id="board" { (board(shown)) }
            p id="lost" role="status" hidden { "No word from the hub. What you see may be old." }
        }
    };
    document(&title, "/style.css", "/live.js", &html! {}, &body)
}

/// What changes: everything inside `main`.
pub(super) fn board(shown: &Board) -> Markup {
    let needing = shown.carts.iter().filter(|c| c.status <= CartStatus::LostInTrip).count();
    let in_trip = shown.carts.iter().filter(|c| c.basket.is_some()).count();
    html! {
        header {
            h1 { "Trundle" span.store { (shown.store) } }
            ul.sums {
                li { strong { (in_trip) } " shopping" }
                li.urgent[needing > 0] { strong { (needing) } @if needing == 1 { " needs you" } @else { " need you" } }
                @if shown.refused > 0 { li { strong { (shown.refused) } " refused" } }
                @if let Some(alarm) = &shown.back_office { li.urgent { (office_words(alarm)) } }
                @if shown.connected { li.line { "◦ line up" } } @else { li.urgent { "✕ line down" } }
            }
        }
        section aria-label="Exit lanes" {
            h2 { "Exit lanes" }
            div.lanes { @for lane in &shown.lanes { (lane_card(lane)) } }
            @if shown.lanes.is_empty() { p.none { "No lane is set up." } }
        }
        section aria-label="Carts" {
            h2 { "Carts" }
            div.carts { @for cart in shown.carts.iter().filter(|c| !at_rest(c)) { (cart_card(cart)) } }
            div class="carts rest" { @for cart in shown.carts.iter().filter(|c| at_rest(c)) { (cart_card(cart)) } }
            @if shown.carts.is_empty() { p.none { "No cart is set up." } }
        }
        section aria-label="Last receipts" {
            h2 { "Last receipts" }
            @if shown.receipts.is_empty() { p.none { "None yet." } } @else { (receipts(&shown.receipts)) }
        }
    }
}

/// What is wrong with the back office, in words; the colour only repeats them.
fn office_words(alarm: &OfficeAlarm) -> String {
    let messages = if alarm.waiting == 1 { "message waits" } else { "messages wait" };
    format!("✕ {} since {}, {} {messages}", alarm.trouble, alarm.since, alarm.waiting)
}

/// Carts that nobody shops with and that need nobody stand together, small.
fn at_rest(cart: &CartCard) -> bool {
    cart.status >= CartStatus::Charging
}

/// Shape and word of a status; the colour only repeats them.
pub(super) fn words(status: CartStatus) -> (&'static str, &'static str, &'static str) {
    match status {
        CartStatus::Fenced => ("⚠", "used twice?", "clay"),
        CartStatus::Help => ("?", "needs help", "honey"),
        CartStatus::AgeCheck => ("18", "age check", "honey"),
        CartStatus::ToldMore => ("±", "told of more", "honey"),
        CartStatus::Fault => ("!", "fault", "clay"),
        CartStatus::BatteryLow => ("▁", "battery low", "honey"),
        CartStatus::LeftStanding => ("⏳", "left standing", "honey"),
        CartStatus::LostInTrip => ("⌁", "lost in a trip", "clay"),
        CartStatus::AtExit => ("→", "at the exit", "leaf"),
        CartStatus::Shopping => ("●", "shopping", "plain"),
        CartStatus::Paid => ("✓", "paid", "leaf"),
        CartStatus::AtTill => ("⇥", "at the till", "plain"),
        CartStatus::Charging => ("ϟ", "charging", "quiet"),
        CartStatus::Idle => ("○", "free", "quiet"),
        CartStatus::Offline => ("–", "offline", "quiet"),
        CartStatus::Revoked => ("×", "revoked", "quiet"),
    }
}

fn cart_card(card: &CartCard) -> Markup {
    let (shape, word, tone) = words(card.status);
    html! {
        article class={ "cart " (tone) } id={ "cart-" (card.cart) } {
            div.top {
                h3 { (number(card.cart.as_str())) }
                p.status {
                    span.shape aria-hidden="true" { (shape) } span { (word) }
                    @if let Some(since) = card.since_ms { time.since data-since=(since) {} }
                }
                (battery(card.battery_percent, card.battery_minutes))
            }
            @if let Some(alarm) = &card.alarm { p.faults { "! " (alarm) } }
            @if card.status == CartStatus::Fenced {
                p.small { "Its key or its disk may have been copied. If so, revoke it and let it join anew; if not, let it go on." }
                form method="post" action="/lift-fence" {
                    input type="hidden" name="cart" value=(card.cart);
                    button { "Looked at, take its records again" }
                }
            }
            @if matches!(card.status, CartStatus::Help | CartStatus::AgeCheck) {
                @if card.gone_to {
                    p.going { span.shape aria-hidden="true" { "✓" } " someone is going" }
                } @else {
                    form method="post" action="/on-the-way" {
                        input type="hidden" name="cart" value=(card.cart);
                        button.main { "I'm going" }
                    }
                }
            }
            @if card.status == CartStatus::Help {
                form method="post" action="/help-has-come" {
                    input type="hidden" name="cart" value=(card.cart);
                    button.main[card.gone_to] { "Help has come" }
                }
            }
            @if card.shared { p.small { a href={ "/look/" (card.cart) } { "Look at the screen" } } }
            @if card.status == CartStatus::BatteryLow { p.small { "The shopper was told to finish soon, or to change carts at the desk." } }
            @if let Some(minutes) = card.left_minutes { p.small { "Goods in it, and nobody there for " (minutes) " min. Chilled goods first." } }
            @if !card.faults.is_empty() { p.faults { "! out: " (card.faults.join(", ")) } }
            @if card.unsynced > 0 { p.small { (card.unsynced) " events still on the cart" } }
            @if let Some(basket) = &card.basket { (basket_card(card, basket)) }
            @for taken in &card.taken { (taken_card(taken)) }
        }
    }
}

/// A basket at a till, and what the cart has told of it since.
fn taken_card(taken: &TakenCard) -> Markup {
    html! {
        @if !taken.late.is_empty() {
            form.check method="post" action="/looked-at" {
                input type="hidden" name="trip" value=(taken.trip);
                input type="hidden" name="told" value=(taken.told);
                div {
                    (taken.late.len()) @if taken.late.len() == 1 { " difference" } @else { " differences" }
                    " came after the basket was taken:"
                    ul.late { @for what in taken.late.iter().take(SHOWN_LATE) { li { (what) } } }
                    @if taken.late.len() > SHOWN_LATE { "and more on its list" }
                }
                button.main { "Looked at" }
            }
        }
        p.small { a href={ "/taken/" (taken.trip) } { "Its basket at the till" } }
    }
}

/// `cart-07` is read across a room as 07.
pub(super) fn number(cart: &str) -> &str {
    let digits = cart.rfind(|c: char| !c.is_ascii_digit()).map_or(cart, |at| &cart[at + 1..]);
    if digits.is_empty() { cart } else { digits }
}

fn battery(percent: Option<u8>, minutes: Option<u32>) -> Markup {
    let Some(percent) = percent.map(|p| p.min(100)) else {
        return html! { p.battery.small { "battery not known" } };
    };
    html! {
        p.battery {
            meter min="0" max="100" low="25" high="50" optimum="100" value=(percent) aria-label="battery" {}
            span { (percent) " %" @if let Some(minutes) = minutes { ", " (minutes) " min left" } }
        }
    }
}

fn basket_card(card: &CartCard, basket: &BasketCard) -> Markup {
    let items = if basket.items == 1 { "item" } else { "items" };
    html! {
        p.total { strong { (basket.total) } span { (basket.items) " " (items) } }
        @for (line, name) in &basket.age_checks {
            form.check method="post" action="/age-checked" {
                input type="hidden" name="cart" value=(card.cart);
                input type="hidden" name="line" value=(line.0);
                span { "Old enough for " strong { (name) } "?" }
                button.main name="approved" value="true" { "Yes, sell it" }
                button name="approved" value="false" { "No" }
            }
        }
        @for (hold, what) in &basket.holds {
            form.check method="post" action="/release-hold" {
                input type="hidden" name="cart" value=(card.cart);
                input type="hidden" name="hold" value=(hold.0);
                span { "? " (what) }
                button { "Looked at, let go" }
            }
        }
        @if !basket.lines.is_empty() {
            details id={ "basket-" (card.cart) } {
                summary { "Basket" }
                table {
                    @for (name, how_much, price) in &basket.lines {
                        tr { td { (name) } td.much { (how_much) } td.money { (price) } }
                    }
                    @for (label, amount) in &basket.savings {
                        tr.saving { td colspan="2" { (label) } td.money { (amount) } }
                    }
                }
            }
        }
        p.small { a href={ "/till/" (card.cart) } { "Take the basket to the till" } }
    }
}

fn lane_card(lane: &LaneCard) -> Markup {
    html! {
        article.lane {
            h3 { (lane.lane) }
            @match &lane.payment {
                Some(payment) => {
                    p.total { strong { (payment.amount) } span { "cart " (number(payment.cart.as_str())) } }
                    (progress(payment.state))
                }
                None => p.idle { "Free" },
            }
            p class={ "gate " (if lane.gate_open { "open" } else { "shut" }) } {
                span.shape aria-hidden="true" { @if lane.gate_open { "⇥" } @else { "▮" } }
                @if lane.gate_open { "gate open" } @else { "gate shut" }
            }
            @if !lane.queue.is_empty() {
                p.small { "Waiting: " @for cart in &lane.queue { span.chip { (number(cart.as_str())) } } }
            }
        }
    }
}

fn progress(state: IntentState) -> Markup {
    let (shape, word, tone) = match state {
        IntentState::Created => ("○", "next in line", "quiet"),
        IntentState::Sent => ("◉", "waiting for a card", "plain"),
        IntentState::Unknown => ("?", "asking the terminal", "honey"),
        IntentState::Approved => ("✓", "paid", "leaf"),
        IntentState::Declined => ("×", "not charged", "plain"),
        IntentState::Reversing => ("↩", "giving money back", "clay"),
        IntentState::Reversed => ("↩", "money given back", "quiet"),
    };
    html! { p class={ "status " (tone) } { span.shape aria-hidden="true" { (shape) } span { (word) } } }
}

fn receipts(rows: &[ReceiptLine]) -> Markup {
    html! {
        table.receipts {
            thead { tr { th { "Time" } th { "Receipt" } th { "Lane" } th { "With" } th.money { "Charged" } } }
            tbody {
                @for row in rows {
                    tr.void[row.void] {
                        td.much { (row.at) } td { (row.number) } td { (row.lane) } td { (row.tender) }
                        td.money { (row.amount) @if row.void { span.note { " given back" } } }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use trip::{CartId, LaneId};

    fn card(status: CartStatus) -> CartCard {
        CartCard {
            alarm: None,
            cart: CartId::new("cart-07").expect("valid"),
            status,
            since_ms: None,
            gone_to: false,
            shared: false,
            battery_percent: Some(130),
            battery_minutes: None,
            left_minutes: None,
            unsynced: 0,
            faults: vec![],
            basket: None,
            taken: vec![],
        }
    }

    #[test]
    fn what_comes_from_outside_is_escaped() {
        let evil = "<script>alert(1)</script>".to_owned();
        let basket = BasketCard {
            total: evil.clone(),
            items: 1,
            lines: vec![(evil.clone(), evil.clone(), evil.clone())],
            savings: vec![],
            age_checks: vec![],
            holds: vec![],
        };
        let card = CartCard { faults: vec![evil.clone()], basket: Some(basket), ..card(CartStatus::Fault) };
        let page = whole(&Board { store: evil, carts: vec![card], ..Board::default() }).into_string();
        assert!(!page.contains("<script>alert"), "{page}");
        assert!(page.contains("&lt;script&gt;alert"), "{page}");
    }

    #[test]
    fn every_state_has_a_word_beside_its_colour() {
        use CartStatus as S;
        let all = [
            S::Help,
            S::AgeCheck,
            S::ToldMore,
            S::Fault,
            S::BatteryLow,
            S::LeftStanding,
            S::LostInTrip,
            S::AtExit,
            S::Shopping,
            S::Paid,
            S::AtTill,
            S::Charging,
            S::Idle,
            S::Offline,
        ];
        let mut words: Vec<_> =
            all.iter().map(|s| super::words(*s)).flat_map(|(shape, word, _)| [shape, word]).collect();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), all.len() * 2);
    }

    #[test]
    fn one_tap_says_that_somebody_goes_and_the_page_then_says_so() {
        let shown = |gone_to: bool| cart_card(&CartCard { gone_to, ..card(CartStatus::Help) }).into_string();
        assert!(shown(false).contains("/on-the-way") && shown(false).contains("/help-has-come"));
        assert!(!shown(true).contains("/on-the-way") && shown(true).contains("someone is going"));
    }

    #[test]
    fn a_screen_is_offered_to_look_at_only_while_its_shopper_lets_staff() {
        let shown = |shared: bool| cart_card(&CartCard { shared, ..card(CartStatus::Help) }).into_string();
        assert!(shown(true).contains("href=\"/look/cart-07\"") && !shown(false).contains("/look/"));
    }

    #[test]
    fn a_back_office_that_takes_nothing_is_said_in_the_header_and_one_that_does_is_not() {
        use super::super::board::OfficeTrouble;
        let check = |trouble: OfficeTrouble, waiting: u64, expected: &str| {
            let alarm = OfficeAlarm { trouble, since: "29 Nov 14:05".into(), waiting };
            let page = whole(&Board { back_office: Some(alarm), ..Board::default() }).into_string();
            assert!(page.contains(&format!("<li class=\"urgent\">✕ {expected}</li>")), "{page}");
        };
        check(OfficeTrouble::Unreachable, 312, "back office unreachable since 29 Nov 14:05, 312 messages wait");
        let refuses = OfficeTrouble::Refuses { status: 422 };
        check(refuses, 1, "back office refuses what it is sent (422) since 29 Nov 14:05, 1 message waits");
        check(OfficeTrouble::Behind, 2, "back office behind since 29 Nov 14:05, 2 messages wait");
        assert!(!whole(&Board::default()).into_string().contains("back office"));
    }

    #[test]
    fn what_came_after_a_basket_was_taken_stands_on_the_card_until_it_is_tapped_away() {
        let trip = trip::TripId::new("cart-07.1.1").expect("valid");
        let shown = |late: Vec<String>| {
            let taken = TakenCard { trip: trip.clone(), late, told: trip::Hash::GENESIS };
            cart_card(&CartCard { taken: vec![taken], ..card(CartStatus::ToldMore) }).into_string()
        };
        let page = shown(vec!["+ Chopped tomatoes, 2 ×".into(), "− Tea, 1 ×".into()]);
        for part in ["2 differences", "+ Chopped tomatoes, 2 ×", "/looked-at", "/taken/cart-07.1.1"] {
            assert!(page.contains(part), "{part}: {page}");
        }
        assert!(!shown(vec![]).contains("/looked-at"));
        assert!(shown(vec!["+".into(); 30]).contains("30 differences") && shown(vec!["+".into(); 30]).len() < 3_000);
    }

    #[test]
    fn a_carts_number_is_what_is_painted_on_it() {
        for (name, expected) in [("cart-07", "07"), ("7", "7"), ("blue", "blue"), ("a-b-12", "12")] {
            assert_eq!(number(name), expected);
        }
        assert!(battery(Some(130), None).into_string().contains("100 %"));
    }

    #[test]
    fn a_lane_says_how_far_the_payment_is_and_whether_the_gate_is_open() {
        let lane =
            LaneCard { lane: LaneId::new("lane-1").expect("valid"), gate_open: true, payment: None, queue: vec![] };
        assert!(lane_card(&lane).into_string().contains("gate open"));
    }
}
