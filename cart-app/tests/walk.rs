//! Every sample in every room, in large text in every language: nothing is unlabelled, too
//! small to be hit, cut off, outside the window, or covered by another. What is known to be wrong and waits for its
//! mending is listed in `walk/known.txt`; the list may only shrink.
//!
//! `TRUNDLE_ALL=1` walks all that the gallery has, for either hand too; that takes minutes.

mod eye;

use std::collections::BTreeSet;
use std::path::Path;

use cart_app::ui::gallery::{self, Picture};
use cart_app::ui::{Hand, Language, Scheme, sample};

/// What is wrong and stays so for now, a line each: the picture's name, a colon, what is wrong.
const KNOWN: &str = "tests/walk/known.txt";

/// A product's name, and what a shopper wrote on the list, may end in dots where it is longer than any place for it;
/// our own words and all quantities may not.
fn may_be_cut(text: &str) -> bool {
    text.contains(&sample::LONG_NAME[..24]) || text.starts_with("something nice for Grandma")
}

/// The largest words of each language, and the ordinary ones: what is walked each time.
fn usual(picture: &Picture) -> bool {
    let longest = picture.reading.large;
    let ordinary = picture.language == Language::English && picture.reading.name.is_empty();
    longest && picture.hand == Hand::Either || ordinary
}

#[test]
fn nothing_is_cut_covered_too_small_or_without_a_label() {
    let all = std::env::var_os("TRUNDLE_ALL").is_some();
    let only = std::env::var("TRUNDLE_ONLY").unwrap_or_default();
    let pictures: Vec<Picture> = gallery::pictures()
        .filter(|picture| picture.reading.scheme == Scheme::Light)
        .filter(|picture| all || usual(picture))
        .filter(|picture| gallery::named(&picture.name(), &only))
        .collect();
    let found: BTreeSet<String> = gallery::each(&pictures, |picture, goods| {
        let screen = picture.show(goods).expect("a screen in memory");
        let seen = eye::look(&screen, &may_be_cut);
        let name = picture.name();
        seen.faults.into_iter().map(|fault| format!("{name}: {fault}")).collect::<Vec<_>>()
    })
    .into_iter()
    .flatten()
    .collect();
    let walked: BTreeSet<String> = pictures.iter().map(Picture::name).collect();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(KNOWN);
    let known: BTreeSet<String> = std::fs::read_to_string(&path)
        .expect("the list of what is known")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .filter(|line| line.split_once(": ").is_some_and(|(name, _)| walked.contains(name)))
        .map(str::to_owned)
        .collect();
    let new: Vec<_> = found.difference(&known).map(String::as_str).collect();
    assert!(new.is_empty(), "{} of {} pictures' faults are new:\n{}", new.len(), pictures.len(), new.join("\n"));
    let gone: Vec<_> = known.difference(&found).map(String::as_str).collect();
    assert!(gone.is_empty(), "these are mended; take them out of {KNOWN}:\n{}", gone.join("\n"));
}
