//! Notes which commit is measured, for RESULTS.md.

use std::process::Command;

fn main() {
    let output =
        Command::new("git").args(["describe", "--always", "--dirty", "--exclude", "*"]).output().ok();
    let commit =
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned()).unwrap_or_default();
    println!("cargo::rustc-env=MEASURED_COMMIT={commit}");
    for path in ["build.rs", "src", "../../src", "../../runtimes", "../../.git/HEAD"] {
        println!("cargo::rerun-if-changed={path}");
    }
}
