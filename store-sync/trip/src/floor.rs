//! The floor of a store: where its shelves, entrance, desks and lanes stand, so that a product's place can be shown
//! and the way to it found.
//!
//! All lengths are decimetres. The floor's corner is at 0, 0; `x` grows to the right and `y` downwards, as the map is
//! drawn. A shelf's bays lie side by side along its longer side, bay 1 at the smaller `x` or `y`.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use serde::{Deserialize, Serialize};

/// No floor is wider or deeper, in decimetres: a kilometre is a slip of the pen.
const LONGEST_DM: u32 = 10_000;
/// No shelf has more bays.
const MOST_BAYS: u32 = 99;
/// Ways are looked for on so many squares along the longer side, and none is smaller than a cart is wide.
const SQUARES: u32 = 60;
const LEAST_SQUARE_DM: u32 = 5;
/// A turn is worth a detour of so many squares: a way with few corners is the one people remember.
const TURN: u32 = 4;

/// What stands on the floor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FixtureKind {
    /// Goods stand in it, bay by bay.
    Shelf,
    /// Where shoppers come in.
    Entrance,
    /// Where people are who help.
    Desk,
    /// Where carts pay.
    Lane,
}

/// A rectangle of the floor, in decimetres.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Area {
    /// Of its left side.
    pub x: u32,
    /// Of its upper side.
    pub y: u32,
    /// To the right.
    pub width: u32,
    /// Downwards.
    pub depth: u32,
}

impl Area {
    fn right(self) -> u32 {
        self.x.saturating_add(self.width)
    }

    fn bottom(self) -> u32 {
        self.y.saturating_add(self.depth)
    }

    fn meets(self, other: Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }
}

/// Something that stands on the floor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    /// What it is.
    pub kind: FixtureKind,
    /// A shelf's letters, such as `A`; a lane's number; empty where there is only one.
    #[serde(default)]
    pub name: String,
    /// Its left side, in decimetres.
    pub x: u32,
    /// Its upper side.
    pub y: u32,
    /// To the right.
    pub width: u32,
    /// Downwards.
    pub depth: u32,
    /// Bays of a shelf, from 1; 0 for what is no shelf.
    #[serde(default)]
    pub bays: u32,
}

impl Fixture {
    /// Where it stands.
    pub fn area(&self) -> Area {
        Area { x: self.x, y: self.y, width: self.width, depth: self.depth }
    }
}

/// A product's place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The shelf's number among the fixtures.
    pub fixture: usize,
    /// The shelf's name.
    pub shelf: String,
    /// The bay, from 1; `None` for the whole shelf.
    pub bay: Option<u32>,
    /// What of the floor that is.
    pub area: Area,
}

/// The floor, checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Floor {
    /// To the right, in decimetres.
    pub width: u32,
    /// Downwards, in decimetres.
    pub depth: u32,
    /// What stands on it.
    pub fixtures: Vec<Fixture>,
}

/// The file's form.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FloorFile {
    width: u32,
    depth: u32,
    #[serde(default)]
    fixture: Vec<toml::Spanned<Fixture>>,
}

impl FloorFile {
    /// Checks it; an error is what is wrong, and where in the file it begins.
    pub(crate) fn check(self, floor_begins: usize) -> Result<Floor, (usize, String)> {
        let Self { width, depth, fixture } = self;
        if width == 0 || depth == 0 || width > LONGEST_DM || depth > LONGEST_DM {
            return Err((
                floor_begins,
                format!("[floor] is {width} by {depth} decimetres; 1 to {LONGEST_DM} are right"),
            ));
        }
        let mut floor = Floor { width, depth, fixtures: Vec::with_capacity(fixture.len()) };
        for spanned in fixture {
            let begins = spanned.span().start;
            floor.add(spanned.into_inner()).map_err(|what| (begins, what))?;
        }
        Ok(floor)
    }
}

impl Floor {
    fn add(&mut self, fixture: Fixture) -> Result<(), String> {
        let Fixture { kind, name, bays, .. } = &fixture;
        let area = fixture.area();
        if area.width == 0 || area.depth == 0 || area.right() > self.width || area.bottom() > self.depth {
            return Err(format!(
                "{kind:?} \"{name}\" does not lie within the floor of {} by {}",
                self.width, self.depth
            ));
        }
        match kind {
            FixtureKind::Shelf if !(1..=MOST_BAYS).contains(bays) => {
                return Err(format!("shelf \"{name}\" has {bays} bays; 1 to {MOST_BAYS} are right"));
            }
            FixtureKind::Shelf if name.is_empty() || name.ends_with(|c: char| c.is_ascii_digit()) => {
                return Err(format!(
                    "shelf \"{name}\" needs a name that ends with no digit: its bays are counted after it"
                ));
            }
            FixtureKind::Shelf => {}
            _ if *bays != 0 => return Err(format!("{kind:?} \"{name}\" is no shelf and has no bays")),
            _ => {}
        }
        if let Some(other) = self.fixtures.iter().find(|other| other.kind == *kind && other.name == *name) {
            return Err(format!("{kind:?} \"{}\" is there twice", other.name));
        }
        if let Some(other) = self.fixtures.iter().find(|other| other.area().meets(area)) {
            return Err(format!("{kind:?} \"{name}\" stands in {:?} \"{}\"", other.kind, other.name));
        }
        self.fixtures.push(fixture);
        Ok(())
    }

    /// Where a product stands whose aisle is written so: `A3` is bay 3 of shelf A, `A` all of it.
    pub fn place(&self, aisle: &str) -> Option<Place> {
        let shelves = self.fixtures.iter().enumerate().filter(|(_, fixture)| fixture.kind == FixtureKind::Shelf);
        let (at, shelf, bay) = shelves
            .filter_map(|(at, shelf)| Some((at, shelf, aisle.strip_prefix(shelf.name.as_str())?)))
            .find(|(_, _, bay)| bay.chars().all(|c| c.is_ascii_digit()))?;
        let (bay, area) = if bay.is_empty() {
            (None, shelf.area())
        } else {
            let bay: u32 = bay.parse().ok().filter(|bay| (1..=shelf.bays).contains(bay))?;
            (Some(bay), bay_area(shelf, bay))
        };
        Some(Place { fixture: at, shelf: shelf.name.clone(), bay, area })
    }

    /// The lane of that name.
    pub fn lane(&self, name: &str) -> Option<&Fixture> {
        self.fixtures.iter().find(|fixture| fixture.kind == FixtureKind::Lane && fixture.name == name)
    }

    /// A way around the shelves from within `from` to the front of `to`: the corners it has, its ends among them,
    /// in decimetres. Empty where there is none.
    pub fn way(&self, from: Area, to: Area) -> Vec<(u32, u32)> {
        Squares::of(self, from, to).way()
    }
}

/// The part of a shelf that is its bay, from 1.
fn bay_area(shelf: &Fixture, bay: u32) -> Area {
    let all = shelf.area();
    // Shares of the whole, so that no decimetre is lost to rounding.
    let share = |length: u32, bays: u32| length * bays / shelf.bays;
    if all.width >= all.depth {
        let begins = share(all.width, bay - 1);
        Area { x: all.x + begins, width: (share(all.width, bay) - begins).max(1), ..all }
    } else {
        let begins = share(all.depth, bay - 1);
        Area { y: all.y + begins, depth: (share(all.depth, bay) - begins).max(1), ..all }
    }
}

/// The four ways to go on from a square.
const AHEAD: [(i64, i64); 4] = [(1, 0), (-1, 0), (0, 1), (0, -1)];

/// The floor in squares: which are free, where a way begins, and where it may end.
struct Squares {
    side: u32,
    across: i64,
    down: i64,
    free: Vec<bool>,
    starts: Vec<bool>,
    ends: Vec<bool>,
}

impl Squares {
    fn of(floor: &Floor, from: Area, to: Area) -> Self {
        let side = (floor.width.max(floor.depth) / SQUARES).max(LEAST_SQUARE_DM);
        let (across, down) = (floor.width.div_ceil(side), floor.depth.div_ceil(side));
        let square = |n: u32| Area { x: n % across * side, y: n / across * side, width: side, depth: side };
        // By its middle: a square that a shelf only touches is still an aisle.
        let in_the_way = |area: Area| {
            let middle = Area { x: area.x + side / 2, y: area.y + side / 2, width: 1, depth: 1 };
            let solid = |fixture: &&Fixture| matches!(fixture.kind, FixtureKind::Shelf | FixtureKind::Desk);
            floor.fixtures.iter().filter(solid).any(|fixture| fixture.area().meets(middle))
        };
        let all = || (0..across * down).map(square);
        let free: Vec<bool> = all().map(|area| !in_the_way(area)).collect();
        let around = Area {
            x: to.x.saturating_sub(side),
            y: to.y.saturating_sub(side),
            width: to.width + 2 * side,
            depth: to.depth + 2 * side,
        };
        // In front of a bay, not around its corner.
        let beside = |area: Area| {
            let middle = (area.x + side / 2, area.y + side / 2);
            let along = (to.x..to.right()).contains(&middle.0) || (to.y..to.bottom()).contains(&middle.1);
            area.meets(around) && along
        };
        let starts = all().map(|area| area.meets(from)).collect();
        let ends = all().zip(&free).map(|(area, free)| *free && beside(area)).collect();
        Self { side, across: i64::from(across), down: i64::from(down), free, starts, ends }
    }

    fn ahead(&self, square: usize, direction: usize) -> Option<usize> {
        let (dx, dy) = AHEAD[direction];
        let square = i64::try_from(square).ok()?;
        let (x, y) = (square % self.across + dx, square / self.across + dy);
        let there = (0..self.across).contains(&x) && (0..self.down).contains(&y);
        usize::try_from(y * self.across + x).ok().filter(|next| there && self.free[*next])
    }

    /// Dijkstra's way, over squares and the direction each was come to in.
    fn way(&self) -> Vec<(u32, u32)> {
        let states = self.free.len() * AHEAD.len();
        let mut cost = vec![u32::MAX; states];
        let mut came_from = vec![usize::MAX; states];
        let mut open = BinaryHeap::new();
        for square in (0..self.free.len()).filter(|square| self.starts[*square] && self.free[*square]) {
            for direction in 0..AHEAD.len() {
                cost[square * AHEAD.len() + direction] = 0;
                open.push(Reverse((0, square * AHEAD.len() + direction)));
            }
        }
        while let Some(Reverse((so_far, state))) = open.pop() {
            let (square, direction) = (state / AHEAD.len(), state % AHEAD.len());
            if self.ends[square] {
                return self.corners(state, &came_from);
            }
            if so_far > cost[state] {
                continue;
            }
            for next_direction in 0..AHEAD.len() {
                let Some(next) = self.ahead(square, next_direction) else { continue };
                let next = next * AHEAD.len() + next_direction;
                let turn = if next_direction == direction { 0 } else { TURN };
                if so_far + 1 + turn < cost[next] {
                    cost[next] = so_far + 1 + turn;
                    came_from[next] = state;
                    open.push(Reverse((cost[next], next)));
                }
            }
        }
        Vec::new()
    }

    fn corners(&self, end: usize, came_from: &[usize]) -> Vec<(u32, u32)> {
        let states: Vec<usize> =
            std::iter::successors(Some(end), |state| Some(came_from[*state]).filter(|before| *before != usize::MAX))
                .collect();
        let middle = |state: usize| {
            let square = (state / AHEAD.len()) as u32;
            let across = self.across as u32;
            (square % across * self.side + self.side / 2, square / across * self.side + self.side / 2)
        };
        let mut corners: Vec<(u32, u32)> = Vec::new();
        for point in states.into_iter().rev().map(middle) {
            // Three in a line are one less.
            if let [.., (ax, ay), (bx, by)] = corners[..]
                && ((ax == bx && bx == point.0) || (ay == by && by == point.1))
            {
                corners.pop();
            }
            corners.push(point);
        }
        corners
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(kind: FixtureKind, name: &str, x: u32, y: u32, width: u32, depth: u32, bays: u32) -> Fixture {
        Fixture { kind, name: name.into(), x, y, width, depth, bays }
    }

    fn floor(fixtures: Vec<Fixture>) -> Result<Floor, String> {
        let mut floor = Floor { width: 200, depth: 100, fixtures: Vec::new() };
        fixtures.into_iter().try_for_each(|fixture| floor.add(fixture)).map(|()| floor)
    }

    /// Two shelves across nearly the whole floor, an entrance below and a lane.
    fn store() -> Floor {
        floor(vec![
            fixture(FixtureKind::Shelf, "A", 0, 20, 180, 10, 6),
            fixture(FixtureKind::Shelf, "B", 20, 60, 180, 10, 4),
            fixture(FixtureKind::Shelf, "BB", 0, 30, 10, 30, 3),
            fixture(FixtureKind::Entrance, "", 90, 95, 20, 5, 0),
            fixture(FixtureKind::Lane, "1", 150, 90, 10, 10, 0),
        ])
        .expect("a right floor")
    }

    #[test]
    fn an_aisle_is_a_bay_of_a_shelf_or_all_of_it() {
        let store = store();
        for (aisle, expected) in [
            ("A1", Some((Some(1), 0, 20, 30, 10))),
            ("A6", Some((Some(6), 150, 20, 30, 10))),
            ("B", Some((None, 20, 60, 180, 10))),
            ("BB3", Some((Some(3), 0, 50, 10, 10))),
            ("A0", None),
            ("A7", None),
            ("C1", None),
            ("A 1", None),
            ("A999999999999", None),
            ("", None),
        ] {
            let found = store.place(aisle).map(|p| (p.bay, p.area.x, p.area.y, p.area.width, p.area.depth));
            assert_eq!(found, expected, "{aisle}");
        }
    }

    #[test]
    fn bays_share_a_shelf_without_gap_or_overlap() {
        let store = floor(vec![fixture(FixtureKind::Shelf, "A", 3, 0, 100, 10, 7)]).expect("a right floor");
        let bays: Vec<Area> = (1..=7).filter_map(|n| Some(store.place(&format!("A{n}"))?.area)).collect();
        assert_eq!((bays[0].x, bays[6].right()), (3, 103));
        assert!(bays.windows(2).all(|pair| pair[0].right() == pair[1].x), "{bays:?}");
    }

    #[test]
    fn what_cannot_stand_there_is_refused() {
        let shelf = |name: &str, x, width, bays| fixture(FixtureKind::Shelf, name, x, 0, width, 10, bays);
        for (fixtures, part) in [
            (vec![shelf("A", 150, 60, 1)], "within the floor"),
            (vec![shelf("A", u32::MAX, 60, 1)], "within the floor"),
            (vec![shelf("A", 0, 0, 1)], "within the floor"),
            (vec![shelf("A", 0, 60, 0)], "0 bays"),
            (vec![shelf("A", 0, 60, 100)], "100 bays"),
            (vec![shelf("", 0, 60, 1)], "needs a name"),
            (vec![shelf("A1", 0, 60, 1)], "ends with no digit"),
            (vec![fixture(FixtureKind::Desk, "1", 0, 0, 9, 9, 2)], "no shelf"),
            (vec![shelf("A", 0, 60, 1), shelf("A", 100, 60, 1)], "twice"),
            (vec![shelf("A", 0, 60, 1), shelf("B", 59, 60, 1)], "stands in Shelf \"A\""),
        ] {
            let error = floor(fixtures).expect_err(part);
            assert!(error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_way_goes_around_the_shelves_to_the_front_of_the_bay() {
        let store = store();
        let from = store.lane("1").expect("a lane").area();
        for aisle in ["A1", "A6", "B2", "BB2", "B"] {
            let to = store.place(aisle).expect("a place").area;
            let way = store.way(from, to);
            assert!(way.len() >= 2, "{aisle}: {way:?}");
            for leg in way.windows(2) {
                let ((ax, ay), (bx, by)) = (leg[0], leg[1]);
                assert!(ax == bx || ay == by, "{aisle} goes askew: {way:?}");
                let swept =
                    Area { x: ax.min(bx), y: ay.min(by), width: ax.abs_diff(bx).max(1), depth: ay.abs_diff(by).max(1) };
                let shelves = store.fixtures.iter().filter(|f| f.kind == FixtureKind::Shelf);
                assert!(
                    shelves.clone().all(|shelf| !shelf.area().meets(swept)),
                    "{aisle} goes through a shelf: {way:?}"
                );
            }
            let (x, y) = way[way.len() - 1];
            let near = Area {
                x: to.x.saturating_sub(5),
                y: to.y.saturating_sub(5),
                width: to.width + 10,
                depth: to.depth + 10,
            };
            assert!(near.meets(Area { x, y, width: 1, depth: 1 }), "{aisle} ends at {x}, {y}, and stands at {to:?}");
        }
    }

    #[test]
    fn there_is_no_way_where_shelves_shut_it_off() {
        let store = floor(vec![
            fixture(FixtureKind::Shelf, "A", 0, 0, 200, 10, 6),
            fixture(FixtureKind::Shelf, "B", 0, 40, 200, 10, 6),
            fixture(FixtureKind::Lane, "1", 150, 90, 10, 10, 0),
        ])
        .expect("a right floor");
        let from = store.lane("1").expect("a lane").area();
        assert_eq!(store.way(from, store.place("A3").expect("a place").area), []);
    }
}
