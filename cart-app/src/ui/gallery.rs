//! Pictures of every screen, so that anyone can look: one command writes them all.
//!
//! [`pictures`] is the one list: the command, the golden tests and the walk through the accessibility tree
//! all go by it. A [`Picture`] is a [`Sample`] in a reading, a language, a room, and for a hand; it draws itself,
//! the same whenever it is drawn.

use std::num::NonZeroUsize;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use image::RgbImage;

use super::headless::{HeadlessError, HeadlessScreen};
use super::sample::Sample;
use super::{Language, Pictures, sample};
use cart_ui::{Hand, Scheme};

mod write;

pub use write::{write_all, write_some};

/// A screen that the markup is laid out for, in pixels at 160 dpi.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// As in a picture's name; empty for the first.
    pub name: &'static str,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

/// The rooms the screens are designed for; the first is the cart's own.
pub const ROOMS: [Room; 3] = [
    Room { name: "", width: 1280, height: 800 },
    Room { name: "small", width: 800, height: 480 },
    Room { name: "tall", width: 800, height: 1280 },
];

/// How a screen may be read.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// As in a picture's name; empty for the first.
    pub name: &'static str,
    /// The colours.
    pub scheme: Scheme,
    /// Larger text.
    pub large: bool,
}

/// Every way to read a screen.
pub const READINGS: [Reading; 5] = [
    Reading { name: "", scheme: Scheme::Light, large: false },
    Reading { name: "large", scheme: Scheme::Light, large: true },
    Reading { name: "dark", scheme: Scheme::Dark, large: false },
    Reading { name: "contrast", scheme: Scheme::LightContrast, large: false },
    Reading { name: "dark-contrast", scheme: Scheme::DarkContrast, large: false },
];

/// One language of each direction where colours are the question; all where words are.
const BOTH_WAYS: [Language; 2] = [Language::English, Language::Arabic];

/// One screen as somebody sees it.
#[derive(Clone, Debug)]
pub struct Picture {
    /// What is shown.
    pub sample: Arc<Sample>,
    /// How it is read.
    pub reading: Reading,
    /// Its words.
    pub language: Language,
    /// Its size.
    pub room: Room,
    /// Who reaches it.
    pub hand: Hand,
}

impl Picture {
    /// Its parts that are not the ordinary ones, joined: `pay-tap-large-small-left-ar`.
    pub fn name(&self) -> String {
        let hand = match self.hand {
            Hand::Either => "",
            Hand::Left => "left",
            Hand::Right => "right",
        };
        let language = if self.language == Language::English { "" } else { self.language.tag() };
        let parts = [self.sample.name, self.reading.name, self.room.name, hand, language];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
    }

    /// A screen that shows it, come to rest.
    ///
    /// # Errors
    /// When this thread already shows a window.
    pub fn show(&self, pictures: Rc<Pictures>) -> Result<HeadlessScreen, HeadlessError> {
        let headless = HeadlessScreen::with_pictures(self.room.width, self.room.height, pictures)?;
        let screen = headless.screen();
        screen.set_language(self.language);
        screen.set_scheme(self.reading.scheme);
        screen.set_large_text(self.reading.large);
        screen.set_hand(self.hand);
        self.sample.show_on(screen);
        headless.settle();
        Ok(headless)
    }

    /// Its pixels.
    ///
    /// # Errors
    /// When this thread already shows a window.
    pub fn draw(&self, pictures: Rc<Pictures>) -> Result<RgbImage, HeadlessError> {
        Ok(self.show(pictures)?.screenshot())
    }
}

/// Every picture: each sample in each reading and room, in light in all languages and for the hand that moves
/// the controls, in the others in one language of each direction.
pub fn pictures() -> impl Iterator<Item = Picture> {
    sample::all().into_iter().map(Arc::new).flat_map(pictures_of)
}

/// The pictures of one sample.
pub fn pictures_of(sample: Arc<Sample>) -> Vec<Picture> {
    let mut pictures = Vec::new();
    for room in ROOMS {
        for reading in READINGS {
            let words = reading.scheme == Scheme::Light;
            let languages: &[Language] = if words { &Language::ALL } else { &BOTH_WAYS };
            let picture = |language, hand| Picture { sample: sample.clone(), reading, language, room, hand };
            pictures.extend(languages.iter().map(|&language| picture(language, Hand::Either)));
            if reading.name.is_empty() {
                // A wide screen's controls stand where reading ends, and so does the hand in one of them.
                let hand = |language: Language| if language.right_to_left() { Hand::Right } else { Hand::Left };
                pictures.extend(BOTH_WAYS.map(|language| picture(language, hand(language))));
            }
        }
    }
    pictures
}

/// Pictures that one thread draws before a new one goes on: what Slint keeps of closed windows makes a thread
/// that has shown hundreds slower and slower.
const A_THREAD: usize = 12;

/// Does `work` with each picture, on as many threads as there are cores: Slint has one platform a thread.
/// The results come in the order of the pictures.
pub fn each<T: Send>(pictures: &[Picture], work: impl Fn(&Picture, Rc<Pictures>) -> T + Sync) -> Vec<T> {
    let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(pictures.len().max(1));
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(pictures.len()));
    let some = || {
        let goods = Rc::new(Pictures::drawn());
        for _ in 0..A_THREAD {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(picture) = pictures.get(at) else { break };
            let result = work(picture, goods.clone());
            // Poisoned only by a panic, and that ends the scope.
            done.lock().unwrap_or_else(PoisonError::into_inner).push((at, result));
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                while next.load(Ordering::Relaxed) < pictures.len() {
                    if let Err(panic) = std::thread::scope(|scope| scope.spawn(some).join()) {
                        std::panic::resume_unwind(panic);
                    }
                }
            });
        }
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// True when `text` asks for that name: one of its parts between commas is `=` and the name itself, or words
/// that are all in it, such as `basket large ar`. An empty text asks for all.
pub fn named(name: &str, text: &str) -> bool {
    text.split(',').map(str::trim).any(|part| match part.strip_prefix('=') {
        Some(whole) => whole == name,
        None => part.split_whitespace().all(|word| name.contains(word)),
    })
}
