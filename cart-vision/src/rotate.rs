//! A grey picture turned by an angle: for measuring how well tilted codes are read.

use image::GrayImage;

/// How bright the picture's border is where it is paper: what to put around it. A label is not
/// alone in white space, and its own brightness is the best guess at what goes on beside it.
pub fn surroundings(picture: &GrayImage) -> u8 {
    let (width, height) = picture.dimensions();
    let on_border = |x: u32, y: u32| x == 0 || y == 0 || x + 1 == width || y + 1 == height;
    let border = picture.enumerate_pixels().filter(|(x, y, _)| on_border(*x, *y));
    let mut brightness: Vec<u8> = border.map(|(_, _, pixel)| pixel[0]).collect();
    brightness.sort_unstable();
    // Of the border's brighter half, the middle: bars may run into it.
    brightness.get(brightness.len() * 3 / 4).copied().unwrap_or(u8::MAX)
}

/// The picture turned clockwise on screen by `degrees`, on a canvas that holds all of it and is as
/// bright as its [`surroundings`].
pub fn rotated(picture: &GrayImage, degrees: f32) -> GrayImage {
    let outside = surroundings(picture);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (width, height) = picture.dimensions();
    let across = |a: f32, b: f32| (width as f32 * a.abs() + height as f32 * b.abs()).round().max(1.0) as u32;
    let (out_width, out_height) = (across(cos, sin), across(sin, cos));
    let (cx, cy) = (width as f32 / 2.0 - 0.5, height as f32 / 2.0 - 0.5);
    let (ox, oy) = (out_width as f32 / 2.0 - 0.5, out_height as f32 / 2.0 - 0.5);
    GrayImage::from_fn(out_width, out_height, |x, y| {
        let (dx, dy) = (x as f32 - ox, y as f32 - oy);
        image::Luma([sample(picture, outside, cx + cos * dx + sin * dy, cy + cos * dy - sin * dx)])
    })
}

/// Bilinear.
fn sample(picture: &GrayImage, outside: u8, x: f32, y: f32) -> u8 {
    let (left, top) = (x.floor(), y.floor());
    let pixel = |dx: f32, dy: f32| {
        let (x, y) = (left + dx, top + dy);
        let inside = x >= 0.0 && y >= 0.0 && x < picture.width() as f32 && y < picture.height() as f32;
        f32::from(if inside { picture.get_pixel(x as u32, y as u32)[0] } else { outside })
    };
    let (wx, wy) = (x - left, y - top);
    let upper = pixel(0.0, 0.0) * (1.0 - wx) + pixel(1.0, 0.0) * wx;
    let lower = pixel(0.0, 1.0) * (1.0 - wx) + pixel(1.0, 1.0) * wx;
    (upper * (1.0 - wy) + lower * wy).round() as u8
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dot_goes_where_a_clock_s_hand_would() {
        let check = |degrees: f32, x: u32, y: u32, expected: (u32, u32)| {
            let picture = GrayImage::from_fn(60, 40, |px, py| image::Luma([if (px, py) == (x, y) { 0 } else { 255 }]));
            let turned = rotated(&picture, degrees);
            let dark = turned.enumerate_pixels().min_by_key(|(_, _, p)| p[0]).expect("pixels");
            let near = dark.0.abs_diff(expected.0) <= 1 && dark.1.abs_diff(expected.1) <= 1;
            assert!(near, "{degrees}: at {} {}, expected at {expected:?}", dark.0, dark.1);
        };
        check(0.0, 12, 30, (12, 30));
        check(90.0, 12, 30, (9, 12));
        check(180.0, 12, 30, (47, 9));
        check(270.0, 12, 30, (30, 47));
    }

    #[test]
    fn around_a_label_it_is_as_bright_as_its_paper() {
        let label = GrayImage::from_fn(40, 20, |x, _| image::Luma([if x % 4 == 0 { 30 } else { 140 }]));
        assert_eq!(surroundings(&label), 140);
        assert_eq!(rotated(&label, 45.0).get_pixel(0, 0)[0], 140);
    }

    #[test]
    fn tiny_pictures_turn_without_trouble() {
        for (width, height) in [(0, 0), (1, 1), (1, 50), (2, 2)] {
            rotated(&GrayImage::new(width, height), 45.0);
        }
    }
}
