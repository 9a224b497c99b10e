//! Where the bars of linear codes lie in a picture, and which way they run.
//!
//! Bars are the place where brightness changes often, and always in one direction. The structure
//! tensor of the gradient says both for each small cell of the picture: how much changes, and how
//! much of it in one direction. Neighbouring cells of one direction are put together; what comes
//! out is a rectangle across the bars, at any angle. Neither a code nor its kind is known yet.

use image::GrayImage;

/// Side of a cell in pixels: a few bars wide at a pixel or two a module.
const CELL: usize = 8;
/// Share of a cell's change that goes in one direction, 0 to 1, from which it may be bars.
const LEAST_COHERENCE: f32 = 0.5;
/// Pictures with more pixels than this are measured on every other line.
const LARGE_PX: usize = 120_000;
/// Mean squared gradient of a cell below this is paper or blur.
const LEAST_ENERGY: f32 = 60.0;
/// Share of the change that goes one way, 0 to 1, above which it is an edge.
const MOST_SLOPE: f32 = 0.6;
/// A cell with less change than this share of its seed's is not of the seed's group.
const LEAST_SHARE: f32 = 0.1;
/// Cells of one group differ by less than this, in degrees.
const SAME_DIRECTION_DEG: f32 = 16.0;
/// Cells this far apart are still one group: a wide bar leaves a cell empty.
const REACH: isize = 2;
/// The fewest cells of a group.
const LEAST_CELLS: usize = 3;

/// A patch of parallel bars, in pixels of the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bars {
    /// The direction that crosses the bars, in degrees from the rows, 0 to 180, clockwise on screen.
    pub across_deg: f32,
    /// The patch's middle.
    pub middle: [f32; 2],
    /// Half its length across the bars.
    pub half_across: f32,
    /// Half its length along the bars.
    pub half_along: f32,
    /// How much changes in it: what patches are ranked by.
    pub strength: f32,
}

/// Sums of the gradient's products over a patch.
#[derive(Clone, Copy, Debug, Default)]
struct Tensor {
    xx: f32,
    yy: f32,
    xy: f32,
    /// The gradient itself, and its absolute parts: bars go down as often as up, an edge does not.
    net: [f32; 2],
    gross: f32,
}

impl Tensor {
    fn plus(self, other: Self) -> Self {
        Self {
            xx: self.xx + other.xx,
            yy: self.yy + other.yy,
            xy: self.xy + other.xy,
            net: [self.net[0] + other.net[0], self.net[1] + other.net[1]],
            gross: self.gross + other.gross,
        }
    }

    /// 0 where it goes down as often as up, 1 on a plain edge.
    fn slope(self) -> f32 {
        if self.gross > 0.0 { (self.net[0].abs() + self.net[1].abs()) / self.gross } else { 0.0 }
    }

    fn energy(self) -> f32 {
        self.xx + self.yy
    }

    fn coherence(self) -> f32 {
        let energy = self.energy();
        if energy > 0.0 { (self.xx - self.yy).hypot(2.0 * self.xy) / energy } else { 0.0 }
    }

    /// 0 to 180.
    fn direction_deg(self) -> f32 {
        (0.5 * (2.0 * self.xy).atan2(self.xx - self.yy).to_degrees()).rem_euclid(180.0)
    }
}

impl Bars {
    /// The same patch in the picture of which this one is a `times` smaller copy.
    #[must_use]
    pub fn enlarged(self, times: f32) -> Self {
        Self {
            middle: self.middle.map(|at| (at + 0.5) * times - 0.5),
            half_across: self.half_across * times,
            half_along: self.half_along * times,
            ..self
        }
    }

    /// The whole of a picture, taken as bars that stand upright in it.
    pub fn upright(picture: &GrayImage) -> Self {
        let half = [picture.width() as f32 / 2.0, picture.height() as f32 / 2.0];
        Self {
            across_deg: 0.0,
            middle: half.map(|h| h - 0.5),
            half_across: half[0],
            half_along: half[1],
            strength: 0.0,
        }
    }
}

/// The strongest patches of bars, at most `most`, the strongest first.
pub fn find(picture: &GrayImage, most: usize) -> Vec<Bars> {
    let (columns, tensors) = tensors(picture);
    if columns == 0 {
        return Vec::new();
    }
    let smooth = smooth(&tensors, columns);
    let energy = (CELL * CELL * 9) as f32 * LEAST_ENERGY;
    let barlike = |t: &Tensor| t.energy() >= energy && t.coherence() >= LEAST_COHERENCE && t.slope() <= MOST_SLOPE;
    let mut free: Vec<bool> = smooth.iter().map(barlike).collect();
    let mut seeds: Vec<usize> = (0..smooth.len()).filter(|i| free[*i]).collect();
    seeds.sort_by(|a, b| smooth[*b].energy().total_cmp(&smooth[*a].energy()));
    let directions: Vec<f32> = smooth.iter().map(|t| t.direction_deg()).collect();
    let mut found = Vec::new();
    for seed in seeds {
        if free[seed] {
            let group = group(seed, &smooth, &directions, columns, &mut free);
            if group.len() >= LEAST_CELLS {
                found.push(patch(picture, &group, &tensors, columns));
            }
        }
    }
    found.sort_by(|a, b| b.strength.total_cmp(&a.strength));
    found.truncate(most);
    found
}

/// A tensor for each cell, row by row, and the number of cells in a row.
fn tensors(picture: &GrayImage) -> (usize, Vec<Tensor>) {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    if width < 2 || height < 2 {
        return (0, Vec::new());
    }
    let (columns, rows) = ((width - 1).div_ceil(CELL), (height - 1).div_ceil(CELL));
    let skip = if width * height > LARGE_PX { 2 } else { 1 };
    let raw = picture.as_raw();
    let mut tensors = vec![Tensor::default(); columns * rows];
    for (row, tensors) in tensors.chunks_exact_mut(columns).enumerate() {
        let mut sums = vec![Lanes::default(); columns];
        for y in (row * CELL..((row + 1) * CELL).min(height - 1)).step_by(skip) {
            let (upper, lower) = (&raw[y * width..][..width], &raw[(y + 1) * width..][..width]);
            for (column, sums) in sums.iter_mut().enumerate() {
                let start = column * CELL;
                match (upper.get(start..=start + CELL), lower.get(start..=start + CELL)) {
                    (Some(upper), Some(lower)) => sums.add(upper, lower),
                    // The last cell may be narrow; equal pixels add nothing.
                    _ => {
                        let padded = |line: &[u8]| {
                            let mut cell = [line[width - 1]; CELL + 1];
                            cell[..width - start].copy_from_slice(&line[start..]);
                            cell
                        };
                        sums.add(&padded(upper), &padded(lower));
                    }
                }
            }
        }
        for (tensor, sums) in tensors.iter_mut().zip(&sums) {
            *tensor = sums.total(skip as f32);
        }
    }
    (columns, tensors)
}

/// A cell's sums, one for each of its pixel columns, so that they are added side by side.
#[derive(Clone, Default)]
struct Lanes {
    xx: [f32; CELL],
    yy: [f32; CELL],
    xy: [f32; CELL],
    x: [f32; CELL],
    y: [f32; CELL],
    gross: [f32; CELL],
}

impl Lanes {
    /// Takes a cell's part, one pixel wider than the cell, of two lines.
    fn add(&mut self, upper: &[u8], lower: &[u8]) {
        let (mut u, mut l) = ([0.0_f32; CELL + 1], [0.0_f32; CELL + 1]);
        for i in 0..=CELL {
            u[i] = f32::from(upper[i]);
            l[i] = f32::from(lower[i]);
        }
        for i in 0..CELL {
            // Over two by two pixels, so that bars of a pixel each do not cancel out.
            let (falling, rising) = (l[i + 1] - u[i], u[i + 1] - l[i]);
            let (gx, gy) = ((falling + rising) * 0.5, (falling - rising) * 0.5);
            self.xx[i] += gx * gx;
            self.yy[i] += gy * gy;
            self.xy[i] += gx * gy;
            self.x[i] += gx;
            self.y[i] += gy;
            self.gross[i] += gx.abs() + gy.abs();
        }
    }

    fn total(&self, times: f32) -> Tensor {
        let sum = |lanes: &[f32; CELL]| lanes.iter().sum::<f32>() * times;
        Tensor {
            xx: sum(&self.xx),
            yy: sum(&self.yy),
            xy: sum(&self.xy),
            net: [sum(&self.x), sum(&self.y)],
            gross: sum(&self.gross),
        }
    }
}

/// Each cell with its eight neighbours.
fn smooth(tensors: &[Tensor], columns: usize) -> Vec<Tensor> {
    let around = |index: usize, count: usize| index.saturating_sub(1)..(index + 2).min(count);
    let sum = |cells: &mut dyn Iterator<Item = Tensor>| cells.fold(Tensor::default(), Tensor::plus);
    let rows: Vec<&[Tensor]> = tensors.chunks_exact(columns).collect();
    let mut smooth = Vec::with_capacity(tensors.len());
    for row in 0..rows.len() {
        let near = &rows[around(row, rows.len())];
        let upright: Vec<Tensor> = (0..columns).map(|x| sum(&mut near.iter().map(|row| row[x]))).collect();
        smooth.extend((0..columns).map(|x| sum(&mut upright[around(x, columns)].iter().copied())));
    }
    smooth
}

/// The cells at most `reach` away, the cell itself with them.
fn neighbours(cell: usize, columns: usize, rows: usize, reach: isize) -> impl Iterator<Item = usize> {
    let (x, y) = ((cell % columns) as isize, (cell / columns) as isize);
    (-reach..=reach)
        .flat_map(move |dy| (-reach..=reach).map(move |dx| (x + dx, y + dy)))
        .filter(move |(x, y)| (0..columns as isize).contains(x) && (0..rows as isize).contains(y))
        .map(move |(x, y)| y as usize * columns + x as usize)
}

/// The connected cells that go the seed's way.
fn group(seed: usize, smooth: &[Tensor], directions: &[f32], columns: usize, free: &mut [bool]) -> Vec<usize> {
    let mut sum = smooth[seed];
    let mut cells = vec![seed];
    free[seed] = false;
    let mut next = 0;
    while let Some(cell) = cells.get(next).copied() {
        next += 1;
        let direction = sum.direction_deg();
        for near in neighbours(cell, columns, smooth.len() / columns, REACH) {
            let alike = smooth[near].energy() >= smooth[seed].energy() * LEAST_SHARE;
            if free[near] && alike && apart_deg(directions[near], direction) < SAME_DIRECTION_DEG {
                free[near] = false;
                sum = sum.plus(smooth[near]);
                cells.push(near);
            }
        }
    }
    cells
}

/// Degrees between two directions, 0 to 90.
fn apart_deg(a: f32, b: f32) -> f32 {
    let apart = (a - b).rem_euclid(180.0);
    apart.min(180.0 - apart)
}

/// The direction of a group's gradient, by an operator that is true to it also where bars are two
/// or three pixels apart: differences over two by two pixels see every fine bar and take one at 15°
/// to be at 10°.
///
/// Source: H. Scharr, Optimale Operatoren in der Digitalen Bildverarbeitung, 2000.
fn exact_direction_deg(picture: &GrayImage, cells: &[usize], columns: usize) -> Option<f32> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let raw = picture.as_raw();
    let mut sum = Tensor::default();
    for cell in cells {
        let (left, top) = (cell % columns * CELL, cell / columns * CELL);
        for y in top.max(1)..(top + CELL).min(height - 1) {
            let mut lanes = [[0.0_f32; CELL]; 3];
            let from = left.max(1);
            let to = (left + CELL).min(width - 1);
            if to <= from {
                continue;
            }
            let line = |y: usize| &raw[y * width + from - 1..y * width + to + 1];
            let (above, here, below) = (line(y - 1), line(y), line(y + 1));
            for i in 0..to - from {
                let at = |line: &[u8], dx: usize| f32::from(line[i + dx]);
                let right = 3.0 * (at(above, 2) + at(below, 2)) + 10.0 * at(here, 2);
                let left = 3.0 * (at(above, 0) + at(below, 0)) + 10.0 * at(here, 0);
                let down = 3.0 * (at(below, 0) + at(below, 2)) + 10.0 * at(below, 1);
                let up = 3.0 * (at(above, 0) + at(above, 2)) + 10.0 * at(above, 1);
                let (gx, gy) = (right - left, down - up);
                lanes[0][i] = gx * gx;
                lanes[1][i] = gy * gy;
                lanes[2][i] = gx * gy;
            }
            let [xx, yy, xy] = lanes.map(|lane| lane.iter().sum::<f32>());
            sum = sum.plus(Tensor { xx, yy, xy, ..Tensor::default() });
        }
    }
    (sum.coherence() > 0.0).then(|| sum.direction_deg())
}

fn patch(picture: &GrayImage, cells: &[usize], tensors: &[Tensor], columns: usize) -> Bars {
    let sum = cells.iter().fold(Tensor::default(), |sum, cell| sum.plus(tensors[*cell]));
    let across_deg = exact_direction_deg(picture, cells, columns).unwrap_or_else(|| sum.direction_deg());
    let (sin, cos) = across_deg.to_radians().sin_cos();
    let mut span = [[f32::MAX, f32::MIN]; 2];
    for cell in cells {
        let (x, y) =
            ((cell % columns * CELL) as f32 + CELL as f32 / 2.0, (cell / columns * CELL) as f32 + CELL as f32 / 2.0);
        for (span, at) in span.iter_mut().zip([cos * x + sin * y, cos * y - sin * x]) {
            *span = [span[0].min(at), span[1].max(at)];
        }
    }
    let [u, v] = span.map(|s| (s[0] + s[1]) / 2.0);
    let [half_across, half_along] = span.map(|s| (s[1] - s[0] + CELL as f32) / 2.0);
    Bars {
        across_deg,
        middle: [cos * u - sin * v, sin * u + cos * v],
        half_across,
        half_along,
        strength: sum.energy() * sum.coherence(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rotate::rotated;

    /// Bars of one to four pixels in a box of 140 × 60, on a grey field.
    fn label() -> GrayImage {
        let widths = [2, 1, 3, 1, 4, 2, 1, 2, 3, 1, 1, 4];
        let mut dark = [false; 140];
        let (mut at, mut bar) = (0, true);
        for width in widths.into_iter().cycle() {
            dark.iter_mut().skip(at).take(width).for_each(|d| *d = bar);
            (at, bar) = (at + width, !bar);
            if at >= 140 {
                break;
            }
        }
        GrayImage::from_fn(260, 200, |x, y| {
            let inside = (60..200).contains(&x) && (70..130).contains(&y);
            image::Luma([if inside && dark[x as usize - 60] { 40 } else { 180 }])
        })
    }

    #[test]
    fn bars_are_found_at_every_angle_with_their_direction() {
        for degrees in (0..180).step_by(15) {
            let picture = rotated(&label(), degrees as f32);
            let found = find(&picture, 1);
            let [bars] = found.as_slice() else { panic!("nothing at {degrees}°") };
            assert!(apart_deg(bars.across_deg, degrees as f32) < 2.0, "{degrees}°: {bars:?}");
            let middle = [picture.width() as f32 / 2.0, picture.height() as f32 / 2.0];
            assert!((bars.middle[0] - middle[0]).hypot(bars.middle[1] - middle[1]) < 8.0, "{degrees}°: {bars:?}");
            assert!((62.0..90.0).contains(&bars.half_across), "{degrees}°: {bars:?}");
            assert!((25.0..50.0).contains(&bars.half_along), "{degrees}°: {bars:?}");
        }
    }

    #[test]
    fn an_edge_paper_and_next_to_nothing_are_no_bars() {
        let edge = GrayImage::from_fn(200, 200, |x, _| image::Luma([if x < 100 { 20 } else { 230 }]));
        let paper = GrayImage::from_fn(200, 200, |x, y| image::Luma([180 + ((x * 7 + y * 13) % 5) as u8]));
        for picture in [edge, paper, GrayImage::new(0, 0), GrayImage::new(1, 1), GrayImage::new(1, 90)] {
            assert_eq!(find(&picture, 3), [], "{:?}", picture.dimensions());
        }
    }
}
