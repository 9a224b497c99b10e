//! Photo folders: a list of pictures with their classes, as used to measure and to enrol.
//!
//! A folder holds `classes.csv` (name, id, family name, family id, …) and pictures; a list file has
//! lines `path, fine id, coarse id` with paths relative to the folder.

use std::io::Cursor;
use std::path::{Path, PathBuf};

use image::{ImageReader, RgbImage};
use trip::Sku;

use crate::picture::MAX_PIXELS;

/// One line of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Photo {
    /// The picture.
    pub path: PathBuf,
    /// Its class, an index into [`PhotoFolder::classes`].
    pub class: usize,
    /// Its family.
    pub coarse: u32,
}

/// The classes of a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoFolder {
    /// Where.
    pub root: PathBuf,
    /// One product a class: the class's name in lower case.
    pub classes: Vec<Sku>,
}

/// A folder, list or picture that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// A file cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A line is not as it should be.
    #[error("{}:{line}: expected {expected}, found {found:?}", path.display())]
    Line {
        /// Which file.
        path: PathBuf,
        /// Which line, from 1.
        line: usize,
        /// What should be there.
        expected: &'static str,
        /// What is there.
        found: String,
    },
    /// No picture, or a damaged one.
    #[error("{} is no picture that can be used: {reason}", path.display())]
    Picture {
        /// Which.
        path: PathBuf,
        /// Why.
        reason: String,
    },
}

fn lines(path: &Path) -> Result<Vec<(usize, String)>, PhotoError> {
    let text = std::fs::read_to_string(path).map_err(|source| PhotoError::Read { path: path.into(), source })?;
    let numbered = text.lines().enumerate().map(|(i, line)| (i + 1, line.trim().to_owned()));
    Ok(numbered.filter(|(_, line)| !line.is_empty()).collect())
}

impl PhotoFolder {
    /// Reads `classes.csv` of the folder.
    ///
    /// # Errors
    /// [`PhotoError`] names the file and line that is wrong.
    pub fn open(root: &Path) -> Result<Self, PhotoError> {
        let path = root.join("classes.csv");
        let mut classes = Vec::new();
        for (number, line) in lines(&path)?.into_iter().skip(1) {
            let mut fields = line.split(',').map(str::trim);
            let name = fields.next().and_then(|n| Sku::new(n.to_ascii_lowercase()).ok());
            let id = fields.next().and_then(|i| i.parse::<usize>().ok()).filter(|i| *i == classes.len());
            let (Some(name), Some(_)) = (name, id) else {
                let expected = "`Name, id, …` with ids from 0 without a gap";
                return Err(PhotoError::Line { path, line: number, expected, found: line });
            };
            classes.push(name);
        }
        Ok(Self { root: root.into(), classes })
    }

    /// Reads a list file of this folder.
    ///
    /// # Errors
    /// [`PhotoError`] names the line that is wrong.
    pub fn list(&self, path: &Path) -> Result<Vec<Photo>, PhotoError> {
        let parse = |(number, line): (usize, String)| {
            let fields: Vec<&str> = line.split(',').map(str::trim).collect();
            let photo = match fields.as_slice() {
                [file, fine, coarse] => (fine.parse().ok().filter(|c| *c < self.classes.len()))
                    .zip(coarse.parse().ok())
                    .map(|(class, coarse)| Photo { path: self.root.join(file), class, coarse }),
                _ => None,
            };
            let expected = "`path, fine id, coarse id` with ids of classes.csv";
            photo.ok_or(PhotoError::Line { path: path.into(), line: number, expected, found: line })
        };
        lines(path)?.into_iter().map(parse).collect()
    }
}

/// True for a file whose name ends as one of the pictures that [`open`] knows does.
pub fn is_picture(path: &Path) -> bool {
    let ending = path.extension().map(|e| e.to_string_lossy().to_ascii_lowercase());
    ending.is_some_and(|ending| ["png", "jpg", "jpeg", "webp"].contains(&ending.as_str()))
}

/// Opens a picture; a truncated, huge or foreign file is an error.
///
/// # Errors
/// [`PhotoError`] says why it cannot be used.
pub fn open(path: &Path) -> Result<RgbImage, PhotoError> {
    let read = |source| PhotoError::Read { path: path.into(), source };
    let bad = |reason: String| PhotoError::Picture { path: path.into(), reason };
    let bytes = std::fs::read(path).map_err(read)?;
    if is_cut_jpeg(&bytes) {
        return Err(bad("it is cut short: a JPEG without its end".into()));
    }
    let reader = || ImageReader::new(Cursor::new(&bytes)).with_guessed_format().map_err(read);
    let (width, height) = reader()?.into_dimensions().map_err(|e| bad(e.to_string()))?;
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(bad(format!("{width}×{height} pixels are more than 64 million")));
    }
    Ok(reader()?.decode().map_err(|e| bad(e.to_string()))?.into_rgb8())
}

/// A decoder fills what is missing of a JPEG with grey; a view of that would be enrolled for good.
fn is_cut_jpeg(bytes: &[u8]) -> bool {
    const START: [u8; 2] = [0xFF, 0xD8];
    const END: [u8; 2] = [0xFF, 0xD9];
    // Some cameras write a little after the end.
    let tail = &bytes[bytes.len().saturating_sub(4_096).max(2).min(bytes.len())..];
    bytes.starts_with(&START) && !tail.windows(2).any(|pair| pair == END)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str, files: &[(&str, &[u8])]) -> PathBuf {
        let root = std::env::temp_dir().join(format!("trundle-photos-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&root).expect("a temporary folder");
        files.iter().for_each(|(file, bytes)| std::fs::write(root.join(file), bytes).expect("written"));
        root
    }

    #[test]
    fn a_list_names_pictures_and_a_wrong_line_is_named() {
        let good: &[u8] = b"Class,ID\nGranny-Smith,0,Apple,0\nLime,1,Lime,5\n";
        let root = folder(
            "list",
            &[("classes.csv", good), ("a.txt", b"x/1.jpg, 1, 5\n\n"), ("b.txt", b"x.jpg, 0, 0\ny.jpg, 2, 5\n")],
        );
        let photos = PhotoFolder::open(&root).expect("a good folder");
        assert_eq!(photos.classes[0].as_str(), "granny-smith");
        let list = photos.list(&root.join("a.txt")).expect("a good list");
        assert_eq!((list[0].class, list[0].coarse, list.len()), (1, 5, 1));
        assert!(matches!(photos.list(&root.join("b.txt")), Err(PhotoError::Line { line: 2, .. })));
        std::fs::remove_dir_all(&root).expect("removed");
    }

    #[test]
    fn damaged_pictures_are_errors() {
        let mut png = Vec::new();
        let picture = RgbImage::new(20, 20);
        picture.write_to(&mut Cursor::new(&mut png), image::ImageFormat::Png).expect("encoded");
        let mut jpeg = Vec::new();
        let noisy = RgbImage::from_fn(120, 120, |x, y| image::Rgb([(x * 7919 + y * 104_729) as u8, x as u8, y as u8]));
        noisy.write_to(&mut Cursor::new(&mut jpeg), image::ImageFormat::Jpeg).expect("encoded");
        let files: [(&str, &[u8]); 5] = [
            ("cut.png", &png[..png.len() / 2]),
            ("text.jpg", b"hello"),
            ("whole.png", &png),
            ("cut.jpg", &jpeg[..jpeg.len() / 2]),
            ("whole.jpg", &jpeg),
        ];
        let root = folder("damaged", &files);
        for name in ["cut.png", "text.jpg", "cut.jpg"] {
            assert!(matches!(open(&root.join(name)), Err(PhotoError::Picture { .. })), "{name}");
        }
        assert!(matches!(open(&root.join("none.png")), Err(PhotoError::Read { .. })));
        assert!(open(&root.join("whole.png")).is_ok() && open(&root.join("whole.jpg")).is_ok());
        std::fs::remove_dir_all(&root).expect("removed");
    }
}
