//! The recordings of a cart: a folder of files, which show people and are deleted when they have served.

use std::path::{Path, PathBuf};

use super::view::RecordingFile;

/// What their names end with.
const ENDING: &str = "trip-recording";

/// The folder.
pub fn folder_in(data: &Path) -> PathBuf {
    data.join("recordings")
}

/// A name for the next one: one more than the highest there, so that order needs no clock.
pub fn next(data: &Path) -> PathBuf {
    let numbers = names(data).into_iter().filter_map(|name| name.split('.').next()?.parse::<u32>().ok());
    let number = numbers.max().map_or(1, |highest| highest.saturating_add(1));
    folder_in(data).join(format!("{number:04}.{ENDING}"))
}

/// What is there, newest first.
pub fn list(data: &Path, under_way: Option<&Path>) -> Vec<RecordingFile> {
    let folder = folder_in(data);
    let file = |name: String| {
        let path = folder.join(&name);
        let bytes = std::fs::metadata(&path).map_or(0, |meta| meta.len());
        RecordingFile { under_way: under_way == Some(&*path), name, bytes }
    };
    let mut names = names(data);
    names.sort_unstable_by(|a, b| b.cmp(a));
    names.into_iter().map(file).collect()
}

/// Deletes one of the list; not the one under way, and nothing that is not in the list.
///
/// # Errors
/// When it cannot be deleted.
pub fn delete(data: &Path, name: &str, under_way: Option<&Path>) -> std::io::Result<()> {
    let path = folder_in(data).join(name);
    if under_way == Some(&*path) || !names(data).iter().any(|there| there == name) {
        return Ok(());
    }
    std::fs::remove_file(path)
}

fn names(data: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder_in(data)) else { return Vec::new() };
    let named = entries.filter_map(Result::ok).filter_map(|entry| entry.file_name().into_string().ok());
    named.filter(|name| name.ends_with(ENDING)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_on_and_only_what_is_listed_is_deleted() {
        let data = tempfile::tempdir().expect("a folder");
        let data = data.path();
        assert_eq!(next(data), folder_in(data).join("0001.trip-recording"));
        std::fs::create_dir(folder_in(data)).expect("made");
        std::fs::write(data.join("cart-key"), "k").expect("written");
        for (name, text) in [("0002.trip-recording", "12"), ("0009.trip-recording", "1"), ("notes.txt", "x")] {
            std::fs::write(folder_in(data).join(name), text).expect("written");
        }
        let last = folder_in(data).join("0009.trip-recording");
        let listed = list(data, Some(&last));
        let told: Vec<_> = listed.iter().map(|file| (file.name.as_str(), file.bytes, file.under_way)).collect();
        assert_eq!(told, [("0009.trip-recording", 1, true), ("0002.trip-recording", 2, false)]);
        assert_eq!(next(data), folder_in(data).join("0010.trip-recording"));
        for name in ["../cart-key", "notes.txt", "0009.trip-recording"] {
            delete(data, name, Some(&last)).expect("nothing happens");
        }
        assert!(data.join("cart-key").exists() && last.exists() && folder_in(data).join("notes.txt").exists());
        delete(data, "0002.trip-recording", Some(&last)).expect("deleted");
        assert_eq!(list(data, None).len(), 1);
    }
}
