//! A log that never fills the disk: a file of bounded size and a few before it.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// A log file, and those it was before: `cart.log`, `cart.log.1` (newer) to `cart.log.N`.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    most_bytes: u64,
    older: u32,
    /// Threads log; whole lines must not mix.
    open: Mutex<(File, u64)>,
}

impl LogFile {
    /// Bytes of one file, and how many older ones are kept, for a cart or a hub.
    pub const USUAL: (u64, u32) = (8 * 1024 * 1024, 3);

    /// Goes on with the file at `path`, whose folder is made if need be.
    ///
    /// # Errors
    /// When it cannot be opened for writing.
    pub fn open(path: &Path, (most_bytes, older): (u64, u32)) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = append(path)?;
        let length = file.metadata()?.len();
        Ok(Self { path: path.into(), most_bytes, older, open: Mutex::new((file, length)) })
    }

    /// Writes one entry whole, into a new file when the present one is full.
    ///
    /// # Errors
    /// When the disk is full; the entry is lost then, and the program goes on.
    pub fn entry(&self, bytes: &[u8]) -> io::Result<()> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if open.1 > 0 && open.1 + bytes.len() as u64 > self.most_bytes {
            *open = (self.turn()?, 0);
        }
        open.0.write_all(bytes)?;
        open.1 += bytes.len() as u64;
        Ok(())
    }

    /// Every file becomes the one before it, and the oldest goes.
    fn turn(&self) -> io::Result<File> {
        let name =
            |n: u32| if n == 0 { self.path.clone() } else { PathBuf::from(format!("{}.{n}", self.path.display())) };
        for n in (0..self.older).rev() {
            if name(n).exists() {
                std::fs::rename(name(n), name(n + 1))?;
            }
        }
        if self.older == 0 {
            std::fs::remove_file(&self.path)?;
        }
        append(&self.path)
    }
}

fn append(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).append(true).open(path)
}

/// One entry of a log, gathered and written whole when it ends.
#[derive(Debug)]
pub struct Entry {
    file: Arc<LogFile>,
    bytes: Vec<u8>,
}

impl LogFile {
    /// An entry that is written when it is dropped.
    pub fn begin(self: &Arc<Self>) -> Entry {
        Entry { file: self.clone(), bytes: Vec::new() }
    }
}

impl Write for Entry {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        // A log that cannot be written has nowhere to say so.
        let _ = self.file.entry(&self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<(String, u64)> {
        let entries = std::fs::read_dir(folder).expect("a folder").flatten();
        let size =
            |e: std::fs::DirEntry| (e.file_name().to_string_lossy().into_owned(), e.metadata().expect("there").len());
        let mut files: Vec<_> = entries.map(size).collect();
        files.sort();
        files
    }

    #[test]
    fn a_week_of_entries_stays_within_its_bounds_and_the_newest_are_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("log/cart.log");
        for run in 0..3 {
            let log = Arc::new(LogFile::open(&path, (1_000, 2)).expect("opened"));
            for n in 0..500 {
                let mut entry = log.begin();
                write!(entry, "run {run} ").expect("gathered");
                writeln!(entry, "entry {n:03}").expect("gathered");
            }
        }
        let found = files(path.parent().expect("a folder"));
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["cart.log", "cart.log.1", "cart.log.2"]);
        assert!(found.iter().all(|(_, bytes)| *bytes <= 1_000), "{found:?}");
        let text = std::fs::read_to_string(&path).expect("text");
        assert_eq!(text.lines().last(), Some("run 2 entry 499"));
        let before = std::fs::read_to_string(path.with_extension("log.1")).expect("text");
        let number = |line: Option<&str>| line.and_then(|l| l[l.len() - 3..].parse::<u32>().ok()).expect("a number");
        assert_eq!(
            number(before.lines().last()) + 1,
            number(text.lines().next()),
            "no entry is lost between two files"
        );
    }

    #[test]
    fn an_entry_larger_than_a_file_is_still_whole() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = LogFile::open(&folder.path().join("l"), (10, 0)).expect("opened");
        log.entry(b"a long entry, longer than a file\n").expect("written");
        log.entry(b"short\n").expect("written");
        assert_eq!(std::fs::read(folder.path().join("l")).expect("text"), b"short\n");
    }
}
