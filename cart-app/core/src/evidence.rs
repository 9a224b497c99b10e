//! What was seen and scanned lately: the looks and codes that a weight step is explained with.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use cart_vision::{Candidate, Direction, Opinion, Scan, Sighting, Thumbnail};
use hal::{CameraId, Moment};
use serde::{Deserialize, Serialize};
use trip::Sku;

/// Looks older than this explain no step: a hand is in and out in less.
const LOOK_MEMORY: Duration = Duration::from_millis(3_500);
/// So many looks are kept; older ones go first.
const MOST_LOOKS: usize = 64;
/// A product that a camera did not name keeps this much of a chance against the ones it named, so
/// that a second camera or the weight can still speak for it.
const FLOOR: f32 = 1e-4;
/// A look that gives a product this much names it.
const NAMES: f32 = 0.4;
/// A look that gives so much to what all looks together say does not speak against it.
const ALLOWS: f32 = 0.15;
/// How likely a look is to show a given product, and none, before it is taken: what two cameras share.
const ANY_PRODUCT: f32 = 0.01;
const NO_PRODUCT: f32 = 0.1;
/// Two cameras see one thing in one light: each says so much of what it would say were they strangers to each
/// other. Where the surprise was least on generated trips.
const OWN_WORD: f32 = 0.8;

/// What sight says about one thing: a distribution over products, the rest, and "no product".
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SightOf {
    /// Named products with their probabilities, best first.
    pub named: Vec<(Sku, f32)>,
    /// Probability of all other products together.
    pub rest: f32,
    /// Probability of no enrolled product.
    pub unknown: f32,
    /// How many things were seen moving at once, or hands at work.
    pub things: usize,
    /// True when two looks, of two tracks or two cameras, named different products: there may be two
    /// things, whatever both together make likely.
    pub contested: bool,
    /// What the cart saw; no part of an account.
    #[serde(skip)]
    pub thumbnail: Option<Thumbnail>,
}

impl SightOf {
    /// When nothing was seen: every product may be.
    pub fn nothing() -> Self {
        Self { rest: 0.5, unknown: 0.5, ..Self::default() }
    }

    /// True when a camera has looked at the thing.
    pub fn looked(&self) -> bool {
        self.things > 0
    }

    /// True when a camera has named `sku`, and not only left it possible.
    pub fn names(&self, sku: &Sku) -> bool {
        self.named.iter().any(|(name, _)| name == sku)
    }

    /// What it is, if a look is clear enough to name it.
    pub fn name(&self) -> Option<&Sku> {
        self.named.first().filter(|(_, p)| *p >= NAMES).map(|(sku, _)| sku)
    }

    /// The probability of `sku` among `products` products.
    pub fn of(&self, sku: &Sku, products: usize) -> f32 {
        let named = self.named.iter().find(|(name, _)| name == sku).map(|(_, p)| *p);
        named.unwrap_or_else(|| self.rest / products.saturating_sub(self.named.len()).max(1) as f32)
    }
}

/// A code that waits to be felt by the scale.
#[derive(Clone, Debug, PartialEq)]
pub struct PendingScan {
    /// The product it means.
    pub sku: Sku,
    /// The code.
    pub scan: Scan,
    /// When it was accepted.
    pub since: Moment,
}

/// What was seen and scanned lately.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    looks: VecDeque<Sighting>,
    /// Per camera, the last moving thing that is explained: later looks at it say nothing new.
    explained: HashMap<CameraId, u32>,
    scans: Vec<PendingScan>,
    /// When anything was last seen to move.
    pub last_movement: Option<Moment>,
    /// The cameras that see something move.
    moving: BTreeSet<CameraId>,
}

impl Evidence {
    /// A camera says whether it sees something move.
    pub fn movement(&mut self, camera: CameraId, moving: bool, now: Moment) {
        if moving {
            self.moving.insert(camera);
            self.last_movement = Some(now);
        } else {
            self.still(camera);
        }
    }

    /// Takes back what a camera said of movement.
    pub fn still(&mut self, camera: CameraId) {
        self.moving.remove(&camera);
    }

    /// True while any camera sees something move.
    pub fn moving(&self) -> bool {
        !self.moving.is_empty()
    }

    /// Takes a look. True when it says that the scene has changed, and what changed it is not
    /// explained yet.
    pub fn look(&mut self, sighting: Sighting) -> bool {
        self.last_movement = self.last_movement.max(Some(sighting.at));
        if self.explained.get(&sighting.camera).is_some_and(|last| sighting.track <= *last) {
            return false;
        }
        let changed = sighting.change.is_some();
        self.looks.push_back(sighting);
        while self.looks.len() > MOST_LOOKS {
            self.looks.pop_front();
        }
        changed
    }

    /// Takes a code of a known product. The same code again renews the first: one box, many frames.
    pub fn scan(&mut self, sku: Sku, scan: Scan, now: Moment) {
        match self.scans.iter_mut().find(|pending| pending.scan.content == scan.content) {
            Some(pending) => pending.since = now,
            None => self.scans.push(PendingScan { sku, scan, since: now }),
        }
    }

    /// Codes that wait to be felt by the scale, oldest first.
    pub fn scans(&self) -> &[PendingScan] {
        &self.scans
    }

    /// Takes the codes of `skus` off the wait: they are explained.
    pub fn settle_scans(&mut self, skus: &[Sku]) {
        self.scans.retain(|pending| !skus.contains(&pending.sku));
    }

    /// The first code that has waited since before `limit`.
    pub fn overdue_scan(&mut self, limit: Moment) -> Option<PendingScan> {
        let index = self.scans.iter().position(|pending| pending.since <= limit)?;
        Some(self.scans.remove(index))
    }

    /// Forgets the looks: the thing they showed is explained.
    pub fn settle_looks(&mut self) {
        for look in self.looks.drain(..) {
            let last = self.explained.entry(look.camera).or_insert(look.track);
            *last = (*last).max(look.track);
        }
    }

    /// Takes away the looks of after `at`, for [`Evidence::return_looks`]: they are not of what happened
    /// before.
    pub fn take_looks_after(&mut self, at: Moment) -> Vec<Sighting> {
        let (later, looks): (Vec<_>, Vec<_>) = self.looks.drain(..).partition(|look| look.at > at);
        self.looks = looks.into();
        later
    }

    /// Puts them back.
    pub fn return_looks(&mut self, looks: Vec<Sighting>) {
        self.looks.extend(looks);
    }

    /// Forgets everything (a trip ends); what still moves belongs to nobody's basket.
    pub fn clear(&mut self) {
        self.settle_looks();
        *self = Self { explained: std::mem::take(&mut self.explained), ..Self::default() };
    }

    /// What the cameras say about the thing that made a step at `at`.
    ///
    /// The last look at a thing carries the vote of all looks at it; cameras are multiplied, for they
    /// look from different sides, but for what each took for granted before it looked.
    pub fn sight(&self, at: Moment) -> SightOf {
        self.views(at, |look| Some(apart(look).unwrap_or_else(|| one(&look.candidates, look.unknown))))
    }

    /// What lies there now where the scene has changed, by the looks at rest alone.
    pub fn came(&self, at: Moment) -> SightOf {
        self.views(at, |look| {
            let now = look.change.as_ref()?.now.as_ref()?;
            Some(one(&now.candidates, now.unknown))
        })
    }

    /// What lay where the scene has changed, before it did.
    pub fn went(&self, at: Moment) -> SightOf {
        let of = |opinion: &Opinion| one(&opinion.candidates, opinion.unknown);
        self.views(at, |look| match look.change.as_ref()? {
            change if change.direction == Direction::Out => Some(one(&look.candidates, look.unknown)),
            change => change.before.as_ref().map(of),
        })
    }

    /// The last track of each camera that `view` says something of.
    fn views(&self, at: Moment, view: impl Fn(&Sighting) -> Option<SightOf>) -> SightOf {
        let recent = self.looks.iter().filter(|look| at.since(look.at) <= LOOK_MEMORY);
        // Ordered, so that the same looks always give the same answer.
        let tracks: BTreeMap<(CameraId, u32), SightOf> =
            recent.filter_map(|look| Some(((look.camera, look.track), view(look)?))).collect();
        let mut last_of_camera: BTreeMap<CameraId, (u32, usize)> = BTreeMap::new();
        for (camera, track) in tracks.keys() {
            let (last, count) = last_of_camera.entry(*camera).or_insert((*track, 0));
            *last = (*last).max(*track);
            *count += 1;
        }
        let last = || last_of_camera.iter().filter_map(|(camera, (track, _))| tracks.get(&(*camera, *track)));
        let mut seen = last().cloned().reduce(|a, b| both(&a, &b)).unwrap_or_else(SightOf::nothing);
        let moved = last_of_camera.values().map(|(_, count)| *count).max().unwrap_or(0);
        let hands = self.hands(at, &last_of_camera);
        seen.things = last().map(|view| view.things).max().unwrap_or(0).max(moved).max(hands);
        // A camera that is in two minds, one of them the common one, is no second opinion.
        let best = seen.named.first().map(|(sku, _)| sku.clone());
        let against = |view: &SightOf| {
            let allowed = |(sku, p): &(Sku, f32)| Some(sku) == best.as_ref() && *p >= ALLOWS;
            view.name().is_some_and(|name| Some(name) != best.as_ref()) && !view.named.iter().any(allowed)
        };
        seen.contested = tracks.values().any(against) || last().any(|view| view.contested);
        seen.thumbnail = self.looks.iter().rev().find_map(|look| look.thumbnail.clone());
        seen
    }

    /// Most hands at work on the last track of any camera: each may have brought something.
    fn hands(&self, at: Moment, last_of_camera: &BTreeMap<CameraId, (u32, usize)>) -> usize {
        let recent = self.looks.iter().filter(|look| at.since(look.at) <= LOOK_MEMORY);
        let last =
            recent.filter(|look| last_of_camera.get(&look.camera).is_some_and(|(track, _)| *track == look.track));
        last.map(|look| look.hands as usize).max().unwrap_or(0)
    }
}

/// One look.
fn one(candidates: &[Candidate], unknown: f32) -> SightOf {
    normal(candidates.iter().map(|c| (c.sku.clone(), c.probability)).collect(), unknown)
}

/// A look at what lies in two places; `None` where it is one thing, or two pieces of one.
fn apart(look: &Sighting) -> Option<SightOf> {
    let parts: Vec<SightOf> =
        look.change.iter().flat_map(|c| &c.apart).map(|o| one(&o.candidates, o.unknown)).collect();
    let [first, second] = parts.as_slice() else { return None };
    match (first.name(), second.name()) {
        (Some(a), Some(b)) if a == b => None,
        (Some(_), Some(_)) => {
            let mut half: BTreeMap<&Sku, f32> = BTreeMap::new();
            for (sku, p) in first.named.iter().chain(&second.named) {
                *half.entry(sku).or_default() += p / 2.0;
            }
            let named = half.into_iter().map(|(sku, p)| (sku.clone(), p)).collect();
            let seen = normal(named, (first.unknown + second.unknown) / 2.0);
            Some(SightOf { things: 2, contested: true, ..seen })
        }
        // One of them says nothing clear: it may be a second thing.
        _ => Some(SightOf { contested: true, ..one(&look.candidates, look.unknown) }),
    }
}

/// Two cameras together: the one's word times the other's, but what both took for granted counts once.
fn both(a: &SightOf, b: &SightOf) -> SightOf {
    let together = |a: f32, b: f32, before: f32| (a * b).powf(OWN_WORD) * before.powf(1.0 - 2.0 * OWN_WORD);
    let p = |sight: &SightOf, sku: &Sku| {
        let floor = FLOOR.max(sight.rest * ANY_PRODUCT);
        sight.named.iter().find(|(name, _)| name == sku).map_or(floor, |(_, p)| p.max(floor))
    };
    let names: BTreeSet<&Sku> = a.named.iter().chain(&b.named).map(|(sku, _)| sku).collect();
    let product: Vec<(&Sku, f32)> =
        names.into_iter().map(|sku| (sku, together(p(a, sku), p(b, sku), ANY_PRODUCT))).collect();
    let unknown = together(a.unknown.max(FLOOR), b.unknown.max(FLOOR), NO_PRODUCT);
    let rest = together(a.rest.max(FLOOR), b.rest.max(FLOOR), 1.0 - NO_PRODUCT);
    let sum: f32 = product.iter().map(|(_, p)| p).sum::<f32>() + unknown + rest;
    normal(product.into_iter().map(|(sku, p)| (sku.clone(), p / sum)).collect(), unknown / sum)
}

/// Orders the named products and gives what is left to the rest.
fn normal(mut named: Vec<(Sku, f32)>, unknown: f32) -> SightOf {
    named.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let sum: f32 = named.iter().map(|(_, p)| p).sum();
    SightOf { rest: (1.0 - sum - unknown).max(0.005), named, unknown, ..SightOf::default() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use cart_vision::Change;

    fn look(camera: u8, track: u32, ms: u64, named: &[(&str, f32)]) -> Sighting {
        Sighting {
            at: Moment::from_millis(ms),
            camera: CameraId(camera),
            track,
            bbox_in_frame: Default::default(),
            hands: 1,
            candidates: named
                .iter()
                .map(|(sku, p)| Candidate { sku: Sku::new(*sku).expect("valid"), probability: *p })
                .collect(),
            unknown: 0.02,
            change: None,
            thumbnail: None,
        }
    }

    fn best(evidence: &Evidence, ms: u64) -> (String, f32) {
        evidence.sight(Moment::from_millis(ms)).named.first().map(|(sku, p)| (sku.to_string(), *p)).unwrap_or_default()
    }

    #[test]
    fn a_late_look_at_a_thing_that_is_explained_says_nothing_of_the_next() {
        let mut evidence = Evidence::default();
        evidence.look(look(0, 1, 100, &[("lime", 0.9)]));
        evidence.settle_looks();
        evidence.look(look(0, 1, 150, &[("lime", 0.9)]));
        assert!(!evidence.sight(Moment::from_millis(200)).looked());
        evidence.look(look(0, 2, 180, &[("kiwi", 0.9)]));
        assert_eq!(best(&evidence, 200).0, "kiwi");
    }

    #[test]
    fn two_cameras_that_agree_are_surer_than_one() {
        let mut evidence = Evidence::default();
        evidence.look(look(0, 1, 100, &[("lime", 0.7), ("kiwi", 0.2)]));
        let alone = best(&evidence, 200).1;
        evidence.look(look(1, 1, 100, &[("lime", 0.7), ("melon", 0.2)]));
        assert!(best(&evidence, 200).1 > alone + 0.1);
    }

    #[test]
    fn an_old_look_explains_nothing() {
        let mut evidence = Evidence::default();
        evidence.look(look(0, 1, 100, &[("lime", 0.9)]));
        assert!(evidence.sight(Moment::from_millis(200)).looked());
        assert!(!evidence.sight(Moment::from_millis(9_000)).looked());
    }

    #[test]
    fn two_tracks_of_one_camera_are_two_things() {
        let mut evidence = Evidence::default();
        evidence.look(look(0, 1, 100, &[("lime", 0.9)]));
        evidence.look(look(0, 2, 150, &[("kiwi", 0.9)]));
        assert_eq!(evidence.sight(Moment::from_millis(200)).things, 2);
    }

    #[test]
    fn two_hands_may_have_brought_two_things() {
        let check = |hands: [u32; 2], things: usize| {
            let mut evidence = Evidence::default();
            evidence.look(Sighting { hands: hands[0], ..look(0, 1, 100, &[("lime", 0.9)]) });
            evidence.look(Sighting { hands: hands[1], ..look(1, 1, 100, &[("lime", 0.9)]) });
            assert_eq!(evidence.sight(Moment::from_millis(200)).things, things, "{hands:?}");
        };
        check([1, 1], 1);
        check([1, 2], 2);
        check([0, 0], 1);
    }

    #[test]
    fn what_two_cameras_took_for_granted_counts_once() {
        let mut evidence = Evidence::default();
        for camera in [0, 1] {
            evidence.look(Sighting { unknown: 0.6, ..look(camera, 1, 100, &[("lime", 0.3), ("kiwi", 0.05)]) });
        }
        let seen = evidence.sight(Moment::from_millis(200));
        // Each is thirty times more of a lime than anything is, and six times more of nothing known.
        assert!(seen.named[0].1 > seen.unknown, "{seen:?}");
    }

    #[test]
    fn a_camera_in_two_minds_is_no_second_opinion() {
        let check = |second: &[(&str, f32)], contested: bool| {
            let mut evidence = Evidence::default();
            evidence.look(look(0, 1, 100, &[("grapefruit", 0.91)]));
            evidence.look(look(1, 1, 100, second));
            assert_eq!(evidence.sight(Moment::from_millis(200)).contested, contested, "{second:?}");
        };
        check(&[("satsumas", 0.45), ("grapefruit", 0.44)], false);
        check(&[("satsumas", 0.85), ("grapefruit", 0.02)], true);
    }

    #[test]
    fn one_camera_that_is_still_does_not_speak_for_another() {
        let mut evidence = Evidence::default();
        let now = Moment::from_millis(1);
        evidence.movement(CameraId(0), true, now);
        evidence.movement(CameraId(1), true, now);
        evidence.movement(CameraId(1), false, now);
        assert!(evidence.moving());
        evidence.still(CameraId(0));
        assert!(!evidence.moving());
    }

    #[test]
    fn what_lies_in_two_places_is_two_things_unless_it_looks_the_same() {
        let check = |parts: [(&str, f32); 2], things: usize, contested: bool| {
            let opinion = |part: &(&str, f32)| {
                let look = look(0, 1, 0, &[*part]);
                Opinion { candidates: look.candidates, unknown: look.unknown }
            };
            let apart = parts.iter().map(opinion).collect();
            let change = Change { direction: Direction::In, now: None, before: None, apart };
            let mut evidence = Evidence::default();
            evidence.look(Sighting { change: Some(change), ..look(0, 1, 100, &[("lime", 0.98)]) });
            let seen = evidence.sight(Moment::from_millis(200));
            assert_eq!((seen.things, seen.contested), (things, contested), "{parts:?}: {seen:?}");
            seen
        };
        check([("lime", 0.9), ("lime", 0.8)], 1, false);
        check([("lime", 0.9), ("kiwi", 0.2)], 1, true);
        let seen = check([("lime", 0.9), ("tea", 0.8)], 2, true);
        assert!(seen.of(&Sku::new("tea").expect("valid"), 5) > 0.35, "both have a say: {seen:?}");
    }

    #[test]
    fn what_came_and_what_went_are_told_apart() {
        let opinion = |name: &str| {
            let look = look(0, 1, 0, &[(name, 0.9)]);
            Some(Opinion { candidates: look.candidates, unknown: look.unknown })
        };
        let mut evidence = Evidence::default();
        let change =
            Change { direction: Direction::Both, now: opinion("kiwi"), before: opinion("lime"), apart: Vec::new() };
        let both = Sighting { change: Some(change), ..look(0, 1, 100, &[("melon", 0.9)]) };
        assert!(evidence.look(both.clone()));
        let name = |sight: SightOf| sight.named.first().map(|(sku, _)| sku.to_string());
        let at = Moment::from_millis(200);
        assert_eq!(name(evidence.came(at)).as_deref(), Some("kiwi"));
        assert_eq!(name(evidence.went(at)).as_deref(), Some("lime"));
        let out = Change { direction: Direction::Out, now: None, before: None, apart: Vec::new() };
        evidence.look(Sighting { change: Some(out), ..look(1, 1, 100, &[("lime", 0.9)]) });
        assert_eq!(name(evidence.came(at)).as_deref(), Some("kiwi"), "what left says nothing of what came");
        evidence.settle_looks();
        assert!(!evidence.look(both), "explained");
    }
}
