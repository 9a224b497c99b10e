//! A display that nobody sees: Xvfb, with the mouse that xdotool moves.
//!
//! Its picture is read from the file that Xvfb keeps its pixels in. Source: XWDFile.h of the X Window System,
//! "the header of a window dump"; each number of it is 32 bits, the highest byte first.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail, ensure};
use image::{Rgb, RgbImage};
use tempfile::TempDir;

use crate::glass::Glass;

/// As long as a finger lies there, in seconds: lists wait a moment to see whether a touch is a scroll.
const LIES_S: &str = "0.15";

/// Where the numbers of the dump's header are, in 32-bit words.
mod word {
    pub const HEADER_BYTES: usize = 0;
    pub const WIDTH: usize = 4;
    pub const HEIGHT: usize = 5;
    pub const LOW_BYTE_FIRST: usize = 7;
    pub const BITS_A_PIXEL: usize = 11;
    pub const BYTES_A_LINE: usize = 12;
    pub const COLOURS: usize = 19;
    pub const COUNT: usize = 25;
}
/// A colour of the dump's table.
const COLOUR_BYTES: usize = 12;

/// A display. It ends with its owner.
pub struct Display {
    server: Child,
    name: String,
    pixels: PathBuf,
    _folder: TempDir,
}

impl Display {
    /// Starts one of that size, with 24 bits a pixel.
    ///
    /// # Errors
    /// When Xvfb is not there or does not start: `./trundle test` installs it.
    pub fn start(width: u32, height: u32) -> anyhow::Result<Self> {
        let folder = TempDir::new().context("a folder")?;
        let mut server = Command::new("Xvfb")
            .args(["-displayfd", "1", "-nolisten", "tcp", "-dpi", "96"])
            .args(["-screen", "0", &format!("{width}x{height}x24"), "-fbdir"])
            .arg(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("Xvfb cannot be started; ./trundle test installs xvfb and xdotool")?;
        let said = server.stdout.take();
        // From here on it ends with the display, also when what follows fails.
        let pixels = folder.path().join("Xvfb_screen0");
        let mut display = Self { server, name: String::new(), pixels, _folder: folder };
        let mut number = String::new();
        BufReader::new(said.context("Xvfb's output")?).read_line(&mut number).context("Xvfb's output")?;
        ensure!(!number.trim().is_empty(), "Xvfb did not start");
        display.name = format!(":{}", number.trim());
        Ok(display)
    }

    /// What a program finds it by, in `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Moves the mouse, and does what `more` says there.
    fn mouse(&self, x: f32, y: f32, more: &[&str]) -> anyhow::Result<()> {
        let place = [format!("{}", x.round() as i32), format!("{}", y.round() as i32)];
        let mut mouse = Command::new("xdotool");
        mouse.env("DISPLAY", &self.name).arg("mousemove").args(place).args(more);
        let moved = mouse.output().context("xdotool cannot be started; ./trundle test installs it")?;
        ensure!(moved.status.success(), "xdotool: {}", String::from_utf8_lossy(&moved.stderr));
        Ok(())
    }
}

impl Glass for Display {
    fn picture(&self) -> anyhow::Result<RgbImage> {
        let mut dump = Vec::new();
        let mut file = File::open(&self.pixels).with_context(|| self.pixels.display().to_string())?;
        file.read_to_end(&mut dump).with_context(|| self.pixels.display().to_string())?;
        picture_of(&dump).with_context(|| self.pixels.display().to_string())
    }

    fn tap(&self, x: f32, y: f32) -> anyhow::Result<()> {
        self.mouse(x, y, &["mousedown", "1", "sleep", LIES_S, "mouseup", "1"])?;
        // Nothing lights up under a finger that is gone.
        self.mouse(1.0, 1.0, &[])
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        // It may have ended; then there is nothing to end.
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

/// The picture of a window dump with 32 bits a pixel.
fn picture_of(dump: &[u8]) -> anyhow::Result<RgbImage> {
    let mut words = [0_usize; word::COUNT];
    for (n, word) in words.iter_mut().enumerate() {
        let bytes = dump.get(4 * n..4 * n + 4).context("it ends within its header")?;
        *word = u32::from_be_bytes(bytes.try_into()?) as usize;
    }
    if words[word::BITS_A_PIXEL] != 32 {
        bail!("{} bits a pixel, not 32", words[word::BITS_A_PIXEL]);
    }
    let (width, height) = (u32::try_from(words[word::WIDTH])?, u32::try_from(words[word::HEIGHT])?);
    let first = words[word::HEADER_BYTES] + words[word::COLOURS] * COLOUR_BYTES;
    let low_first = words[word::LOW_BYTE_FIRST] == 0;
    let mut picture = RgbImage::new(width, height);
    for (x, y, pixel) in picture.enumerate_pixels_mut() {
        let at = first + y as usize * words[word::BYTES_A_LINE] + 4 * x as usize;
        let bytes: [u8; 4] = dump.get(at..at + 4).context("it ends within its pixels")?.try_into()?;
        *pixel = Rgb(if low_first { [bytes[2], bytes[1], bytes[0]] } else { [bytes[1], bytes[2], bytes[3]] });
    }
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dumps_pixels_are_where_its_header_says() {
        let mut words = [0_u32; word::COUNT];
        words[word::HEADER_BYTES] = 104;
        words[word::WIDTH] = 2;
        words[word::HEIGHT] = 2;
        words[word::BITS_A_PIXEL] = 32;
        words[word::BYTES_A_LINE] = 12;
        words[word::COLOURS] = 1;
        let mut dump: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
        dump.resize(104 + COLOUR_BYTES, 7);
        for line in 0..2_u8 {
            dump.extend([3, 2, 1 + line, 0, 6, 5, 4, 0, 9, 9, 9, 9]);
        }
        let picture = picture_of(&dump).expect("a picture");
        assert_eq!(picture.as_raw().as_slice(), [1, 2, 3, 4, 5, 6, 2, 2, 3, 4, 5, 6]);
        assert!(picture_of(&dump[..dump.len() - 9]).is_err(), "cut off");
        assert!(picture_of(&dump[..40]).is_err(), "cut off in its header");
    }
}
