//! The fault rig, for half a minute: see `tests/src/rig.rs`. For longer: `./trundle faults --minutes 10`.

use std::sync::{Mutex, PoisonError};

use tests::process::{Running, command};

/// A rig has a machine for itself: its patience is counted in seconds.
static ALONE: Mutex<()> = Mutex::new(());

/// Strikes for half a minute, sees that each of `blows` fell and all promises hold.
fn holds_under(blows: &[&str], options: &[&str]) -> anyhow::Result<()> {
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut faults = command("faults")?;
    faults.args(["--minutes", "0.5", "--crowd", "40"]).args(options);
    let (running, lines) = Running::start_and_listen(faults)?;
    let said: Vec<String> = lines.iter().collect();
    let ended = running.ended()?;
    let said = said.join("\n");
    assert_eq!(ended.code(), 0, "{}\n{said}", ended.stderr);
    assert!(said.contains("All promises hold"), "{said}");
    for blow in blows {
        assert!(said.contains(blow), "no {blow}: another seed is needed\n{said}");
    }
    said.lines().filter(|line| line.starts_with("left out")).for_each(|line| eprintln!("skipped: {line}"));
    Ok(())
}

#[test]
fn a_store_of_real_processes_keeps_its_promises_under_blows() -> anyhow::Result<()> {
    holds_under(&["hub killed", "cart killed", "broker killed"], &["--seed", "26"])
}

#[test]
fn and_so_does_one_whose_broker_is_three_nats_servers() -> anyhow::Result<()> {
    if std::env::var_os("TRUNDLE_NATS").is_none() {
        eprintln!("skipped: TRUNDLE_NATS does not name the program nats-server");
        return Ok(());
    }
    holds_under(&["broker killed"], &["--seed", "26", "--carts", "1", "--nats"])
}
