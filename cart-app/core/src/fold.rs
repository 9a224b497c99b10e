//! Text as it is searched for: without accents, capitals, or the choice between ways to write one letter.
//!
//! What is typed and what is searched are folded alike, so either may have the accents: "pate" finds "Pâté"
//! and "pâté" finds "Pate".
//!
//! Source: Unicode UAX #15 (NFKD) and UAX #44 (canonical combining class); UTR #30 (withdrawn) for the
//! choice of folds; DIN 5007-2 for ä as ae.

use icu_normalizer::DecomposingNormalizerBorrowed;
use icu_normalizer::properties::CanonicalCombiningClassMapBorrowed;

/// `text` folded: words in plain small letters and digits, one space between them.
///
/// Accents and other combining marks go, Arabic vowel marks and hamza among them, and Japanese voicing marks; katakana
/// becomes hiragana; ß is ss and æ is ae; digits of any script are 0 to 9. An apostrophe goes, any other
/// mark parts words.
pub fn fold(text: &str) -> String {
    let marks = CanonicalCombiningClassMapBorrowed::new();
    let mut folded = String::with_capacity(text.len());
    let plain = DecomposingNormalizerBorrowed::new_nfkd().normalize(text);
    for c in plain.chars().flat_map(char::to_lowercase).filter(|c| marks.get_u8(*c) == 0) {
        match c {
            'ß' => folded.push_str("ss"),
            'æ' => folded.push_str("ae"),
            'œ' => folded.push_str("oe"),
            'þ' => folded.push_str("th"),
            'ø' => folded.push('o'),
            'ð' | 'đ' => folded.push('d'),
            'ł' => folded.push('l'),
            'ı' => folded.push('i'),
            // One sound, two letters: each is written for the other at the end of a word.
            'ى' => folded.push('ي'),
            'ة' => folded.push('ه'),
            'ァ'..='ヶ' => folded.push(char::from_u32(u32::from(c) - 0x60).unwrap_or(c)),
            // The stretched line within an Arabic word, and what stands within a word of others.
            'ـ' | '\'' | '’' | '‘' | 'ʼ' | '`' | '´' => {}
            _ => match digit(c) {
                Some(digit) => folded.push(digit),
                None if c.is_alphanumeric() => folded.push(c),
                None if !folded.is_empty() && !folded.ends_with(' ') => folded.push(' '),
                None => {}
            },
        }
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// [`fold`] with ä, ö and ü written out as they are where a keyboard lacks them: "kaese" for "Käse". `None`
/// where that is the same.
pub fn fold_written_out(text: &str) -> Option<String> {
    let umlaut = |c: char| matches!(c, 'ä' | 'ö' | 'ü' | 'Ä' | 'Ö' | 'Ü');
    text.contains(umlaut).then(|| {
        let written = text.chars().fold(String::with_capacity(text.len() + 4), |mut written, c| {
            match c {
                'ä' | 'Ä' => written.push_str("ae"),
                'ö' | 'Ö' => written.push_str("oe"),
                'ü' | 'Ü' => written.push_str("ue"),
                _ => written.push(c),
            }
            written
        });
        fold(&written)
    })
}

/// Arabic and Persian digits; the others of Unicode fold by NFKD or are on no shelf here.
fn digit(c: char) -> Option<char> {
    let zero = match c {
        '٠'..='٩' => '٠',
        '۰'..='۹' => '۰',
        _ => return None,
    };
    char::from_digit(u32::from(c) - u32::from(zero), 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ways_to_write_one_word_fold_to_the_same() {
        for (written, folded) in [
            ("Pâté de campagne", "pate de campagne"),
            ("Pa\u{302}te\u{301}", "pate"),
            ("Straße", "strasse"),
            ("Käse", "kase"),
            ("PIÑA", "pina"),
            ("Smørrebrød, œuf", "smorrebrod oeuf"),
            ("Ben & Jerry’s", "ben jerrys"),
            ("Still water 1.5 l", "still water 1 5 l"),
            ("İzmir üzümü", "izmir uzumu"),
            ("أُرْز", "ارز"),
            ("آيس كريم", "ايس كريم"),
            ("جبنـة", "جبنه"),
            ("مستشفى ٤٢", "مستشفي 42"),
            ("バター", "はたー"),
            ("ばたー", "はたー"),
            ("ﾊﾞﾀｰ Ｂ１", "はたー b1"),
            ("🎁 gift  ", "gift"),
            ("", ""),
            ("’’", ""),
        ] {
            assert_eq!(fold(written), folded, "{written:?}");
        }
    }

    #[test]
    fn a_folded_text_folds_to_itself() {
        for text in ["Pâté", "Straße", "أُرْز", "バター", "Ben & Jerry’s", "½ l", "ﷺ", "ǅ"] {
            let once = fold(text);
            assert_eq!(fold(&once), once, "{text:?}");
        }
    }

    #[test]
    fn umlauts_may_be_written_out() {
        for (written, folded) in [("Käse", Some("kaese")), ("Müsli Öl", Some("muesli oel")), ("Noël", None), ("", None)]
        {
            assert_eq!(fold_written_out(written).as_deref(), folded);
        }
    }
}
