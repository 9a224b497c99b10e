//! Generated trips with photos, where the photo set is at hand.

use tests::generate::{Plan, Store};
use tests::process::{assets, photos};

#[test]
fn a_trip_of_photos_is_played_to_its_end() {
    let Some(folder) = photos() else {
        eprintln!("skipped: the photo set is not there; set TRUNDLE_DATA to the folder that holds grocery/");
        return;
    };
    let store = Store::open(&assets(), Some((&folder, &folder.join("val.txt"))), None, 3).expect("the store");
    let plan = Plan::new(3, &store.shelf);
    let count = store.play(&plan, None).expect("played");
    let (items, figures) = (plan.things.len() as u64, &count.figures);
    assert_eq!(figures.items, items, "{:?}", count.mishaps);
    // Whatever sight makes of it, nothing is lost from the books: each thing was added or asked about,
    // or is named as missed or swapped unseen.
    assert!(figures.added_right + figures.added_wrong + figures.asked + figures.missed > 0, "{:?}", count.mishaps);
    assert!(figures.asked_right_in_tiles <= figures.asked && figures.swaps_caught <= figures.swaps);
}
