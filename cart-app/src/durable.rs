//! Small files that are whole or not there: a power cut leaves the old one or the new one.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes `bytes` beside `path`, brings them to the disk, and puts them in its place. The file gets the
/// access bits `mode`, such as `0o600` for its owner alone.
///
/// # Errors
/// When the folder cannot be made or written; what was at `path` is as before.
pub fn write(path: &Path, bytes: &[u8], mode: u32) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let partial = path.with_extension("partial");
    // One left by a power cut may have other access bits.
    if partial.exists() {
        std::fs::remove_file(&partial)?;
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&partial)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&partial, path)?;
    // The name, too, must be on the disk.
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_and_for_its_owner_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("new/secret");
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
        std::fs::write(path.with_extension("partial"), "left by a power cut").expect("written");
        write(&path, b"one", 0o600).expect("written");
        write(&path, b"two", 0o600).expect("written again");
        assert_eq!(std::fs::read(&path).expect("there"), b"two");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
        assert!(!path.with_extension("partial").exists());
    }
}
