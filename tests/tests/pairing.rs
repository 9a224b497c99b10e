//! A phone joins a running cart by the code on its screen, brings a list, and follows the trip to its receipt.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use cart_app::config::Config;
use cart_app::demo::servers::tap_card;
use cart_app::startup;
use cart_app::wiring::{self, RunningCart};
use cart_core::view::{PayStep, Screen};
use cart_core::{Input, Intent, View};
use cart_vision::{Scan, Symbology};
use hal::sim::{SimBattery, World};
use hal::{CameraId, Clock, Devices, RealClock};
use tests::place::Place;
use tests::process::wait_for;
use tests::script::packs;
use trip::gs1::{Item, Scanned};
use trip::{Gtin, LaneId};

struct Bench {
    place: Place,
    cart: RunningCart,
    clock: Arc<dyn Clock>,
}

/// What a phone's browser keeps: the cookie.
#[derive(Default)]
struct Phone {
    cookie: Option<String>,
}

impl Bench {
    /// A store, and a cart in it at its start screen. It has no scale: codes alone fill it.
    fn starting() -> anyhow::Result<Self> {
        let place = Place::new(&packs())?;
        let config = Config::load(place.config())?;
        let ready = startup::prepare(&config)?;
        let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
        let devices = Devices {
            cameras: Vec::new(),
            scale: None,
            motion: None,
            light: None,
            sounder: None,
            battery: Some(Box::new(SimBattery::new(World::new(5), clock.clone()))),
            lane_beacon: None,
        };
        let trouble = vec![(cart_core::Device::Scale, "none in this test".to_owned())];
        let cart = wiring::start(&config, ready, devices, trouble, None, None, &clock)?;
        let bench = Self { place, cart, clock };
        bench.until("the line", |view| view.connected)?;
        bench.cart.touch(Intent::Begin);
        bench.until("the code", |view| matches!(&view.screen, Screen::Start(start) if start.link.is_some()))?;
        Ok(bench)
    }

    fn until(&self, name: &str, holds: impl Fn(&View) -> bool) -> anyhow::Result<()> {
        wait_for(name, || {
            anyhow::ensure!(self.cart.runs(), "the cart has stopped");
            Ok(holds(&self.cart.views.borrow()).then_some(()))
        })
        .with_context(|| format!("{:?}", self.cart.views.borrow()))
    }

    /// The token in the code on the screen; the address before it must be this hub's.
    fn token(&self) -> anyhow::Result<String> {
        let view = self.cart.views.borrow();
        let Screen::Start(start) = &view.screen else { anyhow::bail!("{:?}", view.screen) };
        let address = format!("http://{}/pair/cart-01#/", self.place.store.addresses.http);
        let link = start.link.as_deref().context("a link")?;
        Ok(link.strip_prefix(&address).context("this hub's address")?.to_owned())
    }

    /// One request of a phone's browser.
    fn request(&self, phone: &mut Phone, method: &str, path: &str, form: &str) -> anyhow::Result<String> {
        let at = self.place.store.addresses.http;
        let mut socket = TcpStream::connect(at)?;
        socket.set_read_timeout(Some(Duration::from_secs(10)))?;
        let cookie = phone.cookie.as_ref().map(|cookie| format!("Cookie: {cookie}\r\n")).unwrap_or_default();
        let head = format!(
            "{method} {path} HTTP/1.1\r\nHost: {at}\r\nOrigin: http://{at}\r\nConnection: close\r\n{cookie}\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
            form.len()
        );
        socket.write_all(head.as_bytes())?;
        let mut bytes = Vec::new();
        socket.read_to_end(&mut bytes)?;
        let answer = String::from_utf8_lossy(&bytes).into_owned();
        let set = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        if let Some(cookie) = set.and_then(|set| set.split(';').next()) {
            phone.cookie = Some(cookie.to_owned());
        }
        Ok(answer)
    }

    fn join(&self, phone: &mut Phone, token: &str, more: &str) -> anyhow::Result<String> {
        self.request(phone, "POST", "/pair/cart-01", &format!("token={token}{more}"))
    }

    /// The phone's page, once it says `words`.
    fn page_says(&self, phone: &mut Phone, words: &str) -> anyhow::Result<String> {
        wait_for(words, || Ok(Some(self.request(phone, "GET", "/trip/live", "")?).filter(|page| page.contains(words))))
    }

    fn scan(&self, gtin: &str) -> anyhow::Result<()> {
        let gtin = Gtin::parse(gtin)?;
        let content =
            Scanned::Item(Item { gtin, net_weight: None, price: None, batch: None, expiry: None, serial: None });
        let at = self.clock.now();
        let scan = Scan { at, camera: CameraId(0), symbology: Symbology::Ean13, content, frames: 3 };
        self.cart.inputs().send(Input::Scan(scan)).context("the cart's inputs")
    }
}

#[test]
fn a_phone_joins_once_brings_its_list_and_sees_the_trip_to_its_receipt() -> anyhow::Result<()> {
    let bench = Bench::starting()?;
    let token = bench.token()?;
    let (mut phone, mut other) = (Phone::default(), Phone::default());
    let invitation = bench.request(&mut phone, "GET", "/pair/cart-01", "")?;
    assert!(invitation.contains("Join this cart") && !invitation.contains(&token), "{invitation}");

    // Wrong, and with a number that is none: refused in words, and nothing begins.
    // The cart offers its token before the page can ask for it; the hub may hear it a moment later.
    let refused = wait_for("the offer", || {
        let answer = bench.join(&mut phone, "AAAAAAAAAAAAAAAAAAAAAA", "")?;
        Ok(Some(answer).filter(|answer| answer.contains("This code is too old")))
    })?;
    assert!(refused.starts_with("HTTP/1.1 409"), "{refused}");
    let refused = bench.join(&mut phone, &token, "&member=2612345678900")?;
    assert!(refused.starts_with("HTTP/1.1 422") && refused.contains("not a loyalty number"), "{refused}");
    assert!(matches!(bench.cart.views.borrow().screen, Screen::Start(_)));
    assert!(bench.request(&mut phone, "GET", "/trip", "")?.contains("follows no trip"));

    let joined = bench.join(&mut phone, &token, "&member=2612345678905&list=2+oat+drinks%0Acandles")?;
    assert!(joined.starts_with("HTTP/1.1 303"), "{joined}");
    let again = bench.join(&mut other, &token, "")?;
    assert!(again.starts_with("HTTP/1.1 409"), "a token is good once: {again}");
    bench.until("the trip with its list", |view| view.screen == Screen::Basket && view.list == Some((0, 2)))?;
    let view = bench.cart.views.borrow().clone();
    assert_eq!((view.joined.member.as_deref(), view.joined.phone), (Some("•••• 8905"), true));
    bench.page_says(&mut phone, "Shopping")?;
    // Who has no secret of the trip sees nothing of it.
    let trip = phone.cookie.as_deref().and_then(|c| c.split_once('~')).context("a cookie")?.0.to_owned();
    let mut thief = Phone { cookie: Some(format!("{trip}~{token}")) };
    assert!(bench.request(&mut thief, "GET", "/trip/live", "")?.starts_with("HTTP/1.1 403"));

    // Oat drink, twice: its code, and the shopper's word that it is in, for the scale is out.
    for _ in 0..2 {
        bench.scan("9520001000102")?;
        bench.until("the question", |view| view.ask.is_some())?;
        let ask = bench.cart.views.borrow().ask.clone().context("a question")?;
        let sku = ask.tiles.first().context("a tile")?.sku.clone();
        bench.cart.touch(Intent::Answer { hold: ask.hold, sku });
        bench.until("the line", |view| view.ask.is_none())?;
        std::thread::sleep(Duration::from_millis(1_600));
    }
    bench.until("the tick", |view| view.list == Some((1, 2)))?;
    bench.page_says(&mut phone, "£3.70")?;
    let changed = bench.request(&mut phone, "POST", "/trip/list", "list=oat+drink")?;
    assert!(changed.starts_with("HTTP/1.1 303"), "{changed}");
    bench.until("the new list", |view| view.list == Some((1, 1)))?;

    bench.cart.inputs().send(Input::Lane(Some(LaneId::new("1")?)))?;
    bench.until("an open lane", |view| view.pay_blocked.is_none())?;
    bench.cart.touch(Intent::GoToLane);
    bench.until("the tap", |view| matches!(&view.screen, Screen::Pay(pay) if pay.step == PayStep::Tap))?;
    tap_card(bench.place.store.addresses.terminal_control)?;
    bench.until("the receipt", |view| matches!(view.screen, Screen::Receipt(_)))?;
    bench.page_says(&mut phone, "/trip/receipt")?;
    bench.cart.touch(Intent::Finish);
    bench.until("the goodbye", |view| view.screen == Screen::Goodbye)?;
    let receipt = bench.request(&mut phone, "GET", "/trip/receipt", "")?;
    assert!(receipt.contains("£3.70") && receipt.contains("•••• 8905"), "{receipt}");
    assert!(!receipt.contains("2612345678905"), "the number is masked");
    assert!(bench.request(&mut thief, "GET", "/trip/receipt", "")?.starts_with("HTTP/1.1 403"));
    bench.cart.stop()
}
