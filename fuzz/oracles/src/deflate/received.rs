//! A peer that may send anything, to one end.

use bytes::BytesMut;
use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, compress_to_output, create_comp_flags_from_zip_params,
};
use sansocket::{
    ClientConfig, Connection, Entropy, Failure, Instant, LimitExceeded, Limits, Role, ServerConfig, Violation,
};

use super::{agreement, reference};
use crate::memory;
use crate::script::{Endpoint, Script};
use crate::support::drive::Drive;
use crate::support::seen::{Seen, joined};
use crate::support::wire::{self, Frame};

/// The script: an agreement; a byte for the limits; a byte for the length of the pieces in the third way to read it; then frames,
/// each with its first byte, a letter and operands:
///
/// | letter | payload data |
/// |---|---|
/// | `r` n, bytes | n bytes as they are |
/// | `c` n, bytes | what n bytes are compressed to by another library |
/// | `f` n, bytes | the same, with a final block and the byte behind it |
/// | `z` n | what 16 n² zeros are compressed to |
///
/// The byte for the limits is 255 for one that lets the ratio limit apply.
pub(super) fn run(endpoint: Endpoint, mut script: Script<'_>) {
    let setup = Setup::choose(endpoint, &mut script);
    let piece = 1 + script.number();
    let (frames, by_hand) = frames(&mut script);
    let stream: Vec<u8> = frames
        .iter()
        .flat_map(|frame| wire::from(endpoint.role.peer(), frame.first, &frame.payload))
        .collect();

    let mut first: Option<(Vec<Seen>, Vec<u8>)> = None;
    for way in [Way::Pieces(usize::MAX), Way::Pieces(1), Way::Pieces(piece), Way::EventByEvent] {
        let ((seen, sent), held) = memory::peak(|| {
            let mut connection = setup.open();
            let seen = joined(&way.read(&mut connection, &stream));
            (seen, connection.sent())
        });
        // The events hold a copy of what arrived, the frames as bytes another.
        let delivered: usize = seen.iter().map(len).sum();
        let most = 128 * 1024 + 4 * setup.limits.message + 4 * delivered + 4 * stream.len();
        assert!(held <= most, "{held} bytes held for a stream of {}, delivered {delivered}", stream.len());
        match &first {
            None => first = Some((seen, sent)),
            Some(first) => {
                assert_eq!((&seen, &sent), (&first.0, &first.1), "left: {way:?}, right: in one piece")
            }
        }
    }
    let seen = blurred(first.unwrap_or_default().0);
    if setup.limits.message < RATIO_FREE {
        let expected = reference::receive(&setup.limits, setup.keeps_window, &frames);
        assert!(
            seen == expected || (by_hand && reference::tolerates(&seen, &expected)),
            "seen {seen:?}, expected {expected:?}"
        );
    }
}

/// How the end that receives was set up.
struct Setup {
    endpoint: Endpoint,
    limits: Limits,
    config: sansocket::DeflateConfig,
    params: sansocket::DeflateParams,
    keeps_window: bool,
}

impl Setup {
    fn choose(endpoint: Endpoint, script: &mut Script<'_>) -> Self {
        let (config, params) = agreement(script);
        let mut limits = Limits::default();
        limits.message = match script.number() {
            255 => 3 * RATIO_FREE,
            other => [300, 3_000, 40_000][other % 3],
        };
        limits.frame = limits.message / 3 * 2;
        limits.fragments = 5;
        // Each Ping gets its own answer.
        limits.write_control = usize::MAX;
        let keeps_window = match endpoint.role {
            Role::Server => !params.client_no_context_takeover,
            Role::Client => !params.server_no_context_takeover,
        };
        Self { endpoint, limits, config, params, keeps_window }
    }

    fn open(&self) -> Connection {
        let mut connection = match self.endpoint.role {
            Role::Server => {
                let mut config = ServerConfig::default();
                config.limits = self.limits;
                Connection::server(&config, Instant::ZERO)
            }
            Role::Client => {
                let mut config = ClientConfig::default();
                config.limits = self.limits;
                Connection::client(&config, Entropy::from_seed([7; 32]), Instant::ZERO)
            }
        };
        connection = connection.with_deflate(&self.config, self.params);
        connection.set_delivery(self.endpoint.delivery);
        connection
    }
}

/// The frames, and whether there may be data among them that no compressor makes.
fn frames(script: &mut Script<'_>) -> (Vec<Frame>, bool) {
    let (mut frames, mut by_hand) = (Vec::new(), false);
    // It is large, and cleared each time.
    let mut compressor = CompressorOxide::new(create_comp_flags_from_zip_params(6, -15, 0));
    while let Some(first) = script.next() {
        let kind = script.next().unwrap_or_default();
        let len = script.number();
        let payload = match kind {
            b'r' => script.take(len).to_vec(),
            b'c' => compressed(&mut compressor, script.take(len), TDEFLFlush::Sync),
            b'f' => compressed(&mut compressor, script.take(len), TDEFLFlush::Finish),
            b'z' => compressed(&mut compressor, &vec![0; 16 * len * len], TDEFLFlush::Sync),
            _ => continue,
        };
        let is_whole_message = first & 0x80 != 0 && first & 0x0F != 0;
        let is_control = first & 0x08 != 0;
        by_hand |= !is_control && (kind == b'r' || !is_whole_message);
        frames.push(Frame { first, key: None, payload });
    }
    (frames, by_hand)
}

/// The payload data of a compressed message, as RFC 7692 section 7.2.1 or, for `Finish`, 7.2.3.4 has it.
fn compressed(compressor: &mut CompressorOxide, data: &[u8], flush: TDEFLFlush) -> Vec<u8> {
    let mut output = Vec::new();
    compressor.reset();
    compress_to_output(compressor, data, flush, |piece| {
        output.extend_from_slice(piece);
        true
    });
    match flush {
        TDEFLFlush::Finish => output.push(0),
        _ => output.truncate(output.len() - 4),
    }
    output
}

/// How the stream is read.
#[derive(Debug)]
enum Way {
    /// In pieces of that many bytes.
    Pieces(usize),
    /// In one piece, but the application stops after each event.
    EventByEvent,
}

impl Way {
    fn read(&self, connection: &mut Connection, stream: &[u8]) -> Vec<Seen> {
        match self {
            Self::Pieces(len) => stream.chunks(*len).flat_map(|piece| connection.receive(piece)).collect(),
            Self::EventByEvent => {
                let mut input = BytesMut::from(stream);
                let mut seen = Vec::new();
                while let Some(event) = connection.read(&mut input).next() {
                    seen.push(event.into());
                }
                assert!(input.is_empty(), "without an event, all input is consumed");
                seen
            }
        }
    }
}

fn len(seen: &Seen) -> usize {
    match seen {
        Seen::Text(text) => text.len(),
        Seen::Binary(data) => data.len(),
        _ => 0,
    }
}

/// Without how far the inflater had come when it found a fault, which the reference does not know.
fn blurred(mut seen: Vec<Seen>) -> Vec<Seen> {
    match seen.last_mut() {
        Some(Seen::Failed(Failure::Violation(Violation::InvalidDeflate { at }))) => *at = 0,
        Some(Seen::Failed(Failure::Limit(LimitExceeded::InflatedMessage { compressed, .. }))) => {
            *compressed = 0;
        }
        _ => {}
    }
    seen
}

/// The ratio limit applies from here on, and the reference does not know it.
const RATIO_FREE: usize = 1024 * 1024;
