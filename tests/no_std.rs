//! The core compiles into a program without `std`: `tests/no_std` is one, and is built here on its own.

use std::path::Path;
use std::process::{Command, Output};

#[test]
fn the_core_links_into_a_program_without_std() {
    let built = cargo(&["build"], "without");
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
}

#[test]
fn the_proof_would_notice_std() {
    let built = cargo(&["check", "--features", "std"], "with");
    let said = String::from_utf8_lossy(&built.stderr);
    assert!(!built.status.success(), "a program with std and a panic handler of its own must not compile");
    assert!(said.contains("panic_impl"), "it fails for another reason:\n{said}");
}

/// Runs cargo in `tests/no_std`. Each call has a target directory of its own: cargo locks them, and this test runs
/// inside of a cargo that holds the usual one.
fn cargo(arguments: &[&str], target: &str) -> Output {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let probe = root.join("tests/no_std");
    // The same versions as in this workspace, and no network where it needs none.
    if let Ok(lock) = std::fs::read(root.join("Cargo.lock")) {
        let ours = probe.join("Cargo.lock");
        if !ours.exists() {
            std::fs::write(ours, lock).expect("tests/no_std can be written to");
        }
    }
    Command::new(env!("CARGO"))
        .args(arguments)
        .arg("--manifest-path")
        .arg(probe.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("no_std").join(target))
        .output()
        .expect("cargo can be run")
}
