//! Replays the seeds in `fuzz/corpus`, the crash files in `fuzz/crashes` and the tables of `tests/diagnosis` through the
//! oracles of their targets.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

/// A name in `fuzz_targets`, and its oracle.
type Target = (&'static str, fn(&[u8]));

const TARGETS: [Target; 8] = [
    ("connection", sansocket_fuzz_oracles::connection),
    ("conversation", sansocket_fuzz_oracles::conversation),
    ("deflate", sansocket_fuzz_oracles::deflate),
    ("fields", sansocket_fuzz_oracles::fields),
    ("frame", sansocket_fuzz_oracles::frame),
    ("handshake", sansocket_fuzz_oracles::handshake),
    ("proxy", sansocket_fuzz_oracles::proxy),
    ("url", sansocket_fuzz_oracles::url),
];

#[test]
fn every_seed_and_every_former_crash_passes() {
    for (name, oracle) in TARGETS {
        let files =
            [files(&fuzz().join("corpus").join(name)), files(&fuzz().join("crashes").join(name))].concat();
        assert!(files.len() >= 5, "{name} has seeds");
        for file in files {
            let input = std::fs::read(&file).expect("a file that was listed can be read");
            println!("{}", file.display());
            oracle(&input);
            // What is cut off is an input of its own.
            for len in 0..input.len().min(300) {
                oracle(&input[..len]);
            }
        }
    }
}

#[test]
fn every_handshake_of_the_diagnosis_passes_with_usual_and_with_small_limits() {
    let seeds = sansocket_fuzz_oracles::of_handshakes();
    assert!(seeds.len() >= 231, "the tables were read");
    let names: BTreeSet<_> = seeds.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), seeds.len(), "each is a file of its own");
    for (name, mut input) in seeds {
        println!("{name}");
        sansocket_fuzz_oracles::handshake(&input);
        input[0].make_ascii_uppercase();
        sansocket_fuzz_oracles::handshake(&input);
    }
}

#[test]
fn every_target_is_replayed() {
    let mut targets: Vec<_> = files(&fuzz().join("fuzz_targets"))
        .iter()
        .filter_map(|file| Some(file.file_stem()?.to_str()?.to_owned()))
        .collect();
    targets.sort();
    assert_eq!(targets, TARGETS.map(|(name, _)| name));
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The files in a directory; none if there is no directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(directory) else { return Vec::new() };
    let mut files: Vec<_> = entries.map(|entry| entry.expect("a listed entry").path()).collect();
    files.sort();
    files
}
