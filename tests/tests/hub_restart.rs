//! The hub is killed mid-trip and started again on its data.

use tests::check::{self, terminal_log};
use tests::place::Place;
use tests::process::wait_for;
use tests::script::{PACKS, PACKS_COST, packs};

#[test]
fn shopping_goes_on_without_the_hub_and_all_of_it_arrives_later() -> anyhow::Result<()> {
    let mut place = Place::new(&packs())?;
    let cart = place.play(false)?;

    wait_for("lines with the hub", || Ok(Some(place.lines_added()?).filter(|n| *n >= 2)))?;
    place.store.cut_hub();
    let offline = wait_for("lines without the hub", || Ok(Some(place.lines_added()?).filter(|n| *n >= 5)))?;
    assert!(offline <= PACKS.len());
    place.store.start_hub()?;

    let ended = cart.ended()?;
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let count = place.summary()?;
    assert_eq!((count.added_right as usize, count.missed), (PACKS.len(), 0), "{count:?}");
    assert_eq!((count.total_minor, count.charged_minor), (PACKS_COST, PACKS_COST));
    assert!(count.receipt_verified);
    assert_eq!(terminal_log(&place.folders)?.len(), 1, "one payment was asked for");
    check::all(&place.folders)
}
