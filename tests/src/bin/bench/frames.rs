//! Frames of the cart's screen, 1280×800: how long each takes to make, and how soon a touch is seen.
//!
//! What is timed is what the screen's one thread does for a frame: the input, the adapters, the layout,
//! and drawing the regions that have changed into a buffer that is kept, as on a display. Its clock is
//! turned by hand, 16 ms a frame, so that an animation has the same frames however long they take.
//! What is not in it: the display's own copy, and the way through the cart's core, which
//! [`super::trip`] times.

use std::time::Instant;

use anyhow::Context;
use cart_app::ui::{CartWindow, HeadlessScreen, sample};
use cart_core::View;
use slint::platform::{PointerEventButton, WindowEvent};
use slint::{ComponentHandle, LogicalPosition, Rgb8Pixel};
use trip::{Currency, Money};

use super::report::{Report, ms};
use super::start::resident_kib;

const SIZE: (u32, u32) = (1280, 800);
/// Lines of the long basket.
const LINES: u32 = 200;
/// The time of a frame at 60 Hz, in milliseconds.
const FRAME_MS: f64 = 1_000.0 / 60.0;
/// From a touch to what is seen of it, in milliseconds.
const TOUCH_MS: f64 = 50.0;
/// Virtual milliseconds of a frame.
const STEP_MS: u64 = 16;
/// How often each thing is done.
const ROUNDS: usize = 30;
/// Drags of the list in each direction, and frames a drag.
const DRAGS: usize = 12;
const DRAG_FRAMES: usize = 40;
/// Frames of an entrance: 640 ms.
const ENTRANCE: usize = 40;

/// What the frames of one kind took, in milliseconds, and how much they drew, in parts of the screen.
#[derive(Default)]
struct Series {
    took: Vec<f64>,
    drawn: Vec<f64>,
}

impl Series {
    fn add(&mut self, took: f64, pixels: u64) {
        self.took.push(took);
        self.drawn.push(pixels as f64 / (f64::from(SIZE.0) * f64::from(SIZE.1)));
    }

    fn report(self, name: &str, note: &str, report: &mut Report) {
        report.share(format!("{name} ÷ 16.7 ms"), &self.took, FRAME_MS, "The same as a share of a frame at 60 Hz.");
        report.add(format!("{name}, part of the screen drawn"), "×", self.drawn, "Dirty regions, 1 for all of it.");
        report.add(name, "ms", self.took, note);
    }
}

struct Bench {
    screen: HeadlessScreen,
    canvas: Vec<Rgb8Pixel>,
}

/// Takes all of them.
///
/// # Errors
/// When there is no screen to be had.
pub fn all(report: &mut Report) -> anyhow::Result<()> {
    let before = resident_kib("self")?;
    let screen = HeadlessScreen::new(SIZE.0, SIZE.1).context("the screen in memory")?;
    let canvas = vec![Rgb8Pixel::new(0, 0, 0); SIZE.0 as usize * SIZE.1 as usize];
    let mut bench = Bench { screen, canvas };
    bench.screen.apply(&sample::basket());
    bench.rest();
    let mib = |kib: u64| vec![kib as f64 / 1_024.0];
    let small = resident_kib("self")?;
    report.add("screen, memory with 9 lines", "MiB", mib(small.saturating_sub(before)), "What this process grew by.");

    bench.scroll(report);
    let big = resident_kib("self")?;
    report.add(
        format!("screen, memory with {LINES} lines scrolled through"),
        "MiB",
        mib(big.saturating_sub(before)),
        "The same after the frames of scrolling.",
    );
    bench.add(report);
    bench.ask(report)?;
    bench.pay(report)?;
    bench.touch(report);
    Ok(())
}

impl Bench {
    /// A frame: time passes, and what has changed is drawn. `None` when nothing had.
    fn frame(&mut self, also: impl FnOnce(&HeadlessScreen)) -> Option<(f64, u64)> {
        let began = Instant::now();
        also(&self.screen);
        self.screen.advance(STEP_MS);
        let pixels = self.screen.draw_changes(&mut self.canvas)?;
        Some((ms(began.elapsed()), pixels))
    }

    /// Until nothing moves, not timed; two seconds at most.
    fn rest(&mut self) {
        let mut still = 0;
        for _ in 0..125 {
            still = if self.frame(|_| {}).is_none() { still + 1 } else { 0 };
            if still > 8 {
                return;
            }
        }
    }

    /// The frames that follow a view, until all has come to rest.
    fn follow(&mut self, view: &View, series: &mut Series) {
        let mut first = self.frame(|screen| screen.apply(view));
        for _ in 0..ENTRANCE {
            if let Some((took, pixels)) = first.take() {
                series.add(took, pixels);
            }
            first = self.frame(|_| {});
        }
    }

    fn scroll(&mut self, report: &mut Report) {
        self.screen.apply(&long_basket(LINES, 0));
        self.rest();
        let mut series = Series::default();
        let at = |y: f32| LogicalPosition::new(400.0, y);
        for direction in [-1.0_f32, 1.0] {
            for _ in 0..DRAGS {
                let from = if direction < 0.0 { 650.0 } else { 150.0 };
                self.frame(|screen| event(screen, WindowEvent::PointerMoved { position: at(from) }));
                let button = PointerEventButton::Left;
                self.frame(|screen| event(screen, WindowEvent::PointerPressed { position: at(from), button }));
                for n in 1..=DRAG_FRAMES {
                    let position = at(from + direction * 12.0 * n as f32);
                    let drawn = self.frame(|screen| event(screen, WindowEvent::PointerMoved { position }));
                    drawn.into_iter().for_each(|(took, pixels)| series.add(took, pixels));
                }
                let position = at(from + direction * 12.0 * DRAG_FRAMES as f32);
                self.frame(|screen| event(screen, WindowEvent::PointerReleased { position, button }));
                // Let go, it glides on.
                for _ in 0..DRAG_FRAMES {
                    let drawn = self.frame(|_| {});
                    drawn.into_iter().for_each(|(took, pixels)| series.add(took, pixels));
                }
                event(&self.screen, WindowEvent::PointerExited);
            }
        }
        let note = format!("A frame while a finger drags a list of {LINES} lines, and while it glides on.");
        series.report("scroll, a frame", &note, report);
    }

    fn add(&mut self, report: &mut Report) {
        let mut series = Series::default();
        for round in 0..ROUNDS {
            self.screen.apply(&long_basket(LINES, 0));
            self.rest();
            self.follow(&long_basket(LINES + 1, round as u32), &mut series);
        }
        let note = format!("A frame of the 640 ms in which a line comes in before {LINES} others and the total rolls.");
        series.report("add, a frame", &note, report);
    }

    fn ask(&mut self, report: &mut Report) -> anyhow::Result<()> {
        let (basket, ask) = (sample::basket(), named("ask")?);
        let mut series = Series::default();
        for _ in 0..ROUNDS {
            self.screen.apply(&basket);
            self.rest();
            self.follow(&ask, &mut series);
        }
        series.report("ask, a frame", "A frame while the question's sheet rises.", report);
        Ok(())
    }

    fn pay(&mut self, report: &mut Report) -> anyhow::Result<()> {
        let steps = ["pay-preparing", "pay-tap", "pay-approved", "receipt"].map(named);
        let steps: Vec<View> = steps.into_iter().collect::<anyhow::Result<_>>()?;
        let mut series = Series::default();
        for _ in 0..ROUNDS {
            self.screen.apply(&sample::basket());
            self.rest();
            for step in &steps {
                self.follow(step, &mut series);
            }
        }
        series.report("pay, a frame", "A frame from the lane's word to the receipt.", report);
        Ok(())
    }

    /// From a finger on a button to the first frame that differs, and from its lift to the panel it opens.
    fn touch(&mut self, report: &mut Report) {
        let (mut down, mut up) = (Vec::new(), Vec::new());
        let button = PointerEventButton::Left;
        self.screen.apply(&sample::basket());
        for _ in 0..ROUNDS {
            self.screen.screen().window().state().set_help_open(false);
            self.rest();
            // "Help" is at the end of the header.
            let position = LogicalPosition::new(SIZE.0 as f32 - 60.0, 40.0);
            event(&self.screen, WindowEvent::PointerMoved { position });
            self.rest();
            down.extend(self.until_drawn(WindowEvent::PointerPressed { position, button }));
            self.rest();
            up.extend(self.until_drawn(WindowEvent::PointerReleased { position, button }));
            event(&self.screen, WindowEvent::PointerExited);
        }
        report.share("touch → frame ÷ 50 ms", &down, TOUCH_MS, "The same as a share of what is promised.");
        report.add(
            "touch → frame",
            "ms",
            down,
            "From the finger on a button to the drawn frame that shows it pressed.",
        );
        report.share("lift → dialogue ÷ 50 ms", &up, TOUCH_MS, "The same as a share of what is promised.");
        report.add(
            "lift → dialogue",
            "ms",
            up,
            "From the finger's lift to the first drawn frame of the help dialogue.",
        );
    }

    /// Milliseconds until something has changed on the screen, each frame that shows nothing new counted as
    /// the 16.7 ms for which a display would show the old one.
    fn until_drawn(&mut self, what: WindowEvent) -> Option<f64> {
        let mut what = Some(what);
        for waited in 0..60 {
            let drawn = self.frame(|screen| what.take().into_iter().for_each(|what| event(screen, what)));
            if let Some((took, _)) = drawn {
                return Some(took + f64::from(waited) * FRAME_MS);
            }
        }
        None
    }
}

fn event(screen: &HeadlessScreen, what: WindowEvent) {
    screen.screen().window().window().dispatch_event(what);
}

fn named(name: &str) -> anyhow::Result<View> {
    sample::named(name).map(|sample| sample.view).with_context(|| format!("the sample {name}"))
}

/// So many lines, newest first; `shift` makes baskets of one length differ.
fn long_basket(lines: u32, shift: u32) -> View {
    let products = [
        ("oat-drink-1l", "Oat drink 1 l"),
        ("coffee-beans", "Coffee beans 250 g"),
        ("sourdough-loaf", "Sourdough loaf"),
        ("banana", "Bananas"),
        ("long", sample::LONG_NAME),
    ];
    let line = |n: u32| {
        let (sku, name) = products[(n + shift) as usize % products.len()];
        sample::line(n, sku, name, 100 + i64::from(n * 7 % 900))
    };
    let mut all: Vec<_> = (1..=lines).rev().map(line).collect();
    if let Some(newest) = all.first_mut() {
        newest.fresh = true;
    }
    let total = all.iter().map(|line| line.price.minor).sum();
    View { total: Money::new(total, Currency::GBP), items: lines, lines: all, ..sample::basket() }
}
