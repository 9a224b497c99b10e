//! A shopping list as people write it: a line or a comma for each thing, perhaps with how many.

use serde::{Deserialize, Serialize};

/// No list has more entries, and no entry more characters; what is beyond is left out.
pub const MOST_ENTRIES: usize = 100;
/// The longest entry, in characters.
pub const LONGEST_ENTRY: usize = 60;
/// Nobody wants more pieces of one thing than this; a larger number is part of the name.
const MOST_PIECES: u32 = 99;

/// An entry as a cart keeps it until the trip ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Noted {
    /// As it was written.
    pub text: String,
    /// True once the shopper has ticked it by hand.
    #[serde(default)]
    pub ticked: bool,
}

/// What an entry asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted<'a> {
    /// How many, 1 or more.
    pub pieces: u32,
    /// Of what.
    pub what: &'a str,
}

/// The entries of `text`, in its order: bullets, numbering and boxes of a pasted list go, empty lines too.
pub fn read(text: &str) -> Vec<String> {
    let bytes = text.as_bytes();
    let digit = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii_digit);
    let mut entries = Vec::new();
    let mut begin = 0;
    for (at, sign) in text.char_indices().chain([(text.len(), '\n')]) {
        let parts = match sign {
            '\n' | '\r' | ';' | '、' | '،' => true,
            // Many languages write 3.5 as 3,5.
            ',' => !(digit(at.checked_sub(1)) && digit(Some(at + 1))),
            _ => false,
        };
        if parts && begin <= at {
            entries.push(entry(&text[begin..at]));
            begin = at + sign.len_utf8();
        }
    }
    entries.into_iter().filter(|entry| !entry.is_empty()).take(MOST_ENTRIES).collect()
}

fn entry(part: &str) -> String {
    let mut rest = part.trim();
    loop {
        let bare = rest.trim_start_matches(['-', '*', '•', '·', '☐', '☑', '✓']).trim_start();
        let bare = ["[ ]", "[x]", "[X]"].iter().find_map(|sign| bare.strip_prefix(sign)).unwrap_or(bare).trim_start();
        if bare == rest {
            break;
        }
        rest = bare;
    }
    // "1. milk" and "2) bread" are numbered; "2 milk" is two of them.
    let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if (1..=2).contains(&digits)
        && let Some(numbered) = rest[digits..].strip_prefix(['.', ')'])
        && numbered.starts_with(' ')
    {
        rest = numbered.trim_start();
    }
    let plain: String = rest.chars().map(|c| if c.is_control() { ' ' } else { c }).take(LONGEST_ENTRY).collect();
    plain.trim().to_owned()
}

/// What an entry asks for: "2 milk", "2x milk", "2 × milk" and "milk x2" are two of milk.
pub fn wanted(entry: &str) -> Wanted<'_> {
    let entry = entry.trim();
    let count = |digits: &str| digits.parse().ok().filter(|n| (1..=MOST_PIECES).contains(n));
    let digits = entry.len() - entry.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    if let Some(pieces) = count(&entry[..digits]) {
        let rest = &entry[digits..];
        let times = rest.trim_start().strip_prefix(['x', 'X', '×', '*']).filter(|what| what.starts_with(' '));
        let what = times.or_else(|| rest.strip_prefix(' ')).map(str::trim).unwrap_or_default();
        if what.chars().any(char::is_alphabetic) && !is_measure(what) {
            return Wanted { pieces, what };
        }
    }
    let behind = entry.trim_end_matches(|c: char| c.is_ascii_digit());
    if let Some(pieces) = count(&entry[behind.len()..])
        && let Some(what) = behind.trim_end().strip_suffix(['x', 'X', '×', '*'])
        && what.ends_with(' ')
    {
        return Wanted { pieces, what: what.trim() };
    }
    Wanted { pieces: 1, what: entry }
}

/// "500 g flour" is no five hundred, and "2 l milk" no two.
fn is_measure(what: &str) -> bool {
    let first = what.split(' ').next().unwrap_or_default();
    ["g", "kg", "l", "ml", "cl", "dl", "lb", "oz"].contains(&first.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_list_is_read_entry_by_entry() {
        let text = "- [ ] Milk\r\n• 2 oat drinks\n\n1. Bread\n2) Butter, jam ;  tea\n*\n[x] eggs\n7up\n3.5% yoghurt\n3,5 % Milch\n\u{7}salt";
        let expected = [
            "Milk",
            "2 oat drinks",
            "Bread",
            "Butter",
            "jam",
            "tea",
            "eggs",
            "7up",
            "3.5% yoghurt",
            "3,5 % Milch",
            "salt",
        ];
        assert_eq!(read(text), expected);
        assert_eq!(read(&"milk\n".repeat(5_000)).len(), MOST_ENTRIES);
        assert_eq!(read(&"ü".repeat(500)), ["ü".repeat(LONGEST_ENTRY)]);
        assert!(read(" \n,;\n- \n").is_empty());
    }

    #[test]
    fn how_many_is_read_where_it_is_certain() {
        for (entry, pieces, what) in [
            ("milk", 1, "milk"),
            ("2 milk", 2, "milk"),
            ("2x milk", 2, "milk"),
            ("2 × milk", 2, "milk"),
            ("milk x2", 2, "milk"),
            ("milk x 12", 12, "milk"),
            ("500 g flour", 1, "500 g flour"),
            ("2 l milk", 1, "2 l milk"),
            ("7up", 1, "7up"),
            ("3.5% yoghurt", 1, "3.5% yoghurt"),
            ("0 milk", 1, "0 milk"),
            ("42", 1, "42"),
            ("Box", 1, "Box"),
            ("", 1, ""),
        ] {
            assert_eq!(wanted(entry), Wanted { pieces, what }, "{entry:?}");
        }
    }
}
