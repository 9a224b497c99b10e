//! The cart loses its power mid-trip and is started again.

use tests::check::{self, terminal_log};
use tests::place::Place;
use tests::process::wait_for;
use tests::script::{PACKS, PACKS_COST, packs};
use trip::{TripEvent, TripState};

/// Lines that are in before the power goes.
const BEFORE: usize = 4;

#[test]
fn a_basket_outlives_a_power_cut_and_is_paid_once() -> anyhow::Result<()> {
    let place = Place::new(&packs())?;
    let cart = place.play(false)?;
    // "Start" and the things put in: the shopper has seen so many lines on the screen.
    wait_for("lines on the screen", || Ok((place.folders.steps_done()? > BEFORE).then_some(())))?;
    cart.cut()?;

    let cut = check::journal(&place.folders)?;
    let state = TripState::replay(cut.iter().map(|(record, _)| &record.event));
    let lines: Vec<&str> = state.basket.lines.iter().map(|line| line.sku.as_str()).collect();
    assert!(lines.len() >= BEFORE, "what was shown is in the journal: {lines:?}");
    assert_eq!(lines, PACKS[..lines.len()]);
    assert!(terminal_log(&place.folders).is_ok_and(|log| log.is_empty()), "nothing is paid yet");

    let ended = place.play(true)?.ended()?;
    assert_eq!(ended.code(), 0, "{}", ended.stderr);
    let count = place.summary()?;
    assert_eq!((count.total_minor, count.fair_minor, count.charged_minor), (PACKS_COST, PACKS_COST, PACKS_COST));
    assert!(count.receipt_verified);
    assert_eq!(count.items_in as usize, PACKS.len() - lines.len(), "the rest of the things went in after it");

    let whole = check::journal(&place.folders)?;
    assert_eq!(whole[..cut.len()], cut, "nothing that was written is written again");
    let begun = whole.iter().filter(|(record, _)| matches!(record.event, TripEvent::TripStarted { .. })).count();
    assert_eq!(begun, 1, "it is one trip");
    assert_eq!(terminal_log(&place.folders)?.len(), 1, "one payment was asked for");
    check::all(&place.folders)
}
