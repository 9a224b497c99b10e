//! `./trundle demo --web` in a real browser: the screen is drawn, a finger on it begins a trip, Ctrl-C ends it.

use std::path::Path;
use std::rc::Rc;

use anyhow::{Context, bail};
use cart_app::ui::{HeadlessScreen, Pictures, sample};
use i_slint_backend_testing::{AccessibleRole, ElementHandle};
use image::RgbImage;
use image::imageops::crop_imm;
use tempfile::TempDir;
use tests::browser::Browser;
use tests::check;
use tests::glass::Glass;
use tests::place::Folders;
use tests::process::{PATIENCE, Running, assets, command, wait_for};
use trip::TripEvent;

/// A shopper who only walks about: who touches the screen is the browser.
const TRIP: &str = "seed = 7\n[[step]]\ndo = \"walk\"\nms = 3600000\n";
/// Two drawings of one button differ no more than this in a colour.
const SHADE: u8 = 8;

/// A button: how it looks, and where it is in the demo's window.
struct Button {
    picture: RgbImage,
    x: u32,
    y: u32,
}

impl Button {
    /// The button of that label on a sample's screen.
    fn of(sample: &str, label: &str) -> anyhow::Result<Self> {
        let screen = HeadlessScreen::demo(Rc::new(Pictures::drawn()))?;
        let view = sample::named(sample).context("the sample")?.view;
        screen.apply(&view);
        screen.settle();
        screen.advance(2_000);
        let found = ElementHandle::find_by_accessible_label(screen.screen().window(), label);
        let button = found.into_iter().find(|e| e.accessible_role() == Some(AccessibleRole::Button));
        let button = button.context("the button")?;
        let (at, size) = (button.absolute_position(), button.size());
        let (x, y) = (at.x as u32, at.y as u32);
        let picture = crop_imm(&screen.screenshot(), x, y, size.width as u32, size.height as u32).to_image();
        Ok(Self { picture, x, y })
    }

    /// True where it is to be seen on the page's canvas.
    fn is_on(&self, canvas: &RgbImage) -> bool {
        let (width, height) = self.picture.dimensions();
        let there = crop_imm(canvas, self.x, self.y, width, height).to_image();
        let alike = |(a, b): (&u8, &u8)| a.abs_diff(*b) <= SHADE;
        there.dimensions() == (width, height) && there.as_raw().iter().zip(self.picture.as_raw()).all(alike)
    }
}

/// Touches the middle of a button.
fn tap(browser: &Browser, button: &Button) -> anyhow::Result<()> {
    let (width, height) = button.picture.dimensions();
    browser.tap(button.x as f32 + width as f32 / 2.0, button.y as f32 + height as f32 / 2.0)
}

/// What the line below the canvas says.
fn line(browser: &Browser) -> anyhow::Result<String> {
    let said = browser.run("return document.getElementById('state').textContent", &[])?;
    Ok(said.as_str().unwrap_or_default().trim().to_owned())
}

#[test]
fn a_finger_on_the_page_begins_a_trip_and_ctrl_c_ends_the_demo() -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let data = folder.path().join("data");
    let trip = folder.path().join("trip.toml");
    std::fs::write(&trip, TRIP)?;
    let mut demo = command("cart")?;
    demo.args(["demo", "--web", "--drawn", "--assets"]).arg(assets()).arg("--data").arg(&data).arg("--trip").arg(&trip);
    demo.env("TRUNDLE_TRUST", folder.path().join("trust")).env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
    let (demo, lines) = Running::start_and_listen(demo)?;
    // The browser comes up while the demo does.
    let browser = Browser::start(1_700, 1_000)?;
    let page = |line: String| line.strip_prefix("Open http").map(|rest| format!("http{rest}"));
    let url = loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                if let Some(url) = page(line) {
                    break url;
                }
            }
            // It printed its last: its own words say why.
            Err(_) => bail!("the demo names no page: {}", demo.ended()?.stderr),
        }
    };

    browser.open(&url)?;
    let button = Button::of("welcome", "Start shopping")?;
    wait_for("the welcome on the canvas", || Ok(button.is_on(&browser.picture()?).then_some(())))?;
    assert_eq!(line(&browser)?, "Connected");
    assert_eq!(browser.picture()?.dimensions(), (1_600, 800));
    let folders = Folders::in_data(&data);
    let begun = |event: &TripEvent| matches!(event, TripEvent::TripStarted { .. });
    assert!(!check::events(&folders)?.iter().any(begun), "nobody has touched anything");

    tap(&browser, &button)?;
    let guest = Button::of("start", "Start as a guest")?;
    wait_for("the three ways on the canvas", || Ok(guest.is_on(&browser.picture()?).then_some(())))?;
    tap(&browser, &guest)?;
    wait_for("the trip in the journal", || Ok(check::events(&folders)?.iter().any(begun).then_some(())))?;
    wait_for("another screen on the canvas", || Ok((!guest.is_on(&browser.picture()?)).then_some(())))?;

    // For whoever wants to see the page: it lies beside the test's program.
    let picture = Path::new(env!("CARGO_TARGET_TMPDIR")).join("web-screen.png");
    std::fs::write(&picture, browser.screenshot()?).with_context(|| picture.display().to_string())?;
    let seen = image::open(&picture)?.into_rgb8();
    assert!(seen.width() >= 1_600, "{:?}", seen.dimensions());
    assert_eq!(seen.get_pixel(2, 2).0, [0xFB, 0xFA, 0xF7], "paper around the canvas");

    demo.interrupt()?;
    wait_for("the page to say so", || Ok(line(&browser)?.contains("lost").then_some(())))?;
    let ended = demo.ended()?;
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    assert!(!ended.stderr.contains(url.split_once('#').context("a token")?.1), "the token is in no log");
    Ok(())
}
