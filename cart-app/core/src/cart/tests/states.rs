//! The states in which a shopper waits, or in which something is not as usual.

use hal::BatteryReading;
use trip::event::Ending;

use super::*;
use crate::view::{Banner, WaitsFor};

fn battery(bench: &mut Bench, percent: u8, charging: bool) {
    let at = bench.now;
    bench.input(Input::Battery(BatteryReading { at, percent, charging }));
}

fn put_in_wine(bench: &mut Bench) {
    bench.scan_code("12345670");
    bench.see(&[("wine", 0.99)]);
    bench.load(1_250.0);
    assert_eq!(bench.cart.view().waiting.age.len(), 1);
}

#[test]
fn the_wait_for_help_is_counted_by_the_cart_and_told_each_second() {
    let mut bench = Bench::shopping();
    bench.tap(Intent::CallHelp);
    assert_eq!(bench.cart.view().waiting.help_s, Some(0));
    bench.wait(3_100);
    bench.tap(Intent::CallHelp);
    assert_eq!(bench.cart.view().waiting.help_s, Some(3), "ten taps are one call");
    let mut again = Bench::from(bench.journal.clone(), 0.0);
    again.wait(3_000);
    let view = again.cart.view();
    assert_eq!((view.help_called, view.waiting.help_s), (true, None), "since when is not known after a restart");
    bench.tap(Intent::EndHelp);
    assert_eq!((bench.cart.view().waiting.help_s, bench.cart.view().banner), (None, None));
}

#[test]
fn the_hub_says_how_long_it_may_take_and_that_someone_comes() {
    let mut bench = Bench::shopping();
    bench.order(Order::Queue { before: 7, usual_s: None });
    bench.order(Order::OnTheWay);
    assert_eq!(bench.cart.view().waiting, Default::default(), "nobody waits");
    bench.tap(Intent::CallHelp);
    bench.order(Order::Queue { before: 2, usual_s: Some(140) });
    let waiting = bench.cart.view().waiting;
    assert_eq!((waiting.before, waiting.usual_s, waiting.coming), (Some(2), Some(140), false));
    bench.order(Order::OnTheWay);
    bench.order(Order::OnTheWay);
    bench.order(Order::Queue { before: 1, usual_s: Some(140) });
    let waiting = bench.cart.view().waiting;
    assert_eq!((waiting.before, waiting.usual_s, waiting.coming), (None, None, true), "what was said before is over");
    assert_eq!(bench.journal.iter().filter(|e| **e == TripEvent::StaffComing).count(), 1);
    bench.order(Order::EndHelp);
    bench.tap(Intent::CallHelp);
    assert!(!bench.cart.view().waiting.coming, "another call, another person");
}

#[test]
fn an_age_check_says_which_line_and_blocks_the_lane_until_it_is_done() {
    let mut bench = Bench::shopping();
    put_in_wine(&mut bench);
    let view = bench.cart.view();
    assert_eq!((view.waiting.age[0].line, view.waiting.age[0].min_age), (view.lines[0].line, 18));
    assert_eq!(view.banner, Some(Banner::AgeCheck));
    bench.wait(2_000);
    assert!(bench.cart.view().waiting.age_s.is_some_and(|s| s >= 2));
    bench.at_the_lane();
    assert_eq!(
        (bench.cart.state().phase, bench.cart.view().pay_blocked),
        (Phase::Shopping, Some(PayBlocked::AgeCheck))
    );
    let line = bench.cart.view().lines[0].line;
    bench.order(Order::AgeChecked { line, approved: true });
    assert_eq!(bench.cart.view().waiting, Default::default());
    assert_eq!(bench.cart.view().pay_blocked, None);
}

#[test]
fn what_may_not_be_sold_can_only_be_taken_out() {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.98)]);
    bench.load(150.0);
    put_in_wine(&mut bench);
    let line = bench.cart.view().lines[0].line;
    bench.order(Order::AgeChecked { line, approved: false });
    let view = bench.cart.view();
    let ask = view.ask.expect("it is held");
    assert_eq!((ask.reason, ask.waits_for, ask.may_be_own), (HoldReason::Refused, WaitsFor::Removal, false));
    assert_eq!((view.total.minor, view.lines.len()), (250, 1), "the line is gone, the trip goes on");
    let hold = ask.hold;
    for way_round in [
        Intent::OwnThing { hold },
        Intent::Answer { hold, sku: sku("wine") },
        Intent::SomethingElse { hold },
        Intent::ScanIt { hold },
        Intent::AskAbout { hold },
    ] {
        bench.tap(way_round.clone());
        let ask = bench.cart.view().ask.expect("it is still held");
        assert_eq!((ask.hold, ask.waits_for), (hold, WaitsFor::Removal), "{way_round:?}");
    }
    let again = Bench::from(bench.journal.clone(), 1_400.0);
    assert_eq!(again.cart.view().ask.map(|ask| ask.waits_for), Some(WaitsFor::Removal), "also after a restart");
    bench.load(-1_250.0);
    assert!(bench.cart.view().holds.is_empty());
    assert_eq!(bench.cart.view().lines.len(), 1);
}

#[test]
fn below_the_reserve_no_trip_begins_and_one_under_way_is_warned() {
    let mut bench = Bench::new();
    battery(&mut bench, 14, false);
    let view = bench.cart.view();
    assert_eq!((view.screen, view.battery_ready), (Screen::LowBattery, false));
    bench.tap(Intent::Start);
    assert_eq!(bench.cart.state().phase, Phase::Idle);
    battery(&mut bench, 14, true);
    assert_eq!(bench.cart.view().screen, Screen::Charging);
    battery(&mut bench, 15, true);
    assert!(bench.cart.view().battery_ready);
    bench.tap(Intent::Start);
    assert_eq!(bench.cart.state().phase, Phase::Idle, "it is taken off its charger first");
    battery(&mut bench, 15, false);
    bench.tap(Intent::Start);
    assert_eq!(bench.cart.view().screen, Screen::Basket);
    assert!(!bench.cart.health().battery_low);
    for percent in [14, 13, 12] {
        bench.wait(6_000);
        battery(&mut bench, percent, false);
    }
    let view = bench.cart.view();
    assert_eq!((view.banner, view.battery_minutes), (Some(Banner::BatteryLow(12)), Some(1)));
    assert!(bench.cart.health().battery_low, "staff are told");
}

#[test]
fn a_dark_picture_is_a_covered_camera_only_when_another_noticed_something() {
    let mut bench = Bench::shopping();
    let (one, two) = (CameraId(0), CameraId(1));
    bench.input(Input::Sight { camera: one, clear: false });
    bench.wait(10_000);
    assert_eq!(bench.cart.view().banner, None, "nothing happened that it should have seen");
    bench.input(Input::Movement { camera: two, moving: true });
    assert_eq!(bench.cart.view().banner, None, "it may come into its view yet");
    bench.wait(2_100);
    let view = bench.cart.view();
    assert_eq!((view.banner, bench.cart.health().covered), (Some(Banner::CameraCovered(0)), vec![0]));
    bench.input(Input::Sight { camera: one, clear: true });
    assert_eq!((bench.cart.view().banner, bench.cart.health().covered), (None, vec![]));
    // A hand right over it, for a moment.
    bench.input(Input::Sight { camera: one, clear: false });
    bench.wait(1_000);
    bench.input(Input::Movement { camera: two, moving: true });
    bench.wait(2_100);
    assert_eq!(bench.cart.view().banner, None);
    // One camera alone: the scale notices.
    bench.see(&[("tea", 0.9)]);
    bench.load(150.0);
    bench.wait(2_100);
    assert_eq!(bench.cart.view().banner, Some(Banner::CameraCovered(0)));
    bench.input(Input::Device { device: Device::Camera(0), fault: Some("unplugged".into()) });
    assert_eq!(bench.cart.view().notices, [Banner::DeviceOut(Device::Camera(0))], "out is not covered besides");
}

#[test]
fn all_that_is_out_is_told_the_most_urgent_first() {
    let mut bench = Bench::shopping();
    for device in [Device::Battery, Device::Motion, Device::Camera(1), Device::Scale, Device::Camera(0)] {
        bench.input(Input::Device { device, fault: Some("out".into()) });
    }
    bench.input(Input::Link { connected: false });
    let devices = [Device::Scale, Device::Camera(0), Device::Camera(1), Device::Motion, Device::Battery];
    let mut expected: Vec<Banner> = devices.map(Banner::DeviceOut).into();
    expected.push(Banner::Offline);
    assert_eq!(bench.cart.view().notices, expected);
    assert_eq!(bench.cart.view().banner, Some(Banner::DeviceOut(Device::Scale)));
}

#[test]
fn offline_is_told_by_the_minute_and_payment_waits_for_the_line() {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.98)]);
    bench.load(150.0);
    bench.input(Input::Link { connected: false });
    assert_eq!(bench.cart.view().offline_minutes, Some(0));
    bench.wait(61_000);
    assert_eq!(bench.cart.view().offline_minutes, Some(1));
    bench.at_the_lane();
    assert_eq!((bench.cart.state().phase, bench.cart.view().pay_blocked), (Phase::Shopping, Some(PayBlocked::Offline)));
    bench.input(Input::Link { connected: true });
    assert_eq!((bench.cart.view().offline_minutes, bench.cart.view().pay_blocked), (None, None));
    bench.tap(Intent::GoToLane);
    bench.input(Input::Link { connected: false });
    let Screen::Pay(pay) = bench.cart.view().screen else { panic!("not at the lane") };
    assert!(pay.offline, "the lane's screen says so");
}

#[test]
fn a_trip_with_nothing_in_it_is_asked_about_and_closed() {
    let mut bench = Bench::shopping();
    bench.wait(179_000);
    assert_eq!(bench.cart.view().still_there, None);
    bench.wait(1_500);
    assert_eq!(bench.cart.view().still_there, Some(60));
    bench.wait(30_000);
    assert_eq!(bench.cart.view().still_there, Some(30));
    bench.tap(Intent::StillHere);
    assert_eq!(bench.cart.view().still_there, None);
    bench.wait(181_000);
    assert!(bench.cart.view().still_there.is_some());
    bench.wait(61_000);
    assert_eq!(bench.cart.view().screen, Screen::Welcome);
    assert_eq!(bench.journal.last(), Some(&TripEvent::TripClosed { ending: Ending::Empty }));
}

#[test]
fn goods_left_standing_are_a_matter_for_staff_and_stay() {
    let mut bench = Bench::shopping();
    bench.see(&[("tea", 0.98)]);
    bench.load(150.0);
    bench.tap(Intent::EndEmpty);
    assert_eq!(bench.cart.state().phase, Phase::Shopping, "it is not empty");
    bench.wait(595_000);
    assert_eq!((bench.cart.health().left_minutes, bench.cart.view().still_there), (None, None));
    bench.wait(130_000);
    assert_eq!(bench.cart.health().left_minutes, Some(12));
    assert_eq!(bench.cart.view().lines.len(), 1);
    bench.input(Input::Movement { camera: CameraId(0), moving: true });
    assert_eq!(bench.cart.health().left_minutes, None, "somebody is there");
}

#[test]
fn who_waits_for_help_or_has_a_bag_in_the_cart_is_not_sent_away() {
    let mut bench = Bench::shopping();
    bench.tap(Intent::CallHelp);
    bench.wait(300_000);
    assert_eq!(bench.cart.state().phase, Phase::Shopping);
    let mut bench = Bench::from(Vec::new(), 400.0);
    bench.tap(Intent::Start);
    bench.wait(300_000);
    assert_eq!((bench.cart.state().phase, bench.cart.view().still_there), (Phase::Shopping, None));
}
