//! `./trundle demo` as it is started, from the first touch to the verified receipt.

use std::path::Path;

use tempfile::TempDir;
use tests::check;
use tests::place::{Folders, read_summary};
use tests::process::{Ended, Running, assets, command, photos};
use tests::tampered::one_bit_off;

fn verify(receipt: &Path, more: &[&Path], trust: &Path) -> anyhow::Result<Ended> {
    let mut hub = command("store-hub")?;
    hub.args(["receipt", "verify"]).arg(receipt).env("TRUNDLE_TRUST", trust);
    for key in more {
        hub.arg("--key").arg(key);
    }
    Running::start(hub)?.ended()
}

/// Each checker can fail: one lie in the files at a time, taken back before the next.
fn spoilt_files_are_found(folders: &Folders) -> anyhow::Result<()> {
    let broken = || check::all(folders).err().map(|why| why.to_string()).unwrap_or_default();
    let log = folders.terminal_log();
    let honest = std::fs::read_to_string(&log)?;
    let last = honest.lines().last().unwrap_or_default();
    std::fs::write(&log, format!("{honest}{}\n", last.replacen("\"id\":\"", "\"id\":\"another-", 1)))?;
    assert!(broken().contains("the hub asked for no such thing"), "a payment that nobody asked for: {}", broken());
    std::fs::write(&log, honest)?;
    check::all(folders)?;

    let hub = rusqlite::Connection::open(folders.hub_database())?;
    hub.execute_batch(
        "BEGIN; CREATE TEMP TABLE kept AS SELECT * FROM record; DELETE FROM record WHERE seq = 5; COMMIT",
    )?;
    assert!(broken().contains("the hub's record 5"), "the hub has a hole: {}", broken());
    hub.execute_batch("BEGIN; DELETE FROM record; INSERT INTO record SELECT * FROM kept; COMMIT")?;
    check::all(folders)?;

    let cart = rusqlite::Connection::open(folders.journal())?;
    let count: i64 = cart.query_row("SELECT COUNT(*) FROM record", [], |row| row.get(0))?;
    assert!(count > 10);
    cart.execute("UPDATE record SET bytes = replace(bytes, '\"pieces\":1', '\"pieces\":2')", [])?;
    cart.execute("UPDATE record SET bytes = replace(bytes, '\"each\":1', '\"each\":2')", [])?;
    assert!(broken().contains("journal.sqlite"), "a journal that was written over: {}", broken());
    Ok(())
}

fn trip(look: &[&std::ffi::OsStr]) -> anyhow::Result<()> {
    let folder = TempDir::new()?;
    let (data, out, trust) = (folder.path().join("data"), folder.path().join("out"), folder.path().join("trust"));
    let count = folder.path().join("count.json");
    let mut demo = command("cart")?;
    demo.args(["demo", "--headless", "--assets"]).arg(assets()).arg("--data").arg(&data).arg("--out").arg(&out);
    demo.arg("--summary").arg(&count).args(look).env("TRUNDLE_TRUST", &trust);
    let ended = Running::start(demo)?.ended()?;
    assert_eq!(ended.code(), 0, "{}", ended.stderr);

    let count = read_summary(&count)?;
    let told_apart = count.added_right + count.added_wrong + count.asked + count.held + count.missed;
    assert_eq!(count.items_in, told_apart, "{count:?}");
    assert_eq!((count.added_wrong, count.missed, count.removed_wrong), (0, 0, 0), "{count:?}");
    assert!(count.items_in > 10 && count.total_minor > 0, "{count:?}");
    assert_eq!(count.total_minor, count.charged_minor, "{count:?}");
    assert!(count.receipt_verified, "{count:?}");
    let folders = Folders::in_data(&data);
    check::all(&folders)?;

    let receipt = out.join("receipt.cose");
    assert_eq!(verify(&receipt, &[], &trust)?.code(), 0, "with the keys this machine trusts");
    assert_eq!(verify(&receipt, &[&folders.receipt_key()], &trust)?.code(), 0, "with the store's key");
    let changed = folder.path().join("changed.cose");
    let length = std::fs::metadata(&receipt)?.len() as usize;
    for at in [0, 20, length / 2, length - 1] {
        one_bit_off(&receipt, &changed, at)?;
        let ended = verify(&changed, &[], &trust)?;
        assert_eq!(ended.code(), 1, "one bit off at byte {at} of {length}: {}", ended.stderr);
    }
    let nobody = folder.path().join("nobody");
    std::fs::create_dir(&nobody)?;
    assert_eq!(verify(&receipt, &[], &nobody)?.code(), 1, "where no store is trusted");
    spoilt_files_are_found(&folders)?;
    let pictures = std::fs::read_dir(&out)?.filter_map(Result::ok);
    let pictures = pictures.filter(|file| file.path().extension().is_some_and(|end| end == "png")).count();
    assert!(pictures >= 8, "{pictures} pictures of the screen");
    Ok(())
}

#[test]
fn a_whole_trip_of_drawn_goods_ends_with_the_right_charge_and_a_receipt_that_verifies() -> anyhow::Result<()> {
    trip(&["--drawn".as_ref()])
}

#[test]
fn a_whole_trip_of_real_photos_ends_the_same() -> anyhow::Result<()> {
    let Some(photos) = photos() else {
        eprintln!("SKIPPED: the set of real photos is not at hand; name its parent folder in TRUNDLE_DATA");
        return Ok(());
    };
    trip(&["--photos".as_ref(), photos.as_os_str()])
}
