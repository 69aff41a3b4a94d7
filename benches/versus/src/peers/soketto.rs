//! soketto, which leaves it to its user to find out whether text is text.

use ::soketto::connection::{Builder, Mode};
use ::soketto::handshake::Server as Handshake;
use ::soketto::handshake::server::Response;
use ::soketto::{BoxedError, Data, Incoming};
use futures_util::io::{BufReader, BufWriter};
use tokio::net::TcpStream;
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::{Handshaking, Peer};
#[cfg(feature = "c-zlib")]
use crate::deflate::Deflating;
use crate::echo::{Server, serve};
use crate::pipe::{Pipe, now};
use crate::rounds::Run;
use crate::work::{Decoding, Encoding, Role};

pub(crate) struct Soketto;

impl Peer for Soketto {
    fn name(&self) -> &'static str {
        "soketto"
    }

    fn configuration(&self) -> &'static str {
        "one buffer for all messages; text validated with simdutf8 by the application; one flush at the end of a burst"
    }

    /// Each message on its own: it knows no context takeover.
    #[cfg(feature = "c-zlib")]
    fn inflate(&self, work: &Deflating) -> Option<Run> {
        let (sender, mut receiver) = compressing(work, Pipe::endless(work.wire.clone()))?.finish();
        let mut message = Vec::new();
        let work = work.clone();
        Some(Box::new(move || {
            let _ = &sender;
            now(async {
                for index in 0..work.messages.len() {
                    message.clear();
                    receiver.receive_data(&mut message).await.expect("the frames are valid");
                    simdutf8::basic::from_utf8(&message).expect("the text is UTF-8");
                    work.see(index, &message);
                }
            });
        }))
    }

    #[cfg(feature = "c-zlib")]
    fn deflate(&self, work: &Deflating) -> Option<Run> {
        let (mut sender, receiver) = compressing(work, Pipe::sink(work.capture))?.finish();
        let work = work.clone();
        Some(Box::new(move || {
            let _ = &receiver;
            now(async {
                for message in &*work.messages {
                    sender.send_text(message).await.expect("the transport takes everything");
                }
                sender.flush().await.expect("the transport takes everything");
            });
        }))
    }

    fn servers(&self) -> Vec<Server> {
        vec![Server { name: "soketto", run: |listener| serve(listener, echo) }]
    }

    fn decode(&self, work: &Decoding) -> Option<Run> {
        let (sender, mut receiver) = Builder::new(Pipe::endless(work.wire.clone()), mode(work.role)).finish();
        let mut message = Vec::new();
        let (messages, kind, expected) = (work.messages, work.kind, work.expected.clone());
        Some(Box::new(move || {
            // The halves end together.
            let _ = &sender;
            now(async {
                for _ in 0..messages {
                    message.clear();
                    receiver.receive_data(&mut message).await.expect("the frames are valid");
                    expected.see_unvalidated(kind, &message);
                }
            });
        }))
    }

    fn encode(&self, work: &Encoding) -> Option<Run> {
        let (mut sender, receiver) = Builder::new(Pipe::sink(work.capture), mode(work.role)).finish();
        let work = work.clone();
        Some(Box::new(move || {
            let _ = &receiver;
            now(async {
                for _ in 0..work.messages {
                    if work.kind.is_text() {
                        sender.send_text(&*work.text).await.expect("the transport takes everything");
                    } else {
                        sender.send_binary(&work.payload).await.expect("the transport takes everything");
                    }
                }
                sender.flush().await.expect("the transport takes everything");
            });
        }))
    }

    fn handshake(&self, work: &Handshaking) -> Option<Run> {
        let work = work.clone();
        Some(Box::new(move || {
            now(async {
                let mut server = Handshake::new(work.pipe());
                let key = server.receive_request().await.expect("the request is valid").key();
                let response = Response::Accept { key, protocol: None };
                server.send_response(&response).await.expect("the transport takes everything");
                drop(server.into_builder().finish());
            });
        }))
    }
}

fn mode(role: Role) -> Mode {
    match role {
        Role::Server => Mode::Server,
        Role::Client => Mode::Client,
    }
}

/// As its documentation does it, with its buffered transport.
async fn echo(stream: TcpStream) -> Result<(), BoxedError> {
    let mut server = Handshake::new(BufReader::new(BufWriter::new(stream.compat())));
    let key = server.receive_request().await?.key();
    server.send_response(&Response::Accept { key, protocol: None }).await?;
    let (mut sender, mut receiver) = server.into_builder().finish();
    let mut message = Vec::new();
    loop {
        message.clear();
        match receiver.receive(&mut message).await? {
            Incoming::Data(Data::Binary(_)) => sender.send_binary_mut(&mut message).await?,
            Incoming::Data(Data::Text(_)) => sender.send_text(simdutf8::basic::from_utf8(&message)?).await?,
            Incoming::Pong(_) => continue,
            Incoming::Closed(_) => return Ok(()),
        }
        sender.flush().await?;
    }
}

#[cfg(feature = "c-zlib")]
fn compressing(work: &Deflating, pipe: Pipe) -> Option<Builder<Pipe>> {
    use ::soketto::extension::{Extension, deflate::Deflate};
    if work.takeover {
        return None;
    }
    let mut deflate = Deflate::new(::soketto::Mode::Server);
    deflate.configure(&[]).expect("an offer without parameters");
    let mut builder = Builder::new(pipe, Mode::Server);
    builder.add_extensions([Box::new(deflate) as Box<dyn Extension + Send>]);
    Some(builder)
}
