//! Staff see the screen only while the shopper lets them.

use super::*;

fn shared(bench: &Bench) -> bool {
    bench.cart.view().shared
}

/// A shopper who has called for help and lets staff see the screen.
fn letting() -> Bench {
    let mut bench = Bench::shopping();
    bench.tap(Intent::CallHelp);
    assert!(!shared(&bench), "off until it is chosen");
    bench.tap(Intent::ShareScreen { on: true });
    assert!(shared(&bench));
    bench
}

fn times(bench: &Bench, event: &TripEvent) -> usize {
    bench.journal.iter().filter(|e| *e == event).count()
}

#[test]
fn without_a_call_for_help_nobody_is_let_see_the_screen() {
    let mut bench = Bench::new();
    bench.tap(Intent::ShareScreen { on: true });
    assert!(!shared(&bench), "there is no trip");
    bench.tap(Intent::Start);
    bench.tap(Intent::ShareScreen { on: true });
    assert!(!shared(&bench), "no help is called");
    bench.tap(Intent::CallHelp);
    assert!(!shared(&bench), "what was tapped before the call counts for nothing");
    assert_eq!(times(&bench, &TripEvent::ScreenShared), 0);
}

#[test]
fn one_tap_takes_it_back_and_ten_are_one() {
    let mut bench = letting();
    bench.tap(Intent::ShareScreen { on: true });
    assert_eq!(times(&bench, &TripEvent::ScreenShared), 1);
    for _ in 0..10 {
        bench.tap(Intent::ShareScreen { on: false });
    }
    assert_eq!((shared(&bench), times(&bench, &TripEvent::ScreenUnshared)), (false, 1));
    assert!(bench.cart.view().help_called, "the call goes on");
    bench.tap(Intent::ShareScreen { on: true });
    assert!(shared(&bench), "and may be chosen again");
}

#[test]
fn it_ends_with_the_call_and_the_next_call_begins_without() {
    for end in [None, Some(Order::EndHelp)] {
        let mut bench = letting();
        bench.order(Order::OnTheWay);
        assert!(shared(&bench), "somebody comes, and looks on the way");
        match end {
            Some(order) => bench.order(order),
            None => bench.tap(Intent::EndHelp),
        }
        assert!(!shared(&bench));
        bench.tap(Intent::CallHelp);
        assert!(!shared(&bench));
    }
}

#[test]
fn it_ends_with_the_trip() {
    let mut bench = letting();
    bench.order(Order::Transfer);
    assert!(!shared(&bench));
    bench.tap(Intent::Start);
    bench.tap(Intent::CallHelp);
    assert!(!shared(&bench), "the next shopper has chosen nothing");
}

#[test]
fn a_restart_shows_it_still_and_a_tap_still_ends_it() {
    let bench = letting();
    let mut again = Bench::from(bench.journal.clone(), 0.0);
    assert!(shared(&again), "the same call, and the screen says so");
    again.tap(Intent::ShareScreen { on: false });
    assert!(!shared(&again));
}
