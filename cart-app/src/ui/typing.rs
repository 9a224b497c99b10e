//! What a key of the screen's keyboard does to a text.

use icu_normalizer::properties::{CanonicalCompositionBorrowed, CanonicalDecompositionBorrowed, Decomposed};

use super::CartWindow;

/// No name on a shelf and no number is longer, in characters.
const LONGEST: usize = 60;
/// The marks that voice a kana, as Unicode combines them. Source: Unicode, Hiragana block.
const VOICED: char = '\u{3099}';
const HALF_VOICED: char = '\u{309a}';
/// The key that makes a kana small, or large again.
const SMALL: char = '小';
/// Kana that have a small form, each before it.
const SMALL_FORMS: &str = "あぁいぃうぅえぇおぉつっやゃゆゅよょわゎ";

pub(super) fn connect(window: &impl CartWindow) {
    window.typing().on_appended(|text, key| appended(&text, &key).into());
    window.typing().on_shortened(|text| shortened(&text).into());
    window.typing().on_printable(|key| printable(&key));
    window.typing().on_leftwards(|text| text.chars().any(|c| ('\u{590}'..='\u{8ff}').contains(&c)));
}

/// `text` with `key` behind it. A mark of the kana keyboard changes the kana before it, and a second time
/// back; where there is none it does nothing.
fn appended(text: &str, key: &str) -> String {
    let mut text = text.to_owned();
    let mut marks = key.chars();
    match (marks.next(), marks.next()) {
        (Some(mark @ ('゛' | '゜' | SMALL)), None) => {
            if let Some(last) = text.pop() {
                text.push(changed(last, mark).unwrap_or(last));
            }
        }
        _ if text.chars().count() < LONGEST => text.push_str(key),
        _ => {}
    }
    text
}

fn changed(kana: char, mark: char) -> Option<char> {
    if mark == SMALL {
        let at = SMALL_FORMS.chars().position(|form| form == kana)?;
        return SMALL_FORMS.chars().nth(at ^ 1);
    }
    let combining = if mark == '゛' { VOICED } else { HALF_VOICED };
    let compose = CanonicalCompositionBorrowed::new();
    match CanonicalDecompositionBorrowed::new().decompose(kana) {
        Decomposed::Expansion(plain, has) if has == combining => Some(plain),
        // は, ば, ぱ: one mark for the other.
        Decomposed::Expansion(plain, VOICED | HALF_VOICED) => compose.compose(plain, combining),
        _ => compose.compose(kana, combining),
    }
}

fn shortened(text: &str) -> String {
    let mut text = text.to_owned();
    text.pop();
    text
}

/// Whether a real keyboard's key is a character, and no function: Slint has those as control characters and
/// in the private use area.
fn printable(key: &str) -> bool {
    let function = |c: char| c.is_control() || ('\u{e000}'..='\u{f8ff}').contains(&c);
    !key.is_empty() && !key.chars().any(function)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(keys: &str) -> String {
        keys.chars().fold(String::new(), |text, key| appended(&text, &key.to_string()))
    }

    #[test]
    fn a_key_adds_its_letter_and_a_kana_mark_changes_the_one_before() {
        for (keys, text) in [
            ("abc 1", "abc 1"),
            ("ジャム", "ジャム"),
            ("は゛た", "ばた"),
            ("は゜", "ぱ"),
            ("は゛゜", "ぱ"),
            ("は゛゛", "は"),
            ("つ小", "っ"),
            ("つ小小", "つ"),
            ("き小", "き"),
            ("あ゛", "あ"),
            ("a゛", "a"),
            ("゛小", ""),
            ("قهوة", "قهوة"),
        ] {
            assert_eq!(typed(keys), text, "{keys}");
        }
    }

    #[test]
    fn functions_of_a_keyboard_are_no_letters() {
        use slint::platform::Key;
        let text = |key: Key| slint::SharedString::from(key);
        let functions = [Key::Escape, Key::Tab, Key::Return, Key::F5, Key::LeftArrow, Key::Shift, Key::Delete];
        assert!(functions.into_iter().all(|key| !printable(&text(key))));
        assert!(["a", "ß", " ", "ひ", "ق", "e\u{301}"].into_iter().all(printable));
        assert!(!printable(""));
    }

    #[test]
    fn a_text_ends_growing_and_deleting_takes_whole_characters() {
        assert_eq!(typed(&"é".repeat(500)).chars().count(), LONGEST);
        assert_eq!(shortened("Käé"), "Kä");
        assert_eq!((shortened("日本"), shortened("")), ("日".to_owned(), String::new()));
    }
}
