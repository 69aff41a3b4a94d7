//! The page for the person on call is complete and right: every code, severity, answer and peer, and what reproduces them.

use std::collections::BTreeSet;

use sansocket::{HandshakeErrorKind, Peer, Role, Severity};

use crate::cases::{Case, End, all};
use crate::old_complaint::{COMPLAINT, says};
use crate::page::{Block, PAGE, blocks, entries, linked, parse_role, section, table};
use crate::python;
use crate::run::{Failed, Outcome, whole};

/// What a case fails with.
fn failure(case: &Case) -> Failed {
    match whole(case).0 {
        Outcome::Failed(failed) => *failed,
        other => panic!("{} does not fail: {other:?}\n{}", case.name, case.bytes.escape_ascii()),
    }
}

/// A handshake with the bytes of a cell.
fn shown(role: Role, cell: &str, end: End) -> Case {
    let mut bytes = Vec::new();
    assert_eq!(python::literal(cell, &mut bytes), "", "more than bytes in {cell}");
    Case { role, name: cell.to_owned(), expected: String::new(), plain_http: false, end, bytes }
}

/// Each block of Python of the page, as the code it is to yield and the case it makes.
fn reproductions() -> Vec<(&'static str, Case)> {
    let entries = entries();
    let blocks = entries.iter().flat_map(|entry| entry.blocks.iter().map(|block| (entry.code, *block)));
    let python = blocks.filter(|(_, block)| block.language == "python");
    python.map(|(code, block)| (code, python::case(code, block.text))).collect()
}

#[test]
fn every_code_has_its_entry_in_the_order_of_the_codes() {
    let codes: Vec<&str> = entries().iter().map(|entry| entry.code).collect();
    assert_eq!(codes, HandshakeErrorKind::CODES);
}

#[test]
fn every_entry_says_what_causes_it_what_to_do_and_how_to_see_it() {
    for entry in entries() {
        for part in ["\nCauses: ", "\nDo: "] {
            assert_eq!(entry.text.matches(part).count(), 1, "{}: {part:?}", entry.code);
        }
        assert!(!entry.blocks.is_empty(), "{}: nothing reproduces it", entry.code);
        for &Block { language, text } in &entry.blocks {
            let fits = match language {
                // One line, which `tests/interop` runs.
                "console" => {
                    text.starts_with("curl -i ")
                        && text.contains("://127.0.0.1:4000/")
                        && !text.contains('\n')
                }
                "python" => text.contains("('127.0.0.1', 400"),
                // A doctest, which asserts the code.
                "rust" => text.contains(&format!("code(), \"{}\");", entry.code)),
                _ => false,
            };
            assert!(fits, "{}: not a reproduction, but {language}:\n{text}", entry.code);
        }
    }
}

#[test]
fn every_reproduction_yields_its_code() {
    let reproductions = reproductions();
    assert!(reproductions.len() >= 15, "the blocks are found: {}", reproductions.len());
    for (code, case) in reproductions {
        assert_eq!(failure(&case).kind.code(), code, "{}", case.bytes.escape_ascii());
    }
}

/// How all cases and reproductions fail.
fn failures() -> Vec<(Role, Failed)> {
    let reproductions = reproductions().into_iter().map(|(_, case)| case);
    let outcomes = all().into_iter().chain(reproductions).map(|case| (case.role, whole(&case).0));
    outcomes
        .filter_map(|(role, outcome)| match outcome {
            Outcome::Failed(failed) => Some((role, *failed)),
            _ => None,
        })
        .collect()
}

fn owned(words: &[&str]) -> BTreeSet<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

#[test]
fn every_entry_has_the_roles_severities_and_answers_of_the_code() {
    let failures = failures();
    for entry in entries() {
        for role in [Role::Server, Role::Client] {
            let code = entry.code;
            let seen = |of: fn(&Failed) -> String| -> BTreeSet<String> {
                let failed = failures.iter().filter(|(at, failed)| *at == role && failed.kind.code() == code);
                failed.map(|(_, failed)| of(failed)).collect()
            };
            let severities = seen(|failed| failed.severity.to_string());
            let claims: Vec<_> = entry.claims.iter().filter(|claim| claim.role == role).collect();
            let &[claim] = &claims[..] else {
                assert!(
                    claims.is_empty() && severities.is_empty(),
                    "{code}: {role}: {claims:?}, {severities:?}"
                );
                continue;
            };
            assert_eq!(owned(&claim.severities), severities, "{code}: {role}");
            let answers = seen(|failed| match (&failed.reply, failed.status) {
                (Some(_), Some(status)) => status.to_string(),
                _ => "none".to_owned(),
            });
            match role {
                Role::Client => assert!(claim.answers.is_empty(), "{code}: a client answers nothing"),
                // The application's, whatever it is.
                Role::Server if code == "rejected" => {
                    assert_eq!(claim.answers, ["its own"]);
                    assert!(answers.len() > 1 && !answers.contains("none"), "{answers:?}");
                }
                Role::Server => assert_eq!(owned(&claim.answers), answers, "{code}: {role}"),
            }
        }
    }
}

#[test]
fn the_old_complaint_is_split_as_the_first_table_says() {
    for row in table("what happened") {
        let [_, role, bytes, then, code, severity, line] = row[..] else { panic!("seven columns: {row:?}") };
        let end = match then {
            "closes" => End::Eof,
            "waits" => End::Timeout,
            _ => panic!("{then:?}"),
        };
        let case = shown(parse_role(role), bytes, end);
        let (outcome, error) = whole(&case);
        let Outcome::Failed(failed) = outcome else { panic!("{row:?}") };
        assert_eq!((failed.kind.code(), failed.severity.code()), (linked(code), severity), "{row:?}");
        // The harness lets one second pass before the end of the stream; in a log it is next to nothing.
        let said = error.expect("it failed").to_string().replace(", 1 s", ", 0 ms");
        assert_eq!(said, line);
        assert_eq!(says(case.role, &case.bytes, false), None, "tungstenite waits: {row:?}");
        assert_eq!(says(case.role, &case.bytes, true).as_deref(), Some(COMPLAINT), "{row:?}");
    }
    assert!(blocks(PAGE).iter().any(|block| block.text == COMPLAINT), "the page begins with it");
}

#[test]
fn the_lines_that_are_taken_for_it_are_others() {
    for row in table("tungstenite's line") {
        let [line, role, bytes, code, peer] = row[..] else { panic!("five columns: {row:?}") };
        let case = shown(parse_role(role), bytes, End::Eof);
        assert_eq!(says(case.role, &case.bytes, true).as_deref(), Some(line));
        let failed = failure(&case);
        assert_eq!((failed.kind.code(), failed.peer.code()), (linked(code), peer), "{row:?}");
    }
}

#[test]
fn every_severity_is_in_its_table() {
    let severities: Vec<&str> = table("severity").iter().map(|row| row[0]).collect();
    assert_eq!(severities, Severity::ALL.map(Severity::code));
}

#[test]
fn every_peer_is_in_its_table_and_its_bytes_show_it_to_those_who_meet_it() {
    let failures = failures();
    let rows = table("looks_like");
    let peers: Vec<&str> = rows.iter().map(|row| row[0]).collect();
    assert_eq!(peers, Peer::CODES);
    for row in rows {
        let [peer, met_by, _, bytes] = row[..] else { panic!("four columns: {row:?}") };
        let mut roles: Vec<Role> = met_by.split(", ").map(parse_role).collect();
        assert_eq!(failure(&shown(roles[0], bytes, End::Eof)).peer.code(), peer, "{row:?}");
        let met_by = |role| failures.iter().any(|(at, failed)| *at == role && failed.peer.code() == peer);
        let mut met = [Role::Server, Role::Client].to_vec();
        met.retain(|&role| met_by(role));
        roles.sort_by_key(|&role| role == Role::Client);
        assert_eq!(roles, met, "{peer}");
    }
}

#[test]
fn the_report_on_the_page_is_a_real_one() {
    let bytes = r"b'GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgr'";
    let (_, error) = whole(&shown(Role::Server, bytes, End::Eof));
    let report = error.expect("it failed").report().replace("and 1 s", "and 0 ms");
    let shown = blocks(section("How to read a diagnosis", "What to watch"));
    assert!(shown.iter().any(|block| block.text == report.trim_end()), "not on the page:\n{report}");
}

#[test]
fn every_link_within_the_page_leads_somewhere() {
    let anchors: BTreeSet<String> = PAGE
        .lines()
        .filter(|line| line.starts_with("##"))
        .map(|line| {
            let kept = line.trim_start_matches('#').trim().chars();
            let kept = kept.filter(|character| character.is_alphanumeric() || " -_".contains(*character));
            kept.collect::<String>().to_lowercase().replace(' ', "-")
        })
        .collect();
    let links: Vec<&str> =
        PAGE.split("](#").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0)).collect();
    assert!(links.len() > 40, "the links are found: {}", links.len());
    for link in links {
        assert!(anchors.contains(link), "no heading for #{link}");
    }
}
