//! What is worth saying of the change from one view to the next.

use cart_core::view::{AskView, LineView, PayStep, Screen, View, WaitsFor};
use trip::basket::HoldReason;
use trip::{Allergen, Grams, Money, Quantity};

use super::Kind;

/// One thing to say.
#[derive(Clone, Debug, PartialEq)]
pub enum News {
    /// Something came in.
    Added {
        /// What people call it.
        name: String,
        /// How much of it came.
        amount: Amount,
        /// What it adds to the total.
        price: Money,
        /// True when staff look at the buyer's age first.
        age_check: bool,
        /// What the shopper watches for and is, or may be, in it.
        warned: Vec<Allergen>,
    },
    /// Something went.
    Removed {
        /// What people call it.
        name: String,
        /// What comes off the total.
        price: Money,
    },
    /// A question is open, or waits for something else than before.
    Asked {
        /// Why.
        reason: HoldReason,
        /// True when weight left the cart.
        missing: bool,
        /// For what it waits.
        waits_for: WaitsFor,
        /// Its answers, best first: name and price.
        answers: Vec<(String, Money)>,
    },
    /// The question is answered or put off.
    Settled,
    /// Something is held that no question is open for.
    Held,
    /// The scale rests, and a price can be made of it.
    Weighed {
        /// What people call it.
        name: String,
        /// Net weight.
        net: Grams,
        /// What it costs.
        price: Money,
    },
    /// The running total.
    Total {
        /// What would be charged now.
        total: Money,
        /// Pieces and weighed things.
        items: u32,
    },
    /// The budget is passed.
    OverBudget,
    /// The lane waits for a card.
    ToPay(Money),
    /// The payment did not go through.
    Declined,
    /// It did.
    Paid(Money),
    /// Help is called.
    HelpCalled,
    /// A member of staff is on the way.
    HelpComing,
    /// Staff may see the screen.
    ScreenShared,
    /// They may no more.
    ScreenUnshared,
    /// Nobody has touched anything for long.
    StillThere,
    /// The line to the store is gone; nothing stops.
    Offline,
}

/// How much came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Amount {
    /// The first piece, or a thing whose code carries its price.
    One,
    /// So many pieces of it are in the basket now, 2 or more.
    Now(u32),
    /// So much of it, net.
    Weight(Grams),
}

impl News {
    /// How urgent it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Asked { .. }
            | Self::Settled
            | Self::Held
            | Self::Weighed { .. }
            | Self::ToPay(_)
            | Self::Declined
            | Self::Paid(_)
            | Self::StillThere => Kind::Question,
            Self::Total { .. } => Kind::Total,
            Self::Added { .. }
            | Self::Removed { .. }
            | Self::OverBudget
            | Self::HelpCalled
            | Self::HelpComing
            | Self::ScreenShared
            | Self::ScreenUnshared
            | Self::Offline => Kind::News,
        }
    }
}

/// What is to be said when `now` follows `before`, in that order. Nothing when it is the same, and nothing
/// of what was in the basket before anyone could hear it.
pub fn between(before: Option<&View>, now: &View) -> Vec<News> {
    let Some(before) = before else { return Vec::new() };
    let mut news = Vec::new();
    if shops(before) && shops(now) {
        lines(before, now, &mut news);
        question(before, now, &mut news);
        weighing(&before.screen, &now.screen, &mut news);
    }
    paying(&before.screen, &now.screen, &mut news);
    around(before, now, &mut news);
    if shops(before) && shops(now) && (before.total, before.items) != (now.total, now.items) {
        news.push(News::Total { total: now.total, items: now.items });
    }
    news
}

/// True while things are put in and taken out.
fn shops(view: &View) -> bool {
    matches!(
        view.screen,
        Screen::Basket
            | Screen::Search(_)
            | Screen::Weigh(_)
            | Screen::Item(_)
            | Screen::Product(_)
            | Screen::Offers(_)
            | Screen::List(_)
    )
}

fn lines(before: &View, now: &View, news: &mut Vec<News>) {
    // Both newest first; what came is told in the order in which it came.
    let found = |view: &View, line: &LineView| view.lines.iter().find(|l| l.line == line.line).cloned();
    for line in &before.lines {
        let left = found(now, line);
        let price = line.price.minor - left.as_ref().map_or(0, |l| l.price.minor);
        if left.is_none_or(|left| less(left.quantity, line.quantity)) {
            news.push(News::Removed { name: line.name.clone(), price: Money { minor: price, ..line.price } });
        }
    }
    for line in now.lines.iter().rev() {
        let was = found(before, line);
        let (amount, came) = match (&was, line.quantity) {
            (None, Quantity::Weighed(net)) => (Amount::Weight(net), true),
            (None, Quantity::Each(1) | Quantity::Priced(_)) => (Amount::One, true),
            (None, Quantity::Each(pieces)) => (Amount::Now(pieces), true),
            (Some(was), quantity) => {
                let amount = match quantity {
                    Quantity::Each(pieces) => Amount::Now(pieces),
                    Quantity::Weighed(net) => Amount::Weight(net),
                    Quantity::Priced(_) => Amount::One,
                };
                (amount, less(was.quantity, quantity))
            }
        };
        if came {
            let price = line.price.minor - was.map_or(0, |was| was.price.minor);
            news.push(News::Added {
                name: line.name.clone(),
                amount,
                price: Money { minor: price, ..line.price },
                age_check: line.age_check,
                warned: line.warned.clone(),
            });
        }
    }
}

/// True when `a` is less of a product than `b`.
fn less(a: Quantity, b: Quantity) -> bool {
    match (a, b) {
        (Quantity::Each(a), Quantity::Each(b)) => a < b,
        (Quantity::Weighed(a), Quantity::Weighed(b)) => a < b,
        _ => false,
    }
}

fn question(before: &View, now: &View, news: &mut Vec<News>) {
    let key = |ask: &AskView| (ask.hold, ask.reason, ask.waits_for);
    match (&before.ask, &now.ask) {
        (was, Some(ask)) if was.as_ref().map(key) != Some(key(ask)) => {
            let answers = match ask.waits_for {
                WaitsFor::Answer => ask.tiles.iter().take(4).map(|t| (t.name.clone(), t.price)).collect(),
                WaitsFor::Code | WaitsFor::Removal => Vec::new(),
            };
            news.push(News::Asked { reason: ask.reason, missing: ask.weight.0 < 0, waits_for: ask.waits_for, answers });
        }
        (Some(_), None) => news.push(News::Settled),
        _ => {}
    }
    let held = |view: &View, hold| view.holds.iter().any(|h| h.hold == hold);
    let new = now.holds.iter().any(|h| !held(before, h.hold));
    if new && now.ask.is_none() {
        news.push(News::Held);
    }
}

fn weighing(before: &Screen, now: &Screen, news: &mut Vec<News>) {
    let priced = |screen: &Screen| match screen {
        Screen::Weigh(weigh) => weigh.price.map(|price| (weigh.name.clone(), weigh.net, price)),
        _ => None,
    };
    if let Some((name, net, price)) = priced(now)
        && priced(before).as_ref() != Some(&(name.clone(), net, price))
    {
        news.push(News::Weighed { name, net, price });
    }
}

fn paying(before: &Screen, now: &Screen, news: &mut Vec<News>) {
    let step = |screen: &Screen| match screen {
        Screen::Pay(pay) => Some((pay.step, pay.amount)),
        _ => None,
    };
    let (was, is) = (step(before), step(now));
    match is {
        Some((PayStep::Tap, amount)) if was != is => news.push(News::ToPay(amount)),
        Some((PayStep::Declined, _)) if was != is => news.push(News::Declined),
        Some((PayStep::Approved, amount)) if was != is => news.push(News::Paid(amount)),
        // Approved so fast that no view of it was seen.
        None if was.is_some_and(|(step, _)| step != PayStep::Approved) => {
            if let Screen::Receipt(receipt) = now {
                news.push(News::Paid(receipt.charged));
            }
        }
        _ => {}
    }
}

fn around(before: &View, now: &View, news: &mut Vec<News>) {
    let over = |view: &View| view.budget.is_some_and(|budget| view.total.minor > budget.minor);
    if over(now) && !over(before) {
        news.push(News::OverBudget);
    }
    if now.waiting.coming && !before.waiting.coming {
        news.push(News::HelpComing);
    } else if now.help_called && !before.help_called {
        news.push(News::HelpCalled);
    }
    if now.shared && !before.shared {
        news.push(News::ScreenShared);
    } else if before.shared && !now.shared {
        news.push(News::ScreenUnshared);
    }
    if now.still_there.is_some() && before.still_there.is_none() {
        news.push(News::StillThere);
    }
    if before.connected && !now.connected && shops(now) {
        news.push(News::Offline);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::sample;

    fn gbp(minor: i64) -> Money {
        Money::new(minor, trip::Currency::GBP)
    }

    fn with(change: impl FnOnce(&mut View)) -> View {
        let mut view = sample::basket();
        change(&mut view);
        view
    }

    fn named(name: &str) -> View {
        sample::named(name).expect("a sample of that name").view
    }

    fn check(before: &View, now: &View, expected: &[News]) {
        assert_eq!(between(Some(before), now), expected);
    }

    fn total(minor: i64, items: u32) -> News {
        News::Total { total: gbp(minor), items }
    }

    #[test]
    fn that_staff_see_the_screen_is_told_and_that_they_do_no_more() {
        let (called, shared) = (named("help-coming"), named("help-shared"));
        check(&called, &shared, &[News::ScreenShared]);
        check(&shared, &called, &[News::ScreenUnshared]);
        check(&shared, &sample::basket(), &[News::ScreenUnshared]);
    }

    #[test]
    fn what_comes_and_goes_is_told_and_then_the_total() {
        let basket = sample::basket();
        check(&basket, &basket, &[]);
        let came = with(|view| {
            view.lines.insert(0, sample::line(20, "oat-drink-1l", "Oat drink 1 l", 185));
            (view.total, view.items) = (gbp(2849), 11);
        });
        let (name, price) = ("Oat drink 1 l".to_owned(), gbp(185));
        let added = |amount| News::Added { name: name.clone(), amount, price, age_check: false, warned: Vec::new() };
        check(&basket, &came, &[added(Amount::One), total(2849, 11)]);
        check(&came, &basket, &[News::Removed { name: name.clone(), price }, total(2664, 10)]);
        // One more of a line there is.
        let again = with(|view| {
            let line = view.lines.iter_mut().find(|l| l.name == "Oat drink 1 l").expect("it is there");
            (line.quantity, line.price) = (Quantity::Each(3), gbp(555));
            (view.total, view.items) = (gbp(2849), 11);
        });
        check(&basket, &again, &[added(Amount::Now(3)), total(2849, 11)]);
        check(&again, &basket, &[News::Removed { name: name.clone(), price }, total(2664, 10)]);
    }

    #[test]
    fn nothing_is_told_of_what_was_there_before_or_goes_with_the_trip() {
        let basket = sample::basket();
        assert_eq!(between(None, &basket), []);
        check(&named("welcome"), &basket, &[]);
        check(&named("receipt"), &named("goodbye"), &[]);
        check(&named("goodbye"), &named("welcome"), &[]);
    }

    #[test]
    fn a_question_is_asked_once_and_settled_once() {
        let (basket, ask) = (sample::basket(), named("ask"));
        let asked = between(Some(&basket), &ask);
        let first = asked.iter().find_map(|n| match n {
            News::Asked { answers, waits_for: WaitsFor::Answer, .. } => Some(answers.len()),
            _ => None,
        });
        assert!(first.is_some_and(|answers| (1..=4).contains(&answers)), "{asked:?}");
        assert!(!asked.contains(&News::Held), "it is asked about: {asked:?}");
        check(&ask, &ask, &[]);
        let mut code = ask.clone();
        if let Some(ask) = &mut code.ask {
            ask.waits_for = WaitsFor::Code;
        }
        let told = between(Some(&ask), &code);
        assert!(matches!(&told[..], [News::Asked { waits_for: WaitsFor::Code, answers, .. }] if answers.is_empty()));
        let mut settled = ask.clone();
        settled.ask = None;
        check(&ask, &settled, &[News::Settled]);
    }

    #[test]
    fn paying_is_told_step_by_step_and_the_basket_no_more() {
        let (basket, tap) = (named("basket-at-lane"), named("pay-tap"));
        let Screen::Pay(pay) = &tap.screen else { panic!("a payment") };
        check(&basket, &tap, &[News::ToPay(pay.amount)]);
        check(&tap, &named("pay-declined"), &[News::Declined]);
        check(&tap, &named("pay-approved"), &[News::Paid(pay.amount)]);
        let receipt = named("receipt");
        let Screen::Receipt(paper) = &receipt.screen else { panic!("a receipt") };
        check(&tap, &receipt, &[News::Paid(paper.charged)]);
        check(&named("pay-approved"), &receipt, &[]);
    }

    #[test]
    fn a_price_is_told_when_the_scale_rests_and_not_before() {
        let (unsteady, steady) = (named("weigh-unsteady"), named("weigh"));
        let told = between(Some(&unsteady), &steady);
        assert!(matches!(&told[..], [News::Weighed { price, .. }] if price.minor > 0), "{told:?}");
        check(&steady, &unsteady, &[]);
    }
}
