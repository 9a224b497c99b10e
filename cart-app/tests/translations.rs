//! Every word of the markup is in every catalogue, with the same places to fill in, and no catalogue has
//! words that the markup has lost.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use cart_app::ui::Language;

/// Context (the component), text, and the text for many, if there is one.
type Key = (String, String, Option<String>);
/// A catalogue: how many plural forms it has, and its texts.
struct Catalogue {
    forms: usize,
    texts: BTreeMap<Key, Vec<String>>,
}

#[test]
fn every_word_of_the_markup_is_in_every_language() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let markup: BTreeSet<Key> = files(&folder.join("ui")).iter().flat_map(|file| messages(&read(file))).collect();
    assert!(markup.len() > 100, "only {} texts were found in the markup", markup.len());
    for language in Language::ALL.into_iter().filter(|l| *l != Language::English) {
        let path = folder.join(format!("translations/{}/LC_MESSAGES/cart-ui.po", language.tag()));
        let faults = faults(&markup, &catalogue(&read(&path)));
        assert!(faults.is_empty(), "{}:\n{}", path.display(), faults.join("\n"));
    }
}

#[test]
fn there_is_a_catalogue_for_each_language_and_no_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("translations");
    let there: BTreeSet<String> = std::fs::read_dir(&folder)
        .expect("the translations")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    let wanted = Language::ALL.into_iter().filter(|l| *l != Language::English).map(|l| l.tag().to_owned()).collect();
    assert_eq!(there, wanted);
}

#[test]
fn what_is_wrong_with_a_catalogue_is_found() {
    let markup = r#"export component Basket { // not @tr("this")
        Text { text: @tr("Total {}", 1); } Text { text: @tr("{n} item" | "{n} items" % 2); } }"#;
    let good = "msgid \"\"\nmsgstr \"\"\n\"Plural-Forms: nplurals=2; plural=n != 1;\\n\"\n\n\
        msgctxt \"Basket\"\nmsgid \"Total {}\"\nmsgstr \"Summe {}\"\n\n\
        msgctxt \"Basket\"\nmsgid \"{n} item\"\nmsgid_plural \"{n} items\"\nmsgstr[0] \"ein Ding\"\nmsgstr[1] \"{n} Dinge\"\n";
    let found = |po: &str| faults(&messages(markup).into_iter().collect(), &catalogue(po)).join("; ");
    assert_eq!(found(good), "");
    for (from, to, expected) in [
        ("msgid \"Total {}\"", "msgid \"Sum {}\"", "Basket \"Sum {}\" is left over; Basket \"Total {}\" is missing"),
        ("msgctxt \"Basket\"\nmsgid \"Total", "msgctxt \"Row\"\nmsgid \"Total", "is left over"),
        ("\"Summe {}\"", "\"\"", "Basket \"Total {}\" is empty"),
        ("\"Summe {}\"", "\"Summe\"", "Basket \"Total {}\" has other places to fill in"),
        ("\"Summe {}\"", "\"Summe {1}\"", "has other places"),
        ("\"Summe {}\"", "\"Summe {0}\"", ""),
        ("\"{n} Dinge\"", "\"Dinge\"", "Basket \"{n} item\" has other places"),
        ("\nmsgstr[1] \"{n} Dinge\"", "", "Basket \"{n} item\" has 1 of 2 plural forms"),
    ] {
        let found = found(&good.replace(from, to));
        let right = if expected.is_empty() { found.is_empty() } else { found.contains(expected) };
        assert!(right, "{to}: {found:?} should say {expected:?}");
    }
}

fn faults(markup: &BTreeSet<Key>, catalogue: &Catalogue) -> Vec<String> {
    let name = |(context, text, _): &Key| format!("{context} {text:?}");
    let left_over =
        catalogue.texts.keys().filter(|key| !markup.contains(*key)).map(|k| format!("{} is left over", name(k)));
    let wrong = markup.iter().filter_map(|key| {
        let (_, one, many) = key;
        let Some(written) = catalogue.texts.get(key) else { return Some(format!("{} is missing", name(key))) };
        if written.iter().any(String::is_empty) {
            return Some(format!("{} is empty", name(key)));
        }
        let forms = if many.is_some() { catalogue.forms } else { 1 };
        if written.len() != forms {
            return Some(format!("{} has {} of {forms} plural forms", name(key), written.len()));
        }
        let wanted = places(many.as_ref().unwrap_or(one));
        let fits = written.iter().enumerate().all(|(form, text)| {
            // "One item" names no number; the last form stands for all others and must.
            let unnumbered = wanted.iter().filter(|place| *place != "n").cloned().collect();
            let found = places(text);
            found == wanted || (form + 1 < forms && found == unnumbered)
        });
        (!fits).then(|| format!("{} has other places to fill in", name(key)))
    });
    left_over.chain(wrong).collect()
}

/// What is filled in: "n", or the number of the argument.
fn places(text: &str) -> BTreeSet<String> {
    let names = text.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    let mut counted = 0..;
    names.map(|name| if name.is_empty() { counted.next().unwrap_or(0).to_string() } else { name.to_owned() }).collect()
}

/// The texts that a file of markup has translated.
fn messages(markup: &str) -> Vec<Key> {
    let mut context = String::new();
    let mut found = Vec::new();
    for line in markup.lines() {
        let code = line.split("//").next().unwrap_or_default();
        // A declaration and texts may share a line, so each is taken where it stands.
        let mut rest = code;
        while let Some(at) = ["component ", "global ", "@tr("].iter().filter_map(|word| rest.find(word)).min() {
            rest = &rest[at..];
            if let Some(call) = rest.strip_prefix("@tr(") {
                let (one, after) = literal(call).unwrap_or_else(|| panic!("no text in {line:?}"));
                let many = after.trim_start().strip_prefix('|').and_then(literal);
                rest = many.as_ref().map_or(after, |(_, after)| after);
                found.push((context.clone(), one, many.map(|(many, _)| many)));
            } else {
                let name = rest.split_whitespace().nth(1).unwrap_or_default();
                context = name.trim_end_matches('{').to_owned();
                rest = &rest[rest.find(' ').unwrap_or(0)..];
            }
        }
    }
    found
}

/// The quoted text that `code` begins with, and what follows it.
fn literal(code: &str) -> Option<(String, &str)> {
    let inside = code.trim_start().strip_prefix('"')?;
    let mut text = String::new();
    let mut characters = inside.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Some((text, &inside[at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => text.push('\n'),
                other => text.push(other),
            },
            other => text.push(other),
        }
    }
    None
}

/// Reads a catalogue: one line a keyword, longer texts on lines of their own.
fn catalogue(po: &str) -> Catalogue {
    let mut entries: Vec<BTreeMap<String, String>> = vec![BTreeMap::new()];
    let mut keyword = String::new();
    for line in po.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
        if line.is_empty() {
            entries.push(BTreeMap::new());
            continue;
        }
        let quote = line.find('"').unwrap_or_else(|| panic!("{line:?} is no line of a catalogue"));
        if quote > 0 {
            keyword = line[..quote].trim().to_owned();
        }
        let (text, _) = literal(&line[quote..]).unwrap_or_else(|| panic!("{line:?} does not end"));
        entries.last_mut().expect("an entry").entry(keyword.clone()).or_default().push_str(&text);
    }
    let forms =
        entries[0].get("msgstr").and_then(|head| head.split("nplurals=").nth(1)?.split(';').next()?.parse().ok());
    let texts = entries.iter().skip(1).filter(|entry| !entry.is_empty()).map(|entry| {
        let text = |keyword: &str| entry.get(keyword).cloned();
        let key = (text("msgctxt").unwrap_or_default(), text("msgid").unwrap_or_default(), text("msgid_plural"));
        (key, entry.iter().filter(|(keyword, _)| keyword.starts_with("msgstr")).map(|(_, t)| t.clone()).collect())
    });
    Catalogue { forms: forms.expect("a Plural-Forms line"), texts: texts.collect() }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the markup").map(|entry| entry.expect("an entry").path());
    let of = |path: PathBuf| if path.is_dir() { files(&path) } else { vec![path] };
    entries.flat_map(of).filter(|path| path.extension().is_some_and(|end| end == "slint")).collect()
}

fn read(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}
