//! Pictures of every screen, so that anyone can look: one command writes them all.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::generated::{DemoWindow, Scheme};
use super::headless::{HeadlessError, HeadlessScreen};
use super::{CartWindow, Pictures, sample};

/// The cart's screen in pixels, 160 dpi.
const SIZE: (u32, u32) = (1280, 800);

/// How a screen may be read.
const READINGS: [(&str, Scheme, bool); 5] = [
    ("", Scheme::Light, false),
    ("-dark", Scheme::Dark, false),
    ("-contrast", Scheme::LightContrast, false),
    ("-dark-contrast", Scheme::DarkContrast, false),
    ("-large", Scheme::Light, true),
];

/// Writes every sample in every reading to `folder`, as `<sample><reading>.png`, with an
/// `index.html`, and the demo's window. Returns what was written.
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
    let mut written = Vec::new();
    let pictures = Rc::new(Pictures::drawn());
    for (reading, scheme, large) in READINGS {
        for (name, view) in sample::all() {
            let name = format!("{name}{reading}");
            if !wanted(&name) {
                continue;
            }
            let screen = HeadlessScreen::with_pictures(SIZE.0, SIZE.1, pictures.clone())?;
            screen.screen().set_scheme(scheme);
            screen.screen().set_large_text(large);
            screen.apply(&view);
            if view.help_called {
                screen.screen().window().state().set_help_open(true);
            }
            screen.settle();
            written.push(save(&screen, folder, &name)?);
        }
    }
    for (name, large) in [("reading-options", false), ("reading-options-large", true)] {
        if wanted(name) {
            let screen = HeadlessScreen::with_pictures(SIZE.0, SIZE.1, pictures.clone())?;
            screen.screen().set_large_text(large);
            screen.apply(&sample::basket());
            screen.screen().window().state().set_reading_open(true);
            screen.settle();
            written.push(save(&screen, folder, name)?);
        }
    }
    if wanted("demo-window") {
        written.push(demo_window(folder, pictures)?);
    }
    write_index(folder, &written)?;
    Ok(written)
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

fn write_index(folder: &Path, written: &[PathBuf]) -> Result<(), HeadlessError> {
    let mut page = String::from(
        "<!doctype html><meta charset=utf-8><title>Trundle: the cart's screens</title>\
         <style>body{font:16px Inter,sans-serif;background:#fbfaf7;color:#14211b;margin:24px}\
         figure{display:inline-block;margin:12px}img{width:560px;border:1px solid #e4e1da;border-radius:8px}</style>\
         <h1>The cart's screens</h1>\n",
    );
    for path in written {
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        page.push_str(&format!("<figure><a href=\"{name}.png\"><img src=\"{name}.png\" alt=\"{name}\"></a><figcaption>{name}</figcaption></figure>\n"));
    }
    let path = folder.join("index.html");
    std::fs::write(&path, page).map_err(|source| HeadlessError::Folder { path, source })
}
