//! A recorded trip: all that the devices said, to the bit, in one file that is written as it comes.
//!
//! ```text
//! "TRUNDLE\n" | version u16 | record | record | …
//! record = tag u8 | length u32 | crc32 u32 | payload          (all numbers little-endian)
//! ```
//!
//! The check sum covers tag, length and payload, so that no byte can change unnoticed. The last record
//! says that it is the last: a file without one was cut. What is whole before the damage can be read;
//! the error that follows names the file, the byte and the last whole record.
//!
//! Readings are kept with their very bits (a NaN stays that NaN), frames without loss, as PNG. What
//! the program above did with them (touches, looks, events) are [`Record::Note`]s, whose bytes mean
//! nothing here.
//!
//! **Frames are personal data.** Only `cart run --record FILE` and the trip generator write such a
//! file; a cart in a shop writes none.

use std::fs::File;
use std::io::{BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageFormat};

use crate::{CameraId, Frame, Moment, MotionReading, WeightReading};

const MAGIC: &[u8; 8] = b"TRUNDLE\n";
/// The only form there is so far.
const VERSION: u16 = 1;
/// Magic and version.
const HEAD_BYTES: u64 = 10;
/// Tag, length, check sum.
const FRONT_BYTES: usize = 9;
/// No record is longer: a 20-megapixel frame in the worst case.
const LONGEST: u32 = 1 << 26;

const TAG_FRAME: u8 = 1;
const TAG_WEIGHT: u8 = 2;
const TAG_MOTION: u8 = 3;
const TAG_NOTE: u8 = 4;
const TAG_END: u8 = 5;

/// One record, in the order in which the cart's program met it.
#[derive(Clone, Debug, PartialEq)]
pub enum Record {
    /// A camera's frame, before anything looked at it; still coded, for not every reader wants it.
    Frame(KeptFrame),
    /// A sample of the scale.
    Weight {
        /// What the scale said.
        reading: WeightReading,
        /// When the trip's own thread took it.
        taken: Moment,
    },
    /// A sample of the inertial sensor.
    Motion {
        /// What the sensor said.
        reading: MotionReading,
        /// When the trip's own thread took it.
        taken: Moment,
    },
    /// What the program above had to say.
    Note(Vec<u8>),
}

/// What is wrong with a recording.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be made, read or written.
    #[error("recording {}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is something else.
    #[error("{} is no recorded trip: it does not begin as one", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
    },
    /// It was written by a later program.
    #[error("recording {} has form {found}; this program reads form 1", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its form.
        found: u16,
    },
    /// It ends in the middle, or without its last record.
    #[error("recording {} is cut at byte {at}: {whole} records before it are whole", path.display())]
    Cut {
        /// The file.
        path: PathBuf,
        /// Where the record begins that is not whole.
        at: u64,
        /// Whole records before it.
        whole: u64,
    },
    /// A byte is not what was written.
    #[error("recording {} is damaged in the record at byte {at} ({what}): {whole} records before it are whole", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Where the damaged record begins.
        at: u64,
        /// Whole records before it.
        whole: u64,
        /// What does not hold.
        what: String,
    },
}

/// A frame that cannot be kept, or made again from what was kept.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("a recorded frame: {0}")]
pub struct FrameError(String);

/// Writes a recording. Dropped without [`RecordingWriter::finish`] it leaves a cut one.
#[derive(Debug)]
pub struct RecordingWriter {
    path: PathBuf,
    file: BufWriter<File>,
    bytes: u64,
}

impl RecordingWriter {
    /// Begins a file, for its owner's eyes only. One that is there already is left alone.
    ///
    /// # Errors
    /// [`RecordingError::File`] when it is there, or cannot be made.
    pub fn create(path: &Path) -> Result<Self, RecordingError> {
        let fail = |source| RecordingError::File { path: path.into(), source };
        let mut options = File::options();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = BufWriter::new(options.open(path).map_err(fail)?);
        file.write_all(MAGIC).and_then(|()| file.write_all(&VERSION.to_le_bytes())).map_err(fail)?;
        Ok(Self { path: path.into(), file, bytes: HEAD_BYTES })
    }

    /// How large the recording is, in bytes.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes a record.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(&mut self, record: &Record) -> Result<(), RecordingError> {
        match record {
            Record::Frame(frame) => self.put(TAG_FRAME, &frame.0),
            Record::Weight { reading, taken } => {
                let mut bytes = [0; 20];
                bytes[..8].copy_from_slice(&reading.at.0.to_le_bytes());
                bytes[8..16].copy_from_slice(&taken.0.to_le_bytes());
                bytes[16..].copy_from_slice(&reading.gross_g.to_bits().to_le_bytes());
                self.put(TAG_WEIGHT, &bytes)
            }
            Record::Motion { reading, taken } => {
                let mut bytes = [0; 28];
                bytes[..8].copy_from_slice(&reading.at.0.to_le_bytes());
                bytes[8..16].copy_from_slice(&taken.0.to_le_bytes());
                for (to, axis) in bytes[16..].chunks_mut(4).zip(reading.accel_mg) {
                    to.copy_from_slice(&axis.to_bits().to_le_bytes());
                }
                self.put(TAG_MOTION, &bytes)
            }
            Record::Note(bytes) => self.put(TAG_NOTE, bytes),
        }
    }

    fn put(&mut self, tag: u8, payload: &[u8]) -> Result<(), RecordingError> {
        let fail = |source| RecordingError::File { path: self.path.clone(), source };
        let length = u32::try_from(payload.len()).ok().filter(|length| *length <= LONGEST);
        let length = length.ok_or_else(|| fail(std::io::Error::other("a record of more than 64 MiB")))?;
        self.file.write_all(&front(tag, length, payload)).map_err(fail)?;
        self.file.write_all(payload).map_err(fail)?;
        self.bytes += (FRONT_BYTES + payload.len()) as u64;
        Ok(())
    }

    /// Writes the last record and brings the file to the disk.
    ///
    /// # Errors
    /// When the disk refuses: the recording is then a cut one.
    pub fn finish(mut self) -> Result<(), RecordingError> {
        self.put(TAG_END, &[])?;
        let done = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        done.map_err(|source| RecordingError::File { path: self.path, source })
    }
}

/// A frame as it is kept: its camera, when it was taken, and a PNG. Coding takes milliseconds, which no
/// thread but the camera's own should wait for.
#[derive(Clone, PartialEq, Eq)]
pub struct KeptFrame(Vec<u8>);

impl KeptFrame {
    /// Codes a frame without loss.
    ///
    /// # Errors
    /// [`FrameError`] when its size and its pixels do not match.
    pub fn new(frame: &Frame) -> Result<Self, FrameError> {
        let (width, height) = (frame.width, frame.height);
        if u64::from(width) * u64::from(height) * 3 != frame.rgb.len() as u64 {
            return Err(FrameError(format!("{width}×{height} pixels came with {} bytes", frame.rgb.len())));
        }
        let mut bytes = Vec::with_capacity(frame.rgb.len() / 2);
        bytes.push(frame.camera.0);
        bytes.extend(frame.taken.0.to_le_bytes());
        // Sensor noise leaves little to find: the quickest coder is nearly as small as the slowest.
        PngEncoder::new_with_quality(&mut bytes, CompressionType::Fast, FilterType::Sub)
            .write_image(&frame.rgb, width, height, ExtendedColorType::Rgb8)
            .map_err(|error| FrameError(error.to_string()))?;
        Ok(Self(bytes))
    }

    /// The frame, to the bit.
    ///
    /// # Errors
    /// [`FrameError`] when it was written by something else.
    pub fn frame(&self) -> Result<Frame, FrameError> {
        let wrong = |why: &str| FrameError(why.into());
        let camera = *self.0.first().ok_or_else(|| wrong("it is empty"))?;
        let taken = number(&self.0[1..]).ok_or_else(|| wrong("it has no time"))?;
        let picture = image::load_from_memory_with_format(&self.0[9..], ImageFormat::Png);
        let picture = picture.map_err(|error| FrameError(error.to_string()))?;
        let image::DynamicImage::ImageRgb8(picture) = picture else { return Err(wrong("it is not RGB")) };
        let (width, height) = picture.dimensions();
        Frame::new(CameraId(camera), Moment(taken), width, height, picture.into_raw().into())
            .ok_or_else(|| wrong("it has no pixels"))
    }
}

impl std::fmt::Debug for KeptFrame {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeptFrame({} bytes)", self.0.len())
    }
}

fn front(tag: u8, length: u32, payload: &[u8]) -> [u8; FRONT_BYTES] {
    let mut front = [0; FRONT_BYTES];
    front[0] = tag;
    front[1..5].copy_from_slice(&length.to_le_bytes());
    let mut sum = crc32fast::Hasher::new();
    sum.update(&front[..5]);
    sum.update(payload);
    front[5..].copy_from_slice(&sum.finalize().to_le_bytes());
    front
}

/// Reads a recording, record by record. After an error, or the last record, nothing more comes.
#[derive(Debug)]
pub struct RecordingReader {
    path: PathBuf,
    file: BufReader<File>,
    /// Bytes of the file, as it was when it was opened.
    length: u64,
    /// Where the next record begins.
    at: u64,
    whole: u64,
    over: bool,
}

impl RecordingReader {
    /// Opens a file and looks at its beginning.
    ///
    /// # Errors
    /// When it cannot be read, is no recording, or has a form that is not known.
    pub fn open(path: &Path) -> Result<Self, RecordingError> {
        let fail = |source| RecordingError::File { path: path.into(), source };
        let mut file = BufReader::new(File::open(path).map_err(fail)?);
        let length = file.seek(SeekFrom::End(0)).map_err(fail)?;
        file.rewind().map_err(fail)?;
        let mut head = [0; HEAD_BYTES as usize];
        let have = length.min(HEAD_BYTES) as usize;
        file.read_exact(&mut head[..have]).map_err(fail)?;
        let known = have.min(MAGIC.len());
        if have == 0 || head[..known] != MAGIC[..known] {
            return Err(RecordingError::Foreign { path: path.into() });
        }
        if length < HEAD_BYTES {
            return Err(RecordingError::Cut { path: path.into(), at: 0, whole: 0 });
        }
        match u16::from_le_bytes([head[8], head[9]]) {
            VERSION => Ok(Self { path: path.into(), file, length, at: HEAD_BYTES, whole: 0, over: false }),
            found => Err(RecordingError::Version { path: path.into(), found }),
        }
    }

    /// Whole records read so far.
    pub fn whole(&self) -> u64 {
        self.whole
    }

    fn damaged(&self, what: impl Into<String>) -> RecordingError {
        RecordingError::Damaged { path: self.path.clone(), at: self.at, whole: self.whole, what: what.into() }
    }

    /// The next record; `None` for the last.
    fn read(&mut self) -> Result<Option<Record>, RecordingError> {
        let cut = || RecordingError::Cut { path: self.path.clone(), at: self.at, whole: self.whole };
        let fail = |source| RecordingError::File { path: self.path.clone(), source };
        let left = self.length - self.at;
        if left < FRONT_BYTES as u64 {
            return Err(cut());
        }
        let mut start = [0; FRONT_BYTES];
        self.file.read_exact(&mut start).map_err(fail)?;
        let tag = start[0];
        let length = u32::from_le_bytes([start[1], start[2], start[3], start[4]]);
        if length > LONGEST {
            return Err(self.damaged(format!("it claims {length} bytes")));
        }
        // Never more memory than the file has bytes, whatever a damaged length says.
        if left - (FRONT_BYTES as u64) < u64::from(length) {
            return Err(cut());
        }
        let mut payload = vec![0; length as usize];
        self.file.read_exact(&mut payload).map_err(fail)?;
        if front(tag, length, &payload) != start {
            return Err(self.damaged("its check sum does not hold"));
        }
        let record = match tag {
            TAG_END if self.at + (FRONT_BYTES as u64) < self.length => {
                return Err(self.damaged("it is the last, and more follows"));
            }
            TAG_END => return Ok(None),
            TAG_NOTE => Record::Note(payload),
            TAG_WEIGHT | TAG_MOTION => reading(tag, &payload).ok_or_else(|| self.damaged("a reading's length"))?,
            TAG_FRAME => Record::Frame(KeptFrame(payload)),
            _ => return Err(self.damaged(format!("no record has the tag {tag}"))),
        };
        self.at += FRONT_BYTES as u64 + u64::from(length);
        self.whole += 1;
        Ok(Some(record))
    }
}

impl Iterator for RecordingReader {
    type Item = Result<Record, RecordingError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let record = self.read();
        self.over = !matches!(record, Ok(Some(_)));
        record.transpose()
    }
}

fn number(bytes: &[u8]) -> Option<u64> {
    bytes.get(..8).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes)
}

fn float(bytes: &[u8]) -> Option<f32> {
    bytes.get(..4).and_then(|b| b.try_into().ok()).map(|b| f32::from_bits(u32::from_le_bytes(b)))
}

fn reading(tag: u8, payload: &[u8]) -> Option<Record> {
    let (at, taken) = (Moment(number(payload)?), Moment(number(payload.get(8..)?)?));
    let values = payload.get(16..)?;
    match (tag, values.len()) {
        (TAG_WEIGHT, 4) => Some(Record::Weight { reading: WeightReading { at, gross_g: float(values)? }, taken }),
        (TAG_MOTION, 12) => {
            let accel_mg = [float(values)?, float(&values[4..])?, float(&values[8..])?];
            Some(Record::Motion { reading: MotionReading { at, accel_mg }, taken })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests;
