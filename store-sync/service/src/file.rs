//! Text files that people write, read whole but never without end.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

/// A configuration larger than this is none, in bytes.
pub const MOST_CONFIG_BYTES: usize = 1024 * 1024;

/// The text of the file at `path`, if it has no more than `most` bytes.
///
/// # Errors
/// When it cannot be read, is no UTF-8, or is larger: not more than `most` bytes of it are then in memory.
pub fn read_text(path: &Path, most: usize) -> io::Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > most {
        let what = format!("it has more than {most} bytes, which no such file has");
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, what));
    }
    String::from_utf8(bytes).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_without_an_end_is_refused_and_not_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("f");
        std::fs::write(&path, "12345").expect("written");
        assert_eq!(read_text(&path, 5).ok().as_deref(), Some("12345"));
        let kind = |path: &Path, most| read_text(path, most).map_err(|e| e.kind());
        assert_eq!(kind(&path, 4), Err(io::ErrorKind::FileTooLarge));
        assert_eq!(kind(Path::new("/dev/zero"), 1_000), Err(io::ErrorKind::FileTooLarge));
        std::fs::write(&path, [0xff, 0xfe]).expect("written");
        assert_eq!(kind(&path, 4), Err(io::ErrorKind::InvalidData));
    }
}
