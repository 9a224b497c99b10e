//! From a camera's own pixel layout to packed RGB.
//!
//! Cameras give brightness and colour apart (YUYV, NV12). Conversion is in whole numbers, for the
//! limited range of BT.601 that USB cameras send unless they say otherwise.
//! Source: Linux, Userspace API, "Colorspaces", `V4L2_YCBCR_ENC_601` with limited range; "Packed YUV
//! formats" and "Planar YUV formats".

/// How a raw picture lies in memory, rows top to bottom without gaps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// Two pixels in four bytes: Y0 U Y1 V.
    Yuyv,
    /// A plane of Y, then half as many rows of U and V by turns.
    Nv12,
    /// One byte of brightness a pixel, full range.
    Gray,
    /// Three bytes a pixel: red, green, blue.
    Rgb,
    /// Three bytes a pixel: blue, green, red.
    Bgr,
}

/// Raw bytes that cannot be a picture.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum PixelError {
    /// Colours are shared by neighbours, so sides must be even; and no side is nothing.
    #[error("{layout:?} cannot hold {width}x{height} pixels")]
    Size {
        /// The layout.
        layout: Layout,
        /// Pixels a row.
        width: u32,
        /// Rows.
        height: u32,
    },
    /// The picture was cut off on its way.
    #[error("{found} bytes where a picture has {wanted}")]
    TooShort {
        /// Bytes that came.
        found: usize,
        /// Bytes a whole picture has.
        wanted: usize,
    },
}

impl Layout {
    /// The bytes of a picture; `None` when this layout cannot hold it.
    fn bytes(self, width: u32, height: u32) -> Option<usize> {
        let even = match self {
            Layout::Yuyv => width.is_multiple_of(2),
            Layout::Nv12 => width.is_multiple_of(2) && height.is_multiple_of(2),
            Layout::Gray | Layout::Rgb | Layout::Bgr => true,
        };
        let pixels = (width as usize).checked_mul(height as usize)?;
        // The result has three bytes a pixel; that must fit as well.
        pixels.checked_mul(3)?;
        let bytes = match self {
            Layout::Yuyv => pixels * 2,
            Layout::Nv12 => pixels + pixels / 2,
            Layout::Gray => pixels,
            Layout::Rgb | Layout::Bgr => pixels * 3,
        };
        (even && pixels > 0).then_some(bytes)
    }
}

/// Turns `raw` into packed RGB8 (`width * height * 3` bytes). Bytes behind the picture are left
/// alone: drivers round their buffers up to whole pages.
///
/// # Errors
/// When the layout cannot hold such a picture, or `raw` is shorter than it.
pub fn to_rgb(layout: Layout, width: u32, height: u32, raw: &[u8]) -> Result<Vec<u8>, PixelError> {
    let wanted = layout.bytes(width, height).ok_or(PixelError::Size { layout, width, height })?;
    let raw = raw.get(..wanted).ok_or(PixelError::TooShort { found: raw.len(), wanted })?;
    let (width, height) = (width as usize, height as usize);
    Ok(match layout {
        Layout::Rgb => raw.to_vec(),
        Layout::Bgr => raw.chunks_exact(3).flat_map(|bgr| [bgr[2], bgr[1], bgr[0]]).collect(),
        Layout::Gray => raw.iter().flat_map(|&y| [y, y, y]).collect(),
        Layout::Yuyv => {
            let mut rgb = Vec::with_capacity(width * height * 3);
            for pair in raw.chunks_exact(4) {
                let colour = Colour::new(pair[1], pair[3]);
                rgb.extend_from_slice(&colour.at(pair[0]));
                rgb.extend_from_slice(&colour.at(pair[2]));
            }
            rgb
        }
        Layout::Nv12 => {
            let (luma, chroma) = raw.split_at(width * height);
            let mut rgb = Vec::with_capacity(width * height * 3);
            for (row, line) in luma.chunks_exact(width).enumerate() {
                let colours = &chroma[row / 2 * width..][..width];
                for (pair, uv) in line.chunks_exact(2).zip(colours.chunks_exact(2)) {
                    let colour = Colour::new(uv[0], uv[1]);
                    rgb.extend_from_slice(&colour.at(pair[0]));
                    rgb.extend_from_slice(&colour.at(pair[1]));
                }
            }
            rgb
        }
    })
}

/// What a pair's colour adds to its brightness, in 1/256.
#[derive(Clone, Copy)]
struct Colour {
    red: i32,
    green: i32,
    blue: i32,
}

impl Colour {
    fn new(u: u8, v: u8) -> Self {
        let (u, v) = (i32::from(u) - 128, i32::from(v) - 128);
        Self { red: 409 * v, green: -100 * u - 208 * v, blue: 516 * u }
    }

    fn at(self, y: u8) -> [u8; 3] {
        let light = 298 * (i32::from(y) - 16) + 128;
        [self.red, self.green, self.blue].map(|part| ((light + part) >> 8).clamp(0, 255) as u8)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The colour bars of BT.601, limited range: Y, U, V and what they look like.
    const BARS: [([u8; 3], [u8; 3]); 5] = [
        ([16, 128, 128], [0, 0, 0]),
        ([235, 128, 128], [255, 255, 255]),
        ([81, 90, 240], [255, 0, 0]),
        ([145, 54, 34], [0, 255, 0]),
        ([41, 240, 110], [0, 0, 255]),
    ];

    fn near(found: &[u8], expected: [u8; 3]) {
        assert!(found.len().is_multiple_of(3) && !found.is_empty());
        for pixel in found.chunks_exact(3) {
            let close = pixel.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= 2);
            assert!(close, "{pixel:?} is not {expected:?}");
        }
    }

    #[test]
    fn the_colour_bars_come_out_right_from_both_layouts() {
        for ([y, u, v], rgb) in BARS {
            near(&to_rgb(Layout::Yuyv, 2, 1, &[y, u, y, v]).expect("a pair"), rgb);
            near(&to_rgb(Layout::Nv12, 2, 2, &[y, y, y, y, u, v]).expect("a square"), rgb);
        }
    }

    #[test]
    fn pixels_keep_their_places() {
        let yuyv = to_rgb(Layout::Yuyv, 2, 2, &[16, 128, 235, 128, 235, 128, 16, 128]).expect("two rows");
        assert_eq!(yuyv, [0, 0, 0, 255, 255, 255, 255, 255, 255, 0, 0, 0]);
        let mut nv12 = vec![16; 4 * 4];
        nv12[3 * 4] = 235;
        nv12.extend([128; 8]);
        let rgb = to_rgb(Layout::Nv12, 4, 4, &nv12).expect("four rows");
        let white = rgb.chunks_exact(3).position(|pixel| pixel == [255, 255, 255]);
        assert_eq!(white, Some(12), "the first pixel of the last row");
        assert_eq!(to_rgb(Layout::Bgr, 1, 1, &[1, 2, 3]).expect("a pixel"), [3, 2, 1]);
        assert_eq!(to_rgb(Layout::Rgb, 1, 1, &[1, 2, 3]).expect("a pixel"), [1, 2, 3]);
        assert_eq!(to_rgb(Layout::Gray, 2, 1, &[7, 9]).expect("a pair"), [7, 7, 7, 9, 9, 9]);
    }

    fn check(layout: Layout, width: u32, height: u32, raw: usize, expected: Result<usize, PixelError>) {
        let found = to_rgb(layout, width, height, &vec![0; raw]).map(|rgb| rgb.len());
        assert_eq!(found, expected);
    }

    #[test]
    fn what_is_no_picture_is_refused_and_padding_behind_one_is_not() {
        check(Layout::Yuyv, 640, 480, 640 * 480 * 2, Ok(640 * 480 * 3));
        check(Layout::Yuyv, 4, 2, 4_096, Ok(24));
        check(Layout::Yuyv, 4, 2, 15, Err(PixelError::TooShort { found: 15, wanted: 16 }));
        check(Layout::Yuyv, 3, 2, 64, Err(PixelError::Size { layout: Layout::Yuyv, width: 3, height: 2 }));
        check(Layout::Nv12, 4, 3, 64, Err(PixelError::Size { layout: Layout::Nv12, width: 4, height: 3 }));
        check(Layout::Rgb, 0, 3, 0, Err(PixelError::Size { layout: Layout::Rgb, width: 0, height: 3 }));
    }
}
