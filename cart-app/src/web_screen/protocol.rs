//! What browser and screen say to each other.
//!
//! The browser sends JSON, a message for each of: its token (first, once), the number of the update it has
//! drawn, a gesture. The screen sends its [`Welcome`] as JSON, then updates in binary (see
//! [`super::update`]). Whatever else comes is refused here, before anything acts on it.

use serde::{Deserialize, Serialize};
use slint::PhysicalSize;
use slint::platform::Key;

use super::token::Rights;

/// No honest message is longer, in bytes.
pub const LONGEST_MESSAGE: usize = 512;
/// A key's text: one character as a person counts them, with its accents.
const LONGEST_KEY: usize = 16;
/// One turn of a wheel moves no further, in pixels.
const LONGEST_TURN: f64 = 2_000.0;

/// Where a pointer is, in pixels of the screen. One pixel beside it stands for anywhere outside.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// From the left, -1 to the width.
    pub x: f32,
    /// From the top, -1 to the height.
    pub y: f32,
}

/// What a viewer does with pointer and keys.
#[derive(Clone, Debug, PartialEq)]
pub enum Gesture {
    /// The pointer goes down.
    Press(Place),
    /// It moves, down or not.
    Move(Place),
    /// It goes up.
    Release(Place),
    /// It is gone: lifted off, moved off the screen, or its viewer has left.
    Leave,
    /// A wheel was turned: at a place, by pixels to the right and downwards that the content moves.
    Wheel(Place, f32, f32),
    /// A key goes down or up, by the text that Slint has for it.
    Key {
        /// The text.
        text: String,
        /// True when it goes down.
        down: bool,
    },
}

/// A message of the browser.
#[derive(Clone, PartialEq)]
pub enum Said {
    /// Its token.
    Token(String),
    /// The update of this number is on the canvas.
    Seen(u32),
    /// A gesture.
    Gesture(Gesture),
}

/// The message is none of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not understood")]
pub struct NotUnderstood;

/// The messages as they are written.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Wire {
    Token(String),
    Seen(u32),
    Press([f64; 2]),
    Move([f64; 2]),
    Release([f64; 2]),
    Leave,
    Wheel([f64; 4]),
    Key { key: String, down: bool },
}

/// Reads a message; places come out on the screen, or beside it by one pixel.
///
/// # Errors
/// [`NotUnderstood`] for all else.
pub fn read(text: &str, size: PhysicalSize) -> Result<Said, NotUnderstood> {
    let at = |place| at(place, size);
    Ok(match serde_json::from_str(text).map_err(|_| NotUnderstood)? {
        Wire::Token(token) => Said::Token(token),
        Wire::Seen(number) => Said::Seen(number),
        Wire::Press(place) => Said::Gesture(Gesture::Press(at(place)?)),
        Wire::Move(place) => Said::Gesture(Gesture::Move(at(place)?)),
        Wire::Release(place) => Said::Gesture(Gesture::Release(at(place)?)),
        Wire::Leave => Said::Gesture(Gesture::Leave),
        Wire::Wheel([x, y, right, down]) => Said::Gesture(Gesture::Wheel(at([x, y])?, turn(right)?, turn(down)?)),
        Wire::Key { key, down } => Said::Gesture(Gesture::Key { text: key_text(&key)?, down }),
    })
}

fn at([x, y]: [f64; 2], size: PhysicalSize) -> Result<Place, NotUnderstood> {
    if !x.is_finite() || !y.is_finite() {
        return Err(NotUnderstood);
    }
    Ok(Place { x: x.clamp(-1.0, f64::from(size.width)) as f32, y: y.clamp(-1.0, f64::from(size.height)) as f32 })
}

fn turn(pixels: f64) -> Result<f32, NotUnderstood> {
    if pixels.is_finite() { Ok(pixels.clamp(-LONGEST_TURN, LONGEST_TURN) as f32) } else { Err(NotUnderstood) }
}

/// Slint's text for a key. Source: UI Events KeyboardEvent key Values, for the names.
fn key_text(key: &str) -> Result<String, NotUnderstood> {
    let named = match key {
        "Backspace" => Key::Backspace,
        "Delete" => Key::Delete,
        "Enter" => Key::Return,
        "Tab" => Key::Tab,
        "Escape" => Key::Escape,
        "ArrowUp" => Key::UpArrow,
        "ArrowDown" => Key::DownArrow,
        "ArrowLeft" => Key::LeftArrow,
        "ArrowRight" => Key::RightArrow,
        "Home" => Key::Home,
        "End" => Key::End,
        "PageUp" => Key::PageUp,
        "PageDown" => Key::PageDown,
        _ => return typed(key),
    };
    Ok(char::from(named).to_string())
}

/// What was typed. Slint keeps control characters and the private use area for its named keys, so that
/// neither may come as text.
fn typed(key: &str) -> Result<String, NotUnderstood> {
    let private = |c: char| ('\u{E000}'..='\u{F8FF}').contains(&c);
    let short = (1..=LONGEST_KEY).contains(&key.len()) && key.chars().filter(|c| c.is_alphanumeric()).count() <= 1;
    if short && !key.chars().any(|c| c.is_control() || private(c)) { Ok(key.to_owned()) } else { Err(NotUnderstood) }
}

/// What the screen says to a viewer whose token is right.
#[derive(Serialize)]
pub struct Welcome {
    /// `touch` or `look`.
    rights: &'static str,
    width: u32,
    height: u32,
}

impl Welcome {
    /// To a viewer of a screen so large.
    pub fn new(rights: Rights, size: PhysicalSize) -> Self {
        let rights = match rights {
            Rights::Look => "look",
            Rights::Touch => "touch",
        };
        Self { rights, width: size.width, height: size.height }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: PhysicalSize = PhysicalSize::new(1280, 800);

    fn gesture(text: &str) -> Option<Gesture> {
        match read(text, SIZE) {
            Ok(Said::Gesture(gesture)) => Some(gesture),
            _ => None,
        }
    }

    #[test]
    fn messages_mean_what_they_say() {
        let place = |x, y| Place { x, y };
        let check = |text: &str, expected: Gesture| assert_eq!(gesture(text), Some(expected), "{text}");
        check(r#"{"press":[10,20.5]}"#, Gesture::Press(place(10.0, 20.5)));
        check(r#"{"move":[0,0]}"#, Gesture::Move(place(0.0, 0.0)));
        check(r#"{"release":[1279,799]}"#, Gesture::Release(place(1279.0, 799.0)));
        check(r#""leave""#, Gesture::Leave);
        check(r#"{"wheel":[5,6,0,-120]}"#, Gesture::Wheel(place(5.0, 6.0), 0.0, -120.0));
        check(r#"{"key":{"key":"a","down":true}}"#, Gesture::Key { text: "a".into(), down: true });
        check(r#"{"key":{"key":"é","down":false}}"#, Gesture::Key { text: "é".into(), down: false });
        let backspace = Gesture::Key { text: char::from(Key::Backspace).to_string(), down: true };
        check(r#"{"key":{"key":"Backspace","down":true}}"#, backspace);
        assert!(matches!(read(r#"{"seen":7}"#, SIZE), Ok(Said::Seen(7))));
        assert!(matches!(read(r#"{"token":"abc"}"#, SIZE), Ok(Said::Token(token)) if token == "abc"));
    }

    #[test]
    fn places_and_turns_are_kept_within_bounds() {
        let check = |text: &str, x: f32, y: f32| {
            assert_eq!(gesture(text), Some(Gesture::Move(Place { x, y })), "{text}");
        };
        check(r#"{"move":[-40000,40000]}"#, -1.0, 800.0);
        check(r#"{"move":[1e300,-1e300]}"#, 1280.0, -1.0);
        check(r#"{"move":[1280.7,-0.5]}"#, 1280.0, -0.5);
        let turned = Gesture::Wheel(Place { x: 0.0, y: 0.0 }, 2_000.0, -2_000.0);
        assert_eq!(gesture(r#"{"wheel":[0,0,1e9,-1e9]}"#), Some(turned));
        for wrong in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            assert_eq!(at([wrong, 0.0], SIZE), Err(NotUnderstood));
            assert_eq!(at([0.0, wrong], SIZE), Err(NotUnderstood));
            assert_eq!(turn(wrong), Err(NotUnderstood));
        }
    }

    #[test]
    fn all_else_is_refused() {
        let long = format!(r#"{{"key":{{"key":"{}","down":true}}}}"#, "x".repeat(400));
        let deep = "[".repeat(500);
        for wrong in [
            "",
            "null",
            "{",
            "7",
            r#"{"move":[1]}"#,
            r#"{"move":[1,2,3]}"#,
            r#"{"move":["1","2"]}"#,
            r#"{"move":[1e999,0]}"#,
            r#"{"move":[NaN,0]}"#,
            r#"{"move":[1,2],"press":[1,2]}"#,
            r#"{"seen":-1}"#,
            r#"{"seen":4294967296}"#,
            r#"{"format_disk":true}"#,
            r#"{"key":{"key":"a"}}"#,
            r#"{"key":{"key":"","down":true}}"#,
            r#"{"key":{"key":"ab","down":true}}"#,
            r#"{"key":{"key":"F5","down":true}}"#,
            r#"{"key":{"key":"\u0008","down":true}}"#,
            r#"{"key":{"key":"\uf700","down":true}}"#,
            r#"{"key":{"key":"a","down":true,"times":9}}"#,
            &long,
            &deep,
        ] {
            assert!(read(wrong, SIZE).is_err(), "{wrong}");
        }
    }
}
