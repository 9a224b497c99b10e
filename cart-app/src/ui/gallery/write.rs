//! The gallery as a folder of PNGs with a page that shows them.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::{Picture, each, pictures};
use crate::ui::headless::{HeadlessError, HeadlessScreen};
use crate::ui::{Pictures, ShopPanel, sample};

/// The demo's window, which is no part of the cart.
const DEMO: &str = "demo-window";

/// Writes every picture to `folder` as `<name>.png`, with an `index.html`, and the demo's window. Returns
/// what was written.
///
/// # Errors
/// When the folder cannot be written.
pub fn write_all(folder: &Path) -> Result<Vec<PathBuf>, HeadlessError> {
    write_some(folder, &|_| true)
}

/// As [`write_all`], only the pictures whose name `wanted` accepts.
///
/// # Errors
/// As [`write_all`].
pub fn write_some(folder: &Path, wanted: &dyn Fn(&str) -> bool) -> Result<Vec<PathBuf>, HeadlessError> {
    std::fs::create_dir_all(folder).map_err(|source| HeadlessError::Folder { path: folder.to_owned(), source })?;
    let chosen: Vec<Picture> = pictures().filter(|picture| wanted(&picture.name())).collect();
    let written = each(&chosen, |picture, goods| save(&picture.show(goods)?, folder, &picture.name()));
    let mut index = Index::default();
    for (picture, path) in chosen.iter().zip(written) {
        index.add(picture.sample.name, path?);
    }
    if wanted(DEMO) {
        // On a thread of its own: this one may want a window afterwards.
        let written = std::thread::scope(|scope| scope.spawn(|| demo_window(folder)).join());
        if let Ok(path) = written {
            index.add(DEMO, path?);
        }
    }
    index.write(folder)?;
    Ok(index.written)
}

fn demo_window(folder: &Path) -> Result<PathBuf, HeadlessError> {
    let pictures = Rc::new(Pictures::drawn());
    let screen = HeadlessScreen::demo(pictures.clone())?;
    let panel = ShopPanel::new(screen.screen().window(), pictures);
    let things: Vec<_> = sample::basket().lines.into_iter().map(|line| (line.sku, line.name)).collect();
    panel.set_shelf(&things);
    panel.set_in_cart(&things[..3.min(things.len())]);
    panel.set_story("You put in: Granny Smith apples");
    screen.apply(&sample::basket());
    screen.settle();
    save(&screen, folder, DEMO)
}

fn save<W: crate::ui::CartWindow>(
    screen: &HeadlessScreen<W>,
    folder: &Path,
    name: &str,
) -> Result<PathBuf, HeadlessError> {
    let path = folder.join(format!("{name}.png"));
    screen.save_png(&path)?;
    Ok(path)
}

/// The page that shows them all, a group for each sample.
#[derive(Default)]
struct Index {
    page: String,
    group: &'static str,
    written: Vec<PathBuf>,
}

impl Index {
    fn add(&mut self, sample: &'static str, path: PathBuf) {
        if self.group != sample {
            self.group = sample;
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
             figure{display:inline-block;margin:8px;vertical-align:top}img{max-width:420px;max-height:420px;\
             border:1px solid #e4e1da;border-radius:8px}</style><h1>The cart's screens</h1>\n";
        let path = folder.join("index.html");
        std::fs::write(&path, format!("{head}{}", self.page)).map_err(|source| HeadlessError::Folder { path, source })
    }
}
