//! The README and its translation are in step: the same commands and code, the same links in the same order, the same outline.

const ENGLISH: &str = include_str!("../../README.md");
const CHINESE: &str = include_str!("../../README.zh-CN.md");

#[test]
fn commands_and_code_are_the_same() {
    assert_eq!(blocks(ENGLISH).len(), 5, "they were found");
    assert_eq!(blocks(ENGLISH), blocks(CHINESE));
}

#[test]
fn links_are_the_same_and_each_leads_to_the_other() {
    let (english, mut chinese) = (links(ENGLISH), links(CHINESE));
    assert!(english.len() > 15, "only {english:?} were found");
    let position =
        english.iter().position(|link| *link == "README.zh-CN.md").expect("a link to the translation");
    assert_eq!(chinese.get(position), Some(&"README.md"), "the translation leads back at the same place");
    assert_eq!(core::mem::replace(&mut chinese[position], "README.zh-CN.md"), "README.md");
    assert_eq!(english, chinese);
    let first_screen: String = ENGLISH.lines().take(10).collect();
    assert!(first_screen.contains("README.zh-CN.md"), "who reads Chinese sees it at once");
}

#[test]
fn the_outline_is_the_same() {
    let outline = |page| -> Vec<String> { prose(page).iter().filter_map(|line| shape(line)).collect() };
    assert!(outline(ENGLISH).len() >= 10, "{:?} were found", outline(ENGLISH));
    assert_eq!(outline(ENGLISH), outline(CHINESE));
}

/// What is in code style in the text is not translated either.
#[test]
fn names_are_the_same() {
    let names = |page: &'static str| {
        let mut names: Vec<&str> = Vec::new();
        for line in prose(page) {
            names.extend(line.split('`').skip(1).step_by(2));
        }
        names.sort_unstable();
        names
    };
    assert_eq!(names(ENGLISH), names(CHINESE));
}

/// How deep a heading is, or how many cells a row of a table has.
fn shape(line: &str) -> Option<String> {
    let depth = line.chars().take_while(|&character| character == '#').count();
    match line.chars().next()? {
        '#' => Some(format!("heading {depth}")),
        '|' => Some(format!("row of {}", line.split('|').count() - 2)),
        _ => None,
    }
}

/// What is between fences, with their languages.
fn blocks(page: &'static str) -> Vec<&'static str> {
    page.split("\n```").skip(1).step_by(2).collect()
}

/// The lines that are in no block.
fn prose(page: &'static str) -> Vec<&'static str> {
    let parts = page.split("\n```").step_by(2);
    parts.flat_map(str::lines).collect()
}

/// The targets of links, in their order.
fn links(page: &'static str) -> Vec<&'static str> {
    let mut links = Vec::new();
    for line in prose(page) {
        let targets = line.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        links.extend(targets);
        links.extend(line.split_once("]: ").map(|(_, target)| target));
    }
    links
}
