//! Disk space that is kept for what must not fail.
//!
//! A [`Reserve`] is a file of nothing. While the disk has room it lies there; when a write that must not fail
//! finds the disk full, the file is given up and the write is done in its place.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Bytes that are free for this user on the disk of `folder`.
///
/// # Errors
/// When the folder cannot be asked about.
pub fn free(folder: &Path) -> io::Result<u64> {
    let disk = rustix::fs::statvfs(folder)?;
    Ok(disk.f_bavail.saturating_mul(disk.f_frsize))
}

/// Space that is kept.
#[derive(Debug)]
pub struct Reserve {
    path: PathBuf,
    bytes: u64,
    held: bool,
}

impl Reserve {
    /// Keeps `bytes` in the file `path`; what a run before kept counts. When there is no room for it, the
    /// reserve is not held, and [`Reserve::take_back`] tries again.
    pub fn keep(path: PathBuf, bytes: u64) -> Self {
        let mut reserve = Self { path, bytes, held: false };
        reserve.held = std::fs::metadata(&reserve.path).is_ok_and(|file| file.len() == bytes);
        reserve.take_back();
        reserve
    }

    /// True while the space is kept; false once it was given up, which means that the disk is full.
    pub fn held(&self) -> bool {
        self.held
    }

    /// Gives the space up for a write that must not fail. True if there was any.
    pub fn give_up(&mut self) -> bool {
        let held = std::mem::take(&mut self.held);
        held && std::fs::remove_file(&self.path).is_ok()
    }

    /// Keeps the space again, if the disk has twice as much: so that keeping it does not fill the disk.
    pub fn take_back(&mut self) {
        if self.held {
            return;
        }
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let room = free(folder).is_ok_and(|free| free / 2 >= self.bytes);
        self.held = room && fill(&self.path, self.bytes).is_ok();
        if !self.held {
            // Half a reserve is in the way of everybody.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// A file of real blocks: a sparse one would keep nothing.
fn fill(path: &Path, bytes: u64) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).open(path)?;
    let block = vec![0xA5; 64 * 1024];
    let mut left = bytes;
    while left > 0 {
        let part = left.min(block.len() as u64) as usize;
        file.write_all(&block[..part])?;
        left -= part as u64;
    }
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn space_is_kept_given_up_once_and_taken_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("reserve");
        let mut reserve = Reserve::keep(path.clone(), 200_000);
        assert!(reserve.held());
        assert_eq!(std::fs::metadata(&path).expect("there").len(), 200_000);
        assert!(reserve.give_up() && !reserve.give_up(), "once");
        assert!(!path.exists());
        reserve.take_back();
        assert!(reserve.held() && path.exists());
        drop(reserve);
        assert!(Reserve::keep(path, 200_000).held(), "what a run before kept counts");
    }

    #[test]
    fn no_space_is_taken_that_others_need() {
        let folder = tempfile::tempdir().expect("a folder");
        let free = free(folder.path()).expect("known");
        let path = folder.path().join("reserve");
        let reserve = Reserve::keep(path.clone(), free / 2 + 1_000_000_000);
        assert!(!reserve.held() && !path.exists());
    }
}
