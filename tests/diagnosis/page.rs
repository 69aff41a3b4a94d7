//! `docs/diagnosing.md`, read: its entries, its tables, its blocks. What they claim is held to the code in `documented`.

use sansocket::Role;

/// What the page says of one code.
pub(crate) struct Entry {
    pub(crate) code: &'static str,
    /// Each role that can meet it, as the line under the heading has it.
    pub(crate) claims: Vec<Claim>,
    pub(crate) text: &'static str,
    pub(crate) blocks: Vec<Block>,
}

/// `Server: probe or bad-peer, answer 408 or none.`
#[derive(Debug)]
pub(crate) struct Claim {
    pub(crate) role: Role,
    pub(crate) severities: Vec<&'static str>,
    /// The statuses with which a server answers, and `none`. Empty for a client.
    pub(crate) answers: Vec<&'static str>,
}

/// What is between two fences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) language: &'static str,
    pub(crate) text: &'static str,
}

/// The whole page.
pub(crate) const PAGE: &str = include_str!("../../docs/diagnosing.md");

/// The entries of all codes, in the order of the page.
pub(crate) fn entries() -> Vec<Entry> {
    let codes = section("The codes", "Who the peer appears to be");
    codes.split("\n### ").skip(1).map(entry).collect()
}

fn entry(text: &'static str) -> Entry {
    // A heading of a group ends the entry before it.
    let text = text.split("\n## ").next().unwrap_or(text);
    let (code, rest) = text.split_once('\n').expect("a heading has a line");
    let line = rest.trim_start().lines().next().unwrap_or_default();
    let claims = line.strip_prefix('*').and_then(|line| line.strip_suffix(".*"));
    let claims = claims.unwrap_or_else(|| panic!("{code}: no line of severities, but {line:?}"));
    let claims = claims.split(". ").map(|claim| parse_claim(code, claim)).collect();
    Entry { code, claims, text, blocks: blocks(text) }
}

fn parse_claim(code: &str, claim: &'static str) -> Claim {
    let (role, rest) = claim.split_once(": ").unwrap_or_else(|| panic!("{code}: no role in {claim:?}"));
    let (severities, answers) = match rest.split_once(", ") {
        Some((severities, "no answer")) => (severities, vec!["none"]),
        Some((severities, answer)) => {
            let answers = answer.strip_prefix("answer ").unwrap_or_else(|| panic!("{code}: {answer:?}"));
            (severities, answers.split(" or ").collect())
        }
        None => (rest, Vec::new()),
    };
    Claim { role: parse_role(role), severities: severities.split(" or ").collect(), answers }
}

/// A role in upper or lower case.
pub(crate) fn parse_role(name: &str) -> Role {
    match &*name.to_ascii_lowercase() {
        "server" => Role::Server,
        "client" => Role::Client,
        _ => panic!("{name:?} is no role"),
    }
}

/// The fenced blocks of a text.
pub(crate) fn blocks(text: &'static str) -> Vec<Block> {
    let mut fences = text.split("\n```");
    fences.next();
    let mut blocks = Vec::new();
    // Every second piece is outside.
    while let (Some(inside), Some(_)) = (fences.next(), fences.next()) {
        let (language, text) = inside.split_once('\n').expect("a fence has a line");
        blocks.push(Block { language, text });
    }
    blocks
}

/// What stands between two headings of the second level.
pub(crate) fn section(from: &str, to: &str) -> &'static str {
    let begin = PAGE.find(&format!("\n## {from}\n")).unwrap_or_else(|| panic!("no heading {from:?}"));
    let (_, text) = PAGE.split_at(begin + 1);
    let end = text.find(&format!("\n## {to}\n")).unwrap_or(text.len());
    let (text, _) = text.split_at(end);
    text
}

/// The rows of the table whose first column has this heading, without the quotes of code.
pub(crate) fn table(first_column: &str) -> Vec<Vec<&'static str>> {
    let heading = format!("| {first_column} |");
    let rows =
        PAGE.lines().skip_while(|line| !line.starts_with(&heading)).take_while(|line| !line.is_empty());
    let rows: Vec<Vec<&str>> = rows.skip(2).map(cells).collect();
    assert!(!rows.is_empty(), "no table {first_column:?}");
    rows
}

fn cells(row: &'static str) -> Vec<&'static str> {
    let inside = row.strip_prefix("| ").and_then(|row| row.strip_suffix(" |"));
    let cells = inside.unwrap_or_else(|| panic!("not a row: {row}")).split(" | ");
    cells.map(|cell| cell.strip_prefix('`').and_then(|cell| cell.strip_suffix('`')).unwrap_or(cell)).collect()
}

/// The code to whose entry a cell links.
pub(crate) fn linked(cell: &'static str) -> &'static str {
    let parts = cell.strip_prefix('[').and_then(|cell| cell.split_once("](#"));
    let (text, target) = parts.unwrap_or_else(|| panic!("no link: {cell}"));
    assert_eq!(target.strip_suffix(')'), Some(text), "a code links to its entry");
    text
}
