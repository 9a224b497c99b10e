//! Every input that is kept, once through its target; and the kept seeds are the ones the real types make.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use fuzz::{TARGETS, Target, words};

fn folder(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpora").join(target.name)
}

fn dictionary(target: &Target) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("words").join(format!("{}.dict", target.name))
}

fn kept(target: &Target) -> BTreeMap<String, Vec<u8>> {
    let files = std::fs::read_dir(folder(target)).unwrap_or_else(|e| panic!("{}: {e}", folder(target).display()));
    let read = |path: PathBuf| {
        (path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned()), std::fs::read(&path))
    };
    files.flatten().map(|file| read(file.path())).map(|(name, bytes)| (name, bytes.expect("readable"))).collect()
}

/// One test and not one a target: the memory that is counted is the whole program's.
#[test]
fn every_input_that_is_kept_holds() {
    let mut tried = 0;
    for target in &TARGETS {
        let inputs = kept(target);
        assert!(!inputs.is_empty(), "{} has no inputs", target.name);
        for (name, bytes) in inputs {
            assert!(bytes.len() <= target.longest, "{}/{name} is too long", target.name);
            (target.check)(&bytes);
            // Cut short at every place, which is what a broken line does.
            (0..bytes.len()).step_by(1 + bytes.len() / 64).for_each(|end| (target.check)(&bytes[..end]));
            tried += 1;
        }
    }
    println!("{tried} inputs");
}

/// Written anew by `TRUNDLE_RENEW=1 cargo test -p fuzz`; the difference is read.
#[test]
fn the_seeds_that_are_kept_are_what_the_types_write() {
    for target in &TARGETS {
        let seeds = (target.seeds)();
        if std::env::var_os("TRUNDLE_RENEW").is_some() {
            std::fs::create_dir_all(folder(target)).expect("a folder");
            for (name, bytes) in &seeds {
                std::fs::write(folder(target).join(name), bytes).expect("written");
            }
            std::fs::write(dictionary(target), words::of(target)).expect("written");
        }
        let words = std::fs::read_to_string(dictionary(target)).expect("a dictionary");
        assert!(words == words::of(target), "{} has another dictionary; see this test's comment", target.name);
        let kept = kept(target);
        for (name, bytes) in seeds {
            assert!(kept.get(name) == Some(&bytes), "{}/{name} is another; see this test's comment", target.name);
        }
    }
}
