//! The trip generator and the recording of trips, on drawn goods: small trips, really recognised.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use cart_app::demo::goods::Goods;
use cart_app::recording::command::ReplayOptions;
use hal::recording::{Record, RecordingError, RecordingReader, RecordingWriter};
use tempfile::TempDir;
use tests::generate::figures::Count;
use tests::generate::plan::{Deed, Step, Strain, Thing, kind};
use tests::generate::{Figures, Plan, Shelf, Store};
use tests::process::assets;
use trip::{Catalogue, Sku};

fn store() -> &'static Store {
    static STORE: OnceLock<Store> = OnceLock::new();
    STORE.get_or_init(|| Store::open(&assets(), None, None, 7).expect("the demo store"))
}

fn shelf() -> Shelf {
    let text = std::fs::read_to_string(assets().join("store/catalogue.toml")).expect("a catalogue");
    let catalogue = Arc::new(Catalogue::parse(&text).expect("a right catalogue"));
    let goods = Goods::open(&assets().join("store/pictures.toml"), None, 1).expect("drawings");
    Shelf::new(&catalogue, &goods)
}

fn pack(name: &str, mass_g: f32) -> Thing {
    let sku = Sku::new(name).expect("valid");
    Thing { sku, mass_g, has_code: true, shows_code: true, in_bag: false }
}

fn plan(things: Vec<Thing>, deeds: Vec<Deed>) -> Plan {
    let steps = deeds.into_iter().map(|deed| Step { deed, meanwhile: None }).collect();
    Plan { seed: 11, bag_g: None, things, steps }
}

/// The figures without the times, which are real.
fn timeless(count: &Count) -> Figures {
    count.figures.clone()
}

#[test]
fn a_plan_is_its_seed() {
    let shelf = shelf();
    for seed in 0..40 {
        assert_eq!(Plan::new(seed, &shelf), Plan::new(seed, &shelf), "seed {seed}");
        assert_ne!(Plan::new(seed, &shelf).things, Plan::new(seed + 1, &shelf).things, "seed {seed}");
    }
}

#[test]
fn every_kind_of_behaviour_appears() {
    let shelf = shelf();
    let plans: Vec<Plan> = (0..200).map(|seed| Plan::new(seed, &shelf)).collect();
    let steps = || plans.iter().flat_map(|plan| &plan.steps);
    let kinds: BTreeSet<&str> = steps().map(|step| kind(&step.deed)).collect();
    let wanted = [
        "lean",
        "put one",
        "put one under another",
        "put two",
        "reach in",
        "slope",
        "swap in one go",
        "swap with a pause",
        "take out",
        "walk",
    ];
    assert_eq!(kinds.into_iter().collect::<Vec<_>>(), wanted);
    let things = || plans.iter().flat_map(|plan| &plan.things);
    assert!(things().any(|t| t.shows_code) && things().any(|t| t.has_code && !t.shows_code));
    assert!(things().any(|t| t.in_bag) && plans.iter().any(|plan| plan.bag_g.is_none()));
    assert!(steps().any(|s| matches!(s.meanwhile, Some(Strain::Lean { .. }))));
    assert!(steps().any(|s| matches!(s.meanwhile, Some(Strain::Slope { .. }))));
    assert!(steps().any(|s| matches!(s.deed, Deed::Strain(Strain::Roll { bumps: 1.., .. }))));
}

#[test]
fn only_what_is_inside_is_taken_or_swapped() {
    let shelf = shelf();
    for seed in 0..200 {
        let plan = Plan::new(seed, &shelf);
        let mut inside = BTreeSet::new();
        for step in &plan.steps {
            let (out, put) = match &step.deed {
                Deed::Put(thing) => (None, vec![*thing]),
                Deed::PutTwo(both) => (None, both.to_vec()),
                Deed::PutCovered { top, under } => (None, vec![*top, *under]),
                Deed::Take(thing) => (Some(*thing), Vec::new()),
                Deed::Swap { out, with, .. } | Deed::SlowSwap { out, with, .. } => (Some(*out), vec![*with]),
                Deed::Reach(_) | Deed::Strain(_) => (None, Vec::new()),
            };
            assert!(out.is_none_or(|thing| inside.remove(&thing)), "seed {seed}: {step:?}");
            assert!(put.into_iter().all(|thing| inside.insert(thing)), "seed {seed}: {step:?}");
        }
    }
}

#[test]
fn a_trip_of_shown_codes_is_all_right_and_the_same_twice() {
    let things = vec![pack("black-tea-80", 292.0), pack("spaghetti-500", 510.0), pack("olive-oil-500", 839.0)];
    let deeds = vec![
        Deed::Put(0),
        Deed::Reach(Duration::from_millis(1_100)),
        Deed::Put(1),
        Deed::Strain(Strain::Roll { time: Duration::from_millis(1_500), bumps: 1 }),
        Deed::Take(0),
        Deed::Put(2),
    ];
    let plan = plan(things, deeds);
    let count = store().play(&plan, None).expect("played");
    let wanted = Figures { items: 3, added_right: 3, removed_right: 1, ..Figures::default() };
    assert_eq!(timeless(&count), wanted, "{:?}", count.mishaps);
    assert_eq!(count.ways.len(), 3);
    let again = store().play(&plan, None).expect("played");
    assert_eq!((timeless(&again), again.mishaps), (timeless(&count), count.mishaps));
}

/// A recorded trip of one pack, and the folder it lies in.
fn recorded() -> &'static (TempDir, PathBuf) {
    static RECORDED: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    RECORDED.get_or_init(|| {
        let folder = TempDir::new().expect("a folder");
        let path = folder.path().join("trip.recording");
        let plan = plan(vec![pack("ground-coffee-250", 264.0)], vec![Deed::Put(0)]);
        store().play(&plan, Some(&path)).expect("played");
        (folder, path)
    })
}

fn records(path: &Path) -> Vec<Record> {
    RecordingReader::open(path).expect("opened").collect::<Result<_, _>>().expect("whole")
}

#[test]
fn a_recorded_trip_replays_to_the_bit() {
    let (_, path) = recorded();
    for look in [false, true] {
        let replayed = store().replay(path, look).expect("replayed");
        assert!(replayed.difference.is_none() && replayed.damage.is_none(), "{replayed:?}");
        assert!(replayed.events >= 2 && replayed.frames > 20, "{replayed:?}");
        assert_eq!(replayed.looks > 0, look, "{replayed:?}");
    }
}

#[test]
fn what_is_kept_beside_a_recording_is_enough_to_look_again() {
    let (_, path) = recorded();
    let folder = TempDir::new().expect("a folder");
    let config = store().keep(folder.path()).expect("kept");
    let options = ReplayOptions { file: path.clone(), config: Some(config) };
    cart_app::recording::command::run(&options).expect("the same looks, the same events");
}

#[test]
fn cut_anywhere_what_is_whole_replays_and_the_cut_is_named() {
    let (folder, path) = recorded();
    let bytes = std::fs::read(path).expect("read");
    let cut = folder.path().join("cut.recording");
    for part in 1..=9 {
        let length = bytes.len() * part / 10 + part;
        std::fs::write(&cut, &bytes[..length]).expect("written");
        let replayed = store().replay(&cut, false).expect("what is whole is played");
        assert!(replayed.difference.is_none(), "cut at {length}: {replayed:?}");
        let Some(damage @ RecordingError::Cut { .. }) = replayed.damage else { panic!("cut at {length}") };
        assert!(damage.to_string().contains("cut.recording"), "{damage}");
    }
}

#[test]
fn a_changed_byte_and_a_changed_reading_are_found() {
    let (folder, path) = recorded();
    let changed = folder.path().join("changed.recording");
    let mut bytes = std::fs::read(path).expect("read");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x10;
    std::fs::write(&changed, &bytes).expect("written");
    let replayed = store().replay(&changed, false).expect("what is whole is played");
    assert!(matches!(replayed.damage, Some(RecordingError::Damaged { .. })), "{replayed:?}");

    // Whole to the last check sum, but the scale says another weight.
    let heavier = folder.path().join("heavier.recording");
    let mut writer = RecordingWriter::create(&heavier).expect("made");
    for mut record in records(path) {
        if let Record::Weight { reading, .. } = &mut record
            && reading.gross_g > 100.0
        {
            reading.gross_g += 60.0;
        }
        writer.write(&record).expect("written");
    }
    writer.finish().expect("finished");
    let replayed = store().replay(&heavier, false).expect("played");
    assert!(replayed.damage.is_none() && replayed.difference.is_some(), "{replayed:?}");
}
