//! The two sides of a meeting: a server that echoes and a client that talks to it, on each platform.

use std::error::Error;
use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

use sansocket::{
    Accept, ClientConfig, ClientRequest, CloseCode, DialConfig, Message, Reject, Request, Role, ServerConfig,
    TlsParams,
};
use sansocket_driver::{MaybeTls, Tls};

use crate::certificates::Identity;
use crate::platform::{Platform, Socket, Stream, Thread, Way};
use crate::proxy::Proxy;
use crate::runtime::{AsyncStd, Smol, Tokio};
use crate::saw::Saw;

/// One side: its name, and what it does with `I`, which is a [`Door`] for servers and an address for clients.
pub(crate) struct Side<I> {
    pub(crate) name: &'static str,
    pub(crate) act: Arc<dyn Fn(I) -> Saw + Send + Sync>,
}

/// What does the same on each platform.
pub(crate) trait OnEach<I: 'static>: Clone + Send + Sync + 'static {
    /// What it does, and what it saw.
    async fn act<P: Platform>(&self, input: I) -> Saw;

    /// It, on each platform.
    fn sides(&self) -> Vec<Side<I>> {
        vec![self.side::<Tokio>(), self.side::<AsyncStd>(), self.side::<Smol>(), self.side::<Thread>()]
    }

    /// It, on the platform `P`.
    fn side<P: Platform>(&self) -> Side<I> {
        let this = self.clone();
        Side { name: P::NAME, act: Arc::new(move |input| P::run(this.act::<P>(input))) }
    }
}

/// Where a server waits for clients.
pub(crate) struct Door {
    listener: TcpListener,
    /// Who came only to say that nobody else will.
    last: Arc<Mutex<Option<SocketAddr>>>,
}

/// Closes a [`Door`].
pub(crate) struct Bolt {
    address: SocketAddr,
    last: Arc<Mutex<Option<SocketAddr>>>,
}

impl Door {
    /// A door on a free port, its address, and what closes it.
    pub(crate) fn new() -> io::Result<(Self, Bolt)> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let bolt = Bolt { address: listener.local_addr()?, last: Arc::default() };
        Ok((Self { listener, last: Arc::clone(&bolt.last) }, bolt))
    }

    /// The next client; `None` if there will be no other.
    pub(crate) fn next(&self) -> io::Result<Option<TcpStream>> {
        let (tcp, from) = self.listener.accept()?;
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        Ok((*last != Some(from)).then_some(tcp))
    }
}

impl Bolt {
    /// Where the door is.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Lets the server know that nobody comes any more; those who are there already come first.
    pub(crate) fn close(&self) {
        // Held until it is known who knocks: the server may have let it in by then.
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        *last = TcpStream::connect(self.address).and_then(|tcp| tcp.local_addr()).ok();
    }
}

/// A server that echoes what one client sends.
#[derive(Clone)]
pub(crate) struct OurServer {
    /// Limits and time limits.
    pub(crate) config: ServerConfig,
    /// Its certificate, if it speaks TLS.
    pub(crate) identity: Option<&'static Identity>,
    /// Answers a request, and notes what is remarkable about it.
    pub(crate) decide: fn(&Request, &mut Vec<String>) -> Result<Accept, Reject>,
}

/// A client that sends messages to an echo server, each after the echo of the one before, and closes.
#[derive(Clone)]
pub(crate) struct OurClient {
    /// Limits and time limits.
    pub(crate) config: ClientConfig,
    /// The time limits of the way to the server.
    pub(crate) dial: DialConfig,
    /// The scheme of the URL.
    pub(crate) scheme: &'static str,
    /// The host in the URL, if it is not the server's address: a name that a proxy resolves.
    pub(crate) host: Option<&'static str>,
    /// Whom to trust.
    pub(crate) tls: Option<Tls>,
    /// The way out.
    pub(crate) proxy: Option<Front>,
    /// Adds to the request what is special about it.
    pub(crate) request: fn(ClientRequest) -> Result<ClientRequest, Box<dyn Error>>,
    /// The messages.
    pub(crate) messages: fn() -> Vec<Message>,
}

/// A proxy in front of a server.
#[derive(Clone, Copy)]
pub(crate) struct Front {
    /// What its URL has before the address.
    pub(crate) url: &'static str,
    /// Starts it. It connects to this server, whatever it is asked for.
    pub(crate) start: fn(SocketAddr) -> Proxy,
}

impl OnEach<Door> for OurServer {
    async fn act<P: Platform>(&self, door: Door) -> Saw {
        match door.next() {
            Ok(Some(tcp)) => self.serve::<P>(tcp).await,
            Ok(None) => "nobody came".into(),
            Err(error) => error.into(),
        }
    }
}

impl OurServer {
    async fn serve<P: Platform>(&self, tcp: TcpStream) -> Saw {
        let mut notes = Vec::new();
        let stream = match begin::<P>(tcp, self.identity, &mut notes).await {
            Ok(stream) => stream,
            Err(saw) => return saw,
        };
        match P::accept(stream, &self.config, |request| (self.decide)(request, &mut notes)).await {
            Ok(mut socket) => {
                let echoed = echo(&mut socket).await;
                Saw::of_connection(notes, socket.closed(), Role::Server, echoed.err())
            }
            Err(error) => error.into(),
        }
    }
}

/// The stream of a client that has come, inside of TLS if there is a certificate; what was agreed on is noted.
async fn begin<P: Platform>(
    tcp: TcpStream,
    identity: Option<&Identity>,
    notes: &mut Vec<String>,
) -> Result<Stream<P>, Saw> {
    let stream = P::stream(tcp)?;
    let Some(identity) = identity else { return Ok(MaybeTls::plain(stream)) };
    let stream = P::secure(stream, identity).await?;
    notes.extend(stream.tls().map(|tls| facts_of_tls(&tls.params())));
    Ok(stream)
}

/// The cipher suite depends on the processor.
fn facts_of_tls(TlsParams { version, alpn, .. }: &TlsParams) -> String {
    format!("{version}, ALPN {}", alpn.escape_ascii())
}

impl OnEach<SocketAddr> for OurClient {
    async fn act<P: Platform>(&self, server: SocketAddr) -> Saw {
        self.visit::<P>(server).await.unwrap_or_else(|error| error.to_string().into())
    }
}

impl OurClient {
    /// The errors are those of the case itself; what the connection had is seen.
    async fn visit<P: Platform>(&self, server: SocketAddr) -> Result<Saw, Box<dyn Error>> {
        let host = self.host.map_or_else(|| server.to_string(), Into::into);
        let request = (self.request)(ClientRequest::new(&format!("{}://{host}/chat", self.scheme))?)?;
        let mut way = Way { client: self.config.clone(), dial: self.dial.clone(), tls: Tls::default() };
        if let Some(tls) = &self.tls {
            way.tls = tls.clone();
        }
        let mut asked = None;
        if let Some(front) = self.proxy {
            let proxy = (front.start)(server);
            way.dial.proxy = format!("{}{}", front.url, proxy.address).parse::<sansocket::Proxy>()?.into();
            asked = Some(proxy.targets);
        }
        let connected = P::connect(&request, &way).await;
        let mut notes = Vec::new();
        if let Some(asked) = asked {
            let asked = asked.lock().unwrap_or_else(PoisonError::into_inner);
            notes.extend(asked.iter().map(|target| format!("the proxy was asked for {target}")));
        }
        let mut socket = match connected {
            Ok(socket) => socket,
            Err(error) => return Ok(Saw::from(error).after(notes)),
        };
        if let Some(subprotocol) = socket.subprotocol() {
            notes.push(format!("subprotocol {subprotocol}"));
        }
        if let Some(cookie) = socket.response().and_then(|response| response.field("Set-Cookie")) {
            notes.push(format!("Set-Cookie {}", cookie.escape_ascii()));
        }
        notes.extend(socket.dialed().and_then(|dialed| dialed.tls.as_ref()).map(facts_of_tls));
        let talked = talk(&mut socket, (self.messages)(), &mut notes).await;
        Ok(Saw::of_connection(notes, socket.closed(), Role::Client, talked.err()))
    }
}

async fn echo(socket: &mut impl Socket) -> Result<(), sansocket_driver::Error> {
    while let Some(message) = socket.recv().await? {
        socket.send(message).await?;
    }
    Ok(())
}

async fn talk(
    socket: &mut impl Socket,
    messages: Vec<Message>,
    notes: &mut Vec<String>,
) -> Result<(), sansocket_driver::Error> {
    for message in messages {
        socket.send(message.clone()).await?;
        match socket.recv().await? {
            Some(echo) if echo == message => {}
            Some(echo) => notes.push(format!("{} bytes came back as {} others", message.len(), echo.len())),
            None => return Ok(()),
        }
    }
    socket.close(CloseCode::NORMAL).await?;
    Ok(())
}
