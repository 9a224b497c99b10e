//! Help is called on a running cart, and staff answer on the hub's page: the shopper sees how it stands, and staff see
//! the cart's screen while the shopper lets them.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use cart_app::config::Config;
use cart_app::startup;
use cart_app::ui::HeadlessScreen;
use cart_app::wiring::{self, RunningCart};
use cart_core::view::{Banner, Screen, Waiting};
use cart_core::{Intent, View};
use hal::sim::{SimBattery, SimScale, World};
use hal::{Clock, Devices, RealClock};
use tests::browser::Browser;
use tests::place::Place;
use tests::process::wait_for;
use tests::script::packs;

struct Bench {
    place: Place,
    cart: RunningCart,
    world: World,
}

impl Bench {
    /// A store, and a cart in it whose shopper has begun.
    fn shopping() -> anyhow::Result<Self> {
        let place = Place::new(&packs())?;
        let config = Config::load(place.config())?;
        let ready = startup::prepare(&config)?;
        let world = World::new(5);
        let clock: Arc<dyn Clock> = Arc::new(RealClock::new());
        let devices = Devices {
            cameras: Vec::new(),
            scale: Some(Box::new(SimScale::new(world.clone(), clock.clone()))),
            motion: None,
            light: None,
            sounder: None,
            battery: Some(Box::new(SimBattery::new(world.clone(), clock.clone()))),
            lane_beacon: None,
        };
        let cart = wiring::start(&config, ready, devices, Vec::new(), None, None, &clock)?;
        let bench = Self { place, cart, world };
        bench.until("the line", |view| view.connected)?;
        bench.cart.touch(Intent::Start);
        bench.until("the basket", |view| view.screen == Screen::Basket)?;
        Ok(bench)
    }

    fn until(&self, name: &str, holds: impl Fn(&View) -> bool) -> anyhow::Result<()> {
        wait_for(name, || {
            anyhow::ensure!(self.cart.runs(), "the cart has stopped");
            Ok(holds(&self.cart.views.borrow()).then_some(()))
        })
        .with_context(|| format!("{:?}", self.cart.views.borrow()))
    }

    /// The staff page, once it says `words`.
    fn page_says(&self, words: &str) -> anyhow::Result<()> {
        wait_for(words, || Ok(says(&request(self.place.store.addresses.http, "GET / ", "")?, words).then_some(())))
    }

    /// What the hub answers for `path` of this cart's screen, as soon as that is `right`.
    fn look(&self, path: &str, right: impl Fn(&[u8]) -> bool) -> anyhow::Result<Vec<u8>> {
        wait_for(path, || {
            let answer = request(self.place.store.addresses.http, &format!("GET /look/cart-01{path} "), "")?;
            Ok(right(&answer).then_some(answer))
        })
    }

    /// Waits until the open page shows a picture so wide, with 0 for none at all, and says `words`.
    fn browser_shows(&self, browser: &Browser, width: u64, words: &str) -> anyhow::Result<()> {
        let look = "const picture = document.getElementById('picture'), seen = document.getElementById('seen');
            return [seen.hidden || !picture.hasAttribute('src') ? 0 : picture.naturalWidth, document.body.innerText]";
        wait_for(words, || {
            let shown = browser.run(look, &[])?;
            let says = shown[1].as_str().is_some_and(|said| said.contains(words));
            Ok((shown[0].as_u64() == Some(width) && says).then_some(()))
        })
    }

    fn tap(&self, path: &str) -> anyhow::Result<()> {
        let answer = request(self.place.store.addresses.http, &format!("POST {path} "), "cart=cart-01")?;
        anyhow::ensure!(says(&answer, "HTTP/1.1 303"), "{}", String::from_utf8_lossy(&answer));
        Ok(())
    }
}

/// One request, as the page itself would send it.
fn request(at: SocketAddr, line: &str, form: &str) -> anyhow::Result<Vec<u8>> {
    let mut socket = TcpStream::connect(at)?;
    socket.set_read_timeout(Some(Duration::from_secs(10)))?;
    let head = format!(
        "{line}HTTP/1.1\r\nHost: {at}\r\nOrigin: http://{at}\r\nConnection: close\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{form}",
        form.len()
    );
    socket.write_all(head.as_bytes())?;
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer)?;
    Ok(answer)
}

fn says(answer: &[u8], words: &str) -> bool {
    answer.windows(words.len()).any(|part| part == words.as_bytes())
}

#[test]
fn the_shopper_sees_the_queue_and_that_someone_comes_and_staff_see_who_goes() -> anyhow::Result<()> {
    let bench = Bench::shopping()?;
    bench.cart.touch(Intent::CallHelp);
    bench.until("the place in the queue", |view| view.waiting.before == Some(0))?;
    assert_eq!(bench.cart.views.borrow().waiting.usual_s, None, "nothing was counted yet");
    bench.page_says("needs help")?;
    bench.page_says("/on-the-way")?;
    bench.tap("/on-the-way")?;
    bench.until("someone who comes", |view| view.waiting.coming)?;
    bench.page_says("someone is going")?;
    bench.tap("/help-has-come")?;
    bench.until("the end of the call", |view| !view.help_called)?;
    assert_eq!(bench.cart.views.borrow().waiting, Waiting::default());
    bench.world.set_battery(9, false);
    bench.until("the low battery", |view| view.banner == Some(Banner::BatteryLow(9)))?;
    bench.page_says("battery low")?;
    bench.cart.stop()
}

#[test]
fn staff_see_the_carts_screen_while_the_shopper_lets_them_and_not_a_moment_longer() -> anyhow::Result<()> {
    let bench = Bench::shopping()?;
    let screen = HeadlessScreen::new(1280, 800)?;
    // As the window does, twice a second.
    let draw = || {
        screen.apply(&bench.cart.views.borrow().clone());
        screen.settle();
        if let Some(glimpse) = screen.screen().glimpse() {
            bench.cart.looks.offer(glimpse);
        }
    };
    bench.cart.touch(Intent::CallHelp);
    bench.page_says("needs help")?;
    draw();
    let page = bench.look("", |page| says(page, "The shopper does not show this screen"))?;
    assert!(says(&page, "cache-control: no-store") && !says(&page, "/picture"), "{}", String::from_utf8_lossy(&page));
    let browser = Browser::start(1_180, 800)?;
    browser.open(&format!("http://{}/look/cart-01", bench.place.store.addresses.http))?;
    bench.browser_shows(&browser, 0, "The shopper does not show this screen")?;
    bench.cart.touch(Intent::ShareScreen { on: true });
    bench.until("the shopper's word", |view| view.shared)?;
    bench.page_says("/look/cart-01")?;
    let seen = bench.look("/picture", |answer| {
        draw();
        says(answer, "image/png")
    })?;
    assert!(says(&seen, "cache-control: no-store"));
    let begins = seen.windows(4).position(|part| part == b"\r\n\r\n").context("a head")? + 4;
    let picture = image::load_from_memory_with_format(&seen[begins..], image::ImageFormat::Png)?.to_rgb8();
    assert_eq!(picture.dimensions(), (640, 400));
    // A clock on it goes on, so that it is like the screen and seldom the same.
    let shown = image::imageops::thumbnail(&screen.screenshot(), 640, 400);
    let far = |a: &image::Rgb<u8>, b: &image::Rgb<u8>| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > 8);
    let differ = picture.pixels().zip(shown.pixels()).filter(|(a, b)| far(a, b)).count();
    assert!(differ < 640 * 400 / 50, "{differ} pixels are others than on the cart's screen");
    bench.look("", |page| says(page, "/look/cart-01/picture?n="))?;
    bench.browser_shows(&browser, 640, "s ago")?;

    bench.cart.touch(Intent::ShareScreen { on: false });
    bench.look("/picture", |answer| says(answer, "HTTP/1.1 404"))?;
    bench.look("", |page| says(page, "The shopper does not show this screen"))?;
    bench.browser_shows(&browser, 0, "The shopper does not show this screen")?;
    bench.cart.touch(Intent::ShareScreen { on: true });
    bench.look("/picture", |answer| {
        draw();
        says(answer, "image/png")
    })?;
    bench.tap("/help-has-come")?;
    bench.until("the end of the call", |view| !view.help_called && !view.shared)?;
    bench.look("/picture", |answer| says(answer, "HTTP/1.1 404"))?;
    bench.browser_shows(&browser, 0, "Help has ended")?;
    bench.cart.stop()
}
