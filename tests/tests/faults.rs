//! The fault rig, for half a minute: see `tests/src/rig.rs`. For longer: `./trundle faults --minutes 10`.

use tests::process::{Running, command};

#[test]
fn a_store_of_real_processes_keeps_its_promises_under_blows() -> anyhow::Result<()> {
    let mut faults = command("faults")?;
    faults.args(["--minutes", "0.5", "--seed", "26", "--crowd", "40"]);
    let (running, lines) = Running::start_and_listen(faults)?;
    let said: Vec<String> = lines.iter().collect();
    let ended = running.ended()?;
    let said = said.join("\n");
    assert_eq!(ended.code(), 0, "{}\n{said}", ended.stderr);
    assert!(said.contains("All promises hold"), "{said}");
    for blow in ["hub killed", "cart killed", "broker killed"] {
        assert!(said.contains(blow), "no {blow}: another seed is needed\n{said}");
    }
    said.lines().filter(|line| line.starts_with("left out")).for_each(|line| eprintln!("skipped: {line}"));
    Ok(())
}
