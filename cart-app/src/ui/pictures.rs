//! Pictures of products: the catalogue's own where there are some, else drawn.
//!
//! A drawn picture says the kind of thing (a round fruit, a carton, a bottle, a loaf) on a soft
//! ground whose colour belongs to the product, so that two cartons are not mistaken for each other.
//! Corners are rounded in the picture itself: the renderer clips only squares.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};

use cart_vision::Thumbnail;
use image::imageops::FilterType;
use slint::{Image, Rgba8Pixel, SharedPixelBuffer};
use tokio::sync::mpsc::UnboundedReceiver;
use trip::Sku;

use super::paint::{Canvas, Ink, both, bow, circle, either, ellipse, mix, rounded, stroke, trapezium};
pub(super) use reader::Arrival;
use reader::Reader;

mod reader;

/// Where a picture stands, and so its side in pixels. It is made at that size: the renderer takes
/// the nearest pixel when it shrinks, and a round edge would come out as steps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Place {
    /// The demo's panel.
    Shelf,
    /// A search result.
    Result,
    /// A line of the basket.
    Line,
    /// A tile of the question.
    Tile,
    /// The welcome screen, and what the cart saw.
    Card,
    /// The weigh screen.
    Whole,
}

impl Place {
    const fn side_px(self) -> u32 {
        match self {
            Self::Shelf => 44,
            Self::Result => 56,
            Self::Line => 72,
            Self::Tile => 96,
            Self::Card => 148,
            Self::Whole => 300,
        }
    }
}

/// Round corners, of 100 a side.
const CORNER: f32 = 17.0;
/// Names of picture files are a sku and one of these.
pub const KINDS_OF_PICTURE: [&str; 4] = ["png", "jpg", "jpeg", "webp"];

/// What a picture is of: by the name too, which says what is drawn. A new catalogue may give a product another one.
type Key = (Sku, String, Place);

/// Where pictures come from that are not drawn.
enum Source {
    Nowhere,
    Folder(PathBuf),
    Aside(Reader),
}

/// The pictures of one screen, each made once.
pub struct Pictures {
    source: Source,
    arrivals: RefCell<Option<UnboundedReceiver<Arrival>>>,
    made: RefCell<HashMap<Key, Image>>,
}

impl Pictures {
    /// Only drawn pictures.
    pub fn drawn() -> Self {
        Self::of(Source::Nowhere, None)
    }

    /// Pictures `<sku>.png`, `.jpg`, `.jpeg` or `.webp` of `folder`; drawn where there is none. A
    /// file that cannot be read is logged and drawn instead. Reads when a picture is first shown, and waits for it.
    pub fn from_folder(folder: impl Into<PathBuf>) -> Self {
        Self::of(Source::Folder(folder.into()), None)
    }

    /// The same of several folders, the first first, read by a thread of their own: a picture is drawn until it has
    /// come. `folders` is asked on that thread, once. See `Screen::follow_pictures`.
    ///
    /// # Errors
    /// When there can be no thread.
    pub fn read_aside(folders: impl FnOnce() -> Vec<PathBuf> + Send + 'static) -> std::io::Result<Self> {
        let (reader, arrivals) = Reader::start(folders)?;
        Ok(Self::of(Source::Aside(reader), Some(arrivals)))
    }

    fn of(source: Source, arrivals: Option<UnboundedReceiver<Arrival>>) -> Self {
        Self { source, arrivals: RefCell::new(arrivals), made: RefCell::default() }
    }

    /// What has been read arrives by this; `None` where nothing is read aside, and the second time.
    pub(super) fn take_arrivals(&self) -> Option<UnboundedReceiver<Arrival>> {
        self.arrivals.take()
    }

    /// Shows what arrived from now on.
    pub(super) fn keep(&self, Arrival { of, pixels }: Arrival) {
        self.made.borrow_mut().insert(of, Image::from_rgba8(pixels));
    }

    /// The picture of a product for `place`.
    pub fn picture(&self, sku: &Sku, name: &str, place: Place) -> Image {
        let key = (sku.clone(), name.to_owned(), place);
        if let Some(image) = self.made.borrow().get(&key) {
            return image.clone();
        }
        let read = match &self.source {
            Source::Nowhere => None,
            Source::Folder(folder) => from_folder(folder, sku, place).map(Image::from_rgba8),
            Source::Aside(reader) => {
                reader.ask(key.clone());
                None
            }
        };
        let image = read.unwrap_or_else(|| draw(sku.as_str(), name, place));
        self.made.borrow_mut().insert(key, image.clone());
        image
    }

    /// What the cart saw, squared and with round corners.
    pub fn thumbnail(&self, thumbnail: &Thumbnail, place: Place) -> Image {
        let rgb = image::RgbImage::from_raw(thumbnail.width, thumbnail.height, thumbnail.rgb.to_vec());
        match rgb {
            Some(rgb) if rgb.width() > 0 && rgb.height() > 0 => {
                Image::from_rgba8(square(&image::DynamicImage::ImageRgb8(rgb), place.side_px()))
            }
            _ => self.unknown(place),
        }
    }

    /// A thing that was felt but not seen.
    pub fn unknown(&self, place: Place) -> Image {
        let mut canvas = Canvas::new(place.side_px());
        ground(&mut canvas, Ink::hsl(42.0, 0.30, 0.90));
        let ink = Ink::hsl(40.0, 0.12, 0.42);
        canvas.fill(&outline(rounded(25.0, 29.0, 75.0, 75.0, 8.0), 2.6), ink);
        canvas.fill(&stroke(25.0, 44.0, 75.0, 44.0, 2.6), ink);
        canvas.fill(&stroke(50.0, 31.0, 50.0, 44.0, 2.6), ink);
        canvas.into_image()
    }

    /// Four of the kinds, for the welcome screen.
    pub(super) fn still_life(&self) -> Vec<Image> {
        ["Apple", "Oat drink", "Banana", "Bread"].iter().map(|name| object(name, Place::Card)).collect()
    }
}

fn from_folder(folder: &Path, sku: &Sku, place: Place) -> Option<SharedPixelBuffer<Rgba8Pixel>> {
    let path = KINDS_OF_PICTURE.iter().map(|kind| folder.join(format!("{sku}.{kind}"))).find(|path| path.is_file())?;
    match read(&path) {
        Ok(picture) => Some(square(&picture, place.side_px())),
        Err(error) => {
            tracing::warn!(path = %path.display(), %error, "the picture cannot be read; one is drawn instead");
            None
        }
    }
}

fn read(path: &Path) -> Result<image::DynamicImage, image::ImageError> {
    let mut reader = image::ImageReader::open(path)?.with_guessed_format()?;
    // A picture of a shelf tag, not a poster: what is larger is a mistake and would eat the memory.
    let mut limits = image::Limits::default();
    limits.max_image_width = Some(8192);
    limits.max_image_height = Some(8192);
    limits.max_alloc = Some(256 * 1024 * 1024);
    reader.limits(limits);
    reader.decode()
}

/// The middle square of a picture, `side` pixels, with round corners.
fn square(picture: &image::DynamicImage, side: u32) -> SharedPixelBuffer<Rgba8Pixel> {
    let rgba = picture.resize_to_fill(side, side, FilterType::Triangle).into_rgba8();
    let corner = rounded(0.0, 0.0, 100.0, 100.0, CORNER);
    let unit = 100.0 / side as f32;
    let mut buffer = SharedPixelBuffer::<Rgba8Pixel>::new(side, side);
    for (to, (x, y, from)) in buffer.make_mut_slice().iter_mut().zip(rgba.enumerate_pixels()) {
        let distance = corner((x as f32 + 0.5) * unit, (y as f32 + 0.5) * unit);
        let coverage = (0.5 - distance / unit).clamp(0.0, 1.0);
        let [r, g, b, a] = from.0;
        *to = Rgba8Pixel { r, g, b, a: (f32::from(a) * coverage) as u8 };
    }
    buffer
}

/// The kinds of thing that can be drawn.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Round,
    Citrus,
    Banana,
    Long,
    Loaf,
    Carton,
    Bottle,
    Jar,
    Tin,
    Bag,
    Packet,
}

/// Words of a product's name that tell its kind, and its hue where the kind has one.
const WORDS: &[(&str, Kind, Option<f32>)] = &[
    ("juice", Kind::Carton, Some(36.0)),
    ("sauce", Kind::Jar, Some(10.0)),
    ("jam", Kind::Jar, Some(345.0)),
    ("soup", Kind::Tin, Some(14.0)),
    ("apple", Kind::Round, Some(100.0)),
    ("satsuma", Kind::Citrus, Some(28.0)),
    ("clementine", Kind::Citrus, Some(26.0)),
    ("orange", Kind::Citrus, Some(30.0)),
    ("grapefruit", Kind::Citrus, Some(12.0)),
    ("lemon", Kind::Citrus, Some(52.0)),
    ("lime", Kind::Citrus, Some(84.0)),
    ("peach", Kind::Round, Some(22.0)),
    ("nectarine", Kind::Round, Some(8.0)),
    ("tomato", Kind::Round, Some(4.0)),
    ("pear", Kind::Round, Some(72.0)),
    ("plum", Kind::Round, Some(290.0)),
    ("kiwi", Kind::Round, Some(60.0)),
    ("melon", Kind::Round, Some(92.0)),
    ("mango", Kind::Round, Some(40.0)),
    ("onion", Kind::Round, Some(32.0)),
    ("potato", Kind::Round, Some(38.0)),
    ("cabbage", Kind::Round, Some(110.0)),
    ("pepper", Kind::Round, Some(2.0)),
    ("avocado", Kind::Round, Some(95.0)),
    ("banana", Kind::Banana, Some(48.0)),
    ("carrot", Kind::Long, Some(24.0)),
    ("cucumber", Kind::Long, Some(112.0)),
    ("courgette", Kind::Long, Some(105.0)),
    ("leek", Kind::Long, Some(95.0)),
    ("bread", Kind::Loaf, Some(30.0)),
    ("loaf", Kind::Loaf, Some(30.0)),
    ("roll", Kind::Loaf, Some(34.0)),
    ("milk", Kind::Carton, Some(210.0)),
    ("oat drink", Kind::Carton, Some(160.0)),
    ("drink", Kind::Carton, Some(180.0)),
    ("cream", Kind::Carton, Some(44.0)),
    ("water", Kind::Bottle, Some(200.0)),
    ("wine", Kind::Bottle, Some(340.0)),
    ("beer", Kind::Bottle, Some(36.0)),
    ("oil", Kind::Bottle, Some(58.0)),
    ("vinegar", Kind::Bottle, Some(20.0)),
    ("shampoo", Kind::Bottle, Some(265.0)),
    ("honey", Kind::Jar, Some(40.0)),
    ("yoghurt", Kind::Jar, Some(220.0)),
    ("yogurt", Kind::Jar, Some(220.0)),
    ("coffee", Kind::Bag, Some(22.0)),
    ("rice", Kind::Bag, Some(50.0)),
    ("flour", Kind::Bag, Some(215.0)),
    ("sugar", Kind::Bag, Some(200.0)),
    ("crisps", Kind::Bag, None),
    ("nuts", Kind::Bag, Some(28.0)),
    ("beans", Kind::Tin, Some(190.0)),
    ("tin", Kind::Tin, None),
    ("tuna", Kind::Tin, Some(205.0)),
];

/// A number of the product that spreads well (FNV-1a, 32 bit).
fn spread(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193))
}

fn kind_and_hue(sku: &str, name: &str) -> (Kind, f32) {
    let lower = name.to_lowercase();
    let own_hue = (spread(sku) % 360) as f32;
    match WORDS.iter().find(|(word, _, _)| lower.contains(word)) {
        // A little of the product's own, so that two kinds of apple differ.
        Some((_, kind, Some(hue))) => (*kind, hue + (spread(sku) % 13) as f32 - 6.0),
        Some((_, kind, None)) => (*kind, own_hue),
        None => (if spread(sku).is_multiple_of(2) { Kind::Packet } else { Kind::Bag }, own_hue),
    }
}

fn draw(sku: &str, name: &str, place: Place) -> Image {
    let (kind, hue) = kind_and_hue(sku, name);
    let mut canvas = Canvas::new(place.side_px());
    ground(&mut canvas, Ink::hsl(hue, 0.42, 0.91));
    draw_object(&mut canvas, kind, hue);
    canvas.into_image()
}

/// The thing alone, without a ground.
fn object(name: &str, place: Place) -> Image {
    let (kind, hue) = kind_and_hue(name, name);
    let mut canvas = Canvas::new(place.side_px());
    draw_object(&mut canvas, kind, hue);
    canvas.into_image()
}

fn ground(canvas: &mut Canvas, ink: Ink) {
    canvas.fill_down(&rounded(0.0, 0.0, 100.0, 100.0, CORNER), mix(ink, Ink::WHITE, 0.35), ink);
}

fn outline(shape: impl Fn(f32, f32) -> f32, half_width: f32) -> impl Fn(f32, f32) -> f32 {
    move |x, y| shape(x, y).abs() - half_width
}

fn draw_object(canvas: &mut Canvas, kind: Kind, hue: f32) {
    let light = Ink::hsl(hue, 0.66, 0.62);
    let full = Ink::hsl(hue, 0.66, 0.50);
    let deep = Ink::hsl(hue, 0.64, 0.37);
    let pale = Ink::hsl(hue, 0.45, 0.95);
    let leaf = Ink::hsl(140.0, 0.45, 0.36);
    let shadow = Ink::hsl(hue, 0.35, 0.25).alpha(0.14);
    match kind {
        Kind::Round => {
            canvas.fill(&ellipse(50.0, 84.0, 24.0, 4.0), shadow);
            let body = either(ellipse(43.0, 57.0, 22.0, 27.0), ellipse(57.0, 57.0, 22.0, 27.0));
            canvas.fill_by(&body, &|x, y| mix(light, deep, ((x - 34.0).hypot(y - 38.0) / 62.0).powf(1.3)));
            canvas.fill(&ellipse(38.0, 46.0, 5.0, 8.0), Ink::WHITE.alpha(0.38));
            canvas.fill(&stroke(50.0, 34.0, 52.0, 22.0, 1.9), Ink::hsl(28.0, 0.4, 0.30));
            canvas.fill(&both(circle(57.0, 33.0, 14.0), circle(66.0, 17.0, 14.0)), leaf);
        }
        Kind::Citrus => {
            canvas.fill(&ellipse(50.0, 84.0, 24.0, 4.0), shadow);
            canvas.fill_by(&circle(50.0, 55.0, 29.0), &|x, y| {
                let away = ((x - 36.0).hypot(y - 38.0) / 66.0).powf(1.3);
                mix(Ink::hsl(hue + 4.0, 0.95, 0.62), Ink::hsl(hue - 6.0, 0.88, 0.46), away)
            });
            canvas.fill(&ellipse(37.0, 44.0, 5.0, 7.5), Ink::WHITE.alpha(0.40));
            canvas.fill(&circle(50.0, 29.5, 2.6), Ink::hsl(90.0, 0.35, 0.32));
            canvas.fill(&both(circle(60.0, 31.0, 13.0), circle(68.0, 16.0, 13.0)), leaf);
        }
        Kind::Banana => {
            let fruit = bow(50.0, 26.0, 38.0, 11.0);
            canvas.fill(&ellipse(50.0, 86.0, 26.0, 3.6), shadow);
            canvas.fill_by(&fruit, &|_, y| {
                mix(Ink::hsl(hue + 3.0, 0.85, 0.64), Ink::hsl(hue - 6.0, 0.80, 0.48), (y - 40.0) / 45.0)
            });
            let ridge = bow(50.0, 22.0, 40.0, 1.3);
            canvas.fill(&ridge, Ink::hsl(hue - 10.0, 0.7, 0.36).alpha(0.35));
            canvas.fill(&stroke(12.4, 31.0, 13.6, 37.0, 2.8), Ink::hsl(35.0, 0.45, 0.26));
            canvas.fill(&stroke(87.0, 35.0, 87.6, 31.0, 2.2), Ink::hsl(35.0, 0.45, 0.26));
        }
        Kind::Long => {
            canvas.fill(&stroke(28.0, 76.0, 74.0, 30.0, 12.0), full);
            canvas.fill(&stroke(26.0, 70.0, 68.0, 28.0, 3.0), light);
            canvas.fill(&stroke(74.0, 30.0, 84.0, 15.0, 3.0), leaf);
            canvas.fill(&stroke(76.0, 30.0, 90.0, 24.0, 3.0), leaf);
        }
        Kind::Loaf => {
            canvas.fill(&ellipse(50.0, 81.0, 36.0, 4.0), shadow);
            let loaf = either(ellipse(50.0, 50.0, 36.0, 23.0), rounded(15.0, 48.0, 85.0, 79.0, 9.0));
            canvas.fill_by(&loaf, &|_, y| {
                mix(Ink::hsl(hue + 2.0, 0.60, 0.56), Ink::hsl(hue - 6.0, 0.55, 0.40), (y - 28.0) / 50.0)
            });
            for x in [32.0, 50.0, 68.0] {
                canvas.fill(&stroke(x - 5.0, 52.0, x + 5.0, 38.0, 2.4), Ink::hsl(hue + 8.0, 0.65, 0.80));
            }
        }
        Kind::Carton => {
            canvas.fill(&ellipse(50.0, 87.0, 24.0, 3.6), shadow);
            canvas.fill_down(&rounded(30.0, 34.0, 70.0, 87.0, 3.5), light, full);
            canvas.fill(&trapezium(50.0, 20.0, 36.0, 13.0, 20.0, 1.2), deep);
            canvas.fill(&rounded(37.0, 13.0, 63.0, 21.5, 2.0), full);
            canvas.fill(&rounded(30.0, 48.0, 70.0, 72.0, 0.5), pale);
            canvas.fill(&circle(50.0, 60.0, 7.5), full);
        }
        Kind::Bottle => {
            canvas.fill(&ellipse(50.0, 89.0, 18.0, 3.2), shadow);
            let glass = either(rounded(33.0, 40.0, 67.0, 89.0, 7.0), trapezium(50.0, 22.0, 52.0, 6.0, 17.0, 2.0));
            canvas.fill_down(&glass, light, deep);
            canvas.fill(&rounded(43.0, 11.0, 57.0, 23.0, 2.0), deep);
            canvas.fill(&rounded(33.0, 55.0, 67.0, 77.0, 0.5), pale);
            canvas.fill(&rounded(39.0, 63.0, 61.0, 68.0, 2.5), full);
            canvas.fill(&stroke(38.5, 46.0, 38.5, 51.0, 1.5), Ink::WHITE.alpha(0.5));
        }
        Kind::Jar => {
            canvas.fill(&ellipse(50.0, 85.0, 25.0, 3.6), shadow);
            canvas.fill_down(&rounded(26.0, 31.0, 74.0, 85.0, 10.0), light, full);
            canvas.fill(&rounded(28.0, 18.0, 72.0, 32.0, 3.5), deep);
            canvas.fill(&rounded(26.0, 46.0, 74.0, 70.0, 0.5), pale);
            canvas.fill(&circle(50.0, 58.0, 7.5), full);
        }
        Kind::Tin => {
            canvas.fill(&ellipse(50.0, 83.0, 26.0, 4.0), shadow);
            canvas.fill(&rounded(26.0, 24.0, 74.0, 84.0, 6.0), Ink::hsl(210.0, 0.06, 0.72));
            canvas.fill(&ellipse(50.0, 27.0, 24.0, 6.0), Ink::hsl(210.0, 0.08, 0.86));
            canvas.fill(&outline(ellipse(50.0, 27.0, 20.0, 4.4), 0.7), Ink::hsl(210.0, 0.06, 0.66));
            canvas.fill_down(&rounded(26.0, 37.0, 74.0, 76.0, 0.5), light, full);
            canvas.fill(&rounded(36.0, 50.0, 64.0, 63.0, 5.0), pale);
        }
        Kind::Bag => {
            canvas.fill(&ellipse(50.0, 87.0, 27.0, 3.6), shadow);
            canvas.fill_down(&trapezium(50.0, 22.0, 87.0, 22.0, 27.0, 6.0), light, full);
            canvas.fill(&rounded(27.0, 14.0, 73.0, 25.0, 3.0), deep);
            canvas.fill(&rounded(35.0, 42.0, 65.0, 70.0, 7.0), pale);
            canvas.fill(&rounded(41.0, 51.0, 59.0, 55.0, 2.0), full);
            canvas.fill(&rounded(41.0, 59.0, 53.0, 62.5, 1.7), light);
        }
        Kind::Packet => {
            canvas.fill(&ellipse(50.0, 84.0, 31.0, 3.6), shadow);
            canvas.fill_down(&rounded(20.0, 25.0, 80.0, 84.0, 5.0), light, full);
            canvas.fill(&rounded(20.0, 25.0, 34.0, 84.0, 4.0), deep);
            canvas.fill(&rounded(42.0, 38.0, 73.0, 64.0, 4.0), pale);
            canvas.fill(&rounded(47.0, 45.0, 68.0, 50.0, 2.4), full);
            canvas.fill(&rounded(47.0, 54.0, 60.0, 58.0, 2.0), light);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sku(text: &str) -> Sku {
        Sku::new(text).expect("a valid sku")
    }

    #[test]
    fn a_name_tells_its_kind() {
        for (name, expected) in [
            ("Granny Smith apples", Kind::Round),
            ("Apple juice 1 l", Kind::Carton),
            ("Tomato soup", Kind::Tin),
            ("Bananas", Kind::Banana),
            ("Still water 1.5 l", Kind::Bottle),
        ] {
            assert_eq!(kind_and_hue("x", name).0, expected, "{name}");
        }
    }

    #[test]
    fn a_broken_picture_is_drawn_instead() {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("oat-drink.png"), b"not a picture").expect("written");
        let pictures = Pictures::from_folder(folder.path());
        assert_eq!(pictures.picture(&sku("oat-drink"), "Oat drink", Place::Tile).size().width, 96);
    }

    #[test]
    fn a_picture_is_drawn_until_it_has_been_read_aside() {
        let (folder, other) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("a folder"));
        image::RgbImage::from_pixel(9, 9, image::Rgb([200, 0, 0])).save(other.path().join("oat.png")).expect("saved");
        let folders = vec![folder.path().to_owned(), other.path().to_owned()];
        let pictures = Pictures::read_aside(move || folders).expect("a thread");
        let middle = |pictures: &Pictures| {
            let image = pictures.picture(&sku("oat"), "Oat drink", Place::Line);
            image.to_rgba8().expect("pixels").as_slice()[72 * 36 + 36]
        };
        let red = Rgba8Pixel { r: 200, g: 0, b: 0, a: 255 };
        assert_ne!(middle(&pictures), red, "drawn");
        let mut arrivals = pictures.take_arrivals().expect("read aside");
        pictures.keep(arrivals.blocking_recv().expect("it comes"));
        assert_eq!(middle(&pictures), red);
    }

    #[test]
    fn a_thumbnail_that_lies_about_its_size_is_shown_as_unknown() {
        let thumbnail = Thumbnail { width: 100, height: 100, rgb: vec![0; 12].into() };
        assert_eq!(Pictures::drawn().thumbnail(&thumbnail, Place::Line).size().width, 72);
    }
}
