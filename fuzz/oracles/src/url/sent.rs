//! The request to an address, as its server reads it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::BytesMut;
use sansocket::{
    ClientConfig, ClientHandshake, ClientRequest, Entropy, Instant, Limits, PendingRequest, ServerConfig,
    ServerHandshake, ServerStep, Url, UrlError,
};

/// Resource, host and credentials arrive.
pub(super) fn check(url: &Url) {
    let pending = ask(&ClientRequest::to(url.clone()));
    let request = pending.request();
    assert_eq!((request.target(), request.host()), (url.resource_name(), &*url.host_field()));
    let credentials = request.field("Authorization").map(|value| {
        let value = value.strip_prefix(b"Basic ").expect("the Basic scheme");
        STANDARD.decode(value).expect("base64")
    });
    assert_eq!(credentials.is_some(), url.has_credentials());
    if let Some(credentials) = credentials {
        let is_fine = !credentials.iter().any(u8::is_ascii_control) && credentials.contains(&b':');
        assert!(is_fine, "{}", credentials.escape_ascii());
    }
}

/// A host for the field of that name is one that a server takes, or refused; and never more than a host.
pub(super) fn with_host(text: &str) {
    let url: Url = "wss://example.com/chat".parse().expect("an address");
    let request = match ClientRequest::to(url).host(text) {
        Ok(request) => request,
        Err(UrlError::HostCharacter { at, character }) => {
            return assert_eq!(
                text.get(at..).and_then(|rest| rest.chars().next()),
                Some(character),
                "{text:?} at {at}"
            );
        }
        Err(UrlError::Whitespace { at }) => {
            return assert!(text.is_char_boundary(at) && at < text.len(), "{text:?} at {at}");
        }
        Err(error) => return assert!(!text.is_empty() || error == UrlError::EmptyHost, "{text:?}: {error}"),
    };
    let pending = ask(&request);
    let host: Url = format!("wss://{text}").parse().expect("it was accepted as a host");
    assert_eq!((pending.request().target(), pending.request().host()), ("/chat", &*host.host_field()));
    assert_eq!((host.resource_name(), host.has_credentials()), ("/", false));
}

/// A server that reads a request, which must be one of six fields or seven.
fn ask(request: &ClientRequest) -> PendingRequest {
    let entropy = Entropy::from_seed([7; 32]);
    let mut client = ClientHandshake::new(request, &ClientConfig::default(), entropy, Instant::ZERO);
    let mut config = ServerConfig::default();
    config.limits = Limits::default();
    (config.limits.head_bytes, config.limits.request_line) = (usize::MAX, usize::MAX);
    let mut server = ServerHandshake::new(&config, Instant::ZERO);
    let mut input = BytesMut::from(&client.transmit()[..]);
    match server.receive(&mut input, Instant::ZERO) {
        Ok(ServerStep::Request(pending)) => {
            assert!(input.is_empty(), "a request is one request");
            let names: Vec<&str> = pending.request().fields().map(|(name, _)| name).collect();
            let (expected, more) = names.split_at(5);
            assert_eq!(
                expected,
                ["Host", "Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"]
            );
            assert!(matches!(more, [] | ["Authorization"]), "{more:?}");
            pending
        }
        other => panic!("the server does not take the request: {other:?}"),
    }
}
