//! A whole trip by hand in a real window: on an X display that nobody sees, and in a browser's page. What is touched
//! is found by its label, looked at until the window shows it, and clicked.

mod by_hand;

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use by_hand::{Person, small_store};
use tempfile::TempDir;
use tests::browser::Browser;
use tests::display::Display;
use tests::glass::Glass;
use tests::place::Folders;
use tests::process::{PATIENCE, Running, command};

/// A shopper who only walks about: who touches and carries is the person.
const TRIP: &str = "seed = 7\n[[step]]\ndo = \"walk\"\nms = 3600000\n";

/// A store of its own, and the demo that is to be started in it.
struct Stage {
    folders: Folders,
    _folder: TempDir,
}

impl Stage {
    fn new() -> anyhow::Result<(Self, Command)> {
        let folder = TempDir::new()?;
        let (data, assets) = (folder.path().join("data"), folder.path().join("assets"));
        small_store(&assets)?;
        let trip = folder.path().join("trip.toml");
        std::fs::write(&trip, TRIP)?;
        let mut demo = command("cart")?;
        demo.args(["demo", "--drawn", "--assets"]).arg(&assets).arg("--data").arg(&data).arg("--trip").arg(&trip);
        demo.env("TRUNDLE_TRUST", folder.path().join("trust"));
        for variable in ["DISPLAY", "WAYLAND_DISPLAY", "SLINT_BACKEND"] {
            demo.env_remove(variable);
        }
        let folders = Folders { catalogue: assets.join("store/catalogue.toml"), ..Folders::in_data(&data) };
        Ok((Self { folders, _folder: folder }, demo))
    }

    /// The person shops; then the demo is asked to end, and does.
    fn play(&self, glass: &dyn Glass, demo: Running, trouble: &str) -> anyhow::Result<()> {
        let trouble = Path::new(env!("CARGO_TARGET_TMPDIR")).join(trouble);
        let shopped = Person::new(glass, self.folders.clone(), trouble).and_then(|mut person| person.shop());
        demo.interrupt()?;
        let ended = demo.ended()?;
        shopped.with_context(|| format!("the demo said: {}", ended.stderr))?;
        assert_eq!(ended.code(), 0, "{}", ended.stderr);
        Ok(())
    }
}

#[test]
fn a_whole_trip_by_real_clicks_in_a_real_window_is_charged_right() -> anyhow::Result<()> {
    let display = Display::start(1_600, 800)?;
    let (stage, mut demo) = Stage::new()?;
    demo.env("DISPLAY", display.name()).env("SLINT_SCALE_FACTOR", "1");
    let (demo, _lines) = Running::start_and_listen(demo)?;
    stage.play(&display, demo, "window-trouble.png")
}

#[test]
fn a_whole_trip_by_finger_in_a_browser_is_charged_right() -> anyhow::Result<()> {
    let (stage, mut demo) = Stage::new()?;
    demo.arg("--web");
    let (demo, lines) = Running::start_and_listen(demo)?;
    // The browser comes up while the demo does.
    let browser = Browser::start(1_700, 1_000)?;
    let url = loop {
        match lines.recv_timeout(PATIENCE) {
            Ok(line) => {
                if let Some(rest) = line.strip_prefix("Open http") {
                    break format!("http{rest}");
                }
            }
            // It printed its last: its own words say why.
            Err(_) => bail!("the demo names no page: {}", demo.ended()?.stderr),
        }
    };
    browser.open(&url)?;
    stage.play(&browser, demo, "browser-trouble.png")
}
