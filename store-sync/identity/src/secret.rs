//! Files that are for their owner alone: mode 0600 in a folder of mode 0700, checked at every start.
//!
//! A key that others could read may have been read already, so a wrong mode is an error and is not
//! mended silently: whoever runs the machine shall know of it and may want a new key.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

/// Bits that nobody but the owner may have.
const OTHERS: u32 = 0o077;
/// A secret file is a key or a certificate; what is longer is something else.
const LARGEST_BYTES: u64 = 256 * 1024;

/// A private file or folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SecretError {
    /// The system refused.
    #[error("{what} {}: {source}", path.display())]
    File {
        /// What was tried.
        what: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it failed.
        source: std::io::Error,
    },
    /// Others may read it.
    #[error(
        "{} has mode {found:04o}, so that others may read it; if nobody can have done so, make it private with: chmod {wanted:o} {}",
        path.display(), path.display()
    )]
    Mode {
        /// The file or folder.
        path: PathBuf,
        /// Its access bits.
        found: u32,
        /// Those it should have.
        wanted: u32,
    },
    /// It is no plain file, or far too long.
    #[error("{} is no plain file of at most {} bytes", path.display(), LARGEST_BYTES)]
    Odd {
        /// The file.
        path: PathBuf,
    },
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> SecretError {
    move |source| SecretError::File { what, path: path.to_owned(), source }
}

/// Makes the folder with mode 0700, or checks the one that is there.
///
/// # Errors
/// [`SecretError`] when it cannot be made, or others may enter it.
pub fn folder(path: &Path) -> Result<(), SecretError> {
    if !path.exists() {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(path).map_err(failed("cannot make folder", path))?;
    }
    let mode = std::fs::metadata(path).map_err(failed("cannot look at folder", path))?.mode() & 0o7777;
    match mode & OTHERS {
        0 => Ok(()),
        _ => Err(SecretError::Mode { path: path.to_owned(), found: mode, wanted: 0o700 }),
    }
}

/// Reads a private file; `None` when there is none.
///
/// # Errors
/// [`SecretError`] when others may read it, or it cannot be read.
pub fn read(path: &Path) -> Result<Option<Zeroizing<Vec<u8>>>, SecretError> {
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed("cannot read", path)(source)),
    };
    // Of the opened file, so that nobody can put another in its place in between.
    let meta = file.metadata().map_err(failed("cannot look at", path))?;
    if !meta.is_file() || meta.len() > LARGEST_BYTES {
        return Err(SecretError::Odd { path: path.to_owned() });
    }
    let mode = meta.mode() & 0o7777;
    if mode & OTHERS != 0 {
        return Err(SecretError::Mode { path: path.to_owned(), found: mode, wanted: 0o600 });
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(meta.len() as usize));
    file.read_to_end(&mut bytes).map_err(failed("cannot read", path))?;
    Ok(Some(bytes))
}

/// Writes a private file, whole or not at all, and brings it to the disk.
///
/// # Errors
/// [`SecretError`] when it cannot be written; what was there is as before.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), SecretError> {
    put(path, bytes, 0o600)
}

/// Writes a file that anyone may read, such as a certificate, in the same way.
///
/// # Errors
/// As [`write`].
pub fn write_public(path: &Path, bytes: &[u8]) -> Result<(), SecretError> {
    put(path, bytes, 0o644)
}

fn put(path: &Path, bytes: &[u8], mode: u32) -> Result<(), SecretError> {
    let fail = || failed("cannot write", path);
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let partial = path.with_extension("partial");
    // One left by a power cut may have other access bits.
    if let Err(e) = std::fs::remove_file(&partial)
        && e.kind() != std::io::ErrorKind::NotFound
    {
        return Err(fail()(e));
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode).open(&partial).map_err(fail())?;
    file.write_all(bytes).and_then(|()| file.sync_all()).map_err(fail())?;
    std::fs::rename(&partial, path).map_err(fail())?;
    // The name, too, must be on the disk.
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(fail())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn set_mode(path: &Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("changed");
    }

    #[test]
    fn a_secret_is_written_for_its_owner_alone_and_read_back() {
        let place = tempfile::tempdir().expect("a folder");
        let keys = place.path().join("a/keys");
        folder(&keys).expect("made");
        let path = keys.join("key");
        assert!(read(&path).expect("none yet").is_none());
        std::fs::write(path.with_extension("partial"), "left by a power cut").expect("written");
        write(&path, b"one").expect("written");
        write(&path, b"two").expect("written again");
        assert_eq!(read(&path).expect("read").expect("there").as_slice(), b"two");
        assert_eq!(std::fs::metadata(&path).expect("there").mode() & 0o777, 0o600);
        assert_eq!(std::fs::metadata(&keys).expect("there").mode() & 0o777, 0o700);
        assert!(!path.with_extension("partial").exists());
    }

    #[test]
    fn a_key_that_others_may_read_is_refused_with_what_to_do() {
        let place = tempfile::tempdir().expect("a folder");
        let keys = place.path().join("keys");
        folder(&keys).expect("made");
        let path = keys.join("key");
        write(&path, b"secret").expect("written");
        for mode in [0o644, 0o640, 0o604, 0o660, 0o601] {
            set_mode(&path, mode);
            let error = read(&path).expect_err("others may read it").to_string();
            assert!(error.contains(&format!("{mode:04o}")) && error.contains("chmod 600"), "{error}");
            assert!(error.contains(path.to_str().expect("plain")), "{error}");
        }
        set_mode(&keys, 0o755);
        let error = folder(&keys).expect_err("others may enter").to_string();
        assert!(error.contains("0755") && error.contains("chmod 700"), "{error}");
    }

    #[test]
    fn a_folder_or_a_flood_is_no_secret() {
        let place = tempfile::tempdir().expect("a folder");
        assert!(matches!(read(place.path()), Err(SecretError::Odd { .. })));
        let path = place.path().join("flood");
        write(&path, &vec![0; LARGEST_BYTES as usize + 1]).expect("written");
        assert!(matches!(read(&path), Err(SecretError::Odd { .. })));
    }
}
