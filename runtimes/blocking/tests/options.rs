//! `Connector` and `ClientBuilder` are types of this crate, as their calls block, and have what those of the driver have: a macro
//! writes the options of both, and what stands beside it stands in both.

use std::fs;
use std::path::Path;

#[test]
fn what_the_driver_can_set_can_be_set_here() {
    for (file, of_driver, beside) in [
        ("src/connector.rs", "../driver/src/dial/connector.rs", ["connect", "connect_with"]),
        ("src/client/builder.rs", "../driver/src/client/builder.rs", ["server", "build"]),
    ] {
        for file in [file, of_driver] {
            assert_eq!(public_methods(file), beside, "{file}: options are in the driver's src/options.rs");
        }
    }
}

/// Methods of `self` that a file of the sources has, in their order; those that a macro writes are not among them.
fn public_methods(file: &str) -> Vec<String> {
    let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
    let declared = text.split("    pub ").skip(1).map(|rest| rest.strip_prefix("async ").unwrap_or(rest));
    declared
        .filter_map(|rest| rest.strip_prefix("fn ")?.split_once('('))
        .filter(|(_, rest)| rest.split(')').next().is_some_and(|parameters| parameters.contains("self")))
        .map(|(name, _)| name.to_owned())
        .collect()
}
