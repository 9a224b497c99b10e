//! Budget, allergens, a line shown whole, and the end of a trip that forgets them.

use trip::Allergen;

use super::*;
use crate::view::Banner;

fn with_tea_and_milk() -> Bench {
    let mut bench = Bench::shopping();
    bench.input(Input::Link { connected: true });
    for (name, grams) in [("tea", 150.0), ("milk", 1_045.0)] {
        bench.see(&[(name, 0.98)]);
        bench.load(grams);
    }
    bench
}

#[test]
fn a_budget_is_told_when_it_is_passed_and_stops_nothing() {
    let mut bench = with_tea_and_milk();
    bench.tap(Intent::SetBudget { minor: Some(370) });
    assert_eq!(bench.cart.view().banner, None, "just spent is not passed");
    bench.tap(Intent::SetBudget { minor: Some(300) });
    let view = bench.cart.view();
    assert_eq!((view.banner, view.budget.map(|b| b.minor)), (Some(Banner::BudgetReached), Some(300)));
    bench.tap(Intent::SetBudget { minor: Some(-5) });
    assert_eq!(bench.cart.view().budget.map(|b| b.minor), Some(300), "nonsense is ignored");
    bench.at_the_lane();
    assert_eq!(bench.cart.state().phase, Phase::Locked);
}

#[test]
fn an_allergen_is_told_on_every_line_it_may_be_in() {
    let mut bench = with_tea_and_milk();
    bench.tap(Intent::WatchFor { allergen: Allergen::Milk, on: true });
    let warned = |bench: &Bench| -> Vec<usize> { bench.cart.view().lines.iter().map(|l| l.warned.len()).collect() };
    assert_eq!(warned(&bench), [1, 0]);
    bench.tap(Intent::WatchFor { allergen: Allergen::Milk, on: false });
    assert_eq!(warned(&bench), [0, 0]);
}

#[test]
fn a_line_is_shown_whole_until_back_or_until_it_goes() {
    let mut bench = with_tea_and_milk();
    let line = bench.cart.view().lines[0].line;
    bench.tap(Intent::ShowLine { line });
    let Screen::Item(item) = bench.cart.view().screen else { panic!("not shown") };
    assert_eq!(item.detail.map(|d| d.contains), Some(vec![Allergen::Milk]));
    bench.tap(Intent::Back);
    assert_eq!(bench.cart.view().screen, Screen::Basket);
    bench.tap(Intent::ShowLine { line });
    bench.load(-1_045.0);
    assert_eq!(bench.cart.view().screen, Screen::Basket, "it went");
    bench.tap(Intent::ShowLine { line });
    assert_eq!(bench.cart.view().screen, Screen::Basket, "no line, no detail");
}

#[test]
fn the_next_shopper_finds_no_wishes_of_the_last() {
    let mut bench = with_tea_and_milk();
    bench.tap(Intent::SetBudget { minor: Some(300) });
    bench.tap(Intent::WatchFor { allergen: Allergen::Milk, on: true });
    bench.at_the_lane();
    bench.order(Order::AwaitTap { intent: intent() });
    bench.order(paid(370));
    // The receipt's own checks have tests of their own.
    bench.cart.record(vec![TripEvent::ReceiptStored { number: "1".into(), digest: trip::Hash::of(b"receipt") }]);
    bench.drain();
    bench.tap(Intent::Finish);
    assert_eq!(bench.cart.view().screen, Screen::Goodbye);
    let text = format!("{:?}", bench.cart.view());
    assert!(!text.contains("Milk"), "nothing of the trip is on the screen: {text}");
    bench.wait(9_000);
    assert_eq!(bench.cart.view().screen, Screen::Welcome);
    bench.tap(Intent::Start);
    let view = bench.cart.view();
    assert_eq!((view.budget, view.watched), (None, Vec::new()));
}
