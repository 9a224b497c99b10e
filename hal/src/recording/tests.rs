use tempfile::TempDir;

use super::*;

fn frame(rgb: Vec<u8>) -> Frame {
    Frame { camera: CameraId(1), taken: Moment(12_500), width: 7, height: 5, rgb: rgb.into() }
}

fn some() -> Vec<Record> {
    let at = Moment(12_500);
    let rgb: Vec<u8> = (0..7 * 5 * 3).map(|n| (n * 37 % 251) as u8).collect();
    vec![
        Record::Note(b"what comes first".to_vec()),
        Record::Weight { reading: WeightReading { at, gross_g: -0.0 }, taken: Moment(12_501) },
        Record::Motion { reading: MotionReading { at, accel_mg: [1.5, -3.25, 1_000.0] }, taken: at },
        Record::Frame(KeptFrame::new(&frame(rgb)).expect("coded")),
        Record::Note(Vec::new()),
        Record::Weight { reading: WeightReading { at, gross_g: 512.0 }, taken: at },
    ]
}

fn written(folder: &TempDir) -> (PathBuf, Vec<u8>) {
    let path = folder.path().join("trip.recording");
    let mut writer = RecordingWriter::create(&path).expect("made");
    some().iter().for_each(|record| writer.write(record).expect("written"));
    writer.finish().expect("finished");
    let bytes = std::fs::read(&path).expect("read");
    (path, bytes)
}

/// What can be read of `bytes`, and the error that ends it.
fn read(folder: &TempDir, bytes: &[u8]) -> (Vec<Record>, Option<RecordingError>) {
    let path = folder.path().join("other.recording");
    std::fs::write(&path, bytes).expect("written");
    let mut records = Vec::new();
    match RecordingReader::open(&path) {
        Err(error) => return (records, Some(error)),
        Ok(reader) => {
            for record in reader {
                match record {
                    Ok(record) => records.push(record),
                    Err(error) => return (records, Some(error)),
                }
            }
        }
    }
    (records, None)
}

#[test]
fn what_is_read_is_what_was_written() {
    let folder = TempDir::new().expect("a folder");
    let (path, bytes) = written(&folder);
    let (records, error) = read(&folder, &bytes);
    assert!(error.is_none(), "{error:?}");
    assert_eq!(records, some());
    assert!(matches!(RecordingWriter::create(&path), Err(RecordingError::File { .. })), "nothing is overwritten");
}

#[test]
fn a_weight_that_is_no_number_keeps_its_bits() {
    let folder = TempDir::new().expect("a folder");
    let path = folder.path().join("nan.recording");
    let bits = 0x7FC0_1234;
    let reading = WeightReading { at: Moment(1), gross_g: f32::from_bits(bits) };
    let mut writer = RecordingWriter::create(&path).expect("made");
    writer.write(&Record::Weight { reading, taken: Moment(2) }).expect("written");
    writer.finish().expect("finished");
    let first = RecordingReader::open(&path).expect("opened").next().expect("a record").expect("whole");
    assert!(matches!(first, Record::Weight { reading, .. } if reading.gross_g.to_bits() == bits));
}

#[test]
fn cut_anywhere_it_gives_what_is_whole_and_a_clear_error() {
    let folder = TempDir::new().expect("a folder");
    let (_, bytes) = written(&folder);
    for length in 0..bytes.len() {
        let (records, error) = read(&folder, &bytes[..length]);
        assert_eq!(records, some()[..records.len()], "cut at {length}");
        match error {
            Some(RecordingError::Cut { whole, at, .. }) => {
                assert!(whole == records.len() as u64 && at <= length as u64, "cut at {length}");
            }
            Some(RecordingError::Foreign { .. }) => assert_eq!(length, 0),
            other => panic!("cut at {length}: {other:?}"),
        }
    }
}

#[test]
fn no_byte_changes_unnoticed() {
    let folder = TempDir::new().expect("a folder");
    let (_, bytes) = written(&folder);
    for at in 0..bytes.len() {
        for flip in [0x01, 0x80] {
            let mut changed = bytes.clone();
            changed[at] ^= flip;
            let (records, error) = read(&folder, &changed);
            let error = error.unwrap_or_else(|| panic!("byte {at} changed by {flip:#x}"));
            assert!(error.to_string().contains("other.recording"), "{error}");
            assert_eq!(records, some()[..records.len()], "byte {at}");
        }
    }
}

#[test]
fn a_frame_comes_back_to_the_bit_and_a_torn_one_is_refused() {
    let rgb: Vec<u8> = (0..7 * 5 * 3).map(|n| (n * n % 256) as u8).collect();
    let kept = KeptFrame::new(&frame(rgb.clone())).expect("coded");
    assert_eq!(kept.frame(), Ok(frame(rgb)));
    assert!(KeptFrame::new(&frame(vec![0; 9])).is_err());
    for length in 0..kept.0.len() / 2 {
        assert!(KeptFrame(kept.0[..length].to_vec()).frame().is_err(), "cut at {length}");
    }
}
