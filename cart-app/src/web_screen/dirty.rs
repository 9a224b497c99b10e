//! What has changed and was not yet sent: a few rectangles, however much changes.

use slint::PhysicalSize;

/// More rectangles than this are merged. Slint itself draws at most three at a time.
pub const MOST: usize = 4;

/// A part of the screen, in pixels from its top left corner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rect {
    /// From the left.
    pub x: u32,
    /// From the top.
    pub y: u32,
    /// To the right.
    pub width: u32,
    /// Downwards.
    pub height: u32,
}

impl Rect {
    /// The whole screen.
    pub fn whole(size: PhysicalSize) -> Self {
        Self { x: 0, y: 0, width: size.width, height: size.height }
    }

    /// The part of a drawn region that lies on the screen; nothing when none does.
    pub fn on_screen(at: (i32, i32), extent: PhysicalSize, size: PhysicalSize) -> Option<Self> {
        let span = |from: i32, length: u32, limit: u32| {
            let (from, limit) = (i64::from(from), i64::from(limit));
            let (start, end) = (from.clamp(0, limit), (from + i64::from(length)).clamp(0, limit));
            (start as u32, (end - start) as u32)
        };
        let (x, width) = span(at.0, extent.width, size.width);
        let (y, height) = span(at.1, extent.height, size.height);
        Some(Self { x, y, width, height }).filter(|rect| rect.area() > 0)
    }

    fn area(self) -> u64 {
        u64::from(self.width) * u64::from(self.height)
    }

    fn union(self, other: Self) -> Self {
        let (x, y) = (self.x.min(other.x), self.y.min(other.y));
        let right = (self.x + self.width).max(other.x + other.width);
        let bottom = (self.y + self.height).max(other.y + other.height);
        Self { x, y, width: right - x, height: bottom - y }
    }

    /// Pixels that would be sent for nothing, were the two sent as one; below zero where that spares some.
    fn waste(self, other: Self) -> i64 {
        self.union(other).area() as i64 - self.area() as i64 - other.area() as i64
    }
}

/// What a viewer has not seen yet.
#[derive(Clone, Debug, Default)]
pub struct Dirty(Vec<Rect>);

impl Dirty {
    /// True when the viewer has seen all.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Adds what was drawn.
    pub fn add(&mut self, rect: Rect) {
        let mut rect = rect;
        // Each merge may let the next be free of waste as well.
        while let Some(n) = self.0.iter().position(|other| rect.waste(*other) <= 0) {
            rect = rect.union(self.0.swap_remove(n));
        }
        self.0.push(rect);
        if self.0.len() > MOST {
            let (one, two) = self.cheapest_pair();
            let merged = self.0[one].union(self.0[two]);
            // The later one first, so that the earlier one keeps its place.
            self.0.swap_remove(two);
            self.0.swap_remove(one);
            self.add(merged);
        }
    }

    /// All of it; the viewer has it now.
    pub fn take(&mut self) -> Vec<Rect> {
        std::mem::take(&mut self.0)
    }

    fn cheapest_pair(&self) -> (usize, usize) {
        let pairs = (0..self.0.len()).flat_map(|two| (0..two).map(move |one| (one, two)));
        pairs.min_by_key(|(one, two)| self.0[*one].waste(self.0[*two])).unwrap_or((0, 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rect(x: u32, y: u32, width: u32, height: u32) -> Rect {
        Rect { x, y, width, height }
    }

    fn merged(rects: &[Rect]) -> Vec<Rect> {
        let mut dirty = Dirty::default();
        rects.iter().for_each(|rect| dirty.add(*rect));
        dirty.take()
    }

    #[test]
    fn what_touches_is_sent_as_one_and_what_lies_apart_as_two() {
        let check = |rects: &[Rect], expected: &[Rect]| assert_eq!(merged(rects), expected, "{rects:?}");
        check(&[rect(0, 0, 10, 10), rect(0, 0, 10, 10)], &[rect(0, 0, 10, 10)]);
        check(&[rect(2, 2, 3, 3), rect(0, 0, 10, 10)], &[rect(0, 0, 10, 10)]);
        check(&[rect(0, 0, 10, 10), rect(10, 0, 5, 10)], &[rect(0, 0, 15, 10)]);
        check(&[rect(0, 0, 10, 10), rect(100, 100, 10, 10)], &[rect(0, 0, 10, 10), rect(100, 100, 10, 10)]);
        // The third joins the first two, which alone were apart.
        check(&[rect(0, 0, 10, 10), rect(20, 0, 10, 10), rect(10, 0, 10, 10)], &[rect(0, 0, 30, 10)]);
    }

    #[test]
    fn however_much_changes_few_rectangles_cover_all_of_it() {
        // A small generator of its own, so that each run is the same.
        let mut state = 7_u32;
        let mut next = |below: u32| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) % below
        };
        for round in 0..200 {
            let count = 1 + next(40) as usize;
            let added: Vec<Rect> = (0..count).map(|_| rect(next(80), next(80), 1 + next(15), 1 + next(15))).collect();
            let kept = merged(&added);
            assert!(kept.len() <= MOST, "round {round}: {kept:?}");
            let covered = |x: u32, y: u32| {
                kept.iter().any(|r| (r.x..r.x + r.width).contains(&x) && (r.y..r.y + r.height).contains(&y))
            };
            for r in &added {
                let corners = [(r.x, r.y), (r.x + r.width - 1, r.y + r.height - 1), (r.x + r.width / 2, r.y)];
                assert!(corners.iter().all(|(x, y)| covered(*x, *y)), "round {round}: {r:?} is not in {kept:?}");
            }
        }
    }

    #[test]
    fn what_is_drawn_beside_the_screen_is_cut_off() {
        let screen = PhysicalSize::new(100, 50);
        let check = |at: (i32, i32), extent: (u32, u32), expected: Option<Rect>| {
            let found = Rect::on_screen(at, PhysicalSize::new(extent.0, extent.1), screen);
            assert_eq!(found, expected, "{at:?} {extent:?}");
        };
        check((0, 0), (100, 50), Some(rect(0, 0, 100, 50)));
        check((90, 40), (100, 50), Some(rect(90, 40, 10, 10)));
        check((-5, -5), (10, 10), Some(rect(0, 0, 5, 5)));
        check((-50, 0), (10, 10), None);
        check((100, 0), (10, 10), None);
        check((5, 5), (0, 10), None);
        check((i32::MIN, 0), (u32::MAX, 10), Some(rect(0, 0, 100, 10)));
        check((i32::MAX, i32::MAX), (u32::MAX, u32::MAX), None);
    }
}
