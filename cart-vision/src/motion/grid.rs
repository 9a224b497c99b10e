//! A frame as cells of mean colour, and sets of cells.

use hal::Frame;

use crate::sighting::BBox;

/// Cells a row, about: 8 × 8 pixels each in a 640-pixel frame.
const CELLS_A_ROW: u32 = 80;
/// Samples along each side of a cell.
const SAMPLES: u32 = 4;
/// So many set cells at the border are a hand or a thing that comes in; so many free ones part two of them.
const REACHING_CELLS: usize = 3;
const APART_CELLS: usize = 5;
/// A colour no frame can have: no cell ever matches it.
const NOWHERE: [f32; 3] = [-1000.0; 3];

/// Mean colours, row by row, 0..255 a channel.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Grid {
    columns: usize,
    rows: usize,
    cell_px: u32,
    cells: Vec<[f32; 3]>,
}

/// A set of cells of a grid.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Mask {
    columns: usize,
    rows: usize,
    cell_px: u32,
    set: Vec<bool>,
}

impl Grid {
    /// The frame's cells; `None` when its bytes do not match its size.
    pub(super) fn of(frame: &Frame) -> Option<Self> {
        let (width, height) = (frame.width as usize, frame.height as usize);
        if frame.rgb.len() != width.checked_mul(height)?.checked_mul(3)? {
            return None;
        }
        let cell_px = (frame.width / CELLS_A_ROW).max(4);
        let step = (cell_px / SAMPLES).max(1) as usize;
        let (columns, rows) = (width / cell_px as usize, height / cell_px as usize);
        let mut cells = Vec::with_capacity(columns * rows);
        for row in 0..rows {
            for column in 0..columns {
                let (left, top) = (column * cell_px as usize, row * cell_px as usize);
                let mut sum = [0u32; 3];
                let mut count = 0u32;
                for y in (top..top + cell_px as usize).step_by(step) {
                    for x in (left..left + cell_px as usize).step_by(step) {
                        let pixel = &frame.rgb[(y * width + x) * 3..][..3];
                        sum.iter_mut().zip(pixel).for_each(|(s, v)| *s += u32::from(*v));
                        count += 1;
                    }
                }
                cells.push(sum.map(|s| s as f32 / count as f32));
            }
        }
        Some(Self { columns, rows, cell_px, cells })
    }

    pub(super) fn same_shape(&self, other: &Grid) -> bool {
        (self.columns, self.rows, self.cell_px) == (other.columns, other.rows, other.cell_px)
    }

    /// A grid that matches nothing.
    pub(super) fn nowhere(&self) -> Grid {
        Grid { cells: vec![NOWHERE; self.cells.len()], ..self.clone() }
    }

    /// This grid under the light of `now`: each channel times the median gain. Most of a scene is
    /// not the moving thing, so the median is the light's.
    pub(super) fn lit_like(&self, now: &Grid) -> Grid {
        let mut lit = self.clone();
        for channel in 0..3 {
            let mut gains: Vec<f32> = (self.cells.iter().zip(&now.cells))
                .filter(|(was, _)| was[channel] > 8.0)
                .map(|(was, is)| is[channel] / was[channel])
                .filter(|gain| (0.5..2.0).contains(gain))
                .collect();
            if gains.len() < self.cells.len() / 4 {
                continue;
            }
            let middle = gains.len() / 2;
            let (_, gain, _) = gains.select_nth_unstable_by(middle, f32::total_cmp);
            let gain = *gain;
            lit.cells.iter_mut().filter(|c| **c != NOWHERE).for_each(|c| c[channel] *= gain);
        }
        lit
    }

    /// How many cells of `part` may match anything at all.
    pub(super) fn known(&self, part: &Mask) -> usize {
        self.cells.iter().zip(&part.set).filter(|(cell, set)| **set && **cell != NOWHERE).count()
    }

    fn mask(&self, set: Vec<bool>) -> Mask {
        Mask { columns: self.columns, rows: self.rows, cell_px: self.cell_px, set }
    }

    /// Cells that differ from `now` by more than `limit` over three channels.
    pub(super) fn changed(&self, now: &Grid, limit: f32) -> Mask {
        self.mask(self.cells.iter().zip(&now.cells).map(|(was, is)| difference(*was, *is) > limit).collect())
    }

    /// Cells of `among` that look in `now` as they do here.
    pub(super) fn matching(&self, now: &Grid, among: &Mask, limit: f32) -> Mask {
        let same = self.cells.iter().zip(&now.cells).map(|(was, is)| difference(*was, *is) <= limit);
        self.mask(same.zip(&among.set).map(|(same, among)| same && *among).collect())
    }

    /// Takes the colours of `other` where `mask` is set.
    pub(super) fn replace(&mut self, other: &Grid, mask: &Mask) {
        for ((own, new), set) in self.cells.iter_mut().zip(&other.cells).zip(&mask.set) {
            if *set {
                *own = *new;
            }
        }
    }

    /// Matches nothing any more where `mask` is set.
    pub(super) fn forget(&mut self, mask: &Mask) {
        self.cells.iter_mut().zip(&mask.set).filter(|(_, set)| **set).for_each(|(cell, _)| *cell = NOWHERE);
    }

    /// Drawn towards `now` by `share`, outside `except`.
    pub(super) fn followed(mut self, now: &Grid, except: &Mask, share: f32) -> Grid {
        for ((own, new), set) in self.cells.iter_mut().zip(&now.cells).zip(&except.set) {
            if !*set {
                own.iter_mut().zip(new).for_each(|(o, n)| *o += (n - *o) * share);
            }
        }
        self
    }

    /// The mean difference between neighbours across the border of `part`.
    pub(super) fn outline(&self, part: &Mask) -> f32 {
        let (mut sum, mut count) = (0.0, 0u32);
        for i in (0..self.cells.len()).filter(|i| part.set[*i]) {
            for j in part.neighbours(i).filter(|j| !part.set[*j]) {
                sum += difference(self.cells[i], self.cells[j]);
                count += 1;
            }
        }
        if count == 0 { 0.0 } else { sum / count as f32 }
    }
}

fn difference(a: [f32; 3], b: [f32; 3]) -> f32 {
    (a[0] - b[0]).abs() + (a[1] - b[1]).abs() + (a[2] - b[2]).abs()
}

impl Mask {
    pub(super) fn count(&self) -> usize {
        self.set.iter().filter(|s| **s).count()
    }

    pub(super) fn len(&self) -> usize {
        self.set.len()
    }

    /// A mask like this with no cell set.
    pub(super) fn none(&self) -> Mask {
        Mask { set: vec![false; self.set.len()], ..self.clone() }
    }

    /// This without the cells of `other`.
    pub(super) fn without(&self, other: &Mask) -> Mask {
        Mask { set: self.set.iter().zip(&other.set).map(|(a, b)| *a && !*b).collect(), ..self.clone() }
    }

    /// This and the cells of `other`.
    fn with(&self, other: &Mask) -> Mask {
        Mask { set: self.set.iter().zip(&other.set).map(|(a, b)| *a || *b).collect(), ..self.clone() }
    }

    fn neighbours(&self, i: usize) -> impl Iterator<Item = usize> + use<> {
        let (column, row, columns, rows) = (i % self.columns, i / self.columns, self.columns, self.rows);
        [
            (column > 0).then(|| i - 1),
            (column + 1 < columns).then_some(i + 1),
            (row > 0).then(|| i - columns),
            (row + 1 < rows).then_some(i + columns),
        ]
        .into_iter()
        .flatten()
    }

    /// The largest connected part, with every part at least a quarter as large (one thing may look
    /// like several where its colour is the floor's); `None` when nothing has `at_least` cells.
    pub(super) fn largest(&self, at_least: usize) -> Option<Mask> {
        self.parts(at_least).into_iter().reduce(|all, part| all.with(&part))
    }

    /// The connected parts of at least `at_least` cells and a quarter of the largest, largest first.
    pub(super) fn parts(&self, at_least: usize) -> Vec<Mask> {
        let mut part_of = vec![0usize; self.set.len()];
        let mut sizes = vec![0usize];
        let mut open = Vec::new();
        for start in 0..self.set.len() {
            if !self.set[start] || part_of[start] != 0 {
                continue;
            }
            let part = sizes.len();
            sizes.push(0);
            part_of[start] = part;
            open.push(start);
            while let Some(i) = open.pop() {
                sizes[part] += 1;
                for j in self.neighbours(i).filter(|j| self.set[*j]) {
                    if part_of[j] == 0 {
                        part_of[j] = part;
                        open.push(j);
                    }
                }
            }
        }
        let best = sizes.iter().copied().max().unwrap_or(0);
        let large = |part: &usize| sizes[*part] >= at_least.max(1) && sizes[*part] * 4 >= best;
        let mut parts: Vec<usize> = (1..sizes.len()).filter(large).collect();
        parts.sort_by_key(|part| std::cmp::Reverse(sizes[*part]));
        let cells = |part: usize| part_of.iter().map(|p| *p == part).collect();
        parts.into_iter().map(|part| Mask { set: cells(part), ..self.clone() }).collect()
    }

    /// Around all set cells, in pixels of a frame of `size`, with one cell of margin.
    pub(super) fn bbox(&self, size: (u32, u32)) -> BBox {
        let (mut left, mut top, mut right, mut bottom) = (self.columns, self.rows, 0, 0);
        for i in (0..self.set.len()).filter(|i| self.set[*i]) {
            let (column, row) = (i % self.columns, i / self.columns);
            (left, right) = (left.min(column), right.max(column + 1));
            (top, bottom) = (top.min(row), bottom.max(row + 1));
        }
        let px = |cells: usize| cells as u32 * self.cell_px;
        let (x, y) = (px(left.saturating_sub(1)).min(size.0 - 1), px(top.saturating_sub(1)).min(size.1 - 1));
        let (end_x, end_y) = (px(right + 1).min(size.0), px(bottom + 1).min(size.1));
        BBox { x, y, w: end_x.saturating_sub(x).max(1), h: end_y.saturating_sub(y).max(1) }
    }

    /// In how many places, well apart, set cells reach the grid's border.
    pub(super) fn reaching_in(&self) -> usize {
        let (columns, rows) = (self.columns, self.rows);
        let top = (0..columns).map(|column| (column, 0));
        let right = (1..rows).map(|row| (columns - 1, row));
        let bottom = (0..columns.saturating_sub(1)).rev().map(|column| (column, rows - 1));
        let left = (1..rows.saturating_sub(1)).rev().map(|row| (0, row));
        let border: Vec<bool> =
            top.chain(right).chain(bottom).chain(left).map(|(column, row)| self.set[row * columns + column]).collect();
        // Once round from a place where nothing reaches in, so that no run is cut in two.
        let Some(start) = (0..border.len()).find(|i| (0..APART_CELLS).all(|n| !border[(i + n) % border.len()])) else {
            return 1;
        };
        let (mut places, mut run, mut gap) = (0, 0, 0);
        for i in 0..border.len() {
            if border[(start + i) % border.len()] {
                (run, gap) = (run + 1, 0);
                places += usize::from(run == REACHING_CELLS);
            } else {
                gap += 1;
                if gap >= APART_CELLS {
                    run = 0;
                }
            }
        }
        places
    }

    /// True when at least three set cells lie on the grid's border.
    pub(super) fn touches_edge(&self) -> bool {
        let border = |i: usize| {
            let (column, row) = (i % self.columns, i / self.columns);
            column == 0 || row == 0 || column + 1 == self.columns || row + 1 == self.rows
        };
        (0..self.set.len()).filter(|i| self.set[*i] && border(*i)).count() >= 3
    }
}
