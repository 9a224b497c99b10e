//! Grey pictures at other sizes.

use image::GrayImage;

/// Half as wide and high, each pixel the mean of four. A single odd row or column is left out.
pub fn halved(picture: &GrayImage) -> GrayImage {
    let width = picture.width() as usize;
    let (half_width, half_height) = (width / 2, picture.height() as usize / 2);
    let mut pixels = Vec::with_capacity(half_width * half_height);
    if width > 1 {
        for pair in picture.as_raw().chunks_exact(width * 2) {
            let (upper, lower) = pair.split_at(width);
            let mean = |(u, l): (&[u8], &[u8])| {
                ((u16::from(u[0]) + u16::from(u[1]) + u16::from(l[0]) + u16::from(l[1]) + 2) / 4) as u8
            };
            pixels.extend(upper.chunks_exact(2).zip(lower.chunks_exact(2)).map(mean));
        }
    }
    GrayImage::from_raw(half_width as u32, half_height as u32, pixels).unwrap_or_default()
}

/// Half as large again, bilinear: two pixels become three.
pub fn enlarged(picture: &GrayImage) -> GrayImage {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if width == 0 || height == 0 {
        return GrayImage::default();
    }
    let (out_width, out_height) = (width * 3 / 2, height * 3 / 2);
    // In sixths of a pixel the middles of the new pixels fall on whole numbers: 4n − 1.
    let source = |n: usize, size: usize| {
        let sixths = (4 * n).saturating_sub(1);
        let first = (sixths / 6).min(size - 1);
        (first, (first + 1).min(size - 1), (sixths % 6) as u32)
    };
    let columns: Vec<_> = (0..out_width).map(|x| source(x, width)).collect();
    let mut pixels = Vec::with_capacity(out_width * out_height);
    for y in 0..out_height {
        let (top, bottom, down) = source(y, height);
        let (upper, lower) = (&picture.as_raw()[top * width..][..width], &picture.as_raw()[bottom * width..][..width]);
        pixels.extend(columns.iter().map(|(left, right, across)| {
            let along = |line: &[u8]| u32::from(line[*left]) * (6 - across) + u32::from(line[*right]) * across;
            ((along(upper) * (6 - down) + along(lower) * down + 18) / 36) as u8
        }));
    }
    GrayImage::from_raw(out_width as u32, out_height as u32, pixels).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_means_and_a_slope_stays_a_slope() {
        let picture = GrayImage::from_fn(9, 5, |x, y| image::Luma([(x * 10 + y) as u8]));
        let half = halved(&picture);
        assert_eq!((half.dimensions(), half.get_pixel(1, 1)[0]), ((4, 2), 28));
        let large = enlarged(&picture);
        assert_eq!(large.dimensions(), (13, 7));
        // The fifth pixel's middle is at 4.5 × 2/3 − 0.5 = 2.5 of the picture's.
        assert_eq!(large.get_pixel(4, 1)[0], 25 + 1);
    }

    #[test]
    fn empty_and_tiny_pictures_have_other_sizes_too() {
        for (width, height) in [(0, 0), (1, 1), (1, 9), (9, 1), (2, 2)] {
            let picture = GrayImage::new(width, height);
            assert_eq!(halved(&picture).dimensions().0, width / 2);
            assert_eq!(enlarged(&picture).dimensions(), (width * 3 / 2, height * 3 / 2));
        }
    }
}
