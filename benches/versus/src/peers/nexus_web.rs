//! nexus-web: its sans-IO reader and writer, and its blocking handshake. Its async adapters are another crate.

use ::nexus_web::ws::{Client, FrameReader, FrameWriter, Message, Role as TheirRole};

use super::{Handshaking, Peer};
use crate::pipe::Pipe;
use crate::rounds::Run;
use crate::work::{Decoding, Encoding, Role};

pub(crate) struct NexusWeb;

impl Peer for NexusWeb {
    fn name(&self) -> &'static str {
        "nexus-web"
    }

    fn configuration(&self) -> &'static str {
        "FrameReader with its default buffer of 1 MiB; FrameWriter into one buffer for the burst"
    }

    fn decode(&self, work: &Decoding) -> Option<Run> {
        let mut reader = FrameReader::builder().role(role(work.role)).build();
        let mut pipe = Pipe::endless(work.wire.clone());
        let (messages, expected) = (work.messages, work.expected.clone());
        Some(Box::new(move || {
            let mut seen = 0;
            while seen < messages {
                if reader.should_compact() {
                    reader.compact();
                }
                reader.read_from(&mut pipe).expect("the buffer has room");
                while let Some(message) = reader.next().expect("the frames are valid") {
                    match message {
                        Message::Text(text) => expected.see(text.as_bytes()),
                        Message::Binary(bytes) => expected.see(bytes),
                        other => panic!("not a message: {other:?}"),
                    }
                    seen += 1;
                }
            }
            assert_eq!(seen, messages);
        }))
    }

    fn encode(&self, work: &Encoding) -> Option<Run> {
        let mut writer = FrameWriter::new(role(work.role));
        let mut pipe = Pipe::sink(work.capture);
        let work = work.clone();
        let mut output = vec![0; work.messages * writer.max_encoded_len(work.payload.len())];
        Some(Box::new(move || {
            let mut len = 0;
            for _ in 0..work.messages {
                len += if work.kind.is_text() {
                    writer.encode_text(&work.payload, &mut output[len..])
                } else {
                    writer.encode_binary(&work.payload, &mut output[len..])
                };
            }
            pipe.accept(&output[..len]);
        }))
    }

    fn handshake(&self, work: &Handshaking) -> Option<Run> {
        let work = work.clone();
        Some(Box::new(move || {
            // Its buffers are those of a connection, and as small as it lets them be without losing large messages.
            let builder = Client::builder().buffer_capacity(4096).write_buffer_capacity(4096);
            drop(builder.accept(work.pipe()).expect("the request is valid"));
        }))
    }
}

fn role(role: Role) -> TheirRole {
    match role {
        Role::Server => TheirRole::Server,
        Role::Client => TheirRole::Client,
    }
}
