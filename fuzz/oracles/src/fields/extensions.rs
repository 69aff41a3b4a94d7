//! `Sec-WebSocket-Extensions`: its grammar (RFC 6455 section 9.1), and what two ends agree on (RFC 7692 sections 5 and 7.1).

use sansocket::{
    Accept, ClientConfig, DeflateConfig, DeflateParams, ExtensionFault, HandshakeErrorKind as Kind, Instant,
    ServerConfig,
};

use super::{Head, is_space, joined};
use crate::handshake::grammar::is_token;

/// A server reads what a client offers. The configuration: bits 0 and 1 are `no_context_takeover` of server and client, bit 2 no
/// fallback, bit 3 no compression; then window bits of server and client, less 8.
pub(super) fn offered(configuration: [usize; 3], lines: &[&[u8]]) {
    let mut config = ServerConfig::default();
    config.deflate = deflate(configuration);
    let deflate = config.deflate.clone();
    let pending = match (Head::request().with(NAME, lines).ask(&mut config), read(&joined(lines))) {
        (Err(error), offers) => {
            let is_grammar = matches!(error.kind(), Kind::BadExtension { what: ExtensionFault::Grammar, .. });
            return assert!(is_grammar && offers.is_none(), "{error}, and read was {offers:?}");
        }
        (Ok(_), None) => panic!("it breaks the grammar, and was let through"),
        (Ok(pending), Some(offers)) => (pending, offers),
    };
    let (pending, offers) = pending;
    let (reply, connection) =
        pending.accept_apart(Accept::new(), Instant::ZERO).expect("no subprotocol was chosen");
    let answer = value_in(&reply);
    let offer = offers.iter().filter(|offer| offer.name == DEFLATE).find_map(|offer| Stated::of(offer).ok());
    let (Some(offer), Some(config)) = (offer, deflate) else {
        return assert_eq!((connection.deflate(), answer), (None, None));
    };
    let params = connection.deflate().expect("an offer is in order, and the server compresses");
    let expected = DeflateParams {
        server_no_context_takeover: offer.server_no_context_takeover || config.server_no_context_takeover,
        client_no_context_takeover: offer.client_no_context_takeover || config.client_no_context_takeover,
        server_max_window_bits: config.server_max_window_bits.min(offer.server_max_window_bits.unwrap_or(15)),
        client_max_window_bits: match offer.client_max_window_bits {
            Some(bits) => config.client_max_window_bits.min(bits.unwrap_or(15)),
            None => 15,
        },
    };
    assert_eq!(params, expected, "left: the library's");
    let answer = read(&answer.expect("an offer was accepted")).expect("the reply follows the grammar");
    let [answer] = &answer[..] else { panic!("one offer was accepted: {answer:?}") };
    assert_eq!(answer.name, DEFLATE);
    let answer = Stated::of(answer).expect("the reply is in order");
    assert!(permits(&offer, &answer), "{offer:?} does not permit {answer:?}");
    // Some clients fail where a server only says what it would do anyway.
    assert!(offer.server_max_window_bits.is_some() || answer.server_max_window_bits.is_none(), "{answer:?}");
    // What the reply says is what the server does, or less.
    assert!(params.server_max_window_bits <= answer.server_max_window_bits.unwrap_or(15));
    assert_eq!(params.client_max_window_bits, answer.client_max_window_bits.flatten().unwrap_or(15));
    assert_eq!(params.server_no_context_takeover, answer.server_no_context_takeover);
    assert_eq!(params.client_no_context_takeover, answer.client_no_context_takeover);
}

/// A client reads what a server answers to its offers.
pub(super) fn answered(configuration: [usize; 3], lines: &[&[u8]]) {
    let mut config = ClientConfig::default();
    config.deflate = deflate(configuration);
    let (request, result) = Head::response().with(NAME, lines).answer(&mut config);
    let offers =
        value_in(&request).map_or(Vec::new(), |offers| read(&offers).expect("the offers follow the grammar"));
    let offers: Vec<Stated> =
        offers.iter().map(|offer| Stated::of(offer).expect("an offer is in order")).collect();
    assert_eq!(offers.is_empty(), config.deflate.is_none());
    let elements = read(&joined(lines));
    let answer = match elements.as_deref() {
        Some([]) => {
            let (connection, _) = result.expect("the server declines, and may");
            return assert_eq!(connection.deflate(), None);
        }
        Some([answer]) if answer.name == DEFLATE => Stated::of(answer).ok(),
        _ => None,
    };
    let is_permitted = |answer: &Stated| {
        answer.client_max_window_bits != Some(None) && offers.iter().any(|offer| permits(offer, answer))
    };
    let (answer, config) = match (&result, answer.filter(is_permitted), &config.deflate) {
        (Ok(_), Some(answer), Some(config)) => (answer, config),
        (Err(error), None, _) => {
            let is_grammar = match error.kind() {
                Kind::BadExtension { what, .. } => *what == ExtensionFault::Grammar,
                Kind::UnsolicitedExtension { seen } => {
                    let others = elements.iter().flatten().map(|element| element.name.as_bytes());
                    let mut others =
                        others.filter(|name| config.deflate.is_none() || *name != DEFLATE.as_bytes());
                    assert!(others.any(|name| name.starts_with(seen.as_bytes())), "{error}");
                    false
                }
                _ => panic!("{error}"),
            };
            return assert_eq!(is_grammar, elements.is_none(), "{error}");
        }
        (result, answer, _) => {
            panic!("the library: {:?}, an answer that is permitted: {answer:?}", result.as_ref().err())
        }
    };
    let (connection, response) = result.expect("it was just looked at");
    let expected = DeflateParams {
        server_no_context_takeover: answer.server_no_context_takeover,
        client_no_context_takeover: answer.client_no_context_takeover || config.client_no_context_takeover,
        server_max_window_bits: answer.server_max_window_bits.unwrap_or(15),
        client_max_window_bits: config
            .client_max_window_bits
            .min(answer.client_max_window_bits.flatten().unwrap_or(15)),
    };
    assert_eq!(
        (connection.deflate(), response.deflate()),
        (Some(expected), Some(expected)),
        "left: the library's"
    );
}

fn deflate([flags, server, client]: [usize; 3]) -> Option<DeflateConfig> {
    let mut config = DeflateConfig::default();
    config.server_no_context_takeover = flags & 1 != 0;
    config.client_no_context_takeover = flags & 2 != 0;
    config.fallback = flags & 4 == 0;
    (config.server_max_window_bits, config.client_max_window_bits) =
        (8 + server as u8 % 8, 8 + client as u8 % 8);
    (flags & 8 == 0).then_some(config)
}

/// The value of the one field line with extensions in a head of the library's.
fn value_in(head: &[u8]) -> Option<Vec<u8>> {
    let head = std::str::from_utf8(head).expect("ASCII");
    let mut values = head.split("\r\n").filter_map(|line| line.strip_prefix("Sec-WebSocket-Extensions: "));
    let value = values.next().map(|value| value.as_bytes().to_vec());
    assert_eq!(values.next(), None, "one line is enough");
    value
}

/// An element of the list, with its parameters.
#[derive(Debug)]
struct Element {
    name: String,
    parameters: Vec<(String, Option<String>)>,
}

/// The elements; `None` if the grammar is broken. Whitespace may be around every separator.
fn read(value: &[u8]) -> Option<Vec<Element>> {
    let mut elements = Vec::new();
    for element in unquoted_split(value, b',') {
        if element.iter().all(is_space) {
            continue;
        }
        let mut parts = unquoted_split(&element, b';').into_iter();
        let name = token(&parts.next()?)?;
        let parameters = parts.map(|part| {
            let sides = unquoted_split(&part, b'=');
            match &sides[..] {
                [name] => Some((token(name)?, None)),
                [name, value] => Some((token(name)?, Some(token_or_quoted(value)?))),
                _ => None,
            }
        });
        elements.push(Element { name, parameters: parameters.collect::<Option<_>>()? });
    }
    Some(elements)
}

/// What is between separators that are not inside of a quoted-string (RFC 9110 section 5.6.4).
fn unquoted_split(text: &[u8], separator: u8) -> Vec<Vec<u8>> {
    let mut parts = vec![Vec::new()];
    let (mut quoted, mut escaped) = (false, false);
    for byte in text {
        if *byte == separator && !quoted {
            parts.push(Vec::new());
            continue;
        }
        quoted ^= *byte == b'"' && !escaped;
        escaped = quoted && *byte == b'\\' && !escaped;
        parts.last_mut().expect("never empty").push(*byte);
    }
    parts
}

fn token(text: &[u8]) -> Option<String> {
    let text = String::from_utf8(text.to_vec()).ok()?;
    let text = text.trim_matches([' ', '\t']);
    is_token(text.as_bytes()).then(|| text.to_owned())
}

/// In quotes it must be a token as well, when quoted-pairs are resolved.
fn token_or_quoted(text: &[u8]) -> Option<String> {
    let text = String::from_utf8(text.to_vec()).ok()?;
    let text = text.trim_matches([' ', '\t']);
    let Some(quoted) = text.strip_prefix('"') else { return token(text.as_bytes()) };
    let mut value = String::new();
    let mut characters = quoted.chars();
    loop {
        match characters.next()? {
            '"' => return if characters.next().is_none() { token_as_it_is(value) } else { None },
            '\\' => value.push(characters.next()?),
            character => value.push(character),
        }
    }
}

fn token_as_it_is(text: String) -> Option<String> {
    is_token(text.as_bytes()).then_some(text)
}

/// The parameters of permessage-deflate as an offer or an answer has them.
#[derive(Debug, Default)]
struct Stated {
    server_no_context_takeover: bool,
    client_no_context_takeover: bool,
    server_max_window_bits: Option<u8>,
    client_max_window_bits: Option<Option<u8>>,
}

impl Stated {
    /// `Err` if there is one that is not known, or twice, or has a value that it must not have (section 7.1).
    fn of(element: &Element) -> Result<Self, ()> {
        let mut stated = Self::default();
        for (at, (name, value)) in element.parameters.iter().enumerate() {
            if element.parameters[..at].iter().any(|(other, _)| other == name) {
                return Err(());
            }
            let bits =
                value.as_deref().map(|value| (8..=15).find(|bits| format!("{bits}") == value).ok_or(()));
            match (name.as_str(), bits) {
                ("server_no_context_takeover", None) => stated.server_no_context_takeover = true,
                ("client_no_context_takeover", None) => stated.client_no_context_takeover = true,
                ("server_max_window_bits", Some(bits)) => stated.server_max_window_bits = Some(bits?),
                ("client_max_window_bits", bits) => stated.client_max_window_bits = Some(bits.transpose()?),
                _ => return Err(()),
            }
        }
        Ok(stated)
    }
}

/// Whether a server may give this answer to this offer (sections 7.1.1 and 7.1.2). An answer may ask for more than the offer where
/// the client can do it in any case.
fn permits(offer: &Stated, answer: &Stated) -> bool {
    let takeover = answer.server_no_context_takeover || !offer.server_no_context_takeover;
    let server_bits = match (offer.server_max_window_bits, answer.server_max_window_bits) {
        (Some(offered), Some(answered)) => answered <= offered,
        (Some(_), None) => false,
        (None, _) => true,
    };
    let client_bits = match (offer.client_max_window_bits, answer.client_max_window_bits) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(offered), Some(answered)) => answered.unwrap_or(15) <= offered.unwrap_or(15),
    };
    takeover && server_bits && client_bits
}

const NAME: &str = "Sec-WebSocket-Extensions";
const DEFLATE: &str = "permessage-deflate";
