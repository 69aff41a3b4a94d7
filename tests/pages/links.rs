//! Links of the pages to other files and to headings lead somewhere.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_link_within_the_repository_leads_somewhere() {
    let pages = pages();
    assert!(pages.len() > 8, "only {pages:?} were found");
    let mut links = 0;
    for page in pages {
        let text = read(&page);
        for link in links_of(&text).filter(|link| !link.contains("://")) {
            links += 1;
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.with_file_name(file),
            };
            assert!(target.exists(), "{} links to {link}, which is not there", page.display());
            let found = heading.is_empty() || anchors(&read(&target)).contains(heading);
            assert!(found, "{} links to {link}, and there is no such heading", page.display());
        }
    }
    assert!(links > 100, "only {links} links were found");
}

#[test]
fn what_leads_nowhere_is_noticed() {
    let text =
        "# One\n[a](b.md#c) `[d](e)`\n```text\n[f](g)\n# no heading\n```\n## What *is* `this`?\n[h](#i)";
    assert_eq!(links_of(text).collect::<Vec<_>>(), ["b.md#c", "#i"]);
    let headings = ["one", "what-is-this"].map(String::from);
    assert_eq!(anchors(text), headings.into_iter().collect());
}

/// The pages in the root, and those in `docs`.
fn pages() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let entries =
        [root.to_path_buf(), root.join("docs")].map(|folder| fs::read_dir(folder).expect("it is there"));
    let paths = entries.into_iter().flatten().map(|entry| entry.expect("the folder can be read").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

fn read(page: &Path) -> String {
    fs::read_to_string(page).unwrap_or_else(|error| panic!("{}: {error}", page.display()))
}

/// The targets of links that are neither in a block nor in code style.
fn links_of(text: &str) -> impl Iterator<Item = &str> {
    prose(text).flat_map(|line| {
        let plain = line.split('`').step_by(2);
        // A link may have code in its text, so that its target begins a part.
        plain.flat_map(|part| part.split("](").skip(1)).filter_map(|rest| Some(rest.split_once(')')?.0))
    })
}

/// What a link to a heading is called: in lower case, with hyphens for spaces and nothing else but letters and digits.
fn anchors(text: &str) -> BTreeSet<String> {
    let headings = prose(text).filter(|line| line.starts_with('#'));
    let kept = headings.map(|line| {
        let name = line.trim_start_matches('#').trim().chars();
        name.filter(|character| character.is_alphanumeric() || " -_".contains(*character)).collect::<String>()
    });
    kept.map(|name| name.to_lowercase().replace(' ', "-")).collect()
}

/// The lines outside of blocks.
fn prose(text: &str) -> impl Iterator<Item = &str> {
    let mut in_block = false;
    text.lines().filter(move |line| {
        let fence = line.starts_with("```");
        in_block ^= fence;
        !in_block && !fence
    })
}
