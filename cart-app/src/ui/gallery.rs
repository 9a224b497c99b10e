//! Pictures of every screen, so that anyone can look: one command writes them all.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use cart_core::View;

use super::headless::{HeadlessError, HeadlessScreen};
use super::{CartWindow, Language, Pictures, sample};
use cart_ui::{DemoWindow, Scheme};

/// The cart's screen in pixels, 160 dpi.
const SIZE: (u32, u32) = (1280, 800);

/// How a screen may be read.
struct Reading {
    name: &'static str,
    scheme: Scheme,
    large: bool,
    languages: &'static [Language],
}

/// One language of each direction in every reading; the others where words are the question.
const BOTH_WAYS: &[Language] = &[Language::English, Language::Arabic];
const READINGS: [Reading; 5] = [
    Reading { name: "", scheme: Scheme::Light, large: false, languages: &Language::ALL },
    Reading { name: "-large", scheme: Scheme::Light, large: true, languages: &Language::ALL },
    Reading { name: "-dark", scheme: Scheme::Dark, large: false, languages: BOTH_WAYS },
    Reading { name: "-contrast", scheme: Scheme::LightContrast, large: false, languages: BOTH_WAYS },
    Reading { name: "-dark-contrast", scheme: Scheme::DarkContrast, large: false, languages: BOTH_WAYS },
];

/// What the shopper opens over a screen, which is no part of a view.
#[derive(Clone, Copy, PartialEq)]
enum Panel {
    None,
    Help,
    Reading,
    Language,
    Wishes,
    Tour,
    Age,
    Notices,
    Number,
}

/// Writes every sample in every reading and language to `folder`, as `<sample><reading>-<language>.png`
/// (`<sample><reading>.png` in English), with an `index.html`, and the demo's window. Returns what was
/// written.
///
/// # Errors
/// When this thread already shows a window, or the folder cannot be written.
pub fn write_all(folder: &Path) -> Result<Vec<PathBuf>, HeadlessError> {
    write_some(folder, &|_| true)
}

/// As [`write_all`], only the pictures whose name `wanted` accepts.
///
/// # Errors
/// As [`write_all`].
pub fn write_some(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<PathBuf>, HeadlessError> {
    std::fs::create_dir_all(folder).map_err(|source| HeadlessError::Folder { path: folder.to_owned(), source })?;
    let pictures = Rc::new(Pictures::drawn());
    let mut index = Index::default();
    for (sample, view, panel) in shown() {
        index.begin(sample);
        for reading in &READINGS {
            for &language in reading.languages {
                let tongue = if language == Language::English { "" } else { language.tag() };
                let name = format!("{sample}{}{}{tongue}", reading.name, if tongue.is_empty() { "" } else { "-" });
                if wanted(&name) {
                    let screen = screen(reading, language, &view, panel, pictures.clone())?;
                    index.add(save(&screen, folder, &name)?);
                }
            }
        }
    }
    if wanted("demo-window") {
        index.begin("demo-window");
        index.add(demo_window(folder, pictures)?);
    }
    index.write(folder)?;
    Ok(index.written)
}

/// The samples, and the header's panels over the basket.
fn shown() -> Vec<(&'static str, View, Panel)> {
    let panel = |name: &str, view: &View| match name {
        "help-called" => Panel::None,
        "age-check-at-lane" => Panel::Age,
        "notices" => Panel::Notices,
        "start-wrong-number" => Panel::Number,
        _ if view.help_called => Panel::Help,
        _ => Panel::None,
    };
    let mut shown: Vec<_> = sample::all().into_iter().map(|(name, view)| (name, panel(name, &view), view)).collect();
    shown.push(("reading-options", Panel::Reading, sample::basket()));
    shown.push(("language-choice", Panel::Language, sample::basket()));
    shown.push(("age-check", Panel::Age, sample::age_check()));
    shown.push(("wishes", Panel::Wishes, sample::wishes()));
    shown.push(("tour", Panel::Tour, sample::welcome()));
    shown.into_iter().map(|(name, panel, view)| (name, view, panel)).collect()
}

fn screen(
    reading: &Reading,
    language: Language,
    view: &View,
    panel: Panel,
    pictures: Rc<Pictures>,
) -> Result<HeadlessScreen, HeadlessError> {
    let screen = HeadlessScreen::with_pictures(SIZE.0, SIZE.1, pictures)?;
    screen.screen().set_language(language);
    screen.screen().set_scheme(reading.scheme);
    screen.screen().set_large_text(reading.large);
    screen.apply(view);
    let state = screen.screen().window().state();
    state.set_help_open(panel == Panel::Help);
    screen.screen().window().waits().set_age_open(panel == Panel::Age);
    screen.screen().window().conditions().set_open(panel == Panel::Notices);
    state.set_reading_open(panel == Panel::Reading);
    state.set_wishes_open(panel == Panel::Wishes);
    state.set_tour_open(panel == Panel::Tour);
    state.set_language_open(panel == Panel::Language);
    if panel == Panel::Number {
        let start = screen.screen().window().start();
        start.set_typing(true);
        start.set_number("2612345678900".into());
        start.set_tried("2612345678900".into());
    }
    screen.settle();
    Ok(screen)
}

fn demo_window(folder: &Path, pictures: Rc<Pictures>) -> Result<PathBuf, HeadlessError> {
    let screen: HeadlessScreen<DemoWindow> = HeadlessScreen::demo(pictures.clone())?;
    let panel = super::ShopPanel::new(screen.screen().window(), pictures);
    let things: Vec<_> = sample::basket().lines.into_iter().map(|line| (line.sku, line.name)).collect();
    panel.set_shelf(&things);
    panel.set_in_cart(&things[..3.min(things.len())]);
    panel.set_story("You put in: Granny Smith apples");
    screen.apply(&sample::basket());
    screen.settle();
    save(&screen, folder, "demo-window")
}

fn save<W: CartWindow>(screen: &HeadlessScreen<W>, folder: &Path, name: &str) -> Result<PathBuf, HeadlessError> {
    let path = folder.join(format!("{name}.png"));
    screen.save_png(&path)?;
    Ok(path)
}

/// The page that shows them all, a group for each sample.
#[derive(Default)]
struct Index {
    page: String,
    waiting: Option<&'static str>,
    written: Vec<PathBuf>,
}

impl Index {
    fn begin(&mut self, sample: &'static str) {
        self.waiting = Some(sample);
    }

    fn add(&mut self, path: PathBuf) {
        if let Some(sample) = self.waiting.take() {
            self.page.push_str(&format!("<h2 id=\"{sample}\">{sample}</h2>\n"));
        }
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        self.page.push_str(&format!(
            "<figure><a href=\"{name}.png\"><img loading=lazy src=\"{name}.png\" alt=\"{name}\"></a>\
             <figcaption>{name}</figcaption></figure>\n"
        ));
        self.written.push(path);
    }

    fn write(&self, folder: &Path) -> Result<(), HeadlessError> {
        let head = "<!doctype html><meta charset=utf-8><title>Trundle: the cart's screens</title>\
             <style>body{font:16px Inter,sans-serif;background:#fbfaf7;color:#14211b;margin:24px}\
             figure{display:inline-block;margin:8px}img{width:420px;border:1px solid #e4e1da;border-radius:8px}</style>\
             <h1>The cart's screens</h1>\n";
        let path = folder.join("index.html");
        std::fs::write(&path, format!("{head}{}", self.page)).map_err(|source| HeadlessError::Folder { path, source })
    }
}
