//! ratchet: its extension for permessage-deflate on its own, without frames around it.

use bytes::BytesMut;
use http::{HeaderMap, HeaderValue, header};
use ratchet_deflate::{Compression, Deflate, DeflateConfig, DeflateExtProvider};
use ratchet_ext::{ExtensionDecoder, ExtensionEncoder, ExtensionProvider, FrameHeader, OpCode};

use super::Peer;
use crate::deflate::Deflating;
use crate::pipe::Pipe;
use crate::rounds::Run;
use crate::work::frame;

pub(crate) struct Ratchet;

impl Peer for Ratchet {
    fn name(&self) -> &'static str {
        "ratchet_deflate"
    }

    fn configuration(&self) -> &'static str {
        "the extension alone; text validated with simdutf8 by the application"
    }

    fn inflate(&self, work: &Deflating) -> Option<Run> {
        let mut deflate = extension(work);
        let mut payload = BytesMut::new();
        let work = work.clone();
        Some(Box::new(move || {
            for (index, compressed) in work.compressed.iter().enumerate() {
                payload.clear();
                payload.extend_from_slice(compressed);
                let mut header = header_of_text(true);
                ExtensionDecoder::decode(&mut deflate, &mut payload, &mut header).expect("the data is valid");
                simdutf8::basic::from_utf8(&payload).expect("the text is UTF-8");
                work.see(index, &payload);
            }
        }))
    }

    fn deflate(&self, work: &Deflating) -> Option<Run> {
        let mut deflate = extension(work);
        let mut pipe = Pipe::sink(work.capture);
        let (mut payload, mut framed) = (BytesMut::new(), Vec::new());
        let work = work.clone();
        Some(Box::new(move || {
            for message in &*work.messages {
                payload.clear();
                payload.extend_from_slice(message.as_bytes());
                let mut header = header_of_text(false);
                ExtensionEncoder::encode(&mut deflate, &mut payload, &mut header).expect("it is text");
                framed.clear();
                frame(&mut framed, 0xC1, &payload, None);
                pipe.accept(&framed);
            }
        }))
    }
}

fn header_of_text(rsv1: bool) -> FrameHeader {
    FrameHeader { opcode: OpCode::Text, fin: true, rsv1, rsv2: false, rsv3: false }
}

fn extension(work: &Deflating) -> Deflate {
    let config = DeflateConfig {
        request_server_no_context_takeover: !work.takeover,
        request_client_no_context_takeover: !work.takeover,
        accept_no_context_takeover: true,
        compression_level: Compression::new(work.level.into()),
        ..DeflateConfig::default()
    };
    let offer = if work.takeover {
        "permessage-deflate"
    } else {
        "permessage-deflate; server_no_context_takeover; client_no_context_takeover"
    };
    let headers = HeaderMap::from_iter([(header::SEC_WEBSOCKET_EXTENSIONS, HeaderValue::from_static(offer))]);
    let agreed =
        DeflateExtProvider::with_config(config).negotiate_server(&headers).expect("the offer is valid");
    agreed.expect("there is an offer").0
}
