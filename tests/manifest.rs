//! What the packages depend on: the core on a closed list that does no IO, each adapter on its own runtime and no other.

use std::collections::BTreeSet;
use std::process::Command;

/// Everything that the core may name. A new entry needs a reason, `no_std`, and a maintainer.
const CORE: [&str; 9] = [
    "base64",
    "bytes",
    "fearless_simd",
    "httparse",
    "memchr",
    "rand_chacha",
    "sha1",
    "simdutf8",
    "thiserror",
];

/// Packages that do IO, read clocks, draw randomness or run tasks.
const IMPURE: [&str; 14] = [
    "async-io",
    "async-std",
    "fastrand",
    "futures-core",
    "futures-io",
    "getrandom",
    "log",
    "mio",
    "rand",
    "smol",
    "socket2",
    "tokio",
    "tracing",
    "web-time",
];

#[test]
fn the_core_depends_on_the_closed_list_and_nothing_else() {
    let named = tree("sansocket", &["--depth", "1"]);
    assert_eq!(named, CORE.map(String::from).into_iter().collect());
}

#[test]
fn nothing_below_the_core_does_io() {
    let all = tree("sansocket", &["--target", "all"]);
    assert!(all.len() > CORE.len(), "{all:?}");
    let impure: Vec<_> = IMPURE.iter().filter(|name| all.contains(**name)).collect();
    assert!(impure.is_empty(), "the core depends on {impure:?}");
}

#[test]
fn without_default_features_nothing_below_the_core_has_its_std() {
    let features = cargo_tree("sansocket", &["--no-default-features", "--edges", "normal,features"]);
    assert!(features.contains("base64 feature \"alloc\""), "features are listed:\n{features}");
    let std: Vec<_> = features.lines().filter(|line| line.contains("feature \"std\"")).collect();
    assert!(std.is_empty(), "{std:#?}");
}

#[test]
fn the_features_of_the_core_are_these() {
    let manifest = include_str!("../Cargo.toml");
    let names: Vec<_> = features(manifest).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["default", "std", "deflate", "simd", "idn", "serde_json", "tungstenite", "http"]);
}

#[test]
fn the_features_of_the_core_can_be_had_of_each_adapter() {
    for (adapter, manifest) in [
        ("tokio", include_str!("../runtimes/tokio/Cargo.toml")),
        ("async-std", include_str!("../runtimes/async-std/Cargo.toml")),
        ("smol", include_str!("../runtimes/smol/Cargo.toml")),
        ("blocking", include_str!("../runtimes/blocking/Cargo.toml")),
    ] {
        let all = features(manifest);
        for (name, passed_on_by) in [
            ("deflate", "sansocket-driver/deflate"),
            ("simd", "sansocket-driver/simd"),
            ("idn", "sansocket/idn"),
            ("serde_json", "sansocket/serde_json"),
            ("http", "sansocket/http"),
        ] {
            let turned_on = all.iter().find(|(feature, _)| *feature == name).map(|(_, turned_on)| *turned_on);
            assert_eq!(turned_on, Some(&*format!("[\"{passed_on_by}\"]")), "`{name}` of {adapter}");
        }
    }
}

#[test]
fn each_adapter_brings_its_own_runtime_and_no_other() {
    let runtimes = BTreeSet::from(["async-std", "smol", "tokio"]);
    for (adapter, its_own) in [
        ("sansocket-driver", None),
        ("sansocket-tokio", Some("tokio")),
        ("sansocket-async-std", Some("async-std")),
        ("sansocket-smol", Some("smol")),
        ("sansocket-blocking", None),
    ] {
        // For this machine: in a browser async-std brings parts of tokio along.
        let all = tree(adapter, &[]);
        let found: Vec<_> = runtimes.iter().copied().filter(|name| all.contains(*name)).collect();
        assert_eq!(found, Vec::from_iter(its_own), "below {adapter}");
    }
}

#[test]
fn the_blocking_adapter_brings_nothing_asynchronous() {
    let all = tree("sansocket-blocking", &["--target", "all"]);
    let found: Vec<_> =
        all.iter().filter(|name| name.starts_with("async-") || name.starts_with("futures-")).collect();
    assert!(found.is_empty() && !all.contains("mio") && !all.contains("polling"), "{all:?}");
}

/// The features of a manifest, each with what it turns on.
fn features(manifest: &str) -> Vec<(&str, &str)> {
    let (_, section) = manifest.split_once("\n[features]\n").expect("it has features");
    let (section, _) = section.split_once("\n[").expect("another section follows");
    section.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(" = ")).collect()
}

/// The names of the packages below this one, itself excepted.
fn tree(package: &str, arguments: &[&str]) -> BTreeSet<String> {
    let listed = cargo_tree(package, &[&["--edges", "normal"], arguments].concat());
    let names = listed.lines().filter_map(|line| line.split(' ').next()).filter(|name| !name.is_empty());
    names.filter(|name| *name != package).map(str::to_owned).collect()
}

fn cargo_tree(package: &str, arguments: &[&str]) -> String {
    let listed = Command::new(env!("CARGO"))
        .args(["tree", "--prefix", "none", "--package", package, "--manifest-path"])
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"))
        .args(arguments)
        .output()
        .expect("cargo can be run");
    assert!(listed.status.success(), "{}", String::from_utf8_lossy(&listed.stderr));
    String::from_utf8(listed.stdout).expect("cargo prints text")
}
