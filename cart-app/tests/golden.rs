//! Golden pictures: every sample in light, dark and high contrast, in one language of each direction, on the cart's own
//! screen and on a small one, against what was looked at and found right.
//!
//! What is kept is a contact sheet a sample, an eighth of the size, in `golden/`: small enough for the repository, and
//! large enough that another word, price, colour or place is seen. `./trundle golden` (`TRUNDLE_RENEW=1`) renews the
//! sheets; look at the difference before it is committed. `TRUNDLE_ONLY=basket` asks for samples of that name.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

use cart_app::ui::gallery::{self, Picture, READINGS, ROOMS, Reading, Room};
use cart_app::ui::sample::Sample;
use cart_app::ui::{Hand, Language, Pictures, sample};
use image::imageops::{FilterType, resize};
use image::{Rgb, RgbImage};

/// Pixels of the screen, across and down, that are one of the sheet.
const SCALE: u32 = 8;
/// Shades are kept in steps of so many: smaller files, and nothing an eye could tell.
const STEP: u8 = 8;
/// Shades by which a pixel may differ: a step, and what another version of a typeface does to the edge of a letter.
const SHADE: u8 = 14;
/// So many pixels of a picture may differ by more.
const PIXELS: usize = 4;

const READ: [&str; 3] = ["", "dark", "contrast"];
const SPOKEN: [Language; 2] = [Language::English, Language::Arabic];

/// The two rooms: each is a row of the sheet.
fn rooms() -> impl Iterator<Item = Room> {
    ROOMS.into_iter().filter(|room| room.width > room.height)
}

/// Each is a column of the sheet.
fn columns() -> impl Iterator<Item = (Reading, Language)> {
    let read = READINGS.into_iter().filter(|reading| READ.contains(&reading.name));
    read.flat_map(|reading| SPOKEN.map(|language| (reading, language)))
}

/// The pictures of a sample, row by row.
fn pictures_of(sample: &Arc<Sample>) -> Vec<Picture> {
    let picture =
        |room, (reading, language)| Picture { sample: sample.clone(), reading, language, room, hand: Hand::Either };
    rooms().flat_map(|room| columns().map(move |column| picture(room, column))).collect()
}

/// An eighth of a picture, in steps of shades.
fn small(picture: &RgbImage) -> RgbImage {
    let (width, height) = (picture.width() / SCALE, picture.height() / SCALE);
    RgbImage::from_fn(width, height, |x, y| {
        let mut sums = [0_u32; 3];
        for (down, across) in (0..SCALE).flat_map(|down| (0..SCALE).map(move |across| (down, across))) {
            let pixel = picture.get_pixel(x * SCALE + across, y * SCALE + down);
            sums.iter_mut().zip(pixel.0).for_each(|(sum, shade)| *sum += u32::from(shade));
        }
        Rgb(sums.map(|sum| ((sum / (SCALE * SCALE)) as u8 / STEP).saturating_mul(STEP)))
    })
}

/// Left, top, width and height on a sheet, in its pixels.
type Area = (u32, u32, u32, u32);

/// Where each picture of a sample lies on its sheet, in the order of [`pictures_of`], and the sheet's size.
fn places() -> (Vec<Area>, (u32, u32)) {
    let mut places = Vec::new();
    let (mut wide, mut down) = (0, 0);
    for room in rooms() {
        let (width, height) = (room.width / SCALE, room.height / SCALE);
        let across = columns().count() as u32;
        places.extend((0..across).map(|n| (n * width, down, width, height)));
        wide = wide.max(across * width);
        down += height;
    }
    (places, (wide, down))
}

fn sheet(pictures: &[RgbImage]) -> RgbImage {
    let (places, (width, height)) = places();
    let mut sheet = RgbImage::from_pixel(width, height, Rgb([128; 3]));
    for (picture, (x, y, ..)) in pictures.iter().zip(places) {
        image::imageops::replace(&mut sheet, picture, i64::from(x), i64::from(y));
    }
    sheet
}

/// True when more differs than a typeface's edge may.
fn differs(old: &RgbImage, new: &RgbImage) -> bool {
    let far = |(a, b): (&Rgb<u8>, &Rgb<u8>)| a.0.iter().zip(b.0).any(|(a, b)| a.abs_diff(b) > SHADE);
    old.dimensions() != new.dimensions() || old.pixels().zip(new.pixels()).filter(|pair| far(*pair)).count() > PIXELS
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

/// Sheets that no sample has any more.
fn orphans(samples: &[Arc<Sample>]) -> Vec<PathBuf> {
    let known: BTreeSet<String> = samples.iter().map(|sample| format!("{}.png", sample.name)).collect();
    let there = std::fs::read_dir(folder()).into_iter().flatten().filter_map(Result::ok);
    there.filter(|file| !known.contains(&*file.file_name().to_string_lossy())).map(|file| file.path()).collect()
}

/// The new picture, whole, and the old one as large, for the eye.
fn leave(picture: &Picture, old: Option<&RgbImage>, out: &Path) {
    std::fs::create_dir_all(out).expect("a folder for what is new");
    let new = picture.draw(Rc::new(Pictures::drawn())).expect("a screen in memory");
    new.save(out.join(format!("{}.new.png", picture.name()))).expect("the new picture");
    if let Some(old) = old {
        let old = resize(old, new.width(), new.height(), FilterType::Nearest);
        old.save(out.join(format!("{}.old.png", picture.name()))).expect("the old picture");
    }
}

#[test]
fn every_screen_looks_as_it_was_found_right() {
    let renew = std::env::var_os("TRUNDLE_RENEW").is_some();
    let only = std::env::var("TRUNDLE_ONLY").unwrap_or_default();
    let all: Vec<Arc<Sample>> = sample::all().into_iter().map(Arc::new).collect();
    let samples: Vec<_> = all.iter().filter(|sample| gallery::named(sample.name, &only)).collect();
    let pictures: Vec<Picture> = samples.iter().flat_map(|sample| pictures_of(sample)).collect();
    let drawn = gallery::each(&pictures, |picture, goods| small(&picture.draw(goods).expect("a screen in memory")));
    let (places, size) = places();
    let mut new = Vec::new();
    let of_a_sample = pictures.chunks(places.len()).zip(drawn.chunks(places.len()));
    for (sample, (pictures, drawn)) in samples.iter().zip(of_a_sample) {
        let path = folder().join(format!("{}.png", sample.name));
        let kept = image::open(&path).ok().map(|kept| kept.into_rgb8()).filter(|kept| kept.dimensions() == size);
        let cell = |n: usize| {
            let (x, y, width, height) = places[n];
            kept.as_ref().map(|kept| image::imageops::crop_imm(kept, x, y, width, height).to_image())
        };
        let changed: Vec<usize> =
            (0..drawn.len()).filter(|n| cell(*n).is_none_or(|old| differs(&old, &drawn[*n]))).collect();
        if changed.is_empty() {
            continue;
        }
        if renew {
            std::fs::create_dir_all(folder()).expect("the folder of the sheets");
            sheet(drawn).save(&path).expect("a sheet that can be written");
        }
        new.extend(changed.into_iter().map(|n| (pictures[n].clone(), cell(n))));
    }
    let orphans = orphans(&all);
    if renew {
        orphans.iter().for_each(|path| std::fs::remove_file(path).expect("a sheet that can be taken away"));
        return println!("{} pictures were renewed in {}", new.len(), folder().display());
    }
    assert!(orphans.is_empty(), "no sample has these; ./trundle golden takes them away: {orphans:?}");
    let names: Vec<String> = new.iter().map(|(picture, _)| picture.name()).collect();
    let out = Path::new(env!("CARGO_TARGET_TMPDIR")).join("golden");
    // Slint slows a thread down that shows window after window.
    for (picture, old) in &new {
        std::thread::scope(|scope| scope.spawn(|| leave(picture, old.as_ref(), &out)).join()).expect("it is drawn");
    }
    assert!(
        names.is_empty(),
        "{} pictures are not as they were; old and new lie in {}. If they are right, ./trundle golden renews them; \
         if all of them differ, look for fonts-inter and fonts-noto-core of another version. {}",
        names.len(),
        out.display(),
        names.join(" ")
    );
}

#[test]
fn what_a_shopper_would_see_is_seen_in_a_small_picture() {
    let basket = sample::named("basket").expect("a sample");
    let draw = |change: &dyn Fn(&mut Sample)| {
        let mut sample = basket.clone();
        change(&mut sample);
        let picture = pictures_of(&Arc::new(sample)).swap_remove(0);
        small(&picture.draw(Rc::new(Pictures::drawn())).expect("a screen in memory"))
    };
    let before = draw(&|_| {});
    assert!(!differs(&before, &draw(&|_| {})), "the same is the same");
    type Change<'a> = (&'a str, &'a dyn Fn(&mut Sample));
    let changes: [Change<'_>; 4] = [
        ("a penny of the total", &|sample| sample.view.total.minor += 1),
        ("another word", &|sample| sample.view.lines[1].name = "Soya drink 1 l".into()),
        ("a line less", &|sample| drop(sample.view.lines.remove(1))),
        ("the battery", &|sample| sample.view.battery = Some((19, false))),
    ];
    for (what, change) in changes {
        assert!(differs(&before, &draw(change)), "{what} is not seen");
    }
}
