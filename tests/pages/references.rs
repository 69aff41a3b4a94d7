//! The pages that say where a rule is kept and what shows it: each file, function and test that they name is there.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// The sections of the RFCs that put requirements on a library. Each has at least one row.
const SECTIONS: [(&str, &[&str]); 3] = [
    (
        "## RFC 6455",
        &[
            "3", "4.1", "4.2.1", "4.2.2", "4.3", "4.4", "5.1", "5.2", "5.3", "5.4", "5.5", "5.5.1", "5.5.2",
            "5.5.3", "5.6", "5.7", "5.8", "6.1", "6.2", "7.1.1", "7.1.2", "7.1.3", "7.1.4", "7.1.5", "7.1.6",
            "7.1.7", "7.2.1", "7.2.2", "7.2.3", "7.3", "7.4.1", "7.4.2", "8.1", "9.1", "9.2", "10.1", "10.2",
            "10.3", "10.4", "10.5", "10.6", "10.7", "10.8", "11.3.1", "11.3.2", "11.3.3", "11.3.4", "11.3.5",
        ],
    ),
    (
        "## RFC 7692",
        &[
            "5", "5.1", "5.2", "6", "6.1", "6.2", "7", "7.1.1.1", "7.1.1.2", "7.1.2.1", "7.1.2.2", "7.2.1",
            "7.2.2", "7.2.3",
        ],
    ),
    ("## Other standards", &["9110 2.5", "9112 2.2", "8305 3", "3986 2.1", "1928 3", "1929 2"]),
];

/// What a cell begins with where no code of ours keeps the rule, or where it is not kept.
const EXPLAINED: [&str; 3] = ["**Application**", "**Differs**", "**Not here**"];

#[test]
fn every_row_of_conformance_names_code_and_a_test_or_says_why_not() {
    let page = page("docs/conformance.md");
    let rows = rows(&page);
    assert!(rows.len() > 150, "only {} rows were found", rows.len());
    for [clause, requires, here, tests] in rows {
        let levels = ["MUST", "SHOULD", "MAY", "SHALL"];
        assert!(levels.iter().any(|level| requires.contains(level)), "{clause}: how strong is {requires:?}?");
        if EXPLAINED.iter().any(|word| here.starts_with(word)) {
            continue;
        }
        assert!(!references(here).is_empty(), "{clause}: no code for {requires:?}");
        let tests = references(tests);
        assert!(!tests.is_empty(), "{clause}: no test for {requires:?}");
        for test in tests {
            assert_eq!(look_up(test, true), Ok(()), "{clause} is shown by {test}");
        }
        assert!(
            references(here).iter().all(|named| !named.starts_with("tests/")),
            "{clause}: {here:?} is no code"
        );
    }
}

#[test]
fn every_section_has_a_row() {
    let page = page("docs/conformance.md");
    for (heading, sections) in SECTIONS {
        let (_, part) = page.split_once(&format!("\n{heading}")).unwrap_or_else(|| panic!("no {heading:?}"));
        let part = part.split("\n## ").next().unwrap_or_default();
        let found: BTreeSet<&str> = rows(part).into_iter().map(|[clause, ..]| clause).collect();
        for section in sections {
            assert!(found.contains(section), "{heading} has no row for section {section}, only {found:?}");
        }
    }
}

#[test]
fn whatever_the_pages_name_is_there() {
    for (name, at_least) in [("docs/conformance.md", 300), ("docs/security.md", 60)] {
        let page = page(name);
        let named = references(&page);
        assert!(named.len() > at_least, "{name}: only {} references were found", named.len());
        for reference in named {
            if let Err(fault) = look_up(reference, false) {
                panic!("{name} names {reference}: {fault}");
            }
        }
    }
}

#[test]
fn what_is_not_there_is_noticed() {
    for (reference, fault) in [
        ("src/frame/nothing.rs", "no such file"),
        ("src/frame/nothing.rs::parse", "no such file"),
        ("src/frame/header.rs::pars", "no such function"),
        ("tests/frames::server_rejects_unmasked_frames", "no such test"),
        // A function that is there, and no test.
        ("tests/dial::addresses", "no such test"),
        ("tests/nothing::server_rejects_unmasked_frame", "no such file"),
    ] {
        assert_eq!(look_up(reference, false), Err(fault), "{reference}");
    }
    assert_eq!(look_up("src/frame/header.rs::parse", false), Ok(()));
    assert_eq!(look_up("src/frame/header.rs::parse", true), Err("no such test"));
    assert_eq!(look_up("src/utf8.rs::fails_at_the_first_impossible_byte", true), Ok(()));
    assert_eq!(look_up("tests/frames::server_rejects_unmasked_frame", false), Ok(()));
    assert_eq!(references("`src/a.rs::b`, `sec/c`, `tests/d` and `ws://tests/`"), ["src/a.rs::b", "tests/d"]);
}

fn page(name: &str) -> String {
    let path = root().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of all tables with four columns, their headings left out.
fn rows(page: &str) -> Vec<[&str; 4]> {
    let lines = page.lines().filter(|line| line.starts_with('|'));
    let cells = lines.map(|line| line.trim_matches('|').split(" | ").map(str::trim).collect::<Vec<_>>());
    let rows = cells.filter_map(|cells| <[&str; 4]>::try_from(cells).ok());
    rows.filter(|[clause, ..]| clause.starts_with(|first: char| first.is_ascii_digit())).collect()
}

/// What stands in code style and begins with one of our folders: `path` or `path::name`.
fn references(text: &str) -> Vec<&str> {
    let roots =
        ["src/", "tests/", "runtimes/", "testkit/", "fuzz/", "examples/", "docs/", "benches/", ".ci/"];
    // Between backticks is every second part.
    let parts = text.split('`').skip(1).step_by(2);
    parts.filter(|part| roots.iter().any(|root| part.starts_with(root))).collect()
}

/// A path with a name behind it is a file with such a function or, if it leads to tests or `as_test` says so, one with such a test: a
/// file, or a binary with several.
fn look_up(reference: &str, as_test: bool) -> Result<(), &'static str> {
    let (path, name) = match reference.split_once("::") {
        Some((path, name)) => (path, Some(name)),
        None => (reference, None),
    };
    let whole = root().join(path);
    let files = match (whole.is_dir(), whole.is_file(), root().join(format!("{path}.rs"))) {
        (true, ..) => sources(&whole),
        (_, true, _) => vec![whole],
        (.., file) if file.is_file() => vec![file],
        _ => return Err("no such file"),
    };
    let Some(name) = name else { return Ok(()) };
    let in_tests = ["tests/", "runtimes/loopback"].iter().any(|folder| path.starts_with(folder));
    let is_test = as_test || in_tests || path.contains("/tests/");
    let has = |file: &PathBuf| has_function(&fs::read_to_string(file).unwrap_or_default(), name, is_test);
    match files.iter().any(has) {
        true => Ok(()),
        false if is_test => Err("no such test"),
        false => Err("no such function"),
    }
}

fn has_function(source: &str, name: &str, is_test: bool) -> bool {
    let lines: Vec<&str> = source.lines().map(str::trim_start).collect();
    lines.iter().enumerate().any(|(at, line)| {
        let Some((before, after)) = line.split_once("fn ") else { return false };
        let is_it = after.strip_prefix(name).is_some_and(|rest| rest.starts_with(['(', '<']))
            && before
                .split(' ')
                .all(|word| matches!(word, "" | "pub" | "const" | "async") || word.starts_with("pub("));
        let attributes = lines[..at].iter().rev().take_while(|line| line.starts_with("#["));
        is_it && (!is_test || attributes.into_iter().any(|line| line.starts_with("#[test]")))
    })
}

/// All Rust files below a folder.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("the folder can be read").path());
    let found = paths.flat_map(|path| if path.is_dir() { sources(&path) } else { vec![path] });
    found.filter(|path| path.extension().is_some_and(|extension| extension == "rs")).collect()
}
