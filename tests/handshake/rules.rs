//! Every rule of sections 4.1 and 4.2.1, from the tables in `data`.

use sansocket::{BadTarget, ClientConfig, HandshakeErrorKind, ServerConfig};

use crate::support::{Outcome, connect, refusal, requests, responses, serve};

#[test]
fn server_judges_every_request_of_the_table() {
    let cases = requests();
    assert_eq!(cases.len(), 99, "the file was read");
    for case in cases {
        let outcome = serve(&ServerConfig::default(), &[&case.head]);
        let status = match &outcome {
            Outcome::Failed(failed) => match &failed.reply {
                Some(reply) => format!(" {}", String::from_utf8_lossy(&reply[9..12])),
                None => " -".to_owned(),
            },
            _ => String::new(),
        };
        assert_eq!(outcome.summary() + &status, case.expected, "{}", case.name);
    }
}

#[test]
fn client_judges_every_response_of_the_table() {
    let cases = responses();
    assert_eq!(cases.len(), 42, "the file was read");
    for case in cases {
        let outcome = connect(&ClientConfig::default(), &[&case.head]);
        assert_eq!(outcome.summary(), case.expected, "{}", case.name);
    }
}

#[test]
fn a_bad_target_is_refused_for_its_own_reason() {
    let cases = [
        ("*", BadTarget::Asterisk),
        ("chat", BadTarget::NotAPath),
        ("?x=http://a/", BadTarget::NotAPath),
        ("a:80", BadTarget::NotAPath),
        ("://a/", BadTarget::NotAPath),
        ("1http://a/", BadTarget::NotAPath),
        ("ftp://a/", BadTarget::Scheme),
        ("http://", BadTarget::Authority),
        ("http://a@b/", BadTarget::Authority),
        ("http://a:0/", BadTarget::Authority),
        ("/#", BadTarget::Fragment),
        ("http://a/b#c", BadTarget::Fragment),
        ("/%", BadTarget::PercentEscape),
        ("http://a?%0", BadTarget::PercentEscape),
        ("/\u{fc}", BadTarget::Character),
        ("http://a/\u{fc}", BadTarget::Character),
    ];
    for (target, expected) in cases {
        let error = refusal(format!("GET {target} HTTP/1.1\r\n\r\n").as_bytes());
        let HandshakeErrorKind::BadTarget { what, seen } = error.kind() else { panic!("{target}: {error}") };
        // Credentials are not kept.
        let kept = target.replace("a@b", "...@b");
        assert_eq!((*what, seen.as_bytes()), (expected, kept.as_bytes()));
    }
}
